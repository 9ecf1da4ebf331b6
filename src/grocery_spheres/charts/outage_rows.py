"""The rows of notebook 02 that show the outage as the county lived it, and what it cost in expectation."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl

from grocery_spheres.county.arms import FACTUAL

_PARTS = {
    "lost": "Lost at dark Spheres",
    "diverted to chain grocers": "Diverted to chain stores",
    "diverted to independent grocers": "Diverted to independents",
    "delayed": "Delayed, up to 28 days",
    "forgone": "Forgone",
}
_MEASURES = {"baskets": "Baskets", "sales_usd": "Dollars of 2045"}
_SATURDAYS = 8  # before the outage: what is usual


def dark_ids(county: Any) -> list[str]:
    """Return the Spheres that fail."""
    return county.outages["store_id"].to_list()


def outage_week_rows(county: Any, store_days: pl.DataFrame, weeks: int) -> pl.DataFrame:
    """Follow the dark Spheres and the grocers of their towns day by day, with the outage and without.

    Parameters
    ----------
    county : County
        As `gs.county` returns.
    store_days : polars.DataFrame
        The truth of that name. Before the arm without the outage begins, the two are the same.
    weeks : int
        Shown before the outage, and as many after it.

    Returns
    -------
    polars.DataFrame
        One row = one group of stores and day: `stores`, `date`, `baskets`, `without the outage`.
    """
    dark = dark_ids(county)
    towns = county.stores.filter(pl.col("store_id").is_in(dark))["town_id"]
    known = county.stores.filter(pl.col("town_id").is_in(towns.implode())).select("store_id", stores="format")
    day, reach = county.recipe.parameters.outage_date, dt.timedelta(weeks=weeks)
    near = store_days.filter(pl.col("date").is_between(day - reach, day + reach))
    sums = near.join(known, on="store_id", validate="m:1").group_by("arm", "stores", "date")
    by_arm = {name: rows for (name,), rows in sums.agg(pl.sum("baskets")).group_by("arm")}
    without = by_arm["no outage"].select("stores", "date", without="baskets")
    joined = by_arm[FACTUAL].join(without, on=["stores", "date"], how="left", validate="1:1")
    return joined.sort("stores", "date", descending=[True, False]).select(
        "stores", "date", "baskets", pl.coalesce("without", "baskets").alias("without the outage")
    )


def outage_hour_rows(county: Any) -> pl.DataFrame:
    """Count baskets by hour at the dark Spheres and at the grocers of their towns, and on usual Saturdays.

    Returns
    -------
    polars.DataFrame
        One row = one group of stores and hour: `stores`, `hour`, `baskets` on the day of the outage, `usual`
        (mean of the eight same weekdays before), `dark` (Spheres that are dark in that hour).
    """
    day = county.recipe.parameters.outage_date
    dark = dark_ids(county)
    towns = county.stores.filter(pl.col("store_id").is_in(dark))["town_id"]
    known = county.stores.filter(pl.col("town_id").is_in(towns.implode())).select("store_id", stores="format")
    dates = [day - dt.timedelta(weeks=back) for back in range(_SATURDAYS + 1)]
    sold_on = pl.col("sold_at").dt.date()
    seen = county.lines.filter(sold_on.is_in(dates), pl.col("store_id").is_in(known["store_id"].to_list()))
    baskets = seen.select("basket_id", "store_id", "sold_at").unique("basket_id").collect()
    timed = baskets.join(known, on="store_id", validate="m:1").with_columns(hour=pl.col("sold_at").dt.hour())
    that_day = timed["sold_at"].dt.date() == day
    grid = pl.DataFrame({"stores": ["sphere", "grocer"]}).join(pl.DataFrame({"hour": range(24)}), how="cross")
    return _counted_by_hour(grid, timed, that_day).with_columns(
        dark=pl.col("hour").map_elements(lambda hour: _dark_at(county.outages, hour), return_dtype=pl.Int64)
    )


def _counted_by_hour(grid: pl.DataFrame, timed: pl.DataFrame, that_day: pl.Series) -> pl.DataFrame:
    keys = ["stores", "hour"]
    on_day = timed.filter(that_day).group_by(keys).agg(pl.len().cast(pl.Int64).alias("baskets"))
    usual = timed.filter(~that_day).group_by(keys).agg((pl.len() / _SATURDAYS).alias("usual"))
    typed = grid.with_columns(pl.col("hour").cast(timed["hour"].dtype))
    joined = typed.join(on_day, on=keys, how="left").join(usual, on=keys, how="left")
    filled = joined.with_columns(pl.col("baskets", "usual").fill_null(0), pl.col("hour").cast(pl.Int64))
    return filled.sort("stores", "hour", descending=[True, False])


def _dark_at(outages: pl.DataFrame, hour: int) -> int:
    return outages.filter(pl.col("dark_from") <= hour, pl.col("dark_until") > hour).height


def outage_day_rows(hours: pl.DataFrame, weeks: pl.DataFrame) -> pl.DataFrame:
    """Put the day by hour above the dark Spheres' weeks by day, each with what it is compared with.

    Returns
    -------
    polars.DataFrame
        One row = one panel (hours, days), group of stores, hour or day: `panel`, `stores`, `hour`, `until`,
        `date`, `baskets`, `comparison` (hours: the usual Saturday; days: without the outage).
    """
    by_hour = hours.with_columns(until=pl.col("hour") + 1).rename({"usual": "comparison"}).drop("dark")
    spheres = weeks.filter(pl.col("stores") == "sphere")
    by_day = spheres.with_columns(pl.col("without the outage").cast(pl.Float64).alias("comparison"))
    named = [
        frame.with_columns(panel=pl.lit(panel)) for panel, frame in (("hours", by_hour), ("days", by_day))
    ]
    columns = ["panel", "stores", "hour", "until", "date", "baskets", "comparison"]
    return pl.concat(named, how="diagonal").select(columns)


def account_rows(account: pl.DataFrame) -> pl.DataFrame:
    """Lay the parts of the expected account end to end, in per cent of what was lost.

    Parameters
    ----------
    account : polars.DataFrame
        The truth of that name; all towns with an outage are taken together.

    Returns
    -------
    polars.DataFrame
        One row = one measure and part: `measure`, `part`, `expected`, `Monte Carlo error` (of it),
        `from (%)`, `to (%)` (of the lost; the other parts lead back to zero), `share (%)`,
        `error (points)`, `words`.
    """
    rows = []
    for measure, words in _MEASURES.items():
        of = account.filter(group="all", measure=measure)
        at = 100.0
        for part, name in _PARTS.items():
            row = of.filter(part=part).row(0, named=True)
            share = 100 * row["share_of_lost"]
            begin, end = (0.0, share) if part == "lost" else (at, round(at - share, 9))
            at = end if part != "lost" else at
            rows.append(
                {
                    "measure": words,
                    "part": name,
                    "expected": row["expected"],
                    "Monte Carlo error": row["mc_error"],
                    "from (%)": begin,
                    "to (%)": end,
                    "share (%)": share,
                    "error (points)": 100 * row["mc_error_share"],
                    "words": _words(row, lost=part == "lost"),
                }
            )
    return pl.DataFrame(rows)


def _words(row: dict[str, Any], *, lost: bool) -> str:
    amount, error = row["expected"], row["mc_error"]
    money = row["measure"] == "sales_usd"
    counted = f"${amount:,.0f} ± {error:,.0f}" if money else f"{amount:,.0f} ± {error:.1f}"
    share = f"{100 * row['share_of_lost']:.0f} %: "
    return (counted if lost else share + counted).replace("-", "−")


def outcome_rows(outcomes: pl.DataFrame) -> pl.DataFrame:
    """State what remains of the switching weeks later, in per cent, with its Monte Carlo error in points."""
    of_all = outcomes.filter(group="all")
    return of_all.select(
        "outcome",
        "window",
        (100 * pl.col("value")).alias("value (%)"),
        (100 * pl.col("mc_error")).alias("Monte Carlo error (points)"),
    )
