"""What shopping looks like: hand-worked means, and identities."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from grocery_spheres.formats import department_mix, household_spread, shopping_profile, trading_hours
from grocery_spheres.tables import ContractError


def baskets():
    return pl.DataFrame(
        {
            "household_id": [1, 1, 1, 2],
            "store_id": [7, 7, 8, 7],
            "sold_at": [
                dt.datetime(2017, 1, 1, 16, 59),  # a Sunday
                dt.datetime(2017, 1, 2, 17),
                dt.datetime(2017, 1, 7, 9),  # a Saturday
                dt.datetime(2017, 1, 14, 23),  # a Saturday, day 14
            ],
            "lines": [2, 4, 6, 8],
            "sales_usd": [10.0, 20.0, 30.0, 40.0],
            "discount_usd": [0.0, 0.0, 0.0, 25.0],
        }
    ).with_columns(date=pl.col("sold_at").dt.date())


def value(measure):
    return shopping_profile(baskets()).filter(pl.col("measure") == measure)["value"].item()


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        ("baskets of a household", 4 / 2 / 2),  # two households, two weeks
        ("trip days of a household", 4 / 2 / 2),
        ("spending of a household", 100 / 2 / 2),
        ("value of a basket", 25.0),
        ("lines in a basket", 5.0),
        ("discount off the shelf price", 25 / 125),
        ("baskets on a weekend", 3 / 4),
        ("baskets from 17 h on", 2 / 4),
        ("stores of a household", 3 / 2),
    ],
)
def test_means_are_worked_by_hand(measure, expected):
    assert value(measure) == pytest.approx(expected)


def test_intervals_hold_their_value_and_come_from_the_seed():
    first, second = shopping_profile(baskets(), seed=1), shopping_profile(baskets(), seed=1)
    assert first.equals(second)
    assert ((first["low"] <= first["value"] + 1e-9) & (first["value"] <= first["high"] + 1e-9)).all()


def test_intervals_cover_the_true_mean_of_a_made_population():
    """Households buy 5 to 15 baskets of equal value: the interval of the mean covers it 19 times in 20."""
    held = []
    for seed in range(80):
        generator = np.random.default_rng(seed)
        counts = generator.integers(5, 16, size=100)
        who = np.repeat(np.arange(100), counts)
        day = dt.datetime(2017, 1, 1)
        made = pl.DataFrame({"household_id": who}).with_columns(
            store_id=pl.lit(1),
            sold_at=pl.lit(day),
            lines=pl.lit(1),
            sales_usd=pl.lit(1.0),
            discount_usd=pl.lit(0.0),
            date=pl.lit(day.date()),
        )
        row = shopping_profile(made).row(0, named=True)
        held.append(row["low"] <= 10 * 7 <= row["high"])
    assert 0.85 <= np.mean(held) <= 1.0


def test_no_baskets_is_an_error_not_a_table_of_nothing():
    with pytest.raises(ContractError, match="`baskets` has no rows"):
        shopping_profile(baskets().clear())


def test_hours_fill_the_week_and_add_to_one():
    hours = trading_hours(baskets())
    assert hours.height == 168
    assert hours["share"].sum() == pytest.approx(1.0)
    assert hours.filter(pl.col("baskets") > 0).select("weekday", "hour").rows() == [
        (1, 17),
        (6, 9),
        (6, 23),
        (7, 16),
    ]


def test_the_rush_is_at_five_on_the_public_clock(public_baskets):
    by_hour = trading_hours(public_baskets).group_by("hour").agg(pl.sum("share")).sort("share")
    assert by_hour["hour"][-1] == 17


def test_spread_counts_households_not_baskets():
    spread = household_spread(baskets(), [0.5])
    found = dict(spread.select("measure", "value").iter_rows())
    assert found["value of a basket"] == pytest.approx((20 + 40) / 2)
    assert found["days between trips"] == pytest.approx((1 + 5) / 2)  # household 2 has one trip only
    assert found["share of baskets at the main store"] == pytest.approx((2 / 3 + 1) / 2)


def test_department_shares_add_to_one_and_unknown_products_are_named():
    lines = pl.DataFrame({"product_id": [1, 2, 2, 9], "sales_usd": [1.0, 2.0, 3.0, 4.0]})
    products = pl.DataFrame({"product_id": [1, 2], "department": ["DELI", "MEAT"]})
    mix = department_mix(lines, products)
    assert dict(mix.select("department", "sales_usd").iter_rows()) == {
        "MEAT": 5.0,
        "unknown": 4.0,
        "DELI": 1.0,
    }
    assert mix["share"].sum() == pytest.approx(1.0)
