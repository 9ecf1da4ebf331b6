"""What must a reader know of an account beside its numbers? Who is followed, and what was left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from grocery_spheres.accounting.cases import Case
from grocery_spheres.accounting.following import People
from grocery_spheres.accounting.moments import ALIKE
from grocery_spheres.accounting.records import Flags, Records
from grocery_spheres.outage.outages import Outage


def facts(
    records: Records, cases: Sequence[Case], people: Sequence[People], outages: Sequence[Outage]
) -> dict[str, Any]:
    """Return what stands in `Account.facts`, but for what the placebos tell.

    Parameters
    ----------
    records : Records
        All of them.
    cases, people : sequence of Case, sequence of People
        Who was dark when, and who is followed.
    outages : sequence of Outage
        As they were told.
    """
    followed = np.any([one.followed for one in people], axis=0)
    spells = list(dict.fromkeys(outage.periods for outage in outages))
    return {
        "dark": [unit for outage in outages for unit in outage.units],
        "donors": len({place for case in cases for place in case.donors.tolist()}),
        "outages": spells[0] if len(spells) == 1 else f"{spells[0]} and {len(spells) - 1} more",
        "followed": int(followed.sum()),
        "followed_ids": [records.household_ids[place] for place in np.flatnonzero(followed)],
        "followed_share": _shares(records, cases, people),
        "appear_later": int((~_seen(records, cases)).sum()),
        "sold_in_outage": float(sum(records.sold(case.spans.outage)[case.dark].sum() for case in cases)),
        "expected_in_outage": float(sum(_usual(records, case) for case in cases)),
        "partly": any(outage.share_down < 1 for outage in outages),
        "unlike": [
            records.store_ids[place] for case in cases for place in case.dark if _unlike(records, case, place)
        ],
    }


def _usual(records: Records, case: Case) -> float:
    """Return the baskets of so many days of the baseline at the dark stores."""
    base, days = case.spans.baseline, case.spans.outage.stop - case.spans.outage.start
    return float(records.sold(base)[case.dark].sum() * days / (base.stop - base.start))


def _seen(records: Records, cases: Sequence[Case]) -> Flags:
    """Say who bought anything before the last selection was over."""
    last = max(case.spans.selection.stop for case in cases)
    seen = np.zeros(records.persons, dtype=bool)
    seen[records.person[records.day < last]] = True
    return seen


def _shares(records: Records, cases: Sequence[Case], people: Sequence[People]) -> dict[str, float]:
    """Return the share of the dark stores' sales in the baseline that followed customers made."""
    mine, whole = np.zeros(len(records.measures)), np.zeros(len(records.measures))
    for case, of in zip(cases, people, strict=True):
        inside = records.within(case.spans.baseline) & records.marked(case.dark)[records.store]
        whole += records.amounts[:, inside].sum(axis=1)
        mine += records.amounts[:, inside & of.known[records.person]].sum(axis=1)
    return {
        name: float(a / b) if b else float("nan")
        for name, a, b in zip(records.measures, mine, whole, strict=True)
    }


def _unlike(records: Records, case: Case, place: int) -> bool:
    """Say whether no donor sells about as much as a dark store: placebos are then of another size."""
    sold = records.sold(case.spans.baseline)
    apart = np.abs(np.log(np.maximum(sold[case.donors], 1e-12) / max(float(sold[place]), 1e-12)))
    return bool(apart.min() > np.log(ALIKE))
