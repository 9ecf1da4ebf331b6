"""How do the effects run over the time since entry? One chart."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from grocery_spheres.entry.rows import Names

_WIDTH, _HEIGHT = 560, 300  # pixels
_BLUE, _GREY = "#2b6cb0", "#6b7280"


def draw(effects: pl.DataFrame, names: Names, alpha: float) -> Any:
    """Draw effects by event time, each with its interval, over the uniform band.

    Parameters
    ----------
    effects : polars.DataFrame
        One row = one event time (`EntryResults.event_study`).
    names : Names
        For the axes.
    alpha : float
        One minus the level.

    Returns
    -------
    altair.LayerChart
        Its `description` says what can be seen.
    """
    level = f"{100 * (1 - alpha):g} %"
    reference = pl.col("se").is_null() & (pl.col("att") == 0)  # zero by definition: the band closes there
    ends = pl.when(reference).then(0.0).otherwise(pl.col("band_low", "band_high")).name.keep()
    base = alt.Chart(effects.with_columns(ends).to_pandas())
    time = alt.X(
        "event_time:Q",
        title="periods since entry (0 = its period)",
        axis=alt.Axis(tickMinStep=1),
        scale=alt.Scale(nice=False, padding=12),
    )
    effect = f"effect on {names.outcome}"
    tips = [
        alt.Tooltip("event_time:Q", title="periods since entry"),
        *[alt.Tooltip(f"{name}:Q", format=",.4~g") for name in ("att", "low", "high")],
        alt.Tooltip("groups:Q", title="cohorts"),
        alt.Tooltip("units:Q", title="treated units"),
    ]
    told = "isValid(datum.band_low)"
    band = base.transform_filter(told).mark_area(opacity=0.18, color=_BLUE)
    bars = base.transform_filter(told).mark_rule(color=_BLUE, strokeWidth=2)
    points = base.mark_point(filled=True, color=_BLUE, size=45, opacity=1)
    zero = alt.Chart(pl.DataFrame({"y": [0]}).to_pandas()).mark_rule(color=_GREY).encode(y="y:Q")
    entry = alt.Chart(pl.DataFrame({"x": [-0.5]}).to_pandas()).mark_rule(color=_GREY, strokeDash=[4, 3])
    layers = alt.layer(
        zero,
        entry.encode(x="x:Q"),
        band.encode(x=time, y=alt.Y("band_low:Q", title=effect), y2="band_high:Q"),
        bars.encode(x=time, y="low:Q", y2="high:Q"),
        points.encode(x=time, y="att:Q", tooltip=tips),
    )
    return layers.properties(
        width=_WIDTH,
        height=_HEIGHT,
        title=alt.TitleParams(
            f"Effect on {names.outcome} by time since entry",
            subtitle=f"bars: {level} intervals one by one; area: {level} band for all together",
            anchor="start",
        ),
        description=_described(effects, names, level),
    )


def _described(effects: pl.DataFrame, names: Names, level: str) -> str:
    first, last = effects.row(0, named=True), effects.row(-1, named=True)
    after = effects.filter(pl.col("event_time") >= 0)
    below, above = (after.filter(rule).height for rule in (pl.col("band_high") < 0, pl.col("band_low") > 0))
    return (
        f"Chart of the effect on {names.outcome} from {first['event_time']} to {last['event_time']} "
        "periods since "
        f"entry, with intervals and the {level} uniform band. Of {after.height} periods from the entry on, "
        "the "
        f"band lies wholly below zero in {below} and wholly above in {above}. At the last one shown the "
        "estimate "
        f"is {last['att']:.4g}."
    )
