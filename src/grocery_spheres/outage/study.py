"""Who was dark when, who can be compared, and from which periods may be learnt?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from grocery_spheres.outage.donors import candidates, complete, shut
from grocery_spheres.outage.expected import Array, Flags, Target
from grocery_spheres.outage.long_panel import LongPanel
from grocery_spheres.outage.outages import Outage
from grocery_spheres.tables import ContractError

FEWEST = 10  # periods before an outage, whatever their length: a level, a pattern and their noise


@dataclass(frozen=True)
class Study:
    """A panel with its outages, ready for any method.

    Attributes
    ----------
    panel : LongPanel
        All units and periods.
    outages : tuple of Outage
        What happened.
    targets : tuple of Target
        One a pattern of outages: the average of the units that share it.
    members : tuple of tuple of int
        Places of those units in the panel.
    donors : array of int
        Places of the units that are compared with.
    set_apart : polars.DataFrame
        One row = one unit that serves as no donor: `unit`, `reason`.
    notes : tuple of str
        What a reader must know of these data.
    anticipation : int
        Periods before an outage that are not learnt from.
    """

    panel: LongPanel
    outages: tuple[Outage, ...]
    targets: tuple[Target, ...]
    members: tuple[tuple[int, ...], ...]
    donors: npt.NDArray[np.int64]
    set_apart: pl.DataFrame
    notes: tuple[str, ...]
    anticipation: int = 0

    @property
    def counts(self) -> bool:
        """Whether the outcome of dark units and donors counts things: whole numbers, none below 0."""
        values = self.panel.values[[*self.treated, *self.donors.tolist()]]
        known = values[~np.isnan(values)]
        return bool((known >= 0).all() and (known == np.floor(known)).all())

    @property
    def donor_values(self) -> Array:
        """Outcomes of the donors, (donors, periods)."""
        return self.panel.values[self.donors]

    @property
    def donor_ids(self) -> list[Any]:
        """Their ids."""
        return [self.panel.ids[place] for place in self.donors]

    @property
    def treated(self) -> list[int]:
        """Places of all dark units."""
        return sorted(place for group in self.members for place in group)

    @property
    def window(self) -> Flags:
        """Periods in which any unit was dark."""
        return np.any([target.dose > 0 for target in self.targets], axis=0)

    @property
    def cells(self) -> int:
        """Unit-periods of the outages that have an outcome: what `att` is an average over."""
        sizes = [len(group) for group in self.members]
        return sum(size * int(target.window.sum()) for size, target in zip(sizes, self.targets, strict=True))


def read_study(
    panel: LongPanel,
    outages: tuple[Outage, ...],
    *,
    donors: str | Sequence[Any] = "auto",
    rivals: Sequence[Any] = (),
    recovery: int | None = None,
    anticipation: int = 0,
) -> Study:
    """Match outages with a panel, and refuse what leaves nothing to learn from.

    Parameters
    ----------
    panel : LongPanel
        What `read_panel` found.
    outages : tuple of Outage
        What `read_outages` found.
    donors : "auto" or sequence of ids
        Who is compared with: every unit that is not dark and no rival, or those named.
    rivals : sequence of ids
        Units that may receive what the dark ones lose: never donors.
    recovery : int, optional
        Periods after an outage in which its effect may linger; after those a unit's days are learnt from
        again. By default nothing after a unit's first outage is.
    anticipation : int
        Periods before an outage in which its effect may already be felt: not learnt from.

    Raises
    ------
    ContractError
        A unit is absent, an outage lies outside the panel, there is too little before it, or a unit is both
        rival and donor.
    """
    _check_spans(recovery, anticipation)
    dose = _doses(panel, outages)
    fitted = {unit: _fitted(row, recovery, anticipation) for unit, row in dose.items()}
    chosen, apart = candidates(panel, list(dose), donors, rivals)
    closed = shut(panel, chosen)
    fitted = {unit: flags & ~closed for unit, flags in fitted.items()}
    _refuse_unknown(panel, dose, closed)
    dose = {unit: np.where(closed, 0.0, row) for unit, row in dose.items()}
    _refuse_short(panel, outages, fitted)
    members = _alike(panel, dose, fitted)
    targets = tuple(_target(panel, group, dose, fitted) for group in members)
    places, gaps = complete(panel, chosen, targets, named=not isinstance(donors, str))
    said = (*_gaps(panel, dose), *_days_shut(panel, closed), *_several(outages, recovery))
    apart = pl.concat([apart, gaps]).sort("reason", "unit")
    notes = (*_hours(panel, dose), *said)
    return Study(panel, outages, targets, members, places, apart, notes, int(anticipation))


def _check_spans(recovery: Any, anticipation: Any) -> None:
    for name, span in (("recovery", 0 if recovery is None else recovery), ("anticipation", anticipation)):
        if isinstance(span, bool) or not isinstance(span, int | np.integer) or span < 0:
            raise ContractError(f"`{name}` is {span!r}: give a number of periods, 0 or more.")


# ---- the dark units


def _doses(panel: LongPanel, outages: tuple[Outage, ...]) -> dict[int, Array]:
    """Return the share of trading lost, period by period, of every dark unit."""
    dose: dict[int, Array] = {}
    for outage in outages:
        covered = panel.times.between(outage.start, outage.end)
        for unit in outage.units:
            row = dose.setdefault(panel.row(unit, "dark unit"), np.zeros(len(panel.times)))
            row[covered] = np.maximum(row[covered], outage.share_down)
    return dose


def _fitted(dose: Array, recovery: int | None, anticipation: int) -> Flags:
    """Return the periods without an effect: those before the first outage, and those recovered from one."""
    dark = np.flatnonzero(dose > 0)
    free = np.arange(len(dose)) < dark[0] if recovery is None else dose == 0
    for place in dark:
        free[max(0, place - anticipation) : place] = False
        free[place : place + 1 + (recovery or 0)] = False
    return np.asarray(free)


def _refuse_unknown(panel: LongPanel, dose: dict[int, Array], closed: Flags) -> None:
    """Refuse a dark unit of whose outage nothing can be said."""
    for unit, row in dose.items():
        seen = (row > 0) & ~np.isnan(panel.values[unit])
        if not seen.any():
            raise ContractError(
                f"The unit {panel.ids[unit]!r} has no outcome in any period of its outage. If it sold "
                f"nothing, the column `{panel.names.outcome}` must say 0 there; an empty cell means that "
                "nobody knows."
            )
        if not (seen & ~closed).any():
            raise ContractError(
                f"In the outage of the unit {panel.ids[unit]!r} more than half of the other units have no "
                f"`{panel.names.outcome}`: there is nothing to compare with. Name donors that have one, or "
                "fill in what is known."
            )


def _refuse_short(panel: LongPanel, outages: tuple[Outage, ...], fitted: dict[int, Flags]) -> None:
    needed = max(panel.times.two_weeks, FEWEST)
    for unit, flags in fitted.items():
        name, values = panel.ids[unit], panel.values[unit]
        known = int((flags & ~np.isnan(values)).sum())
        if known < needed:
            spells = ", ".join(outage.periods for outage in outages if name in outage.units)
            raise ContractError(
                f"The unit {name!r} (dark {spells}) has {known} periods of {panel.times.step} with an "
                f"outcome to learn from, outside its outages; at least {needed} are needed (two weeks, and "
                f"{FEWEST} periods). Give a panel that starts earlier."
            )


def _alike(panel: LongPanel, dose: dict[int, Array], fitted: dict[int, Flags]) -> tuple[tuple[int, ...], ...]:
    """Put the units together that were dark, learnt from and known in the same periods."""
    groups: dict[tuple[bytes, ...], list[int]] = {}
    for unit in sorted(dose):
        known = ~np.isnan(panel.values[unit]) & (fitted[unit] | (dose[unit] > 0))
        groups.setdefault((dose[unit].tobytes(), fitted[unit].tobytes(), known.tobytes()), []).append(unit)
    return tuple(tuple(group) for group in groups.values())


def _target(
    panel: LongPanel, group: tuple[int, ...], dose: dict[int, Array], fitted: dict[int, Flags]
) -> Target:
    return Target(panel.values[list(group)].mean(axis=0), dose[group[0]], fitted[group[0]])


# ---- what a reader must know


def _hours(panel: LongPanel, dose: dict[int, Array]) -> list[str]:
    """Say which periods are dark where a period is shorter than a day: a moment may mean less than a day."""
    if panel.times.labels.dtype != pl.Datetime:
        return []
    dark = np.flatnonzero(np.any([row > 0 for row in dose.values()], axis=0))
    first, last = (panel.times.labels[int(place)] for place in dark[[0, -1]])
    return [f"{len(dark)} periods of {panel.times.step} count as dark, from {first} to {last}."]


def _gaps(panel: LongPanel, dose: dict[int, Array]) -> list[str]:
    said = []
    for unit, row in dose.items():
        lost = int((np.isnan(panel.values[unit]) & (row > 0)).sum())
        if lost:
            said.append(
                f"{lost} of {int((row > 0).sum())} periods of the outage at {panel.ids[unit]!r} have no "
                "outcome: they are in no average and no total."
            )
    return said


def _days_shut(panel: LongPanel, closed: Flags) -> list[str]:
    if not closed.any():
        return []
    first = panel.times.labels[int(np.flatnonzero(closed)[0])]
    return [
        f"In {int(closed.sum())} periods (the first: {first}) more than half of the other units have no "
        "value: nothing is learnt from these periods, and nothing is said of them."
    ]


def _several(outages: tuple[Outage, ...], recovery: int | None) -> list[str]:
    named = [unit for outage in outages for unit in outage.units]
    if recovery is None and len(set(named)) < len(named):
        return [
            "A unit has several outages, and nothing after the first is learnt from, since `recovery` does "
            "not say how long an effect may linger."
        ]
    return []
