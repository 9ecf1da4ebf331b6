"""Weights on the simplex: hand-worked optima, an independent solver, hostile donors, refusals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import nnls

from grocery_spheres.outage import simplex
from grocery_spheres.outage.simplex import WeightsError, shortfall, simplex_weights
from grocery_spheres.tables import ContractError


def solved(donors, target, ridge=0.0, start=None):
    rows = donors - target  # weights sum to 1: the same problem
    return simplex_weights(rows @ rows.T, np.zeros(len(rows)), ridge=ridge, start=start)


def objective(weights, donors, target, ridge=0.0):
    return np.sum((target - weights @ donors) ** 2) + ridge * weights @ weights


def by_nnls(donors, target, ridge=0.0):
    """The same optimum by non-negative least squares on stacked rows, which never forms inner products."""
    rows = np.vstack([(donors - target).T, np.sqrt(ridge) * np.eye(len(donors))])
    scale = np.sqrt((rows**2).sum(axis=0).max()) or 1.0
    found, _ = nnls(np.vstack([rows / scale, np.ones(len(donors))]), np.append(np.zeros(len(rows)), 1.0))
    return found / found.sum()


def walks(seed, donors, periods):
    return np.random.default_rng(seed).normal(size=(donors + 1, periods)).cumsum(axis=1)


# ---- hand-worked


@pytest.mark.parametrize(
    ("target", "weights"),
    [
        ([0.5, 0.25], [0.25, 0.5, 0.25]),  # inside the triangle
        ([1.0, 1.0], [0.0, 0.5, 0.5]),  # beyond its long side
        ([-1.0, -2.0], [1.0, 0.0, 0.0]),  # beyond a corner
        ([0.3, -4.0], [0.7, 0.3, 0.0]),  # below its base
    ],
)
def test_nearest_point_of_a_triangle(target, weights):
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    assert solved(corners, np.array(target)) == pytest.approx(weights, abs=1e-12)


def test_nearest_point_of_a_triangle_needs_no_shift():
    corners, target = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), np.array([0.5, 0.25])
    found = simplex_weights(corners @ corners.T, corners @ target)
    assert found == pytest.approx([0.25, 0.5, 0.25], abs=1e-12)


def test_a_ridge_draws_weights_together():
    # one donor is the target, the other 2 away: (1 - w)^2 4 + 6 (w^2 + (1 - w)^2) is least at w = 10 / 16
    assert solved(np.array([[0.0], [2.0]]), np.zeros(1), ridge=6.0) == pytest.approx([0.625, 0.375])


def test_a_large_ridge_makes_weights_even():
    assert solved(walks(0, 9, 30)[1:], walks(0, 9, 30)[0], ridge=1e12) == pytest.approx(np.full(9, 1 / 9))


def test_one_donor_has_all_the_weight():
    assert solved(np.array([[3.0, 4.0]]), np.zeros(2)) == [1.0]


def test_donors_without_use_have_weight_zero_exactly():
    found = solved(walks(1, 59, 300)[1:], walks(1, 59, 300)[0])
    assert 0 < (found == 0).sum() < 59
    assert found[found > 0].min() > 1e-6


# ---- against another solver


@given(
    seed=st.integers(0, 10_000),
    donors=st.integers(1, 40),
    periods=st.integers(1, 40),
    ridge=st.sampled_from([0.0, 0.01, 50.0]),
)
def test_no_other_weights_are_better(seed, donors, periods, ridge):
    series = walks(seed, donors, periods)
    found = solved(series[1:], series[0], ridge)
    assert found.min() >= 0
    assert found.sum() == pytest.approx(1, abs=1e-12)
    other = by_nnls(series[1:], series[0], ridge)
    slight = 1e-12 * np.sum((series[1:] - series[0]) ** 2)
    assert (
        objective(found, series[1:], series[0], ridge)
        <= objective(other, series[1:], series[0], ridge) + slight
    )
    if ridge:
        assert found == pytest.approx(other, abs=1e-6)


@pytest.mark.parametrize(("donors", "periods"), [(450, 14), (450, 300), (59, 300), (120, 118)])
def test_more_donors_than_periods_end(donors, periods):
    series = walks(5, donors, periods)
    found = solved(series[1:], series[0])
    # a mix on the hull's surface needs no more donors than dimensions, one inside it one more
    assert (found > 0).sum() <= periods + 1
    best = objective(by_nnls(series[1:], series[0]), series[1:], series[0])
    assert objective(found, series[1:], series[0]) == pytest.approx(best, rel=1e-7, abs=1e-9)


@pytest.mark.parametrize(
    "hostile",
    [
        lambda rows: np.vstack([rows, rows, rows]),
        lambda rows: np.vstack([rows, rows + 1e-9]),
        lambda rows: np.vstack([rows, (rows[:1] + rows[1:2]) / 2]),
        np.round,
        lambda rows: rows * 10.0 ** np.linspace(-3, 3, len(rows))[:, None],
        lambda rows: rows + 1e6,
        np.zeros_like,
        lambda rows: np.tile(rows[0], (30, 1)),
        lambda rows: rows * 1e-140,
        lambda rows: rows * 1e140,
    ],
)
@pytest.mark.parametrize("seed", range(5))
def test_hostile_donors_end_at_the_optimum(hostile, seed):
    series = walks(seed, 20, 15)
    donors, target = hostile(series[1:]), hostile(series)[0]
    found = solved(donors, target)
    best = objective(by_nnls(donors, target), donors, target)
    assert objective(found, donors, target) <= best + 1e-9 * np.sum((donors - target) ** 2, axis=1).min()


def test_equal_donors_share_the_fit_of_one():
    series = walks(3, 8, 40)
    once, twice = solved(series[1:], series[0]), solved(np.vstack([series[1:], series[1:]]), series[0])
    assert twice[:8] + twice[8:] == pytest.approx(once, abs=1e-9)


# ---- start, determinism


@given(seed=st.integers(0, 1000), other=st.integers(0, 1000), ridge=st.sampled_from([0.0, 5.0]))
def test_the_start_does_not_change_the_optimum(seed, other, ridge):
    series = walks(seed, 12, 40)
    start = np.random.default_rng(other).dirichlet(np.full(12, 0.3))
    found = solved(series[1:], series[0], ridge, start=start)
    assert found == pytest.approx(solved(series[1:], series[0], ridge), abs=1e-8)


def test_the_start_may_have_dependent_donors():
    series = np.vstack([walks(2, 12, 40), walks(2, 12, 40)[1:]])
    found = solved(series[1:], series[0], start=np.full(24, 1 / 24))
    assert found[:12] + found[12:] == pytest.approx(solved(series[1:13], series[0]), abs=1e-8)


def test_the_same_weights_every_time():
    series = walks(4, 100, 50)
    assert np.array_equal(solved(series[1:], series[0]), solved(series[1:], series[0]))


# ---- the conditions are checked


def test_shortfall_by_hand():
    assert shortfall(np.eye(2), np.zeros(2), np.array([0.5, 0.5])) == 0
    # slopes 0.5 and 0, 0.25 off their mean; lengths 1 + 1 (donor, mix) times 1 + 0.5 (mix, target)
    assert shortfall(np.eye(2), np.array([0.0, 0.5]), np.array([0.5, 0.5])) == pytest.approx(0.25 / 3)


def test_a_donor_in_use_with_too_steep_a_slope_is_a_breach():
    assert shortfall(np.diag([1.0, 4.0]), np.zeros(2), np.array([0.5, 0.5])) > 0.1  # optimum: 0.8, 0.2
    assert shortfall(np.diag([1.0, 4.0]), np.zeros(2), np.array([0.8, 0.2])) < 1e-15


@pytest.mark.parametrize("wrong", ["first", "even"])
def test_a_search_that_stops_early_is_refused(monkeypatch, wrong):
    series = walks(6, 10, 30)
    ends = {"first": np.eye(10)[0], "even": np.full(10, 0.1)}
    monkeypatch.setattr(simplex, "_descend", lambda *_: ends[wrong])
    with pytest.raises(WeightsError, match="10 donors miss their optimality conditions"):
        solved(series[1:], series[0])


def test_running_out_of_steps_is_refused(monkeypatch):
    series = walks(6, 40, 30)
    monkeypatch.setattr(simplex, "STEPS", 0)
    with pytest.raises(WeightsError):
        solved(series[1:], series[0])


# ---- refusals


@pytest.mark.parametrize(
    ("gram", "cross", "options", "said"),
    [
        (np.zeros((0, 0)), np.zeros(0), {}, "at least one donor"),
        (np.eye(3), np.zeros(2), {}, "shape \\(3, 3\\)"),
        (np.full((2, 2), np.nan), np.zeros(2), {}, "NaN"),
        (np.eye(2), np.array([0.0, np.inf]), {}, "infinite"),
        (np.eye(2), np.zeros(2), {"ridge": -1.0}, "ridge is below 0"),
        (np.eye(2), np.zeros(2), {"ridge": float("nan")}, "ridge"),
        (np.eye(2), np.zeros(2), {"start": np.array([0.5, 0.4])}, "sum 0.9"),
        (np.eye(2), np.zeros(2), {"start": np.array([1.5, -0.5])}, "none below 0"),
        (np.eye(2), np.zeros(2), {"start": np.array([1.0])}, "2 weights"),
        (np.eye(2), np.zeros(2), {"start": np.array([np.nan, 1.0])}, "2 weights"),
    ],
)
def test_refused(gram, cross, options, said):
    with pytest.raises(ContractError, match=said):
        simplex_weights(gram, cross, **options)
