"""The pictures of notebook 01: shopping in the public data, and what in it looks like an outage but is not.

Each function draws the rows that `charts.public_rows` shapes for it, at article (640) or phone (320) width.
The retailer of the public data is a traditional grocer, so the subject is vermillion.
"""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from grocery_spheres.charts import theme

WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
_FAINT = 0.35  # opacity of what a reader has not picked
_WHISKER = 3  # pixels, thickness of the interval that counts
_FLAT = alt.Axis(labelAngle=0)
_ROW = 44  # pixels a row of dots and whiskers


def trading_week(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    """Draw baskets by weekday above baskets by hour; picking weekdays changes the hours."""
    picked = alt.selection_point(name="weekday", fields=["weekday"], toggle="true")
    source = alt.Chart(data)
    across = width - 76
    days = (
        source.mark_bar(color=theme.GROCER, cursor="pointer")
        .encode(
            x=alt.X("weekday:N", sort=WEEKDAYS, title=None, axis=_FLAT),
            y=alt.Y("sum(baskets a week):Q", title="Baskets a week", axis=alt.Axis(format=",.0f")),
            opacity=alt.condition(picked, alt.value(1.0), alt.value(_FAINT)),
            tooltip=[
                "weekday:N",
                alt.Tooltip("sum(baskets a week):Q", title="baskets a week", format=",.0f"),
            ],
        )
        .add_params(picked)
        .properties(width=across, height=130)
    )
    hours = (
        source.mark_bar(color=theme.GROCER)
        .encode(
            x=alt.X(
                "hour:O",
                title="Hour of the day, local clock",
                axis=alt.Axis(labelAngle=0, values=[0, 6, 12, 18, 23]),
            ),
            y=alt.Y(
                "sum(baskets a week):Q",
                title="Baskets a week, days picked above",
                axis=alt.Axis(format=",.0f"),
            ),
            tooltip=["hour:O", alt.Tooltip("sum(baskets a week):Q", title="baskets a week", format=",.0f")],
        )
        .transform_filter(picked)
        .properties(width=across, height=170)
    )
    return alt.vconcat(days, hours, spacing=30)


def clock(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    """Draw the day's profile on the stores' clock and as published."""
    clocks = ["local", "as published"]
    base = alt.Chart(data).encode(
        x=alt.X(
            "hour:Q",
            title="Hour of the day",
            scale=alt.Scale(domain=[0, 23]),
            axis=alt.Axis(values=[0, 6, 12, 18, 23], grid=False),
        ),
        y=alt.Y("share of baskets (%):Q", title="Share of baskets, %", scale=alt.Scale(domain=[0, 12])),
        color=alt.Color(
            "clock:N", scale=alt.Scale(domain=clocks, range=[theme.GROCER, theme.CONTEXT]), legend=None
        ),
    )
    dash = alt.StrokeDash("clock:N", scale=alt.Scale(domain=clocks, range=[[1, 0], [5, 4]]), legend=None)
    lines = base.mark_line(strokeWidth=2.5).encode(strokeDash=dash)
    tips = ["clock:N", "hour:Q", alt.Tooltip("share of baskets (%):Q", format=".1f")]
    dots = base.mark_point(opacity=0, size=250).encode(tooltip=tips)
    ours = _peak(base, "local").mark_text(dy=-12, dx=-6, align="right", fontWeight=600)
    theirs = base.transform_filter("datum.clock == 'as published' && datum.hour == 1")
    names = [
        mark.encode(text=alt.value(words), color=alt.value(theme.INK))
        for mark, words in (
            (ours, "on the stores’ clock"),
            (theirs.mark_text(dx=10, align="left", fontWeight=600), "as published, UTC"),
        )
    ]
    peaks = [_peak(base, which).mark_point(size=70, opacity=1) for which in clocks]
    return alt.layer(lines, dots, *peaks, *names).properties(width=width, height=250)


def _peak(base: alt.Chart, which: str) -> alt.Chart:
    """Keep the highest row of one clock."""
    ranked = base.transform_filter(alt.datum.clock == which).transform_window(
        rank="rank()", sort=[alt.SortField("share of baskets (%)", "descending")]
    )
    return ranked.transform_filter(alt.datum.rank == 1)


def fuel_first(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    """Draw the first day of fuel and the first day of groceries at each new store."""
    base = alt.Chart(data).encode(y=alt.Y("store:N", sort=alt.SortField("groceries"), title=None))
    day = alt.Axis(format="%b", tickCount=6 if width < theme.WIDE else 10, grid=False)
    x = alt.X("fuel:T", title=None, axis=day, scale=alt.Scale(padding=24))
    tips = [
        "store:N",
        alt.Tooltip("fuel:T", title="first fuel", format="%d %B %Y"),
        alt.Tooltip("groceries:T", title="first groceries", format="%d %B %Y"),
    ]
    bar = base.mark_rule(strokeWidth=3, color=theme.WINDOW).encode(x=x, x2="groceries:T")
    fuel = base.mark_point(shape="diamond", size=90, opacity=1, color=theme.CONTEXT).encode(x=x, tooltip=tips)
    food = base.mark_point(size=110, opacity=1, color=theme.GROCER).encode(
        x=alt.X("groceries:T"), tooltip=tips
    )
    words = base.mark_text(align="left", dx=12, fontSize=theme.LABEL_SIZE).encode(x="later:T", text="words:N")
    return alt.layer(bar, fuel, food, words).properties(width=width, height=alt.Step(38))


def moves(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    """Draw weekly baskets of each closed store and its successor, one panel a move."""
    panels: list[Any] = []
    for (move,), rows in data.group_by("move", maintain_order=True):
        heading = alt.TitleParams(str(move), fontSize=theme.LABEL_SIZE, offset=6)
        panels.append(_one_move(rows).properties(width=width - 56, height=110, title=heading))
    return alt.vconcat(*panels, spacing=14)


def _one_move(rows: pl.DataFrame) -> Any:
    months = alt.Axis(format="%b", tickCount=6, grid=False)
    roles = alt.Scale(domain=["closed", "successor"], range=[theme.CONTEXT, theme.GROCER])
    base = alt.Chart(rows).encode(
        x=alt.X("week:T", title=None, axis=months, scale=alt.Scale(domain=["2017-01-01", "2017-12-31"])),
        color=alt.Color("role:N", scale=roles, legend=None),
    )
    y = alt.Y(
        "baskets a week:Q", title=None, scale=alt.Scale(domain=[0, 95]), axis=alt.Axis(values=[0, 40, 80])
    )
    lines = base.mark_line(strokeWidth=2).encode(y=y)
    tips = ["store:N", "role:N", alt.Tooltip("week:T", format="%d %B"), "baskets a week:Q"]
    dots = base.mark_point(size=14, opacity=1).encode(y=y, tooltip=tips)
    closed = base.transform_filter(alt.datum.role == "closed").mark_text(align="left", fontWeight=600, y=6)
    new = base.transform_filter(alt.datum.role == "successor").mark_text(align="right", fontWeight=600, y=6)
    ink = {"text": "store:N", "color": alt.value(theme.INK)}
    return alt.layer(lines, dots, closed.encode(x="min(week):T", **ink), new.encode(x="max(week):T", **ink))


def dark_days(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    """Draw how many store-days were silent over how many chance makes, by the households expected."""
    order = data["households expected"].to_list()
    base = alt.Chart(data).encode(y=alt.Y("households expected:N", sort=order, title="Households expected"))
    room = 40_000 if width == theme.WIDE else 4_000_000  # the axis leaves room for the words at its end
    x = alt.X(
        "low:Q",
        title="Silent store-days over chance (log scale)",
        scale=alt.Scale(type="log", domain=[0.5, room]),
        axis=alt.Axis(values=[1, 10, 100, 1000], format=",.0f", labelFlush=False, titleLimit=width),
    )
    tips = [
        "households expected:N",
        "store-days:Q",
        "silent store-days:Q",
        alt.Tooltip("by chance:Q", format=".2f"),
        alt.Tooltip("silent over chance:Q", format=".2f"),
    ]
    chance = alt.Chart(pl.DataFrame({"one": [1.0]}))
    one = chance.mark_rule(strokeDash=[5, 4], color=theme.CONTEXT).encode(x=alt.X("one:Q"))
    whisker = base.mark_rule(strokeWidth=_WHISKER, color=theme.GROCER, opacity=0.45).encode(x=x, x2="high:Q")
    dots = base.mark_point(size=80, opacity=1, color=theme.GROCER).encode(
        x="silent over chance:Q", tooltip=tips
    )
    words = base.mark_text(align="left", dx=10, fontSize=theme.LABEL_SIZE).encode(x="high:Q", text="words:N")
    return alt.layer(one, whisker, dots, words).properties(width=width, height=alt.Step(26))


def signs(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    """Draw the share of missed trips that regulars made up, one panel a case; a known outage stands last."""
    panels: list[Any] = []
    cases = data["case"].unique(maintain_order=True).to_list()
    for case in cases:
        rows = data.filter(pl.col("case") == case)
        heading = alt.TitleParams(case, fontSize=theme.LABEL_SIZE, offset=6 if panels else 18)
        title = "Share of missed trips made up, %" if case == cases[-1] else None
        chart = _signs_of(rows, title, named=not panels)
        panels.append(chart.properties(width=width - 176, height=_ROW * 0.6 * len(rows), title=heading))
    return alt.vconcat(*panels, spacing=10)


def _signs_of(rows: pl.DataFrame, title: str | None, *, named: bool) -> Any:
    label = alt.Axis(labelLimit=150)
    base = alt.Chart(rows).encode(y=alt.Y("sign:N", sort=rows["sign"].to_list(), title=None, axis=label))
    x = alt.X(
        "low (%):Q", title=title, scale=alt.Scale(domain=[-60, 120]), axis=alt.Axis(values=[-50, 0, 50, 100])
    )
    marks = alt.Chart(pl.DataFrame({"at": [0, 100], "words": ["none", "every trip"]}))
    rules = marks.mark_rule(strokeDash=[5, 4], color=theme.CONTEXT).encode(x="at:Q")
    whisker = base.mark_rule(strokeWidth=_WHISKER, color=theme.GROCER, opacity=0.45).encode(
        x=x, x2="high (%):Q"
    )
    tips = [
        "case:N",
        "sign:N",
        *[alt.Tooltip(f"{n}:Q", format=".0f") for n in ("made up (%)", "low (%)", "high (%)")],
    ]
    dots = base.mark_point(size=90, opacity=1, color=theme.GROCER).encode(x="made up (%):Q", tooltip=tips)
    names = marks.mark_text(y=-8, fontSize=theme.SMALLEST_SIZE).encode(x="at:Q", text="words:N")
    return alt.layer(rules, whisker, dots, *([names] if named else []))


def diversion(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    """Draw where the closed stores' trade went, in baskets and dollars, beside proportional diversion."""
    order = data["destination"].unique(maintain_order=True).to_list()
    panels: list[Any] = []
    for (measure,), part in data.group_by("measure", maintain_order=True):
        labels = None if panels and width == theme.WIDE else alt.Axis(labelLimit=150)
        heading = alt.TitleParams(str(measure), fontSize=theme.LABEL_SIZE, offset=6)
        across = (width - 170) // 2 - 16 if width == theme.WIDE else width - 130
        rows = _destinations(part, alt.Y("destination:N", sort=order, title=None, axis=labels))
        panels.append(rows.properties(width=across, height=_ROW * len(order) + 12, title=heading))
    return alt.hconcat(*panels, spacing=24) if width == theme.WIDE else alt.vconcat(*panels, spacing=18)


def _destinations(part: pl.DataFrame, y: alt.Y) -> Any:
    base = alt.Chart(part).encode(y=y)
    x = alt.X(
        "low (%):Q",
        title="Share of the lost trade, %",
        scale=alt.Scale(domain=[-40, 120]),
        axis=alt.Axis(values=[0, 50, 100]),
    )
    zero = alt.Chart(pl.DataFrame({"at": [0]})).mark_rule(strokeDash=[5, 4], color=theme.CONTEXT)
    placebo = base.mark_rule(strokeWidth=_WHISKER + 1, color=theme.GROCER, opacity=0.45)
    boot = base.mark_rule(strokeWidth=1.5, color=theme.CONTEXT, yOffset=11)
    tips = [
        "destination:N",
        *[alt.Tooltip(f"{c}:Q", format=".0f") for c in part.columns if c.endswith("(%)")],
    ]
    dots = base.mark_point(size=90, opacity=1, color=theme.GROCER)
    iia = base.mark_point(shape="cross", size=80, angle=45, opacity=1, color=theme.CONTEXT, yOffset=-11)
    return alt.layer(
        zero.encode(x="at:Q"),
        placebo.encode(x=x, x2="high (%):Q"),
        boot.encode(x="bootstrap low (%):Q", x2="bootstrap high (%):Q"),
        dots.encode(x="diverted (%):Q", tooltip=tips),
        iia.encode(x="proportional prediction (%):Q", tooltip=tips),
    )


def before_and_after(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    """Draw what a closed store's regulars bought at each store before (ring) and after (dot) the move."""
    panels: list[Any] = []
    last = data["move"][-1]
    for (move,), rows in data.group_by("move", maintain_order=True):
        base = alt.Chart(rows).encode(y=alt.Y("store:N", sort=rows["store"].to_list(), title=None))
        x = alt.X(
            "before (baskets a week):Q",
            title="Baskets a week, all regulars together" if move == last else None,
            scale=alt.Scale(domain=[0, 48]),
            axis=alt.Axis(values=[0, 10, 20, 30, 40]),
        )
        colour = alt.condition("datum.kind == 'successor'", alt.value(theme.GROCER), alt.value(theme.CONTEXT))
        tips = [
            "store:N",
            "kind:N",
            alt.Tooltip("before (baskets a week):Q", format=".1f"),
            alt.Tooltip("after (baskets a week):Q", format=".1f"),
        ]
        link = base.mark_rule(strokeWidth=2).encode(x=x, x2="after (baskets a week):Q", color=colour)
        ring = base.mark_point(size=70, opacity=1, filled=False, strokeWidth=2).encode(
            x=x, color=colour, tooltip=tips
        )
        dot = base.mark_point(size=90, opacity=1).encode(
            x="after (baskets a week):Q", color=colour, tooltip=tips
        )
        heading = alt.TitleParams(str(move), fontSize=theme.LABEL_SIZE, offset=6)
        chart = alt.layer(link, ring, dot)
        panels.append(chart.properties(width=width - 140, height=alt.Step(28), title=heading))
    return alt.vconcat(*panels, spacing=14)
