"""Can an effect be estimated from these rows? The door of every panel, and its refusals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from grocery_spheres.entry.periods import Periods, first_times, read_periods, whole_times
from grocery_spheres.tables import ContractError, require_columns, to_polars

SHOWN = 3  # of the units that a refusal names


@dataclass(frozen=True)
class Names:
    """Which column is what.

    Attributes
    ----------
    unit, time, first_treated, outcome : str
        Columns of the panel.
    cluster : str or None
        Column of a group of units that share their luck.
    covariates : tuple of str
        Columns that the trend may depend on.
    """

    unit: str
    time: str
    first_treated: str
    outcome: str
    cluster: str | None = None
    covariates: tuple[str, ...] = ()


def read_rows(panel: Any, names: Names) -> tuple[pl.DataFrame, Periods]:
    """Collect a panel and refuse what no effect can be estimated from.

    Parameters
    ----------
    panel : any Narwhals frame
        One row = one unit and time.
    names : Names
        Its columns.

    Returns
    -------
    polars.DataFrame, Periods
        One row = one unit and period: `unit`, `period` (1 to T), `first` (number beside the periods' starts,
        null for never), `y` (null where missing), `cluster`, and `x0`, `x1`, ... for the covariates; and the
        periods.

    Raises
    ------
    ContractError
        A column is missing or of the wrong kind, a key is missing, a unit stands twice in a period, its
        first treated time or its cluster changes, the outcome is infinite, text, or never changes.

    Examples
    --------
    >>> rows = pl.DataFrame({"town": ["a", "a"], "year": [1, 2], "entry": [None, 2], "sales": [5.0, 6.0]})
    >>> read_rows(rows, Names("town", "year", "entry", "sales"))
    Traceback (most recent call last):
        ...
    grocery_spheres.tables.ContractError: The column `entry` changes within 1 of 1 units (the first: 'a')...
    """
    frame = _collected(panel, names)
    times = whole_times(frame[names.time], names.time)
    unit = _ids(frame[names.unit], names.unit)
    periods = read_periods(times, names.time)
    first = first_times(frame[names.first_treated], periods, names.first_treated)
    cluster = unit if names.cluster is None else _ids(frame[names.cluster], names.cluster)
    rows = pl.DataFrame(
        {
            "unit": unit,
            "period": periods.containing(times.to_physical().cast(pl.Int64).to_numpy()),
            "first": first,
            "y": _outcome(frame[names.outcome], names.outcome),
            "cluster": cluster,
            **{f"x{n}": _covariate(frame[name], name) for n, name in enumerate(names.covariates)},
        }
    )
    _refuse_doubles(rows, periods, names)
    _refuse_change(rows, "first", names.first_treated, "the first treated time of a unit")
    if names.cluster:
        _refuse_change(rows, "cluster", names.cluster, "the cluster of a unit")
    return rows, periods


def _collected(panel: Any, names: Names) -> pl.DataFrame:
    try:
        frame = to_polars(panel)
    except Exception as wrong:
        raise ContractError(
            f"The panel cannot be read as a frame ({type(wrong).__name__}: {str(wrong)[:120]}). Give a "
            "pandas, "
            "Polars, DuckDB or other Narwhals frame, each of whose columns holds one kind of value: ids are "
            "strings or integers, never mixed."
        ) from wrong
    wanted = [names.unit, names.time, names.first_treated, names.outcome]
    every = [*wanted, *([names.cluster] if names.cluster else []), *names.covariates]
    nameless = [name for name in every if not isinstance(name, str)]
    if nameless:
        raise ContractError(f"A column is named by text, and {nameless[0]!r} is none.")
    require_columns(frame.columns, every, "panel")
    if len({*wanted, *names.covariates}) < len(wanted) + len(names.covariates):
        raise ContractError(
            f"One column is named twice among {', '.join(every)}: unit, time, first treated time, outcome "
            "and each covariate are columns of their own."
        )
    if frame.is_empty():
        raise ContractError("The table `panel` has no rows. Check what it was filtered on.")
    return frame


def _ids(column: pl.Series, name: str) -> pl.Series:
    text = column.dtype in (pl.String, pl.Categorical, pl.Enum)
    if not (text or column.dtype.is_integer()):
        raise ContractError(
            f"The column `{name}` is {column.dtype}; ids are strings or integers, never mixed. Convert it."
        )
    if column.null_count():
        raise ContractError(
            f"{column.null_count():,} of {len(column):,} rows of the table `panel` have no `{name}`. Fill it "
            "in, or set such rows apart and count them."
        )
    return column.cast(pl.String) if text else column.cast(pl.Int64)


def _number(column: pl.Series, name: str, what: str) -> pl.Series:
    if not column.dtype.is_numeric():
        raise ContractError(
            f"The {what} `{name}` is {column.dtype} (the first: {column.drop_nulls().head(1).to_list()}), "
            "and "
            "must be a number. Convert it first."
        )
    values = column.cast(pl.Float64).fill_nan(None)
    infinite = int(values.is_infinite().sum())
    if infinite:
        raise ContractError(
            f"The {what} `{name}` is infinite in {infinite:,} of {len(values):,} rows. Look for a division "
            "by zero; leave a cell that nobody knows empty."
        )
    return values


def _outcome(column: pl.Series, name: str) -> pl.Series:
    values = _number(column, name, "outcome")
    known = values.drop_nulls()
    if known.n_unique() < 2:
        held = f"is {known[0]:g} in every row" if len(known) else "has no value in any row"
        raise ContractError(f"The outcome `{name}` {held}: where nothing changes, there is no effect to see.")
    return values


def _covariate(column: pl.Series, name: str) -> pl.Series:
    values = _number(column, name, "covariate")
    if values.null_count():
        raise ContractError(
            f"The covariate `{name}` is missing in {values.null_count():,} of {len(values):,} rows: those "
            "units "
            "could not be compared with their like. Fill it in, or leave such units out and count them."
        )
    if values.n_unique() < 2:
        raise ContractError(
            f"The covariate `{name}` is {values[0]:g} in every row: it tells no unit from another. Leave it "
            "out."
        )
    return values


def _refuse_doubles(rows: pl.DataFrame, periods: Periods, names: Names) -> None:
    doubled = rows.filter(pl.struct("unit", "period").is_duplicated()).sort("unit", "period")
    if doubled.height:
        unit, period = doubled["unit"][0], doubled["period"][0]
        raise ContractError(
            f"{doubled.height:,} rows of the table `panel` share their `{names.unit}` and `{names.time}` "
            "(the "
            f"first: {unit!r} at {periods.labels[period - 1]}). A panel has one row a unit and period: sum "
            "or "
            "average them first."
        )


def _refuse_change(rows: pl.DataFrame, column: str, name: str, what: str) -> None:
    kinds = rows.group_by("unit").agg(pl.col(column).n_unique().alias("kinds")).sort("unit")
    changing = kinds.filter(pl.col("kinds") > 1)["unit"]
    if len(changing):
        raise ContractError(
            f"The column `{name}` changes within {len(changing):,} of {kinds.height:,} units (the first: "
            f"{listed(changing)}), and must stand the same in every row of a unit: it is {what}, null "
            "throughout for never. Units that are treated on and off need another estimator."
        )


def listed(units: pl.Series | Sequence[Any]) -> str:
    """Name the first few units, and how many more there are.

    Examples
    --------
    >>> listed(["a", "b", "c", "d"])
    "'a', 'b', 'c' and 1 more"
    """
    named = ", ".join(repr(unit) for unit in list(units)[:SHOWN])
    return named + (f" and {len(units) - SHOWN:,} more" if len(units) > SHOWN else "")
