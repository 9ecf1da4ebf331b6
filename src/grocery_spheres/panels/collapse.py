"""How do lines become baskets, one row a checkout? The step that every panel starts from."""

from __future__ import annotations

from typing import Any

import narwhals as nw
from narwhals.typing import IntoFrameT

from grocery_spheres.panels.engine import collected, entered, first_rows, lacks_dates, left_as
from grocery_spheres.panels.measures import MONEY, typed
from grocery_spheres.panels.refusals import refuse, refuse_mixed, refuse_null_keys
from grocery_spheres.tables import check_table

KEYS = ("basket_id", "household_id", "store_id", "sold_at")  # of each basket_id exactly one of the others
_BASKETS = ("household_id", "store_id", "basket_id", "sold_at", "date", "lines", "sales_usd", "discount_usd")


def baskets(lines: IntoFrameT, *, check: bool = True) -> IntoFrameT:
    """Collapse lines to baskets, one row a checkout: the step that every panel starts from.

    Parameters
    ----------
    lines : any Narwhals frame
        One row = one product in one basket, columns of the contract (`schema.LINES`). A missing discount
        counts as none.
    check : bool
        Refuse lines without `sales_usd`, and what `check_baskets` refuses. An eager frame is checked in
        hand. A lazy one pays a second pass over key and amount columns and collects a handful of bad rows
        at most; with False nothing is read: a missing amount then counts as zero, and a mixed basket
        becomes several rows, for `check_baskets` to find once they are written.

    Returns
    -------
    same kind of frame
        One row = one basket: household_id, store_id, basket_id, sold_at (local), date (local), lines
        (count), sales_usd, discount_usd. Sorted by basket_id if eager.

    Raises
    ------
    ContractError
        A missing column, a zone-aware `sold_at`, a line without `sales_usd`, and what `check_baskets`
        refuses.

    Examples
    --------
    >>> import datetime as dt
    >>> import polars as pl
    >>> noon = dt.datetime(2017, 11, 5, 12)
    >>> lines = pl.DataFrame({"household_id": [1, 1], "store_id": [7, 7], "basket_id": [5, 5],
    ...     "product_id": [1, 2], "sold_at": [noon, noon], "quantity": [1, 1],
    ...     "sales_usd": [2.5, 1.0], "discount_usd": [0.0, 0.5]})
    >>> baskets(lines).select("basket_id", "lines", "sales_usd").rows()
    [(5, 2, 3.5)]
    """
    check_table(lines, "lines")
    table, eager = entered(lines, (), "lines")
    if check:
        _refuse_missing_sales(table)
    whole = table.group_by(KEYS).agg(nw.len().alias("lines"), nw.col(MONEY).sum())
    result = left_as(typed(whole.with_columns(local_date(table)), _BASKETS), eager, ["basket_id"])
    return check_baskets(result) if check else result


def check_baskets(baskets: IntoFrameT) -> IntoFrameT:
    """Refuse baskets without a key, or with two households, stores or times; return the others as they came.

    Parameters
    ----------
    baskets : any Narwhals frame
        One row = one basket, as `baskets` returns. A lazy frame is passed over; a few bad rows at most
        are collected.

    Raises
    ------
    ContractError
        Names up to three baskets, with both values.

    Examples
    --------
    >>> import datetime as dt
    >>> import polars as pl
    >>> noon = dt.datetime(2017, 11, 5, 12)
    >>> check_baskets(pl.DataFrame({"basket_id": [5, 5], "household_id": [1, 1], "store_id": [7, 8],
    ...                             "sold_at": [noon, noon]}))
    Traceback (most recent call last):
        ...
    grocery_spheres.tables.ContractError: A basket is one row, with one household, store and time, and these
    are not: basket_id 5, store_id 7 and 8. Give every checkout its own basket_id, ...
    """
    table, _ = entered(baskets, KEYS, "baskets")
    refuse_null_keys(table, KEYS)
    rows = table.group_by("basket_id").agg(nw.len().alias("rows"))
    doubled = [row["basket_id"] for row in first_rows(rows.filter(nw.col("rows") > 1), ["basket_id"])]
    if doubled:
        refuse_mixed(collected(table.select(KEYS).filter(nw.col("basket_id").is_in(doubled))))
    return baskets


def _refuse_missing_sales(table: nw.LazyFrame[Any]) -> None:
    """Refuse lines whose amount is missing: a sum would take them for gifts."""
    missing = table.select("basket_id", "product_id", "sales_usd").filter(nw.col("sales_usd").is_null())
    refuse(
        first_rows(missing, ["basket_id", "product_id"]),
        "Lines have no `sales_usd`",
        "Fill the amount in, write 0 where nothing was paid, or set such lines apart and count them.",
    )


def local_date(table: nw.LazyFrame[Any]) -> nw.Expr:
    """Return the date of `sold_at`; where an engine has no plain date, midnight."""
    sold_at = nw.col("sold_at").dt
    return (sold_at.truncate("1d") if lacks_dates(table) else sold_at.date()).alias("date")
