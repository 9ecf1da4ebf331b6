"""Many dark units: the t test belongs to the estimate, in levels and in proportion."""

import numpy as np
import polars as pl
import pytest

from grocery_spheres.outage.estimate import estimate_outage
from grocery_spheres.outage.outages import Outage

DAYS, START, END = 60, 50, 52
COLUMNS = {"unit": "unit", "time": "day", "outcome": "sales", "method": "did", "season": 1}


def long(table):
    units, days = table.shape
    return pl.DataFrame(
        {
            "unit": np.repeat(np.arange(units), days),
            "day": np.tile(np.arange(days), units),
            "sales": table.ravel(),
        }
    )


def counts(seed, dark_level, level, *, shock=0.3):
    rng = np.random.default_rng(seed)
    levels = np.repeat([dark_level, level], [10, 20])
    common = np.exp(rng.normal(0, shock, DAYS))
    return rng.poisson(levels[:, None] * common).astype(float)


def found(table, **more):
    dark = Outage(list(range(10)), START, END)
    return estimate_outage(long(table), dark, calibrate=False, **COLUMNS, **more)


@pytest.mark.parametrize(("dark_level", "level"), [(400, 2), (60, 20), (20, 20), (2, 400)])
def test_in_proportion_the_error_is_that_of_the_estimate(dark_level, level):
    results = [found(counts(seed, dark_level, level)) for seed in range(150)]
    assert {one.own.name for one in results} == {"differences between units, one change a unit"}
    spread = np.std([one.att for one in results])
    said = np.mean([one.own.error for one in results])
    assert said == pytest.approx(spread, rel=0.3)
    held = np.mean([one.pvalue > 0.05 for one in results])
    assert held >= 0.85  # of 95 %, over 150 panels; counts around 2 are skewed


def test_in_levels_it_is_welchs_test_of_changes():
    rng = np.random.default_rng(4)
    table = rng.normal(50, 3, size=(30, DAYS)) + 0.5
    result = found(table)
    change = table[:, START : END + 1].mean(axis=1) - table[:, :START].mean(axis=1)
    from scipy import stats  # noqa: PLC0415

    welch = stats.ttest_ind(change[:10], change[10:], equal_var=False)
    assert result.pvalue == pytest.approx(welch.pvalue, rel=1e-9)
    assert result.conf_int() == pytest.approx(tuple(welch.confidence_interval(0.95)), rel=1e-9)


def test_units_without_noise_leave_one_possible_effect():
    table = np.tile(np.linspace(5.5, 9.5, DAYS), (30, 1))
    table[:10, START : END + 1] -= 2
    result = found(table)
    assert result.conf_int() == pytest.approx((-2.0, -2.0))
    assert result.pvalue < 1e-100


def test_placebos_judge_the_inference_that_is_reported():
    """Taking ten of fifteen donors for dark leaves five: still the same test, and not another one."""
    table = np.random.default_rng(5).normal(50, 3, size=(25, DAYS)) + 0.5
    dark = Outage(list(range(10)), START, END)
    result = estimate_outage(long(table), dark, placebos=40, **COLUMNS)
    assert result.own.name.startswith("differences between units")
    assert result.calibration.placebos["width"].is_finite().all()
    asked = estimate_outage(long(table), dark, placebos=40, inference="cluster", **COLUMNS)
    assert not asked.calibration.failed
