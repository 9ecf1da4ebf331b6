"""What would the unit have sold, had it kept to the mix of others that it resembled before?

The outcome-only synthetic control of Abadie, Diamond and Hainmueller (2010, Journal of the American
Statistical Association 105): donors get weights, none below zero and adding to one, so that their mix comes
as near as it can to the unit in the periods without an effect. With an intercept the mix may lie at a
constant distance, as Doudchenko and Imbens (2016, NBER working paper 22791) propose, and Ferman and Pinto
(2021, Quantitative Economics 12) for units that no mix reaches.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from grocery_spheres.outage.donor_mix import Apart, check_target, mix
from grocery_spheres.outage.expected import Array, Expected, Flags, Options, Target, block_error
from grocery_spheres.outage.simplex import simplex_weights
from grocery_spheres.tables import ContractError


def synthetic_control(target: Target, donors: Array, options: Options) -> Expected:
    """Weigh donors so that their mix follows the unit in the known periods, and let the mix go on.

    Parameters
    ----------
    target : Target
        The dark unit.
    donors : array, (donors, periods)
        Units without an effect; no NaN in the target's known periods and window.
    options : Options
        `intercept`: the mix may lie at a constant distance from the unit (the mean distance over the known
        periods is then added to the path).

    Returns
    -------
    Expected
        `path`: the mix, NaN in periods where a donor in use has no outcome. `error`: of the fitted residuals.
        `details`: `rmspe` (root mean squared residual of the known periods, in units of the outcome);
        `relative_rmspe` (the same as a share of the unit's standard deviation in them); `donors_used`;
        `outside_hull`: whether the unit seems out of the donors' reach: the mix follows it worse than its
        own mean would (`relative_rmspe` above 1), or, without an intercept, its mean over the known periods
        is above or below that of every donor. False is no promise of a good fit.

    Raises
    ------
    ContractError
        No donor, no known period, no period in the window, or donors without an outcome where it is needed.

    Examples
    --------
    The unit sells the mean of two donors until it is dark.

    >>> values, dark = np.array([10.0, 14.0, 12.0, 2.0]), np.array([0, 0, 0, 1.0])
    >>> others = np.array([[8.0, 16.0, 14.0, 12.0], [12.0, 12.0, 10.0, 14.0]])
    >>> found = synthetic_control(Target(values, dose=dark, fitted=dark == 0), others, Options())
    >>> found.weights, found.path
    (array([0.5, 0.5]), array([10., 14., 12., 13.]))
    """
    check_target(target, donors)
    known = target.known
    apart = Apart.of(target, donors, known, intercept=options.intercept)
    weights = apart.weights()
    level = (
        target.values[known].mean() - weights @ donors[:, known].mean(axis=1) if options.intercept else 0.0
    )
    path = mix(weights, donors) + level
    residuals = (target.values - path)[known]
    return Expected(
        path,
        error=block_error(residuals, int(target.window.sum())),
        weights=weights,
        details={"donors_used": int((weights > 0).sum())} | _judged(target, donors, residuals, options),
    )


def null_gaps(target: Target, donors: Array, options: Options) -> Callable[[float], Array]:
    """Return the function that refits the synthetic control as if an effect were the true one.

    Parameters
    ----------
    target, donors, options
        As for `synthetic_control`.

    Returns
    -------
    callable
        Takes the effect of a full period dark (units of the outcome) and returns residuals, (periods,): those
        of `synthetic_control(target.under(effect), ...)`, NaN where the period is neither fitted nor dark or
        has no outcome. The inner products are linear in the effect and computed once.

    Raises
    ------
    ContractError
        As `synthetic_control`.

    Examples
    --------
    >>> values, dark = np.array([10.0, 14.0, 12.0, 3.0]), np.array([0, 0, 0, 1.0])
    >>> others = np.array([[8.0, 16.0, 14.0, 12.0], [12.0, 12.0, 10.0, 14.0]])
    >>> gaps = null_gaps(Target(values, dose=dark, fitted=dark == 0), others, Options(intercept=False))
    >>> gaps(-10.0).round(6) + 0.0
    array([0., 0., 0., 0.])
    """
    check_target(target, donors)
    used = target.under(0.0).known
    apart = Apart.of(target, donors, used, intercept=options.intercept)
    start = apart.weights()

    def gaps(effect: float) -> Array:
        residuals = np.full(len(used), np.nan)
        residuals[used] = apart.residuals(apart.weights(effect, start=start), effect)
        return residuals

    return gaps


def placebo_gaps(values: Array, known: Flags, options: Options) -> Array:
    """Fit every unit with all the others as its donors.

    Parameters
    ----------
    values : array, (units, periods)
        Outcomes; no NaN in the known periods.
    known : array of bool, (periods,)
        Periods to fit.
    options : Options
        `intercept`.

    Returns
    -------
    array, (units, periods)
        Outcome less synthetic control; NaN where the unit or a donor in use has no outcome.

    Raises
    ------
    ContractError
        Fewer than two units, no known period, or a NaN in one.

    Examples
    --------
    The first unit is nearest to the second alone, which is the mean of the other two in the known periods.

    >>> values = np.array([[1.0, 3.0, 5.0], [2.0, 2.0, 2.0], [3.0, 1.0, 2.0]])
    >>> placebo_gaps(values, np.array([True, True, False]), Options()).round(6) + 0.0
    array([[-1. ,  1. ,  3. ],
           [ 0. ,  0. , -1.5],
           [ 1. , -1. ,  0. ]])
    """
    _check_units(values, known)
    fitted = values[:, known]
    centred = fitted - np.median(fitted, axis=0)
    if options.intercept:
        centred = centred - centred.mean(axis=1, keepdims=True)
    weights = _leave_one_out(centred @ centred.T)
    gaps = values - mix(weights, values)
    return gaps - gaps[:, known].mean(axis=1, keepdims=True) if options.intercept else gaps


def _leave_one_out(gram: Array) -> Array:
    """Return each unit's weights on all the others, 0 on itself."""
    weights = np.zeros_like(gram)
    everyone = np.arange(len(gram))
    for unit in everyone:
        others = everyone[everyone != unit]
        weights[unit, others] = simplex_weights(gram[others[:, None], others], gram[others, unit])
    return weights


def _check_units(values: Array, known: Flags) -> None:
    if values.ndim != 2 or len(values) < 2 or known.shape != values.shape[1:] or not known.any():
        raise ContractError(
            f"Placebos need at least two units, a flag a period, and a known period; values have shape "
            f"{values.shape}, flags {known.shape} with {known.sum()} known. Give units x periods."
        )
    lacking = np.flatnonzero(~np.isfinite(values[:, known]).all(axis=1))
    if len(lacking):
        raise ContractError(
            f"Units in rows {lacking[:5].tolist()} (0: the first; {len(lacking)} in all) have no finite "
            "outcome in a known period. Leave them out, or call fewer periods known."
        )


def _judged(target: Target, donors: Array, residuals: Array, options: Options) -> dict[str, float | bool]:
    """Say how well the mix follows the unit, and whether the unit seems out of reach."""
    values, levels = target.values[target.known], donors[:, target.known].mean(axis=1)
    rmspe, usual = float(np.sqrt(np.mean(residuals**2))), float(values.std())
    small = 1e-9 * float(np.abs(values).max())  # rounding
    relative = 0.0 if rmspe <= small else rmspe / usual if usual > small else float("inf")
    beyond = not levels.min() - small <= values.mean() <= levels.max() + small
    return {
        "rmspe": rmspe,
        "relative_rmspe": relative,
        "outside_hull": relative > 1 or (beyond and not options.intercept),
    }
