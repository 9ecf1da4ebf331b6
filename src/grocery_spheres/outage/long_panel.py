"""Can an outage be estimated from these rows? The door of every long panel, and its refusals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from grocery_spheres.outage import clock
from grocery_spheres.tables import ContractError, require_columns, to_polars

Array = npt.NDArray[np.float64]

_NAMED = 3  # of the units that a message names
_UNREADABLE = 120  # characters of another library's message that are passed on


@dataclass(frozen=True)
class Names:
    """Which column is what."""

    unit: str
    time: str
    outcome: str


@dataclass(frozen=True)
class LongPanel:
    """A long panel as a rectangle.

    Attributes
    ----------
    names : Names
        Which column was what.
    ids : tuple of str or int
        The units, sorted.
    times : clock.Times
        The periods, at equal steps.
    values : array, (units, periods)
        The outcome; NaN where the panel has no row, or a row without a value.
    missing : int
        Cells without a value.
    """

    names: Names
    ids: tuple[Any, ...]
    times: clock.Times
    values: Array
    missing: int

    def row(self, unit: Any, what: str) -> int:
        """Return the place of a unit, or say why there is none.

        Parameters
        ----------
        unit : str or int
            Its id.
        what : str
            Its part, for the message ("treated unit").
        """
        if unit in self.ids and type(unit) is type(self.ids[0]):
            return self.ids.index(unit)
        kind = "strings" if isinstance(self.ids[0], str) else "integers"
        hint = f" The panel's ids are {kind}." if type(unit) is not type(self.ids[0]) else ""
        raise ContractError(
            f"The {what} {unit!r} is not among the {len(self.ids):,} units of the column "
            f"`{self.names.unit}` (such as {listed(self.ids)}).{hint} Check its spelling, or what the panel "
            "was filtered on."
        )


def read_panel(panel: Any, names: Names) -> LongPanel:
    """Collect a long panel and refuse what no effect can be estimated from.

    Parameters
    ----------
    panel : any Narwhals frame
        One row = one unit and time.
    names : Names
        Its columns. Times are dates, local datetimes, or whole numbers; the outcome is a number, empty
        where it is not known.

    Raises
    ------
    ContractError
        A column is missing or of the wrong kind, a key is missing, a unit stands twice at a time, the
        outcome is text, infinite, or never changes.

    Examples
    --------
    >>> rows = pl.DataFrame({"shop": ["a", "a"], "week": [1, 1], "sales": [5.0, 6.0]})
    >>> read_panel(rows, Names("shop", "week", "sales"))
    Traceback (most recent call last):
        ...
    grocery_spheres.tables.ContractError: 2 rows of the panel share their `shop` and `week` (the first: ...
    """
    frame = _collected(panel, names)
    units = _ids(frame[names.unit], names.unit)
    moments = clock.whole_times(frame[names.time], names.time)
    rows = pl.DataFrame({"unit": units, "time": moments, "y": _outcome(frame[names.outcome], names.outcome)})
    _refuse_doubles(rows, names)
    times = clock.read_times(rows["time"], names.time)
    ids = rows["unit"].unique().sort()
    values = np.full((len(ids), len(times)), np.nan)
    values[ids.search_sorted(rows["unit"]).to_numpy(), times.places(rows["time"])] = rows["y"].to_numpy()
    return LongPanel(names, tuple(ids), times, values, int(np.isnan(values).sum()))


def _collected(panel: Any, names: Names) -> pl.DataFrame:
    try:
        frame = to_polars(panel)
    except Exception as wrong:
        raise ContractError(
            f"The panel cannot be read as a frame ({type(wrong).__name__}: {str(wrong)[:_UNREADABLE]}). Give "
            "a pandas, Polars, DuckDB or other Narwhals frame, each of whose columns holds one kind of value."
        ) from wrong
    wanted = (names.unit, names.time, names.outcome)
    for name in wanted:
        if not isinstance(name, str):
            raise ContractError(f"A column is named by text, and {name!r} is none.")
    require_columns(frame.columns, wanted, "panel")
    if len(set(wanted)) < len(wanted):
        raise ContractError(
            f"One column is named twice among {', '.join(wanted)}: unit, time and outcome are three columns."
        )
    if frame.is_empty():
        raise ContractError("The panel has no rows. Check what it was filtered on.")
    return frame


def _ids(column: pl.Series, name: str) -> pl.Series:
    text = column.dtype in (pl.String, pl.Categorical, pl.Enum)
    if not (text or column.dtype.is_integer()):
        raise ContractError(
            f"The column `{name}` of the panel is {column.dtype}; ids are strings or integers, never mixed. "
            "Convert it."
        )
    clock.refuse_nulls(column, name)
    if not text and column.cast(pl.Int64, strict=False).null_count():
        raise ContractError(
            f"The column `{name}` of the panel holds {column.max()!r}: ids are strings, or integers below "
            "2^63. Make them strings."
        )
    return column.cast(pl.String) if text else column.cast(pl.Int64)


def _outcome(column: pl.Series, name: str) -> pl.Series:
    if not column.dtype.is_numeric():
        raise ContractError(
            f"The outcome `{name}` is {column.dtype} (the first: {column.drop_nulls().head(1).to_list()}), "
            "and must be a number. Convert it first."
        )
    values = column.cast(pl.Float64).fill_null(float("nan"))
    infinite = int(values.is_infinite().sum())
    if infinite:
        raise ContractError(
            f"The outcome `{name}` is infinite in {infinite:,} of {len(values):,} rows. Look for a division "
            "by zero; leave a cell that nobody knows empty."
        )
    known = values.drop_nans()
    if known.n_unique() < 2:
        held = f"is {known[0]:g} in every row" if len(known) else "has no value in any row"
        raise ContractError(f"The outcome `{name}` {held}: where nothing changes, there is no effect to see.")
    return values


def _refuse_doubles(rows: pl.DataFrame, names: Names) -> None:
    doubled = rows.filter(pl.struct("unit", "time").is_duplicated()).sort("unit", "time")
    if doubled.height:
        raise ContractError(
            f"{doubled.height:,} rows of the panel share their `{names.unit}` and `{names.time}` (the first: "
            f"{doubled['unit'][0]!r} at {doubled['time'][0]}). A panel has one row a unit and time: sum or "
            "average them first."
        )


def listed(units: Sequence[Any]) -> str:
    """Name the first few units, and how many more there are.

    Examples
    --------
    >>> listed(["a", "b", "c", "d"])
    "'a', 'b', 'c' and 1 more"
    """
    named = ", ".join(repr(unit) for unit in units[:_NAMED])
    return named + (f" and {len(units) - _NAMED:,} more" if len(units) > _NAMED else "")
