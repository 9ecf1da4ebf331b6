"""Which stores may have taken in what was lost, and how are their like found in placebos?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from grocery_spheres.accounting.cases import Case, listed
from grocery_spheres.accounting.following import People, ranked
from grocery_spheres.accounting.parts import OTHERS
from grocery_spheres.accounting.placebos import Asked
from grocery_spheres.accounting.records import Records, Whole
from grocery_spheres.tables import ContractError

NAMED = 5  # rivals that are told apart by themselves, where none are named


def named_ids(rivals: Any) -> list[Any]:
    """Return the single stores that are named as rivals; a kind of stores holds those of donors, too."""
    if isinstance(rivals, Mapping) or rivals == "auto":
        return []
    if isinstance(rivals, str):
        raise ContractError(f"`rivals` is {rivals!r}: give 'auto', store ids, or a mapping of labels to ids.")
    return listed(rivals, "rivals")


def read_rivals(
    records: Records, cases: Sequence[Case], people: Sequence[People], rivals: Any, regular: int
) -> tuple[Asked, tuple[str, ...]]:
    """Return how rivals are found, in the real outage and in placebos, and their labels.

    Parameters
    ----------
    records : Records
        All of them.
    cases, people : sequence of Case, sequence of People
        Who was dark when, and who is followed.
    rivals : "auto", sequence of ids, or mapping of labels to ids
        As `account` takes them.
    regular : int
        As `account` takes it.

    Raises
    ------
    ContractError
        A rival is dark, unknown or of no use, named twice, or cannot be told apart.
    """
    if isinstance(rivals, Mapping):
        return _kinds(records, rivals, regular)
    dark = np.concatenate([case.dark for case in cases])
    order = ranked(records, cases[0].spans, people[0].followed, cases[0].lost).tolist()
    if isinstance(rivals, str):
        wanted = order[:NAMED] if len(cases) == 1 and len(dark) == 1 else []
    else:
        wanted = [_single(records, store, order, dark) for store in named_ids(rivals)]
        if wanted and len(cases) > 1:
            raise ContractError(
                f"`rivals` names single stores, and there are {len(cases)} cases (days, or strata): the same "
                "store is no rival of all. Name kinds of stores, by a mapping of labels to ids."
            )
    labels = tuple(str(records.store_ids[place]) for place in wanted)
    return Asked(regular, (), tuple(order.index(place) for place in wanted)), labels


def _kinds(records: Records, rivals: Mapping[Any, Any], regular: int) -> tuple[Asked, tuple[str, ...]]:
    labels = tuple(map(str, rivals))
    if len(set(labels)) < len(labels) or OTHERS.removeprefix("diverted to ") in labels:
        raise ContractError(
            f"The labels in `rivals` are {labels!r}: each must be another one, and none 'other stores', "
            "which is what remains."
        )
    stores = [_kind(records, label, ids) for label, ids in rivals.items()]
    counts = np.bincount(np.concatenate(stores), minlength=len(records.store_ids)) if stores else np.zeros(1)
    if (counts > 1).any():
        twice = records.store_ids[int(np.argmax(counts))]
        raise ContractError(f"`rivals` names the store {twice!r} under two labels: its gain can stand once.")
    return Asked(regular, tuple(stores)), labels


def _kind(records: Records, label: Any, ids: Any) -> Whole:
    """Return the places of the stores of a kind; those that never sold have none."""
    wanted = set(listed(ids, f"rivals[{label!r}]"))
    places = [place for place, store in enumerate(records.store_ids) if store in wanted]
    if not places:
        raise ContractError(f"No store of the kind {label!r} in `rivals` has a basket. Check its ids.")
    return np.array(places, dtype=np.int64)


def _single(records: Records, store: Any, order: list[int], dark: Whole) -> int:
    place = records.place(store, "rival")
    if place in dark:
        raise ContractError(f"The store {store!r} is dark and named as a rival: take it from one of the two.")
    if place not in order:
        raise ContractError(
            f"The rival {store!r} sold nothing to followed customers in the selection: nothing can be said "
            "of it alone. Leave it out; what goes there stands under other stores."
        )
    return place
