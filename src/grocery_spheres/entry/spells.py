"""Which stores were watched, from which day to which, and which of them closed?

The door of survival and hazard: stores come in as dates, and go out as whole days on a clock that starts
at zero. A store that trades on its last day has lived through it: time is `closed` - `start` + 1.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from grocery_spheres.tables import ContractError, require_columns, to_polars

SHOWN = 3  # of the stores that a refusal names

Day = dt.date | str
Whole = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Columns:
    """Where a table of stores holds its dates, ids and towns; see `read_spells`.

    Attributes
    ----------
    unit, closed : str
        Columns: id of the store, last day of trading (null = still open).
    start, end : date or str
        First and last day of watching: one date for all, or a column.
    entered : str or None
        Column: day from which a store is watched, where later than `start`.
    cluster : str or None
        Column: what stores share; None = each store by itself.
    """

    unit: str
    start: Day
    end: Day
    closed: str
    entered: str | None
    cluster: str | None


@dataclass(frozen=True)
class Spells:
    """Stores on a clock of whole days. One entry = one store, in the table's order.

    Attributes
    ----------
    table : polars.DataFrame
        The stores as they came.
    start : polars.Series
        Day zero of each store's clock.
    cluster : array
        Number of each store's cluster, from 0.
    entry, time : array of int
        Days on the clock: at risk after `entry`, up to and with `time`.
    closed : array of bool
        Whether the store closed at `time`; otherwise it was still open then.
    """

    table: pl.DataFrame
    start: pl.Series
    cluster: Whole
    entry: Whole
    time: Whole
    closed: npt.NDArray[np.bool_]


def read_spells(stores: Any, where: Columns, needed: Sequence[str] = ()) -> Spells:
    """Read stores with their dates, and refuse what cannot be put on a clock.

    Parameters
    ----------
    stores : any Narwhals frame
        One row = one store.
    where : Columns
        Which columns or dates to read. A store that closed after its `end` counts as open at the end.
    needed : sequence of str
        Further columns that must be there without nulls.

    Returns
    -------
    Spells
        One entry = one store; none is left out.

    Raises
    ------
    ContractError
        No rows; a missing column; nulls, text or zones where dates belong; a store twice; a store that
        closed before it was watched or came after the end; every store closed on its first day.

    Examples
    --------
    >>> stores = pl.DataFrame({"store_id": [1, 2], "closed": [dt.date(2045, 1, 10), None]})
    >>> where = Columns("store_id", "2045-01-01", "2045-12-31", "closed", None, None)
    >>> spells = read_spells(stores, where)
    >>> spells.time.tolist(), spells.closed.tolist()
    ([10, 365], [True, False])
    """
    table = _table(stores)
    keys = [where.unit, *([where.cluster] if where.cluster is not None else []), *needed]
    dated = [name for name in (where.closed, where.entered) if name is not None]
    require_columns(table.columns, [*keys, *dated], "stores")
    for name in keys:
        _refuse(
            table, table[name].is_null(), where.unit, f"have no `{name}`", "Fill it in, or leave them out."
        )
    twice = table[where.unit].is_duplicated()
    _refuse(table, twice, where.unit, "stand in the table twice", "Keep one row a store.")
    dates = _dates(table, where)
    _check_order(table, dates, where)
    name = where.unit if where.cluster is None else where.cluster
    return Spells(
        table,
        dates["start"],
        table[name].rank("dense").to_numpy().astype(np.int64) - 1,
        _days(dates["entered"] - dates["start"]),
        _days(pl.Series(dates.select(pl.min_horizontal("closed", "end")).to_series() - dates["start"])) + 1,
        (dates["closed"] <= dates["end"]).fill_null(value=False).to_numpy(),
    )


def _table(stores: Any) -> pl.DataFrame:
    try:
        table = to_polars(stores)
    except TypeError as error:
        raise ContractError(
            f"`stores` is a {type(stores).__name__}: give a table (pandas, Polars, ...) of one row a store."
        ) from error
    if table.is_empty():
        raise ContractError("The table `stores` has no rows. Check what it was filtered on.")
    floats = [name for name, kind in table.schema.items() if kind.is_float()]
    return table.with_columns(pl.col(floats).fill_nan(None)) if floats else table


def _dates(table: pl.DataFrame, where: Columns) -> pl.DataFrame:
    """Return start, end, entered, closed of each store; `closed` alone may be null."""
    start, end = _given(table, where.start, "start"), _given(table, where.end, "end")
    for name, days, said in (("start", start, where.start), ("end", end, where.end)):
        _refuse(table, days.is_null(), where.unit, f"have no `{said}`", f"Give one date as `{name}`.")
    entered = start if where.entered is None else date_column(table, where.entered)
    closed = date_column(table, where.closed)
    frame = pl.DataFrame({"start": start, "end": end, "entered": entered, "closed": closed})
    return frame.with_columns(entered=pl.max_horizontal("start", "entered"))


def _check_order(table: pl.DataFrame, dates: pl.DataFrame, where: Columns) -> None:
    came = f"`{where.entered}`" if where.entered else "the start"
    rules = {
        "start after the end": (dates["start"] > dates["end"], "Correct `start` and `end`."),
        f"come to be watched ({came}) after the end": (
            dates["entered"] > dates["end"],
            "Leave them out: nothing of them was seen.",
        ),
        f"closed (`{where.closed}`, the last day of trading) before they were watched ({came})": (
            (dates["closed"] < dates["entered"]).fill_null(value=False),
            "Begin earlier, or leave out stores that had closed by then and say so: they were never at risk.",
        ),
    }
    for said, (broken, way) in rules.items():
        _refuse(table, broken, where.unit, said, way)
    if (dates["closed"] == dates["entered"]).fill_null(value=False).all():
        raise ContractError(
            f"Every store closed on its first day (`{where.closed}` is the day that watching began). Give "
            "the last day of trading, and null for stores that are still open."
        )


def _given(table: pl.DataFrame, what: Day, name: str) -> pl.Series:
    """Return a date for each store: of a column, or one for all."""
    if isinstance(what, str) and what in table.columns:
        return date_column(table, what)
    try:
        day = dt.datetime.fromisoformat(what) if isinstance(what, str) else what
        if not isinstance(day, dt.date) or getattr(day, "tzinfo", None) is not None:
            raise ValueError(what)
    except ValueError as error:
        raise ContractError(
            f"`{name}` is {what!r}: neither a column of the table `stores` ({', '.join(table.columns)}) nor "
            "a date without a zone, like '2045-01-31'."
        ) from error
    return pl.repeat(dt.date(day.year, day.month, day.day), table.height, dtype=pl.Date, eager=True)


def date_column(table: pl.DataFrame, name: str) -> pl.Series:
    """Return a column of the stores as dates; a column without any value is one of nulls.

    Parameters
    ----------
    table : polars.DataFrame
        The stores.
    name : str
        Column of dates, or of datetimes without a zone; nulls are kept.

    Raises
    ------
    ContractError
        The column holds something else.

    Examples
    --------
    >>> date_column(pl.DataFrame({"closed": [None, dt.datetime(2045, 6, 17, 12)]}), "closed").to_list()
    [None, datetime.date(2045, 6, 17)]
    """
    found = table[name]
    if found.null_count() == len(found):
        return pl.repeat(None, len(found), dtype=pl.Date, eager=True)
    kind = found.dtype
    if kind == pl.Date or (isinstance(kind, pl.Datetime) and kind.time_zone is None):
        return found.cast(pl.Date)
    raise ContractError(
        f"The column `{name}` of the table `stores` is {kind}, and dates without a time zone are wanted, "
        f"null where there is none. Convert it first, in Polars: pl.col({name!r}).str.to_date() for text, "
        ".dt.replace_time_zone(None) for local times with a zone; in pandas: "
        f"pd.to_datetime(stores[{name!r}]), .dt.tz_localize(None)."
    )


def _days(spans: pl.Series) -> Whole:
    return spans.dt.total_days().to_numpy().astype(np.int64)


def _refuse(table: pl.DataFrame, wrong: pl.Series, unit: str, said: str, way: str) -> None:
    """Refuse the stores that `wrong` marks: how many, which first, what is wrong, the way out."""
    if not wrong.any():
        return
    ids = table[unit].filter(wrong).unique(maintain_order=True)
    more = ", and more" if len(ids) > SHOWN else ""
    raise ContractError(
        f"{int(wrong.sum()):,} of {table.height:,} rows of the table `stores` {said} (`{unit}` "
        f"{', '.join(map(repr, ids.head(SHOWN).to_list()))}{more}). {way}"
    )


def checked_level(alpha: float) -> float:
    """Return `alpha`, one minus the level of intervals, and refuse what is none.

    Examples
    --------
    >>> checked_level(0.05)
    0.05
    """
    if isinstance(alpha, bool) or not isinstance(alpha, int | float) or not 0 < alpha < 1:
        raise ContractError(f"`alpha` is {alpha!r}: give one minus the level, such as 0.05 for 95 %.")
    return float(alpha)


def checked_count(count: int, name: str, least: int) -> int:
    """Return a whole number of at least `least`, and refuse anything else.

    Examples
    --------
    >>> checked_count(24, "horizon", 1)
    24
    """
    if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < least:
        raise ContractError(f"`{name}` is {count!r}: give a whole number of at least {least}.")
    return int(count)
