"""How far do prices differ between two lists of what was sold? Index numbers over matched products.

Laspeyres asks what the first basket would cost at the second prices, Paasche the second basket; Fisher is
their geometric mean, Törnqvist weights each price relative by the mean of both shares of spending. The
last two are superlative: Diewert (1976), Exact and superlative index numbers, Journal of Econometrics 4,
115-145. Unit values stand for prices: what a product brought in, over the packages sold.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from grocery_spheres.tables import ContractError

FORMULAS = ("fisher", "tornqvist", "laspeyres", "paasche")
FIRST_USD, SECOND_USD, FIRST_REPRICED, SECOND_REPRICED, FIRST_LOGS, SECOND_LOGS = range(6)
ITEMS_AT_ONCE = 4096  # so that many draws of many products never stand in memory together

Array = npt.NDArray[np.float64]


def check_formula(formula: str) -> None:
    """Refuse a formula that is not known."""
    if formula not in FORMULAS:
        raise ContractError(f"`formula` is {formula!r}: choose one of {', '.join(map(repr, FORMULAS))}.")


def matched_sums(first: tuple[Array, Array], second: tuple[Array, Array]) -> Array:
    """Sum over matched products what the index numbers are made of; sums of parts add to those of the whole.

    Parameters
    ----------
    first, second : (sales, quantities)
        Of the same products, along the first axis; further axes (draws) are kept. A product is matched
        where all four are above zero.

    Returns
    -------
    array, (6, ...)
        Sales of the first list and the second; the first list at the second prices, the second at the
        first; log price relatives times sales of the first, of the second.

    Examples
    --------
    >>> bread, milk = (2.0, 1.0, 3.0, 1.0), (8.0, 4.0, 0.0, 0.0)          # milk is not sold any more
    >>> usd, quantity, later_usd, later_quantity = np.array([bread, milk]).T
    >>> matched_sums((usd, quantity), (later_usd, later_quantity))[:4]
    array([2., 3., 3., 2.])
    """
    total = np.zeros((6, *np.shape(first[0])[1:]))
    for begin in range(0, len(first[0]), ITEMS_AT_ONCE):
        part = slice(begin, begin + ITEMS_AT_ONCE)
        total += _sums(first[0][part], first[1][part], second[0][part], second[1][part])
    return total


def _sums(usd: Array, quantity: Array, later_usd: Array, later_quantity: Array) -> Array:
    matched = (usd > 0) & (quantity > 0) & (later_usd > 0) & (later_quantity > 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = np.where(matched, (later_usd / later_quantity) / (usd / quantity), 1.0)
    logs = np.log(relative)
    usd, later_usd = np.where(matched, usd, 0.0), np.where(matched, later_usd, 0.0)
    parts = (usd, later_usd, usd * relative, later_usd / relative, usd * logs, later_usd * logs)
    return np.stack([part.sum(axis=0) for part in parts])


def log_index(sums: Array, formula: str) -> Array:
    """Return the logarithm of a price index, second list over first; NaN where no product is matched.

    Parameters
    ----------
    sums : array, (6, ...)
        As `matched_sums` returns them.
    formula : str
        "fisher", "tornqvist", "laspeyres" or "paasche".

    Examples
    --------
    Bread rises from 1 to 2 USD, milk stays at 1; of both 3 were sold, then 1 bread and 3 milk. Laspeyres
    is 9/6 and Paasche 5/4:

    >>> sums = matched_sums((np.array([3.0, 3.0]), np.array([3.0, 3.0])),
    ...                     (np.array([2.0, 3.0]), np.array([1.0, 3.0])))
    >>> [round(float(np.exp(log_index(sums, formula))), 6) for formula in ("laspeyres", "paasche", "fisher")]
    [1.5, 1.25, 1.369306]
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        if formula == "tornqvist":
            both = sums[FIRST_LOGS] / sums[FIRST_USD] + sums[SECOND_LOGS] / sums[SECOND_USD]
            return np.asarray(both / 2)
        laspeyres = np.log(sums[FIRST_REPRICED] / sums[FIRST_USD])
        paasche = np.log(sums[SECOND_USD] / sums[SECOND_REPRICED])
    chosen = {"laspeyres": laspeyres, "paasche": paasche, "fisher": (laspeyres + paasche) / 2}
    return np.asarray(chosen[formula])


def log_mean(first: Array, second: Array) -> Array:
    """Return the logarithmic mean: the difference of two amounts over the difference of their logarithms.

    Examples
    --------
    >>> np.round(log_mean(np.array([1.0, 3.0]), np.array([np.e, 3.0])), 6)
    array([1.718282, 3.      ])
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        half = np.log(second / first) / 2
        bulge = np.where(half == 0, 1.0, np.sinh(half) / np.where(half == 0, 1.0, half))
    return np.asarray(np.sqrt(first * second) * bulge)
