"""What does an arriving store do to those already there?"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from grocery_spheres.entry import wording
from grocery_spheres.entry.averages import after, usable
from grocery_spheres.entry.cells import Cells, estimate_cells
from grocery_spheres.entry.inference import check_level
from grocery_spheres.entry.results import EntryResults
from grocery_spheres.entry.rows import Names, listed, read_rows
from grocery_spheres.entry.study import Study, read_study, zero_is_a_period
from grocery_spheres.tables import ContractError

CONTROLS = ("not_yet_treated", "never_treated")


def estimate_entry(
    panel: Any,
    *,
    unit: str,
    time: str,
    first_treated: str,
    outcome: str,
    control: str = "not_yet_treated",
    cluster: str | None = None,
    covariates: Sequence[str] | None = None,
    anticipation: int = 0,
    alpha: float = 0.05,
    seed: int = 2045,
    draws: int = 999,
) -> EntryResults:
    """Estimate what an arriving store did to those already there, in any long panel with staggered entries.

    Each cohort (units entered in one period) is compared with units that are not treated yet or never, from
    the last period before its entry to every other one; averages of these group-time effects follow
    (Callaway and Sant'Anna 2021, by the library diff-diff). No unit that was treated before serves as
    comparison, which is where two-way fixed effects go wrong.

    Parameters
    ----------
    panel : any Narwhals frame
        One row = one unit and period. A cell without a row, null or NaN in the outcome is missing, not zero:
        what closed for good must be there as 0.
    unit : str
        Column of the units, for example towns: strings or integers.
    time : str
        Column of the periods: dates (each period's first day) or whole numbers. Periods must follow each
        other without a gap.
    first_treated : str
        Column of when the unit was first treated, the same in all its rows, null for never; dates where the
        periods are dates, else whole numbers (there infinity means never too, and so does 0 where all
        periods are above 0). A date within a period belongs to that period, whose event time 0 is then
        only partly exposed. After the last period counts as never.
    outcome : str
        Column of numbers.
    control : {"not_yet_treated", "never_treated"}
        Whom to compare with.
    cluster : str, optional
        Column of groups of units that share their luck; units by themselves if not given.
    covariates : sequence of str, optional
        Columns that the trend may depend on; the value of the reference period counts, by a linear
        regression among the comparison units.
    anticipation : int
        Periods before the entry in which its effect may already be felt. Units that enter within so many
        periods after the last are set apart.
    alpha : float
        One minus the level of the intervals.
    seed, draws : int
        Of the multiplier bootstrap behind uniform bands and the joint test.

    Returns
    -------
    EntryResults
        `att` is the average effect per treated unit and period since its entry.

    Raises
    ------
    ContractError
        The panel is no panel (missing columns, doubled rows, gaps in time, a first treated time that
        changes), nobody is treated in it, or nobody is left to compare with.

    Warns
    -----
    UserWarning
        Units are set apart (treated from the start, alone in their cohort, no outcome), cells are missing,
        effects cannot be estimated, or so few units stand on one side that intervals are fragile. The same
        words stand in `EntryResults.notes`.

    Notes
    -----
    Standard errors come from what each unit (or cluster) adds to an estimate. A cohort of a single unit
    shows no noise of its own; its effects are shown without interval, and no average holds them. Among units,
    and clusters that each lie within one cohort, each group's variance is scaled by n / (n - 1), and
    intervals use t distributions whose degrees of freedom follow from the cohorts' sizes (Satterthwaite),
    both beyond what diff-diff does. Where clusters span cohorts, the degrees are one less than the clusters
    with treated units, or with comparisons if those are fewer. Averages weigh each group-time effect by the
    treated units seen in it.

    Examples
    --------
    Towns a and b get a store in year 2, c and d never. Sales went from 10 to 7 and from 12 to 8, elsewhere
    from 10 to 11 and from 8 to 9: (-3 - 4) / 2 - (1 + 1) / 2 = -4.5.

    >>> import polars as pl, warnings
    >>> towns = pl.DataFrame({"town": list("aabbccdd"), "year": [1, 2] * 4, "entry": [2] * 4 + [None] * 4,
    ...                       "sales": [10.0, 7, 12, 8, 10, 11, 8, 9]})
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")             # of four towns: intervals are fragile
    ...     effect = estimate_entry(towns, unit="town", time="year", first_treated="entry", outcome="sales")
    >>> effect.att, round(effect.se, 3)                 # the changes -3 and -4 have variance 1/2: root of 1/4
    (-4.5, 0.5)
    >>> effect.group_time.select("group", "time", "att", "units", "comparisons").rows()
    [(2, 1, 0.0, 2, 0), (2, 2, -4.5, 2, 2)]
    """
    _check_options(control, anticipation, seed)
    check_level(alpha, draws)
    names = Names(unit, time, first_treated, outcome, cluster, _names(covariates))
    study = read_study(*read_rows(panel, names), names, anticipation)
    _refuse_without_comparison(study, control)
    cells = estimate_cells(study, control, anticipation)
    _refuse_without_effects(study, cells)
    notes = wording.notes(study, cells, control)
    for note in notes:
        warnings.warn(note, UserWarning, stacklevel=2)
    return EntryResults(study, cells, control, anticipation, alpha, seed, draws, notes)


def _names(covariates: Any) -> tuple[str, ...]:
    if covariates is None:
        return ()
    if isinstance(covariates, str) or not isinstance(covariates, Sequence):
        raise ContractError(f"`covariates` is {covariates!r}: give a list of column names.")
    return tuple(covariates)


def _check_options(control: Any, anticipation: Any, seed: Any) -> None:
    if control not in CONTROLS:
        raise ContractError(f"`control` is {control!r}: give one of {', '.join(map(repr, CONTROLS))}.")
    for name, value in {"anticipation": anticipation, "seed": seed}.items():
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
            raise ContractError(f"`{name}` is {value!r}: give a whole number, 0 or more.")


def _refuse_without_comparison(study: Study, control: str) -> None:
    never = study.cohort == 0
    if control == "never_treated" and study.clusters_of(never) < 2:
        raise ContractError(
            f"{int(never.sum())} units are never treated, and a comparison needs two at least (in clusters "
            "of "
            "their own). Set control='not_yet_treated' to compare with those that are treated later, or add "
            f"units that never were.{zero_is_a_period(study)}"
        )
    if not never.any() and len(study.cohorts) == 1:
        raise ContractError(
            f"All {len(never):,} units are treated at once, at "
            f"{study.periods.labels[study.cohorts[0] - 1]}: nobody "
            f"is left to compare with. Add units that are treated later or never.{zero_is_a_period(study)}"
        )


def _refuse_without_effects(study: Study, cells: Cells) -> None:
    if after(study, cells).any():
        return
    late = cells.time >= cells.group
    if (late & ~usable(study, cells)).any():
        raise ContractError(
            "Every cohort with an effect is a single unit or cluster "
            f"({listed(study.set_apart['unit'].sort())}): "
            "one unit shows no noise, so no interval would be honest. Use longer periods, so that units "
            "enter "
            "together; for one treated unit, a synthetic control is the method."
        )
    raise ContractError(
        "No effect can be estimated: in every period since an entry too few units are left that are not "
        "treated "
        "yet and are seen in both periods. Add units that are treated later or never."
    )
