"""What was observed and expected, how far apart, and what does it add up to? Three panels."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import polars as pl

from grocery_spheres.outage import gaps
from grocery_spheres.outage.wording import amount, level

WIDTH, _HEIGHT = 560, 150  # pixels, of a panel
_INK, _DARK, _GREY = "#111827", "#b45309", "#6b7280"
_REACH = 8  # pixels in which a period is pointed at
_UNSEEN = 0.001  # at 0 a rule cannot be pointed at


def draw(found: Any, periods: int | None, width: int = WIDTH) -> Any:
    """Draw the panels that `OutageResults.plot` describes.

    Parameters
    ----------
    found : OutageResults
        The estimate.
    periods : int, optional
        How many periods before the outage are shown; None: all.
    width : int
        Pixels of a panel, without its axis.
    """
    rows = shown_rows(found, periods)
    dated = found.study.panel.times.dated
    kind, named = ("T", None) if dated else ("Q", found.study.panel.names.time)
    time = alt.X(f"time:{kind}", title=named)
    shade = alt.Chart(_windows(rows)).mark_rect(color=_DARK, opacity=0.12)
    shade = shade.encode(x=alt.X(f"start:{kind}", title=named), x2="end")
    outcome = found.study.panel.names.outcome
    titles = (f"{outcome}: observed, and expected (dashed)", "observed minus expected", "running total")
    drawn = (_paths(rows, time), _gap(rows, time), _running(rows, time))
    panels = [
        alt.layer(shade, *layers).properties(
            width=width, height=_HEIGHT, title=alt.TitleParams(title, anchor="start", fontSize=12)
        )
        for title, layers in zip(titles, drawn, strict=True)
    ]
    return alt.vconcat(*panels).properties(title=_title(found), description=described(found))


def shown_rows(found: Any, periods: int | None) -> pl.DataFrame:
    """Return the rows of `OutageResults.gap` that are drawn: so many before, and those summed after.

    Parameters
    ----------
    found : OutageResults
        The estimate.
    periods : int, optional
        Before the outage; None: all.
    """
    window = np.flatnonzero(found.study.window)
    first = 0 if periods is None else max(0, int(window[0]) - periods)
    return found.gap.slice(first, int(window[-1]) + 1 + gaps.AFTER - first)


def described(found: Any) -> str:
    """Say in words what the picture shows."""
    low, high = found.conf_int(what="cumulative")
    return (
        "Three panels over time. Top: the outcome of the dark units and what was expected of them. Middle: "
        "the gap between them. Bottom: the running total, at the end of the outage "
        f"{amount(found.cumulative)} ({level(found.question.alpha)} interval {amount(low)} to "
        f"{amount(high)})."
    )


def _title(found: Any) -> alt.TitleParams:
    word = "lost" if found.cumulative <= 0 else "gained"
    return alt.TitleParams(
        f"{amount(abs(found.cumulative))} {word} in {found.study.panel.names.outcome}",
        subtitle=f"{found.question.method}; band: {level(found.question.alpha)} interval of the total",
        anchor="start",
    )


def _windows(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the runs of dark periods: `start`, and `end`, which is the start of the period after."""
    step = rows["time"][1] - rows["time"][0] if rows.height > 1 else 1
    runs = rows.with_columns(run=pl.col("dark").rle_id()).filter(pl.col("dark"))
    ends = runs.group_by("run", maintain_order=True).agg(start=pl.min("time"), end=pl.max("time") + step)
    return ends.select("start", "end")


def _paths(rows: pl.DataFrame, time: alt.X) -> list[Any]:
    base = alt.Chart(rows).encode(x=time)
    return [
        base.mark_line(color=_GREY, strokeDash=[5, 3]).encode(y=alt.Y("expected:Q", title=None)),
        base.mark_line(color=_INK).encode(y="observed:Q"),
        base.mark_point(color=_INK, filled=True, size=14).encode(y="observed:Q"),
        _told(base, "observed", "expected", "gap"),
    ]


def _gap(rows: pl.DataFrame, time: alt.X) -> list[Any]:
    base = alt.Chart(rows).encode(x=time)
    line = base.mark_line(color=_DARK).encode(y=alt.Y("gap:Q", title=None))
    return [_zero(), line, _told(base, "gap")]


def _running(rows: pl.DataFrame, time: alt.X) -> list[Any]:
    base = alt.Chart(rows).encode(x=time)
    return [
        _zero(),
        base.mark_area(color=_DARK, opacity=0.2).encode(y=alt.Y("low:Q", title=None), y2="high:Q"),
        base.mark_line(color=_DARK).encode(y="running:Q"),
        _told(base, "running", "low", "high"),
    ]


def _zero() -> alt.Chart:
    return alt.Chart(pl.DataFrame({"y": [0]})).mark_rule(color=_GREY).encode(y="y:Q")


def _told(base: alt.Chart, *names: str) -> alt.Chart:
    """Tell a period's numbers wherever a reader points at its height."""
    tips = ["time", *[alt.Tooltip(f"{name}:Q", format=",.4~g") for name in names]]
    return base.mark_rule(opacity=_UNSEEN, strokeWidth=_REACH).encode(tooltip=tips)
