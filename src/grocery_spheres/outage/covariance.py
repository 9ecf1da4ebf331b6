"""How do errors hang together that wander slowly and stay off course for a while?

The error of a period is a level plus an AR(1): the level takes a random step each period, the AR(1) forgets a
share of itself. Such errors have dense covariances, but their precisions reach to the next period only, so
that solving takes time in proportion to the periods.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.linalg.lapack import dpttrf, dpttrs

Array = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Errors:
    """Level plus AR(1) at given times, in units of the variance of the AR(1).

    With s and t two times and 0 the first of `times`, the covariance is `rho ** |s - t|` plus `ratio` times
    the number of periods that both levels have walked together since the first time. The level at the first
    time is nil: a constant in the mean stands for it.

    Attributes
    ----------
    times : array of int
        Whole periods, rising, three or more; gaps are allowed.
    rho : float
        Share of the AR(1) that is left after a period, between -1 and 1 (both excluded).
    ratio : float
        Variance of the level's step in one period over the variance of the AR(1); 0: the level stays.

    Notes
    -----
    The AR(1) has a tridiagonal precision at any spacing (Rue and Held 2005, *Gaussian Markov Random Fields*,
    chapter 1), the steps of the level too; the precision of their sum follows by the Woodbury identity.

    Examples
    --------
    Two of these three times are neighbours, one is two periods off; half is forgotten each period:

    >>> errors = Errors(np.array([0, 1, 3]), 0.5, 0.0)
    >>> errors.between(errors.times)
    array([[1.   , 0.5  , 0.125],
           [0.5  , 1.   , 0.25 ],
           [0.125, 0.25 , 1.   ]])
    >>> errors.solve(errors.between(errors.times)).round(9) + 0.0
    array([[1., 0., 0.],
           [0., 1., 0.],
           [0., 0., 1.]])
    """

    times: Times
    rho: float
    ratio: float

    @cached_property
    def _forgotten(self) -> tuple[Array, Array]:
        """Return what is left of the AR(1) after each gap, and the variance that is new."""
        left = np.power(self.rho, np.diff(self.times).astype(np.float64))
        return left, 1 - left**2

    @cached_property
    def _precision(self) -> tuple[Array, Array]:
        """Return the diagonal and the off-diagonal of the AR(1)'s precision."""
        left, new = self._forgotten
        diagonal = np.ones(len(self.times))
        diagonal[1:] = 1 / new
        diagonal[:-1] += left**2 / new
        return diagonal, -left / new

    @cached_property
    def _walk(self) -> tuple[Array, Array]:
        """Return the factors of the precision of the levels behind the first, given level plus AR(1)."""
        diagonal, beside = self._precision
        step = 1 / (self.ratio * np.diff(self.times))
        own = diagonal[1:] + step
        own[:-1] += step[1:]
        first, second, _ = dpttrf(own, beside[1:] - step[1:])
        return first, second

    @property
    def log_determinant(self) -> float:
        """Log of the determinant of the covariance at `times`."""
        total = float(np.log(self._forgotten[1]).sum())
        if self.ratio:
            total += float(np.log(self.ratio * np.diff(self.times)).sum() + np.log(self._walk[0]).sum())
        return total

    def solve(self, columns: Array) -> Array:
        """Return the inverse covariance times columns.

        Parameters
        ----------
        columns : array, (times, any)
            What to solve for.
        """
        weighted = self._by_precision(columns)
        if not self.ratio:
            return weighted
        smoothed = np.zeros_like(weighted)
        smoothed[1:], _ = dpttrs(*self._walk, weighted[1:])
        return weighted - self._by_precision(smoothed)

    def _by_precision(self, columns: Array) -> Array:
        diagonal, beside = self._precision
        product = diagonal[:, None] * columns
        product[:-1] += beside[:, None] * columns[1:]
        product[1:] += beside[:, None] * columns[:-1]
        return product

    def between(self, left: Times, right: Times | None = None) -> Array:
        """Return covariances of errors at any times.

        Parameters
        ----------
        left : array of int
            Times of the rows; they may lie outside `times`.
        right : array of int or None
            Times of the columns; None: `times`.
        """
        other = self.times if right is None else right
        return fading(self.rho, left, other) + self.ratio * shared_steps(left, other, int(self.times[0]))


def fading(rho: float, left: Times, right: Times) -> Array:
    """Return correlations of an AR(1) at two sets of times.

    Parameters
    ----------
    rho : float
        Share that is left after a period.
    left, right : array of int
        Times of the rows and of the columns.

    Examples
    --------
    >>> fading(0.5, np.array([0]), np.array([0, 1, 2]))
    array([[1.  , 0.5 , 0.25]])
    """
    apart = np.abs(left[:, None] - right[None, :])
    return np.power(rho, np.arange(apart.max(initial=0) + 1, dtype=np.float64))[apart]


def shared_steps(left: Times, right: Times, start: int) -> Array:
    """Count the periods that two levels have walked together since a start, in either direction.

    Parameters
    ----------
    left, right : array of int
        Times of the rows and of the columns.
    start : int
        The time at which the level is nil.

    Examples
    --------
    >>> shared_steps(np.array([-2, 3]), np.array([-1, 0, 2, 5]), 0)
    array([[1., 0., 0., 0.],
           [0., 0., 2., 3.]])
    """
    one, other = (left - start)[:, None], (right - start)[None, :]
    together = np.minimum(np.abs(one), np.abs(other))
    return np.where(one * other > 0, together, 0).astype(np.float64)
