"""What is each measure of a profile made of? One function a question, in the order of the profile.

Sums stand one entry a household, so that households can be drawn again (`resampling`).
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator

import numpy as np
import polars as pl

from grocery_spheres.formats.purchases import Purchases
from grocery_spheres.formats.resampling import Array, Quantiles, Ratio

SIX = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
GAPS = (0.5, 0.75, 0.9, 0.95)
QUARTERS = (0.25, 0.5, 0.75)
ENDS = (0.1, 0.5, 0.9)
KNOWN_WELL = 10  # baskets from which on a household's main store can be told
EVENING = 17  # the hour from which on a basket counts as one of the evening
FIRST_DAYS = 7  # of a month


def measures(bought: Purchases) -> Iterator[Ratio | Quantiles]:
    """Give every measure of the profile, in its order.

    Parameters
    ----------
    bought : Purchases
        As `purchases.read_purchases` returns.

    Yields
    ------
    Ratio or Quantiles
        What `resampling.estimates` takes.
    """
    for question in (_trips, _gaps, _baskets, _spending, _clock, _discounts, _mix, _stores):
        yield from question(bought)


def _summed(bought: Purchases, frame: pl.DataFrame, column: str | None = None) -> Array:
    """Count rows a household, or add up a column."""
    weights = None if column is None else frame[column].to_numpy()
    return np.bincount(frame["who"].to_numpy(), weights, minlength=bought.households).astype(np.float64)


def _trip_days(bought: Purchases) -> pl.DataFrame:
    """One row = one household and day with a basket: a trip. In order of household and date."""
    return bought.baskets.select("who", "date").unique(maintain_order=True)


def _trips(bought: Purchases) -> Iterator[Ratio | Quantiles]:
    each, who = np.ones(bought.households), np.arange(bought.households)
    trips, baskets = _summed(bought, _trip_days(bought)), _summed(bought, bought.baskets)
    yield Ratio("trips of a household", "mean", "a week", trips / bought.weeks, each)
    yield Quantiles("trips of a household", "a week", trips / bought.weeks, who, SIX)
    yield Ratio("baskets of a household", "mean", "a week", baskets / bought.weeks, each)
    yield Ratio("baskets on a trip day", "mean", "baskets", baskets, trips)


def _gaps(bought: Purchases) -> Iterator[Ratio | Quantiles]:
    days = pl.col("date").diff().dt.total_days().cast(pl.Float64)
    same = pl.col("who") == pl.col("who").shift()
    gaps = _trip_days(bought).select("who", gap=pl.when(same).then(days)).drop_nulls("gap")
    yield Ratio("days between trips", "mean", "days", _summed(bought, gaps, "gap"), _summed(bought, gaps))
    yield Quantiles("days between trips", "days", gaps["gap"].to_numpy(), gaps["who"].to_numpy(), GAPS)


def _baskets(bought: Purchases) -> Iterator[Ratio | Quantiles]:
    who, baskets = bought.baskets["who"].to_numpy(), _summed(bought, bought.baskets)
    for measure, unit, column in (
        ("value of a basket", "USD", "sales_usd"),
        ("lines in a basket", "products", "lines"),
    ):
        values = bought.baskets[column].cast(pl.Float64).to_numpy()
        yield Ratio(measure, "mean", unit, _summed(bought, bought.baskets, column), baskets)
        yield Quantiles(measure, unit, values, who, SIX)


def _spending(bought: Purchases) -> Iterator[Ratio | Quantiles]:
    each, who = np.ones(bought.households), np.arange(bought.households)
    spent, baskets = _summed(bought, bought.baskets, "sales_usd"), _summed(bought, bought.baskets)
    yield Ratio("spending of a household", "mean", "USD a week", spent / bought.weeks, each)
    yield Quantiles("spending of a household", "USD a week", spent / bought.weeks, who, SIX)
    yield Quantiles("mean basket of a household", "USD", spent / baskets, who, ENDS)


def _clock(bought: Purchases) -> Iterator[Ratio | Quantiles]:
    sold_at, every = pl.col("sold_at").dt, _summed(bought, bought.baskets)
    when = bought.baskets.select("who", day=sold_at.day(), hour=sold_at.hour(), weekday=sold_at.weekday())
    hours = [_summed(bought, when.filter(pl.col("hour") == hour)) for hour in range(24)]
    days = [_summed(bought, when.filter(pl.col("weekday") == day)) for day in range(1, 8)]
    early = _summed(bought, when.filter(pl.col("day") <= FIRST_DAYS))
    for hour, baskets in enumerate(hours):
        yield Ratio("baskets by hour", f"{hour} h", "share", baskets, every)
    yield Ratio(f"baskets from {EVENING} h on", "share", "share", np.sum(hours[EVENING:], axis=0), every)
    for day, baskets in zip(calendar.day_name, days, strict=True):
        yield Ratio("baskets by weekday", day, "share", baskets, every)
    yield Ratio("baskets on a weekend", "share", "share", days[5] + days[6], every)
    yield Ratio("baskets in the first seven days of a month", "share", "share", early, every)


def _discounts(bought: Purchases) -> Iterator[Ratio | Quantiles]:
    of = {name: column.to_numpy() for name, column in bought.totals.to_dict().items()}
    deep, depths = "discount of a discounted line", bought.depths["depth"].to_numpy()
    nobody = np.zeros(0, dtype=np.int64)
    who = bought.depths["who"].to_numpy() if "who" in bought.depths.columns else nobody
    yield Ratio("lines sold at a discount", "share", "share", of["discounted"], of["lines"])
    yield Ratio(deep, "mean", "share", of["discounted_usd"], of["discounted_shelf_usd"])
    yield Quantiles(deep, "share", depths, who, (0.5,))
    yield Ratio("discount off the shelf price", "share", "share", of["discount_usd"], of["shelf_usd"])


def _mix(bought: Purchases) -> Iterator[Ratio]:
    if bought.mix is None:
        return
    every = _summed(bought, bought.mix, "sales_usd")
    sales = bought.mix.group_by("department").agg(pl.sum("sales_usd"))
    for department in sales.sort("sales_usd", "department", descending=[True, False])["department"]:
        sold = bought.mix.filter(pl.col("department") == department)
        yield Ratio("sales by department", department, "share", _summed(bought, sold, "sales_usd"), every)


def _stores(bought: Purchases) -> Iterator[Ratio | Quantiles]:
    each, part = np.ones(bought.households), pl.col("len") / pl.sum("len")
    visits = bought.baskets.group_by("who", "store_id").len()
    kept = visits.group_by("who").agg(pl.sum("len"), main=part.max(), hhi=(part**2).sum(), stores=pl.len())
    well = kept.sort("who").filter(pl.col("len") >= KNOWN_WELL)
    who, counted = well["who"].to_numpy(), _summed(bought, well)
    for measure, unit, column, shares in (
        ("main store's share of a household's baskets", "share", "main", QUARTERS),
        ("concentration of a household's baskets (HHI)", "index", "hhi", (0.5,)),
    ):
        yield Ratio(measure, "mean", unit, _summed(bought, well, column), counted)
        yield Quantiles(measure, unit, well[column].to_numpy(), who, shares)
    yield Ratio("stores of a household", "mean", "stores", _summed(bought, kept, "stores"), each)
    again = bought.baskets.select(
        "who", stayed=pl.col("store_id") == pl.col("store_id").shift(), same=pl.col("who").diff() == 0
    ).filter("same")
    stayed = _summed(bought, again.filter("stayed"))
    yield Ratio("next basket at the same store", "share", "share", stayed, _summed(bought, again))
