"""Sums over households: a draw of them equals rows drawn again, and what cannot be told is null."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grocery_spheres.formats.resampling import household_weights
from grocery_spheres.formats.shoppers import (
    draw,
    read_households,
    read_shoppers,
    refuse_strangers,
    side_by_side,
)
from grocery_spheres.formats.sums import Interval, household_sums, percentiles, resampled, tidied
from grocery_spheres.tables import ContractError

ROWS = pl.DataFrame(
    {"household_id": [1, 1, 2, 3], "label": ["a", "b", "a", None], "usd": [1.0, 2.0, 4.0, 8.0]}
)
HOMES = pl.Series([3, 1, 2, 9])


def share(sums):
    return sums[..., :1] / sums.sum(axis=-1, keepdims=True)


def test_households_and_cells_stand_in_their_order():
    sums, cells = household_sums(ROWS, HOMES, ["label"], "usd")
    assert cells["label"].to_list() == [None, "a", "b"]
    assert sums.toarray().tolist() == [[8, 0, 0], [0, 1, 2], [0, 4, 0], [0, 0, 0]]


def test_cells_may_be_named_also_those_in_which_nothing_stands():
    known = pl.DataFrame({"label": ["b", "c", "a"]})
    sums, cells = household_sums(ROWS, HOMES, ["label"], "usd", known)
    assert cells["label"].to_list() == ["b", "c", "a"]
    assert sums.toarray().sum(axis=0).tolist() == [2, 0, 5]


def test_columns_stand_side_by_side():
    known = pl.DataFrame({"label": ["a", "b"]})
    both = side_by_side(ROWS.with_columns(one=1), HOMES, known, ["usd", "one"])
    assert both.toarray().sum(axis=0).tolist() == [5, 2, 2, 1]


@given(st.integers(0, 10_000))
def test_a_draw_of_households_equals_their_rows_drawn_again(seed):
    rng = np.random.default_rng(seed)
    rows = pl.DataFrame(
        {
            "household_id": rng.integers(0, 6, 30),
            "label": rng.choice(["a", "b"], 30),
            "usd": rng.integers(1, 9, 30).astype(float),
        }
    )
    homes = pl.Series(range(6))
    weights = household_weights(6, draws=40, seed=seed, alpha=0.1)
    sums, _ = household_sums(rows, homes, ["label"], "usd", pl.DataFrame({"label": ["a", "b"]}))
    again = []
    for times in weights:
        repeated = np.repeat(np.arange(6), times.astype(int))
        drawn = pl.DataFrame({"household_id": repeated}).join(rows, on="household_id")
        again.append(drawn.select(pl.col("usd").filter(label="a").sum() / pl.sum("usd")).item())
    found = resampled(sums, share, weights, 0.1)
    if np.isfinite(again).all():
        assert [found.low[0], found.high[0]] == pytest.approx(np.quantile(again, [0.05, 0.95]))
    else:
        assert np.isnan(found.low[0])
        assert np.isnan(found.high[0])


def test_sparse_and_dense_sums_give_the_same():
    sums, _ = household_sums(ROWS, HOMES, ["label"], "usd")
    weights = household_weights(4, draws=40, seed=3, alpha=0.1) + 1
    thin, thick = (resampled(one, share, weights, 0.1) for one in (sums, sums.toarray()))
    assert [*thin.value, *thin.low, *thin.high] == pytest.approx([*thick.value, *thick.low, *thick.high])


def test_ends_are_not_told_where_a_draw_has_no_value():
    found = percentiles(np.array([1.0, 2.0]), np.array([[1.0, 2.0], [np.nan, 3.0], [1.0, np.inf]]), 0.5)
    assert np.isnan(found.low).all()
    assert np.isnan(found.high).all()
    assert found.value.tolist() == [1.0, 2.0]


def test_rows_are_told_cell_by_cell_and_what_cannot_be_told_is_null():
    value = np.array([1.0, np.nan, 2.0, np.inf])
    found = Interval(value, np.array([0.5, np.nan, 2.0, np.nan]), np.array([1.5, np.nan, 2.0, np.nan]))
    rows = tidied(pl.DataFrame({"label": ["a", "b"]}), {"sales": "USD", "share": "share"}, found)
    assert rows.rows() == [
        ("a", "sales", "USD", 1.0, 0.5, 1.5),
        ("a", "share", "share", 2.0, None, None),  # all draws agree
        ("b", "sales", "USD", None, None, None),
        ("b", "share", "share", None, None, None),
    ]


# ---- the door


BASKETS = pl.DataFrame(
    {
        "household_id": ["x", "y", "x"],
        "store_id": [7, 8, 8],
        "date": ["2045-01-01", "2045-01-02", "2045-01-03"],
        "sales_usd": [1.0, 2.0, 3.0],
    }
).with_columns(pl.col("date").str.to_date())
STORES = pl.DataFrame({"store_id": [7, 8, 9], "format": ["sphere", "grocer", "drone"]})


def test_buyers_come_first_and_those_who_never_bought_are_counted():
    listed = pl.DataFrame({"household_id": ["z", "y", "w", "x"]})
    bought = read_shoppers(BASKETS, STORES, households=listed)
    assert bought.baskets["household_id"].to_list() == [0, 1, 0]
    assert (bought.homes.to_list(), bought.buyers.to_list()) == ([0, 1, 2, 3], ["x", "y"])
    assert bought.labels == ["drone", "grocer", "sphere"]


def test_no_draws_without_intervals_or_of_one_household():
    options = {"draws": 40, "seed": 1, "alpha": 0.1}
    assert draw(pl.Series([1, 2]), intervals=False, **options) is None
    assert draw(pl.Series([1]), intervals=True, **options) is None
    with pytest.raises(ContractError, match="19 draws"):
        draw(pl.Series([1]), intervals=True, draws=19, seed=1, alpha=0.1)


@pytest.mark.parametrize(
    ("baskets", "said"),
    [
        (BASKETS.clear(), "`baskets` has no rows"),
        (BASKETS.drop("date"), "lacks the column `date`"),
        (BASKETS.with_columns(sales_usd=pl.lit(None, dtype=pl.Float64)), "have no `sales_usd`"),
        (BASKETS.with_columns(sales_usd=pl.lit(float("nan"))), "have no `sales_usd`"),
        (BASKETS.with_columns(sales_usd=pl.lit("5")), "`sales_usd` .* a number"),
        (BASKETS.with_columns(sales_usd=pl.col("sales_usd") - 2.5), "2 of 3 rows .* negative or infinite"),
        (BASKETS.with_columns(sales_usd=pl.lit(float("inf"))), "3 of 3 rows .* infinite `sales_usd`"),
        (BASKETS.with_columns(household_id=pl.lit(None, dtype=pl.String)), "have no `household_id`"),
        (BASKETS.with_columns(store_id=pl.lit(5)), "does not list"),
    ],
)
def test_baskets_that_nothing_can_be_compared_by_are_refused(baskets, said):
    with pytest.raises(ContractError, match=said):
        read_shoppers(baskets, STORES)


@pytest.mark.parametrize(
    ("households", "said"),
    [
        ({"id": ["x", "y"]}, "`households` lacks the column `household_id`"),
        ({"household_id": ["x", "y", None]}, "1 of 3 rows .* have no `household_id`"),
        ({"household_id": ["x", "y", "x"]}, "lists household_id 'x' twice"),
        ({"household_id": ["x"]}, "1 households with baskets are not in .*'y'"),
        ({"household_id": [1, 2]}, "never mixed"),
    ],
)
def test_households_that_are_no_base_are_refused(households, said):
    with pytest.raises(ContractError, match=said):
        read_shoppers(BASKETS, STORES, households=pl.DataFrame(households))


def test_households_of_another_width_meet_their_buyers():
    refuse_strangers(pl.Series([1, 900]), pl.Series([1], dtype=pl.Int8))
    with pytest.raises(ContractError, match="1 households .* 2"):
        refuse_strangers(pl.Series([1, 900]), pl.Series([1, 2], dtype=pl.Int8))


def test_the_id_itself_may_be_a_column_that_is_needed():
    assert read_households(pl.DataFrame({"household_id": [1]}), ["household_id"]).rows() == [(1,)]
