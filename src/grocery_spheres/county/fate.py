"""Which grocers close? Contribution, month by month, against a fixed cost: demand leads to exit."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from grocery_spheres.county.parameters import Parameters

DAYS_A_MONTH = 365.25 / 12

Array = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass
class Fate:
    """How the stores of some towns do; arrays are (slots, towns), USD a month of the whole town.

    Attributes
    ----------
    trading : array of bool
        Whether the store has not closed for good.
    fixed_cost : array
        A month.
    closed : array of int
        Ordinal of the last day of trading; 0 for stores that have not closed.
    profits, costs : list of array
        Contribution less fixed cost, and fixed cost, of the months so far; profit is not a number where the
        store did not trade.
    """

    trading: Flags
    fixed_cost: Array
    closed: Whole
    profits: list[Array] = field(default_factory=list)
    costs: list[Array] = field(default_factory=list)

    def copy(self) -> Fate:
        """Return a fate that can go its own way."""
        return Fate(self.trading.copy(), self.fixed_cost, self.closed.copy(), [*self.profits], [*self.costs])


def unknown(exists: Flags) -> Fate:
    """Return the fate of stores whose fixed cost is not known yet.

    Examples
    --------
    >>> bool(unknown(np.array([[True]])).trading.all())
    True
    """
    return Fate(exists.copy(), np.zeros(exists.shape), np.zeros(exists.shape, dtype=np.int64))


def start_of(parameters: Parameters, exists: Flags, usd_a_day: Array, cushion: Array) -> Fate:
    """Set fixed costs by what the stores sold before the first day.

    Parameters
    ----------
    exists : array of bool, (slots, towns)
        Whether there is such a store; Spheres (slot 0) have no fixed cost here and never close.
    usd_a_day : array, (slots, towns)
        Sales of the followed households in the burn-in.
    cushion : array, (slots, towns)
        Share by which contribution exceeds fixed cost.

    Examples
    --------
    >>> sold = np.array([[50.0], [100.0]])   # a Sphere and a grocer, USD a day
    >>> values = Parameters(town_scale=10, margin=0.3, handling=0.1)
    >>> start_of(values, sold > 0, sold, np.full((2, 1), 0.2)).fixed_cost.round(2).tolist()
    [[0.0], [4870.0]]
    """
    fixed = contribution(parameters, usd_a_day * DAYS_A_MONTH) * (1 - cushion)
    fixed[0] = 0
    return Fate(exists.copy(), np.where(exists, fixed, 0.0), np.zeros(exists.shape, dtype=np.int64))


def contribution(parameters: Parameters, usd: Array) -> Array:
    """Return what sales of the followed households leave the store, for the whole town."""
    return np.asarray(usd * parameters.town_scale * (parameters.margin - parameters.handling))


def close_month(fate: Fate, parameters: Parameters, usd: Array, first: int, last: int) -> Flags:
    """Book a month and close the grocers that have long earned less than their fixed cost.

    Parameters
    ----------
    usd : array, (slots, towns)
        The month's sales of the followed households.
    first, last : int
        Ordinals of the month's days, both inclusive: fixed cost is by the day, so a part of a month counts
        for its part.

    Returns
    -------
    array of bool, (slots, towns)
        Grocers that close at the month's end. The fate is updated.
    """
    cost = fate.fixed_cost * (last - first + 1) / DAYS_A_MONTH
    profit = contribution(parameters, usd) - cost
    fate.profits.append(np.where(fate.trading, profit, np.nan))
    fate.costs.append(cost)
    if len(fate.profits) < parameters.patience:
        return np.zeros_like(fate.trading)
    earned, due = (np.sum(one[-parameters.patience :], axis=0) for one in (fate.profits, fate.costs))
    with np.errstate(invalid="ignore"):
        closes = fate.trading & (earned < -parameters.tolerance * due)
    closes[0] = False
    fate.trading &= ~closes
    fate.closed[closes] = last
    return closes
