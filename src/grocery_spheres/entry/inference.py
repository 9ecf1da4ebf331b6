"""How sure are estimates that units add to? Standard errors, intervals, uniform bands, tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from grocery_spheres.entry.study import Study
from grocery_spheres.tables import ContractError

Array = npt.NDArray[np.float64]

_NO_NOISE = 1e-10  # of the largest error or value: less is rounding, not noise


@dataclass(frozen=True)
class Certainty:
    """How sure each of several estimates is. NaN: not to be told.

    Attributes
    ----------
    value : array
        The estimates.
    rows : array, (clusters, estimates)
        What each cluster adds to the errors.
    se : array
        Standard errors.
    df : array
        Degrees of freedom of the t distribution.
    """

    value: Array
    rows: Array
    se: Array
    df: Array

    def interval(self, alpha: float) -> tuple[Array, Array]:
        """Return the ends of each estimate's own interval."""
        half = stats.t.ppf(1 - alpha / 2, self.df) * self.se
        return self.value - half, self.value + half

    def pvalues(self) -> Array:
        """Return the p-value of each estimate against zero."""
        return np.asarray(2 * stats.t.sf(np.abs(self.value / self.se), self.df))


def certainty(study: Study, value: Array, influence: Array) -> Certainty:
    """Turn what units add to errors into standard errors with their degrees of freedom.

    Parameters
    ----------
    study : Study
        Says which cluster and cohort each unit belongs to.
    value : array
        Estimates.
    influence : array, (units, estimates)
        What each unit adds to each one's error.

    Returns
    -------
    Certainty
        With a unit as its own cluster, degrees of freedom are Satterthwaite's over cohorts: few units in
        the cohort that makes the noise give few degrees. Larger clusters count as units do where each lies
        within one cohort: a cohort's part is scaled by n / (n - 1) for its n clusters. Where some span
        cohorts, errors are scaled by G / (G - 1) for G clusters, and the degrees are one less than the
        clusters with treated units, or with units to compare with if those are fewer.
    """
    clusters = int(study.cluster.max()) + 1
    rows = np.zeros((clusters, influence.shape[1]))
    np.add.at(rows, study.cluster, influence)
    home = _homes(study)
    if home is None:
        rows = (rows - rows.mean(axis=0)) * np.sqrt(clusters / (clusters - 1))
        df = np.full(len(value), float(_fewer(study) - 1))
    else:
        if clusters < len(study.cluster):
            count = np.bincount(home)[home]
            rows *= np.sqrt(count / np.maximum(count - 1, 1))[:, None]
        df = _satterthwaite(home, rows)
    se = np.sqrt((rows**2).sum(axis=0))
    scale = max(float(np.abs(value).max(initial=0.0)), float(se.max(initial=0.0)), 1e-300)
    return Certainty(value, rows, np.where(se > _NO_NOISE * scale, se, np.nan), df)


def _homes(study: Study) -> npt.NDArray[np.int64] | None:
    """Return the cohort that each cluster lies in; None where some cluster spans two."""
    home = np.zeros(int(study.cluster.max()) + 1, dtype=np.int64)
    home[study.cluster] = study.cohort
    return home if (home[study.cluster] == study.cohort).all() else None


def _fewer(study: Study) -> int:
    """Count the clusters with treated units or those with comparisons, whichever are fewer; two at least."""
    treated = (study.cohort > 0) & ~np.isin(study.cohort, study.lone)
    others = study.cohort == 0 if (study.cohort == 0).any() else study.cohort > study.cohorts[0]
    return max(min(study.clusters_of(treated), study.clusters_of(others)), 2)


def _satterthwaite(home: npt.NDArray[np.int64], rows: Array) -> Array:
    """Return the degrees of freedom of a sum of variances, one from each cohort (Satterthwaite 1946)."""
    top, bottom = np.zeros(rows.shape[1]), np.zeros(rows.shape[1])
    for cohort in np.unique(home):
        members = rows[home == cohort]
        variance = (members**2).sum(axis=0)
        top += variance
        bottom += variance**2 / max(len(members) - 1, 1)
    return np.divide(top**2, bottom, out=np.full(len(top), np.nan), where=bottom > 0)


def drawn_maxima(sure: Certainty, *, draws: int, seed: int) -> Array:
    """Draw the largest t statistic over all estimates, were every true value zero.

    Parameters
    ----------
    sure : Certainty
        Estimates whose errors belong together.
    draws, seed : int
        Each draw gives every cluster a sign at random (multiplier bootstrap).

    Returns
    -------
    array
        One entry a draw.
    """
    told = np.isfinite(sure.se)
    if not told.any():
        return np.zeros(draws)
    signs = np.random.default_rng(seed).integers(0, 2, size=(draws, len(sure.rows))) * 2.0 - 1.0
    drawn: Array = np.abs(signs @ (sure.rows[:, told] / sure.se[told])).max(axis=1)
    return drawn


def uniform_band(sure: Certainty, alpha: float, *, draws: int, seed: int) -> tuple[Array, Array]:
    """Return a band that holds all estimates' true values together with the level 1 - alpha.

    Parameters
    ----------
    sure : Certainty
        The estimates that the band is for.
    alpha : float
        One minus the level.
    draws, seed : int
        Of the multiplier bootstrap.

    Returns
    -------
    array, array
        Lower and upper ends. The bootstrap's critical value, which is one of a normal distribution, is
        carried over to each estimate's t distribution at equal probability.
    """
    critical = float(np.quantile(drawn_maxima(sure, draws=draws, seed=seed), 1 - alpha))
    tail = min(stats.norm.sf(critical), alpha / 2)
    half = stats.t.isf(tail, sure.df) * sure.se
    return sure.value - half, sure.value + half


def check_level(alpha: float, draws: int) -> None:
    """Refuse a level that is none, or too few draws for its tails.

    Examples
    --------
    >>> check_level(0.05, 999)
    """
    if isinstance(alpha, bool) or not isinstance(alpha, int | float) or not 0 < alpha < 1:
        raise ContractError(f"`alpha` is {alpha!r}: give one minus the level, such as 0.05 for 95 %.")
    least = int(np.ceil(2 / alpha))
    if isinstance(draws, bool) or not isinstance(draws, int | np.integer) or draws < least:
        raise ContractError(
            f"`draws` is {draws!r}, and the tails of a band with alpha {alpha} need a whole number of at "
            "least "
            f"{least}."
        )
