"""Which period does a date belong to, and do the periods follow each other without a gap?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from grocery_spheres.tables import ContractError

Whole = npt.NDArray[np.int64]

_LATEST_DAY = 28  # of a month: the last one that every month has
_MONTHS = 12  # of a year
_LARGEST = 2**53  # whole number that a float still tells from the next


@dataclass(frozen=True)
class Periods:
    """The periods of a panel, each named by its first day or number.

    Attributes
    ----------
    labels : polars.Series
        The periods in order: dates or whole numbers.
    starts : array of int
        The same as numbers (days since 1970 for dates).
    end : int
        The number at which the period after the last one would start.
    step : str
        How long a period is, in words.
    months : int
        The same in calendar months; 0 where periods are days or numbers.
    """

    labels: pl.Series
    starts: Whole
    end: int
    step: str
    months: int = 0

    def __len__(self) -> int:
        """Count the periods."""
        return len(self.starts)

    def end_after(self, more: int) -> int:
        """Return the number at which so many further periods would have ended.

        Examples
        --------
        >>> read_periods(pl.Series([2000, 2004, 2008]), "year").end_after(2)
        2020
        """
        if self.months:
            step = f"{self.months * (more + 1)}mo"
            return int(self.labels.tail(1).dt.offset_by(step).to_physical()[0])
        return self.end + more * (self.end - int(self.starts[-1]))

    def containing(self, numbers: Whole) -> Whole:
        """Return the place (1 to T) of the period that holds each number; 0 before the first, T + 1 after.

        Examples
        --------
        >>> periods = read_periods(pl.Series([2000, 2004, 2008]), "year")
        >>> periods.containing(np.array([1999, 2000, 2003, 2011, 2012]))
        array([0, 1, 1, 3, 4])
        """
        places = np.searchsorted(self.starts, numbers, side="right")
        return np.where(numbers >= self.end, len(self) + 1, places).astype(np.int64)


def read_periods(times: pl.Series, name: str) -> Periods:
    """Take the distinct times of a panel as its periods, and refuse a gap between them.

    Parameters
    ----------
    times : polars.Series
        Dates (the first day of each period) or whole numbers, in any order and as often as they like.
    name : str
        The column's name, for refusals.

    Returns
    -------
    Periods
        Months, quarters and years are known by dates on one day of the month; any other dates, and whole
        numbers, must stand at equal steps.

    Raises
    ------
    ContractError
        There is one period only, or a period is missing for all units.

    Examples
    --------
    >>> import datetime as dt
    >>> read_periods(pl.Series([dt.date(2045, 2, 1), dt.date(2045, 1, 1), dt.date(2045, 3, 1)]), "month").step
    '1 month'
    >>> read_periods(pl.Series([1, 2, 4]), "week")
    Traceback (most recent call last):
        ...
    grocery_spheres.tables.ContractError: The column `week` steps by 1, and no unit has a row at 3. ...
    """
    labels = times.unique().sort()
    if len(labels) < 2:
        raise ContractError(
            f"The column `{name}` holds {len(labels)} period: an effect compares at least one period before "
            "an entry with one after it."
        )
    starts = labels.to_physical().cast(pl.Int64).to_numpy()
    if labels.dtype == pl.Date:
        _refuse_ends(labels, name)
        if labels.dt.day().n_unique() == 1 and labels.dt.day()[0] <= _LATEST_DAY:
            return _by_month(labels, starts, name)
    step = int(np.gcd.reduce(np.diff(starts)))
    wanted = np.arange(starts[0], starts[-1] + 1, step) if _sparse(starts, step) else starts
    unit = ("day" if step == 1 else "days") if labels.dtype == pl.Date else ""
    said = f"{step} {unit}".strip()
    _refuse_gap(_series(wanted, labels), labels, said, name)
    return Periods(labels, starts, int(starts[-1]) + step, said)


def _sparse(starts: Whole, step: int) -> bool:
    return bool((np.diff(starts) != step).any())


def _series(numbers: Whole, like: pl.Series) -> pl.Series:
    if like.dtype == pl.Date:
        return pl.Series(numbers, dtype=pl.Int32).cast(pl.Date)
    return pl.Series(numbers, dtype=pl.Int64)


def _by_month(labels: pl.Series, starts: Whole, name: str) -> Periods:
    """Read months, or steps of several months."""
    months = (labels.dt.year().cast(pl.Int64) * _MONTHS + labels.dt.month()).to_numpy()
    step = int(np.gcd.reduce(np.diff(months)))
    said = "1 month" if step == 1 else f"{step} months"
    wanted = pl.date_range(labels[0], labels[-1], interval=f"{step}mo", eager=True)
    _refuse_gap(wanted, labels, said, name)
    after = int(labels.tail(1).dt.offset_by(f"{step}mo").to_physical()[0])
    return Periods(labels, starts, after, said, step)


def _refuse_gap(wanted: pl.Series, labels: pl.Series, step: str, name: str) -> None:
    missing = wanted.filter(~wanted.is_in(labels.implode()))
    if len(missing):
        more = f" (nor at {len(missing) - 1:,} more)" if len(missing) > 1 else ""
        raise ContractError(
            f"The column `{name}` steps by {step}, and no unit has a row at {missing[0]}{more}. Periods that "
            "are not adjacent are never taken as adjacent: add the missing ones, or leave out what stands "
            "before the gap; if the times are adjacent in your own calendar, number them 1, 2, 3 and number "
            "the first treated periods alike."
        )


def _refuse_ends(labels: pl.Series, name: str) -> None:
    """Refuse months that are named by their last day: a date would fall into the wrong one."""
    ends = labels.dt.month_end() == labels
    if bool(ends.all()) and labels.dt.month().n_unique() > 1:
        raise ContractError(
            f"The column `{name}` names months by their last day ({labels[0]}). Name each period by its "
            "first day, so that the day of an entry falls into the period that holds it, in Polars: "
            f"pl.col({name!r}).dt.month_start(); in pandas: "
            f"panel[{name!r}].dt.to_period('M').dt.to_timestamp()."
        )


def whole_times(column: pl.Series, name: str) -> pl.Series:
    """Return times as dates or 64-bit whole numbers, or refuse them.

    Parameters
    ----------
    column : polars.Series
        Dates, datetimes at midnight without a zone, or whole numbers.
    name : str
        The column's name, for refusals.

    Raises
    ------
    ContractError
        A time is missing, or the column is of another kind.

    Examples
    --------
    >>> whole_times(pl.Series([2044, 2045], dtype=pl.Int16), "year").dtype
    Int64
    """
    if column.null_count():
        raise ContractError(
            f"{column.null_count():,} of {len(column):,} rows of the table `panel` have no `{name}`. Fill it "
            "in, or set such rows apart and count them."
        )
    if column.dtype.is_integer():
        return column.cast(pl.Int64)
    _refuse_zone(column, name)
    if isinstance(column.dtype, pl.Datetime):
        if not bool((column.dt.truncate("1d") == column).all()):
            raise ContractError(
                f"The column `{name}` holds times of day, and a period is named by a date. Sum the outcome "
                f"over days first, or number the periods 1, 2, 3. In Polars: pl.col({name!r}).dt.date(); in "
                f"pandas: panel[{name!r}].dt.normalize()."
            )
        return column.dt.date()
    if column.dtype != pl.Date:
        raise _wrong_kind(column, name, "dates or whole numbers")
    return column


def first_times(column: pl.Series, periods: Periods, name: str) -> pl.Series:
    """Return when each row's unit was first treated as a number beside `Periods.starts`; null: never.

    Parameters
    ----------
    column : polars.Series
        Of the same kind as the periods; a datetime counts by its date.
    periods : Periods
        What `read_periods` found.
    name : str
        The column's name, for refusals.

    Returns
    -------
    polars.Series
        Whole numbers, null for never. Among whole numbers infinity means never too, and so does 0 where
        every period is above 0.

    Raises
    ------
    ContractError
        The column is of another kind than the periods.

    Examples
    --------
    >>> years = read_periods(pl.Series([1, 2, 3]), "year")
    >>> first_times(pl.Series([0.0, 3.0, float("nan")]), years, "entry").to_list()
    [None, 3, None]
    """
    if column.dtype == pl.Null:
        return column.cast(pl.Int64)
    if periods.labels.dtype == pl.Date:
        _refuse_zone(column, name)
        if not isinstance(column.dtype, pl.Date | pl.Datetime):
            raise _wrong_kind(column, name, "dates, as the periods are, and null for never")
        return column.cast(pl.Date).to_physical().cast(pl.Int64)
    if not (column.dtype.is_integer() or column.dtype.is_float()):
        raise _wrong_kind(column, name, "whole numbers, as the periods are, and null for never")
    numbers = column.cast(pl.Float64)
    beyond = numbers.filter((numbers == -np.inf) | (numbers.is_finite() & (numbers.abs() > _LARGEST)))
    if len(beyond):
        raise ContractError(
            f"The column `{name}` holds {beyond[0]:g} in {len(beyond):,} of {len(column):,} rows, and must "
            "hold the number of a period, null (or infinity, above 0) for never. Correct it."
        )
    numbers = pl.select(pl.when(numbers.is_finite()).then(numbers)).to_series()
    if bool((numbers != numbers.floor()).any()):
        raise _wrong_kind(column, name, "whole numbers, as the periods are, and null for never")
    known = numbers.cast(pl.Int64)
    return pl.select(pl.when((known != 0) | (periods.starts[0] <= 0)).then(known)).to_series()


def _refuse_zone(column: pl.Series, name: str) -> None:
    if isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone is not None:
        raise ContractError(
            f"The column `{name}` carries the time zone {column.dtype.time_zone!r}. Give local dates: "
            "convert "
            f"to the store's zone, then, in Polars: pl.col({name!r}).dt.date(); in pandas: "
            f"panel[{name!r}].dt.tz_localize(None).dt.normalize()."
        )


def _wrong_kind(column: pl.Series, name: str, wanted: str) -> Any:
    return ContractError(
        f"The column `{name}` is {column.dtype} (the first: {column.drop_nulls().head(1).to_list()}), and "
        f"must hold {wanted}. Convert it first."
    )
