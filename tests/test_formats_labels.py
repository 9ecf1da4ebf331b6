"""Labels of stores on baskets: every basket keeps its row, and what has no label is refused by name."""

import datetime as dt

import polars as pl
import pytest

from grocery_spheres.formats.labels import labelled, store_labels, with_period
from grocery_spheres.tables import ContractError

STORES = pl.DataFrame({"store_id": [7, 8], "format": ["sphere", "grocer"], "town_id": [3, 3]})
BASKETS = pl.DataFrame({"household_id": [1, 2, 1], "store_id": [8, 7, 8]})


def dates(*days):
    return pl.DataFrame({"date": [dt.date.fromisoformat(day) for day in days]})


def test_every_basket_keeps_its_place():
    assert labelled(BASKETS, STORES).rows() == [(1, 8, "grocer"), (2, 7, "sphere"), (1, 8, "grocer")]


def test_numbers_and_the_store_itself_may_be_labels():
    assert store_labels(STORES, "town_id")["label"].to_list() == ["3", "3"]
    assert labelled(BASKETS, STORES, "store_id")["label"].to_list() == ["8", "7", "8"]


@pytest.mark.parametrize("kind", [pl.Int8, pl.UInt64])
def test_ids_of_another_width_meet(kind):
    """Store 900 does not fit into eight bits; it sold nothing in such baskets."""
    wide = pl.concat([STORES, pl.DataFrame({"store_id": [900], "format": ["none"], "town_id": [1]})])
    narrow = BASKETS.with_columns(pl.col("store_id").cast(kind))
    assert labelled(narrow, wide)["label"].to_list() == ["grocer", "sphere", "grocer"]


def test_text_ids_meet_enumerated_ones():
    text = STORES.with_columns(pl.col("store_id").cast(pl.String))
    few = BASKETS.with_columns(pl.col("store_id").cast(pl.String).cast(pl.Enum(["8", "7"])))
    more = pl.concat([text, pl.DataFrame({"store_id": ["9"], "format": ["none"], "town_id": [1]})])
    assert labelled(few, more)["label"].to_list() == ["grocer", "sphere", "grocer"]


@pytest.mark.parametrize(
    ("stores", "said"),
    [
        (STORES.drop("format"), "`stores` lacks the column `format` .*Say by `label=` which column"),
        (STORES.drop("store_id"), "`stores` lacks the column `store_id` .*Rename or add the column"),
        (pl.concat([STORES, STORES]), "lists store_id 7 twice"),
        (STORES.with_columns(format=pl.lit(None, dtype=pl.String)), "2 of 2 stores have no `format`.*7, 8"),
        (STORES.with_columns(pl.col("store_id").cast(pl.String)), "never mixed"),
        (STORES.head(1), "2 baskets were sold at stores .* does not list .*: 8\\)"),
        (STORES.clear(), "3 baskets were sold at stores"),
    ],
)
def test_stores_that_cannot_label_are_refused(stores, said):
    with pytest.raises(ContractError, match=said):
        labelled(BASKETS, stores)


def test_a_refusal_names_three_stores_and_says_that_there_are_more():
    many = pl.DataFrame({"household_id": [1] * 5, "store_id": [1, 2, 3, 4, 5]})
    with pytest.raises(ContractError, match="1, 2, 3, and more"):
        labelled(many, STORES)


@pytest.mark.parametrize(
    ("every", "first", "whole"),
    [
        ("1d", dt.date(2045, 1, 1), [True, True, True]),
        ("1w", dt.date(2044, 12, 26), [False, True, False]),  # Mondays; 1 January is a Sunday
        ("1mo", dt.date(2045, 1, 1), [True, True, False]),
        ("1q", dt.date(2045, 1, 1), [False, False, False]),
    ],
)
def test_periods_begin_and_end_as_the_calendar_says(every, first, whole):
    placed = with_period(dates("2045-01-01", "2045-01-04", "2045-02-27"), every)
    assert placed["period"][0] == first
    assert placed["whole"].to_list() == whole


@pytest.mark.parametrize("every", ["", "month", "0d", "-1mo", "1h", "1mo2d", 5, None])
def test_what_is_no_length_of_a_period_is_refused(every):
    with pytest.raises(ContractError, match="`every` is .*'1mo'"):
        with_period(dates("2045-01-01"), every)
