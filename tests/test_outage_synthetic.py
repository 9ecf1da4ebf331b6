"""Synthetic control and synthetic difference in differences: by hand, identities, refits, other packages."""

import time
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import nnls

from grocery_spheres.outage import synthetic_did as module
from grocery_spheres.outage.donor_mix import mix
from grocery_spheres.outage.expected import Options, Target, block_error
from grocery_spheres.outage.synthetic_control import null_gaps, placebo_gaps, synthetic_control
from grocery_spheres.outage.synthetic_did import null_gaps as did_null_gaps
from grocery_spheres.outage.synthetic_did import synthetic_did
from grocery_spheres.tables import ContractError

PLAIN, MOVED = Options(intercept=False), Options(intercept=True)
BOTH = pytest.mark.parametrize("options", [PLAIN, MOVED], ids=["plain", "intercept"])
METHODS = pytest.mark.parametrize("method", [synthetic_control, synthetic_did])


def panel(seed, units=13, before=60, window=7, after=0):
    """Two slow factors with a loading a unit, noise, levels near 100; the first is dark in the window."""
    rng = np.random.default_rng(seed)
    periods = before + window + after
    factors = np.zeros((2, periods))
    for day in range(1, periods):
        factors[:, day] = 0.9 * factors[:, day - 1] + rng.normal(size=2)
    values = 100 + 3 * rng.uniform(0.5, 1.5, (units, 2)) @ factors + 2 * rng.normal(size=(units, periods))
    dose = np.zeros(periods)
    dose[before : before + window] = 1.0
    values[0] -= 9 * dose
    return values, Target(values[0], dose, dose == 0)


def gappy(seed):
    """A window of three lost shares with a hole, known days after it, and holes elsewhere."""
    values, target = panel(seed, before=50, window=5, after=12)
    own, fitted = target.values.copy(), target.fitted.copy()
    own[[4, 52, 60]] = np.nan
    fitted[55:58] = False
    dose = target.dose * np.linspace(0.2, 1.0, len(own))
    return values, Target(own, dose, fitted)


def effect(target, found):
    return float((target.values - found.path)[target.window].mean())


# ---- synthetic control


def test_by_hand_without_intercept():
    values, dose = np.array([4.0, 4.0, 1.0]), np.array([0.0, 0.0, 1.0])
    donors = np.array([[0.0, 0.0, 2.0], [8.0, 8.0, 6.0], [40.0, 40.0, 0.0]])
    found = synthetic_control(Target(values, dose, dose == 0), donors[:2], PLAIN)
    assert found.weights == pytest.approx([0.5, 0.5])
    assert found.path == pytest.approx([4.0, 4.0, 4.0])
    assert found.details["rmspe"] == pytest.approx(0, abs=1e-12)
    assert found.details["donors_used"] == 2


def test_by_hand_with_intercept():
    # demeaned: the unit -1, 1; donors -2, 2 and 0, 0: half and half; its mean 11 less theirs, 22 / 2 + 30 / 2
    values, dose = np.array([10.0, 12.0, 1.0]), np.array([0.0, 0.0, 1.0])
    donors = np.array([[20.0, 24.0, 26.0], [30.0, 30.0, 32.0]])
    found = synthetic_control(Target(values, dose, dose == 0), donors, MOVED)
    assert found.weights == pytest.approx([0.5, 0.5])
    assert found.path == pytest.approx([10.0, 12.0, 14.0])
    plain = synthetic_control(Target(values, dose, dose == 0), donors, PLAIN)
    assert plain.weights == pytest.approx([1.0, 0.0])  # the nearer one, and still 11 away
    assert plain.path == pytest.approx([20.0, 24.0, 26.0])


@given(seed=st.integers(0, 1000), shift=st.floats(-50, 50), scale=st.floats(0.01, 100))
def test_an_intercept_forgives_levels_and_units_of_measure_do_not_matter(seed, shift, scale):
    values, target = panel(seed)
    found = synthetic_control(target, values[1:], MOVED)
    moved = Target(scale * target.values + shift, target.dose, target.fitted)
    again = synthetic_control(moved, scale * values[1:] + np.arange(12)[:, None], MOVED)
    assert again.weights == pytest.approx(found.weights, abs=1e-7)
    assert again.path == pytest.approx(scale * found.path + shift, rel=1e-7, abs=1e-7)
    assert again.error == pytest.approx(scale * found.error, rel=1e-6)


@BOTH
def test_details_are_those_of_the_known_periods(options):
    values, target = gappy(1)
    found = synthetic_control(target, values[1:], options)
    residuals = (target.values - found.path)[target.known]
    assert found.details["rmspe"] == pytest.approx(np.sqrt(np.mean(residuals**2)))
    spread = target.values[target.known].std()
    assert found.details["relative_rmspe"] == pytest.approx(found.details["rmspe"] / spread)
    assert found.details["donors_used"] == (found.weights > 0).sum()
    assert found.error == block_error(residuals, 4)
    if options.intercept:
        assert residuals.mean() == pytest.approx(0, abs=1e-10)


def test_what_is_not_known_does_not_count():
    values, target = gappy(2)
    own, others = target.values.copy(), values[1:].copy()
    own[55:58], others[:, ~(target.known | target.window)] = 1e6, -1e6
    for method in (synthetic_control, synthetic_did):
        found = method(target, values[1:], MOVED)
        again = method(Target(own, target.dose, target.fitted), others, MOVED)
        assert np.array_equal(found.weights, again.weights)
        assert effect(target, found) == effect(target, again)


@METHODS
def test_the_window_does_not_count_for_unit_weights(method):
    values, target = panel(3)
    darker = Target(target.values - 50 * target.dose, target.dose, target.fitted)
    found, again = method(target, values[1:], MOVED), method(darker, values[1:], MOVED)
    assert np.array_equal(found.weights, again.weights)
    assert effect(darker, again) == pytest.approx(effect(target, found) - 50)


@pytest.mark.parametrize(
    ("move", "options", "outside"),
    [
        (lambda own: own, PLAIN, False),
        (lambda own: own, MOVED, False),
        (lambda own: own + 500, PLAIN, True),  # above every donor
        (lambda own: own - 500, PLAIN, True),
        (lambda own: own + 500, MOVED, False),
        (
            lambda own: 200 - own,
            MOVED,
            True,
        ),  # falls when the others rise: its own mean would follow it better
        (lambda own: own * 0 + 100, MOVED, True),  # constant, and no mix is
    ],
)
def test_out_of_the_hull(move, options, outside):
    values, target = panel(4, before=200)
    own = Target(move(target.values), target.dose, target.fitted)
    assert synthetic_control(own, values[1:], options).details["outside_hull"] is outside


@pytest.mark.parametrize(("level", "outside"), [(5.0, True), (2.5, False), (-1.0, True)])
def test_a_level_that_no_donor_has_is_out_of_the_hull_however_close_the_fit(level, outside):
    swings, dose = 10.0 * np.arange(6), np.array([0, 0, 0, 0, 0, 1.0])
    donors = swings + np.array([[1.0], [2.0], [3.0]])
    found = synthetic_control(Target(swings + level, dose, dose == 0), donors, PLAIN)
    assert found.details["relative_rmspe"] < 0.2
    assert found.details["outside_hull"] is outside


def test_a_perfect_fit_of_a_constant_is_inside():
    dose = np.array([0.0, 0.0, 1.0])
    found = synthetic_control(Target(np.full(3, 7.0), dose, dose == 0), np.full((2, 3), 7.0), PLAIN)
    assert found.details["relative_rmspe"] == 0
    assert found.details["outside_hull"] is False


@METHODS
def test_a_gap_in_a_donor_is_a_gap_in_the_path_only_where_it_is_used(method):
    values, target = panel(5, after=9)
    fitted = target.fitted.copy()
    fitted[67:] = False
    target = Target(target.values, target.dose, fitted)
    values[-1] = 300 - 2 * target.values  # moves against the unit: of no use to it
    whole = method(target, values[1:], MOVED)
    used, idle = np.flatnonzero(whole.weights > 0)[0], np.flatnonzero(whole.weights == 0)[0]
    donors = values[1:].copy()
    donors[used, 70], donors[idle, 72] = np.nan, np.nan
    found = method(target, donors, MOVED)
    assert np.flatnonzero(np.isnan(found.path)).tolist() == [70]
    seen = ~np.isnan(found.path)
    assert np.array_equal(found.path[seen], whole.path[seen])


def test_mix_of_many():
    weights, donors = np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([[1.0, 2.0], [3.0, np.nan]])
    assert np.array_equal(mix(weights, donors), [[1.0, 2.0], [2.0, np.nan]], equal_nan=True)


# ---- refits under a null


@BOTH
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("make", [panel, gappy])
def test_null_gaps_are_those_of_the_plain_refit(make, seed, options):
    values, target = make(seed)
    for method, fast in ((synthetic_control, null_gaps), (synthetic_did, did_null_gaps)):
        gaps = fast(target, values[1:], options)
        for null in (-40.0, -9.0, 0.0, 3.5):
            refit = target.under(null)
            plain = refit.values - method(refit, values[1:], options).path
            expected = np.where(refit.known, plain, np.nan)
            assert gaps(null) == pytest.approx(expected, abs=1e-8, nan_ok=True)


def test_null_gaps_do_not_depend_on_what_was_asked_before():
    values, target = panel(0, units=40, before=30)
    one, two = null_gaps(target, values[1:], MOVED), null_gaps(target, values[1:], MOVED)
    one(-50.0)
    assert np.array_equal(one(2.0), two(2.0))


def test_the_true_effect_leaves_the_least_residuals_in_the_window():
    values, target = panel(8, before=300, window=14)
    gaps = null_gaps(target, values[1:], MOVED)
    sizes = [abs(gaps(null)[target.window].mean()) for null in (-20.0, -9.0, 0.0)]
    assert np.argmin(sizes) == 1


# ---- placebos


@BOTH
def test_placebos_are_each_unit_with_all_the_others(options):
    values, target = gappy(6)
    values[3, 56], values[:, 57] = np.nan, np.nan
    gaps = placebo_gaps(values, target.fitted & (np.arange(67) < 50), options)
    for unit in range(len(values)):
        fitted = target.fitted & (np.arange(67) < 50)
        own = Target(values[unit], np.where(np.arange(67) == 51, 1.0, 0.0), fitted)
        found = synthetic_control(own, np.delete(values, unit, axis=0), options)
        assert gaps[unit] == pytest.approx(values[unit] - found.path, abs=1e-8, nan_ok=True)


def test_placebos_of_many_units_and_few_periods():
    values, _ = panel(7, units=200, before=14, window=2)
    gaps = placebo_gaps(values, np.arange(16) < 14, PLAIN)
    assert np.isfinite(gaps).all()


def test_speed_has_an_order_of_magnitude_to_spare():
    values, target = panel(0, units=60, before=300, window=14)

    def seconds(run):
        begun = time.process_time()
        run()
        return time.process_time() - begun

    gaps = null_gaps(target, values[1:], MOVED)
    assert min(seconds(lambda: [gaps(null) for null in np.linspace(-15, 15, 100)]) for _ in range(3)) < 1.5
    assert min(seconds(lambda: placebo_gaps(values, target.fitted, MOVED)) for _ in range(3)) < 0.5


# ---- synthetic difference in differences


@pytest.mark.parametrize("make", [panel, gappy])
@pytest.mark.parametrize("seed", range(3))
def test_the_effect_is_the_difference_in_differences_of_the_mixes(make, seed):
    values, target = make(seed)
    found = synthetic_did(target, values[1:], Options())
    days, mixed = found.details["time_weights"], found.weights @ values[1:]
    own = np.nan_to_num(target.values)
    before = days @ own - days @ mixed
    assert effect(target, found) == pytest.approx((own - mixed)[target.window].mean() - before)
    assert days.sum() == pytest.approx(1)
    assert days.min() >= 0
    assert (days[~target.known] == 0).all()
    assert found.error == block_error((target.values - found.path)[target.known], target.window.sum())


def test_zeta_is_the_noise_level_times_the_fourth_root_of_the_window():
    values, target = panel(1, window=16)
    found = synthetic_did(target, values[1:], Options())
    assert found.details["zeta"] == pytest.approx(2 * np.diff(values[1:, :60], axis=1).std(ddof=1))


def test_noise_skips_the_window_and_gaps():
    values, target = gappy(1)
    donors, pre = values[1:], target.known & (target.dose == 0)
    changes = [donors[:, t + 1] - donors[:, t] for t in range(66) if pre[t] and pre[t + 1]]
    expected = np.std(changes, ddof=1) * target.window.sum() ** 0.25
    assert synthetic_did(target, donors, Options()).details["zeta"] == pytest.approx(expected)


def test_under_a_null_days_and_zeta_stay():
    values, target = gappy(3)
    found = synthetic_did(target, values[1:], Options())
    refit = synthetic_did(target.under(-30.0), values[1:], Options())
    assert np.array_equal(refit.details["time_weights"], found.details["time_weights"])
    assert refit.details["zeta"] == found.details["zeta"]
    assert not np.allclose(refit.weights, found.weights)


def by_nnls(rows, ridge):
    """Weights whose mix of rows is nearest to 0, with a ridge, from stacked rows."""
    scale = np.sqrt((rows**2).sum(axis=1)).mean() or 1.0
    stacked = np.vstack([rows.T / scale, np.sqrt(ridge) / scale * np.eye(len(rows)), np.ones(len(rows))])
    found, _ = nnls(stacked, np.append(np.zeros(len(stacked) - 1), 1.0), maxiter=10_000)
    return found / found.sum()


@pytest.mark.parametrize("units", [2, 3, 4, 6, 9, 13, 31])
def test_time_weights_are_the_optimum_with_the_paper_s_slight_ridge(units):
    """Few donors: many mixes of days match the window exactly, and the ridge alone chooses."""
    values, target = panel(units, units=units, before=120)
    donors = values[1:]
    found = synthetic_did(target, donors, Options())
    rows = donors[:, :120].T - donors[:, 120:].mean(axis=1)
    rows = rows - rows.mean(axis=1, keepdims=True)
    noise = found.details["zeta"] / 7**0.25
    expected = by_nnls(rows, len(donors) * (1e-6 * noise) ** 2)
    assert found.details["time_weights"][:120] == pytest.approx(expected, abs=1e-7)


def test_unit_weights_are_the_ridge_optimum():
    values, target = panel(2)
    found = synthetic_did(target, values[1:], Options())
    rows = values[1:, :60] - values[0, :60]
    rows = rows - rows.mean(axis=1, keepdims=True)
    assert found.weights == pytest.approx(by_nnls(rows, 60 * found.details["zeta"] ** 2), abs=1e-9)


def test_a_failed_search_for_the_evenest_days_keeps_the_optimum(monkeypatch):
    values, target = panel(2, units=4)
    monkeypatch.setattr(module, "_NEWTON", 0)
    days = synthetic_did(target, values[1:], Options()).details["time_weights"][:60]
    rows = values[1:, :60].T - values[1:, 60:].mean(axis=1)
    assert days @ (rows - rows.mean(axis=1, keepdims=True)) == pytest.approx(np.zeros(3), abs=1e-4)


# ---- refusals


def without(target, **changes):
    return Target(**{"values": target.values, "dose": target.dose, "fitted": target.fitted} | changes)


@METHODS
def test_refused(method):
    values, target = panel(0)
    donors, none = values[1:], np.zeros(67, dtype=bool)
    for given_target, given_donors, said in [
        (target, donors[:0], "at least one donor"),
        (target, donors[:, :5], "67 periods"),
        (target, donors[0], "shape \\(67,\\)"),
        (without(target, fitted=none), donors, "0 known periods"),
        (without(target, dose=np.zeros(67)), donors, "0 in the window"),
        (without(target, values=np.full(67, np.nan)), donors, "0 known periods"),
        (
            without(target, values=np.where(np.arange(67) == 3, np.inf, target.values)),
            donors,
            "finite outcome",
        ),
        (target, np.where(np.arange(67) == 3, np.nan, donors), "12 in all"),
        (target, np.where(np.arange(67) == 63, np.nan, donors), "finite outcome"),
    ]:
        with pytest.raises(ContractError, match=said):
            method(given_target, given_donors, MOVED)


def test_a_null_fit_is_refused_like_the_plain_one():
    values, target = panel(0)
    for fast in (null_gaps, did_null_gaps):
        with pytest.raises(ContractError, match="at least one donor"):
            fast(target, values[:0], MOVED)


def test_did_without_days_outside_the_window_is_refused():
    values, target = panel(0)
    only = without(target, fitted=target.dose > 0)
    with pytest.raises(ContractError, match="days outside"):
        synthetic_did(only, values[1:], Options())


@pytest.mark.parametrize(
    ("values", "known", "said"),
    [
        (np.ones((1, 4)), np.ones(4, dtype=bool), "at least two units"),
        (np.ones(4), np.ones(4, dtype=bool), "at least two units"),
        (np.ones((3, 4)), np.ones(3, dtype=bool), "a flag a period"),
        (np.ones((3, 4)), np.zeros(4, dtype=bool), "0 known"),
        (np.array([[1.0, np.nan], [1.0, 1.0]]), np.ones(2, dtype=bool), "rows \\[0\\]"),
    ],
)
def test_placebos_refused(values, known, said):
    with pytest.raises(ContractError, match=said):
        placebo_gaps(values, known, MOVED)


# ---- other packages


def long(values, before):
    units, periods = values.shape
    unit, period = np.repeat(np.arange(units), periods), np.tile(np.arange(periods), units)
    dark = (unit == 0) & (period >= before)
    return pd.DataFrame({"unit": unit, "period": period, "y": values.ravel(), "dark": dark.astype(int)})


def comparable(values, before, options):
    """Let the others allow an intercept too: take the means away beforehand."""
    return values - values[:, :before].mean(axis=1, keepdims=True) if options.intercept else values


SIZES = pytest.mark.parametrize(("units", "before"), [(11, 60), (26, 100), (21, 14)])


@BOTH
@SIZES
def test_synthetic_control_equals_diff_diff(units, before, options):
    diff_diff = pytest.importorskip("diff_diff", reason="diff-diff is not installed")
    values, target = panel(before, units=units, before=before)
    found = synthetic_control(target, values[1:], options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says when a fit is poor
        fit = diff_diff.SyntheticControl(v_method="custom", custom_v=np.ones(before), standardize="none").fit(
            long(comparable(values, before, options), before), "y", "dark", "unit", "period"
        )
    theirs = [fit.donor_weights.get(unit, 0.0) for unit in range(1, units)]
    assert found.weights == pytest.approx(theirs, abs=1e-6)
    assert effect(target, found) == pytest.approx(fit.att, abs=1e-6)


@BOTH
@SIZES
def test_synthetic_control_equals_pysyncon(units, before, options):
    """Its solver ends early on levels far from 0, so the unit is taken from all series first."""
    pysyncon = pytest.importorskip("pysyncon", reason="pysyncon is not installed (test extra)")
    values, target = panel(before, units=units, before=before)
    found = synthetic_control(target, values[1:], options)
    shown = comparable(values, before, options)
    shown = shown - shown[0]
    donors, own = pd.DataFrame(shown[1:, :before].T), pd.Series(shown[0, :before], name="own")
    spread = pd.concat([donors, own], axis=1).std(axis=1).to_numpy()  # it divides by these; V undoes that
    fit = pysyncon.PenalizedSynth()
    fit.fit(X0=donors, X1=own, lambda_=0.0, custom_V=spread**2)
    assert found.weights == pytest.approx(np.asarray(fit.W), abs=1e-4)
    assert effect(target, found) == pytest.approx(-(fit.W @ shown[1:])[before:].mean(), abs=1e-3)
    ours, theirs = (np.sum((weights @ shown[1:, :before]) ** 2) for weights in (found.weights, fit.W))
    assert ours <= theirs / np.sum(fit.W) ** 2 * (1 + 1e-9)


def synthdid(values, before):
    diff_diff = pytest.importorskip("diff_diff", reason="diff-diff is not installed")
    frame = long(values, before).assign(dark=lambda rows: (rows["unit"] == 0).astype(int))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = diff_diff.SyntheticDiD(variance_method="jackknife").fit(
            frame, "y", "dark", "unit", "period", post_periods=list(range(before, values.shape[1]))
        )
    units = np.array([fit.unit_weights.get(unit, 0.0) for unit in range(1, len(values))])
    days = np.array([fit.time_weights.get(day, 0.0) for day in range(before)])
    return fit, units, days


def shortfalls(values, before, zeta):
    """Return the two objectives of the paper, as functions of weights."""
    donors, noise = values[1:], zeta / (values.shape[1] - before) ** 0.25

    def of_units(weights):
        return np.var(values[0, :before] - weights @ donors[:, :before]) + zeta**2 * weights @ weights

    def of_days(weights):
        apart = donors[:, before:].mean(axis=1) - donors[:, :before] @ weights
        return np.var(apart) + (1e-6 * noise) ** 2 * weights @ weights

    return of_units, of_days


@SIZES
def test_synthetic_did_is_no_worse_than_diff_diff_and_near_it(units, before):
    """Its descent stops early (a decrease of 1e-5 noise levels, squared): our objectives are lower."""
    values, target = panel(before, units=units, before=before)
    found = synthetic_did(target, values[1:], Options())
    fit, theirs, days = synthdid(values, before)
    assert found.details["zeta"] == pytest.approx(fit.zeta_omega, rel=1e-12)
    ours = found.details["time_weights"][:before]
    of_units, of_days = shortfalls(values, before, found.details["zeta"])
    assert of_units(found.weights) <= of_units(theirs) * (1 + 1e-12)
    assert of_days(ours) <= of_days(days) * (1 + 1e-12)
    assert found.weights == pytest.approx(theirs, abs=5e-3)
    assert effect(target, found) == pytest.approx(fit.att, abs=0.1)


@SIZES
def test_synthetic_did_equals_diff_diff_at_a_tight_tolerance(units, before):
    """Its descent is slow near the optimum of the time weights: after a million steps some 5e-4 are left."""
    weights = pytest.importorskip("diff_diff.utils", reason="diff-diff is not installed")
    values, target = panel(before, units=units, before=before)
    found = synthetic_did(target, values[1:], Options())
    donors, zeta = values[1:], found.details["zeta"]
    scale = donors[:, :before].std()
    shown = (values - donors[:, :before].mean()) / scale
    tight = {"min_decrease": 1e-12, "max_iter": 1_000_000}
    theirs = weights.compute_sdid_unit_weights(shown[1:, :before].T, shown[0, :before], zeta / scale, **tight)
    assert found.weights == pytest.approx(theirs, abs=1e-4)
    slight = 1e-6 * zeta / 7**0.25 / scale
    days = weights.compute_time_weights(shown[1:, :before].T, shown[1:, before:].T, slight, **tight)
    ours = found.details["time_weights"][:before]
    _, of_days = shortfalls(values, before, zeta)
    assert of_days(ours) <= of_days(days) * (1 + 1e-12)
    if of_days(ours) > 1e-6:  # else many mixes of days match the window, and its descent finds another
        gap = values[0] - theirs @ donors
        assert ours == pytest.approx(days, abs=1e-3)
        assert effect(target, found) == pytest.approx(gap[before:].mean() - days @ gap[:before], abs=3e-3)
