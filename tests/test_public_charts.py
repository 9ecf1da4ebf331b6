"""The charts of notebook 01: the rows they draw are hand-checked, and each fits both widths."""

import datetime as dt

import polars as pl
import pytest

from grocery_spheres import provenance
from grocery_spheres.charts import card, public_groceries, public_rows, theme


def test_hours_are_counted_a_week_and_named():
    hours = pl.DataFrame({"weekday": [1, 7], "hour": [0, 17], "baskets": [52, 104], "share": [0.3, 0.7]})
    rows = public_rows.trading_week_rows(hours, 52.0)
    assert rows.rows() == [("Mon", 0, 1.0), ("Sun", 17, 2.0)]


def test_two_clocks_are_put_on_top_of_each_other_in_per_cent():
    hours = pl.DataFrame({"weekday": [1, 2], "hour": [5, 5], "share": [0.25, 0.5]})
    rows = public_rows.clock_rows(hours, hours)
    assert rows.rows() == [("local", 5, 75.0), ("as published", 5, 75.0)]


def test_fuel_first_is_said_in_days():
    stores = pl.DataFrame(
        {
            "store_id": [1, 2, 3, 4],
            "opened": [dt.date(2017, 3, 2), dt.date(2017, 5, 1), dt.date(2017, 7, 1), None],
        }
    )
    sold = [dt.datetime(2017, 2, 8, 9), dt.datetime(2017, 5, 1, 7), dt.datetime(2017, 8, 1, 8)]
    rows = public_rows.fuel_first_rows(pl.DataFrame({"store_id": [1, 2, 3], "sold_at": sold}), stores)
    assert rows["words"].to_list() == ["fuel 22 days earlier", "same day", "fuel 31 days later"]


def test_partial_weeks_are_left_out_and_masked_weeks_are_gaps():
    days = pl.date_range(dt.date(2017, 1, 1), dt.date(2017, 1, 16), eager=True)  # Sunday to a Monday
    frame = pl.DataFrame({"date": days}).join(pl.DataFrame({"store_id": [1, 2]}), how="cross")
    masked = (pl.col("store_id") == 2) & (pl.col("date") == dt.date(2017, 1, 10))
    panel = frame.with_columns(baskets=pl.when(~masked).then(3))
    moves = pl.DataFrame({"store_id": [1], "successor_id": [2], "closed": [dt.date(2017, 1, 9)]})
    rows = public_rows.moves_rows(panel, moves)
    assert rows.select("role", "week", "baskets a week").rows() == [
        ("closed", dt.date(2017, 1, 2), 21),
        ("closed", dt.date(2017, 1, 9), 21),
        ("successor", dt.date(2017, 1, 2), 21),
        ("successor", dt.date(2017, 1, 9), None),
    ]


def test_silent_days_are_binned_with_an_exact_interval():
    days = pl.DataFrame(
        {
            "households_expected": [0.5] * 4 + [9.0] * 2,
            "households": [0, 0, 1, 1, 0, 4],
            "log10_silent": [-0.30103] * 4 + [-2.0] * 2,
        }
    )
    rows = public_rows.dark_day_rows(days)
    assert rows["households expected"].to_list() == ["0–1", "8 or more"]
    assert rows["silent over chance"].to_list() == pytest.approx([1.0, 50.0], rel=1e-4)
    # Exact Poisson limits of one event are 0.0253 and 5.5716.
    assert rows["low"][1] == pytest.approx(0.0253 / 0.02, rel=1e-2)
    assert rows["high"][1] == pytest.approx(5.5716 / 0.02, rel=1e-3)


def test_robustness_is_written_as_per_cent_with_its_interval():
    swept = pl.DataFrame(
        {
            "changed": ["a"],
            "regulars": [9],
            "successor": [0.724],
            "successor_low": [0.64],
            "successor_high": [0.82],
            "others": [-0.026],
            "others_low": [-0.1],
            "others_high": [0.045],
        }
    )
    row = public_rows.robustness_rows(swept).row(0)
    assert row == ("a", 9, "72 (64 to 82)", "−3 (−10 to 4)")


def committed(slug):
    return pl.read_csv(provenance.root() / "reports" / "figures" / f"{slug}.csv", try_parse_dates=True)


@pytest.mark.parametrize(
    ("slug", "draw"),
    [
        ("shopping-clock", public_groceries.clock),
        ("trading-week", public_groceries.trading_week),
        ("fuel-first", public_groceries.fuel_first),
        ("three-moves", public_groceries.moves),
        ("where-customers-went", public_groceries.diversion),
        ("before-and-after", public_groceries.before_and_after),
        ("silent-days", public_groceries.dark_days),
        ("missing-or-outage", public_groceries.signs),
    ],
)
@pytest.mark.parametrize("width", [theme.WIDE, theme.PHONE])
def test_every_chart_fits_its_card_and_names_no_colour_that_dark_pages_hide(slug, draw, width):
    theme.enable()
    spec = card.fitted(draw(committed(slug), width).to_dict(), width)
    made = card.draw(slug, spec, card.Words("Four words stand here", "b", "c"), alt="d.", width=width)
    assert made.width == card.IMAGE_WIDTH[width]
    assert "#000" not in made.svg
