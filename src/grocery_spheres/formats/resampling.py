"""How sure is a mean or a quantile, had other households like these been drawn?

Whole households are drawn with replacement, so that what belongs to one household stays together. A draw
is never made of rows: it is a weight for each household. A mean or share is then weights times sums a
household, and a quantile is read off values that were sorted once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from grocery_spheres.formats.doors import check_draws

BINS = 256  # of the sorted values: a quantile is looked up in one of them only

Array = npt.NDArray[np.float64]
Row = tuple[str, str, str, float, float | None, float | None]


@dataclass(frozen=True)
class Ratio:
    """A mean or a share: what is summed over households, and what it is divided by.

    Attributes
    ----------
    measure, statistic, unit : str
        The row's name.
    top, bottom : array
        One entry a household.
    """

    measure: str
    statistic: str
    unit: str
    top: Array
    bottom: Array


@dataclass(frozen=True)
class Quantiles:
    """Quantiles of values that belong to households, any number of values a household.

    Attributes
    ----------
    measure, unit : str
        The rows' name; each statistic is named by `quantile_name`.
    values : array
        In any order.
    who : array of int
        The household of each value: its place in `Ratio.top`. Read for intervals only.
    shares : sequence of float
        Which quantiles, between 0 and 1.
    """

    measure: str
    unit: str
    values: Array
    who: npt.NDArray[Any]
    shares: Sequence[float]


def quantile_name(share: float) -> str:
    """Name a quantile in words.

    Examples
    --------
    >>> quantile_name(0.1), quantile_name(0.5)
    ('10% below', 'median')
    """
    return "median" if share == 0.5 else f"{share:.0%} below"


def household_weights(households: int, *, draws: int, seed: int, alpha: float) -> Array:
    """Draw households with replacement: how often does each one come up?

    Parameters
    ----------
    households, draws, seed : int
        How many households, and how often as many are drawn from them.
    alpha : float
        One minus the level of the intervals that will be made of the draws.

    Returns
    -------
    array
        One row = one draw, one column = one household; each row adds to `households`.

    Raises
    ------
    ContractError
        What `doors.check_draws` refuses: `alpha` is no share, `draws` or `seed` is no whole number, or there
        are too few draws for the interval's tails.

    Examples
    --------
    >>> household_weights(3, draws=40, seed=1, alpha=0.05).sum(axis=1)[:2]
    array([3., 3.])
    """
    check_draws(draws=draws, seed=seed, alpha=alpha)
    chances = np.full(households, 1 / households)
    return np.random.default_rng(seed).multinomial(households, chances, size=draws).astype(np.float64)


def estimates(wanted: Iterable[Ratio | Quantiles], weights: Array | None, alpha: float) -> list[Row]:
    """Work out each ratio and quantile, with the interval over draws of households.

    Parameters
    ----------
    wanted : iterable of Ratio or Quantiles
        What to estimate.
    weights : array or None
        As `household_weights` draws them; None asks for no intervals.
    alpha : float
        One minus the level of the intervals.

    Returns
    -------
    list of tuple
        One row = one measure and statistic: measure, statistic, unit, value, low, high. What has nothing
        to be made of (no household came twice, no line was discounted) has no row. The ends are None
        without weights, and where some draw holds nothing to make the measure of.

    Examples
    --------
    >>> spent = Ratio("spending", "mean", "USD", np.array([4.0, 8.0]), np.ones(2))
    >>> estimates([spent], None, 0.05)
    [('spending', 'mean', 'USD', 6.0, None, None)]
    """
    rows: list[Row] = []
    for one in wanted:
        rows += _ratio(one, weights, alpha) if isinstance(one, Ratio) else _quantiles(one, weights, alpha)
    return rows


def _ratio(ratio: Ratio, weights: Array | None, alpha: float) -> list[Row]:
    bottom = ratio.bottom.sum()
    if bottom == 0:
        return []
    ends: tuple[float | None, float | None] = (None, None)
    if weights is not None:
        with np.errstate(invalid="ignore", divide="ignore"):
            ends = _ends((weights @ ratio.top) / (weights @ ratio.bottom), alpha)
    return [(ratio.measure, ratio.statistic, ratio.unit, float(ratio.top.sum() / bottom), *ends)]


def _quantiles(wanted: Quantiles, weights: Array | None, alpha: float) -> list[Row]:
    if not len(wanted.values):
        return []
    found = np.quantile(wanted.values, wanted.shares)
    drawn = None if weights is None else drawn_quantiles(wanted, weights)
    rows: list[Row] = []
    for column, share in enumerate(wanted.shares):
        ends = (None, None) if drawn is None else _ends(drawn[:, column], alpha)
        rows.append((wanted.measure, quantile_name(share), wanted.unit, float(found[column]), *ends))
    return rows


def _ends(drawn: Array, alpha: float) -> tuple[float | None, float | None]:
    if not np.isfinite(drawn).all():
        return None, None
    low, high = np.quantile(drawn, [alpha / 2, 1 - alpha / 2])
    return float(low), float(high)


def drawn_quantiles(wanted: Quantiles, weights: Array) -> Array:
    """Return the quantiles in every draw, as `numpy.quantile` gives them when each value is repeated.

    The sorted values are cut into bins, and each household's values are counted by bin. Weights times
    these counts say in which bin a draw's quantile lies; only that bin is then looked through.

    Parameters
    ----------
    wanted : Quantiles
        Values, their households, and which quantiles.
    weights : array
        One row = one draw, one column = one household.

    Returns
    -------
    array
        One row = one draw, one column = one quantile; NaN where a draw holds no value.

    Examples
    --------
    >>> two = Quantiles("gap", "days", np.array([1.0, 3.0, 8.0]), np.array([0, 0, 1]), [0.5])
    >>> drawn_quantiles(two, np.array([[1.0, 1.0], [2.0, 0.0]])).ravel()   # of 1 3 8, of 1 1 3 3
    array([3., 2.])
    """
    order = np.argsort(wanted.values, kind="stable")
    values, who = wanted.values[order], wanted.who[order]
    edges = np.linspace(0, len(values), min(BINS, len(values)) + 1).astype(np.int64)
    below = np.cumsum(weights @ _binned(who, edges, weights.shape[1]), axis=1)
    last = np.maximum(below[:, -1] - 1, 0)

    def ranked(ranks: Array) -> Array:
        """Look up the value that stands at a rank (from 0) of each draw."""
        bins = (below <= ranks[:, None]).sum(axis=1)
        found = np.full(len(ranks), np.nan)
        for draw in np.flatnonzero(bins < below.shape[1]):
            inside = slice(*edges[bins[draw] : bins[draw] + 2])
            before = below[draw, bins[draw] - 1] if bins[draw] else 0.0
            reached = np.cumsum(weights[draw, who[inside]]) + before > ranks[draw]
            found[draw] = values[inside][np.argmax(reached)]
        return found

    pairs = [(last * share, ranked(np.floor(last * share))) for share in wanted.shares]
    steps = [ranked(np.ceil(place)) - first for place, first in pairs]
    return np.column_stack(
        [first + place % 1 * step for (place, first), step in zip(pairs, steps, strict=True)]
    )


def _binned(who: npt.NDArray[Any], edges: npt.NDArray[Any], households: int) -> Array:
    """Count each household's values by bin. One row = one household, one column = one bin."""
    bins = len(edges) - 1
    cells = who.astype(np.int64) * bins + np.repeat(np.arange(bins), np.diff(edges))
    return np.bincount(cells, minlength=households * bins).reshape(households, bins).astype(np.float64)
