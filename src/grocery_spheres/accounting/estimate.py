"""Where did the demand of an outage go, what came only later, what never came back?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from grocery_spheres.accounting.cases import Case, read_cases
from grocery_spheres.accounting.effects import Effects
from grocery_spheres.accounting.facts import facts
from grocery_spheres.accounting.following import People, Roles, customers, exposed, visits
from grocery_spheres.accounting.moments import draw_picks, moments
from grocery_spheres.accounting.placebos import Asked, errors, measured, placebo
from grocery_spheres.accounting.records import BASKETS, Array, Flags, Records, Whole, read_records
from grocery_spheres.accounting.results import Account
from grocery_spheres.accounting.rivals import named_ids, read_rivals
from grocery_spheres.accounting.spans import AFTER, ANTICIPATION
from grocery_spheres.outage.certainty import check_alpha
from grocery_spheres.outage.outages import read_outages
from grocery_spheres.progress import shown
from grocery_spheres.tables import ContractError

REGULAR = 3  # days of the selection on which a household came at least, to be followed
PLACEBOS = 400
FEWEST_COMPARED = 20  # households; with fewer, single ones make the comparison


def account(
    baskets: Any,
    outage: Any,
    *,
    rivals: str | Sequence[Any] | Mapping[str, Sequence[Any]] = "auto",
    donors: str | Sequence[Any] = "auto",
    strata: Mapping[Any, Any] | None = None,
    masked: Any = None,
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
        Stores whose gain is told apart: the five where followed customers buy most, if one store was dark;
        those named; or kinds of stores by label (name all stores of a kind, so that placebos have theirs). It
        changes lines of the account and no estimate: what is not told apart stands under "other stores".
    donors : "auto" or sequence of ids
        Stores whose customers are compared with: all that were open all along and not dark, or those named.
        Who ever came to a dark store is not compared with, so a rival may be a donor for its other
        customers; one that is named on both lists is refused.
    strata : mapping, optional
        Of stores to any label: a dark store is compared with donors of its own stratum.
    masked : any Narwhals frame, optional
        Store-days without records: `store_id`, `date`. Such stores are left out of everything, and counted;
        if the dark one is among them, the account is refused.
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
    told = read_outages(outage)
    records = read_records(
        baskets, measures, masked=masked, dark=[one for each in told for one in each.units]
    )
    _check(records, regular=regular, anticipation=anticipation, after=after, placebos=placebos, seed=seed)
    cases = read_cases(
        records,
        told,
        donors=donors,
        strata=strata,
        rivals=named_ids(rivals),
        anticipation=anticipation,
        after=after,
    )
    people = _people(records, cases, regular)
    asked, labels = read_rivals(records, cases, people, rivals, regular)
    made = [
        _one(records, (cases, people), number, asked, (placebos, seed + number))
        for number in range(len(cases))
    ]
    known = facts(records, cases, people, told) | {"regular": regular, "left_out": records.left_out}
    return _together(made, records.measures, labels, known, float(alpha))


@dataclass(frozen=True)
class _Made:
    """One case, measured: the real one, its placebos with their times, how many failed, who is compared."""

    real: Effects
    errors: Array
    daily: Array
    backs: Whole
    failed: int
    compared: int


def _people(records: Records, cases: list[Case], regular: int) -> list[People]:
    """Say who is followed in each case: of cases on the same days, in the one where a household came most."""
    score = np.zeros((len(cases), records.persons))
    for number, case in enumerate(cases):
        of_case = records.marked(case.dark)[records.pair_store]
        days = np.where(of_case, visits(records, case.spans), 0)
        came = np.bincount(records.pair_person, days, minlength=records.persons)
        score[number] = came * exposed(records, customers(records, case.spans, regular), case.dark)
    people = []
    for number, case in enumerate(cases):
        same = [place for place, other in enumerate(cases) if other.spans.outage == case.spans.outage]
        known = score[same].max(axis=0) > 0
        mine = known & (np.array(same)[np.argmax(score[same], axis=0)] == number)
        touched = records.ever_at(case.lost, before=case.spans.outage.start)
        people.append(People(mine, known, touched | known))
        _refuse_nobody(records, case, mine, regular)
    return people


def _refuse_nobody(records: Records, case: Case, followed: Flags, regular: int) -> None:
    if not followed.any():
        stores, chosen = [records.store_ids[place] for place in case.dark], case.spans.selection
        raise ContractError(
            f"No household came to {stores[:5]!r} on {regular} days of the selection, "
            f"{records.date(chosen.start)} to {records.date(chosen.stop - 1)}: there is nobody to follow. "
            "Ask for fewer days (`regular`), or check the ids of households."
        )


def _one(
    records: Records,
    everything: tuple[list[Case], list[People]],
    number: int,
    asked: Asked,
    drawn: tuple[int, int],
) -> _Made:
    """Measure one case, and its placebos."""
    (cases, people), (placebos, seed) = everything, drawn
    case = cases[number]
    records = records.of_persons(records.ever_at(np.concatenate([case.lost, case.donors])))
    roles = Roles(case.dark, case.lost, case.lost, case.donors)
    real, compared = measured(records, case.spans, roles, people[number], asked)
    if compared < FEWEST_COMPARED:
        raise ContractError(
            f"Only {compared} regular customers of the {len(case.donors)} donors never came to a dark store; "
            f"{FEWEST_COMPARED} are needed to compare with. If donors were named, name more; else nearly "
            "everyone has been to the dark store, and this record cannot be accounted for: what was lost "
            "alone is estimate_outage's question."
        )
    touched = np.any([one.touched for one in people], axis=0)
    picks = draw_picks(moments(records, case, cases), len(case.dark), placebos=placebos, seed=seed)
    runs = (placebo(records, cases, asked, pick, touched) for pick in picks)
    done = list(zip(picks, shown(runs, len(picks), "placebo outages"), strict=True))
    found = [(pick.moment.back, one) for pick, one in done if one is not None]
    backs = np.array([back for back, _ in found], dtype=np.int64)
    return _Made(real, *errors(real, [one for _, one in found]), backs, len(done) - len(found), compared)


def _together(
    made: list[_Made],
    measures: tuple[str, ...],
    labels: tuple[str, ...],
    known: dict[str, Any],
    alpha: float,
) -> Account:
    """Sum the cases, and their placebos at the same distance in time, each of which serves once."""
    rows = _paired([one.backs for one in made])
    days = min(one.real.gap.shape[-1] for one in made)
    return Account(
        measures=measures,
        rivals=labels,
        effect=np.sum([one.real.effect for one in made], axis=0),
        errors=np.sum([one.errors[row] for one, row in zip(made, rows, strict=True)], axis=0),
        gap=np.sum([one.real.gap[..., :days] for one in made], axis=0),
        path=np.sum([one.real.path[..., :days] for one in made], axis=0),
        daily_errors=np.sum(
            [one.daily[row][..., :days] for one, row in zip(made, rows, strict=True)], axis=0
        ),
        facts=known
        | {
            "compared": sum(one.compared for one in made),
            "placebos_failed": sum(one.failed for one in made),
        },
        alpha=alpha,
    )


def _paired(backs: list[Whole]) -> list[Whole]:
    """Match the placebos of several cases by their distance in time.

    Examples
    --------
    >>> [rows.tolist() for rows in _paired([np.array([0, 0, 7]), np.array([0, 7, 7])])]
    [[0, 2], [0, 1]]
    """
    rows: list[list[int]] = [[] for _ in backs]
    for back in sorted(set(np.concatenate(backs).tolist())):
        there = [np.flatnonzero(one == back).tolist() for one in backs]
        least = min(map(len, there))
        for row, places in zip(rows, there, strict=True):
            row.extend(places[:least])
    return [np.array(kept, dtype=np.int64) for kept in rows]


# ---- arguments


def _check(records: Records, **numbers: Any) -> None:
    for name, number in numbers.items():
        least = 1 if name in ("regular", "after") else 0
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < least:
            raise ContractError(f"`{name}` is {number!r}: give a whole number, {least} or more.")
    if len(records.store_ids) < 2:
        raise ContractError("All baskets are of one store: nobody can be seen to go elsewhere.")
