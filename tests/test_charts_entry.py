"""Rows and pictures of entry: nothing is lost, the truth is the truth tables', and each picture draws."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

import grocery_spheres as gs
from grocery_spheres.charts import entry_2045, entry_counts, proof_rows, theme
from grocery_spheres.charts import entry_rows as rows
from grocery_spheres.county.world import GROCER
from grocery_spheres.tables import ContractError

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # of few towns
WINDOW = (-3, 12)


@pytest.fixture(scope="module")
def county():
    return gs.county(seed=7, preset="small")


@pytest.fixture(scope="module")
def panel(county):
    return rows.grocers_by_town(county, gs.store_days(gs.baskets(county.lines), stores=county.stores))


@pytest.fixture(scope="module")
def effects(county):
    return rows.true_effects(county)


@pytest.fixture(scope="module")
def found(panel):
    return gs.estimate_entry(
        panel, unit="town_id", time="period", first_treated="entry", outcome="usd_week", draws=199
    )


@pytest.fixture(scope="module")
def fate(county):
    values = county.recipe.parameters
    return gs.compare_survival(
        rows.grocers_with_fate(county), group="group", base=rows.NEVER, start=values.start, end=values.end
    )


def test_no_town_and_no_dollar_is_lost(county, panel):
    homes = county.recipe.parameters.households
    usd = (panel["usd_week"] * panel["days"] / 7 * homes).sum()
    grocers = county.stores.filter(pl.col("format") == GROCER)["store_id"].implode()
    sold = county.lines.filter(pl.col("store_id").is_in(grocers)).select(pl.sum("sales_usd")).collect().item()
    assert usd == pytest.approx(sold, rel=1e-6)
    assert panel.group_by("town_id").len()["len"].to_list() == [24] * 12
    assert panel["entry"].null_count() == 3 * 24


def test_the_panel_of_lines_is_that_of_the_truths_factual_arm(county, panel):
    days = county.truth("store_days").filter(pl.col("arm") == "factual")
    same = rows.grocers_by_town(county, days)
    assert same["usd_week"].to_list() == pytest.approx(panel["usd_week"].to_list(), abs=1e-6)


def test_before_its_sphere_opens_a_town_has_no_effect_and_afterwards_it_is_the_truth_tables(county, effects):
    assert (effects.filter(pl.col("event_month") < 0)["effect"] == 0).all()
    homes = county.recipe.parameters.households
    days = pl.col("period").dt.month_end().dt.day()
    usd = effects.select((pl.col("effect") * homes * days / 7).sum()).item()
    att = county.truth("att").filter(pl.col("cause") == "sphere", pl.col("format") == GROCER)
    assert usd == pytest.approx((att["sales_usd"] * att["stores"]).sum(), rel=1e-6)


def test_each_month_of_the_window_has_estimate_and_truth(found, effects):
    shown = rows.effect_rows(found, effects, WINDOW)
    assert shown["month since entry"].to_list() == list(range(-3, 13))
    after = effects.filter(pl.col("event_month") == 5)["effect"].mean()
    assert shown.filter(pl.col("month since entry") == 5)["truth"].item() == pytest.approx(after, abs=1e-5)


def test_an_estimate_of_another_county_has_no_truth_beside_it(found, effects):
    with pytest.raises(ContractError, match="different counties"):
        rows.effect_rows(found, effects.filter(pl.col("event_month") < 3), WINDOW)


def test_the_dashed_curve_ends_where_the_arm_without_spheres_does(county, fate):
    drawn = rows.survival_rows(fate, county)
    truth = drawn.filter(pl.col("line").str.starts_with("the same towns")).sort("months")
    counted = entry_counts.survival_counts(fate, county)
    reached = rows.grocers_with_fate(county).filter("came").height
    otherwise = counted["entry.closed_otherwise"][0]
    assert truth["share"][-1] == pytest.approx(100 * (1 - otherwise / reached))
    assert truth["share"][0] == 100
    assert counted["entry.survival_truth"][0] == pytest.approx(
        (otherwise - counted["entry.closed"][0]) / reached
    )


def test_plain_differences_are_of_the_months_that_they_name():
    months = [dt.date(2044, 1, 1), dt.date(2044, 6, 1), dt.date(2045, 7, 1)]
    made = pl.DataFrame(
        {
            "town_id": [1, 1, 1, 2, 2, 2],
            "period": months * 2,
            "entry": [dt.date(2044, 5, 1)] * 3 + [None] * 3,
            "usd_week": [10.0, 99.0, 4.0, 8.0, 99.0, 9.0],
        }
    )
    found = {name: value for name, (value, _) in entry_counts.raw_counts(made).items()}
    assert found == {
        "entry.usd_never": 9.0,
        "entry.raw_early": 2.0,
        "entry.raw_late": -5.0,
        "entry.raw_change": -6.0,
    }


def test_the_counts_are_those_of_the_estimate(found, effects, panel):
    counted = entry_counts.effect_counts(found, effects, found)
    assert counted["entry.att"][:3] == (found.att, *found.conf_int())
    after = effects.filter(pl.col("event_month") >= 0)
    assert counted["entry.truth"][0] == pytest.approx(after["effect"].mean())
    assert counted["entry.truth_share"][0] == pytest.approx(after["effect"].mean() / after["without"].mean())


def test_what_spheres_sell_is_held_against_what_grocers_lost_in_truth(county, effects):
    days = gs.store_days(gs.baskets(county.lines), stores=county.stores).collect()
    counted = {name: value for name, (value, _) in entry_counts.source_counts(county, days, effects).items()}
    spheres = county.stores.filter(pl.col("format") == "sphere")["store_id"].implode()
    late = days.filter(pl.col("date") >= entry_counts.HALF_YEAR, pl.col("store_id").is_in(spheres))
    homes = county.recipe.parameters.households * late["store_id"].n_unique()
    of_months = (pl.sum("sales_usd") / pl.col("date").n_unique() * 7 / homes).alias("usd")
    usd = late.group_by(pl.col("date").dt.month_start().alias("month")).agg(of_months)["usd"].mean()
    assert counted["entry.spheres_usd"] == pytest.approx(usd, rel=1e-3)  # shut days have no row
    assert counted["entry.truth_late"] < 0
    lost = -counted["entry.truth_late"] / counted["entry.spheres_usd"]
    assert counted["entry.not_from_grocers"] == pytest.approx(1 - lost)


def test_stores_that_close_in_both_arms_are_among_those_of_each(county, fate):
    counted = entry_counts.survival_counts(fate, county)
    both = counted["entry.closed_both"][0]
    assert 0 <= both <= min(counted["entry.closed"][0], counted["entry.closed_otherwise"][0])
    reached = rows.grocers_with_fate(county).filter("came", pl.col("closed").is_not_null())
    never = county.truth("store_months").filter(pl.col("arm") == rows.NO_SPHERE, "closes")["store_id"]
    assert both == len(set(reached["store_id"]) & set(never))


def test_the_interval_of_a_line_that_never_falls_begins_at_its_beginning():
    flat = pl.DataFrame({"months": [0.0, 9.0, 24.0], "share": [100.0] * 3, "low": [100.0, 92.0, 91.0]})
    assert rows._from_zero(flat)["low"].to_list() == [92.0, 92.0, 91.0]
    falling = flat.with_columns(share=pl.Series([100.0, 99.0, 98.0]))
    assert rows._from_zero(falling)["low"].to_list() == [100.0, 92.0, 91.0]


WATCHED = {"start": "2044-01-01", "end": "2045-12-31"}


def test_where_no_grocer_closed_alone_readers_are_told_so_in_words():
    came, later = dt.date(2044, 6, 1), dt.date(2045, 3, 1)
    grocers = pl.DataFrame(
        {
            "store_id": range(8),
            "town_id": [1, 1, 2, 2, 3, 3, 4, 4],
            "entry": [came] * 4 + [None] * 4,
            "closed": [later, None, None, later, *[None] * 4],
        },
        schema_overrides={"closed": pl.Date},
    )
    assert "no grocer closed without a Sphere in town" in rows.hazard_words(grocers, **WATCHED)
    alone = pl.when(pl.col("store_id") == 5).then(dt.date(2044, 9, 1)).otherwise("closed")
    said = rows.hazard_words(grocers.with_columns(closed=alone), **WATCHED)
    assert said.startswith("With `entry` past, stores closed at ")


def test_short_names_are_of_kinds_that_there_are_and_fit_a_phone():
    kinds = proof_rows.coverage_rows()["what"].to_list()
    assert set(proof_rows.SHORT) <= set(kinds)
    short = [proof_rows.SHORT.get(kind, kind) for kind in kinds]
    assert len(set(short)) == len(kinds)
    assert max(map(len, short)) <= 27


def test_the_proofs_rows_say_which_intervals_keep_their_promise():
    shown = proof_rows.coverage_rows()
    assert shown["what"].is_unique().all()
    kept = shown["coverage"].is_between(85, 95)
    assert shown["as promised"].to_list() == kept.to_list()
    naive = shown.filter(pl.col("what") == "two-way fixed effects")
    assert not naive["as promised"].item()


@pytest.mark.parametrize("width", [theme.WIDE, theme.PHONE])
def test_each_picture_draws(width, found, effects, fate, county):
    pictures = [
        entry_2045.effect(rows.effect_rows(found, effects, WINDOW), width),
        entry_2045.survival(rows.survival_rows(fate, county), width),
        entry_2045.proof(proof_rows.coverage_rows().drop("intervals"), width),
    ]
    assert all(picture.to_dict()["layer"] for picture in pictures)


@pytest.mark.parametrize("width", [theme.WIDE, theme.PHONE])
def test_no_line_runs_through_the_words_on_a_picture(width, found, effects, fate, county):
    """Words stand beyond all gridlines, and the line of the opening ends below them."""
    effect = entry_2045.effect(rows.effect_rows(found, effects, WINDOW), width).to_dict()
    places, lines = _words_and_lines(effect, "usd")
    assert min(places) - 0.5 > max(lines) == 0
    opening = next(one for one in effect["layer"] if one["mark"].get("strokeDash") == [2, 3])
    (row,) = effect["datasets"][opening["data"]["name"]]
    assert row["to"] < min(places) - 0.4
    survival = entry_2045.survival(rows.survival_rows(fate, county), width).to_dict()
    places, lines = _words_and_lines(survival, "share")
    assert max(places) + 0.5 < min(lines)


def _words_and_lines(picture, column):
    """Where the words stand on the axis, and where it has gridlines."""
    words = [one for one in picture["layer"] if one["mark"].get("type") == "text"]
    places = [picture["datasets"][one["data"]["name"]][0][column] for one in words]
    axes = [
        one["encoding"]["y"]["axis"]["values"] for one in picture["layer"] if "axis" in one["encoding"]["y"]
    ]
    return places, [value for values in axes for value in values]
