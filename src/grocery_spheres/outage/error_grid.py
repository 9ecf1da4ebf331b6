"""How much does each setting of the errors, and each number of factors, explain?

A setting is a pair: how much of the AR(1) is left after a period, and how fast the level wanders. With both
given, everything else of a linear model has a closed form (generalised least squares), and one Cholesky
factor serves all nested numbers of factors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import numpy.typing as npt

from grocery_spheres.outage.covariance import Array, Errors, Times

RHO = (-0.2, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.96)  # share of the AR(1) left after a period
RATIO = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1)  # variance of the level's step over the AR(1)'s; see `weigh`
FLOOR = 1e-12  # share of the outcome's variance that always counts as noise, so that no fit is perfect
LEAST_WEIGHT = 1e-3  # of the largest weight: candidates below it are not worth their time


@dataclass(frozen=True)
class Problem:
    """A linear model of known periods, and the window that it is to foretell.

    Attributes
    ----------
    columns : array, (periods, terms)
        Terms of the mean, most needed first: fixed ones, then factors. Orthonormal in the known periods.
    fixed : int
        Terms that are always in, one or more.
    values : array, (known periods,)
        The outcome, near mean 0 and variance 1.
    known, window : array of int
        Numbers of the periods, rising.
    factors : int or None
        How many factors to take; None: weigh all numbers.
    """

    columns: Array
    fixed: int
    values: Array
    known: Times
    window: Times
    factors: int | None = None

    @cached_property
    def table(self) -> Array:
        """Terms and outcome in the known periods."""
        return np.column_stack([self.columns[self.known], self.values])

    @cached_property
    def dark(self) -> Times:
        """Numbers of the periods that are not known."""
        return np.setdiff1d(np.arange(len(self.columns)), self.known)

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        """Terms in each nested model: none of the factors, the first, the first two, and so on."""
        return np.arange(self.fixed, self.columns.shape[1] + 1)


@dataclass(frozen=True)
class Candidate:
    """One setting of the errors, with every nested number of factors.

    Attributes
    ----------
    errors : Errors
        The setting.
    root : array, (terms + 1, terms + 1)
        Cholesky factor of the cross products of terms and outcome, weighted by the errors' precision.
    rest : array, (models,)
        Weighted sum of squared residuals.
    likelihood, restricted : array, (models,)
        Logs of the profile likelihood and of the restricted (REML) likelihood, less shared constants.
    """

    errors: Errors
    root: Array
    rest: Array
    likelihood: Array
    restricted: Array


def candidate(problem: Problem, errors: Errors) -> Candidate:
    """Fit all nested models by generalised least squares under one setting of the errors.

    Parameters
    ----------
    problem : Problem
        The model.
    errors : Errors
        The setting, at the known periods.

    Examples
    --------
    A mean of 1, 2 and 6 with independent errors: squares of -2, -1 and 3 are left.

    >>> known = np.arange(3)
    >>> mean = Problem(np.full((3, 1), 3**-0.5), 1, np.array([1.0, 2.0, 6.0]), known, known[:0])
    >>> candidate(mean, Errors(known, 0.0, 0.0)).rest.round(6)
    array([14.])
    """
    cross = problem.table.T @ errors.solve(problem.table)
    cross[-1, -1] *= 1 + FLOOR
    root = np.linalg.cholesky(cross)
    rest = np.cumsum(root[-1, problem.fixed :][::-1] ** 2)[::-1]
    periods, free = len(problem.values), len(problem.values) - problem.sizes
    volume = np.cumsum(2 * np.log(np.diag(root)))[problem.sizes - 1]
    noise = errors.log_determinant
    likelihood = -0.5 * (periods * np.log(rest / periods) + noise)
    restricted = -0.5 * (free * np.log(rest / free) + noise + volume)
    return Candidate(errors, np.asarray(root, dtype=np.float64), rest, likelihood, restricted)


def candidates(problem: Problem) -> list[Candidate]:
    """Fit a problem under every pair of `RHO` and `RATIO`.

    Parameters
    ----------
    problem : Problem
        The model.

    Examples
    --------
    >>> known = np.arange(9)
    >>> mean = Problem(np.full((9, 1), 1 / 3), 1, np.sin(np.arange(9.0)), known, known[:0])
    >>> len(candidates(mean)) == len(RHO) * len(RATIO)
    True
    """
    return [candidate(problem, Errors(problem.known, rho, ratio)) for rho, ratio in product(RHO, RATIO)]


def weigh(problem: Problem, fits: Sequence[Candidate]) -> Array:
    """Return the posterior weights of settings and numbers of factors.

    Parameters
    ----------
    problem : Problem
        The model.
    fits : sequence of Candidate
        Of that model, under several settings.

    Returns
    -------
    array, (fits, models)
        They add to 1; small ones are nil.

    Notes
    -----
    Numbers of factors are weighed by BIC (Schwarz 1978) at their best setting. Within a number, settings are
    weighed by their restricted likelihood; the prior is flat over the grid: one part in six that the level
    stays, five that it wanders. Grid and prior are a choice, made on seeds and store-windows that no
    published proof uses: finer small ratios, or more belief in a level that stays, made simulated intervals
    narrower where levels do stay, but left those of real store-days too narrow over four weeks, where levels
    wander.
    """
    likelihood = np.array([one.likelihood for one in fits])
    restricted = np.array([one.restricted for one in fits])
    within = np.exp(restricted - restricted.max(axis=0))
    weights = within / within.sum(axis=0) * _support(problem, likelihood.max(axis=0))
    weights[weights < LEAST_WEIGHT * weights.max()] = 0
    return weights / weights.sum()


def _support(problem: Problem, likelihood: Array) -> Array:
    """Return the weights of the numbers of factors, up to a constant."""
    counts = np.arange(len(likelihood))
    if problem.factors is not None:
        return (counts == problem.factors).astype(np.float64)
    criterion = likelihood - 0.5 * counts * np.log(len(problem.values))
    return np.exp(criterion - criterion.max())
