"""What do the pictures of entry and survival show? Estimates row by row, beside the truth of the county."""

from __future__ import annotations

from typing import Any

import polars as pl

from grocery_spheres.charts.county_rows import WITHOUT
from grocery_spheres.county.arms import FACTUAL
from grocery_spheres.entry.hazard import closing_hazard
from grocery_spheres.entry.markets import event_months, market_panel
from grocery_spheres.tables import ContractError

NO_SPHERE = "no sphere"
CAME, NEVER = "towns that get a Sphere", "towns that never do"
_PLACES = 6  # sums of floats differ beyond, by the order in which threads add them up


def grocers_by_town(county: Any, store_days: Any, **how: Any) -> pl.DataFrame:
    """Sum what a county's grocers sold by town and month, with each town's entry; closed ones count as zero.

    Parameters
    ----------
    county : County
        With `stores`, `households`, `towns`.
    store_days : any Narwhals frame
        Of this county, of one arm.
    **how
        As `entry.markets.market_panel` takes it, such as ``survivors=True``.

    Returns
    -------
    polars.DataFrame
        One row = one town and month: as `market_panel`, with `entry`; `usd_week` is USD of 2045 a week and
        household of the town.
    """
    panel = market_panel(store_days, county.stores, kind="grocer", households=county.households, **how)
    rounded = panel.with_columns(pl.col("usd_week").round(_PLACES))
    return rounded.join(county.towns.select("town_id", "entry"), on="town_id", how="left", validate="m:1")


def true_effects(county: Any) -> pl.DataFrame:
    """Return what the Spheres did to the grocers of each town and month: the arm with them less that without.

    Returns
    -------
    polars.DataFrame
        One row = one town with a Sphere and month: `town_id`, `period`, `event_month`, `effect` (USD a week
        and household), `without` (what was sold in the arm without Spheres).
    """
    days = county.truth("store_days")
    arms = {arm: grocers_by_town(county, days.filter(pl.col("arm") == arm)) for arm in (FACTUAL, NO_SPHERE)}
    paired = arms[FACTUAL].join(
        arms[NO_SPHERE].select("town_id", "period", without="usd_week"),
        on=["town_id", "period"],
        validate="1:1",
    )
    reached = paired.filter(pl.col("entry").is_not_null()).with_columns(event_month=event_months())
    effect = (pl.col("usd_week") - pl.col("without")).alias("effect")
    return reached.select("town_id", "period", "event_month", effect, "without").sort("town_id", "period")


def effect_rows(found: Any, effects: pl.DataFrame, window: tuple[int, int]) -> pl.DataFrame:
    """Put the estimated effects by month since the entry beside the true ones.

    Parameters
    ----------
    found : EntryResults
        What was estimated.
    effects : polars.DataFrame
        As `true_effects`.
    window : (int, int)
        First and last month.

    Returns
    -------
    polars.DataFrame
        One row = one month since the entry: `month since entry`, `estimate`, `low`, `high`, `band_low`,
        `band_high`, `truth` (0 before the entry), `towns`.
    """
    truth = effects.group_by(event_time="event_month").agg(truth=pl.mean("effect").round(_PLACES))
    table = found.event_study(window=window).join(truth, on="event_time", how="left", maintain_order="left")
    told = table.select(
        pl.col("event_time").alias("month since entry"),
        pl.col("att").alias("estimate"),
        "low",
        "high",
        "band_low",
        "band_high",
        "truth",
        pl.col("units").alias("towns"),
    )
    if told["truth"].null_count():
        raise ContractError("A month of the estimate has no truth beside it: they are of different counties.")
    return told


def grocers_with_fate(county: Any) -> pl.DataFrame:
    """Return the county's grocers with what survival is asked of: `closed`, `town_id`, `entry`, `came`."""
    towns = county.towns.select("town_id", "entry", came=pl.col("entry").is_not_null())
    grocers = county.stores.filter(pl.col("format") == "grocer")
    words = pl.when("came").then(pl.lit(CAME)).otherwise(pl.lit(NEVER)).alias("group")
    return grocers.join(towns, on="town_id", validate="m:1").with_columns(words)


def survival_rows(found: Any, county: Any) -> pl.DataFrame:
    """Put the estimated curves beside the true one: the same towns in the arm without Spheres.

    Parameters
    ----------
    found : SurvivalResults
        Of `grocers_with_fate`, by `group`.
    county : County
        With its truth.

    Returns
    -------
    polars.DataFrame
        One row = one line and day: `line` (a group, or the same towns without Spheres), `months` since the
        start of the record, `share` still open (%), `low`, `high` (null for the truth). Where nothing closed
        in all the time, the interval on day 0 is that of the next day: it is as open then as later.
    """
    curves = found.survival.select(
        line="group",
        months="months",
        share=pl.col("survival") * 100,
        low=pl.col("low") * 100,
        high=pl.col("high") * 100,
    )
    curves = pl.concat([_from_zero(one) for _, one in curves.group_by("line", maintain_order=True)])
    truth = _true_curve(county).with_columns(low=pl.lit(None, pl.Float64), high=pl.lit(None, pl.Float64))
    return pl.concat([curves, truth.select(curves.columns)], how="vertical_relaxed")


def _from_zero(curve: pl.DataFrame) -> pl.DataFrame:
    """Begin the interval of a line that never falls at its beginning."""
    if (curve["share"] < 100).any() or curve.height < 2:
        return curve
    return curve.with_columns(low=pl.when(pl.col("months") > 0).then("low").fill_null(strategy="backward"))


def hazard_words(grocers: pl.DataFrame, **watched: Any) -> str:
    """Say by what factor grocers close faster with a Sphere in town, or, for readers, why that has no number.

    Parameters
    ----------
    grocers : polars.DataFrame
        As `grocers_with_fate`.
    **watched
        `start` and `end`, as `entry.closing_hazard` takes them.
    """
    alone = grocers.filter(
        pl.col("closed").is_not_null(), pl.col("entry").is_null() | (pl.col("closed") < pl.col("entry"))
    )
    if alone.is_empty():
        return (
            "In this record it has none: no grocer closed without a Sphere in town, so there is no rate to "
            "hold the other against, and no ratio."
        )
    return closing_hazard(grocers, arrived="entry", **watched).sentence()


def _true_curve(county: Any) -> pl.DataFrame:
    """Count the grocers of towns that get a Sphere that are open, month by month, had none come."""
    grocers = grocers_with_fate(county).filter("came").select("store_id")
    booked = county.truth("store_months").filter(pl.col("arm") == NO_SPHERE)
    closed = booked.filter("closes").join(grocers, on="store_id", how="semi")
    start = pl.lit(county.recipe.parameters.start)
    ended = closed.select(
        months=(pl.col("month").dt.month_end() - start).dt.total_days() / (365.25 / 12)
    ).sort("months")
    steps = ended.with_columns(share=100 * (1 - pl.int_range(1, pl.len() + 1) / grocers.height))
    last = 24.0
    ends = pl.DataFrame(
        {"months": [0.0, last], "share": [100.0, *(steps["share"][-1:].to_list() or [100.0])]}
    )
    joined = pl.concat([ends[:1], steps.select("months", "share"), ends[1:]])
    return joined.with_columns(line=pl.lit(f"the same towns {WITHOUT}"))
