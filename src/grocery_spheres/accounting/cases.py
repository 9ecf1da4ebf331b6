"""Which outages are accounted for together, and which stores can each be compared with?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from grocery_spheres.accounting.records import Flags, Records, Whole
from grocery_spheres.accounting.spans import Spans, spans_of
from grocery_spheres.outage.outages import Outage
from grocery_spheres.tables import ContractError

_LATEST = 28  # days in which a store must have sold something to count as open then


@dataclass(frozen=True)
class Case:
    """Stores that were dark on the same days, and those that they are compared with.

    Attributes
    ----------
    dark, donors : array of int
        Places of the stores.
    lost : array of int
        All stores that were dark on these days, in any stratum.
    spans : Spans
        The days.
    """

    dark: Whole
    donors: Whole
    lost: Whole
    spans: Spans


def read_cases(
    records: Records,
    outages: tuple[Outage, ...],
    *,
    donors: str | Sequence[Any],
    strata: Mapping[Any, Any] | None,
    rivals: Sequence[Any],
    anticipation: int,
    after: int,
) -> list[Case]:
    """Put outages on the same days into one case, stratum by stratum.

    Parameters
    ----------
    records : Records
        All of them.
    outages : tuple of Outage
        Who was dark when.
    donors : "auto" or sequence of ids
        Who may be compared with.
    strata : mapping, optional
        Of stores: a dark store is compared with donors of its own stratum.
    rivals : sequence of ids
        Stores that are named as receivers.
    anticipation, after : int
        Days before and after.

    Raises
    ------
    ContractError
        A store is unknown, both dark or rival and donor, dark at other times while the first outage still
        counts, or there is nobody to compare with.
    """
    dark = {unit: records.place(unit, "dark store") for outage in outages for unit in outage.units}
    pool = _pool(records, donors, dark, rivals)
    groups: dict[tuple[int, int, Any], list[int]] = {}
    for outage in outages:
        start, days = _placed(records, outage)
        for unit in outage.units:
            groups.setdefault((start, days, _stratum(strata, unit)), []).append(dark[unit])
    cases = []
    for (start, days, stratum), members in groups.items():
        same_days = [
            one for (first, long, _), some in groups.items() if (first, long) == (start, days) for one in some
        ]
        named = f"the outage of {records.date(start)}"
        spans = spans_of(start, days, records.days, anticipation=anticipation, after=after, named=named)
        alike = [place for place in pool if _stratum(strata, records.store_ids[place]) == stratum]
        kept = _open(records, alike, spans, donors, named)
        cases.append(Case(np.array(sorted(members)), kept, np.array(sorted(same_days)), spans))
    _refuse_overlap(records, cases)
    return cases


def _pool(
    records: Records, donors: str | Sequence[Any], dark: Mapping[Any, int], rivals: Sequence[Any]
) -> list[int]:
    if isinstance(donors, str):
        if donors != "auto":
            raise ContractError(f"`donors` is {donors!r}: give 'auto', or a list of store ids.")
        return [place for place, store in enumerate(records.store_ids) if store not in dark]
    named = listed(donors, "donors")
    for store in named:
        if store in dark or store in rivals:
            what = "dark" if store in dark else "named as a rival"
            raise ContractError(
                f"The store {store!r} is {what} and a donor: a store that the outage moves shows nothing of "
                "what would have been without it. Take it from one of the two lists."
            )
    return [records.place(store, "donor") for store in named]


def listed(stores: Any, name: str) -> list[Any]:
    """Return a list of ids; refuse what is none, and doubles."""
    if isinstance(stores, str | bytes) or not isinstance(stores, Iterable):
        raise ContractError(f"`{name}` is {stores!r}: give 'auto', or a list of store ids.")
    found = list(stores)
    for store in found:
        if found.count(store) > 1:
            raise ContractError(f"`{name}` names the store {store!r} twice.")
    return found


def _placed(records: Records, outage: Outage) -> tuple[int, int]:
    for time in (outage.start, outage.end):
        if not hasattr(time, "toordinal") or hasattr(time, "hour"):
            raise ContractError(
                f"The outage is from {outage.start!r} to {outage.end!r}: an account goes by dates. Give "
                "dates, and the share of those days' trading that was lost (`share_down`)."
            )
    start = (outage.start - records.first).days
    days = (outage.end - outage.start).days + 1
    if start < 0 or start + days > records.days:
        raise ContractError(
            f"The outage of {outage.periods} lies outside the record, {records.first} to "
            f"{records.date(records.days - 1)}."
        )
    return start, days


def _stratum(strata: Mapping[Any, Any] | None, store: Any) -> Any:
    if strata is None:
        return None
    if not isinstance(strata, Mapping):
        raise ContractError(
            f"`strata` is {type(strata).__name__}: give a mapping of every store to its stratum."
        )
    if store not in strata:
        raise ContractError(f"`strata` says nothing of the store {store!r}: give every store one.")
    return strata[store]


def open_all_along(records: Records, spans: Spans) -> Flags:
    """Say of each store whether it sells at either end of the baseline, and at the end of all days."""
    base = spans.baseline
    looks = (
        slice(base.start, base.start + _LATEST),
        slice(base.stop - _LATEST, base.stop),
        slice(max(spans.stop - _LATEST, spans.after.start), spans.stop),
    )
    return np.asarray(np.all([records.sold(one) > 0 for one in looks], axis=0))


def _open(records: Records, alike: list[int], spans: Spans, donors: str | Sequence[Any], named: str) -> Whole:
    """Keep donors that sell all along, and refuse named ones that do not."""
    selling = open_all_along(records, spans)
    kept = [place for place in alike if selling[place]]
    if not isinstance(donors, str) and len(kept) < len(alike):
        shut = [records.store_ids[place] for place in alike if not selling[place]]
        raise ContractError(
            f"The donors {shut[:5]!r} ({len(shut)} in all) sell nothing at an end of the baseline or after "
            f"{named}: they may have closed or opened. Leave them out."
        )
    if not kept:
        raise ContractError(
            f"There is no store to compare with for {named}: none that was open all along and not dark"
            "; with `strata`, none of the same stratum."
        )
    return np.array(kept)


def _refuse_overlap(records: Records, cases: Sequence[Case]) -> None:
    """Refuse outages at different times of which one lies in what is looked at of another."""
    ordered = sorted(cases, key=lambda case: case.spans.outage.start)
    for number, case in enumerate(ordered):
        for other in ordered[number + 1 :]:
            first, second = (records.date(one.spans.outage.start) for one in (case, other))
            if case.spans.outage != other.spans.outage and other.spans.outage.start < case.spans.stop:
                raise ContractError(
                    f"The outages of {first} and {second} overlap: what came after the first "
                    f"(to {records.date(case.spans.stop - 1)}) holds the second. Join them into one outage, "
                    "or account for them apart, with the later one's customers taken from the baskets."
                )
            again = np.intersect1d(case.dark, other.dark)
            if len(again) and case.spans.outage.start >= other.spans.baseline.start:
                raise ContractError(
                    f"The store {records.store_ids[again[0]]!r} was dark on {first}, among the days that "
                    f"tell what was usual before {second}. Account for the first alone, on a record that "
                    "ends before the second."
                )
