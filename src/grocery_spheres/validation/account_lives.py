"""What did households do with the outage, and without? What is expected over other draws?

For proofs of accounts: trips by household, straight from the simulation, without any line being written.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import polars as pl

from grocery_spheres.county import tables
from grocery_spheres.county.arms import ARMS, FACTUAL
from grocery_spheres.county.block import Block, make_block
from grocery_spheres.county.build import Recipe
from grocery_spheres.county.redraws import Redrawn, redraw
from grocery_spheres.county.simulate import Memory, Month, burn_in, months

_EPOCH = dt.date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class Lives:
    """One county, with its outage and without.

    Attributes
    ----------
    trips, otherwise : polars.DataFrame
        One row = one basket: `household_id`, `store_id`, `date`, `sales_usd`; with the outage, and without it
        from the month's first day on, before which the two are the same.
    eve : Memory
        What the households wake up with on the day of the outage.
    block : Block
        All towns.
    """

    trips: pl.DataFrame
    otherwise: pl.DataFrame
    eve: Memory
    block: Block

    def redrawn(self, draws: int) -> Redrawn:
        """Draw the outage and the weeks after it again and again, from the eve on."""
        return redraw(self.block, self.eve, draws)


def live_both(recipe: Recipe) -> Lives:
    """Live through a county with its outage, and from that month on without.

    Parameters
    ----------
    recipe : Recipe
        Of the factual arm; all towns stand in memory together.

    Examples
    --------
    >>> from grocery_spheres.county.presets import preset
    >>> both = live_both(Recipe(preset("small", towns=4, never_towns=0, households=3), seed=7))
    >>> both.trips.columns
    ['household_id', 'store_id', 'date', 'sales_usd']
    """
    block = make_block(recipe.world, recipe.world.towns["town_id"].to_numpy())
    values, kept = block.parameters, dict[int, Memory]()
    outage, fork = values.outage_date.toordinal(), values.outage_date.replace(day=1).toordinal()

    def watch(day: int, memory: Memory) -> None:
        if day in (fork, outage):
            kept[day] = memory.copy()

    span = (values.start.toordinal(), values.end.toordinal())
    memory, arm = burn_in(block, ARMS[FACTUAL]), ARMS[FACTUAL]
    trips = [_trips(block, month) for month in months(block, arm, memory, *span, watch=watch)]
    without = ARMS["no outage"]
    again = months(block, without, kept[fork].copy(), fork, span[1])
    return Lives(pl.concat(trips), pl.concat([_trips(block, month) for month in again]), kept[outage], block)


def _trips(block: Block, month: Month) -> pl.DataFrame:
    """Return a month's baskets, each with its household, store and sum."""
    one = month.baskets
    ids = tables.store_ids(block)[one.slot, block.town[one.rows]]
    dates = pl.Series((one.day - _EPOCH).astype(np.int32)).cast(pl.Date)
    household = block.homes.household_id[one.rows]
    return pl.DataFrame({"household_id": household, "store_id": ids, "date": dates, "sales_usd": month.usd})
