"""The pictures of notebook 03 that ask what Spheres do to grocers: sales since the entry, survival, proof.

Each function draws the rows that `charts.entry_rows` and `charts.proof_rows` shape for it, at article (640)
or phone (320) width.
"""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from grocery_spheres.charts import theme
from grocery_spheres.charts.entry_rows import CAME, NEVER
from grocery_spheres.charts.proof_rows import SHORT

_DASH = [5, 4]
_NARROW = 400  # pixels: a phone
_WORDS_BELOW = 4.4  # per cent: the room for the names of lines below the axis's lowest mark
_LEAST = 60  # % of intervals: the left end of the axis
_TOP, _WORDS_FROM = 6.0, 2.6  # USD: above no change, the end of the axis, and where the words' place begins
_EFFECT_TIPS = [alt.Tooltip(f"{name}:Q", format=".1f") for name in ("estimate", "low", "high", "truth")]


def effect(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    """Draw effects by month since the entry: estimate, its interval, the band of all months, the truth."""
    base = alt.Chart(data).encode(
        x=alt.X("month since entry:Q", title="Months since the Sphere opened", axis=alt.Axis(grid=False)),
        tooltip=["month since entry:Q", *_EFFECT_TIPS, "towns:Q"],
    )
    title = "USD a week and household"
    lowest = 5.0 * (float(data["band_low"].drop_nulls().to_numpy().min()) // 5)
    lines = alt.Axis(values=[lowest + 5 * step for step in range(int(-lowest // 5) + 1)])  # none in the words
    scale = alt.Scale(domain=[lowest, _TOP], nice=False)
    y = alt.Y("estimate:Q", title=title, axis=lines, scale=scale)
    band = base.mark_area(color=theme.GROCER).encode(y=alt.Y("band_low:Q", title=title), y2="band_high:Q")
    spans = base.mark_rule(color=theme.GROCER, strokeWidth=2).encode(
        y=alt.Y("low:Q", title=title), y2="high:Q"
    )
    dots = base.mark_point(filled=True, opacity=1, size=42, color=theme.GROCER).encode(y=y)
    truth = base.mark_line(color=theme.INK, strokeDash=_DASH, strokeWidth=1.5).encode(
        y=alt.Y("truth:Q", title=title)
    )
    zero = alt.Chart(pl.DataFrame({"zero": [0.0]})).mark_rule(color=theme.CONTEXT).encode(y="zero:Q")
    opens = alt.Chart(pl.DataFrame({"month": [-0.5], "from": [lowest], "to": [_WORDS_FROM]})).mark_rule(
        color=theme.CONTEXT, strokeDash=[2, 3]
    )
    words = _effect_words(data, width)
    opened = opens.encode(x="month:Q", y="from:Q", y2="to:Q")
    return alt.layer(zero, opened, band, spans, dots, truth, *words).properties(width=width, height=300)


def _effect_words(data: pl.DataFrame, width: int) -> list[Any]:
    """Name the marks where there is room: above all that is drawn, where no line runs."""
    said = {
        "estimate, its interval, band for all months": theme.GROCER,
        "– – what is true here": theme.INK,
    }
    first = float(data["month since entry"].to_list()[0] if width < _NARROW else 0)
    rows = [(words, first, _TOP - 0.9 - 1.5 * row, ink) for row, (words, ink) in enumerate(said.items())]
    return [
        alt.Chart(pl.DataFrame({"month": [month], "usd": [usd], "words": [words]}))
        .mark_text(align="left", color=ink, fontWeight=600)
        .encode(x="month:Q", y="usd:Q", text="words:N")
        for words, month, usd, ink in rows
    ]


def survival(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    """Draw the shares of grocers still open: towns with and without a Sphere, and the truth without any."""
    lines = data["line"].unique(maintain_order=True).to_list()
    inks = {CAME: theme.GROCER, NEVER: theme.CONTEXT}
    inked = [inks.get(line, theme.INK) for line in lines]
    colour = alt.Color("line:N", scale=alt.Scale(domain=lines, range=inked), legend=None)
    dash = alt.StrokeDash(
        "line:N", scale=alt.Scale(domain=lines, range=[[1, 0] if line in inks else _DASH for line in lines])
    ).legend(None)
    least = _lowest(data)
    y = alt.Scale(domain=[least - _WORDS_BELOW, 100], nice=False)
    axis = alt.Axis(values=list(range(int(least), 101, 5)))  # no line runs through the words below
    base = alt.Chart(data).encode(
        x=alt.X(
            "months:Q",
            title="Months since January 2044",
            axis=alt.Axis(values=[0, 6, 12, 18, 24], grid=False),
            scale=alt.Scale(domain=[0, 24.3], nice=False),
        ),
        color=colour,
        tooltip=["line:N", *[alt.Tooltip(f"{name}:Q", format=".1f") for name in ("months", "share")]],
    )
    band = base.mark_area(interpolate="step-after").encode(
        y=alt.Y("low:Q", scale=y, axis=axis, title="Grocers still open, %"), y2="high:Q"
    )
    step = base.mark_line(interpolate="step-after", strokeWidth=2).encode(
        y=alt.Y("share:Q", scale=y, axis=axis, title="Grocers still open, %"), strokeDash=dash
    )
    return alt.layer(band, step, *_line_names(data, inked)).properties(width=width, height=290)


def _lowest(data: pl.DataFrame) -> float:
    """Return the per cent, a multiple of five, below which no interval reaches."""
    return 5 * (float(data["low"].drop_nulls().to_numpy().min()) // 5)


def _line_names(data: pl.DataFrame, inks: list[str]) -> list[Any]:
    """Write each line's name and last value below all lines, where no gridline runs."""
    ends = data.sort("months").group_by("line", maintain_order=True).last()
    shares = dict(ends.select("line", "share").iter_rows())
    names = data["line"].unique(maintain_order=True).to_list()
    first, step = _lowest(data) - 0.25 * _WORDS_BELOW, 0.26 * _WORDS_BELOW
    return [
        alt.Chart(pl.DataFrame({"months": [0.4], "share": [first - step * row]}))
        .mark_text(align="left", fontWeight=600, color=ink)
        .encode(x="months:Q", y="share:Q", text=alt.value(f"{name}: {shares[name]:.0f} %"))
        for row, (name, ink) in enumerate(zip(names, inks, strict=True))
    ]


def proof(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    """Draw how often intervals held the truth, one row an estimand, with the level they promise."""
    place = alt.Y("what:N", sort=data["what"].to_list(), axis=None)
    said = pl.col("what").replace(SHORT) if width < _NARROW else pl.col("what")
    beyond = "{}: {} %" if width < _NARROW else "{}: {} %, off the scale"
    off = pl.format(beyond, said, pl.col("coverage").round().cast(pl.Int64))
    data = data.with_columns(label=pl.when(pl.col("coverage") < _LEAST).then(off).otherwise(said))
    inks = alt.Scale(domain=[True, False], range=[theme.SPHERE, theme.GROCER])
    base = alt.Chart(data).encode(
        y=place,
        color=alt.Color("as promised:N", scale=inks, legend=None),
        tooltip=["what:N", *[alt.Tooltip(f"{name}:Q", format=".1f") for name in ("coverage", "low", "high")]],
    )
    promised = alt.Chart(pl.DataFrame({"from": [85.0], "to": [95.0], "level": [90.0]}))
    drawn = [
        promised.mark_rect(color=theme.WINDOW).encode(x=_of_proof("from"), x2="to:Q"),
        promised.mark_rule(color=theme.INK, strokeDash=[2, 3]).encode(x=_of_proof("level")),
        base.mark_rule(strokeWidth=2, yOffset=8).encode(x=_of_proof("low"), x2="high:Q"),
        base.mark_point(filled=True, size=50, opacity=1, yOffset=8).encode(x=_of_proof("coverage")),
        alt.Chart(data).mark_text(align="left", dy=-7).encode(x=alt.datum(_LEAST), y=place, text="label:N"),
    ]
    return alt.layer(*drawn).properties(width=width, height=alt.Step(36))


def _of_proof(column: str) -> alt.X:
    scale = alt.Scale(domain=[_LEAST, 100], clamp=True, nice=False)
    return alt.X(
        f"{column}:Q", scale=scale, title="Intervals that held the truth, %", axis=alt.Axis(tickCount=5)
    )
