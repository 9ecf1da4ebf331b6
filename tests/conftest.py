"""Fixtures that several test files use: a small project, headless Chromium, the public data, a made town."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import polars as pl
import pytest
from hypothesis import configuration, settings
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from grocery_spheres import execute, kernels, panels, provenance, public
from grocery_spheres.county.build import Recipe, write_tables
from grocery_spheres.county.load import County, read
from grocery_spheres.county.parameters import Parameters
from grocery_spheres.outage.events import find_events

# The same examples at every run, whatever the machine's speed; nothing is kept between runs.
settings.register_profile("grocery_spheres", deadline=None, derandomize=True, database=None)
settings.load_profile("grocery_spheres")
configuration.set_hypothesis_home_dir(Path(__file__).parents[1] / ".pytest_cache" / "hypothesis")

CHROMIUM_FLAGS = ("--disable-gpu", "--disable-background-networking", "--no-first-run")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that run whole notebooks, so that no worker is left alone with them at the end."""
    items.sort(key=lambda item: "test_published" not in item.nodeid)


class Project:
    """A checkout in miniature. Notebooks are written as (source, outputs) pairs; no kernel runs them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.batches: list[list[str]] = []  # names of the notebooks that were run, call by call
        self.outputs: dict[str, list[list[dict[str, Any]]]] = {}
        self.fails: dict[str, str] = {}
        self.on_run: Callable[[str], None] = lambda name: None
        (root / "notebooks").mkdir(parents=True)
        (root / "data").mkdir()
        (root / "pyproject.toml").touch()
        (root / "requirements.txt").write_text("altair==6.3.0\n")
        (root / "data" / "sources.toml").write_text("# cards\n")

    def notebook(self, name: str, *cells: str | tuple[str, Sequence[dict[str, Any]]]) -> Path:
        """Write a notebook: a string is a markdown cell, a pair is code and its outputs."""
        made = []
        self.outputs[name] = []
        for number, cell in enumerate(cells):
            if isinstance(cell, str):
                made.append(new_markdown_cell(cell, id=f"c{number}"))
            else:
                made.append(new_code_cell(cell[0], id=f"c{number}"))
                self.outputs[name].append(list(cell[1]))
        path = self.root / "notebooks" / f"{name}.ipynb"
        nbformat.write(new_notebook(cells=made), path)
        return path

    def run_notebooks(self, root: Path, paths: Sequence[Path]) -> list[str]:
        """Stand in for the kernels: give each code cell the outputs that it was written with."""
        self.batches.append([path.stem for path in paths])
        return [self._run(root, path) for path in paths]

    def _run(self, root: Path, path: Path) -> str:
        name = path.stem
        kernels.failed_copy(root, name).unlink(missing_ok=True)
        if name in self.fails:
            kernels.write_text(kernels.failed_copy(root, name), "{}")
            return self.fails[name]
        notebook = nbformat.read(path, as_version=4)
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        for count, (cell, outputs) in enumerate(zip(code, self.outputs[name], strict=True), start=1):
            cell.execution_count = count
            cell.outputs = [nbformat.from_dict(output) for output in outputs]
        self.on_run(name)
        kernels.write_text(kernels.executed_copy(root, name), nbformat.writes(notebook))
        return ""

    def page(self, name: str) -> str:
        return (self.root / "reports" / f"{name}.html").read_text(encoding="utf-8")


def _new_project(root: Path, patch: pytest.MonkeyPatch) -> Project:
    made = Project(root)
    patch.setenv(provenance.ROOT_VARIABLE, str(made.root))
    patch.delenv(provenance.DATA_VARIABLE, raising=False)
    patch.setattr(execute, "run_notebooks", made.run_notebooks)
    return made


@pytest.fixture(scope="session")
def new_project() -> Callable[[Path, pytest.MonkeyPatch], Project]:
    """Make a project in a folder, for fixtures that live longer than one test."""
    return _new_project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project of its own for one test."""
    return _new_project(tmp_path / "project", monkeypatch)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Headless Chromium with the network switched off, or a skip that says what is missing."""
    api = pytest.importorskip("playwright.sync_api", reason="needs the Python package playwright")
    named = [os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"]
    found = next((path for name in named if name and (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium found: install it (apt-get install chromium) or name it in CHROMIUM")
    sandbox = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=[*CHROMIUM_FLAGS, *sandbox])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def groceries() -> Any:
    """The Complete Journey, cleaned."""
    return public.complete_journey()


@pytest.fixture(scope="session")
def public_baskets(groceries: Any) -> pl.DataFrame:
    """Its baskets, in the order of their ids."""
    return panels.baskets(groceries.lines).collect().sort("basket_id")


@pytest.fixture(scope="session")
def public_fuel(groceries: Any) -> pl.DataFrame:
    """Its fuel, one row a household, store and day."""
    fuel = groceries.set_apart.filter(pl.col("reason") == "fuel")
    days = fuel.group_by("household_id", "store_id", date=pl.col("sold_at").dt.date())
    return days.agg(lines=pl.len()).sort("household_id", "store_id", "date").collect()


@pytest.fixture(scope="session")
def public_events(public_baskets: pl.DataFrame, public_fuel: pl.DataFrame) -> Any:
    """What the rules find in it."""
    return find_events(public_baskets, other=public_fuel)


class Town:
    """A made town whose truth is known: households with a main store each, and things done to stores.

    Each day a household comes to its main store with chance 0.2, and to another one with chance 0.03.
    """

    START = dt.date(2045, 1, 3)  # a Tuesday

    def __init__(self, seed: int = 1, stores: int = 6, households: int = 40, days: int = 300) -> None:
        generator = np.random.default_rng(seed)
        self.days = days
        self.stores = np.arange(stores)
        self.main = np.repeat(self.stores, households)
        self.own = generator.random((len(self.main), days)) < 0.2
        elsewhere = generator.random((len(self.main), days)) < 0.03
        step = generator.integers(1, stores, size=elsewhere.shape)
        self.other = np.where(elsewhere, (self.main[:, None] + step) % stores, -1)
        self.lines = generator.integers(1, 20, size=elsewhere.shape)

    def baskets(
        self,
        moves: Mapping[int, tuple[int, int]] | None = None,
        dark: Mapping[int, Sequence[int]] | None = None,
        diverted: bool = False,
    ) -> pl.DataFrame:
        """Return baskets; `moves` is store -> (successor, first day there), `dark` is store -> days lost."""
        who, day = np.nonzero(self.own)
        at, visit = np.nonzero(self.other >= 0)
        frame = pl.DataFrame(
            {
                "household_id": np.concatenate([who, at]),
                "store_id": np.concatenate([self.main[who], self.other[at, visit]]),
                "day": np.concatenate([day, visit]),
                "lines": np.concatenate([self.lines[who, day], self.lines[at, visit]]),
            }
        )
        for store, (successor, first) in (moves or {}).items():
            gone = (pl.col("store_id") == store) & (pl.col("day") >= first)
            frame = frame.with_columns(store_id=pl.when(gone).then(successor).otherwise("store_id"))
        for store, lost in (dark or {}).items():
            down = (pl.col("store_id") == store) & pl.col("day").is_in(list(lost))
            refuge = (store + 1) % len(self.stores)
            kept = frame.with_columns(store_id=pl.when(down).then(refuge).otherwise("store_id"))
            frame = kept if diverted else frame.filter(~down)
        return frame.select(
            "household_id",
            "store_id",
            "lines",
            basket_id=pl.int_range(pl.len()),
            date=pl.lit(self.START) + pl.duration(days="day"),
            sales_usd=pl.col("lines") * 3.0,
        )


@pytest.fixture(scope="session")
def town() -> Town:
    """One made town, not yet touched."""
    return Town()


@pytest.fixture(scope="session")
def make_town() -> type[Town]:
    """Make a town of another size or seed."""
    return Town


class Counties:
    """Tiny counties, each built once a session: some towns over seven months, the outage in the fifth.

    The first Spheres open in the burn-in, the last in the second month on record.
    """

    TINY: Mapping[str, Any] = {
        "towns": 8,
        "households": 15,
        "never_towns": 2,
        "cohorts": 3,
        "start": dt.date(2045, 2, 1),
        "end": dt.date(2045, 8, 20),
        "burn_in_days": 160,
        "settling_days": 30,
        "first_entry": dt.date(2044, 12, 1),
        "last_entry": dt.date(2045, 3, 10),
        "event_date": dt.date(2045, 6, 10),
    }

    def __init__(self, root: Path) -> None:
        self.root = root
        self.built: dict[Recipe, County] = {}

    def recipe(self, seed: int = 7, arm: str = "factual", **changes: Any) -> Recipe:
        return Recipe(Parameters().change(**{**self.TINY, **changes}), seed, arm)

    def __call__(self, seed: int = 7, arm: str = "factual", **changes: Any) -> County:
        """Return a county of these assumptions; built on first use."""
        recipe = self.recipe(seed, arm, **changes)
        if recipe not in self.built:
            folder = self.root / f"county-{len(self.built)}"
            folder.mkdir()
            write_tables(recipe, folder)
            self.built[recipe] = read(recipe, folder)
        return self.built[recipe]


@pytest.fixture(scope="session")
def counties(tmp_path_factory: pytest.TempPathFactory) -> Counties:
    """Build tiny counties by seed, arm and changed assumptions."""
    return Counties(tmp_path_factory.mktemp("counties"))
