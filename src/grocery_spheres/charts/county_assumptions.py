"""The rows of notebook 02 that list what the county is assumed to be: by part, by source, by department."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

SECTIONS = {
    "towns": "The county",
    "start": "The calendar",
    "event_pull": "The event, the outage, the weather",
    "income_spread": "Who the households are",
    "sphere_appeal": "Where they go",
    "trip_chance": "When they go",
    "basket_spread": "What a basket holds",
    "price_level": "Prices",
    "margin": "Grocers’ fate",
}
"""First assumption of each part of `county.parameters`, and what the part is called."""
_MINUS = r"(^|[ (])-"  # but not the hyphens of a date
DEPARTMENTS = "Departments"
"""The part that holds the assumptions of each department; their names begin with its own."""


def assumption_parts(listed: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Part the list of assumptions as the module `county.parameters` does.

    Parameters
    ----------
    listed : polars.DataFrame
        From `county.assumptions.table`.

    Returns
    -------
    dict
        Heading to rows of text: `assumption` (name and meaning), `value` (with unit and plausible range),
        `source`.
    """
    of_department = pl.col("name").str.contains(": ", literal=True)
    named = listed.filter(~of_department)["name"].to_list()
    starts = [*(named.index(first) for first in SECTIONS), len(named)]
    span = pl.format(" (plausible: {} to {})", "low", "high")
    plausible = pl.when(pl.col("low") == "").then(pl.lit("")).otherwise(span)
    shown = listed.select(
        pl.format("{}: {}", "name", "meaning").alias("assumption"),
        pl.concat_str("value", pl.lit(" "), "unit", plausible)
        .str.replace_all(_MINUS, "${1}−")
        .alias("value"),
        "source",
    )
    parts = {heading: shown[starts[at] : starts[at + 1]] for at, heading in enumerate(SECTIONS.values())}
    return {**parts, DEPARTMENTS: shown[len(named) :]}


def source_rows(listed: pl.DataFrame) -> pl.DataFrame:
    """Count the assumptions by part and by what stands behind them.

    Returns
    -------
    polars.DataFrame
        One row = one part: `part`, `shaped`, `recalled`, `tuned`,
        `told`, `assumed`, `all`.
    """
    source = pl.col("source")
    counted = [
        rows.select(
            pl.lit(part).alias("part"),
            *(rule.sum().alias(name) for name, rule in _kinds_of_source(source).items()),
            pl.len().alias("all"),
        )
        for part, rows in assumption_parts(listed).items()
    ]
    return pl.concat(counted)


def _kinds_of_source(source: pl.Expr) -> dict[str, pl.Expr]:
    kinds = {
        "shaped": source.str.starts_with("shaped on") | (source == "public"),
        "recalled": source.str.starts_with("recalled"),
        "tuned": source.str.contains("tuned"),
        "assumed": source == "assumed",
    }
    return {**kinds, "told": ~pl.any_horizontal(kinds.values())}


def department_rows(departments: Sequence[Any]) -> pl.DataFrame:
    """List the law of the two assortments: shares of lines, price, and what each is held against."""
    return pl.DataFrame(
        {
            "department": [one.name for one in departments],
            "grocer (% of lines)": [100 * one.grocer for one in departments],
            "Sphere (% of lines)": [100 * one.sphere for one in departments],
            "price (USD of 2045)": [one.price_usd for one in departments],
            "into the home stock (%)": [100 * one.stored for one in departments],
            "held against": [one.lens or None for one in departments],
        }
    )
