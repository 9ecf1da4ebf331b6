"""Where did the demand of an outage go, what came only later, what never came back?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from grocery_spheres.accounting.cases import Case, read_cases
from grocery_spheres.accounting.effects import Effects
from grocery_spheres.accounting.following import customers, exposed, ranked
from grocery_spheres.accounting.moments import draw_picks, moments
from grocery_spheres.accounting.placebos import Asked, errors, measured, placebo
from grocery_spheres.accounting.records import BASKETS, Array, Flags, Records, Whole, read_records
from grocery_spheres.accounting.results import Account
from grocery_spheres.accounting.spans import AFTER, ANTICIPATION
from grocery_spheres.outage.certainty import check_alpha
from grocery_spheres.outage.outages import read_outages
from grocery_spheres.progress import shown
from grocery_spheres.tables import ContractError

REGULAR = 3  # days of the selection on which a household came at least, to be followed
PLACEBOS = 400
NAMED = 5  # rivals that are told apart by themselves, where none are named


def account(
    baskets: Any,
    outage: Any,
    *,
    rivals: str | Sequence[Any] | Mapping[str, Sequence[Any]] = "auto",
    donors: str | Sequence[Any] = "auto",
    strata: Mapping[Any, Any] | None = None,
    measures: Sequence[str] = (BASKETS, "sales_usd"),
    regular: int = REGULAR,
    anticipation: int = ANTICIPATION,
    after: int = AFTER,
    alpha: float = 0.05,
    placebos: int = PLACEBOS,
    seed: int = 2045,
) -> Account:
    """Account for an outage: lost = diverted + delayed + forgone, each with its interval.

    Parameters
    ----------
    baskets : any Narwhals frame
        One row = one basket: `household_id`, `store_id`, `date`, and the measures that are summed.
    outage : Outage, sequence of Outage, or any Narwhals frame
        Which stores were dark, on which dates; a frame as the contract's table of outages.
    rivals : "auto", sequence of ids, or mapping of a label to ids
        Stores whose gain is told apart: the five where followed customers buy most; those named; or kinds of
        stores by label (name all stores of a kind, so that placebos have theirs). It changes lines of the
        account and no estimate: what is not told apart stands under "other stores".
    donors : "auto" or sequence of ids
        Stores whose customers are compared with: all that were open all along and not dark, or those named.
        Followed customers are never among those compared with, so a rival may be a donor for the others; one
        that is named on both lists is refused.
    strata : mapping, optional
        Of stores to any label: a dark store is compared with donors of its own stratum.
    measures : sequence of str
        "baskets" (counts), or columns of numbers such as `sales_usd`.
    regular : int
        Days of the selection on which a household came to a dark store at least, to be followed.
    anticipation, after : int
        Days before the outage that nothing is learnt from (their effect is reported as a placebo), and days
        after it in which what was delayed may come.
    alpha : float
        One minus the level of every interval.
    placebos, seed : int
        How many placebo outages are drawn, and by which draw.

    Returns
    -------
    Account
        `summary_frame()`, `sentence()`, `plot()`, `retention`, `recovered`, `half_life`.

    Raises
    ------
    ContractError
        The baskets, the outage or an argument cannot be used; the message names what, and the way out.

    Notes
    -----
    Sixteen weeks at most choose who is followed, and sixteen others at most tell what was usual. What was to
    be expected is the mean of the weekday, times the change at donors' customers, chosen by the same rule
    (`accounting.effects`). The interval of a part is the rank of the estimate among placebo outages of the
    whole account: other stores on the same days, and all of them whole weeks earlier.

    Examples
    --------
    >>> from grocery_spheres.accounting.example import example_trips, example_dark
    >>> found = account(example_trips(), example_dark(), measures=["baskets"], placebos=40)
    >>> parts = found.parts()
    >>> round(parts["lost"] - parts["diverted"] - parts["delayed"] - parts["forgone"], 9) + 0.0
    0.0
    """
    check_alpha(alpha)
    records = read_records(baskets, measures)
    _check(records, regular=regular, anticipation=anticipation, after=after, placebos=placebos, seed=seed)
    cases = read_cases(
        records,
        read_outages(outage),
        donors=donors,
        strata=strata,
        rivals=_ids(rivals),
        anticipation=anticipation,
        after=after,
    )
    asked, labels = _rivals(records, cases, rivals, regular)
    made = [_one(records, case, asked, placebos, seed + number) for number, case in enumerate(cases)]
    return _together(records, cases, made, labels, (regular, alpha, placebos, seed))


Made = tuple[Effects, Flags, Array, Array, int]


def _one(records: Records, case: Case, asked: Asked, placebos: int, seed: int) -> Made:
    """Measure one case, and its placebos; the last number is how many of these failed."""
    records = records.of_persons(records.ever_at(np.concatenate([case.dark, case.donors])))
    real, people = measured(records, case, asked, case.spans)
    if not people.any():
        stores = [records.store_ids[place] for place in case.dark]
        raise ContractError(
            f"No household came to {stores[:5]!r} on {asked.regular} days of the selection, "
            f"{records.date(case.spans.selection.start)} to {records.date(case.spans.selection.stop - 1)}: "
            "there is nobody to follow. Ask for fewer days (`regular`), or check the ids of households."
        )
    times = moments(records, case)
    picks = draw_picks(times, len(case.dark), placebos=placebos, seed=seed)
    runs = (placebo(records, case, asked, pick, people) for pick in picks)
    found = [one for one in shown(runs, len(picks), "placebo outages") if one is not None]
    return real, people, *errors(real, found), len(picks) - len(found)


def _together(
    records: Records, cases: list[Case], made: list[Made], labels: tuple[str, ...], how: tuple[Any, ...]
) -> Account:
    """Sum the cases; where there are several, their placebos are drawn independently of each other."""
    regular, alpha, placebos, seed = how
    rng = np.random.default_rng(seed)
    length = min(one[0].gap.shape[-1] for one in made)
    if len(made) == 1:
        wide, daily = made[0][2], made[0][3]
    else:
        least = min(len(one[2]) for one in made)
        drawn = [rng.integers(0, len(one[2]), placebos if least else 0) for one in made]
        wide = np.sum([one[2][rows] for one, rows in zip(made, drawn, strict=True)], axis=0)
        daily = np.sum([one[3][rows][..., :length] for one, rows in zip(made, drawn, strict=True)], axis=0)
    return Account(
        measures=records.measures,
        rivals=labels,
        effect=np.sum([one[0].effect for one in made], axis=0),
        errors=wide,
        gap=np.sum([one[0].gap[..., :length] for one in made], axis=0),
        path=np.sum([one[0].path[..., :length] for one in made], axis=0),
        daily_errors=daily,
        facts=_facts(records, cases, made, regular),
        alpha=float(alpha),
    )


def _facts(records: Records, cases: list[Case], made: list[Made], regular: int) -> dict[str, Any]:
    people = np.any([one[1] for one in made], axis=0)
    dark = np.concatenate([case.dark for case in cases])
    spells = {case.spans.outage.start: case.spans.outage for case in cases}
    first = min(case.spans.selection.start for case in cases)
    chosen = max(case.spans.selection.stop for case in cases)
    seen = np.zeros(records.persons, dtype=bool)
    seen[records.person[records.day < chosen]] = True
    words = [f"of {records.date(one.start)} to {records.date(one.stop - 1)}" for one in spells.values()]
    return {
        "dark": [records.store_ids[place] for place in dark],
        "donors": len({place for case in cases for place in case.donors.tolist()}),
        "outages": words[0] if len(words) == 1 else f"{words[0]}, and {len(words) - 1} others",
        "followed": int(people.sum()),
        "followed_ids": [records.household_ids[place] for place in np.flatnonzero(people)],
        "followed_share": _shares(records, cases, people, dark),
        "appear_later": int((~seen).sum()),
        "placebos_failed": sum(one[4] for one in made),
        "regular": regular,
        "record": (records.date(first), records.date(records.days - 1)),
    }


def _shares(records: Records, cases: list[Case], people: Flags, dark: Whole) -> dict[str, float]:
    """Return the share of the dark stores' sales in the baseline that followed customers made."""
    base = cases[0].spans.baseline
    inside = (records.day >= base.start) & (records.day < base.stop) & np.isin(records.store, dark)
    mine = inside & people[records.person]
    sums = (one[mine].sum() / max(one[inside].sum(), 1e-12) for one in records.amounts)
    return dict(zip(records.measures, map(float, sums), strict=True))


# ---- arguments


def _check(records: Records, **numbers: Any) -> None:
    for name, number in numbers.items():
        least = 1 if name in ("regular", "after") else 0
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < least:
            raise ContractError(f"`{name}` is {number!r}: give a whole number, {least} or more.")
    if len(records.store_ids) < 2:
        raise ContractError("All baskets are of one store: nobody can be seen to go elsewhere.")


def _ids(rivals: Any) -> list[Any]:
    if isinstance(rivals, Mapping):
        return []  # a kind of stores holds those of the donors' markets, too
    if isinstance(rivals, str):
        if rivals != "auto":
            raise ContractError(
                f"`rivals` is {rivals!r}: give 'auto', store ids, or a mapping of labels to ids."
            )
        return []
    return list(rivals)


def _rivals(records: Records, cases: list[Case], rivals: Any, regular: int) -> tuple[Asked, tuple[str, ...]]:
    """Return how rivals are found in the real outage and in placebos, and their labels."""
    if isinstance(rivals, Mapping):
        stores = tuple(_kind(records, label, ids) for label, ids in rivals.items())
        return Asked(regular, stores), tuple(map(str, rivals))
    dark = np.concatenate([case.dark for case in cases])
    flags = customers(records, cases[0].spans, regular)
    order = ranked(records, cases[0].spans, exposed(records, flags, dark), dark).tolist()
    if isinstance(rivals, str):
        wanted = order[:NAMED] if len(dark) == 1 else []
    else:
        wanted = [_rival(records, store, order, dark) for store in rivals]
    return Asked(regular, (), tuple(order.index(place) for place in wanted)), tuple(
        str(records.store_ids[place]) for place in wanted
    )


def _kind(records: Records, label: Any, ids: Sequence[Any]) -> Whole:
    """Return the places of the stores of a kind; those that never sold have none."""
    wanted = set(ids)
    places = [place for place, store in enumerate(records.store_ids) if store in wanted]
    if not places:
        raise ContractError(f"No store of the kind {label!r} in `rivals` has a basket. Check its ids.")
    return np.array(places, dtype=np.int64)


def _rival(records: Records, store: Any, order: list[int], dark: Whole) -> int:
    place = records.place(store, "rival")
    if place in dark:
        raise ContractError(f"The store {store!r} is dark and named as a rival: take it from one of the two.")
    if place not in order:
        raise ContractError(
            f"The rival {store!r} sold nothing to followed customers in the selection: nothing can be said "
            "of it alone. Leave it out; what goes there stands under other stores."
        )
    return place
