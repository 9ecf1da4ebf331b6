"""The contract: what a frame must have, and how it is told what it lacks."""

import datetime as dt

import duckdb
import pandas as pd
import polars as pl
import pytest

from grocery_spheres.schema import TABLES
from grocery_spheres.tables import (
    ContractError,
    check_account,
    check_table,
    read_baskets,
    require_columns,
    to_polars,
)

LINE = {
    "household_id": [1],
    "store_id": ["a"],
    "basket_id": [10],
    "product_id": [100],
    "sold_at": [dt.datetime(2017, 3, 12, 1, 30)],
    "quantity": [2],
    "sales_usd": [3.5],
    "discount_usd": [0.0],
}


@pytest.mark.parametrize("wrap", [pl.DataFrame, pl.LazyFrame, pd.DataFrame], ids=["polars", "lazy", "pandas"])
def test_a_whole_table_passes_on_every_engine(wrap):
    check_table(wrap(LINE), "lines")


def test_duckdb_relations_pass_too():
    lines = pl.DataFrame(LINE)  # noqa: F841 - duckdb finds it by name
    check_table(duckdb.sql("select * from lines"), "lines")


@pytest.mark.parametrize("column", LINE)
def test_each_missing_column_is_named(column):
    with pytest.raises(ContractError, match=rf"`lines` lacks the column `{column}`.*It has: "):
        check_table(pl.DataFrame(LINE).drop(column), "lines")


def test_a_zone_aware_time_is_refused_with_the_way_out():
    aware = pl.DataFrame(LINE).with_columns(pl.col("sold_at").dt.replace_time_zone("UTC"))
    with pytest.raises(ContractError, match=r"`sold_at`.*'UTC'.*local clock.*convert_time_zone"):
        check_table(aware, "lines")


@pytest.mark.parametrize(
    ("column", "value", "kind"),
    [
        ("sales_usd", "3,50", "a number"),
        ("household_id", 1.5, "strings or integers"),
        ("sold_at", "2017-03-12 01:30", "a datetime without time zone"),
    ],
)
def test_a_column_of_the_wrong_kind_is_named(column, value, kind):
    with pytest.raises(ContractError, match=rf"`{column}`.*wants {kind}"):
        check_table(pl.DataFrame({**LINE, column: [value]}), "lines")


@pytest.mark.parametrize("name", [["banner"], 3, None])
def test_a_name_that_is_no_text_is_refused_with_the_columns_there_are(name):
    with pytest.raises(ContractError, match=r"names no column of the table `stores`.* 'store_id', 'banner'"):
        require_columns(["store_id", "banner"], ["store_id", name], "stores")


def test_lines_in_place_of_baskets_are_told_how_to_become_them():
    with pytest.raises(ContractError, match=r"`baskets` lacks the column `date` .*gs[.]baskets\(lines\)"):
        read_baskets(pl.DataFrame(LINE), ["household_id", "date"])
    with pytest.raises(ContractError, match=r"lacks the column `date` .*Rename or add the column"):
        read_baskets(pl.DataFrame(LINE).drop("product_id"), ["household_id", "date"])


def test_the_cure_of_a_zone_serves_pandas_too():
    aware = pd.DataFrame(LINE).assign(sold_at=lambda one: one["sold_at"].dt.tz_localize("UTC"))
    with pytest.raises(ContractError) as refusal:
        check_table(aware, "lines")
    cure = "frame['sold_at'].dt.tz_convert('America/New_York').dt.tz_localize(None)"
    assert cure in str(refusal.value)
    mended = aware.assign(sold_at=eval(cure, {"frame": aware}))
    check_table(mended, "lines")
    assert mended["sold_at"][0] == pd.Timestamp("2017-03-11 20:30")


def test_an_unknown_table_is_refused():
    with pytest.raises(ContractError, match="no table `sales`.*lines"):
        check_table(pl.DataFrame(LINE), "sales")


def test_optional_columns_may_be_missing_but_not_wrong():
    products = {"product_id": [1], "department": ["DELI"], "category": ["HAM"], "is_fuel": [False]}
    check_table(pl.DataFrame(products), "products")
    with pytest.raises(ContractError, match="`package_g`"):
        check_table(pl.DataFrame({**products, "package_g": ["12 OZ"]}), "products")


def test_every_column_of_the_contract_says_what_it_is():
    for name, schema in TABLES.items():
        assert schema, name
        assert all(column.meaning for column in schema.values())


def test_to_polars_collects_lazy_frames_and_takes_pandas():
    assert to_polars(pl.LazyFrame({"a": [1]})).equals(pl.DataFrame({"a": [1]}))
    assert to_polars(pd.DataFrame({"a": ["x"]}))["a"].to_list() == ["x"]


@pytest.mark.parametrize(("rows", "usd"), [([3, 1, 1], [9.0, 4.0, 5.0]), ([3, 1, 2], [9.0, 4.0, 4.9])])
def test_an_account_that_loses_rows_or_dollars_is_refused(rows, usd):
    steps = ["in", "set apart: fuel", "out"]
    with pytest.raises(ContractError, match="does not add up"):
        check_account(pl.DataFrame({"step": steps, "rows": rows, "sales_usd": usd}))


def test_baskets_come_in_with_plain_dates_and_only_what_is_needed():
    midnight = pd.DataFrame({"store_id": ["a"], "date": pd.to_datetime(["2017-03-12"]), "note": ["x"]})
    read = read_baskets(midnight, ["store_id", "date"])
    assert read.rows() == [("a", dt.date(2017, 3, 12))]


def test_a_zone_aware_date_is_refused_because_it_may_be_another_day():
    aware = pl.DataFrame({"date": [dt.datetime(2017, 3, 12, 22)]}).with_columns(
        pl.col("date").dt.replace_time_zone("UTC")
    )
    with pytest.raises(ContractError, match=r"`date`.*'UTC'"):
        read_baskets(aware, ["date"])


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("household_id", [1, None], "1 of 2 rows .* no `household_id`"),
        ("sales_usd", [1.0, float("nan")], "1 of 2 rows .* no `sales_usd`"),
        ("date", ["2017-03-12", "2017-03-13"], "`date` .* wants a date"),
        ("lines", [], "has no rows"),
    ],
)
def test_baskets_that_nothing_can_be_said_from_are_refused(column, values, words):
    with pytest.raises(ContractError, match=words):
        read_baskets(
            pl.DataFrame({column: values}, schema_overrides={"lines": pl.Int64} if not values else None),
            [column],
        )
