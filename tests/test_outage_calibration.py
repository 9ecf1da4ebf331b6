"""Placebos: who is taken for dark and when, what they are compared with, and what the correction is worth."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from grocery_spheres.outage import calibration, placebos
from grocery_spheres.outage.agreement import AGREE, ALONE, DISAGREE, compare_methods
from grocery_spheres.outage.estimate import estimate_outage
from grocery_spheres.outage.outages import Outage
from grocery_spheres.tables import ContractError

COLUMNS = {"unit": "unit", "time": "day", "outcome": "sales"}
UNITS, DAYS, START, END = 14, 120, 100, 104


def values(seed=1, spread=1.0):
    rng = np.random.default_rng(seed)
    week = np.array([0, 0, 1, 2, 5, 8, 3.0])[np.arange(DAYS) % 7]
    common = np.cumsum(rng.normal(0, 0.2, DAYS))
    return 40 + rng.normal(0, 5, UNITS)[:, None] + week + common + spread * rng.normal(size=(UNITS, DAYS))


def long(table):
    dates = [dt.date(2045, 1, 1) + dt.timedelta(days=n) for n in range(table.shape[1])]
    return pl.DataFrame(
        {
            "unit": np.repeat(np.arange(len(table)), table.shape[1]),
            "day": dates * len(table),
            "sales": table.ravel(),
        }
    )


def dark(units=(0,), first=START, last=END):
    return Outage(units, *[dt.date(2045, 1, 1) + dt.timedelta(days=n) for n in (first, last)])


def found(table=None, units=(0,), **more):
    asked = {"method": "did", "placebos": 60, "seed": 5, **COLUMNS, **more}
    return estimate_outage(long(values() if table is None else table), dark(units), **asked)


def test_placebos_leave_the_outage_out():
    """No placebo sees the dark unit's own window, whatever happened in it."""
    quiet, loud = values(), values()
    loud[0, START:] -= 1000
    assert found(quiet).calibration.placebos.equals(found(loud).calibration.placebos)


def test_a_placebo_is_the_method_on_another_unit_at_another_time():
    table = values()
    one = found(table).calibration.placebos.filter(pl.col("back") > 0, pl.col("unit") != 0).row(0, named=True)
    unit, back = one["unit"], one["back"]
    others = np.delete(table, [0, unit], axis=0)
    window = slice(START - back, END + 1 - back)
    gap = table[unit] - others.mean(axis=0)
    plain = gap[window].mean() - gap[: START - back].mean()
    week = np.arange(DAYS) % 7
    own = np.array([gap[: START - back][week[: START - back] == place].mean() for place in range(7)])
    seasonal = (gap - own[week])[window].mean()
    assert min(abs(one["error"] - plain), abs(one["error"] - seasonal)) < 1e-9


def test_placebos_move_by_whole_weeks_and_keep_half_the_record():
    picks = placebos.draw_picks(found().study, placebos=500, seed=1, season=7)
    backs = {pick.back for pick in picks}
    assert all(back % 7 == 0 for back in backs)
    assert max(backs) <= START - START // 2
    assert 0 in backs
    own = [pick for pick in picks if pick.members == ((0,),)]
    assert own
    assert min(pick.back for pick in own) >= END - START + 1
    assert len(set(picks)) == len(picks)


def test_only_units_that_vary_alike_stand_in():
    table = values()
    table[10:] = 40 + 50 * (table[10:] - 40)
    study = found(table).study
    alike = placebos.alike(study).tolist()
    assert set(alike) <= set(range(1, 14))
    assert set(range(1, 10)) <= set(alike)
    assert len(alike) == 10  # nine alike, and the nearest of the others: never fewer than ten


def test_the_corrected_interval_covers_where_the_own_does_not():
    """Units drift, each on its own way: a model of levels is too sure, and the placebos know."""
    rng = np.random.default_rng(3)
    own, corrected = [], []
    for _ in range(40):
        table = 100 + np.cumsum(rng.normal(0, 1, (UNITS, DAYS)), axis=1)
        result = found(table, placebos=99, season=1, seed=int(rng.integers(1e6)))
        own.append(result.calibration.coverage(0.1))
        low, high = result.conf_int(0.1)
        corrected.append(low <= 0 <= high)
    assert np.mean(own) < 0.8
    assert np.mean(corrected) >= 0.8


def test_the_calibration_reports_level_width_and_what_could_be_seen():
    result = found()
    frame = result.calibration.summary_frame(result.found.scale)
    assert frame["alpha"].to_list() == [0.1, 0.05]
    assert frame["coverage"].is_between(0.7, 1).all()
    assert (frame["size"] + frame["coverage"]).to_list() == pytest.approx([1, 1])
    low, high = result.conf_int(0.05)
    assert frame["corrected_width"][1] == pytest.approx(high - low)
    assert (frame["detectable"] > frame["corrected_width"] / 2).all()
    assert frame["own_width"].to_list() == [None, None]  # their ends were not looked for
    weekly = found(method="structural").calibration
    own = weekly.summary_frame(1.0)["own_width"]
    assert own[0] is None
    assert own[1] == pytest.approx(weekly.placebos["width"].median())


def test_a_detectable_effect_is_seen_about_four_times_in_five():
    result = found(placebos=150)
    errors = result.calibration.placebos["error"].to_numpy()
    scales = result.calibration.placebos["scale"].to_numpy()
    reach = result.calibration.corrected(0, 1.0).interval(0.05)[1]
    least = result.calibration.detectable(1.0, 0.05)
    seen = np.abs(errors / scales - least) > reach
    assert 0.7 < seen.mean() < 0.95


def test_failures_are_counted_and_told(monkeypatch):
    calls = iter(range(1000))

    def fails(*_args, **_more):
        if next(calls) % 3 == 0:
            raise ContractError("this placebo cannot be fitted")
        return (0.1, 1.0, 0.5, 1.0)

    monkeypatch.setattr(calibration, "_repeated", fails)
    result = found(placebos=30)
    assert len(result.calibration.failed) == 10
    assert result.calibration.placebos.height == 20
    assert any("10 placebos failed (the first: ContractError: this placebo" in note for note in result.notes)


def test_too_few_placebos_give_no_ends_and_say_so():
    result = found(placebos=10)
    assert result.conf_int() == (-np.inf, np.inf)
    assert result.pvalue >= 1 / 11
    assert any("has no ends" in note for note in result.notes)


def test_the_same_seed_gives_the_same_placebos_and_another_does_not():
    assert found().calibration.placebos.equals(found().calibration.placebos)
    assert not found().calibration.placebos.equals(found(seed=6).calibration.placebos)


def test_groups_are_taken_for_groups():
    result = found(units=(0, 1, 2))
    picks = placebos.draw_picks(result.study, placebos=30, seed=1, season=7)
    assert all(len(pick.members[0]) == 3 for pick in picks)
    assert all(not {0, 1, 2} & set(pick.members[0]) for pick in picks)
    assert result.calibration.placebos.height > 20


# ---- agreement


def test_methods_agree_on_a_plain_outage():
    table = values(spread=0.5)
    table[0, START : END + 1] -= 6
    both = compare_methods(long(table), dark(), methods=["did", "synthetic_control"], placebos=80, **COLUMNS)
    assert both.verdict == AGREE
    assert both.frame["method"].to_list() == ["did", "synthetic_control"]
    assert "they agree" in both.sentence()


def test_methods_that_cannot_both_be_right_disagree():
    """The unit's level fell for good a month before: who learns from all the past takes it for the outage."""
    table = values(spread=0.5)
    table[0, START - 32 :] -= 30
    both = compare_methods(long(table), dark(), methods=["did", "seasonal_naive"], placebos=80, **COLUMNS)
    apart = both.differences.row(0, named=True)
    assert abs(apart["difference"]) > 50
    assert both.verdict == DISAGREE
    assert "do not publish" in both.sentence()
    assert both.reasons


def test_a_method_that_cannot_be_used_is_named():
    alone = long(values()[:1])
    both = compare_methods(alone, dark(), methods=["did", "seasonal_naive"], placebos=30, **COLUMNS)
    assert both.verdict == ALONE
    assert both.refused["method"].to_list() == ["did"]
    with pytest.raises(ContractError, match="No method could be used. did: did compares"):
        compare_methods(alone, dark(), methods=["did"], **COLUMNS)
    with pytest.raises(ContractError, match="cannot take 'calibrate'"):
        compare_methods(alone, dark(), calibrate=False, **COLUMNS)


def test_early_outages_without_room_have_no_placebos():
    table = values()
    asked = {**COLUMNS, "method": "did", "recovery": 3}
    start = dt.date(2045, 1, 6)
    result = estimate_outage(long(table), Outage([0, 1], start, start), placebos=20, **asked)
    assert result.calibration.placebos.is_empty()


def test_units_are_alike_in_the_days_that_are_learnt_from():
    rng = np.random.default_rng(8)
    table = 100.5 + rng.normal(size=(24, DAYS)) * np.repeat([2.0, 40.0, 2.0], [2, 12, 10])[:, None]
    table[0, 60:90] -= 90  # its own dark days, on which the other is learnt from
    frame = long(table).with_columns(
        sales=pl.when((pl.col("unit") == 1) & (pl.int_range(pl.len()) % DAYS == 5))
        .then(None)
        .otherwise("sales")
    )
    day = dt.date(2045, 1, 1)
    outages = [Outage(0, day + dt.timedelta(60), day + dt.timedelta(89)), dark((1,))]
    study = estimate_outage(frame, outages, calibrate=False, **COLUMNS).study
    assert placebos.alike(study).tolist() == list(range(14, 24))


def test_what_was_felt_before_is_no_chance():
    table = values()
    table[0, START - 8 : START] -= 60
    result = found(table, placebos=500, method="did", anticipation=8)
    own = result.calibration.placebos.filter(unit=0)
    assert own.height
    assert (own["back"] >= END - START + 1 + 8).all()
    assert (own["error"].abs() < 20).all()


def test_placebos_are_the_nearest_in_time_first():
    study = found().study
    few, all_of_them = (placebos.draw_picks(study, placebos=count, seed=1, season=7) for count in (20, 500))
    assert [pick.back for pick in few] == sorted(pick.back for pick in few)
    at_once = [pick for pick in all_of_them if pick.back == 0]
    assert len(at_once) == UNITS - 1
    assert set(at_once) <= set(few)


def test_groups_of_one_deal_share_no_unit():
    study = found(units=(0, 1, 2)).study
    picks = placebos.draw_picks(study, placebos=3, seed=1, season=7)
    units = [unit for pick in picks for group in pick.members for unit in group]
    assert [pick.back for pick in picks] == [0, 0, 0]
    assert len(set(units)) == len(units) == 9


def test_a_holiday_that_units_feel_differently_widens_the_interval():
    table = values()
    quiet = found(table)
    table[:, START + 1] += 30 * np.random.default_rng(3).uniform(0.5, 1.5, UNITS)
    shaken = found(table)
    width = [high - low for low, high in (quiet.conf_int(), shaken.conf_int())]
    assert width[1] > 1.5 * width[0]
