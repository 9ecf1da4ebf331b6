"""What does the simulation of some towns rest on? All that is fixed before the first day, as arrays.

Arrays of stores are (slots, towns) or (slots, households). A block is a few towns built together for
speed: a town comes out the same in any block.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from grocery_spheres.county import weather
from grocery_spheres.county.assortment import Assortment, make_assortment, promotions
from grocery_spheres.county.behaviour import Nature, State
from grocery_spheres.county.draws import Keys, generator
from grocery_spheres.county.households import Households, settle
from grocery_spheres.county.parameters import Parameters
from grocery_spheres.county.world import LEO, World

WEEK = 7
_FATE = 7  # first part of the place of a draw
NEVER = dt.date.max.toordinal()

Array = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Block:
    """Some towns of the county, ready to be lived in.

    Attributes
    ----------
    world : World
        The county.
    towns : array of int
        Town numbers.
    homes : Households
        Their households, town by town.
    nature : Nature
        What the households are like day by day.
    assortment : Assortment
        What stores sell.
    begin : int
        Ordinal of the first day of the burn-in.
    exists, independent : array of bool, (slots, towns)
        Whether the town has such a store; whether it is an independent grocer.
    authentic, log_price, cushion : array, (slots, towns)
        See `World.stores`; share by which contribution exceeds fixed cost at the start.
    entry : array of int, (towns,)
        Ordinal of the day that the Sphere opens; `NEVER` where none does.
    event, outage : array of bool, (towns,)
        Whether the town holds the event; whether its Sphere fails.
    dark_from, dark_until, depth : array, (towns,)
        Hours between which the Sphere is dark, and the share of customers that it then turns away.
    promoted : array, (weeks, slots, towns)
        Share of lines on promotion.
    wet : array, (days, towns)
        Share of the day's hours that are wet.
    clock : array, (25,)
        Share of trips before each hour.
    """

    world: World
    towns: Whole
    homes: Households
    nature: Nature
    assortment: Assortment
    begin: int
    exists: Flags
    independent: Flags
    authentic: Array
    log_price: Array
    cushion: Array
    entry: Whole
    event: Flags
    outage: Flags
    dark_from: Array
    dark_until: Array
    depth: Array
    promoted: Array
    wet: Array
    clock: Array

    def of(self, rows: Whole, keys: Keys) -> Block:
        """Return the block with some of its households only, whose days are drawn by `keys`."""
        return replace(self, homes=self.homes.of(rows), nature=self.nature.of(rows, keys))

    @property
    def parameters(self) -> Parameters:
        """The assumptions."""
        return self.world.parameters

    @property
    def town(self) -> Whole:
        """Position of each household's town in the block."""
        return self.homes.town


def make_block(world: World, towns: Whole) -> Block:
    """Draw all that is fixed before the first day, for some towns.

    Parameters
    ----------
    world : World
        The county.
    towns : array of int
        Town numbers, any of the county's, in any order.
    """
    values = world.parameters
    begin = values.start.toordinal() - values.burn_in_days
    days = values.end.toordinal() - begin + 1
    homes = settle(world, towns)
    authentic, log_price = (_by_slot(world, towns, name) for name in ("authentic", "log_price"))
    exists = ~np.isnan(authentic)
    weeks = days // WEEK + 1
    hits = [world.towns.row(int(town) - 1, named=True) for town in towns]
    return Block(
        world=world,
        towns=towns,
        homes=homes,
        nature=_nature(homes, values, np.nan_to_num(authentic), np.nan_to_num(log_price)),
        assortment=make_assortment(values, world.seed),
        begin=begin,
        exists=exists,
        independent=_slots_of(world, towns, values.independents),
        authentic=np.nan_to_num(authentic),
        log_price=np.nan_to_num(log_price),
        cushion=np.stack([_cushion(world, int(town)) for town in towns], axis=1),
        entry=np.array([hit["entry"].toordinal() if hit["entry"] else NEVER for hit in hits]),
        event=np.array([hit["event"] for hit in hits]),
        outage=np.array([hit["outage"] for hit in hits]),
        dark_from=np.array([hit["dark_from"] or 0 for hit in hits]),
        dark_until=np.array([hit["dark_until"] or 0 for hit in hits]),
        depth=np.array([hit["depth"] or 0.0 for hit in hits]),
        promoted=np.stack(
            [promotions(values, world.seed, int(town), world.slots, weeks) for town in towns], axis=2
        ),
        wet=np.stack([weather.wet_hours(world, int(town), days).mean(axis=1) for town in towns], axis=1),
        clock=np.concatenate([[0.0], np.cumsum(values.hours)]) / sum(values.hours),
    )


def first_state(block: Block) -> State:
    """Return the state on the first day of the burn-in: prior beliefs, habits in line with them."""
    values, homes = block.parameters, block.homes
    belief = np.full(homes.liking.shape, values.belief_grocer)
    belief[0] = values.belief_sphere
    fixed = homes.liking - homes.price_response * block.log_price[:, block.town]
    pull = np.exp(fixed + values.authenticity_weight * belief)
    return State(np.ones(len(block.town)), _habit(pull), belief, fixed, pull)


def _habit(pull: Array) -> Array:
    """Return habits in line with the pull of the grocers."""
    habit = pull.copy()
    habit[0] = 0
    return habit / _over_stores(habit)


def _over_stores(amount: Array) -> Array:
    """Add up over stores, one by one: numpy's own order depends on how many households stand beside."""
    return np.asarray(sum(amount))


def log_prices(block: Block, day: int, *, spheres: bool) -> Array:
    """Return each store's log price index in the week of a day: its level, promotions, the grocers' response.

    Returns
    -------
    array, shape (slots, towns)
    """
    values = block.parameters
    week = (day - block.begin) // WEEK
    index = block.log_price + np.log1p(-block.promoted[week] * np.mean(values.depths))
    if spheres:
        index[1:] += np.where(day >= block.entry, values.grocer_response, 0.0)
    return index


def _nature(homes: Households, values: Parameters, authentic: Array, log_price: Array) -> Nature:
    """Anchor staying at home on the town's grocers as the household would know them after many visits."""
    usual = np.log1p(-values.promoted * np.mean(values.depths))
    offer = homes.liking - homes.price_response * (log_price + usual)[:, homes.town]
    offer = offer + values.authenticity_weight * np.clip(authentic[:, homes.town] + homes.match, 0, 1)
    offer = offer + values.habit * _habit(np.exp(offer))
    inclusive = np.log(_over_stores(np.exp(offer[1:])))
    stay = np.log((1 - homes.trip_chance) / homes.trip_chance)
    return Nature(
        anchor=values.nest * inclusive + stay,
        need=homes.trip_chance,
        lines=homes.basket * _mean_lines(values),
        basket=homes.basket,
        keys=homes.keys,
        parameters=values,
    )


def _mean_lines(values: Parameters) -> float:
    """Return the mean lines of the median household's basket, before rounding."""
    main = values.main_lines * np.exp(values.main_spread**2 / 2)
    fill = values.fill_lines * np.exp(values.fill_spread**2 / 2)
    return float(values.main_share * main + (1 - values.main_share) * fill)


def _by_slot(world: World, towns: Whole, column: str) -> Array:
    """Return a column of the stores as (slots, towns), missing where there is no store."""
    table = np.full((world.slots, len(towns)), np.nan)
    for place, town in enumerate(towns):
        rows = world.stores.filter(pl.col("town_id") == int(town))
        table[rows["slot"].to_numpy(), place] = rows[column].to_numpy()
    return table


def _slots_of(world: World, towns: Whole, independents: int) -> Flags:
    slot = np.arange(world.slots)[:, None]
    return np.broadcast_to((slot >= 1) & (slot <= independents), (world.slots, len(towns)))


def _cushion(world: World, town: int) -> Array:
    values = world.parameters
    draw = generator(world.seed, _FATE, town).normal(size=world.slots)
    cushion = values.cushion + values.cushion_spread * draw
    leo = world.stores.filter((pl.col("town_id") == town) & (pl.col("name") == LEO))["slot"].to_numpy()
    cushion[leo] = values.leo_cushion
    return np.asarray(cushion)
