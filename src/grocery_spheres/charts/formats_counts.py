"""The numbers of notebook 03 for prose, with their intervals, taken from the tables that its figures show.

Each function returns one row a number: `key` (behind "formats."), `value`, `low`, `high`, `unit`; a share
runs from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from grocery_spheres.charts.formats_beside import MEASURES
from grocery_spheres.charts.formats_change import COMPONENTS, THERE
from grocery_spheres.charts.formats_rows import GROCERS, NEVER, SPHERES, WITH, Market

_ENDS = ("value", "low", "high")
_PERCENT = {"per cent": "value", "low (%)": "low", "high (%)": "high"}
_BRIEF = {WITH: "with", NEVER: "never", SPHERES: "spheres", GROCERS: "grocers"}
_COLUMNS = ("key", *_ENDS, "unit")


def keyed(rows: pl.DataFrame, key: Any, unit: str) -> pl.DataFrame:
    """Bring rows with a value and its ends to the columns of numbers.

    Examples
    --------
    >>> keyed(pl.DataFrame({"value": [2.0], "low": [1.0], "high": [3.0]}), pl.lit("mean"), "USD").row(0)
    ('mean', 2.0, 1.0, 3.0, 'USD')
    """
    ends = [pl.col(end).cast(pl.Float64) for end in _ENDS]
    return rows.select(key.alias("key"), *ends, pl.lit(unit).alias("unit"))


def _shares(rows: pl.DataFrame, key: Any) -> pl.DataFrame:
    """Bring rows in per cent to shares."""
    return keyed(rows.rename(_PERCENT).with_columns(pl.col(*_ENDS) / 100), key, "share")


def counts(**values: tuple[float, str]) -> pl.DataFrame:
    """Return numbers without an interval, by key, with their unit.

    Examples
    --------
    >>> counts(towns=(52, "towns")).row(0)
    ('towns', 52.0, None, None, 'towns')
    """
    rows = [(key, float(value), None, None, unit) for key, (value, unit) in values.items()]
    kinds = (pl.String, pl.Float64, pl.Float64, pl.Float64, pl.String)
    return pl.DataFrame(rows, schema=dict(zip(_COLUMNS, kinds, strict=True)), orient="row")


def values(rows: pl.DataFrame) -> dict[str, float]:
    """Return the value of each number by its key, for titles.

    Examples
    --------
    >>> values(counts(towns=(52, "towns")))
    {'towns': 52.0}
    """
    return dict(rows.select("key", "value").iter_rows())


def cited(topic: str, rows: pl.DataFrame) -> dict[str, tuple[Any, ...]]:
    """Return numbers as `numbers.counted` takes them: id to value, ends and unit.

    Examples
    --------
    >>> cited("formats", counts(towns=(52, "towns")))
    {'formats.towns': (52.0, None, None, 'towns')}
    """
    return {f"{topic}.{key}": tuple(rest) for key, *rest in rows.select(_COLUMNS).iter_rows()}


def town_numbers(parts: Mapping[str, Market]) -> pl.DataFrame:
    """Count the towns of each kind."""
    return counts(
        **{
            f"towns_{_BRIEF[name]}": (part.stores["town_id"].n_unique(), "towns")
            for name, part in parts.items()
        }
    )


def share_numbers(compared: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """State the Spheres' share of sales by what the comparison is of (its key ends with that name)."""
    rows = []
    for name, table in compared.items():
        share = table.filter(pl.col("label") == "sphere", pl.col("measure") == "share of sales")
        rows.append(keyed(share, pl.lit(f"share_{name}"), "share of sales"))
    return pl.concat(rows)


def department_numbers(rows: pl.DataFrame) -> pl.DataFrame:
    """State the Spheres' own departments' share of their sales, and local food's share of spending."""
    names = {
        ("local food", f"towns {WITH}"): "local_with",
        ("local food", f"towns {NEVER}"): "local_never",
        ("local food", "of these, low income"): "local_low",
        ("local food", "of these, high income"): "local_high",
        (GROCERS, "fresh local food"): "local_grocers",
        (SPHERES, "robotic-chef meals"): "meals",
        (SPHERES, "digital produce"): "digital",
        (SPHERES, "sustainably sourced meat"): "meat",
    }
    return _named(rows, ("panel", "name"), names)


def adjusted_numbers(rows: pl.DataFrame) -> pl.DataFrame:
    """State how baskets differ by three comparisons, and the Spheres' share of spending by income."""
    outcomes = {"value of a basket": "basket", "lines of a basket": "lines", "sales a line": "line_usd"}
    methods = {"raw": "raw", "standardised": "standardised", "within households": "within"}
    names = {
        (outcome, method): f"{brief}_{short}"
        for outcome, brief in outcomes.items()
        for method, short in methods.items()
    }
    names |= {("share of spending", f"{one} income"): f"spending_{one}" for one in ("low", "middle", "high")}
    return _named(rows, ("panel", "name"), names)


def turned_numbers(rows: pl.DataFrame) -> pl.DataFrame:
    """State the same of a county in which one assumption is turned."""
    return adjusted_numbers(rows).with_columns(key=pl.lit("turned_") + pl.col("key"))


def customer_numbers(rows: pl.DataFrame, flowed: pl.DataFrame) -> pl.DataFrame:
    """State what each format keeps and shares of its customers, and where grocers' lost customers went."""
    briefs = dict(
        zip(
            rows["measure"].unique(maintain_order=True),
            ("kept", "shared", "penetration", "wallet", "next_kind", "next_store"),
            strict=True,
        )
    )
    names = {(m, s): f"{brief}_{_BRIEF[s]}" for m, brief in briefs.items() for s in (SPHERES, GROCERS)}
    lost = flowed.filter(
        pl.col("label") == "grocer", pl.col("group") == "lost to", pl.col("measure") == "share"
    )
    went = lost.filter(pl.col("other") == "sphere")
    return pl.concat(
        [_named(rows, ("measure", "stores"), names), keyed(went, pl.lit("lost_to_spheres"), "share of lost")]
    )


def growth_numbers(rows: pl.DataFrame) -> pl.DataFrame:
    """State what each component adds to grocers' sales, in USD and as a change in per cent of itself."""
    back = {words: name for name, words in COMPONENTS.items()}
    key = pl.format("{}_{}", pl.col("towns").replace(_BRIEF), pl.col("component").replace(back))
    change = rows.with_columns(
        value=pl.col("ratio") - 1, low=pl.col("ratio_low") - 1, high=pl.col("ratio_high") - 1
    )
    return pl.concat(
        [
            keyed(rows, pl.format("growth_usd_{}", key), "USD a week and household"),
            keyed(change, pl.format("growth_{}", key), "share"),
        ]
    )


def price_numbers(levels: pl.DataFrame, index: pl.DataFrame) -> pl.DataFrame:
    """State the Spheres' prices over grocers' beside their truth, and how far indices move with no cause."""
    name = pl.col("price").replace({"shelf prices": "shelf", "prices paid": "paid"})
    over = levels.with_columns(pl.col(*_ENDS, "truth") - 1)
    true = over.with_columns(value="truth", low=pl.lit(None), high=pl.lit(None))
    part = levels.select("matched_share").head(1).with_columns(value="matched_share", low=None, high=None)
    first = index.filter(pl.col("stores") == GROCERS).sort("quarter").head(1)
    fall = first.with_columns(value=pl.col("value") - 1, low=pl.col("low") - 1, high=pl.col("high") - 1)
    assumed = first.with_columns(value=pl.col("truth") - 1, low=None, high=None)
    still = index.filter(pl.col("quarter") >= index.filter(pl.col("stores") == SPHERES)["quarter"].min())
    most = (still["value"] - 1).abs().max()
    return pl.concat(
        [
            keyed(over, pl.format("price_{}", name), "share above grocers"),
            keyed(true, pl.format("price_{}_truth", name), "share above grocers"),
            keyed(part, pl.lit("price_matched"), "share of Spheres' sales"),
            keyed(fall, pl.lit("index_before"), "share above first quarter of 2045"),
            keyed(assumed, pl.lit("index_before_truth"), "share above first quarter of 2045"),
            counts(index_stray=(float(most), "share")),  # type: ignore[arg-type]
        ]
    )


def concentration_numbers(rows: pl.DataFrame, periods: Mapping[str, str]) -> pl.DataFrame:
    """State the mean HHI by kind of town and period; `periods` gives each period's brief name."""
    key = pl.format("hhi_{}_{}", pl.col("towns").replace(_BRIEF), pl.col("period").replace(periods))
    end = rows.filter(pl.col("period") == list(periods)[-1])
    higher = {
        f"hhi_{_BRIEF[towns]}_higher": (float(count), "towns")
        for towns, count in end.select("towns", "higher").rows()
    }
    return pl.concat([keyed(rows, key, "HHI, 0 to 1"), counts(**higher)])


def belief_numbers(rows: pl.DataFrame) -> pl.DataFrame:
    """State what is believed of Spheres and grocers in the last month, and what visits show."""
    last = rows.filter(pl.col("month") == pl.col("month").max())
    told: dict[str, tuple[float, str]] = {}
    for row in last.to_dicts():
        where = _BRIEF[row["stores"]]
        there = row["group"] == THERE
        told[f"belief_{where}_{'there' if there else 'never'}"] = (row["belief"], "authenticity, 0 to 1")
        if there:
            told[f"shown_{where}"] = (row["shown"], "authenticity, 0 to 1")
            told[f"believers_{where}"] = (float(row["households"]), "sampled households")
    return counts(**told)


def beside_numbers(rows: pl.DataFrame, column: str, suffix: str) -> pl.DataFrame:
    """State one column of the table that holds Spheres and the chain beside the public retailer."""
    names = {words: name for name, words in MEASURES.values()}
    told: dict[str, tuple[float, str]] = {}
    for words, value in rows.select("measure", column).iter_rows():
        share = words.endswith("(%)")
        unit = "share" if share else words.rpartition("(")[2].rstrip(")") if "(" in words else words
        told[f"{names[words]}_{suffix}"] = (value / 100 if share else value, unit)
    return counts(**told)


def _named(rows: pl.DataFrame, by: tuple[str, str], names: Mapping[tuple[str, str], str]) -> pl.DataFrame:
    """Take the rows whose two keys have a name, in the order of the names."""
    parts = []
    for (first, second), name in names.items():
        row = rows.filter(pl.col(by[0]) == first, pl.col(by[1]) == second)
        parts.append(_shares(row, pl.lit(name)))
    return pl.concat(parts)
