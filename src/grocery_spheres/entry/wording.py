"""How is an entry's effect said in words?"""

from __future__ import annotations

from typing import Any

import numpy as np

from grocery_spheres.entry.cells import Cells
from grocery_spheres.entry.rows import listed
from grocery_spheres.entry.study import ALWAYS, Study, zero_is_a_period

FEW = 10  # clusters on one side, below which intervals from clusters are known to be fragile

_COMPARED = {
    "not_yet_treated": "those not treated yet or never",
    "never_treated": "those never treated",
}


def notes(study: Study, cells: Cells, control: str) -> tuple[str, ...]:
    """Say what a reader must know of these data.

    Parameters
    ----------
    study, cells
        The panel and its effects.
    control : str
        Whom the treated are compared with.
    """
    zero = zero_is_a_period(study)
    apart = [
        f"{len(group):,} of the units ({listed(group['unit'].sort())}) set apart: {reason}."
        f"{zero if reason == ALWAYS else ''}"
        for (reason,), group in study.set_apart.group_by("reason", maintain_order=True)
    ]
    return (*apart, *_gaps(study), *_sides(study, cells, control), *_unestimated(study, cells, control))


def remarks(study: Study, anticipation: int) -> list[str]:
    """Say how periods were read, which is no fault of the data and warned of nowhere."""
    said = []
    if study.partly:
        said.append(
            f"{study.partly:,} treated units entered within a period, so event time 0 is only partly exposed."
        )
    if study.later:
        said.append(f"{study.later:,} units that enter after the last period count as never treated.")
    if anticipation:
        said.append(
            f"Event times -{anticipation} to -1 may hold anticipation: they are neither in the average nor "
            "in "
            "the test of the periods before."
        )
    return said


def _gaps(study: Study) -> list[str]:
    if not study.missing:
        return []
    cells = study.outcomes.size
    kept = (study.cohort > 0) & ~np.isin(study.cohort, study.lone)
    since = np.arange(1, len(study.periods) + 1) >= study.cohort[:, None]
    unseen = int((kept & ~(since & ~np.isnan(study.outcomes)).any(axis=1)).sum())
    return [
        f"{study.missing:,} of {cells:,} cells have no outcome: they are not zero. Each group-time effect "
        "compares the units that are seen in both of its periods, so who is compared changes from one to the "
        "next; averages weigh each effect by the treated units seen in it, and "
        f"{unseen:,} treated units are never seen after their entry."
    ]


def _sides(study: Study, cells: Cells, control: str) -> list[str]:
    kept = (study.cohort > 0) & ~np.isin(study.cohort, study.lone)
    treated, never = study.clusters_of(kept), study.clusters_of(study.cohort == 0)
    said = []
    if treated < FEW:
        said.append(f"There are only {treated} treated units or clusters: intervals are fragile below {FEW}.")
    if 0 < never < FEW and control == "never_treated":
        said.append(
            f"There are only {never} never treated to compare with: intervals are fragile below {FEW}."
        )
    elif control == "not_yet_treated" and len(cells.comparisons):
        fewest = int(cells.comparisons[~cells.reference].min(initial=len(study.cohort)))
        if fewest < FEW:
            said.append(
                f"Some periods leave only {fewest} units to compare with: intervals are fragile below {FEW}."
            )
    return said


def _unestimated(study: Study, cells: Cells, control: str) -> list[str]:
    if not cells.missing:
        return []
    said = (
        f"{len(cells.missing):,} of {len(cells.missing) + len(cells.att):,} group-time effects cannot be "
        "estimated for want of units to compare with; they stand in `not_estimated`."
    )
    if control == "not_yet_treated" and not (study.cohort == 0).any():
        last = study.periods.labels[study.cohorts[-1] - 1]
        said += (
            f" No unit is never treated: the last cohort ({last}) serves as comparison until its own entry, "
            "and nothing is told from then on."
        )
    return [said]


def sentence(results: Any) -> str:
    """Say the average effect in one plain sentence; see `EntryResults.sentence`."""
    names, study = results.study.names, results.study
    low, high = results.conf_int()
    treated = results._overall.units[0]  # seen after their entry
    ends = (
        f" ({100 * (1 - results.alpha):g} % interval {low:+,.4g} to {high:+,.4g})" if np.isfinite(low) else ""
    )
    after = f"given their {', '.join(names.covariates)}, " if names.covariates else ""
    return (
        f"In the {treated:,} treated units (`{names.unit}`), `{names.outcome}` changed by "
        f"{results.att:+,.4g} a unit and period{_long(study)}{ends} after the entry, compared with "
        f"{_COMPARED[results.control]}; "
        f"this is the entry's effect if, without it, both would {after}have moved in parallel."
    )


def _long(study: Study) -> str:
    """Say how long a period is; numbers that count periods one by one say nothing of it."""
    return "" if study.periods.step == "1" else f" of {study.periods.step}"


def summary(results: Any) -> str:
    """Say everything in a page of text; see `EntryResults.summary`."""
    study, test, drift = results.study, results.pre_trends, results.sensitivity
    lines = [
        "Effect of an entry (group-time effects, Callaway and Sant'Anna)",
        results.sentence(),
        "",
        (
            f"p-value {results.pvalue:.3g}; standard error {results.se:.4g}; "
            if np.isfinite(results.se)
            else "No noise is seen, so no error can be told; "
        )
        + f"{len(study.ids):,} units, "
        f"{len(study.periods):,} periods{_long(study)}, {len(study.cohorts):,} cohorts.",
        "Periods before the entry: "
        + (f"largest t {test.statistic:.3g}, p-value {test.pvalue:.3g}. " if test.periods else "")
        + test.words,
        f"Parallel trends: {drift.words}",
        results.two_way.sentence(),
        *results.notes,
        *remarks(study, results.anticipation),
        "",
        *_rows(results),
    ]
    return "\n".join(lines)


def _rows(results: Any) -> list[str]:
    numbers = " ".join(f"{name:>12}" for name in ("att", "low", "high", "band low", "band high"))
    rows = [f"{'event time':>10} {numbers} {'units':>6}"]
    for row in results.dynamic.iter_rows(named=True):
        ends = (row[name] for name in ("att", "low", "high", "band_low", "band_high"))
        said = " ".join(f"{'' if one is None else format(one, ',.4g'):>12}" for one in ends)
        rows.append(f"{row['event_time']:>10} {said} {row['units']:>6}")
    return rows
