"""Placebo intervals: hand-worked quantiles, test inversion, unbounded sets said so."""

import numpy as np
import pytest

from grocery_spheres.outage.placebo_stores import coverage_table, critical, holds_zero, invert, scaled
from grocery_spheres.outage.regulars import Group

SUCCESSOR = np.array([0.0, 1.0, 0.0])


def test_too_few_placebos_reject_nothing():
    assert critical(np.arange(19.0), 0.05) == 18.0
    assert critical(np.arange(18.0), 0.05) == np.inf


def test_a_ratio_without_noise_is_a_point():
    low, high = invert(np.array([-2.0, 1.0, 0.0]), np.zeros((30, 3)), SUCCESSOR, 0.05)
    assert (low, high) == (pytest.approx(0.5), pytest.approx(0.5))


def test_the_interval_of_a_ratio_is_worked_by_hand():
    """Noise of 0.2 in the successor only: 1 +- 0.2 over a loss of 2."""
    noise = np.outer(np.tile([1.0, -1.0], 20), [0.0, 0.2, 0.0])
    low, high = invert(np.array([-2.0, 1.0, 0.0]), noise, SUCCESSOR, 0.05)
    assert (low, high) == (pytest.approx(0.4), pytest.approx(0.6))


def test_where_the_loss_is_not_told_from_zero_the_set_is_unbounded():
    noise = np.outer(np.tile([1.0, -1.0], 20), [3.0, 0.0, 0.0])
    _, high = invert(np.array([-2.0, 1.0, 0.0]), noise, SUCCESSOR, 0.05)
    assert np.isinf(high)


def group(households, trade, error):
    before = np.full((households, 3), trade / 3)
    return Group("x", before, before, np.full((households, 3), error))


def test_noise_grows_with_trade_and_falls_with_households():
    assert scaled([group(16, 1.0, 0.5)], group(4, 1.0, 0.0)) == pytest.approx(np.full((1, 3), 1.0))
    assert scaled([group(16, 1.0, 0.5)], group(16, 4.0, 0.0)) == pytest.approx(np.full((1, 3), 1.0))


def test_coverage_is_not_right_by_construction():
    """Placebo stores that are all far off at one move and quiet at the other: the first are not covered."""
    generator = np.random.default_rng(1)
    quiet = [group(10, 1.0, error) for error in generator.normal(0, 0.1, 40)]
    shaken = [group(10, 1.0, error) for error in generator.normal(5, 0.1, 40)]
    held = holds_zero([quiet, shaken], 0.05, 50, generator)
    placebo = [pair[0] for pair in held]
    assert all(placebo[:40]), "judged by the shaken weeks, the quiet stores are covered"
    assert not any(placebo[40:]), "judged by the quiet weeks, the shaken ones are not"


def test_one_move_alone_says_nothing_of_coverage():
    assert coverage_table(
        holds_zero([[group(10, 1.0, 0.1)] * 30], 0.05, 50, np.random.default_rng(1)), 0.05
    ).is_empty()


def test_coverage_is_counted_with_its_own_interval():
    table = coverage_table([(True, True), (True, False), (True, False), (False, False)], 0.05)
    assert table["coverage"].to_list() == [0.75, 0.25]
    assert table["placebos"].to_list() == [4, 4]
    assert (table["low"] < table["coverage"]).all()
