"""What do the donors have in common? Their total first, then what that leaves, strongest first.

A total is the steadiest summary of many small donors, as averages of noise cancel. Where donors answer
differently to more than one common cause, principal components of what the total leaves hold the rest.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.linalg import eigh

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

MOVES = 1e-7  # share of a series' size that must be movement: less is rounding, and the series is constant


def donor_factors(donors: Array, use: Flags, most: int, *, known_already: Array | None = None) -> Array:
    """Return factors of the donors: standardised total, then principal components of the rest.

    Parameters
    ----------
    donors : array, (donors, periods)
        Their outcomes; no NaN in the periods used.
    use : array of bool, (periods,)
        Periods that the factors are made of.
    most : int
        Factors wanted at most.
    known_already : array, (periods, any), or None
        Columns, such as seasons, whose pattern the components need not repeat; None: none.

    Returns
    -------
    array, (periods, factors)
        Each has mean 0 and variance 1 in the periods used; NaN in other periods where a donor is missing.
        Fewer factors than wanted where the donors have no more in them; none where none of them moves.

    References
    ----------
    Stock and Watson (2002), "Forecasting using principal components from a large number of predictors",
    Journal of the American Statistical Association 97. The total as first factor is this project's choice.

    Examples
    --------
    The total of two donors is 2, 4, 8, 10: off its mean by -4, -2, 2, 4, in units of the root of 10.

    >>> donors = np.array([[1.0, 1.0, 5.0, 5.0], [1.0, 3.0, 3.0, 5.0]])
    >>> factors = donor_factors(donors, np.ones(4, dtype=bool), 5)
    >>> factors[:, 0].round(3)
    array([-1.265, -0.632,  0.632,  1.265])
    >>> factors.shape
    (4, 2)
    """
    moving = donors[_moves(donors[:, use])] if donors.size else np.zeros((0, len(use)))
    if not len(moving) or not most:
        return np.zeros((len(use), 0))
    units = _standardised(moving, use)
    total = _standardised(moving.sum(axis=0, keepdims=True), use)
    if not _moves(moving.sum(axis=0, keepdims=True)[:, use])[0]:
        total = total[:0]
    given = np.column_stack([np.ones(len(use)), total.T, *([] if known_already is None else [known_already])])
    rest = _components(units, given, use, most - len(total))
    return np.column_stack([total.T, rest])[:, :most]


def _moves(donors: Array) -> Flags:
    return np.ptp(donors, axis=1) > MOVES * np.abs(donors).max(axis=1, initial=0)


def _standardised(donors: Array, use: Flags) -> Array:
    centred = donors - donors[:, use].mean(axis=1, keepdims=True)
    spread = centred[:, use].std(axis=1, keepdims=True)
    return centred / np.where(spread > 0, spread, 1)


def _components(units: Array, given: Array, use: Flags, most: int) -> Array:
    """Return principal components of what given columns leave of the units. One column = one component."""
    slopes = np.linalg.lstsq(given[use], units[:, use].T, rcond=None)[0]
    left = units.T - given @ slopes
    directions, strengths = _strongest(left[use], min(most, *left[use].shape))
    sound = strengths > MOVES**2 * use.sum() * len(units)
    scores = left @ directions[:, sound]
    return scores / np.sqrt(strengths[sound] / use.sum())


def _strongest(table: Array, most: int) -> tuple[Array, Array]:
    """Return directions over columns with the largest sums of squares, and these sums, largest first.

    The smaller of the two cross products is taken apart: the other has the same values.
    """
    if most <= 0:
        return np.zeros((table.shape[1], 0)), np.zeros(0)
    wide = table.shape[1] > table.shape[0]
    product = table @ table.T if wide else table.T @ table
    last = len(product) - 1
    values, vectors = eigh(product, subset_by_index=(last - most + 1, last), check_finite=False)
    values, vectors = np.maximum(values[::-1], 0), vectors[:, ::-1]
    if wide:
        vectors = table.T @ vectors / np.sqrt(np.where(values > 0, values, 1))
    return vectors, values
