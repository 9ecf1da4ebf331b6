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
_WORDS = {
    OVERALL: "effect of entry, on average",
    DYNAMIC: "effect of entry, month by month",
    SURVIVAL: "difference in survival, 24 months",
    NAIVE: "two-way fixed effects",
    SURVIVORS: "effect on survivors only",
}
BAND = "effect of entry, all months at once"


def coverage_rows() -> pl.DataFrame:
    """Return how often nominal 90 % intervals held the truth, method by method.

    Returns
    -------
    polars.DataFrame
        One row = one kind of interval: `what`, `coverage`, `low`, `high` (%, Wilson's interval at 95 %),
        `intervals`, `as promised` (85 to 95 %).
    """
    entry = coverage(with_truths(read("entry")), ["estimand"]).with_columns(
        what=pl.col("estimand").replace_strict(_WORDS)
    )
    band = band_coverage(read("entry")).filter(pl.col("truth") == "expected").with_columns(what=pl.lit(BAND))
    held = pl.col("truth").is_between("low", "high").alias("covered")
    kinds = pl.col("estimand") + ": " + pl.col("part")
    formats = coverage(read("formats").with_columns(held, what=kinds), ["what"])
    columns = ("what", "intervals", "coverage", "low", "high")
    joined = pl.concat([frame.select(columns) for frame in (entry, band, formats)])
    promised = pl.col("coverage").is_between(*GOOD).alias("as promised")
    return joined.with_columns(promised).with_columns(pl.col("coverage", "low", "high") * 100)


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
    return {
        **covered,
        **biased,
        "entry.proof_band": (share[BAND], "share of bands"),
        "entry.proof_months": (share[_WORDS[DYNAMIC]], "share of intervals"),
        "entry.bias_months_small": (float(months["small"].sum()), "months"),
        "entry.bias_months": (float(months.height), "months"),
        "entry.replications": (float(read("entry")["seed"].n_unique()), "counties"),
    }
