"""What would an account say of outages that never were? The whole of it, chosen and measured alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from grocery_spheres.accounting.cases import Case
from grocery_spheres.accounting.effects import TOLD, Effects, effects
from grocery_spheres.accounting.following import ELSEWHERE, OWN, customers, exposed, follow, ranked
from grocery_spheres.accounting.moments import Pick
from grocery_spheres.accounting.records import Array, Flags, Records, Whole
from grocery_spheres.accounting.spans import AFTERWARDS, OUTAGE, Spans


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
    moment, taken = pick.moment, np.array(pick.stores)
    others = np.setdiff1d(moment.open, taken)
    if not len(others):
        return None
    seen = records.of_persons(~real) if moment.touches else records
    found, _ = measured(seen, replace(case, dark=taken, donors=others), asked, moment.spans)
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
