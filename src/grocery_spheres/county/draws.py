"""How does every chance event of the county get its number, whatever else is drawn and in whatever order?

A draw is a pure function of (seed, town, household, day, purpose, option): SplitMix64 (Steele, Lea and
Flood, 2014) run as a counter. So two arms of the county share their shocks, an option that is removed
shifts no other draw, and the number of workers changes nothing.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Keys = npt.NDArray[np.uint64]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_UNIT = 2.0**-52  # with one bit more, the highest draw would round to 1
DAY = 64  # counters that a household has a day, one a purpose or option
OPTIONS = 32  # of them, the first are for the stores of a town, by slot


class Purpose(IntEnum):
    """What a household's draw of the day is for. Numbers below `OPTIONS` are the slots of stores."""

    NO_TRIP = 32
    NEST_ANGLE = 33
    NEST_SIZE = 34
    MISSION = 35
    BASKET = 36
    SIGNAL = 37
    HOUR = 38
    TURNED_AWAY = 39


def household_keys(seed: int, towns: npt.NDArray[np.int64], households: int, stage: int = 0) -> Keys:
    """Return where each household's sequence of draws starts.

    Parameters
    ----------
    seed : int
        Of the county.
    towns : array of int, shape (towns,)
        Town numbers.
    households : int
        Households a town.
    stage : int
        Sequences that share nothing: 0 for the days, 1 for the lines of baskets, 2 and up for redraws.

    Returns
    -------
    array of uint64, shape (towns * households,)
        Town by town.

    Examples
    --------
    >>> one, both = household_keys(7, np.array([2]), 3), household_keys(7, np.array([1, 2]), 3)
    >>> bool((both[3:] == one).all())
    True
    """
    start = scramble(np.array([seed], dtype=np.uint64) + np.array([stage], dtype=np.uint64) * _FIRST)
    places = (towns.astype(np.int64)[:, None] << 32) + np.arange(households)
    return scramble(scramble(places.astype(np.uint64).ravel() * _STEP) ^ start)


def hashed(keys: Keys, counters: npt.ArrayLike) -> Keys:
    """Return 64 random bits for each key and counter (shapes broadcast).

    Examples
    --------
    >>> keys = household_keys(7, np.array([1]), 2)
    >>> bool((hashed(keys, 5) == hashed(keys, 6)).any())
    False
    """
    return scramble(np.asarray(keys + np.asarray(counters, dtype=np.uint64) * _STEP))


def uniform(keys: Keys, counters: npt.ArrayLike) -> Array:
    """Return uniform draws, strictly between 0 and 1.

    Examples
    --------
    >>> draws = uniform(household_keys(7, np.array([1]), 100_000), 3)
    >>> round(float(draws.mean()), 2), round(float(draws.std() ** 2 * 12), 2)
    (0.5, 1.0)
    """
    bits = hashed(keys, counters)
    bits >>= np.uint64(12)
    drawn = bits.astype(np.float64)
    drawn += 0.5
    drawn *= _UNIT
    return drawn


def exponential(keys: Keys, counters: npt.ArrayLike) -> Array:
    """Return draws of the exponential distribution with mean one.

    Examples
    --------
    >>> round(float(exponential(household_keys(7, np.array([1]), 100_000), 3).mean()), 1)
    1.0
    """
    drawn = uniform(keys, counters)
    np.log(drawn, out=drawn)
    np.negative(drawn, out=drawn)
    return drawn


def generator(seed: int, *place: int) -> np.random.Generator:
    """Return a generator for what is drawn once a town (or once a county), by where it stands.

    Examples
    --------
    >>> bool(generator(7, 1, 4).random() == generator(7, 1, 4).random())
    True
    """
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=place)))


def scramble(bits: Keys) -> Keys:
    """Return SplitMix64's scrambling of each number; the input is used up."""
    bits ^= bits >> np.uint64(30)
    bits *= _FIRST
    bits ^= bits >> np.uint64(27)
    bits *= _SECOND
    bits ^= bits >> np.uint64(31)
    return bits
