"""Events: moves, openings and dark spells are found where they were planted, and nowhere else."""

import datetime as dt

import polars as pl
import pytest

from grocery_spheres import provenance, public
from grocery_spheres.outage.events import day_chances, find_events
from grocery_spheres.tables import ContractError


def day(town, number):
    return town.START + dt.timedelta(days=number)


def test_an_untouched_town_has_no_events(town):
    found = find_events(town.baskets())
    for table in (found.closures, found.openings, found.relocations, found.dark_spells):
        assert table.is_empty()


def test_a_planted_move_is_found_with_its_dates_and_its_customers(town):
    found = find_events(town.baskets(moves={3: (99, 150)}))
    assert found.closures.select("store_id", "date").rows() == [(3, day(town, 149))]
    assert found.openings.select("store_id", "date").rows() == [(99, day(town, 150))]
    move = found.relocations.row(0, named=True)
    assert (move["store_id"], move["successor_id"]) == (3, 99)
    assert move["regulars"] >= 40
    assert move["moved"] / move["regulars"] > 0.9
    assert move["others_share"] < 0.3
    assert found.dark_spells.is_empty()


def test_a_store_with_one_buyer_who_leaves_is_no_closure(town):
    lone = pl.DataFrame(
        {
            "household_id": [0] * 60,
            "store_id": [50] * 60,
            "lines": [5] * 60,
            "basket_id": range(10**6, 10**6 + 60),
            "date": [day(town, number) for number in range(0, 180, 3)],
            "sales_usd": [15.0] * 60,
        }
    )
    both = pl.concat([town.baskets(), lone.select(town.baskets().columns)], how="vertical_relaxed")
    assert find_events(both).closures.is_empty()


def test_households_that_leave_the_panel_are_no_evidence_of_a_closure(town):
    gone = town.baskets().filter(~((pl.col("household_id") // 40 == 2) & (pl.col("date") > day(town, 150))))
    assert 2 not in find_events(gone).closures["store_id"].to_list()


def test_planted_dark_spells_are_found_and_masked_day_by_day(town):
    found = find_events(town.baskets(dark={1: [100, 101]}))
    assert found.dark_spells.select("store_id", "start", "end", "days").rows() == [
        (1, day(town, 100), day(town, 101), 2)
    ]
    assert found.masked().rows() == [(1, day(town, 100)), (1, day(town, 101))]


def test_a_spell_with_records_of_another_kind_is_set_apart(town):
    other = pl.DataFrame({"store_id": [1, 2], "date": [day(town, 101), day(town, 101)]})
    found = find_events(town.baskets(dark={1: [100, 101], 4: [50]}), other=other)
    assert found.other_records["store_id"].to_list() == [1]
    assert found.dark_spells["store_id"].to_list() == [4]


def test_a_dark_spell_weighs_households_not_baskets(town):
    """One household with thirty baskets a day keeps a store busy; its day off is no dark spell."""
    busy = pl.DataFrame(
        {"date": [day(town, number) for number in range(300) if number != 120] * 30}
    ).with_columns(
        household_id=pl.lit(0),
        store_id=pl.lit(60),
        lines=pl.lit(3),
        basket_id=pl.int_range(pl.len()) + 10**6,
        sales_usd=pl.lit(9.0),
    )
    both = pl.concat([town.baskets(), busy.select(town.baskets().columns)], how="vertical_relaxed")
    assert find_events(both).dark_spells.is_empty()


def test_the_order_of_rows_does_not_matter(town):
    baskets = town.baskets(moves={3: (99, 150)}, dark={1: [100, 101]})
    first, second = find_events(baskets), find_events(baskets.sample(fraction=1.0, shuffle=True, seed=1))
    assert first.dark_spells.equals(second.dark_spells)
    assert first.closures.equals(second.closures)


def test_text_ids_work_as_well(town):
    named = town.baskets(moves={3: (99, 150)}, dark={1: [100]}).with_columns(
        ("s" + pl.col("store_id").cast(pl.String)).alias("store_id")
    )
    found = find_events(named)
    assert found.relocations.select("store_id", "successor_id").rows() == [("s3", "s99")]
    assert found.masked()["store_id"].to_list() == ["s1"]


def test_a_missing_column_of_the_other_records_is_named(town):
    with pytest.raises(ContractError, match="`other` lacks the column `date`"):
        find_events(town.baskets(dark={1: [100]}), other=pl.DataFrame({"store_id": [1]}))


# ---- the public data: the card's facts are what the rule finds


def test_the_card_holds_what_the_rule_finds(public_events):
    facts = provenance.card("complete_journey").facts
    assert (
        dict(public_events.closures.select(pl.col("store_id").cast(str), "date").iter_rows())
        == facts["closed"]
    )
    opened = dict(public_events.openings.select(pl.col("store_id").cast(str), "date").iter_rows())
    # Store 34007 has a dozen customers, too few for the rule; the promotions file lists it from week 22.
    assert opened == {store: date for store, date in facts["opened"].items() if store != "34007"}
    assert public_events.masked().equals(public.masked_store_days())


def test_the_same_openings_are_found_with_the_sales_at_the_pumps_left_in(groceries, public_events):
    early = groceries.set_apart.filter(pl.col("reason").str.starts_with("at the pumps")).collect()
    assert early.height == 5
    lines = pl.concat([groceries.lines.collect(), early.drop("reason")])
    days = lines.group_by("household_id", "store_id", "basket_id", date=pl.col("sold_at").dt.date()).agg(
        lines=pl.len()
    )
    assert (
        find_events(days)
        .openings.select("store_id", "date")
        .equals(public_events.openings.select("store_id", "date"))
    )


def test_an_independent_witness_confirms_every_event(public_events):
    """The promotions file, which the rule never saw, lists these stores for part of the year only."""
    listed = public.promoted_stores().filter(pl.col("weeks") < 53)
    found = {*public_events.closures["store_id"], *public_events.openings["store_id"]}
    assert found == {*listed["store_id"]} - {34007}


def test_each_closure_in_the_public_data_is_a_relocation(public_events):
    assert public_events.relocations["store_id"].to_list() == public_events.closures["store_id"].to_list()


def test_the_pumps_set_two_of_the_public_spells_apart(public_events):
    assert public_events.other_records.select("store_id", "start").rows() == [
        (372, dt.date(2017, 4, 9)),
        (31582, dt.date(2017, 1, 21)),
    ]
    assert not set(public_events.masked().rows()) & {
        (372, dt.date(2017, 4, 9)),
        (31582, dt.date(2017, 1, 21)),
    }


def test_a_record_at_any_hour_of_the_last_day_counts(town):
    evening = dt.datetime.combine(day(town, 101), dt.time(18))
    found = find_events(
        town.baskets(dark={1: [100, 101]}), other=pl.DataFrame({"store_id": [1], "date": [evening]})
    )
    assert found.other_records.height == 1


def test_ids_of_another_kind_are_named(town):
    with pytest.raises(ContractError, match="never mixed"):
        find_events(
            town.baskets(dark={1: [100]}), other=pl.DataFrame({"store_id": ["1"], "date": [day(town, 100)]})
        )


@pytest.mark.parametrize("column", ["household_id", "store_id", "date"])
def test_null_keys_are_named_with_their_number(town, column):
    holed = town.baskets().with_columns(pl.when(pl.int_range(pl.len()) >= 3).then(column).alias(column))
    with pytest.raises(ContractError, match=f"3 of .* rows of the table `baskets` have no `{column}`"):
        find_events(holed)


def test_dark_days_at_the_edge_of_the_records_are_found(town):
    found = find_events(town.baskets(dark={1: range(3), 4: range(296, 300)}))
    assert found.dark_spells.select("store_id", "days").rows() == [(1, 3), (4, 4)]
    assert found.closures.is_empty()
    assert found.openings.is_empty()


def test_days_when_the_chain_was_closed_are_not_masked(town):
    closed = day(town, 101)
    found = find_events(town.baskets(dark={1: [100, 101, 102]}).filter(pl.col("date") != closed))
    assert found.closed == (closed,)
    assert found.masked()["date"].to_list() == [day(town, 100), day(town, 102)]


def test_day_chances_leave_out_days_before_an_opening(public_baskets):
    days = day_chances(public_baskets)
    assert days.filter(pl.col("store_id") == 34280)["date"].min() == dt.date(2017, 11, 16)
    assert dt.date(2017, 12, 25) not in days["date"].to_list()
