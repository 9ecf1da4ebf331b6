"""How far did the dark units lie from what was expected, period by period?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from grocery_spheres.outage.expected import Array, Expected, Flags, block_error
from grocery_spheres.outage.study import Study

AFTER = 28  # periods after the outage over which the running total goes on


def average_gap(study: Study, expected: Sequence[Expected]) -> tuple[Array, Array]:
    """Return what was observed and expected, averaged over the dark units, (periods,) each."""
    sizes = np.array([len(group) for group in study.members]) / sum(len(group) for group in study.members)
    observed = sizes @ np.array([target.values for target in study.targets])
    return observed, sizes @ np.array([each.path for each in expected])


def by_period(found: Any) -> pl.DataFrame:
    """Return the frame that `OutageResults.gap` describes.

    Parameters
    ----------
    found : OutageResults
        The estimate.
    """
    study = found.study
    observed, expected = average_gap(study, found.found.expected)
    dark = study.window
    learnt = np.all([target.known for target in study.targets], axis=0)
    running, low, high = _running(found, observed - expected, learnt)
    return pl.DataFrame(
        {
            "time": study.panel.times.labels,
            "observed": observed,
            "expected": expected,
            "gap": observed - expected,
            "dark": dark,
            "learnt": learnt,
            "running": running,
            "low": low,
            "high": high,
        }
    ).with_columns(pl.col(pl.Float64).fill_nan(None))


def _all_gaps(found: Any) -> tuple[Array, Flags]:
    """Return the sum of the gaps of units that are dark, or were; and where any gap is known."""
    study = found.study
    gaps = [
        target.values - each.path for target, each in zip(study.targets, found.found.expected, strict=True)
    ]
    sizes = [len(group) for group in study.members]
    last = int(np.flatnonzero(study.window)[-1])
    parts = [
        size * np.nan_to_num(np.where((target.dose > 0) | (np.arange(len(gap)) > last), gap, 0.0))
        for size, target, gap in zip(sizes, study.targets, gaps, strict=True)
    ]
    total = np.sum(parts, axis=0)
    return total, np.any([~np.isnan(gap) for gap in gaps], axis=0)


def _running(found: Any, gap: Array, learnt: Flags) -> tuple[Array, Array, Array]:
    """Sum the gaps from the outage on; errors grow with the time as those of earlier stretches do."""
    dark, (total, seen) = found.study.window, _all_gaps(found)
    first, last = np.flatnonzero(dark)[[0, -1]]
    running, low, high = (np.full(len(gap), np.nan) for _ in range(3))
    shown = slice(first, min(len(gap), last + 1 + AFTER))
    running[shown] = np.cumsum(total[shown])
    running[shown][~seen[shown] & ~dark[shown]] = np.nan
    whole = found.cumulative
    below, above = (abs(end - whole) for end in found.conf_int(what="cumulative"))
    residuals = gap[learnt & ~np.isnan(gap)]
    spans = np.arange(1, shown.stop - first + 1)
    errors = np.array([block_error(residuals, int(span)) * span for span in spans])
    grown = errors / errors[last - first] if errors[last - first] > 0 else np.ones(len(errors))
    if np.isfinite([below, above]).all():
        low[shown], high[shown] = running[shown] - below * grown, running[shown] + above * grown
    return running, low, high


def weights(study: Study, expected: Sequence[Expected]) -> pl.DataFrame:
    """Return the donors' weights, the largest first; see `OutageResults.weights`.

    Parameters
    ----------
    study : Study
        Whose donors they are.
    expected : sequence of Expected
        One a target.
    """
    kind = pl.String if isinstance(study.panel.ids[0], str) else pl.Int64
    rows = [
        (place, unit, float(weight))
        for place, each in enumerate(expected)
        if each.weights is not None
        for unit, weight in zip(study.donor_ids, each.weights, strict=True)
        if weight > 0
    ]
    frame = pl.DataFrame(rows, schema={"target": pl.Int64, "unit": kind, "weight": pl.Float64}, orient="row")
    return frame.sort("target", "weight", "unit", descending=[False, True, False])
