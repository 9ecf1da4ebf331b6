"""Which periods are dark: days whatever their stamp, midnights read as days, months, quarters, hours."""

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pytest

from grocery_spheres.outage.estimate import estimate_outage
from grocery_spheres.outage.outages import Outage

COLUMNS = {"unit": "unit", "time": "time", "outcome": "sales", "calibrate": False, "method": "did"}


def rows(times, units=4):
    rng = np.random.default_rng(3)
    names = [f"s{n}" for n in range(units)]
    return pl.DataFrame(
        {
            "unit": np.repeat(names, len(times)),
            "time": list(times) * units,
            "sales": 50.5 + rng.normal(size=units * len(times)),
        }
    )


def cells(times, outage):
    return estimate_outage(rows(times), outage, **COLUMNS).study.cells


DAYS = [dt.datetime(2045, 1, 1) + dt.timedelta(days=n) for n in range(60)]
HOURS = [dt.datetime(2045, 1, 1) + dt.timedelta(hours=n) for n in range(24 * 30)]


@pytest.mark.parametrize("hour", [0, 12, 20])
def test_a_day_is_a_day_whatever_hour_it_is_stamped_with(hour):
    stamped = [day + dt.timedelta(hours=hour) for day in DAYS]
    assert cells(stamped, Outage("s0", "2045-02-10", "2045-02-10")) == 1


@pytest.mark.parametrize("day", [dt.date(2045, 1, 26), pd.Timestamp("2045-01-26"), "2045-01-26"])
def test_one_midnight_given_twice_is_that_day(day):
    assert cells(HOURS, Outage("s0", day, day)) == 24


def test_a_table_of_outages_as_pandas_reads_it_names_days():
    table = pd.DataFrame({"store_id": ["s0"], "start": ["2045-01-26"], "end": ["2045-01-27"]})
    table[["start", "end"]] = table[["start", "end"]].apply(pd.to_datetime)
    assert cells(HOURS, table) == 48


def test_hours_are_hours_and_are_said():
    outage = Outage("s0", dt.datetime(2045, 1, 26, 9), dt.datetime(2045, 1, 26, 11))
    found = estimate_outage(rows(HOURS), outage, **COLUMNS)
    assert found.study.cells == 3
    assert any("3 periods of 1 hour count as dark, from 2045-01-26 09:00:00" in note for note in found.notes)


@pytest.mark.parametrize(("step", "said"), [(1, "1 month"), (3, "3 months")])
def test_months_and_quarters_are_clocks(step, said):
    first = pl.Series([dt.date(2030, 1, 1)])
    times = pl.date_range(first[0], dt.date(2044, 12, 1), f"{step}mo", eager=True).to_list()
    found = estimate_outage(rows(times), Outage("s0", "2044-04-10", "2044-06-20"), **COLUMNS)
    assert found.study.panel.times.step == said
    assert found.study.cells == 3 // step
    assert len(found.study.panel.times) == len(times)
    assert found.study.panel.missing == 0


def test_the_last_month_ends_where_it_ends():
    times = pl.date_range(dt.date(2040, 1, 1), dt.date(2044, 12, 1), "1mo", eager=True).to_list()
    assert cells(times, Outage("s0", "2044-12-31", "2044-12-31")) == 1
