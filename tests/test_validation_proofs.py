"""What the committed proofs say: intervals hold the truth as promised, and the naive regression does not."""

from __future__ import annotations

import polars as pl
import pytest

from grocery_spheres import validation
from grocery_spheres.charts import proof_rows
from grocery_spheres.validation.entry_proof import (
    DYNAMIC,
    NAIVE,
    OVERALL,
    SURVIVAL,
    band_coverage,
    with_truths,
)

MADE_UP = pl.DataFrame(
    {
        "seed": [1, 1, 2, 2],
        "estimand": [DYNAMIC] * 4,
        "event_month": [0, 1, 0, 1],
        "truth": [-1.0, -2.0, -3.0, -4.0],
        "estimate": [-1.0, -2.0, -3.0, -4.0],
        "low": [-2.5, -2.5, -2.5, -2.5],
        "high": [-1.5, -1.5, -1.5, -1.5],
        "band_low": [-3.0, -3.5, -3.0, -2.9],
        "band_high": [-1.0, -1.0, -1.0, -1.0],
    }
)


def test_the_expected_truth_is_the_mean_over_counties_by_month():
    told = with_truths(MADE_UP)
    assert told["expected"].to_list() == [-2.0, -3.0, -2.0, -3.0]
    assert told["covered"].to_list() == [True, False, True, False]
    assert told["covered_realised"].to_list() == [False, True, False, False]


def test_a_band_counts_only_where_it_holds_every_month():
    found = dict(band_coverage(MADE_UP).select("truth", "coverage").iter_rows())
    assert found == {"expected": 0.5, "realised": 0.5}


@pytest.mark.parametrize("estimand", [OVERALL, DYNAMIC, SURVIVAL])
def test_ninety_per_cent_intervals_of_entry_hold_the_expected_truth_in_85_to_95(estimand):
    table = with_truths(validation.read("entry")).filter(pl.col("estimand") == estimand)
    (row,) = validation.coverage(table).rows(named=True)
    assert row["without"] == 0
    assert 0.85 <= row["coverage"] <= 0.95


def test_uniform_bands_hold_all_months_at_once_in_85_to_95_per_cent():
    held = dict(band_coverage(validation.read("entry")).select("truth", "coverage").iter_rows())
    assert 0.85 <= held["expected"] <= 0.95


def test_the_bias_by_month_is_small():
    months = proof_rows.bias_rows().filter(pl.col("event_month") >= 0)
    assert months.height == 13
    assert months["small"].all()


def test_two_way_fixed_effects_are_shown_biased():
    row = proof_rows.bias_rows().filter(pl.col("estimand") == NAIVE).row(0, named=True)
    assert row["bias"] > 5 * row["mc_error"]
    assert row["bias"] > 0.05 * abs(row["truth"])


def test_a_tenth_of_the_households_tells_of_all_nearly_as_often_as_promised():
    held = pl.col("truth").is_between("low", "high").alias("covered")
    table = validation.coverage(validation.read("formats").with_columns(held), ["estimand", "part"])
    assert table.height == 13
    assert table["without"].sum() == 0
    assert 0.85 <= table["coverage"].mean() <= 0.95
    assert table["coverage"].is_between(0.80, 0.95).all(), table
    short = table.filter(pl.col("coverage") < 0.85)["part"]  # some hundred customers: named in notebook 03
    assert set(short) == {"value of a basket", "five quarters, chained"}


def test_a_tenth_of_the_households_is_right_on_average():
    off = validation.bias(validation.read("formats"), ["estimand", "part"])
    assert (off["bias"].abs() < 3 * off["mc_error"]).all(), off
