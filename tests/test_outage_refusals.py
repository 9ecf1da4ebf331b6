"""Bad input to an outage's estimate ends in a message that names it, never in another library's traceback."""

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pytest

from grocery_spheres.outage.estimate import estimate_outage
from grocery_spheres.outage.methods import METHODS
from grocery_spheres.outage.outages import Outage, read_outages
from grocery_spheres.tables import ContractError

DAYS = 60
COLUMNS = {"unit": "shop", "time": "day", "outcome": "sales"}
DARK = Outage("a", start="2045-03-01", end="2045-03-03")


def shops(days: int = DAYS, first: dt.date = dt.date(2045, 1, 10)) -> pl.DataFrame:
    rng = np.random.default_rng(7)
    dates = [first + dt.timedelta(days=n) for n in range(days)]
    week = np.array([0, 0, 1, 2, 5, 9, 3.0])
    common = rng.normal(0, 2, days)
    rows = [
        (shop, date, 30.5 + 3 * place + week[n % 7] + common[n] + float(rng.normal()))
        for place, shop in enumerate("abcdef")
        for n, date in enumerate(dates)
    ]
    return pl.DataFrame(rows, schema=["shop", "day", "sales"], orient="row")


def asked(panel=None, outage=DARK, **more):
    return estimate_outage(
        shops() if panel is None else panel, outage, **{**COLUMNS, "calibrate": False, **more}
    )


@pytest.mark.parametrize(
    ("panel", "said"),
    [
        (shops().drop("sales"), "lacks the column `sales`"),
        (shops().head(0), "no rows"),
        (shops().with_columns(sales=pl.lit("12")), "must be a number"),
        (shops().with_columns(sales=pl.lit(float("inf"))), "infinite in 360 of 360"),
        (shops().with_columns(sales=pl.lit(3.0)), "is 3 in every row"),
        (shops().with_columns(sales=pl.lit(None, dtype=pl.Float64)), "no value in any row"),
        (pl.concat([shops(), shops().head(1)]), "share their `shop` and `day`"),
        (shops().with_columns(shop=pl.lit(None, dtype=pl.String)), "have no `shop`"),
        (shops().with_columns(shop=pl.lit(1.5)), "ids are strings or integers"),
        (shops().with_columns(pl.col("day").cast(pl.Datetime("us", "UTC"))), "time zone"),
        (shops().with_columns(pl.col("day").dt.strftime("%d/%m/%Y")), "no ISO date"),
        (shops().with_columns(day=pl.lit(dt.date(2045, 1, 1)), shop=pl.int_range(360)), "1 time"),
        (shops().filter(pl.col("day") >= dt.date(2045, 2, 20)), "at least 14 are needed"),
        (shops().filter(pl.col("day") < dt.date(2045, 3, 2)), "reaches out of the panel"),
    ],
)
def test_a_bad_panel_is_refused_by_name(panel, said):
    with pytest.raises(ContractError, match=said):
        asked(panel)


@pytest.mark.parametrize(
    ("outage", "said"),
    [
        (Outage("z", "2045-03-01", "2045-03-03"), "'z' is not among the 6 units"),
        (Outage([1], "2045-03-01", "2045-03-03"), "The panel's ids are strings"),
        (Outage("a", "2046-03-01", "2046-03-03"), "reaches out of the panel"),
        (Outage("a", 3, 4), "the panel's times are dates"),
        (Outage("a", "2045-01-10", "2045-03-10"), "0 periods of 1 day with an outcome to learn from"),
        ([], "No outage was given"),
        (["a"], "is no outage"),
        (7, "is no outage and no table of them"),
        ([Outage("a", "2045-03-01", "2045-03-03"), Outage("a", "2045-03-03", "2045-03-04")], "dark twice"),
    ],
)
def test_a_bad_outage_is_refused_by_name(outage, said):
    with pytest.raises(ContractError, match=said):
        asked(outage=outage)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"units": []}, "is empty"),
        ({"units": ["a", 1]}, "mixes strings and integers"),
        ({"units": ["a", "a"]}, "names a unit twice"),
        ({"units": [1.5]}, "ids are strings or integers"),
        ({"start": "soon"}, "ISO date"),
        ({"start": pd.NaT}, "missing"),
        ({"start": dt.datetime(2045, 3, 1, tzinfo=dt.UTC)}, "time zone"),
        ({"end": "2045-02-01"}, "before it starts"),
        ({"share_down": 0}, "above 0"),
        ({"share_down": 1.2}, "at most 1"),
        ({"share_down": True}, "give a number"),
        ({"end": 3}, "give both alike"),
    ],
)
def test_an_outage_that_is_none_is_refused(given, said):
    with pytest.raises(ContractError, match=said):
        Outage(**{"units": "a", "start": "2045-03-01", "end": "2045-03-02", **given})


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"method": "magic"}, "no method 'magic'"),
        ({"inference": "magic"}, "no inference 'magic'"),
        ({"inference": "cluster"}, "does not go with"),
        ({"method": "did", "inference": "model"}, "does not go with"),
        ({"alpha": 95}, "one minus the level"),
        ({"donors": "all"}, "give 'auto', or a list"),
        ({"donors": ["z"]}, "The donor 'z' is not among"),
        ({"donors": ["a", "b"]}, "The donor 'a' is dark itself"),
        ({"donors": ["b", "c"], "rivals": ["b"]}, "named as a rival"),
        ({"donors": ["b", "b"]}, "names a unit twice"),
        ({"rivals": "b"}, "give a list"),
        ({"recovery": -1}, "`recovery` is -1"),
        ({"anticipation": 1.5}, "`anticipation` is 1.5"),
        ({"season": "weekly"}, "give 'auto'"),
        ({"season": 0}, "from 1"),
        ({"placebos": -3}, "`placebos` is -3"),
        ({"seed": "x"}, "`seed` is 'x'"),
    ],
)
def test_a_bad_argument_is_refused_by_name(more, said):
    with pytest.raises(ContractError, match=said):
        asked(**more)


def test_all_zero_donors_are_set_apart_and_named_ones_refused():
    zero = shops().with_columns(sales=pl.when(pl.col("shop") == "b").then(0.0).otherwise("sales"))
    found = asked(zero, method="did")
    assert ("b", "no outcome above zero in the periods to learn from") in found.study.set_apart.rows()
    assert "b" not in found.study.donor_ids
    with pytest.raises(ContractError, match="None of the donors 'b' can be compared with"):
        asked(zero, method="did", donors=["b"])


def test_did_without_any_other_unit_is_refused():
    alone = shops().filter(pl.col("shop") == "a")
    with pytest.raises(ContractError, match="compares with other units"):
        asked(alone, method="did")
    assert np.isfinite(asked(alone, method="seasonal_naive").att)


def test_a_gap_is_not_a_zero_and_is_told():
    panel = shops()
    holes = panel.filter(~((pl.col("shop") == "a") & (pl.col("day") == dt.date(2045, 3, 2))))
    found = asked(holes, method="did")
    assert found.study.cells == 2
    assert any("1 of 3 periods of the outage at 'a' have no outcome" in note for note in found.notes)
    nothing = panel.filter(~((pl.col("shop") == "a") & (pl.col("day") >= dt.date(2045, 3, 1))))
    with pytest.raises(ContractError, match="must say 0 there"):
        asked(nothing, method="did")


def test_days_on_which_everyone_was_shut_are_left_out():
    shut = shops().filter(pl.col("day") != dt.date(2045, 2, 1))
    found = asked(shut, method="did")
    assert not found.gap.filter(pl.col("time") == dt.date(2045, 2, 1))["learnt"].item()
    assert any("more than half of the other units have no value" in note for note in found.notes)


def test_any_engine_gives_the_same_answer():
    plain = asked(method="did")
    assert asked(shops().to_pandas(), method="did").att == pytest.approx(plain.att, abs=1e-12)
    assert asked(shops().lazy(), method="did").att == pytest.approx(plain.att, abs=1e-12)
    shuffled = shops().sample(fraction=1, shuffle=True, seed=1)
    assert asked(shuffled, method="did").att == pytest.approx(plain.att, abs=1e-12)


def test_outages_as_a_table_are_the_same():
    frame = pl.DataFrame({"store_id": ["a"], "start": [dt.date(2045, 3, 1)], "end": [dt.date(2045, 3, 3)]})
    assert read_outages(frame) == read_outages(DARK)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_refuses_a_window_that_covers_all_days(method):
    with pytest.raises(ContractError, match="to learn from"):
        asked(outage=Outage("a", "2045-01-10", "2045-03-10"), method=method)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"donors": None}, "`donors` is None: give a list"),
        ({"rivals": None}, "`rivals` is None: give a list"),
        ({"donors": [["b"]]}, "ids are strings or integers"),
        ({"method": ["did"]}, "There is no method"),
    ],
)
def test_an_argument_of_another_kind_is_refused_by_name(more, said):
    with pytest.raises(ContractError, match=said):
        asked(**more)


@pytest.mark.parametrize("units", [None, 1.5, [None], [["a"]]])
def test_units_that_are_none_are_refused(units):
    with pytest.raises(ContractError, match="ids are strings or integers"):
        Outage(units, "2045-03-01", "2045-03-01")


def test_ids_of_numpy_are_ids():
    text = asked(
        outage=Outage(np.array(["a"]), "2045-03-01", "2045-03-03"), donors=list(np.array(["b", "c"]))
    )
    assert text.study.donor_ids == ["b", "c"]
    huge = shops().with_columns(shop=pl.lit(2**63, dtype=pl.UInt64) + pl.col("shop").rank("dense"))
    with pytest.raises(ContractError, match="integers below 2\\^63"):
        asked(huge)


def test_another_units_half_a_basket_does_not_change_the_model():
    counted = shops().with_columns(pl.col("sales").round())
    odd = pl.col("sales") + pl.when((pl.col("shop") == "f") & (pl.col("day") == DARK.start)).then(
        0.5
    ).otherwise(0)
    told = {"method": "did", "rivals": ["f"]}
    whole, half = asked(counted, **told), asked(counted.with_columns(odd), **told)
    assert whole.found.expected[0].details["model"] == "Poisson"
    assert half.att == pytest.approx(whole.att, rel=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_a_holiday_of_all_leaves_placebos_whole(method):
    shut = shops().filter(pl.col("day") != DARK.start - dt.timedelta(days=7))
    found = asked(shut, method=method, calibrate=True, placebos=40)
    backs = found.calibration.placebos["back"]
    assert 7 not in backs.to_list()
    assert not found.calibration.failed


@pytest.mark.parametrize("method", [name for name in METHODS if name != "structural"])
def test_a_unit_that_sells_nothing_is_refused_or_answered(method):
    dead = shops().with_columns(
        sales=pl.when(pl.col("shop") == "a").then(0.0).otherwise(pl.col("sales").round())
    )
    if method == "did":
        with pytest.raises(ContractError, match="counts nothing in all periods outside its outage"):
            asked(dead, method=method)
        return
    found = asked(dead, method=method, calibrate=True, placebos=20)
    low, high = found.conf_int()
    assert low <= found.att <= high
    assert (found.pvalue <= 0.05) == (not low <= 0 <= high)


def test_units_without_an_error_are_counted_as_failed():
    flat = shops().with_columns(
        sales=pl.when(pl.col("shop").is_in(["c", "d"])).then(20.5).otherwise(pl.col("sales"))
    )
    found = asked(flat, method="seasonal_naive", calibrate=True, placebos=60)
    assert found.calibration.failed
    assert any("has an error of no known size" in note for note in found.notes)


def test_without_placebos_nothing_is_known_of_coverage():
    two = shops().filter(pl.col("shop").is_in(["a", "b", "c"]))
    found = asked(two, Outage(["a", "b"], DARK.start, DARK.end), method="did", calibrate=True)
    assert found.calibration.placebos.is_empty()
    assert np.isnan(found.calibration.coverage())
    assert np.isinf(found.calibration.detectable(1.0))
    assert found.calibration.summary_frame(1.0).height


def test_what_was_expected_below_zero_has_no_share():
    low = shops().with_columns(sales=pl.col("sales") - 100)
    assert np.isnan(asked(low, method="did").relative)


def test_takings_and_refunds_that_cancel_are_not_a_dark_shop():
    swings = pl.when(pl.col("day") == DARK.start).then(-5.0).when(pl.col("day") == DARK.end).then(5.0)
    other = swings.when(pl.col("day").is_between(DARK.start, DARK.end)).then(0.0).otherwise(pl.col("sales"))
    panel = shops().with_columns(sales=pl.when(pl.col("shop") == "a").then(other).otherwise(pl.col("sales")))
    assert not asked(panel, method="did").wholly_dark


def test_a_panel_whose_others_are_unknown_in_the_outage_blames_them():
    window = pl.col("day").is_between(DARK.start, DARK.end)
    lost = shops().with_columns(
        sales=pl.when(window & (pl.col("shop") != "a")).then(None).otherwise(pl.col("sales"))
    )
    with pytest.raises(ContractError, match="more than half of the other units have no"):
        asked(lost)
    alone = lost.filter(pl.col("shop").is_in(["a", "b"]))
    assert asked(alone, method="seasonal_naive").study.cells == 3
