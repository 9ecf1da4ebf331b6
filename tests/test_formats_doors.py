"""What is no table, no share and no whole number is refused in plain words, whatever question is asked."""

import datetime as dt
import re
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pytest

from grocery_spheres import formats
from grocery_spheres.formats.doors import check_draws, taken
from grocery_spheres.tables import ContractError

DAYS = [dt.date(2045, 1, 1), dt.date(2045, 1, 2)] * 4
IDS = {"household_id": [1, 1, 2, 2, 3, 3, 4, 4], "store_id": [7, 8, 8, 7, 7, 7, 8, 8]}
BASKETS = pl.DataFrame({**IDS, "date": DAYS, "lines": 1, "sales_usd": [5.0, 6.0, 7.0, 8.0] * 2})
LINES = BASKETS.select(
    "household_id",
    "store_id",
    "sales_usd",
    basket_id=pl.int_range(pl.len()),
    product_id=1,
    sold_at=pl.col("date").cast(pl.Datetime("us")),
    quantity=1,
    discount_usd=0.0,
)
GIVEN = {
    "baskets": BASKETS,
    "lines": LINES,
    "stores": pl.DataFrame({"store_id": [7, 8], "format": ["sphere", "grocer"], "town_id": [1, 1]}),
    "households": pl.DataFrame({"household_id": [1, 2, 3, 4], "income": ["low", "low", "high", "high"]}),
    "products": pl.DataFrame({"product_id": [1], "department": ["bread"]}),
}
WINDOWS = {"before": (DAYS[0], DAYS[0]), "after": (DAYS[1], DAYS[1])}
FORMAT = {"label": "format"}
ASKED = {
    "sales_over_time": (("baskets", "stores", "households"), {}),
    "compare_formats": (("baskets", "stores", "households"), {}),
    "concentration": (("baskets", "stores"), {}),
    "customer_flows": (("baskets", "stores"), WINDOWS),
    "adjusted_difference": (("baskets", "stores", "households"), {"base": "grocer", "other": "sphere"}),
    "department_shares": (("lines", "products", "stores"), {}),
    "share_of_spend": (
        ("lines", "products", "stores", "households"),
        {"departments": ["bread"], "by": "income", **FORMAT},
    ),
    "price_index": (("lines", "stores"), FORMAT),
    "relative_prices": (("lines", "stores"), {"base": "grocer"}),
    "decompose_growth": (("lines", "stores"), {**WINDOWS, **FORMAT}),
    "shopping_profile": (("lines", "products"), {}),
}
ALONE = {
    "trading_hours": ("baskets",),
    "household_spread": ("baskets",),
    "department_mix": ("lines", "products"),
    "compare_profiles": ("target", "reached"),
}
TABLES = [(name, table) for name, (tables, _) in ASKED.items() for table in tables]


def ask(name, **instead):
    tables, options = ASKED[name]
    return getattr(formats, name)(**{**{table: GIVEN[table] for table in tables}, **options, **instead})


@pytest.mark.parametrize("name", ASKED)
def test_every_question_answers_plain_tables_and_numpy_numbers(name):
    assert ask(name, draws=np.int64(40), seed=np.int32(3), alpha=np.float64(0.05)).height


WRONG = [
    ("alpha", ["x", None, True, float("nan"), 1.0], "between 0 and 1"),
    ("draws", [40.5, "many", None], "a whole number, 40 or more"),
    ("seed", [-1, "a", 1.5, None], "a whole number, 0 or above"),
]


@pytest.mark.parametrize(("argument", "values", "allowed"), WRONG)
def test_draws_that_are_none_are_refused(argument, values, allowed):
    for value in values:
        with pytest.raises(ContractError) as refused:
            check_draws(**{"draws": 40, "seed": 1, "alpha": 0.05, argument: value})
        assert f"`{argument}` is {value!r}" in str(refused.value)
        assert allowed in str(refused.value)


@pytest.mark.parametrize(("argument", "value"), [("alpha", "x"), ("draws", 40.5), ("seed", "a")])
@pytest.mark.parametrize("name", ASKED)
def test_every_question_checks_its_draws(name, argument, value):
    with pytest.raises(ContractError, match=f"`{argument}` is {value!r}: give"):
        ask(name, **{argument: value})


def test_the_fewest_draws_are_two_by_alpha():
    check_draws(draws=40, seed=0, alpha=0.05)
    check_draws(draws=29, seed=0, alpha=0.07)
    check_draws(draws=20, seed=0, alpha=Fraction(1, 10))
    for draws, alpha, least in ((39, 0.05, 40), (28, 0.07, 29), (-1, 0.5, 4), (40, 1e-320, "inf")):
        with pytest.raises(ContractError, match=f"{draws} draws cannot .* at least {least}"):
            check_draws(draws=draws, seed=0, alpha=alpha)


@pytest.mark.parametrize("value", [[1], pl.Series([1])], ids=["list", "Series"])
@pytest.mark.parametrize(("name", "table"), TABLES)
def test_every_question_refuses_what_is_no_table(name, table, value):
    with pytest.raises(ContractError, match=f"`{table}` is .*{type(value).__name__}.*a table is wanted"):
        ask(name, **{table: value})


@pytest.mark.parametrize("name", ALONE)
def test_the_others_refuse_it_too(name):
    with pytest.raises(ContractError, match="a table is wanted"):
        getattr(formats, name)(*[[1] for _ in ALONE[name]])


@pytest.mark.parametrize(("name", "table"), TABLES)
def test_pandas_ids_of_mixed_kinds_are_refused(name, table):
    frame = GIVEN[table].to_pandas()
    key = next(one for one in ("household_id", "store_id", "product_id") if one in frame)
    frame[key] = pd.Series([*frame[key][:-1], "b"], dtype=object)
    if len(frame) == 1:
        frame = pd.concat([frame, GIVEN[table].to_pandas()], ignore_index=True)
    with pytest.raises(ContractError, match=f"`{key}` of the table `{table}` mixes int and str"):
        ask(name, **{table: frame})


@pytest.mark.parametrize("name", [name for name, table in TABLES if table == "lines"])
def test_an_object_column_is_judged_by_what_it_holds(name):
    frame = LINES.to_pandas()
    assert ask(name, lines=frame.astype({"store_id": object})).height
    halves = pd.Series(np.arange(len(frame)) + 0.5, dtype=object)
    with pytest.raises(ContractError, match="`product_id` of the table `lines` is Float64"):
        ask(name, lines=frame.assign(product_id=halves))


@pytest.mark.parametrize("value", [None, {"a": [1]}, 5, "stores.csv"])
def test_what_is_no_table_is_shown(value):
    with pytest.raises(
        ContractError, match=re.escape(f"`stores` is {value!r} ({type(value).__name__}), and a")
    ):
        taken(value, "stores")


def test_a_column_name_that_stands_twice_is_refused():
    with pytest.raises(ContractError, match="`stores` has two columns of the same name"):
        taken(pd.DataFrame([[1, 2]], columns=["store_id", "store_id"]), "stores")


@pytest.mark.parametrize(
    ("argument", "value", "said"),
    [
        ("price_level", "x", "`price_level` is 'x': give a number above zero"),
        ("stores", [7, "b"], "ids are strings or integers, never mixed"),
    ],
)
def test_a_profile_refuses_its_own_slips(argument, value, said):
    with pytest.raises(ContractError, match=said):
        ask("shopping_profile", **{argument: value})
