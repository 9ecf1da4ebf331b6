"""Does a frame meet the contract of `schema`? The refusals when it does not, and the doors that frames use.

Everything in the package may use this module. Frames of any Narwhals engine are
accepted. Checks look at names and dtypes; `to_polars` and `read_baskets` collect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import polars as pl

from grocery_spheres.schema import BASKETS, TABLES, Column, Kind

_RENAME = "Rename or add the column."
_SUM_LINES = "These rows are lines, one a product in a basket: sum them first, by gs.baskets(lines)."


class GroceryError(Exception):
    """Any refusal of this package. Its message is one paragraph: what is wrong, and the way out."""


class ContractError(GroceryError, ValueError):
    """A frame does not meet the data contract."""


@dataclass(frozen=True)
class Groceries:
    """Groceries in the contract's shape, from any source.

    Attributes
    ----------
    name : str
        Key of the provenance card, for source lines.
    evidence : str
        "public", "injected" or "synthetic".
    lines : polars.LazyFrame
        One row = one product in one basket (columns of `LINES`).
    products, stores, households : polars.DataFrame
        One row = one product, store, household.
    masked : polars.DataFrame
        One row = one store and local date whose records are missing.
    set_apart : polars.LazyFrame
        Lines that came in and are not groceries or not usable, with a column `reason`.
    account : polars.DataFrame
        Rows in, set apart by reason, out; see `check_account`.
    outages : polars.DataFrame or None
        Known outages, where the source has any.
    """

    name: str
    evidence: str
    lines: pl.LazyFrame
    products: pl.DataFrame
    stores: pl.DataFrame
    households: pl.DataFrame
    masked: pl.DataFrame
    set_apart: pl.LazyFrame
    account: pl.DataFrame
    outages: pl.DataFrame | None = None


def check_table(frame: Any, table: str) -> None:
    """Refuse a frame that lacks a column of the contract, or has one of the wrong kind.

    Parameters
    ----------
    frame : any Narwhals frame
        Rows as the contract says for `table`. Only names and dtypes are looked at: nothing is collected.
    table : str
        One of "lines", "products", "stores", "households", "outages", "masked".

    Raises
    ------
    ContractError
        Names the table, the column, what stands there, and the way out.

    Examples
    --------
    >>> import polars as pl
    >>> check_table(pl.DataFrame({"store_id": [1]}), "masked")
    Traceback (most recent call last):
        ...
    grocery_spheres.tables.ContractError: The table `masked` lacks the column `date` (local date ...
    """
    schema = TABLES.get(table)
    if schema is None:
        raise ContractError(f"There is no table `{table}` in the contract; it has: {', '.join(TABLES)}.")
    found = nw.from_native(frame).collect_schema()
    require_columns(found.names(), [name for name, column in schema.items() if column.required], table)
    for name, column in schema.items():
        if name in found:
            _check_kind(found[name], name, column, table)


def require_columns(present: Sequence[str], needed: Sequence[str], table: str, *, way: str = _RENAME) -> None:
    """Refuse a table that lacks a needed column, and a name that is no text.

    Parameters
    ----------
    present, needed : sequence of str
        Column names that the frame has, and that the caller needs.
    table : str
        The table's name for the message; where the contract knows the column, its meaning is told.
    way : str
        The way out, for the message.

    Raises
    ------
    ContractError
        Names the first missing column and what the frame has; or a name is a list or a number.

    Examples
    --------
    >>> require_columns(["a", "b"], ["a"], "panel")
    """
    for name in needed:
        if not isinstance(name, str):
            raise ContractError(
                f"{name!r} ({type(name).__name__}) names no column of the table `{table}`: a column is named "
                f"by text. Give one of: {', '.join(map(repr, present))}."
            )
        if name not in present:
            column = TABLES.get(table, {}).get(name)
            meaning = f" ({column.meaning})" if column else ""
            raise ContractError(
                f"The table `{table}` lacks the column `{name}`{meaning}. It has: {', '.join(present)}. {way}"
            )


def to_polars(frame: Any) -> pl.DataFrame:
    """Collect any Narwhals frame into a Polars DataFrame: the one door from any engine to our models.

    Parameters
    ----------
    frame : any Narwhals frame
        Lazy frames are collected; pandas dates (datetime64) stay datetimes.

    Examples
    --------
    >>> import pandas as pd
    >>> to_polars(pd.DataFrame({"a": [1, 2]})).shape
    (2, 1)
    """
    wide = nw.from_native(frame)
    eager = wide.collect(backend="polars") if isinstance(wide, nw.LazyFrame) else wide
    return eager.to_polars()


def read_baskets(baskets: Any, needed: Sequence[str]) -> pl.DataFrame:
    """Collect baskets and refuse what no question can answer from: the door of every question module.

    Parameters
    ----------
    baskets : any Narwhals frame
        One row = one basket (`BASKETS`).
    needed : sequence of str
        Columns that the caller reads.

    Returns
    -------
    polars.DataFrame
        The needed columns; `date` is a Date.

    Raises
    ------
    ContractError
        There are no rows, a column is missing or of the wrong kind, or a needed value is null.

    Examples
    --------
    >>> read_baskets(pl.DataFrame({"store_id": [7, None]}), ["store_id"])
    Traceback (most recent call last):
        ...
    grocery_spheres.tables.ContractError: 1 of 2 rows of the table `baskets` have no `store_id` ...
    """
    frame = to_polars(baskets)
    of_lines = "product_id" in frame.columns and "sold_at" in frame.columns
    require_columns(frame.columns, needed, "baskets", way=_SUM_LINES if of_lines else _RENAME)
    for name in needed:
        if name in BASKETS:
            _check_kind(nw.from_native(frame).schema[name], name, BASKETS[name], "baskets")
    if frame.is_empty():
        raise ContractError(
            "The table `baskets` has no rows. Check the dates and stores that it was filtered on."
        )
    chosen = frame.select(needed).with_columns(pl.col(set(needed) & {"date"}).cast(pl.Date))
    for name, missing in zip(needed, chosen.fill_nan(None).null_count().row(0), strict=True):
        if missing:
            raise ContractError(
                f"{missing:,} of {len(chosen):,} rows of the table `baskets` have no `{name}` "
                f"({BASKETS[name].meaning if name in BASKETS else 'a column that is needed'}). Fill it in, "
                "or set such rows apart and count them."
            )
    return chosen


def check_account(account: pl.DataFrame) -> None:
    """Refuse an account of rows in which a row vanished.

    Parameters
    ----------
    account : polars.DataFrame
        One row = one step, columns `step` ("in", "set apart: ...", "out"), `rows`, `sales_usd`.

    Raises
    ------
    ContractError
        Where rows in differ from rows set apart plus rows out, or sales by more than half a cent.

    Examples
    --------
    >>> import polars as pl
    >>> check_account(pl.DataFrame({"step": ["in", "set apart: fuel", "out"],
    ...                             "rows": [3, 1, 2], "sales_usd": [9.0, 4.0, 5.0]}))
    """
    totals = {
        name: account.filter(rule).select(pl.sum("rows"), pl.sum("sales_usd")).row(0)
        for name, rule in {"in": pl.col("step") == "in", "rest": pl.col("step") != "in"}.items()
    }
    (rows_in, usd_in), (rows_rest, usd_rest) = totals["in"], totals["rest"]
    if rows_in != rows_rest or abs(usd_in - usd_rest) > 0.005:
        raise ContractError(
            f"The account of rows does not add up: {rows_in:,} rows and {usd_in:,.2f} USD came in, "
            f"{rows_rest:,} rows and {usd_rest:,.2f} USD are accounted for. A step drops or doubles rows; "
            "look for a join on a key that is not unique."
        )


def _check_kind(dtype: Any, name: str, column: Column, table: str) -> None:
    """Refuse a dtype that cannot hold this kind; a zone-aware time gets its own words."""
    if column.kind in ("datetime", "date") and isinstance(dtype, nw.Datetime) and dtype.time_zone is not None:
        raise ContractError(
            f"The column `{name}` of the table `{table}` carries the time zone {dtype.time_zone!r}; "
            "the contract wants the store's local clock without a zone: a zone-aware time shifts baskets "
            "to the wrong date. Convert each store to its own zone first, then drop the zone, in Polars: "
            f"pl.col({name!r}).dt.convert_time_zone('America/New_York').dt.replace_time_zone(None); in "
            f"pandas: frame[{name!r}].dt.tz_convert('America/New_York').dt.tz_localize(None)."
        )
    if not _fits(dtype, column.kind):
        raise ContractError(
            f"The column `{name}` of the table `{table}` is {dtype}, and the contract wants "
            f"{_WANTED[column.kind]} ({column.meaning}). Convert it first."
        )


_WANTED: Mapping[str, str] = {
    "id": "strings or integers",
    "datetime": "a datetime without time zone",
    "date": "a date",
    "number": "a number",
    "text": "text",
    "flag": "true or false",
}


def _fits(dtype: Any, kind: Kind) -> bool:
    """Whether a Narwhals dtype can hold a kind. Dates pass as datetimes: pandas has no plain date."""
    text = dtype in (nw.String, nw.Categorical, nw.Object) or isinstance(dtype, nw.Enum)
    tests: Mapping[str, bool] = {
        "id": text or dtype.is_integer(),
        "datetime": isinstance(dtype, nw.Datetime),
        "date": dtype == nw.Date or isinstance(dtype, nw.Datetime),
        "number": dtype.is_numeric(),
        "text": text,
        "flag": dtype == nw.Boolean,
    }
    return tests[kind]
