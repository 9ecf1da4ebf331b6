"""The pictures of notebook 03 that compare Spheres and grocers: sales, departments, who buys, who stays.

Each function draws the rows that `charts.formats_rows` shapes for it, at article (640) or phone (320) width.
What changed between two times stands in `formats_moved`.
"""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from grocery_spheres.charts import theme
from grocery_spheres.charts.formats_rows import GROCERS, NEVER, SPHERES, WITH

INKS = {SPHERES: theme.SPHERE, GROCERS: theme.GROCER}
_OUTAGE = "2045-06-17"
_DASH = [5, 4]
_PLACES_OF = {"towns that get a Sphere": theme.SPHERE, "towns that never do": theme.CONTEXT}


def heading(words: str) -> alt.TitleParams:
    """Set the heading of one panel."""
    return alt.TitleParams(words, fontSize=theme.LABEL_SIZE, offset=8)


def colours() -> alt.Color:
    """Tell the two formats apart by colour; a column `stores` or `line` names them beside it."""
    return alt.Color("line:N", scale=alt.Scale(domain=list(INKS), range=list(INKS.values())), legend=None)


# ---- sales over time


def sales(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    """Draw sales a household by week, for towns that get a Sphere above those that never do."""
    most = 1.12 * float(data.filter(pl.col("line") != "openings")["high"].to_numpy().max())
    panels = [
        _by_week(data.filter(pl.col("towns") == towns), f"Towns {towns}, USD a week and household", most)
        for towns in (WITH, NEVER)
    ]
    return alt.vconcat(*(panel.properties(width=width - 60, height=130) for panel in panels), spacing=24)


def _by_week(rows: pl.DataFrame, title: str, most: float) -> Any:
    months = alt.Axis(format="%b %Y", tickCount={"interval": "month", "step": 6}, grid=False)
    sold = rows.filter(pl.col("line") != "openings")
    base = alt.Chart(sold).encode(
        x=alt.X("date:T", title=None, axis=months, scale=alt.Scale(domain=["2044-01-01", "2046-01-01"])),
        color=colours(),
        tooltip=["line:N", alt.Tooltip("date:T", format="%d %B %Y"), alt.Tooltip("value:Q", format=".1f")],
    )
    scale = alt.Scale(domain=[0, most], nice=False)
    y = alt.Y("value:Q", title=title, scale=scale, axis=alt.Axis(tickCount=4))
    band = (
        base.transform_filter("isValid(datum.low)")
        .mark_area(fillOpacity=0.25)
        .encode(y=alt.Y("low:Q", title=title, scale=scale), y2="high:Q")
    )
    lines = [band, base.mark_line(strokeWidth=1.5).encode(y=y), *_line_names(sold)]
    return alt.layer(*lines, *_marks(rows, most))


def _line_names(sold: pl.DataFrame) -> list[alt.Chart]:
    """Write each line's name and last quarter's level above its end."""
    names = []
    for (name,), rows in sold.group_by("line", maintain_order=True):
        late = rows.sort("date").tail(13)
        level = float(late["value"].to_numpy().mean())
        place = pl.DataFrame({"date": [late["date"][-1]], "value": [float(late["high"].to_numpy().max())]})
        names.append(
            alt.Chart(place)
            .mark_text(align="right", dx=10, dy=-8, fontWeight=600)
            .encode(x="date:T", y="value:Q", text=alt.value(f"{name}: {level:.0f}"))
        )
    return names


def _marks(rows: pl.DataFrame, most: float) -> list[Any]:
    """Mark the days on which Spheres open, and the day of the outage."""
    day = alt.Chart(pl.DataFrame({"day": [_OUTAGE], "words": ["day of the outage, 17 June"]}))
    rule = day.mark_rule(strokeDash=_DASH, color=theme.INK).encode(x="day:T")
    opened = rows.filter(pl.col("line") == "openings")
    if opened.is_empty():
        said = day.mark_text(align="right", dx=-6)
        return [rule, said.encode(x="day:T", y=alt.datum(0.4 * most), text="words:N")]
    ticks = alt.Chart(opened).mark_point(shape="triangle-up", size=45, opacity=1, color=theme.INK)
    tips: list[Any] = [alt.Tooltip("date:T", format="%d %B %Y"), alt.Tooltip("value:Q", title="Spheres open")]
    first = alt.Chart(opened.head(1)).mark_text(align="left", dx=-2, dy=-13)
    words = alt.value(f"{opened['value'].sum():.0f} Spheres open")
    return [
        rule,
        ticks.encode(x="date:T", y=alt.datum(0.36 * most), tooltip=tips),
        first.encode(x="date:T", y=alt.datum(0.36 * most), text=words),
    ]


# ---- who sells what


def departments(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    """Draw what each format's sales are made of, and local food's share of what households spend."""
    wide = width == theme.WIDE
    across = (width - 190) // 2 if wide else width - 150
    panels = [
        _mix(data.filter(pl.col("panel") == name), name, labelled=not (wide and at)).properties(
            width=across, height=alt.Step(23), title=heading(f"{name.capitalize()}, % of sales")
        )
        for at, name in enumerate((GROCERS, SPHERES))
    ]
    above = alt.hconcat(*panels, spacing=14) if wide else alt.vconcat(*panels, spacing=18)
    local = whiskers(data.filter(pl.col("panel") == "local food"), theme.GREEN, decimals=1)
    title = (
        "Fresh local food, % of all spending"
        if not wide
        else "Fresh local food, % of all that households spend"
    )
    below = local.properties(width=width - (200 if wide else 170), height=alt.Step(24), title=heading(title))
    return alt.vconcat(above, below, spacing=22)


def _mix(rows: pl.DataFrame, name: str, *, labelled: bool) -> Any:
    order = rows["name"].to_list()
    base = alt.Chart(rows).encode(
        y=alt.Y("name:N", sort=order, title=None, axis=alt.Axis(labelLimit=170, labels=labelled)),
        x=alt.X("per cent:Q", title=None, scale=alt.Scale(domain=[0, 70]), axis=alt.Axis(values=[0, 30, 60])),
        tooltip=[
            "name:N",
            *(alt.Tooltip(f"{c}:Q", format=".2f") for c in ("per cent", "low (%)", "high (%)")),
        ],
    )
    said = base.transform_calculate(
        said="datum['per cent'] > 0 ? format(datum['per cent'], '.1f') : 'none'"
    ).mark_text(align="left", dx=5)
    whisker = base.transform_filter("isValid(datum['low (%)'])").mark_rule(color=theme.INK)
    ends = whisker.encode(x="low (%):Q", x2="high (%):Q")
    return alt.layer(base.mark_bar(height=13, color=INKS[name]), ends, said.encode(text="said:N"))


def whiskers(
    rows: pl.DataFrame, colour: str, *, decimals: int, span: tuple[float, float] | None = None
) -> Any:
    """Draw rows as dots with their intervals and their numbers; `name` names a row.

    Parameters
    ----------
    rows : polars.DataFrame
        `name`, `per cent`, `low (%)`, `high (%)`.
    colour : str
        Of dots and whiskers.
    decimals : int
        Of the number beside each dot.
    span : (float, float), optional
        Ends of the axis; without it from 0 to a quarter beyond the data.
    """
    order = rows["name"].to_list()
    span = span or (0.0, 1.25 * max(rows["high (%)"].to_list()))
    base = alt.Chart(rows).encode(
        y=alt.Y("name:N", sort=order, title=None, axis=alt.Axis(labelLimit=200)),
        tooltip=[
            "name:N",
            *(alt.Tooltip(f"{c}:Q", format=".2f") for c in ("per cent", "low (%)", "high (%)")),
        ],
    )
    scale = alt.Scale(domain=list(span), nice=False)
    x = alt.X("per cent:Q", title=None, scale=scale, axis=alt.Axis(tickCount=4))
    bar = base.mark_rule(strokeWidth=2, color=colour).encode(
        x=alt.X("low (%):Q", scale=scale), x2="high (%):Q"
    )
    sign = f"replace(format(datum['per cent'], '.{decimals}f'), '-', '−')"
    text = base.transform_calculate(said=sign).mark_text(align="left", dx=2, fontWeight=600)
    far = "high (%):Q"
    return alt.layer(
        bar,
        base.mark_point(size=60, opacity=1, color=colour).encode(x=x),
        text.encode(x=alt.X(far, scale=scale), text="said:N", xOffset=alt.value(6)),
    )


# ---- who buys


def adjusted(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    """Draw the Spheres' share of spending by income above how baskets differ, by three comparisons."""
    wide = width == theme.WIDE
    size = {"width": width - (160 if wide else 140), "height": alt.Step(23)}
    outcomes = {
        "value of a basket": "Value of a basket, Spheres over grocers, %",
        "lines of a basket": "Lines in a basket, %",
        "sales a line": "Sales a line, %",
    }
    share = data.filter(pl.col("panel") == "share of spending")
    panels = [
        whiskers(share, theme.SPHERE, decimals=1).properties(
            title=heading("Spheres’ share of spending, %"), **size
        )
    ]
    ends = data.filter(pl.col("panel") != "share of spending")
    most = 1.25 * max(ends["high (%)"].to_list())
    least = 1.4 * min(ends["low (%)"].to_list())
    for name, words in outcomes.items():
        drawn = whiskers(data.filter(pl.col("panel") == name), theme.INK, decimals=1, span=(least, most))
        panels.append(drawn.properties(title=heading(words), **size))
    return alt.vconcat(*panels, spacing=16)


# ---- who keeps customers


def customers(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    """Draw what each format keeps and shares of its customers, both formats on each row."""
    order = data["measure"].unique(maintain_order=True).to_list()
    wide = width == theme.WIDE
    scale = alt.Scale(domain=[0, 108], nice=False)
    rows = data.with_columns(line=pl.col("stores"))
    panels = [
        _pair(rows.filter(pl.col("measure") == name), scale, last=name == order[-1]).properties(
            width=width - (40 if wide else 5), height=40, title=heading(name)
        )
        for name in order
    ]
    return alt.vconcat(*panels, spacing=4)


def _pair(rows: pl.DataFrame, scale: alt.Scale, *, last: bool) -> Any:
    axis = alt.Axis(values=[0, 25, 50, 75, 100], labels=last)
    tips: list[Any] = [
        "stores:N",
        *(alt.Tooltip(f"{c}:Q", format=".2f") for c in ("per cent", "low (%)", "high (%)")),
    ]
    base = alt.Chart(rows).encode(
        y=alt.Y("stores:N", sort=list(INKS), title=None, axis=None), color=colours(), tooltip=tips
    )
    x = alt.X("per cent:Q", title="Per cent" if last else None, scale=scale, axis=axis)
    bar = base.mark_rule(strokeWidth=3).encode(x=alt.X("low (%):Q", scale=scale), x2="high (%):Q")
    dot = base.mark_point(size=70, opacity=1).encode(x=x)
    said = base.transform_calculate(said="datum.stores + ': ' + format(datum['per cent'], '.0f')")
    sides = {
        "right": ("datum['per cent'] >= 60", "low (%):Q", -9),
        "left": ("datum['per cent'] < 60", "high (%):Q", 9),
    }
    words = [
        said.transform_filter(test)
        .mark_text(align=align, dx=dx, fontWeight=600)  # type: ignore[arg-type]
        .encode(x=alt.X(end, scale=scale), text="said:N", color=alt.value(theme.INK))
        for align, (test, end, dx) in sides.items()
    ]
    return alt.layer(bar, dot, *words)
