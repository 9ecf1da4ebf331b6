"""What did each cause do to the stores of this county? Differences between arms that share every draw."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import polars as pl

from grocery_spheres.county.arms import FACTUAL
from grocery_spheres.county.build import Recipe

_HALF_YEAR = 183  # days


def of_entry(recipe: Recipe, frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return what the Spheres do to the grocers of their towns: realised outcomes, in this county.

    Returns
    -------
    polars.DataFrame
        One row = one outcome: `group`, `outcome`, `window` (the last half year on record), `value`. Sales
        with Spheres over sales without, less one; grocers that close by the end, as a share, with Spheres
        less without; Spheres' share of the towns' sales.
    """
    world = recipe.world
    reached = world.stores.join(world.towns.filter(pl.col("entry").is_not_null()), on="town_id", how="semi")
    grocers = reached.filter(pl.col("slot") > 0).select("store_id")
    end = recipe.parameters.end
    start = max(recipe.parameters.start, end - dt.timedelta(days=_HALF_YEAR - 1))
    late = frames["store_days"].filter(pl.col("date") >= start)
    sold = {
        (arm, part): float(late.filter(arm=arm).join(stores, on="store_id", how="semi")["sales_usd"].sum())
        for arm in (FACTUAL, "no sphere")
        for part, stores in {"grocers": grocers, "all": reached.select("store_id")}.items()
    }
    closed = frames["store_months"].filter("closes").join(grocers, on="store_id", how="semi")
    share = {arm: closed.filter(arm=arm).height / grocers.height for arm in (FACTUAL, "no sphere")}
    values = {
        "grocers' sales": sold[FACTUAL, "grocers"] / sold["no sphere", "grocers"] - 1,
        "grocers that close": share[FACTUAL] - share["no sphere"],
        "share of sales taken": 1 - sold[FACTUAL, "grocers"] / sold[FACTUAL, "all"],
    }
    window = f"{start} to {end}"
    rows = [
        ("towns with a Sphere", f"{name}, by the Spheres", window, value) for name, value in values.items()
    ]
    return pl.DataFrame(rows, schema=["group", "outcome", "window", "value"], orient="row")


def by_day(recipe: Recipe, store_days: pl.DataFrame) -> pl.DataFrame:
    """Return the mean effect on a store, by cause, cohort, day and format.

    Returns
    -------
    polars.DataFrame
        One row = one cause (sphere, outage, event), cohort (`entry`, the day its Spheres opened), date and
        format: `event_day` (days since the cause), `stores`, and the mean difference between the factual
        arm and the one without the cause, `baskets` and `sales_usd`, per store and day. Towns that the
        cause does not reach are left out; closed grocers count as zero in either arm.
    """
    world = recipe.world
    known = world.stores.select("store_id", "format", "town_id").join(
        world.towns, on="town_id", validate="m:1"
    )
    causes = {
        "sphere": ("no sphere", pl.col("entry").is_not_null(), pl.col("entry")),
        "outage": ("no outage", pl.col("outage"), pl.lit(recipe.parameters.outage_date)),
        "event": ("no event", pl.col("event"), pl.lit(recipe.parameters.event_date)),
    }
    factual = store_days.filter(arm=FACTUAL).join(known, on="store_id", validate="m:1")
    made = []
    for cause, (arm, reached, since) in causes.items():
        without = store_days.filter(arm=arm)
        paired = factual.filter(reached, pl.col("date") >= without["date"].min()).join(
            without, on=["store_id", "date"], how="left", validate="1:1", suffix="_without"
        )
        gaps = (pl.col(name) - pl.col(f"{name}_without").fill_null(0) for name in ("baskets", "sales_usd"))
        keyed = paired.select(
            pl.lit(cause).alias("cause"),
            pl.col("entry"),
            pl.col("date"),
            (pl.col("date") - since).dt.total_days().alias("event_day"),
            pl.col("format"),
            *gaps,
        )
        keys = ["cause", "entry", "date", "event_day", "format"]
        made.append(
            keyed.group_by(keys).agg(pl.len().cast(pl.Int64).alias("stores"), pl.mean("baskets", "sales_usd"))
        )
    return pl.concat(made).sort("cause", "entry", "date", "format")
