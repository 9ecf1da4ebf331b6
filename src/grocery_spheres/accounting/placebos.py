"""What would an account say of outages that never were? The whole of it, chosen and measured alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from grocery_spheres.accounting.cases import Case
from grocery_spheres.accounting.effects import TOLD, Effects, effects
from grocery_spheres.accounting.following import (
    ELSEWHERE,
    OWN,
    People,
    Roles,
    customers,
    exposed,
    follow,
    ranked,
)
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


def measured(
    records: Records, spans: Spans, roles: Roles, people: People, asked: Asked
) -> tuple[Effects, int]:
    """Measure the effects at some stores, as if they had been dark; and count whom they are compared with.

    Parameters
    ----------
    records : Records
        All that may be looked at.
    spans : Spans
        The days; for a placebo not the case's own.
    roles : Roles
        What each store counts as.
    people : People
        Who is followed.
    asked : Asked
        How.
    """
    regular = customers(records, spans, asked.regular)
    order = ranked(records, spans, people.followed, roles.hidden) if asked.ranks else np.array([], dtype=int)
    single = [order[rank : rank + 1] for rank in asked.ranks]
    bought = follow(records, regular, people, roles, (asked.kinds, single))
    return effects(bought, spans, records.weekday()), bought.compared


def placebo(
    records: Records, cases: Sequence[Case], asked: Asked, pick: Pick, touched: Flags
) -> Effects | None:
    """Return what is found where nothing happened; None where nothing was to be expected.

    Parameters
    ----------
    records : Records
        All of them.
    cases : sequence of Case
        All real outages.
    asked : Asked
        How the real one was measured.
    pick : Pick
        Where and when.
    touched : array of bool, (households,)
        Whom a real outage touched: nobody may look at them near it.
    """
    moment, taken = pick.moment, np.array(pick.stores)
    donors = np.setdiff1d(moment.open, taken)
    dark = np.concatenate([case.dark for case in cases])
    hidden = np.union1d(taken, dark) if moment.touches else taken
    seen = records.of_persons(~touched) if moment.touches else records
    spans = moment.spans
    followed = exposed(seen, customers(seen, spans, asked.regular), taken)
    people = People(followed, followed, seen.ever_at(taken, before=spans.outage.start))
    found, compared = measured(seen, spans, Roles(taken, taken, hidden, donors), people, asked)
    usable = (found.expected[:, [OWN, ELSEWHERE]][..., [OUTAGE, AFTERWARDS]] > 0).all()
    return found if usable and compared else None


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
