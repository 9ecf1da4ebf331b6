"""Is what a caller hands in a table, and are these draws that an interval can be made of?

The doors that every question of this package shares: what is no table or no number ends in a refusal
in plain words, never in another library's error.
"""

from __future__ import annotations

import reprlib
from numbers import Integral, Real
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from grocery_spheres.tables import ContractError, to_polars


def check_frame(frame: Any, table: str) -> None:
    """Refuse what is no data frame, or has a column name twice. Nothing is collected.

    Parameters
    ----------
    frame : any Narwhals frame
        What the caller handed in.
    table : str
        Its name for the message.

    Raises
    ------
    ContractError
        Names the table and what stands there.

    Examples
    --------
    >>> check_frame([1], "baskets")
    Traceback (most recent call last):
        ...
    grocery_spheres.tables.ContractError: `baskets` is [1] (list), and a table is wanted: give a data ...
    """
    try:
        nw.from_native(frame)
    except TypeError as error:
        shown = " ".join(reprlib.repr(frame).split())
        raise ContractError(
            f"`{table}` is {shown} ({type(frame).__name__}), and a table is wanted: give a "
            "data frame, such as one of Polars, pandas, PyArrow or DuckDB."
        ) from error
    except nw.exceptions.DuplicateError as error:
        raise ContractError(
            f"The table `{table}` has two columns of the same name, and nobody can say which one is meant. "
            "Rename or drop one."
        ) from error


def taken(frame: Any, table: str) -> pl.DataFrame:
    """Collect any frame into Polars, as `tables.to_polars`, and refuse what cannot be brought there.

    Parameters
    ----------
    frame : any Narwhals frame
        What the caller handed in.
    table : str
        Its name for the message.

    Raises
    ------
    ContractError
        As `check_frame`; or a column of a frame in memory holds values of kinds that cannot stand together.

    Examples
    --------
    >>> import pandas as pd
    >>> taken(pd.DataFrame({"store_id": [1, "b"]}), "stores")
    Traceback (most recent call last):
        ...
    grocery_spheres.tables.ContractError: The column `store_id` of the table `stores` mixes int and str. ...
    """
    check_frame(frame, table)
    wide = nw.from_native(frame)
    if isinstance(wide, nw.LazyFrame):
        return to_polars(wide)
    try:
        return to_polars(wide)
    except (TypeError, ValueError, OverflowError) as error:
        raise ContractError(_unfit(wide, table)) from error


def _unfit(wide: nw.DataFrame[Any], table: str) -> str:
    """Say which column of a frame in memory cannot be brought to Polars, and what it holds."""
    for name in wide.columns:
        try:
            to_polars(wide.select(name))
        except (TypeError, ValueError, OverflowError):
            kinds = sorted({type(value).__name__ for value in wide[name].to_list() if value is not None})
            return (
                f"The column `{name}` of the table `{table}` mixes {' and '.join(kinds)}. One column holds "
                "one kind of value (ids are strings or integers, never mixed): convert it, or drop it if it "
                "is not needed."
            )
    return f"The table `{table}` cannot be read into Polars. Give it as a Polars frame."


def check_draws(*, draws: int, seed: int, alpha: float) -> None:
    """Refuse what no interval can be made of: the one check of all questions with intervals.

    Parameters
    ----------
    draws, seed : int
        How many draws, at least two for `alpha`: 2 / alpha; where the generator begins, 0
        or above.
    alpha : float
        One minus the level, between 0 and 1.

    Raises
    ------
    ContractError
        Names the argument, its value and what is allowed.

    Examples
    --------
    >>> check_draws(draws=40, seed=1, alpha=0.05)
    >>> check_draws(draws=40.5, seed=1, alpha=0.05)
    Traceback (most recent call last):
        ...
    grocery_spheres.tables.ContractError: `draws` is 40.5: give a whole number, 40 or more with alpha ...
    """
    if not (is_number(alpha) and 0 < alpha < 1):
        raise ContractError(
            f"`alpha` is {alpha!r}: give one minus the level, between 0 and 1, such as 0.05 for 95 %."
        )
    least = f"{np.ceil(2 / float(alpha)):.0f}"
    if not _whole(draws):
        raise ContractError(f"`draws` is {draws!r}: give a whole number, {least} or more with alpha {alpha}.")
    if draws < 2 / float(alpha):
        raise ContractError(
            f"{draws} draws cannot show the tails of an interval with alpha {alpha}: give at least {least}, "
            "or set intervals=False."
        )
    if not (_whole(seed) and seed >= 0):
        raise ContractError(f"`seed` is {seed!r}: give a whole number, 0 or above, such as 2045.")


def is_number(value: Any) -> bool:
    """Say whether a value is a real number; True and False are none.

    Examples
    --------
    >>> is_number(1.5), is_number("1.5"), is_number(True)
    (True, False, False)
    """
    return isinstance(value, Real) and not isinstance(value, bool)


def _whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)
