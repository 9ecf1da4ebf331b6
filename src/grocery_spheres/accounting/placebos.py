"""What would an account say of outages that never were? The whole of it, chosen and measured alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from grocery_spheres.accounting.cases import Case
from grocery_spheres.accounting.effects import TOLD, Effects, effects
from grocery_spheres.accounting.following import ELSEWHERE, OWN, customers, exposed, follow, ranked
from grocery_spheres.accounting.records import Array, Flags, Records, Whole
from grocery_spheres.accounting.spans import AFTERWARDS, OUTAGE, WEEK, Spans, earlier

ALIKE = 3.0  # times what a dark store sells, up or down, that a store taken for it may sell
_AT_LEAST = 20  # stores that are taken, the nearest in sales, where fewer are alike


@dataclass(frozen=True)
class Pick:
    """One placebo: which stores are taken for dark, and how many days earlier."""

    stores: tuple[int, ...]
    back: int


@dataclass(frozen=True)
class Asked:
    """What is the same for the real outage and its placebos.

    Attributes
    ----------
    regular : int
        Days of the selection on which a customer came at least.
    kinds : tuple of array of int
        Stores of each rival that is a kind of stores: the same for placebos.
    ranks : tuple of int
        Ranks of rivals that are single stores: a placebo's rivals have the same.
    """

    regular: int
    kinds: tuple[Whole, ...] = ()
    ranks: tuple[int, ...] = ()


def measured(records: Records, case: Case, asked: Asked, spans: Spans) -> tuple[Effects, Flags]:
    """Measure the effects at some stores, as if they had been dark, and say who was followed.

    Parameters
    ----------
    records : Records
        All that may be looked at.
    case : Case
        Who is taken for dark, and who is compared with.
    asked : Asked
        How.
    spans : Spans
        When; for a placebo not the case's own.
    """
    regular = customers(records, spans, asked.regular)
    single: list[Whole] = []
    if asked.ranks:
        people = exposed(records, regular, case.dark)
        order = ranked(records, spans, people, case.dark)
        single = [order[rank : rank + 1] for rank in asked.ranks]
    bought = follow(records, regular, (case.dark, case.donors), asked.kinds, single)
    return effects(bought, spans, records.weekday()), bought.followed


def draw_picks(records: Records, case: Case, *, placebos: int, seed: int) -> list[Pick]:
    """Draw placebos: as many stores as were dark, on the same days or whole weeks earlier.

    Returns
    -------
    list of Pick
        No two alike, the nearest in time first. Donors serve at any time, since the followed are not among
        those looked at, and at most half of them at once; the dark stores serve where all is over before the
        real outage begins.
    """
    rng = np.random.default_rng(seed)
    there = _alike(records, case)
    backs = [back for back in range(0, records.days, WEEK) if earlier(case.spans, back)]
    served = {back: there if _touches(case, back) else np.union1d(there, case.dark) for back in backs}
    if len(case.dark) == 1:
        every = [Pick((store,), back) for back, stores in served.items() for store in stores.tolist()]
        drawn = [every[place] for place in rng.permutation(len(every)).tolist()]
        return sorted(drawn, key=lambda pick: pick.back)[:placebos]
    picks: dict[Pick, None] = {}
    for _ in range(placebos):
        for back, stores in served.items():
            picks |= dict.fromkeys(Pick(group, back) for group in _dealt(stores, len(case.dark), rng))
        if len(picks) >= placebos:
            break
    return sorted(picks, key=lambda pick: pick.back)[:placebos]


def _touches(case: Case, back: int) -> bool:
    """Say whether what is looked at reaches into the real outage, so many days earlier."""
    return case.spans.stop - back > case.spans.outage.start


def _dealt(stores: Whole, size: int, rng: np.random.Generator) -> list[tuple[int, ...]]:
    """Deal stores out into groups of as many as were dark, or of half of them where there are too few."""
    size = min(size, len(stores) // 2)
    dealt = rng.permutation(stores).tolist() if size else []
    return [tuple(sorted(dealt[at : at + size])) for at in range(0, len(dealt) - size + 1, max(size, 1))]


def _alike(records: Records, case: Case) -> Whole:
    """Return the donors that sell about as much as the dark stores do in the baseline."""
    sold = records.summed(case.spans.baseline)[0]
    apart = np.abs(np.log(sold[case.donors] / max(float(sold[case.dark].mean()), 1e-12)))
    count = max(int((apart <= np.log(ALIKE)).sum()), min(_AT_LEAST, len(apart)))
    return np.sort(case.donors[np.argsort(apart, kind="stable")[:count]])


def placebo(records: Records, case: Case, asked: Asked, pick: Pick, real: Flags) -> Effects | None:
    """Return what is found where nothing happened; None where nothing was to be expected.

    Parameters
    ----------
    records, case, asked
        As for `measured`.
    pick : Pick
        Where and when.
    real : array of bool, (households,)
        Those who are followed in truth: nobody may look at them in the outage, or after it.
    """
    spans, touches = earlier(case.spans, pick.back), _touches(case, pick.back)
    everyone = case.donors if touches else np.union1d(case.donors, case.dark)
    taken = np.array(pick.stores)
    others = np.setdiff1d(everyone, taken)
    if spans is None or not len(others):
        return None
    clean = records.of_persons(~real) if touches else records
    found, _ = measured(clean, replace(case, dark=taken, donors=others), asked, spans)
    usable = (found.expected[:, [OWN, ELSEWHERE]][..., [OUTAGE, AFTERWARDS]] > 0).all()
    return found if usable else None


def errors(real: Effects, others: Sequence[Effects]) -> tuple[Array, Array]:
    """Return the placebos' effects on the scale of the real outage, windows and days.

    Chance grows with the root of what is expected, and the donors' chance comes on top: a placebo's error is
    multiplied by the ratio of these scales, place by place and window by window.

    Returns
    -------
    array, (placebos, measures, components, windows); array, (placebos, measures, 3, days)
    """
    own = _scale(real)
    scaled = [one.effect * _over(own, _scale(one)) for one in others]
    daily = [one.gap * _over(own, _scale(one))[:, :TOLD, AFTERWARDS, None] for one in others]
    shape, path = real.effect.shape, real.gap.shape
    return np.array(scaled).reshape(-1, *shape), np.array(daily).reshape(-1, *path)


def _scale(found: Effects) -> Array:
    """Return the root of the variance, up to a factor: of the expected, of the donors, of the baseline."""
    expected = np.maximum(found.expected, 0.0)
    beside = np.divide(expected, found.pool, out=np.zeros_like(expected), where=found.pool > 0)
    return np.asarray(np.sqrt(expected * (1 + beside) * (1 + found.share)))


def _over(own: Array, other: Array) -> Array:
    """Return the ratio of two scales: 0 for nothing, NaN where only the placebo had nothing at a place."""
    return np.divide(own, other, out=np.where(own > 0, np.nan, 0.0), where=other > 0)
