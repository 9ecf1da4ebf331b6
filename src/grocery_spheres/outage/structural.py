"""What would have been, by a model of how the unit moves with its donors, its seasons and its own past?

The outcome is a constant, season terms and donor factors, times coefficients, plus errors that wander and
stay off course for a while. Nothing is optimised: every setting of the errors on a grid and every number of
factors is worked out and weighed (`error_grid`), so that not knowing them widens the interval.
"""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr

from grocery_spheres.outage.donor_factors import MOVES, donor_factors
from grocery_spheres.outage.error_grid import Problem
from grocery_spheres.outage.expected import Array, Expected, Options, Target
from grocery_spheres.outage.mixture import Mixture, mix
from grocery_spheres.tables import ContractError

FACTORS = 6  # at most, unless `options.factors` asks for more
PER_FACTOR = 6  # known periods for each factor, behind one for each fixed term
SPARE = 5  # known periods beyond the fixed terms, at least: fewer leave no spread to learn errors from
REPEATS = 1e-6  # share of a term's size that earlier terms must leave of it: less, and it repeats them


def structural(target: Target, donors: Array, options: Options) -> Expected:
    """Return what a unit would have had, by its donors' factors, its seasons, its level and its memory.

    The model is `y = X b + level + u`. X: a constant, season terms, and the first k donor factors (the
    donors' total, then principal components of what that and the seasons leave). The level takes random
    steps; u is an AR(1). Settings of the errors are weighed by restricted likelihood, k by BIC;
    the result is their mixture of t distributions. Outcomes are taken as they are: that they are counts
    changes nothing, and a path may dip below 0.

    Parameters
    ----------
    target : Target
        Five known periods or more, in which it moves; one window period or more. Known periods may lie
        before, behind and between those of the window.
    donors : array, (donors, periods)
        Finite in the target's known periods and window; none at all is allowed.
    options : Options
        `season`: periods in a season; each has its own mean. `factors`: k, or None to weigh 0 to 6. With
        few known periods there are fewer factors, then no season terms: `dropped` says so.

    Returns
    -------
    Expected
        `path` in known periods is `X b + level`, without u, so that gaps before the outage can be seen;
        elsewhere it is the best linear prediction. NaN in periods for which a donor is missing, or which
        have a season that no known period has. `spread` is the mixture's distribution, `error` its standard
        deviation. `details`: `factors` (posterior weight of each k from 0), `rho` and `level_ratio`
        (posterior means; the latter is the variance of the level's step over that of u), `periods` and
        `donors` (how many were learnt from), `dropped` (sentences), `daily_error` (standard error of each
        window period), `running` (`mean` and `error` of the running total over the window's periods).

    Raises
    ------
    ContractError
        Numbers that are none or infinite, shapes that differ, no window, too few known periods, a target
        that never moves, a missing donor value, a season in the window that no known period has, an option
        out of range.

    References
    ----------
    Harvey (1989), *Forecasting, Structural Time Series Models and the Kalman Filter*, for the model;
    Patterson and Thompson (1971), Biometrika 58, for REML; Cressie (1993), *Statistics for Spatial Data*,
    section 3.4, for prediction with coefficients estimated; Brodersen et al. (2015), Annals of Applied
    Statistics 9, for the use of donors as regressors.

    Examples
    --------
    The unit sells twice what its donor sells, less or more one; in the last two periods it is dark.

    >>> donor = np.array([[3.0, 5, 4, 6, 5, 7, 6, 8, 7, 9, 8, 10, 12, 14]])
    >>> wobble = np.array([1.0, -1, -1, 1] * 3 + [0, 0])
    >>> dose = np.repeat([0.0, 1.0], [12, 2])
    >>> target = Target((2 * donor[0] + wobble) * (1 - dose), dose, dose == 0)
    >>> expected = structural(target, donor, Options(factors=1))
    >>> bool((abs(expected.path[-2:] - [24, 28]) < 1).all())
    True
    >>> expected.spread(np.array([10.0, 40.0])).round(3)
    array([0., 1.])
    """
    _check(target, options)
    donors = _checked_donors(target, donors)
    problem, centre, scale, dropped = _problem(target, donors, options)
    return _expected(mix(problem), (centre, scale), _facts(problem, donors, dropped))


def _check(target: Target, options: Options) -> None:
    values = _numbers("target's values", target.values)
    for name, array in (("dose", target.dose), ("fitted", target.fitted)):
        if values.ndim != 1 or np.shape(array) != values.shape:
            refusal = f"The target's {name} has shape {np.shape(array)}, its values {values.shape}"
            raise ContractError(f"{refusal}: all are one row of periods.")
    if (
        not np.isfinite(_numbers("target's doses", target.dose)).all()
        or np.asarray(target.fitted).dtype != bool
    ):
        raise ContractError(
            "The target's dose is a finite number in each period, and fitted is true or false."
        )
    if np.isinf(values).any():
        raise ContractError(f"The target is infinite in period {np.argmax(np.isinf(values))}: make it NaN.")
    if not target.window.any():
        raise ContractError(
            "The target has no outcome in a window: no period has a dose above 0 and a value."
        )
    _check_known(values[target.known])
    for name, value, least in (("season", options.season, 1), ("factors", options.factors, 0)):
        if value is None and name == "factors":
            continue
        if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
            raise ContractError(f"The option {name} is {value!r}: give a whole number from {least} on.")


def _check_known(known: Array) -> None:
    if len(known) < SPARE:
        count = f"The target has {len(known)} known periods outside its window"
        raise ContractError(f"{count}: a structural model needs {SPARE} or more. Give a longer panel.")
    if np.ptp(known) <= MOVES * np.abs(known).max():
        always = f"The target is {known[0]:g} in all its {len(known)} known periods"
        raise ContractError(
            f"{always}: nothing says how far it may stray. Take another unit, or more periods."
        )


def _numbers(name: str, array: Any) -> Array:
    try:
        return np.asarray(array, dtype=np.float64)
    except (TypeError, ValueError):
        raise ContractError(f"The {name} are no numbers: give an array of floats, NaN if missing.") from None


def _checked_donors(target: Target, donors: Array) -> Array:
    """Return the donors as a table, or refuse what the model cannot be learnt from."""
    periods = len(target.values)
    table = _numbers("donors", donors)
    table = table.reshape(0, periods) if not table.size else table
    if table.ndim != 2 or table.shape[1] != periods:
        raise ContractError(
            f"The donors have shape {table.shape}: give one row a donor, {periods} periods a row."
        )
    bad = ~np.isfinite(table) & (target.known | target.window)
    if bad.any():
        donor, period = np.argwhere(bad)[0]
        where = f"Donor {donor} is {table[donor, period]} in period {period}"
        raise ContractError(
            f"{where}, which the target needs: leave the donor out, or make the period missing."
        )
    return np.where(np.isinf(table), np.nan, table)


def _problem(target: Target, donors: Array, options: Options) -> tuple[Problem, float, float, list[str]]:
    """Return the model, the target's centre and scale in known periods, and what was left out of it."""
    known = np.flatnonzero(target.known)
    dropped: list[str] = []
    seasons = _seasons(target, options.season, dropped)
    fixed = 1 + seasons.shape[1]
    wanted = FACTORS if options.factors is None else int(options.factors)
    most = max(0, min(wanted, (len(known) - fixed) // PER_FACTOR))
    if most < min(wanted, len(donors)):
        dropped.append(f"factors behind the first {most}: {len(known)} known periods carry no more")
    use = target.known | target.window
    factors = donor_factors(donors, use, most, known_already=seasons)
    terms = np.column_stack([np.ones(len(use)), seasons, factors])
    columns, kept = _orthonormal(terms, known)
    for term in sorted(set(range(terms.shape[1])) - set(kept)):
        name = f"season term {term}" if term < fixed else f"factor {term - fixed + 1}"
        dropped.append(f"{name}: earlier terms say the same in the known periods")
    fixed = sum(term < fixed for term in kept)
    values = target.values[known]
    centre, scale = float(values.mean()), float(values.std())
    asked = None if options.factors is None else min(wanted, len(kept) - fixed)
    window = np.flatnonzero(target.window)
    return (
        Problem(columns, fixed, (values - centre) / scale, known, window, asked),
        centre,
        scale,
        dropped,
    )


def _seasons(target: Target, season: int, dropped: list[str]) -> Array:
    """Return a column for each season but the first that is known; NaN in periods of unknown seasons."""
    phase = np.arange(len(target.values)) % season
    seen = np.unique(phase[target.known])
    if np.count_nonzero(target.known) - len(seen) < SPARE:
        dropped.append(
            f"season terms: {np.count_nonzero(target.known)} known periods for {len(seen)} seasons"
        )
        return np.zeros((len(phase), 0))
    strange = ~np.isin(phase, seen)
    if (strange & target.window).any():
        period = np.argmax(strange & target.window)
        where = f"Period {period} of the window is number {phase[period]} of its season of {season}"
        raise ContractError(f"{where}, and no known period is: leave it out of the window, or take season=1.")
    columns = (phase[:, None] == seen[1:]).astype(np.float64)
    columns[strange] = np.nan
    return columns


def _orthonormal(terms: Array, known: npt.NDArray[np.int64]) -> tuple[Array, list[int]]:
    """Make each term orthonormal to those before it in known periods; leave out what repeats them."""
    basis = np.zeros((len(terms), 0))
    kept: list[int] = []
    for number, term in enumerate(terms.T):
        size = np.linalg.norm(term[known])
        left = term.copy()
        for _ in range(2):  # twice is enough to be rid of rounding
            left = left - basis @ (basis[known].T @ left[known])
        length = np.linalg.norm(left[known])
        if length > REPEATS * size:
            basis = np.column_stack([basis, left / length])
            kept.append(number)
    return basis, kept


def _facts(problem: Problem, donors: Array, dropped: list[str]) -> dict[str, Any]:
    return {"periods": len(problem.known), "donors": len(donors), "dropped": tuple(dropped)}


def _expected(mixture: Mixture, place: tuple[float, float], facts: dict[str, Any]) -> Expected:
    """Put the mixture back into the units of the outcome."""
    centre, scale = place
    covariance = scale**2 * mixture.covariance
    upto = np.tri(len(covariance))
    running = {
        "mean": np.cumsum(centre + scale * mixture.expected),
        "error": _roots(upto @ covariance @ upto.T),
    }
    details = {
        "factors": mixture.factors,
        "rho": mixture.rho,
        "level_ratio": mixture.ratio,
        **facts,
        "running": running,
        "daily_error": _roots(covariance),
    }
    error = float(np.sqrt(max(covariance.mean(), 0)))
    return Expected(
        centre + scale * mixture.path, error, spread=_spread(mixture, centre, scale), details=details
    )


def _roots(covariance: Array) -> Array:
    return np.sqrt(np.maximum(np.diag(covariance), 0))


def _spread(mixture: Mixture, centre: float, scale: float) -> Callable[[Array], Array]:
    """Return the distribution of the window's mean: a mixture of t distributions."""
    centres, scales = centre + scale * mixture.means, scale * mixture.errors

    def below(means: Array) -> Array:
        apart = (np.asarray(means, dtype=np.float64)[..., None] - centres) / scales
        return np.asarray(stdtr(mixture.free, apart) @ mixture.weights)

    return below
