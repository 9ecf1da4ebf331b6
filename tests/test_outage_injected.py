"""Known outages in records: what is taken out, where it goes, and that nothing else moves."""

import datetime as dt

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from grocery_spheres.outage.estimate import estimate_outage
from grocery_spheres.outage.injected import CATCH_UP, Reaction, inject_outage
from grocery_spheres.outage.outages import Outage
from grocery_spheres.outage.rivals import contamination, shared_customers
from grocery_spheres.tables import ContractError

FIRST, DAYS = dt.date(2017, 1, 1), 120
START = FIRST + dt.timedelta(days=80)


@pytest.fixture(scope="module")
def baskets():
    rng = np.random.default_rng(5)
    count = 12_000
    home = rng.integers(0, 6, 300)
    household = rng.integers(0, 300, count)
    away = rng.random(count) < 0.25
    store = np.where(away, (home[household] + rng.integers(1, 3, count)) % 6, home[household])
    days = [FIRST + dt.timedelta(days=int(day)) for day in rng.integers(0, DAYS, count)]
    return pl.DataFrame(
        {"basket_id": np.arange(count), "household_id": household, "store_id": store, "date": days}
    )


def put(baskets, **shares):
    return inject_outage(baskets, 2, START, 7, reaction=Reaction(**shares), seed=11)


def counted(frame):
    return frame.group_by("store_id", "date").len().sort("store_id", "date")


def difference(baskets, after):
    both = counted(baskets).join(
        counted(after), on=["store_id", "date"], how="full", coalesce=True, suffix="_a"
    )
    change = pl.col("len_a").fill_null(0).cast(pl.Int64) - pl.col("len").fill_null(0).cast(pl.Int64)
    return both.select("store_id", "date", effect=change).filter(pl.col("effect") != 0)


def inside(frame, store=2):
    end = START + dt.timedelta(days=6)
    return frame.filter((pl.col("store_id") == store) & pl.col("date").is_between(START, end))


@pytest.mark.parametrize(
    "shares",
    [
        {},
        {"share_down": 0.5},
        {"diverted": 0.6},
        {"delayed": 0.7},
        {"diverted": 0.4, "delayed": 0.4, "leave": 0.5, "share_down": 0.8},
    ],
)
def test_the_truth_is_what_changed(baskets, shares):
    done = put(baskets, **shares)
    told = done.truth.filter(pl.col("effect") != 0).select("store_id", "date", "effect")
    found = difference(baskets, done.baskets)
    assert_frame_equal(
        found.sort("store_id", "date").cast({"effect": pl.Int64}),
        told.sort("store_id", "date").cast({"effect": pl.Int64}),
        check_row_order=True,
    )
    parts = done.truth.select(pl.sum_horizontal("forgone", "diverted", "delayed", "left"))
    assert parts.to_series().to_list() == done.truth["effect"].to_list()


def test_a_whole_outage_leaves_nothing_and_forgets_the_rest(baskets):
    done = put(baskets)
    assert not inside(done.baskets).height
    assert done.effect() == -inside(baskets).height
    assert done.baskets.height == baskets.height - inside(baskets).height
    outside = baskets.join(inside(baskets), on="basket_id", how="anti")
    assert_frame_equal(done.baskets, outside)
    assert done.baskets.columns == baskets.columns


def test_diverted_trips_go_on_the_same_day_to_stores_that_share_customers(baskets):
    done = put(baskets, diverted=1.0)
    assert done.baskets.height == baskets.height
    nearest = shared_customers(baskets.filter(pl.col("date") < START), [2])["store_id"].to_list()
    assert list(done.refuges) == nearest[:3]
    gained = done.truth.filter(pl.col("store_id") != 2)
    assert set(gained["store_id"]) <= set(done.refuges)
    assert gained["effect"].sum() == -done.effect()
    assert gained["date"].is_between(START, START + dt.timedelta(days=6)).all()


def test_delayed_trips_come_to_the_same_store_in_the_week_after(baskets):
    done = put(baskets, delayed=1.0)
    back = done.truth.filter(pl.col("effect") > 0)
    assert (back["store_id"] == 2).all()
    assert back["date"].min() > START + dt.timedelta(days=6)
    assert back["date"].max() <= START + dt.timedelta(days=6 + CATCH_UP)
    assert back["effect"].sum() == -done.effect()


def test_who_leaves_never_comes_back(baskets):
    done = put(baskets, leave=1.0)
    hit = inside(baskets)["household_id"].unique()
    later = done.baskets.filter(
        pl.col("household_id").is_in(hit.implode()), pl.col("date") > START + dt.timedelta(days=6)
    )
    assert (later["store_id"] != 2).all()
    assert done.baskets.height == baskets.height - inside(baskets).height


def test_the_share_down_is_a_share(baskets):
    done = put(baskets, share_down=0.3)
    stopped = -done.effect() / inside(baskets).height
    assert 0.15 < stopped < 0.45


def test_the_same_seed_is_the_same_outage(baskets):
    assert put(baskets, diverted=0.5).baskets.equals(put(baskets, diverted=0.5).baskets)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"share_down": 1.5}, "`share_down` is 1.5"),
        ({"diverted": 0.7, "delayed": 0.6}, "more than all"),
        ({"leave": -0.1}, "`leave` is -0.1"),
    ],
)
def test_a_reaction_that_is_none_is_refused(given, said):
    with pytest.raises(ContractError, match=said):
        Reaction(**given)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ((99, START, 7), "has no basket"),
        ((2, START, 0), "`days` is 0"),
        ((2, FIRST + dt.timedelta(days=118), 7), "outside the records"),
    ],
)
def test_an_outage_that_cannot_be_put_in_is_refused(baskets, where, said):
    with pytest.raises(ContractError, match=said):
        inject_outage(baskets, *where)


# ---- rivals


def test_contamination_is_weight_times_share(baskets):
    """Of ten donors alike, one gained half of the loss: the mean of ten rises by a twentieth of it."""
    days = pl.DataFrame(
        {
            "unit": np.repeat(np.arange(11), 60),
            "day": np.tile(np.arange(60), 11),
            "sales": np.tile(np.random.default_rng(1).normal(50, 3, 60), 11)
            + np.random.default_rng(2).normal(0, 1, 660),
        }
    )
    hit = days.with_columns(
        sales=pl.when((pl.col("unit") == 0) & (pl.col("day") > 50))
        .then(pl.col("sales") - 20)
        .otherwise("sales")
    )
    gained = hit.with_columns(
        sales=pl.when((pl.col("unit") == 1) & (pl.col("day") > 50))
        .then(pl.col("sales") + 10)
        .otherwise("sales")
    )
    asked = {"unit": "unit", "time": "day", "outcome": "sales", "method": "did", "calibrate": False}
    clean, dirty = (estimate_outage(frame, Outage(0, 51, 59), **asked) for frame in (hit, gained))
    assert clean.att - dirty.att == pytest.approx(1.0)
    assert contamination(dirty, {1: 0.5}) == pytest.approx(0.05)
    with pytest.raises(ContractError, match="shares of one loss"):
        contamination(dirty, {1: 0.8, 2: 0.4})
    naive = estimate_outage(hit, Outage(0, 51, 59), **{**asked, "method": "seasonal_naive"})
    with pytest.raises(ContractError, match="no donor weights"):
        contamination(naive, {1: 0.5})


def test_shared_customers_are_counted_as_by_hand(baskets):
    ranked = shared_customers(baskets, [2])
    ours = set(baskets.filter(pl.col("store_id") == 2)["household_id"])
    for store, customers, share, trips in ranked.rows():
        theirs = baskets.filter(pl.col("store_id") == store)
        both = ours & set(theirs["household_id"])
        assert customers == len(both)
        assert share == pytest.approx(len(both) / len(ours))
        assert trips == theirs.filter(pl.col("household_id").is_in(list(both))).height
    with pytest.raises(ContractError, match="None of the units"):
        shared_customers(baskets, [77])


def test_without_a_refuge_what_would_be_diverted_is_forgone(baskets):
    alone = baskets.with_columns(store_id=pl.lit(2))
    lost = put(alone, diverted=0.8)
    assert lost.refuges == ()
    assert lost.truth.select(pl.sum("diverted", "delayed")).row(0) == (0, 0)
    assert lost.baskets.height == alone.height + lost.effect()


def test_trips_delayed_beyond_the_records_are_not_seen(baskets):
    last = baskets["date"].max()
    late = inject_outage(baskets, 2, last - dt.timedelta(days=3), 3, reaction=Reaction(delayed=1.0), seed=1)
    assert late.baskets["date"].max() == last
    assert difference(baskets, late.baskets)["effect"].sum() == late.truth["effect"].sum()


def test_stores_without_records_take_nobody_in(baskets):
    free = put(baskets, diverted=0.6).refuges
    masked = pl.DataFrame({"store_id": [free[0]], "date": [START]})
    other = inject_outage(baskets, 2, START, 7, reaction=Reaction(diverted=0.6), masked=masked, seed=11)
    assert free[0] not in other.refuges


@pytest.mark.parametrize("count", [1, 4])
def test_the_bound_on_a_rival_is_what_the_rival_does(count):
    """With several dark units a donor that takes in what all of them lost lifts each one's expected path."""
    rng = np.random.default_rng(3)
    table = 50.5 + rng.normal(size=(12, 80))
    frame = pl.DataFrame(
        {"unit": np.repeat(np.arange(12), 80), "day": np.tile(np.arange(80), 12), "sales": table.ravel()}
    )
    dark = (pl.col("unit") < count) & (pl.col("day") >= 77)
    lost = frame.with_columns(sales=pl.col("sales") - pl.when(dark).then(10.0).otherwise(0.0))
    gained = pl.when((pl.col("unit") == 11) & (pl.col("day") >= 77)).then(10.0 * count).otherwise(0.0)
    asked = {"unit": "unit", "time": "day", "outcome": "sales", "method": "did", "calibrate": False}
    outage = Outage(list(range(count)), 77, 79)
    clean = estimate_outage(lost, outage, **asked)
    hit = estimate_outage(lost.with_columns(sales=pl.col("sales") + gained), outage, **asked)
    overstated = (clean.cumulative - hit.cumulative) / (10.0 * count * 3)
    assert contamination(hit, {11: 1.0}) == pytest.approx(overstated, rel=1e-9)


def test_who_is_no_donor_lifts_nothing_and_is_refused(baskets):
    frame = counted(baskets).rename({"len": "baskets"})
    asked = {"unit": "store_id", "time": "date", "outcome": "baskets", "method": "did", "calibrate": False}
    outage = Outage(2, START, START + dt.timedelta(days=6))
    found = estimate_outage(frame, outage, rivals=[3], **asked)
    with pytest.raises(ContractError, match="names 3, which are no donors"):
        contamination(found, {3: 0.5})
