"""What may a rate of closing depend on, and which terms are refused?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from grocery_spheres.entry.spells import Spells, date_column
from grocery_spheres.tables import ContractError, require_columns

Array = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


def check_terms(arrived: str, covariates: Sequence[str]) -> None:
    """Refuse terms that are no list of names, or that name a column twice.

    Examples
    --------
    >>> check_terms("sphere", ["size"])
    """
    if isinstance(covariates, str) or not isinstance(covariates, Sequence):
        raise ContractError(
            f"`covariates` is {covariates!r}: give a list of column names, such as [{covariates!r}] for one."
        )
    terms = [arrived, *covariates]
    wrong = [one for one in terms if not isinstance(one, str) or terms.count(one) > 1]
    if wrong:
        raise ContractError(
            f"`arrived` and `covariates` name {wrong[0]!r} twice, or it is no text ({terms!r}). Name each "
            "column once."
        )


def read_covariates(table: pl.DataFrame, names: Sequence[str]) -> Array:
    """Return the covariates as numbers, one column each.

    Examples
    --------
    >>> read_covariates(pl.DataFrame({"size": [2, 3]}), ["size"]).tolist()
    [[2.0], [3.0]]
    """
    for name in names:
        kind = table[name].dtype
        number = kind.is_numeric() or kind == pl.Boolean
        if not number or not table[name].cast(pl.Float64).is_finite().all():
            raise ContractError(
                f"The covariate `{name}` of the table `stores` is {kind} or holds infinite values: give "
                "finite numbers, or true and false. Of text make columns of true and false."
            )
    return table.select(pl.col(list(names)).cast(pl.Float64)).to_numpy().reshape(table.height, len(names))


def arrival_days(spells: Spells, arrived: str, market: str | None) -> Whole:
    """Return the day on each store's clock on which the newcomer came, and refuse days that cannot be.

    Parameters
    ----------
    spells : Spells
        The stores.
    arrived : str
        Column: the day on which it opened in the store's place, null where none came.
    market : str or None
        Column of the places; None takes each store by itself.

    Returns
    -------
    array of int
        Where none came, a day that no store lives to see.

    Raises
    ------
    ContractError
        The column is missing or holds no dates; stores of one market have different days; no newcomer came
        while a store was watched.

    Examples
    --------
    >>> from grocery_spheres.entry.spells import Columns, read_spells
    >>> came = pl.Series("sphere", ["2045-01-11", None]).str.to_date()
    >>> stores = pl.DataFrame([pl.Series("store_id", [1, 2]), came, came.clear(2).alias("closed")])
    >>> where = Columns("store_id", "2045-01-01", "2045-12-31", "closed", None, None)
    >>> arrival_days(read_spells(stores, where), "sphere", None).tolist()
    [10, 365]
    """
    require_columns(spells.table.columns, [arrived], "stores")
    days = date_column(spells.table, arrived)
    if market is not None:
        told = pl.DataFrame({"market": spells.table[market], "day": days})
        apart = told.unique().filter(pl.col("market").is_duplicated()).sort("market", "day", nulls_last=True)
        if apart.height:
            first, other = (day or "none" for day in apart["day"].head(2))
            raise ContractError(
                f"Stores of one `{market}` have different days in `{arrived}` ({market} "
                f"{apart['market'][0]!r}: {first} and {other}; so in {apart['market'].n_unique():,} of "
                f"{told['market'].n_unique():,}), and a newcomer comes to a whole place on one day. Give all "
                "its stores the first one; if clusters are wider than places, name the column of the places "
                "as `market`."
            )
    since = (days - spells.start).dt.total_days().fill_null(int(spells.time.max()))
    came = since.to_numpy().astype(np.int64)
    if not (came < spells.time).any():
        raise ContractError(
            f"No newcomer came while a store was watched: `{arrived}` is empty or after every store's last "
            "day. Give the day on which it opened in each store's place, and null where none came; without "
            "any there is nothing to compare."
        )
    return came
