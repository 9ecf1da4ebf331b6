"""Who bought at which label, and who else might have? The door that the comparisons share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

from grocery_spheres.formats.doors import taken
from grocery_spheres.formats.labels import labelled, store_labels
from grocery_spheres.formats.resampling import household_weights
from grocery_spheres.formats.sums import household_sums
from grocery_spheres.tables import ContractError, read_baskets, require_columns

AMOUNTS = ("sales_usd", "lines")
SHOWN = 3  # of the households that a refusal names

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Shoppers:
    """Baskets with their labels, and the households that intervals are drawn from.

    Attributes
    ----------
    baskets : polars.DataFrame
        One row = one basket: `household_id` (now the buyer's place in `homes`), `store_id`, `date`,
        `sales_usd`, what else was asked for, `label`.
    homes : polars.Series
        The households by their places 0, 1, ...: buyers first, then those who never bought.
    buyers : polars.Series
        The ids of the buyers, in the order of their places.
    labels : list of str
        All labels that the stores carry, sorted; also one that sold nothing.
    """

    baskets: pl.DataFrame
    homes: pl.Series
    buyers: pl.Series
    labels: list[str]


def read_shoppers(
    baskets: Any,
    stores: Any,
    *,
    label: str = "format",
    households: Any = None,
    more: Sequence[str] = (),
) -> Shoppers:
    """Read baskets and stores, and refuse what cannot be compared.

    Parameters
    ----------
    baskets : any Narwhals frame
        One row = one basket (`schema.BASKETS`).
    stores : any Narwhals frame
        One row = one store: `store_id`, and the column `label`.
    label : str
        What the stores are compared by.
    households : any Narwhals frame, optional
        One row = one household that might have bought: `household_id`. Without it: those with a basket.
    more : sequence of str
        Further columns of `baskets` that are needed.

    Raises
    ------
    ContractError
        As `read_baskets` and `labelled`; sales or lines are negative or infinite; `households` lacks a buyer,
        or lists a household twice or without an id.

    Examples
    --------
    >>> import datetime as dt
    >>> baskets = pl.DataFrame({"household_id": [1], "store_id": [7], "date": [dt.date(2045, 1, 1)],
    ...                         "sales_usd": [5.0]})
    >>> stores = pl.DataFrame({"store_id": [7, 8], "format": ["sphere", "grocer"]})
    >>> read_shoppers(baskets, stores).labels
    ['grocer', 'sphere']
    """
    rows = read_baskets(taken(baskets, "baskets"), ["household_id", "store_id", "date", "sales_usd", *more])
    _refuse_amounts(rows)
    names = store_labels(stores, label)["label"].unique().sort().to_list()
    named = labelled(rows, stores, label)
    buyers = rows["household_id"].unique().sort()
    many = len(buyers) if households is None else _counted(households, buyers)
    places = pl.DataFrame({"household_id": buyers}).with_row_index("place")
    placed = named.join(places, on="household_id", how="left", maintain_order="left")
    coded = placed.with_columns(household_id=pl.col("place").cast(pl.Int64)).drop("place")
    return Shoppers(coded, pl.int_range(many, eager=True), buyers, names)


def draw(
    homes: pl.Series, *, draws: int, seed: int, alpha: float, intervals: bool
) -> npt.NDArray[np.float64] | None:
    """Draw the households again, or None where no interval is wanted or one household shows none.

    Parameters
    ----------
    homes : polars.Series
        The households.
    draws, seed, alpha
        As `household_weights` takes them; refused when wrong, also where there is only one household.
    intervals : bool
        False returns None.

    Examples
    --------
    >>> draw(pl.Series([1, 2]), draws=40, seed=1, alpha=0.05, intervals=True).shape
    (40, 2)
    """
    if not intervals:
        return None
    weights = household_weights(len(homes), draws=draws, seed=seed, alpha=alpha)
    return weights if len(homes) > 1 else None


def side_by_side(rows: pl.DataFrame, homes: pl.Series, cells: pl.DataFrame, what: Sequence[str]) -> Any:
    """Sum several columns by household and cell.

    Parameters
    ----------
    rows : polars.DataFrame
        With `household_id`, the columns of `cells`, and those of `what`.
    homes : polars.Series
        The households.
    cells : polars.DataFrame
        One row = one cell.
    what : sequence of str
        Columns to sum.

    Returns
    -------
    scipy.sparse array, (households, columns x cells)
        All cells of the first column, then all of the second, and so on.

    Examples
    --------
    >>> rows = pl.DataFrame({"household_id": [1, 2], "label": ["a", "b"], "usd": [4.0, 8.0], "trips": [1, 2]})
    >>> side_by_side(rows, pl.Series([1, 2]), rows.select("label"), ["usd", "trips"]).toarray().tolist()
    [[4.0, 0.0, 1.0, 0.0], [0.0, 8.0, 0.0, 2.0]]
    """
    blocks = [household_sums(rows, homes, cells.columns, name, known=cells)[0] for name in what]
    return sparse.hstack(blocks, format="csr")


def read_households(households: Any, columns: Sequence[str]) -> pl.DataFrame:
    """Read columns of the table of households, and refuse ids that are missing or stand twice.

    Parameters
    ----------
    households : any Narwhals frame
        One row = one household: `household_id` (unique).
    columns : sequence of str
        What is needed beside it.

    Raises
    ------
    ContractError
        A column is missing, an id is null or stands twice.

    Examples
    --------
    >>> read_households(pl.DataFrame({"household_id": [1], "income": ["low"]}), ["income"]).rows()
    [(1, 'low')]
    """
    table = taken(households, "households")
    require_columns(table.columns, ["household_id", *columns], "households")
    chosen = table.select(list(dict.fromkeys(["household_id", *columns])))
    if chosen["household_id"].null_count():
        raise ContractError(
            f"{chosen['household_id'].null_count():,} of {len(chosen):,} rows of the table `households` have "
            "no `household_id`. Every household needs one: fill it in, or leave such rows out and count them."
        )
    doubled = chosen.filter(pl.col("household_id").is_duplicated())
    if doubled.height:
        raise ContractError(
            f"The table `households` lists household_id {doubled['household_id'][0]!r} twice. Keep one row a "
            "household."
        )
    return chosen


def refuse_strangers(listed: pl.Series, buyers: pl.Series) -> None:
    """Refuse buyers that the table of households does not list.

    Examples
    --------
    >>> refuse_strangers(pl.Series([1, 2]), pl.Series([2]))
    """
    if listed.dtype.is_integer() != buyers.dtype.is_integer():
        raise ContractError(
            f"`household_id` is {buyers.dtype} in the baskets and {listed.dtype} in `households`. Ids are "
            "strings or integers, never mixed: convert one of them."
        )
    strangers = buyers.filter(~buyers.is_in(listed.cast(buyers.dtype, strict=False).drop_nulls().implode()))
    if len(strangers):
        more = ", and more" if len(strangers) > SHOWN else ""
        raise ContractError(
            f"{len(strangers):,} households with baskets are not in the table `households` (the first: "
            f"{', '.join(map(repr, strangers.head(SHOWN).to_list()))}{more}). Add them, or filter their "
            "baskets out first and count them."
        )


def _counted(households: Any, buyers: pl.Series) -> int:
    """Count the households, once it is sure that all buyers are among them."""
    listed = read_households(households, [])["household_id"]
    refuse_strangers(listed, buyers)
    return len(listed)


def _refuse_amounts(rows: pl.DataFrame) -> None:
    for name in AMOUNTS:
        if name in rows.columns:
            wrong = rows.filter((pl.col(name) < 0) | pl.col(name).is_infinite())[name]
            if len(wrong):
                raise ContractError(
                    f"{len(wrong):,} of {len(rows):,} rows of the table `baskets` have a negative or "
                    f"infinite `{name}` (the first: {wrong[0]!r}); zero or more is wanted. Set returns apart "
                    "and count them."
                )
