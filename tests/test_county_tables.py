"""What a county hands out meets the data contract, and every other part of the package can use it."""

from __future__ import annotations

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import grocery_spheres as gs
from grocery_spheres import provenance
from grocery_spheres.county import build
from grocery_spheres.county.households import HOUSEHOLD_STEP
from grocery_spheres.county.tables import BASKET_STEP
from grocery_spheres.tables import check_account


@pytest.fixture(scope="module")
def county(counties):
    return counties()


@pytest.fixture(scope="module")
def lines(county):
    return county.lines.collect()


# ---- the contract


@pytest.mark.parametrize("name", ["lines", "products", "stores", "households", "outages", "masked"])
def test_every_table_meets_the_contract(county, name):
    gs.check_table(getattr(county, name), name)


def test_the_account_of_rows_adds_up_and_is_that_of_the_lines(county, lines):
    check_account(county.account)
    out = county.account.filter(step="out")
    assert out["rows"].item() == lines.height
    assert out["sales_usd"].item() == pytest.approx(lines["sales_usd"].sum(), abs=0.005)


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("products", "product_id"),
        ("stores", "store_id"),
        ("households", "household_id"),
        ("outages", "store_id"),
    ],
)
def test_keys_are_unique_and_no_table_has_a_gap_in_them(county, table, key):
    keys = getattr(county, table)[key]
    assert keys.null_count() == 0
    assert keys.is_unique().all()


@pytest.mark.parametrize(
    ("table", "key"), [("products", "product_id"), ("stores", "store_id"), ("households", "household_id")]
)
def test_whatever_a_line_names_stands_in_its_table(county, lines, table, key):
    assert set(lines[key]) <= set(getattr(county, table)[key])


def test_no_line_lacks_a_value(lines):
    assert lines.null_count().sum_horizontal().item() == 0


def test_amounts_are_whole_cents_above_zero(lines):
    for name in ("sales_usd", "discount_usd"):
        cents = lines[name] * 100
        assert (cents - cents.round()).abs().max() < 1e-6
    assert (lines["sales_usd"] > 0).all()
    assert (lines["discount_usd"] >= 0).all()
    assert lines["quantity"].is_between(1, 4).all()


def test_households_shop_in_their_own_town_once_a_day_at_most(county, lines):
    towns = county.stores.select("store_id", store_town="town_id")
    known = lines.join(county.households, on="household_id").join(towns, on="store_id")
    assert (known["town_id"] == known["store_town"]).all()
    days = known.group_by("household_id", pl.col("sold_at").dt.date()).agg(pl.n_unique("basket_id"))
    assert (days["basket_id"] == 1).all()


def test_an_id_says_town_household_and_day(county, lines):
    day = (pl.col("sold_at").dt.date() - county.recipe.parameters.start).dt.total_days()
    ids = lines.select(
        basket=pl.col("basket_id") == pl.col("household_id") * BASKET_STEP + day,
    )
    assert ids["basket"].all()
    numbers = county.households.select(
        pl.col("household_id") - pl.col("town_id") * HOUSEHOLD_STEP
    ).to_series()
    assert set(numbers) == set(range(1, county.recipe.parameters.households + 1))


def test_sales_lie_within_the_record(county, lines):
    values = county.recipe.parameters
    dates = lines["sold_at"].dt.date()
    assert dates.min() == values.start
    assert dates.max() == values.end


# ---- what stands beside


def test_outages_are_those_of_the_towns(county):
    dark = county.towns.filter("outage")
    assert county.outages["store_id"].to_list() == [f"sphere-{town}" for town in dark["town_id"]]
    assert county.outages["share_down"].equals(dark["share_down"])
    assert set(county.outages["start"]) | set(county.outages["end"]) == {county.recipe.parameters.outage_date}


def test_every_store_has_its_months_while_it_is_there(county):
    values = county.recipe.parameters
    months = county.store_months.group_by("store_id").agg(pl.min("month"), pl.sum("days"))
    joined = county.stores.join(months, on="store_id", how="left")
    ends = pl.col("closed").fill_null(values.end)
    begins = pl.max_horizontal(
        pl.col("opened").dt.month_start().fill_null(values.start), pl.lit(values.start)
    )
    wanted = joined.with_columns(begins=begins, lasts=(ends - begins).dt.total_days() + 1)
    assert (wanted["month"] == wanted["begins"]).all()
    assert (wanted["days"] == wanted["lasts"]).all()


def test_weather_is_told_for_every_town_and_day(county):
    values = county.recipe.parameters
    days = (values.end - values.start).days + 1
    assert county.weather.height == values.towns * days
    assert county.weather.select("town_id", "date").is_unique().all()
    assert county.weather["wet_share"].is_between(0, 1).all()


def test_evidence_is_synthetic_and_the_card_is_there(county):
    assert county.evidence == "synthetic"
    assert provenance.card(county.name).evidence == "synthetic"


# ---- the doors that the questions use


def test_baskets_and_store_days_hold_the_same_sales(county, lines):
    baskets = gs.check_baskets(gs.baskets(county.lines)).collect()
    panel = gs.store_days(baskets, stores=county.stores, masked=county.masked)
    assert baskets["lines"].sum() == panel["lines"].sum() == lines.height
    assert panel["baskets"].sum() == baskets.height == lines["basket_id"].n_unique()
    assert panel["sales_usd"].sum() == pytest.approx(lines["sales_usd"].sum())
    assert set(panel["store_id"]) == set(county.stores["store_id"])


def test_a_sphere_has_days_from_its_opening_on(county):
    panel = gs.store_days(gs.baskets(county.lines).collect(), stores=county.stores)
    first = panel.group_by("store_id").agg(pl.min("date"))
    known = first.join(county.stores, on="store_id")
    begins = pl.max_horizontal(
        pl.col("opened").fill_null(county.recipe.parameters.start), pl.lit(county.recipe.parameters.start)
    )
    assert known.filter(pl.col("date") != begins).is_empty()


def test_households_weeks_and_the_profile_can_be_made(county):
    baskets = gs.baskets(county.lines).collect()
    weeks = gs.household_weeks(baskets, households=county.households)
    assert weeks["baskets"].sum() == baskets.height
    assert set(weeks["household_id"]) == set(county.households["household_id"])


def test_a_wholly_dark_sphere_has_a_day_without_baskets_in_the_panel(county):
    day = county.recipe.parameters.outage_date
    panel = gs.store_days(gs.baskets(county.lines).collect(), stores=county.stores).filter(date=day)
    dark = county.outages.filter(share_down=1)["store_id"]
    assert panel.filter(pl.col("store_id").is_in(dark.implode()))["baskets"].to_list() == [0] * len(dark)


# ---- asked for by name


def test_a_county_is_built_once_and_then_read(counties, tmp_path, monkeypatch):
    monkeypatch.setenv(provenance.DATA_VARIABLE, str(tmp_path))
    first = gs.county(seed=7, preset="small", **counties.TINY)
    monkeypatch.setattr(build, "write_tables", lambda *args, **kwargs: pytest.fail("built again"))
    again = gs.county(seed=7, **counties.TINY)
    assert_frame_equal(first.lines.collect(), again.lines.collect(), check_exact=True)
    assert_frame_equal(first.lines.collect(), counties().lines.collect(), check_exact=True)
    assert [path.name for path in tmp_path.iterdir()] == ["synthetic"]


def test_parameters_may_be_given_whole(counties, tmp_path, monkeypatch):
    monkeypatch.setenv(provenance.DATA_VARIABLE, str(tmp_path))
    values = counties.recipe().parameters
    assert gs.county(seed=7, parameters=values, habit=0.7).recipe.parameters == values.change(habit=0.7)
