"""Which dates are looked at together: a period, or a window before and a window after?"""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl

from grocery_spheres.formats.labels import with_period
from grocery_spheres.tables import ContractError

Window = tuple[dt.date, dt.date]


def as_date(value: Any, name: str) -> dt.date:
    """Read a date that an argument gives: a date, a datetime (its date) or text such as "2045-06-17".

    Examples
    --------
    >>> as_date("2045-06-17", "base")
    datetime.date(2045, 6, 17)
    """
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ContractError(f"`{name}` is {value!r}: give a date, such as '2045-06-17'.") from error


def as_window(value: Any, name: str) -> Window:
    """Read the first and last date of a window, both inclusive.

    Examples
    --------
    >>> as_window(("2045-01-01", "2045-01-31"), "before")
    (datetime.date(2045, 1, 1), datetime.date(2045, 1, 31))
    """
    if isinstance(value, str) or not hasattr(value, "__len__") or len(value) != 2:
        raise ContractError(
            f"`{name}` is {value!r}: give its first and last date, such as ('2045-01-01', '2045-03-31')."
        )
    first, last = (as_date(one, name) for one in value)
    if first > last:
        raise ContractError(f"`{name}` begins on {first} and ends on {last}, before it begins: swap them.")
    return first, last


def periods(dates: pl.Series, every: str | None) -> pl.DataFrame:
    """Place dates in periods; every period between the first and the last one has a number.

    Parameters
    ----------
    dates : polars.Series
        Dates of sales, any order.
    every : str or None
        Length of a period, as `labels.with_period` takes it; None puts all dates into one.

    Returns
    -------
    polars.DataFrame
        One row = one date, sorted: `date`, `period` (first day), `whole`, `place` (number of the period
        from 0; periods without any sale are counted, so neighbours differ by one).

    Examples
    --------
    >>> sold = pl.Series([dt.date(2045, 1, 5), dt.date(2045, 3, 1)])
    >>> periods(sold, "1mo").select("period", "place").rows()
    [(datetime.date(2045, 1, 1), 0), (datetime.date(2045, 3, 1), 2)]
    """
    days = pl.DataFrame({"date": dates.unique().sort()})
    if every is None:
        return days.with_columns(period=pl.col("date").min(), whole=True, place=pl.lit(0, dtype=pl.Int64))
    placed = with_period(days, every)
    return placed.join(calendar(placed, every).select("period", "place"), on="period", maintain_order="left")


def calendar(placed: pl.DataFrame, every: str) -> pl.DataFrame:
    """Return every period from the first to the last: `period`, `place`, `whole`.

    Examples
    --------
    >>> sold = pl.Series([dt.date(2045, 1, 31), dt.date(2045, 3, 31)])
    >>> calendar(periods(sold, "1mo"), "1mo")["whole"].to_list()
    [False, True, True]
    """
    ends = placed["period"].min(), placed["period"].max()
    steps = pl.date_range(*ends, every, eager=True)  # type: ignore[arg-type]
    first, last = placed["date"].min(), placed["date"].max()
    over = pl.col("period").dt.offset_by(every).dt.offset_by("-1d")
    whole = (pl.col("period") >= first) & (over <= last)
    made = pl.DataFrame({"period": steps})
    return made.with_columns(whole=whole, place=pl.int_range(pl.len(), dtype=pl.Int64))


def windows(dates: pl.Series, before: Window, after: Window) -> pl.DataFrame:
    """Place dates in two windows (0 is before, 1 is after); other dates have no row.

    Examples
    --------
    >>> jan, feb = (dt.date(2045, 1, 1), dt.date(2045, 1, 31)), (dt.date(2045, 2, 1), dt.date(2045, 2, 28))
    >>> windows(pl.Series([dt.date(2045, 1, 5), dt.date(2045, 2, 1), dt.date(2045, 3, 1)]), jan, feb).rows()
    [(datetime.date(2045, 1, 5), 0), (datetime.date(2045, 2, 1), 1)]
    """
    if before[1] >= after[0]:
        raise ContractError(
            f"The window `before` ends on {before[1]} and `after` begins on {after[0]}: `before` must end "
            "first, or a day would count in both."
        )
    days = pl.DataFrame({"date": dates.unique().sort()})
    place = pl.when(pl.col("date").is_between(*before)).then(0).when(pl.col("date").is_between(*after))
    return days.with_columns(place=place.then(1).cast(pl.Int64)).drop_nulls("place")
