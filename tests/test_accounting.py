"""Accounts of an outage: they add up, recover what was put in, and find nothing where nothing happened."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm

import grocery_spheres as gs
from grocery_spheres.accounting.effects import effects, usual
from grocery_spheres.accounting.example import (
    DARK_DAYS,
    DARK_FROM,
    FIRST_DAY,
    example_dark,
    example_trips,
)
from grocery_spheres.accounting.following import (
    ELSEWHERE,
    OWN,
    Followed,
    People,
    Roles,
    customers,
    exposed,
    follow,
)
from grocery_spheres.accounting.picture import bars
from grocery_spheres.accounting.records import Records, read_records
from grocery_spheres.accounting.spans import OUTAGE, Spans, spans_of
from grocery_spheres.accounting.verdict import LOSSES
from grocery_spheres.validation.account_truth import true_parts

PLACEBOS = 150
SHOPS = [f"shop-{number}" for number in range(1, 13)]


@pytest.fixture(scope="module")
def found():
    return gs.account(example_trips(), example_dark(), placebos=PLACEBOS)


@pytest.fixture(scope="module")
def without_rivals():
    return gs.account(example_trips(), example_dark(), rivals=[], placebos=PLACEBOS)


# ---- it adds up


@pytest.mark.parametrize("measure", ["baskets", "sales_usd"])
def test_parts_add_up_in_the_estimate_and_in_every_draw(found, measure):
    for parts in (found.parts(measure), found.part_errors(measure)):
        named = [parts[f"diverted to {name}"] for name in (*found.rivals, "other stores")]
        whole = parts["lost"] - parts["diverted"] - parts["delayed"] - parts["forgone"]
        assert np.max(np.abs(whole)) < 1e-9
        assert np.nanmax(np.abs(parts["diverted"] - sum(map(np.nan_to_num, named)))) < 1e-9
        assert np.max(np.abs(parts["all stores' net loss"] - parts["forgone"])) == 0
        net = parts["lost"] - parts["delayed, at the dark stores"]
        assert np.max(np.abs(parts["dark stores' net loss"] - net)) < 1e-9


def test_a_rival_that_is_not_named_moves_to_the_others_and_nothing_else(found, without_rivals):
    fewer = gs.account(example_trips(), example_dark(), rivals=list(found.rivals[1:]), placebos=PLACEBOS)
    moved = found.parts()[f"diverted to {found.rivals[0]}"]
    for name, value in found.parts().items():
        if name == f"diverted to {found.rivals[0]}":
            assert name not in fewer.parts()
        elif name == "diverted to other stores":
            assert fewer.parts()[name] == pytest.approx(value + moved, abs=1e-9)
        else:
            assert fewer.parts()[name] == value
            assert fewer.conf_int(what=name) == found.conf_int(what=name)
    for name, value in without_rivals.parts().items():
        if name != "diverted to other stores":
            assert value == found.parts()[name]


def test_kinds_of_stores_take_the_place_of_single_ones(without_rivals):
    kinds = {"even": SHOPS[1::2], "odd": SHOPS[2::2], "never sold": ["shop-99", SHOPS[0]]}
    found = gs.account(example_trips(), example_dark(), rivals=kinds, placebos=30)
    assert found.rivals == ("even", "odd", "never sold")
    assert found.parts()["diverted"] == without_rivals.parts()["diverted"]


# ---- it recovers


def test_it_holds_what_was_put_in(found):
    dark = example_dark()
    truth = true_parts(
        example_trips(),
        example_trips(outage=False),
        dark=["shop-1"],
        followed=found.facts["followed_ids"],
        window=(dark.start, dark.end),
        after=28,
        rivals={},
    )
    for part in ("lost", "diverted", "delayed", "forgone", "not followed", "dark stores' net loss"):
        low, high = found.conf_int(what=part)
        assert low <= truth[part] <= high, part
    assert truth["lost"] == pytest.approx(truth["diverted"] + truth["delayed"] + truth["forgone"])
    assert found.frame.filter(measure="baskets", part="lost")["verdict"].item() == "found"


def test_an_outage_that_never_was_is_not_found():
    nothing = gs.account(example_trips(outage=False), example_dark(), measures=["baskets"], placebos=PLACEBOS)
    rows = nothing.frame.filter(pl.col("part").is_in(["lost", "diverted", "delayed", "forgone"]))
    assert (rows["pvalue"] > 0.05).all()
    assert "not estimable here" in rows["verdict"].to_list()
    assert nothing.sentence().startswith("No loss can be told from chance")
    assert nothing.plot().to_dict()["title"]["text"] == "No loss can be told from chance here"
    assert nothing.half_life is None
    assert not np.isfinite(nothing.share("diverted").interval(0.05)).any()


def followed_by(records: Records, spans: Spans, least: int, donors: np.ndarray) -> Followed:
    dark = np.array([0])
    regular = customers(records, spans, least)
    people = exposed(records, regular, dark)
    touched = records.ever_at(dark, before=spans.outage.start)
    return follow(records, regular, People(people, people, touched), Roles(dark, dark, dark, donors))


def test_those_who_were_chosen_for_coming_often_come_less_often_and_it_does_not_matter():
    """Regression to the mean: seen on the days of the selection, gone on the others."""
    rng = np.random.default_rng(3)
    household, day = np.nonzero(rng.random((4000, 160)) < 0.02)
    store = rng.integers(0, 8, len(day))
    first = dt.date(2045, 1, 1)
    dates = pl.Series(np.datetime64(first) + day.astype("timedelta64[D]")).cast(pl.Date)
    trips = pl.DataFrame({"household_id": household, "store_id": store, "date": dates})
    records = read_records(trips, ["baskets"])
    spans = spans_of(100, 7, 160, anticipation=28, after=28, named="it")
    bought = followed_by(records, spans, 2, np.arange(1, 8))
    chosen = usual(bought.bought, spans.selection, records.weekday())[0, OWN, spans.outage].sum()
    seen = bought.bought[0, OWN, spans.outage].sum()
    assert chosen > 3 * seen  # the trap: measured on the days of the selection, most is "lost"
    week = gs.Outage([0], first + dt.timedelta(days=100), first + dt.timedelta(days=106))
    found = gs.account(trips, week, measures=["baskets"], regular=2, placebos=99)
    assert found.frame.filter(part="lost")["pvalue"].item() > 0.05


def test_the_expected_is_the_fitted_value_of_a_poisson_model():
    """Independent package: a Poisson regression with effects of group and day, where nothing was dark."""
    records = read_records(example_trips(), ["baskets"])
    spans = spans_of(DARK_FROM, DARK_DAYS, records.days, anticipation=28, after=28, named="it")
    donors = np.arange(1, 12)
    bought = followed_by(records, spans, 3, donors)
    day = spans.outage.stop  # the first after it
    same = [d for d in range(spans.baseline.start, spans.baseline.stop) if (day - d) % 7 == 0]
    for place in (OWN, ELSEWHERE):
        counts = np.concatenate([bought.bought[0, place, same], bought.pool[0, place, [*same, day]]])
        groups = np.repeat([0.0, 1.0], [len(same), len(same) + 1])
        days = np.array([*same, *same, day])
        dummies = np.array([days == one for one in [*same, day]], dtype=float).T
        fit = sm.GLM(counts, np.column_stack([groups, dummies]), family=sm.families.Poisson()).fit()
        told = fit.predict(np.array([[0.0, *([0.0] * len(same)), 1.0]]))[0]
        real = effects(bought, spans, records.weekday())
        assert real.path[0, place, 0] == pytest.approx(told, rel=1e-6)
        observed = bought.bought[0, place, spans.outage].sum()
        assert real.effect[0, place, OUTAGE] == pytest.approx(observed - real.expected[0, place, OUTAGE])


# ---- the same for any frame and order


def test_frames_and_order_change_nothing(found):
    shuffled = example_trips().sample(fraction=1.0, shuffle=True, seed=1)
    again = gs.account(shuffled.to_pandas(), example_dark(), placebos=PLACEBOS)
    assert again.frame["estimate"].to_numpy() == pytest.approx(found.frame["estimate"].to_numpy(), rel=1e-9)
    assert again.frame["low"].to_numpy() == pytest.approx(found.frame["low"].to_numpy(), rel=1e-9)


def test_a_table_of_outages_and_strata(found):
    table = pl.DataFrame(
        {
            "store_id": ["shop-1"],
            "start": [example_dark().start],
            "end": [example_dark().end],
            "share_down": [1.0],
        }
    )
    strata = dict.fromkeys(SHOPS, "all")
    again = gs.account(example_trips(), table, strata=strata, placebos=PLACEBOS)
    assert again.frame.equals(found.frame)


def test_several_dark_stores_in_two_strata():
    start = FIRST_DAY + dt.timedelta(days=DARK_FROM)
    outage = gs.Outage(SHOPS[:4], start, start + dt.timedelta(days=2))
    strata = {shop: place % 2 for place, shop in enumerate(SHOPS)}
    found = gs.account(example_trips(), outage, strata=strata, measures=["baskets"], placebos=60)
    assert 20 < len(found.errors) <= 60
    parts = found.part_errors()
    assert np.max(np.abs(parts["lost"] - parts["diverted"] - parts["delayed"] - parts["forgone"])) < 1e-9
    assert found.facts["donors"] == 8


# ---- words and pictures


def test_it_is_said_in_one_sentence_and_in_full(found):
    assert found.sentence().count(".") >= 1
    assert "This assumes that" in found.sentence()
    told = found.summary()
    for word in (
        "seen from: ",
        "dark stores' net loss",
        "all stores' net loss",
        "retention",
        "Half-life",
        "Followed",
        "Assumes",
    ):
        assert word in told
    assert repr(found).startswith("Account(baskets: lost ")


def test_dollars_stand_beside_baskets(found):
    assert "; in USD " in found.sentence()
    alone = gs.account(example_trips(), example_dark(), measures=["baskets"], placebos=40)
    assert "USD" not in alone.sentence()


def test_a_store_that_sold_as_ever_is_asked_about(found):
    open_all_along = gs.account(example_trips(outage=False), example_dark(), placebos=40)
    assert "The dark stores sold" in open_all_along.summary()
    dark = example_dark()
    half = gs.Outage(dark.units, dark.start, dark.end, share_down=0.5)
    assert "The dark stores sold" not in gs.account(example_trips(outage=False), half, placebos=40).summary()
    assert "The dark stores sold" not in found.summary()


def test_nothing_is_said_of_what_even_the_whole_loss_would_not_show(found):
    for measure in found.measures:
        lost = found.parts(measure)["lost"]
        rows = found.frame.filter(measure=measure).filter(~pl.col("part").is_in(LOSSES))
        unsure = rows.filter(pl.col("detectable") > lost)
        assert unsure.height
        assert (unsure["verdict"] == "not estimable here").all()


def test_the_picture_adds_up(found):
    rows = bars(found, "baskets")
    assert rows["part"].to_list()[0] == "lost"
    assert rows["stop"][-1] == pytest.approx(found.parts()["lost"], abs=1e-9)
    assert rows["start"].to_list()[2:] == rows["stop"].to_list()[1:-1]
    drawn = found.plot().to_dict()
    assert "add up" in drawn["description"]
    assert found.plot("sales_usd").to_dict()["title"]["text"].startswith("Of ")


def test_recovery_is_counted_in_days(found):
    assert found.recovered.days == 1
    assert found.recovered.low == 1
    assert found.half_life is not None
    assert found.half_life.censored == 50
    assert "1 day " in str(found.half_life)


def test_retention_needs_eight_weeks():
    last = example_dark().end + dt.timedelta(days=30)
    short = gs.account(example_trips().filter(pl.col("date") <= last), example_dark(), placebos=20)
    assert short.retention is None
    assert "ends before day 56" in short.summary()


def test_levels_and_p_values_never_contradict_each_other(found):
    for part in found.parts():
        row = found.frame.filter(measure="baskets", part=part).row(0, named=True)
        assert (row["pvalue"] <= 0.05) == (not row["low"] <= 0 <= row["high"]), part


def test_too_few_placebos_give_no_interval():
    found = gs.account(example_trips(), example_dark(), measures=["baskets"], placebos=5)
    assert found.conf_int() == (-np.inf, np.inf)
    assert (found.frame["verdict"] == "not estimable here").all()
    assert "No interval can be given" in found.sentence()
    assert "19 are needed" in found.sentence()
    assert "∞" not in found.summary()
    assert "∞" not in found.sentence()
    assert not found.recovered.known
    assert "no interval" in found.plot().to_json()


def test_placebos_of_several_cases_serve_once():
    start = FIRST_DAY + dt.timedelta(days=DARK_FROM)
    outage = gs.Outage(SHOPS[:2], start, start)
    strata = {shop: place % 2 for place, shop in enumerate(SHOPS)}
    found = gs.account(example_trips(), outage, strata=strata, measures=["baskets"], placebos=2)
    assert len(found.errors) <= 2
    assert found.conf_int() == (-np.inf, np.inf)


# ---- stores that share customers, dark at once


def fates(dark: list[int], fate: str, seed: int) -> tuple[pl.DataFrame, pl.DataFrame, gs.Outage]:
    """Trips of households with two shops each, without an outage and with one at some shops."""
    rng = np.random.default_rng(seed)
    home = rng.integers(0, 12, 1500)
    household, day = np.nonzero(rng.random((1500, 240)) < 0.25)
    other = home - home % 2 + 1 - home % 2
    store = np.where(rng.random(len(day)) < 0.6, home[household], other[household])
    start = FIRST_DAY + dt.timedelta(days=170)
    dates = pl.Series(np.datetime64(FIRST_DAY) + day.astype("timedelta64[D]")).cast(pl.Date)
    before = pl.DataFrame({"household_id": household, "store_id": store, "date": dates})
    hit = np.isin(store, dark) & (day >= 170) & (day < 173)
    outage = gs.Outage(dark, start, start + dt.timedelta(days=2))
    if fate == "forgone":
        return before, before.filter(pl.Series(~hit)), outage
    return before, before.with_columns(store_id=pl.Series(np.where(hit, 11, store))), outage


@pytest.mark.parametrize("fate", ["forgone", "diverted"])
@pytest.mark.parametrize("strata", [None, {store: store % 2 for store in range(12)}])
def test_shared_customers_of_two_dark_stores_are_lost_once(fate, strata):
    """The same noise with the outage and without: what is left is the bias."""
    before, after, outage = fates([0, 1], fate, seed=5)
    asked = {"measures": ["baskets"], "strata": strata, "donors": list(range(2, 11)), "placebos": 0}
    with_it, without = (gs.account(one, outage, **asked) for one in (after, before))
    truth = true_parts(
        after,
        before,
        dark=[0, 1],
        followed=with_it.facts["followed_ids"],
        window=(outage.start, outage.end),
        after=28,
        rivals={},
    )
    for part in ("lost", "diverted", "delayed", "forgone"):
        assert with_it.parts()[part] - without.parts()[part] == pytest.approx(truth[part], abs=1e-6), part


def test_a_later_outage_of_another_store_overlaps_what_came_after():
    _, trips, first = fates([0], "forgone", seed=5)
    later = first.end + dt.timedelta(days=2)
    with pytest.raises(gs.ContractError, match="overlap"):
        gs.account(trips, [first, gs.Outage([4], later, later)], measures=["baskets"], placebos=5)


def test_stores_without_records_are_left_out_of_everything():
    _, after, outage = fates([0], "forgone", seed=5)
    gone = (pl.col("store_id") == 7) & pl.col("date").is_between(outage.start, outage.end)
    masked = pl.DataFrame({"store_id": [7], "date": [outage.start]})
    asked = {"measures": ["baskets"], "placebos": 20}
    found = gs.account(after.filter(~gone), outage, masked=masked, **asked)
    known = gs.account(after.filter(pl.col("store_id") != 7), outage, **asked)
    assert found.parts() == known.parts()
    assert found.facts["left_out"] == (7,)
    assert "1 stores with days without records" in found.summary()
    with pytest.raises(gs.ContractError, match="dark store 0 has days without records"):
        gs.account(after, outage, masked=masked.with_columns(store_id=0), **asked)
