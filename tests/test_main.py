"""The command line calls the right thing, says where the result lies, and refuses in one paragraph."""

from __future__ import annotations

import importlib
import inspect
import os
import pkgutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import grocery_spheres
from grocery_spheres.__main__ import main
from grocery_spheres.county.arms import ARMS
from grocery_spheres.county.presets import PRESETS
from grocery_spheres.tables import ContractError, GroceryError

HEAVY = {"altair", "narwhals", "nbconvert", "numpy", "pandas", "polars", "scipy", "statsmodels"}


class Recorder:
    """Stands in for a `build` function: remembers how it was called, then returns or raises."""

    def __init__(self, outcome: Path | str | Exception) -> None:
        self.outcome = outcome
        self.calls: list[dict[str, Any]] = []

    def __call__(self, **arguments: Any) -> Path | str:
        self.calls.append(arguments)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


def put(monkeypatch: pytest.MonkeyPatch, module: str, outcome: Path | str | Exception) -> Recorder:
    stand_in = ModuleType(f"grocery_spheres.{module}")
    build = Recorder(outcome)
    monkeypatch.setattr(stand_in, "build", build, raising=False)
    monkeypatch.setitem(sys.modules, stand_in.__name__, stand_in)
    monkeypatch.setattr(grocery_spheres, module, stand_in, raising=False)
    return build


PLAIN = {
    "preset": "county",
    "seed": 2045,
    "arm": "factual",
    "settings": [],
    "workers": min(2, os.cpu_count() or 1),
    "force": False,
}


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        ("", {}),
        ("--force --workers 3", {"force": True, "workers": 3}),
        ("--preset small --seed 7 --arm none", {"preset": "small", "seed": 7, "arm": "none"}),
        (
            "--set habit=0.5 towns=16 --set nest=1 --set wet_trips=-1",
            {"settings": ["habit=0.5", "towns=16", "nest=1", "wet_trips=-1"]},
        ),
    ],
)
def test_data_hands_on_what_was_asked_for_and_says_what_was_built(monkeypatch, capsys, words, changed):
    build = put(monkeypatch, "data_build", "The county lies in some/folder.")
    assert main(["data", *words.split()]) == 0
    assert build.calls == [PLAIN | changed]
    assert capsys.readouterr().out == "The county lies in some/folder.\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--workers 0", "--workers: '0'; allowed: a whole number, 1 or more"),
        ("--workers two", "--workers: 'two'; allowed: a whole number, 1 or more"),
        ("--seed many", "--seed: invalid int value: 'many'"),
        ("--set", "--set: expected at least one argument"),
    ],
)
def test_data_refuses_words_that_are_no_number(monkeypatch, capsys, words, said):
    build = put(monkeypatch, "data_build", "built")
    with pytest.raises(SystemExit) as stopped:
        main(["data", *words.split()])
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err
    assert not build.calls


def test_the_help_of_data_names_every_preset_and_arm_and_gives_examples(capsys):
    with pytest.raises(SystemExit):
        main(["data", "--help"])
    page = " ".join(capsys.readouterr().out.split())
    assert all(name in page for name in [*PRESETS, *ARMS])
    assert "grocery-spheres data --preset small --seed 7" in page
    assert "--set habit=0.5" in page


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], {"force": False, "update_prose": False}),
        (["--force"], {"force": True, "update_prose": False}),
        (["--update-prose"], {"force": False, "update_prose": True}),
    ],
)
def test_report_builds_and_ends_by_naming_the_page(monkeypatch, capsys, words, expected):
    build = put(monkeypatch, "report", Path("reports/index.html"))
    assert main(["report", *words]) == 0
    assert build.calls == [expected]
    assert capsys.readouterr().out.splitlines()[-1] == "Open reports/index.html"


def test_a_refusal_is_one_paragraph_without_a_traceback(monkeypatch, capsys):
    put(monkeypatch, "data_build", ContractError("lines lacks sold_at.\n  Add the column,\n  or name it."))
    assert main(["data"]) == 2
    said = capsys.readouterr()
    assert said.err == "grocery-spheres: lines lacks sold_at. Add the column, or name it.\n"
    assert said.out == ""


def test_every_error_of_the_package_is_a_refusal_that_the_command_line_knows():
    names = [module.name for module in pkgutil.walk_packages(grocery_spheres.__path__, "grocery_spheres.")]
    strays = [
        f"{name}.{error.__name__}"
        for name in names
        for _, error in inspect.getmembers(importlib.import_module(name), inspect.isclass)
        if issubclass(error, Exception) and error.__module__ == name and not issubclass(error, GroceryError)
    ]
    assert names
    assert not strays, f"derive these from grocery_spheres.tables.GroceryError: {strays}"


def test_a_defect_of_ours_keeps_its_traceback(monkeypatch):
    put(monkeypatch, "data_build", ZeroDivisionError("ours"))
    with pytest.raises(ZeroDivisionError, match="ours"):
        main(["data"])


@pytest.mark.parametrize("words", [[], ["nonsense"], ["report", "--nonsense"]])
def test_wrong_words_are_refused_with_the_usage(capsys, words):
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 2
    assert "usage: grocery-spheres" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--help"], ["data", "--help"]])
def test_help_names_every_command_and_loads_nothing_heavy(words):
    code = (
        "import sys\n"
        "from grocery_spheres.__main__ import main\n"
        f"try:\n    main({words})\n"
        "except SystemExit as stopped:\n    assert stopped.code == 0\n"
        "print('LOADED', *sorted(name for name in sys.modules if '.' not in name))\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    page, _, loaded = said.partition("LOADED")
    assert "data" in page
    assert "report" in page or "data" in words
    assert HEAVY.isdisjoint(loaded.split())
