"""What would the unit have sold, had it moved in parallel with a weighted mix of others since a mix of days?

The synthetic difference in differences of Arkhangelsky, Athey, Hirshberg, Imbens and Wager (2021, American
Economic Review 111, algorithm 1): unit weights make the donors' mix move as the unit did, at whatever
distance; time weights make a mix of the days without an effect look, for the donors, like the window; the
effect is the difference in differences of the two mixes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from grocery_spheres.outage.donor_mix import Apart, check_target, mix
from grocery_spheres.outage.expected import Array, Expected, Flags, Options, Target, block_error
from grocery_spheres.outage.simplex import simplex_weights
from grocery_spheres.tables import ContractError

_TIME_RIDGE = 1e-6  # zeta of the time weights, in noise levels: the authors' choice, to make them unique
_REACHED = 1e-6  # distance, as a share of the lengths, below which the window counts as a mix of other days
_EXACT = 1e-11  # of the equations of the evenest time weights, in the scale of an orthonormal basis
_NEWTON = 100  # steps towards the evenest time weights; ten are usual


def synthetic_did(target: Target, donors: Array, options: Options) -> Expected:
    """Weigh donors and days, and let the unit move in parallel with the donors' mix.

    Parameters
    ----------
    target : Target
        The dark unit. It counts as one unit, also where it is the average of several.
    donors : array, (donors, periods)
        Units without an effect; no NaN in the target's known periods and window.
    options : Options
        Nothing of them is used.

    Returns
    -------
    Expected
        `path`: the donors' mix, moved by the distance of the unit from it in the mean of the known periods
        weighted by the time weights; the mean of outcome less path over the window is the estimate of the
        effect. `weights`: of the donors. `error`: of the residuals of the known periods. `details`:
        `time_weights` (periods,), 0 in periods that are not known; `zeta`, the regularisation of the unit
        weights in units of the outcome; `donors_used`; `rmspe`, the root mean squared residual of the
        known periods about its mean.

    Raises
    ------
    ContractError
        As `synthetic_control`; also if every known period is in the window.

    Notes
    -----
    As in the paper, `zeta` is the fourth root of the periods in the window times the noise level: the
    standard deviation of all the donors' first differences (here between neighbouring periods that are
    both known and outside the window). Unlike the paper's own software, weights are exact optima and none
    is set to 0 for being small. Recovery days after the window are left out of `fitted` by who calls, or are
    days like any other: time has no direction here.

    The paper's time weights carry a ridge too slight to be told from rounding (1e-6 noise levels). It
    matters only where many mixes of days match the window exactly, as with few donors and many days; there
    the evenest of them is taken, which is what a ridge that tends to 0 chooses.

    Under a null (`Target.under`) the window is among the fitted periods. The unit weights are then from all
    of them; time weights and `zeta` still are from the known periods outside the window, so that they are
    the same for every null and the residuals differ by the null alone.

    Examples
    --------
    The unit lies 5 above a donor, in every period that tells something about it.

    >>> values, dark = np.array([15.0, 17.0, 16.0, 3.0]), np.array([0, 0, 0, 1.0])
    >>> others = np.array([[10.0, 12.0, 11.0, 12.0]])
    >>> found = synthetic_did(Target(values, dose=dark, fitted=dark == 0), others, Options())
    >>> found.path, found.details["time_weights"].round(3)
    (array([15., 17., 16., 17.]), array([0.333, 0.333, 0.333, 0.   ]))
    """
    del options
    parts = _Parts.of(target, donors)
    known = target.known
    apart = Apart.of(target, donors, known, intercept=True)
    weights = apart.weights(ridge=known.sum() * parts.zeta**2)
    mixed, pre = mix(weights, donors), parts.pre
    path = mixed + parts.days @ (target.values - mixed)[pre]
    time_weights = np.zeros(len(path))
    time_weights[pre] = parts.days
    return Expected(
        path,
        error=block_error((target.values - path)[known], int(target.window.sum())),
        weights=weights,
        details={
            "time_weights": time_weights,
            "zeta": parts.zeta,
            "donors_used": int((weights > 0).sum()),
            "rmspe": float(np.sqrt(np.mean(apart.residuals(weights) ** 2))),
        },
    )


def null_gaps(target: Target, donors: Array, options: Options) -> Callable[[float], Array]:
    """Return the function that refits as if an effect were the true one.

    Parameters
    ----------
    target, donors, options
        As for `synthetic_did`.

    Returns
    -------
    callable
        Takes the effect of a full period dark (units of the outcome) and returns residuals, (periods,): those
        of `synthetic_did(target.under(effect), ...)`, NaN where the period is neither fitted nor dark or has
        no outcome. Time weights and inner products are computed once.

    Raises
    ------
    ContractError
        As `synthetic_did`.

    Examples
    --------
    >>> values, dark = np.array([15.0, 17.0, 16.0, 3.0]), np.array([0, 0, 0, 1.0])
    >>> others = np.array([[10.0, 12.0, 11.0, 12.0]])
    >>> null_gaps(Target(values, dose=dark, fitted=dark == 0), others, Options())(-10.0).round(6) + 0.0
    array([ 0.,  0.,  0., -4.])
    """
    del options
    parts = _Parts.of(target, donors)
    used = target.under(0.0).known
    apart = Apart.of(target, donors, used, intercept=True)
    ridge = used.sum() * parts.zeta**2
    start = apart.weights(ridge=ridge)

    def gaps(effect: float) -> Array:
        found = np.full(len(used), np.nan)
        found[used] = apart.residuals(apart.weights(effect, ridge=ridge, start=start), effect)
        return found - parts.days @ found[parts.pre]

    return gaps


@dataclass(frozen=True)
class _Parts:
    """What does not depend on the effect: days to learn from, their weights, and zeta."""

    pre: Flags
    days: Array
    zeta: float

    @classmethod
    def of(cls, target: Target, donors: Array) -> _Parts:
        check_target(target, donors)
        pre = target.known & (target.dose == 0)
        if not pre.any():
            raise ContractError(
                f"synthetic_did compares the window with days outside it, and all {target.known.sum()} known "
                "periods are in the window. Give a longer panel, or another method."
            )
        noise, length = _noise(donors, pre), int(target.window.sum())
        return cls(pre, _day_weights(donors, pre, target.window, noise), length**0.25 * noise)


def _noise(donors: Array, pre: Flags) -> float:
    """Return the standard deviation of the donors' changes between neighbouring days."""
    changes = np.diff(donors, axis=1)[:, pre[1:] & pre[:-1]]
    return float(changes.std(ddof=1)) if changes.size > 1 else 0.0


def _day_weights(donors: Array, pre: Flags, window: Flags, noise: float) -> Array:
    """Return weights of days whose mix is nearest, over donors and up to a constant, to the window's mean."""
    apart = donors[:, pre].T - donors[:, window].mean(axis=1)
    apart = apart - apart.mean(axis=1, keepdims=True)
    ridge = len(donors) * (_TIME_RIDGE * noise) ** 2
    days = simplex_weights(apart @ apart.T, np.zeros(len(apart)), ridge=ridge)
    slight = _REACHED * np.sqrt((apart**2).sum(axis=1).max())
    if np.linalg.norm(days @ apart) > slight:
        return days
    even = _evenest(apart)
    return days if even is None or np.linalg.norm(even @ apart) > slight else even


def _evenest(apart: Array) -> Array | None:
    """Return the least uneven weights of days whose mix is exactly 0; None if no mix is.

    The least sum of squares of non-negative weights under equations is max(0, B'y) for the y that meets the
    equations; that y minimises a convex function, here by Newton's steps, halved where they overshoot.
    """
    days = len(apart)
    scaled = apart / (np.abs(apart).max() or 1.0)
    left, sizes, right = np.linalg.svd(np.column_stack([scaled, np.ones(days)]), full_matrices=False)
    rank = int((sizes > 1e-10 * sizes[0]).sum())
    basis, aim = left[:, :rank].T, (right[:rank, -1] / sizes[:rank])  # basis @ weights = aim: mix 0, sum 1

    def height(y: Array) -> float:
        return float(np.sum(np.maximum(y @ basis, 0.0) ** 2) / 2 - aim @ y)

    y = basis.sum(axis=1) / days
    for _ in range(_NEWTON):
        weights = np.maximum(y @ basis, 0.0)
        missed = basis @ weights - aim
        if np.abs(missed).max() <= _EXACT:
            return np.asarray(weights / weights.sum())
        used = basis[:, weights > 0]
        move = np.linalg.lstsq(used @ used.T, -missed, rcond=1e-12)[0]
        size, now = 1.0, height(y)
        while size > 1e-10 and height(y + size * move) > now + 1e-4 * size * (missed @ move):
            size /= 2
        y = y + size * move
    return None
