"""When people shop, what they buy, how far households differ: hand-worked values, and identities."""

import datetime as dt

import polars as pl
import pytest

import grocery_spheres as gs
from grocery_spheres import formats
from grocery_spheres.formats import department_mix, household_spread, trading_hours
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


@pytest.mark.parametrize("question", [trading_hours, household_spread])
def test_no_baskets_is_an_error_not_a_table_of_nothing(question):
    with pytest.raises(ContractError, match="`baskets` has no rows"):
        question(baskets().clear())


def test_the_questions_stand_at_the_door_of_the_package():
    assert gs.shopping_profile is formats.shopping_profile
    assert all(hasattr(formats, name) for name in formats.__all__)
    assert formats.QUANTILES[2] == 0.5
