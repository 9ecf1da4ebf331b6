"""What may a rate of closing depend on, and which terms are refused?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from grocery_spheres.tables import ContractError

Array = npt.NDArray[np.float64]


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
