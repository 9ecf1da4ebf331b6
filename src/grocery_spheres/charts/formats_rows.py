"""How do the comparisons of notebook 03 read as rows: sales over time, departments, customers, who buys?

Each function takes tables of the county and returns just the plotted rows and columns, so that the picture
and its csv cannot differ. Two kinds of town are kept apart throughout: those that get a Sphere, and those
that never do.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from grocery_spheres import formats

SPHERES, GROCERS = "Spheres", "grocers"
NAMES = {"sphere": SPHERES, "grocer": GROCERS}
"""What readers are told for the two formats."""
WITH, NEVER = "that get a Sphere", "that never do"
LOCAL = "fresh local food"
"""The department of local food; Spheres have nothing in it."""
INCOMES = ("low", "middle", "high")
_PLACES = 6  # sums of floats differ beyond, by the order in which threads add them up
_ENDS = ("value", "low", "high")

Window = tuple[str, str]


@dataclass(frozen=True)
class Market:
    """The towns of one kind: their stores, the households that live there, and what these bought.

    Attributes
    ----------
    stores, households, baskets : polars.DataFrame
        As in the county, of these towns only.
    lines : polars.LazyFrame
        Likewise.
    """

    stores: pl.DataFrame
    households: pl.DataFrame
    baskets: pl.DataFrame
    lines: pl.LazyFrame

    def between(self, first: str, last: str) -> Market:
        """Keep what was bought from one day to another, both inclusive."""
        begin, end = (dt.date.fromisoformat(day) for day in (first, last))
        kept = self.baskets.filter(pl.col("date").is_between(begin, end))
        sold = self.lines.filter(
            pl.col("sold_at").is_between(begin, end + dt.timedelta(days=1), closed="left")
        )
        return Market(self.stores, self.households, kept, sold)


def markets(county: Any, baskets: pl.DataFrame) -> dict[str, Market]:
    """Part the county into the towns that get a Sphere and those that never do.

    Parameters
    ----------
    county : County
        As `gs.county` returns.
    baskets : polars.DataFrame
        Its baskets, from `gs.baskets`.
    """
    entered = county.towns["entry"].is_not_null()
    parts = {}
    for name, which in ((WITH, entered), (NEVER, ~entered)):
        towns = county.towns.filter(which).select("town_id")
        stores, homes = (
            of.join(towns, on="town_id", how="semi") for of in (county.stores, county.households)
        )
        sold = baskets.join(stores, on="store_id", how="semi")
        lines = county.lines.filter(pl.col("store_id").is_in(stores["store_id"].to_list()))
        parts[name] = Market(stores, homes, sold, lines)
    return parts


def percent(rows: pl.DataFrame) -> pl.DataFrame:
    """Turn a share and its interval into per cent, under the names that readers see."""
    return rows.with_columns((pl.col(*_ENDS) * 100).round(_PLACES)).rename(
        {"value": "per cent", "low": "low (%)", "high": "high (%)"}
    )


# ---- sales over time


def sales_rows(parts: Mapping[str, Market], towns: pl.DataFrame, **intervals: Any) -> pl.DataFrame:
    """Follow sales a household by whole week, in both kinds of town, and mark the openings.

    Parameters
    ----------
    parts : mapping of str to Market
        From `markets`.
    towns : polars.DataFrame
        Of the county.
    **intervals
        For `formats.sales_over_time`, such as ``draws=100``.

    Returns
    -------
    polars.DataFrame
        One row = one kind of town, format and Monday week from the first sale on, or one day on which
        Spheres open: `towns`, `line` (Spheres, grocers, openings), `date`, `value` (USD of 2045 a week and
        household; Spheres that open), `low`, `high`.
    """
    rows = []
    for name, part in parts.items():
        sold = formats.sales_over_time(
            part.baskets, part.stores, every="1w", households=part.households, **intervals
        )
        kept = sold.filter(pl.col("measure") == "sales", "whole", pl.col("value") > 0)
        rows.append(
            kept.select(
                pl.lit(name).alias("towns"),
                pl.col("label").replace(NAMES).alias("line"),
                pl.col("period").alias("date"),
                *((pl.col(end) / part.households.height).round(_PLACES) for end in _ENDS),
            )
        )
    opened = towns.drop_nulls("entry").group_by("entry").agg(value=pl.len().cast(pl.Float64)).sort("entry")
    marks = opened.select(
        pl.lit(WITH).alias("towns"), pl.lit("openings").alias("line"), pl.col("entry").alias("date"), "value"
    )
    return pl.concat([*rows, marks], how="diagonal")


# ---- who sells what


def department_rows(part: Market, products: pl.DataFrame, **intervals: Any) -> pl.DataFrame:
    """Return each department's share of sales at both formats, and local food's share of spending.

    Returns
    -------
    polars.DataFrame
        One row = one panel (Spheres, grocers) and department: `panel`, `name`, `per cent`,
        `low (%)`, `high (%)`. Ends are null where nothing of the kind was sold.
    """
    shares = formats.department_shares(part.lines, products, part.stores, **intervals)
    most = shares.group_by("department").agg(pl.sum("sales_usd").alias("all"))
    named = shares.join(most, on="department").sort("label", "all", descending=True)
    return percent(
        named.select(
            pl.col("label").replace(NAMES).alias("panel"), pl.col("department").alias("name"), *_ENDS
        )
    )


def local_rows(parts: Mapping[str, Market], products: pl.DataFrame, **intervals: Any) -> pl.DataFrame:
    """Return local food's share of all that households spend, by kind of town and by income.

    Returns
    -------
    polars.DataFrame
        One row = one group of households: `panel` ("local food"), `name`, `per cent`, `low (%)`, `high (%)`.
    """
    rows = []
    for towns, part in parts.items():
        asked = {"households": part.households, "by": "income", **intervals}
        whole = formats.share_of_spend(part.lines, products, [LOCAL], **intervals)
        rows.append(whole.select(pl.lit(f"towns {towns}").alias("name"), *_ENDS))
        if towns == WITH:
            by_income = formats.share_of_spend(part.lines, products, [LOCAL], **asked)
            ordered = by_income.sort(pl.col("income").cast(pl.Enum(INCOMES)))
            rows.append(ordered.select(pl.format("of these, {} income", "income").alias("name"), *_ENDS))
    return percent(pl.concat(rows)).select(pl.lit("local food").alias("panel"), pl.all())


# ---- who buys


def adjusted_rows(part: Market, **intervals: Any) -> pl.DataFrame:
    """Hold baskets at Spheres against those at grocers: raw, standardised by income, within households.

    Returns
    -------
    polars.DataFrame
        One row = one panel (an outcome, or the Spheres' share of spending) and method or income:
        `panel`, `name`, `per cent`, `low (%)`, `high (%)`, `difference`, `unit` (in USD or lines).
    """
    rows = [
        formats.adjusted_difference(
            part.baskets,
            part.stores,
            part.households,
            base="grocer",
            other="sphere",
            measure=one,
            **intervals,
        )
        for one in ("value of a basket", "lines of a basket", "sales a line")
    ]
    found = pl.concat(rows)
    keys = ["outcome", "method"]
    amount = found.filter(pl.col("measure") == "difference").select(*keys, "unit", difference="value")
    relative = found.filter(pl.col("measure") == "relative difference").select(*keys, *_ENDS)
    both = relative.join(amount, on=keys, validate="1:1", maintain_order="left")
    named = percent(both.rename({"outcome": "panel", "method": "name"})).with_columns(
        pl.col("difference").round(_PLACES)
    )
    return pl.concat([named, income_rows(part, **intervals)], how="diagonal")


def income_rows(part: Market, **intervals: Any) -> pl.DataFrame:
    """Return the Spheres' share of what households spend, by income.

    Returns
    -------
    polars.DataFrame
        One row = one income: `panel` ("share of spending"), `name`, `per cent`, `low (%)`, `high (%)`.
    """
    rows = []
    for income in INCOMES:
        homes = part.households.filter(pl.col("income") == income)
        theirs = part.baskets.join(homes, on="household_id", how="semi")
        found = formats.compare_formats(theirs, part.stores, households=homes, **intervals)
        share = found.filter(pl.col("label") == "sphere", pl.col("measure") == "share of sales")
        rows.append(share.select(pl.lit(f"{income} income").alias("name"), *_ENDS))
    return percent(pl.concat(rows)).select(pl.lit("share of spending").alias("panel"), pl.all())


# ---- who keeps customers

_OF_FLOWS = {
    "kept": "Customers of the first quarter who still buy",
    "shared": "Customers who also buy at the other",
}
_OF_YEAR = {
    "penetration": "Households that are customers",
    "share of wallet": "Their share of their customers’ spending",
    "next trip at the same label": "Next trip to the same kind of store",
    "next trip at the same store": "Next trip to the same store",
}


def flows(part: Market, before: Any, after: Any, **intervals: Any) -> pl.DataFrame:
    """Return `formats.customer_flows` between two windows: first and last day of each."""
    return formats.customer_flows(part.baskets, part.stores, before=before, after=after, **intervals)


def customer_rows(flowed: pl.DataFrame, compared: pl.DataFrame) -> pl.DataFrame:
    """Put what each format keeps beside how its customers shop.

    Parameters
    ----------
    flowed : polars.DataFrame
        From `formats.customer_flows`.
    compared : polars.DataFrame
        From `formats.compare_formats`.

    Returns
    -------
    polars.DataFrame
        One row = one measure and format: `measure`, `stores`, `per cent`, `low (%)`, `high (%)`.
    """
    shares = flowed.filter(pl.col("measure") == "share", pl.col("other").is_null())
    parts = [
        shares.filter(pl.col("group") == key).select(pl.lit(name).alias("measure"), "label", *_ENDS)
        for key, name in _OF_FLOWS.items()
    ]
    parts += [
        compared.filter(pl.col("measure") == key).select(pl.lit(name).alias("measure"), "label", *_ENDS)
        for key, name in _OF_YEAR.items()
    ]
    told = pl.concat(parts).select("measure", pl.col("label").replace(NAMES).alias("stores"), *_ENDS)
    return percent(told)
