"""Improbable runs: found where planted, and held to the promised share of false ones where not."""

import numpy as np
import polars as pl
import pytest

from grocery_spheres.outage import silent_runs
from grocery_spheres.outage.silence import silent_days, visits
from grocery_spheres.outage.silent_runs import improbable_runs


def table(households, log10_silent, store=1, effective=10.0):
    days = len(households)
    return pl.DataFrame(
        {
            "store_id": [store] * days,
            "day": range(days),
            "households": households,
            "households_expected": [4.0] * days,
            "effective_households": [effective] * days,
            "baskets_expected": [5.0] * days,
            "log10_silent": log10_silent,
        }
    )


def test_a_run_multiplies_its_days_and_reports_its_span():
    runs, _ = improbable_runs(table([3, 0, 0, 3, 3], [-4.0] * 5))
    row = runs.row(0, named=True)
    assert (row["first"], row["last"], row["days"]) == (1, 2, 2)
    assert row["log10_p"] == pytest.approx(-8.0)
    assert row["households_expected"] == 8.0


def test_silence_that_chance_makes_is_not_found():
    runs, examined = improbable_runs(table([1, 0] * 50, [np.log10(0.5)] * 100))
    assert runs.is_empty()
    assert examined["dark_threshold"] == -np.inf


def test_stores_of_few_effective_households_say_nothing():
    runs, examined = improbable_runs(table([3, 0, 3], [-9.0] * 3, effective=4.9))
    assert runs.is_empty()
    assert examined["store_days"] == 0


def test_a_run_does_not_bridge_a_day_that_is_not_weighed():
    days = table([3, 0, 3, 0, 3], [-6.0] * 5).with_columns(
        effective_households=pl.Series([10.0, 10.0, 4.9, 10.0, 10.0])
    )
    runs, _ = improbable_runs(days)
    assert runs.select("first", "last").rows() == [(1, 1), (3, 3)]


def test_a_run_does_not_reach_from_one_store_into_the_next():
    both = pl.concat([table([3, 0], [-6.0] * 2, store=1), table([0, 3], [-6.0] * 2, store=2)])
    runs, _ = improbable_runs(both)
    assert runs["days"].to_list() == [1, 1]


def test_the_expected_number_of_chance_runs_is_right():
    """Draw silence from the stated chances: runs below a threshold come as often as is said."""
    generator = np.random.default_rng(5)
    log10 = np.log10(generator.uniform(0.01, 0.4, size=4000))
    chance = silent_runs._possible(table([1] * 4000, log10))
    drawn = []
    for _ in range(60):
        silent = generator.random(4000) < 10.0**log10
        runs = silent_runs._runs(table(np.where(silent, 0, 1), log10))
        drawn.append((runs["log10_p"] <= -2.0).sum())
    expected = chance[chance[:, 0] <= -2.0, 1].sum()
    assert np.mean(drawn) == pytest.approx(expected, abs=4 * np.std(drawn) / np.sqrt(60))


def test_an_untouched_town_has_no_dark_spell_and_a_touched_one_has_just_those(town):
    lives = dict.fromkeys(range(6), (0, 299))
    quiet, _ = improbable_runs(silent_days(visits(town.baskets()), lives))
    assert quiet.is_empty()
    dark = {2: [100, 101], 4: [150]}
    runs, examined = improbable_runs(silent_days(visits(town.baskets(dark=dark)), lives))
    assert runs.select("store_id", "first", "last").rows() == [(2, 100, 101), (4, 150, 150)]
    assert examined["dark_false"] <= silent_runs.FALSE_SHARE * len(runs)
