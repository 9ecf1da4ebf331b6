"""What was the effect on average: over all, by cohort, by time since entry, by calendar time?

An average of group-time effects weighs each cohort by its units seen in the period. The cohorts are taken as
given: the question is what happened where stores did open, not where they might have. Had the units been
drawn from many, the weights would have an error of their own (Callaway and Sant'Anna 2021, section 4); it can
be asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from grocery_spheres.entry.cells import Cells
from grocery_spheres.entry.study import Study

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Averages:
    """Averages of group-time effects. One entry = one average.

    Attributes
    ----------
    keys : list of int
        What the average is over: an event time, a cohort, a period; 0 for the overall one.
    value : array
        The average.
    influence : array, (units, averages)
        What each unit adds to its error.
    groups, units : list of int
        Cohorts behind it, and treated units that are seen in one of its periods at least.
    weights : array, (averages, cells)
        The weight of each group-time effect.
    """

    keys: list[int]
    value: Array
    influence: Array
    groups: list[int]
    units: list[int]
    weights: Array


def averages(
    study: Study, cells: Cells, over: Iterable[tuple[int, Mask]], *, drawn: bool = False
) -> Averages:
    """Average group-time effects, each weighed by the treated units seen in it.

    Parameters
    ----------
    study : Study
        Says which units are seen when.
    cells : Cells
        The effects.
    over : iterable of (int, array of bool)
        A key, and which cells to average. Those that name no cell are left out.
    drawn : bool
        Whether the sizes of cohorts are drawn too, so that the weights add to the error.

    Returns
    -------
    Averages
        In the order given.
    """
    parts = [(key, which) for key, which in over if which.any()]
    sizes = cells.treated.astype(np.float64)
    weights = np.zeros((len(parts), len(cells.att)))
    influence = np.zeros((len(study.cohort), len(parts)))
    groups, units = [], []
    for row, (_, which) in enumerate(parts):
        weights[row, which] = sizes[which] / sizes[which].sum()
        influence[:, row] = cells.influence @ weights[row]
        if drawn:
            influence[:, row] += _weighing(study, cells, which, sizes)
        members = np.unique(cells.group[which])
        groups.append(len(members))
        units.append(_seen(study, cells, which))
    return Averages([key for key, _ in parts], weights @ cells.att, influence, groups, units, weights)


def _seen(study: Study, cells: Cells, which: Mask) -> int:
    """Count the treated units that have an outcome in one of some cells."""
    outcomes = study.outcomes[:, cells.time[which] - 1]
    return int((~np.isnan(outcomes) & (study.cohort[:, None] == cells.group[which])).any(axis=1).sum())


def _weighing(study: Study, cells: Cells, which: Mask, sizes: Array) -> Array:
    """Return what each unit adds to the error of the weights, that is of its cohort's share of units."""
    effects, counts = np.zeros(len(study.periods) + 1), np.zeros(len(study.periods) + 1)
    np.add.at(effects, cells.group[which], cells.att[which])
    np.add.at(counts, cells.group[which], 1.0)
    total = sizes[which].sum()
    mean = float(sizes[which] @ cells.att[which]) / total
    return (effects[study.cohort] - counts[study.cohort] * mean) / total


def usable(study: Study, cells: Cells) -> Mask:
    """Say which cells may enter averages: not those of cohorts of a single unit or cluster."""
    return ~np.isin(cells.group, study.lone)


def after(study: Study, cells: Cells) -> Mask:
    """Say which usable cells lie at or after the entry."""
    return usable(study, cells) & (cells.time >= cells.group)


def overall(study: Study, cells: Cells) -> Averages:
    """Average over treated units and the periods since their entry."""
    return averages(study, cells, [(0, after(study, cells))])


def by_group(study: Study, cells: Cells) -> Averages:
    """Average over the periods since entry, cohort by cohort."""
    late = after(study, cells)
    return averages(study, cells, [(one, late & (cells.group == one)) for one in study.cohorts])


def by_calendar(study: Study, cells: Cells) -> Averages:
    """Average over the cohorts treated by then, period by period."""
    late, last = after(study, cells), len(study.periods)
    return averages(study, cells, [(one, late & (cells.time == one)) for one in range(1, last + 1)])


def by_event(
    study: Study, cells: Cells, window: tuple[int, int] | None = None, balance: int | None = None
) -> Averages:
    """Average over cohorts by periods since entry.

    Parameters
    ----------
    study, cells
        The panel and its effects.
    window : (int, int), optional
        First and last event time.
    balance : int, optional
        Take only cohorts that are estimated in every period from the entry to so many periods after it, and
        no later event time: then what differs from one event time to the next is not who is in it.
    """
    event = cells.time - cells.group
    kept = usable(study, cells)
    if balance is not None:
        seen = {int(one): set(event[cells.group == one]) for one in np.unique(cells.group)}
        full = [one for one, events in seen.items() if set(range(balance + 1)) <= events]
        kept = kept & np.isin(cells.group, full) & (event <= balance)
    low, high = window or (-len(study.periods), len(study.periods))
    times = [int(one) for one in np.unique(event) if low <= one <= high]
    return averages(study, cells, [(one, kept & (event == one)) for one in times])
