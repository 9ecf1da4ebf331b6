"""Who was a customer before the outage, and what did they, and customers of others, buy day by day?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from grocery_spheres.accounting.records import Array, Flags, Records, Whole
from grocery_spheres.accounting.spans import Spans

OWN, ELSEWHERE, REST = range(3)
FIRST_RIVAL = 3


@dataclass(frozen=True)
class Roles:
    """What each store counts as.

    Attributes
    ----------
    dark : array of int
        Those whose regular customers are followed.
    lost : array of int
        Those at which the followed lose: the dark ones, and others that are dark on the same days.
    hidden : array of int
        Those that are neither here nor elsewhere: the lost, and whatever the real outage moved.
    donors : array of int
        Those whose customers are compared with.
    """

    dark: Whole
    lost: Whole
    hidden: Whole
    donors: Whole


@dataclass(frozen=True)
class People:
    """Who is followed, and with whom nobody is compared.

    Attributes
    ----------
    followed : array of bool, (households,)
        Regular customers of the dark stores.
    known : array of bool, (households,)
        Followed here or in another case.
    touched : array of bool, (households,)
        Who ever came to a store at which the followed lose, before the outage.
    """

    followed: Flags
    known: Flags
    touched: Flags


@dataclass(frozen=True)
class Followed:
    """Purchases of the followed customers, and of those that they are compared with.

    Attributes
    ----------
    bought : array, (measures, 3 + rivals, days)
        At the dark stores; at all others; at the dark stores by anybody who is not followed; at each rival
        (a part of the second).
    pool : array, (measures, 3 + kinds, days)
        The same of the donors, each with customers chosen by the same rule who never came to a dark store: at
        the own store, at others, at the own store by the rest, at each kind of rivals.
    compared : int
        Households in the pool.
    """

    bought: Array
    pool: Array
    compared: int


def customers(records: Records, spans: Spans, least: int) -> Flags:
    """Say of each pair of household and store whether it came on so many days of the selection.

    Parameters
    ----------
    records : Records
        All of them.
    spans : Spans
        Its selection counts.
    least : int
        Days.
    """
    return np.asarray(visits(records, spans) >= least)


def visits(records: Records, spans: Spans) -> Whole:
    """Count the days of the selection on which each pair of household and store met."""
    return np.bincount(records.pair[records.within(spans.selection)], minlength=len(records.pair_store))


def exposed(records: Records, regular: Flags, stores: Whole) -> Flags:
    """Say of each household whether it is a customer of any of some stores."""
    people = np.zeros(records.persons, dtype=bool)
    people[records.pair_person[regular & records.marked(stores)[records.pair_store]]] = True
    return people


def follow(
    records: Records,
    regular: Flags,
    people: People,
    roles: Roles,
    rivals: tuple[Sequence[Whole], Sequence[Whole]] = ((), ()),
) -> Followed:
    """Sum what followed customers and those of the donors bought, day by day.

    Parameters
    ----------
    records : Records
        All that may be looked at.
    regular : array of bool, (pairs,)
        Who is whose customer (`customers`).
    people : People
        Who is followed.
    roles : Roles
        What each store counts as.
    rivals : tuple of two sequences of array of int
        Kinds of stores, of which the donors' customers have some, too; and single stores.
    """
    kinds, single = rivals
    is_donor, person = records.marked(roles.donors), records.person
    of_pool = regular & is_donor[records.pair_store] & ~people.touched[records.pair_person]
    times = np.bincount(records.pair_person[of_pool], minlength=records.persons)
    mine, pooled = people.followed[person], of_pool[records.pair]
    away = ~records.marked(roles.hidden)[records.store]
    other = np.where(away, times[person] - pooled, 0)
    at = [records.marked(one)[records.store] for one in (*kinds, *single)]
    here = mine & records.marked(roles.lost)[records.store]
    nobody = ~people.known[person] & records.marked(roles.dark)[records.store]
    bought = [here, mine & away, nobody, *(mine & away & place for place in at)]
    rest = is_donor[records.store] & ~pooled & ~people.touched[person]
    pool = [pooled, other, rest, *(np.where(place, other, 0) for place in at[: len(kinds)])]
    return Followed(_by_day(records, bought), _by_day(records, pool), int((times > 0).sum()))


def ranked(records: Records, spans: Spans, followed: Flags, hidden: Whole) -> Whole:
    """Rank the other stores by the baskets of followed customers in the selection, the most first.

    Parameters
    ----------
    records, spans
        As for `customers`.
    followed : array of bool, (households,)
        Who is followed.
    hidden : array of int
        Stores that are left out.
    """
    inside = records.within(spans.selection) & followed[records.person]
    inside &= ~records.marked(hidden)[records.store]
    count = len(records.store_ids)
    sold = np.bincount(records.store[inside], records.baskets[inside], minlength=count)
    order = np.argsort(-sold, kind="stable")
    return order[sold[order] > 0]


def _by_day(records: Records, weights: Sequence[Flags | Whole]) -> Array:
    """Sum each measure with each weight, (measures, weights, days)."""
    summed = np.zeros((len(records.amounts), len(weights), records.days))
    for place, weight in enumerate(weights):
        rows = np.flatnonzero(weight)
        day, times = records.day[rows], weight[rows]
        for measure, amount in enumerate(records.amounts):
            summed[measure, place] = np.bincount(day, amount[rows] * times, minlength=records.days)
    return summed
