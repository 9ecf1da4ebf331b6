"""What did an arriving store do to those already there? The answer, its parts, and how sure they are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from grocery_spheres.entry import averages as average
from grocery_spheres.entry import robustness, tables, wording
from grocery_spheres.entry.cells import Cells
from grocery_spheres.entry.inference import Certainty, certainty, check_level
from grocery_spheres.entry.study import Study
from grocery_spheres.entry.two_way import TwoWay, two_way
from grocery_spheres.tables import ContractError

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class EntryResults:
    """Effects of entries on the units where they happened.

    Frames are Polars; amounts are in the outcome's unit, per unit and period. Ends and errors are null where
    they cannot be told: at the reference, for a cohort of one, without any noise.

    Intervals promise to hold, at their level, the effect expected over draws of units like these, cohort
    sizes given, not only the one realised in these very units; for that one they are a little wide, since
    they allow for how effects differ from unit to unit too. `units` counts treated units that are seen.

    Attributes
    ----------
    study : Study
        The panel that was estimated from.
    cells : Cells
        The group-time effects as arrays.
    control : str
        "not_yet_treated" or "never_treated".
    anticipation : int
        Periods before the entry in which its effect may be felt.
    alpha : float
        One minus the level of every interval.
    seed, draws : int
        Of the multiplier bootstrap behind uniform bands.
    notes : tuple of str
        What a reader must know of these data, each also warned of when the effects were estimated.
    """

    study: Study
    cells: Cells
    control: str
    anticipation: int
    alpha: float
    seed: int
    draws: int
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        """Show the average effect instead of all arrays."""
        low, high = self.conf_int()
        return f"EntryResults(att={self.att:.4g}, low={low:.4g}, high={high:.4g}, alpha={self.alpha})"

    # ---- the average effect

    @cached_property
    def _overall(self) -> average.Averages:
        return average.overall(self.study, self.cells)

    @cached_property
    def _sure(self) -> Certainty:
        return certainty(self.study, self._overall.value, self._overall.influence)

    @property
    def att(self) -> float:
        """Average effect on the treated, per treated unit and period since its entry."""
        return float(self._overall.value[0])

    @property
    def se(self) -> float:
        """Standard error of `att`; NaN where it cannot be told."""
        return float(self._sure.se[0])

    @property
    def pvalue(self) -> float:
        """P-value of `att` against zero, by the same t distribution as the interval."""
        return float(self._sure.pvalues()[0])

    def conf_int(self, alpha: float | None = None) -> tuple[float, float]:
        """Return the interval of `att`.

        Parameters
        ----------
        alpha : float, optional
            One minus the level; that of the estimation if not given.
        """
        check_level(self.alpha if alpha is None else alpha, 10**9)
        low, high = self._sure.interval(self.alpha if alpha is None else alpha)
        return float(low[0]), float(high[0])

    @property
    def params(self) -> dict[str, float]:
        """The average effect and the effects by event time, by name."""
        events = {f"event {row['event_time']}": row["att"] for row in self.dynamic.iter_rows(named=True)}
        return {"att": self.att, **events}

    # ---- its parts

    @cached_property
    def group_time(self) -> pl.DataFrame:
        """Effects cohort by cohort and period by period.

        One row = one cohort and period: `group`, `time` (named as in the panel), `event_time`, `att`, `se`,
        `low`, `high`, `units` (treated), `comparisons` (units compared with).
        """
        return tables.group_time(self.study, self.cells, self.alpha)

    @cached_property
    def not_estimated(self) -> pl.DataFrame:
        """One row = one cohort and period without an effect: `group`, `time`, `reason`."""
        return tables.not_estimated(self.study, self.cells)

    @cached_property
    def dynamic(self) -> pl.DataFrame:
        """Effects by time since entry; `event_study` with all event times."""
        return self.event_study()

    def event_study(self, window: tuple[int, int] | None = None, balance: int | None = None) -> pl.DataFrame:
        """Return effects by time since entry, with a uniform band for the event times shown.

        Parameters
        ----------
        window : (int, int), optional
            First and last event time. Those that one or two cohorts reach make a band wide and shaky.
        balance : int, optional
            Keep only cohorts seen so many periods after entry, and no later event time: then the same
            cohorts stand behind every effect from the entry on.

        Returns
        -------
        polars.DataFrame
            One row = one event time (0 = the period of the entry, perhaps only partly exposed): `event_time`,
            `att`, `se`, `low`, `high` (its own interval), `band_low`, `band_high` (all rows together),
            `groups`, `units` (cohorts and treated units behind it). At the reference `att` is 0 by
            definition.

        Raises
        ------
        ContractError
            No event time lies in the window, or no cohort is seen so long.
        """
        _check_window(window, balance)
        found = average.by_event(self.study, self.cells, window, balance)
        if not found.keys:
            times = self.dynamic["event_time"].to_list()
            raise ContractError(
                f"No effect lies in the window {window} with balance {balance}; event times run from "
                f"{times[0]} to {times[-1]}. Ask for fewer."
            )
        return tables.event_study(self.study, found, self.alpha, draws=self.draws, seed=self.seed)

    @cached_property
    def by_group(self) -> pl.DataFrame:
        """Effects cohort by cohort, averaged over the periods since its entry.

        One row = one cohort: `group`, `att`, `se`, `low`, `high`, `pvalue`, `units`.
        """
        found = average.by_group(self.study, self.cells)
        return tables.averaged(self.study, found, "group", self.alpha).drop("groups")

    @cached_property
    def calendar(self) -> pl.DataFrame:
        """Effects period by period, averaged over the cohorts treated by then.

        One row = one period: `time`, `att`, `se`, `low`, `high`, `pvalue`, `groups`, `units`.
        """
        return tables.averaged(self.study, average.by_calendar(self.study, self.cells), "time", self.alpha)

    # ---- how far to trust it

    @property
    def _reference(self) -> int:
        return -1 - self.anticipation

    @cached_property
    def pre_trends(self) -> robustness.PreTrends:
        """Joint test of the effects before the entry, and what it cannot show."""
        early = (-len(self.study.periods), self._reference - 1)
        found = average.by_event(self.study, self.cells, early)
        before = certainty(self.study, found.value, found.influence)
        return robustness.pre_trends(before, draws=self.draws, seed=self.seed)

    @cached_property
    def sensitivity(self) -> robustness.Sensitivity:
        """How large a violation of parallel trends would overturn the average effect; all periods before."""
        return self.sensitivity_from(-len(self.study.periods))

    def sensitivity_from(self, first: int) -> robustness.Sensitivity:
        """Measure violations by the steps from one event time on, for example -6.

        Parameters
        ----------
        first : int
            First event time whose step to the next one counts. Early ones that one or two cohorts reach are
            noisy and make every magnitude larger.
        """
        last = len(self.study.periods)
        _check_window((first, last), None)
        since = (self.cells.time - self.cells.group) - self._reference
        reach = float(self._overall.weights[0] @ since)
        events = average.by_event(self.study, self.cells, (first, last))
        return robustness.sensitivity(
            self.study, self._overall, events, reach=reach, reference=self._reference, alpha=self.alpha
        )

    @cached_property
    def two_way(self) -> TwoWay:
        """Naive two-way fixed effects beside the estimate, without covariates."""
        return two_way(self.study, self._overall, self.alpha)

    @property
    def set_apart(self) -> pl.DataFrame:
        """One row = one unit that is in no average: `unit`, `reason`."""
        return self.study.set_apart

    @cached_property
    def units(self) -> pl.DataFrame:
        """One row = one cohort (null: not treated within the panel): `group`, `units`, `clusters`, `role`."""
        return tables.units(self.study, self.cells)

    # ---- said and shown

    def summary_frame(self) -> pl.DataFrame:
        """Return the main numbers.

        Returns
        -------
        polars.DataFrame
            One row = one estimate ("average", each cohort's, "two-way fixed effects"): `estimate`, `att`,
            `se`, `low`, `high`, `pvalue`.
        """
        return tables.summary_frame(self)

    def tidy(self) -> pl.DataFrame:
        """Return every estimate in one frame.

        Returns
        -------
        polars.DataFrame
            One row = one estimate: `kind` ("average", "group_time", "dynamic", "group", "calendar"), `term`,
            `estimate`, `std_error`, `statistic`, `p_value`, `conf_low`, `conf_high`.
        """
        return tables.tidy(self)

    def sentence(self) -> str:
        """Say the average effect in one plain sentence: range, comparison, main assumption."""
        return wording.sentence(self)

    def summary(self) -> str:
        """Say everything in a page of text."""
        return wording.summary(self)

    def plot(self, window: tuple[int, int] | None = None, balance: int | None = None) -> Any:
        """Draw the effects by time since entry.

        Parameters
        ----------
        window, balance
            As `event_study` takes them.

        Returns
        -------
        altair.LayerChart
            Points with their own intervals over the uniform band; the `description` says it in words.
        """
        from grocery_spheres.entry.picture import draw  # noqa: PLC0415 - altair is slow to import

        return draw(self.event_study(window, balance), self.study.names, self.alpha)


def _check_window(window: Any, balance: Any) -> None:
    whole = (int, np.integer)
    pair = isinstance(window, tuple | list) and len(window) == 2
    if window is not None and not (
        pair and all(isinstance(end, whole) for end in window) and window[0] <= window[1]
    ):
        raise ContractError(
            f"`window` is {window!r}: give the first and the last event time, such as (-6, 12)."
        )
    if balance is not None and (isinstance(balance, bool) or not isinstance(balance, whole) or balance < 0):
        raise ContractError(f"`balance` is {balance!r}: give a number of periods after entry, 0 or more.")
