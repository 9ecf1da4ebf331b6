"""Do effects of entry, and differences in survival, hold the truth that two arms of the county know?

In small counties the same towns are lived through with Spheres and without, on the same draws. The estimator
sees the first alone. Two truths stand beside each estimate: the effect realised in that county, and the one
expected over counties, which is what intervals made of towns' differences promise to hold.
"""

from __future__ import annotations

import warnings
from typing import Any

import polars as pl

from grocery_spheres.county.build import Recipe
from grocery_spheres.county.lived import lived
from grocery_spheres.county.presets import preset
from grocery_spheres.entry.estimate import estimate_entry
from grocery_spheres.entry.markets import event_months, market_panel
from grocery_spheres.entry.survival import compare_survival
from grocery_spheres.validation.subjects import Rows, Subject
from grocery_spheres.validation.verdicts import coverage

ALPHA = 0.1  # one minus the level of all intervals and bands
HORIZON = 24  # months of survival
WINDOW = (-6, 12)  # event times of the band: all cohorts but the last, or all, reach them
_COUNTY: dict[str, Any] = {"towns": 40, "never_towns": 16, "cohorts": 4, "households": 40}
DYNAMIC, OVERALL, NAIVE, SURVIVORS, SURVIVAL = (
    "by event time",
    "on average",
    "two-way fixed effects",
    "survivors only",
    "survival at 24 months",
)


def replicate(seed: int) -> Rows:
    """Live through one small county with and without Spheres; estimate from the first.

    Returns
    -------
    list of dict
        One row an estimate: `estimand`, `event_month` (null where it is of no month), `truth` (realised in
        this county), `estimate`, `low`, `high`, `band_low`, `band_high` (null outside the band). USD a week
        and household; survival: shares.
    """
    factual = Recipe(preset("county", **_COUNTY), seed)
    without = Recipe(factual.parameters, seed, "no sphere")
    (days, months), (days_without, months_without) = lived(factual), lived(without)
    panel, other = _panel(factual, days), _panel(factual, days_without)
    truth = panel.join(other, on=["town_id", "period"], suffix="_without")
    effects = truth.with_columns(effect=pl.col("usd_week") - pl.col("usd_week_without")).filter(_treated())
    return [
        *_entry_rows(panel, effects),
        *_survivor_rows(factual, days, months, effects),
        _survival_row(factual, months, months_without),
    ]


def _panel(recipe: Recipe, days: pl.DataFrame, **how: Any) -> pl.DataFrame:
    """Return what grocers sold by town and month, a household and week, with the town's entry."""
    homes = recipe.parameters.households
    towns = recipe.world.towns.select("town_id", "entry")
    stores = how.pop("stores", recipe.world.stores)
    panel = market_panel(days, stores, kind="grocer", **how).with_columns(pl.col("usd_week") / homes)
    return panel.join(towns, on="town_id", how="left", maintain_order="left")


def _treated() -> pl.Expr:
    return event_months() >= 0


def _estimated(panel: pl.DataFrame) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of few clusters: the proof counts what comes of it
        return estimate_entry(
            panel, unit="town_id", time="period", first_treated="entry", outcome="usd_week", alpha=ALPHA
        )


def _entry_rows(panel: pl.DataFrame, effects: pl.DataFrame) -> Rows:
    """Give the average effect, the effects by event time with their band, and the naive regression."""
    found = _estimated(panel)
    mean = effects["effect"].mean()
    by_month = effects.group_by(event_month=event_months()).agg(truth=pl.mean("effect"))
    dynamic = found.event_study(window=WINDOW).rename({"att": "estimate", "event_time": "event_month"})
    paired = dynamic.join(by_month, on="event_month", how="left", maintain_order="left")
    before = pl.when(pl.col("event_month") < 0).then(0.0).otherwise("truth").alias("truth")
    kept = ("event_month", "truth", "estimate", "low", "high", "band_low", "band_high")
    told = paired.with_columns(before).filter(pl.col("low").is_not_null()).select(*kept)
    naive = found.two_way
    return [
        _row(OVERALL, mean, found.att, found.conf_int()),
        _row(NAIVE, mean, naive.coefficient, (naive.low, naive.high)),
        *({"estimand": DYNAMIC, **row} for row in told.iter_rows(named=True)),
    ]


def _survivor_rows(recipe: Recipe, days: pl.DataFrame, months: pl.DataFrame, effects: pl.DataFrame) -> Rows:
    """Give what grocers that never closed would make of it: selected by what happened to them."""
    stores = _with_closing(recipe, months)
    theirs = days.join(stores, on="store_id", how="semi")
    found = _estimated(_panel(recipe, theirs, stores=stores, survivors=True))
    return [_row(SURVIVORS, effects["effect"].mean(), found.att, found.conf_int())]


def _survival_row(recipe: Recipe, months: pl.DataFrame, months_without: pl.DataFrame) -> dict[str, Any]:
    """Give the difference in survival between towns that get a Sphere and towns that never do."""
    values = recipe.parameters
    stores, other = _with_closing(recipe, months), _with_closing(recipe, months_without)
    reached = pl.col("sphere")
    open_with, open_without = (
        one.filter(reached).select(pl.col("closed").is_null().mean()).item() for one in (stores, other)
    )
    found = compare_survival(
        stores,
        group="sphere",
        base=False,
        start=values.start,
        end=values.end,
        horizon=HORIZON,
        alpha=ALPHA,
    )
    return _row(SURVIVAL, open_with - open_without, found.difference, found.conf_int())


def _with_closing(recipe: Recipe, months: pl.DataFrame) -> pl.DataFrame:
    """Return the grocers with their last day, and whether their town gets a Sphere."""
    last = months.filter("closes").select("store_id", closed=pl.col("month").dt.month_end())
    towns = recipe.world.towns.select("town_id", sphere=pl.col("entry").is_not_null())
    grocers = recipe.world.stores.filter(pl.col("format") == "grocer").select("store_id", "format", "town_id")
    return grocers.join(last, on="store_id", how="left").join(towns, on="town_id")


def _row(estimand: str, truth: Any, estimate: float, ends: tuple[float, float]) -> dict[str, Any]:
    none = dict.fromkeys(("band_low", "band_high"))
    return {
        "estimand": estimand,
        "event_month": None,
        "truth": truth,
        "estimate": estimate,
        "low": ends[0],
        "high": ends[1],
        **none,
    }


def with_truths(table: pl.DataFrame) -> pl.DataFrame:
    """Add the truth expected over counties, and whether each interval held either truth.

    Parameters
    ----------
    table : polars.DataFrame
        As `replicate` makes it, of many seeds.

    Returns
    -------
    polars.DataFrame
        With `expected` (mean of `truth` over seeds), `covered` (the interval held `expected`),
        `covered_realised` (it held `truth`).
    """
    over = ["estimand", "event_month"]
    told = table.with_columns(expected=pl.col("truth").mean().over(over))
    return told.with_columns(
        covered=pl.col("expected").is_between("low", "high"),
        covered_realised=pl.col("truth").is_between("low", "high"),
    )


def band_coverage(table: pl.DataFrame) -> pl.DataFrame:
    """Return how often a band held every event time of a county at once.

    Parameters
    ----------
    table : polars.DataFrame
        As `replicate` makes it, of many seeds.

    Returns
    -------
    polars.DataFrame
        One row = one truth ("expected", "realised"): as `verdicts.coverage`.
    """
    banded = with_truths(table).filter(pl.col("estimand") == DYNAMIC, pl.col("band_low").is_not_null())
    rows = [
        banded.group_by("seed")
        .agg(covered=pl.col(column).is_between("band_low", "band_high").all())
        .with_columns(truth=pl.lit(name))
        for name, column in {"expected": "expected", "realised": "truth"}.items()
    ]
    return coverage(pl.concat(rows), ["truth"])


SUBJECT = Subject(
    name="entry",
    question="Do intervals and bands of effects of entry, and of survival, hold the truth of two arms?",
    replicate=replicate,
    replications=200,
    rests_on=("county", "entry", "schema", "tables", "validation.entry_proof"),
)
