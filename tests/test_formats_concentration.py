"""Concentration: hand-worked, within its bounds, and an estimate that few households do not push up."""

import datetime as dt
from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from grocery_spheres.formats import concentration
from grocery_spheres.tables import ContractError

ALL, SEEN, INDEX, EQUAL = "all, weighted by sales", "HHI of the sales seen", "HHI", "sellers of equal size"
JAN, MARCH = dt.date(2045, 1, 1), dt.date(2045, 3, 1)
STORES = pl.DataFrame(
    {
        "store_id": [1, 2, 3, 11, 12],
        "town_id": [1, 1, 1, 2, 2],
        "format": ["sphere", "grocer", "grocer", "sphere", "grocer"],
    }
)
BASKETS = [
    (1, 1, JAN, 30.0),  # town 1 in January: 30, 60, 10 of 100; households spent 50, 30, 20
    (1, 2, JAN, 20.0),
    (2, 2, JAN, 30.0),
    (3, 2, JAN, 10.0),
    (3, 3, JAN, 10.0),
    (9, 11, JAN, 300.0),  # town 2 in January: one household, one store
    (9, 11, MARCH, 50.0),
    (8, 12, MARCH, 50.0),
]


def framed(rows):
    return pl.DataFrame(rows, schema=["household_id", "store_id", "date", "sales_usd"], orient="row")


def plain(rows=BASKETS, **options):
    return concentration(framed(rows), STORES, intervals=False, **options)


def value(measure, market, **options):
    period = options.pop("period", None)
    table = plain(**options).filter(pl.col("measure") == measure, pl.col("market") == market)
    return table.filter(pl.col("period").eq_missing(period))["value"].item()


PAIRS = (30 * 0 + 20 * 30 + 20 * 10 + 30 * 10) / (50 * 30 + 50 * 20 + 30 * 20)


@pytest.mark.parametrize(
    ("measure", "market", "period", "expected"),
    [
        (SEEN, "1", JAN, 0.3**2 + 0.6**2 + 0.1**2),
        (INDEX, "1", JAN, PAIRS),
        (EQUAL, "1", JAN, 1 / PAIRS),
        (SEEN, "2", JAN, 1.0),
        (INDEX, "2", JAN, None),  # one household is no pair
        (EQUAL, "2", JAN, None),
        (SEEN, ALL, JAN, (100 * 0.46 + 300 * 1.0) / 400),
        (INDEX, ALL, JAN, PAIRS),  # of the markets that have one
        (SEEN, "2", MARCH, 0.5),
        (INDEX, "2", MARCH, 0.0),  # the two households never meet
        (EQUAL, "2", MARCH, None),
        (SEEN, "1", MARCH, None),  # nobody bought there
        (SEEN, ALL, MARCH, 0.5),
    ],
)
def test_values_are_worked_by_hand(measure, market, period, expected):
    assert value(measure, market, period=period, every="1mo") == pytest.approx(expected)


def test_without_periods_the_span_is_one():
    table = plain()
    assert table["period"].null_count() == table["whole"].null_count() == table.height == 9
    assert table.schema == plain(every="1mo").schema
    assert value(SEEN, "2") == pytest.approx((350**2 + 50**2) / 400**2)


def test_rows_say_how_many_households_they_rest_on_and_which_periods_are_cut():
    table = plain(every="1mo").filter(pl.col("measure") == SEEN)
    rows = table.select("market", "period", "whole", "households").rows()
    feb = dt.date(2045, 2, 1)
    assert rows[:3] == [("1", JAN, True, 3), ("1", feb, True, 0), ("1", MARCH, False, 0)]
    assert [row[3] for row in rows if row[0] == ALL] == [4, 0, 2]
    assert value(SEEN, ALL, period=feb, every="1mo") is None


def test_sellers_may_be_formats():
    assert value(SEEN, "1", of="format") == pytest.approx(0.3**2 + 0.7**2)
    one = plain(by="format", of="format").filter(pl.col("measure") != EQUAL)
    assert one.filter(pl.col("measure") == SEEN)["value"].to_list() == [1.0, 1.0, 1.0]


def rows_of(seed, households=7, rows=50):
    rng = np.random.default_rng(seed)
    usd = rng.integers(1, 500, rows) / 10
    drawn = (rng.integers(0, households, rows), rng.choice([1, 2, 3, 11, 12], rows))
    columns = [column.tolist() for column in drawn]
    return list(zip(*columns, [JAN] * rows, usd.tolist(), strict=True))


@given(st.integers(0, 10_000))
def test_the_index_lies_within_its_bounds_and_pairs_are_counted_right(seed):
    rows = rows_of(seed)
    table = plain(rows)
    spent = framed(rows).join(STORES, on="store_id").group_by("town_id", "household_id", "store_id")
    sums = {(town, who, store): usd for town, who, store, usd in spent.agg(pl.sum("sales_usd")).iter_rows()}
    for town in (1, 2):
        found = dict(table.filter(pl.col("market") == str(town)).select("measure", "value").iter_rows())
        here = {key[1:]: usd for key, usd in sums.items() if key[0] == town}
        sellers = {store for _, store in here}
        assert 1 / len(sellers) - 1e-9 <= found[SEEN] <= 1 + 1e-9
        people = sorted({who for who, _ in here})
        own = {who: np.array([here.get((who, store), 0.0) for store in sorted(sellers)]) for who in people}
        meet = sum(own[a] @ own[b] for a, b in combinations(people, 2))
        any_two = sum(own[a].sum() * own[b].sum() for a, b in combinations(people, 2))
        assert found[INDEX] == pytest.approx(meet / any_two)
        assert found[INDEX] <= found[SEEN] + 1e-9 or len(people) < 3
        assert found[EQUAL] == pytest.approx(1 / found[INDEX])


@given(st.integers(1, 9))
def test_equal_sellers_have_one_over_their_number(sellers):
    stores = pl.DataFrame({"store_id": range(sellers), "town_id": 1})
    rows = [(who, store, JAN, 4.0) for who in range(3) for store in range(sellers)]
    found = concentration(framed(rows), stores, intervals=False)["value"].to_list()
    assert found[:3] == pytest.approx([1 / sellers, 1 / sellers, sellers])


def test_other_words_for_markets_change_nothing_else():
    rows = framed(rows_of(3))
    there = concentration(rows, STORES.with_columns(pl.col("town_id") * 10), draws=60)
    wanted = concentration(rows, STORES, draws=60)
    assert_frame_equal(there.with_columns(pl.col("market").replace({"10": "1", "20": "2"})), wanted)


@pytest.mark.parametrize("engine", ["lazy", "pandas", "text ids", "shuffled"])
def test_every_engine_gives_the_same(engine):
    baskets, stores = framed(rows_of(7)), STORES
    wanted = concentration(baskets, stores, every="1w", draws=60)
    if engine == "lazy":
        baskets, stores = baskets.lazy(), stores.lazy()
    elif engine == "pandas":
        baskets, stores = baskets.to_pandas(), stores.to_pandas()
    elif engine == "text ids":
        ids = pl.col("household_id", "store_id").cast(pl.String)
        baskets, stores = baskets.with_columns(ids), stores.with_columns(pl.col("store_id").cast(pl.String))
    else:
        baskets = baskets.sample(fraction=1.0, shuffle=True, seed=1)
    assert_frame_equal(concentration(baskets, stores, every="1w", draws=60), wanted)


# ---- intervals


def test_intervals_hold_their_value_and_only_estimates_have_one():
    table = concentration(framed(rows_of(3, households=90, rows=900)), STORES, seed=1, draws=200)
    again = concentration(framed(rows_of(3, households=90, rows=900)), STORES, seed=1, draws=200)
    assert_frame_equal(table, again)
    assert table.filter(pl.col("measure") == SEEN)["low"].null_count() == 3
    told = table.filter(pl.col("measure") != SEEN)
    assert ((told["low"] <= told["value"]) & (told["value"] <= told["high"])).all()
    assert told["low"].null_count() == 0


def test_a_market_of_two_households_may_be_missed():
    table = concentration(framed(BASKETS), STORES, draws=60).filter(pl.col("market") == "2")
    assert table["low"].null_count() == 3


def population(rng, towns, households):
    """Households like one of three stores (chances 0.5, 0.3, 0.2), and take four baskets."""
    count, chances = towns * households, [0.5, 0.3, 0.2]
    who = np.repeat(np.arange(count), 4)
    size, likes = rng.gamma(4.0, 5.0, count), rng.choice(3, count, p=chances)
    store = np.where(rng.random(len(who)) < 0.8, likes[who], rng.choice(3, len(who), p=chances))
    usd = size[who] * rng.gamma(5.0, 0.2, len(who))
    sold = {"household_id": who, "store_id": who // households * 3 + store, "sales_usd": usd}
    return pl.DataFrame(sold).with_columns(date=JAN)


@pytest.mark.parametrize(("towns", "households"), [(1, 200), (10, 40)])
def test_the_estimate_is_right_where_few_households_make_shares_uneven(towns, households):
    """The true index is 0.38 in every town. Nominal: 90 %."""
    truth, held, found = 0.5**2 + 0.3**2 + 0.2**2, [], []
    stores = pl.DataFrame({"store_id": range(3 * towns), "town_id": np.repeat(np.arange(towns), 3)})
    for seed in range(200):
        baskets = population(np.random.default_rng(seed + 5_000), towns, households)
        table = concentration(baskets, stores, alpha=0.1, seed=seed, draws=200).tail(3)
        rows = table.rows_by_key("measure", named=True, unique=True)
        held.append(rows[INDEX]["low"] <= truth <= rows[INDEX]["high"])
        found.append((rows[SEEN]["value"], rows[INDEX]["value"]))
    error = np.std(found, axis=0) / np.sqrt(len(found))
    too_high = (np.mean(found, axis=0) - truth) / error
    assert abs(too_high[1]) < 3
    assert too_high[0] > 5 or towns == 1
    assert 0.85 <= np.mean(held) <= 0.95, np.mean(held)


# ---- refusals


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"by": "county"}, "`stores` lacks the column `county`"),
        ({"of": "chain"}, "`stores` lacks the column `chain`"),
        ({"every": "month"}, "`every` is 'month'"),
        ({"draws": 10, "intervals": True}, "10 draws"),
    ],
)
def test_a_wrong_argument_is_named(options, said):
    with pytest.raises(ContractError, match=said):
        concentration(framed(BASKETS), STORES, **({"intervals": False} | options))


def test_a_store_without_a_market_or_with_the_name_of_the_mean_is_refused():
    homeless = STORES.with_columns(town_id=pl.when(pl.col("store_id") != 12).then("town_id"))
    with pytest.raises(ContractError, match="1 of 5 stores have no `town_id`"):
        concentration(framed(BASKETS), homeless)
    with pytest.raises(ContractError, match="is 'all, weighted by sales'"):
        concentration(framed(BASKETS), STORES.with_columns(town_id=pl.lit(ALL)))
