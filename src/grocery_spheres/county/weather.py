"""Is it wet, hour by hour, in each town? A two-state Markov chain: persistence matters more than the mean."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from grocery_spheres.county.draws import generator
from grocery_spheres.county.world import World

_WEATHER = 4  # first part of the place of a draw
HOURS = 24


def wet_hours(world: World, town: int, days: int) -> npt.NDArray[np.bool_]:
    """Return the wet hours of a town from the first day of the burn-in on.

    Parameters
    ----------
    world : World
        The county.
    town : int
        Its number.
    days : int
        How many.

    Returns
    -------
    array of bool, shape (days, 24)

    Examples
    --------
    >>> from grocery_spheres.county.parameters import Parameters
    >>> from grocery_spheres.county.world import make_world
    >>> wet = wet_hours(make_world(Parameters(towns=16), 7), 1, 4000)
    >>> bool(abs(wet.mean() - 0.03 / (0.03 + 0.15)) < 0.02)   # the chain's stationary share
    True
    """
    values = world.parameters
    draw = generator(world.seed, _WEATHER, town).random(days * HOURS)
    # One uniform an hour: below `wet_begins` it is wet whatever was before, from `wet_stays` on it is dry,
    # between the two the hour is like the one before. The first hour counts as settled.
    settled = (draw < values.wet_begins) | (draw >= values.wet_stays)
    settled[0] = True
    last = np.maximum.accumulate(np.where(settled, np.arange(len(draw)), 0))
    return (draw[last] < values.wet_begins).reshape(days, HOURS)
