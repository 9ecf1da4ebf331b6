"""Two causes on the same day: each alone, both together, and what one town's story would have said."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest
import statsmodels.formula.api as smf

import grocery_spheres as gs

DAY = dt.date(2045, 6, 17)
ASKED = {"unit": "town", "time": "day", "outcome": "sales", "first": "event", "second": "outage"}


def towns(count=40, *, event=5.0, outage=-8.0, more=0.0, noise=1.0, seed=0):
    """Towns in fours of like size; in each four one of every kind."""
    rng = np.random.default_rng(seed)
    days = [DAY - dt.timedelta(days=back) for back in range(70)]
    rows = []
    for town in range(count):
        seen, dark, size = town % 2 == 1, town % 4 > 1, 20.0 + 3 * (town // 4)
        for day in days:
            effect = (event * seen + outage * dark + more * seen * dark) * (day == DAY)
            level = size + 5 * (day.weekday() == 5) + noise * rng.normal()
            rows.append((town, day, level + effect, seen, dark, town // 4))
    return pl.DataFrame(rows, schema=["town", "day", "sales", "event", "outage", "four"], orient="row")


def estimated(table, **more):
    return gs.two_causes(table, **ASKED, window=(DAY, DAY), **more)


def test_effects_alone_and_together_come_out_without_noise():
    found = estimated(towns(noise=0.0, more=2.0))
    assert found.effects["effect"].to_list() == ["event", "outage", "both", "interaction"]
    assert found.effects["estimate"].to_list() == pytest.approx([5.0, -8.0, -1.0, 2.0], abs=1e-9)
    assert found.effects["units"].to_list() == [10, 10, 10, 10]


def test_intervals_are_those_of_a_regression_with_blocks():
    table = towns()
    found = estimated(table, block="four")
    frame = found.changes.with_columns(pl.col("event", "outage").cast(pl.Int64)).to_pandas()
    fit = smf.ols("change ~ event * outage + C(block)", frame).fit(cov_type="HC3", use_t=True)
    mine = dict(found.effects.select("effect", "estimate").iter_rows())
    assert mine["event"] == pytest.approx(fit.params["event"])
    low, high = fit.conf_int().loc["outage"]
    row = found.effects.filter(effect="outage").row(0, named=True)
    assert (row["low"], row["high"]) == pytest.approx((low, high))


def test_intervals_cover_and_shuffles_find_nothing_where_nothing_is():
    held, found_some = 0, 0
    for seed in range(60):
        found = estimated(towns(count=24, event=0.0, outage=0.0, seed=seed), block="four", seed=seed)
        row = found.effects.filter(effect="outage").row(0, named=True)
        held += row["low"] <= 0 <= row["high"]
        found_some += found.shuffled <= 0.05
    assert held >= 53
    assert found_some <= 7
    assert estimated(towns(), block="four").shuffled < 0.01


def test_one_town_alone_misleads():
    """In a town that saw both, its change is taken for what the outage did."""
    found = estimated(towns(noise=0.0))
    both = found.changes.filter("event", "outage")["town"][0]
    assert found.alone(both)["change"] == pytest.approx(-3.0)
    assert found.alone(both)["of_effect"] == pytest.approx(1.0)
    neither = found.changes.filter(~pl.col("event"), ~pl.col("outage"))["town"][0]
    assert np.isnan(found.alone(neither)["of_effect"])
    with pytest.raises(gs.ContractError, match="There is no unit 99"):
        found.alone(99)


def test_it_is_said_in_one_sentence():
    text = estimated(towns()).sentence()
    for word in ("event alone +", "outage alone −", "both together", "95 % intervals", "nothing to do with"):
        assert word in text


@pytest.mark.parametrize(
    ("change", "more", "words"),
    [
        (lambda t: t.drop("event"), {}, "lacks the column `event`"),
        (lambda t: t.with_columns(event=1), {}, "`event` holds Int"),
        (lambda t: t.with_columns(event=pl.col("day") == DAY), {}, "changes within the unit"),
        (lambda t: t.filter(~((pl.col("town") == 3) & (pl.col("day") == DAY))), {}, "lack days, such as 3"),
        (lambda t: t.filter(pl.col("town") < 8), {}, "3 are needed in each"),
        (lambda t: t, {"window": (DAY, DAY - dt.timedelta(days=1))}, "before it starts"),
        (lambda t: t, {"window": (DAY - dt.timedelta(days=8), DAY)}, "at most 7"),
        (lambda t: t, {"alpha": 95}, "`alpha` is 95"),
    ],
)
def test_what_is_refused(change, more, words):
    with pytest.raises(gs.ContractError, match=words):
        gs.two_causes(towns(count=24).pipe(change), **{**ASKED, "window": (DAY, DAY), **more})
