"""Where do the tables of proofs lie, and are they of the code that stands here today?"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import polars as pl

from grocery_spheres import provenance
from grocery_spheres.validation.subjects import Subject, ValidationError, subject

PLACES = 6  # decimal places of the tables: far finer than any Monte Carlo error
_PACKAGE = Path(__file__).parents[1]
_LIBRARIES = ("diff-diff", "numpy", "polars", "scipy", "statsmodels")


def folder() -> Path:
    """Return the folder of the tables in this checkout."""
    return provenance.root() / "reports" / "validation"


def fingerprint(modules: Iterable[str]) -> str:
    """Return a short hash of the code of modules and packages, and of the libraries that they compute with.

    Comments and docstrings do not count.

    Parameters
    ----------
    modules : iterable of str
        Dotted names below the package; a package stands for all of its modules.

    Examples
    --------
    >>> fingerprint(["schema"]) == fingerprint(["schema"]), len(fingerprint(["schema", "formats"]))
    (True, 16)
    """
    found = hashlib.sha256(" ".join(map(metadata.version, _LIBRARIES)).encode())
    for path in sorted({path for name in modules for path in _sources(name)}):
        found.update(path.relative_to(_PACKAGE).as_posix().encode())
        found.update(_without_words(path.read_text(encoding="utf-8")).encode())
    return found.hexdigest()[:16]


def _without_words(source: str) -> str:
    """Leave out lines that say something of the code: docstrings, lines of comment, blank ones."""
    said: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        value = node.value if isinstance(node, ast.Expr) else None
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            said.update(range(value.lineno, (value.end_lineno or value.lineno) + 1))
    kept = (line for number, line in enumerate(source.splitlines(), start=1) if number not in said)
    return "\n".join(line.rstrip() for line in kept if line.strip() and not line.strip().startswith("#"))


def _sources(name: str) -> list[Path]:
    place = _PACKAGE.joinpath(*name.split("."))
    paths = sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
    if not all(path.exists() for path in paths) or not paths:
        raise ValidationError(f"A proof rests on {name!r}, and the package has no such module.")
    return paths


def stamp(proof: Subject, code: str) -> dict[str, Any]:
    """Return what is written beside a table: what was proved, with which seeds, on which code."""
    return {
        "subject": proof.name,
        "question": proof.question,
        "replications": proof.replications,
        "seeds": [1, proof.replications],
        "rests_on": list(proof.rests_on),
        "code": code,
    }


def write(proof: Subject, rows: Mapping[int, list[dict[str, Any]]], code: str) -> Path:
    """Write the table of a finished proof and its stamp, whole or not at all.

    Parameters
    ----------
    proof : Subject
        What was proved.
    rows : mapping
        Seed -> rows of that replication.
    code : str
        `fingerprint` of the code that made them.

    Returns
    -------
    pathlib.Path
        The table: one row as the proof makes it, after the column `seed`.
    """
    flat = [{"seed": seed, **row} for seed in sorted(rows) for row in rows[seed]]
    table = pl.DataFrame(flat, infer_schema_length=None)
    rounded = table.with_columns(pl.col(pl.Float64).round(PLACES) + 0.0)  # no -0.0
    place = folder()
    place.mkdir(parents=True, exist_ok=True)
    texts = {"csv": rounded.write_csv(), "json": json.dumps(stamp(proof, code), indent=2) + "\n"}
    for kind, text in texts.items():
        draft = place / f".{proof.name}.{kind}"
        draft.write_text(text, encoding="utf-8")
    for kind in texts:
        (place / f".{proof.name}.{kind}").replace(place / f"{proof.name}.{kind}")
    return place / f"{proof.name}.csv"


def read(name: str) -> pl.DataFrame:
    """Return the table of a proof as it is committed.

    Parameters
    ----------
    name : str
        The subject.

    Returns
    -------
    polars.DataFrame
        One row as the subject makes it; `seed` names the replication.

    Raises
    ------
    ValidationError
        There is no such subject, or its table is not there yet.
    """
    path = folder() / f"{subject(name).name}.csv"
    if not path.exists():
        raise ValidationError(f"{path.name} is not there: run make validate SUBJECT={name}.")
    return pl.read_csv(path, infer_schema_length=None)


def stale(name: str) -> str | None:
    """Say that a table is older than the code that it rests on, or None if it is not.

    Parameters
    ----------
    name : str
        The subject.

    Returns
    -------
    str or None
        A sentence for the page that shows the table.
    """
    proof = subject(name)
    path = folder() / f"{name}.json"
    if path.exists() and json.loads(path.read_text(encoding="utf-8"))["code"] == fingerprint(proof.rests_on):
        return None
    return (
        f"The proof “{name}” was run before the last change of the code it rests on: "
        f"make validate SUBJECT={name} runs it again."
    )
