"""What did a few households face, day by day? The options, chances and states of a sample."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from grocery_spheres.county import behaviour
from grocery_spheres.county.arms import Arm
from grocery_spheres.county.behaviour import State
from grocery_spheres.county.block import Block, log_prices
from grocery_spheres.county.simulate import Memory, out_of_house, pulls
from grocery_spheres.county.tables import store_ids

NO_TRIP = "no trip"

Array = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


@dataclass
class Diary:
    """Writes down what the sampled households wake up with; `see` is shown each morning.

    Attributes
    ----------
    block : Block
        Their towns.
    arm : Arm
        The world they live in.
    rows : array of int
        Positions of the sampled households.
    first : int
        Ordinal of the first day to be written down.
    """

    block: Block
    arm: Arm
    rows: Whole
    first: int
    options: list[pl.DataFrame] = field(default_factory=list)
    states: list[pl.DataFrame] = field(default_factory=list)

    def see(self, day: int, memory: Memory) -> None:
        """Write down a morning."""
        if day < self.first:
            return
        rows, block = self.rows, self.block
        pull = pulls(block, self.arm, memory, day)[:, rows]
        out = out_of_house(block, self.arm, day)[rows]
        here, nature = memory.state.of(rows), block.nature.of(rows, block.nature.keys[rows])
        chances, at_home = behaviour.probabilities(here, nature, out, pull)
        self.options.append(self._options(day, here, pull, chances))
        with np.errstate(divide="ignore"):
            inclusive = block.parameters.nest * np.log(pull.sum(axis=0))
        self.states.append(
            pl.DataFrame(
                {
                    "household_id": block.homes.household_id[rows],
                    "date": pl.repeat(dt.date.fromordinal(day), len(rows), eager=True),
                    "stock_baskets": here.stock,
                    "inclusive_value": inclusive,
                    "stay_utility": behaviour.stay_utility(here, nature, out),
                    "probability_no_trip": at_home,
                }
            )
        )

    def _options(self, day: int, here: State, pull: Array, chances: Array) -> pl.DataFrame:
        """List the stores of a morning, one row a sampled household and store of its town."""
        block, town = self.block, self.block.town[self.rows]
        ids = store_ids(block)[:, town]
        slot, place = np.nonzero(ids != "")
        prices = log_prices(block, day, spheres=self.arm.spheres)
        return pl.DataFrame(
            {
                "household_id": block.homes.household_id[self.rows][place],
                "date": pl.repeat(dt.date.fromordinal(day), len(place), eager=True),
                "store_id": ids[slot, place],
                "available": pull[slot, place] > 0,
                "distance_km": block.homes.distance_km[:, self.rows][slot, place],
                "log_price": prices[:, town][slot, place],
                "utility": np.log(here.pull[slot, place]),
                "probability": chances[slot, place],
                "belief": here.belief[slot, place],
                "habit": here.habit[slot, place],
            }
        )


def sample_of(block: Block, households: int) -> Whole:
    """Return the positions of the first households of each town.

    Parameters
    ----------
    households : int
        How many a town. Households are drawn alike, so the first are a random sample.
    """
    number = block.parameters.households
    first = np.arange(len(block.towns)) * number
    return (first[:, None] + np.arange(min(households, number))).ravel()
