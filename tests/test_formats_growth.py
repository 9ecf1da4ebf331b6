"""Growth split into customers, trips, basket, prices and mix: hand-worked, exact, engines, refusals."""

import datetime as dt

import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from grocery_spheres.formats import decompose_growth, growth, price_index
from grocery_spheres.tables import ContractError

BEFORE, AFTER = ("2045-03-01", "2045-03-10"), ("2045-03-11", "2045-03-20")
STORES = pl.DataFrame({"store_id": [7, 8], "format": ["sphere", "grocer"]})
PARTS = ["customers", "trips", "basket", "prices", "mix"]


def lines(rows):
    """Rows of household, store, day of March 2045, product, quantity, sales."""
    names = ["household_id", "store_id", "day", "product_id", "quantity", "sales_usd"]
    frame = pl.DataFrame(rows, schema=names, orient="row")
    return frame.select(
        pl.exclude("day"),
        basket_id=pl.int_range(pl.len()),
        discount_usd=pl.lit(0.0),
        sold_at=pl.datetime(2045, 3, pl.col("day"), 12),
    )


def made(seed=1, households=40, rows=900, more=1.0):
    """Lines drawn at random over twenty days; later prices are `more` times the earlier ones."""
    generator = np.random.default_rng(seed)
    day = generator.integers(1, 21, size=rows)
    day[:4] = (1, 1, 20, 20)
    store = generator.integers(7, 9, size=rows)
    store[:4] = (7, 8, 7, 8)
    product = generator.integers(0, 5, size=rows)
    product[:4] = 0
    quantity = generator.integers(1, 4, size=rows)
    price = (1 + product) * np.exp(0.1 * generator.normal(size=rows)) * np.where(day > 10, more, 1.0)
    who = generator.integers(0, households, size=rows)
    return lines(
        list(
            zip(
                *(part.tolist() for part in (who, store, day, product, quantity, quantity * price)),
                strict=True,
            )
        )
    )


def plain(frame, before=BEFORE, after=AFTER, **options):
    return decompose_growth(frame, before=before, after=after, intervals=False, **options)


def part(found, name):
    return found.row(by_predicate=pl.col("component") == name, named=True)


# household 1 comes on two days and buys bread and cake; later 1 and 2 come, bread is dearer, cake is gone
WORKED = lines(
    [
        (1, 7, 1, "bread", 2, 4.0),
        (1, 7, 1, "cake", 1, 6.0),
        (1, 7, 10, "bread", 1, 2.0),
        (1, 7, 11, "bread", 1, 3.0),
        (1, 8, 11, "bread", 1, 3.0),  # the same day at another store: the same trip
        (2, 7, 12, "bread", 3, 9.0),
        (2, 7, 20, "bread", 1, 3.0),
    ]
)


def test_values_are_worked_by_hand():
    found = plain(WORKED)
    assert found["component"].to_list() == [*PARTS, "sales"]
    before, after = found["before"].to_list(), found["after"].to_list()
    assert before == pytest.approx([1, 2 / 1 / 10, 4 / 2, 1, 1, 1.2])
    assert after == pytest.approx([2, 3 / 2 / 10, 6 / 3, 1.5, (18 / 6) / (12 / 4) / 1.5, 1.8])
    mean = (1.8 - 1.2) / np.log(1.8 / 1.2)
    assert found["usd"].to_list() == pytest.approx(
        [mean * np.log(ratio) for ratio in (2, 3 / 4, 1, 1.5, 1 / 1.5, 1.5)]
    )
    assert part(found, "prices")["matched_share"] == pytest.approx(24 / 30)
    assert part(found, "trips")["matched_share"] is None


def test_a_trip_is_a_day_at_the_label():
    later = lines([(1, 8, 2, "bread", 1, 1.0), (2, 8, 13, "bread", 1, 1.0)])
    found = plain(pl.concat([WORKED, later]), stores=STORES, label="format")
    grocer = part(found.filter(pl.col("label") == "grocer"), "trips")
    assert (grocer["before"], grocer["after"]) == pytest.approx((0.1, 0.1))
    assert part(found.filter(pl.col("label") == "sphere"), "trips")["after"] == pytest.approx(3 / 2 / 10)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.floats(0.5, 2.0), st.sampled_from(["fisher", "tornqvist"]))
def test_the_parts_add_up_in_ratios_and_in_usd(seed, more, formula):
    found = plain(made(seed, rows=120, more=more), stores=STORES, label="format", formula=formula)
    for _, one in found.group_by("label"):
        parts, whole = one.filter(pl.col("component") != "sales"), part(one, "sales")
        assert parts["usd"].sum() == pytest.approx(whole["after"] - whole["before"], abs=1e-9)
        assert whole["usd"] == pytest.approx(whole["after"] - whole["before"], abs=1e-9)
        assert np.prod(parts["ratio"].to_numpy()) == pytest.approx(whole["ratio"], rel=1e-12)
        levels = parts["after"].to_numpy()[:3].prod() * part(one, "sales")["before"]
        assert levels > 0


def test_the_parts_add_up_in_every_draw(monkeypatch):
    seen = []
    percentiles = growth.percentiles
    monkeypatch.setattr(
        growth, "percentiles", lambda *given, **more: seen.append(given) or percentiles(*given, **more)
    )
    decompose_growth(made(), before=BEFORE, after=AFTER)
    (_, ratios, _), (_, usd, _) = seen
    assert ratios.shape == usd.shape == (200, 6)
    assert usd[:, :5].sum(axis=1) == pytest.approx(usd[:, 5], abs=1e-9)
    assert ratios[:, :5].prod(axis=1) == pytest.approx(ratios[:, 5], rel=1e-12)
    assert usd[:, 5].std() > 0


def test_sales_a_day_are_the_product_of_their_factors():
    found = plain(made())
    customers, trips, basket = (part(found, name) for name in PARTS[:3])
    sales = part(found, "sales")
    usd = (
        made()
        .filter(pl.col("sold_at").dt.day() <= 10)
        .select(pl.sum("sales_usd") / pl.sum("quantity"))
        .item()
    )
    assert customers["before"] * trips["before"] * basket["before"] * usd == pytest.approx(sales["before"])


def test_the_matched_prices_are_the_index_of_the_two_windows():
    frame = made(more=1.3)
    month = frame.with_columns(
        sold_at=pl.when(pl.col("sold_at").dt.day() <= 10)
        .then(dt.datetime(2045, 1, 9))
        .otherwise(dt.datetime(2045, 2, 9))
    )
    known = price_index(month, intervals=False)["value"][1]
    assert part(plain(frame), "prices")["after"] == pytest.approx(known) == pytest.approx(1.3, rel=0.05)


def test_a_price_rise_alone_is_all_prices():
    """The same baskets again, every price times 1.2."""
    first = made().filter(pl.col("sold_at").dt.day() <= 10)
    again = first.with_columns(
        pl.col("sold_at") + pl.duration(days=10),
        pl.col("basket_id") + 10_000,
        sales_usd=pl.col("sales_usd") * 1.2,
    )
    ends = (1, 10), (11, 20)
    frame = pl.concat([first, again])
    assert frame["sold_at"].dt.day().max() == 20
    found = plain(frame, *[tuple(dt.date(2045, 3, day) for day in pair) for pair in ends])
    assert found["ratio"].to_list() == pytest.approx([1, 1, 1, 1.2, 1, 1.2], rel=1e-12)


def test_windows_of_different_length_are_told_by_the_day():
    """A household that comes every day: half the days change nothing."""
    frame = lines([(1, 7, day, "bread", 1, 2.0) for day in range(1, 21)])
    found = plain(frame, BEFORE, ("2045-03-16", "2045-03-20"))
    assert found["ratio"].to_list() == pytest.approx([1.0] * 6)
    seldom = lines([(day, 7, day, "bread", 1, 2.0) for day in range(1, 21)])
    found = plain(seldom, BEFORE, ("2045-03-16", "2045-03-20"))
    assert found["ratio"].to_list() == pytest.approx([0.5, 2.0, 1, 1, 1, 1])


def test_intervals_cover_known_growth():
    """Nominal 90 %, for sales and matched prices; households differ in how often they come."""
    held = []
    for seed in range(150):
        generator = np.random.default_rng(seed)
        rate = generator.gamma(2.0, size=(120, 1))
        counts = generator.poisson(rate * np.array([1.0, 1.2]))
        counts[0] += 1
        who, window = np.nonzero(counts)
        rows = counts[who, window]
        price = np.exp(0.2 * generator.normal(size=len(who)) - 0.02) * np.where(window == 1, 1.1, 1.0)
        day = np.where(window == 1, 11 + who % 10, 1 + who % 10)
        frame = lines(
            list(
                zip(
                    who.tolist(),
                    [7] * len(who),
                    day.tolist(),
                    ["a"] * len(who),
                    rows.tolist(),
                    (rows * price).tolist(),
                    strict=True,
                )
            )
        )
        edges = lines([(0, 7, 1, "b", 1, 1e-9), (0, 7, 20, "b", 1, 1e-9)])  # so that the windows are inside
        found = decompose_growth(
            pl.concat([frame, edges]), before=BEFORE, after=AFTER, alpha=0.1, draws=100, seed=seed
        )
        for name, truth in (("sales", 1.32), ("prices", 1.1)):
            row = part(found, name)
            held.append(row["ratio_low"] <= truth <= row["ratio_high"])
    assert 0.85 <= np.mean(held[::2]) <= 0.95
    assert 0.85 <= np.mean(held[1::2]) <= 0.95


@pytest.mark.parametrize("engine", ["lazy", "pandas", "duckdb"])
def test_every_engine_gives_the_same_parts(engine):
    frame = made().with_columns(pl.col("household_id", "product_id").cast(pl.String))
    options = {"before": BEFORE, "after": AFTER, "stores": STORES, "label": "format"}
    wanted = decompose_growth(frame, **options)
    sold = {"lazy": frame.lazy, "pandas": frame.to_pandas}.get(engine, frame.to_arrow)()
    if engine == "duckdb":
        connection = duckdb.connect()
        connection.register("sold", sold)
        sold = connection.sql("select * from sold")
    assert_frame_equal(decompose_growth(sold, **options), wanted, rel_tol=1e-9, abs_tol=1e-9)


def test_the_county_is_split_exactly(counties):
    county = counties()
    found = decompose_growth(
        county.lines, before=("2045-02-01", "2045-03-31"), after=("2045-05-01", "2045-06-28"),
        stores=county.stores.with_columns(all=pl.lit("all")), label="all", draws=40,
    )  # fmt: skip
    sales = part(found, "sales")
    window = county.lines.filter(
        pl.col("sold_at").is_between(dt.datetime(2045, 5, 1), dt.datetime(2045, 6, 29), closed="left")
    )
    assert sales["after"] == pytest.approx(window.select(pl.sum("sales_usd") / 59).collect().item())
    assert found["usd"][:5].sum() == pytest.approx(sales["after"] - sales["before"], abs=1e-9)
    assert ((found["low"] <= found["usd"]) & (found["usd"] <= found["high"])).all()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"before": "2045-03-01"}, "`before` is '2045-03-01': give its first and last date"),
        ({"before": ("2045-03-10", "2045-03-01")}, "ends on 2045-03-01, before it begins: swap them"),
        ({"before": ("x", "2045-03-01")}, "`before` is 'x': give a date"),
        ({"before": ("2045-03-01", "2045-03-11")}, "or a day would count in both"),
        ({"before": AFTER, "after": BEFORE}, "`before` must end first"),
        ({"before": ("2045-02-01", "2045-03-01")}, "days without records would count as days without sales"),
        ({"after": ("2045-03-11", "2045-03-21")}, "The window `after` runs from 2045-03-11 to 2045-03-21"),
        ({"stores": STORES, "label": "format"}, "'grocer' sold nothing in the window `before`"),
        ({"before": ("2045-03-02", "2045-03-09")}, "The stores sold nothing in the window `before`"),
        ({"formula": "walsh"}, "`formula` is 'walsh'"),
        ({"label": "format"}, "without `stores`"),
        ({"label": ["format"], "stores": STORES}, r"\['format'\] .list. names no column of the table"),
    ],
)
def test_a_wrong_argument_is_named(options, said):
    with pytest.raises(ContractError, match=said):
        decompose_growth(WORKED, **{"before": BEFORE, "after": AFTER, **options})


def test_a_share_of_all_sales_is_never_above_one():
    """Every product is matched, and sums over products and draws round otherwise than plain ones."""
    usd = np.random.default_rng(9).uniform(0.5, 9, (2, 30)).round(2)
    rows = [
        (item % 2, 7, day, item, 1, float(usd[at, item]))
        for at, day in enumerate((1, 20))
        for item in range(30)
    ]
    found = decompose_growth(lines(rows), before=BEFORE, after=AFTER, draws=40)
    assert part(found, "prices")["matched_share"] == 1.0


def test_parts_on_which_all_draws_agree_have_no_interval():
    """Each household comes alike in both windows; prices rise by 30 %: only how much it spends differs."""
    rows = [
        (home, 7, first + 1 + home % 10, home % 3, 1 + home % 4, factor * 0.7 * (1 + home % 4))
        for first, factor in ((0, 1.0), (10, 1.3))
        for home in range(12)
    ]
    found = decompose_growth(lines(rows), before=BEFORE, after=AFTER)
    ends = found.select(pl.col("ratio_low", "ratio_high", "low", "high").is_null())
    told = dict(zip(found["component"], ends.rows(), strict=True))
    nothing, usd_alone = (True,) * 4, (True, True, False, False)
    assert [told[name] for name in ("customers", "trips", "basket", "mix")] == [nothing] * 4
    assert told["prices"] == told["sales"] == usd_alone  # 1.3 times in every draw; of how much, draws differ
    assert part(found, "prices")["ratio"] == pytest.approx(1.3)


def test_what_came_from_nothing_is_refused():
    free = lines([(1, 7, 1, "bread", 1, 0.0), (1, 7, 20, "bread", 1, 1.0)])
    with pytest.raises(ContractError, match="The stores took no money in the window `before`"):
        plain(free)
    apart = lines([(1, 7, 1, "bread", 1, 1.0), (1, 7, 20, "cake", 1, 1.0)])
    with pytest.raises(ContractError, match="The stores sold no product in both .* one `product_id` to what"):
        plain(apart)
