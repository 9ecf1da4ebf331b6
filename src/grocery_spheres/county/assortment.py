"""What do stores sell, at which prices, and what is on promotion? The law that baskets' lines follow."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from grocery_spheres.county.draws import generator
from grocery_spheres.county.parameters import Department, Parameters

_PRODUCTS, _PROMOTIONS = 5, 6  # first part of the place of a draw
PICKS = 1 << 16  # a product's chance is a whole number of these parts

Array = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Assortment:
    """The products of the county, and how baskets pick among them.

    Attributes
    ----------
    products : polars.DataFrame
        One row = one product (contract `PRODUCTS`), with `shelf_usd` at the chain's list.
    shelf_cents : array, (products,)
        List price, cents of 2045.
    picks : array of int16, (laws, 65,536)
        Positions of products, each as often as its chance; a row is a law, see `law_of`.
    stored, meals : array, (2,)
        Share of a basket's lines that goes into the home stock; that is a meal eaten on the spot.
    mean_usd : array, (laws,)
        Expected list value of a line, quantity included, before promotion.
    """

    products: pl.DataFrame
    shelf_cents: Array
    picks: npt.NDArray[np.int16]
    stored: Array
    meals: Array
    mean_usd: Array


def make_assortment(parameters: Parameters, seed: int) -> Assortment:
    """Draw the products, their prices and weights, and how often each is picked.

    Examples
    --------
    >>> law = make_assortment(Parameters(), seed=7)
    >>> law.products["department"].n_unique(), law.picks.shape
    (8, (12, 65536))
    """
    drawn = [_department(parameters, seed, place) for place in range(len(parameters.departments))]
    products = pl.concat(drawn).with_columns(product_id=pl.int_range(1, pl.len() + 1))
    cents = (products["shelf_usd"] * 100).round().to_numpy()
    chances = _chances(parameters, products)
    packages = 1 + np.arange(len(parameters.quantities))
    mean_quantity = packages @ np.array(parameters.quantities) / sum(parameters.quantities)
    share = np.array([[one.grocer, one.sphere] for one in parameters.departments])
    return Assortment(
        products=products.select("product_id", "department", "category", "is_fuel", "package_g", "shelf_usd"),
        shelf_cents=cents,
        picks=np.stack([np.repeat(np.arange(len(cents)), _parts(row)) for row in chances]).astype(np.int16),
        stored=np.array([one.stored for one in parameters.departments]) @ share,
        meals=np.array([one.meals for one in parameters.departments]) @ share,
        mean_usd=chances @ cents / 100 * mean_quantity,
    )


def law_of(sphere: Whole, income: Whole, few: Whole) -> Whole:
    """Return which law a basket's lines follow: format (1 is a Sphere), income (0 to 2), size (1 is few).

    Examples
    --------
    >>> law_of(np.array([0, 1]), np.array([2, 2]), np.array([0, 1]))
    array([ 2, 11])
    """
    return (few * 2 + sphere) * 3 + income


def promotions(parameters: Parameters, seed: int, town: int, slots: int, weeks: int) -> Array:
    """Return the share of lines on promotion at each store of a town, week by week.

    Returns
    -------
    array, shape (weeks, slots)
        Between 0 and 1; slot 0 is the Sphere.
    """
    draw = generator(seed, _PROMOTIONS, town).normal(size=(weeks, slots))
    mean = np.where(np.arange(slots) == 0, parameters.promoted_sphere, parameters.promoted)
    return np.clip(mean + parameters.promoted_spread * draw, 0, 1)


def _department(parameters: Parameters, seed: int, place: int) -> pl.DataFrame:
    """Draw the products of one department, most popular first."""
    one: Department = parameters.departments[place]
    draw = generator(seed, _PRODUCTS, place)
    price = np.exp(one.price_spread * draw.normal(size=one.products))
    weight = one.weight_g * np.exp(parameters.weight_spread * draw.normal(size=one.products))
    rank = np.arange(1, one.products + 1)
    popular = rank**-parameters.popularity
    price *= one.price_usd * popular.sum() / (popular @ price)
    return pl.DataFrame(
        {
            "department": one.name,
            "category": [f"{one.name} {letter}" for letter in np.array(list("ABCDEFGHIJ"))[rank % 10]],
            "is_fuel": False,
            "package_g": weight.round(-1).clip(10),
            "shelf_usd": price.round(2).clip(0.05),
            "place": place,
            "weight": popular,
        }
    )


def _chances(parameters: Parameters, products: pl.DataFrame) -> Array:
    """Return the chance of each product, one row a law (see `law_of`).

    Income tilts the choice inside a department, which keeps its share; a quick basket tilts all of it.
    """
    place, weight = products["place"].to_numpy(), products["weight"].to_numpy()
    price = np.log(products["shelf_usd"].to_numpy())
    rows = []
    for few, column, income in itertools.product((0, 1), ("grocer", "sphere"), (-1, 0, 1)):
        share = np.array([getattr(one, column) for one in parameters.departments])
        tilted = weight * np.exp(income * parameters.price_tilt * price)
        usual = share[place] * tilted / np.bincount(place, tilted)[place]
        rows.append(usual * np.exp(few * parameters.few_tilt * price))
    chances = np.array(rows)
    return chances / chances.sum(axis=1, keepdims=True)


def _parts(chances: Array) -> npt.NDArray[np.int64]:
    """Round chances to parts of `PICKS` that add up: largest remainders."""
    exact = chances * PICKS
    parts = np.floor(exact).astype(np.int64)
    short = PICKS - parts.sum()
    parts[np.argsort(parts - exact, kind="stable")[:short]] += 1
    return parts
