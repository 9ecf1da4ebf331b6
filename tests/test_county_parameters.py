"""Every assumption of the county has unit, range and source; bad ones are refused, and nothing is written."""

from __future__ import annotations

import ast
import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import grocery_spheres as gs
from grocery_spheres import county as package
from grocery_spheres import provenance
from grocery_spheres.county.assumptions import Assumption, ParameterError, assumptions, refuse_bad, table
from grocery_spheres.county.build import Recipe, describe
from grocery_spheres.county.consistency import SLOTS
from grocery_spheres.county.parameters import DEPARTMENTS, Department, Parameters
from grocery_spheres.county.presets import PRESETS, preset

FOLDER = Path(package.__file__).parent
DEFAULTS = Parameters()
LISTED = assumptions(Parameters)
NUMBERS = [
    name
    for name in LISTED
    if isinstance(getattr(DEFAULTS, name), int | float) and not isinstance(getattr(DEFAULTS, name), bool)
]
NAMES = [
    *LISTED,
    *(f"{one.name}: {name}" for one in DEPARTMENTS for name in assumptions(Department) if name != "name"),
]
HOURS, WEEKDAYS = DEFAULTS.hours, DEFAULTS.weekdays
UNBOUNDED = {"least": -math.inf, "most": math.inf}


def bounds(one: Assumption) -> tuple[float, float]:
    return (
        UNBOUNDED["least"] if one.least is None else one.least,
        UNBOUNDED["most"] if one.most is None else one.most,
    )


# ---- what is listed


@pytest.mark.parametrize("name", LISTED)
def test_an_assumption_says_its_unit_meaning_and_source(name):
    one = LISTED[name]
    assert all(text.strip() for text in (one.unit, one.meaning, one.source))


def test_every_field_is_an_assumption():
    assert {*LISTED, "departments"} == {*Parameters.__dataclass_fields__}


def test_every_number_of_a_department_is_an_assumption():
    listed = assumptions(Department)
    assert [*listed] == [*Department.__dataclass_fields__]
    assert all(one.unit and one.meaning and one.source for one in listed.values())
    for department in DEFAULTS.departments:
        for name, one in listed.items():
            if one.low is not None:
                assert getattr(department, name) == 0 or one.low <= getattr(department, name) <= one.high


def test_departments_whose_shares_do_not_add_up_are_refused():
    with pytest.raises(ParameterError, match=r"`departments`.*add to 1"):
        Parameters(departments=DEFAULTS.departments[1:])
    with pytest.raises(ParameterError, match=r"`price_usd`.*-1"):
        replace(DEFAULTS.departments[0], price_usd=-1.0)


@pytest.mark.parametrize("name", NUMBERS)
def test_a_default_lies_in_its_plausible_range_and_that_within_the_bounds(name):
    one, (least, most) = LISTED[name], bounds(LISTED[name])
    assert least <= one.low <= getattr(DEFAULTS, name) <= one.high <= most
    assert one.low < one.high


@pytest.mark.parametrize("name", NUMBERS)
def test_both_ends_of_a_plausible_range_are_allowed(name):
    for end in (LISTED[name].low, LISTED[name].high):
        values = object.__new__(Parameters)
        for other in LISTED:
            object.__setattr__(values, other, end if other == name else getattr(DEFAULTS, other))
        refuse_bad(values)


def test_the_table_lists_every_assumption_and_marks_what_was_changed():
    listed = table(DEFAULTS.change(habit=0.55, towns=64, hours=DEFAULTS.hours[::-1]))
    assert listed["name"].to_list() == NAMES
    assert set(listed.filter("changed")["name"]) == {"habit", "hours"}
    assert listed.filter(name="habit")["value"].to_list() == ["0.55"]
    assert listed.null_count().sum_horizontal().item() == 0


def test_the_first_table_of_the_truth_names_seed_and_version():
    described = describe(Recipe(DEFAULTS, seed=11))
    assert described["name"].to_list() == NAMES
    assert set(described["seed"]) == {11}
    assert set(described["arm"]) == {"factual"}
    assert set(described["version"]) == {gs.__version__}


def test_a_whole_number_for_a_number_is_that_number():
    whole, other = (
        Parameters(belief_sphere=1, dark_depth=(1, 1)),
        Parameters(belief_sphere=1.0, dark_depth=(1.0, 1.0)),
    )
    assert [type(one) for one in (whole.belief_sphere, *whole.dark_depth, whole.towns)] == [
        float,
        float,
        float,
        int,
    ]
    assert Recipe(whole).folder == Recipe(other).folder


def test_numpys_numbers_and_lists_are_taken_for_what_they_say():
    given = Parameters(habit=np.float64(0.5), towns=np.int64(20), hours=[*HOURS], closed_days=())
    assert given == Parameters(habit=0.5, towns=20, closed_days=())
    assert type(given.habit) is float
    assert type(given.towns) is int


@pytest.mark.parametrize("column", ["grocer", "sphere"])
def test_the_departments_shares_add_to_one(column):
    assert sum(getattr(one, column) for one in DEPARTMENTS) == pytest.approx(1)


def test_departments_are_unique_and_sold_somewhere():
    assert len({one.name for one in DEPARTMENTS}) == len(DEPARTMENTS)
    assert all(one.grocer + one.sphere > 0 and one.products > 0 for one in DEPARTMENTS)


# ---- no number about the world stands anywhere else


def trees() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(FOLDER.glob("*.py")):
        yield path.name, ast.parse(path.read_text(encoding="utf-8"))


def numbers_at_the_top(tree: ast.Module) -> Iterator[str]:
    """Names of a module's constants that hold a number."""
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            held = [one.value for one in ast.walk(node.value) if isinstance(one, ast.Constant)]
            if any(isinstance(one, int | float) and not isinstance(one, bool) for one in held):
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                yield ast.unparse(target)


# What is no assumption about the world: how draws are keyed, ids are made, files are cut, time is counted.
NO_ASSUMPTION = {
    "draws.py": {"_STEP", "_FIRST", "_SECOND", "_UNIT", "DAY", "OPTIONS"},
    "assortment.py": {"(_PRODUCTS, _PROMOTIONS)", "PICKS"},
    "block.py": {"WEEK", "_FATE"},
    "build.py": {"TOWNS_A_BLOCK", "_MOST_SEED"},
    "consistency.py": {"SLOTS", "_BOOKS_DAYS", "_MOST_PRODUCTS", "_MOST_UTILITY"},
    "fate.py": {"DAYS_A_MONTH"},
    "households.py": {"_HOUSEHOLDS", "HOUSEHOLD_STEP", "_THIRDS"},
    "lines.py": {"LINES_A_DAY", "CENTS"},
    "lived.py": {"_EPOCH"},
    "presets.py": {"PRESETS"},
    "progress.py": {"_WIDTH"},
    "tables.py": {"BASKET_STEP", "ROWS_A_GROUP", "_EPOCH", "_SECONDS_A_DAY"},
    "weather.py": {"_WEATHER", "HOURS"},
    "world.py": {"STORY_TOWN", "(_COUNTY, _TOWN)"},
}
OWN_RULES = {
    "parameters.py",
    "account.py",
    "effects.py",
    "redraws.py",
    "truth.py",
}  # the assumptions; what truth measures


def test_no_number_about_the_world_stands_outside_the_parameters():
    strangers = {
        f"{module}: {name}"
        for module, tree in trees()
        if module not in OWN_RULES
        for name in numbers_at_the_top(tree)
        if name not in NO_ASSUMPTION.get(module, set())
    }
    assert not strangers, "make it a field of Parameters, or say in NO_ASSUMPTION what it is"


def test_the_search_for_numbers_finds_them():
    tree = ast.parse(
        "A = 1\nB: float = -0.5\nC = (1 << 3,)\nD = 'text'\nE = True\nF = np.array([2.0])\nG = f(A)"
    )
    assert list(numbers_at_the_top(tree)) == ["A", "B", "C", "F"]


FOR_READERS = {"price_level"}  # the world is in USD of 2045; figures that stand beside 2017 divide by it


def test_every_assumption_is_used_by_the_world():
    read = {
        node.attr
        for module, tree in trees()
        if module not in {"parameters.py", "consistency.py", "presets.py"}
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
    }
    assert set(LISTED) - read == FOR_READERS


# ---- presets


@pytest.mark.parametrize("name", PRESETS)
def test_presets_change_what_they_say(name):
    values = preset(name, habit=0.61)
    assert values.habit == 0.61
    assert all(getattr(values, key) == value for key, value in PRESETS[name].items())


def test_the_preset_for_proofs_has_its_households_and_days():
    values = preset("outage")
    assert values.towns * values.households >= 40_000
    assert (values.end - values.start).days + 1 == 240
    assert (values.outage_date - values.start).days == 120


# ---- refusals


@pytest.fixture
def empty_data(tmp_path, monkeypatch):
    """The data folder, empty; whatever is built would lie in it."""
    monkeypatch.setenv(provenance.DATA_VARIABLE, str(tmp_path))
    return tmp_path


NAN, INF = float("nan"), float("inf")

REFUSED = [
    # a kind that it is not
    ("towns", 12.5),
    ("towns", "64"),
    ("towns", True),
    ("towns", None),
    ("habit", "strong"),
    ("habit", False),
    ("habit", NAN),
    ("habit", INF),
    ("habit", -INF),
    ("event_pull", NAN),
    ("event_pull", -INF),
    ("start", "2044-01-01"),
    ("outage_date", dt.datetime(2045, 6, 17, 12)),
    ("hours", 0.5),
    ("habit", 50),
    ("closed_days", ("06-17",)),
    ("departments", "x"),
    ("hours", ()),
    ("hours", (NAN, *HOURS[1:])),
    ("weekdays", (*WEEKDAYS[:6], "high")),
    ("habit", (0.8, 0.7)),
    # beyond its bounds
    ("towns", 3),
    ("households", 0),
    ("households", 10_000),
    ("distance_cost", -0.1),
    ("trip_chance", 0.0),
    ("trip_chance", 1.0),
    ("stock_half", 0.0),
    ("wholly_dark", 1.1),
    ("wet_begins", -0.03),
    ("nest", 0.0),
    ("nest", 1.01),
    ("taste_correlation", -1),
    ("most_lines", 251),
    ("hours", (-0.01, *HOURS[1:])),
    ("dark_from", (8, 24)),
    ("start", dt.date(2039, 12, 31)),
    # the wrong number of values
    ("weekdays", WEEKDAYS[:6]),
    ("hours", HOURS[:23]),
    ("dark_from", (8, 9, 10)),
    ("dark_depth", (0.5,)),
    # at odds with another
    ("event_date", dt.date(2043, 12, 31)),
    ("event_date", dt.date(2046, 1, 1)),
    ("outage_date", dt.date(2050, 1, 1)),
    ("end", dt.date(2043, 6, 1)),
    ("last_entry", dt.date(2045, 6, 17)),
    ("last_entry", dt.date(2044, 2, 1)),
    ("never_towns", 61),
    ("dark_hours", (10, 4)),
    ("handling", 0.28),
    ("quantities", (0.5, 0.4)),
    ("hours", (*HOURS[:23], 0.5)),
    ("closed_days", ("12-25", "02-30")),
    ("closed_days", ("Christmas",)),
    ("wet_stays", 0.01),
]


@pytest.mark.parametrize(("name", "value"), REFUSED, ids=lambda one: str(one)[:30])
def test_a_bad_assumption_is_refused_by_name_and_value_and_nothing_is_written(name, value, empty_data):
    with pytest.raises(gs.GroceryError) as refusal:
        gs.county(**{name: value})
    said = str(refusal.value)
    culprit = next((one for one in value if repr(one) in said), value) if isinstance(value, tuple) else value
    assert f"`{name}`" in said
    assert repr(culprit) in said
    assert "allowed: " in said
    assert not any(empty_data.iterdir())


def test_the_allowed_range_is_told():
    with pytest.raises(
        gs.GroceryError, match=r"`nest` .*is 2\.0; allowed: 0\.05 to 1\. Plausible are 0\.2 to 1"
    ):
        Parameters(nest=2)
    with pytest.raises(gs.GroceryError, match=r"`distance_cost` .*is -1\.0; allowed: 0 or more"):
        Parameters(distance_cost=-1)


@pytest.mark.parametrize("without", [{"chain_small": 0}, {"chain_large": 0}])
def test_a_town_without_a_grocer_is_refused(without, empty_data):
    with pytest.raises(gs.GroceryError, match=rf"`{next(iter(without))}` is 0; allowed: .*grocer"):
        gs.county(independents=0, **without)
    assert Parameters(independents=1, **without)
    assert not any(empty_data.iterdir())


def test_no_town_can_have_more_stores_than_there_are_draws():
    assert (
        1 + LISTED["independents"].most + max(LISTED[name].most for name in ("chain_small", "chain_large"))
        <= SLOTS
    )


def test_a_burn_in_too_short_to_see_grocers_before_the_first_spheres_is_refused():
    """The first Spheres open 306 days before this record; 30 days to settle and 60 of books come first."""
    asked = {"start": dt.date(2045, 1, 1), "settling_days": 30}
    with pytest.raises(gs.GroceryError, match=r"`burn_in_days` is 395; allowed: 396 or more"):
        Parameters(burn_in_days=395, **asked)
    assert Parameters(burn_in_days=396, **asked)


@pytest.mark.parametrize("seed", ["2045", -1, True, 2.5, 7.0, NAN, None, 2**63, (1, 2)])
def test_a_seed_that_is_no_whole_number_from_0_on_is_refused(seed, empty_data):
    with pytest.raises(gs.GroceryError) as refusal:
        gs.county(seed=seed)
    assert "`seed`" in str(refusal.value)
    assert repr(seed) in str(refusal.value)
    assert f"0 to {2**63 - 1}" in str(refusal.value)
    assert not any(empty_data.iterdir())


def test_a_seed_may_be_any_kind_of_whole_number(empty_data):
    assert Recipe(DEFAULTS, np.int64(7)).folder == Recipe(DEFAULTS, 7).folder
    assert not any(empty_data.iterdir())


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"habits": 0.5}, r"`habits`.*habit, "),
        ({"preset": "large"}, "'large'.*county, outage, small"),
        ({"arm": "no drones"}, "'no drones'.*factual, no sphere, no outage, no event"),
    ],
)
def test_unknown_names_are_refused_with_those_that_there_are(asked, told, empty_data):
    with pytest.raises(gs.GroceryError, match=told):
        gs.county(**asked)
    assert not any(empty_data.iterdir())


@pytest.mark.parametrize("workers", [0, -1, "2", 1.5, None, True])
def test_workers_that_are_no_number_of_processes_are_refused(workers, empty_data):
    with pytest.raises(gs.GroceryError) as refusal:
        gs.county(preset="small", workers=workers)
    assert "`workers`" in str(refusal.value)
    assert repr(workers) in str(refusal.value)
    assert "1 or more" in str(refusal.value)
    assert not any(empty_data.iterdir())


def test_a_refusal_is_one_paragraph_and_a_value_error():
    with pytest.raises(ValueError, match="habit") as refusal:
        Parameters(habit=NAN)
    assert "\n" not in str(refusal.value)
