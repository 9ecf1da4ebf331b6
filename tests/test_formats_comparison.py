"""Formats compared: hand-worked, equal to a plain count over households, and honest intervals."""

import datetime as dt
from collections import defaultdict

import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from grocery_spheres.formats import compare_formats
from grocery_spheres.tables import ContractError

DAY = dt.date(2045, 1, 1)
STORES = pl.DataFrame({"store_id": [7, 8, 9, 10], "format": ["sphere", "grocer", "grocer", "drone"]})
FORMAT = dict(STORES.iter_rows())
NAMES = ["household_id", "store_id", "day", "lines", "sales_usd"]
# Household 1: sphere; grocer 8 (twice) and sphere; grocer 9. Household 2: grocer 8; grocer 8. 3: sphere.
BASKETS = [
    (1, 7, 0, 2, 10.0),
    (1, 8, 2, 3, 20.0),
    (1, 8, 2, 1, 5.0),
    (1, 7, 2, 4, 30.0),
    (1, 9, 13, 5, 35.0),
    (2, 8, 1, 2, 12.0),
    (2, 8, 5, 2, 8.0),
    (3, 7, 4, 1, 20.0),
]


def framed(rows):
    table = pl.DataFrame(rows, schema=NAMES, orient="row")
    return table.with_columns(date=pl.lit(DAY) + pl.duration(days="day")).drop("day")


def rows_of(seed, households=6, rows=40, days=9):
    rng = np.random.default_rng(seed)
    columns = (
        rng.integers(0, households, rows),
        rng.integers(7, 10, rows),
        rng.integers(0, days, rows),
        rng.integers(1, 9, rows),
        rng.integers(1, 500, rows) / 10,
    )
    return list(zip(*(column.tolist() for column in columns), strict=True))


def found(table, label):
    rows = table.filter(pl.col("label") == label)
    return dict(rows.select("measure", "value").iter_rows())


def plain(rows=BASKETS, **options):
    return compare_formats(framed(rows), STORES, intervals=False, **options)


@pytest.mark.parametrize(
    ("measure", "sphere", "grocer"),
    [
        ("share of sales", 60 / 140, 80 / 140),
        ("share of baskets", 3 / 8, 5 / 8),
        ("penetration", 2 / 3, 2 / 3),
        ("customers' baskets a week", 3 / 2 / 2, 5 / 2 / 2),  # 1 to 14 January: two weeks
        ("value of a basket", 20.0, 16.0),
        ("value of a trip", 60 / 3, 80 / 4),  # household 1 went twice to grocer 8 on one day
        ("lines of a basket", 7 / 3, 13 / 5),
        ("sales a line", 60 / 7, 80 / 13),
        ("share of wallet", 60 / 120, 80 / 120),
        ("buys nowhere else", 1 / 2, 1 / 2),
        ("next trip at the same label", 1 / 2, 2 / 2),  # 3 January led household 1 to a grocer
        ("next trip at the same store", 1 / 2, 1 / 2),  # but to another one
    ],
)
def test_values_are_worked_by_hand(measure, sphere, grocer):
    assert found(plain(), "sphere")[measure] == pytest.approx(sphere)
    assert found(plain(), "grocer")[measure] == pytest.approx(grocer)


def test_a_label_that_sold_nothing_is_there_with_zero_shares():
    drone = found(plain(), "drone")
    assert {name for name, value in drone.items() if value is not None} == {
        "share of sales",
        "share of baskets",
        "penetration",
    }
    assert drone["penetration"] == 0


def test_penetration_is_of_the_households_that_are_listed():
    listed = pl.DataFrame({"household_id": range(1, 9)})
    assert found(plain(households=listed), "sphere")["penetration"] == pytest.approx(2 / 8)
    assert_frame_equal(
        plain(households=listed).filter(pl.col("measure") != "penetration"),
        plain().filter(pl.col("measure") != "penetration"),
    )


def counted(rows, label):
    """Count trips and wallets household by household, the long way."""
    days, spent = defaultdict(lambda: defaultdict(set)), defaultdict(lambda: defaultdict(float))
    for household, store, day, _, usd in rows:
        days[household][day].add(store)
        spent[household][FORMAT[store]] += usd
    trips = onward = again = store_onward = store_again = 0
    for shopped in days.values():
        ordered = sorted(shopped)
        for number, day in enumerate(ordered):
            here = {store for store in shopped[day] if FORMAT[store] == label}
            later = shopped[ordered[number + 1]] if number + 1 < len(ordered) else None
            trips += bool(here)
            if later is not None and here:
                onward += 1
                again += any(FORMAT[store] == label for store in later)
                store_onward += len(here)
                store_again += len(here & later)
    wallets = [one for one in spent.values() if label in one]
    here = sum(one[label] for one in wallets)
    return {
        "value of a trip": here / trips,
        "next trip at the same label": again / onward,
        "next trip at the same store": store_again / store_onward,
        "share of wallet": here / sum(sum(one.values()) for one in wallets),
        "buys nowhere else": sum(len(one) == 1 for one in wallets) / len(wallets),
    }


@given(st.integers(0, 10_000))
def test_trips_and_wallets_equal_a_count_the_long_way(seed):
    rows = rows_of(seed)
    table = plain(rows)
    for label in ("sphere", "grocer"):
        wanted = counted(rows, label)
        assert {name: found(table, label)[name] for name in wanted} == pytest.approx(wanted)


@given(st.integers(0, 10_000))
def test_identities_hold(seed):
    rows = rows_of(seed)
    table = plain(rows)
    every = [found(table, label) for label in ("sphere", "grocer", "drone")]
    for measure in ("share of sales", "share of baskets"):
        assert sum(one[measure] for one in every) == pytest.approx(1.0)
    for one in every[:2]:
        assert one["value of a basket"] == pytest.approx(one["lines of a basket"] * one["sales a line"])
        assert one["value of a trip"] >= one["value of a basket"] - 1e-9
        assert one["next trip at the same store"] <= 1
    total, baskets = sum(row[4] for row in rows), len(rows)
    mean = [one["value of a basket"] * one["share of baskets"] for one in every[:2]]
    assert sum(mean) == pytest.approx(total / baskets)


def test_other_words_for_labels_change_nothing_else():
    words = {"sphere": "grocer", "grocer": "sphere"}
    swapped = STORES.with_columns(pl.col("format").replace(words))
    rows = framed(rows_of(3))
    back = compare_formats(rows, swapped, draws=60).with_columns(pl.col("label").replace(words))
    wanted = compare_formats(rows, STORES, draws=60)
    assert_frame_equal(back.sort("label", "measure"), wanted.sort("label", "measure"))


def test_one_label_for_all_is_everything():
    alike = compare_formats(framed(BASKETS), STORES.with_columns(format=pl.lit("store")), intervals=False)
    everything = found(alike, "store")
    for measure in (
        "share of sales",
        "share of baskets",
        "penetration",
        "share of wallet",
        "buys nowhere else",
    ):
        assert everything[measure] == 1.0
    assert everything["next trip at the same label"] == 1.0


@pytest.mark.parametrize("engine", ["lazy", "pandas", "arrow", "duckdb", "text ids", "shuffled"])
def test_every_engine_gives_the_same(engine):
    baskets, stores = framed(rows_of(7)), STORES
    wanted = compare_formats(baskets, stores, draws=60)
    if engine == "lazy":
        baskets, stores = baskets.lazy(), stores.lazy()
    elif engine == "pandas":
        baskets, stores = baskets.to_pandas(), stores.to_pandas()
    elif engine == "arrow":
        baskets, stores = baskets.to_arrow(), stores.to_arrow()
    elif engine == "duckdb":
        connection = duckdb.connect()
        connection.register("sold", baskets.to_arrow())
        baskets = connection.sql("select * from sold")
    elif engine == "text ids":
        ids = pl.col("household_id", "store_id").cast(pl.String)
        baskets, stores = baskets.with_columns(ids), stores.with_columns(pl.col("store_id").cast(pl.String))
    else:
        baskets = baskets.sample(fraction=1.0, shuffle=True, seed=1)
    assert_frame_equal(compare_formats(baskets, stores, draws=60), wanted)


# ---- intervals


def test_intervals_hold_their_value_and_come_from_the_seed():
    rows = framed(rows_of(3, households=80, rows=1500, days=100))
    table = compare_formats(rows, STORES, seed=1, draws=200)
    assert_frame_equal(table, compare_formats(rows, STORES, seed=1, draws=200))
    assert not table["low"].equals(compare_formats(rows, STORES, seed=2, draws=200)["low"])
    told = table.drop_nulls("low")
    assert told.height >= 18
    assert ((told["low"] <= told["value"]) & (told["value"] <= told["high"])).all()


def test_what_cannot_be_told_is_null():
    table = compare_formats(framed(BASKETS), STORES, draws=60)
    assert table.filter(pl.col("label") == "drone")["low"].null_count() == 12
    two = table.filter(pl.col("measure") == "value of a trip", pl.col("label") == "sphere")
    assert two["value"].item() == 20.0
    assert two["low"].item() is None, "a draw of household 2 alone holds no trip to a Sphere"
    alone = compare_formats(framed(BASKETS[:3]), STORES)
    assert alone["low"].null_count() == alone.height


def test_without_intervals_the_values_are_the_same():
    assert_frame_equal(
        plain().drop("low", "high"), compare_formats(framed(BASKETS), STORES).drop("low", "high")
    )
    assert plain()["low"].null_count() == plain().height


DAYS = 12


def population(rng, households=120):
    """Each day a household shops; with its own chance at the Sphere, where it spends its own amount."""
    taste, size = rng.beta(2.0, 2.0, households), rng.gamma(4.0, 5.0, households)
    who = np.repeat(np.arange(households), DAYS)
    day = np.tile(np.arange(DAYS), households)
    store = np.where(rng.random(len(who)) < taste[who], 7, 8)
    usd = size[who] * rng.gamma(5.0, 0.2, len(who))
    return pl.DataFrame({"household_id": who, "store_id": store, "day": day, "sales_usd": usd}).select(
        "household_id", "store_id", "sales_usd", lines=1, date=pl.lit(DAY) + pl.duration(days="day")
    )


def test_intervals_cover_the_truth_of_a_made_population():
    """Tastes are Beta(2, 2): mean 1/2, mean square 3/10. Nominal: 90 %."""
    truth = {"share of baskets": 0.5, "next trip at the same label": 0.3 / 0.5, "value of a basket": 20.0}
    held = []
    for seed in range(200):
        baskets = population(np.random.default_rng(seed + 7_000))
        table = compare_formats(baskets, STORES, alpha=0.1, seed=seed, draws=200)
        rows = {
            row["measure"]: row for row in table.filter(pl.col("label") == "sphere").iter_rows(named=True)
        }
        held.append([rows[n]["low"] <= true <= rows[n]["high"] for n, true in truth.items()])
    covered = np.mean(held, axis=0)
    assert ((covered >= 0.85) & (covered <= 0.95)).all(), covered


# ---- refusals


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"label": "chain"}, "`stores` lacks the column `chain`"),
        ({"label": ["banner"]}, r"\['banner'\] .list. names no column of the table `stores`"),
        ({"alpha": 0.0}, "`alpha` is 0.0"),
        ({"draws": 39}, "39 draws cannot show the tails"),
        ({"households": pl.DataFrame({"household_id": [1, 2]})}, "1 households with baskets are not in"),
    ],
)
def test_a_wrong_argument_is_named(options, said):
    with pytest.raises(ContractError, match=said):
        compare_formats(framed(BASKETS), STORES, **options)


@pytest.mark.parametrize(
    ("baskets", "said"),
    [
        (framed(BASKETS).drop("lines"), "lacks the column `lines`"),
        (framed(BASKETS).with_columns(lines=-1), "negative or infinite `lines`"),
        (framed(BASKETS).clear(), "no rows"),
    ],
)
def test_what_is_no_basket_is_refused(baskets, said):
    with pytest.raises(ContractError, match=said):
        compare_formats(baskets, STORES)
