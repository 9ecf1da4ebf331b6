"""The rows behind the pictures of notebook 01, with the names and units that readers see.

Each function takes what a question module computed and returns just the plotted rows and columns, so that
the picture and its csv cannot differ.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Mapping
from typing import Any

import polars as pl
from statsmodels.stats.rates import confint_poisson

from grocery_spheres.charts.public_groceries import WEEKDAYS
from grocery_spheres.tables import to_polars

_BINS = (0, 1, 2, 3, 4, 5, 6, 7, 8)  # households expected; the last bin is open
_MOST_RATIO = 1e4  # keeps an unbounded ratio off a log axis; never reached


def trading_week_rows(hours: pl.DataFrame, weeks: float) -> pl.DataFrame:
    """Name the weekdays of `formats.trading_hours` and count baskets a week."""
    names = dict(enumerate(WEEKDAYS, start=1))
    return hours.select(
        pl.col("weekday").replace_strict(names, return_dtype=pl.String),
        "hour",
        (pl.col("baskets") / weeks).alias("baskets a week"),
    )


def clock_rows(local: pl.DataFrame, published: pl.DataFrame) -> pl.DataFrame:
    """Put two profiles of `formats.trading_hours` on top of each other, by hour of the day."""
    profiles = {"local": local, "as published": published}
    summed = [
        hours.group_by("hour")
        .agg((100 * pl.sum("share")).alias("share of baskets (%)"))
        .sort("hour")
        .select(pl.lit(clock).alias("clock"), "hour", "share of baskets (%)")
        for clock, hours in profiles.items()
    ]
    return pl.concat(summed)


def fuel_first_rows(fuel: Any, stores: pl.DataFrame) -> pl.DataFrame:
    """Date the first fuel and the first groceries of each new store.

    Parameters
    ----------
    fuel : any Narwhals frame
        One row = one line of fuel: `store_id`, `sold_at`.
    stores : polars.DataFrame
        One row = one store: `store_id`, `opened` (null where it was open all year).
    """
    first = to_polars(fuel).group_by("store_id").agg(fuel=pl.min("sold_at").dt.date())
    dated = stores.drop_nulls("opened").join(first, on="store_id", how="left", validate="1:1")
    days = (pl.col("opened") - pl.col("fuel")).dt.total_days()
    words = (
        pl.when(days == 0)
        .then(pl.lit("same day"))
        .when(days > 0)
        .then(pl.format("fuel {} days earlier", days))
        .otherwise(pl.format("fuel {} days later", -days))
    )
    return dated.sort("opened").select(
        pl.format("store {}", "store_id").alias("store"),
        "fuel",
        groceries=pl.col("opened"),
        later=pl.max_horizontal("fuel", "opened"),
        words=words,
    )


def moves_rows(store_days: pl.DataFrame, relocations: pl.DataFrame) -> pl.DataFrame:
    """Count weekly baskets of each closed store and its successor; a week with a masked day is a gap.

    Parameters
    ----------
    store_days : polars.DataFrame
        From `panels.store_days`: `store_id`, `date`, `baskets` (null where masked).
    relocations : polars.DataFrame
        From `events.find_events`.

    Returns
    -------
    polars.DataFrame
        One row = one store and whole Monday week: `move`, `role`, `store`, `week`, `baskets a week`.
    """
    weekly = (
        store_days.with_columns(week=pl.col("date").dt.truncate("1w"))
        .group_by("store_id", "week")
        .agg(pl.sum("baskets"), days=pl.len(), masked=pl.col("baskets").is_null().any())
        .filter(pl.col("days") == 7)
        .with_columns(pl.when(~pl.col("masked")).then("baskets").alias("baskets a week"))
    )
    move = pl.format("{} moved to {}", "store_id", "successor_id")
    pairs = relocations.sort("closed").select(closed="store_id", successor="successor_id", move=move)
    long = pairs.unpivot(["closed", "successor"], index="move", variable_name="role", value_name="store_id")
    order = pl.col("move").replace_strict({name: place for place, name in enumerate(pairs["move"])})
    joined = long.join(weekly, on="store_id").sort(order, "role", "week")
    return joined.with_columns(pl.format("store {}", "store_id").alias("store")).select(
        "move", "role", "store", "week", "baskets a week"
    )


def dark_day_rows(days: pl.DataFrame) -> pl.DataFrame:
    """Hold silent store-days against chance, by households expected, with an exact Poisson interval.

    Parameters
    ----------
    days : polars.DataFrame
        From `events.day_chances`.

    Returns
    -------
    polars.DataFrame
        One row = one bin: `households expected`, `store-days`, `silent store-days`, `by chance`,
        `silent over chance`, `low`, `high`, `words`.
    """
    labels = [f"{a}–{b}" for a, b in itertools.pairwise(_BINS)] + [f"{_BINS[-1]} or more"]
    place = pl.col("households_expected").floor().clip(_BINS[0], _BINS[-1]).cast(pl.Int64)
    bins = days.group_by(place.alias("bin")).agg(
        pl.len().alias("store-days"),
        (pl.col("households") == 0).sum().alias("silent store-days"),
        (10.0 ** pl.col("log10_silent")).sum().alias("by chance"),
    )
    rows = [_ratio_row(labels[row["bin"]], row) for row in bins.sort("bin").iter_rows(named=True)]
    return pl.DataFrame(rows, orient="row")


def _ratio_row(label: str, row: Mapping[str, Any]) -> dict[str, Any]:
    silent, chance = row["silent store-days"], row["by chance"]
    low, high = confint_poisson(silent, chance, method="exact-c")
    ratio = silent / chance
    return {
        "households expected": label,
        "store-days": row["store-days"],
        "silent store-days": silent,
        "by chance": chance,
        "silent over chance": ratio,
        "low": float(low),
        "high": float(min(high, _MOST_RATIO)),
        "words": f"{silent:,} for {chance:,.0f}" if chance >= 1 else f"{silent} for {chance:.2g}",
    }


def sign_rows(signs: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Put the signs of `dark_spells.missing_or_outage` for several cases on top of each other, in %."""
    shares = {"made up (%)": "share", "low (%)": "low", "high (%)": "high"}
    frames = [
        frame.select(
            pl.lit(case).alias("case"),
            "sign",
            *[(100 * pl.col(column)).alias(name) for name, column in shares.items()],
        )
        for case, frame in signs.items()
    ]
    return pl.concat(frames)


def diversion_rows(ratios: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Put the pooled ratios of several outcomes side by side, with the proportional (IIA) prediction.

    Proportional diversion sends all of the lost trade to existing stores: the successor had no share.
    """
    words = {
        "successor": "the successor",
        "others": "existing stores",
        "left the panel": "no store of the chain",
    }
    predicted = {"successor": 0.0, "others": 100.0, "left the panel": 0.0}
    columns = {
        "diverted (%)": "ratio",
        "low (%)": "low",
        "high (%)": "high",
        "bootstrap low (%)": "boot_low",
        "bootstrap high (%)": "boot_high",
    }
    frames = [
        frame.filter(pl.col("store_id") == "pooled").select(
            pl.lit(measure).alias("measure"),
            pl.col("destination").replace(words),
            *[(100 * pl.col(column)).alias(name) for name, column in columns.items()],
            pl.col("destination").replace_strict(predicted).alias("proportional prediction (%)"),
        )
        for measure, frame in ratios.items()
    ]
    return pl.concat(frames)


def before_and_after_rows(destinations: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Name the stores of `relocations.destinations` for each move shown."""
    kind = pl.when("is_successor").then(pl.lit("successor")).otherwise(pl.lit("existing store"))
    star = pl.when("is_successor").then(pl.lit(" (new)")).otherwise(pl.lit(""))
    frames = [
        frame.select(
            pl.lit(move).alias("move"),
            pl.format("store {}{}", "store_id", star).alias("store"),
            kind.alias("kind"),
            pl.col("before").alias("before (baskets a week)"),
            pl.col("after").alias("after (baskets a week)"),
        )
        for move, frame in destinations.items()
    ]
    return pl.concat(frames)


def study_weeks(first: dt.date, last: dt.date, closed_days: int) -> float:
    """Return how many weeks of trading a study window holds, days when all was closed apart.

    Examples
    --------
    >>> study_weeks(dt.date(2017, 1, 1), dt.date(2017, 12, 31), 1)
    52.0
    """
    return ((last - first).days + 1 - closed_days) / 7


def robustness_rows(swept: pl.DataFrame) -> pl.DataFrame:
    """Write the shares of `sweep.sweep` as per cent with their intervals, one cell each."""
    words = {"successor": "to the successor, %", "others": "to existing stores, %"}
    cells = [_with_interval(swept, name).alias(words[name]) for name in words]
    return swept.select(pl.col("changed").alias("definition"), pl.col("regulars").alias("households"), *cells)


def _with_interval(swept: pl.DataFrame, name: str) -> pl.Series:
    columns = [swept[column] for column in (name, f"{name}_low", f"{name}_high")]
    parts = [[f"{100 * value:.0f}".replace("-", "−") for value in column] for column in columns]
    return pl.Series([f"{value} ({low} to {high})" for value, low, high in zip(*parts, strict=True)])
