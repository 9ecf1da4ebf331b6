"""Which weights, none below zero and adding to one, bring many series nearest to one series?

A convex quadratic problem with one optimum for the fit. It is solved by an active set, as Lawson and Hanson
(1974, Solving Least Squares Problems, chapter 23) do for weights of any sum: donors come in one at a time
where the slope says so, and leave where their weight would fall below zero. Each step solves a small linear
system, so the result is the optimum up to rounding and not the end of a descent that was stopped. Everything
is read off inner products, so that many targets can share those of their donors.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.linalg.lapack import dposv

from grocery_spheres.tables import ContractError, GroceryError

ROUNDING = 1e-13  # slopes that differ by less, relative to the series' lengths, count as equal
TOLERANCE = 1e-9  # of the optimality conditions after solving, relative to the series' lengths
INDEPENDENT = 1e-8  # least share of a squared length that other donors leave unexplained, for a common start
NOTHING = 1e-14  # weights below are rounding, and set to 0
STEPS = 30  # a donor, before the search is given up; two or three are usual

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


class WeightsError(GroceryError):
    """The optimality conditions of the weights do not hold."""


def simplex_weights(gram: Array, cross: Array, *, ridge: float = 0.0, start: Array | None = None) -> Array:
    """Minimise ||b - w'A||^2 + ridge ||w||^2 over weights w >= 0 that sum to 1.

    Parameters
    ----------
    gram : array, (donors, donors)
        Inner products of the donors' series, A A'. A series common to all donors and the target may be taken
        from each of them beforehand: the weights stay the same, and fewer digits are lost.
    cross : array, (donors,)
        Inner products of the donors with the target, A b.
    ridge : float
        Price of concentration, in squared units of the outcome; 0: none.
    start : array, (donors,), or None
        Weights of a problem like this one. They save time and do not change the optimum; where several
        weights give the same fit (equal donors), they may change which of these come back.

    Returns
    -------
    array, (donors,)
        Weights; exactly 0 for donors that are not used.

    Raises
    ------
    ContractError
        Inner products that are no numbers or do not fit together, a negative ridge, a start off the simplex.
    WeightsError
        The optimality conditions fail after solving; see `shortfall`.

    Examples
    --------
    The target lies halfway between two donors; the third is far away.

    >>> donors, target = np.array([[0.0, 2.0], [2.0, 0.0], [9.0, 9.0]]), np.array([1.0, 1.0])
    >>> simplex_weights(donors @ donors.T, donors @ target)
    array([0.5, 0.5, 0. ])
    """
    _check(gram, cross, ridge, start)
    quadratic = gram + ridge * np.eye(len(gram)) if ridge else gram
    weights = _descend(quadratic, cross, _begin(quadratic, cross, start))
    weights = np.where(weights > NOTHING, weights, 0.0)
    weights = weights / weights.sum()
    missed = shortfall(quadratic, cross, weights)
    if not missed <= TOLERANCE:
        raise WeightsError(
            f"The weights of {len(cross)} donors miss their optimality conditions by {missed:.1e} of the "
            f"series' lengths; {TOLERANCE:.0e} is allowed. The outcome may be on a scale at which digits are "
            "lost: leave out donors that are thousands of times larger or smaller than the unit."
        )
    return weights


def shortfall(quadratic: Array, cross: Array, weights: Array) -> float:
    """Return by how much weights miss the optimality conditions (Karush, Kuhn and Tucker's).

    At the optimum the slope of half the objective is the same for every donor in use, and no smaller for any
    other.

    Parameters
    ----------
    quadratic : array, (donors, donors)
        Inner products of the donors, the ridge added to the diagonal.
    cross, weights : array, (donors,)
        Inner products with the target; weights on the simplex.

    Returns
    -------
    float
        The largest breach of any donor, relative to the lengths of the series that make up its slope.

    Examples
    --------
    >>> shortfall(np.eye(2), np.zeros(2), np.array([0.5, 0.5]))
    0.0
    >>> shortfall(np.eye(2), np.zeros(2), np.array([1.0, 0.0]))
    0.5
    """
    slack, size = _slack(quadratic, cross, weights)
    breach = np.where(weights > 0, np.abs(slack), -np.minimum(slack, 0))
    return float(np.max(breach / size, initial=0.0))


def _check(gram: Array, cross: Array, ridge: float, start: Array | None) -> None:
    """Refuse inner products that cannot be those of donors and a target."""
    count = len(cross)
    if count == 0 or gram.shape != (count, count):
        raise ContractError(
            f"Weights need one row and column of inner products a donor; {count} donors have a table of "
            f"shape {gram.shape}. Give at least one donor, and A A' beside A b."
        )
    if not (np.isfinite(gram).all() and np.isfinite(cross).all() and np.isfinite(ridge) and ridge >= 0):
        raise ContractError(
            "The inner products of donors and target hold NaN or infinite values, or the ridge is below 0. "
            "Fit on periods in which all of them have an outcome; outcomes above 1e150 need another unit."
        )
    if start is not None and not (
        start.shape == cross.shape and (start >= 0).all() and abs(start.sum() - 1) <= TOLERANCE
    ):
        raise ContractError(
            f"A start must be {count} weights, none below 0, that sum to 1; it has shape {start.shape} and "
            f"sum {start.sum():.6g}. Give the weights of an earlier solution, or None."
        )


def _slack(quadratic: Array, cross: Array, weights: Array) -> tuple[Array, Array]:
    """Return each donor's slope less the mean slope of those in use, and the size of what was added up."""
    used = weights.nonzero()[0]
    slope = quadratic[:, used] @ weights[used] - cross
    length = np.sqrt(quadratic.diagonal())
    target = np.max(np.abs(cross) / np.where(length > 0, length, np.inf), initial=0.0)
    fit = weights @ length
    size = (length + fit) * (fit + target)
    return slope - weights @ slope, np.where(size > 0, size, 1.0)


def _begin(quadratic: Array, cross: Array, start: Array | None) -> Array:
    """Return weights to set out from: an earlier optimum, all donors thinned out, or the best one."""
    if start is not None:
        moved = _settle(quadratic, cross, start, start > 0)
        if moved is not None:
            return moved
    thinned = _thin(quadratic, cross)
    if thinned is not None:
        return thinned
    weights = np.zeros(len(cross))
    weights[np.argmin(np.diag(quadratic) - 2 * cross)] = 1.0
    return weights


def _thin(quadratic: Array, cross: Array) -> Array | None:
    """Solve for all donors at once and drop those below zero, until none is; None if donors are dependent."""
    members = np.ones(len(cross), dtype=bool)
    while True:
        weights = _best(quadratic, cross, members, INDEPENDENT)
        if weights is None or weights[members].min() > 0:
            return weights
        members = weights > 0


def _descend(quadratic: Array, cross: Array, weights: Array) -> Array:
    """Let donors in, steepest first, until no slope calls for one more."""
    barred = np.zeros(len(cross), dtype=bool)  # would get no weight, by rounding: until the weights move
    for _ in range(STEPS * (len(cross) + 1)):
        slack, size = _slack(quadratic, cross, weights)
        calling = (slack < -ROUNDING * size) & (weights == 0) & ~barred
        if not calling.any():
            return weights
        entering = int(np.argmin(np.where(calling, slack, np.inf)))
        moved = _let_in(quadratic, cross, weights, entering)
        if moved is None:
            barred[entering] = True
        else:
            weights, barred = moved, np.zeros_like(barred)
    return weights


def _let_in(quadratic: Array, cross: Array, weights: Array, entering: int) -> Array | None:
    """Return the weights with one more donor in use, or None if it would get no weight."""
    members = weights > 0
    members[entering] = True
    best = _best(quadratic, cross, members)
    if best is None or best[entering] <= 0:
        return None
    return _settle(quadratic, cross, weights, members)


def _settle(quadratic: Array, cross: Array, weights: Array, members: Flags) -> Array | None:
    """Move towards the best weights of some donors; whoever reaches zero on the way leaves."""
    moved = False
    while True:
        best = _best(quadratic, cross, members)
        if best is None:
            return weights if moved else None
        leaving = np.flatnonzero(members & (best <= 0))
        if not len(leaving):
            return best
        steps = weights[leaving] / (weights[leaving] - best[leaving])
        weights = np.maximum(weights + steps.min() * (best - weights), 0.0)
        weights[leaving[np.argmin(steps)]] = 0.0
        members, moved = weights > 0, True


def _best(quadratic: Array, cross: Array, members: Flags, least: float = 0.0) -> Array | None:
    """Return the best weights of some donors that sum to 1, of any sign; None if these are dependent.

    The shortest donor stands for the sum: the others are reckoned from it.
    """
    places = members.nonzero()[0]
    base = places[quadratic.diagonal()[places].argmin()]
    others = places[places != base]
    weights = np.zeros(len(cross))
    if len(others):
        beside, own = quadratic[base, others], quadratic[base, base]
        inner = quadratic[others[:, None], others]
        inner += own - beside
        inner -= beside[:, None]
        lengths = inner.diagonal().copy()
        factor, solved, failed = dposv(inner.T, cross[others] - cross[base] - beside + own, overwrite_a=True)
        if failed or (least and (factor.diagonal() ** 2 <= least * lengths).any()):
            return None
        weights[others] = solved
    weights[base] = 1.0 - weights.sum()
    return weights
