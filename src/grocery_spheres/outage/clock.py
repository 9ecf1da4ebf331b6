"""Which periods does a panel have, at which step, and which of them does an outage cover?"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from grocery_spheres.outage.outages import Time, moment
from grocery_spheres.tables import ContractError

Whole = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]

_DAY = 86_400  # seconds
_HOUR = 3_600  # seconds
_WEEK = 7  # days, and the days of a week's pattern
_SPARSEST = 4  # times as many periods as the panel names: more holes than that are no regular clock
_WRITTEN = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M")  # ISO moments
_MONTH = 28  # days: the least of a month


@dataclass(frozen=True)
class Times:
    """The periods of a panel, at equal steps.

    Attributes
    ----------
    labels : polars.Series
        Every period in order, by its first day, moment or number; those between that no unit has, too.
    moments : array
        The same as numbers that `outages.moment` gives: seconds for dates, else the number itself.
    step : str
        How long a period is, in words.
    length : float
        The same as a number; months have that of the shortest month.
    ends : array
        When each period ends, as `moments`: months are as long as they are.
    season : int
        Periods in the shortest season that such a clock has: 7 days, 24 hours; 1 where none is known.
    """

    labels: pl.Series
    moments: Numbers
    step: str
    length: float
    season: int
    ends: Numbers

    def __len__(self) -> int:
        """Count the periods."""
        return len(self.labels)

    @property
    def dated(self) -> bool:
        """Whether periods are dates or moments, and not numbers."""
        return self.labels.dtype != pl.Int64

    @property
    def two_weeks(self) -> int:
        """Periods in two weeks of the calendar; 0 where periods are numbers."""
        return int(2 * _WEEK * _DAY // self.length) if self.dated else 0

    def places(self, times: pl.Series) -> Whole:
        """Return the place of each time among the periods."""
        return self.labels.search_sorted(times).to_numpy().astype(np.int64)

    def between(self, start: Time, end: Time) -> Whole:
        """Return the places of the periods that hold any part of the time from start to end (inclusive).

        Raises
        ------
        ContractError
            The times are of another kind than the periods, or reach out of the panel.
        """
        if isinstance(start, int) == self.dated:
            wanted = "dates" if self.dated else "numbers of periods"
            raise ContractError(
                f"The outage is from {start!r} to {end!r}, and the panel's times are {wanted} "
                f"({self.labels[0]} to {self.labels[-1]}). Give {wanted}."
            )
        last_moment = moment(end) + (_DAY - 1 if type(end) is dt.date and self.dated else 0)
        covered = (self.ends > moment(start)) & (self.moments <= last_moment)
        if moment(start) < self.moments[0] or self.ends[-1] <= moment(end):
            raise ContractError(
                f"The outage from {start} to {end} reaches out of the panel, which runs from "
                f"{self.labels[0]} to {self.labels[-1]} (by {self.step}). Correct its days, or give a panel "
                "that holds them."
            )
        return np.flatnonzero(covered)


def refuse_nulls(column: pl.Series, name: str) -> None:
    """Refuse a key of the panel that is missing in some row."""
    if column.null_count():
        raise ContractError(
            f"{column.null_count():,} of {len(column):,} rows of the panel have no `{name}`. Fill it in, or "
            "set such rows apart and count them."
        )


def whole_times(column: pl.Series, name: str) -> pl.Series:
    """Return times as dates, datetimes or 64-bit whole numbers, or refuse them.

    Parameters
    ----------
    column : polars.Series
        Dates, datetimes without a zone (those all at one time of the day become dates), whole numbers, or
        text that is an ISO date throughout.
    name : str
        The column's name, for refusals.

    Examples
    --------
    >>> whole_times(pl.Series(["2045-06-17", "2045-06-18"]), "day").dtype
    Date
    """
    refuse_nulls(column, name)
    if column.dtype.is_integer():
        return column.cast(pl.Int64)
    if column.dtype == pl.String:
        column = _from_text(column, name)
    if isinstance(column.dtype, pl.Datetime):
        if column.dtype.time_zone is not None:
            raise ContractError(
                f"The column `{name}` carries the time zone {column.dtype.time_zone!r}. Give the stores' "
                f"local clock: convert to the store's zone, then pl.col({name!r}).dt.replace_time_zone(None)."
            )
        daily = column.dt.time().n_unique() == 1
        return column.dt.date() if daily else column.cast(pl.Datetime("us"))
    if column.dtype != pl.Date:
        raise ContractError(
            f"The column `{name}` is {column.dtype} (the first: {column.head(1).to_list()}), and must hold "
            "dates, local datetimes or whole numbers. Convert it first."
        )
    return column


def _from_text(column: pl.Series, name: str) -> pl.Series:
    dates = column.str.strip_chars().str.to_date("%Y-%m-%d", strict=False)
    if not dates.null_count():
        return dates
    for written in _WRITTEN:
        moments = column.str.strip_chars().str.to_datetime(written, strict=False, time_unit="us")
        if not moments.null_count():
            return moments
    wrong = column.filter(dates.is_null())[0]
    raise ContractError(
        f"The column `{name}` is text, and {wrong!r} is no ISO date such as 2045-06-17. Convert the column "
        "to dates first: a day and a month that change places are not guessed at."
    )


def read_times(times: pl.Series, name: str) -> Times:
    """Find the step of a panel's clock, and fill in the periods that no unit has.

    Parameters
    ----------
    times : polars.Series
        As `whole_times` gives them, in any order, as often as they like.
    name : str
        The column's name, for refusals.

    Raises
    ------
    ContractError
        There is one time only, or they stand at no regular step.

    Examples
    --------
    >>> days = pl.Series([dt.date(2045, 6, day) for day in (1, 2, 4)])
    >>> read_times(days, "day").step, read_times(days, "day").season, len(read_times(days, "day"))
    ('1 day', 7, 4)
    """
    labels = times.unique().sort()
    if len(labels) < 2:
        raise ContractError(f"The column `{name}` holds {len(labels)} time: an outage needs days before it.")
    if labels.dtype == pl.Date and _monthly(labels):
        return _months(labels)
    numbers = _numbers(labels)
    step = int(np.gcd.reduce(np.diff(numbers)))
    count = int((numbers[-1] - numbers[0]) // step) + 1
    if count > _SPARSEST * len(labels):
        raise ContractError(
            f"The column `{name}` steps by {_said(step, labels.dtype)} at the least, and has a row in only "
            f"{len(labels):,} of {count:,} such periods. Give times at equal steps, such as every day."
        )
    filled = _labels(numbers[0] + step * np.arange(count, dtype=np.int64), labels.dtype)
    seconds = step / 1_000_000 if labels.dtype not in (pl.Int64, pl.Date) else float(step)
    length = step * _DAY if labels.dtype == pl.Date else seconds
    season = {_DAY: _WEEK, _HOUR: 24}.get(int(length), 1) if labels.dtype != pl.Int64 else 1
    return _times(filled, float(length), _said(step, labels.dtype), season)


def _times(labels: pl.Series, length: float, step: str, season: int) -> Times:
    moments = _moments(labels)
    return Times(labels, moments, step, length, season, moments + length)


def _moments(labels: pl.Series) -> Numbers:
    return np.array([moment(label) for label in labels], dtype=np.float64)


def _months(labels: pl.Series) -> Times:
    """Return periods of one month, or as many as lie between neighbours throughout (3: quarters)."""
    numbers = (12 * labels.dt.year().cast(pl.Int64) + labels.dt.month()).to_numpy()
    step = int(np.gcd.reduce(np.diff(numbers)))
    filled = pl.date_range(labels[0], labels[-1], f"{step}mo", eager=True)
    said = "1 month" if step == 1 else f"{step} months"
    ends = _moments(filled.dt.offset_by(f"{step}mo"))
    return Times(filled, _moments(filled), said, float(step * _MONTH * _DAY), season=1, ends=ends)


def _monthly(labels: pl.Series) -> bool:
    apart = labels.diff().drop_nulls().dt.total_days().min()
    return labels.dt.day().n_unique() == 1 and labels.dt.day()[0] <= _MONTH and int(str(apart)) >= _MONTH


def _numbers(labels: pl.Series) -> Whole:
    return labels.to_physical().cast(pl.Int64).to_numpy()


def _labels(numbers: Whole, dtype: Any) -> pl.Series:
    if dtype == pl.Date:
        return pl.Series(numbers).cast(pl.Int32).cast(pl.Date)
    return pl.Series(numbers) if dtype == pl.Int64 else pl.Series(numbers).cast(pl.Datetime("us"))


def _said(step: int, dtype: Any) -> str:
    if dtype == pl.Int64:
        return str(step)
    if dtype == pl.Date:
        return "1 day" if step == 1 else f"{step} days"
    hours = step / 1_000_000 / _HOUR
    return "1 hour" if hours == 1 else f"{hours:g} hours"
