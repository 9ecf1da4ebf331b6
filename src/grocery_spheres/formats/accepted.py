"""Are these lines fit to be summed, and which stores and dates do they span?"""

from __future__ import annotations

from typing import Any

import narwhals as nw
import polars as pl

from grocery_spheres.formats.doors import check_frame, taken
from grocery_spheres.panels.collapse import local_date
from grocery_spheres.panels.engine import collected, computed, entered
from grocery_spheres.schema import LINES
from grocery_spheres.tables import ContractError, check_table

MOST = 1e300  # a number above it is infinite, or not a number where an engine sorts those last
_KEYS = ("household_id", "store_id", "product_id", "sold_at")
_FAULTS = {
    **{f"no_{key}": f"have no `{key}`. Fill it in" for key in _KEYS},
    "bad_quantity": "have a `quantity` that is missing, zero, below zero or not a number: what they cost a "
    "package cannot be told. Correct it",
    "bad_sales_usd": "have `sales_usd` that is missing, below zero or not a number. Correct it, write 0 "
    "where nothing was paid",
    "bad_discount_usd": "have `discount_usd` below zero or not a number. Correct it",
}


def enter_lines(lines: Any) -> nw.LazyFrame[Any]:
    """Return the lines with their `date`, on their own engine if it is a lazy one; else on Polars.

    Parameters
    ----------
    lines : any Narwhals frame
        One row = one product in one basket (`schema.LINES`).

    Returns
    -------
    narwhals.LazyFrame
        The contract's columns and `date` (local; midnight on engines without plain dates). A missing
        discount is zero, amounts are floats.

    Raises
    ------
    ContractError
        A column is missing or of the wrong kind.

    Examples
    --------
    >>> import datetime as dt
    >>> lines = pl.DataFrame({"household_id": [4], "store_id": [7], "basket_id": [5], "product_id": [1],
    ...     "sold_at": [dt.datetime(2045, 1, 9, 12)], "quantity": [2], "sales_usd": [3.0],
    ...     "discount_usd": [0.0]})
    >>> enter_lines(lines).collect().to_native()["date"].item()
    datetime.date(2045, 1, 9)
    """
    check_frame(lines, "lines")
    check_table(lines, "lines")
    table, eager = entered(lines, (), "lines")
    chosen = table.select([name for name in table.collect_schema().names() if name in LINES])
    if eager:
        small = taken(computed(chosen), "lines")
        check_table(small, "lines")  # an object column shows only now what it holds
        chosen = entered(small, (), "lines")[0]
    amounts = [nw.col(name).cast(nw.Float64) for name in ("quantity", "sales_usd", "discount_usd")]
    typed = chosen.with_columns(*amounts).with_columns(nw.col("discount_usd").fill_null(0.0))
    return typed.with_columns(local_date(typed))


def survey(table: nw.LazyFrame[Any]) -> pl.DataFrame:
    """Pass over lines once: refuse what cannot be summed, and return the stores and dates there are.

    Parameters
    ----------
    table : narwhals.LazyFrame
        What `enter_lines` returned.

    Returns
    -------
    polars.DataFrame
        One row = one store and date: `store_id`, `date`, `lines`.

    Raises
    ------
    ContractError
        There are no rows; or rows lack a key, or hold an amount or a quantity that is no purchase's.

    Examples
    --------
    >>> import datetime as dt
    >>> lines = pl.DataFrame({"household_id": [4], "store_id": [7], "basket_id": [5], "product_id": [1],
    ...     "sold_at": [dt.datetime(2045, 1, 9, 12)], "quantity": [0], "sales_usd": [3.0],
    ...     "discount_usd": [0.0]})
    >>> survey(enter_lines(lines))
    Traceback (most recent call last):
        ...
    grocery_spheres.tables.ContractError: 1 of 1 rows of the table `lines` have a `quantity` that is ...
    """
    least = {"quantity": nw.col("quantity") > 0}
    least |= {name: nw.col(name) >= 0 for name in ("sales_usd", "discount_usd")}
    flags = {f"no_{key}": nw.col(key).is_null().cast(nw.Int64) for key in _KEYS}
    for name, enough in least.items():
        flags[f"bad_{name}"] = nw.when(enough & (nw.col(name) < MOST)).then(nw.lit(0)).otherwise(nw.lit(1))
    marked = table.select("store_id", "date", **flags, lines=nw.lit(1).cast(nw.Int64))
    found = collected(marked.group_by("store_id", "date").agg(nw.col("lines", *flags).sum()))
    if found.is_empty():
        raise ContractError(
            "The table `lines` has no rows. Check the dates and stores that it was filtered on."
        )
    rows = int(found["lines"].sum())
    for flag, said in _FAULTS.items():
        if count := int(found[flag].sum()):
            raise ContractError(
                f"{count:,} of {rows:,} rows of the table `lines` {said}, or set such rows apart and count "
                "them."
            )
    spanned = found.select("store_id", pl.col("date").cast(pl.Date), pl.col("lines").cast(pl.Int64))
    return spanned.sort("store_id", "date")


def known_ids(table: nw.LazyFrame[Any], key: str) -> pl.Series:
    """Return each id of a column once, sorted.

    Examples
    --------
    >>> known_ids(nw.from_native(pl.LazyFrame({"household_id": [4, 2, 4]})), "household_id").to_list()
    [2, 4]
    """
    return collected(table.select(key).unique()).get_column(key).sort()
