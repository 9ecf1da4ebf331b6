"""From baskets to choices: options, distances, habits, and what is left out."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest

import grocery_spheres as gs
from grocery_spheres.choice.trips import left_out, trip_table

FIRST = dt.date(2045, 1, 1)
SINCE, UNTIL = FIRST + dt.timedelta(days=30), FIRST + dt.timedelta(days=60)
SHOPS = pl.DataFrame(
    {
        "store_id": ["a", "b", "c", "far"],
        "town_id": [1, 1, 1, 2],
        "x_km": [0.0, 3.0, 1.0, 50.0],
        "y_km": [0.0, 4.0, 0.0, 0.0],
        "opened": [None, None, FIRST + dt.timedelta(days=40), None],
        "closed": [None, FIRST + dt.timedelta(days=55), None, None],
    }
)


@pytest.fixture(scope="module")
def trips():
    rng = np.random.default_rng(3)
    household, day = np.nonzero(rng.random((40, 70)) < 0.4)
    names = np.array(["a", "b", "c", "far"])
    store = names[rng.choice(4, len(day), p=[0.4, 0.3, 0.2, 0.1])]
    dates = pl.Series(np.datetime64(FIRST) + day.astype("timedelta64[D]")).cast(pl.Date)
    return pl.DataFrame({"household_id": household, "store_id": store, "date": dates})


@pytest.fixture(scope="module")
def homes():
    return pl.DataFrame(
        {"household_id": range(40), "town_id": [1] * 40, "x_km": [0.0] * 40, "y_km": [0.0] * 40}
    )


def test_habits_are_those_of_a_loop(trips, homes):
    found = trip_table(trips, SHOPS, homes, since=SINCE, until=UNTIL, gain=0.3)
    for household in (0, 7, 39):
        mine = trips.filter(household_id=household).sort("date", "store_id")
        stock = dict.fromkeys("abc", 0.0) | {"far": 0.0}
        before = {}
        for store, date in mine.select("store_id", "date").rows():
            before[date] = dict(stock)
            stock = {name: 0.7 * value for name, value in stock.items()}
            stock[store] += 0.3
        for row in found.filter(household_id=household).to_dicts():
            assert row["habit"] == pytest.approx(before[row["date"]][row["store_id"]])


def test_each_trip_has_one_choice_among_open_stores(trips, homes):
    found = trip_table(trips, SHOPS, homes, since=SINCE, until=UNTIL)
    assert (found.group_by("trip").agg(pl.sum("went"))["went"] == 1).all()
    assert "far" not in found["store_id"].to_list()
    assert found.filter(store_id="c")["date"].min() >= SHOPS["opened"][2]
    assert found.filter(store_id="b")["date"].max() <= SHOPS["closed"][1]
    assert found.filter(store_id="b")["km"].unique().to_list() == [5.0]
    out = left_out(trips, found, since=SINCE, until=UNTIL)
    inside = trips.filter(pl.col("date").is_between(SINCE, UNTIL))
    too_soon = (pl.col("store_id") == "c") & (pl.col("date") < SHOPS["opened"][2])
    too_late = (pl.col("store_id") == "b") & (pl.col("date") > SHOPS["closed"][1])
    assert out == inside.filter((pl.col("store_id") == "far") | too_soon | too_late).height


def test_a_model_of_habit_can_be_fitted(trips, homes):
    found = trip_table(trips, SHOPS, homes, since=SINCE, until=UNTIL)
    fit = gs.fit_choice(
        found,
        situation="trip",
        option="store_id",
        chosen="went",
        covariates=["km", "habit"],
        person="household_id",
    )
    assert set(fit.params) == {"km", "habit"}
    assert abs(fit.params["habit"]) < 3 * fit.bse["habit"]  # these trips have none


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"gain": 0}, "`gain` is 0"),
        (
            {"since": UNTIL + dt.timedelta(days=900), "until": UNTIL + dt.timedelta(days=901)},
            "No trip to an open",
        ),
    ],
)
def test_arguments(trips, homes, change, words):
    with pytest.raises(gs.ContractError, match=words):
        trip_table(trips, SHOPS, homes, **{"since": SINCE, "until": UNTIL, **change})


def test_tables(trips, homes):
    asked = {"since": SINCE, "until": UNTIL}
    with pytest.raises(gs.ContractError, match="lacks the column `x_km`"):
        trip_table(trips, SHOPS.drop("x_km"), homes, **asked)
    with pytest.raises(gs.ContractError, match="two rows of 'a'"):
        trip_table(trips, pl.concat([SHOPS, SHOPS.head(1)]), homes, **asked)
    with pytest.raises(gs.ContractError, match="no place or town"):
        trip_table(trips, SHOPS, homes.with_columns(x_km=pl.lit(None, dtype=pl.Float64)), **asked)
