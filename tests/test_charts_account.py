"""Rows, numbers and pictures of notebook 04: what they rest on, and that each picture draws."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest

import grocery_spheres as gs
from grocery_spheres.charts import account_2045, account_counts, account_proofs, theme
from grocery_spheres.charts import account_rows as rows
from grocery_spheres.county.load import county
from grocery_spheres.validation.account_lives import live_both

CHANGES = {"towns": 16, "never_towns": 2, "households": 60}


@pytest.fixture(scope="module")
def made(tmp_path_factory, monkeypatch_module):
    monkeypatch_module.setenv("GROCERY_SPHERES_DATA", str(tmp_path_factory.mktemp("data")))
    small = county(seed=7, preset="outage", **CHANGES)
    baskets = gs.baskets(small.lines)
    found = gs.account(baskets, small.outages, **rows.asked(small), alpha=0.1, placebos=60)
    return small, found, live_both(small.recipe)


@pytest.fixture(scope="module")
def monkeypatch_module():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def drawn(chart):
    return chart.to_dict(validate=True)


def test_the_lives_of_a_proof_are_those_of_the_county(made):
    small, _, lives = made
    built = gs.baskets(small.lines).select("household_id", "store_id", "date", "sales_usd").collect()
    keys = ["household_id", "store_id", "date"]
    ours, theirs = built.sort([*keys, "sales_usd"]), lives.trips.sort([*keys, "sales_usd"])
    assert ours.select(keys).equals(theirs.select(keys).cast(dict(ours.select(keys).schema)))
    assert ours["sales_usd"].to_numpy() == pytest.approx(theirs["sales_usd"].to_numpy(), abs=1e-9)
    assert lives.otherwise["date"].min() == dt.date(2045, 6, 1)


def test_the_account_of_a_county_adds_up_beside_its_truth(made):
    small, found, lives = made
    true = rows.realised(found, lives, small)
    assert true["lost"] == true["diverted"] + true["delayed"] + true["forgone"]
    assert true["lost"] > 0
    table = rows.beside_truth(found, true)
    assert table.filter(part="lost")["happened"].item() == true["lost"]
    weeks = rows.week_rows(found, lives, small)
    first = weeks.filter(week=0)
    assert first["truth"].to_list() == [-true["lost"], true["diverted"]]
    later = weeks.filter(pl.col("week").is_between(1, 4))
    assert 7 * later["truth"].sum() == pytest.approx(true["delayed"])
    assert 7 * later["baskets a day"].sum() == pytest.approx(found.parts()["delayed"])
    for width in (theme.WIDE, theme.PHONE):
        assert drawn(account_2045.gain_by_week(weeks, width))


def test_bars_begin_where_the_last_ended(made):
    small, found, _ = made
    parts = rows.part_rows(found, small.truth("account"))
    baskets = parts.filter(measure="Baskets")
    assert baskets["part"].to_list()[0] == "lost"
    assert baskets["to (%)"][-1] == pytest.approx(100.0)
    assert baskets["truth (%)"].drop_nulls().sum() == pytest.approx(100.0, abs=1e-6)
    for width in (theme.WIDE, theme.PHONE):
        assert drawn(account_2045.laid_end_to_end(parts, width))
    counts = account_counts.account_counts(found) | account_counts.later_counts(found)
    assert counts["account.lost"][0] == found.parts()["lost"]
    assert counts["account.placebos"][0] == len(found.errors)
    truth = account_counts.truth_counts(small.truth("account"), {"lost": 5.0})
    assert truth["account.realised_lost"] == (5.0, "baskets")


def test_customers_that_are_chosen_by_their_visits_come_less_once_the_choosing_is_over():
    rng = np.random.default_rng(2)
    household, day = np.nonzero(rng.random((3000, 300)) < 0.02)
    dates = pl.Series(np.datetime64("2017-01-01") + day.astype("timedelta64[D]")).cast(pl.Date)
    trips = pl.DataFrame({"household_id": household, "store_id": household % 5, "date": dates})
    found = rows.fading_rows(trips, [0, 1, 2], dt.date(2017, 9, 20), 3)
    counts = account_counts.fading_counts(found)
    assert counts["regulars.fade_usual"][0] < -0.2
    assert abs(counts["regulars.fade_apart"][0]) < 0.08
    for width in (theme.WIDE, theme.PHONE):
        assert drawn(account_2045.regulars_fade(found, width))


@pytest.mark.parametrize("width", [theme.WIDE, theme.PHONE])
@pytest.mark.parametrize(
    ("draw", "data"),
    [
        (account_2045.held, account_proofs.held_rows),
        (account_2045.verdicts, account_proofs.verdict_rows),
        (account_2045.seeds, account_proofs.seed_rows),
    ],
)
def test_each_picture_of_the_proofs_draws(draw, data, width):
    assert drawn(draw(data(), width))
