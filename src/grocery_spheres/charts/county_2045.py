"""The pictures of notebook 02 that show the synthetic county: its map, calendar, targets, and grocers' fate.

Each function draws the rows that `charts.county_rows` and `county_lens` shape for it, at article (640) or
phone (320) width. The outage stands in `outage_day`.
"""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from grocery_spheres.charts import theme
from grocery_spheres.charts.county_rows import KINDS, WITH, WITHOUT

_KIND_NAMES = list(KINDS.values())
_COLOURS = [theme.SPHERE, theme.GROCER, theme.CONTEXT]
_SHAPES = ["diamond", "square", "circle"]
_OUTAGE = "2045-06-17"
_DASH = [5, 4]
_EAST = pl.col("east (km)") >= 0
_NARROW = 300  # pixels: a plot on a phone
_QUANTILES = ["mean", "10 %", "25 %", "half", "75 %", "90 %", "95 %"]


# ---- the map


def town_map(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    """Draw homes and stores of the story's town, a kilometre as long across as up."""
    east, north = data["east (km)"], data["north (km)"]
    spans = [(_floor(one.min()), -_floor((-one).min())) for one in (east, north)]
    across = width - 76
    up = across * (spans[1][1] - spans[1][0]) / (spans[0][1] - spans[0][0])
    kind = alt.Color("kind:N", scale=alt.Scale(domain=_KIND_NAMES, range=_COLOURS), legend=None)
    shape = alt.Shape("kind:N", scale=alt.Scale(domain=_KIND_NAMES, range=_SHAPES), legend=None)
    ticks = alt.Axis(values=[-8, -4, 0, 4, 8])
    x = alt.X("east (km):Q", title="km east of the centre", axis=ticks, scale=_exactly(spans[0]))
    y = alt.Y("north (km):Q", title="km north", axis=ticks, scale=_exactly(spans[1]))
    plotted = data.select("what", "kind", "east (km)", "north (km)")
    homes, stores = (alt.Chart(plotted.filter(what=what).drop("what")) for what in ("home", "store"))
    tips = ["kind:N", *[alt.Tooltip(f"{c}:Q", format=".1f") for c in ("east (km)", "north (km)")]]
    small = homes.mark_point(size=26, opacity=0.6).encode(x=x, y=y, color=kind, shape=shape, tooltip=tips)
    ring = stores.mark_point(size=330, opacity=1, color=theme.INK).encode(x=x, y=y, shape=shape)
    large = stores.mark_point(size=190, opacity=1).encode(x=x, y=y, color=kind, shape=shape, tooltip=tips)
    east_of, west_of = (data.filter(what="store").filter(test) for test in (_EAST, ~_EAST))
    labels = [*_labels(east_of, x, y, dx=14, align="left"), *_labels(west_of, x, y, dx=-14, align="right")]
    return alt.vconcat(alt.layer(small, ring, large, *labels).properties(width=across, height=up))


def _labels(stores: pl.DataFrame, x: alt.X, y: alt.Y, **place: Any) -> list[alt.Chart]:
    """Write the names of stores on a halo."""
    base = alt.Chart(stores).encode(x=x, y=y, text="label:N")
    halo = base.mark_text(**place, fontWeight=600, stroke=theme.CARD, strokeWidth=4)
    return [halo, base.mark_text(**place, fontWeight=600)]


def _exactly(span: tuple[int, int]) -> alt.Scale:
    return alt.Scale(domain=list(span), nice=False)


def _floor(value: Any) -> int:
    return int(value // 1)


# ---- the calendar


def calendar(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    """Draw towns with a Sphere, the Spheres' share of baskets and wet hours over the two years."""
    panels = {name: data.filter(pl.col("panel") == name) for name in ("towns", "share", "wet")}
    drawn = [
        _towns_so_far(panels["towns"]).properties(height=120),
        _over_time(panels["share"], "Spheres’ share of baskets, %", 30, theme.SPHERE).properties(height=120),
        _over_time(panels["wet"], "Share of hours that are wet, %", 40, theme.CONTEXT).properties(height=60),
    ]
    return alt.vconcat(*(panel.properties(width=width - 60) for panel in drawn), spacing=22)


def _towns_so_far(rows: pl.DataFrame) -> Any:
    most = float(max(rows["value"]))
    steps = _over_time(rows, "Towns with a Sphere", 60, theme.SPHERE, curve="step-after")
    said = _the_day("event and outage, 17 June").mark_text(align="right", dx=-6, y=112)
    end = alt.Chart(rows.filter(pl.col("value") == most)[:1])
    words = end.mark_text(align="left", dy=-9, fontWeight=600).encode(
        x="date:T", y="value:Q", text=alt.value(f"{most:.0f} towns")
    )
    return alt.layer(steps, said.encode(x="day:T", text="words:N"), words)


def _over_time(rows: pl.DataFrame, title: str, most: int, colour: str, *, curve: Any = "linear") -> Any:
    months = alt.Axis(format="%b %Y", tickCount={"interval": "month", "step": 6}, grid=False)
    base = alt.Chart(rows).encode(
        x=alt.X("date:T", title=None, axis=months, scale=alt.Scale(domain=["2044-01-01", "2046-01-01"])),
        y=alt.Y(
            "value:Q",
            title=title,
            scale=alt.Scale(domain=[0, most]),
            axis=alt.Axis(values=[0, most // 2, most]),
        ),
        tooltip=[alt.Tooltip("date:T", format="%d %B %Y"), alt.Tooltip("value:Q", format=".0f")],
    )
    return alt.layer(
        base.mark_area(interpolate=curve, color=colour, opacity=0.15),
        base.mark_line(interpolate=curve, color=colour, strokeWidth=1.5),
        _the_day().mark_rule(strokeDash=_DASH, color=theme.INK).encode(x="day:T"),
    )


def _the_day(words: str = "") -> alt.Chart:
    return alt.Chart(pl.DataFrame({"day": [_OUTAGE], "words": [words]}))


# ---- targets


def targets(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    """Draw how far each level is off in per cent, as a table of cells, above how far each share is off."""
    levels, shares = (data.filter(pl.col("panel") == panel) for panel in ("levels", "shares"))
    across = width - (190 if width == theme.WIDE else 122)
    return alt.vconcat(_cells(levels, across), _dots(shares, across), spacing=26)


def _cells(rows: pl.DataFrame, across: int) -> Any:
    order = rows["measure"].unique(maintain_order=True).to_list()
    brief = "replace(datum.label, ' %', '')" if across < _NARROW else "datum.label"
    top = alt.Axis(orient="top", labelAngle=0, labelPadding=4, labelOverlap=False, labelExpr=brief)
    base = alt.Chart(rows).encode(
        x=alt.X("statistic:N", sort=_QUANTILES, title=None, axis=top),
        y=alt.Y("measure:N", sort=order, title=None),
        tooltip=_target_tips(),
    )
    fill = alt.condition("datum.within", alt.value(theme.WINDOW), alt.value(theme.SPHERE))
    ink = alt.condition("datum.within", alt.value(theme.INK), alt.value("#FFFFFE"))
    cell = base.mark_rect(stroke=theme.CARD, strokeWidth=2).encode(color=fill)
    whole = "round(datum.difference)"
    said = f"{whole} == 0 ? '0' : replace(format({whole}, '+d'), '-', '−')"
    number = base.transform_calculate(said=said).mark_text(fontSize=theme.SMALLEST_SIZE)
    brief_title = "Levels, % off: mean, and % of cases below"
    words = "Levels: per cent off target, for the mean and the value with so many cases below it"
    title = _heading(words if across > _NARROW else brief_title)
    layers = alt.layer(cell, number.encode(text="said:N", color=ink))
    return layers.properties(width=across, height=alt.Step(24), title=title)


def _heading(words: str) -> alt.TitleParams:
    return alt.TitleParams(words, fontSize=theme.LABEL_SIZE, offset=8)


def _dots(rows: pl.DataFrame, across: int) -> Any:
    of_kind = pl.when(pl.col("statistic") == "share").then(pl.lit("")).otherwise(", " + pl.col("statistic"))
    sales = pl.col("measure") == "sales of"
    name = (
        pl.when(sales)
        .then("sales of " + pl.col("statistic").str.to_lowercase())
        .otherwise(pl.col("measure") + of_kind)
        .str.replace("drug gm", "drugs, general", literal=True)
    )
    rows = rows.with_columns(name=name)
    axis = alt.Axis(labelLimit=200 if across > _NARROW else 140)
    base = alt.Chart(rows).encode(y=alt.Y("name:N", sort=rows["name"].to_list(), title=None, axis=axis))
    scale, ticks = alt.Scale(domain=[-6, 6]), alt.Axis(values=[-6, -3, 0, 3, 6])
    x = alt.X("difference:Q", title="Percentage points off target", scale=scale, axis=ticks)
    band = alt.Chart(pl.DataFrame({"low": [-3], "high": [3]})).mark_rect(color=theme.WINDOW)
    zero = alt.Chart(pl.DataFrame({"at": [0]})).mark_rule(color=theme.CONTEXT).encode(x="at:Q")
    colour = alt.condition("datum.within", alt.value(theme.CONTEXT), alt.value(theme.SPHERE))
    dots = base.mark_point(size=70, opacity=1).encode(x=x, color=colour, tooltip=_target_tips())
    far = base.transform_filter("!datum.within && isValid(datum.difference)")
    said = far.transform_calculate(said="replace(format(datum.difference, '+.1f'), '-', '−')")
    lacking = alt.Chart(rows.filter(pl.col("difference").is_null()).with_columns(at=pl.lit(0)))
    texts = [
        said.mark_text(align="left", dx=8, fontWeight=600).encode(x=x, text="said:N"),
        lacking.mark_text(align="left", dx=6, fontWeight=600).encode(
            x="at:Q", y=alt.Y("name:N", sort=rows["name"].to_list()), text=alt.value("not sold")
        ),
    ]
    layers = alt.layer(band.encode(x=alt.X("low:Q"), x2="high:Q"), zero, dots, *texts)
    title = _heading("Shares: percentage points off target")
    return layers.properties(width=across, height=alt.Step(19), title=title)


def _target_tips() -> list[Any]:
    numbers = [alt.Tooltip(f"{name}:Q", format=".2f") for name in ("target", "reached", "difference")]
    return ["measure:N", "statistic:N", *numbers]


# ---- the grocers' fate


def fate(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    """Draw closings so far, and what Leo's sales leave him, with Spheres and without."""
    closed = _of_fate(data, "closed", "Grocers closed so far, towns that get a Sphere", width)
    leo = _of_fate(data, "Leo", "Leo’s contribution a month, 1000 USD of 2045", width)
    return alt.vconcat(closed, leo, spacing=28)


def _of_fate(data: pl.DataFrame, panel: str, title: str, width: int) -> Any:
    lines = [WITH, WITHOUT, "fixed cost"]
    inks, dashes = [theme.GROCER, theme.CONTEXT, theme.SOFT], [[1, 0], _DASH, [1, 3]]
    rows = data.filter(pl.col("panel") == panel)
    room = alt.Scale(domain=[0, 1.3 * float(rows["value"].to_numpy().max())], nice=False)  # for the words
    months = alt.Axis(format="%b %Y", tickCount={"interval": "month", "step": 6}, grid=False)
    base = alt.Chart(rows).encode(
        x=alt.X("month:T", title=None, scale=alt.Scale(domain=["2044-01-01", "2046-01-01"]), axis=months),
        y=alt.Y("value:Q", title=title, scale=room, axis=alt.Axis(tickCount=4)),
        color=alt.Color("line:N", scale=alt.Scale(domain=lines, range=inks), legend=None),
        strokeDash=alt.StrokeDash("line:N", scale=alt.Scale(domain=lines, range=dashes), legend=None),
        tooltip=["line:N", alt.Tooltip("month:T", format="%B %Y"), alt.Tooltip("value:Q", format=",.0f")],
    )
    curve: Any = "step-after" if panel == "closed" else "linear"
    line = base.mark_line(interpolate=curve, strokeWidth=2)
    ends = rows.filter(pl.col("month") == rows["month"].max())
    below = {WITH: 26, WITHOUT: -34, "fixed cost": -10} if panel == "Leo" else dict.fromkeys(lines, -10)
    words = [
        alt.Chart(ends.filter(pl.col("line") == name))
        .mark_text(align="right", dy=below[name], fontWeight=600)
        .encode(x="month:T", y="value:Q", text=alt.value(f"{name}: {value:,.0f}"))
        for name, value in ends.select("line", "value").iter_rows()
    ]
    return alt.layer(line, *words).properties(width=width - 60, height=150)
