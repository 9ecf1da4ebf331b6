"""What happened, and what would have happened otherwise? The truth that estimates are held against.

Read by tests and pages, never by an estimator. Arms share every draw, so a difference between two arms is
an effect, realised in this county; what is expected over other draws stands in the account.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from grocery_spheres import progress
from grocery_spheres.county import account, effects, tables
from grocery_spheres.county.arms import ARMS, FACTUAL
from grocery_spheres.county.assumptions import ParameterError
from grocery_spheres.county.block import Block, make_block
from grocery_spheres.county.build import Recipe, blocks_of, describe, each_block, version, whole_folder
from grocery_spheres.county.diary import Diary, sample_of
from grocery_spheres.county.lived import live_arm
from grocery_spheres.county.redraws import LATE_DAYS, Redrawn, redraw
from grocery_spheres.county.simulate import Memory
from grocery_spheres.county.world import SPHERE

TABLES: Mapping[str, str] = {
    "parameters": "every assumption",
    "store_days": "one row an arm, store and day: what was sold",
    "store_months": "one row an arm, grocer and month: profit, and whether it closed",
    "att": "one row a cause, cohort, day and format: the mean effect on a store",
    "account": "one row a group of towns, measure and part: lost, diverted, delayed, forgone in expectation",
    "diversion": "one row a dark Sphere and grocer: the expected diversion ratio",
    "outcomes": "one row an outcome that the assumptions lead to, such as the switchers who stay",
    "stores": "one row a store: appeal, authenticity, price level, cushion over its fixed cost",
    "households": "one row a household: tastes, price response, trip chance, size of its baskets",
    "choices": "one row a sampled household, day and store: chance, utility, price, distance, belief, habit",
    "states": "one row a sampled household and day: home stock, inclusive value, chance of no trip",
}
SAMPLED = 2  # households a town whose choices are written down
_SWITCHERS_WANTED = 45_000  # make the Monte Carlo error of the pooled diversion ratio about 0.2 points
_SWITCHER_SHARE = 0.04  # of households whom an outage moves on its day, about

Whole = npt.NDArray[np.int64]


def truth(recipe: Recipe, table: str, *, workers: int = 1) -> pl.DataFrame:
    """Return one table of a county's truth; all are built on first use.

    Parameters
    ----------
    recipe : Recipe
        Of the county: ``gs.county(...).recipe``.
    table : str
        One of `TABLES`.
    workers : int
        Processes that build.

    Returns
    -------
    polars.DataFrame
        With the columns `seed` and `version` at its end.

    Raises
    ------
    ParameterError
        There is no such table, the recipe is not of the factual arm, or its record ends too soon after the
        outage.

    Examples
    --------
    >>> from grocery_spheres.county.presets import preset
    >>> small = Recipe(preset("small"), seed=7)
    >>> lost = truth(small, "account").filter(group="all", measure="baskets")
    >>> parts = dict(lost.select("part", "expected").iter_rows())
    >>> abs(parts["diverted"] + parts["delayed"] + parts["forgone"] - parts["lost"]) < 1e-9
    True
    """
    if table not in TABLES:
        raise ParameterError(f"The truth has no table {table!r}; it has: {', '.join(TABLES)}.")
    return pl.read_parquet(build(recipe, workers=workers) / f"{table}.parquet")


def build(recipe: Recipe, *, workers: int = 1, force: bool = False) -> Path:
    """Build the truth of a county where it is missing; return its folder."""
    refuse_unfit(recipe)
    folder = recipe.folder.with_name(f"{recipe.folder.name}-truth")
    return whole_folder(folder, partial(_write, recipe, workers=workers), force=force)


def refuse_unfit(recipe: Recipe) -> None:
    """Refuse a recipe that has no truth of its own."""
    values = recipe.parameters
    if recipe.arm != FACTUAL:
        raise ParameterError(
            f"The truth belongs to the arm {FACTUAL!r}, which holds all others; not {recipe.arm!r}."
        )
    needed = values.outage_date + dt.timedelta(days=LATE_DAYS[1])
    if values.end < needed:
        raise ParameterError(
            f"The assumption `end` is {values.end}; allowed for a truth: {needed} or later, "
            f"{LATE_DAYS[1]} days after the outage."
        )


def draws_needed(recipe: Recipe) -> int:
    """Return how many mornings are drawn so that the error of a diversion ratio is well below 0.3 points."""
    dark = int(recipe.world.towns["outage"].sum()) * recipe.parameters.households
    return max(20, math.ceil(_SWITCHERS_WANTED / (_SWITCHER_SHARE * dark)))


def _write(recipe: Recipe, folder: Path, *, workers: int) -> None:
    """Live through all arms, put the blocks together, and write every table."""
    world, job = recipe.world, partial(_live_block, recipe, draws_needed(recipe))
    shown = progress.shown(each_block(job, world, workers), blocks_of(world), "Living through the arms")
    parts = list(shown)
    frames = {name: pl.concat([one[0][name] for one in parts]) for name in parts[0][0]}
    redrawn = account.together([one[1] for one in parts])
    made = {
        **frames,
        "parameters": describe(recipe).drop("seed", "version"),
        "att": effects.by_day(recipe, frames["store_days"]),
        "account": account.account(world, redrawn),
        "diversion": account.diversion(world, redrawn),
        "outcomes": pl.concat(
            [account.outcomes(world, redrawn), effects.of_entry(recipe, frames)], how="diagonal"
        ),
    }
    stamp = {"seed": pl.lit(int(recipe.seed)), "version": pl.lit(version())}
    for name in TABLES:
        made[name].with_columns(**stamp).write_parquet(folder / f"{name}.parquet")


def _live_block(recipe: Recipe, draws: int, towns: Whole) -> tuple[dict[str, pl.DataFrame], Redrawn]:
    """Live through every arm in some towns, and redraw what follows the eve of the outage."""
    values, block = recipe.parameters, make_block(recipe.world, towns)
    outage = values.outage_date.toordinal()
    fork = min(values.outage_date, values.event_date).replace(day=1).toordinal()
    fork = max(fork, values.start.toordinal())
    kept: dict[int, Memory] = {}
    diary = Diary(block, ARMS[FACTUAL], sample_of(block, SAMPLED), values.start.toordinal())

    def watch(day: int, memory: Memory) -> None:
        diary.see(day, memory)
        if day in (fork, outage):
            kept[day] = memory.copy()

    lived = {
        FACTUAL: live_arm(block, FACTUAL, watch=watch),
        "no sphere": live_arm(block, "no sphere"),
        **{name: live_arm(block, name, kept[fork].copy(), fork) for name in ("no outage", "no event")},
    }
    frames = {
        "store_days": pl.concat([days for days, _ in lived.values()]),
        "store_months": pl.concat([lived[name][1] for name in (FACTUAL, "no sphere")]),
        "stores": _true_stores(block),
        "households": _true_households(block),
        "choices": pl.concat(diary.options),
        "states": pl.concat(diary.states),
    }
    return frames, redraw(block, kept[outage], draws)


def _true_stores(block: Block) -> pl.DataFrame:
    """List what the stores are like, as drawn."""
    drawn = ("store_id", "town_id", "appeal", "authentic", "log_price")
    known = block.world.stores.filter(pl.col("town_id").is_in(block.towns.tolist())).select(*drawn)
    ids = tables.store_ids(block)
    slot, town = np.nonzero(ids != "")
    thin = pl.DataFrame({"store_id": ids[slot, town], "cushion": block.cushion[slot, town]})
    grocer = pl.when(~pl.col("store_id").str.starts_with(SPHERE)).then("cushion").alias("cushion")
    return known.join(thin, on="store_id", validate="1:1", maintain_order="left").with_columns(grocer)


def _true_households(block: Block) -> pl.DataFrame:
    """List what the households are like, as drawn."""
    homes = block.homes
    names = ("household_id", "price_response", "distance_cost", "virtual", "local", "trip_chance", "basket")
    return pl.DataFrame({name: getattr(homes, name) for name in names})
