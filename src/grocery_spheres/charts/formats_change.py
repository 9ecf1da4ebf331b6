"""What changed, as rows of notebook 03: grocers' growth, prices and their truth, concentration, beliefs?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
import polars.selectors as cs

from grocery_spheres import formats
from grocery_spheres.charts.formats_rows import GROCERS, NAMES, SPHERES, Market, Window
from grocery_spheres.county.world import SPHERE
from grocery_spheres.formats.concentration import ALL, INDEX

COMPONENTS = {
    "customers": "customers",
    "trips": "trips a customer",
    "basket": "packages a trip",
    "prices": "prices",
    "mix": "mix",
    "sales": "all sales",
}
"""What the components of growth are called."""
PRICES = {"shelf": "shelf prices", "paid": "prices paid"}
THERE, NEVER_THERE = "there in the last 90 days", "never there"
"""Households by when they were last at the store in question."""
_RECENT = 90  # days
_DAYS_A_WEEK = 7
_PLACES = 6  # sums of floats differ beyond, by the order in which threads add them up
_ENDS = ("value", "low", "high")
_FEWEST = 8  # households in a month, or their mean is not shown
_SPREAD = (0.1, 0.9)  # of households, as shares below


# ---- growth


def growth_rows(parts: Mapping[str, Market], before: Window, after: Window, **intervals: Any) -> pl.DataFrame:
    """Split the change of grocers' sales into customers, trips, baskets, prices and mix, by kind of town.

    Returns
    -------
    polars.DataFrame
        One row = one kind of town and component: `towns`, `component`, `value` (USD of 2045 a week and
        household), `low`, `high`, `ratio`, `ratio_low`, `ratio_high` (after over before).
    """
    rows = []
    for name, part in parts.items():
        grocers = part.stores.filter(pl.col("format") == "grocer")
        windows = [part.between(*window).lines for window in (before, after)]
        lines = pl.concat(windows).filter(pl.col("store_id").is_in(grocers["store_id"].to_list()))
        found = formats.decompose_growth(lines, before=before, after=after, **intervals)
        each = _DAYS_A_WEEK / part.households.height
        usd = [
            (pl.col(column) * each).alias(end)
            for column, end in zip(("usd", "low", "high"), _ENDS, strict=True)
        ]
        ratios = pl.col("ratio", "ratio_low", "ratio_high")
        told = found.select(
            pl.lit(name).alias("towns"), pl.col("component").replace(COMPONENTS), *usd, ratios
        )
        rows.append(told.with_columns(cs.float().round(_PLACES)))
    return pl.concat(rows)


# ---- prices


def price_rows(part: Market, county: Any, **intervals: Any) -> pl.DataFrame:
    """Estimate the Spheres' prices over grocers' on matched products, beside what the county holds.

    Parameters
    ----------
    part : Market
        The towns that get a Sphere, in a time when all of them have one.
    county : County
        As `gs.county` returns.
    **intervals
        For `formats.relative_prices`, such as ``draws=50``.

    Returns
    -------
    polars.DataFrame
        One row = one kind of price (on the shelf, paid): `price`, `value`, `low`, `high` (Spheres over
        grocers), `truth`, `matched_share` (of the Spheres' sales).
    """
    truths = true_ratios(part, county)
    rows = []
    for price, name in PRICES.items():
        found = formats.relative_prices(part.lines, part.stores, "grocer", price=price, **intervals)
        held = found.with_columns(price=pl.lit(name), truth=pl.lit(truths[price]))
        rows.append(held.select("price", *_ENDS, "truth", "matched_share"))
    return pl.concat(rows).with_columns(cs.float().round(_PLACES))


def true_ratios(part: Market, county: Any) -> dict[str, float]:
    """Return the Spheres' true price level over grocers', on the shelf and with promotions.

    A store's level was drawn once, and grocers answer an opening by one assumed step; stores count by their
    sales here. What promotions take off on average follows from their assumed frequency and depths.
    """
    values = county.recipe.parameters
    sold = part.baskets.group_by("store_id").agg(usd=pl.sum("sales_usd"))
    levels = county.truth("stores").select("store_id", "log_price").join(sold, on="store_id", validate="1:1")
    weighed = levels.group_by(pl.col("store_id").str.starts_with(SPHERE).alias("sphere")).agg(
        (pl.col("log_price") * pl.col("usd")).sum() / pl.sum("usd")
    )
    level = dict(weighed.iter_rows())
    shelf = float(np.exp(level[True] - level[False] - values.grocer_response))
    depth = float(np.mean(values.depths))
    return {
        "shelf": shelf,
        "paid": shelf * (1 - values.promoted_sphere * depth) / (1 - values.promoted * depth),
    }


def index_rows(part: Market, county: Any, base: str, **intervals: Any) -> pl.DataFrame:
    """Follow prices paid on matched products by quarter, for both formats, beside grocers' assumed step.

    Spheres are followed from the base quarter on: before it some open every month, so that an index of all
    would follow which stores there are, not what they charge.

    Returns
    -------
    polars.DataFrame
        One row = one format and quarter: `stores`, `quarter`, `value` (1 in the quarter of `base`), `low`,
        `high`, `truth` (grocers only: the assumed answer to an opening, for those that had one).
    """
    asked = {"every": "1q", "stores": part.stores, "label": "format", "base": base, **intervals}
    found = formats.price_index(part.lines, **asked)
    told = found.select(
        pl.col("label").replace(NAMES).alias("stores"), quarter="period", **{e: pl.col(e) for e in _ENDS}
    )
    began = pl.col("quarter") >= pl.lit(base).str.to_date()
    kept = told.filter((pl.col("stores") == GROCERS) | began)
    truth = _assumed_steps(part, county, base)
    joined = kept.join(truth, on=["stores", "quarter"], how="left", validate="1:1", maintain_order="left")
    return joined.with_columns(cs.float().round(_PLACES))


def _assumed_steps(part: Market, county: Any, base: str) -> pl.DataFrame:
    """Return grocers' price index if nothing but the assumed step moved, by their sales after an opening."""
    step = county.recipe.parameters.grocer_response
    placed = part.stores.filter(pl.col("format") == "grocer").join(county.towns, on="town_id")
    sold = part.baskets.join(placed.select("store_id", "entry"), on="store_id")
    after = pl.col("sales_usd").filter(pl.col("date") >= pl.col("entry")).sum() / pl.sum("sales_usd")
    by_quarter = sold.group_by(pl.col("date").dt.truncate("1q").alias("quarter")).agg(after.alias("after"))
    at_base = by_quarter.filter(pl.col("quarter") == pl.lit(base).str.to_date())["after"].item()
    return by_quarter.select(
        pl.lit(GROCERS).alias("stores"), "quarter", truth=(step * (pl.col("after") - at_base)).exp()
    )


def picture_rows(levels: pl.DataFrame, index: pl.DataFrame) -> pl.DataFrame:
    """Put price levels above the index over time, for one picture.

    Returns
    -------
    polars.DataFrame
        One row = one kind of price (`panel` level) or format and quarter (`panel` index): `panel`, `name`,
        `date`, `value`, `low`, `high`, `truth`.
    """
    parts = [
        levels.select(pl.lit("level").alias("panel"), pl.col("price").alias("name"), *_ENDS, "truth"),
        index.select(
            pl.lit("index").alias("panel"),
            pl.col("stores").alias("name"),
            pl.col("quarter").alias("date"),
            *_ENDS,
            "truth",
        ),
    ]
    columns = ["panel", "name", "date", *_ENDS, "truth"]
    return pl.concat(parts, how="diagonal").select(columns)


# ---- concentration


def concentration_rows(
    parts: Mapping[str, Market], periods: Mapping[dt.date, str], **intervals: Any
) -> pl.DataFrame:
    """Return the HHI of stores in some periods of two months: the mean over towns, by their sales.

    Parameters
    ----------
    parts : mapping of str to Market
        From `formats_rows.markets`.
    periods : mapping of date to str
        First day of a period of two months, and what it is called; the first is what others are held against.

    Returns
    -------
    polars.DataFrame
        One row = one kind of town and period: `towns`, `period`, `value`, `low`, `high`, `higher` (towns
        whose index is above that of the first period), `of` (towns).
    """
    rows = []
    for name, part in parts.items():
        found = formats.concentration(part.baskets, part.stores, every="2mo", **intervals)
        asked = found.filter(pl.col("measure") == INDEX, pl.col("period").is_in(list(periods)))
        own = asked.filter(pl.col("market") != ALL)
        first = own.filter(pl.col("period") == next(iter(periods))).select("market", first="value")
        above = (
            own.join(first, on="market", validate="m:1")
            .group_by("period")
            .agg(higher=(pl.col("value") > pl.col("first")).sum(), of=pl.len())
        )
        mean = asked.filter(pl.col("market") == ALL).join(above, on="period", validate="1:1")
        told = mean.sort("period").select(
            pl.lit(name).alias("towns"),
            pl.col("period").replace_strict(periods, return_dtype=pl.String),
            *(pl.col(end).round(_PLACES) for end in _ENDS),
            "higher",
            "of",
        )
        rows.append(told)
    return pl.concat(rows)


# ---- beliefs


def belief_rows(choices: pl.DataFrame, stores: pl.DataFrame, baskets: pl.DataFrame) -> pl.DataFrame:
    """Average what sampled households believe of the stores' authenticity, by whether they go there.

    Parameters
    ----------
    choices, stores : polars.DataFrame
        Truths of the county of these names: no estimates.
    baskets : polars.DataFrame
        Of the county; they tell when a household was at a store. Who came only before the record begins
        counts as never having been there.

    Returns
    -------
    polars.DataFrame
        One row = one format, group and month: `stores`, `group` (there in the last 90 days, never there; who
        last came longer ago is left out), `month`, `belief` (mean over households, stores and days), `low`,
        `high` (a tenth of household-days lies below, and above: a spread, no interval), `shown` (what visits
        to these stores show on average), `households`.
    """
    begin = choices["date"].min() + dt.timedelta(days=_RECENT + 1)  # type: ignore[operator]
    seen = choices.filter("available", pl.col("date") >= begin)
    known = _with_last_visit(seen, baskets).join(
        stores.select("store_id", "authentic"), on="store_id", validate="m:1"
    )
    ago = (pl.col("date") - pl.col("visited")).dt.total_days()
    group = pl.when(ago.is_null()).then(pl.lit(NEVER_THERE)).when(ago <= _RECENT).then(pl.lit(THERE))
    sphere = pl.col("store_id").str.starts_with(SPHERE)
    grouped = known.group_by(
        pl.when(sphere).then(pl.lit(SPHERES)).otherwise(pl.lit(GROCERS)).alias("stores"),
        group.otherwise(pl.lit(None)).alias("group"),
        pl.col("date").dt.truncate("1mo").alias("month"),
    ).agg(
        pl.mean("belief"),
        pl.col("belief").quantile(_SPREAD[0]).alias("low"),
        pl.col("belief").quantile(_SPREAD[1]).alias("high"),
        shown=pl.mean("authentic"),
        households=pl.n_unique("household_id"),
    )
    shown = grouped.filter(pl.col("group").is_not_null(), pl.col("households") >= _FEWEST)
    return shown.sort("stores", "group", "month").with_columns(cs.float().round(_PLACES))


def _with_last_visit(choices: pl.DataFrame, baskets: pl.DataFrame) -> pl.DataFrame:
    """Add the last day before each day on which the household was at the store: `visited`, or null."""
    keys = ["household_id", "store_id"]
    visits = baskets.select(*keys, "date", visited="date").sort("date")
    sampled = visits.join(choices.select("household_id").unique(), on="household_id", how="semi")
    return choices.sort("date").join_asof(
        sampled, on="date", by=keys, strategy="backward", allow_exact_matches=False, check_sortedness=False
    )
