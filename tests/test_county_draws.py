"""Every draw of the county is a function of its place: nothing repeats, nothing depends on its company."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from grocery_spheres.county import draws
from grocery_spheres.county.consistency import SLOTS
from grocery_spheres.county.draws import DAY, OPTIONS, Purpose, exponential, generator, hashed, household_keys
from grocery_spheres.county.lines import LINES_A_DAY
from grocery_spheres.county.parameters import Parameters

KEYS = household_keys(2045, np.array([1]), 60_000)
HIGHEST = np.uint64(2**64 - 1)


def correlation(one, other):
    return abs(np.corrcoef(one, other)[0, 1])


# ---- the numbers


def test_the_hash_is_splitmix64():
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    assert hashed(np.array([1234567], dtype=np.uint64), np.arange(1, 5)).tolist() == published


def test_hashing_leaves_the_keys_as_they_were():
    keys = KEYS[:9].copy()
    hashed(keys, 0)
    assert np.array_equal(keys, KEYS[:9])


@pytest.mark.parametrize("bits", [np.uint64(0), HIGHEST])
def test_uniform_draws_lie_strictly_between_0_and_1(bits, monkeypatch):
    monkeypatch.setattr(draws, "hashed", lambda keys, counters: np.full(2, bits))
    assert 0 < draws.uniform(KEYS[:2], 0)[0] < 1
    assert 0 < draws.exponential(KEYS[:2], 0)[0] < np.inf


@pytest.mark.parametrize("counter", [0, Purpose.NO_TRIP, 745_000 * DAY + Purpose.BASKET])
def test_uniform_draws_are_uniform(counter):
    assert stats.kstest(draws.uniform(KEYS, counter), "uniform").pvalue > 1e-3


def test_exponential_draws_are_exponential():
    assert stats.kstest(exponential(KEYS, 3), "expon").pvalue > 1e-3


# ---- nothing repeats


def test_no_two_households_start_alike_in_any_town_stage_or_seed():
    towns = np.arange(1, 101)
    starts = [
        household_keys(seed, towns, 50, stage) for seed in (0, 1, 2045, 2**63 - 1) for stage in range(4)
    ]
    assert len(np.unique(starts)) == np.size(starts)


def test_stores_and_purposes_have_draws_of_their_own():
    places = [*range(SLOTS), *Purpose]
    assert len({*places}) == SLOTS + len(Purpose)
    assert SLOTS <= OPTIONS <= min(Purpose)
    assert max(Purpose) < DAY


def test_a_basket_never_runs_into_the_next_days_lines():
    assert Parameters().most_lines <= LINES_A_DAY
    with pytest.raises(ValueError, match="most_lines"):
        Parameters(most_lines=LINES_A_DAY + 1)


@pytest.mark.parametrize("apart", [1, DAY, 7 * DAY, Purpose.BASKET - Purpose.MISSION])
def test_a_households_draws_do_not_hang_together(apart):
    assert correlation(draws.uniform(KEYS, 640), draws.uniform(KEYS, 640 + apart)) < 4 / np.sqrt(len(KEYS))


def test_neighbours_draws_do_not_hang_together():
    drawn = draws.uniform(KEYS, 640)
    assert correlation(drawn[1:], drawn[:-1]) < 4 / np.sqrt(len(KEYS))


@pytest.mark.parametrize(("seed", "stage"), [(2046, 0), (2045, 1), (2045, 2)])
def test_seeds_and_stages_do_not_hang_together(seed, stage):
    other = household_keys(seed, np.array([1]), len(KEYS), stage)
    assert correlation(draws.uniform(KEYS, 5), draws.uniform(other, 5)) < 4 / np.sqrt(len(KEYS))


# ---- nothing depends on its company


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**63 - 1), towns=st.lists(st.integers(1, 9000), min_size=1, max_size=5, unique=True)
)
def test_a_towns_households_start_alike_alone_and_beside_others(seed, towns):
    together = household_keys(seed, np.array(towns), 4).reshape(-1, 4)
    alone = [household_keys(seed, np.array([town]), 4) for town in towns]
    assert np.array_equal(together, alone)


def test_fewer_households_are_the_first_of_more():
    assert np.array_equal(household_keys(7, np.array([3]), 5), household_keys(7, np.array([3]), 50)[:5])


def test_generators_differ_by_place_and_seed_and_repeat():
    places = [(7,), (7, 1), (7, 1, 4), (7, 4, 1), (8, 1, 4)]
    first = {place: generator(*place).random() for place in places}
    assert first == {place: generator(*place).random() for place in places}
    assert all(first[one] != first[other] for one, other in itertools.combinations(places, 2))
