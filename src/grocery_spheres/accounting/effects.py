"""How far did customers' purchases lie from what was to be expected, place by place and window by window?

Difference in differences in ratios: what the followed customers bought on such a weekday of the baseline,
times the change at customers of other stores who were chosen by the same rule. The ratio of sums is the
fitted value of a Poisson model with effects of group and day (Wooldridge 2023, The Econometrics Journal 26,
on nonlinear difference in differences).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from grocery_spheres.accounting.following import ELSEWHERE, Followed
from grocery_spheres.accounting.records import Array, Whole
from grocery_spheres.accounting.spans import DAILY, WEEK, Spans

TOLD = 3  # components whose daily paths are kept


@dataclass(frozen=True)
class Effects:
    """Observed minus expected.

    Attributes
    ----------
    effect, expected, pool : array, (measures, components, windows)
        Summed over each window (`spans.WINDOWS`; NaN where there is none); `pool` is what the donors'
        customers bought in it.
    gap, path : array, (measures, 3, days)
        Observed minus expected, and expected, day by day from the day after the outage on.
    share : array, (windows,)
        Days of each window over days of the baseline.
    """

    effect: Array
    expected: Array
    pool: Array
    gap: Array
    path: Array
    share: Array


def effects(bought: Followed, spans: Spans, weekday: Whole) -> Effects:
    """Hold purchases against what was to be expected.

    Parameters
    ----------
    bought : Followed
        Day by day.
    spans : Spans
        The days.
    weekday : array of int, (days,)
        0 to 6.
    """
    pooled = bought.pool.shape[1]
    beside = [*range(pooled), *[ELSEWHERE] * (bought.bought.shape[1] - pooled)]
    pool = bought.pool[:, beside]
    expected = usual(bought.bought, spans.baseline, weekday) * _change(pool, spans.baseline, weekday)
    gap = bought.bought - expected
    shown = slice(spans.outage.stop, spans.stop)
    days = np.array([0 if one is None else one.stop - one.start for one in spans.windows])
    return Effects(
        effect=_summed(gap, spans),
        expected=_summed(expected, spans),
        pool=_summed(pool, spans),
        gap=gap[:, :TOLD, shown],
        path=expected[:, :TOLD, shown],
        share=days / (spans.baseline.stop - spans.baseline.start),
    )


def usual(bought: Array, baseline: slice, weekday: Whole) -> Array:
    """Return for each day the mean of its weekday in the baseline, (..., days).

    Examples
    --------
    >>> usual(np.arange(14.0), slice(0, 14), np.arange(14) % 7)[:3]
    array([3.5, 4.5, 5.5])
    """
    inside = np.zeros(len(weekday), dtype=bool)
    inside[baseline] = True
    means = [bought[..., inside & (weekday == day)].mean(axis=-1) for day in range(WEEK)]
    return np.asarray(np.stack(means, axis=-1)[..., weekday])


def _change(pool: Array, baseline: slice, weekday: Whole) -> Array:
    """Return each day of the donors over such a weekday's mean in the baseline; 1 where that is nothing."""
    before = usual(pool, baseline, weekday)
    return np.divide(pool, before, out=np.ones_like(pool), where=before > 0)


def _summed(daily: Array, spans: Spans) -> Array:
    nothing = np.full(daily.shape[:2], np.nan)
    sums = [nothing if one is None else daily[..., one].sum(-1) for one in spans.windows]
    sums[DAILY] = sums[DAILY] / (spans.outage.stop - spans.outage.start)
    return np.stack(sums, axis=-1)
