"""The shopping profile: hand-worked values, identities, any engine in, and what it refuses."""

import datetime as dt

import duckdb
import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from grocery_spheres.formats import shopping_profile
from grocery_spheres.tables import ContractError

# household, store, basket, sold at, then (product, sales, discount) of each line; 1 to 14 January
BASKETS = [
    (1, 7, 11, dt.datetime(2017, 1, 1, 16, 59), [(1, 6.0, 2.0), (2, 4.0, 0.0)]),  # a Sunday
    (1, 7, 12, dt.datetime(2017, 1, 2, 9), [(1, 20.0, 0.0)]),
    (1, 8, 13, dt.datetime(2017, 1, 2, 17), [(1, 10.0, 10.0), (2, 5.0, 0.0), (3, 5.0, 0.0)]),
    (2, 7, 21, dt.datetime(2017, 1, 4, 17), [(2, 30.0, 0.0)]),
    (2, 7, 22, dt.datetime(2017, 1, 14, 23), [(3, 40.0, 0.0)]),  # a Saturday
]
PRODUCTS = pl.DataFrame({"product_id": [1, 2], "department": ["MEAT", "DELI"]})


def lines():
    rows = [
        (household, store, basket, sold_at, *line)
        for household, store, basket, sold_at, sold in BASKETS
        for line in sold
    ]
    names = ["household_id", "store_id", "basket_id", "sold_at", "product_id", "sales_usd", "discount_usd"]
    return pl.DataFrame(rows, schema=names, orient="row").with_columns(quantity=pl.lit(1))


def plain(**options):
    return shopping_profile(options.pop("lines", lines()), intervals=False, **options)


def value(measure, statistic, **options):
    found = plain(**options).filter((pl.col("measure") == measure) & (pl.col("statistic") == statistic))
    return found["value"].item()


def made(counts, baskets_at=7, usd=1.0):
    """Households with so many baskets each, one line a basket, one basket a day."""
    who = np.repeat(np.arange(len(counts)), counts)
    day = np.concatenate([np.arange(count) for count in counts])
    return pl.DataFrame({"household_id": who, "day": day}).select(
        "household_id",
        store_id=pl.lit(baskets_at),
        basket_id=pl.int_range(pl.len()),
        product_id=pl.lit(1),
        sold_at=pl.lit(dt.datetime(2017, 1, 1)) + pl.duration(days="day"),
        quantity=pl.lit(1),
        sales_usd=pl.lit(usd),
        discount_usd=pl.lit(0.0),
    )


# ---- values


@pytest.mark.parametrize(
    ("measure", "statistic", "expected"),
    [
        ("trips of a household", "mean", 4 / 2 / 2),  # 1, 2 January; 4, 14 January: two households, two weeks
        ("trips of a household", "95% below", 1.0),
        ("baskets of a household", "mean", 5 / 2 / 2),
        ("baskets on a trip day", "mean", 5 / 4),
        ("days between trips", "mean", (1 + 10) / 2),
        ("days between trips", "median", (1 + 10) / 2),
        ("value of a basket", "mean", 120 / 5),  # 10, 20, 20, 30, 40
        ("value of a basket", "10% below", 14.0),
        ("value of a basket", "median", 20.0),
        ("lines in a basket", "mean", 8 / 5),
        ("lines in a basket", "90% below", 2.6),  # 1, 1, 1, 2, 3
        ("spending of a household", "mean", 120 / 2 / 2),
        ("spending of a household", "median", (50 + 70) / 2 / 2),
        ("mean basket of a household", "median", (50 / 3 + 70 / 2) / 2),
        ("baskets by hour", "17 h", 2 / 5),
        ("baskets by hour", "3 h", 0.0),
        ("baskets from 17 h on", "share", 3 / 5),
        ("baskets by weekday", "Monday", 2 / 5),
        ("baskets by weekday", "Sunday", 1 / 5),
        ("baskets on a weekend", "share", 2 / 5),
        ("baskets in the first seven days of a month", "share", 4 / 5),
        ("lines sold at a discount", "share", 2 / 8),
        ("discount of a discounted line", "mean", 12 / 28),
        ("discount of a discounted line", "median", (2 / 8 + 10 / 20) / 2),
        ("discount off the shelf price", "share", 12 / 132),
        ("stores of a household", "mean", 3 / 2),
        ("next basket at the same store", "share", 2 / 3),  # 7 to 7, 7 to 8; 7 to 7
    ],
)
def test_values_are_worked_by_hand(measure, statistic, expected):
    assert value(measure, statistic) == pytest.approx(expected)


def test_the_main_store_is_asked_of_households_with_ten_baskets():
    few, many = made([9, 10]), made([0, 0, 6])  # household 1 has 10 baskets at store 7, household 2 six
    elsewhere = made([0, 0, 4], baskets_at=8).with_columns(
        pl.col("basket_id") + 100, sold_at=pl.lit(dt.datetime(2017, 1, 9))
    )
    both = pl.concat([few, many.with_columns(pl.col("basket_id") + 50), elsewhere])
    main = "main store's share of a household's baskets"
    assert value(main, "mean", lines=both) == pytest.approx((1.0 + 0.6) / 2)
    assert value(main, "25% below", lines=both) == pytest.approx(0.7)
    hhi = "concentration of a household's baskets (HHI)"
    assert value(hhi, "median", lines=both) == pytest.approx((1.0 + 0.36 + 0.16) / 2)


def test_baskets_at_one_moment_stand_in_the_order_of_their_ids():
    moment = lines().filter(pl.col("household_id") == 1).with_columns(sold_at=dt.datetime(2017, 1, 1))
    assert value("next basket at the same store", "share", lines=moment) == pytest.approx(1 / 2)


def test_departments_are_named_and_what_no_product_says_is_unknown():
    mix = plain(products=PRODUCTS).filter(pl.col("measure") == "sales by department")
    found = dict(mix.select("statistic", "value").iter_rows())
    assert found == pytest.approx({"unknown": 45 / 120, "DELI": 39 / 120, "MEAT": 36 / 120})
    assert mix["statistic"].to_list() == ["unknown", "DELI", "MEAT"]


@pytest.mark.parametrize("measure", ["baskets by hour", "baskets by weekday", "sales by department"])
def test_shares_of_one_whole_add_to_one(measure, groceries):
    profile = shopping_profile(groceries.lines, groceries.products, intervals=False)
    shares = profile.filter(pl.col("measure") == measure)
    assert shares["value"].sum() == pytest.approx(1.0)
    assert (shares["unit"] == "share").all()


def test_rows_are_told_apart_by_measure_and_statistic():
    profile = plain(products=PRODUCTS)
    assert not profile.select("measure", "statistic").is_duplicated().any()
    assert profile.filter(pl.col("measure") == "baskets by hour").height == 24


def test_what_cannot_be_told_has_no_row():
    once = lines().filter(pl.col("household_id") == 2, pl.col("basket_id") == 21)
    measures = set(plain(lines=once)["measure"])
    absent = {"days between trips", "next basket at the same store", "discount of a discounted line"}
    assert not measures & absent
    assert "stores of a household" in measures
    assert value("lines sold at a discount", "share", lines=once) == 0.0


def test_the_price_level_divides_amounts_and_nothing_else():
    now, then = plain(products=PRODUCTS), plain(products=PRODUCTS, price_level=2.0)
    usd = pl.col("unit").str.starts_with("USD")
    assert now.filter(usd).height == 6 + 1 + 6 + 1 + 3
    assert_frame_equal(then, now.with_columns(pl.when(usd).then(pl.col("value") / 2).otherwise("value")))


def test_one_chain_is_seen_through_the_lens_of_its_stores():
    """Only household 1 came to store 8; the weeks stay those of all lines."""
    seen = plain(stores=[8])
    assert seen.filter(pl.col("measure") == "baskets of a household")["value"].item() == pytest.approx(1 / 2)
    assert seen.filter(pl.col("measure") == "value of a basket")["value"][0] == 20.0
    assert_frame_equal(plain(stores=pl.Series([7, 8])), plain())


def test_the_profile_of_the_public_data_counts_the_whole_year(groceries, public_baskets):
    weeks = ((public_baskets["date"].max() - public_baskets["date"].min()).days + 1) / 7
    found = value("baskets of a household", "mean", lines=groceries.lines)
    assert found == pytest.approx(len(public_baskets) / public_baskets["household_id"].n_unique() / weeks)


# ---- engines


@pytest.mark.parametrize("engine", ["lazy", "pandas", "arrow", "duckdb", "text ids"])
def test_every_engine_gives_the_same_profile(engine):
    wanted = shopping_profile(lines(), PRODUCTS, stores=[7, 8])
    ids, kept = pl.col("household_id", "store_id", "basket_id", "product_id"), [7, 8]
    if engine == "lazy":
        sold, products = lines().lazy(), PRODUCTS.lazy()
    elif engine == "pandas":
        sold, products = lines().to_pandas(), PRODUCTS.to_pandas()
    elif engine == "arrow":
        sold, products = lines().to_arrow(), PRODUCTS.to_arrow()
    elif engine == "duckdb":
        connection = duckdb.connect()
        connection.register("sold", lines().to_arrow())
        sold, products = connection.sql("select * from sold"), PRODUCTS
    else:
        sold, kept = lines().with_columns(ids.cast(pl.String)), ["7", "8"]
        products = PRODUCTS.with_columns(pl.col("product_id").cast(pl.String))
    assert_frame_equal(shopping_profile(sold, products, stores=kept), wanted)


def test_a_scan_of_a_file_is_read_without_its_lines(tmp_path):
    lines().write_parquet(tmp_path / "lines.parquet")
    assert_frame_equal(plain(lines=pl.scan_parquet(tmp_path / "lines.parquet")), plain())


# ---- intervals


def test_intervals_hold_their_value_and_come_from_the_seed(groceries):
    some = groceries.lines.filter(pl.col("household_id") <= 200).collect()
    profile = shopping_profile(some, seed=1, draws=200)
    assert_frame_equal(profile, shopping_profile(some, seed=1, draws=200))
    assert not profile["low"].equals(shopping_profile(some, seed=2, draws=200)["low"])
    told = profile.drop_nulls("low")
    assert told.height == profile.height
    assert ((told["low"] <= told["value"] + 1e-9) & (told["value"] <= told["high"] + 1e-9)).all()


def test_without_intervals_the_values_are_the_same():
    assert_frame_equal(shopping_profile(lines()).drop("low", "high"), plain().drop("low", "high"))
    assert plain()["low"].null_count() == plain().height


def test_one_household_shows_nothing_of_others():
    alone = shopping_profile(lines().filter(pl.col("household_id") == 1))
    assert alone["low"].null_count() == alone.height


def test_an_end_is_null_where_a_draw_may_miss_the_measure():
    """Only household 1 of two was given a discount: a draw of the other one twice has no discounted line."""
    deep = shopping_profile(lines()).filter(pl.col("measure") == "discount of a discounted line")
    assert deep.height == 2
    assert deep["low"].null_count() == 2


def test_intervals_cover_the_true_mean_and_median_of_a_made_population():
    """Households buy 5 to 15 baskets; both true values are 10. Each interval should cover 19 times in 20."""
    held = []
    for seed in range(40):
        counts = np.random.default_rng(seed).integers(5, 16, size=101)
        trips = shopping_profile(made(counts), seed=seed, draws=60).filter(
            pl.col("measure") == "trips of a household", pl.col("statistic").is_in(["mean", "median"])
        )
        weeks = counts.max() / 7
        held.append([row["low"] <= 10 / weeks <= row["high"] for row in trips.iter_rows(named=True)])
    assert (np.mean(held, axis=0) >= 0.85).all()


# ---- refusals


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"price_level": 0}, "`price_level` is 0"),
        ({"price_level": float("nan")}, "`price_level` is nan"),
        ({"stores": "7"}, "`stores` is '7': give a list"),
        ({"stores": 7}, "`stores` is 7: give a list"),
        ({"stores": []}, "`stores` is empty"),
        ({"stores": ["7"]}, "never mixed"),
        ({"stores": [7, 99]}, "names 1 that sold nothing in these lines: 99"),
        ({"alpha": 0.0}, "`alpha` is 0.0"),
        ({"draws": 39}, "39 draws cannot show the tails"),
        ({"products": pl.concat([PRODUCTS, PRODUCTS])}, "lists product_id 1 twice"),
        ({"products": PRODUCTS.drop("department")}, "`products` lacks the column `department`"),
    ],
)
def test_a_wrong_argument_is_named(options, said):
    with pytest.raises(ContractError, match=said):
        shopping_profile(lines(), **options)


def gap_in(column, rule):
    return lines().with_columns(pl.when(~rule).then(column).alias(column))


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (lines().clear(), "`lines` has no rows"),
        (lines().drop("store_id"), "`lines` lacks the column `store_id`"),
        (gap_in("sales_usd", pl.col("product_id") == 3), "2 rows .* no number in `sales_usd`"),
        (gap_in("household_id", pl.col("basket_id") == 12), "lack a key: basket_id 12, household_id null"),
        (gap_in("sold_at", pl.col("basket_id") == 12), "lack a key: basket_id 12"),
        (lines().with_columns(sales_usd=pl.lit(float("nan"))), "no number in `sales_usd`"),
        (lines().with_columns(discount_usd=-pl.col("discount_usd")), "2 rows .* below zero"),
        (lines().with_columns(basket_id=pl.lit(1)), "one household, store and time, and these are not"),
        (
            lines().with_columns(pl.col("sold_at").dt.replace_time_zone("UTC")),
            "without a zone",
        ),
    ],
)
def test_lines_that_no_profile_can_be_made_of_are_refused(frame, said):
    with pytest.raises(ContractError, match=said):
        plain(lines=frame)


def test_a_line_without_a_store_belongs_to_no_lens():
    with pytest.raises(ContractError, match="1 rows .* no `store_id`, so nobody can say"):
        plain(lines=gap_in("store_id", pl.col("basket_id") == 12), stores=[7])


def test_a_missing_discount_counts_as_none():
    nothing = lines().with_columns(discount_usd=pl.lit(None, dtype=pl.Float64))
    assert value("lines sold at a discount", "share", lines=nothing) == 0.0
