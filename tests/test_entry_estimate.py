"""Effects of entries: recovered where known, equal to other ways of computing them, with honest intervals."""

import datetime as dt
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest
import statsmodels.api as sm
from diff_diff import BaconDecomposition, CallawaySantAnna, HonestDiD
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from scipy import stats

from grocery_spheres.entry import averages as average
from grocery_spheres.entry import estimate_entry
from grocery_spheres.entry.cells import estimate_cells
from grocery_spheres.entry.inference import certainty

pytestmark = pytest.mark.filterwarnings(
    "ignore::UserWarning"
)  # what is warned of is tested in test_entry_refusals

PERIODS, COHORTS = 12, (4, 6, 8, 10)
SHARES = {"unit": "u", "time": "t", "first_treated": "g", "outcome": "y"}


def staggered(seed, units=60, cohorts=COHORTS, never=20, effect=-0.5):
    """A panel whose truth is known: effects grow with each period, and are larger in early cohorts."""
    draw = np.random.default_rng(seed)
    first = np.concatenate([np.repeat(cohorts, (units - never) // len(cohorts)), np.zeros(never, int)])
    units = len(first)
    noise = draw.normal(size=(units, PERIODS))
    for period in range(1, PERIODS):
        noise[:, period] = 0.5 * noise[:, period - 1] + np.sqrt(0.75) * noise[:, period]
    event = np.arange(1, PERIODS + 1) - first[:, None]
    treated = (first[:, None] > 0) & (event >= 0)
    size = np.where(first < 7, effect, 0.4 * effect)[:, None]
    truth = np.where(treated, size * (event + 1), 0.0)
    outcome = 2 * draw.normal(size=(units, 1)) + np.linspace(0, 3, PERIODS) + noise + truth
    return first, outcome, truth, event, treated


def long(first, outcome, **more):
    units, periods = outcome.shape
    columns = {"u": np.repeat(np.arange(units), periods), "t": np.tile(np.arange(1, periods + 1), units)}
    more = {name: np.repeat(values, periods) for name, values in more.items()}
    return pl.DataFrame({**columns, "g": np.repeat(first, periods), "y": outcome.ravel(), **more})


def made(seed=1, **options):
    first, outcome, *_ = staggered(seed, **options)
    return long(first, outcome)


def fit(panel, **options):
    return estimate_entry(panel, **{**SHARES, "draws": 199, **options})


def library(panel, **options):
    estimator = CallawaySantAnna(estimation_method="reg", base_period="universal", **options)
    return estimator.fit(panel.to_pandas(), outcome="y", unit="u", time="t", first_treat="g")


def refitted(panel, *, control="not_yet_treated", cluster=None):
    """Our parts as diff-diff takes them: no correction for few units, cohort sizes drawn."""
    results = fit(panel, control=control, cluster=cluster)
    study = results.study
    return study, estimate_cells(study, control, 0, corrected=False)


def sure_of(study, cells, masks):
    found = average.averages(study, cells, masks, drawn=True)
    return found.value, certainty(study, found.value, found.influence).se


# ---- what is recovered


@pytest.fixture(scope="module")
def replications():
    """A hundred panels: errors, and whether 90 % intervals and bands hold the truth."""
    rows = []
    for seed in range(100):
        first, outcome, truth, event, treated = staggered(seed)
        found = fit(long(first, outcome), alpha=0.1, seed=seed)
        low, high = found.conf_int()
        true = truth[treated].mean()
        shown = found.dynamic.filter(pl.col("event_time") != -1)
        rest = (first[:, None] > 0) & np.ones_like(treated)
        path = np.array([truth[rest & (event == one)].mean() for one in shown["event_time"]])
        inside = (shown["low"].to_numpy() <= path) & (path <= shown["high"].to_numpy())
        banded = (shown["band_low"].to_numpy() <= path) & (path <= shown["band_high"].to_numpy())
        rows.append(
            {
                "error": found.att - true,
                "held": low <= true <= high,
                "errors": shown["att"].to_numpy() - path,
                "inside": inside,
                "band": banded.all(),
                "naive": found.two_way.coefficient - true,
                "naive_held": found.two_way.low <= true <= found.two_way.high,
                "bias_seen": found.two_way.difference_low > 0 or found.two_way.difference_high < 0,
                "difference": found.two_way.difference,
                "difference_width": found.two_way.difference_high - found.two_way.difference_low,
                "rejected": found.pre_trends.pvalue < 0.1,
            }
        )
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def test_the_average_effect_is_recovered_without_bias(replications):
    error = replications["error"]
    assert abs(error.mean()) < 2 * error.std() / np.sqrt(len(error))


def test_every_event_time_is_recovered_without_bias(replications):
    errors = replications["errors"]
    t = errors.mean(axis=0) / (errors.std(axis=0) / np.sqrt(len(errors)))
    assert np.abs(t).max() < 3  # the largest of 17


def test_intervals_and_bands_cover_as_they_say(replications):
    assert 0.85 <= replications["inside"].mean() <= 0.95
    assert 0.83 <= replications["band"].mean() <= 0.97  # 100 replications: two errors are 6 points
    assert 0.83 <= replications["held"].mean() <= 0.99
    assert replications["rejected"].mean() < 0.2


def test_two_way_fixed_effects_are_biased_where_effects_grow(replications):
    naive = replications["naive"]
    assert naive.mean() > 0.5  # the effect is below zero, and they find less of it
    assert naive.mean() / (naive.std() / np.sqrt(len(naive))) > 20
    assert replications["naive_held"].mean() < 0.05
    assert replications["bias_seen"].mean() > 0.9


def test_the_difference_to_two_way_fixed_effects_is_at_least_as_sure_as_it_says(replications):
    spread = replications["difference"].std(ddof=1)
    assert 0.9 * spread < replications["difference_width"].mean() / (2 * 1.67) < 1.4 * spread


def test_with_one_cohort_and_two_periods_two_way_fixed_effects_are_no_different():
    first = np.array([2] * 30 + [0] * 30)
    naive = fit(long(first, np.random.default_rng(5).normal(size=(60, 2)))).two_way
    assert naive.difference == pytest.approx(0, abs=1e-10)
    assert naive.difference_high - naive.difference_low < 0.1 * (naive.high - naive.low)
    assert (naive.negative_share, naive.negative_weight) == (0, 0)


# ---- other ways to the same numbers


def test_one_cohort_and_those_never_treated_make_the_t_test_of_welch():
    first = np.array([2] * 4 + [0] * 15)
    outcome = np.random.default_rng(5).normal(size=(19, 2)) * np.where(first > 0, 3, 1)[:, None]
    found = fit(long(first, outcome))
    change = outcome[:, 1] - outcome[:, 0]
    welch = stats.ttest_ind(change[first > 0], change[first == 0], equal_var=False)
    assert found.pvalue == pytest.approx(welch.pvalue)
    assert found.conf_int() == pytest.approx(tuple(welch.confidence_interval(0.95)))


@settings(max_examples=12)
@given(st.integers(0, 10_000), st.sampled_from(["not_yet_treated", "never_treated"]))
def test_group_time_effects_are_double_differences(seed, control):
    first, outcome, *_ = staggered(seed, units=28, never=8)
    for row in fit(long(first, outcome), control=control).group_time.iter_rows(named=True):
        group, time = row["group"], row["time"]
        base = group - 1
        others = first == 0
        if control == "not_yet_treated":
            others |= (first > max(time, base)) & (first != group)
        change = outcome[:, time - 1] - outcome[:, base - 1]
        assert row["att"] == pytest.approx(change[first == group].mean() - change[others].mean(), abs=1e-10)
        if time != base:
            both = [change[first == group], change[others]]
            error = np.sqrt(sum(one.var(ddof=1) / len(one) for one in both))
            assert row["se"] == pytest.approx(error, rel=1e-9)
            assert (row["units"], row["comparisons"]) == tuple(len(one) for one in both)


def test_an_effect_of_one_cohort_in_one_period_is_the_coefficient_of_a_regression():
    first, outcome, *_ = staggered(3)
    row = fit(long(first, outcome), control="never_treated").group_time.row(
        by_predicate=(pl.col("group") == 6) & (pl.col("time") == 9), named=True
    )
    kept = (first == 6) | (first == 0)
    change = outcome[kept, 8] - outcome[kept, 4]
    assert row["att"] == pytest.approx(
        sm.OLS(change, sm.add_constant((first[kept] == 6) * 1.0)).fit().params[1]
    )


@pytest.mark.parametrize("control", ["not_yet_treated", "never_treated"])
@pytest.mark.parametrize("clustered", [False, True])
def test_averages_and_errors_are_those_of_the_library(control, clustered):
    panel = made(5).with_columns(c=pl.col("u") // 3)
    theirs = library(panel, control_group=control, cluster="c" if clustered else None)
    study, cells = refitted(panel, control=control, cluster="c" if clustered else None)
    value, se = sure_of(study, cells, [(0, average.after(study, cells))])
    assert [value[0], se[0]] == pytest.approx([theirs.overall_att, theirs.overall_se], rel=1e-10)
    events = theirs.aggregate("event_study").to_dataframe().set_index("event_time")
    event = cells.time - cells.group
    for one in np.unique(event[event != -1]):
        value, se = sure_of(study, cells, [(0, event == one)])
        wanted = events.loc[one, ["att", "se"]] if "att" in events else events.loc[one, ["effect", "se"]]
        assert [value[0], se[0]] == pytest.approx(list(wanted), rel=1e-10)


def test_balanced_event_times_are_those_of_the_library():
    panel = made(6)
    theirs = library(panel, control_group="not_yet_treated").aggregate("event_study", balance_e=4)
    frame = theirs.to_dataframe().set_index("event_time")
    name = "att" if "att" in frame else "effect"
    ours = fit(panel).event_study(balance=4).filter(pl.col("event_time").is_between(0, 4))
    assert ours["event_time"].to_list() == [0, 1, 2, 3, 4]
    assert ours["att"].to_list() == pytest.approx(list(frame.loc[range(5), name]), abs=1e-10)
    assert set(ours["groups"]) == {3}  # the cohort of period 10 is seen for three periods only


def test_a_cohort_with_a_period_missing_is_in_no_balanced_picture():
    first, outcome, *_ = staggered(6)
    outcome[first == 4, 5] = np.nan  # cohort 4 is seen 0, 1, 3, 4, ... periods after its entry
    found = fit(long(first, outcome))
    assert found.event_study(balance=1)["groups"].max() == len(COHORTS)
    assert found.event_study(balance=4).filter(pl.col("event_time") >= 0)["groups"].to_list() == [2] * 5


def test_the_same_as_the_library_with_a_covariate_and_with_missing_cells():
    first, outcome, *_ = staggered(8)
    income = np.random.default_rng(1).normal(size=len(first))
    panel = long(first, outcome + income[:, None] * np.arange(PERIODS), x=income)
    estimator = CallawaySantAnna("not_yet_treated", estimation_method="reg", base_period="universal")
    names = {"outcome": "y", "unit": "u", "time": "t", "first_treat": "g"}
    with_x = estimator.fit(panel.to_pandas(), covariates=["x"], **names)
    assert fit(panel, covariates=["x"]).att == pytest.approx(with_x.overall_att, abs=1e-10)
    holes = panel.filter((pl.col("u") * 7 + pl.col("t") * 5) % 23 != 0)
    found = fit(holes)
    kept = holes.filter(~pl.col("u").is_in(found.set_apart["unit"].implode()))  # seen in their reference
    effects = estimator.fit(kept.to_pandas(), **names).group_time_effects
    ours = {(row["group"], row["time"]): row for row in found.group_time.iter_rows(named=True)}
    assert len(ours) == len(COHORTS) * PERIODS
    for key, row in ours.items():
        assert row["att"] == pytest.approx(effects[key]["effect"], abs=1e-10)
        assert row["units"] == effects[key]["n_treated"]


def test_a_covariate_takes_out_the_trend_that_follows_it():
    first, outcome, truth, _, treated = staggered(9, units=120, never=40)
    income = np.random.default_rng(2).normal(size=len(first)) + (first > 0)
    panel = long(first, outcome + income[:, None] * np.arange(PERIODS), x=income)
    true = truth[treated].mean()
    raw, adjusted = fit(panel), fit(panel, covariates=["x"])
    assert abs(raw.att - true) > 2
    low, high = adjusted.conf_int()
    assert low < true < high
    assert "given their x" in adjusted.sentence()


def test_two_way_fixed_effects_are_the_regression_with_dummies():
    first, outcome, *_ = staggered(4, units=28, never=8)
    panel = long(first, outcome).filter((pl.col("u") + pl.col("t")) % 11 != 0)
    found = fit(panel)
    ours = found.two_way
    frame = panel.filter(~pl.col("u").is_in(found.set_apart["unit"].implode())).to_pandas()
    treated = ((frame.g > 0) & (frame.t >= frame.g)).astype(float)
    dummies = [pd.get_dummies(frame[name], dtype=float, drop_first=name == "t") for name in ("u", "t")]
    design = np.column_stack([treated, *dummies])
    fitted = sm.OLS(frame.y.to_numpy(), design).fit(
        cov_type="cluster", cov_kwds={"groups": frame.u.to_numpy(), "use_correction": False}
    )
    cells, clusters = len(frame), frame.u.nunique()
    factor = clusters / (clusters - 1) * (cells - 1) / (cells - PERIODS - 1)
    assert ours.coefficient == pytest.approx(fitted.params[0], abs=1e-8)
    assert ours.se == pytest.approx(fitted.bse[0] * np.sqrt(factor), rel=1e-8)
    residual = sm.OLS(treated.to_numpy(), design[:, 1:]).fit().resid[treated.to_numpy() == 1]
    assert ours.negative_share == pytest.approx((residual < -1e-9).mean())
    assert ours.negative_weight == pytest.approx(residual[residual < -1e-9].sum() / residual.sum())


def test_the_naive_coefficient_is_the_one_that_bacon_decomposes():
    panel = made(4)
    bacon = BaconDecomposition().fit(panel.to_pandas(), outcome="y", unit="u", time="t", first_treat="g")
    assert fit(panel).two_way.coefficient == pytest.approx(bacon.twfe_estimate, abs=1e-8)


def test_the_set_under_drift_is_the_one_of_honest_did():
    panel = made(2)
    ours = fit(panel)
    late = ours.group_time.filter(pl.col("event_time") >= 0)
    shares = late.group_by("event_time").agg(pl.sum("units")).sort("event_time")["units"]
    theirs = library(panel, control_group="not_yet_treated").aggregate("event_study")
    for row in ours.sensitivity.frame.iter_rows(named=True):
        honest = HonestDiD(M=row["magnitude"], l_vec=(shares / shares.sum()).to_numpy()).fit(theirs)
        assert [row["set_low"], row["set_high"]] == pytest.approx([honest.lb, honest.ub], abs=1e-6)


# ---- what must agree with itself


def weighted(frame, weight):
    return (frame["att"] * weight).sum() / weight.sum()


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_the_overall_effect_is_every_average_of_its_parts(seed):
    found = fit(made(seed, units=32, never=8))
    late = found.group_time.filter(pl.col("event_time") >= 0)
    assert weighted(late, late["units"]) == pytest.approx(found.att, abs=1e-10)
    assert weighted(found.calendar, found.calendar["units"]) == pytest.approx(found.att, abs=1e-10)
    periods = PERIODS + 1 - found.by_group["group"]
    assert weighted(found.by_group, found.by_group["units"] * periods) == pytest.approx(found.att, abs=1e-10)
    after = found.dynamic.filter(pl.col("event_time") >= 0)
    assert weighted(after, after["units"]) == pytest.approx(found.att, abs=1e-10)


def test_averages_are_weighed_by_hand():
    """Cohorts of 2 and 4 towns: effects -3 and -6 in the last period weigh one to two."""
    first = np.array([2, 2, 3, 3, 3, 3, 0, 0, 0])
    outcome = np.random.default_rng(1).normal(scale=1e-3, size=(9, 3))
    outcome[:2] += [0, -1, -3]
    outcome[2:6] += [0, 0, -6]
    found = fit(long(first, outcome))
    assert found.calendar["att"].to_list() == pytest.approx([-1, -(2 * 3 + 4 * 6) / 6], abs=0.01)
    assert found.by_group["att"].to_list() == pytest.approx([-2, -6], abs=0.01)
    assert found.att == pytest.approx((2 * -1 + 2 * -3 + 4 * -6) / 8, abs=0.01)
    path = dict(found.dynamic.select("event_time", "att").iter_rows())
    assert path == pytest.approx({-2: 0, -1: 0, 0: (2 * -1 + 4 * -6) / 6, 1: -3}, abs=0.01)
    assert dict(found.dynamic.select("event_time", "groups").iter_rows()) == {-2: 1, -1: 2, 0: 2, 1: 1}


NUMBERS = ["group_time", "dynamic", "by_group", "calendar"]


def assert_same(one, other, **shift):
    for name in NUMBERS:
        assert_frame_equal(getattr(one, name), getattr(other, name), rel_tol=1e-9, abs_tol=1e-9)
    assert one.conf_int() == pytest.approx(other.conf_int(), rel=1e-9)
    assert one.pre_trends.pvalue == other.pre_trends.pvalue
    assert one.two_way.coefficient == pytest.approx(other.two_way.coefficient, abs=1e-8)


@pytest.mark.parametrize(
    "change",
    [
        lambda panel: panel.sample(fraction=1, shuffle=True, seed=1),
        lambda panel: panel.with_columns(u=(pl.col("u") * 37 % 61).cast(pl.String)),
        lambda panel: panel.with_columns(y=pl.col("y") + 100),
        lambda panel: panel.with_columns(y=pl.col("y") + pl.col("t") * 5),
        lambda panel: panel.with_columns(pl.col("g").cast(pl.Float64).replace(0, float("inf"))),
        lambda panel: panel.with_columns(pl.col("g").replace(0, None)),
        lambda panel: panel.with_columns(pl.col("g").replace(0, 13)),  # after the last period
        lambda panel: panel.lazy(),
        lambda panel: panel.to_pandas(),
        lambda panel: panel.to_arrow(),
        lambda panel: panel.with_columns(pl.col("g").replace(0, None)).to_pandas(),
    ],
    ids=[
        *("shuffled", "relabelled", "constant", "common"),
        *("infinity", "null", "later"),
        *("lazy", "pandas", "arrow", "nan"),
    ],
)
def test_what_must_not_matter_does_not(change):
    assert_same(fit(made(3)), fit(change(made(3))))


def test_dates_give_the_same_as_numbers_and_a_day_within_a_month_belongs_to_it():
    panel = made(3).with_columns(pl.col("g").replace(0, None))
    month = {n: dt.date(2044, 7 + n, 1) if n < 6 else dt.date(2045, n - 5, 1) for n in range(1, PERIODS + 1)}
    first = pl.col("g").replace_strict(month, return_dtype=pl.Date)
    dated = panel.with_columns(t=pl.col("t").replace_strict(month, return_dtype=pl.Date), g=first)
    plain, starts = fit(panel), fit(dated)
    within = fit(dated.with_columns(pl.col("g").dt.offset_by("21d")))
    pandas = fit(dated.to_pandas().astype({"t": "datetime64[us]", "g": "datetime64[us]"}))
    for other in (starts, within, pandas):
        assert_frame_equal(plain.dynamic, other.dynamic)
        assert other.by_group["group"].to_list() == [month[one] for one in COHORTS]
    assert "entered within a period" not in starts.summary()
    assert "40 treated units entered within a period" in within.summary()


def test_anticipation_moves_the_reference_and_stays_out_of_average_and_test():
    first, outcome, *_ = staggered(3)
    found = fit(long(first, outcome), anticipation=2)
    reference = found.dynamic.filter(pl.col("se").is_null())
    assert reference.select("event_time", "att").rows() == [(-3, 0.0)]
    late = found.group_time.filter(pl.col("event_time") >= 0)
    assert weighted(late, late["units"]) == pytest.approx(found.att)
    assert found.pre_trends.periods == found.dynamic.filter(pl.col("event_time") < -3).height
    change = outcome[:, 5] - outcome[:, 2]
    others = (first == 0) | (first > 8)
    cell = found.group_time.row(by_predicate=(pl.col("group") == 6) & (pl.col("time") == 6), named=True)
    assert cell["att"] == pytest.approx(change[first == 6].mean() - change[others].mean())


def test_with_clusters_of_one_unit_nothing_changes_and_larger_ones_count():
    panel = made(3).with_columns(c=pl.col("u") + 500)
    assert_same(fit(panel), fit(panel, cluster="c"))
    copies = pl.concat([panel, panel.with_columns(pl.col("u") + 100)])  # a copy adds no information
    alone, doubled = fit(panel), fit(copies, cluster="c")
    assert doubled.att == pytest.approx(alone.att)
    assert doubled.se == pytest.approx(alone.se, rel=0.1)
    assert fit(copies).se < 0.8 * alone.se
    assert set(doubled.units["clusters"]) == {10, 20}


# ---- bands, tests, words


def test_a_band_is_no_narrower_than_the_intervals_and_a_window_makes_it_narrower():
    found = fit(made(3))
    full = found.dynamic.drop_nulls()
    assert ((full["band_low"] < full["low"]) & (full["band_high"] > full["high"])).all()
    narrow = found.event_study(window=(-2, 2))
    assert narrow["event_time"].to_list() == [-2, -1, 0, 1, 2]
    joined = narrow.drop_nulls().join(full, on="event_time")
    assert (
        joined["band_high"] - joined["band_low"] < joined["band_high_right"] - joined["band_low_right"]
    ).all()
    alone = found.event_study(window=(2, 2))
    assert alone["band_low"][0] == pytest.approx(alone["low"][0], abs=0.15 * alone["se"][0])


def test_draws_come_from_the_seed_and_intervals_from_none():
    one, two, other = (fit(made(3), seed=seed).dynamic for seed in (1, 1, 2))
    assert one.equals(two)
    assert not one["band_low"].equals(other["band_low"])
    assert one["low"].equals(other["low"])


def test_the_interval_and_the_p_value_never_contradict_each_other():
    for seed in range(20):
        found = fit(made(seed, effect=-0.08))
        low, high = found.conf_int(alpha=found.pvalue)
        assert min(abs(low), abs(high)) == pytest.approx(0, abs=1e-9)
    assert found.conf_int(0.01)[0] < found.conf_int()[0]


def test_trends_that_part_before_the_entry_are_found_and_sensitivity_widens():
    first, outcome, *_ = staggered(1, effect=-1.0)
    straight = fit(long(first, outcome))
    drift = (first[:, None] > 0) * np.arange(PERIODS) * 0.6
    parted = fit(long(first, outcome + drift))
    assert straight.pre_trends.pvalue > 0.05 > parted.pre_trends.pvalue
    assert "can miss what matters" in parted.pre_trends.words
    frame = straight.sensitivity.frame
    assert frame["magnitude"].to_list() == [0, 0.5, 1, 1.5, 2]
    assert frame.select("low", "high").row(0) == pytest.approx(straight.conf_int())
    assert (frame["low"].diff().drop_nulls() < 0).all()
    assert (frame["high"].diff().drop_nulls() > 0).all()
    assert 0 < straight.sensitivity.breakdown < 5
    assert fit(made(3, effect=0.0)).sensitivity.breakdown == 0.0


def test_sensitivity_can_be_measured_by_late_steps_only():
    found = fit(made(3, effect=-1.0))
    late, path = found.sensitivity_from(-2), dict(found.dynamic.select("event_time", "att").iter_rows())
    reach = (
        found.group_time.filter(pl.col("event_time") >= 0).select(
            ((pl.col("event_time") + 1) * pl.col("units")).sum() / pl.col("units").sum()
        )
    ).item()
    assert late.frame["set_high"][2] == pytest.approx(found.att + reach * abs(path[-2]))  # at magnitude 1
    assert late.breakdown > found.sensitivity.breakdown
    noise = (late.frame["high"] - late.frame["set_high"]).to_list()
    assert noise[4] > noise[2] > 1.2 * noise[0]  # that of the steps counts too


def test_the_breakdown_is_where_the_interval_touches_zero(monkeypatch):
    found = fit(made(3, effect=-1.0))
    limit = found.sensitivity.breakdown
    monkeypatch.setattr("grocery_spheres.entry.robustness.MAGNITUDES", (limit * 0.999, limit * 1.001))
    below, above = fit(made(3, effect=-1.0)).sensitivity.frame["high"]
    assert below < 0 < above


def test_the_joint_test_is_no_surer_than_few_units_allow():
    """One period before the reference: the joint test is that of one estimate, with its few degrees."""
    for seed in (2, 3):
        first, outcome, *_ = staggered(seed, units=13, cohorts=(3,), never=8)
        outcome[first == 3, 0] += 2.5
        found = fit(long(first, outcome), draws=4999)
        single = found.tidy().filter(pl.col("term") == "event -2")["p_value"].item()
        assert found.pre_trends.periods == 1
        assert found.pre_trends.pvalue == pytest.approx(single, rel=0.5)


def test_the_words_hold_the_numbers():
    found = fit(made(3, effect=-1.0))
    low, high = found.conf_int()
    said = found.sentence()
    for part in (
        f"{found.att:+,.4g}",
        f"{low:+,.4g} to {high:+,.4g}",
        "95 %",
        "not treated yet or never",
        "parallel",
    ):
        assert part in said
    text = found.summary()
    for part in (said, "can miss what matters", "Two-way fixed effects give", "period by period"):
        assert part in text
    assert text.count("\n") > PERIODS
    assert f"`y` changed by {found.att:+,.4g} a unit and period (95 % interval" in said
    assert f" {PERIODS} periods, " in text
    assert not re.search(r"\d%", text)


def test_a_period_longer_than_one_is_said():
    longer = fit(made(3).with_columns(pl.col("t", "g") * 4))
    assert "a unit and period of 4 (95 %" in longer.sentence()
    assert f" {PERIODS} periods of 4, " in longer.summary()


def test_frames_follow_the_manners_of_statsmodels():
    found = fit(made(3))
    tidy = found.tidy()
    wanted = ["kind", "term", "estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"]
    assert tidy.columns == wanted
    assert tidy["kind"].unique(maintain_order=True).to_list() == [
        "average",
        "group_time",
        "dynamic",
        "group",
        "calendar",
    ]
    told = tidy.drop_nulls()
    assert ((told["p_value"] < 0.05) == ((told["conf_low"] > 0) | (told["conf_high"] < 0))).all()
    frame = found.summary_frame()
    assert frame["estimate"].to_list() == [
        "average",
        *[f"group {one}" for one in COHORTS],
        "two-way fixed effects",
    ]
    assert frame["att"][0] == found.att == found.params["att"]
    assert found.params["event 0"] == found.dynamic.filter(pl.col("event_time") == 0)["att"].item()
    assert found.units["units"].to_list() == [10, 10, 10, 10, 20]
    assert found.units["role"].to_list() == ["treated"] * 4 + ["comparison"]


def test_the_picture_shows_effects_intervals_and_band_and_says_so():
    chart = fit(made(3, effect=-1.0)).plot(window=(-3, 2))
    spec = chart.to_dict()
    assert "Of 3 periods from the entry on, the band lies wholly below zero in " in spec["description"]
    assert spec["title"]["text"] == "Effect on y by time since entry"
    assert [layer["mark"]["type"] for layer in spec["layer"]] == ["rule", "rule", "area", "rule", "point"]
    rows = next(data for data in spec["datasets"].values() if len(data) == 6)
    assert [row["event_time"] for row in rows] == [-3, -2, -1, 0, 1, 2]


def test_the_library_is_not_imported_before_it_is_needed():
    code = "import sys, grocery_spheres.entry; sys.exit('diff_diff' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# ---- clusters of several units


def by_cluster(seed, *, spans=False, treated=3, clusters=24, size=4, periods=6):
    """Units that share their cluster's luck; few clusters are treated, and nothing happens to them."""
    draw = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(clusters), size)
    first = np.where(cluster < treated, 4, 0)
    if spans:
        first[np.arange(len(first)) % size >= size // 2] = 0
    luck = draw.normal(size=(clusters, periods))[cluster]
    return long(first, luck + draw.normal(size=(len(first), periods)), c=cluster)


@pytest.mark.parametrize("spans", [False, True])
def test_intervals_by_cluster_cover_where_few_clusters_are_treated(spans):
    held = []
    for seed in range(1000, 1300):
        low, high = fit(by_cluster(seed, spans=spans), cluster="c", alpha=0.1).conf_int()
        held.append(low <= 0 <= high)
    assert (
        0.83 < np.mean(held) < 0.97
    )  # 300 draws; Welch's t of 3 with 21 holds 0.88; 23 degrees of freedom 0.82


def test_clusters_within_cohorts_count_as_units_do():
    panel = by_cluster(1)
    means = panel.group_by("c", "t", maintain_order=True).agg(pl.first("g"), pl.mean("y")).rename({"c": "u"})
    found, single = fit(panel, cluster="c"), fit(means)
    assert found.att == pytest.approx(single.att)
    assert found.se == pytest.approx(single.se)
    assert found.conf_int() == pytest.approx(single.conf_int())


def test_clusters_that_span_cohorts_have_the_degrees_of_the_fewer_side():
    found = fit(by_cluster(1, spans=True), cluster="c")
    low, high = found.conf_int(0.05)
    assert (high - low) / 2 / found.se == pytest.approx(stats.t.ppf(0.975, 2))
