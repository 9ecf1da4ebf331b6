"""What is an outage? Who was dark, from when to when, and how far; and what is refused as one."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from grocery_spheres.tables import ContractError, check_table, to_polars

Time = dt.date | dt.datetime | int
"""A day, a moment of the local clock, or the number of a period."""


@dataclass(frozen=True)
class Outage:
    """One outage: units that could not sell, wholly or partly, for a known time.

    Attributes
    ----------
    units : sequence of str or int
        Who was dark; kept as a tuple. One unit may be given by itself.
    start, end : date, datetime or int
        First and last period, both inclusive. Text is read as an ISO date (or moment). A day covers all its
        hours; the same midnight given twice is read as that day.
    share_down : float
        Share of each period's trading that was lost, weighted by the sales expected then: above 0, at most 1.

    Raises
    ------
    ContractError
        Nobody was dark, a time cannot be read, the end lies before the start, or the share is none.

    Examples
    --------
    >>> Outage(["sphere-3"], start="2045-06-17", end="2045-06-18").periods
    '2045-06-17 to 2045-06-18'
    """

    units: Any
    start: Any
    end: Any
    share_down: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", _units(self.units))
        start, end = _as_days(_time(self.start, "start"), _time(self.end, "end"))
        object.__setattr__(self, "start", start)
        object.__setattr__(self, "end", end)
        if isinstance(start, int) != isinstance(end, int):
            raise ContractError(f"The outage starts at {start!r} and ends at {end!r}: give both alike.")
        if moment(end) < moment(start):
            raise ContractError(f"The outage ends at {end}, before it starts at {start}. Swap them.")
        if not isinstance(self.share_down, int | float) or isinstance(self.share_down, bool):
            raise ContractError(f"`share_down` is {self.share_down!r}: give a number above 0, at most 1.")
        if not 0 < self.share_down <= 1:
            raise ContractError(
                f"`share_down` is {self.share_down:g}: the share of trading that was lost lies above 0 and "
                "is at most 1 (wholly dark)."
            )

    @property
    def periods(self) -> str:
        """The days in words."""
        return str(self.start) if self.start == self.end else f"{self.start} to {self.end}"


def moment(time: Time) -> float:
    """Return a time as a number that can be compared with others of its kind.

    Examples
    --------
    >>> moment(dt.date(1970, 1, 2)), moment(7)
    (86400.0, 7)
    """
    if isinstance(time, int):
        return time
    clock = time if isinstance(time, dt.datetime) else dt.datetime.combine(time, dt.time())
    return (clock - dt.datetime(1970, 1, 1)).total_seconds()  # noqa: DTZ001 - local clocks have no zone


def read_outages(outages: Any) -> tuple[Outage, ...]:
    """Read one outage, several, or the contract's table of them; refuse two that overlap at a unit.

    Parameters
    ----------
    outages : Outage, sequence of Outage, or any Narwhals frame
        A frame has one row = one unit and outage: `store_id`, `start`, `end`, and `share_down` if any.

    Raises
    ------
    ContractError
        There is none, something else was given, or a unit was dark twice at once.

    Examples
    --------
    >>> read_outages([Outage("a", 3, 5), Outage("a", 5, 6)])
    Traceback (most recent call last):
        ...
    grocery_spheres.tables.ContractError: The unit 'a' is dark twice at once: 3 to 5 and 5 to 6. ...
    """
    if isinstance(outages, Outage):
        return (outages,)
    listed = tuple(outages) if isinstance(outages, list | tuple) else _from_frame(outages)
    for outage in listed:
        if not isinstance(outage, Outage):
            raise ContractError(f"{outage!r} is no outage. Give gs.Outage(units=[...], start=..., end=...).")
    if not listed:
        raise ContractError("No outage was given: name who was dark, from when to when.")
    _refuse_overlap(listed)
    return listed


def _from_frame(frame: Any) -> tuple[Outage, ...]:
    try:
        rows = to_polars(frame)
    except TypeError as wrong:
        raise ContractError(
            f"{type(frame).__name__} is no outage and no table of them. Give gs.Outage(units=[...], "
            "start=..., end=...), a list of these, or a frame with `store_id`, `start`, `end`, `share_down`."
        ) from wrong
    if "share_down" not in rows.columns:
        rows = rows.with_columns(share_down=pl.lit(1.0))
    check_table(rows, "outages")
    midnight = [
        pl.col(name).dt.date() for name in ("start", "end") if _at_midnight(rows["start"], rows["end"])
    ]
    chosen = rows.with_columns(midnight).select("store_id", "start", "end", "share_down")
    return tuple(Outage((unit,), start, end, share) for unit, start, end, share in chosen.iter_rows())


def _at_midnight(*columns: pl.Series) -> bool:
    """Say whether all are moments at midnight: days that were read as moments, as pandas does."""
    moments = all(isinstance(column.dtype, pl.Datetime) for column in columns)
    return moments and all(bool((column.dt.truncate("1d") == column).all()) for column in columns)


def _refuse_overlap(outages: Sequence[Outage]) -> None:
    spells = [(unit, outage) for outage in outages for unit in outage.units]
    ordered = sorted(spells, key=lambda spell: (str(spell[0]), moment(spell[1].start)))
    for (unit, before), (other, after) in pairwise(ordered):
        if unit == other and moment(after.start) <= moment(before.end):
            raise ContractError(
                f"The unit {unit!r} is dark twice at once: {before.periods} and {after.periods}. Join them "
                "into one outage, with the share of trading that was lost in all."
            )


def _units(units: Any) -> tuple[Any, ...]:
    one = isinstance(units, str | int | np.integer) or not isinstance(units, Iterable)
    plain = tuple(plain_id(unit) for unit in ((units,) if one else units))
    if not plain:
        raise ContractError("`units` is empty: name who was dark.")
    for unit in plain:
        if isinstance(unit, bool) or not isinstance(unit, str | int):
            raise ContractError(f"`units` holds {unit!r}: ids are strings or integers.")
    if len({type(unit) for unit in plain}) > 1:
        raise ContractError(f"`units` mixes strings and integers: {plain!r}. Ids are of one kind.")
    if len(set(plain)) < len(plain):
        raise ContractError(f"`units` names a unit twice: {plain!r}.")
    return plain


def plain_id(unit: Any) -> Any:
    """Return an id of numpy's as Python's own; anything else as it is.

    Examples
    --------
    >>> plain_id(np.int64(7)), plain_id(np.str_("a")), plain_id(None)
    (7, 'a', None)
    """
    return unit.item() if isinstance(unit, np.integer | np.str_) else unit


def _as_days(start: Time, end: Time) -> tuple[Time, Time]:
    """Read one and the same midnight, given twice, as that day: nobody means the one hour after it."""
    if isinstance(start, dt.datetime) and start == end and start.time() == dt.time():
        return start.date(), start.date()
    return start, end


def _time(time: Any, name: str) -> Time:
    if isinstance(time, str):
        try:
            return dt.date.fromisoformat(time)
        except ValueError:
            pass
        try:
            return _local(dt.datetime.fromisoformat(time), name)
        except ValueError:
            raise ContractError(f"`{name}` is {time!r}: give an ISO date such as '2045-06-17'.") from None
    if isinstance(time, dt.datetime):  # pandas.Timestamp, too; NaT is none
        return _local(time, name)
    if isinstance(time, np.integer):
        return int(time)
    if isinstance(time, dt.date) or (isinstance(time, int) and not isinstance(time, bool)):
        return time
    if isinstance(time, float) and math.isfinite(time) and time == int(time):
        return int(time)
    raise ContractError(f"`{name}` is {time!r}: give a date, a datetime, or the number of a period.")


def _local(clock: dt.datetime, name: str) -> dt.datetime:
    if str(clock) == "NaT":
        raise ContractError(f"`{name}` is missing: give a date, a datetime, or the number of a period.")
    if clock.tzinfo is not None:
        raise ContractError(
            f"`{name}` carries the time zone {clock.tzinfo}: give the store's local clock without a zone."
        )
    return dt.datetime(*clock.timetuple()[:6], clock.microsecond)  # noqa: DTZ001 - local, without a zone
