"""Rows, numbers and pictures of notebook 05: what they rest on, and that each picture draws."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest

import grocery_spheres as gs
from grocery_spheres.charts import theme, trust, trust_counts
from grocery_spheres.charts import trust_rows as rows
from grocery_spheres.outage.injected import Reaction
from grocery_spheres.panels import store_days

FIRST, DAYS = dt.date(2017, 1, 1), 120
START = FIRST + dt.timedelta(days=90)


@pytest.fixture(scope="module")
def baskets():
    rng = np.random.default_rng(6)
    count = 9_000
    days = rng.integers(0, DAYS, count)
    return pl.DataFrame(
        {
            "basket_id": np.arange(count),
            "household_id": rng.integers(0, 300, count),
            "store_id": rng.choice([1, 2, 3, 4, 5, 6], count, p=[0.3, 0.2, 0.2, 0.1, 0.1, 0.1]),
            "date": [FIRST + dt.timedelta(days=int(day)) for day in days],
        }
    ).with_columns(lines=1, sales_usd=10.0)


@pytest.fixture(scope="module")
def example(baskets):
    put = gs.inject_outage(baskets, 2, START, 7, reaction=Reaction(diverted=0.4), seed=3)
    panels = [
        frame.group_by("store_id", "date").agg(baskets=pl.len().cast(pl.Int64))
        for frame in (baskets, put.baskets)
    ]
    grid = panels[0].select("store_id", "date")
    untouched, panel = (
        grid.join(one, on=["store_id", "date"], how="left").with_columns(pl.col("baskets").fill_null(0))
        for one in panels
    )
    asked = {"unit": "store_id", "time": "date", "outcome": "baskets", "rivals": list(put.refuges)}
    compared = gs.compare_methods(panel, put.outage, methods=["did", "seasonal_naive"], placebos=40, **asked)
    return put, compared, untouched


def drawn(chart):
    return chart.to_dict(validate=True)


@pytest.mark.parametrize("width", [theme.WIDE, theme.PHONE])
@pytest.mark.parametrize(
    ("draw", "data"),
    [
        (trust.errors, rows.error_rows),
        (trust.covered, rows.coverage_rows),
        (trust.designs, rows.design_rows),
        (trust.rivals, rows.rival_rows),
    ],
)
def test_each_picture_of_the_proofs_draws(draw, data, width):
    assert drawn(draw(data(), width))


@pytest.mark.parametrize("width", [theme.WIDE, theme.PHONE])
def test_the_example_draws_and_ends_at_the_truth(example, width):
    put, compared, untouched = example
    found = rows.example_rows(compared.results[0], put, untouched)
    dark = found.filter("dark")
    assert len(dark) == 7
    assert dark["truly lost so far"][-1] == -put.effect()
    assert dark["lost so far"][-1] == pytest.approx(-compared.results[0].cumulative)
    assert (dark["low"] <= dark["lost so far"]).all()
    assert drawn(trust.example(found, width))


def test_a_store_is_chosen_by_size_among_those_that_trade_every_day(baskets):
    days = store_days(baskets)
    sizes = days.group_by("store_id").agg(pl.sum("baskets")).sort("baskets", descending=True)["store_id"]
    assert [rows.store_by_size(days, rank) for rank in (1, 3)] == [sizes[0], sizes[2]]
    gone = days.with_columns(
        baskets=pl.when((pl.col("store_id") == sizes[0]) & (pl.col("date") == START))
        .then(None)
        .otherwise("baskets")
    )
    assert rows.store_by_size(gone, 1) == sizes[1]


def test_methods_stand_in_a_readers_words(example):
    put, compared, _ = example
    table = rows.method_rows(compared)
    assert table["method"].to_list() == ["difference in differences", "last four weeks"]
    assert table["lost"].to_list() == pytest.approx([-found.cumulative for found in compared.results])
    counts = trust_counts.example_counts(compared.results[0], put, compared)
    assert counts["injected.example_true"] == (-put.effect(), "baskets")
    value, low, high, _ = counts["injected.example_lost"]
    assert low <= value <= high


def test_numbers_are_those_of_the_rows():
    ratio = rows.error_rows().filter(pl.col("days") == 7, pl.col("best")).row(0, named=True)
    assert trust_counts.error_counts()["injected.ratio_7"][:3] == (
        ratio["times the floor"],
        ratio["low"],
        ratio["high"],
    )
    cells = rows.design_rows().filter(pl.col("design") != "kind")
    assert trust_counts.design_counts()["designs.broken"][0] == (cells["high"] < 95).sum()
    for kind, name in {"corrected by other stores": "corrected", "as it is reported": "reported"}.items():
        part = rows.coverage_rows().filter(pl.col("interval") == kind)
        off = (part["coverage"] - part["level"]).abs().max()
        assert trust_counts.coverage_counts()[f"injected.{name}_worst"][0] == off


def test_a_rivals_part_is_the_difference_on_the_same_noise():
    table = rows.read("injected").filter(pl.col("reaction") == "diverted", pl.col("method") == "did")
    wide = table.pivot(on="rivals", index=["seed", "truth"], values="estimate")
    share = float((wide["true"] - wide["false"]).sum() / -wide["truth"].sum())
    found = rows.rival_rows().filter(
        pl.col("reaction") == "diverted", pl.col("method") == "difference in differences"
    )
    assert found["overstated"].item() == pytest.approx(100 * share)
    assert found["low"].item() <= found["overstated"].item() <= found["high"].item()


def test_an_interval_that_holds_may_still_say_nothing():
    """Of reported intervals those are counted whose upper end is no loss or a gain."""
    table = rows.read("injected").filter(
        pl.col("method") == "structural",
        pl.col("rivals"),
        pl.col("reaction").is_in(["all lost", "half down"]),
    )
    made = table.drop_nulls("best_high")
    sizes = trust_counts.size_counts()
    assert sizes["injected.no_loss"][0] == pytest.approx((made["best_high"] >= 0).mean())
    week = table.filter(pl.col("days") == 7, pl.col("reaction") == "all lost")
    error = ((week["estimate"] - week["truth"]) ** 2).mean() ** 0.5
    assert sizes["injected.error_dark"][0] == pytest.approx(error / -week["truth"].mean())
