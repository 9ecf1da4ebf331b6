"""The county as a source: its card, the command that builds it, and its place outside a checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import polars as pl
import pytest

import grocery_spheres as gs
from grocery_spheres import provenance, public
from grocery_spheres.__main__ import main
from grocery_spheres.county.build import Recipe, build
from grocery_spheres.county.load import KEY
from grocery_spheres.county.presets import preset
from grocery_spheres.page import document
from grocery_spheres.schema import TABLES

CARD = provenance.card(KEY)
SMALL = Recipe(preset("small"), seed=7)


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A folder of its own for what is built; the public data stands there as three small tables."""
    published = tmp_path / "public" / "made-up"
    published.mkdir(parents=True)
    pl.DataFrame({"step": ["in", "out"], "rows": [1300, 1234]}).write_parquet(published / "account.parquet")
    pl.DataFrame({"household_id": [1, 2]}).write_parquet(published / "households.parquet")
    pl.DataFrame({"store_id": [1, 2, 3]}).write_parquet(published / "stores.parquet")
    monkeypatch.setattr(public, "build", lambda force=False: published)
    monkeypatch.setenv(provenance.DATA_VARIABLE, str(tmp_path))
    return tmp_path


# ---- the card


@pytest.mark.parametrize("name", list(CARD.files))
def test_the_card_describes_every_column_of_every_table(name):
    scanned = pl.scan_parquet(build(SMALL) / name)
    assert list(scanned.collect_schema()) == list(CARD.files[name].columns)


def test_no_table_is_built_that_the_card_does_not_describe():
    folder = build(SMALL)
    built = {str(path.relative_to(folder)) for path in folder.rglob("*.parquet")}
    assert not [one for one in built if not any(Path(one).match(name) for name in CARD.files)]


def test_the_card_names_every_table_of_the_contract_that_the_county_has():
    described = {name.partition("/")[0].removesuffix(".parquet") for name in CARD.files}
    assert set(TABLES) - {"baskets", "masked"} <= described


def test_the_source_line_of_a_figure_says_that_it_is_made_up():
    line = provenance.source_line([KEY])
    assert line == (
        "Source: The county of 2045 (synthetic: made by this project from stated assumptions), 2044–2045"
    )


def test_the_card_says_what_the_county_can_and_cannot_show():
    assert "no claim about the world" in CARD.says_of_itself
    assert "Grocery Spheres (" in CARD.measures, "a Sphere is explained in a clause"
    assert provenance.cards()[KEY].evidence == gs.county(seed=7, preset="small").evidence == "synthetic"


def test_the_foot_of_a_page_gives_the_county_no_publisher():
    page = document.contents_page(provenance.root(), [])
    foot = " ".join(page.partition("The county of 2045")[2].split())
    assert "no claim about the world" in foot
    assert "publisher" not in foot
    assert "None" not in foot


# ---- the command


def test_data_builds_the_county_and_names_folders_and_counts(data, capsys):
    assert main(["data", "--preset", "small", "--seed", "7", "--set", "towns=8", "burn_in_days=430"]) == 0
    first, second, third, fourth = capsys.readouterr().out.splitlines()
    folder, truth = sorted((data / "synthetic").iterdir())
    assert third == f"What would have been otherwise lies in {truth}."
    assert (truth / "account.parquet").exists()
    lines = pl.scan_parquet(folder / "lines" / "*.parquet").select(pl.len()).collect().item()
    stores = pl.read_parquet(folder / "stores.parquet").height
    assert first == (
        f"The Complete Journey (public) lies in {data}/public/made-up: 1,234 lines, 2 households, 3 stores."
    )
    assert second == (
        f"The county of 2045 (synthetic) lies in {folder}: {lines:,} lines, 320 households, {stores} stores."
    )
    call = "grocery_spheres.county(seed=7, preset='small', arm='factual', towns=8, burn_in_days=430)"
    assert fourth == f"In Python: {call}"
    found = gs.county(seed=7, preset="small", arm="factual", towns=8, burn_in_days=430)
    assert found.recipe.folder == folder, "the call that is printed reads what was built"
    assert found.stores.height == stores


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--preset", "large"], "There is no preset 'large'; there are: county, outage, small."),
        (["--arm", "moon"], "There is no arm 'moon'; there are: factual, "),
        (["--seed", "-1"], "`seed` is -1; allowed: a whole number from 0 to "),
        (["--set", "habit=strong"], "is 'strong'; allowed: a number, 0 or more."),
        (["--set", "habit=-1"], "is -1.0; allowed: 0 or more."),
        (["--set", "towns=3"], "is 3; allowed: 4 to 9000."),
        (
            ["--set", "outage_date=2050-01-01"],
            "`outage_date` is datetime.date(2050, 1, 1); allowed: 2044-01-01",
        ),
        (["--set", "rain=1"], "There is no assumption `rain`"),
    ],
)
def test_a_refusal_is_one_line_and_nothing_is_written(tmp_path, monkeypatch, capsys, words, said):
    monkeypatch.setenv(provenance.DATA_VARIABLE, str(tmp_path / "data"))
    assert main(["data", "--preset", "small", *words]) == 2
    answer = capsys.readouterr()
    assert said in answer.err
    assert len(answer.err.splitlines()) == 1
    assert answer.out == ""
    assert not (tmp_path / "data").exists()


# ---- outside a checkout


def test_an_installed_copy_builds_a_county_in_the_folder_that_is_named(tmp_path):
    pack = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(pack, cwd=provenance.root(), check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    code = (
        "import grocery_spheres as gs\n"
        "county = gs.county(seed=7, preset='small', towns=8, burn_in_days=430)\n"
        "print(gs.__file__, county.recipe.folder, county.account['rows'][1], sep='\\n')\n"
    )
    inherited = {name: value for name, value in os.environ.items() if name != provenance.ROOT_VARIABLE}
    place = {"PYTHONPATH": str(tmp_path / "site"), provenance.DATA_VARIABLE: str(tmp_path / "data")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=inherited | place,
        capture_output=True,
        text=True,
        check=True,
    )
    package, folder, lines = done.stdout.splitlines()
    assert Path(package).is_relative_to(tmp_path / "site")
    assert Path(folder).parent == tmp_path / "data" / "synthetic"
    assert int(lines) > 10_000
