"""Assumptions written as words are read by the kind of their default, or refused by name."""

from __future__ import annotations

import datetime as dt

import pytest

from grocery_spheres.county.assumptions import ParameterError, assumptions
from grocery_spheres.county.parameters import Parameters
from grocery_spheres.county.settings import read_settings


@pytest.mark.parametrize(
    ("word", "read"),
    [
        ("habit=0.5", {"habit": 0.5}),
        ("habit=1", {"habit": 1.0}),
        ("wet_trips=-0.4", {"wet_trips": -0.4}),
        ("wet_begins=1e-3", {"wet_begins": 0.001}),
        ("towns=16", {"towns": 16}),
        ("end=2045-11-30", {"end": dt.date(2045, 11, 30)}),
        ("dark_from=9,12", {"dark_from": (9, 12)}),
        ("dark_depth=0.5, 1", {"dark_depth": (0.5, 1.0)}),
        ("depths=0.2", {"depths": (0.2,)}),
        ("closed_days=12-25,01-01", {"closed_days": ("12-25", "01-01")}),
        (" habit = 0.5 ", {"habit": 0.5}),
    ],
)
def test_a_value_is_read_as_its_default_is_kept(word, read):
    found = read_settings([word])
    assert found == read
    assert [type(value) for value in found.values()] == [type(value) for value in read.values()]


def test_every_assumption_can_be_written_and_read_again():
    """Its default, written plainly, comes back as it was: no kind of assumption is left out."""

    def written(value):
        return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)

    defaults = {name: getattr(Parameters(), name) for name in assumptions(Parameters)}
    assert read_settings([f"{name}={written(value)}" for name, value in defaults.items()]) == defaults


def test_several_assumptions_are_read_together():
    assert read_settings(["habit=0.5", "towns=16"]) == {"habit": 0.5, "towns": 16}
    assert read_settings([]) == {}


@pytest.mark.parametrize(
    ("word", "said"),
    [
        (
            "habit=strong",
            r"`habit` \(.*; utility among stores\) is 'strong'; allowed: a number, 0 or more\.$",
        ),
        ("habit=", r"`habit` .* is ''; allowed: a number"),
        ("habit=1,2", r"`habit` .* is '1,2'; allowed: a number"),
        ("towns=16.5", r"`towns` .* is '16\.5'; allowed: a whole number, 4 to 9000\.$"),
        ("end=tomorrow", r"`end` .* is 'tomorrow'; allowed: a date such as 2045-06-17, 2040-01-01 to"),
        ("end=2045-02-30", r"`end` .* is '2045-02-30'; allowed: a date"),
        ("dark_from=9;12", r"`dark_from` .* is '9;12'; allowed: a whole number or several with commas"),
        ("dark_from=9,", r"`dark_from` .* is '9,'; allowed: a whole number or several"),
        ("habbit=0.5", r"no assumption `habbit` \(near it: `habit`.*\); there are: towns, "),
        ("zzz=1", r"no assumption `zzz`; there are: towns, .*, tolerance\.$"),
        ("=1", r"no assumption ``; there are"),
        ("habit", r"'habit' is no NAME=VALUE; allowed: one such as habit=0\.5\.$"),
        ("0.5", r"'0\.5' is no NAME=VALUE"),
    ],
)
def test_a_word_that_cannot_be_read_is_refused_by_name_value_and_what_is_allowed(word, said):
    with pytest.raises(ParameterError, match=said):
        read_settings([word])


def test_an_assumption_given_twice_is_refused():
    with pytest.raises(ParameterError, match="`habit` is given twice; allowed: once"):
        read_settings(["habit=0.5", "towns=16", "habit=0.5"])


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("habit=nan", "`habit` .* is nan; allowed: a finite number"),
        ("habit=-1", "`habit` .*; allowed: 0 or more"),
        ("dark_from=9", r"`dark_from` is \(9,\); allowed: two values"),
        ("closed_days=christmas", "`closed_days` .*; allowed: month-day"),
    ],
)
def test_what_can_be_read_is_still_held_to_its_bounds(word, said):
    with pytest.raises(ParameterError, match=said):
        Parameters().change(**read_settings([word]))
