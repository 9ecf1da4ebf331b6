"""What stands where in the county, and what befalls it? Towns, stores, entry, the event and the outage.

Drawn once a county (who gets a Sphere and when, the 2 x 2 of event and outage) or once a town (where
stores stand), never in between, so that a town is the same whatever other towns are built beside it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from grocery_spheres.county.draws import generator
from grocery_spheres.county.parameters import Parameters

SPHERE = "sphere"
GROCER = "grocer"
LEO = "Leo's grocery"
STORY_TOWN = 1  # has Leo's grocery, the newest Sphere, the event and the outage
_COUNTY, _TOWN = 1, 2  # first part of the place of a draw

Array = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


@dataclass(frozen=True)
class World:
    """The county as it stands before anybody shops.

    Attributes
    ----------
    parameters : Parameters
        The assumptions.
    seed : int
        Of every draw.
    towns : polars.DataFrame
        One row = one town: `town_id`, `size` (small, large), `entry` (first day of its Sphere, or null),
        `event`, `outage` (flags), `dark_from`, `dark_until` (hours, the second exclusive), `depth` (share of
        customers turned away in these hours), `share_down` (share of the day's trading lost), `four` (the
        towns among which the 2 x 2 was drawn; null without a Sphere), `assigned` (by lot; not so the
        story's town).
    stores : polars.DataFrame
        One row = one store, sorted by town and slot: `store_id`, `town_id`, `slot`, `format`, `kind`
        (sphere, independent, chain), `name`, `x_km`, `y_km` (from the centre), `opened`, `appeal` (utility),
        `authentic` (0 to 1), `log_price` (beside the chain's list).
    """

    parameters: Parameters
    seed: int
    towns: pl.DataFrame
    stores: pl.DataFrame

    @property
    def slots(self) -> int:
        """Most stores that a town of this county can have; slot 0 is the Sphere's."""
        values = self.parameters
        return 1 + values.independents + max(values.chain_small, values.chain_large)


def make_world(parameters: Parameters, seed: int) -> World:
    """Draw the towns and their stores.

    Parameters
    ----------
    parameters : Parameters
        The assumptions.
    seed : int
        Of every draw.

    Returns
    -------
    World

    Examples
    --------
    >>> world = make_world(Parameters(towns=16), seed=7)
    >>> world.towns["outage"].sum(), world.towns.row(0, named=True)["event"]
    (2, True)
    """
    towns = _towns(parameters, seed)
    stores = pl.concat([_stores(parameters, seed, town) for town in towns.iter_rows(named=True)])
    return World(parameters, seed, towns, stores)


def opening_dates(parameters: Parameters) -> list[dt.date]:
    """Return the cohorts' opening dates, evenly spaced from the first to the last.

    Examples
    --------
    >>> opening_dates(Parameters(cohorts=2))
    [datetime.date(2044, 3, 1), datetime.date(2044, 12, 12)]
    """
    days = (parameters.last_entry - parameters.first_entry).days
    steps = np.linspace(0, days, parameters.cohorts).round().astype(int)
    return [parameters.first_entry + dt.timedelta(days=int(step)) for step in steps]


def _towns(parameters: Parameters, seed: int) -> pl.DataFrame:
    """Draw size, entry, event and outage of every town; the story's town is set, as the story has it."""
    draw = generator(seed, _COUNTY)
    size = np.where(draw.random(parameters.towns) < parameters.large_share, "large", "small")
    cohort = _cohorts(parameters, draw)
    cell, four = _cells(size, cohort, draw)
    dates = opening_dates(parameters)
    dark = _dark_hours(parameters, draw)
    outage = np.isin(cell, (2, 3))
    frame = pl.DataFrame(
        {
            "town_id": np.arange(1, parameters.towns + 1),
            "size": size,
            "entry": [dates[one] if one >= 0 else None for one in cohort],
            "event": np.isin(cell, (1, 3)),
            "outage": outage,
            **dark,
            "four": four,
            "assigned": (cell >= 0) & (np.arange(parameters.towns) != STORY_TOWN - 1),
        },
        schema_overrides={"entry": pl.Date},
    )
    hit = ("dark_from", "dark_until", "depth", "share_down")
    by_lot = pl.when(pl.col("four") >= 0).then("four").alias("four")
    return frame.with_columns(*(pl.when("outage").then(pl.col(name)).alias(name) for name in hit), by_lot)


def _cohorts(parameters: Parameters, draw: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return each town's cohort, -1 for never: as even as can be; the story's town is in the last."""
    entered = parameters.towns - parameters.never_towns
    others = np.arange(entered - 1) % parameters.cohorts
    rest = np.concatenate([others, np.full(parameters.never_towns, -1)])
    return np.concatenate([[parameters.cohorts - 1], draw.permutation(rest)])


def _cells(
    size: npt.NDArray[np.str_], cohort: npt.NDArray[np.int64], draw: np.random.Generator
) -> tuple[Whole, Whole]:
    """Return each town's cell of the 2 x 2: 0 neither, 1 event, 2 outage, 3 both; -1 without a Sphere.

    Towns are sorted by size and third of the cohorts, in random order inside, and dealt out in fours:
    each four gets every cell once; the second array numbers the fours. A four at the end of a size or third
    straddles two. The story's town takes both, by exchange with a town of its four.
    """
    wave = cohort * 3 // (cohort.max() + 1)
    order = np.lexsort([draw.random(len(size)), wave, size])
    order = order[cohort[order] >= 0]
    cells, fours = np.full(len(size), -1), np.full(len(size), -1)
    for begin in range(0, len(order), 4):
        four = order[begin : begin + 4]
        fours[four] = begin // 4
        cells[four] = draw.permutation(4)[: len(four)]
        if STORY_TOWN - 1 in four:
            had_both = four[cells[four] == 3]
            cells[had_both], cells[STORY_TOWN - 1] = cells[STORY_TOWN - 1], 3
    return cells, fours


def _dark_hours(parameters: Parameters, draw: np.random.Generator) -> dict[str, npt.NDArray[np.float64]]:
    """Return when each town's Sphere would be dark, how deep, and which share of the day that is."""
    towns = parameters.towns
    wholly = draw.random(towns) < parameters.wholly_dark
    wholly[STORY_TOWN - 1] = True
    low, high = parameters.dark_from
    begin = np.where(wholly, 0, draw.integers(low, high + 1, towns))
    low, high = parameters.dark_hours
    until = np.where(wholly, 24, np.minimum(24, begin + draw.integers(low, high + 1, towns)))
    depth = np.where(
        wholly, 1.0, draw.uniform(parameters.dark_depth[0], parameters.dark_depth[1], towns).round(2)
    )
    share = np.concatenate([[0.0], np.cumsum(parameters.hours)]) / sum(parameters.hours)
    down = np.where(wholly, 1.0, (share[until] - share[begin]) * depth)
    return {"dark_from": begin, "dark_until": until, "depth": depth, "share_down": down}


def _stores(parameters: Parameters, seed: int, town: dict) -> pl.DataFrame:
    """Draw the stores of one town. One that never gets a Sphere has none, on the same draws."""
    number = town["town_id"]
    draw = generator(seed, _TOWN, number)
    chain = parameters.chain_small if town["size"] == "small" else parameters.chain_large
    slots = 1 + parameters.independents + chain
    kinds = [SPHERE, *["independent"] * parameters.independents, *["chain"] * chain]
    angle = draw.uniform(0, 2 * np.pi)
    place = draw.normal(0, parameters.stores_km, (slots, 2))
    place[0] = parameters.sphere_km * np.array([np.cos(angle), np.sin(angle)])
    by_kind = {name: np.array([values[kind] for kind in kinds]) for name, values in _laws(parameters).items()}
    frame = pl.DataFrame(
        {
            "store_id": [_store_id(number, slot) for slot in range(slots)],
            "town_id": pl.repeat(number, slots, dtype=pl.Int64, eager=True),
            "slot": np.arange(slots),
            "format": [SPHERE, *[GROCER] * (slots - 1)],
            "kind": kinds,
            "name": [_name(number, slot, kind) for slot, kind in enumerate(kinds)],
            "x_km": place[:, 0],
            "y_km": place[:, 1],
            "opened": pl.Series([town["entry"], *[None] * (slots - 1)], dtype=pl.Date),
            "appeal": by_kind["appeal"] + parameters.appeal_spread * draw.normal(size=slots),
            "authentic": np.clip(
                by_kind["authentic"] + parameters.authentic_spread * draw.normal(size=slots), 0, 1
            ),
            "log_price": by_kind["log_price"] + parameters.store_price_spread * draw.normal(size=slots),
        }
    )
    if number == STORY_TOWN:
        return _with_leo(parameters, frame)
    return frame if town["entry"] else frame.filter(pl.col("slot") > 0)


def _with_leo(parameters: Parameters, stores: pl.DataFrame) -> pl.DataFrame:
    """Give the first independent grocer of the story's town the appeal of the story, not a drawn one."""
    appeal = parameters.independent_appeal + parameters.leo_appeal
    leo = pl.col("name") == LEO
    return stores.with_columns(appeal=pl.when(leo).then(appeal).otherwise("appeal"))


def _laws(parameters: Parameters) -> dict[str, dict[str, float]]:
    """Return what holds on average for each kind of store."""
    return {
        "appeal": {
            SPHERE: parameters.sphere_appeal,
            "independent": parameters.independent_appeal,
            "chain": 0.0,
        },
        "authentic": {
            SPHERE: parameters.authentic_sphere,
            "independent": parameters.authentic_independent,
            "chain": parameters.authentic_chain,
        },
        "log_price": {
            SPHERE: float(np.log(parameters.sphere_price)),
            "independent": float(np.log(parameters.independent_price)),
            "chain": 0.0,
        },
    }


def _store_id(town: int, slot: int) -> str:
    return f"sphere-{town}" if slot == 0 else f"grocer-{town}-{slot}"


def _name(town: int, slot: int, kind: str) -> str:
    if (town, slot, kind) == (STORY_TOWN, 1, "independent"):
        return LEO
    if (town, slot) == (STORY_TOWN, 0):
        return "the newest Sphere"
    return {"sphere": "Sphere", "independent": "independent grocer", "chain": "chain store"}[kind]
