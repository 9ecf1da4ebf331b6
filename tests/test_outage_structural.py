"""The structural counterfactual: exact where matrices can be written out, honest where draws must tell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import t as student
from statsmodels.tsa.statespace.structural import UnobservedComponents

from grocery_spheres.outage import error_grid
from grocery_spheres.outage.covariance import Errors, fading, shared_steps
from grocery_spheres.outage.donor_factors import donor_factors
from grocery_spheres.outage.error_grid import FLOOR, Problem, candidate, candidates, weigh
from grocery_spheres.outage.expected import Options, Target
from grocery_spheres.outage.mixture import mix
from grocery_spheres.outage.structural import structural
from grocery_spheres.tables import ContractError

WEEK = Options(season=7)
RHOS = st.sampled_from([-0.6, -0.2, 0.0, 0.3, 0.7, 0.96])
RATIOS = st.sampled_from([0.0, 1e-5, 0.01, 0.3, 4.0])
TIMES = st.lists(st.integers(0, 60), min_size=3, max_size=25, unique=True).map(
    lambda some: np.array(sorted(some))
)


# ---- the covariance, against matrices written out


def written_out(times, rho, ratio, start):
    """Each entry by its definition: no power tables, no minimum of distances."""
    table = np.empty((len(times), len(times)))
    for row, one in enumerate(times):
        for column, other in enumerate(times):
            behind = min(one, other) - start if min(one, other) > start else 0
            before = start - max(one, other) if max(one, other) < start else 0
            table[row, column] = float(rho) ** abs(one - other) + ratio * (behind + before)
    return table


@given(TIMES, RHOS, RATIOS, st.integers(0, 9))
@example(np.array([0, 1, 2]), 0.0, 0.0, 0)
def test_the_covariance_is_solved_as_its_dense_matrix(times, rho, ratio, seed):
    errors = Errors(times, rho, ratio)
    dense = written_out(times, rho, ratio, times[0])
    columns = np.random.default_rng(seed).normal(size=(len(times), 3))
    assert errors.solve(columns) == pytest.approx(np.linalg.solve(dense, columns), rel=1e-6, abs=1e-7)
    assert errors.log_determinant == pytest.approx(np.linalg.slogdet(dense)[1], rel=1e-8, abs=1e-8)
    assert errors.between(times) == pytest.approx(dense)


@settings(max_examples=30)
@given(TIMES, RHOS, RATIOS)
def test_covariances_reach_to_any_time_before_between_and_behind(times, rho, ratio):
    everywhere = np.arange(times[0] - 5, times[-1] + 6)
    dense = written_out(everywhere, rho, ratio, times[0])
    errors = Errors(times, rho, ratio)
    assert errors.between(everywhere, everywhere) == pytest.approx(dense)
    assert errors.between(everywhere) == pytest.approx(dense[:, times - everywhere[0]])
    assert np.linalg.eigvalsh(dense).min() > -1e-9


# ---- candidates and their mixture, against generalised least squares and kriging written out


def draw(seed, *, periods=40, factors=3, dark=5, recovery=8, missing=3):
    """A problem with a window before its end, and a few periods missing."""
    generator = np.random.default_rng(seed)
    state = np.full(periods, "k")
    state[periods - recovery - dark : periods - recovery] = "w"
    state[generator.choice(periods - recovery - dark, missing, replace=False)] = "m"
    known, window = np.flatnonzero(state == "k"), np.flatnonzero(state == "w")
    terms = np.column_stack([np.ones(periods), generator.normal(size=(periods, 1 + factors))])
    values = terms @ generator.normal(size=2 + factors) + generator.normal(size=periods).cumsum()
    return Problem(terms, 2, values[known], known, window)


def dense_fit(problem, errors, size):
    """Coefficients, their covariance, variance and residuals by inverting the dense matrix."""
    inverse = np.linalg.inv(written_out(problem.known, errors.rho, errors.ratio, problem.known[0]))
    terms = problem.columns[problem.known, :size]
    bread = np.linalg.inv(terms.T @ inverse @ terms)
    slopes = bread @ terms.T @ inverse @ problem.values
    residuals = problem.values - terms @ slopes
    rest = residuals @ inverse @ residuals
    return inverse, bread, slopes, residuals, rest


@settings(max_examples=30)
@given(st.integers(0, 30), RHOS, RATIOS)
def test_nested_models_of_one_factor_are_those_of_separate_fits(seed, rho, ratio):
    problem = draw(seed)
    errors = Errors(problem.known, rho, ratio)
    fit = candidate(problem, errors)
    dense = written_out(problem.known, rho, ratio, problem.known[0])
    for model, size in enumerate(problem.sizes):
        inverse, bread, *_, rest = dense_fit(problem, errors, size)
        count, free = len(problem.values), len(problem.values) - size
        floor = FLOOR * problem.values @ inverse @ problem.values
        noise = np.linalg.slogdet(dense)[1]
        volume = -np.linalg.slogdet(bread)[1]
        assert fit.rest[model] == pytest.approx(rest + floor, rel=1e-7)
        assert fit.likelihood[model] == pytest.approx(-0.5 * (count * np.log(rest / count) + noise))
        restricted = -0.5 * (free * np.log(rest / free) + noise + volume)
        assert fit.restricted[model] == pytest.approx(restricted)


def kriged(problem, errors, size):
    """Mean and covariance of the window, by the textbook's formula with dense matrices."""
    inverse, bread, slopes, residuals, rest = dense_fit(problem, errors, size)
    known, window = problem.known, problem.window
    everywhere = np.concatenate([known, window])
    dense = written_out(everywhere, errors.rho, errors.ratio, known[0])
    cross, own = dense[: len(known), len(known) :], dense[len(known) :, len(known) :]
    mean = problem.columns[window, :size] @ slopes + cross.T @ inverse @ residuals
    gap = problem.columns[window, :size] - cross.T @ inverse @ problem.columns[known, :size]
    covariance = own - cross.T @ inverse @ cross + gap @ bread @ gap.T
    return mean, covariance * rest / (len(known) - size)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_mixture_is_that_of_kriging_with_dense_matrices(seed):
    problem = draw(seed)
    fits = candidates(problem)
    weights = weigh(problem, fits)
    mean, moment, parts = 0, 0, []
    for fit, row in zip(fits, weights, strict=True):
        for model in np.flatnonzero(row):
            size = problem.sizes[model]
            centre, covariance = kriged(problem, fit.errors, size)
            free = len(problem.values) - size
            mean = mean + row[model] * centre
            second = covariance * free / (free - 2) + np.outer(centre, centre)
            moment = moment + row[model] * second
            parts.append((row[model], centre.mean(), np.sqrt(covariance.mean()), free))
    found = mix(problem)
    assert found.expected == pytest.approx(mean, rel=1e-6, abs=1e-8)
    assert found.covariance == pytest.approx(moment - np.outer(mean, mean), rel=1e-5, abs=1e-7)
    listed = np.column_stack([found.weights, found.means, found.errors, found.free])
    assert listed == pytest.approx(np.array(parts), rel=1e-6, abs=1e-8)
    assert found.path[problem.window] == pytest.approx(found.expected)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_path_is_the_terms_the_level_and_in_dark_periods_the_memory(seed):
    problem = draw(seed)
    fits = candidates(problem)
    weights = weigh(problem, fits)
    path = np.zeros(len(problem.columns))
    everywhere = np.arange(len(path))
    for fit, row in zip(fits, weights, strict=True):
        level = fit.errors.ratio * shared_steps(everywhere, problem.known, problem.known[0])
        memory = fading(fit.errors.rho, everywhere, problem.known)
        memory[problem.known] = 0
        for model in np.flatnonzero(row):
            size = problem.sizes[model]
            inverse, _, slopes, residuals, _ = dense_fit(problem, fit.errors, size)
            one = problem.columns[:, :size] @ slopes + (level + memory) @ inverse @ residuals
            path += row[model] * one
    assert mix(problem).path == pytest.approx(path, rel=1e-6, abs=1e-7)


def test_in_known_periods_of_a_window_the_memory_is_noise(monkeypatch):
    """Half of this window is known: there only terms and level are foretold."""
    rho, ratio = 0.5, 0.03
    monkeypatch.setattr(error_grid, "RHO", (rho,))
    monkeypatch.setattr(error_grid, "RATIO", (ratio,))
    problem = draw(3, factors=0)
    problem = replace(problem, window=np.concatenate([problem.known[-12:-8], problem.window]))
    known, window, terms = problem.known, problem.window, problem.columns
    assert window[3] + 1 == window[4]
    inverse, bread, slopes, residuals, rest = dense_fit(problem, Errors(known, rho, ratio), 2)
    dark = np.arange(len(window)) >= 4
    level = [written_out(np.concatenate([known, window]), rho, size, known[0]) for size in (0, ratio)]
    memory, whole = level[0], level[1]
    walk = (whole - memory)[:, len(known) :]
    cross = walk[: len(known)] + memory[: len(known), len(known) :] * dark
    own = walk[len(known) :] + memory[len(known) :, len(known) :] * np.outer(dark, dark)
    gap = terms[window] - cross.T @ inverse @ terms[known]
    covariance = own - cross.T @ inverse @ cross + gap @ bread @ gap.T
    found, free = mix(problem), len(known) - 2
    assert found.covariance == pytest.approx(covariance * rest / (free - 2), rel=1e-6)
    assert found.expected == pytest.approx(terms[window] @ slopes + cross.T @ inverse @ residuals)
    assert found.expected == pytest.approx(found.path[window])


def test_weights_are_likelihoods_and_small_ones_are_nil():
    problem = draw(4)
    fits = candidates(problem)
    weights = weigh(problem, fits)
    assert weights.sum() == pytest.approx(1)
    assert (weights[weights > 0] >= error_grid.LEAST_WEIGHT * weights.max()).all()
    model = int(weights.sum(axis=0).argmax())
    kept = np.flatnonzero(weights[:, model])
    logs = np.array([fits[one].restricted[model] for one in kept])
    assert np.log(weights[kept, model]) - logs == pytest.approx(np.log(weights[kept[0], model]) - logs[0])


def test_numbers_of_factors_are_weighed_by_bic(monkeypatch):
    monkeypatch.setattr(error_grid, "LEAST_WEIGHT", 0.0)
    problem = draw(9)
    fits = candidates(problem)
    best = np.array([fit.likelihood for fit in fits]).max(axis=0)
    criterion = -2 * best + np.arange(len(best)) * np.log(len(problem.values))
    wanted = np.exp(-0.5 * (criterion - criterion.min()))
    assert weigh(problem, fits).sum(axis=0) == pytest.approx(wanted / wanted.sum())


def test_a_number_of_factors_that_is_asked_for_is_taken():
    problem = replace(draw(9), factors=1)
    assert weigh(problem, candidates(problem)).sum(axis=0) == pytest.approx([0, 1, 0, 0])


# ---- against statsmodels


@pytest.mark.parametrize(("rho", "ratio"), [(0.5, 0.0), (0.5, 0.03), (0.0, 0.1), (0.9, 0.003), (-0.2, 0.01)])
def test_forecasts_are_those_of_statsmodels_with_the_same_settings(monkeypatch, rho, ratio):
    """A diffuse level is our constant, diffuse regression states are our estimated coefficients."""
    generator = np.random.default_rng(7)
    driver = generator.normal(size=74)
    values = 5 + 2 * driver[:60] + generator.normal(size=60).cumsum() * 0.3 + generator.normal(size=60)
    values[[11, 12, 30]] = np.nan
    known, window = np.flatnonzero(~np.isnan(values)), np.arange(60, 74)
    monkeypatch.setattr(error_grid, "RHO", (rho,))
    monkeypatch.setattr(error_grid, "RATIO", (ratio,))
    problem = Problem(np.column_stack([np.ones(74), driver]), 2, values[known], known, window)
    found, free = mix(problem), len(known) - 2
    noise = candidates(problem)[0].rest[0] / free
    model = UnobservedComponents(
        values,
        level="random walk",
        autoregressive=1,
        exog=driver[:60],
        mle_regression=False,
        use_exact_diffuse=True,
    )
    settings = {"sigma2.level": ratio * noise, "sigma2.ar": (1 - rho**2) * noise, "ar.L1": rho}
    smoothed = model.smooth([settings[name] for name in model.param_names])
    forecast = smoothed.get_forecast(14, exog=driver[60:, None])
    assert found.expected == pytest.approx(forecast.predicted_mean, rel=1e-6)
    variance = np.diag(found.covariance) * (free - 2) / free
    assert variance == pytest.approx(forecast.var_pred_mean, rel=1e-6)
    trend = smoothed.level.smoothed + driver[:60] * smoothed.regression_coefficients.smoothed[0, -1]
    assert found.path[known] == pytest.approx(trend[known], rel=1e-6)


# ---- donor factors


def test_the_first_factor_is_the_total_and_the_rest_are_what_it_and_the_seasons_leave():
    generator = np.random.default_rng(2)
    donors = generator.gamma(2, size=(9, 80)).cumsum(axis=1) + 5
    use = np.arange(80) < 60
    seasons = np.eye(7)[np.arange(80) % 7][:, 1:]
    factors = donor_factors(donors, use, 4, known_already=seasons)
    total = donors.sum(axis=0)
    assert factors[:, 0] == pytest.approx((total - total[use].mean()) / total[use].std())
    assert factors[use].mean(axis=0) == pytest.approx(np.zeros(4), abs=1e-9)
    assert factors[use].T @ factors[use] / 60 == pytest.approx(np.eye(4), abs=1e-9)
    assert factors[use, 1:].T @ seasons[use] == pytest.approx(np.zeros((3, 6)), abs=1e-8)
    units = (donors - donors[:, use].mean(axis=1, keepdims=True)) / donors[:, use].std(axis=1, keepdims=True)
    given_ = np.column_stack([np.ones(80), factors[:, 0], seasons])
    left = units.T - given_ @ np.linalg.lstsq(given_[use], units.T[use], rcond=None)[0]
    directions = np.linalg.svd(left[use], full_matrices=False)[2][:3]
    scores = left @ directions.T
    assert np.abs(factors[:, 1:]) == pytest.approx(np.abs(scores / scores[use].std(axis=0)), rel=1e-6)


@pytest.mark.parametrize("shape", [(5, 60), (60, 20)])
def test_factors_of_few_and_of_many_donors_span_the_same_whatever_the_smaller_side(shape):
    generator = np.random.default_rng(3)
    donors = generator.normal(size=shape) + 3 * generator.normal(size=shape[1])
    use = np.ones(shape[1], dtype=bool)
    factors = donor_factors(donors, use, 3)
    total = factors[:, :1]
    units = ((donors.T - donors.mean(axis=1)) / donors.std(axis=1)) - 0
    left = units - total @ (total.T @ units) / len(total)
    strengths = np.linalg.svd(left, compute_uv=False)[:2] ** 2
    caught = ((factors[:, 1:].T @ left) ** 2).sum(axis=1) / shape[1]
    assert caught == pytest.approx(strengths)


def test_constant_donors_and_totals_make_no_factor():
    wave = np.sin(np.arange(30.0))
    use = np.ones(30, dtype=bool)
    assert donor_factors(np.full((3, 30), 4.0), use, 5).shape == (30, 0)
    assert donor_factors(np.zeros((0, 30)), use, 5).shape == (30, 0)
    assert donor_factors(np.array([wave, 2 * wave, np.full(30, 1e6)]), use, 5).shape == (30, 1)
    mirrored = donor_factors(np.array([wave, -wave]), use, 5)
    assert mirrored.shape == (30, 1)
    assert abs(np.corrcoef(mirrored[:, 0], wave)[0, 1]) == pytest.approx(1)


def test_a_donor_missing_in_a_period_that_is_not_used_leaves_that_period_open():
    donors = np.random.default_rng(1).normal(size=(4, 30))
    donors[2, 29] = np.nan
    factors = donor_factors(donors, np.arange(30) < 29, 2)
    assert np.isnan(factors[29]).all()
    assert np.isfinite(factors[:29]).all()


# ---- the method


def world(seed, *, periods=120, dark=10, recovery=0, donors=8, noise=1.0, effect=0.0):
    """Donors and a target with a common walk, a week and AR(1) errors; returns target, donors and truth."""
    generator = np.random.default_rng(seed)
    common = np.zeros(periods)
    errors = np.zeros((donors + 1, periods))
    for period in range(1, periods):
        common[period] = 0.9 * common[period - 1] + generator.normal()
        errors[:, period] = 0.5 * errors[:, period - 1] + noise * generator.normal(size=donors + 1)
    week = np.array([-4, -3, -2, 0, 3, 8, -2.0])[np.arange(periods) % 7]
    values = 50 + generator.uniform(0.5, 1.5, (donors + 1, 1)) * common + week + errors
    dose = np.zeros(periods)
    dose[periods - recovery - dark : periods - recovery] = 1
    target = Target(values[0] + effect * dose, dose, dose == 0)
    return target, values[1:], values[0]


def test_the_window_has_one_story_path_error_spread_running_total_and_daily_errors():
    target, donors, _ = world(1, recovery=20)
    expected = structural(target, donors, WEEK)
    window, details = target.window, expected.details
    assert np.cumsum(expected.path[window]) == pytest.approx(details["running"]["mean"])
    count = window.sum()
    assert details["running"]["error"][-1] == pytest.approx(count * expected.error)
    assert details["running"]["error"][0] == pytest.approx(details["daily_error"][0])
    assert (np.diff(details["running"]["error"]) > 0).all()
    places = np.linspace(-30, 30, 20001) * expected.error + expected.path[window].mean()
    chances = expected.spread(places)
    assert (np.diff(chances) >= 0).all()
    middles, masses = (places[1:] + places[:-1]) / 2, np.diff(chances)
    mean = middles @ masses
    assert mean == pytest.approx(expected.path[window].mean(), abs=1e-4)
    assert np.sqrt((middles - mean) ** 2 @ masses) == pytest.approx(expected.error, rel=1e-3)
    assert details["factors"].sum() == pytest.approx(1)
    assert (details["periods"], details["donors"]) == (110, 8)


def test_the_spread_of_one_setting_is_a_t_distribution(monkeypatch):
    monkeypatch.setattr(error_grid, "RHO", (0.5,))
    monkeypatch.setattr(error_grid, "RATIO", (0.0,))
    target, donors, _ = world(2)
    expected = structural(target, donors, Options(factors=2))
    free = 110 - 3
    scale = expected.error * np.sqrt((free - 2) / free)
    centre = expected.path[target.window].mean()
    places = np.array([[centre - 2], [centre + 1]])
    assert expected.spread(places) == pytest.approx(student.cdf((places - centre) / scale, free))


@given(st.floats(0.01, 1000), st.floats(-1e4, 1e4))
@settings(max_examples=10)
def test_units_of_the_outcome_do_not_matter(scale, shift):
    target, donors, _ = world(3)
    expected = structural(target, donors, WEEK)
    changed = replace(target, values=shift + scale * target.values)
    other = structural(changed, 5 + 0.5 * donors, WEEK)
    assert other.path == pytest.approx(shift + scale * expected.path, rel=1e-6, abs=1e-6 * scale)
    assert other.error == pytest.approx(scale * expected.error, rel=1e-5)


def test_the_same_again_gives_the_same_bytes_and_leaves_its_inputs_alone():
    target, donors, _ = world(4)
    before = target.values.copy(), donors.copy()
    first, second = (structural(target, donors, WEEK) for _ in range(2))
    assert first.path.tobytes() == second.path.tobytes()
    assert first.error == second.error
    assert (target.values == before[0]).all()
    assert (donors == before[1]).all()


def test_what_was_sold_in_the_window_says_nothing_of_what_would_have_been():
    plain, donors, _ = world(5)
    hit, *_ = world(5, effect=-40.0)
    assert (structural(plain, donors, WEEK).path == structural(hit, donors, WEEK).path).all()


def test_intervals_cover_and_point_at_the_truth():
    held, errors = [], []
    for seed in range(100):
        target, donors, truth = world(seed, effect=-20.0)
        expected = structural(target, donors, WEEK)
        actual = truth[target.window].mean()
        held.append(0.025 <= expected.spread(np.array([actual]))[0] <= 0.975)
        errors.append((expected.path[target.window].mean() - actual) / expected.error)
    assert np.mean(held) == pytest.approx(0.95, abs=0.05)  # 2.3 standard errors of 100 draws
    assert np.mean(errors) == pytest.approx(0, abs=0.2)
    assert np.std(errors) == pytest.approx(1, abs=0.15)


def test_periods_behind_the_window_narrow_the_answer():
    target, donors, _ = world(6, recovery=20)
    without = replace(target, values=np.where(np.arange(120) < 100, target.values, np.nan))
    assert structural(target, donors, WEEK).error < structural(without, donors, WEEK).error


def test_a_window_before_the_known_periods_is_as_uncertain_as_one_behind_them():
    target, donors, _ = world(7, periods=77, dark=7)
    behind = structural(target, donors[:0], Options())
    mirrored = Target(target.values[::-1], target.dose[::-1], target.fitted[::-1])
    before = structural(mirrored, donors[:0], Options())
    assert before.path == pytest.approx(behind.path[::-1], rel=1e-6)
    assert before.error == pytest.approx(behind.error, rel=1e-6)


def test_a_refit_under_a_null_reads_terms_and_level_in_the_window():
    """All is known: the path is the smoothed mean, not the outcome itself."""
    target, donors, _ = world(8)
    expected = structural(target.under(-3.0), donors, WEEK)
    gaps = (target.under(-3.0).values - expected.path)[target.window]
    assert np.isfinite(expected.path).all()
    assert gaps.std() > 0.3
    assert expected.details["periods"] == 120
    assert expected.error > 0


# ---- odd inputs


def test_without_donors_it_is_a_level_with_seasons():
    target, donors, truth = world(9, noise=0.3)
    for none in (donors[:0], np.zeros(0), []):
        expected = structural(target, none, WEEK)
        assert expected.details["factors"] == pytest.approx([1.0])
        assert expected.details["donors"] == 0
    asked = structural(target, donors, Options(season=7, factors=0))
    assert asked.path == pytest.approx(expected.path)
    assert abs(expected.path - truth)[target.window].mean() < 5


def test_constant_donors_count_for_nothing():
    target, donors, _ = world(10)
    constant = np.full((3, 120), 7.0)
    assert structural(target, constant, WEEK).path == pytest.approx(structural(target, donors[:0], WEEK).path)


def test_one_donor_that_only_repeats_the_week_is_left_out_with_a_note():
    target, _, _ = world(11)
    weekly = np.tile(np.arange(7.0), 18)[None, :120]
    expected = structural(target, weekly, WEEK)
    assert expected.details["dropped"] == ("factor 1: earlier terms say the same in the known periods",)
    assert expected.path == pytest.approx(structural(target, np.zeros((0, 120)), WEEK).path)


def test_copies_of_a_donor_add_nothing():
    target, donors, _ = world(12)
    one = structural(target, donors[:1], WEEK)
    three = structural(target, np.repeat(donors[:1], 3, axis=0), WEEK)
    assert three.path == pytest.approx(one.path)
    assert len(three.details["factors"]) == 2


@pytest.mark.parametrize(
    ("known", "terms", "factors", "notes"),
    [
        (120, 7, 6, 0),
        (30, 7, 3, 1),  # 30 - 7 = 23 periods carry 3 factors
        (12, 7, 0, 1),  # five to spare beyond seven seasons
        (11, 1, 1, 2),  # no longer: without seasons 10 are left, for one factor
        (6, 1, 0, 2),
        (5, 1, 0, 2),
    ],
)
def test_short_panels_have_fewer_factors_then_no_seasons(known, terms, factors, notes):
    target, donors, _ = world(13, periods=known + 3, dark=3)
    expected = structural(target, donors, WEEK)
    assert len(expected.details["factors"]) == factors + 1
    assert len(expected.details["dropped"]) == notes
    assert ("season terms" in " ".join(expected.details["dropped"])) == (terms == 1)
    assert np.isfinite(expected.path).all()
    assert 0 < expected.error < 100


def test_more_factors_than_there_are_is_as_many_as_there_are():
    target, donors, _ = world(14)
    expected = structural(target, donors[:3], Options(season=7, factors=9))
    assert expected.details["factors"] == pytest.approx([0, 0, 0, 1])


def test_missing_periods_are_bridged_and_open_donors_leave_the_path_open():
    target, donors, truth = world(15, recovery=10)
    values, holes = target.values.copy(), [3, 50, 51, 52]
    values[[*holes, 119]] = np.nan
    donors[2, 119] = np.inf
    expected = structural(replace(target, values=values), donors, WEEK)
    assert expected.details["periods"] == 105
    assert np.isnan(expected.path).tolist() == [period == 119 for period in range(120)]
    assert np.abs(expected.path - truth)[holes].max() < 5


def test_a_window_period_without_an_outcome_has_a_path_but_no_part_in_the_window():
    target, donors, _ = world(16)
    values = target.values.copy()
    values[115] = np.nan
    expected = structural(replace(target, values=values), donors, WEEK)
    assert np.isfinite(expected.path[115])
    assert len(expected.details["daily_error"]) == 9


def test_a_season_that_is_never_known_is_open_or_refused():
    target, donors, _ = world(17)
    values = np.where(np.arange(120) % 7 == 2, np.nan, target.values)
    expected = structural(replace(target, values=values), donors, WEEK)
    assert (np.isnan(expected.path) == (np.arange(120) % 7 == 2)).all()
    values[114] = 30.0  # 114 = 16 weeks and 2
    with pytest.raises(ContractError, match="Period 114 of the window is number 2 of its season of 7"):
        structural(replace(target, values=values), donors, WEEK)


def test_counts_work_with_many_nils():
    generator = np.random.default_rng(18)
    donors = generator.poisson(1.0, size=(20, 200)).astype(float)
    dose = (np.arange(200) >= 190) * 1.0
    target = Target(generator.poisson(0.2, size=200).astype(float), dose, dose == 0)
    expected = structural(target, donors, Options(season=7, counts=True))
    assert expected.path[target.window].mean() == pytest.approx(0.2, abs=0.2)
    assert 0.05 < expected.error < 0.5


def test_a_perfect_fit_has_next_to_no_error():
    target, donors, _ = world(19)
    twice = replace(target, values=2 * donors[0] + 3)
    expected = structural(twice, donors[:1], WEEK)
    assert expected.path == pytest.approx(2 * donors[0] + 3, rel=1e-4)
    assert 0 <= expected.error < 1e-3
    assert np.isfinite(expected.spread(np.array([0.0, 1e9]))).all()


@pytest.mark.parametrize("size", [1e-12, 1e12])
def test_tiny_and_huge_outcomes_work(size):
    target, donors, _ = world(20)
    plain = structural(target, donors, WEEK)
    sized = structural(replace(target, values=target.values * size), donors * size, WEEK)
    assert sized.path == pytest.approx(plain.path * size)


ROW = np.arange(120.0)


@pytest.mark.parametrize(
    ("change", "donors", "options", "said"),
    [
        ({"values": np.full(120, 3.0)}, None, WEEK, "The target is 3 in all its 110 known periods"),
        ({"values": np.full(120, np.nan)}, None, WEEK, "no outcome in a window"),
        ({"dose": np.zeros(120)}, None, WEEK, "no outcome in a window"),
        ({"fitted": ROW < 4}, None, WEEK, "4 known periods outside its window"),
        ({"values": np.where(ROW == 7, np.inf, ROW)}, None, WEEK, "infinite in period 7"),
        ({"values": ["many"] * 120}, None, WEEK, "target's values are no numbers"),
        ({"dose": np.zeros(119)}, None, WEEK, r"dose has shape \(119,\), its values \(120,\)"),
        ({"dose": np.where(ROW == 3, np.nan, ROW > 109)}, None, WEEK, "dose is a finite number"),
        ({"fitted": ROW}, None, WEEK, "fitted is true or false"),
        ({"values": np.ones((2, 60))}, None, WEEK, "all are one row of periods"),
        ({}, np.ones((2, 119)), WEEK, r"donors have shape \(2, 119\): give one row a donor, 120 periods"),
        ({}, np.ones(120), WEEK, "give one row a donor"),
        ({}, np.array([["few"] * 120]), WEEK, "donors are no numbers"),
        ({}, np.where(ROW == 9, np.nan, ROW)[None], WEEK, "Donor 0 is nan in period 9"),
        ({}, np.where(ROW == 115, np.inf, ROW)[None], WEEK, "Donor 0 is inf in period 115"),
        ({}, None, Options(season=0), "option season is 0"),
        ({}, None, Options(season=7.0), "option season is 7.0"),  # type: ignore[arg-type]
        ({}, None, Options(season=None), "option season is None"),  # type: ignore[arg-type]
        ({}, None, Options(factors=-1), "option factors is -1"),
        ({}, None, Options(factors=True), "option factors is True"),
    ],
)
def test_what_cannot_be_answered_is_refused(change, donors, options, said):
    target, others, _ = world(21)
    with pytest.raises(ContractError, match=said):
        structural(replace(target, **change), others if donors is None else donors, options)
