"""The pictures of notebook 03 that show what moved: grocers' growth, prices beside their truth, beliefs.

Each function draws the rows that `charts.formats_change` shapes for it, at article (640) or phone (320)
width. Sales and customers stand in `formats_2045`.
"""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from grocery_spheres.charts import theme
from grocery_spheres.charts.formats_2045 import INKS, colours, heading
from grocery_spheres.charts.formats_change import NEVER_THERE, THERE
from grocery_spheres.charts.formats_rows import GROCERS, SPHERES

_DASH = [5, 4]
_SIGNED = "replace(format(datum.value, '+.2f'), '-', '−')"
_ENDS = ("value", "low", "high", "truth")


# ---- growth


def growth(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    """Draw what each component adds to grocers' sales a household, for the two kinds of town."""
    wide = width == theme.WIDE
    across = (width - 160) // 2 if wide else width - 125
    ends = (1.1 * min(data["low"].to_list()), 1.1 * max(data["high"].to_list()) + 1)
    panels = []
    for at, ((towns,), rows) in enumerate(data.group_by("towns", maintain_order=True)):
        drawn = _added(rows, ends, labelled=not (wide and at))
        title = heading(f"Grocers of towns {towns}")
        panels.append(drawn.properties(width=across, height=alt.Step(38), title=title))
    return alt.hconcat(*panels, spacing=18) if wide else alt.vconcat(*panels, spacing=20)


def _added(rows: pl.DataFrame, ends: tuple[float, float], *, labelled: bool) -> Any:
    order = rows["component"].to_list()
    tips = [alt.Tooltip(f"{name}:Q", format=".3f") for name in ("value", "low", "high", "ratio")]
    base = alt.Chart(rows).encode(
        y=alt.Y("component:N", sort=order, title=None, axis=alt.Axis(labels=labelled)),
        tooltip=["component:N", *tips],
    )
    scale = alt.Scale(domain=list(ends), nice=False)
    x = alt.X("value:Q", title="USD a week and household", scale=scale, axis=alt.Axis(tickCount=4))
    whole = f"datum.component == '{order[-1]}'"
    fill = alt.condition(whole, alt.value(theme.CONTEXT), alt.value(theme.GROCER))
    zero = alt.Chart(pl.DataFrame({"at": [0]})).mark_rule(color=theme.CONTEXT).encode(x=alt.X("at:Q"))
    bars = base.mark_bar(height=12, yOffset=7).encode(x=x, color=fill)
    whisker = base.mark_rule(color=theme.INK, strokeWidth=1.5, yOffset=7).encode(x="low:Q", x2="high:Q")
    said = base.transform_calculate(said=_SIGNED).mark_text(align="right", dy=-8, dx=-4)
    return alt.layer(bars, whisker, zero, said.encode(x=alt.datum(0), text="said:N"))


# ---- prices


def prices(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    """Draw Spheres' prices over grocers' with their truth, above both formats' prices over time."""
    index = _index(data.filter(pl.col("panel") == "index")).properties(width=width - 105, height=130)
    return alt.vconcat(_levels(data.filter(pl.col("panel") == "level"), width), index, spacing=28)


def _levels(rows: pl.DataFrame, width: int) -> Any:
    shown = rows.with_columns((pl.col(*_ENDS) - 1) * 100)
    scale = alt.Scale(domain=[0, 24 if width == theme.WIDE else 36], nice=False)  # room for the words
    base = alt.Chart(shown).encode(y=alt.Y("name:N", sort=rows["name"].to_list(), title=None))
    axis = alt.Axis(values=[0, 5, 10, 15, 20])
    x = alt.X("value:Q", title="Spheres’ prices above grocers’, %", scale=scale, axis=axis)
    tips = ["name:N", *(alt.Tooltip(f"{name}:Q", format=".2f") for name in _ENDS)]
    whisker = base.mark_rule(color=theme.SPHERE, strokeWidth=3)
    dot = base.mark_point(size=50, opacity=1, color=theme.SPHERE).encode(x=x, tooltip=tips)
    true = base.mark_point(shape="diamond", filled=False, size=220, strokeWidth=1.5, color=theme.INK)
    words = "format(datum.value, '.1f') + ' (truth ' + format(datum.truth, '.1f') + ')'"
    said = base.transform_calculate(said=words).mark_text(align="left", dx=14, fontWeight=600)
    layers = alt.layer(
        whisker.encode(x=alt.X("low:Q", scale=scale), x2="high:Q"),
        dot,
        true.encode(x=alt.X("truth:Q", scale=scale)),
        said.encode(x=x, text="said:N"),
    )
    return layers.properties(width=width - 105, height=alt.Step(34))


def _index(rows: pl.DataFrame) -> Any:
    named = rows.with_columns(pl.col(*_ENDS) * 100).rename({"name": "line"})
    months: Any = {"interval": "month", "step": 6}
    base = alt.Chart(named).encode(
        x=alt.X(
            "date:T",
            title=None,
            axis=alt.Axis(format="%b %Y", tickCount=months, grid=False),
            scale=alt.Scale(domain=["2043-12-15", "2045-12-31"]),
        ),
        tooltip=["line:N", alt.Tooltip("date:T", format="%B %Y"), alt.Tooltip("value:Q", format=".2f")],
    )
    scale = alt.Scale(domain=[97, 103], nice=False)
    title = "Prices paid, first quarter of 2045 = 100"
    y = {
        end: alt.Y(f"{end}:Q", title=title, scale=scale, axis=alt.Axis(values=[97, 100, 103]))
        for end in ("value", "low", "truth")
    }
    line, step = base.mark_line(strokeWidth=2), base.mark_line(strokeDash=_DASH, strokeWidth=1.5)
    whisker = base.transform_filter("isValid(datum.low)").mark_rule(strokeWidth=3)
    first = alt.Chart(named.filter(pl.col("line") == GROCERS).head(1)).mark_text(align="left")
    return alt.layer(
        step.transform_filter("isValid(datum.truth)").encode(y=y["truth"], color=alt.value(theme.INK)),
        line.encode(y=y["value"], color=colours()),
        whisker.encode(y=y["low"], y2="high:Q", color=colours()),
        base.mark_point(size=40, opacity=1).encode(y=y["value"], color=colours()),
        *_index_names(named, scale),
        first.encode(x="date:T", y=alt.datum(98.4), text=alt.value("dashed: as assumed")),
    )


def _index_names(named: pl.DataFrame, scale: alt.Scale) -> list[alt.Chart]:
    ends = named.filter(pl.col("date") == named["date"].max())
    return [
        alt.Chart(ends.filter(pl.col("line") == name))
        .mark_text(align="right", dy=dy, fontWeight=600)
        .encode(x="date:T", y=alt.Y("value:Q", scale=scale), text=alt.value(name))
        for name, dy in {GROCERS: -14, SPHERES: 18}.items()
    ]


# ---- beliefs


def beliefs(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    """Draw what households believe of Spheres and of grocers, by whether they go there."""
    wide = width == theme.WIDE
    across = (width - 90) // 2 if wide else width - 60
    panels = []
    for at, name in enumerate((SPHERES, GROCERS)):
        drawn = _believed(data.filter(pl.col("stores") == name), INKS[name], titled=not (wide and at))
        panels.append(drawn.properties(width=across, height=190, title=heading(f"Of {name}")))
    return alt.hconcat(*panels, spacing=20) if wide else alt.vconcat(*panels, spacing=24)


def _believed(rows: pl.DataFrame, ink: str, *, titled: bool) -> Any:
    months: Any = {"interval": "month", "step": 12}
    scale = alt.Scale(domain=[0, 0.9], nice=False)
    axis = alt.Axis(values=[0, 0.3, 0.6, 0.9], labels=titled)
    y = {
        end: alt.Y(f"{end}:Q", title="Authenticity, 0 to 1" if titled else " ", scale=scale, axis=axis)
        for end in ("belief", "low", "shown")
    }
    base = alt.Chart(rows).encode(
        x=alt.X(
            "month:T",
            title=None,
            axis=alt.Axis(format="%b %Y", tickCount=months, grid=False),
            scale=alt.Scale(domain=["2044-01-01", "2046-01-01"]),
        ),
        tooltip=[
            "group:N",
            alt.Tooltip("month:T", format="%B %Y"),
            *(alt.Tooltip(f"{name}:Q", format=".2f") for name in ("belief", "low", "high", "shown")),
            "households:Q",
        ],
    )
    there, never = (base.transform_filter(f"datum.group == '{group}'") for group in (THERE, NEVER_THERE))
    return alt.layer(
        there.mark_area(color=ink, fillOpacity=0.15).encode(y=y["low"], y2="high:Q"),
        there.mark_line(color=theme.INK, strokeDash=_DASH, strokeWidth=1.5).encode(y=y["shown"]),
        never.mark_line(color=theme.CONTEXT, strokeWidth=2).encode(y=y["belief"]),
        there.mark_line(color=ink, strokeWidth=2).encode(y=y["belief"]),
        *_belief_names(rows, scale),
    )


def _belief_names(rows: pl.DataFrame, scale: alt.Scale) -> list[alt.Chart]:
    """Write at the right end what each line is, and where it ends."""
    told = []
    below = (
        rows["shown"].to_numpy().mean() < rows.filter(pl.col("group") == THERE)["belief"].to_numpy().mean()
    )
    for (group,), own in rows.group_by("group", maintain_order=True):
        end = own.sort("month").tail(1)
        told.append((end, "belief", -16 if group == THERE else -9, f"{group}: {end['belief'].item():.2f}"))
        if group == THERE:
            told.append((end, "shown", 14 if below else -9, f"what visits show: {end['shown'].item():.2f}"))
    return [
        alt.Chart(end)
        .mark_text(align="right", dy=dy, fontWeight=600)
        .encode(x="month:T", y=alt.Y(f"{column}:Q", scale=scale), text=alt.value(words))
        for end, column, dy, words in told
    ]
