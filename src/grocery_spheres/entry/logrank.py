"""Do two groups of stores close at different rates, over the whole record?

The log-rank test takes every store as independent. Beside it stands the same sum of observed less expected
closings, judged by dealing the groups out anew over the towns.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import stats
from statsmodels.duration.survfunc import survdiff

from grocery_spheres.entry.spells import Spells

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def logrank(spells: Spells, group: Mask, other: Mask, *, draws: int, seed: int) -> dict[str, float | None]:
    """Test whether two groups' stores close at different rates.

    Parameters
    ----------
    spells : Spells
        All stores.
    group, other : array of bool
        Which of them belong to either group.
    draws, seed : int
        How often groups are dealt out anew over the clusters, and the generator's seed.

    Returns
    -------
    dict
        `statistic` (chi-square, one degree of freedom) and `pvalue` of the log-rank test by statsmodels; NaN
        where no closing had stores of both groups at risk. `permutation_pvalue`: the share of deals, this
        one counted, whose observed less expected closings lie as far from zero; None where a cluster has
        stores of both groups.
    """
    pair = group | other
    residuals, inside = _by_cluster(spells, pair, group)
    permuted = None
    if np.isin(inside, (0.0, 1.0)).all():
        generator = np.random.default_rng(seed)
        deals = generator.permuted(np.tile(inside, (draws, 1)), axis=1)
        far = np.abs(deals @ residuals) >= abs(inside @ residuals) - 1e-9
        permuted = float((1 + far.sum()) / (1 + draws))
    if not spells.closed[pair].any():
        return {"statistic": np.nan, "pvalue": np.nan, "permutation_pvalue": permuted}
    shut, entry = spells.closed[pair].astype(np.float64), spells.entry[pair]
    try:
        statistic = float(survdiff(spells.time[pair], shut, group[pair], entry=entry)[0])
    except np.linalg.LinAlgError:  # whenever a store closed, stores of one group only were at risk
        statistic = np.nan
    return {
        "statistic": statistic,
        "pvalue": float(stats.chi2.sf(statistic, 1)),
        "permutation_pvalue": permuted,
    }


def _by_cluster(spells: Spells, pair: Mask, group: Mask) -> tuple[Array, Array]:
    """Return each cluster's closings less those expected, and the share of its stores in the group."""
    entry, time, closed = spells.entry[pair], spells.time[pair], spells.closed[pair]
    days, gone = np.unique(time[closed], return_counts=True)
    there = (entry[:, None] < days) & (days <= time[:, None])
    residual = closed - there @ (gone / there.sum(axis=0))
    _, town = np.unique(spells.cluster[pair], return_inverse=True)
    share = np.bincount(town, group[pair]) / np.bincount(town)
    return np.bincount(town, residual).astype(np.float64), share
