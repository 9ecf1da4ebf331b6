"""Whether the numbers in prose are those that the code found.

Prose is README.md, the markdown cells of notebooks, and reports/*.md. How a number is cited there, and how
it is written, is in `citation`.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grocery_spheres import provenance
from grocery_spheres.numbers import Number, read_numbers
from grocery_spheres.prose.citation import Citation, citations, looked_up, written
from grocery_spheres.publishable import PublishError


@dataclass(frozen=True)
class Drift:
    """A number in prose that differs from the published one.

    Attributes
    ----------
    path : Path
        The file.
    cell : int or None
        Place of the cell in a notebook, from 0; None in a markdown file.
    line : int
        Line in the file or cell, from 1.
    id : str
        What it cites, field included.
    found : str
        What stands there.
    expected : str
        What should stand there.
    """

    path: Path
    cell: int | None
    line: int
    id: str
    found: str
    expected: str

    def __str__(self) -> str:
        place = _place(self.path, self.cell, self.line)
        return f"{place}: {self.id} is {self.expected}, the prose says {self.found}"


@dataclass(frozen=True)
class _Passage:
    """A stretch of markdown: a whole file, or one cell of a notebook."""

    path: Path
    cell: int | None
    text: str


def prose_files(root: Path) -> list[Path]:
    """List the files whose numbers are checked.

    Parameters
    ----------
    root : Path
        The checkout.

    Returns
    -------
    list of Path
        README.md, notebooks/*.ipynb and reports/*.md, those that exist, sorted within each kind.

    Examples
    --------
    >>> prose_files(Path("/nowhere"))
    []
    """
    readme = root / "README.md"
    found = [readme] if readme.exists() else []
    return found + sorted((root / "notebooks").glob("*.ipynb")) + sorted((root / "reports").glob("*.md"))


def check_prose(
    paths: Sequence[Path] | None = None, numbers: Mapping[str, Number] | None = None
) -> list[Drift]:
    """Compare the numbers in prose with the published ones.

    Parameters
    ----------
    paths : sequence of Path, optional
        Markdown files and notebooks; `prose_files` of the checkout where left out.
    numbers : mapping of str to Number, optional
        By id; reports/numbers.json where left out.

    Returns
    -------
    list of Drift
        In the order of the files; empty where all agree.

    Raises
    ------
    PublishError
        When a comment cites an unknown id, field or format, or no number stands right before it; one
        message names all of them, with what is close. When a notebook is damaged.

    Examples
    --------
    >>> check_prose([], {})
    []
    """
    return [drift for drift, _ in _drifts(paths, numbers)]


def update_prose(
    paths: Sequence[Path] | None = None, numbers: Mapping[str, Number] | None = None
) -> list[Drift]:
    """Rewrite the numbers in prose that differ from the published ones, and nothing else.

    Parameters
    ----------
    paths : sequence of Path, optional
        As for `check_prose`. A file without drift is not touched.
    numbers : mapping of str to Number, optional
        By id; reports/numbers.json where left out.

    Returns
    -------
    list of Drift
        What was rewritten.

    Raises
    ------
    PublishError
        As `check_prose`; then no file is written.

    Examples
    --------
    >>> update_prose([], {})
    []
    """
    drifts = _drifts(paths, numbers)
    for path in dict.fromkeys(drift.path for drift, _ in drifts):
        _rewrite(path, [pair for pair in drifts if pair[0].path == path])
    return [drift for drift, _ in drifts]


def _drifts(
    paths: Sequence[Path] | None, numbers: Mapping[str, Number] | None
) -> list[tuple[Drift, Citation]]:
    """Find the drift in all files; what cannot be resolved is collected, so that one run names it all."""
    known = read_numbers() if numbers is None else numbers
    paths = prose_files(provenance.root()) if paths is None else paths
    drifts: list[tuple[Drift, Citation]] = []
    problems: list[str] = []
    for passage in (passage for path in paths for passage in _passages(path)):
        for citation in citations(passage.text):
            try:
                drift = _compared(passage, citation, known)
            except PublishError as problem:
                problems.append(f"{_place(passage.path, passage.cell, citation.line)}: {problem}")
                continue
            drifts.extend([(drift, citation)] if drift else [])
    if problems:
        raise PublishError("some numbers in prose cannot be checked. " + " ".join(problems))
    return drifts


def _compared(passage: _Passage, citation: Citation, known: Mapping[str, Number]) -> Drift | None:
    expected = written(looked_up(citation.cited, known), citation.form)
    found = passage.text[citation.start : citation.end]
    if not found:
        raise PublishError(
            f"no number stands right before the comment {citation.cited!r}. Write {expected!r}."
        )
    if found.replace("\u00a0", " ") == expected:
        return None
    return Drift(passage.path, passage.cell, citation.line, citation.cited, found, expected)


def _passages(path: Path) -> list[_Passage]:
    if path.suffix != ".ipynb":
        return [_Passage(path, None, path.read_bytes().decode())]
    return [
        _Passage(path, place, "".join(cell["source"]))
        for place, cell in enumerate(_notebook(path)["cells"])
        if cell["cell_type"] == "markdown"
    ]


def _notebook(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
        if all("source" in cell and "cell_type" in cell for cell in content["cells"]):
            return dict(content)
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError):
        pass
    raise PublishError(f"{path} is no notebook: its JSON is damaged or lacks cells. Restore it from git.")


def _rewrite(path: Path, drifts: Sequence[tuple[Drift, Citation]]) -> None:
    """Write one file anew, with the drifted numbers replaced."""
    corrected = {
        passage.cell: _corrected(passage.text, [pair for pair in drifts if pair[0].cell == passage.cell])
        for passage in _passages(path)
    }
    if path.suffix != ".ipynb":
        _write(path, corrected[None])
        return
    notebook = _notebook(path)
    for place, cell in enumerate(notebook["cells"]):
        if place in corrected:
            lines = corrected[place].splitlines(keepends=True)
            cell["source"] = lines if isinstance(cell["source"], list) else corrected[place]
    _write(path, json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")


def _corrected(text: str, drifts: Sequence[tuple[Drift, Citation]]) -> str:
    # From the end, so that earlier places stay true.
    for drift, citation in sorted(drifts, key=lambda pair: pair[1].start, reverse=True):
        text = text[: citation.start] + drift.expected + text[citation.end :]
    return text


def _write(path: Path, content: str) -> None:
    aside = path.with_name(f".{path.name}-{os.getpid()}")
    aside.write_bytes(content.encode())
    aside.replace(path)


def _place(path: Path, cell: int | None, line: int) -> str:
    return f"{path}, line {line}" if cell is None else f"{path}, cell {cell}, line {line}"
