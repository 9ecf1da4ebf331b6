"""Whatever the assumptions: money adds up, closed stores sell nothing, and no state leaves its bounds.

Hypothesis changes some assumptions at once, within their plausible ranges or right to the enforced bounds.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

import grocery_spheres as gs
from grocery_spheres.county import simulate
from grocery_spheres.county.arms import ARMS, Arm
from grocery_spheres.county.assumptions import ParameterError, assumptions
from grocery_spheres.county.block import make_block
from grocery_spheres.county.build import write_tables
from grocery_spheres.county.load import read
from grocery_spheres.county.parameters import Parameters

DEFAULTS = Parameters()
SIZES = {"towns", "households", "never_towns", "cohorts", "burn_in_days", "settling_days"}
SPANS = {
    name: one
    for name, one in assumptions(Parameters).items()
    if isinstance(getattr(DEFAULTS, name), int | float) and name not in SIZES
}
PERIOD = {
    "start": dt.date(2045, 3, 1),
    "end": dt.date(2045, 7, 20),
    "closed_days": ("03-17", "06-01"),
    "burn_in_days": 190,
}

FEW = settings(max_examples=12, phases=[Phase.generate])  # a county an example: what fails is told unshrunk


def value_of(name):
    """Any value of an assumption's plausible range, its ends, and the bounds that are enforced."""
    one = SPANS[name]
    whole = isinstance(getattr(DEFAULTS, name), int)
    inside = st.integers(one.low, one.high) if whole else st.floats(one.low, one.high)
    ends = [end for end in (one.low, one.high, one.least, one.most) if end is not None]
    return st.one_of(inside, st.sampled_from(ends))


@st.composite
def changes(draw):
    """Up to eight assumptions changed at once."""
    names = draw(st.lists(st.sampled_from(sorted(SPANS)), max_size=8, unique=True))
    return {name: draw(value_of(name)) for name in names}


def recipe_or_reject(counties, seed, arm="factual", **changed):
    try:
        return counties.recipe(seed, arm, **{**PERIOD, **changed})
    except ParameterError:
        assume(False)


# ---- the states of households


def check_state(day, memory):
    state = memory.state
    assert np.isfinite(state.stock).all()
    assert (state.stock >= 0).all()
    assert (abs(state.habit.sum(axis=0) - 1) < 1e-9).all()
    assert (state.habit >= 0).all()
    assert ((state.belief >= 0) & (state.belief <= 1)).all()
    assert np.isfinite(state.pull).all()


def sphere_rows(baskets):
    return set(baskets.rows[baskets.slot == 0].tolist())


@FEW
@given(changed=changes(), seed=st.integers(0, 2**32))
def test_states_stay_in_bounds_and_an_outage_only_takes_from_spheres(counties, changed, seed):
    recipe = recipe_or_reject(counties, seed, **changed)
    block = make_block(recipe.world, np.arange(1, 9))
    memory = simulate.burn_in(block, Arm())
    outage = recipe.parameters.outage_date.toordinal()
    first = recipe.parameters.start.toordinal()
    for month in simulate.months(block, Arm(), memory, first, outage - 1, watch=check_state):
        assert np.isfinite(month.usd).all()
    check_state(outage, memory)
    with_it = simulate.live(block, Arm(), memory.copy(), outage, outage)
    without = simulate.live(block, ARMS["no outage"], memory, outage, outage)
    assert sphere_rows(with_it) <= sphere_rows(without)
    kept = ~np.isin(without.rows, [*sphere_rows(without) - sphere_rows(with_it)])
    shopped = dict(zip(with_it.rows.tolist(), with_it.slot.tolist(), strict=True))
    for row, slot in zip(without.rows[kept].tolist(), without.slot[kept].tolist(), strict=True):
        assert shopped[row] == slot


# ---- the tables


def check_money(county, baskets):
    """Lines add to baskets, baskets to store-months, to the cent."""
    lines = county.lines.collect()
    assert (lines["sales_usd"] > 0).all()
    assert (lines["discount_usd"] >= 0).all()
    assert (lines["quantity"] >= 1).all()
    cents = (pl.col("sales_usd") * 100).round().cast(pl.Int64).sum()
    assert baskets["lines"].sum() == lines.height
    assert baskets.select(cents).item() == lines.select(cents).item()
    sold = baskets.group_by(
        "store_id", month=pl.max_horizontal(pl.col("date").dt.month_start(), PERIOD["start"])
    )
    by_month = sold.agg(
        cents=cents, baskets_sold=pl.len().cast(pl.Int64), lines_sold=pl.col("lines").sum().cast(pl.Int64)
    )
    booked = county.store_months.join(by_month, on=["store_id", "month"], how="full", coalesce=True)
    assert booked["days"].null_count() == 0
    filled = booked.with_columns(pl.col("cents", "baskets_sold", "lines_sold").fill_null(0))
    assert ((filled["sales_usd"] * 100).round().cast(pl.Int64) == filled["cents"]).all()
    assert (filled["baskets"] == filled["baskets_sold"]).all()
    assert (filled["lines"] == filled["lines_sold"]).all()


def check_closed(county, baskets):
    """Nothing is sold before the opening, after the closing, on closing days, or in the dark."""
    values = county.recipe.parameters
    known = baskets.join(county.stores, on="store_id", how="left").join(
        county.outages, on="store_id", how="left"
    )
    assert known["format"].null_count() == 0
    assert known.filter(pl.col("date") < pl.col("opened")).is_empty()
    assert known.filter(pl.col("date") > pl.col("closed")).is_empty()
    assert known.filter(pl.col("date").dt.strftime("%m-%d").is_in(values.closed_days)).is_empty()
    on_the_day = known.filter(pl.col("date").is_between("start", "end"))
    assert on_the_day.filter(pl.col("share_down") == 1).is_empty()
    depth = county.towns.select("town_id", "depth")
    in_the_dark = on_the_day.join(depth, on="town_id").filter(
        pl.col("depth") == 1, pl.col("sold_at").dt.hour().is_between("dark_from", "dark_until", closed="left")
    )
    assert in_the_dark.is_empty()


@FEW
@given(changed=changes(), seed=st.integers(0, 2**32), arm=st.sampled_from(sorted(ARMS)))
def test_money_adds_up_and_closed_stores_sell_nothing(counties, tmp_path_factory, changed, seed, arm):
    recipe = recipe_or_reject(counties, seed, arm, **changed)
    folder = tmp_path_factory.mktemp("county")
    write_tables(recipe, folder)
    county = read(recipe, folder)
    baskets = gs.check_baskets(gs.baskets(county.lines)).collect()
    check_money(county, baskets)
    check_closed(county, baskets)


# ---- worlds that hypothesis would seldom hit


POOR = {**PERIOD, "cushion": -0.1, "cushion_spread": 0.2, "patience": 2, "tolerance": 0.1}


@pytest.fixture(scope="module")
def closing(counties):
    """A county in which many grocers cannot pay their way; all books are closed on record."""
    return counties(first_entry=PERIOD["start"], last_entry=dt.date(2045, 4, 10), **POOR)


def test_grocers_that_close_sell_nothing_afterwards(closing):
    closed = closing.stores.filter(pl.col("closed").is_not_null())
    assert 0 < closed.height < closing.stores.height
    assert set(closed["format"]) == {"grocer"}
    check_closed(closing, gs.baskets(closing.lines).collect())
    last = closing.store_months.group_by("store_id").agg(
        pl.col("closes").last(), pl.col("closes").sum().alias("n")
    )
    assert set(last.filter("closes")["store_id"]) == set(closed["store_id"])
    assert last["n"].max() == 1


def test_a_grocer_closes_after_months_of_loss_and_not_before(closing):
    values = closing.recipe.parameters
    grocers = closing.store_months.filter(pl.col("profit_usd").is_not_null()).sort("month")
    recent = grocers.with_columns(
        pl.col("profit_usd", "fixed_cost_usd")
        .rolling_sum(values.patience)
        .over("store_id")
        .name.prefix("recent_")
    )
    loses = pl.col("recent_profit_usd") < -values.tolerance * pl.col("recent_fixed_cost_usd")
    assert grocers["closes"].any()
    assert recent.filter(loses.fill_null(False) != pl.col("closes")).is_empty()


def test_grocers_that_close_before_the_record_are_listed_and_sell_nothing_on_it(counties):
    county = counties(**POOR)
    before = county.stores.filter(pl.col("closed") < PERIOD["start"])["store_id"]
    assert len(before) > 0
    assert not set(before) & set(county.store_months["store_id"])
    assert not set(before) & set(county.lines.select("store_id").collect()["store_id"])


def test_contribution_and_profit_follow_from_sales(closing):
    values = closing.recipe.parameters
    months = closing.store_months
    grocers, spheres = (
        months.filter(pl.col("profit_usd").is_not_null()),
        months.filter(pl.col("profit_usd").is_null()),
    )
    earned = grocers["sales_usd"].to_numpy() * values.town_scale * (values.margin - values.handling)
    assert grocers["contribution_usd"].to_numpy() == pytest.approx(earned)
    assert grocers["profit_usd"].to_numpy() == pytest.approx(earned - grocers["fixed_cost_usd"].to_numpy())
    assert spheres["store_id"].str.starts_with("sphere").all()


def test_a_store_closed_within_the_record_closed_within_the_record(closing):
    assert closing.stores["closed"].drop_nulls().max() <= closing.recipe.parameters.end


def test_the_cheapest_goods_still_cost_something(counties):
    county = counties(sphere_price=0.01, independent_price=0.01, depths=(0.9,), **PERIOD)
    lines = county.lines.select(pl.col("sales_usd").min(), pl.col("discount_usd").min()).collect()
    assert lines["sales_usd"].item() > 0
    assert lines["discount_usd"].item() >= 0


def test_a_county_in_which_nobody_shops_has_tables_without_rows(counties):
    county = counties(households=1, trip_chance=1e-4, trip_spread=0.0, **PERIOD)
    assert county.lines.collect().is_empty()
    gs.check_table(county.lines, "lines")


@pytest.mark.parametrize("checked", [check_money, check_closed])
def test_the_checks_find_what_they_look_for(counties, checked):
    county = counties(**PERIOD)
    baskets = gs.baskets(county.lines).collect()
    checked(county, baskets)
    wrong = {
        check_money: baskets.with_columns(pl.col("sales_usd") + 0.01),
        check_closed: baskets.with_columns(date=pl.lit(PERIOD["start"].replace(day=17))),
    }
    with pytest.raises(AssertionError):
        checked(county, wrong[checked])
