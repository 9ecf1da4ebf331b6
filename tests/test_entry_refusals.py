"""Panels without an answer are refused, and units that cannot be compared are set apart by name."""

import datetime as dt
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest

from grocery_spheres.entry import cells, estimate_entry
from grocery_spheres.tables import ContractError, GroceryError

NAMES = {"unit": "u", "time": "t", "first_treated": "g", "outcome": "y"}


def made(first, periods=6, seed=1):
    draw = np.random.default_rng(seed)
    units = len(first)
    return pl.DataFrame(
        {
            "u": np.repeat(np.arange(units), periods),
            "t": np.tile(np.arange(1, periods + 1), units),
            "g": pl.Series(np.repeat(np.array(first, dtype=object), periods).tolist(), dtype=pl.Int64),
            "y": draw.normal(size=units * periods),
        }
    )


FIRST = [3] * 12 + [5] * 12 + [None] * 12


def fit(panel, **options):
    return estimate_entry(panel, **{**NAMES, "draws": 99, **options})


def warned(panel, **options):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = fit(panel, **options)
    assert tuple(str(one.message) for one in said) == found.notes
    assert all(one.category is UserWarning and one.filename == __file__ for one in said)
    return found


def where(rule, **values):
    return made(FIRST).with_columns(
        pl.when(rule).then(value).otherwise(pl.col(name)).alias(name) for name, value in values.items()
    )


def test_a_panel_in_order_is_estimated_without_a_word():
    assert warned(made(FIRST)).notes == ()


MONTHS = [dt.date(2045, month, 1) for month in range(1, 7)]


def dated(days, first=None):
    """The panel with these days as its periods."""
    named = dict(zip(range(1, 7), days, strict=True))
    return made(FIRST).with_columns(
        t=pl.col("t").replace_strict(named), g=pl.lit(first or days[3], dtype=pl.Date)
    )


@pytest.mark.parametrize(
    ("panel", "said"),
    [
        (made(FIRST).drop("y"), "`panel` lacks the column `y`"),
        (made(FIRST).clear(), "`panel` has no rows"),
        ([1, 2], "cannot be read as a frame"),
        (pd.DataFrame({**NAMES, "u": [1], "t": [1]}).assign(u=[object()]), "cannot be read|ids are strings"),
        (pd.DataFrame({"u": [1, "a"], "t": [1, 2], "g": [2, 2], "y": [1.0, 2.0]}), "never mixed"),
        (where(pl.col("u") == 3, u=None), "6 of 216 rows .* no `u`"),
        (where(pl.col("u") == 3, t=None), "6 of 216 rows .* no `t`"),
        (made(FIRST).with_columns(pl.col("u") / 2), "`u` is Float64; ids are strings or integers"),
        (made(FIRST).with_columns(pl.col("t").cast(pl.String)), "`t` is String .* dates or whole numbers"),
        (made(FIRST).with_columns(pl.col("t") * 1.0), "`t` is Float64"),
        (made(FIRST).with_columns(pl.col("g").cast(pl.String)), "`g` is String"),
        (made(FIRST).with_columns(pl.col("g") + 0.5), "`g` is Float64 .* whole numbers"),
        (made(FIRST).with_columns(g=pl.lit(dt.date(2045, 1, 1))), "`g` is Date .* whole numbers"),
        (dated(MONTHS).with_columns(g=pl.lit(4)), "`g` is Int32 .* dates"),
        (made(FIRST).with_columns(pl.col("y").cast(pl.String)), "outcome `y` is String"),
        (made(FIRST).with_columns(y=pl.col("y") > 0), "outcome `y` is Boolean"),
        (made(FIRST).with_columns(y=pl.lit(5.0)), "outcome `y` is 5 in every row"),
        (made(FIRST).with_columns(y=pl.lit(None, dtype=pl.Float64)), "has no value in any row"),
        (where(pl.col("u") == 3, y=float("inf")), "infinite in 6 of 216 rows"),
        (pl.concat([made(FIRST), made(FIRST).head(1)]), "share their `u` and `t` .* 0 at 1"),
        (where(pl.col("t") == 2, g=4), "`g` changes within 36 of 36 units .*0, 1, 2 and 33 more"),
        (where((pl.col("u") == 3) & (pl.col("t") == 2), g=None), "`g` changes within 1 of 36 units .*3"),
        (made(FIRST).filter(pl.col("t") == 1), "holds 1 period"),
        (made(FIRST).filter(pl.col("t") != 4), "steps by 1, and no unit has a row at 4[.]"),
        (made(FIRST).filter(~pl.col("t").is_in([3, 4])), "no unit has a row at 3 .nor at 1 more"),
        (dated([*MONTHS[:5], dt.date(2045, 9, 1)]), "steps by 1 month, and no unit has a row at 2045-06-01"),
        (dated([dt.date(2045, 1, day) for day in (2, 3, 4, 5, 6, 9)]), "no unit has a row at 2045-01-07"),
        (dated([dt.date(2045, 1, day) for day in (1, 8, 15, 22, 29)] + [dt.date(2045, 2, 12)]), "2045-02-05"),
        (
            dated([(day + dt.timedelta(31)).replace(day=1) - dt.timedelta(1) for day in MONTHS]),
            "last day.*to_period",
        ),
        (
            made(FIRST).with_columns(t=pl.lit(dt.datetime(2045, 1, 1)) + pl.duration(hours="t")),
            "times of day.*in pandas: panel.'t'..dt.normalize",
        ),
        (
            made(FIRST).with_columns(t=pl.lit(dt.datetime(2045, 1, 1)).dt.replace_time_zone("UTC")),
            "time zone 'UTC'.*in pandas: panel.'t'..dt.tz_localize.None",
        ),
        (made([None] * 20), "No unit is treated within the panel"),
        (made([9] * 20), "No unit is treated within the panel"),
        (
            made([1] * 10 + [None] * 10),
            "10 were set apart .*0, 1, 2 and 7 more: treated before or in the first",
        ),
        (made([3] * 20), "All 20 units are treated at once, at 3"),
        (made([3] + [None] * 20), "Every cohort with an effect is a single unit .*0.*synthetic control"),
        (made([3] * 10 + [None]), "No effect can be estimated"),
    ],
)
def test_a_panel_without_an_answer_is_refused(panel, said):
    with pytest.raises(ContractError, match=said):
        fit(panel)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"control": "all"}, "`control` is 'all'"),
        ({"alpha": 0}, "`alpha` is 0"),
        ({"alpha": float("nan")}, "`alpha` is nan"),
        ({"draws": 10}, "`draws` is 10"),
        ({"draws": 99.5}, "`draws` is 99.5"),
        ({"seed": -1}, "`seed` is -1"),
        ({"seed": None}, "`seed` is None"),
        ({"anticipation": 1.5}, "`anticipation` is 1.5"),
        ({"anticipation": True}, "`anticipation` is True"),
        ({"anticipation": 5}, "were set apart"),
        ({"covariates": "y"}, "`covariates` is 'y': give a list"),
        ({"covariates": ["x"]}, "lacks the column `x`"),
        ({"covariates": ["y"]}, "named twice"),
        ({"covariates": ["one", "same"]}, "cannot be estimated with the covariates `one`, `same`: among .*"),
        ({"covariates": ["five"]}, "covariate `five` is 5 in every row: .* Leave it out"),
        ({"covariates": ["own"]}, "covariates `own`: .* a covariate is the same for all"),
        ({"covariates": ["text"]}, "covariate `text` is String"),
        ({"covariates": ["gap"]}, "covariate `gap` is missing in 1 of 216 rows"),
        ({"cluster": "t"}, "`t` changes within 36 of 36 units"),
        ({"cluster": "gap"}, "`gap` is Float64; ids"),
        ({"unit": 3}, "A column is named by text, and 3 is none"),
        ({"outcome": "t"}, "named twice"),
    ],
)
def test_a_wrong_argument_is_named(options, said):
    one = (pl.col("u") % 7).cast(pl.Float64)
    gap = pl.when(pl.int_range(pl.len()) > 0).then(0.5)
    panel = made(FIRST).with_columns(one=one, same=2 * one, text=pl.lit("a"), gap=gap)
    panel = panel.with_columns(
        five=pl.lit(5), own=pl.col("g").is_null().cast(pl.Float64) * 0 + (pl.col("u") < 12)
    )
    with pytest.raises(GroceryError, match=said) as refusal:
        fit(panel, **options)
    assert "rank" not in str(refusal.value)


ZERO = "0 is a period here, and 10 units have it as `g`: write null for never"


def from_zero(first):
    """Periods 0 to 5, and 0 written for never."""
    return made(first).with_columns(pl.col("t") - 1, g=(pl.col("g") - 1).fill_null(0))


def test_zero_for_never_is_named_where_zero_is_a_period():
    with pytest.raises(ContractError, match=f"All 10 units are treated at once, at 2: .*{ZERO}"):
        fit(from_zero([3] * 10 + [None] * 10))
    with pytest.raises(ContractError, match=f"0 units are never treated.*{ZERO}"):
        fit(from_zero([3] * 10 + [4] * 10 + [None] * 10), control="never_treated")
    with pytest.raises(ContractError, match=f"No unit is left .*{ZERO}"):
        fit(from_zero([None] * 10))
    apart = warned(from_zero([3] * 12 + [5] * 12 + [None] * 10)).notes[0]
    assert apart.startswith("10 of the units (24, 25, 26 and 7 more) set apart: treated before or in the ")
    assert apart.endswith(f"with no period before to compare with. {ZERO}.")


def test_zero_is_not_spoken_of_where_it_means_never():
    panel = made([1] * 4 + [3] * 12 + [None] * 12).with_columns(pl.col("g").fill_null(0))
    assert "0 is a period" not in " ".join(warned(panel).notes)


def test_never_treated_must_be_there_to_compare_with():
    with pytest.raises(ContractError, match="0 units are never treated.*not_yet_treated"):
        fit(made([3] * 10 + [5] * 10), control="never_treated")


@pytest.mark.parametrize("window", [3, (2, 1), (0.5, 2), "ab", (1, 2, 3)])
def test_a_wrong_window_is_named(window):
    with pytest.raises(ContractError, match="`window` is"):
        fit(made(FIRST)).event_study(window=window)


@pytest.mark.parametrize(
    ("options", "said"),
    [({"balance": -1}, "`balance` is -1"), ({"balance": 9}, "No effect lies"), ({"window": (7, 9)}, "to 3")],
)
def test_an_empty_picture_is_refused(options, said):
    with pytest.raises(ContractError, match=said):
        fit(made(FIRST)).event_study(**options)


# ---- set apart by name


def test_units_treated_from_the_start_are_set_apart():
    for early in (1, 0, -5):
        panel = made(FIRST).with_columns(pl.when(pl.col("u") == 2).then(early).otherwise("g").alias("g"))
        panel = panel.with_columns(pl.col("t") - 1, pl.col("g") - 1)  # zero is a period here, not never
        found = warned(panel)
        assert found.set_apart["unit"].to_list() == [2]
        assert "1 of the units (2) set apart: treated before or in the first period" in found.notes[0]
        assert found.att == pytest.approx(fit(panel.filter(pl.col("u") != 2)).att, abs=1e-12)


def test_a_cohort_of_one_is_shown_without_interval_and_in_no_average():
    panel = made([4, *FIRST])
    found = warned(panel)
    assert found.set_apart.select("unit").rows() == [(0,)]
    assert "alone in its cohort" in found.set_apart["reason"][0]
    lone = found.group_time.filter(pl.col("group") == 4)
    assert lone.height == 6
    assert lone["se"].null_count() == lone["low"].null_count() == lone["high"].null_count() == 6
    assert 4 not in found.by_group["group"].to_list()
    assert found.units.filter(pl.col("group") == 4)["role"].item() == "alone"
    late = found.group_time.filter((pl.col("group") != 4) & (pl.col("event_time") >= 0))
    assert (late["att"] * late["units"]).sum() / late["units"].sum() == pytest.approx(found.att)
    assert "24 treated units" in found.sentence()
    before = found.group_time.row(by_predicate=(pl.col("group") == 3) & (pl.col("time") == 3), named=True)
    assert before["comparisons"] == 12 + 12 + 1  # before its own entry it serves as comparison


def test_a_cohort_in_a_single_cluster_is_as_good_as_one_unit():
    panel = made(FIRST).with_columns(c=pl.when(pl.col("g") == 5).then(99).otherwise(pl.col("u")))
    found = warned(panel, cluster="c")
    assert set(found.set_apart["unit"]) == set(range(12, 24))
    assert found.by_group["group"].to_list() == [3]


def test_missing_cells_are_counted_and_are_not_zero():
    hole = (pl.col("u") == 5) & (pl.col("t") == 6)
    rows, null, nan = made(FIRST).filter(~hole), where(hole, y=None), where(hole, y=float("nan"))
    found = [warned(panel) for panel in (rows, null, nan, nan.to_pandas())]
    assert len({one.att for one in found}) == 1
    assert "1 of 216 cells have no outcome: they are not zero" in found[0].notes[0]
    assert found[0].notes[0] in found[0].summary()
    cell = found[0].group_time.row(by_predicate=(pl.col("group") == 3) & (pl.col("time") == 6), named=True)
    kept = made(FIRST).filter(pl.col("u") != 5)
    wide = kept.pivot("t", index=["u", "g"], values="y").with_columns(change=pl.col("6") - pl.col("2"))
    ours, others = wide.filter(pl.col("g") == 3)["change"], wide.filter(pl.col("g").is_null())["change"]
    assert cell["att"] == pytest.approx(ours.mean() - others.mean())
    assert cell["units"] == 11


def test_units_without_a_base_or_any_outcome_are_set_apart():
    base = (pl.col("u") == 0) & (pl.col("t") == 2)
    found = warned(where(base | (pl.col("u") == 30), y=None))
    reasons = dict(found.set_apart.iter_rows())
    assert reasons.keys() == {0, 30}
    assert "no outcome in the period from which its cohort" in reasons[0]
    assert "no outcome in any period" in reasons[30]


def test_without_never_treated_the_last_cohort_serves_until_its_own_entry():
    found = warned(made([3] * 12 + [5] * 12))
    assert found.group_time["group"].unique().to_list() == [3]
    assert found.group_time["time"].max() == 4
    missing = found.not_estimated
    assert missing.filter(pl.col("group") == 3)["time"].to_list() == [5, 6]
    assert missing.filter((pl.col("group") == 5) & (pl.col("time") >= 5)).height == 2
    assert all("no unit is left to compare with" in reason for reason in missing["reason"])
    note = next(note for note in found.notes if "not_estimated" in note)
    assert "the last cohort (5) serves as comparison until its own entry" in note
    assert found.units["role"].to_list() == ["treated", "comparison"]


def test_few_units_on_one_side_are_said_to_be_fragile():
    assert "only 4 treated units or clusters" in warned(made([3] * 4 + [None] * 12)).notes[0]
    assert "only 5 units to compare with" in warned(made([3] * 12 + [None] * 5)).notes[0]
    assert "only 5 never treated" in warned(made([3] * 12 + [None] * 5), control="never_treated").notes[0]


def test_entries_after_the_last_period_count_as_never_and_with_anticipation_are_set_apart():
    panel = made([3] * 12 + [7] * 12)
    found = warned(panel, control="never_treated")
    assert found.units.rows() == [(3, 12, 12, "treated"), (None, 12, 12, "comparison")]
    assert "12 units that enter after the last period count as never treated" in found.summary()
    both = warned(made([4] * 12 + [7] * 12 + [None] * 12), anticipation=1)
    assert "anticipation may reach" in both.set_apart["reason"][0]


def test_without_noise_or_periods_before_nothing_is_claimed():
    flat = made(FIRST).with_columns(y=pl.when(pl.col("t") >= pl.col("g")).then(1.0).otherwise(0.0))
    found = fit(flat)
    assert found.att == pytest.approx(1.0)
    assert np.isnan(found.se)
    assert found.dynamic["band_low"].null_count() == found.dynamic.height
    assert found.pre_trends.pvalue is None
    assert "interval" not in found.sentence()
    assert found.sensitivity.frame["low"].null_count() == 5
    assert np.isnan(found.sensitivity.breakdown)
    assert "nan" not in found.summary()
    short = fit(made([2] * 12 + [None] * 12, periods=3))
    assert short.pre_trends.periods == 0
    assert short.sensitivity.frame.is_empty()
    assert "No period before the reference" in short.summary()


def test_a_library_that_keeps_other_parts_is_refused(monkeypatch):
    monkeypatch.setattr(cells, "_influences", lambda fitted, kept=cells._influences: _halved(kept(fitted)))
    with pytest.raises(GroceryError, match="do not add up to the standard error"):
        fit(made(FIRST))


def _halved(influences):
    return {key: {**parts, "treated_inf": parts["treated_inf"] / 2} for key, parts in influences.items()}


def test_averages_weigh_effects_by_units_that_are_seen():
    lost = pl.col("u").is_in(list(range(8))) & (pl.col("t") > 2)  # 8 of the 12 of cohort 3, after its entry
    some = (pl.col("u") == 12) & (pl.col("t") == 5)
    found = warned(where(lost | some, y=None))
    late = found.group_time.filter(pl.col("event_time") >= 0)
    assert late.filter(pl.col("group") == 3)["units"].to_list() == [4] * 4
    assert found.att == pytest.approx((late["att"] * late["units"]).sum() / late["units"].sum())
    for row in found.dynamic.filter(pl.col("event_time") >= 0).iter_rows(named=True):
        cells = late.filter(pl.col("event_time") == row["event_time"])
        assert row["att"] == pytest.approx((cells["att"] * cells["units"]).sum() / cells["units"].sum())
        assert row["units"] == cells["units"].sum()
    assert found.by_group["units"].to_list() == [4, 12]
    assert "In the 16 treated units" in found.sentence()
    assert "8 treated units are never seen after their entry" in found.notes[0]


@pytest.mark.parametrize("dates", [False, True])
def test_anticipation_sets_apart_only_those_whose_entry_is_near(dates):
    panel = made([4] * 12 + [8] * 3 + [9] * 3 + [40] * 6 + [None] * 6)  # six periods; 8 is the second after
    if dates:
        month = pl.date(2045, 1, 1).dt.offset_by(pl.format("{}mo", pl.col("t") - 1))
        entry = pl.date(2045, 1, 1).dt.offset_by(pl.format("{}mo", pl.col("g") - 1))
        panel = panel.with_columns(t=month, g=pl.when(pl.col("g").is_not_null()).then(entry))
    found = warned(panel, anticipation=2)
    assert set(found.set_apart["unit"]) == {12, 13, 14}
    assert "anticipation may reach" in found.set_apart["reason"][0]
    assert found.units.filter(role="comparison")["units"].item() == 15
    assert set(warned(panel, anticipation=1).set_apart["unit"]) == set()


@pytest.mark.parametrize("wrong", [1e30, float("-inf"), -1e30])
def test_a_first_treated_time_that_is_no_period_is_refused(wrong):
    panel = made(FIRST).with_columns(pl.col("g").cast(pl.Float64))
    panel = panel.with_columns(g=pl.when(pl.col("u") == 0).then(wrong).otherwise("g"))
    with pytest.raises(ContractError, match=f"`g` holds {wrong:g} in 6 of 216 rows".replace("+", "[+]")):
        fit(panel)


@pytest.mark.parametrize(("alpha", "said"), [(0.025, "97.5 % interval"), (0.05, "(95 % interval")])
def test_the_level_is_said_as_it_is(alpha, said):
    assert said in fit(made(FIRST), alpha=alpha).sentence()
