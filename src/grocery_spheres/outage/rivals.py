"""Who shares customers with a unit, and what if one of them served as donor?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from grocery_spheres.outage.long_panel import listed
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

    A donor that gains lifts what is expected of each dark unit by its weight times its gain (`lifts`).

    Parameters
    ----------
    found : OutageResults
        The estimate; its method has donor weights.
    diversion : mapping
        Share of the loss of all dark units that went to a donor, by its id (at most 1 in all).

    Returns
    -------
    float
        0.1: the reported loss is about 10 % of the true one too large.

    Raises
    ------
    ContractError
        The method has no weights, a unit is no donor, or shares are none.
    """
    shares = list(diversion.values())
    if any(not 0 <= share <= 1 for share in shares) or sum(shares) > 1 + 1e-9:
        raise ContractError(
            f"`diversion` holds {shares!r}: shares of one loss lie in 0 to 1, and at most at 1 in all."
        )
    strange = [unit for unit in diversion if unit not in found.study.donor_ids]
    if strange:
        raise ContractError(
            f"`diversion` names {listed(strange)}, which are no donors: a unit that is not compared with can "
            "lift nothing. Leave them out."
        )
    lifted = dict(lifts(found).iter_rows())
    return float(sum(lifted.get(donor, 0.0) * share for donor, share in diversion.items()))


def lifts(found: OutageResults) -> pl.DataFrame:
    """Return by which share of itself a loss is overstated, donor by donor, had it gone to that one alone.

    Parameters
    ----------
    found : OutageResults
        The estimate; its method has donor weights.

    Returns
    -------
    polars.DataFrame
        One row = one donor with a weight, the largest first: `unit`, `lift`.

    Raises
    ------
    ContractError
        The method has no weights.

    Notes
    -----
    With several dark units, what is lost in a period is taken to be in proportion to their doses. Each unit's
    expected path is lifted by the weight times all that went to the donor in that period, so that two units
    dark at once lift the total twice.
    """
    weights = found.weights
    if not weights.height:
        raise ContractError(
            f"{found.question.method} has no donor weights to work with. Use synthetic_control, "
            "synthetic_did or did."
        )
    sizes = [len(group) for group in found.study.members]
    doses = [target.dose for target in found.study.targets]
    lost = np.sum([size * dose for size, dose in zip(sizes, doses, strict=True)], axis=0)
    times = [size * float(lost[dose > 0].sum() / lost.sum()) for size, dose in zip(sizes, doses, strict=True)]
    counted = pl.DataFrame({"target": range(len(times)), "times": times})
    joined = weights.join(counted, on="target", how="left", validate="m:1")
    each = joined.group_by("unit").agg(lift=(pl.col("weight") * pl.col("times")).sum())
    return each.sort("lift", "unit", descending=[True, False])
