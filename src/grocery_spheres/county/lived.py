"""What do stores sell and book in one arm, without any line being written? For truths and for proofs."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import polars as pl

from grocery_spheres.county import tables
from grocery_spheres.county.arms import ARMS
from grocery_spheres.county.block import Block, make_block
from grocery_spheres.county.build import Recipe
from grocery_spheres.county.simulate import Memory, Month, Watch, burn_in, months
from grocery_spheres.county.world import SPHERE

_EPOCH = dt.date(1970, 1, 1).toordinal()


def lived(recipe: Recipe) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Live through the arm of a recipe in all towns at once; nothing is written.

    Parameters
    ----------
    recipe : Recipe
        Assumptions, seed and arm. All towns stand in memory together: for small counties.

    Returns
    -------
    polars.DataFrame, polars.DataFrame
        One row = one store and day: `arm`, `store_id`, `date`, `baskets`, `lines`, `sales_usd` (USD of 2045);
        and one row = one grocer and month, with its books: see `load.County.store_months`.

    Examples
    --------
    >>> from grocery_spheres.county.presets import preset
    >>> tiny = preset("small", towns=4, never_towns=0, households=3, burn_in_days=430)
    >>> days, months = lived(Recipe(tiny, seed=7, arm="no sphere"))
    >>> days["store_id"].str.starts_with("sphere").any(), months["arm"].unique().to_list()
    (False, ['no sphere'])
    """
    block = make_block(recipe.world, recipe.world.towns["town_id"].to_numpy())
    return live_arm(block, recipe.arm)


def live_arm(
    block: Block,
    name: str,
    memory: Memory | None = None,
    first: int | None = None,
    watch: Watch | None = None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Live through one arm, from the start or from where it parts from the factual one.

    Parameters
    ----------
    block : Block
        The towns.
    name : str
        One of `arms.ARMS`.
    memory : Memory, optional
        What the arm begins with; it is lived on in. Without it the burn-in comes first.
    first : int, optional
        Day (ordinal) to begin with; without it the first day on record.
    watch : Watch, optional
        Called on each morning.

    Returns
    -------
    polars.DataFrame, polars.DataFrame
        Its store-days and its store-months.
    """
    arm, values = ARMS[name], block.parameters
    memory = burn_in(block, arm) if memory is None else memory
    first = values.start.toordinal() if first is None else first
    days, booked = [], []
    for month in months(block, arm, memory, first, values.end.toordinal(), watch=watch):
        booked += tables.book(block, arm, month, memory.fate)
        days.append(_store_days(block, month))
    named = pl.lit(name).alias("arm")
    months_table = pl.DataFrame(booked, orient="row", schema=tables.MONTH_COLUMNS)
    there = (
        pl.concat(days)
        if arm.spheres
        else pl.concat(days).filter(~pl.col("store_id").str.starts_with(SPHERE))
    )
    return there.select(named, pl.all()), months_table.select(named, pl.all())


def _store_days(block: Block, month: Month) -> pl.DataFrame:
    """Count what each store sold each day: zeros once a grocer has closed, no row before a Sphere opens."""
    slots, towns = block.exists.shape
    days = month.last - month.first + 1
    baskets = month.baskets
    cell = ((baskets.day - month.first) * slots + baskets.slot) * towns + block.town[baskets.rows]
    shape = (days, slots, towns)
    amounts = {"baskets": None, "lines": baskets.lines, "sales_usd": month.usd}
    summed = {
        name: np.bincount(cell, weights, minlength=math.prod(shape)).reshape(shape)
        for name, weights in amounts.items()
    }
    opened = np.where(np.arange(slots)[:, None] == 0, block.entry, 0)
    there = block.exists & (np.arange(month.first, month.last + 1)[:, None, None] >= opened)
    day, slot, town = np.nonzero(there)
    dates = pl.Series((day + month.first - _EPOCH).astype(np.int32)).cast(pl.Date)
    columns = {name: pl.Series(table[there]) for name, table in summed.items()}
    counted = pl.DataFrame({"store_id": tables.store_ids(block)[slot, town], "date": dates, **columns})
    return counted.with_columns(pl.col("baskets", "lines").cast(pl.Int64))
