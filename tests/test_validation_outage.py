"""What the committed proofs of outage estimates say: what is held, and that the scores count as they say."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from grocery_spheres import validation
from grocery_spheres.charts import trust_counts, trust_rows
from grocery_spheres.validation import injected_scores as scores
from grocery_spheres.validation.designs import KIND
from grocery_spheres.validation.injected_proof import DEFAULT, MAIN, REACTIONS

# ---- the designs: the bars that were set before the code was written


@pytest.mark.parametrize(
    ("method", "width", "rmse"), [("structural", 4.4, 1.12), ("synthetic control", 4.8, 1.25)]
)
def test_on_the_kind_design_intervals_cover_and_are_as_narrow_as_asked(method, width, rmse):
    (row,) = (
        trust_rows.design_rows().filter(pl.col("design") == KIND, pl.col("method") == method).rows(named=True)
    )
    assert row["panels"] == 1000
    assert 93 <= row["coverage"] <= 97
    assert row["width"] <= width
    assert row["RMSE"] <= rmse


@pytest.mark.parametrize("method", ["synthetic_control", "did"])
def test_what_donors_that_gain_add_is_what_the_bound_says_panel_by_panel(method):
    """The same panel is estimated with the gains and without: nothing but the gains differs."""
    hit = validation.read("designs").filter(
        pl.col("design") == "donors that gain", pl.col("method") == method
    )
    assert hit.height == 200
    assert hit["shift"].to_list() == pytest.approx(hit["bound"].to_list(), abs=2e-6)
    assert hit["shift"].mean() < -0.1


def test_synthetic_did_weighs_days_by_the_donors_and_is_near_the_bound():
    hit = validation.read("designs").filter(
        pl.col("design") == "donors that gain", pl.col("method") == "synthetic_did"
    )
    assert hit["shift"].mean() == pytest.approx(hit["bound"].mean(), rel=0.2)


def test_a_holiday_breaks_the_models_own_interval_and_placebos_mend_it():
    numbers = trust_counts.design_counts()
    assert numbers["designs.holiday_own"][2] < 0.95
    value, _, high, _ = numbers["designs.holiday_corrected"]
    assert value > numbers["designs.holiday_own"][0]
    assert high >= 0.95


# ---- the scores


def table(count=90, seed=4, spread=1.0):
    rng = np.random.default_rng(seed)
    expected = rng.uniform(5, 50, count)
    error = spread * rng.normal(size=count) * np.sqrt(expected)
    return pl.DataFrame(
        {
            "seed": np.arange(1, count + 1),
            "reaction": [MAIN[n % 2] for n in range(count)],
            "rivals": [True] * count,
            "days": [7] * count,
            "store": np.arange(count) % 30,
            "start": 120 + np.arange(count) % 200,
            "method": [DEFAULT] * count,
            "truth": -expected,
            "estimate": -expected + error,
            "expected": expected,
            "scale": np.sqrt(expected),
            **{
                f"{end}{level}": -expected + error + sign * 2 * np.sqrt(expected)
                for level in ("", "90")
                for end, sign in (("low", -1), ("high", 1))
            },
            **dict.fromkeys(
                ("best_low", "best_high", "best_low90", "best_high90"),
                pl.Series([None] * count, dtype=pl.Float64),
            ),
        }
    )


def test_errors_of_counts_are_at_the_floor():
    (row,) = scores.ratios(table(900)).rows(named=True)
    assert row["ratio"] == pytest.approx(1.0, abs=0.1)
    assert row["low"] < row["ratio"] < row["high"]
    assert scores.ratios(table(900, spread=2.0))["ratio"][0] == pytest.approx(2 * row["ratio"])


def test_what_corrects_shares_neither_store_nor_days_with_what_is_scored():
    rows = table()
    apart = scores._apart(rows)
    store, start = rows["store"].to_numpy(), rows["start"].to_numpy()
    assert not apart.diagonal().any()
    for one, other in zip(*np.nonzero(apart), strict=True):
        assert store[one] != store[other]
        assert abs(start[one] - start[other]) >= 7
        assert 1 / 4 <= rows["expected"][int(one)] / rows["expected"][int(other)] <= 4


def test_corrected_intervals_cover_as_promised_however_wrong_the_scale():
    for factor in (0.5, 2.0):
        wrong = table(900).with_columns(pl.col("scale") * factor)
        held = scores.covered(wrong).filter(pl.col("interval") == "corrected")
        by_level = dict(held.group_by("level").agg(pl.mean("covered")).iter_rows())
        assert by_level[90] == pytest.approx(0.90, abs=0.03)
        assert by_level[95] == pytest.approx(0.95, abs=0.03)


def test_intervals_that_were_not_made_are_not_scored():
    assert "default" not in scores.covered(table())["interval"].unique().to_list()


# ---- the injected outages as committed


@pytest.fixture(scope="module")
def injected():
    return validation.read("injected")


def test_every_length_was_injected_as_often_as_said(injected):
    main = scores.main_rows(injected).filter(pl.col("method") == DEFAULT)
    assert dict(main.group_by("days").len().iter_rows()) == dict.fromkeys((3, 7, 14, 28), 600)
    assert set(injected["reaction"].unique()) == set(REACTIONS)
    assert (main["truth"] <= 0).all()


def test_the_default_method_is_the_nearest_to_the_floor_over_two_weeks_and_more(injected):
    ratios = scores.ratios(injected).filter(pl.col("outages") == 600)
    best = ratios.sort("ratio").group_by("days", maintain_order=True).first()
    ours = ratios.filter(pl.col("method") == DEFAULT)
    joined = ours.join(best, on="days", suffix="_best")
    assert (joined["ratio"] <= 1.03 * joined["ratio_best"]).all()
