"""A county is on disk whole or not at all, at whatever moment its making ends."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from grocery_spheres import provenance
from grocery_spheres.county import build, tables
from grocery_spheres.county.build import Recipe, whole_folder
from grocery_spheres.county.load import read
from grocery_spheres.county.parameters import Parameters

TABLES = {
    f"{name}.parquet"
    for name in (
        "households",
        "store_months",
        "weather",
        "products",
        "stores",
        "towns",
        "outages",
        "account",
        "parameters",
    )
}


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A data folder of its own."""
    monkeypatch.setenv(provenance.DATA_VARIABLE, str(tmp_path))
    return tmp_path


def everything(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def breaks_at(number, error, real):
    """The function, which raises at its n-th call; the later calls pass."""
    calls = iter(range(1, 1_000_000))

    def broken(*args, **kwargs):
        if next(calls) == number:
            raise error
        return real(*args, **kwargs)

    return broken


MOMENTS = {
    "first block": (build, "burn_in", 1),
    "second block": (build, "make_block", 2),
    "first month": (tables.LineWriter, "write", 1),
    "ninth month": (tables.LineWriter, "write", 9),
    "last lines": (tables.LineWriter, "_flush", 2),
    "all lines": (tables, "whole_county", 1),
    "first table": (pl.DataFrame, "write_parquet", 1),
    "ninth table": (pl.DataFrame, "write_parquet", 9),
    "move": (Path, "replace", 1),
}
ERRORS = {"ctrl-c": KeyboardInterrupt(), "disk full": OSError("no space left on device")}


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("moment", MOMENTS)
def test_an_interrupted_build_leaves_nothing(moment, error, counties, data, monkeypatch):
    recipe = counties.recipe(households=3)
    place, name, call = MOMENTS[moment]
    monkeypatch.setattr(build, "TOWNS_A_BLOCK", 4)
    monkeypatch.setattr(place, name, breaks_at(call, ERRORS[error], getattr(place, name)))
    with pytest.raises(type(ERRORS[error])):
        build.build(recipe)
    assert not everything(data)
    assert not recipe.folder.exists()


def test_after_an_interruption_the_next_build_is_whole(counties, data, monkeypatch):
    recipe = counties.recipe()
    with monkeypatch.context() as patch:
        patch.setattr(tables.LineWriter, "write", breaks_at(3, KeyboardInterrupt(), tables.LineWriter.write))
        with pytest.raises(KeyboardInterrupt):
            build.build(recipe)
    folder = build.build(recipe)
    assert everything(folder) == TABLES | {"lines/towns-00001.parquet"}
    assert read(recipe, folder).lines.collect().equals(counties().lines.collect())


# ---- killed outright

PLAN = {"towns": 4, "never_towns": 0, "households": 3, "cohorts": 1, "burn_in_days": 70, "settling_days": 10}
VICTIM = """
import json, os, signal, sys
from pathlib import Path
from grocery_spheres import progress
from grocery_spheres.county import build, tables
from grocery_spheres.county.build import Recipe
from grocery_spheres.county.parameters import Parameters

place, name, number = {
    "lines": (tables.LineWriter, "write", 4),
    "move": (Path, "replace", 1),
    "workers": (progress, "_draw", 2),  # the first of three blocks is done
}[sys.argv[1]]
real, calls = getattr(place, name), []

def dies(*args, **kwargs):
    calls.append(1)
    if len(calls) == number:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*args, **kwargs)

setattr(place, name, dies)
build.build(Recipe(Parameters(**json.loads(sys.argv[2])), 7), workers=2)
"""
PLANS = {**dict.fromkeys(("lines", "move"), PLAN), "workers": {**PLAN, "towns": 34}}


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """How builds ended that were killed at some moment, and their data folders; they ran side by side."""
    folders = {moment: tmp_path_factory.mktemp(moment) for moment in PLANS}
    running = {
        moment: subprocess.Popen(
            [sys.executable, "-c", VICTIM, moment, json.dumps(PLANS[moment])],
            env={**os.environ, provenance.DATA_VARIABLE: str(folder)},
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        for moment, folder in folders.items()
    }
    try:
        for process in running.values():
            process.communicate(timeout=200)  # until all that can still write have ended: the workers, too
    finally:
        for process in running.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    return {moment: (process.returncode, folders[moment]) for moment, process in running.items()}


@pytest.mark.parametrize("moment", PLANS)
def test_a_killed_build_leaves_only_a_hidden_folder_and_the_next_one_is_whole(moment, killed, monkeypatch):
    end, data = killed[moment]
    monkeypatch.setenv(provenance.DATA_VARIABLE, str(data))
    assert end == -signal.SIGKILL
    (left,) = (data / "synthetic").iterdir()
    assert left.name.startswith(".building-")
    folder = build.build(Recipe(Parameters(**PLANS[moment]), 7))
    assert set((data / "synthetic").iterdir()) == {left, folder}
    assert everything(folder) > TABLES


# ---- built before, built again


def write_one(folder):
    (folder / "table").write_text("new")


def test_a_folder_that_is_there_is_kept(tmp_path):
    folder = tmp_path / "made"
    whole_folder(folder, write_one)
    whole_folder(folder, lambda fresh: pytest.fail("written again"))
    assert (folder / "table").read_text() == "new"


def test_a_forced_build_replaces_what_was_there_and_leaves_nothing_beside(tmp_path):
    folder = tmp_path / "made"
    whole_folder(folder, lambda fresh: (fresh / "old").touch())
    whole_folder(folder, write_one, force=True)
    assert everything(tmp_path) == {"made/table"}


@pytest.mark.parametrize("call", [1, 2])
def test_what_was_built_survives_a_forced_build_that_cannot_be_put_in_place(call, tmp_path, monkeypatch):
    folder = tmp_path / "made"
    whole_folder(folder, lambda fresh: (fresh / "old").touch())
    for error in (KeyboardInterrupt(), PermissionError()):
        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", breaks_at(call, error, Path.replace))
            with pytest.raises(type(error)):
                whole_folder(folder, write_one, force=True)
        assert everything(tmp_path) == {"made/old"}


def test_what_was_built_survives_a_forced_build_that_fails(counties, data, monkeypatch):
    recipe = counties.recipe()
    folder = build.build(recipe)
    before = {name: (folder / name).read_bytes() for name in everything(folder)}
    with monkeypatch.context() as patch:
        patch.setattr(tables, "whole_county", breaks_at(1, KeyboardInterrupt(), tables.whole_county))
        with pytest.raises(KeyboardInterrupt):
            build.build(recipe, force=True)
    assert {name: (folder / name).read_bytes() for name in everything(folder)} == before
    assert build.build(recipe, force=True) == folder
    assert {name: (folder / name).read_bytes() for name in everything(folder)} == before
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_another_process_that_was_faster_is_no_error(tmp_path):
    folder = tmp_path / "made"

    def slow(fresh):
        write_one(fresh)
        whole_folder(folder, write_one)

    assert whole_folder(folder, slow) == folder
    assert everything(tmp_path) == {"made/table"}


# ---- what a folder's name rests on


def test_another_recipe_lies_in_another_folder(counties, data):
    recipes = [
        counties.recipe(),
        counties.recipe(seed=8),
        counties.recipe(arm="no outage"),
        counties.recipe(habit=0.81),
        counties.recipe(hours=counties.recipe().parameters.hours[::-1]),
    ]
    folders = {recipe.folder for recipe in recipes}
    assert len(folders) == len(recipes)
    assert counties.recipe().folder in folders


def test_other_code_lies_in_another_folder(counties, data, monkeypatch):
    before = counties.recipe().folder
    monkeypatch.setattr(build, "_code", lambda: b"other")
    assert counties.recipe().folder != before
