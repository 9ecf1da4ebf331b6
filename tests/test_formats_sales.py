"""Sales over time: hand-worked, shares of one whole, periods that add to the span, and honest intervals."""

import datetime as dt

import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from grocery_spheres.formats import sales_over_time
from grocery_spheres.tables import ContractError

DAY = dt.date(2045, 1, 1)
STORES = pl.DataFrame(
    {"store_id": [7, 8, 9, 10], "format": ["sphere", "grocer", "grocer", "drone"], "town_id": [1, 1, 2, 2]}
)
# household, store, day of the year from 0, USD
BASKETS = [(1, 7, 0, 10.0), (1, 8, 3, 20.0), (2, 8, 30, 30.0), (2, 9, 30, 5.0), (3, 7, 80, 40.0)]
NAMES = ["household_id", "store_id", "day", "sales_usd"]


def framed(rows):
    table = pl.DataFrame(rows, schema=NAMES, orient="row")
    return table.with_columns(date=pl.lit(DAY) + pl.duration(days="day"), lines=pl.lit(1)).drop("day")


def made(seed, households=8, rows=60):
    rng = np.random.default_rng(seed)
    columns = (
        rng.integers(0, households, rows),
        rng.integers(7, 10, rows),
        rng.integers(0, 70, rows),
        rng.integers(1, 500, rows) / 10,
    )
    return framed(list(zip(*(column.tolist() for column in columns), strict=True)))


def plain(baskets=None, **options):
    return sales_over_time(
        framed(BASKETS) if baskets is None else baskets, STORES, intervals=False, **options
    )


def value(measure, label, month, **options):
    rule = (pl.col("measure") == measure) & (pl.col("label") == label)
    return plain(**options).filter(rule & (pl.col("period") == dt.date(2045, month, 1)))["value"].item()


@pytest.mark.parametrize(
    ("measure", "label", "month", "expected"),
    [
        ("sales", "grocer", 1, 55.0),
        ("share of sales", "sphere", 1, 10 / 65),
        ("baskets", "grocer", 1, 3.0),
        ("customers", "grocer", 1, 2.0),
        ("penetration", "grocer", 1, 2 / 3),
        ("value of a basket", "grocer", 1, 55 / 3),
        ("sales", "drone", 1, 0.0),
        ("penetration", "drone", 1, 0.0),
        ("value of a basket", "drone", 1, None),
        ("sales", "sphere", 2, 0.0),  # nobody sold anything in February
        ("share of sales", "sphere", 2, None),
        ("share of sales", "sphere", 3, 1.0),
    ],
)
def test_values_are_worked_by_hand(measure, label, month, expected):
    assert value(measure, label, month) == pytest.approx(expected)


def test_every_label_and_period_is_there_and_those_in_part_are_marked():
    sold = plain()
    assert sold.height == 3 * 3 * 6
    whole = dict(sold.select("period", "whole").unique().iter_rows())
    assert whole == {dt.date(2045, 1, 1): True, dt.date(2045, 2, 1): True, dt.date(2045, 3, 1): False}
    weeks = plain(every="1w")
    assert weeks["period"].n_unique() == 13
    cut = weeks.filter(~pl.col("whole"))["period"].unique().sort()
    assert cut.to_list() == [dt.date(2044, 12, 26), dt.date(2045, 3, 20)]


def test_penetration_counts_those_who_never_bought_where_they_are_listed():
    listed = pl.DataFrame({"household_id": [5, 4, 3, 2, 1]})
    assert value("penetration", "grocer", 1, households=listed) == pytest.approx(2 / 5)
    assert value("customers", "grocer", 1, households=listed) == 2


@given(st.integers(0, 10_000), st.sampled_from(["1d", "1w", "1mo", "1q"]))
def test_shares_add_to_one_and_sums_to_the_whole(seed, every):
    baskets = made(seed)
    sold = plain(baskets, every=every)
    shares = sold.filter(pl.col("measure") == "share of sales").group_by("period").agg(pl.sum("value"))
    sales = sold.filter(pl.col("measure") == "sales").group_by("period").agg(usd=pl.sum("value"))
    both = shares.join(sales, on="period")
    assert both.filter(pl.col("usd") > 0)["value"].to_list() == pytest.approx([1.0] * (both["usd"] > 0).sum())
    assert sales["usd"].sum() == pytest.approx(baskets["sales_usd"].sum())
    assert sold.filter(pl.col("measure") == "baskets")["value"].sum() == baskets.height
    worth = {name: sold.filter(pl.col("measure") == name)["value"] for name in sold["measure"].unique()}
    held = worth["baskets"] > 0
    product = (worth["value of a basket"] * worth["baskets"]).filter(held)
    assert product.to_list() == pytest.approx(worth["sales"].filter(held).to_list())
    assert ((worth["customers"] <= worth["baskets"]) & (worth["penetration"] <= 1)).all()


def test_other_words_for_labels_change_nothing_else():
    swapped = STORES.with_columns(pl.col("format").replace({"sphere": "grocer", "grocer": "sphere"}))
    back = sales_over_time(made(4), swapped, seed=5, draws=60).with_columns(
        pl.col("label").replace({"sphere": "grocer", "grocer": "sphere"})
    )
    keys = ["label", "period", "measure"]
    assert_frame_equal(back.sort(keys), sales_over_time(made(4), STORES, seed=5, draws=60).sort(keys))


@pytest.mark.parametrize("engine", ["lazy", "pandas", "arrow", "duckdb", "text ids", "shuffled"])
def test_every_engine_gives_the_same(engine):
    baskets, stores, listed = made(7), STORES, pl.DataFrame({"household_id": range(20)})
    wanted = sales_over_time(baskets, stores, households=listed, draws=60)
    if engine == "lazy":
        baskets, stores = baskets.lazy(), stores.lazy()
    elif engine == "pandas":
        baskets, stores, listed = baskets.to_pandas(), stores.to_pandas(), listed.to_pandas()
    elif engine == "arrow":
        baskets, stores = baskets.to_arrow(), stores.to_arrow()
    elif engine == "duckdb":
        connection = duckdb.connect()
        connection.register("sold", baskets.to_arrow())
        baskets = connection.sql("select * from sold")
    elif engine == "text ids":
        ids = pl.col("household_id").cast(pl.String).str.zfill(2)
        stores = stores.with_columns(pl.col("store_id").cast(pl.String))
        baskets = baskets.with_columns(ids, pl.col("store_id").cast(pl.String))
        listed = listed.with_columns(ids)
    else:
        baskets = baskets.sample(fraction=1.0, shuffle=True, seed=1)
    assert_frame_equal(sales_over_time(baskets, stores, households=listed, draws=60), wanted)


# ---- intervals


def test_intervals_hold_their_value_and_come_from_the_seed():
    sold = sales_over_time(made(3, households=60, rows=900), STORES, seed=1, draws=200)
    assert_frame_equal(sold, sales_over_time(made(3, households=60, rows=900), STORES, seed=1, draws=200))
    other = sales_over_time(made(3, households=60, rows=900), STORES, seed=2, draws=200)
    assert not sold["low"].equals(other["low"])
    told = sold.drop_nulls("low")
    assert told.filter(pl.col("label") != "drone").height > 0.9 * 2 * 3 * 6
    assert ((told["low"] <= told["value"]) & (told["value"] <= told["high"])).all()


def test_nothing_is_told_of_what_was_not_sold_or_by_one_household():
    sold = sales_over_time(made(3), STORES, draws=60)
    assert sold.filter(pl.col("label") == "drone")["low"].null_count() == 3 * 6
    alone = sales_over_time(framed(BASKETS[:2]), STORES)
    assert alone["low"].null_count() == alone.height
    assert alone["value"].null_count() < alone.height


def test_without_intervals_the_values_are_the_same():
    assert_frame_equal(
        plain().drop("low", "high"), sales_over_time(framed(BASKETS), STORES).drop("low", "high")
    )
    assert plain()["low"].null_count() == plain().height


def population(rng, households=120):
    """Each household has its own size of basket and its own taste for the Sphere; 8 baskets in January."""
    size, taste = rng.gamma(4.0, 5.0, households), rng.beta(2.0, 2.0, households)
    who = np.repeat(np.arange(households), 8)
    store = np.where(rng.random(len(who)) < taste[who], 7, 8)
    usd = size[who] * rng.gamma(5.0, 0.2, len(who))
    return framed(list(zip(who.tolist(), store.tolist(), [0] * len(who), usd.tolist(), strict=True)))


def test_intervals_cover_the_truth_of_a_made_population():
    """True are: half the sales, 20 USD a basket, 8 x 120 x 20 / 2 USD. Nominal: 90 %."""
    truth = {"share of sales": 0.5, "value of a basket": 20.0, "sales": 9600.0}
    held = []
    for seed in range(200):
        baskets = population(np.random.default_rng(seed + 7_000))
        sold = sales_over_time(baskets, STORES, alpha=0.1, seed=seed, draws=200)
        rows = {row["measure"]: row for row in sold.filter(pl.col("label") == "sphere").iter_rows(named=True)}
        held.append([rows[name]["low"] <= true <= rows[name]["high"] for name, true in truth.items()])
    covered = np.mean(held, axis=0)
    assert ((covered >= 0.85) & (covered <= 0.95)).all(), covered


# ---- refusals


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"every": "month"}, "`every` is 'month'"),
        ({"label": "chain"}, "`stores` lacks the column `chain`"),
        ({"label": ["banner"]}, r"\['banner'\] .list. names no column of the table `stores`"),
        ({"alpha": 1.0}, "`alpha` is 1.0"),
        ({"draws": 10}, "10 draws cannot show the tails"),
        ({"households": pl.DataFrame({"household_id": [1]})}, "2 households with baskets are not in"),
    ],
)
def test_a_wrong_argument_is_named(options, said):
    with pytest.raises(ContractError, match=said):
        sales_over_time(framed(BASKETS), STORES, **options)


def test_what_is_no_basket_is_refused():
    with pytest.raises(ContractError, match="negative"):
        plain(framed([(1, 7, 0, -1.0)]))
    with pytest.raises(ContractError, match="no rows"):
        plain(framed(BASKETS).clear())
