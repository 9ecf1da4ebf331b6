"""The rows behind the pictures of notebook 02, with the names and units that readers see.

Each function takes tables of the county or of its truth and returns just the plotted rows and columns, so
that the picture and its csv cannot differ.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl

from grocery_spheres.county.arms import FACTUAL
from grocery_spheres.county.world import LEO, SPHERE, STORY_TOWN

HOME, STORE = "home", "store"
_PLACES = 6  # sums of floats differ beyond, by the order in which threads add them up
KINDS = {"sphere": "the Sphere", "independent": "Leo’s grocery", "chain": "the chain"}
"""What the kinds of store are called in the story's town."""
LABELS = {LEO: "Leo’s grocery", "chain store": "a chain store"}
"""What the stores of the map are called."""
WITH, WITHOUT = "with Spheres", "without Spheres"
_ARMS = {FACTUAL: WITH, "no sphere": WITHOUT}


def town_rows(county: Any, first: dt.date, before: dt.date) -> pl.DataFrame:
    """Place the homes and stores of the story's town, with the kind of store where each home shops most.

    Parameters
    ----------
    county : County
        As `gs.county` returns.
    first, before : datetime.date
        Baskets from the first day on, up to the day before the second.

    Returns
    -------
    polars.DataFrame
        One row = one home or store: `what`, `kind` (of the store; of a home, where most of its baskets come
        from, "nowhere" without any), `label` (of some stores), `east (km)`, `north (km)` of the centre.
    """
    stores = county.stores.filter(pl.col("town_id") == STORY_TOWN)
    homes = county.households.filter(pl.col("town_id") == STORY_TOWN)
    seen = county.lines.filter(
        pl.col("store_id").is_in(stores["store_id"].to_list()),
        pl.col("sold_at").is_between(first, before, closed="left"),
    )
    baskets = seen.select("household_id", "store_id", "basket_id").unique().collect()
    counted = baskets.join(stores.select("store_id", "kind"), on="store_id").group_by("household_id", "kind")
    most = counted.len().sort("len", "kind", descending=True).unique("household_id", keep="first")
    with_most = homes.join(most, on="household_id", how="left", validate="1:1", maintain_order="left")
    called = pl.col("kind").replace(KINDS).fill_null("nowhere").alias("kind")
    place = (pl.col("x_km").round(2).alias("east (km)"), pl.col("y_km").round(2).alias("north (km)"))
    chain = pl.col("kind") == "chain"
    northmost = pl.col("y_km") == pl.col("y_km").filter(chain).max()
    spoken = pl.when(chain & ~northmost).then(pl.lit("")).otherwise(pl.col("name").replace(LABELS))
    return pl.concat(
        [
            with_most.select(pl.lit(HOME).alias("what"), called, pl.lit("").alias("label"), *place),
            stores.select(pl.lit(STORE).alias("what"), called, spoken.alias("label"), *place),
        ]
    )


def design_rows(towns: pl.DataFrame) -> pl.DataFrame:
    """Count towns by what befalls them, size, and when their Sphere opened.

    Returns
    -------
    polars.DataFrame
        One row = one group of towns: `towns that have`, `towns`, `small`, `large`, `Sphere by June 2044`,
        `by September`, `by December`.
    """
    words = (
        pl.when(pl.col("entry").is_null())
        .then(pl.lit("never a Sphere"))
        .when(pl.col("event") & pl.col("outage"))
        .then(pl.lit("a Sphere, event and outage"))
        .when("event")
        .then(pl.lit("a Sphere and the event"))
        .when("outage")
        .then(pl.lit("a Sphere and its outage"))
        .otherwise(pl.lit("a Sphere, neither"))
    )
    order = [
        "a Sphere, event and outage",
        "a Sphere and the event",
        "a Sphere and its outage",
        "a Sphere, neither",
        "never a Sphere",
    ]
    dates = towns["entry"].drop_nulls().unique().sort()
    third = -(-len(dates) // 3)
    waves = {f"opened {part}": dates[at * third : (at + 1) * third] for at, part in enumerate(_WAVES)}
    counts = {
        "small": pl.col("size") == "small",
        "large": pl.col("size") == "large",
        **{name: pl.col("entry").is_in(within.implode()) for name, within in waves.items()},
    }
    grouped = towns.group_by(words.alias("towns that have")).agg(
        pl.len().alias("towns"), *(flag.sum().alias(name) for name, flag in counts.items())
    )
    return grouped.sort(pl.col("towns that have").cast(pl.Enum(order)))


_WAVES = ("early", "midway", "late")


def calendar_rows(county: Any, store_days: pl.DataFrame) -> pl.DataFrame:
    """Follow the county over its two years: towns with a Sphere, the Spheres' share of baskets, wet hours.

    Parameters
    ----------
    county : County
        As `gs.county` returns.
    store_days : polars.DataFrame
        The truth of that name; its factual arm is what the lines hold.

    Returns
    -------
    polars.DataFrame
        One row = one panel and day (towns: when the number changes) or Monday of a whole week:
        `panel` (towns, share, wet), `date`, `value`.
    """
    days = pl.date_range(county.recipe.parameters.start, county.recipe.parameters.end, eager=True)
    entries = county.towns["entry"].drop_nulls()
    changes = pl.concat([days[:1], entries.unique().sort(), days[-1:]])
    towns = [float((entries <= day).sum()) for day in changes]
    factual = store_days.filter(arm=FACTUAL)
    sphere = pl.col("store_id").str.starts_with(SPHERE)
    share = 100 * pl.col("baskets").filter(sphere).sum() / pl.sum("baskets")
    panels = {
        "towns": pl.DataFrame({"date": changes, "value": towns}),
        "share": _weekly(factual, share),
        "wet": _weekly(county.weather, 100 * pl.mean("wet_share")),
    }
    return pl.concat(
        frame.select(pl.lit(name).alias("panel"), "date", "value") for name, frame in panels.items()
    )


def _weekly(rows: pl.DataFrame, value: pl.Expr) -> pl.DataFrame:
    """Evaluate an expression over each whole Monday week."""
    week = pl.col("date").dt.truncate("1w")
    summed = value.round(_PLACES).alias("value")
    weeks = rows.group_by(week.alias("week")).agg(summed, days=pl.col("date").n_unique())
    whole = weeks.filter(pl.col("days") == 7).sort("week")
    return whole.select(date="week", value="value")


def closing_rows(store_months: pl.DataFrame, stores: pl.DataFrame, towns: pl.DataFrame) -> pl.DataFrame:
    """Count the grocers that have closed so far, month by month, with Spheres and without.

    Parameters
    ----------
    store_months : polars.DataFrame
        The truth of that name.
    stores, towns : polars.DataFrame
        Of the county.

    Returns
    -------
    polars.DataFrame
        One row = one arm, kind of town and month: `arm` (with Spheres, without Spheres), `towns` (that get a
        Sphere, that never do), `month`, `closed so far`, `of them independent`.
    """
    known = stores.select("store_id", "kind", "town_id").join(
        towns.select("town_id", gets=pl.col("entry").is_not_null()), on="town_id", validate="m:1"
    )
    grocers = store_months.join(known, on="store_id", validate="m:1").filter(pl.col("kind") != "sphere")
    group = pl.when("gets").then(pl.lit("that get a Sphere")).otherwise(pl.lit("that never do"))
    keys = ["arm", "towns", "month"]
    monthly = (
        grocers.with_columns(pl.col("arm").replace(_ARMS), towns=group)
        .group_by(keys)
        .agg(now=pl.sum("closes"), own=(pl.col("closes") & (pl.col("kind") == "independent")).sum())
        .sort(keys)
    )
    so_far = [
        pl.col(name).cum_sum().over("arm", "towns").cast(pl.Int64).alias(words)
        for name, words in (("now", "closed so far"), ("own", "of them independent"))
    ]
    return monthly.select(*keys, *so_far)


def leo_rows(store_months: pl.DataFrame, stores: pl.DataFrame) -> pl.DataFrame:
    """Follow what Leo's sales leave him a month, with Spheres and without, beside his fixed cost.

    Returns
    -------
    polars.DataFrame
        One row = one arm and month: `arm`, `month`, `contribution (1000 USD)`, `fixed cost (1000 USD)`.
    """
    leo = stores.filter(pl.col("name") == LEO)["store_id"].item()
    of_him = store_months.filter(pl.col("store_id") == leo).with_columns(pl.col("arm").replace(_ARMS))
    return of_him.sort("arm", "month").select(
        "arm",
        "month",
        (pl.col("contribution_usd") / 1000).alias("contribution (1000 USD)"),
        (pl.col("fixed_cost_usd") / 1000).alias("fixed cost (1000 USD)"),
    )


def fate_rows(closings: pl.DataFrame, leo: pl.DataFrame) -> pl.DataFrame:
    """Put the closings in towns that get a Sphere above what Leo's sales leave him, one panel each.

    Returns
    -------
    polars.DataFrame
        One row = one panel, line and month: `panel`, `line`, `month` (its first day), `value`.
    """
    entered = closings.filter(pl.col("towns") == "that get a Sphere")
    fixed = leo.filter(pl.col("arm") == WITH)
    parts = [
        entered.select(
            pl.lit("closed").alias("panel"),
            line="arm",
            month="month",
            value=pl.col("closed so far").cast(pl.Float64),
        ),
        leo.select(pl.lit("Leo").alias("panel"), line="arm", month="month", value="contribution (1000 USD)"),
        fixed.select(
            pl.lit("Leo").alias("panel"),
            pl.lit("fixed cost").alias("line"),
            month="month",
            value="fixed cost (1000 USD)",
        ),
    ]
    return pl.concat(parts)
