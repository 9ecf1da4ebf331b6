"""What do the weighed settings of the errors and numbers of factors foretell together?

With a setting given, the forecast is universal kriging: terms of the mean with coefficients estimated, plus
what the errors of known periods say of the window's. Each forecast is a t distribution; they are mixed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from scipy.linalg import solve_triangular

from grocery_spheres.outage.covariance import Array, fading, shared_steps
from grocery_spheres.outage.error_grid import Candidate, Problem, candidates, weigh


@dataclass(frozen=True)
class Mixture:
    """What the weighed candidates foretell, in units of `Problem.values`.

    Attributes
    ----------
    path : array, (periods,)
        Mean and level, and in periods that are not known what is left there of the AR(1).
    expected, covariance : array, (window,) and (window, window)
        Moments of the window's outcomes.
    weights, means, errors, free : array, (parts,)
        The mean of the window is a mixture of t distributions: their weights, centres, scales and degrees
        of freedom.
    factors : array, (models,)
        Weight of each number of factors.
    rho, ratio : float
        Weighted means of the settings.
    """

    path: Array
    expected: Array
    covariance: Array
    weights: Array
    means: Array
    errors: Array
    free: Array
    factors: Array
    rho: float
    ratio: float


def mix(problem: Problem) -> Mixture:
    """Weigh every setting and number of factors, and mix what they foretell.

    Parameters
    ----------
    problem : Problem
        The model; its known periods are three more than its terms, or else it has no variance.

    Examples
    --------
    >>> known, window = np.arange(12), np.arange(12, 14)
    >>> constant = Problem(np.full((14, 1), 12**-0.5), 1, np.tile([-1.0, 1.0], 6), known, window)
    >>> foretold = mix(constant)
    >>> foretold.path.shape, round(float(foretold.weights.sum()), 9)
    ((14,), 1.0)
    """
    fits = candidates(problem)
    weights = weigh(problem, fits)
    kept = [(fit, weight) for fit, weight in zip(fits, weights, strict=True) if weight.any()]
    views = list(_views(problem, kept))
    expected = sum((view.expected for view in views), np.zeros(len(problem.window)))
    moment = sum((view.moment for view in views), np.zeros((len(expected), len(expected))))
    share = weights.sum(axis=1)
    return Mixture(
        path=sum((view.path for view in views), np.zeros(len(problem.columns))),
        expected=expected,
        covariance=moment - np.outer(expected, expected),
        weights=np.concatenate([view.weights for view in views]),
        means=np.concatenate([view.means for view in views]),
        errors=np.concatenate([view.errors for view in views]),
        free=np.concatenate([view.free for view in views]),
        factors=weights.sum(axis=0),
        rho=float(share @ [fit.errors.rho for fit in fits]),
        ratio=float(share @ [fit.errors.ratio for fit in fits]),
    )


@dataclass(frozen=True)
class _View:
    """What one setting foretells with its numbers of factors; sums over these are weighted."""

    path: Array
    expected: Array
    moment: Array
    weights: Array
    means: Array
    errors: Array
    free: Array


def _views(problem: Problem, kept: Sequence[tuple[Candidate, Array]]) -> Iterator[_View]:
    """Look from each setting at the window. In known periods the AR(1) is noise, nothing to foretell."""
    known, window, start = problem.known, problem.window, int(problem.known[0])
    walked = shared_steps(known, window, start), shared_steps(window, window, start)
    dark = np.isin(window, problem.dark)
    for rho, group in groupby(kept, key=lambda pair: pair[0].errors.rho):
        faded = fading(rho, known, window) * dark, fading(rho, window, window) * dark * dark[:, None]
        left = fading(rho, problem.dark, known)
        for fit, weights in group:
            cross, own = (ar + fit.errors.ratio * level for ar, level in zip(faded, walked, strict=True))
            solved = fit.errors.solve(np.column_stack([problem.table, cross]))
            slopes = _slopes(problem, fit, weights)
            pull = solved[:, : len(slopes) + 1] @ np.append(-slopes, weights.sum())
            path = problem.columns @ slopes + fit.errors.ratio * _walk(problem, pull)
            path[problem.dark] += left @ pull
            yield _View(path, *_moments(problem, fit, weights, (cross, own, solved)))


def _slopes(problem: Problem, fit: Candidate, weights: Array) -> Array:
    """Return the weighted sum of the nested models' coefficients."""
    total = np.zeros(problem.columns.shape[1])
    for model in np.flatnonzero(weights):
        size = problem.sizes[model]
        root, last = fit.root[:size, :size], fit.root[-1, :size]
        total[:size] += weights[model] * solve_triangular(root, last, trans=1, lower=True)
    return total


def _walk(problem: Problem, pull: Array) -> Array:
    """Return `shared_steps` of all periods with the known ones, times `pull`, without making the table."""
    later = np.zeros(len(problem.columns))
    later[problem.known] = pull
    later = np.cumsum(later[::-1])[::-1]
    later[: problem.known[0] + 1] = 0
    return np.cumsum(later)


def _moments(
    problem: Problem, fit: Candidate, weights: Array, covariances: tuple[Array, Array, Array]
) -> tuple[Array, ...]:
    """Return the fields of `_View` behind its path: kriging of the window with all nested models at once."""
    cross, own, solved = covariances
    terms = problem.columns.shape[1]
    unexplained = problem.columns[problem.window].T - problem.table[:, :terms].T @ solved[:, terms + 1 :]
    carried = solve_triangular(fit.root[:terms, :terms], unexplained, lower=True)
    models = np.flatnonzero(weights)
    sizes, free = problem.sizes[models], len(problem.values) - problem.sizes[models]
    means = np.array([fit.root[-1, :size] @ carried[:size] for size in sizes])
    means += cross.T @ solved[:, terms]
    spread = np.array([carried[:size].T @ carried[:size] for size in sizes])
    spread += own - cross.T @ solved[:, terms + 1 :]
    spread *= (fit.rest[models] / free)[:, None, None]
    share = weights[models]
    moment = np.einsum("k,kij->ij", share * free / (free - 2), spread) + (means.T * share) @ means
    errors = np.sqrt(np.maximum(spread.mean(axis=(1, 2)), 0))
    return share @ means, moment, share, means.mean(axis=1), errors, free.astype(np.float64)
