"""What did the outage cost? The answer, how sure it is, and what it rests on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from grocery_spheres.outage import gaps, wording
from grocery_spheres.outage.calibration import Calibration
from grocery_spheres.outage.certainty import Certainty, check_alpha
from grocery_spheres.outage.expected import Options
from grocery_spheres.outage.methods import Found
from grocery_spheres.outage.study import Study
from grocery_spheres.tables import ContractError

OF_A_MONTH = 28  # days before the outage that a wholly dark unit's loss is held against: four of each weekday
ESTIMANDS = ("average", "cumulative", "relative")


@dataclass(frozen=True)
class Question:
    """What was asked for, in the words of `estimate_outage`."""

    method: str
    inference: str
    alpha: float
    placebos: int
    seed: int


@dataclass(frozen=True)
class OutageResults:
    """The effect of an outage on the units that were dark.

    Intervals are for the realised effect. With a calibration they are those that its placebos earn
    (`corrected=False`: the method's own); interval and p-value always invert the same statistic.

    Attributes
    ----------
    study : Study
        The panel and its outages.
    options : Options
        What the method was told.
    question : Question
        What was asked for.
    found : Found
        The counterfactuals.
    own : Certainty
        The method's own inference.
    calibration : Calibration or None
        The method where nothing happened.
    """

    study: Study
    options: Options
    question: Question
    found: Found
    own: Certainty
    calibration: Calibration | None = None

    def __repr__(self) -> str:
        """Show the average effect instead of all arrays."""
        low, high = self.conf_int()
        return (
            f"OutageResults(method={self.question.method!r}, att={self.att:.4g}, low={low:.4g}, "
            f"high={high:.4g}, alpha={self.question.alpha})"
        )

    def calibrated(self, calibration: Calibration) -> OutageResults:
        """Return the same answer with its placebos."""
        return replace(self, calibration=calibration)

    # ---- the effect

    @property
    def att(self) -> float:
        """Average effect per dark unit and period."""
        return self.found.att

    @property
    def cumulative(self) -> float:
        """Sum of the effect over dark units and periods; lost = minus this."""
        return self.att * self.study.cells

    @property
    def relative(self) -> float:
        """Effect as a share; of what (`relative_to`) depends on whether anything was sold."""
        return self._share(self.att)

    @property
    def wholly_dark(self) -> bool:
        """Whether nothing was sold in the window: the effect is then -100 % of it by definition."""
        return all(bool((target.values[target.window] == 0).all()) for target in self.study.targets)

    @property
    def relative_to(self) -> str:
        """What the relative effect is a share of."""
        if self.wholly_dark:
            return f"`{self.study.panel.names.outcome}` in the {self._month} periods before it"
        return "what was expected in the window"

    @property
    def params(self) -> dict[str, float]:
        """The three estimands by name, and the effect on a unit that is dark for a full period."""
        full = self.cumulative / self._full_periods
        return {
            "average": self.att,
            "cumulative": self.cumulative,
            "relative": self.relative,
            "full_period": full,
        }

    # ---- how sure

    @property
    def corrects(self) -> bool:
        """Whether placebos correct the interval: some could be run, and the error has a size."""
        return self.calibration is not None and bool(self.calibration.placebos.height) and self.found.scaled

    @cached_property
    def certainty(self) -> Certainty:
        """The inference that is reported: by the placebos where there are any, else the method's own."""
        if self.calibration is None or not self.corrects:
            return self.own
        return self.calibration.corrected(self.att, self.found.scale)

    def _sure(self, corrected: bool | None) -> Certainty:
        if corrected is None:
            return self.certainty
        if corrected and not self.corrects:
            raise ContractError("No placebos correct this interval: see `notes`, or use calibrate=True.")
        return self.certainty if corrected else self.own

    @property
    def pvalue(self) -> float:
        """P-value of no effect, by the same statistic as `conf_int`."""
        return self.certainty.pvalue()

    def conf_int(
        self, alpha: float | None = None, *, what: str = "average", corrected: bool | None = None
    ) -> tuple[float, float]:
        """Return an interval.

        Parameters
        ----------
        alpha : float, optional
            One minus the level; that of the estimation if not given.
        what : {"average", "cumulative", "relative"}
            Of which estimand.
        corrected : bool, optional
            True: as the placebos earn it; False: the method's own; by default the first where it exists.

        Returns
        -------
        (float, float)
            Infinite where no effect can be excluded at this level.
        """
        level = self.question.alpha if alpha is None else check_alpha(alpha)
        if what not in ESTIMANDS:
            raise ContractError(f"There is no estimand {what!r}; there are: {', '.join(ESTIMANDS)}.")
        low, high = self._sure(corrected).interval(level)
        if what == "cumulative":
            return low * self.study.cells, high * self.study.cells
        return (low, high) if what == "average" else (self._share(low), self._share(high))

    # ---- what it rests on

    @property
    def weights(self) -> pl.DataFrame:
        """One row = one donor (of each target): `target`, `unit`, `weight`; empty where there are none."""
        return gaps.weights(self.study, self.found.expected)

    @property
    def gap(self) -> pl.DataFrame:
        """What was observed and expected, period by period: the average dark unit.

        One row = one period: `time`, `observed`, `expected`, `gap`, `dark` (in the outage), `learnt` (the
        counterfactual was fitted on it), `running` (sum of the gaps of dark units since the outage began, and
        from the end of the last outage on of all that were dark; null before), `low`, `high` (of the running
        sum; at the end of the last outage the interval of `cumulative`).
        """
        return gaps.by_period(self)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know of these data and this answer."""
        return wording.notes(self)

    # ---- said and shown

    def summary_frame(self, alpha: float | None = None) -> pl.DataFrame:
        """Return the three estimands.

        Parameters
        ----------
        alpha : float, optional
            One minus the level.

        Returns
        -------
        polars.DataFrame
            One row = "average", "cumulative" or "relative": `estimand`, `effect`, `low`, `high`, `pvalue`,
            `own_low`, `own_high` (of the method itself, without placebos).
        """
        rows = [
            (
                what,
                self.params[what],
                *self.conf_int(alpha, what=what),
                self.pvalue,
                *self.conf_int(alpha, what=what, corrected=False),
            )
            for what in ESTIMANDS
        ]
        names = ["estimand", "effect", "low", "high", "pvalue", "own_low", "own_high"]
        return pl.DataFrame(rows, schema=names, orient="row")

    def tidy(self) -> pl.DataFrame:
        """Return one row an estimand: `term`, `estimate`, `p_value`, `conf_low`, `conf_high`, `method`."""
        named = {
            "estimand": "term",
            "effect": "estimate",
            "pvalue": "p_value",
            "low": "conf_low",
            "high": "conf_high",
        }
        frame = self.summary_frame().rename(named).drop("own_low", "own_high")
        return frame.with_columns(method=pl.lit(self.question.method))

    def sentence(self) -> str:
        """Say the loss in one plain sentence: range, comparison, main assumption."""
        return wording.sentence(self)

    def summary(self) -> str:
        """Say everything in a page of text."""
        return wording.summary(self)

    def plot(self, periods: int | None = 56) -> Any:
        """Draw what was observed and expected, the gap, and its running total.

        Parameters
        ----------
        periods : int, optional
            How many periods before the outage are shown; None: all.

        Returns
        -------
        altair.VConcatChart
            Three panels; the `description` says them in words.
        """
        from grocery_spheres.outage.picture import draw  # noqa: PLC0415 - altair is slow to import

        return draw(self, periods)

    @property
    def _observed(self) -> float:
        """Sum of what was observed in the outages."""
        return self._total("values")

    @property
    def _full_periods(self) -> float:
        """Dark unit-periods, each weighted by the share that was lost."""
        return self._total("dose")

    def _total(self, what: str) -> float:
        pairs = zip(self.study.members, self.study.targets, strict=True)
        return float(sum(len(group) * getattr(one, what)[one.window].sum() for group, one in pairs))

    @property
    def _month(self) -> int:
        days = OF_A_MONTH if self.study.panel.times.dated else 4 * self.options.season
        first = int(np.flatnonzero(self.study.window)[0])
        a_day = self.study.panel.times.two_weeks / 14 if self.study.panel.times.dated else 1
        return min(first, max(1, round(days * a_day)))

    def _share(self, average: float) -> float:
        """Return an average effect as a share; increasing in the effect."""
        if self.wholly_dark:
            first = int(np.flatnonzero(self.study.window)[0])
            before = np.nansum(self.study.panel.values[self.study.treated, first - self._month : first])
            return average * self.study.cells / before if before > 0 else float("nan")
        observed = self._observed / self.study.cells
        expected = observed - average
        if average == -np.inf:
            return -1.0
        if expected > 0:
            return average / expected
        return float("inf") if self._observed > 0 else float("nan")  # more was expected, of nothing
