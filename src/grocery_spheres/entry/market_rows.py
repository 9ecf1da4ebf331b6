"""Can these days, stores and households be summed by market? The door of `markets`, and its refusals."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import polars as pl

from grocery_spheres.tables import ContractError, require_columns, to_polars

OWN = ("store_id", "household_id", "date", "period", "days", "stores", "sales_usd", "usd_week", "homes")

_TELL_APART = "Say by `label=` which column tells the kinds of store apart, or add the column."
_EVERY = re.compile(r"[1-9][0-9]{0,2}(d|w|mo|q|y)")  # as Polars writes lengths of calendar time


def check_names(market: Any, label: Any, every: Any) -> None:
    """Refuse a market named like a column of the result, and a length that is no calendar time.

    Examples
    --------
    >>> check_names("town_id", "format", "1mo")
    """
    for name, said in (("market", market), ("label", label)):
        if not isinstance(said, str) or (name == "market" and said in OWN):
            raise ContractError(
                f"`{name}` is {said!r}: give the name of a column of `stores`, a market's other than "
                f"{', '.join(OWN)}, which the panel uses itself. Rename the column."
            )
    if not isinstance(every, str) or not _EVERY.fullmatch(every):
        raise ContractError(
            f"`every` is {every!r}: give a whole number from 1 to 999 of d, w, mo, q or y (days, weeks, "
            "months, quarters, years), such as '1mo'. Sales stand by day, so no period is shorter."
        )


def read_days(store_days: Any) -> pl.DataFrame:
    """Return `store_id`, `date`, `sales_usd`, one row a store and date; refuse what no sum can be made of.

    Examples
    --------
    >>> import datetime as dt
    >>> day = {"store_id": [1], "date": [dt.date(2045, 1, 1)], "sales_usd": [-2.0]}
    >>> read_days(pl.DataFrame(day))
    Traceback (most recent call last):
        ...
    grocery_spheres.tables.ContractError: The column `sales_usd` of the table `store_days` is -2.0 in ...
    """
    table = _table(store_days, "store_days", ["store_id", "date", "sales_usd"])
    days = pl.DataFrame(
        {
            "store_id": _ids(table["store_id"], "store_days"),
            "date": _dates(table["date"]),
            "sales_usd": _sales(table["sales_usd"]),
        }
    )
    twice = days.filter(days.select("store_id", "date").is_duplicated()).sort("store_id", "date")
    if twice.height:
        raise ContractError(
            f"{twice.height:,} rows of the table `store_days` share their `store_id` and `date` (the first: "
            f"{twice['store_id'][0]!r} on {twice['date'][0]}). Keep one row a store and date, or sum them "
            "first."
        )
    return days


def read_stores(stores: Any, label: str, market: str, *, survivors: bool) -> pl.DataFrame:
    """Return `store_id`, `word` (the label as text), `market`, `closed` (whether it did), one row a store.

    Examples
    --------
    >>> table = pl.DataFrame({"store_id": [1], "format": ["grocer"], "town_id": [5]})
    >>> read_stores(table, "format", "town_id", survivors=False).rows()
    [(1, 'grocer', 5, False)]
    """
    table = _table(stores, "stores", ["store_id", market, *(["closed"] * survivors)])
    require_columns(table.columns, [label], "stores", way=_TELL_APART)
    ids = _ids(table["store_id"], "stores")
    _refuse_twice(ids, "stores", "store")
    _refuse_nulls(table[label], "stores")
    kind = table[label].dtype
    if not (_is_text(kind) or kind.is_integer() or kind == pl.Boolean):
        raise ContractError(
            f"The column `{label}` of the table `stores` is {kind}: kinds of store are named by text, whole "
            "numbers or true and false. Convert it."
        )
    shut = _shut(table["closed"]) if survivors else pl.repeat(False, table.height, eager=True)
    return pl.DataFrame({"store_id": ids, "word": table[label].cast(pl.String)}).with_columns(
        table[market].alias("market"), closed=shut
    )


def read_homes(households: Any, market: str) -> pl.Series:
    """Return each household's market.

    Examples
    --------
    >>> read_homes(pl.DataFrame({"household_id": [1, 2], "town_id": [5, 5]}), "town_id").to_list()
    [5, 5]
    """
    table = _table(households, "households", ["household_id", market])
    _refuse_twice(_ids(table["household_id"], "households"), "households", "household")
    return _ids(table[market], "households")


def market_ids(markets: pl.Series, market: str) -> pl.Series:
    """Return markets of stores as text or 64-bit whole numbers, and refuse others.

    Examples
    --------
    >>> market_ids(pl.Series([5], dtype=pl.Int8), "town_id").dtype
    Int64
    """
    return _ids(markets.alias(market), "stores")


def refuse_two_kinds(one: pl.Series, other: pl.Series, name: str, tables: Sequence[str]) -> None:
    """Refuse ids that are text in one table and whole numbers in the other.

    Examples
    --------
    >>> refuse_two_kinds(pl.Series([1]), pl.Series([2]), "store_id", ["store_days", "stores"])
    """
    if one.dtype != other.dtype:
        raise ContractError(
            f"The column `{name}` is {one.dtype} in the table `{tables[0]}` (the first: {one[0]!r}) and "
            f"{other.dtype} in `{tables[1]}` (the first: {other[0]!r}): no id would meet its like. Convert "
            "one of them."
        )


def _table(frame: Any, name: str, needed: Sequence[str]) -> pl.DataFrame:
    try:
        table = to_polars(frame)
    except Exception as wrong:
        raise ContractError(
            f"`{name}` is a {type(frame).__name__} that cannot be read as a table ({str(wrong)[:120]}). Give "
            "a pandas, Polars or other Narwhals frame, each of whose columns holds one kind of value."
        ) from wrong
    require_columns(table.columns, needed, name)
    if table.is_empty():
        raise ContractError(f"The table `{name}` has no rows. Check what it was filtered on.")
    return table


def _is_text(kind: pl.DataType) -> bool:
    return kind in (pl.String, pl.Categorical, pl.Enum)


def _refuse_nulls(column: pl.Series, table: str) -> None:
    if column.null_count():
        raise ContractError(
            f"{column.null_count():,} of {len(column):,} rows of the table `{table}` have no "
            f"`{column.name}` (null). Fill it in, or set such rows apart and count them."
        )


def _ids(column: pl.Series, table: str) -> pl.Series:
    _refuse_nulls(column, table)
    if not (_is_text(column.dtype) or column.dtype.is_integer()):
        raise ContractError(
            f"The column `{column.name}` of the table `{table}` is {column.dtype} (the first: "
            f"{column[0]!r}); ids are text or whole numbers, never mixed. Convert it."
        )
    return column.cast(pl.String if _is_text(column.dtype) else pl.Int64)


def _refuse_twice(ids: pl.Series, table: str, what: str) -> None:
    twice = ids.filter(ids.is_duplicated())
    if len(twice):
        raise ContractError(
            f"{len(twice):,} rows of the table `{table}` share their `{ids.name}` (the first: "
            f"{twice[0]!r}): they would count more than once. Keep one row a {what}."
        )


def _dates(column: pl.Series) -> pl.Series:
    _refuse_nulls(column, "store_days")
    kind = column.dtype
    if kind == pl.Date or (isinstance(kind, pl.Datetime) and kind.time_zone is None):
        return column.cast(pl.Date)
    raise ContractError(
        f"The column `date` of the table `store_days` is {kind} (the first: {column[0]!r}), and must hold "
        "dates without a time zone. Convert it first, in Polars: pl.col('date').str.to_date() for text; in "
        "pandas: pd.to_datetime(days['date'])."
    )


def _sales(column: pl.Series) -> pl.Series:
    kind = column.dtype
    masked = int((column.is_null() | column.is_nan()).sum() if kind.is_float() else column.null_count())
    if masked:
        raise ContractError(
            f"{masked:,} of {len(column):,} rows of the table `store_days` have no `sales_usd` (null or NaN: "
            "masked days): a market's sum would take them for zero. Leave such stores or periods out, and "
            "say so."
        )
    if not kind.is_numeric():
        raise ContractError(
            f"The column `sales_usd` of the table `store_days` is {kind} (the first: {column[0]!r}), and "
            "must hold numbers, in USD. Convert it first."
        )
    sales = column.cast(pl.Float64)
    wrong = sales.filter((sales < 0) | sales.is_infinite())
    if len(wrong):
        raise ContractError(
            f"The column `sales_usd` of the table `store_days` is {wrong[0]!r} in {len(wrong):,} of "
            f"{len(sales):,} rows (the first such), and a day's sales are finite and no less than 0. Book "
            "refunds on the day of the sale, or set such rows apart and count them."
        )
    return sales


def _shut(closed: pl.Series) -> pl.Series:
    dated = closed.dtype == pl.Date or isinstance(closed.dtype, pl.Datetime)
    values = closed.fill_nan(None) if closed.dtype.is_float() else closed
    if not dated and values.null_count() < len(values):
        raise ContractError(
            f"The column `closed` of the table `stores` is {closed.dtype} (such as "
            f"{values.drop_nulls()[0]!r}), and must hold dates, null where a store never closed. Convert it."
        )
    return values.is_not_null()
