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
class Followed:
    """Purchases of the followed customers, and of those that they are compared with.

    Attributes
    ----------
    bought : array, (measures, 3 + rivals, days)
        At the dark stores; at all others; at the dark stores by anybody who is not followed; at each rival
        (a part of the second).
    pool : array, (measures, 3 + kinds, days)
        The same of the donors, each with customers chosen by the same rule, none of them a customer of a dark
        store: at the own store, at others, at the own store by the rest, at each kind of rivals.
    followed : array of bool, (households,)
        Who is followed.
    """

    bought: Array
    pool: Array
    followed: Flags


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
    chosen = (records.day >= spans.selection.start) & (records.day < spans.selection.stop)
    visits = np.bincount(records.pair[chosen], minlength=len(records.pair_store))
    return np.asarray(visits >= least)


def exposed(records: Records, regular: Flags, stores: Whole) -> Flags:
    """Say of each household whether it is a customer of any of some stores."""
    wanted = np.zeros(len(records.store_ids), dtype=bool)
    wanted[stores] = True
    people = np.zeros(records.persons, dtype=bool)
    people[records.pair_person[regular & wanted[records.pair_store]]] = True
    return people


def follow(
    records: Records,
    regular: Flags,
    stores: tuple[Whole, Whole],
    kinds: Sequence[Whole] = (),
    single: Sequence[Whole] = (),
) -> Followed:
    """Sum what followed customers and those of the donors bought, day by day.

    Parameters
    ----------
    records : Records
        All of them.
    regular : array of bool, (pairs,)
        Who is whose customer (`customers`).
    stores : tuple of array of int
        The dark ones, and the donors.
    kinds, single : sequence of array of int
        Rivals: stores of each kind, of which the donors' customers have some, too; and single stores.
    """
    dark, donors = stores
    people = exposed(records, regular, dark)
    is_dark, is_donor = _marked(records, dark), _marked(records, donors)
    of_pool = regular & is_donor[records.pair_store] & ~people[records.pair_person]
    times = np.bincount(records.pair_person[of_pool], minlength=records.persons)
    person = records.person
    mine, here, pooled = people[person], is_dark[records.store], of_pool[records.pair]
    other = np.asarray(times[person] - pooled, dtype=np.int64)
    at = [_marked(records, one)[records.store] for one in (*kinds, *single)]
    bought = [mine & here, mine & ~here, ~mine & here, *(mine & ~here & place for place in at)]
    rest = is_donor[records.store] & ~pooled & ~mine
    pool = [pooled, other, rest, *(np.where(place, other, 0) for place in at[: len(kinds)])]
    return Followed(_by_day(records, bought), _by_day(records, pool), people)


def ranked(records: Records, spans: Spans, people: Flags, dark: Whole) -> Whole:
    """Rank the other stores by what followed customers bought there in the selection, the most first.

    Parameters
    ----------
    records, spans
        As for `customers`.
    people : array of bool, (households,)
        Who is followed.
    dark : array of int
        Stores that are left out.
    """
    inside = (records.day >= spans.selection.start) & (records.day < spans.selection.stop)
    inside &= people[records.person] & ~_marked(records, dark)[records.store]
    sold = np.bincount(records.store[inside], records.amounts[0][inside], minlength=len(records.store_ids))
    order = np.argsort(-sold, kind="stable")
    return order[sold[order] > 0]


def _marked(records: Records, stores: Whole) -> Flags:
    marks = np.zeros(len(records.store_ids), dtype=bool)
    marks[stores] = True
    return marks


def _by_day(records: Records, weights: Sequence[Flags | Whole]) -> Array:
    """Sum each measure with each weight, (measures, weights, days)."""
    summed = np.zeros((len(records.amounts), len(weights), records.days))
    for place, weight in enumerate(weights):
        rows = np.flatnonzero(weight)
        day, times = records.day[rows], weight[rows]
        for measure, amount in enumerate(records.amounts):
            summed[measure, place] = np.bincount(day, amount[rows] * times, minlength=records.days)
    return summed
