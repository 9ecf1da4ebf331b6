"""What do 200 small counties say of the methods: how often is the truth held, how far are estimates off?"""

from __future__ import annotations

import polars as pl

from grocery_spheres.validation import bias, coverage, read
from grocery_spheres.validation.entry_proof import (
    DYNAMIC,
    NAIVE,
    OVERALL,
    SURVIVAL,
    SURVIVORS,
    band_coverage,
    with_truths,
)

GOOD = (0.85, 0.95)  # coverage that a nominal 90 % must reach
_LEVEL = 1.96  # standard errors of the ranges around a coverage: 95 %
_WORDS = {
    OVERALL: "effect of entry, on average",
    DYNAMIC: "effect of entry, month by month",
    SURVIVAL: "difference in survival, 24 months",
    NAIVE: "two-way fixed effects",
    SURVIVORS: "survivors taken for all",
}
BAND = "effect of entry, all months at once"
SHORT = {
    BAND: "entry, all months at once",
    _WORDS[OVERALL]: "entry, on average",
    _WORDS[DYNAMIC]: "entry, month by month",
    _WORDS[SURVIVAL]: "survival, 24 months",
    "the Spheres' customers: share of sales": "Spheres: share of sales",
    "the Spheres' customers: penetration": "Spheres: penetration",
    "the Spheres' customers: value of a basket": "Spheres: value of a basket",
    "the Spheres' customers: share of wallet": "Spheres: share of wallet",
    "the Spheres' customers: next trip at the same label": "Spheres: next trip there",
    **{
        f"grocers' growth, USD a day: {part}": f"grocers' growth: {part}"
        for part in ("customers", "trips", "basket", "prices", "mix", "sales")
    },
    "grocers' price index: five quarters, chained": "grocers' price index",
    "price level of Spheres over grocers: Fisher, months": "price level of Spheres",
    _WORDS[SURVIVORS]: "survivors alone",
}
"""The kinds of interval by the names that a phone has room for."""
WRONG = (_WORDS[NAIVE], _WORDS[SURVIVORS])
"""Shown because they fail; they promise nothing that is kept here."""


def coverage_rows() -> pl.DataFrame:
    """Return how often nominal 90 % intervals held the truth, method by method.

    Returns
    -------
    polars.DataFrame
        One row = one kind of interval: `what`, `coverage`, `low`, `high` (%; Wilson's interval at 95 %, and
        where a county has several intervals, the spread of counties' shares), `intervals`, `as promised`
        (85 to 95 %). Effects are held against what is expected over counties, from the entry on.
    """
    entry = with_truths(read("entry")).filter(pl.col("event_month").is_null() | (pl.col("event_month") >= 0))
    single = coverage(entry.filter(pl.col("estimand") != DYNAMIC), ["estimand"])
    named = single.with_columns(what=pl.col("estimand").replace_strict(_WORDS))
    band = band_coverage(read("entry")).filter(pl.col("truth") == "expected").with_columns(what=pl.lit(BAND))
    held = pl.col("truth").is_between("low", "high").alias("covered")
    kinds = pl.col("estimand") + ": " + pl.col("part")
    formats = coverage(read("formats").with_columns(held, what=kinds), ["what"])
    columns = ("what", "intervals", "coverage", "low", "high")
    parts = [named, _by_month(entry), band, formats]
    joined = pl.concat([frame.select(columns) for frame in parts])
    promised = pl.col("coverage").is_between(*GOOD).alias("as promised")
    last = joined.with_columns(promised, wrong=pl.col("what").is_in(WRONG)).sort("wrong", maintain_order=True)
    return last.drop("wrong").with_columns(pl.col("coverage", "low", "high") * 100)


def _by_month(entry: pl.DataFrame) -> pl.DataFrame:
    """Average over months; months of one county hang together, so its range comes from counties."""
    months = entry.filter(pl.col("estimand") == DYNAMIC)
    share = months.group_by("seed").agg(share=pl.mean("covered")).sort("seed")["share"]
    mean, error = float(share.to_numpy().mean()), float(share.to_numpy().std(ddof=1)) / len(share) ** 0.5
    row = (_WORDS[DYNAMIC], months.height, mean, mean - _LEVEL * error, mean + _LEVEL * error)
    return pl.DataFrame([row], schema=["what", "intervals", "coverage", "low", "high"], orient="row")


def bias_rows() -> pl.DataFrame:
    """Return how far the estimates of entry are off on average, with the Monte Carlo error.

    Returns
    -------
    polars.DataFrame
        One row = one estimate: `what`, `event_month` (null: of no month), and as `validation.bias`;
        `small`: the bias is below two Monte Carlo errors or 5 % of the effect, whichever is more.
    """
    found = bias(read("entry"), ["estimand", "event_month"])
    allowed = pl.max_horizontal(2 * pl.col("mc_error"), 0.05 * pl.col("truth").abs())
    words = pl.col("estimand").replace_strict(_WORDS).alias("what")
    return found.with_columns(words, small=pl.col("bias").abs() < allowed)


def proof_counts() -> dict[str, tuple[float, str]]:
    """Count for the prose: coverage and bias by id, with units."""
    share = {row["what"]: row["coverage"] / 100 for row in coverage_rows().iter_rows(named=True)}
    off = {
        row["what"]: row for row in bias_rows().filter(pl.col("event_month").is_null()).iter_rows(named=True)
    }
    named = {"overall": OVERALL, "naive": NAIVE, "survivors": SURVIVORS, "survival": SURVIVAL}
    covered = {
        f"entry.proof_{key}": (share[_WORDS[name]], "share of intervals") for key, name in named.items()
    }
    biased = {
        f"entry.bias_{key}": (
            off[_WORDS[name]]["bias"] / abs(off[_WORDS[name]]["truth"]),
            "share of the effect",
        )
        for key, name in named.items()
    }
    months = bias_rows().filter(pl.col("what") == _WORDS[DYNAMIC], pl.col("event_month") >= 0)
    of_customers = "the Spheres' customers: value of a basket"
    of_prices = "grocers' price index: five quarters, chained"
    return {
        "entry.proof_basket": (share[of_customers], "share of intervals"),
        "entry.proof_index": (share[of_prices], "share of intervals"),
        **covered,
        **biased,
        "entry.proof_closings": (off[_WORDS[SURVIVAL]]["truth"], "share of grocers"),
        "entry.proof_band": (share[BAND], "share of bands"),
        "entry.proof_band_realised": (_realised(), "share of bands"),
        "entry.proof_months": (share[_WORDS[DYNAMIC]], "share of intervals"),
        "entry.bias_months_small": (float(months["small"].sum()), "months"),
        "entry.bias_months": (float(months.height), "months"),
        "entry.replications": (float(read("entry")["seed"].n_unique()), "counties"),
    }


def _realised() -> float:
    """Return how often bands held the effect that each county realised, at once over all months."""
    held = dict(band_coverage(read("entry")).select("truth", "coverage").iter_rows())
    return float(held["realised"])


def kept_promises() -> tuple[int, int]:
    """Count the kinds of interval that promise to hold the truth, and those of them that do."""
    promised = coverage_rows().filter(~pl.col("what").is_in(WRONG))
    return promised.filter("as promised").height, promised.height
