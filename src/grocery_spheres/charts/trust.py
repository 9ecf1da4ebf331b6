"""The pictures of notebook 05: can the methods be trusted?

Each function draws the rows that `charts.trust_rows` shapes for it, at article (640) or phone (320) width.
"""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from grocery_spheres.charts import theme

_STEP = 30  # pixels a row that has its words above its mark
_TALL = 38  # the same with three marks
_KINDS = {
    "the model's own": (theme.CONTEXT, 1),
    "as it is reported": (theme.SPHERE, 7),
    "corrected by other stores": (theme.GREEN, 13),
}  # ink, and pixels below the row's middle
_CELL = 44  # pixels of a row of the table of designs
_TIPS = [alt.Tooltip(f"{name}:Q", format=".1f") for name in ("coverage", "low", "high")]
_DASH = [5, 4]


def errors(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    """Draw errors in times the floor: one row a length and method, the default method in colour."""
    rows = data.with_columns(
        row=pl.format("{} {}", "days", "method"), words=pl.format("{} days: {}", "days", "method")
    )
    place = alt.Y("row:N", sort=rows["row"].to_list(), axis=None)
    largest = float(rows["high"].to_numpy().max())
    x = alt.Scale(domain=[1, max(2.0, 0.1 * round(10 * largest + 0.5))], nice=False, clamp=True)
    inks = alt.Scale(domain=[True, False], range=[theme.SPHERE, theme.CONTEXT])
    base = alt.Chart(rows).encode(
        y=place,
        color=alt.Color("best:N", scale=inks, legend=None),
        tooltip=[
            "words:N",
            *[alt.Tooltip(f"{n}:Q", format=".2f") for n in ("times the floor", "low", "high")],
        ],
    )
    title = "Error, in times the Poisson floor"
    drawn = [
        base.mark_rule(strokeWidth=2, yOffset=7).encode(x=alt.X("low:Q", scale=x, title=title), x2="high:Q"),
        base.mark_point(filled=True, size=42, opacity=1, yOffset=7).encode(
            x=alt.X("times the floor:Q", scale=x, title=title)
        ),
        base.mark_text(align="left", dy=-6).encode(
            x=alt.datum(1), text="words:N", color=alt.value(theme.INK)
        ),
    ]
    return alt.layer(*drawn).properties(width=width, height=alt.Step(_STEP))


def covered(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    """Draw coverage by length and size: the model's own interval, as reported, as other stores correct it."""
    rows = data.with_columns(row=pl.format("{} %: {}", "level", "group"))
    order = rows["row"].unique(maintain_order=True).to_list()
    y = alt.Y("row:N", sort=order, axis=None)
    scale = alt.Scale(domain=[70, 100], nice=False, clamp=True)
    title = "Intervals that held the loss, %"
    level = alt.Chart(rows.select("row", "level").unique(maintain_order=True))
    drawn = [
        level.mark_tick(color=theme.INK, thickness=2, size=_TALL).encode(
            y=y, x=alt.X("level:Q", scale=scale, title=title)
        )
    ]
    for kind, (ink, down) in _KINDS.items():
        base = alt.Chart(rows.filter(pl.col("interval") == kind))
        base = base.encode(y=y, tooltip=["row:N", "interval:N", *_TIPS, "outages:Q"])
        drawn += [
            base.mark_rule(strokeWidth=2, color=ink, yOffset=down).encode(
                x=alt.X("low:Q", scale=scale, title=title), x2="high:Q"
            ),
            base.mark_point(filled=True, size=38, opacity=1, color=ink, yOffset=down).encode(
                x=alt.X("coverage:Q", scale=scale, title=title)
            ),
        ]
    names = level.mark_text(align="left", dy=-10).encode(y=y, x=alt.datum(70.2), text="row:N")
    return alt.layer(*drawn, names).properties(width=width, height=alt.Step(_TALL))


def designs(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    """Draw a table of coverage: designs down, methods across, what breaks in colour."""
    first, second = (data[name].unique(maintain_order=True).to_list() for name in ("design", "method"))
    short = {"synthetic control": "SC", "synthetic DiD": "SDiD", "difference in differences": "DiD"}
    short |= {"last four weeks": "naive"}
    rows = data.with_columns(
        words=pl.format("{}", pl.col("coverage").round().cast(pl.Int64)),
        verdict=pl.when("breaks").then(pl.lit("breaks")).otherwise(pl.lit("holds")),
        short=pl.col("method").replace(short),
    )
    x = alt.X(
        "short:N",
        sort=[short.get(name, name) for name in second],
        title=None,
        axis=alt.Axis(orient="top", labelAngle=0, grid=False, ticks=False, domain=False),
    )
    y = alt.Y("design:N", sort=first, axis=None)
    fill = alt.Scale(domain=["breaks", "holds"], range=[theme.GROCER, theme.WINDOW])
    base = alt.Chart(rows).encode(x=x, y=y, tooltip=["design:N", "method:N", *_TIPS, "panels:Q"])
    left = alt.Chart(rows.unique("design", maintain_order=True)).mark_text(align="left", dy=-14)
    return alt.layer(
        base.mark_rect(height=18, yOffset=7, cornerRadius=3).encode(
            color=alt.Color("verdict:N", scale=fill, legend=None)
        ),
        base.mark_text(dy=7, fontWeight=600).encode(
            text="words:N",
            color=alt.condition("datum.verdict == 'breaks'", alt.value("black"), alt.value(theme.INK)),
        ),
        left.encode(x=alt.value(0), y=y, text="design:N"),
    ).properties(width=width, height=alt.Step(_CELL))


def rivals(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    """Draw by how much rivals among the donors raise the loss, beside what their weights foretold."""
    rows = data.with_columns(row=pl.format("{}: {}", "reaction", "method"))
    y = alt.Y("row:N", sort=rows["row"].to_list(), axis=None)
    title = "Loss overstated by, % of the true loss"
    tips = [alt.Tooltip(f"{name}:Q", format=".1f") for name in ("overstated", "low", "high", "foretold")]
    base = alt.Chart(rows).encode(y=y, tooltip=["row:N", *tips, "outages:Q"])
    zero = alt.Chart(pl.DataFrame({"zero": [0.0]})).mark_rule(color=theme.INK)
    ends = base.mark_rule(strokeWidth=2, color=theme.GROCER, yOffset=7)
    dots = base.mark_point(filled=True, size=42, opacity=1, color=theme.GROCER, yOffset=7)
    told = base.mark_tick(color=theme.INK, thickness=2, size=14, yOffset=7)
    return alt.layer(
        zero.encode(x=alt.X("zero:Q", title=title)),
        ends.encode(x=alt.X("low:Q", title=title), x2="high:Q"),
        dots.encode(x=alt.X("overstated:Q", title=title)),
        told.encode(x=alt.X("foretold:Q", title=title)),
        base.mark_text(align="left", dy=-6).encode(x=alt.datum(0.3), text="row:N"),
    ).properties(width=width, height=alt.Step(_STEP))


def example(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    """Draw one injected outage: baskets a day above, the running loss below, each with its truth."""
    dark = data.filter(pl.col("dark"))["date"]
    shade = alt.Chart(pl.DataFrame({"from": [dark[0]], "to": [dark[-1]]}))
    band = shade.mark_rect(color=theme.WINDOW).encode(x="from:T", x2="to:T")
    x = alt.X("date:T", title=None, axis=alt.Axis(grid=False, tickCount=5, format="%-d %b"))
    base = alt.Chart(data).encode(x=x)
    top = 1.35 * float(data.select(pl.max_horizontal("seen", "expected", "would have been").max()).item())
    room = base.mark_point(opacity=0).encode(
        y=alt.Y("seen:Q", scale=alt.Scale(domain=[0, top], nice=False), title="Baskets a day")
    )
    above = [
        band,
        room,
        _line(base, "would have been", theme.GREEN, "Baskets a day", dash=[1, 0]),
        _line(base, "expected", theme.SPHERE, "Baskets a day", dash=_DASH),
        _line(base, "seen", theme.INK, "Baskets a day", dash=[1, 0]),
    ]
    title = "Baskets lost so far"
    below = [
        band,
        base.mark_area(color=theme.SPHERE, opacity=0.25).encode(y=alt.Y("low:Q", title=title), y2="high:Q"),
        _line(base, "lost so far", theme.SPHERE, title, dash=_DASH),
        _line(base, "truly lost so far", theme.GREEN, title, dash=[1, 0]),
    ]
    above += _words(
        {"– – expected": theme.SPHERE, "would have been": theme.GREEN, "seen": theme.INK}, [4, 92, 204]
    )
    below += _words({"– – estimated": theme.SPHERE, "truly lost": theme.GREEN}, [4, 100])
    inner = width - 60
    return alt.vconcat(
        alt.layer(*above).properties(width=inner, height=150),
        alt.layer(*below).properties(width=inner, height=130),
    )


def _words(said: dict[str, str], places: list[int]) -> list[Any]:
    """Name lines in their ink, in one row at the top left, where no line runs."""
    return [
        alt.Chart(pl.DataFrame({"words": [words]}))
        .mark_text(align="left", color=ink, fontWeight=600)
        .encode(x=alt.value(place), y=alt.value(8), text="words:N")
        for (words, ink), place in zip(said.items(), places, strict=True)
    ]


def _line(base: alt.Chart, column: str, ink: str, title: str, *, dash: list[int]) -> Any:
    return base.mark_line(color=ink, strokeDash=dash, strokeWidth=1.6).encode(
        y=alt.Y(f"{column}:Q", title=title)
    )
