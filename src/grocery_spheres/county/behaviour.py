"""What does a household do on a day? Whether it shops, where, how much, and what it learns from it.

Random utility with one nest: staying at home against the stores (Cardell's variance components make the
nested logit's shocks). Each store's shock is an exponential arrival: the store that arrives first is chosen
(Gumbel-max in other words), so removing a store moves only those who had chosen it. Beliefs about
authenticity move by trial, habit is a slow stock, both only on trips; nothing else makes a change last.

Of household i, day t and store j, with the dissimilarity `nest` (n):

    V_ijt = liking_ij - price_response_i x log price_jt + authenticity_weight x belief_ijt + habit x habit_ijt
    P(trip) = 1 / (1 + exp(stay_it - n log sum_j exp V_ijt)),    P(j | trip) = exp V_ijt / sum_k exp V_ikt
    stay_it = anchor_i + stock_effect x (stock_it - 1) - what draws out of the house today

So V, "utility among stores", counts n times as much as "utility of going". With n = 1 it is plain logit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from grocery_spheres.county.draws import DAY, Keys, Purpose, exponential, uniform
from grocery_spheres.county.parameters import Parameters

Array = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass
class State:
    """What households carry from day to day; arrays of stores are (slots, households).

    Attributes
    ----------
    stock : array, (households,)
        Home stock, in baskets of the household's own size.
    habit : array
        Slow share of recent trips, adds to 1 over stores.
    belief : array
        Believed authenticity, 0 to 1.
    fixed : array
        Utility of each store before belief and habit, at this week's prices.
    pull : array
        exp(utility) of each store: what races; 0 where there is no store.
    """

    stock: Array
    habit: Array
    belief: Array
    fixed: Array
    pull: Array

    def copy(self) -> State:
        """Return a state that can go its own way."""
        return State(*(one.copy() for one in (self.stock, self.habit, self.belief, self.fixed, self.pull)))

    def of(self, rows: Whole) -> State:
        """Return the state of some households."""
        per_store = (self.habit, self.belief, self.fixed, self.pull)
        return State(self.stock[rows], *(np.ascontiguousarray(one[:, rows]) for one in per_store))


@dataclass(frozen=True)
class Nature:
    """What households are, beside their tastes for stores; one entry a household.

    Attributes
    ----------
    anchor : array
        Utility of staying at home with one basket in stock.
    need : array
        Baskets consumed a day with one basket in stock.
    lines : array
        Lines in one basket of stock.
    basket : array
        Scale of its baskets.
    keys : array of uint64
        Where its draws start.
    parameters : Parameters
        What is common to all.
    """

    anchor: Array
    need: Array
    lines: Array
    basket: Array
    keys: Keys
    parameters: Parameters

    def of(self, rows: Whole, keys: Keys) -> Nature:
        """Return the nature of some households, whose days are drawn by `keys`."""
        chosen = (self.anchor[rows], self.need[rows], self.lines[rows], self.basket[rows])
        return Nature(*chosen, keys, self.parameters)


def refresh(state: State, nature: Nature, rows: Whole | slice = slice(None)) -> None:
    """Bring `pull` in line with belief and habit, for some households."""
    utility = (
        state.fixed[:, rows]
        + nature.parameters.authenticity_weight * state.belief[:, rows]
        + nature.parameters.habit * state.habit[:, rows]
    )
    state.pull[:, rows] = np.exp(utility)


def race(keys: Keys, day: int, pull: Array) -> tuple[Array, Whole]:
    """Return when the first store arrives and which it is; -1 and infinity where none can.

    Parameters
    ----------
    keys : array of uint64, (households,)
        Of the households.
    day : int
        Day number; with the slot it names the draw.
    pull : array, (slots, households)
        Rates of arrival: a store is first with probability pull over the sum of pulls.
    """
    first = np.full(len(keys), np.inf)
    which = np.full(len(keys), -1)
    with np.errstate(divide="ignore"):
        for slot, rate in enumerate(pull):
            arrival = exponential(keys, day * DAY + slot) / rate
            np.copyto(which, slot, where=arrival < first)
            np.minimum(first, arrival, out=first)
    return first, which


def nest_shock(keys: Keys, day: int, nest: float) -> Array:
    """Return the shock that all stores share: log of a positive stable draw of index `nest` (Kanter 1975).

    Added to the stores' Gumbel shocks and scaled by `nest` it gives the nested logit (Cardell 1997). With
    `nest` of 1 it is zero.
    """
    if nest == 1:
        return np.zeros(len(keys))
    angle = np.pi * uniform(keys, day * DAY + Purpose.NEST_ANGLE)
    size = exponential(keys, day * DAY + Purpose.NEST_SIZE)
    ratio = np.sin((1 - nest) * angle) / size
    return np.log(np.sin(nest * angle)) - (np.log(np.sin(angle)) - (1 - nest) * np.log(ratio)) / nest


def forget(state: State, nature: Nature) -> None:
    """Let a week's beliefs fade towards what one believes of a store never visited; `refresh` must follow."""
    values = nature.parameters
    state.belief[0] += values.belief_fade * (values.belief_sphere - state.belief[0])
    state.belief[1:] += values.belief_fade * (values.belief_grocer - state.belief[1:])


def stay_utility(state: State, nature: Nature, out: Array | float) -> Array:
    """Return the utility of staying at home; `out` is what draws out of the house today."""
    return nature.anchor + nature.parameters.stock_effect * (state.stock - 1) - out


def choose(state: State, nature: Nature, day: int, out: Array | float, pull: Array) -> tuple[Flags, Whole]:
    """Decide who makes a trip today, and where.

    Parameters
    ----------
    pull : array, (slots, households)
        As in the state, zero for stores that are closed or dark to the household today.

    Returns
    -------
    array of bool, array of int
        Whether each household makes a trip; the store that it chose or would have chosen.
    """
    first, which = race(nature.keys, day, pull)
    shock = nest_shock(nature.keys, day, nature.parameters.nest)
    with np.errstate(divide="ignore"):
        going = nature.parameters.nest * (shock - np.log(first))
    at_home = -np.log(exponential(nature.keys, day * DAY + Purpose.NO_TRIP))
    return going > stay_utility(state, nature, out) + at_home, which


def probabilities(state: State, nature: Nature, out: Array | float, pull: Array) -> tuple[Array, Array]:
    """Return the chance of each store and of no trip: the law that `choose` draws from.

    Returns
    -------
    array (slots, households), array (households,)
        They add to one for every household.
    """
    total = pull.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        inclusive = nature.parameters.nest * np.log(total)
        trip = 1 / (1 + np.exp(stay_utility(state, nature, out) - inclusive))
        shares = np.where(total > 0, pull / total, 0.0)
    return trip * shares, 1 - trip


def hour_of_trip(keys: Keys, day: int, clock: Array) -> Array:
    """Return when each household would shop today, in hours; `clock` is the cumulated share by hour."""
    drawn = uniform(keys, day * DAY + Purpose.HOUR)
    return np.interp(drawn, clock, np.arange(len(clock)))


def basket_lines(state: State, nature: Nature, day: int, rows: Whole, at_sphere: Flags) -> Whole:
    """Return the lines of each basket: a main trip or a fill-in, lognormal, by the household's scale."""
    keys = nature.keys[rows]
    base = np.log(nature.parameters.main_share / (1 - nature.parameters.main_share))
    odds = base + nature.parameters.main_stock * (state.stock[rows] - 1)
    main = uniform(keys, day * DAY + Purpose.MISSION) < 1 / (1 + np.exp(-odds))
    median = np.where(main, nature.parameters.main_lines, nature.parameters.fill_lines) * nature.basket[rows]
    spread = np.where(main, nature.parameters.main_spread, nature.parameters.fill_spread)
    scale = np.where(at_sphere, nature.parameters.sphere_lines, 1.0)
    drawn = scale * median * np.exp(spread * ndtri(uniform(keys, day * DAY + Purpose.BASKET)))
    return np.clip(np.rint(drawn), 1, nature.parameters.most_lines).astype(np.int64)


def consume(state: State, nature: Nature, bought: Array, eaten_out: Array) -> None:
    """Let a day pass at home: consumption falls with the stock and by what was eaten out; shopping comes in.

    Parameters
    ----------
    bought, eaten_out : array, (households,)
        Of today, in baskets of stock.
    """
    half = nature.parameters.stock_half
    wanted = nature.need * (1 + half) * state.stock / (state.stock + half)
    eaten = np.minimum(np.maximum(wanted - eaten_out, 0), state.stock)
    state.stock += bought - eaten


def learn(state: State, nature: Nature, day: int, rows: Whole, slot: Whole, *, shown: Array) -> None:
    """Move belief by the visit's surprise and habit towards the store, for those who made a trip.

    Parameters
    ----------
    shown : array, (trips,)
        Authenticity that the visit shows on average, 0 to 1.
    """
    noise = nature.parameters.signal_spread * ndtri(uniform(nature.keys[rows], day * DAY + Purpose.SIGNAL))
    before = state.belief[slot, rows]
    after = before + nature.parameters.belief_gain * (shown + noise - before)
    state.belief[slot, rows] = np.clip(after, 0, 1)
    habit = state.habit[:, rows] * (1 - nature.parameters.habit_gain)
    habit[slot, np.arange(len(rows))] += nature.parameters.habit_gain
    state.habit[:, rows] = habit
    refresh(state, nature, rows)
