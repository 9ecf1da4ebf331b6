"""Price indices over matched products: hand-worked values, identities, drift, noise, engines, refusals."""

import datetime as dt

import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from polars.testing import assert_frame_equal

from grocery_spheres.formats import price_index, relative_prices, sold
from grocery_spheres.formats.index_numbers import FORMULAS, log_index, log_mean, matched_sums
from grocery_spheres.formats.prices import NO_LINK, NO_SALES
from grocery_spheres.formats.resampling import household_weights
from grocery_spheres.tables import ContractError

AMOUNTS = arrays(np.float64, 5, elements=st.floats(0.05, 50.0))
STORES = pl.DataFrame({"store_id": [7, 8], "format": ["sphere", "grocer"]})


def lines(rows):
    """Rows of household, store, month (of 2045, or a date), product, quantity, sales, discount."""
    names = ["household_id", "store_id", "day", "product_id", "quantity", "sales_usd", "discount_usd"]
    days = [dt.date(2045, row[2], 15) if isinstance(row[2], int) else row[2] for row in rows]
    full = [
        (*row[:2], day, *row[3:], *([0.0] if len(row) == 6 else []))
        for row, day in zip(rows, days, strict=True)
    ]
    frame = pl.DataFrame(full, schema=names, orient="row")
    return frame.select(
        pl.exclude("day"),
        basket_id=pl.int_range(pl.len()),
        sold_at=pl.col("day").cast(pl.Datetime("us")) + pl.duration(hours=12),
    )


def made(*, seed=1, households=30, products=6, months=4, noise=0.0, path=None, stores=(7, 8)):
    """Households that buy each product in a month half the time; prices follow `path` (products, months)."""
    generator = np.random.default_rng(seed)
    who, what, when = (part.ravel() for part in np.indices((households, products, months)))
    level = np.ones((products, months)) if path is None else path
    taste = generator.lognormal(0.0, 0.5, size=(households, 1, 1))
    bought = generator.random((households, products, months)) < 0.5
    bought |= (np.arange(households) < 2)[:, None, None]
    quantity = np.ceil(generator.gamma(2.0, size=bought.shape) * taste)
    price = (1 + np.arange(products))[:, None] * level
    paid = price * np.exp(noise * generator.normal(size=bought.shape) - noise**2 / 2)
    frame = pl.DataFrame(
        {
            "household_id": who,
            "store_id": np.array(stores)[(who + what) % len(stores)],
            "basket_id": np.arange(len(who)),
            "product_id": what,
            "sold_at": pl.Series([dt.datetime(2045, 1 + month, 9, 12) for month in range(months)])[when],
            "quantity": quantity.ravel(),
            "sales_usd": (quantity * paid).ravel(),
            "discount_usd": 0.25 * (quantity * paid).ravel(),
        }
    )
    return frame.filter(pl.Series(bought.ravel()))


def quick(frame, **options):
    return price_index(frame, intervals=False, **options)


def values(frame, **options):
    return quick(frame, **options)["value"].to_list()


# ---- index numbers


@given(AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS)
def test_fisher_lies_between_laspeyres_and_paasche(usd, quantity, later_usd, later_quantity):
    sums = matched_sums((usd, quantity), (later_usd, later_quantity))
    fisher, _, laspeyres, paasche = (log_index(sums, formula) for formula in FORMULAS)
    assert min(laspeyres, paasche) - 1e-12 <= fisher <= max(laspeyres, paasche) + 1e-12


@given(AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS)
def test_superlative_indices_turn_round_with_time(usd, quantity, later_usd, later_quantity):
    there = matched_sums((usd, quantity), (later_usd, later_quantity))
    back = matched_sums((later_usd, later_quantity), (usd, quantity))
    for formula in ("fisher", "tornqvist"):
        assert log_index(there, formula) == pytest.approx(-log_index(back, formula), abs=1e-12)
    assert log_index(there, "laspeyres") == pytest.approx(-log_index(back, "paasche"), abs=1e-12)


@given(AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS)
def test_fishers_prices_times_quantities_are_the_values(usd, quantity, later_usd, later_quantity):
    """The index of quantities is the same formula with prices in the place of quantities."""
    prices = matched_sums((usd, quantity), (later_usd, later_quantity))
    quantities = matched_sums((usd, usd / quantity), (later_usd, later_usd / later_quantity))
    product = log_index(prices, "fisher") + log_index(quantities, "fisher")
    assert product == pytest.approx(np.log(later_usd.sum() / usd.sum()), abs=1e-11)


@given(AMOUNTS, AMOUNTS, AMOUNTS, st.floats(0.2, 5.0))
def test_prices_that_all_rise_by_one_factor_rise_by_it(usd, quantity, later_quantity, factor):
    later_usd = factor * usd / quantity * later_quantity
    sums = matched_sums((usd, quantity), (later_usd, later_quantity))
    assert [log_index(sums, one) for one in FORMULAS] == pytest.approx([np.log(factor)] * 4, abs=1e-12)


@given(AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS)
def test_the_unit_a_product_is_counted_in_does_not_matter(usd, quantity, later_usd, later_quantity, unit):
    plain = matched_sums((usd, quantity), (later_usd, later_quantity))
    other = matched_sums((usd, quantity * unit), (later_usd, later_quantity * unit))
    for formula in FORMULAS:
        assert log_index(plain, formula) == pytest.approx(log_index(other, formula), abs=1e-11)


def test_sums_are_the_same_in_parts(monkeypatch):
    usd, quantity, later_usd, later_quantity = np.random.default_rng(1).uniform(1, 2, size=(4, 11, 3))
    whole = matched_sums((usd, quantity), (later_usd, later_quantity))
    monkeypatch.setattr("grocery_spheres.formats.index_numbers.ITEMS_AT_ONCE", 4)
    assert matched_sums((usd, quantity), (later_usd, later_quantity)) == pytest.approx(whole, rel=1e-12)


@given(st.floats(0.1, 1e3), st.floats(-1e-3, 3.0))
def test_the_logarithmic_mean_times_the_log_ratio_is_the_difference(first, log_ratio):
    second = first * np.exp(log_ratio)
    mean = log_mean(np.array(first), np.array(second))
    assert mean * np.log(second / first) == pytest.approx(second - first, rel=1e-9, abs=1e-12)
    assert min(first, second) * (1 - 1e-12) <= mean <= max(first, second) * (1 + 1e-12)


# ---- the index over periods


TWO = lines(
    [
        (1, 7, 1, "bread", 3, 3.0),
        (1, 7, 1, "milk", 3, 3.0),
        (1, 7, 2, "bread", 1, 2.0),
        (1, 7, 2, "milk", 3, 3.0),
    ]
)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("laspeyres", 9 / 6),
        ("paasche", 5 / 4),
        ("fisher", (9 / 6 * 5 / 4) ** 0.5),
        ("tornqvist", 2 ** ((1 / 2 + 2 / 5) / 2)),  # bread's shares: 3 of 6, 2 of 5
    ],
)
def test_values_are_worked_by_hand(formula, expected):
    assert values(TWO, formula=formula) == pytest.approx([1.0, expected])


def test_what_is_not_matched_is_told():
    later = lines([(1, 7, 2, "meal", 1, 15.0), (1, 7, 1, "cake", 1, 4.0)])
    row = quick(pl.concat([TWO, later.with_columns(pl.col("basket_id") + 10)])).row(1, named=True)
    assert row["value"] == pytest.approx((9 / 6 * 5 / 4) ** 0.5)
    assert row["matched_share"] == pytest.approx((6 + 5) / (10 + 20))
    assert row["products"] == 2


def test_a_product_given_away_has_no_price_to_match():
    free = lines([(1, 7, 1, "soup", 2, 0.0), (1, 7, 2, "soup", 2, 9.0)])
    row = quick(pl.concat([TWO, free])).row(1, named=True)
    assert row["products"] == 2
    assert row["matched_share"] == pytest.approx(11 / 20)


def test_shelf_prices_are_before_discount():
    rows = [(1, 7, 1, "bread", 2, 4.0, 0.0), (1, 7, 2, "bread", 2, 3.0, 2.0)]
    assert values(lines(rows)) == pytest.approx([1.0, 0.75])
    assert values(lines(rows), price="shelf") == pytest.approx([1.0, 1.25])


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("chained", [True, False])
def test_a_known_path_of_all_prices_is_recovered(formula, chained):
    path = np.array([1.0, 1.02, 0.97, 1.1])
    frame = made(path=np.tile(path, (6, 1)))
    assert values(frame, formula=formula, chained=chained) == pytest.approx(path, rel=1e-12)
    assert values(frame, formula=formula, chained=chained, base="2045-03-20") == pytest.approx(path / 0.97)


@pytest.mark.parametrize("chained", [True, False])
def test_a_path_of_each_product_is_recovered_by_the_formula_on_true_prices(chained):
    """Prices are exact, so the index is Fisher's of the known prices and the quantities sold."""
    path = np.exp(np.random.default_rng(2).normal(0.0, 0.2, size=(6, 4)))
    frame = made(path=path)
    price = (1 + np.arange(6))[:, None] * path
    month = pl.col("sold_at").dt.month()
    sums = frame.group_by("product_id", month=month).agg(pl.sum("quantity")).sort("product_id", "month")
    quantity = sums["quantity"].to_numpy().reshape(6, 4)
    expected = [1.0]
    for at in (1, 2, 3):
        from_ = at - 1 if chained else 0
        laspeyres = (price[:, at] @ quantity[:, from_]) / (price[:, from_] @ quantity[:, from_])
        paasche = (price[:, at] @ quantity[:, at]) / (price[:, from_] @ quantity[:, at])
        expected.append((expected[-1] if chained else 1.0) * np.sqrt(laspeyres * paasche))
    assert values(frame, chained=chained) == pytest.approx(expected, rel=1e-9)


def test_the_chain_is_the_product_of_neighbours_and_the_direct_index_is_not():
    frame = made(noise=0.3)
    chained, direct = values(frame), values(frame, chained=False)
    month = pl.col("sold_at").dt.month()
    links = [values(frame.filter(month.is_in([at, at + 1])))[1] for at in (1, 2, 3)]
    assert chained == pytest.approx([1.0, *np.cumprod(links)])
    assert direct[3] == pytest.approx(values(frame.filter(month.is_in([1, 4])), chained=False)[-1])
    assert direct[3] != pytest.approx(chained[3], abs=1e-4)


def test_the_base_only_divides_a_chain():
    frame = made(noise=0.3)
    first, third = quick(frame), quick(frame, base=dt.date(2045, 3, 1))
    assert third["value"][2] == 1.0
    assert third["value"].to_list() == pytest.approx((first["value"] / first["value"][2]).to_list())


def test_a_chain_drifts_where_prices_bounce_and_months_smooth_it():
    """Every fourth week bread is sold at half price, buyers stock up, and stay away the week after."""
    weeks, rows = 52, []
    for week in range(weeks):
        price, quantity = ((2.0, 10), (1.0, 50), (2.0, 2), (2.0, 10))[week % 4]
        day = dt.date(2044, 1, 4) + dt.timedelta(weeks=week)
        rows += [(1, 7, day, "bread", quantity, quantity * price), (1, 7, day, "milk", 10, 10.0)]
    frame = lines(rows)
    chained, direct = (quick(frame, every="1w", chained=one)["value"][-1] for one in (True, False))
    cycle = np.sqrt(20 / 30 * 60 / 110) * np.sqrt(110 / 60 * 14 / 12)  # down and up again, by hand
    assert direct == pytest.approx(1.0)
    assert chained == pytest.approx(cycle**13) == pytest.approx(0.195, abs=0.001)
    smooth = quick(frame, every="4w").filter("whole")["value"]
    assert (smooth / smooth[0]).to_list() == pytest.approx([1.0] * len(smooth))
    months = quick(frame)["value"].to_list()  # a month may hold two promotions, or none
    assert months == pytest.approx([1.0] * 12, abs=0.08)
    assert months[-1] == pytest.approx(1.0)


def test_a_gap_ends_the_chain_and_says_why():
    rows = [(1, 7, month, "bread", 1, 1.0 + month) for month in (1, 2, 4, 5)] + [(1, 7, 6, "cake", 1, 9.0)]
    found = quick(lines(rows))
    assert found["value"].to_list() == [1.0, pytest.approx(1.5), None, None, None, None]
    assert found["reason"].to_list() == [None, None, NO_SALES, NO_LINK, NO_LINK, NO_LINK]
    assert found["products"].to_list() == [None, 1, 0, 0, 1, 0]
    assert found["matched_share"].to_list() == [None, 1.0, 0.0, 0.0, 1.0, 0.0]
    later = quick(lines(rows), base="2045-05-01")
    assert later["value"].to_list() == [None, None, None, pytest.approx(5 / 6), 1.0, None]
    direct = quick(lines(rows), chained=False)
    assert direct["value"].to_list() == [
        1.0,
        *map(pytest.approx, (1.5,)),
        None,
        *map(pytest.approx, (2.5, 3.0)),
        None,
    ]


def test_nothing_is_compared_before_a_label_has_sold_twice():
    rows = [(1, 7, month, "bread", 1, 2.0) for month in (1, 2, 3, 4)]
    late = [(1, 8, month, "bread", 1, 2.0) for month in (3, 4)]
    found = quick(lines(rows + late), stores=STORES, label="format").partition_by("label", as_dict=True)
    assert found["sphere",]["products"].to_list() == [None, 1, 1, 1]
    assert found["grocer",]["products"].to_list() == [None, None, None, 1]
    assert found["grocer",]["matched_share"].to_list() == [None, None, None, 1.0]
    assert found["grocer",]["value"].to_list() == [None, None, 1.0, 1.0]


def test_each_label_has_its_index_from_its_own_first_period():
    frame = made(noise=0.3).filter(~((pl.col("store_id") == 7) & (pl.col("sold_at").dt.month() == 1)))
    found = quick(frame, stores=STORES, label="format")
    assert found["label"].unique().to_list().__len__() == 2
    for label, store in (("sphere", 7), ("grocer", 8)):
        alone = quick(frame.filter(pl.col("store_id") == store))["value"].to_list()
        here = found.filter(pl.col("label") == label)
        assert here.drop_nulls("value")["value"].to_list() == pytest.approx(alone)
    assert found.filter(pl.col("label") == "sphere")["reason"].to_list() == [NO_SALES, None, None, None]


def test_periods_that_are_not_whole_are_marked():
    assert quick(TWO)["whole"].to_list() == [False, False]
    whole = quick(made(months=3))
    assert whole["whole"].to_list() == [False, True, False]


def test_lines_are_summed_in_several_passes_alike(monkeypatch):
    frame = made(noise=0.3)
    wanted = price_index(frame, stores=STORES, label="format", draws=40)
    monkeypatch.setattr(sold, "LINES_AT_ONCE", 50)
    assert_frame_equal(price_index(frame, stores=STORES, label="format", draws=40), wanted, rel_tol=1e-12)


# ---- engines


def as_engine(frame, engine):
    if engine == "duckdb":
        connection = duckdb.connect()
        connection.register("sold", frame.to_arrow())
        return connection.sql("select * from sold")
    return {"lazy": frame.lazy, "pandas": frame.to_pandas, "arrow": frame.to_arrow}[engine]()


@pytest.mark.parametrize("engine", ["lazy", "pandas", "arrow", "duckdb"])
def test_every_engine_gives_the_same_prices(engine):
    frame = made(noise=0.3).with_columns(pl.col("household_id").cast(pl.String))
    sold_at, names = as_engine(frame, engine), {"stores": STORES, "label": "format"}
    assert_frame_equal(price_index(sold_at, **names), price_index(frame, **names), rel_tol=1e-9)
    stores = STORES.to_pandas() if engine == "pandas" else STORES
    assert_frame_equal(
        relative_prices(sold_at, stores, "grocer"), relative_prices(frame, STORES, "grocer"), rel_tol=1e-9
    )


def test_a_scan_of_a_file_is_read(tmp_path):
    made().write_parquet(tmp_path / "lines.parquet")
    assert_frame_equal(price_index(pl.scan_parquet(tmp_path / "lines.parquet")), price_index(made()))


# ---- intervals


def test_a_draw_is_the_index_of_the_households_drawn():
    """The interval is what lines repeated by the weights would give."""
    frame = made(households=8, noise=0.4)
    weights = sold.read_sold(frame, _whole, draw=_drawn).weights
    again = []
    for draw in weights[:, 1:].T.astype(int):
        home = pl.DataFrame({"household_id": range(8), "times": draw})
        repeated = (
            frame.join(home, on="household_id")
            .select(pl.exclude("times").repeat_by("times"))
            .explode(pl.all())
        )
        again.append(values(repeated.drop_nulls()))
    found = price_index(frame, draws=40, seed=3, alpha=0.1)
    ends = np.quantile(np.array(again), [0.05, 0.95], axis=0)
    assert found["low"].to_list() == pytest.approx(ends[0])
    assert found["high"].to_list() == pytest.approx(ends[1])


def _whole(dates):
    return pl.DataFrame({"date": dates.unique()}).with_columns(place=pl.lit(0, dtype=pl.Int64))


def _drawn(homes):
    return household_weights(len(homes), draws=40, seed=3, alpha=0.1)


def test_households_that_buy_alike_show_no_spread_and_so_does_one_alone():
    path = np.tile([1.0, 1.02, 0.97, 1.1], (6, 1))
    exact = price_index(made(path=path))
    assert exact["value"].to_list() == pytest.approx(path[0])
    assert exact["low"].to_list() == [1.0, None, None, None] == exact["high"].to_list()
    alone = price_index(made(path=path).filter(pl.col("household_id") == 0))
    assert alone["value"].to_list() == pytest.approx(path[0])
    assert alone["low"].null_count() == alone.height


def test_an_end_is_null_where_a_draw_has_nothing_to_match():
    found = price_index(lines([(1, 7, 1, "a", 1, 1.0), (1, 7, 2, "a", 1, 2.0), (2, 7, 1, "b", 1, 1.0)]))
    assert found["value"].to_list() == [1.0, 2.0]
    assert found["low"].to_list() == [1.0, None]


def test_intervals_cover_a_known_path_under_noise():
    """Nominal 90 %; prices differ by 15 % from household to household and month to month."""
    path = np.tile([1.0, 1.02, 0.97, 1.1], (6, 1))
    held = []
    for seed in range(150):
        found = price_index(
            made(seed=seed, households=80, noise=0.15, path=path), alpha=0.1, seed=seed, draws=100
        )
        low, high = (found[end].to_numpy()[1:] for end in ("low", "high"))
        held.append((low <= path[0, 1:]) & (path[0, 1:] <= high))
    assert 0.85 <= np.mean(held) <= 0.95


def test_the_county_keeps_its_injected_inflation(counties):
    """Sales of a tiny county times a path that all products share: the index is its own times the path."""
    county = counties()
    month = pl.col("sold_at").dt.month()
    path = 1.01 ** (month - 2) * pl.when(month > 5).then(1.05).otherwise(1.0)
    raised = county.lines.with_columns(pl.col("sales_usd") * path)
    before, after = quick(county.lines), quick(raised)
    known = before.select(pl.col("period").dt.month().alias("sold_at")).select(
        1.01 ** (pl.col("sold_at") - 2) * pl.when(pl.col("sold_at") > 5).then(1.05).otherwise(1.0)
    )
    assert (after["value"] / before["value"]).to_list() == pytest.approx(
        known.to_series().to_list(), rel=1e-9
    )


# ---- levels


def test_levels_match_a_product_within_a_period():
    """The Sphere sells in February alone, when bread is 2 everywhere; in January it was 1."""
    rows = [
        (1, 8, 1, "bread", 4, 4.0),
        (1, 8, 2, "bread", 1, 2.0),
        (1, 7, 2, "bread", 1, 3.0),
        (1, 7, 2, "meal", 1, 9.0),
    ]
    found = relative_prices(lines(rows), STORES, "grocer", intervals=False).row(0, named=True)
    assert found["value"] == pytest.approx(1.5)
    assert (found["matched_share"], found["matched_share_base"]) == pytest.approx((3 / 12, 2 / 6))
    assert found["products"] == 1
    over = relative_prices(lines(rows), STORES, "grocer", every=None, intervals=False).row(0, named=True)
    assert over["value"] == pytest.approx(3.0 / (6 / 5))
    assert over["matched_share_base"] == 1.0


@pytest.mark.parametrize("seed", [1, 3, 9])
def test_shares_are_never_above_one(seed):
    """Every product is matched, and sums over products and draws round otherwise than plain ones."""
    usd = np.random.default_rng(seed).uniform(0.5, 9, (2, 30)).round(2)
    sold = [(item % 2, item, float(usd[at, item]), at) for at in (0, 1) for item in range(30)]
    twice = lines([(home, 7, 1 + at, item, 1, price) for home, item, price, at in sold])
    assert price_index(twice, draws=40)["matched_share"].max() == 1.0
    both = lines([(home, 7 + at, 1, item, 1, price) for home, item, price, at in sold])
    levels = relative_prices(both, STORES, "grocer", draws=40)
    assert levels.select("matched_share", "matched_share_base").row(0) == (1.0, 1.0)


def test_levels_turn_round_with_the_base():
    frame = made(noise=0.4)
    there = relative_prices(frame, STORES, "grocer", intervals=False)["value"].item()
    back = relative_prices(frame, STORES, "sphere", intervals=False)["value"].item()
    assert there * back == pytest.approx(1.0)
    assert there != pytest.approx(1.0, abs=1e-4)


def test_a_label_that_shares_no_product_has_no_level():
    found = relative_prices(lines([(1, 7, 1, "a", 1, 1.0), (2, 8, 1, "b", 1, 1.0)]), STORES, "grocer")
    assert found.drop("label", "base").row(0) == (None, None, None, 0.0, 0.0, 0)


def test_the_countys_price_level_is_found(counties):
    """Spheres are 5 % dearer on the shelf by assumption; prices are in cents."""
    plain = {"store_price_spread": 0.0, "independent_price": 1.0, "grocer_response": 0.0}
    county = counties(**plain)
    found = relative_prices(county.lines, county.stores, "grocer", price="shelf", intervals=False)
    assert found["value"].item() == pytest.approx(1.05, abs=5e-4)
    assert 0 < found["matched_share"].item() < 0.5


# ---- refusals


def test_a_store_that_is_not_listed_is_named():
    with pytest.raises(ContractError, match="1 store-days were sold at stores .* does not list"):
        quick(TWO.head(1), stores=STORES.tail(1), label="format")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"formula": "drobisch"}, "`formula` is 'drobisch': choose one of 'fisher'"),
        ({"price": "list"}, "`price` is 'list'"),
        ({"label": "format"}, "`label` is given without `stores`"),
        ({"stores": STORES}, "`stores` is given without `label`"),
        ({"base": "soon"}, "`base` is 'soon': give a date"),
        ({"base": "2044-01-01"}, "`base` is 2044-01-01, and nothing was sold in its period"),
        ({"base": "2045-09-01"}, "nothing was sold in its period"),
        ({"every": "month"}, "`every` is 'month'"),
        ({"alpha": 2}, "`alpha` is 2"),
        ({"draws": 5}, "5 draws cannot show the tails"),
    ],
)
def test_a_wrong_argument_is_named(options, said):
    with pytest.raises(ContractError, match=said):
        price_index(TWO, **options)


def test_a_base_that_no_label_carries_is_named():
    with pytest.raises(ContractError, match="`base` is 'shop'.* there are: 'sphere'"):
        relative_prices(TWO, STORES, "shop")


def broken(**columns):
    return TWO.with_columns(
        **{
            name: pl.when(pl.int_range(pl.len()) == 1).then(value).otherwise(name)
            for name, value in columns.items()
        }
    )


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (TWO.clear(), "`lines` has no rows"),
        (TWO.drop("quantity"), "lacks the column `quantity`"),
        (
            broken(quantity=pl.lit(0)),
            "1 of 4 rows of the table `lines` have a `quantity` that is missing, zero",
        ),
        (broken(quantity=pl.lit(-2)), "1 of 4 .* `quantity`"),
        (broken(quantity=pl.lit(None)), "1 of 4 .* `quantity`"),
        (broken(quantity=pl.lit(float("nan"))), "1 of 4 .* `quantity`"),
        (broken(quantity=pl.lit(float("inf"))), "1 of 4 .* `quantity`"),
        (broken(sales_usd=pl.lit(-1.0)), "1 of 4 .* `sales_usd`"),
        (broken(sales_usd=pl.lit(None)), "1 of 4 .* `sales_usd`"),
        (broken(sales_usd=pl.lit(float("nan"))), "1 of 4 .* `sales_usd`"),
        (broken(discount_usd=pl.lit(-1.0)), "1 of 4 .* `discount_usd`"),
        (broken(product_id=pl.lit(None)), "1 of 4 .* no `product_id`"),
        (broken(household_id=pl.lit(None)), "1 of 4 .* no `household_id`"),
        (broken(store_id=pl.lit(None)), "1 of 4 .* no `store_id`"),
        (broken(sold_at=pl.lit(None)), "1 of 4 .* no `sold_at`"),
        (TWO.with_columns(pl.col("quantity").cast(pl.String)), "`quantity` .* is String"),
    ],
)
@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_lines_that_no_price_can_be_told_from_are_refused(frame, said, engine):
    with pytest.raises(ContractError, match=said):
        price_index(as_engine(frame, engine) if engine != "polars" else frame)
