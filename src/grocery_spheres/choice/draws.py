"""Which tastes are tried for each person? Draws that fill the space evenly, the same at every step."""

from __future__ import annotations

import numpy as np
from scipy import stats

from grocery_spheres.choice.situations import Array


def normal_draws(persons: int, draws: int, tastes: int, seed: int) -> Array:
    """Return standard normal draws, (persons, draws, tastes).

    A scrambled Halton sequence, as Train (2009, Discrete Choice Methods with Simulation, chapter 9) does, cut
    into one stretch a person, so that nobody shares draws and each person's fill the space.

    Parameters
    ----------
    persons, draws, tastes : int
        How many.
    seed : int
        Of the scrambling.

    Examples
    --------
    >>> drawn = normal_draws(3, 100, 2, seed=1)
    >>> drawn.shape, bool(np.abs(drawn.mean(axis=1)).max() < 0.2)
    ((3, 100, 2), True)
    """
    points = stats.qmc.Halton(tastes, scramble=True, rng=np.random.default_rng(seed)).random(persons * draws)
    inside = np.clip(points, 1e-12, 1 - 1e-12)
    return np.asarray(stats.norm.ppf(inside).reshape(persons, draws, tastes))
