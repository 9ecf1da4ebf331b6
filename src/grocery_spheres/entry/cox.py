"""By what factor do rates of closing differ, given days at risk? Cox's regression, towns kept together.

The fit is statsmodels' PHReg with Efron's method for ties. Two things differ from its defaults, because rows
of one store follow each other here. A row is at risk after its first day, not on it: PHReg would count a
store twice on the day at which its rows meet. And rows without any closing inside are left out, which changes
no estimate; PHReg would spoil the scores with them.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from statsmodels.duration.hazard_regression import PHReg
from statsmodels.tools.sm_exceptions import ConvergenceWarning, HessianInversionWarning

from grocery_spheres.tables import GroceryError

Array = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

HALF_DAY = 0.5  # days; after its first day, before the next closing: days are whole
FAULTS = (ConvergenceWarning, HessianInversionWarning, RuntimeWarning)  # of a fit that cannot be trusted
FARTHEST = 12.0  # log hazard ratio a standard deviation, beyond which a fit runs away


@dataclass(frozen=True)
class Rows:
    """Days at risk. One entry = one store for as long as nothing about it changes.

    Attributes
    ----------
    start, stop : array of int
        At risk after day `start`, up to and with day `stop`.
    closed : array of bool
        Whether the store closed at `stop`.
    cluster : array of int
        Cluster of the store.
    values : array, (rows, terms)
        What rates of closing may depend on.
    names : sequence of str
        Names of the terms.
    """

    start: Whole
    stop: Whole
    closed: Mask
    cluster: Whole
    values: Array
    names: Sequence[str]


@dataclass(frozen=True)
class Cox:
    """A fitted regression.

    Attributes
    ----------
    params : array
        Log hazard ratios, one a term.
    covariance : array, (terms, terms)
        With clusters kept together (sandwich of Efron's score residuals, times clusters / (clusters - 1)).
    llf : float
        Log partial likelihood.
    clusters : int
        Clusters with a row that some closing tells something about.
    """

    params: Array
    covariance: Array
    llf: float
    clusters: int


def fit_cox(rows: Rows) -> Cox:
    """Fit Cox's regression.

    Parameters
    ----------
    rows : Rows
        Days at risk, rows of one store back to back.

    Returns
    -------
    Cox
        Coefficients and their covariance.

    Raises
    ------
    GroceryError
        The likelihood has no maximum: terms say the same, or one of them tells closings from survivals
        without error.

    References
    ----------
    B. Efron (1977), Journal of the American Statistical Association 72, for ties; D. Y. Lin and L. J. Wei
    (1989), same journal 84, for the sandwich.
    """
    days = np.unique(rows.stop[rows.closed])
    told = np.searchsorted(days, rows.stop, "right") > np.searchsorted(days, rows.start, "right")
    start, stop, closed = rows.start[told], rows.stop[told], rows.closed[told]
    values, cluster = rows.values[told], rows.cluster[told]
    scale = values.std(axis=0)
    if not (scale > 0).all():
        _refuse(rows, "a term is the same for every store at risk when one closed")
    scaled = (values - values.mean(axis=0)) / scale
    model = PHReg(stop, scaled, status=closed.astype(np.float64), entry=start + HALF_DAY, ties="efron")
    with warnings.catch_warnings():
        for fault in FAULTS:
            warnings.simplefilter("error", fault)
        try:
            params = model.fit(maxiter=100).params
            bread = np.linalg.inv(-model.hessian(params))
        except (*FAULTS, np.linalg.LinAlgError) as fault:
            said = f"{type(fault).__name__}: {str(fault)[:120]}"
            _refuse(rows, f"its likelihood has no maximum that can be found ({said})")
    if np.abs(params).max() > FARTHEST or not (np.diag(bread) > 0).all():
        _refuse(rows, "a coefficient runs away")
    scores = _by_cluster(score_residuals(start, stop, closed, scaled, params), cluster)
    meat = scores.T @ scores * len(scores) / max(len(scores) - 1, 1)
    covariance = bread @ meat @ bread / np.outer(scale, scale)
    return Cox(params / scale, covariance, float(model.loglike(params)), len(scores))


def score_residuals(start: Whole, stop: Whole, closed: Mask, values: Array, params: Array) -> Array:
    """Return what each row adds to the score, ties by Efron's method.

    Parameters
    ----------
    start, stop, closed, values
        As in `Rows`.
    params : array
        Log hazard ratios.

    Returns
    -------
    array, (rows, terms)
        At the maximum each column adds to zero.

    Examples
    --------
    Two stores at risk, the first closes: observed 1, expected one half.

    >>> now, then = np.zeros(2, dtype=np.int64), np.array([3, 5])
    >>> score_residuals(now, then, np.array([True, False]), np.array([[1.0], [0.0]]), np.zeros(1)).ravel()
    array([0.25, 0.25])
    """
    rates = np.exp(values @ params)
    residuals = np.zeros_like(values)
    for day in np.unique(stop[closed]):
        there, gone = (start < day) & (day <= stop), closed & (stop == day)
        ties = int(gone.sum())
        for place in range(ties):
            weights = rates * (there - gone * (place / ties))
            weights /= weights.sum()
            residuals += (gone / ties - weights)[:, None] * (values - weights @ values)
    return residuals


def _by_cluster(residuals: Array, cluster: Whole) -> Array:
    _, place = np.unique(cluster, return_inverse=True)
    return np.column_stack([np.bincount(place, column) for column in residuals.T])


def _refuse(rows: Rows, why: str) -> None:
    raise GroceryError(
        f"Cox's regression on {', '.join(map(repr, rows.names))} cannot be fitted to {rows.closed.sum():,} "
        f"closings: {why}. Leave out covariates that are constant or say the same as others, or that tell "
        "apart without error who closed."
    )
