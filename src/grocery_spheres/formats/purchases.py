"""What does a profile read of the lines? Baskets, sums a household and depths of discount: no line is kept.

Lazy lines are passed over on their own engine (a Polars scan streams); what is collected is a tenth of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from grocery_spheres import panels
from grocery_spheres.formats.doors import check_frame, is_number, taken
from grocery_spheres.panels.engine import collected, computed, entered, pushed, read_small
from grocery_spheres.schema import LINES
from grocery_spheres.tables import ContractError, check_table

UNKNOWN = "unknown"  # the department of a product that the products do not list
_MONEY = ("sales_usd", "discount_usd", "shelf_usd", "discounted_usd", "discounted_shelf_usd")
_SUMS = ("lines", "discounted", "no_amount", "below_zero", *_MONEY)


@dataclass(frozen=True)
class Purchases:
    """What a profile is made of. `who` numbers the households from 0, in the order of their ids.

    Attributes
    ----------
    weeks : float
        The span of all dates, in weeks.
    households : int
        Those with at least one basket.
    baskets : polars.DataFrame
        One row = one basket, by household and time: `who`, `store_id`, `sold_at`, `date`, `lines`,
        `sales_usd`.
    totals : polars.DataFrame
        One row = one household, in order: `lines`, `discounted` (lines), `sales_usd`, `discount_usd`,
        `shelf_usd` (before discount), and of discounted lines alone `discounted_usd` (their discount) and
        `discounted_shelf_usd`.
    depths : polars.DataFrame
        One row = one discounted line: `depth` (discount as a share of the shelf price); `who` only
        where it was asked for.
    mix : polars.DataFrame or None
        One row = one household and department: `who`, `department`, `sales_usd`.
    """

    weeks: float
    households: int
    baskets: pl.DataFrame
    totals: pl.DataFrame
    depths: pl.DataFrame
    mix: pl.DataFrame | None


def read_purchases(
    lines: Any,
    products: Any = None,
    *,
    price_level: float = 1.0,
    stores: Iterable[Any] | None = None,
    by_household: bool = True,
) -> Purchases:
    """Pass over lines and keep what a profile is made of.

    Parameters
    ----------
    lines : any Narwhals frame
        One row = one product in one basket (`schema.LINES`); a missing discount counts as none.
    products : any Narwhals frame, optional
        One row = one product: `product_id` (unique), `department`. Read into memory.
    price_level : float
        Every amount is divided by it.
    stores : iterable of ids, optional
        Keep what these stores sold. The span of dates stays that of all lines.
    by_household : bool
        Whether `depths` must say whose lines they are.

    Returns
    -------
    Purchases

    Raises
    ------
    ContractError
        A table lacks a column, rows lack a key or an amount, an amount is below zero, a basket has two
        households, stores or times, a product stands twice, or nothing is left.

    Examples
    --------
    >>> import datetime as dt
    >>> noon = dt.datetime(2017, 11, 5, 12)
    >>> lines = pl.DataFrame({"household_id": [4, 4], "store_id": [7, 7], "basket_id": [5, 5],
    ...     "product_id": [1, 2], "sold_at": [noon, noon], "quantity": [1, 1],
    ...     "sales_usd": [2.5, 1.5], "discount_usd": [0.0, 0.5]})
    >>> read_purchases(lines).depths.rows()
    [(0.25, 0)]
    """
    if not (is_number(price_level) and np.isfinite(price_level) and price_level > 0):
        raise ContractError(f"`price_level` is {price_level!r}: give a number above zero; 1 changes nothing.")
    table = _entered(lines)
    lens = None if stores is None else _lens(stores, table)
    days = None if lens is None else _days(table)
    seen = table if lens is None else table.filter(nw.col("store_id").is_in(lens))
    baskets = _baskets(seen, lens or [])
    first, last = days or (baskets["date"].min(), baskets["date"].max())
    homes = baskets.select(pl.col("household_id").unique().sort()).with_row_index("who")
    priced = pl.col("sales_usd") / price_level
    coded = baskets.join(homes, on="household_id").sort("who", "sold_at", "basket_id")
    totals = _totals(seen, homes).with_columns(pl.col(_MONEY) / price_level)
    depths = _depths(seen, by_household)
    mix = None if products is None else _mix(seen, products).join(homes, on="household_id")
    return Purchases(
        weeks=((last - first).days + 1) / 7,  # type: ignore[operator, union-attr]
        households=len(homes),
        baskets=coded.select("who", "store_id", "sold_at", "date", "lines", priced),
        totals=totals,
        depths=depths.join(homes, on="household_id").drop("household_id") if by_household else depths,
        mix=None if mix is None else mix.select("who", "department", priced),
    )


def _entered(lines: Any) -> nw.LazyFrame[Any]:
    """Return the lines on their own engine if it is a lazy one; what is in memory already goes to Polars."""
    check_frame(lines, "lines")
    check_table(lines, "lines")
    table, eager = entered(lines, (), "lines")
    columns = table.select([name for name in table.collect_schema().names() if name in LINES])
    if not eager:
        return columns
    small = taken(computed(columns), "lines")
    check_table(small, "lines")  # an object column shows only now what it holds
    return entered(small, (), "lines")[0]


def _days(table: nw.LazyFrame[Any]) -> tuple[Any, Any]:
    """Return the first and last date of all lines, whatever their store; refuse lines without a store."""
    ends = [nw.col("sold_at").min().alias("first"), nw.col("sold_at").max().alias("last")]
    by_store = collected(table.group_by("store_id").agg(*ends, nw.len().alias("lines")))
    lost = by_store.filter(pl.col("store_id").is_null())
    if lost.height:
        raise ContractError(
            f"{lost['lines'].item():,} rows of the table `lines` have no `store_id`, so nobody can say "
            "whether they belong to `stores`. Fill it in, or set such rows apart and count them."
        )
    return by_store.select(pl.col("first").min().dt.date(), pl.col("last").max().dt.date()).row(0)


def _lens(stores: Iterable[Any], table: nw.LazyFrame[Any]) -> list[Any]:
    """Return the ids of the stores to keep; one id alone, none, or ids of another kind are slips."""
    if isinstance(stores, str) or not isinstance(stores, Iterable):
        raise ContractError(f"`stores` is {stores!r}: give a list of ids, such as [{stores!r}].")
    try:
        ids = pl.Series("store_id", list(stores))
    except (TypeError, OverflowError) as error:
        raise ContractError(
            f"`stores` is {stores!r}: ids are strings or integers, never mixed. Give a list of one kind."
        ) from error
    if ids.is_empty():
        raise ContractError("`stores` is empty: name the stores to keep, or leave it out to keep all.")
    kind = table.collect_schema()["store_id"]
    if ids.dtype.is_integer() != kind.is_integer():
        raise ContractError(
            f"`stores` holds {ids.dtype} and the column `store_id` is {kind}. Ids are strings or integers, "
            "never mixed: convert one of them."
        )
    return ids.to_list()


def _baskets(table: nw.LazyFrame[Any], lens: Sequence[Any]) -> pl.DataFrame:
    """Collect the baskets and refuse what cannot be one."""
    made = collected(entered(panels.baskets(table.to_native(), check=False), (), "baskets")[0])
    _refuse_unseen(made, lens)
    if made.is_empty():
        raise ContractError(
            "The table `lines` has no rows. Check the dates and stores that it was filtered on."
        )
    return panels.check_baskets(made.with_columns(pl.col("date").cast(pl.Date)))


def _refuse_unseen(baskets: pl.DataFrame, lens: Sequence[Any]) -> None:
    """Refuse stores that sold nothing: a wrong id would narrow the profile without a word."""
    known = set(baskets["store_id"].unique().cast(pl.String))
    unseen = [one for one in lens if str(one) not in known]
    if unseen:
        raise ContractError(
            f"`stores` names {len(unseen)} that sold nothing in these lines: "
            f"{', '.join(map(repr, unseen[:3]))}{', and more' if len(unseen) > 3 else ''}. Correct the ids, "
            "or leave these stores out."
        )


def _totals(table: nw.LazyFrame[Any], homes: pl.DataFrame) -> pl.DataFrame:
    """Sum lines and amounts a household, and refuse amounts that are missing, not finite or below zero."""
    sums = collected(_with_discount(table).group_by("household_id").agg(nw.col(_SUMS).sum()))
    lost, below = sums.select(pl.sum("no_amount"), pl.sum("below_zero")).row(0)
    if lost or not all(sums.select(pl.col(_MONEY).is_finite().all()).row(0)):
        raise ContractError(
            f"{f'{lost:,}' if lost else 'Some'} rows of the table `lines` have no number in `sales_usd` or "
            "`discount_usd`. Fill the amount in, write 0 where nothing was paid, or set such lines apart and "
            "count them."
        )
    if below:
        raise ContractError(
            f"{below:,} rows of the table `lines` have `sales_usd` or `discount_usd` below zero. A returned "
            "product is no purchase: set such lines apart and count them."
        )
    aligned = homes.join(sums, on="household_id", how="left", maintain_order="left")
    return aligned.select(pl.col("lines", "discounted", *_MONEY).cast(pl.Float64))


def _with_discount(table: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Add to each line what is summed: flags as whole numbers, because engines differ in sums of flags."""
    sales, discount = nw.col("sales_usd"), nw.col("discount_usd")
    amounts = table.select("household_id", "sales_usd", discount.fill_null(0.0)).with_columns(
        lines=nw.lit(1).cast(nw.Int64),
        discounted=(discount > 0).cast(nw.Int64),
        no_amount=sales.is_null().cast(nw.Int64),
        below_zero=((sales < 0) | (discount < 0)).cast(nw.Int64),
        shelf_usd=sales + discount,
    )
    only = nw.col("discounted")
    return amounts.with_columns(
        discounted_usd=discount * only, discounted_shelf_usd=nw.col("shelf_usd") * only
    )


def _depths(table: nw.LazyFrame[Any], by_household: bool) -> pl.DataFrame:
    """Collect the depth of every discounted line."""
    discount = nw.col("discount_usd")
    depth = (discount / (nw.col("sales_usd") + discount)).alias("depth")
    owner = ["household_id"] if by_household else []
    return collected(table.filter(discount > 0).select(depth, *owner))


def _mix(table: nw.LazyFrame[Any], products: Any) -> pl.DataFrame:
    """Collect sales by household and department; what no product says is unknown, not left out."""
    sold = table.select("household_id", "product_id", "sales_usd")
    names = read_small(taken(products, "products"), "products", ["product_id", "department"], sold)
    doubled = names.filter(pl.col("product_id").is_duplicated())
    if doubled.height:
        raise ContractError(
            f"The table `products` lists product_id {doubled['product_id'][0]!r} twice: its sales would "
            "count twice. Keep one row a product."
        )
    named = pushed(names.with_columns(pl.col("department").cast(pl.String)), sold)
    joined = sold.join(named, on="product_id", how="left")
    known = joined.with_columns(nw.col("department").fill_null(UNKNOWN))
    return collected(known.group_by("household_id", "department").agg(nw.col("sales_usd").sum()))
