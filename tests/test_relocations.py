"""Moved customers: a planted diversion is recovered, placebos cover zero, row order does not matter."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from grocery_spheres.outage.regulars import Definition, groups_of, prepare, regulars_of, windows_of
from grocery_spheres.outage.relocations import destinations, follow
from grocery_spheres.tables import ContractError


def moves(town, store=3, successor=99, day=150):
    closed, opened = (town.START + dt.timedelta(days=number) for number in (day - 1, day))
    return pl.DataFrame(
        {"store_id": [store], "closed": [closed], "successor_id": [successor], "opened": [opened]}
    )


def ratio(moved, destination, column="ratio"):
    row = moved.ratios.filter((pl.col("store_id") == "pooled") & (pl.col("destination") == destination))
    return row[column].item()


@pytest.fixture(scope="module")
def big_town(make_town):
    return make_town(seed=4, stores=24, households=30)


def test_a_whole_move_is_recovered(big_town):
    moved = follow(big_town.baskets(moves={3: (99, 150)}), moves(big_town), draws=300)
    assert ratio(moved, "successor") == pytest.approx(1.0, abs=0.2)
    assert ratio(moved, "successor", "low") <= 1.0 <= ratio(moved, "successor", "high")
    assert ratio(moved, "others", "low") <= 0.0 <= ratio(moved, "others", "high")


def test_a_half_diversion_is_recovered(big_town):
    """Half of the trips go to the successor, the rest is lost."""
    whole = big_town.baskets(moves={3: (99, 150)})
    half = whole.filter((pl.col("store_id") != 99) | (pl.col("basket_id") % 2 == 0))
    moved = follow(half, moves(big_town), draws=300)
    assert ratio(moved, "successor", "low") <= 0.5 <= ratio(moved, "successor", "high")
    assert ratio(moved, "left the panel", "low") <= 0.5 <= ratio(moved, "left the panel", "high")


def test_the_parts_of_the_lost_trade_add_to_one(big_town):
    moved = follow(big_town.baskets(moves={3: (99, 150)}), moves(big_town), draws=50)
    parts = [ratio(moved, name) for name in ("successor", "others", "left the panel")]
    assert sum(parts) == pytest.approx(1.0, abs=1e-9)


def test_the_names_of_households_do_not_matter(big_town):
    """Matches that are equally near all count, whatever their ids."""
    baskets = big_town.baskets(moves={3: (99, 150)})
    named = baskets.with_columns(
        ("h" + pl.col("household_id").cast(pl.String).str.reverse()).alias("household_id")
    )
    first, second = (follow(frame, moves(big_town), draws=50) for frame in (baskets, named))
    assert ratio(first, "successor") == pytest.approx(ratio(second, "successor"), abs=1e-9)
    assert ratio(first, "others") == pytest.approx(ratio(second, "others"), abs=1e-9)


def test_two_moves_judge_each_others_placebos(big_town):
    both = pl.concat([moves(big_town), moves(big_town, store=7, successor=98, day=200)])
    baskets = big_town.baskets(moves={3: (99, 150), 7: (98, 200)})
    coverage = follow(baskets, both, draws=100).coverage
    assert coverage["placebos"].to_list() == [44, 44]
    assert coverage["coverage"][0] > 0.85


def test_the_order_of_rows_does_not_matter(big_town):
    baskets = big_town.baskets(moves={3: (99, 150)})
    first = follow(baskets, moves(big_town), draws=50)
    second = follow(baskets.sample(fraction=1.0, shuffle=True, seed=2), moves(big_town), draws=50)
    assert first.ratios.equals(second.ratios)


def test_the_three_windows_share_no_day(town):
    closed = town.START + dt.timedelta(days=149)
    windows = windows_of((3, closed, 99, closed + dt.timedelta(days=3)), Definition())
    assert windows["selection"][1] < windows["before"][0]
    assert windows["before"][1] == closed
    assert windows["after"][0] == closed + dt.timedelta(days=3)
    lengths = [(last - first).days + 1 for first, last in windows.values()]
    assert lengths == [84, 42, 42]


def test_a_successor_that_opens_early_does_not_enter_the_baseline(town):
    closed = town.START + dt.timedelta(days=149)
    windows = windows_of((3, closed, 99, closed - dt.timedelta(days=20)), Definition())
    assert windows["before"][1] == closed - dt.timedelta(days=21)
    assert windows["after"][0] == closed + dt.timedelta(days=1)


def test_regulars_are_chosen_before_the_baseline(town):
    """Visits in the baseline do not make a regular: that would be regression to the mean."""
    definition = Definition()
    windows = windows_of(next(moves(town).iter_rows()), definition)
    cut = town.baskets(moves={3: (99, 150)}).filter(
        (pl.col("store_id") != 3) | (pl.col("date") >= windows["before"][0])
    )
    assert 3 not in regulars_of(prepare(cut, definition), 3, windows, definition)["store_id"].to_list()


def test_a_household_above_the_limit_is_left_out(town):
    trips = prepare(town.baskets(moves={3: (99, 150)}), Definition())
    windows = windows_of(next(moves(town).iter_rows()), Definition())
    everyone = regulars_of(trips, 3, windows, Definition())
    light = regulars_of(trips, 3, windows, Definition(most_weekly=1.5))
    assert 0 < len(light) < len(everyone)


def test_matches_come_from_other_stores_and_are_averaged(big_town):
    trips = prepare(big_town.baskets(moves={3: (99, 150)}), Definition())
    move = next(moves(big_town).iter_rows())
    treated, *placebos = groups_of(trips, move, {3, 99}, Definition())
    assert treated.store == 3
    assert {group.store for group in placebos} == set(range(24)) - {3}
    assert np.all(treated.after[:, 0] == 0), "nobody buys at a closed store"
    assert np.allclose([group.did.mean(axis=0)[1] for group in placebos], 0, atol=0.05)


def test_a_ranking_names_what_was_there_before(big_town):
    table = destinations(big_town.baskets(moves={3: (99, 150)}), moves(big_town).row(0, named=True))
    first = table.row(0, named=True)
    assert first["is_successor"]
    assert first["before"] == 0.0
    assert first["iia_chain"] == first["iia_own"] == 0.0, "no share, no proportional gain"
    assert 3 not in table["store_id"].to_list()


def test_proportional_gains_add_to_what_was_lost(big_town):
    baskets = big_town.baskets(moves={3: (99, 150)})
    table = destinations(baskets, moves(big_town).row(0, named=True), most=100)
    trips = prepare(baskets, Definition())
    windows = windows_of(next(moves(big_town).iter_rows()), Definition())
    regular = regulars_of(trips, 3, windows, Definition()).filter(pl.col("store_id") == 3)["household_id"]
    before = trips.filter(pl.col("date").is_between(*windows["before"]) & (pl.col("store_id") == 3))
    lost = before.filter(pl.col("household_id").is_in(regular.to_list()))["amount"].sum() / 6
    assert table["iia_chain"].sum() == pytest.approx(lost)
    assert table["iia_own"].sum() == pytest.approx(lost)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"day": 100}, "needs records from 2044"),
        ({"day": 290}, "needs records from"),
        ({"store": 77}, "Store 77 has no regulars"),
    ],
)
def test_moves_that_cannot_be_followed_are_named(town, change, words):
    with pytest.raises(ContractError, match=words):
        follow(town.baskets(moves={3: (99, 150)}), moves(town, **change))


def test_no_move_and_an_unknown_outcome_are_refused(town):
    with pytest.raises(ContractError, match="no relocations to follow"):
        follow(town.baskets(), moves(town).clear())
    with pytest.raises(ContractError, match="'visits' is unknown.*'baskets' or 'sales_usd'"):
        follow(town.baskets(), moves(town), definition=Definition(outcome="visits"))


def test_without_placebo_stores_there_is_no_interval(make_town):
    town = make_town(stores=2)
    with pytest.raises(ContractError, match="without placebo"):
        follow(town.baskets(moves={1: (99, 150)}), moves(town, store=1))


def test_on_the_public_data_existing_stores_gain_nothing(public_baskets, public_events):
    moved = follow(public_baskets, public_events.relocations)
    assert ratio(moved, "others", "low") < 0 < ratio(moved, "others", "high")
    assert ratio(moved, "others", "high") < 0.1
    assert ratio(moved, "successor", "low") > 0.5
    placebo, bootstrap = moved.coverage.iter_rows(named=True)
    assert placebo["low"] < 0.95 < placebo["high"]
    assert bootstrap["high"] < 0.95, "too narrow"
