"""Missing record or outage: a planted outage shows its signs, a planted gap in the records does not."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from grocery_spheres.outage.dark_spells import missing_or_outage, other_records
from grocery_spheres.tables import ContractError

DARK = {1: [100, 101], 2: [150], 3: [200, 201], 4: [120]}


def spells(town):
    rows = [
        (store, town.START + dt.timedelta(days=days[0]), town.START + dt.timedelta(days=days[-1]))
        for store, days in DARK.items()
    ]
    return pl.DataFrame(rows, schema=["store_id", "start", "end"], orient="row")


def test_an_outage_whose_customers_go_elsewhere_is_seen(town):
    signs = missing_or_outage(town.baskets(dark=DARK, diverted=True), spells(town), draws=500)
    elsewhere = signs.row(0, named=True)
    assert elsewhere["sign"] == "elsewhere on the day"
    assert elsewhere["low"] > 0.6
    assert elsewhere["low"] < 1.0 < elsewhere["high"]
    assert elsewhere["p"] < 0.01


def test_a_gap_in_the_records_shows_no_sign(town):
    signs = missing_or_outage(town.baskets(dark=DARK), spells(town), draws=500)
    assert signs["spells"].to_list() == [4, 4, 4]
    assert signs["untested"].to_list() == [0, 0, 0]
    for row in signs.iter_rows(named=True):
        assert row["low"] < 0 < row["high"], row
    assert signs["high"][0] < 0.5, "and an outage would have been told apart"


def test_the_missed_trips_are_counted(town):
    """Forty regulars a store come with chance 0.2: eight trips a dark day, six dark days."""
    signs = missing_or_outage(town.baskets(dark=DARK), spells(town), draws=50)
    assert signs["trips_missed"][0] == pytest.approx(6 * 8, rel=0.2)


def test_interval_and_p_value_never_contradict_each_other(make_town):
    for seed in range(12):
        town = make_town(seed=seed, households=15)
        signs = missing_or_outage(town.baskets(dark=DARK), spells(town), draws=399)
        for row in signs.iter_rows(named=True):
            if abs(row["p"] - 0.05) > 0.01:  # at the edge the two may differ by one draw
                assert (row["p"] < 0.05) == (not row["low"] <= 0 <= row["high"])


def test_intervals_cover_zero_as_often_as_they_say(make_town):
    """Sixty towns whose gaps are missing records: about one in twenty intervals misses zero."""
    missed = []
    for seed in range(60):
        town = make_town(seed=seed, stores=5, households=25, days=260)
        signs = missing_or_outage(town.baskets(dark=DARK), spells(town), draws=400, seed=seed)
        missed.append([not low <= 0 <= high for low, high in signs.select("low", "high").iter_rows()])
    share = np.mean(missed, axis=0)
    assert (share <= 0.14).all(), share  # 60 towns: three standard errors above 5 %
    assert np.mean(missed) > 0.005, "an interval that never misses is too wide"


def test_a_spell_followed_by_the_next_is_no_witness_of_catching_up(make_town):
    """Seven weekends in a row are missing at one store: the days after hold the next gap, not fewer trips."""
    weekends = [[100 + 7 * week, 101 + 7 * week] for week in range(4)]
    dark = {1: [number for pair in weekends for number in pair], 2: [150]}
    shares = []
    for seed in range(20):
        town = make_town(seed=seed, stores=5, households=25, days=260)
        rows = [
            (1, town.START + dt.timedelta(days=a), town.START + dt.timedelta(days=b)) for a, b in weekends
        ]
        rows.append((2, town.START + dt.timedelta(days=150), town.START + dt.timedelta(days=150)))
        table = pl.DataFrame(rows, schema=["store_id", "start", "end"], orient="row")
        signs = missing_or_outage(town.baskets(dark=dark), table, draws=50)
        assert signs["untested"].to_list() == [0, 0, 3], "only the last weekend is followed by whole days"
        shares.append(signs["share"].to_list())
    centre, error = np.mean(shares, axis=0), np.std(shares, axis=0) / np.sqrt(20)
    assert (np.abs(centre) < 3 * error + 0.02).all(), centre


@pytest.mark.parametrize(("change", "words"), [({"alpha": 2.0}, "alpha is 2.0"), ({"draws": 0}, "draws 0")])
def test_levels_and_draws_that_cannot_be_are_named(town, change, words):
    with pytest.raises(ContractError, match=words):
        missing_or_outage(town.baskets(dark=DARK), spells(town), **change)


def test_a_spell_with_sales_and_a_spell_given_twice_are_refused(town):
    with pytest.raises(ContractError, match=r"store 1 from 2045-04-13 .* has \d+ baskets"):
        missing_or_outage(town.baskets(), spells(town))
    with pytest.raises(ContractError, match="stands twice"):
        missing_or_outage(town.baskets(dark=DARK), pl.concat([spells(town), spells(town)[:1]]))


def test_the_same_seed_gives_the_same_draws(town):
    baskets = town.baskets(dark=DARK)
    first, second = (missing_or_outage(baskets, spells(town), draws=200, seed=7) for _ in range(2))
    assert first.equals(second)
    assert not first.equals(missing_or_outage(baskets, spells(town), draws=200, seed=8))


def test_a_spell_outside_the_records_is_named(town):
    outside = pl.DataFrame({"store_id": [1], "start": [dt.date(2044, 1, 1)], "end": [dt.date(2044, 1, 2)]})
    with pytest.raises(ContractError, match="store 1 from 2044-01-01.*run from 2045-01-03"):
        missing_or_outage(town.baskets(), outside)


def test_spells_without_regulars_cannot_be_tested(town):
    nobody = spells(town).with_columns(store_id=pl.int_range(pl.len()) + 77)
    with pytest.raises(ContractError, match="None of the 4 dark spells can be tested"):
        missing_or_outage(town.baskets(), nobody)


def test_a_second_kind_of_record_is_compared_with_what_it_usually_is(town, make_town):
    fuel = make_town(seed=9).baskets(dark={1: [100, 101]})
    compared = other_records(fuel, town.baskets(dark=DARK), spells(town))
    assert compared["store_id"].to_list() == [1, 2, 3, 4]
    assert compared["days"].to_list() == [2, 1, 2, 1]
    assert compared["seen"][0] == 0, "the pumps of store 1 are silent too"
    assert compared["seen"][1] > 0
    # Forty regulars with chance 0.2 and two hundred others with chance 0.03 / 5: about nine a day.
    assert compared["expected"][0] == pytest.approx(2 * 9.2, rel=0.25)


def test_the_public_dark_spells_show_no_sign_of_an_outage(public_baskets, public_events):
    signs = missing_or_outage(public_baskets, public_events.dark_spells)
    assert signs["low"][0] < 0 < signs["high"][0]
    assert signs["detectable"][0] < 0.2


def test_the_public_pumps_fell_silent_with_the_shops(public_baskets, public_events, public_fuel):
    every = pl.concat([public_events.dark_spells, public_events.other_records])
    compared = other_records(public_fuel, public_baskets, every)
    assert compared["expected"].sum() > 40
    assert compared["seen"].sum() == 2
