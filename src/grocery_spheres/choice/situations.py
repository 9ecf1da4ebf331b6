"""Who could choose what, and what did they choose? A long table as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from grocery_spheres.tables import ContractError, require_columns, to_polars

Array = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
_SHOWN = 5  # ids in a message


@dataclass(frozen=True)
class Columns:
    """Names of the columns of a table of choices.

    Attributes
    ----------
    situation, option, chosen : str
        One row = one situation and option that was available in it; chosen is true (or 1) once a situation.
    person : str or None
        Who chose; None: each situation is somebody else's.
    covariates : tuple of str
        Numbers that tell options apart.
    """

    situation: str
    option: str
    chosen: str
    person: str | None
    covariates: tuple[str, ...]


@dataclass(frozen=True)
class Situations:
    """A table of choices, situation by situation, persons together.

    Attributes
    ----------
    names : tuple of str
        Of the terms.
    terms : array, (rows, terms)
        Intercepts of options (1 or 0) and covariates.
    starts : array of int, (situations,)
        First row of each situation.
    chosen : array of int, (situations,)
        Row that was chosen; -1 where none is told.
    person : array of int, (situations,)
        Place of the person, from 0 and in order.
    option : array of int, (rows,)
        Place of the option.
    options, persons, situations : list
        Ids by their place.
    """

    names: tuple[str, ...]
    terms: Array
    starts: Whole
    chosen: Whole
    person: Whole
    option: Whole
    options: list[Any]
    persons: list[Any]
    situations: list[Any]

    @property
    def of_row(self) -> Whole:
        """Situation of each row."""
        return np.repeat(np.arange(len(self.starts)), self.sizes)

    @property
    def sizes(self) -> Whole:
        """Options of each situation."""
        return np.diff(np.append(self.starts, len(self.option)))

    @property
    def first_of_person(self) -> Whole:
        """First situation of each person."""
        return np.flatnonzero(np.diff(self.person, prepend=-1))


def read_situations(
    table: Any,
    columns: Columns,
    *,
    intercepts: Sequence[Any] = (),
    options: Sequence[Any] | None = None,
    choices: bool = True,
) -> Situations:
    """Read a table of choices, and refuse what no model can learn from.

    Parameters
    ----------
    table : any Narwhals frame
        One row = one situation and available option.
    columns : Columns
        Names.
    intercepts : sequence of ids
        Options that get an intercept.
    options : sequence of ids, optional
        All options that may occur (those of the fit, for a prediction).
    choices : bool
        Whether it must be told what was chosen.

    Raises
    ------
    ContractError
        A column is missing or not of its kind, a value is missing or infinite, an option stands twice in a
        situation, none or several are chosen, or a situation belongs to two persons.

    Examples
    --------
    >>> table = pl.DataFrame({"trip": [1, 1, 2, 2], "store": ["a", "b", "a", "b"],
    ...                       "went": [1, 0, 0, 1], "km": [1.0, 3.0, 4.0, 2.0]})
    >>> found = read_situations(table, Columns("trip", "store", "went", None, ("km",)))
    >>> found.chosen.tolist(), found.terms[:, 0].tolist()
    ([0, 3], [1.0, 3.0, 4.0, 2.0])
    """
    rows = to_polars(table)
    person = columns.person or columns.situation
    needed = list(dict.fromkeys([columns.situation, columns.option, person, *columns.covariates]))
    needed += [columns.chosen] if choices else []
    require_columns(rows.columns, needed, "choices")
    if rows.is_empty():
        raise ContractError("The table of choices has no rows.")
    _refuse_gaps(rows.select(needed), columns)
    rows = rows.sort(person, columns.situation, columns.option, maintain_order=True)
    _refuse_doubles(rows, columns, person)
    known = list(options) if options is not None else rows[columns.option].unique().sort().to_list()
    _refuse_strange(rows[columns.option], known)
    starts = np.flatnonzero(_changes(rows[person], rows[columns.situation]))
    chosen = _chosen(rows, columns, starts) if choices else np.full(len(starts), -1)
    persons = rows[person].gather(starts.tolist())
    return Situations(
        names=(*[f"is {option}" for option in intercepts], *columns.covariates),
        terms=_terms(rows, columns, intercepts),
        starts=starts,
        chosen=chosen,
        person=(persons.rank("dense") - 1).to_numpy().astype(np.int64),
        option=rows[columns.option]
        .replace_strict(known, range(len(known)), return_dtype=pl.Int64)
        .to_numpy(),
        options=known,
        persons=persons.unique(maintain_order=True).to_list(),
        situations=rows[columns.situation].gather(starts.tolist()).to_list(),
    )


def _terms(rows: pl.DataFrame, columns: Columns, intercepts: Sequence[Any]) -> Array:
    ones = [(rows[columns.option] == option).cast(pl.Float64).to_numpy() for option in intercepts]
    values = [rows[name].cast(pl.Float64).to_numpy() for name in columns.covariates]
    return np.column_stack([*ones, *values]) if ones or values else np.zeros((rows.height, 0))


def _changes(*columns: pl.Series) -> npt.NDArray[np.bool_]:
    """Say where a row begins anew in any of some sorted columns."""
    moved = [(one != one.shift(1)).fill_null(value=True).to_numpy() for one in columns]
    return np.asarray(np.any(moved, axis=0))


def _chosen(rows: pl.DataFrame, columns: Columns, starts: Whole) -> Whole:
    if not (rows[columns.chosen].dtype == pl.Boolean or rows[columns.chosen].dtype.is_numeric()):
        raise ContractError(
            f"The column `{columns.chosen}` holds {rows[columns.chosen].dtype}: give true and false, or "
            "1 and 0."
        )
    taken = rows[columns.chosen].cast(pl.Float64).to_numpy()
    strange = taken[(taken != 0) & (taken != 1)]
    if len(strange):
        raise ContractError(
            f"The column `{columns.chosen}` holds {strange[0]:g}: 1 (chosen) and 0 are allowed."
        )
    counts = np.add.reduceat(taken, starts)
    wrong = np.flatnonzero(counts != 1)
    if len(wrong):
        ids = rows[columns.situation].gather(starts[wrong][:_SHOWN].tolist()).to_list()
        raise ContractError(
            f"In {len(wrong):,} situations not just one option is chosen, such as {ids!r} "
            f"({counts[wrong[0]]:.0f} there). Where the chosen one was not available, say so by leaving the "
            "situation out; where nothing was bought, add an option for it."
        )
    return np.flatnonzero(taken == 1)


def _refuse_gaps(rows: pl.DataFrame, columns: Columns) -> None:
    for name in columns.covariates:
        if not rows[name].dtype.is_numeric():
            raise ContractError(f"The covariate `{name}` holds {rows[name].dtype}: numbers are needed.")
    floats = [name for name in columns.covariates if rows[name].dtype.is_float()]
    finite = rows.with_columns(pl.when(pl.col(name).is_finite()).then(name) for name in floats)
    for name, missing in zip(finite.columns, finite.null_count().row(0), strict=True):
        if missing:
            raise ContractError(
                f"{missing:,} of {rows.height:,} rows of the table `choices` have no finite `{name}`. Fill "
                "it in; an option that was not available has no row."
            )


def _refuse_doubles(rows: pl.DataFrame, columns: Columns, person: str) -> None:
    """Refuse, among sorted rows, an option that stands twice and a situation of two persons."""
    same = ~_changes(rows[person], rows[columns.situation], rows[columns.option])
    if same.any():
        one = rows.row(int(np.argmax(same)), named=True)
        raise ContractError(
            f"The option {one[columns.option]!r} stands twice in the situation {one[columns.situation]!r}."
        )
    starts = int(_changes(rows[person], rows[columns.situation]).sum())
    if starts == rows[columns.situation].n_unique():
        return
    owners = rows.group_by(columns.situation).agg(pl.col(person).n_unique().alias("owners"))
    shared = owners.filter(pl.col("owners") > 1)[columns.situation]
    raise ContractError(
        f"The situation {shared[0]!r} belongs to several persons: one row a situation and option of one."
    )


def _refuse_strange(found: pl.Series, known: Sequence[Any]) -> None:
    strange = sorted(set(found.unique()) - set(known), key=str)
    if strange:
        raise ContractError(
            f"The options {strange[:_SHOWN]!r} were not among those that the model was fitted on."
        )
