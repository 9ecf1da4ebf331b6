"""How notebooks become pages: which run first, what is merged between, and which pages are written.

Every notebook runs for itself and publishes its figures and its part of the numbers; then the parts are
merged, and the notebooks that tell the whole story run on them. Heavy libraries are loaded where they are
needed, so that a build with nothing to do ends at once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grocery_spheres import provenance
from grocery_spheres.execute import Session, read_manifest
from grocery_spheres.kernels import ExecutionError, executed_copy, write_text
from grocery_spheres.page.checks import ReportError

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = ["ExecutionError", "ReportError", "build"]

LAST = ("00-", "09-")
"""Beginnings of the notebooks that rest on all others: the story, and the article's figures."""


def build(force: bool = False, update_prose: bool = False) -> Path:
    """Run the notebooks that have a reason to, and write the pages that have changed.

    Parameters
    ----------
    force : bool
        Run every notebook and write every page.
    update_prose : bool
        Rewrite the numbers in prose that differ from those just computed, instead of refusing them.

    Returns
    -------
    pathlib.Path
        The page to open: reports/index.html.

    Raises
    ------
    ExecutionError
        When a notebook does not run; earlier pages stay.
    ReportError
        When prose states other numbers than the code computes, or a page has a broken link, a picture without
        words or headings out of order; earlier pages stay.
    ProjectError
        Outside a checkout.
    """
    root = provenance.root()
    notebooks = sorted((root / "notebooks").glob("[0-9][0-9]-*.ipynb"))
    if not notebooks:
        raise ReportError(
            f"There is nothing to build: {root / 'notebooks'} holds no notebook named like 01-question.ipynb."
        )
    with Session(root, force) as session:
        _run(session, notebooks)
    _settle_prose(root, update_prose)
    _write_pages(root, notebooks, force)
    return root / "reports" / "index.html"


def _run(session: Session, notebooks: Sequence[Path]) -> None:
    first = [path for path in notebooks if not path.name.startswith(LAST)]
    last = [path for path in notebooks if path.name.startswith(LAST)]
    session.run(first)
    _merge_numbers(session.root)
    session.run(last, rests_on=_results(session.root, first))
    _merge_numbers(session.root)


def _results(root: Path, notebooks: Sequence[Path]) -> str:
    """Return the hashes of all that these notebooks have published."""
    return json.dumps({path.stem: read_manifest(root, path.stem)["published"] for path in notebooks})


def _merge_numbers(root: Path) -> None:
    """Join the numbers of the notebooks that there are; a removed notebook takes its numbers along."""
    parts = list((root / "reports" / "numbers").glob("*.json"))
    for part in parts:
        if not (root / "notebooks" / f"{part.stem}.ipynb").exists():
            part.unlink()
    if any(part.exists() for part in parts):
        from grocery_spheres import numbers  # noqa: PLC0415 - only where there are any

        numbers.merge_numbers()


def _settle_prose(root: Path, update: bool) -> None:
    """Compare the numbers in prose with the computed ones; rewrite or refuse those that differ."""
    if not (root / "reports" / "numbers.json").exists():
        return
    from grocery_spheres import prose  # noqa: PLC0415 - only where there are numbers

    if update:
        prose.update_prose()
        return
    drifts = prose.check_prose()
    if drifts:
        raise ReportError(
            f"Prose differs from the computed numbers in {len(drifts)} places: "
            f"{'; '.join(str(drift) for drift in drifts)}. Run `grocery-spheres report --update-prose` to "
            "rewrite them, then read the sentences around them again."
        )


def _write_pages(root: Path, notebooks: Sequence[Path], force: bool) -> None:
    """Write the pages whose notebook, outputs or template have changed, and the index."""
    keys = _page_keys(root, notebooks)
    known = {path.stem: {} if force else _read_summary(root, path.stem) for path in notebooks}
    stale = [
        path for path in notebooks if not _is_current(root, path.stem, known[path.stem], keys[path.stem])
    ]
    gone = _pages_without_notebook(root, notebooks)
    if not stale and not gone and (root / "reports" / "index.html").exists():
        return
    texts = {}
    for path in stale:
        texts[f"{path.stem}.html"], summary = _page(root, path, keys)
        known[path.stem] = {"key": keys[path.stem], **asdict(summary)}
    texts["index.html"] = _contents(root, [known[path.stem] for path in notebooks])
    _check(root, texts, [f"{path.stem}.html" for path in notebooks])
    for name, text in texts.items():
        write_text(root / "reports" / name, text)
    for path in stale:
        write_text(_summary_path(root, path.stem), json.dumps(known[path.stem]))
    for page in gone:
        page.unlink()


def _contents(root: Path, known: Sequence[Mapping[str, Any]]) -> str:
    from grocery_spheres.page import document  # noqa: PLC0415 - only where a page is written

    summaries = [{name: value for name, value in one.items() if name != "key"} for one in known]
    return document.contents_page(root, [document.Summary(**summary) for summary in summaries])


def _check(root: Path, texts: Mapping[str, str], names: Sequence[str]) -> None:
    """Check the new pages together with those that stay, before the first is written."""
    from grocery_spheres.page import checks  # noqa: PLC0415 - only where a page is written

    earlier = {name: (root / "reports" / name).read_text("utf-8") for name in names if name not in texts}
    checks.check_pages(root / "reports", {**earlier, **texts})


def _page(root: Path, path: Path, pages: Mapping[str, str]) -> tuple[str, Any]:
    """Return the page of one notebook, and what the index says of it."""
    from grocery_spheres.page import body, document  # noqa: PLC0415 - only where a page is written

    written = body.write_body(_with_outputs(root, path), root, pages)
    summary = document.summarise(path.stem, written)
    return document.notebook_page(root, written, summary), summary


def _with_outputs(root: Path, path: Path) -> NotebookNode:
    """Return a notebook as it stands now with the outputs of its last run: prose may have changed since."""
    import nbformat  # noqa: PLC0415 - loading it takes as long as a build that has nothing to do

    notebook = nbformat.read(path, as_version=4)
    ran = nbformat.read(executed_copy(root, path.stem), as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    done = [cell for cell in ran.cells if cell.cell_type == "code"]
    for cell, ran_cell in zip(code, done, strict=True):
        cell.outputs, cell.execution_count = ran_cell.outputs, ran_cell.execution_count
    return notebook


def _page_keys(root: Path, notebooks: Sequence[Path]) -> dict[str, str]:
    """Return for each notebook the hash of all that its page rests on."""
    package = Path(__file__).parent
    parts = [*sorted((package / "page").iterdir()), package / "report.py", package / "charts" / "theme.py"]
    parts += sorted((package / "charts" / "fonts").iterdir())
    parts += [root / "data" / "sources.toml", root / "requirements.txt"]
    shared = [_hash_of(part) for part in parts] + [path.stem for path in notebooks]
    return {
        path.stem: hashlib.sha256(
            "".join([*shared, _hash_of(path), _hash_of(executed_copy(root, path.stem))]).encode()
        ).hexdigest()
        for path in notebooks
    }


def _is_current(root: Path, name: str, summary: Mapping[str, Any], key: str) -> bool:
    return summary.get("key") == key and (root / "reports" / f"{name}.html").exists()


def _pages_without_notebook(root: Path, notebooks: Sequence[Path]) -> list[Path]:
    names = {path.stem for path in notebooks}
    pages = (root / "reports").glob("[0-9][0-9]-*.html")
    return [page for page in pages if page.stem not in names]


def _summary_path(root: Path, name: str) -> Path:
    return root / "reports" / "executed" / f"{name}.page.json"


def _read_summary(root: Path, name: str) -> dict[str, Any]:
    try:
        found = json.loads(_summary_path(root, name).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def _hash_of(path: Path) -> str:
    return provenance.sha256(path) if path.is_file() else "missing"
