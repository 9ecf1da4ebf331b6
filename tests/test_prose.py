"""Prose and numbers: drift is found and named, and an update touches nothing else."""

import json
from pathlib import Path

import pytest
from nbconvert.filters import markdown2html

from grocery_spheres import numbers, prose
from grocery_spheres.numbers import Number
from grocery_spheres.publishable import PublishError

MADE_BY = "grocery_spheres.numbers.read_numbers"
KNOWN = {
    "relocation.retained": Number("relocation.retained", 0.261, 0.2, 0.3, "share", "public", MADE_BY),
    "lines.total": Number("lines.total", 1_469_307, None, None, "lines", "public", MADE_BY),
}
GOOD = (
    "It kept 26.1\u00a0%<!-- relocation.retained.value|.1% --> "
    "(20 %<!-- relocation.retained.low|.0% --> at least).\n"
)
STALE = (
    "# Ünder 5\n\nIt kept **24.0 %<!-- relocation.retained.value|.1% -->** "
    "of 9<!-- lines.total.value|,.0f --> lines.\n"
)
FRESH = STALE.replace("24.0 %", "26.1 %").replace("of 9<", "of 1,469,307<")


@pytest.fixture(name="root")
def fixture_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "reports").mkdir()
    monkeypatch.setenv("GROCERY_SPHERES_ROOT", str(tmp_path))
    return tmp_path


def notebook(*cells: tuple[str, list[str] | str]) -> str:
    content = {
        "cells": [
            {"cell_type": kind, "id": str(place), "metadata": {}, "source": source}
            for place, (kind, source) in enumerate(cells)
        ],
        "metadata": {"z": 1, "a": "ü"},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def test_prose_that_agrees_has_no_drift_and_is_not_touched(root: Path) -> None:
    path = root / "README.md"
    path.write_bytes(GOOD.encode())
    before = path.stat().st_mtime_ns
    assert prose.check_prose([path], KNOWN) == prose.update_prose([path], KNOWN) == []
    assert path.stat().st_mtime_ns == before
    assert path.read_bytes() == GOOD.encode()


def test_drift_is_named_with_its_place_and_an_update_rewrites_just_the_numbers(root: Path) -> None:
    path = root / "README.md"
    for ends in ("\n", "\r\n"):
        path.write_bytes(STALE.replace("\n", ends).encode())
        drifts = prose.check_prose([path], KNOWN)
        assert drifts == [
            prose.Drift(path, None, 3, "relocation.retained.value", "24.0 %", "26.1 %"),
            prose.Drift(path, None, 3, "lines.total.value", "9", "1,469,307"),
        ]
        assert "README.md, line 3: relocation.retained.value is 26.1 %, the prose says 24.0 %" in str(
            drifts[0]
        )
        assert path.read_bytes() == STALE.replace("\n", ends).encode()
        assert prose.update_prose([path], KNOWN) == drifts
        assert path.read_bytes() == FRESH.replace("\n", ends).encode()
        assert prose.check_prose([path], KNOWN) == []
    assert [one.name for one in root.iterdir() if one.name.startswith(".")] == []


def test_a_notebook_keeps_its_form_and_its_code(root: Path) -> None:
    path = root / "notebooks" / "01.ipynb"
    code = ("code", ["x = '1<!-- lines.total.value|.0f -->'"])
    lines = STALE.splitlines(keepends=True)
    path.write_text(
        notebook(("markdown", ["# Fine\n"]), code, ("markdown", lines), ("markdown", STALE)), "utf-8"
    )
    drifts = prose.update_prose([path], KNOWN)
    assert [(drift.cell, drift.line, drift.found) for drift in drifts] == [
        (2, 3, "24.0 %"),
        (2, 3, "9"),
        (3, 3, "24.0 %"),
        (3, 3, "9"),
    ]
    fresh = FRESH.splitlines(keepends=True)
    assert path.read_text("utf-8") == notebook(
        ("markdown", ["# Fine\n"]), code, ("markdown", fresh), ("markdown", FRESH)
    )


def test_what_cannot_be_checked_is_named_all_at_once_and_nothing_is_written(root: Path) -> None:
    stale, bad = root / "README.md", root / "reports" / "bad.md"
    stale.write_text(STALE, "utf-8")
    bad.write_text(
        "1<!-- relocation.kept.value|.1% -->\n2<!-- lines.total.low|.0f -->\n"
        "3<!-- lines.total.value|.1q -->\nno number <!-- lines.total.value|.0f -->\n",
        "utf-8",
    )
    for walk in (prose.check_prose, prose.update_prose):
        with pytest.raises(PublishError) as refused:
            walk([stale, bad], KNOWN)
        message = str(refused.value)
        assert "\n" not in message
        for words in (
            "line 1: there is no number 'relocation.kept'. Close to it: relocation.retained",
            "line 2: 'lines.total' has no low",
            "line 3: the format '.1q'",
            "line 4: no number stands right before the comment 'lines.total.value'. Write '1469307'",
        ):
            assert words in message
    assert stale.read_text("utf-8") == STALE


@pytest.mark.parametrize("text", ["{", "[]", '{"cells": 1}', '{"cells": [{}]}', "\ufffe"])
def test_a_damaged_notebook_is_refused_by_name(root: Path, text: str) -> None:
    path = root / "notebooks" / "01.ipynb"
    path.write_text(text, "utf-8")
    with pytest.raises(PublishError, match=r"01\.ipynb is no notebook"):
        prose.check_prose([path], KNOWN)


def test_left_to_itself_it_takes_the_projects_files_and_numbers(root: Path) -> None:
    numbers.publish_numbers("01", list(KNOWN.values()))
    numbers.merge_numbers()
    for name in ("README.md", "notes.md", "reports/b.md", "reports/a.md"):
        (root / name).write_text(STALE, "utf-8")
    (root / "notebooks" / "01.ipynb").write_text(notebook(("markdown", STALE)), "utf-8")
    names = ["README.md", "notebooks/01.ipynb", "reports/a.md", "reports/b.md"]
    assert [str(path.relative_to(root)) for path in prose.prose_files(root)] == names
    assert len(prose.check_prose()) == 2 * len(names)
    assert len(prose.update_prose()) == 2 * len(names)
    assert prose.check_prose() == []
    assert (root / "notes.md").read_text("utf-8") == STALE


def test_readers_see_the_number_and_not_the_comment() -> None:
    html = markdown2html(f"## A head with 5<!-- lines.total.value|,.0f -->\n\n{FRESH}")
    assert "&lt;!--" not in html
    assert "<strong>26.1 %<!--" in html
    assert 'id="A-head-with-5"' in html
