"""How improbable silence is: hand-worked chances, and calibration where the truth is known."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from grocery_spheres.outage.events import day_chances
from grocery_spheres.outage.silence import AROUND_DAYS, silent_days, silent_window, visits
from grocery_spheres.tables import ContractError


def test_visits_count_a_household_once_a_store_and_day(town):
    found = visits(town.baskets())
    assert found.table.select("household_id", "store_id", "day").is_unique().all()
    assert found.table["baskets"].sum() == town.baskets().height
    assert found.start == town.START
    assert found.trading.all()


def test_one_store_alone_is_refused(town):
    with pytest.raises(ContractError, match="at least two stores.*name 1"):
        visits(town.baskets().filter(pl.col("store_id") == 0))


def test_a_missing_column_is_named(town):
    with pytest.raises(ContractError, match="`baskets` lacks the column `date`"):
        visits(town.baskets().drop("date"))


@pytest.mark.parametrize(
    ("days", "length", "silent", "windows"),
    [([3, 6], 3, 2, 8), ([3, 6], 1, 8, 10), ([], 4, 7, 7), (range(10), 1, 0, 10), ([0], 12, 0, 0)],
)
def test_windows_of_silence_are_counted_by_hand(days, length, silent, windows):
    found = silent_window(np.array(list(days), dtype=int), (0, 9), length)
    assert found == pytest.approx((silent + 0.5) / (windows + 1))


def test_windows_outside_life_do_not_count():
    assert silent_window(np.array([-5, 3, 6, 99]), (0, 9), 3) == silent_window(np.array([3, 6]), (0, 9), 3)


def hand_made():
    """Two stores, 21 days; household 1 comes to store a every third day, household 2 to b every day."""
    start = dt.date(2045, 1, 2)
    rows = [(1, "a", start + dt.timedelta(days=day)) for day in range(0, 21, 3)]
    rows += [(2, "b", start + dt.timedelta(days=day)) for day in range(21)]
    frame = pl.DataFrame(rows, schema=["household_id", "store_id", "date"], orient="row")
    return frame.with_columns(lines=pl.lit(1))


def test_a_days_chance_of_silence_is_the_households_own_share_of_other_days():
    days = silent_days(visits(hand_made()), {"a": (0, 20), "b": (0, 20)})
    row = days.filter((pl.col("store_id") == "a") & (pl.col("day") == 1)).row(0, named=True)
    assert row["households"] == 0
    assert row["households_expected"] == pytest.approx(7 / 20)  # seven visits on the twenty other days
    assert row["log10_silent"] == pytest.approx(np.log10(1 - 7 / 20))
    visited = days.filter((pl.col("store_id") == "a") & (pl.col("day") == 0)).row(0, named=True)
    assert visited["households_expected"] == pytest.approx(6 / 20), "its own day does not count"


def test_effective_households_is_one_where_one_buyer_makes_the_trade():
    days = silent_days(visits(hand_made()), {"a": (0, 20), "b": (0, 20)})
    bought = days.filter(pl.col("households_expected") > 0)
    assert len(bought) > len(days) / 2
    assert bought["effective_households"].to_list() == pytest.approx([1.0] * len(bought))


def test_days_when_all_was_closed_are_no_trading_days(town):
    closed = town.START + dt.timedelta(days=50)
    found = visits(town.baskets().filter(pl.col("date") != closed))
    assert not found.trading[50]
    days = silent_days(found, {0: (0, 299)})
    assert 50 not in days["day"].to_list()
    assert len(days) == 299


def test_predicted_silence_agrees_with_observed_in_a_made_town(make_town):
    """Eighty stores of few buyers: the sum of the chances is the number of silent days."""
    baskets = make_town(seed=3, stores=80, households=8, days=250).baskets()
    days = silent_days(visits(baskets), dict.fromkeys(range(80), (0, 249)))
    silent = (days["households"] == 0).sum()
    chance = (10.0 ** days["log10_silent"]).sum()
    assert silent == pytest.approx(chance, abs=4 * np.sqrt(chance))
    assert silent > 1000


def test_predicted_silence_agrees_with_observed_on_the_public_data_below_three_households(public_baskets):
    days = day_chances(public_baskets).filter(pl.col("households_expected") < 3)
    silent, chance = (days["households"] == 0).sum(), (10.0 ** days["log10_silent"]).sum()
    assert silent / chance == pytest.approx(1.0, abs=0.01)


def test_the_reference_days_are_whole_weeks():
    assert AROUND_DAYS % 7 == 0
