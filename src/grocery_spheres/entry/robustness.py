"""How well do the periods before the entry fit, and how large a violation would overturn the answer?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import stats

from grocery_spheres.entry.averages import Averages
from grocery_spheres.entry.inference import Certainty, certainty, drawn_maxima
from grocery_spheres.entry.study import Study

Array = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

MAGNITUDES = (0.0, 0.5, 1.0, 1.5, 2.0)  # of the largest step before the entry
_MOST, _HALVINGS = 1e6, 40  # of the search for the breakdown

WORDS = (
    "A test of the periods before the entry can miss what matters: that nothing was seen there does not show "
    "that nothing was there, nor that the trends stayed parallel afterwards. Read `sensitivity` with it."
)


@dataclass(frozen=True)
class PreTrends:
    """Whether treated units already moved apart before their entry.

    Attributes
    ----------
    periods : int
        Event times tested.
    statistic, pvalue : float or None
        Largest t statistic, and its p-value by the multiplier bootstrap, all event times together.
    wald, wald_pvalue : float or None
        Wald statistic, and its p-value by Hotelling's distribution; None with more event times than half
        the degrees of freedom of the least certain one, where it says little.
    words : str
        What the test cannot show.
    """

    periods: int
    statistic: float | None
    pvalue: float | None
    wald: float | None
    wald_pvalue: float | None
    words: str


def pre_trends(before: Certainty, *, draws: int, seed: int) -> PreTrends:
    """Test the effects before the entry (and its anticipation) against zero, all together.

    Parameters
    ----------
    before : Certainty
        Effects by event time, those before the reference.
    draws, seed : int
        Of the multiplier bootstrap.
    """
    told = np.isfinite(before.se)
    periods = int(told.sum())
    if not periods:
        none = "No period before the reference is left to test. " + WORDS
        return PreTrends(0, None, None, None, None, none)
    largest = float(np.abs(before.value[told] / before.se[told]).max())
    tail = float((before.pvalues()[told] / 2).min())  # the same on the normal scale of the draws
    beyond = int((drawn_maxima(before, draws=draws, seed=seed) >= stats.norm.isf(tail)).sum())
    freedom, wald, pvalue = float(before.df[told].min()), None, None
    if periods <= freedom / 2:
        rows, value = before.rows[:, told], before.value[told]
        wald = float(value @ np.linalg.pinv(rows.T @ rows, hermitian=True) @ value)
        left = freedom - periods + 1
        pvalue = float(stats.f.sf(wald * left / (periods * freedom), periods, left))
    return PreTrends(periods, largest, (1 + beyond) / (1 + draws), wald, pvalue, WORDS)


@dataclass(frozen=True)
class Sensitivity:
    """What the average effect can be, were the trends not parallel.

    Attributes
    ----------
    frame : polars.DataFrame
        One row = one `magnitude` M: from one period to the next, treated units may have drifted apart from
        their comparison by up to M times the largest such step before the entry. `set_low`, `set_high`: what
        the average effect can then be, were there no noise; `low`, `high`: the interval with noise.
    breakdown : float
        The smallest M whose interval holds zero: 0 where zero is never ruled out, infinite where always,
        NaN where it cannot be told.
    words : str
        The reading of it.
    """

    frame: pl.DataFrame
    breakdown: float
    words: str


def sensitivity(
    study: Study, overall: Averages, events: Averages, *, reach: float, reference: int, alpha: float
) -> Sensitivity:
    """Bound the average effect by relative magnitudes (Rambachan and Roth 2023).

    Parameters
    ----------
    study : Study
        The panel.
    overall, events : Averages
        The average effect, and the effects by event time, the reference among them.
    reach : float
        Periods from the reference to the treated unit-periods, on average: so often a step is repeated.
    reference : int
        The event time that effects are relative to.
    alpha : float
        One minus the level.

    Returns
    -------
    Sensitivity
        The interval takes each step before the entry in turn as the largest one, in either direction, and
        is the union of the intervals of these cases, so it counts the noise of the steps too. Every such
        case is a sum of estimates, so the union covers at the level or above.

    References
    ----------
    Rambachan, A. and Roth, J. (2023). A more credible approach to parallel trends. Review of Economic
    Studies 90(5), 2555-2591.
    """
    steps = _steps(np.array(events.keys), reference)
    names = ["magnitude", "set_low", "set_high", "low", "high"]
    if not len(steps):
        words = "No step between two periods before the entry is seen, so there is nothing to measure by."
        return Sensitivity(pl.DataFrame(schema=dict.fromkeys(names, pl.Float64)), float("nan"), words)
    drifts = reach * np.concatenate([steps, -steps])

    def bounds(magnitude: float) -> tuple[float, ...]:
        value = float(overall.value[0]) + magnitude * (drifts @ events.value)
        influence = overall.influence + magnitude * (events.influence @ drifts.T)
        low, high = certainty(study, value, influence).interval(alpha)
        ends = value.min(), value.max(), np.fmin.reduce(low), np.fmax.reduce(high)
        return (magnitude, *(float(end) for end in ends))

    frame = pl.DataFrame([bounds(one) for one in MAGNITUDES], schema=names, orient="row").fill_nan(None)
    if frame["low"].null_count():
        return Sensitivity(frame, float("nan"), "No noise is seen, so no interval can be told.")
    breakdown = _smallest(lambda magnitude: bounds(magnitude)[3] <= 0 <= bounds(magnitude)[4])
    return Sensitivity(frame, breakdown, _reading(breakdown))


def _steps(times: Whole, reference: int) -> Array:
    """Write each step between neighbouring event times up to the reference as weights of the estimates."""
    early = np.flatnonzero(times <= reference)
    rows = np.zeros((max(len(early) - 1, 0), len(times)))
    for row, (first, second) in enumerate(pairwise(early)):
        rows[row, first], rows[row, second] = -1.0, 1.0
    return rows


def _smallest(holds_zero: Callable[[float], bool]) -> float:
    """Find the smallest magnitude whose interval holds zero; intervals only grow with it."""
    if holds_zero(0.0):
        return 0.0
    if not holds_zero(_MOST):
        return float("inf")
    low, high = 0.0, 1.0
    while not holds_zero(high):
        low, high = high, high * 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if holds_zero(middle) else (middle, high)
    return high


def _reading(breakdown: float) -> str:
    if breakdown == 0:
        return "Zero is not ruled out even if the trends were parallel."
    if np.isinf(breakdown):
        return "No drift measured by the steps before the entry would overturn the sign of the effect."
    return (
        f"The sign of the effect would be in doubt once treated units drifted by {breakdown:.2g} times the "
        "largest step before the entry, period by period and always in one direction."
    )
