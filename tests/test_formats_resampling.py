"""Drawing households: quantiles read off sorted bins are those of the repeated values."""

import numpy as np
import pytest

from grocery_spheres.formats import resampling
from grocery_spheres.formats.resampling import Quantiles, Ratio, drawn_quantiles, estimates, household_weights

SHARES = (0.0, 0.1, 0.5, 0.95, 1.0)


@pytest.mark.parametrize("bins", [1, 7, 256, 5000])
@pytest.mark.parametrize("ties", [True, False])
def test_a_drawn_quantile_is_numpys_of_the_repeated_values(monkeypatch, bins, ties):
    monkeypatch.setattr(resampling, "BINS", bins)
    generator = np.random.default_rng(3)
    who = generator.integers(0, 40, size=900)
    values = generator.integers(0, 9, size=900).astype(float) if ties else generator.normal(size=900)
    weights = household_weights(40, draws=50, seed=1, alpha=0.05)
    drawn = drawn_quantiles(Quantiles("gap", "days", values, who, SHARES), weights)
    wanted = [np.quantile(np.repeat(values, row[who].astype(int)), SHARES) for row in weights]
    assert drawn == pytest.approx(np.array(wanted))


def test_a_draw_without_a_value_has_no_quantile():
    only = Quantiles("gap", "days", np.array([2.0, 4.0]), np.array([0, 0]), [0.5])
    drawn = drawn_quantiles(only, np.array([[0.0, 2.0], [1.0, 1.0]]))
    assert np.isnan(drawn[0, 0])
    assert drawn[1, 0] == 3.0


def test_a_ratio_of_nothing_and_quantiles_of_nothing_have_no_row():
    nothing = np.zeros(2)
    empty = Quantiles("gap", "days", np.zeros(0), np.zeros(0, dtype=int), SHARES)
    assert estimates([Ratio("gap", "mean", "days", nothing, nothing), empty], None, 0.05) == []


def test_the_interval_of_a_mean_is_as_wide_as_its_standard_error_says():
    values = np.random.default_rng(5).normal(size=400)
    weights = household_weights(400, draws=2000, seed=1, alpha=0.05)
    row = estimates([Ratio("level", "mean", "USD", values, np.ones(400))], weights, 0.05)[0]
    assert row[5] - row[4] == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.08)


def test_intervals_cover_the_truth_where_a_households_values_are_alike():
    """Every household repeats its own level 1 to 9 times: rows drawn one by one would claim too much."""
    held = []
    for seed in range(150):
        generator = np.random.default_rng(seed)
        who = np.repeat(np.arange(120), generator.integers(1, 10, size=120))
        values = 50 + 10 * generator.normal(size=120)[who] + generator.normal(size=len(who))
        weights = household_weights(120, draws=200, seed=seed, alpha=0.05)
        mean = Ratio("level", "mean", "USD", np.bincount(who, values), np.bincount(who).astype(float))
        rows = estimates([mean, Quantiles("level", "USD", values, who, [0.5])], weights, 0.05)
        held.append([low <= 50 <= high for *_, low, high in rows])
    assert np.mean(held, axis=0) == pytest.approx(0.95, abs=0.05)
