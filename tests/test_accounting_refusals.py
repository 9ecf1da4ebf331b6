"""What an account refuses, in words that name the value and the way out."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

import grocery_spheres as gs
from grocery_spheres.accounting.example import example_dark, example_trips

DARK = example_dark()
OTHERS = [f"shop-{number}" for number in range(2, 13)]


def moved(days: int) -> gs.Outage:
    span = dt.timedelta(days=days)
    return gs.Outage(["shop-1"], DARK.start + span, DARK.end + span)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"rivals": ["shop-2"], "donors": OTHERS}, "'shop-2' is named as a rival and a donor"),
        ({"donors": ["shop-1", "shop-2"]}, "'shop-1' is dark and a donor"),
        ({"donors": "all"}, "`donors` is 'all'"),
        ({"donors": ["shop-77"]}, "donor 'shop-77' has no basket"),
        ({"rivals": ["shop-1"]}, "dark and named as a rival"),
        ({"rivals": "nearest"}, "`rivals` is 'nearest'"),
        ({"rivals": 5}, "`rivals` is 5"),
        ({"donors": 5}, "`donors` is 5"),
        ({"donors": ["shop-2", "shop-2"]}, "names the store 'shop-2' twice"),
        ({"rivals": ["shop-2", "shop-2"]}, "names the store 'shop-2' twice"),
        ({"rivals": {"other stores": ["shop-2"]}}, "labels in `rivals`"),
        ({"rivals": {1: ["shop-2"], "1": ["shop-3"]}}, "labels in `rivals`"),
        ({"rivals": {"a": ["shop-2"], "b": ["shop-2"]}}, "under two labels"),
        ({"strata": pl.DataFrame()}, "`strata` is DataFrame"),
        ({"masked": pl.DataFrame({"store": [1]})}, "lacks the column `store_id`"),
        ({"rivals": ["shop-99"]}, "rival 'shop-99' has no basket"),
        ({"rivals": {"ghosts": ["shop-99"]}}, "No store of the kind 'ghosts'"),
        ({"strata": {"shop-1": 1}}, "`strata` says nothing of the store"),
        ({"strata": {"shop-1": 1, **dict.fromkeys(OTHERS, 2)}}, "no store to compare with"),
        ({"measures": []}, "`measures` is"),
        ({"measures": ["baskets", "baskets"]}, "each once"),
        ({"measures": ["profit"]}, "lacks the column `profit`"),
        ({"measures": ["words"]}, "a measure needs numbers"),
        ({"measures": ["endless"]}, "infinite `endless`"),
        ({"measures": ["missing"]}, "have no `missing`"),
        ({"regular": 0}, "`regular` is 0"),
        ({"regular": 99}, "there is nobody to follow"),
        ({"after": 0}, "`after` is 0"),
        ({"placebos": -1}, "`placebos` is -1"),
        ({"anticipation": True}, "`anticipation` is True"),
        ({"alpha": 5}, "`alpha` is 5"),
    ],
)
def test_arguments(asked: dict[str, Any], words: str):
    trips = example_trips().with_columns(
        words=pl.lit("a"),
        endless=pl.when(pl.int_range(pl.len()) == 7).then(float("inf")).otherwise(1.0),
        missing=pl.when(pl.int_range(pl.len()) == 7).then(None).otherwise(1.0),
    )
    with pytest.raises(gs.ContractError, match=words):
        gs.account(trips, DARK, **{"measures": ["baskets"], "placebos": 5, **asked})


@pytest.mark.parametrize(
    ("outage", "words"),
    [
        (moved(40), "The record ends 17 days after"),
        (moved(-130), "The record begins 70 days before"),
        (moved(500), "lies outside the record"),
        (
            [moved(0), gs.Outage(["shop-2"], moved(9).start, moved(9).end)],
            "overlap: what came after the first",
        ),
        ([moved(0), gs.Outage(["shop-1"], moved(1).start, moved(1).end)], "dark twice at once"),
        ([moved(-68), moved(0)], "'shop-1' was dark on"),
        (gs.Outage(["shop-1"], 5, 6), "an account goes by dates"),
        (gs.Outage(["shop-1"], "2045-07-21T08:00", "2045-07-21T20:00"), "an account goes by dates"),
        (gs.Outage(["shop-1"], DARK.start, f"{DARK.end}T12:00"), "an account goes by dates"),
        (gs.Outage(["shop-50"], DARK.start, DARK.end), "dark store 'shop-50' has no basket"),
    ],
)
def test_outages(outage: Any, words: str):
    with pytest.raises(gs.ContractError, match=words):
        gs.account(example_trips(), outage, measures=["baskets"], placebos=5)


def test_single_rivals_of_several_cases():
    strata = {f"shop-{number}": number % 2 for number in range(1, 13)}
    outage = gs.Outage(["shop-1", "shop-2"], DARK.start, DARK.end)
    with pytest.raises(gs.ContractError, match="Name kinds of stores"):
        gs.account(example_trips(), outage, strata=strata, rivals=["shop-3"], placebos=5)


def test_an_id_that_many_share():
    shared = pl.when(pl.int_range(pl.len()) % 5 == 0).then(0).otherwise("household_id")
    with pytest.raises(gs.ContractError, match="The household 0 has .* an id that many share"):
        gs.account(example_trips().with_columns(household_id=shared), DARK, measures=["baskets"])


def test_two_dark_stores_and_one_donor():
    three = example_trips().filter(pl.col("store_id").is_in(["shop-1", "shop-2", "shop-7"]))
    found = gs.account(three, gs.Outage(["shop-1", "shop-2"], DARK.start, DARK.end), placebos=20)
    assert len(found.errors) < 19  # in earlier weeks only
    assert "No interval can be given" in found.sentence()


def test_nobody_to_compare_with():
    store = pl.when(pl.col("household_id") % 7 < 4).then(pl.lit("a")).otherwise(pl.lit("b"))
    two = example_trips().with_columns(store_id=store)
    early = two.filter(pl.col("date") < DARK.start).with_columns(store_id=pl.lit("a"))
    with pytest.raises(gs.ContractError, match="never came to a dark store"):
        gs.account(pl.concat([two, early]), gs.Outage(["a"], DARK.start, DARK.end), placebos=5)


def test_what_is_no_frame():
    with pytest.raises(gs.ContractError, match="`baskets` is str: give a frame"):
        gs.account("sales.csv", DARK)


def test_a_measure_that_sums_to_less_than_nothing():
    trips = example_trips().with_columns(sales_usd=-pl.col("sales_usd"))
    with pytest.raises(gs.ContractError, match="`sales_usd` of the baskets sums to nothing or less"):
        gs.account(trips, DARK, placebos=5)


def test_one_store_alone():
    with pytest.raises(gs.ContractError, match="All baskets are of one store"):
        gs.account(example_trips().filter(store_id="shop-1"), DARK, measures=["baskets"])


def test_donors_that_close_before_the_late_days_are_over():
    gone = (pl.col("store_id") == "shop-2") & (pl.col("date") > DARK.end + dt.timedelta(days=25))
    found = gs.account(example_trips().filter(~gone), DARK, measures=["baskets"], placebos=5)
    assert found.facts["donors"] == 10


def test_donors_that_close():
    gone = (pl.col("store_id") == "shop-2") & (pl.col("date") > DARK.start)
    trips = example_trips().filter(~gone)
    with pytest.raises(gs.ContractError, match="may have closed or opened"):
        gs.account(trips, DARK, donors=OTHERS, measures=["baskets"], placebos=5)
    found = gs.account(trips, DARK, measures=["baskets"], placebos=5)
    assert found.facts["donors"] == 10


def test_households_that_appear_only_after_are_counted_and_followed_by_nobody():
    trips = example_trips()
    late = trips.filter(pl.col("date") > DARK.end).with_columns(pl.col("household_id") + 100_000)
    known = gs.account(trips, DARK, measures=["baskets"], placebos=20)
    found = gs.account(pl.concat([trips, late]), DARK, measures=["baskets"], placebos=20)
    assert found.facts["appear_later"] >= late["household_id"].n_unique()
    assert "appear only after the selection" in found.summary()
    assert found.parts()["lost"] == known.parts()["lost"]
    assert found.parts()["diverted"] == known.parts()["diverted"]


def test_what_is_not_there():
    found = gs.account(example_trips(), DARK, measures=["baskets"], placebos=5)
    for call in (
        lambda: found.conf_int(what="stolen"),
        lambda: found.share("stolen"),
        lambda: found.parts("kg"),
    ):
        with pytest.raises(gs.ContractError, match="There is no"):
            call()
