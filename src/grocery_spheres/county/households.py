"""Who lives in a town: homes, incomes, tastes, how often and how much a household shops?"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import polars as pl

from grocery_spheres.county.draws import Keys, generator, household_keys
from grocery_spheres.county.world import SPHERE, World

_HOUSEHOLDS = 3  # first part of the place of a draw
INCOMES = ("low", "middle", "high")  # thirds of the income distribution
HOUSEHOLD_STEP = 10_000  # ids of the households of town n start at n times this

Array = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Households:
    """The households of some towns, town by town; arrays of stores are (slots, households).

    Attributes
    ----------
    town : array of int
        Position of the household's town among the towns of the block.
    household_id : array of int
        Town number times 10,000 plus a number from 1.
    keys, line_keys : array of uint64
        Where the household's draws start: those of its days, those of its baskets' lines.
    income : array
        0, 1, 2 for low, middle and high.
    price_response : array
        Utility lost as a store's log price index rises by one.
    liking : array, (slots, households)
        Utility of each store before price, authenticity and habit; -inf where the town has no such store.
    distance_km : array, (slots, households)
        From home to the store.
    distance_cost : array
        Utility among stores that a km costs.
    match : array, (slots, households)
        How much more authentic than others this household finds the store; found out by visits.
    trip_chance : array
        Chance a day of a trip, one basket being in stock.
    basket : array
        Scale of its baskets (1 is the median household).
    """

    town: Whole
    household_id: Whole
    keys: Keys
    line_keys: Keys
    x_km: Array
    y_km: Array
    income: Whole
    price_response: Array
    liking: Array
    distance_km: Array
    distance_cost: Array
    match: Array
    virtual: Array
    local: Array
    trip_chance: Array
    basket: Array

    def of(self, rows: Whole) -> Households:
        """Return some of the households."""
        return Households(**{one.name: getattr(self, one.name)[..., rows] for one in fields(self)})


def settle(world: World, towns: Whole) -> Households:
    """Draw the households of some towns.

    Parameters
    ----------
    world : World
        The county.
    towns : array of int
        Town numbers. A town's households are the same whatever towns stand beside it.

    Examples
    --------
    >>> from grocery_spheres.county.parameters import Parameters
    >>> from grocery_spheres.county.world import make_world
    >>> world = make_world(Parameters(towns=16, households=50), seed=7)
    >>> settle(world, np.array([3, 9])).liking.shape
    (10, 100)
    """
    drawn = [_town(world, int(town)) for town in towns]
    joined = {name: np.concatenate([one[name] for one in drawn], axis=-1) for name in drawn[0]}
    number = world.parameters.households
    return Households(
        town=np.repeat(np.arange(len(towns)), number),
        household_id=(towns[:, None] * HOUSEHOLD_STEP + np.arange(1, number + 1)).ravel(),
        keys=household_keys(world.seed, towns, number),
        line_keys=household_keys(world.seed, towns, number, stage=1),
        **joined,
    )


def _town(world: World, town: int) -> dict[str, npt.NDArray]:
    """Draw the households of one town."""
    values, number = world.parameters, world.parameters.households
    draw = generator(world.seed, _HOUSEHOLDS, town)
    normal = draw.normal(size=(6, number))
    home = values.homes_km * draw.normal(size=(2, number))
    store_taste = values.store_spread * draw.normal(size=(world.slots, number))
    tied = values.taste_correlation * normal[0] + np.sqrt(1 - values.taste_correlation**2) * normal[1]
    income = normal[2]
    virtual = values.virtual_spread * normal[0] + values.virtual_income * values.income_spread * income
    local = values.local_spread * tied
    cost = values.distance_cost * np.exp(values.distance_spread * normal[3])
    liking, distance = _liking(world, town, home, cost, (virtual, local, store_taste))
    odds = values.trip_chance / (1 - values.trip_chance) * np.exp(values.trip_spread * normal[4])
    return {
        "x_km": home[0],
        "y_km": home[1],
        "income": np.searchsorted(_THIRDS, income).astype(np.int64),
        "price_response": np.maximum(
            0.0, values.price_response + values.price_income * values.income_spread * income
        ),
        "liking": liking,
        "distance_km": distance,
        "distance_cost": cost,
        "match": values.match_spread * draw.normal(size=(world.slots, number)),
        "virtual": virtual,
        "local": local,
        "trip_chance": odds / (1 + odds),
        "basket": np.exp(values.basket_spread * normal[5]),
    }


_THIRDS = np.array([-0.430727, 0.430727])  # of the standard normal distribution


def _liking(
    world: World, town: int, home: Array, cost: Array, tastes: tuple[Array, Array, Array]
) -> tuple[Array, Array]:
    """Return the utility of each store of a town before price, belief and habit, and its distance.

    The tastes are for the virtual and the local, one a household, and for each store, (slots, households).
    """
    virtual, local, taste = tastes
    stores = world.stores.filter(pl.col("town_id") == town)
    slot = stores["slot"].to_numpy()
    place = stores.select("x_km", "y_km").to_numpy()
    away = np.hypot(place[:, :1] - home[0], place[:, 1:] - home[1])
    liking, distance = np.full_like(taste, -np.inf), np.full_like(taste, np.inf)
    by_kind = {SPHERE: virtual, "independent": local, "chain": np.zeros_like(local)}
    kinds = np.array([by_kind[kind] for kind in stores["kind"]])
    distance[slot] = away
    liking[slot] = stores["appeal"].to_numpy()[:, None] + kinds + taste[slot] - cost * away
    return liking, distance


def household_table(world: World, homes: Households, towns: Whole) -> pl.DataFrame:
    """List households as the contract wants them, with place and group.

    Returns
    -------
    polars.DataFrame
        One row = one household: `household_id`, `town_id`, `income` (low, middle, high), `x_km`, `y_km`.
    """
    return pl.DataFrame(
        {
            "household_id": homes.household_id,
            "town_id": towns[homes.town],
            "income": np.array(INCOMES)[homes.income],
            "x_km": homes.x_km.round(3),
            "y_km": homes.y_km.round(3),
        }
    )
