"""The pictures of notebook 04: what was lost, where it went, what came later, what stayed.

Each function draws the rows that `charts.account_rows` shapes for it, at article (640) or phone (320) width.
"""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from grocery_spheres.charts import theme

_STEP = 40  # pixels a row that has its words above its mark
_INKS = {
    "lost": theme.SPHERE,
    "diverted": theme.GROCER,
    "delayed": theme.GREEN,
    "forgone": theme.CONTEXT,
}
_DASH = [5, 4]


def laid_end_to_end(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    """Draw what was lost and its parts, each beginning where the last ended; ticks: the truth."""
    panels = [
        _account(rows, width, str(measure))
        for (measure,), rows in data.group_by("measure", maintain_order=True)
    ]
    return alt.vconcat(*panels, spacing=24)


def _account(rows: pl.DataFrame, width: int, measure: str) -> Any:
    y = alt.Y("part:N", sort=rows["part"].to_list(), axis=None)
    title = f"{measure}, % of what was lost"
    ends = rows.select(pl.min("line from (%)").alias("low"), pl.max("line to (%)").alias("high")).row(0)
    scale = alt.Scale(domain=[min(ends[0], 0) - 5, max(ends[1], 100) + 5], nice=False)
    x = alt.X("from (%):Q", title=title, scale=scale, axis=alt.Axis(values=[-100, 0, 100, 200]))
    ink = alt.Color("of:N", scale=alt.Scale(domain=list(_INKS), range=list(_INKS.values())), legend=None)
    tips: list[Any] = [
        "part:N",
        *[alt.Tooltip(f"{n}:Q", format=",.1f") for n in ("share (%)", "low (%)", "high (%)")],
    ]
    base = alt.Chart(rows).encode(y=y, tooltip=[*tips, alt.Tooltip("truth (%):Q", format=",.1f")])
    zero = alt.Chart(pl.DataFrame({"zero": [0]})).mark_rule(color=theme.GRID)
    drawn = [
        zero.encode(x=alt.X("zero:Q", scale=scale, title=title)),
        base.mark_bar(height=8, yOffset=6).encode(x=x, x2="to (%):Q", color=ink),
        base.mark_rule(strokeWidth=1.5, yOffset=14).encode(
            x=alt.X("line from (%):Q", scale=scale, title=title), x2="line to (%):Q", color=ink
        ),
        base.mark_tick(color=theme.INK, thickness=2, size=15, yOffset=9).encode(
            x=alt.X("truth at (%):Q", scale=scale, title=title)
        ),
        base.mark_text(align="left", dy=-9).encode(x=alt.value(0), text="words:N"),
    ]
    return alt.layer(*drawn).properties(width=width - 30, height=alt.Step(_STEP))


def gain_by_week(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    """Draw baskets a day more or less than expected, at the dark stores and elsewhere, week by week."""
    panels = [
        _by_week(rows, width, str(place)) for (place,), rows in data.group_by("place", maintain_order=True)
    ]
    return alt.vconcat(*panels, spacing=20)


def _by_week(rows: pl.DataFrame, width: int, place: str) -> Any:
    ink = theme.SPHERE if place == "at the dark Spheres" else theme.GROCER
    title = f"Baskets a day, {place}"
    tips: list[Any] = ["week:Q", *[alt.Tooltip(f"{name}:Q", format=".1f") for name in _AMOUNTS]]
    x = alt.X("week:O", title="Week after the outage (0: its day)", axis=alt.Axis(labelAngle=0))
    base = alt.Chart(rows).encode(x=x, tooltip=tips)
    zero = alt.Chart(pl.DataFrame({"zero": [0]})).mark_rule(color=theme.CONTEXT)
    drawn = [
        zero.encode(y=alt.Y("zero:Q", title=title)),
        base.mark_rule(strokeWidth=2, color=ink).encode(y=alt.Y("low:Q", title=title), y2="high:Q"),
        base.mark_point(filled=True, size=45, opacity=1, color=ink).encode(
            y=alt.Y("baskets a day:Q", title=title, axis=alt.Axis(tickCount=4))
        ),
        base.mark_tick(orient="horizontal", color=theme.INK, thickness=2, size=16).encode(
            y=alt.Y("truth:Q", title=title)
        ),
    ]
    return alt.layer(*drawn).properties(width=width - 60, height=130)


_AMOUNTS = ("baskets a day", "low", "high", "truth")


def regulars_fade(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    """Draw what regular customers buy at their store where nothing happened, week by week."""
    shades = data.group_by("days", maintain_order=True).agg(
        start=pl.min("week") - 0.5, end=pl.max("week") + 0.5
    )
    words = shades.with_columns(down=_HEIGHT - 12 - 18 * (shades.height - 1 - pl.int_range(pl.len())))
    chosen = alt.Chart(shades.filter(pl.col("days") == "chosen on these")).mark_rect(color=theme.WINDOW)
    x = alt.X("week:Q", title="Week of 2017", axis=alt.Axis(tickMinStep=4), scale=alt.Scale(nice=False))
    y = alt.Y("baskets a day:Q", title="Baskets a day at their store", scale=alt.Scale(zero=True))
    line = alt.Chart(data).encode(
        x=x, y=y, tooltip=["week:Q", "days:N", alt.Tooltip("baskets a day:Q", format=".1f")]
    )
    bounds = alt.Chart(shades.slice(1)).mark_rule(color=theme.CONTEXT, strokeDash=_DASH)
    return alt.layer(
        chosen.encode(x=alt.X("start:Q", title="Week of 2017"), x2="end:Q"),
        bounds.encode(x=alt.X("start:Q", title="Week of 2017")),
        line.mark_line(color=theme.SPHERE, strokeWidth=2),
        line.mark_point(filled=True, size=25, opacity=1, color=theme.SPHERE),
        *_named(words),
    ).properties(width=width, height=_HEIGHT)


def _named(words: pl.DataFrame) -> list[Any]:
    """Name stretches of weeks: the first two from their start on, the later ones up to their end."""
    names = []
    for place, row in enumerate(words.to_dicts()):
        begins = place < _FROM_START
        one = alt.Chart(pl.DataFrame({"at": [row["start"] if begins else row["end"]], "days": [row["days"]]}))
        mark = one.mark_text(align="left" if begins else "right", dx=4 if begins else -4, color=theme.INK)
        names.append(
            mark.encode(x=alt.X("at:Q", title="Week of 2017"), y=alt.value(row["down"]), text="days:N")
        )
    return names


_HEIGHT, _FROM_START = 230, 2  # pixels; stretches that are long enough to be named from their start on


def held(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    """Draw how often intervals held the truth, by part and level."""
    rows = data.with_columns(row=pl.format("{} %: {}", "level", "part"))
    y = alt.Y("row:N", sort=rows["row"].to_list(), axis=None)
    scale = alt.Scale(domain=[80, 100], nice=False, clamp=True)
    title = "Intervals that held the truth, %"
    base = alt.Chart(rows).encode(
        y=y, tooltip=["row:N", *[alt.Tooltip(f"{n}:Q", format=".1f") for n in ("coverage", "low", "high")]]
    )
    drawn = [
        base.mark_tick(color=theme.INK, thickness=2, size=18, yOffset=6).encode(
            x=alt.X("level:Q", scale=scale, title=title)
        ),
        base.mark_rule(strokeWidth=2, color=theme.SPHERE, yOffset=6).encode(
            x=alt.X("low:Q", scale=scale, title=title), x2="high:Q"
        ),
        base.mark_point(filled=True, size=42, opacity=1, color=theme.SPHERE, yOffset=6).encode(
            x=alt.X("coverage:Q", scale=scale, title=title)
        ),
        base.mark_text(align="left", dy=-10).encode(x=alt.value(0), text="row:N"),
    ]
    return alt.layer(*drawn).properties(width=width, height=alt.Step(36))


def verdicts(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    """Draw which share of accounts says what of each part."""
    order = data["part"].unique(maintain_order=True).to_list()
    inks = alt.Scale(
        domain=["found", "none seen", "not estimable here"],
        range=[theme.SPHERE, theme.PURPLE, theme.CONTEXT],
    )
    bars = alt.Chart(data).encode(
        y=alt.Y("part:N", sort=order, axis=None),
        x=alt.X("accounts (%):Q", title="Accounts, %", stack="zero", scale=alt.Scale(domain=[0, 100])),
        order=alt.Order("place:Q"),
        tooltip=["part:N", "verdict:N", alt.Tooltip("accounts (%):Q", format=".0f")],
    )
    words = alt.Chart(data.unique("part", maintain_order=True, keep="first")).mark_text(align="left", dy=-9)
    return alt.layer(
        bars.mark_bar(height=12, yOffset=9).encode(
            color=alt.Color("verdict:N", scale=inks, legend=alt.Legend(orient="top", title=None))
        ),
        words.encode(y=alt.Y("part:N", sort=order, axis=None), x=alt.value(0), text="part:N"),
    ).properties(width=width, height=alt.Step(_STEP))


def seeds(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    """Draw estimates less the expected truth, one dot a county, with their mean."""
    order = data["part"].unique(maintain_order=True).to_list()
    y = alt.Y("part:N", sort=order, axis=None)
    title = "Estimate less expected truth, points of what was lost"
    x = alt.X("error (points):Q", title=title)
    base = alt.Chart(data).encode(
        y=y, tooltip=["part:N", "seed:Q", alt.Tooltip("error (points):Q", format=".1f")]
    )
    means = data.group_by("part", maintain_order=True).agg(pl.mean("error (points)"))
    zero = alt.Chart(pl.DataFrame({"zero": [0]})).mark_rule(color=theme.CONTEXT)
    drawn = [
        zero.encode(x=alt.X("zero:Q", title=title)),
        base.mark_point(filled=True, size=30, opacity=0.5, color=theme.CONTEXT, yOffset=9).encode(x=x),
        alt.Chart(means)
        .mark_tick(color=theme.SPHERE, thickness=3, size=20, yOffset=9)
        .encode(y=y, x=alt.X("error (points):Q", title=title)),
        alt.Chart(means).mark_text(align="left", dy=-8).encode(y=y, x=alt.value(0), text="part:N"),
    ]
    return alt.layer(*drawn).properties(width=width, height=alt.Step(_STEP))
