"""The pictures of notebook 02 that show the outage: the day as the county lived it, and its account.

Each function draws the rows that `charts.outage_rows` shapes for it, at article (640) or phone (320) width.
"""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from grocery_spheres.charts import theme

_OUTAGE = "2045-06-17"
_DASH = [5, 4]


def outage_day(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    """Draw the day by hour at the dark Spheres and their towns' grocers, and the weeks around it by day."""
    hours, days = (data.filter(pl.col("panel") == panel) for panel in ("hours", "days"))
    panels = [
        _by_hour(hours, "sphere", theme.SPHERE, "Baskets an hour at dark Spheres", width),
        _by_hour(hours, "grocer", theme.GROCER, "Baskets an hour at grocers of their towns", width),
        _by_day(days, "Baskets a day at dark Spheres", width),
    ]
    return alt.vconcat(*panels, spacing=26)


def _by_hour(data: pl.DataFrame, which: str, colour: str, title: str, width: int) -> Any:
    last = which == "grocer"
    axis = alt.Axis(values=[0, 6, 12, 18, 24], grid=False)
    x = alt.X(
        "hour:Q",
        title="Hour of 17 June 2045" if last else None,
        scale=alt.Scale(domain=[0, 24], nice=False),
        axis=axis,
    )
    tips: list[Any] = [
        "hour:Q",
        "baskets:Q",
        alt.Tooltip("comparison:Q", title="usual Saturday", format=".1f"),
    ]
    rows = data.filter(pl.col("stores") == which).with_columns(ground=pl.lit(0))
    base = alt.Chart(rows).encode(x=x, x2="until:Q", tooltip=tips)
    y = alt.Y("baskets:Q", title=title, axis=alt.Axis(tickCount=3))
    bars = base.mark_rect(color=colour, opacity=0.75, stroke=theme.CARD).encode(y=y, y2="ground:Q")
    usual = base.mark_rule(color=theme.INK, strokeWidth=2).encode(y="comparison:Q")
    marks = [bars, usual]
    if not last:
        said = alt.Chart(rows.filter(pl.col("hour") == 10)).mark_text(align="right", dx=-6)
        marks.append(said.encode(x="hour:Q", y="comparison:Q", text=alt.value("usual Saturday")))
    return alt.layer(*marks).properties(width=width - 60, height=100)


def _by_day(data: pl.DataFrame, title: str, width: int) -> Any:
    axis = alt.Axis(format="%-d %b", tickCount=4, grid=False)
    tips: list[Any] = [alt.Tooltip("date:T", format="%d %B"), "baskets:Q"]
    tips.append(alt.Tooltip("comparison:Q", title="without the outage"))
    base = alt.Chart(data).encode(x=alt.X("date:T", title=None, axis=axis), tooltip=tips)
    most = data.select(pl.max_horizontal(pl.col("baskets", "comparison").max())).item()
    room = alt.Scale(domain=[0, 1.15 * most], nice=False)  # for the words above
    y = alt.Y("baskets:Q", title=title, axis=alt.Axis(tickCount=3), scale=room)
    without = base.mark_line(strokeDash=_DASH, color=theme.INK, strokeWidth=1.5).encode(y="comparison:Q")
    lived = base.mark_line(color=theme.SPHERE, strokeWidth=2).encode(y=y)
    that_day = base.transform_filter(f"toDate(datum.date) == toDate('{_OUTAGE}')")
    dot = that_day.mark_point(size=60, opacity=1, color=theme.SPHERE).encode(y=y)
    name = that_day.mark_text(align="left", dx=9, fontWeight=600).encode(y=y, text=alt.value("17 June"))
    other = that_day.mark_text(align="left", dx=6, dy=-6).encode(
        y="comparison:Q", text=alt.value("without the outage")
    )
    return alt.layer(without, lived, dot, name, other).properties(width=width - 60, height=120)


# ---- the account


def account(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    """Draw what was lost, and below it its parts, each beginning where the one before ends."""
    panels: list[Any] = []
    order = data["part"].unique(maintain_order=True).to_list()
    wide = width == theme.WIDE
    for (measure,), rows in data.group_by("measure", maintain_order=True):
        heading = alt.TitleParams(str(measure), fontSize=theme.LABEL_SIZE, offset=8)
        labels = alt.Axis(labelLimit=170, labels=not (wide and panels))
        across = (width - 200) // 2 if wide else width - 150
        panels.append(
            _laid_out(rows, order, labels).properties(width=across, height=alt.Step(42), title=heading)
        )
    return alt.hconcat(*panels, spacing=20) if wide else alt.vconcat(*panels, spacing=22)


def _laid_out(rows: pl.DataFrame, order: list[str], labels: alt.Axis) -> Any:
    base = alt.Chart(rows).encode(y=alt.Y("part:N", sort=order, title=None, axis=labels))
    axis = alt.Axis(values=[0, 25, 50, 75, 100])
    x = alt.X("from (%):Q", title="Share of what was lost, %", scale=alt.Scale(domain=[0, 100]), axis=axis)
    colours = [theme.SPHERE, theme.GROCER, theme.GROCER, theme.GREEN, theme.CONTEXT]
    fill = alt.Color("part:N", scale=alt.Scale(domain=order, range=colours), legend=None)
    tips = [
        "part:N",
        *[
            alt.Tooltip(f"{name}:Q", format=".2f")
            for name in ("expected", "Monte Carlo error", "share (%)", "error (points)")
        ],
    ]
    bars = base.mark_bar(height=16, yOffset=7).encode(x=x, x2="to (%):Q", color=fill, tooltip=tips)
    words = base.mark_text(align="left", dy=-9, fontSize=theme.SMALLEST_SIZE).encode(
        x=alt.value(0), text="words:N"
    )
    return alt.layer(bars, words)
