"""The county before anybody shops: who gets a Sphere, who is hit, where stores stand, the weather."""

from __future__ import annotations

from collections import Counter

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from grocery_spheres.county import simulate, weather
from grocery_spheres.county.block import first_state, make_block
from grocery_spheres.county.parameters import Parameters
from grocery_spheres.county.presets import preset
from grocery_spheres.county.world import STORY_TOWN, make_world, opening_dates

PLANS = [
    (Parameters(), 2045),
    (Parameters(), 1),
    (preset("outage"), 7),
    (preset("small"), 7),
    (Parameters(towns=29, never_towns=4, cohorts=4, large_share=0.3), 3),
    (Parameters(towns=4, never_towns=0, cohorts=1), 5),
]


@pytest.fixture(scope="module", params=PLANS, ids=lambda plan: f"{plan[0].towns}-towns-seed-{plan[1]}")
def world(request):
    return make_world(*request.param)


def with_sphere(world):
    return world.towns.filter(pl.col("entry").is_not_null())


# ---- entry


def test_as_many_towns_as_asked_never_get_a_sphere(world):
    spheres = world.stores.filter(format="sphere")
    assert world.towns["entry"].null_count() == world.parameters.never_towns
    assert set(spheres["town_id"]) == set(with_sphere(world)["town_id"])


def test_spheres_open_on_the_cohorts_dates_before_the_outage(world):
    values = world.parameters
    dates = opening_dates(values)
    assert set(with_sphere(world)["entry"]) <= set(dates)
    assert dates[0] == values.first_entry
    assert dates == sorted(dates)
    assert values.cohorts == 1 or dates[-1] == values.last_entry
    assert max(dates) < values.outage_date


def test_cohorts_are_as_even_as_can_be(world):
    sizes = Counter(with_sphere(world)["entry"])
    assert max(sizes.values()) - min(sizes.values()) <= 1
    assert len(sizes) == min(world.parameters.cohorts, len(with_sphere(world)))


def test_by_default_the_last_sphere_opens_six_months_before_the_outage():
    values = Parameters()
    assert 180 <= (values.outage_date - values.last_entry).days <= 190
    assert values.never_towns >= 12


def test_a_sphere_opens_on_its_towns_entry_day_and_grocers_are_there_before(world):
    joined = world.stores.join(world.towns, on="town_id")
    assert joined.filter(pl.col("format") == "sphere", pl.col("opened") != pl.col("entry")).is_empty()
    assert (
        world.stores.filter(format="grocer")["opened"].null_count()
        == world.stores["format"].eq("grocer").sum()
    )


# ---- event and outage


def test_event_and_outage_are_dealt_evenly_over_the_towns_with_spheres(world):
    sizes = Counter(with_sphere(world).select("event", "outage").rows())
    assert len(sizes) == 4
    assert max(sizes.values()) - min(sizes.values()) <= 1


def test_towns_without_a_sphere_have_neither_event_nor_outage(world):
    never = world.towns.filter(pl.col("entry").is_null())
    assert not never["event"].any()
    assert not never["outage"].any()


@pytest.mark.parametrize("seed", range(5))
def test_event_and_outage_are_dealt_evenly_within_size_and_third_of_the_cohorts(seed):
    values = Parameters()
    third = {date: 3 * cohort // values.cohorts for cohort, date in enumerate(opening_dates(values))}
    towns = with_sphere(make_world(values, seed))
    layers = Counter(zip(towns["size"], (third[date] for date in towns["entry"]), strict=True))
    cells = Counter(
        (row["size"], third[row["entry"]], row["event"], row["outage"]) for row in towns.iter_rows(named=True)
    )
    for size, wave in layers:
        dealt = [cells[size, wave, event, outage] for event in (True, False) for outage in (True, False)]
        assert max(dealt) - min(dealt) <= 2


def test_the_storys_town_has_leo_the_newest_sphere_the_event_and_the_outage(world):
    town = world.towns.row(STORY_TOWN - 1, named=True)
    names = dict(world.stores.filter(town_id=STORY_TOWN).select("name", "store_id").rows())
    assert town["event"]
    assert town["outage"]
    assert town["share_down"] == 1
    assert town["entry"] == world.towns["entry"].max()
    assert {"Leo's grocery", "the newest Sphere"} <= set(names)
    assert names["the newest Sphere"] == "sphere-1"
    assert world.stores.filter(name="Leo's grocery")["kind"].to_list() == ["independent"]


# ---- how deep the outage is


def share_of_day(values, start, until):
    """Share of a day's trips between two hours, counted out."""
    return sum(share for hour, share in enumerate(values.hours) if start <= hour < until) / sum(values.hours)


def test_only_failing_spheres_have_dark_hours(world):
    hit = world.towns.select("dark_from", "dark_until", "depth", "share_down")
    assert all((hit[name].is_not_null() == world.towns["outage"]).all() for name in hit.columns)


def test_share_down_is_one_for_the_wholly_dark_and_below_one_for_the_others(world):
    for hit in world.towns.filter("outage").iter_rows(named=True):
        wholly = (hit["dark_from"], hit["dark_until"], hit["depth"]) == (0, 24, 1)
        share = share_of_day(world.parameters, hit["dark_from"], hit["dark_until"]) * hit["depth"]
        assert hit["share_down"] == pytest.approx(share)
        assert hit["share_down"] == 1 if wholly else 0 < hit["share_down"] < 1


def test_dark_hours_and_depth_keep_to_their_limits():
    values = Parameters(
        towns=400, wholly_dark=0.2, dark_from=(9, 12), dark_hours=(3, 8), dark_depth=(0.6, 0.9)
    )
    hit = make_world(values, 3).towns.filter("outage")
    partly = hit.filter(pl.col("depth") < 1)
    assert len(partly) / len(hit) == pytest.approx(0.8, abs=0.15)
    assert set(partly["dark_from"]) == {9, 10, 11, 12}
    assert set(partly["dark_until"] - partly["dark_from"]) == set(range(3, 9))
    assert partly["depth"].is_between(0.6, 0.9).all()


def test_the_share_of_customers_turned_away_is_share_down():
    values = Parameters(towns=16, households=2000, never_towns=0, wholly_dark=0.2)
    block = make_block(make_world(values, 3), np.arange(1, 17))
    away = simulate.turned_away(block, values.outage_date.toordinal()).reshape(16, 2000).mean(axis=1)
    share = block.world.towns["share_down"].fill_null(0).to_numpy()
    assert ((share > 0) & (share < 1)).sum() > 0
    assert (abs(away - share) <= 4 * np.sqrt(share * (1 - share) / 2000)).all()


# ---- stores and households


def test_every_town_has_the_grocers_that_its_size_asks_for(world):
    values = world.parameters
    counts = world.stores.group_by("town_id").agg(
        chain=(pl.col("kind") == "chain").sum(), independent=(pl.col("kind") == "independent").sum()
    )
    joined = counts.join(world.towns, on="town_id")
    chains = {"small": values.chain_small, "large": values.chain_large}
    assert len(joined) == values.towns
    assert all(row["chain"] == chains[row["size"]] for row in joined.iter_rows(named=True))
    assert (joined["independent"] == values.independents).all()


def test_store_ids_are_unique_and_authenticity_is_a_share(world):
    assert world.stores["store_id"].is_unique().all()
    assert world.stores["authentic"].is_between(0, 1).all()


@settings(max_examples=15)
@given(seed=st.integers(0, 2**63 - 1))
def test_the_same_seed_makes_the_same_world_and_another_seed_another(seed):
    values = preset("small")
    first, again, other = (make_world(values, one) for one in (seed, seed, seed ^ 1))
    assert_frame_equal(first.towns, again.towns, check_exact=True)
    assert_frame_equal(first.stores, again.stores, check_exact=True)
    assert not first.stores.select("x_km").equals(other.stores.select("x_km"))


def test_a_towns_stores_do_not_depend_on_how_many_towns_there_are():
    few, many = (make_world(Parameters(towns=towns, large_share=1.0), 7).stores for towns in (20, 40))
    drawn = ("store_id", "x_km", "y_km", "appeal", "authentic", "log_price")
    grocers = (pl.col("format") == "grocer") & (pl.col("town_id") <= 20)
    assert_frame_equal(
        few.filter(grocers).select(drawn), many.filter(grocers).select(drawn), check_exact=True
    )


def test_households_habits_start_at_grocers_that_are_there():
    world = make_world(preset("small"), 7)
    block = make_block(world, np.arange(1, 13))
    habit = first_state(block).habit
    assert habit.sum(axis=0) == pytest.approx(np.ones(habit.shape[1]))
    assert (habit[0] == 0).all()
    assert (habit[:, :][~block.exists[:, block.town]] == 0).all()


def test_the_taste_for_the_virtual_rises_with_income_as_far_as_one_asks():
    def homes(slope):
        world = make_world(Parameters(towns=8, never_towns=0, households=500, virtual_income=slope), seed=7)
        return make_block(world, np.arange(1, 9)).homes

    apart, tied = homes(0.0), homes(1.5)
    gap = {
        name: [one.virtual[one.income == third].mean() for third in range(3)]
        for name, one in (("apart", apart), ("tied", tied))
    }
    assert np.ptp(gap["apart"]) < 0.1
    steps = np.diff(gap["tied"])
    # between the means of neighbouring thirds of a normal distribution lie 1.09 standard deviations
    assert steps == pytest.approx([1.5 * 0.6 * 1.09] * 2, abs=0.1)
    assert np.array_equal(apart.local, tied.local)


def test_incomes_are_thirds():
    world = make_world(Parameters(towns=4, never_towns=0, households=3000), 7)
    income = make_block(world, np.arange(1, 5)).homes.income
    assert np.bincount(income) / len(income) == pytest.approx([1 / 3] * 3, abs=0.02)


# ---- weather


@settings(max_examples=10)
@given(begins=st.floats(0.02, 0.3), extra=st.floats(0.05, 0.6), seed=st.integers(0, 1000))
def test_wet_hours_follow_wet_ones_and_dry_ones_by_their_chances(begins, extra, seed):
    values = preset("small", wet_begins=begins, wet_stays=begins + extra)
    wet = weather.wet_hours(make_world(values, seed), 2, 4000).ravel()
    before, now = wet[:-1], wet[1:]
    for was, chance in ((True, begins + extra), (False, begins)):
        hours = (before == was).sum()
        error = np.sqrt(chance * (1 - chance) / hours)
        assert now[before == was].mean() == pytest.approx(chance, abs=5 * error)


def test_weather_that_would_rather_change_than_stay_is_refused():
    with pytest.raises(ValueError, match=r"`wet_stays` is 0\.1.*0\.3"):
        Parameters(wet_begins=0.3, wet_stays=0.1)


def test_towns_have_weather_of_their_own():
    world = make_world(preset("small"), 7)
    first, second = (weather.wet_hours(world, town, 2000).ravel() for town in (1, 2))
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.1
    assert np.array_equal(first[:2400], weather.wet_hours(world, 1, 100).ravel())
