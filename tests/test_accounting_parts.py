"""Ratios by test inversion, times until recovery, and days."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grocery_spheres.accounting.ratios import Ratio
from grocery_spheres.accounting.recovery import to_half, to_whole, weekly
from grocery_spheres.accounting.spans import earlier, spans_of

RNG = np.random.default_rng(1)


def test_a_ratio_holds_what_brute_force_holds():
    errors = RNG.normal(size=(2, 199))
    found = Ratio(30.0, 100.0, 8 * errors[0], 10 * errors[1])
    low, high = found.interval(0.1)
    tried = np.linspace(-1, 2, 3001)
    kept = tried[[found.pvalue(ratio) > 0.1 for ratio in tried]]
    assert low == pytest.approx(kept.min(), abs=2e-3)
    assert high == pytest.approx(kept.max(), abs=2e-3)
    assert found.pvalue(low + 1e-9) > 0.1 >= found.pvalue(low - 1e-6)


def test_a_ratio_over_what_may_be_nothing_has_no_ends():
    errors = RNG.normal(size=(2, 199))
    assert Ratio(3.0, 1.0, errors[0], errors[1]).interval(0.05) == (-np.inf, np.inf)
    assert Ratio(3.0, 0.0, errors[0], errors[1]).interval(0.05) == (-np.inf, np.inf)
    assert Ratio(3.0, 9.0, errors[0][:5], errors[1][:5]).interval(0.05) == (-np.inf, np.inf)


@given(st.floats(-50, 50), st.floats(20, 200), st.integers(0, 1000))
def test_the_plain_ratio_lies_inside(top, bottom, seed):
    errors = np.random.default_rng(seed).normal(size=(2, 99))
    low, high = Ratio(top, bottom, errors[0], errors[1]).interval(0.1)
    assert low <= top / bottom + 1e-9
    assert high >= top / bottom - 1e-9


def test_half_of_a_gain_that_fades():
    days = np.arange(60)
    gain = 100 * 0.5 ** (days / 14)
    gap = np.stack([-gain, gain, 0 * gain])
    waited = to_half(gap, np.zeros((39, 3, 60)), 100.0, np.zeros(39), 0.1)
    assert abs(waited.days - 12) <= 2  # fourteen days on; the mean of seven is that of their middle
    assert (waited.low, waited.high) == (waited.days, waited.days)


def test_what_does_not_come_within_the_record_is_censored():
    gap, path = np.zeros((3, 56)), np.full((3, 56), 10.0)
    gap[0] = -5.0
    waited = to_whole(gap, path, np.zeros((39, 3, 56)), 0.1)
    assert (waited.days, waited.low, waited.high, waited.censored) == (None, None, None, 50)
    assert str(waited) == "more than 50 days (more than 50 days to more than 50 days)"


def test_a_store_that_never_comes_back_is_not_called_recovered():
    """Twelve per cent less for good, in noise of fifteen per cent a day: the interval must hold "never"."""
    rng, held = np.random.default_rng(7), 0
    path = np.full((3, 56), 100.0)
    for _ in range(200):
        gap = np.full((3, 56), -12.0) + rng.normal(0, 15, (3, 56))
        waited = to_whole(gap, path, rng.normal(0, 15, (199, 3, 56)), 0.1)
        held += waited.high is None
    assert held / 200 >= 0.9


def test_a_slow_return_is_covered():
    """Sales climb by two per cent of the expected a day, and are whole after some three weeks."""
    rng, held = np.random.default_rng(8), 0
    path = np.full((3, 56), 100.0)
    back = -2.0 * np.maximum(22.0 - np.arange(56), 0.0)
    true = to_whole(np.stack([back, back, back]), path, np.zeros((39, 3, 56)), 0.1).days
    for _ in range(200):
        gap = back + rng.normal(0, 10, (3, 56))
        waited = to_whole(gap, path, rng.normal(0, 10, (199, 3, 56)), 0.1)
        held += (waited.low or 99) <= true <= (waited.high or 99)
    assert held / 200 >= 0.9


def test_few_placebos_give_no_days():
    gap, path = np.zeros((3, 56)), np.full((3, 56), 10.0)
    waited = to_whole(gap, path, np.zeros((5, 3, 56)), 0.1)
    assert (waited.days, waited.known) == (1, False)
    assert str(waited) == "1 day (no interval)"
    soon = to_whole(gap[:, :3], path[:, :3], np.zeros((39, 3, 3)), 0.1)
    assert "too soon" in str(soon)


def test_seven_days_balance_weekdays():
    assert weekly(np.tile(np.arange(7.0), 3)) == pytest.approx(np.full(15, 3.0))


def test_earlier_spans_follow_the_same_rule():
    real = spans_of(300, 3, 400, anticipation=28, after=28, named="it")
    moved = earlier(real, 70)
    assert moved is not None
    assert moved.outage == slice(230, 233)
    assert moved.selection.stop == moved.baseline.start
    assert moved.baseline.stop == moved.before.start == 230 - 28
    assert earlier(real, 210) is None
