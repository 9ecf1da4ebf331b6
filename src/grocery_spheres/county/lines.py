"""Which products stand in a basket, at which price? From baskets to the lines of the contract."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from grocery_spheres.county.assortment import law_of
from grocery_spheres.county.block import WEEK, Block
from grocery_spheres.county.draws import Keys, hashed, scramble

LINES_A_DAY = 256  # counters that a household's basket of a day has; see Parameters.most_lines
CENTS = 100

Array = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Baskets:
    """Baskets of some days; one entry a basket, by day and household.

    Attributes
    ----------
    rows : array of int
        Position of the household in the block.
    slot : array of int
        Store, by its slot in the town.
    day : array of int
        Ordinal of the date.
    lines : array of int
        How many.
    hour : array
        Time of the day, hours.
    """

    rows: Whole
    slot: Whole
    day: Whole
    lines: Whole
    hour: Array


@dataclass(frozen=True)
class Lines:
    """The lines of some baskets; one entry a line, basket by basket.

    Attributes
    ----------
    basket : array of int
        Position of its basket.
    product : array of int
        Position of the product.
    quantity : array of int
        Packages.
    sales_cents, discount_cents : array of int
        What the retailer receives; what was taken off the shelf price.
    """

    basket: Whole
    product: Whole
    quantity: Whole
    sales_cents: Whole
    discount_cents: Whole


def fill(block: Block, baskets: Baskets, *, spheres: bool = True) -> Lines:
    """Draw the lines of baskets.

    Parameters
    ----------
    block : Block
        Towns of the baskets.
    baskets : Baskets
        Any of theirs.
    spheres : bool
        Whether Spheres open in this arm: grocers' prices respond.

    Returns
    -------
    Lines
        A basket's lines depend on its household, day, store and size only.
    """
    basket = np.repeat(np.arange(len(baskets.rows)), baskets.lines)
    ends = np.cumsum(baskets.lines)
    within = np.arange(len(basket)) - np.repeat(ends - baskets.lines, baskets.lines)
    start = block.homes.line_keys[baskets.rows][basket]
    bits = hashed(start, baskets.day[basket] * LINES_A_DAY + within)
    product = _pick(block, baskets, basket, bits)
    quantity = _quantity(block, bits)
    shelf = _shelf_cents(block, baskets, basket, product, spheres=spheres)
    off = np.rint(shelf * _depth(block, baskets, basket, product)).astype(np.int64)
    off = np.minimum(off, shelf - 1)  # nothing is given away
    return Lines(basket, product, quantity, (shelf - off) * quantity, off * quantity)


def expected_usd(block: Block, baskets: Baskets, *, spheres: bool = True) -> Array:
    """Return what baskets of these sizes cost on average over draws of their lines, USD.

    Rounding to cents and to 65,536th parts of a chance are left out.
    """
    town = block.town[baskets.rows]
    law = _law(block, baskets)
    on_promotion = block.promoted[(baskets.day - block.begin) // WEEK, baskets.slot, town]
    paid = 1 - on_promotion * np.mean(block.parameters.depths)
    level = np.exp(_level(block, baskets, spheres=spheres))
    return np.asarray(baskets.lines * block.assortment.mean_usd[law] * level * paid)


def _law(block: Block, baskets: Baskets) -> Whole:
    """Return which of the assortment's laws each basket follows."""
    few = (baskets.lines <= block.parameters.few_lines).astype(np.int64)
    return law_of((baskets.slot == 0).astype(np.int64), block.homes.income[baskets.rows], few)


def _pick(block: Block, baskets: Baskets, basket: Whole, bits: Keys) -> Whole:
    law = _law(block, baskets)[basket]
    return block.assortment.picks[law, (bits >> np.uint64(48)).astype(np.int64)].astype(np.int64)


def _quantity(block: Block, bits: Keys) -> Whole:
    drawn = ((bits >> np.uint64(16)) & np.uint64(0xFFFFFFFF)).astype(np.float64) / 2.0**32
    limits = np.cumsum(block.parameters.quantities)[:-1]
    quantity = np.ones(len(bits), dtype=np.int64)
    for limit in limits:
        quantity += drawn >= limit
    return quantity


def _level(block: Block, baskets: Baskets, *, spheres: bool) -> Array:
    """Return the log price level of each basket's store on its day, promotions apart."""
    town = block.town[baskets.rows]
    responds = spheres & (baskets.slot > 0) & (baskets.day >= block.entry[town])
    response = np.where(responds, block.parameters.grocer_response, 0.0)
    return np.asarray(block.log_price[baskets.slot, town] + response)


def _shelf_cents(block: Block, baskets: Baskets, basket: Whole, product: Whole, *, spheres: bool) -> Whole:
    level = np.exp(_level(block, baskets, spheres=spheres))[basket]
    return np.maximum(np.rint(block.assortment.shelf_cents[product] * level), 1).astype(np.int64)


def _depth(block: Block, baskets: Baskets, basket: Whole, product: Whole) -> Array:
    """Return the share off each line's shelf price: zero unless its product is on promotion there then."""
    town = block.town[baskets.rows]
    week = (baskets.day - block.begin) // WEEK
    place = block.towns[town].astype(np.uint64) * np.uint64(64) + baskets.slot.astype(np.uint64)
    seed = np.uint64(block.world.seed) ^ np.uint64(0x50524F4D4F)  # a sequence of its own: "PROMO"
    start = scramble((place << np.uint64(20)) + week.astype(np.uint64)) ^ scramble(np.array([seed]))
    bits = hashed(start[basket], product)
    share = (bits >> np.uint64(32)).astype(np.float64) / 2.0**32
    depths = np.array([*block.parameters.depths])
    depth = depths[(bits & np.uint64(0xFFFF)).astype(np.int64) * len(depths) >> 16]
    return np.where(share < block.promoted[week, baskets.slot, town][basket], depth, 0.0)
