"""Imports run one way (DESIGN.md, section 2), modules and notebooks are small, only __main__ prints."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "grocery_spheres"
NAME = PACKAGE.name

CONTRACT = {"schema", "tables", "provenance", "progress"}  # and how far long work is
SOURCES = {"public", "files"}
QUESTIONS = {"formats", "entry", "outage", "choice"}
ACCOUNTS = {"accounting", "factorial"}  # questions that build on another: who was dark, how sure
MODELS = {"drones", "safety"}
KNOWLEDGE = CONTRACT | SOURCES | {"panels"} | QUESTIONS | ACCOUNTS | MODELS | {"county"}
RULES = {"publishable"}  # what is fit to be published; the charts, too, refuse by it
PUBLISHING = {"publish", "numbers", "prose"}
REPORTING = {"report", "execute", "kernels", "page"}

# Part of the package -> the other parts that it may import. A package (outage/) is one part: inside it
# imports are free, as long as they make no circle.
MAY_USE: Mapping[str, set[str]] = {
    "schema": set(),
    "progress": set(),
    "tables": {"schema"},
    "provenance": {"tables"},
    **dict.fromkeys(SOURCES | {"panels", "data_readme"} | MODELS | RULES, CONTRACT),
    **dict.fromkeys(QUESTIONS, CONTRACT | {"panels"}),
    **dict.fromkeys(ACCOUNTS, CONTRACT | {"panels", "outage"}),
    "county": CONTRACT | MODELS,
    "data_build": CONTRACT | SOURCES | {"county", "data_readme"},
    "scenarios": KNOWLEDGE,
    "validation": KNOWLEDGE | {"scenarios"},
    "charts": KNOWLEDGE | RULES | {"scenarios", "validation"},
    "outage_page": CONTRACT | {"outage"},
    "outage_command": CONTRACT | SOURCES | {"outage", "outage_page"},
    **dict.fromkeys(PUBLISHING, KNOWLEDGE | RULES | {"scenarios", "charts"} | PUBLISHING),
    **dict.fromkeys(REPORTING, KNOWLEDGE | RULES | {"scenarios", "charts"} | PUBLISHING | REPORTING),
}
FREE = {"__init__", "__main__"}  # the public vocabulary and the command line reach everything

MODULE_LINES, BODY_LINES = 300, 40
CELLS, CELL_LINES = 40, 15
VAGUE = {"utils", "util", "helpers", "helper", "misc", "common"}


# ---- reading the code


def modules() -> dict[str, ast.Module]:
    """Every module of the package by its dotted name below it (`outage.events`; `__init__` for the root)."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)
        found[name] = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return found


def imported(tree: ast.Module, module: str, *, is_package: bool = False) -> Iterator[str]:
    """Dotted names below the package that a module imports, whether at its top or inside a function."""
    here = [NAME, *module.split(".")]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level + is_package] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            names = [f"{origin}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name.removeprefix(NAME).lstrip(".") for name in names if name.split(".")[0] == NAME)


def uses(name: str, tree: ast.Module) -> set[str]:
    is_package = (PACKAGE / name.replace(".", "/")).is_dir()
    return set(imported(tree, name, is_package=is_package))


def broken_arrows(name: str, imports: set[str]) -> list[str]:
    part = name.partition(".")[0]
    if part in FREE:
        return []
    if part not in MAY_USE:
        return [
            f"{name} is unknown: add it to MAY_USE in tests/test_architecture.py, where DESIGN.md places it"
        ]
    allowed = sorted(MAY_USE[part])
    return [
        f"{name} imports {other or 'the package root'}; {part} may use only {', '.join(allowed) or 'nothing'}"
        for other in sorted(imports)
        if other.partition(".")[0] not in {part, *allowed}
    ]


# ---- the arrows


def test_imports_follow_the_arrows():
    broken = [line for name, tree in modules().items() for line in broken_arrows(name, uses(name, tree))]
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize(
    ("name", "imports"),
    [
        ("tables", {"provenance.card"}),
        ("panels", {"public"}),
        ("outage.events", {"public.build"}),
        ("accounting.effects", {"choice.fit"}),
        ("outage.results", {"accounting.parts"}),
        ("choice", {"county.world"}),
        ("county.world", {"panels.store_days"}),
        ("county.behaviour", {"choice.fit"}),
        ("drones", {"panels"}),
        ("charts.theme", {"publish.figure"}),
        ("publish", {"report"}),
        ("scenarios", {"charts.theme"}),
        ("formats", {"complete_journey"}),  # the root's vocabulary would be a way round every arrow
        ("gadgets", set()),
    ],
)
def test_what_the_design_forbids_is_caught(name, imports):
    assert broken_arrows(name, imports)


@pytest.mark.parametrize(
    ("name", "imports"),
    [
        ("outage.did", {"tables.ContractError", "panels.store_days", "outage.results.OutageResults"}),
        ("county.simulate", {"drones.fleet", "safety.growth", "county.world", "tables.LINES"}),
        ("scenarios", {"county.simulate", "accounting.parts"}),
        ("report", {"execute.run", "prose.drift", "publish.figure"}),
    ],
)
def test_what_the_design_allows_passes(name, imports):
    assert not broken_arrows(name, imports)


@pytest.mark.parametrize(
    ("line", "module", "is_package", "expected"),
    [
        ("import grocery_spheres.panels as p", "entry", False, "panels"),
        ("from grocery_spheres import public", "entry", False, "public"),
        ("import grocery_spheres as gs", "entry", False, ""),
        ("from . import public", "entry", False, "public"),
        ("from .events import find", "outage.did", False, "outage.events.find"),
        ("from ..public import build", "outage.did", False, "public.build"),
        ("from .events import find", "outage", True, "outage.events.find"),
        ("def f():\n    from grocery_spheres.county import world", "entry", False, "county.world"),
    ],
)
def test_every_way_to_import_is_read(line, module, is_package, expected):
    assert list(imported(ast.parse(line), module, is_package=is_package)) == [expected]


def test_no_imports_in_a_circle():
    trees = modules()
    reaches = {name: {_module(other, trees) for other in uses(name, tree)} for name, tree in trees.items()}
    circles = [trail for name in trees if name not in FREE for trail in _circles(name, [name], reaches)]
    assert not circles, "\n".join(" -> ".join(trail) for trail in circles)


def _module(name: str, trees: Mapping[str, ast.Module]) -> str:
    return name if name in trees else name.rpartition(".")[0]


def _circles(name: str, trail: list[str], reaches: Mapping[str, set[str]]) -> Iterator[list[str]]:
    for other in reaches.get(name, ()):
        if other == trail[0] and len(trail) > 1:
            yield [*trail, other]
        elif other not in trail:
            yield from _circles(other, [*trail, other], reaches)


# ---- the house


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from the first statement behind the docstring to the last."""
    has_docstring = ast.get_docstring(function, clean=False) is not None
    body = function.body[1:] if has_docstring else function.body
    return 0 if not body else (body[-1].end_lineno or 0) - body[0].lineno + 1


def house_faults(tree: ast.Module, name: str) -> list[str]:
    faults = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and body_lines(node) > BODY_LINES:
            faults.append(f"{name}: the body of {node.name} has {body_lines(node)} lines, over {BODY_LINES}")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            faults.append(f"{name}:{node.lineno}: print belongs into __main__; return it, or log it")
    return [fault for fault in faults if name != "__main__" or "print" not in fault]


def test_functions_are_short_and_only_the_command_line_prints():
    faults = [fault for name, tree in modules().items() for fault in house_faults(tree, name)]
    assert not faults, "\n".join(faults)


def test_the_house_rules_catch_what_they_name():
    long = ast.parse("def f():\n    'doc'\n" + "    x = 1\n" * (BODY_LINES + 1))
    assert "41 lines" in house_faults(long, "panels")[0]
    assert not house_faults(ast.parse("def f():\n    'doc'\n" + "    x = 1\n" * BODY_LINES), "panels")
    assert "panels:1: print" in house_faults(ast.parse("print(1)"), "panels")[0]
    assert not house_faults(ast.parse("print(1)"), "__main__")


def test_modules_are_short():
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in PACKAGE.rglob("*.py")}
    long = [f"{path.name}: {count} lines" for path, count in lines.items() if count > MODULE_LINES]
    assert not long, f"over {MODULE_LINES} lines, split by question: {', '.join(long)}"


def test_no_module_has_a_name_that_says_nothing():
    places = [path for folder in ("src", "tests", "benchmarks") for path in (ROOT / folder).rglob("*.py")]
    vague = [path for path in places if {path.stem, path.parent.name} & VAGUE]
    assert not vague, f"name it after the question it answers: {vague}"


# ---- the notebooks


def code_lines(source: str) -> list[str]:
    return [line for line in source.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def notebook_faults(notebook: Mapping) -> list[str]:
    cells = notebook["cells"]
    faults = [] if len(cells) <= CELLS else [f"{len(cells)} cells, over {CELLS}"]
    if not cells or cells[0]["cell_type"] != "markdown":
        faults.append("the first cell is not markdown: it must give the answer")
    if "widgets" in notebook.get("metadata", {}):
        faults.append("widget states are stored in it: strip it")
    for number, cell in enumerate(cells, start=1):
        if cell["cell_type"] == "code":
            faults += [f"cell {number}: {fault}" for fault in cell_faults(cell)]
    return faults


def cell_faults(cell: Mapping) -> list[str]:
    source = "".join(cell["source"])
    lines = code_lines(source)
    python = "\n".join(line for line in source.splitlines() if not line.startswith(("%", "!")))
    defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    rules = {
        "has outputs or a run number: strip it": cell["outputs"] or cell["execution_count"] is not None,
        f"{len(lines)} lines, over {CELL_LINES}": len(lines) > CELL_LINES,
        "defines a function or a class: it belongs into src": any(
            isinstance(node, defined) for node in ast.walk(ast.parse(python))
        ),
        "runs a shell command or a magic": python != source.rstrip("\n"),
    }
    return [fault for fault, broken in rules.items() if broken]


def test_notebooks_are_stripped_short_and_define_nothing():
    faults = [
        f"{path.name}: {fault}"
        for path in sorted((ROOT / "notebooks").glob("*.ipynb"))
        for fault in notebook_faults(json.loads(path.read_text(encoding="utf-8")))
    ]
    assert not faults, "\n".join(faults)


def code(source: str, outputs: tuple = (), run: int | None = None) -> dict:
    return {"cell_type": "code", "source": source, "outputs": list(outputs), "execution_count": run}


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ([code("x = 1")], "first cell is not markdown"),
        ([code("x = 1", outputs=({"text": "1"},))], "has outputs"),
        ([code("x = 1", run=3)], "run number"),
        ([code("def f():\n    pass")], "defines a function"),
        ([code("class A:\n    pass")], "defines a function or a class"),
        ([code("%pip install it")], "magic"),
        ([code("x = 1\n" * 16)], "16 lines"),
        ([code("x = 1")] * 41, "41 cells"),
    ],
)
def test_a_notebook_fault_is_caught(cells, fault):
    assert any(fault in said for said in notebook_faults({"cells": cells}))


def test_a_tidy_notebook_passes():
    tidy = [{"cell_type": "markdown", "source": "# The answer"}, code("# why\nx = [n for n in range(3)]\nx;")]
    assert not notebook_faults({"cells": tidy, "metadata": {}})
