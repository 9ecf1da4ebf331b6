"""How do the estimates stand in frames?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from grocery_spheres.entry.averages import Averages, by_event, usable
from grocery_spheres.entry.cells import Cells
from grocery_spheres.entry.inference import certainty, uniform_band
from grocery_spheres.entry.study import Study

Array = npt.NDArray[np.float64]

_ENDS = ("se", "low", "high")


def labels(study: Study, places: Sequence[int] | npt.NDArray[np.int64]) -> pl.Series:
    """Name periods (1 to T) as the panel does.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> panel = SimpleNamespace(periods=SimpleNamespace(labels=pl.Series([2044, 2045])))
    >>> labels(panel, [2, 1]).to_list()
    [2045, 2044]
    """
    return study.periods.labels.gather(np.asarray(places, dtype=np.int64) - 1)


def _told(**columns: Any) -> pl.DataFrame:
    """Make a frame in which what cannot be told is null."""
    return pl.DataFrame(columns).with_columns(pl.col(pl.Float64).fill_nan(None))


def group_time(study: Study, cells: Cells, alpha: float) -> pl.DataFrame:
    """Frame the group-time effects; see `EntryResults.group_time`."""
    sure = certainty(study, cells.att, cells.influence)
    se = np.where(usable(study, cells), sure.se, np.nan)
    low, high = sure.interval(alpha)
    return _told(
        group=labels(study, cells.group),
        time=labels(study, cells.time),
        event_time=cells.time - cells.group,
        att=cells.att,
        se=se,
        low=np.where(np.isnan(se), np.nan, low),
        high=np.where(np.isnan(se), np.nan, high),
        units=cells.treated,
        comparisons=cells.comparisons,
    )


def not_estimated(study: Study, cells: Cells) -> pl.DataFrame:
    """Frame the cohorts and periods without an effect; see `EntryResults.not_estimated`."""
    return pl.DataFrame(
        [
            labels(study, [group for group, _, _ in cells.missing]).alias("group"),
            labels(study, [time for _, time, _ in cells.missing]).alias("time"),
            pl.Series("reason", [reason for *_, reason in cells.missing], dtype=pl.String),
        ]
    )


def event_study(study: Study, found: Averages, alpha: float, *, draws: int, seed: int) -> pl.DataFrame:
    """Frame effects by event time with their band; see `EntryResults.event_study`."""
    sure = certainty(study, found.value, found.influence)
    low, high = sure.interval(alpha)
    band_low, band_high = uniform_band(sure, alpha, draws=draws, seed=seed)
    return _told(
        event_time=found.keys,
        att=found.value,
        se=sure.se,
        low=low,
        high=high,
        band_low=band_low,
        band_high=band_high,
        groups=found.groups,
        units=found.units,
    )


def averaged(study: Study, found: Averages, key: str, alpha: float) -> pl.DataFrame:
    """Frame averages by cohort or period; see `EntryResults.by_group` and `EntryResults.calendar`."""
    sure = certainty(study, found.value, found.influence)
    low, high = sure.interval(alpha)
    frame = _told(
        att=found.value,
        se=sure.se,
        low=low,
        high=high,
        pvalue=sure.pvalues(),
        groups=found.groups,
        units=found.units,
    )
    return frame.insert_column(0, labels(study, found.keys).alias(key))


def units(study: Study, cells: Cells) -> pl.DataFrame:
    """Frame the cohorts with their sizes; see `EntryResults.units`."""
    late = {int(group) for group, time in zip(cells.group, cells.time, strict=True) if time >= group}
    cohorts = [*study.cohorts, *([0] if (study.cohort == 0).any() else [])]
    roles = [
        "comparison" if not one or one not in late else "alone" if one in study.lone else "treated"
        for one in cohorts
    ]
    members = [study.cohort == one for one in cohorts]
    named = [study.periods.labels[one - 1] if one else None for one in cohorts]
    return pl.DataFrame(
        [
            pl.Series("group", named, dtype=study.periods.labels.dtype),
            pl.Series("units", [int(one.sum()) for one in members], dtype=pl.Int64),
            pl.Series("clusters", [study.clusters_of(one) for one in members], dtype=pl.Int64),
            pl.Series("role", roles, dtype=pl.String),
        ]
    )


def summary_frame(results: Any) -> pl.DataFrame:
    """Frame the main numbers; see `EntryResults.summary_frame`."""
    low, high = results.conf_int()
    naive = results.two_way
    rows = [("average", results.att, results.se, low, high, results.pvalue)]
    for row in results.by_group.iter_rows(named=True):
        rows.append((f"group {row['group']}", row["att"], *(row[end] for end in _ENDS), row["pvalue"]))
    rows.append(("two-way fixed effects", naive.coefficient, naive.se, naive.low, naive.high, naive.pvalue))
    names = ["estimate", "att", *_ENDS, "pvalue"]
    types = [pl.String, *[pl.Float64] * 5]
    frame = pl.DataFrame(rows, schema=dict(zip(names, types, strict=True)), orient="row")
    return frame.with_columns(pl.col(pl.Float64).fill_nan(None))


def tidy(results: Any) -> pl.DataFrame:
    """Frame every estimate; see `EntryResults.tidy`."""
    parts = {
        "average": results.summary_frame().head(1).rename({"estimate": "term"}),
        "group_time": results.group_time.with_columns(
            term=pl.format("group {} at {}", pl.col("group"), pl.col("time"))
        ),
        "dynamic": results.dynamic.with_columns(term=pl.format("event {}", pl.col("event_time"))),
        "group": results.by_group.with_columns(term=pl.format("group {}", pl.col("group"))),
        "calendar": results.calendar.with_columns(term=pl.format("at {}", pl.col("time"))),
    }
    frames = [part.select(pl.lit(kind).alias("kind"), "term", "att", *_ENDS) for kind, part in parts.items()]
    pvalues = _every_pvalue(results)
    return pl.concat(frames, how="vertical").select(
        "kind",
        "term",
        estimate="att",
        std_error="se",
        statistic=pl.col("att") / pl.col("se"),
        p_value=pvalues,
        conf_low="low",
        conf_high="high",
    )


def _every_pvalue(results: Any) -> pl.Series:
    """Return the p-values in the order of `tidy`."""
    study, cells = results.study, results.cells
    single = certainty(study, cells.att, cells.influence).pvalues()
    events = by_event(study, cells)
    parts = [
        np.array([results.pvalue]),
        np.where(usable(study, cells), single, np.nan),
        certainty(study, events.value, events.influence).pvalues(),
        results.by_group["pvalue"].cast(pl.Float64).to_numpy(),
        results.calendar["pvalue"].cast(pl.Float64).to_numpy(),
    ]
    return pl.Series(np.concatenate(parts)).fill_nan(None)
