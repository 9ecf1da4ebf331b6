"""Injected: a known gap and a known outage in the public data are found, and told apart."""

import datetime as dt

import polars as pl
import pytest

from grocery_spheres.outage.dark_spells import missing_or_outage
from grocery_spheres.outage.events import day_chances, find_events
from grocery_spheres.outage.proof import quiet_weekends, store_dates, with_gap, with_outage
from grocery_spheres.tables import ContractError

FIRST = dt.date(2017, 6, 3)  # a Saturday
REFUGE = 10**6


@pytest.fixture(scope="module")
def weekends(public_baskets, public_events):
    return quiet_weekends(day_chances(public_baskets), public_events.dark_spells, first=FIRST)


def test_weekends_lie_a_week_apart_at_stores_without_dark_spells(weekends, public_events):
    assert weekends["start"].to_list() == [FIRST + dt.timedelta(weeks=week) for week in range(16)]
    assert weekends["store_id"].is_unique().all()
    assert not set(weekends["store_id"]) & set(public_events.dark_spells["store_id"])


def test_a_gap_takes_out_just_those_baskets(public_baskets, weekends):
    gone = public_baskets.height - with_gap(public_baskets, weekends).height
    there = public_baskets.join(store_dates(weekends), on=["store_id", "date"])
    assert gone == there.height > 0


def test_an_outage_moves_baskets_and_loses_none(public_baskets, weekends):
    moved = with_outage(public_baskets, weekends, refuge=REFUGE)
    assert moved.height == public_baskets.height
    assert moved["sales_usd"].sum() == pytest.approx(public_baskets["sales_usd"].sum())
    at_refuge = moved.filter(pl.col("store_id") == REFUGE)
    assert at_refuge.height == public_baskets.height - with_gap(public_baskets, weekends).height


def test_records_taken_out_are_found(public_baskets, weekends, public_events):
    found = find_events(with_gap(public_baskets, weekends))
    cells = store_dates(weekends)
    assert cells.join(found.masked(), on=["store_id", "date"]).height / cells.height > 0.9
    known = {
        *weekends["store_id"],
        *public_events.dark_spells["store_id"],
        *public_events.other_records["store_id"],
    }
    others = found.dark_spells.filter(~pl.col("store_id").is_in(list(known)))
    assert others.height <= 2 * found.examined["dark_false"], "false finds stay within what the rule expects"


def test_a_known_outage_is_told_from_a_known_gap(public_baskets, weekends):
    outage = missing_or_outage(with_outage(public_baskets, weekends, refuge=REFUGE), weekends).row(
        0, named=True
    )
    gap = missing_or_outage(with_gap(public_baskets, weekends), weekends).row(0, named=True)
    assert 0.5 < outage["low"] < 1.0 < outage["high"]
    assert gap["low"] < 0.0 < gap["high"] < 0.3


def test_text_ids_are_moved_as_well():
    day = dt.date(2017, 6, 3)
    baskets = pl.DataFrame({"store_id": ["a", "b"], "date": [day, day]})
    spells = pl.DataFrame({"store_id": ["a"], "start": [day], "end": [day]})
    assert with_outage(baskets, spells, refuge="r")["store_id"].to_list() == ["r", "b"]


def test_weekends_that_cannot_be_chosen_are_named(public_baskets, public_events):
    days = day_chances(public_baskets)
    with pytest.raises(ContractError, match=r"2017-06-04 \(Sunday\)"):
        quiet_weekends(days, public_events.dark_spells, first=dt.date(2017, 6, 4))
    with pytest.raises(ContractError, match="900 stores are wanted"):
        quiet_weekends(days, public_events.dark_spells, first=dt.date(2017, 1, 7), stores=900)
