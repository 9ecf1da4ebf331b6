"""When, and at which stores, might an outage have been that never was?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from grocery_spheres.accounting.cases import Case, open_all_along
from grocery_spheres.accounting.records import Records, Whole
from grocery_spheres.accounting.spans import WEEK, Spans, earlier

ALIKE = 3.0  # times what a dark store sells, up or down, that a store taken for it may sell
_AT_LEAST = 20  # stores that are taken, the nearest in sales, where fewer are alike


@dataclass(frozen=True, eq=False)
class Moment:
    """One time at which a placebo may be.

    Attributes
    ----------
    back : int
        Days before the real one.
    spans : Spans
        Its days.
    open, alike : array of int
        Stores that may serve then, and those of them that may be taken for dark.
    touches : bool
        Whether its days reach into a real outage: then whom that touched may not be looked at.
    """

    back: int
    spans: Spans
    open: Whole
    alike: Whole
    touches: bool


@dataclass(frozen=True)
class Pick:
    """One placebo: which stores are taken for dark, and when."""

    stores: tuple[int, ...]
    moment: Moment


def moments(records: Records, case: Case, cases: Sequence[Case]) -> list[Moment]:
    """List the times of placebos, the nearest first: the real days, and whole weeks earlier.

    Parameters
    ----------
    records : Records
        All of them.
    case : Case
        Who was dark when, and who is compared with.
    cases : sequence of Case
        All of them.

    Returns
    -------
    list of Moment
        Donors serve at any time, since whom an outage touched is then not looked at; the dark stores serve
        where no outage is near. Whoever serves sells all along.
    """
    found = []
    for back in range(0, records.days, WEEK):
        spans = earlier(case.spans, back) if back else case.spans
        if spans is not None:
            touches = any(_meets(spans, one.spans) for one in cases)
            there = case.donors if touches else np.union1d(case.donors, case.dark)
            selling = there[open_all_along(records, spans)[there]]
            found.append(Moment(back, spans, selling, _alike(records, case, selling), touches))
    return found


def draw_picks(times: list[Moment], size: int, *, placebos: int, seed: int) -> list[Pick]:
    """Draw placebos: as many stores as were dark, or half of those that may serve where there are too few.

    Parameters
    ----------
    times : list of Moment
        The nearest first.
    size : int
        How many stores were dark.
    placebos, seed : int
        How many are drawn, and by which draw.

    Returns
    -------
    list of Pick
        No two alike, the nearest in time first.
    """
    rng = np.random.default_rng(seed)
    if size == 1:
        return [Pick((int(one),), time) for time in times for one in rng.permutation(time.alike)][:placebos]
    picks: dict[Pick, None] = {}
    for _ in range(placebos):
        for time in times:
            picks |= dict.fromkeys(Pick(group, time) for group in _dealt(time.alike, size, rng))
        if len(picks) >= placebos:
            break
    return sorted(picks, key=lambda pick: pick.moment.back)[:placebos]


def _meets(spans: Spans, real: Spans) -> bool:
    """Say whether a real outage, or what came after it, lies in days that are looked at."""
    return spans.baseline.start < real.stop and spans.stop > real.outage.start


def _dealt(stores: Whole, size: int, rng: np.random.Generator) -> list[tuple[int, ...]]:
    """Deal stores out into groups."""
    size = min(size, len(stores) // 2)
    if not size:
        return []
    dealt = rng.permutation(stores).tolist()
    return [tuple(sorted(dealt[at : at + size])) for at in range(0, len(dealt) - size + 1, size)]


def _alike(records: Records, case: Case, stores: Whole) -> Whole:
    """Return the stores that sell about as much as the dark ones do in the real baseline."""
    sold = records.sold(case.spans.baseline)
    apart = np.abs(np.log(np.maximum(sold[stores], 1e-12) / max(float(sold[case.dark].mean()), 1e-12)))
    count = max(int((apart <= np.log(ALIKE)).sum()), min(_AT_LEAST, len(apart)))
    return np.sort(stores[np.argsort(apart, kind="stable")[:count]])
