"""Who shares customers with a unit, and what if one of them served as donor?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from grocery_spheres.outage.results import OutageResults
from grocery_spheres.tables import ContractError, read_baskets


def shared_customers(baskets: Any, units: Sequence[Any], *, unit: str = "store_id") -> pl.DataFrame:
    """Rank the other units by how many of the units' customers also buy there.

    Parameters
    ----------
    baskets : any Narwhals frame
        One row = one basket: `household_id` and the unit. Take those from before the outage.
    units : sequence of ids
        The dark units.
    unit : str
        Column of the unit.

    Returns
    -------
    polars.DataFrame
        One row = one other unit, the most shared first: the unit, `customers` (shared households), `share`
        (of the units' customers), `baskets` (that those households bought there).

    Raises
    ------
    ContractError
        None of the units has a basket.

    Examples
    --------
    >>> trips = pl.DataFrame({"household_id": [1, 1, 2, 3], "store_id": ["a", "b", "a", "c"]})
    >>> shared_customers(trips, ["a"]).row(0)
    ('b', 1, 0.5, 1)
    """
    rows = read_baskets(baskets, ["household_id", unit])
    ours = rows.filter(pl.col(unit).is_in(list(units)))["household_id"].unique()
    if not len(ours):
        raise ContractError(f"None of the units {list(units)!r} has a basket in the column `{unit}`.")
    elsewhere = rows.filter(~pl.col(unit).is_in(list(units)) & pl.col("household_id").is_in(ours.implode()))
    shared = elsewhere.group_by(unit).agg(
        pl.col("household_id").n_unique().cast(pl.Int64).alias("customers"), baskets=pl.len().cast(pl.Int64)
    )
    return (
        shared.with_columns(share=pl.col("customers") / len(ours))
        .select(unit, "customers", "share", "baskets")
        .sort("customers", "baskets", unit, descending=[True, True, False])
    )


def contamination(found: OutageResults, diversion: Mapping[Any, float]) -> float:
    """Return by which share a loss is overstated, if donors received part of it.

    A donor that gains lifts the counterfactual by its weight times its gain: the sum of weight x diversion
    ratio over the donors, for one dark unit; the mean over donors where they have no weights.

    Parameters
    ----------
    found : OutageResults
        The estimate; its method has donor weights.
    diversion : mapping
        Share of the loss that went to a donor, by its id (at most 1 in all).

    Returns
    -------
    float
        0.1: the reported loss is about 10 % of the true one too large.

    Raises
    ------
    ContractError
        The method has no weights, or shares are none.
    """
    shares = list(diversion.values())
    if any(not 0 <= share <= 1 for share in shares) or sum(shares) > 1 + 1e-9:
        raise ContractError(
            f"`diversion` holds {shares!r}: shares of one loss lie in 0 to 1, and at most at 1 in all."
        )
    weights = found.weights
    if not weights.height:
        raise ContractError(
            f"{found.question.method} has no donor weights to work with. Use synthetic_control, "
            "synthetic_did or did."
        )
    held = dict(weights.filter(pl.col("target") == 0).select("unit", "weight").iter_rows())
    return float(sum(held.get(donor, 0.0) * share for donor, share in diversion.items()))
