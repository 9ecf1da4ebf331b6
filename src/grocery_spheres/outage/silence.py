"""How improbable is it that a store's own households were all silent by chance?

A gap in a store's sales is weak evidence where one heavy buyer makes most of them. So every household
is asked for its own rhythm: the chance that it stays away for a day, or for a month, is taken from
its own visits around that time. Two assumptions are stated, because chances multiply: households act
apart from each other, and so do the days of a run. On the public data the predicted number of silent
store-days is right where few households are expected and falls short where many are
(tests/test_silence.py); the surplus is what `silent_runs` looks at, and whether it is missing records or
households that stay away together cannot be read from it alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from grocery_spheres.tables import ContractError, read_baskets

AROUND_DAYS = (
    84  # days before and after that speak for a day: twelve weeks, so that every weekday counts equally
)
_MOST_CERTAIN_VISIT = 0.99  # a household's chance of a visit on one day is held below this

Days = npt.NDArray[np.int64]
Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Visits:
    """Who was where on which day.

    Attributes
    ----------
    table : polars.DataFrame
        One row = one household at one store on one local date: `household_id`, `store_id`, `day`
        (days since `start`), `baskets`, `lines`.
    start : datetime.date
        First date of the study window (the first basket).
    days : int
        Length of the study window.
    trading : numpy array of bool, shape (days,)
        False on days when no store sold anything: the chain was closed.
    """

    table: pl.DataFrame
    start: dt.date
    days: int
    trading: npt.NDArray[np.bool_]

    def date(self, day: int) -> dt.date:
        """Return the date of a day number."""
        return self.start + dt.timedelta(days=int(day))

    @property
    def end(self) -> dt.date:
        """Last date of the study window (the last basket)."""
        return self.date(self.days - 1)

    def stores(self) -> Iterator[tuple[Any, pl.DataFrame]]:
        """Yield each store and its rows, in the order of store ids."""
        for (store,), rows in self.table.group_by("store_id", maintain_order=True):
            yield store, rows


def visits(baskets: Any) -> Visits:
    """Collapse baskets to household-store-days.

    Parameters
    ----------
    baskets : any Narwhals frame
        One row = one basket, as `panels.baskets` makes it: `household_id`, `store_id`, `date`, `lines`.

    Raises
    ------
    ContractError
        A column is missing, or there are fewer than two stores: with one store, a day without sales
        cannot be told from a day when everything was closed.

    Examples
    --------
    >>> import datetime as dt, polars as pl
    >>> found = visits(pl.DataFrame({
    ...     "household_id": [1, 1, 2], "store_id": ["a", "a", "b"], "lines": [3, 4, 5],
    ...     "date": [dt.date(2017, 1, 1), dt.date(2017, 1, 1), dt.date(2017, 1, 3)]}))
    >>> found.table.rows()
    [(1, 'a', 0, 2, 7), (2, 'b', 2, 1, 5)]
    >>> found.trading.tolist()
    [True, False, True]
    """
    frame = read_baskets(baskets, ["household_id", "store_id", "date", "lines"])
    if frame["store_id"].n_unique() < 2:
        raise ContractError(
            f"Events need at least two stores, and the baskets name {frame['store_id'].n_unique()}: on a day "
            "without sales nobody can tell a dark store from a closed chain. Add the other stores' baskets."
        )
    start, end = frame["date"].min(), frame["date"].max()
    assert isinstance(start, dt.date)
    assert isinstance(end, dt.date)
    day = (pl.col("date") - pl.lit(start)).dt.total_days()
    table = (
        frame.group_by("household_id", "store_id", day.alias("day"))
        .agg(baskets=pl.len().cast(pl.Int64), lines=pl.sum("lines").cast(pl.Int64))
        .sort("store_id", "household_id", "day")
    )
    days = (end - start).days + 1
    trading = np.zeros(days, dtype=bool)
    trading[table["day"].to_numpy()] = True
    return Visits(table=table, start=start, days=days, trading=trading)


def silent_days(found: Visits, lives: dict[Any, tuple[int, int]]) -> pl.DataFrame:
    """Say for every store and trading day how probable it was that no household came.

    The chance of a household's visit on a day is its share of the store's trading days within
    `AROUND_DAYS` (the day itself apart) on which it came, times the trading level of that day at the
    other stores (weekday, holiday, season).

    Parameters
    ----------
    found : Visits
        From `visits`.
    lives : dict
        Store to its first and last day of trading (day numbers).

    Returns
    -------
    polars.DataFrame
        One row = one store and trading day of its life: `store_id`, `day`, `households` seen,
        `households_expected`, `effective_households` (how many equal ones they amount to),
        `baskets_expected`, `log10_silent` (log10 of the chance that none came).
    """
    level = np.bincount(found.table["day"].to_numpy(), minlength=found.days).astype(float)
    frames = [
        _silent_days_of(store, rows, lives[store], found, level)
        for store, rows in found.stores()
        if store in lives
    ]
    return (
        pl.concat(frames) if frames else pl.DataFrame(schema=_silent_schema(found.table.schema["store_id"]))
    )


def silent_window(days: Days, life: tuple[int, int], length: int) -> float:
    """Return a household's chance of staying away for `length` days on end, from its own visits.

    The share of all windows of that length within `life` without a visit, smoothed by half a window so
    that it is never zero.

    Parameters
    ----------
    days : array of int
        Distinct days on which the household came, sorted.
    life : tuple of int
        First and last day on which it could have come.
    length : int
        Days.

    Examples
    --------
    >>> silent_window(np.array([3, 6]), (0, 9), 3)   # silent: 0-2, 7-9; of 8 windows
    0.2777777777777778
    """
    first, last = life
    inside = days[(days >= first) & (days <= last)]
    gaps = np.diff(np.concatenate([[first - 1], inside, [last + 1]])) - 1
    silent = np.maximum(gaps - length + 1, 0).sum()
    windows = max(last - first + 1 - length + 1, 0)
    return float((silent + 0.5) / (windows + 1))


def _silent_days_of(
    store: Any, rows: pl.DataFrame, life: tuple[int, int], found: Visits, level: Array
) -> pl.DataFrame:
    """Compute the rows of one store."""
    day = rows["day"].to_numpy()
    _, who = np.unique(rows["household_id"].to_numpy(), return_inverse=True)
    came = np.zeros((found.days, who.max() + 1))
    came[day, who] = 1.0
    open_days = found.trading.copy()
    open_days[: life[0]] = False
    open_days[life[1] + 1 :] = False
    baskets = np.bincount(day, weights=rows["baskets"].to_numpy(), minlength=found.days).astype(float)
    others = _trading_level(level - came.sum(axis=1), found.trading)
    around = np.maximum(_others_around(open_days.astype(float)[:, None])[:, 0], 1.0)
    chance = _others_around(came * open_days[:, None]) / around[:, None] * others[:, None]
    chance = np.clip(chance, 0.0, _MOST_CERTAIN_VISIT)[open_days]
    expected = chance.sum(axis=1)
    squared = np.maximum((chance**2).sum(axis=1), np.finfo(float).tiny)
    columns = {
        "day": np.nonzero(open_days)[0],
        "households": came.sum(axis=1)[open_days].astype(np.int64),
        "households_expected": expected,
        "effective_households": expected**2 / squared,
        "baskets_expected": (_others_around(baskets[:, None])[:, 0] / around * others)[open_days],
        "log10_silent": np.log1p(-chance).sum(axis=1) / np.log(10.0),
    }
    store_column = pl.Series("store_id", [store] * len(expected), dtype=rows.schema["store_id"])
    return pl.DataFrame([store_column, *[pl.Series(name, values) for name, values in columns.items()]])


def _others_around(values: Array) -> Array:
    """Sum each row's neighbours within `AROUND_DAYS` on both sides, the row itself apart."""
    total = np.vstack([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    rows = np.arange(len(values))
    low = np.maximum(rows - AROUND_DAYS, 0)
    high = np.minimum(rows + AROUND_DAYS + 1, len(values))
    return np.asarray(total[high] - total[low] - values)


def _trading_level(total: Array, trading: npt.NDArray[np.bool_]) -> Array:
    """Return each day's visits over the mean trading day around it: weekday, holiday and season in one."""
    around = _others_around(np.column_stack([total, trading.astype(float)]))
    usual = around[:, 0] / np.maximum(around[:, 1], 1.0)
    return np.asarray(np.divide(total, usual, out=np.ones_like(total), where=usual > 0))


def _silent_schema(store_type: Any) -> dict[str, Any]:
    return {
        "store_id": store_type,
        "day": pl.Int64,
        "households": pl.Int64,
        "households_expected": pl.Float64,
        "effective_households": pl.Float64,
        "baskets_expected": pl.Float64,
        "log10_silent": pl.Float64,
    }
