"""What do different stores sell: each department's share of a label's sales, and of what households spend?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import narwhals as nw
import numpy as np
import numpy.typing as npt
import polars as pl

from grocery_spheres.formats.accepted import enter_lines, known_ids, survey
from grocery_spheres.formats.doors import taken
from grocery_spheres.formats.labels import labelled
from grocery_spheres.formats.purchases import UNKNOWN
from grocery_spheres.formats.shoppers import draw, read_households, refuse_strangers, side_by_side
from grocery_spheres.formats.sums import resampled, tidied
from grocery_spheres.panels.engine import collected, pushed, read_small
from grocery_spheres.tables import ContractError

MOST_GROUPS = 50  # of households side by side; more are values, not groups

Array = npt.NDArray[np.float64]


def department_shares(
    lines: Any,
    products: Any,
    stores: Any,
    *,
    label: str = "format",
    alpha: float = 0.05,
    seed: int = 2045,
    draws: int = 200,
    intervals: bool = True,
) -> pl.DataFrame:
    """Return each department's share of each label's sales.

    Parameters
    ----------
    lines : any Narwhals frame
        One row = one product in one basket (`schema.LINES`). A lazy frame is summed on its own engine.
    products : any Narwhals frame
        One row = one product: `product_id` (unique), `department` (as coarse as you like).
    stores : any Narwhals frame
        One row = one store: `store_id`, and the column `label`.
    label : str
        Column to compare stores by.
    alpha, seed, draws : float, int, int
        One minus the level of the intervals (percentiles); of the draws of households; how many.
    intervals : bool
        False leaves `low` and `high` null.

    Returns
    -------
    polars.DataFrame
        One row = one label and department, every pair of them: `label`, `department`, `value` (share of the
        label's sales; a label's shares add to one), `low`, `high`, `sales_usd`. What no product says is
        "unknown". Ends are null where all draws agree: what nobody bought shows no spread. A label whose
        sales are zero has no shares.

    Raises
    ------
    ContractError
        What `accepted.survey` and `labels.labelled` refuse; a product stands twice.

    Examples
    --------
    >>> import datetime as dt
    >>> lines = pl.DataFrame({"household_id": [1, 1, 2], "store_id": [7, 8, 8], "basket_id": [1, 2, 3],
    ...     "product_id": [1, 1, 2], "sold_at": [dt.datetime(2045, 6, 1)] * 3, "quantity": [1, 1, 1],
    ...     "sales_usd": [9.0, 2.0, 6.0], "discount_usd": [0.0, 0.0, 0.0]})
    >>> products = pl.DataFrame({"product_id": [1, 2], "department": ["meals", "local"]})
    >>> stores = pl.DataFrame({"store_id": [7, 8], "format": ["sphere", "grocer"]})
    >>> department_shares(lines, products, stores, intervals=False).select(
    ...     "label", "department", "value").rows()
    [('grocer', 'local', 0.75), ('grocer', 'meals', 0.25), ('sphere', 'local', 0.0), ('sphere', 'meals', 1.0)]
    """
    rows, homes = _spending(lines, products, stores, label)
    labels, names = (rows.select(pl.col(one).unique().sort()) for one in ("label", "department"))
    cells = labels.join(names, how="cross", maintain_order="left")
    sums = side_by_side(rows, homes, cells, ["sales_usd"])

    def shares(sums: Array) -> Array:
        apart = sums.reshape(*sums.shape[:-1], len(labels), len(names))
        return (apart / apart.sum(axis=-1, keepdims=True)).reshape(sums.shape)

    weights = draw(homes, draws=draws, seed=seed, alpha=alpha, intervals=intervals)
    found = tidied(cells, {"share": "share"}, resampled(sums, shares, weights, alpha))
    return found.select(*cells.columns, "value", "low", "high").with_columns(
        sales_usd=pl.Series(np.asarray(sums.sum(axis=0)).ravel())
    )


def share_of_spend(
    lines: Any,
    products: Any,
    departments: Sequence[str],
    *,
    stores: Any = None,
    label: str | None = None,
    households: Any = None,
    by: str | None = None,
    alpha: float = 0.05,
    seed: int = 2045,
    draws: int = 200,
    intervals: bool = True,
) -> pl.DataFrame:
    """Return the share of spending that goes to some departments: of all, by label, by group of households.

    Parameters
    ----------
    lines, products, alpha, seed, draws, intervals
        As `department_shares` takes them.
    departments : sequence of str
        Those that are counted together, such as ``["local fresh"]``.
    stores, label : optional
        As `department_shares` takes them, to tell the shares at each label apart. Give both or neither.
    households, by : optional
        One row = one household: `household_id` and the column `by`, such as income. Give both or neither.

    Returns
    -------
    polars.DataFrame
        One row in all, or one row = one group and label with sales: `by` under its own name (as text;
        "unknown" where the household has none), `label`, where they were asked for; `value` (share of the
        group's spending at the label), `low`, `high`, `usd` (spent on these departments), `of_usd` (on all).
        It is the share of the money, not the mean of households' shares.

    Raises
    ------
    ContractError
        As `department_shares`; a department that no product has; buyers that `households` does not list; more
        than fifty groups.

    Examples
    --------
    >>> import datetime as dt
    >>> lines = pl.DataFrame({"household_id": [1, 1, 2], "store_id": [7, 8, 8], "basket_id": [1, 2, 3],
    ...     "product_id": [1, 1, 2], "sold_at": [dt.datetime(2045, 6, 1)] * 3, "quantity": [1, 1, 1],
    ...     "sales_usd": [9.0, 2.0, 6.0], "discount_usd": [0.0, 0.0, 0.0]})
    >>> products = pl.DataFrame({"product_id": [1, 2], "department": ["meals", "local"]})
    >>> homes = pl.DataFrame({"household_id": [1, 2], "income": ["high", "low"]})
    >>> share_of_spend(lines, products, ["local"], households=homes, by="income", intervals=False).select(
    ...     "income", "value", "usd", "of_usd").rows()
    [('high', 0.0, 0.0, 11.0), ('low', 1.0, 6.0, 6.0)]
    """
    chosen = _listed(departments)
    _refuse_half("label", label, "stores", stores)
    _refuse_half("by", by, "households", households)
    rows, homes = _spending(lines, products, stores, label)
    _refuse_unknown(chosen, rows, products)
    grouped = rows if by is None else _grouped(rows, homes, households, by)
    keys = [name for name, wanted in (("group", by), ("label", label)) if wanted is not None]
    grouped = grouped.with_columns(
        all=pl.lit("all"), usd=pl.col("sales_usd") * pl.col("department").is_in(chosen)
    )
    cells = grouped.select(keys or ["all"]).unique().sort(keys or ["all"])
    sums = side_by_side(grouped, homes, cells, ["usd", "sales_usd"])
    weights = draw(homes, draws=draws, seed=seed, alpha=alpha, intervals=intervals)
    half = cells.height
    found = resampled(sums, lambda both: both[..., :half] / both[..., half:], weights, alpha)
    total = np.asarray(sums.sum(axis=0)).ravel()
    table = tidied(cells, {"share": "share"}, found).with_columns(
        usd=pl.Series(total[:half]), of_usd=pl.Series(total[half:])
    )
    told = table.select(*keys, "value", "low", "high", "usd", "of_usd")
    return told if by is None else told.rename({"group": by})


def _spending(lines: Any, products: Any, stores: Any, label: str | None) -> tuple[pl.DataFrame, pl.Series]:
    """Collect sales by household, department and label (null without one), and the households."""
    table = enter_lines(lines)
    found = survey(table)
    names = read_small(taken(products, "products"), "products", ["product_id", "department"], table)
    doubled = names.filter(pl.col("product_id").is_duplicated())
    if doubled.height:
        raise ContractError(
            f"The table `products` lists product_id {doubled['product_id'][0]!r} twice: its sales would "
            "count twice. Keep one row a product."
        )
    named = pushed(names.with_columns(pl.col("department").cast(pl.String)), table)
    joined = table.join(named, on="product_id", how="left")
    keys = ["household_id", "department"]
    if label is not None:
        marked = labelled(found, stores, label, of="store-days").select("store_id", "label").unique()
        joined = joined.join(pushed(marked, table), on="store_id")
        keys.append("label")
    known = joined.with_columns(nw.col("department").fill_null(UNKNOWN))
    summed = collected(known.group_by(keys).agg(nw.col("sales_usd").sum()))
    return summed, known_ids(table, "household_id")


def _grouped(rows: pl.DataFrame, homes: pl.Series, households: Any, by: str) -> pl.DataFrame:
    """Add to each row the group of its household."""
    listed = read_households(households, [by])
    refuse_strangers(listed["household_id"], homes)
    groups = listed.select(
        pl.col("household_id").cast(homes.dtype, strict=False),
        group=pl.col(by).cast(pl.String).fill_null(UNKNOWN),
    )
    count = groups["group"].n_unique()
    if count > MOST_GROUPS:
        raise ContractError(
            f"The column `{by}` of the table `households` has {count:,} different values, and at most "
            f"{MOST_GROUPS} groups are told apart. Cut it into groups first, such as thirds."
        )
    return rows.join(groups, on="household_id", how="left")


def _listed(departments: Any) -> list[str]:
    if isinstance(departments, str) or not isinstance(departments, Iterable):
        raise ContractError(f"`departments` is {departments!r}: give a list, such as [{departments!r}].")
    chosen = list(departments)
    if not chosen:
        raise ContractError("`departments` is empty: name at least one.")
    return chosen


def _refuse_half(name: str, value: Any, table: str, frame: Any) -> None:
    if (value is None) != (frame is None):
        given, lacking = (table, name) if value is None else (name, table)
        raise ContractError(
            f"`{given}` is given without `{lacking}`: `{name}` is a column of the table `{table}`. Give "
            "both, or neither."
        )


def _refuse_unknown(chosen: list[str], rows: pl.DataFrame, products: Any) -> None:
    """Refuse a department that neither the products nor the sales have: its share would be a false zero."""
    named = nw.from_native(products).lazy().select("department").unique()
    known = set(collected(named)["department"].cast(pl.String)) | set(rows["department"])
    for one in chosen:
        if one not in known:
            there = ", ".join(sorted(repr(name) for name in known if name is not None))
            raise ContractError(f"`departments` names {one!r}, and no product has it; there are: {there}.")
