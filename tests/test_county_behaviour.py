"""Households choose by the law that is written down, and what they carry from day to day stays in bounds.

The laws are derived here anew: no formula of `behaviour` is called to check `behaviour`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from grocery_spheres.county import behaviour, simulate
from grocery_spheres.county.arms import Arm
from grocery_spheres.county.behaviour import Nature, State
from grocery_spheres.county.block import make_block
from grocery_spheres.county.build import Recipe
from grocery_spheres.county.draws import household_keys
from grocery_spheres.county.parameters import Parameters

DAY = 746_000
DRAWS = 100_000
UTILITIES = np.array([0.4, -1.0, 1.3, 0.0])
NO_PULL = -745.2  # exp of less is zero
NESTS = (0.05, 0.3, 0.8, 1.0)

bounded = st.floats(-8, 8, allow_nan=False)


def state_of(utilities, households, **changes):
    """Many households that see the same utilities, with one basket in stock."""
    slots = len(utilities)
    fixed = np.repeat(np.asarray(utilities, dtype=float)[:, None], households, axis=1)
    plain = State(
        stock=np.ones(households),
        habit=np.full((slots, households), 1 / slots),
        belief=np.full((slots, households), 0.5),
        fixed=fixed,
        pull=np.exp(fixed),
    )
    return replace(plain, **changes)


def nature_of(households, anchor=0.0, seed=7, **changes):
    return Nature(
        anchor=np.full(households, float(anchor)),
        need=np.full(households, 0.15),
        lines=np.full(households, 8.0),
        basket=np.ones(households),
        keys=household_keys(seed, np.array([1]), households),
        parameters=Parameters(**changes),
    )


def nested_logit(utilities, at_home, nest):
    """Chances of each store and of staying, by McFadden's theorem: P = y dG/dy / G, slopes taken by numbers.

    `utilities` are those inside the nest: a store is worth `nest` times as much beside staying at home.
    """
    worth = np.exp([at_home, *(nest * np.asarray(utilities))])

    def generating(y):
        return y[0] + (y[1:] ** (1 / nest)).sum() ** nest

    step = 1e-6 * worth
    slopes = [(generating(worth + one) - generating(worth - one)) / (2 * one.sum()) for one in np.diag(step)]
    chance = worth * slopes / generating(worth)
    return chance[1:], chance[0]


def frequencies(state, nature, out=0.0):
    """Shares of households that chose each store, and that stayed."""
    goes, which = behaviour.choose(state, nature, DAY, out, state.pull)
    counts = np.bincount(which[goes], minlength=len(state.pull))
    return counts / len(goes), 1 - goes.mean()


def is_sampled_from(counts, chances):
    """Whether counts could come from these chances: chi-square, once in ten thousand worlds it says no."""
    chances = np.asarray(chances)
    if (counts[chances == 0] > 0).any():
        return False
    seen, expected = counts[chances > 0], counts.sum() * chances[chances > 0]
    return stats.chisquare(seen, expected * seen.sum() / expected.sum()).pvalue > 1e-4


# ---- the law of choice


@pytest.mark.parametrize("nest", NESTS)
@pytest.mark.parametrize("anchor", [-1.0, 1.5])
def test_probabilities_are_the_nested_logit(nest, anchor):
    state, nature = state_of(UTILITIES, 3), nature_of(3, anchor, nest=nest)
    stores, stays = behaviour.probabilities(state, nature, 0.25, state.pull)
    expected, expected_stays = nested_logit(UTILITIES, anchor - 0.25, nest)
    assert stores == pytest.approx(np.repeat(expected[:, None], 3, axis=1), rel=1e-6)
    assert stays == pytest.approx(np.repeat(expected_stays, 3), rel=1e-6)


def test_a_nest_of_one_is_the_plain_logit():
    state, nature = state_of(UTILITIES, 1), nature_of(1, 0.7, nest=1.0)
    stores, stays = behaviour.probabilities(state, nature, 0.0, state.pull)
    everything = np.exp([*UTILITIES, 0.7])
    assert [*stores[:, 0], stays[0]] == pytest.approx(everything / everything.sum())


@pytest.mark.parametrize("nest", NESTS)
def test_choices_are_drawn_from_the_nested_logit(nest):
    state, nature = state_of(UTILITIES, DRAWS), nature_of(DRAWS, 0.8, nest=nest)
    shares, stays = frequencies(state, nature)
    expected, expected_stays = nested_logit(UTILITIES, 0.8, nest)
    assert is_sampled_from(DRAWS * np.array([*shares, stays]), [*expected, expected_stays])


def test_the_check_of_frequencies_sees_another_law():
    state, nature = state_of(UTILITIES, DRAWS), nature_of(DRAWS, 0.8, nest=0.8)
    shares, stays = frequencies(state, nature)
    expected, expected_stays = nested_logit(UTILITIES, 0.8, 0.77)
    assert not is_sampled_from(DRAWS * np.array([*shares, stays]), [*expected, expected_stays])


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("nest", NESTS)
def test_choices_agree_with_the_probabilities_whatever_the_state(seed, nest):
    generator = np.random.default_rng(seed)
    each = DRAWS // 4
    for kind in range(4):
        utilities = np.where(generator.random(6) < 0.2, NO_PULL - 1, generator.normal(size=6))
        stock, out = generator.uniform(0, 3), generator.normal()
        state = state_of(utilities, each, stock=np.full(each, stock))
        nature = nature_of(each, generator.normal(), seed=10 * seed + kind, nest=nest)
        stores, stays = behaviour.probabilities(state, nature, out, state.pull)
        shares, stayed = frequencies(state, nature, out)
        assert is_sampled_from(each * np.array([*shares, stayed]), [*stores[:, 0], stays[0]])


@settings(max_examples=50)
@given(
    utilities=st.lists(st.one_of(bounded, st.just(NO_PULL - 1)), min_size=1, max_size=10),
    anchor=bounded,
    stock=st.floats(0, 20),
    nest=st.floats(0.05, 1),
)
def test_probabilities_add_to_one(utilities, anchor, stock, nest):
    state = state_of(utilities, 2, stock=np.full(2, stock))
    stores, stays = behaviour.probabilities(state, nature_of(2, anchor, nest=nest), 0.0, state.pull)
    assert stores.sum(axis=0) + stays == pytest.approx(np.ones(2))
    assert (stores >= 0).all()
    assert (stays >= 0).all()
    assert (stores[np.array(utilities) < NO_PULL] == 0).all()


def test_nobody_goes_where_nothing_is_open():
    state, nature = state_of(UTILITIES, 500), nature_of(500, -50.0)
    goes, _ = behaviour.choose(state, nature, DAY, 0.0, np.zeros_like(state.pull))
    stores, stays = behaviour.probabilities(state, nature, 0.0, np.zeros_like(state.pull))
    assert not goes.any()
    assert not stores.any()
    assert (stays == 1).all()


@pytest.mark.parametrize("nest", NESTS)
@pytest.mark.parametrize("t", [0.1, 1.0, 4.0])
def test_the_trips_shock_is_positive_stable(nest, t):
    shock = behaviour.nest_shock(household_keys(5, np.array([1]), DRAWS), DAY, nest)
    sample = np.exp(-t * np.exp(shock))
    error = sample.std() / np.sqrt(DRAWS)
    assert sample.mean() == pytest.approx(np.exp(-(t**nest)), abs=4 * error + 1e-12)


@settings(max_examples=25)
@given(
    utilities=st.lists(st.floats(-3, 3), min_size=2, max_size=8),
    removed=st.integers(0, 7),
    anchor=st.floats(-3, 3),
    nest=st.sampled_from(NESTS),
)
def test_removing_a_store_moves_only_those_who_had_chosen_it(utilities, removed, anchor, nest):
    removed %= len(utilities)
    state, nature = state_of(utilities, 3_000), nature_of(3_000, anchor, nest=nest)
    goes, which = behaviour.choose(state, nature, DAY, 0.0, state.pull)
    pull = state.pull.copy()
    pull[removed] = 0
    goes_then, which_then = behaviour.choose(state, nature, DAY, 0.0, pull)
    others = ~goes | (which != removed)
    assert np.array_equal(goes[others], goes_then[others])
    assert np.array_equal(which[goes & others], which_then[goes & others])
    assert (which_then[goes_then] != removed).all()


# ---- the whole county, with nothing in it but appeal


BARE = {
    "towns": 4,
    "households": 600,
    "never_towns": 0,
    "cohorts": 1,
    "burn_in_days": 70,
    "settling_days": 10,
    **dict.fromkeys(("virtual_spread", "local_spread", "store_spread", "trip_spread"), 0.0),
    **dict.fromkeys(("price_response", "price_income", "distance_cost", "habit", "authenticity_weight"), 0.0),
    **dict.fromkeys(("stock_effect", "wet_trips", "month_start"), 0.0),
    "weekdays": (0.0,) * 7,
    "trip_chance": 0.3,
}


@pytest.fixture(scope="module", params=[0.4, 1.0])
def bare(request):
    """Forty days of a county without Spheres, where only the stores' appeal counts."""
    recipe = Recipe(Parameters(**{**BARE, "nest": request.param}), 7, "no sphere")
    block = make_block(recipe.world, np.arange(1, 5))
    arm = Arm(spheres=False)
    memory = simulate.burn_in(block, arm)
    first = recipe.parameters.start.toordinal()
    return recipe, block, simulate.live(block, arm, memory, first, first + 39)


def test_without_tastes_and_habit_stores_share_trips_by_the_logit_of_their_appeal(bare):
    recipe, block, baskets = bare
    counts = simulate.by_store(block, baskets, np.ones(len(baskets.rows)))
    for town in range(4):
        stores = recipe.world.stores.filter(town_id=town + 1, format="grocer").sort("slot")
        worth = np.exp(stores["appeal"].to_numpy())
        seen = counts[stores["slot"].to_numpy(), town]
        assert counts[:, town].sum() == seen.sum()
        assert is_sampled_from(seen, worth / worth.sum())


def test_without_tastes_and_habit_a_trip_comes_by_its_chance(bare):
    _, _, baskets = bare
    days = 4 * 600 * 40
    assert is_sampled_from(np.array([len(baskets.rows), days - len(baskets.rows)]), [0.3, 0.7])


# ---- what is carried from day to day


@settings(max_examples=60)
@given(
    stock=st.floats(0, 50),
    bought=st.floats(0, 50),
    eaten_out=st.floats(0, 50),
    need=st.floats(1e-4, 1),
    half=st.floats(0.001, 5),
)
def test_the_home_stock_is_never_negative_and_eats_no_more_than_is_there(
    stock, bought, eaten_out, need, half
):
    state = state_of([0.0], 1, stock=np.array([stock]))
    nature = replace(nature_of(1, stock_half=half), need=np.array([need]))
    behaviour.consume(state, nature, np.array([bought]), np.array([eaten_out]))
    assert state.stock[0] >= 0
    assert bought - 1e-9 <= state.stock[0] <= stock + bought


def test_one_basket_in_stock_is_eaten_at_the_households_need():
    state, nature = state_of([0.0], 1), nature_of(1)
    behaviour.consume(state, nature, np.zeros(1), np.zeros(1))
    assert state.stock[0] == pytest.approx(1 - nature.need[0])


@settings(max_examples=40)
@given(
    visits=st.lists(st.tuples(st.integers(0, 3), st.floats(0, 1)), min_size=1, max_size=30),
    habit_gain=st.floats(0, 1),
    belief_gain=st.floats(0, 1),
    signal_spread=st.floats(0, 3),
)
def test_habit_adds_to_one_and_belief_stays_between_0_and_1(visits, habit_gain, belief_gain, signal_spread):
    state = state_of(UTILITIES, 2)
    nature = nature_of(2, habit_gain=habit_gain, belief_gain=belief_gain, signal_spread=signal_spread)
    for day, (slot, shown) in enumerate(visits):
        behaviour.learn(state, nature, DAY + day, np.array([1]), np.array([slot]), shown=np.array([shown]))
    assert state.habit.sum(axis=0) == pytest.approx(np.ones(2))
    assert (state.habit >= 0).all()
    assert ((state.belief >= 0) & (state.belief <= 1)).all()


def test_a_visit_moves_belief_habit_and_pull_of_who_went_and_of_nobody_else():
    state = state_of(UTILITIES, 2)
    nature = nature_of(
        2, habit_gain=0.2, belief_gain=0.5, signal_spread=0.0, habit=1.0, authenticity_weight=2.0
    )
    behaviour.refresh(state, nature)
    before = state.copy()
    behaviour.learn(state, nature, DAY, np.array([1]), np.array([2]), shown=np.array([0.9]))
    assert np.array_equal(state.pull[:, 0], before.pull[:, 0])
    assert state.belief[:, 1] == pytest.approx([0.5, 0.5, 0.7, 0.5])
    assert state.habit[:, 1] == pytest.approx([0.2, 0.2, 0.4, 0.2])
    moved = np.log(state.pull[:, 1] / before.pull[:, 1])
    assert moved == pytest.approx([-0.05, -0.05, 0.15 + 0.4, -0.05])


def test_baskets_hold_at_least_a_line_and_at_most_the_limit():
    state, nature = state_of(UTILITIES, 20_000), nature_of(20_000, fill_lines=0.5, most_lines=30)
    lines = behaviour.basket_lines(state, nature, DAY, np.arange(20_000), np.arange(20_000) % 2 == 0)
    assert lines.min() == 1
    assert lines.max() == 30


def test_trips_follow_the_clock():
    shares = np.array(Parameters().hours)
    clock = np.concatenate([[0.0], np.cumsum(shares)]) / shares.sum()
    hours = behaviour.hour_of_trip(household_keys(5, np.array([1]), DRAWS), DAY, clock)
    assert is_sampled_from(np.bincount(hours.astype(int), minlength=24), shares / shares.sum())
