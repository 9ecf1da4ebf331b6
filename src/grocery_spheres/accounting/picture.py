"""How is what was lost made up? One bar for all of it, and bars below that add up to it."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import polars as pl

from grocery_spheres.accounting import wording
from grocery_spheres.accounting.parts import DELAYED, DIVERTED, FORGONE, LOST, OTHERS
from grocery_spheres.accounting.verdict import FOUND, NOT_ESTIMABLE
from grocery_spheres.outage.wording import level

WIDTH, _STEP = 520, 30  # pixels: of the panel, and of a row
_INKS = {LOST: "#111827", DIVERTED: "#b45309", DELAYED: "#0f766e", FORGONE: "#6b7280"}


def bars(found: Any, measure: str) -> pl.DataFrame:
    """Return the bars: one for what was lost, and its parts, each beginning where the last ended.

    Parameters
    ----------
    found : Account
        The account.
    measure : str
        One of its measures.

    Returns
    -------
    polars.DataFrame
        One row = one bar, from the top: `part`, `of` (lost, diverted, delayed, forgone), `start`, `stop`,
        `estimate`, `low`, `high`, `low_end`, `high_end` (where the interval lies, from the bar's start on),
        `verdict`. The last bar ends at what was lost.
    """
    rows = wording.by_part(found, measure)
    to = [f"diverted to {name}" for name in found.rivals]
    order = [(LOST, LOST), *((name, DIVERTED) for name in ([*to, OTHERS] if to else [DIVERTED]))]
    order += [(DELAYED, DELAYED), (FORGONE, FORGONE)]
    made, start = [], 0.0
    for part, of in order:
        row = rows[part]
        spans = {"start": start, "stop": start + row["estimate"]}
        ends = {f"{end}_end": start + row[end] for end in ("low", "high")}
        kept = {name: row[name] for name in ("estimate", "low", "high", "verdict")}
        made.append({"part": part, "of": of, **spans, **kept, **ends})
        start = 0.0 if part == LOST else spans["stop"]
    return pl.DataFrame(made)


def described(found: Any, measure: str) -> str:
    """Say in words what the picture shows."""
    rows = bars(found, measure)
    told = "; ".join(
        f"{part} {wording.amount(estimate)} ({wording.span((low, high))})"
        for part, estimate, low, high in rows.select("part", "estimate", "low", "high").iter_rows()
    )
    what = f"Bars that add up to what was lost, in {wording.unit(measure)}"
    return f"{what}, with {level(found.alpha)} intervals: {told}."


def draw(found: Any, measure: str, width: int = WIDTH) -> Any:
    """Draw the bars, their intervals and their numbers.

    Parameters
    ----------
    found : Account
        The account.
    measure : str
        One of its measures.
    width : int
        Pixels of the panel.
    """
    rows = bars(found, measure).with_columns(
        pl.col("low_end", "high_end").replace([float("inf"), float("-inf")], None),
        words=pl.struct("part", "estimate", "low", "high", "verdict").map_elements(
            _words, return_dtype=pl.String
        ),
    )
    y = alt.Y("part:N", sort=rows["part"].to_list(), axis=None)
    title = f"{wording.unit(measure)} of the followed customers"
    base = alt.Chart(rows).encode(y=y, tooltip=_tips())
    ink = alt.Color("of:N", scale=alt.Scale(domain=list(_INKS), range=list(_INKS.values())), legend=None)
    x = alt.X("start:Q", title=title)
    drawn = [
        alt.Chart(pl.DataFrame({"x": [0]})).mark_rule(color="#9ca3af").encode(x=alt.X("x:Q", title=title)),
        base.mark_bar(height=8, yOffset=8).encode(x=x, x2="stop:Q", color=ink),
        base.mark_rule(yOffset=8).encode(x=alt.X("low_end:Q", title=title), x2="high_end:Q", color=ink),
        base.mark_text(align="left", dy=-5).encode(x=alt.value(4), text="words:N", color=ink),
    ]
    return alt.layer(*drawn).properties(
        width=width,
        height=alt.Step(_STEP),
        title=alt.TitleParams(_title(found, measure), subtitle=_subtitle(found), anchor="start"),
        description=described(found, measure),
    )


def _tips() -> list[Any]:
    numbers = [alt.Tooltip(f"{name}:Q", format=",.4~g") for name in ("estimate", "low", "high")]
    return ["part:N", *numbers, "verdict:N"]


def _words(row: dict[str, Any]) -> str:
    unsure = f", {NOT_ESTIMABLE}" if row["verdict"] == NOT_ESTIMABLE else ""
    ends = wording.span((row["low"], row["high"])) if np.isfinite(row["low"]) else "no interval"
    return f"{row['part']} {wording.amount(row['estimate'])} ({ends}){unsure}"


def _title(found: Any, measure: str) -> str:
    rows = wording.by_part(found, measure)
    lost, diverted = rows[LOST], rows[DIVERTED]
    if not np.isfinite(lost["low"]):
        return "No interval can be given: too few placebos"
    if lost["verdict"] != FOUND:
        return "No loss can be told from chance here"
    begin = f"Of {wording.amount(lost['estimate'])} {wording.unit(measure)} lost"
    if diverted["verdict"] == NOT_ESTIMABLE:
        return f"{begin}, how many went elsewhere cannot be estimated here"
    ends = wording.percent((diverted["share_low"], diverted["share_high"]))
    return f"{begin}, {100 * diverted['share']:.0f} % ({ends}) went to other stores".replace("-", "−")


def _subtitle(found: Any) -> str:
    return f"lost = diverted + delayed + forgone; thin lines: {level(found.alpha)} intervals"
