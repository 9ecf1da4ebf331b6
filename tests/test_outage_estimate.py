"""Estimates of an outage: what they add up to, that interval and p-value agree, several units and outages."""

import datetime as dt
import itertools

import numpy as np
import polars as pl
import pytest

from grocery_spheres.outage.certainty import Ranked
from grocery_spheres.outage.conformal import moved
from grocery_spheres.outage.estimate import estimate_outage
from grocery_spheres.outage.expected import Target
from grocery_spheres.outage.methods import METHODS
from grocery_spheres.outage.outages import Outage
from grocery_spheres.tables import ContractError

COLUMNS = {"unit": "shop", "time": "day", "outcome": "sales"}
FIRST = dt.date(2045, 1, 1)


def panel(units=8, days=140, seed=3, *, counts=False, noise=1.0):
    rng = np.random.default_rng(seed)
    week = np.array([0, 0, 1, 2, 5, 8, 3.0])[np.arange(days) % 7]
    common = np.cumsum(rng.normal(0, 0.3, days))
    level = rng.uniform(20, 60, units)
    values = level[:, None] + week + common + noise * rng.normal(size=(units, days))
    if counts:
        values = rng.poisson(np.maximum(values / 6, 0.1))
    return values.astype(float)


def long(values):
    units, days = values.shape
    dates = [FIRST + dt.timedelta(days=n) for n in range(days)]
    return pl.DataFrame(
        {
            "shop": np.repeat([f"s{n:02d}" for n in range(units)], days),
            "day": dates * units,
            "sales": values.ravel(),
        }
    )


def on(first, last, units="s00", share=1.0):
    return Outage(units, FIRST + dt.timedelta(days=first), FIRST + dt.timedelta(days=last), share)


def dark(values, first, last, effect, rows=(0,)):
    hit = values.copy()
    hit[list(rows), first : last + 1] += effect
    return long(hit)


@pytest.mark.parametrize("method", METHODS)
def test_a_large_effect_is_found_and_adds_up(method):
    found = estimate_outage(
        dark(panel(), 120, 126, -12.0), on(120, 126), method=method, calibrate=False, **COLUMNS
    )
    low, high = found.conf_int()
    assert low < found.att < high < 0
    assert found.pvalue < 0.05
    assert abs(found.att + 12) < 3
    assert found.cumulative == pytest.approx(7 * found.att)
    gap = found.gap.filter("dark")["gap"]
    assert gap.sum() == pytest.approx(found.cumulative)
    assert found.relative == pytest.approx(found.cumulative / found.gap.filter("dark")["expected"].sum())
    assert found.gap.filter("dark")["running"].to_list()[-1] == pytest.approx(found.cumulative)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("effect", [-1.5, 0.0, 2.0])
def test_interval_and_pvalue_never_contradict(method, effect):
    frame = dark(panel(seed=11), 120, 126, effect)
    found = estimate_outage(frame, on(120, 126), method=method, calibrate=False, **COLUMNS)
    for alpha in (0.01, 0.05, 0.2, 0.5):
        low, high = found.conf_int(alpha)
        assert (found.pvalue > alpha) == (low <= 0 <= high), (alpha, found.pvalue, low, high)


def test_intervals_of_smaller_alpha_hold_those_of_larger():
    frame = dark(panel(), 120, 126, -3.0)
    found = estimate_outage(frame, on(120, 126), method="did", calibrate=False, **COLUMNS)
    ends = [found.conf_int(alpha) for alpha in (0.02, 0.05, 0.1, 0.3)]
    assert all(a[0] <= b[0] <= b[1] <= a[1] for a, b in itertools.pairwise(ends))


@pytest.mark.parametrize("method", METHODS)
def test_an_effect_shifts_the_estimate_by_itself(method):
    """Also in steps of the share down: nothing in the window is learnt from."""
    base = panel(seed=5)
    asked = {"method": method, "calibrate": False, **COLUMNS}
    none = estimate_outage(long(base), on(120, 126), **asked).att
    assert estimate_outage(dark(base, 120, 126, -7.0), on(120, 126), **asked).att == pytest.approx(none - 7)


@pytest.mark.parametrize("method", METHODS)
def test_several_dark_units_are_averaged(method):
    base = panel(units=10, seed=9)
    frame = dark(base, 120, 124, -10.0, rows=(0, 1, 2))
    found = estimate_outage(
        frame, on(120, 124, ("s00", "s01", "s02")), method=method, calibrate=False, **COLUMNS
    )
    assert found.study.cells == 15
    assert abs(found.att + 10) < 2
    assert found.cumulative == pytest.approx(15 * found.att)
    assert found.gap.filter("dark")["running"].to_list()[-1] == pytest.approx(found.cumulative)


def test_units_dark_at_different_times_are_put_together():
    values = panel(units=10, seed=13)
    values[0, 110:113] -= 10
    values[1, 120:126] -= 10
    outages = [on(110, 112, "s00"), on(120, 125, "s01")]
    for method in METHODS:
        found = estimate_outage(long(values), outages, method=method, calibrate=False, **COLUMNS)
        assert found.study.cells == 9
        assert abs(found.att + 10) < 3, method
        low, high = found.conf_int()
        assert low <= found.att <= high


def test_repeated_outages_use_the_days_between_when_recovery_is_told():
    values = panel(seed=17)
    values[0, 60:63] -= 10
    values[0, 100:103] -= 10
    outages = [on(60, 62), on(100, 102)]
    told = estimate_outage(long(values), outages, recovery=7, method="did", calibrate=False, **COLUMNS)
    untold = estimate_outage(long(values), outages, method="did", calibrate=False, **COLUMNS)
    learnt = [found.gap["learnt"].sum() for found in (told, untold)]
    assert learnt == [140 - 6 - 14, 60]
    assert any("`recovery` does not say" in note for note in untold.notes)
    assert not any("`recovery` does not say" in note for note in told.notes)
    assert abs(told.att + 10) < 2


def test_anticipated_days_are_not_learnt_from():
    found = estimate_outage(
        long(panel()), on(120, 126), anticipation=5, method="did", calibrate=False, **COLUMNS
    )
    assert found.gap["learnt"].sum() == 115


def test_a_share_down_gives_the_loss_of_a_full_day():
    frame = dark(panel(noise=0.1), 120, 121, -5.0)
    found = estimate_outage(frame, on(120, 121, share=0.5), method="did", calibrate=False, **COLUMNS)
    assert found.params["full_period"] == pytest.approx(2 * found.att)
    low, high = found.conf_int()
    assert low < -5 < high
    assert (found.pvalue <= 0.05) == (high < 0)


def test_a_wholly_dark_unit_is_given_as_a_share_of_its_month():
    values = panel(counts=True)
    values[0, 120:123] = 0
    found = estimate_outage(long(values), on(120, 122), calibrate=False, **COLUMNS)
    before = values[0, 92:120].sum()
    assert found.wholly_dark
    assert found.relative == pytest.approx(found.cumulative / before)
    assert "28 periods before" in found.sentence()
    assert any("-100 %" in note for note in found.notes)


def test_many_dark_units_are_inferred_from_their_differences():
    values = panel(units=40, seed=21)
    frame = dark(values, 120, 126, -2.0, rows=range(15))
    names = tuple(f"s{n:02d}" for n in range(15))
    found = estimate_outage(frame, on(120, 126, names), method="did", calibrate=False, **COLUMNS)
    assert "between units" in found.certainty.name
    low, high = found.conf_int()
    assert low < -2 < high
    assert high - low < 1.5


def test_too_short_a_record_gives_no_ends_and_says_so():
    values = panel(days=20)
    found = estimate_outage(dark(values, 16, 17, -9.0), on(16, 17), method="did", calibrate=False, **COLUMNS)
    assert found.conf_int(0.01) == (-np.inf, np.inf)
    assert found.conf_int(0.01, what="relative")[0] == -1
    thin = estimate_outage(
        dark(values, 16, 17, -9.0), on(16, 17), method="did", calibrate=False, alpha=0.01, **COLUMNS
    )
    assert any("has no ends" in note for note in thin.notes)
    assert "no 99 % interval can be given" in thin.sentence()


def test_hours_and_weeks_and_numbers_are_clocks_too():
    values = panel(units=5, days=24 * 21)
    moments = [dt.datetime(2045, 1, 1) + dt.timedelta(hours=n) for n in range(values.shape[1])]
    hourly = long(values).with_columns(day=pl.Series(moments * 5))
    window = Outage("s00", dt.datetime(2045, 1, 20, 8), dt.datetime(2045, 1, 20, 13))
    found = estimate_outage(hourly, window, method="did", calibrate=False, **COLUMNS)
    assert (found.options.season, found.study.cells) == (24, 6)
    weekly = long(panel(units=5, days=60)).with_columns(
        day=pl.Series([FIRST + dt.timedelta(weeks=n) for n in range(60)] * 5)
    )
    week = Outage("s00", FIRST + dt.timedelta(weeks=50, days=2), FIRST + dt.timedelta(weeks=50, days=3))
    found = estimate_outage(weekly, week, method="did", calibrate=False, **COLUMNS)
    assert (found.options.season, found.study.cells) == (1, 1)


# ---- inference by itself


def test_moved_windows_are_counted_as_by_hand():
    rng = np.random.default_rng(1)
    residuals = rng.normal(size=20)
    flags = np.zeros(20)
    flags[15:18] = 1.0
    target = Target(np.zeros(20), flags, flags == 0)
    sums = [abs(np.roll(residuals, -shift)[15:18].sum()) for shift in range(20)]
    by_hand = np.mean(np.array(sums) >= sums[0] - 1e-12)
    assert moved([residuals], [target], [1]) == pytest.approx(by_hand)


@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.3])
def test_ranked_intervals_invert_their_pvalue(alpha):
    rng = np.random.default_rng(4)
    ranked = Ranked(1.3, 0.7, rng.normal(size=99), "", "")
    low, high = ranked.interval(alpha)
    for null in (low - 1e-6, high + 1e-6):
        assert ranked.pvalue(null) <= alpha
    for null in (low + 1e-6, high - 1e-6):
        assert ranked.pvalue(null) > alpha


def test_ranked_intervals_cover_as_promised():
    rng = np.random.default_rng(8)
    held = []
    for _ in range(2000):
        errors = rng.normal(size=40)
        low, high = Ranked(errors[0], 1.0, errors[1:], "", "").interval(0.1)
        held.append(low <= 0 <= high)
    assert 0.88 < np.mean(held) < 0.92


def test_the_running_total_ends_at_the_loss_where_a_unit_has_a_gap():
    values = panel()
    gone = dark(values, 100, 102, -30, rows=(0, 1)).filter(
        ~((pl.col("shop") == "s01") & (pl.col("day") == FIRST + dt.timedelta(days=101)))
    )
    outage = on(100, 102, ["s00", "s01"])
    found = estimate_outage(gone, outage, calibrate=False, method="did", **COLUMNS)
    assert found.gap.filter("dark")["running"][-1] == pytest.approx(found.cumulative, rel=1e-9)


def test_the_running_total_of_two_outages_ends_at_their_sum():
    values = dark(panel(), 90, 92, -20)
    outages = [on(90, 92), on(100, 101)]
    found = estimate_outage(values, outages, calibrate=False, method="did", recovery=2, **COLUMNS)
    shown = found.gap
    assert shown.filter("dark")["running"][-1] == pytest.approx(found.cumulative, rel=1e-9)
    drawn = found.plot().to_dict()
    shades = drawn["datasets"][drawn["vconcat"][0]["layer"][0]["data"]["name"]]
    assert len(shades) == 2


@pytest.mark.parametrize("method", METHODS)
def test_a_unit_is_ranked_among_all_others_in_the_same_days(method):
    values = dark(panel(units=21), 130, 132, -40)
    asked = {"method": method, "inference": "units", "calibrate": False, **COLUMNS}
    found = estimate_outage(values, on(130, 132), **asked)
    assert found.pvalue == pytest.approx(1 / 21)
    low, high = found.conf_int(0.1)
    assert low < found.att < high < 0
    assert found.conf_int(0.04) == (-np.inf, np.inf)


def test_ranks_among_units_ask_for_one_dark_unit_and_two_others():
    with pytest.raises(ContractError, match="'units' one dark unit and two others"):
        estimate_outage(
            long(panel()),
            on(130, 132, ["s00", "s01"]),
            method="did",
            inference="units",
            calibrate=False,
            **COLUMNS,
        )


def test_placebos_do_not_judge_what_is_made_of_placebos():
    asked = {"method": "did", "inference": "units", "placebos": 30, **COLUMNS}
    found = estimate_outage(long(panel()), on(130, 132), **asked)
    assert np.isnan(found.calibration.coverage())
    assert any("made of placebos" in note for note in found.notes)


def test_notes_pass_on_what_a_method_says_of_its_fit():
    values = panel()
    values[0] += 100
    asked = {"method": "synthetic_control", "intercept": False, "calibrate": False}
    found = estimate_outage(long(values), on(130, 132), **asked, **COLUMNS)
    assert any("out of their reach" in note for note in found.notes)
    short = estimate_outage(long(values[:, :20]), on(17, 18), calibrate=False, **COLUMNS)
    assert any(note.startswith("Left out of the model:") for note in short.notes)
    assert any("Name such units in `rivals`" in note for note in short.notes)
