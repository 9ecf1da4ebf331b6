"""Which notebooks must run again, and what came out of them.

A notebook is skipped while its key stands: the hash of its code, of the package, of the data and of the
lock. `kernels` runs the others.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from grocery_spheres import provenance
from grocery_spheres.kernels import ExecutionError, executed_copy, failed_copy, run_notebooks, write_text

FIGURE = "application/vnd.grocery-spheres.figure+json"
"""Output kind of a published figure; its slug names the files that the notebook wrote."""

FIGURE_FILES = (".svg", ".phone.svg", ".png", ".csv", ".json")
_NOT_RUN_BY_NOTEBOOKS = ("page", "report.py", "execute.py", "__main__.py", "__pycache__")


@dataclass
class Session:
    """One build's runs, as a context: on leaving it, notes the data that its notebooks have built or read.

    Attributes
    ----------
    root : pathlib.Path
        The checkout.
    force : bool
        Run everything.
    ran, skipped : list of str
        Names of the notebooks that ran, and of those that had no reason to.
    """

    root: Path
    force: bool = False
    ran: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def __enter__(self) -> Session:
        """Take the hash of what all notebooks share."""
        self._shared = shared_key(self.root)
        self._data = data_key()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Note the data as they stand now: what a notebook has just built is no reason to run again."""
        data = data_key()
        for name in [*self.ran, *self.skipped]:
            manifest = read_manifest(self.root, name)
            if manifest.get("data") != data:
                _write_manifest(self.root, name, {**manifest, "data": data})

    def run(self, notebooks: Sequence[Path], rests_on: str = "") -> None:
        """Run the notebooks that have a reason to, two at a time.

        Parameters
        ----------
        notebooks : sequence of pathlib.Path
            Sources, named by their stem.
        rests_on : str
            Further words for their keys: what else their results depend on.

        Raises
        ------
        ExecutionError
            One paragraph for each notebook that failed: notebook, cell, its first line, the exception, and
            where the partial notebook lies. The others have run, and earlier good copies stay.
        """
        keys = {path: notebook_key(path, self._shared + rests_on) for path in notebooks}
        stale = [path for path in notebooks if self.force or not self._is_current(path, keys[path])]
        self.skipped += [path.stem for path in notebooks if path not in stale]
        if not stale:
            return
        failures = [text for text in run_notebooks(self.root, stale) if text]
        for path in stale:
            if not failed_copy(self.root, path.stem).exists():
                self._note(path.stem, keys[path])
        if failures:
            raise ExecutionError("\n\n".join(failures))

    def _is_current(self, path: Path, key: str) -> bool:
        manifest = read_manifest(self.root, path.stem)
        return (
            executed_copy(self.root, path.stem).exists()
            and manifest.get("key") == key
            and manifest.get("data") == self._data
            and all(_hash_of(self.root / name) == hash_ for name, hash_ in manifest["published"].items())
        )

    def _note(self, name: str, key: str) -> None:
        self.ran.append(name)
        published = {str(path.relative_to(self.root)): _hash_of(path) for path in _published(self.root, name)}
        _write_manifest(self.root, name, {"key": key, "data": self._data, "published": published})


def read_manifest(root: Path, name: str) -> dict[str, Any]:
    """Return what is known of a notebook's last good run; empty where there was none.

    Returns
    -------
    dict
        `key` (hash of what it rests on), `data` (hash of the built data), `published` (hash by path of each
        file that it wrote, relative to the checkout).

    Examples
    --------
    >>> read_manifest(Path("nowhere"), "01-public-groceries")
    {}
    """
    try:
        found = json.loads(_manifest_path(root, name).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return found if isinstance(found, dict) and "published" in found else {}


def shared_key(root: Path) -> str:
    """Return the hash of what all notebooks rest on: package, cards, lock, proofs, Python, installed data."""
    digest = hashlib.sha256(sys.version.encode())
    package = Path(__file__).parent
    for path in sorted(package.rglob("*")):
        if path.is_file() and not set(path.relative_to(package).parts) & set(_NOT_RUN_BY_NOTEBOOKS):
            digest.update(f"{path.relative_to(package)} {_hash_of(path)}".encode())
    proofs = sorted((root / "reports" / "validation").glob("[!.]*"))
    for path in (root / "data" / "sources.toml", root / "requirements.txt", *proofs):
        digest.update(f"{path.relative_to(root)} {_hash_of(path)}".encode())
    for path in _installed_data():
        digest.update(f"{path.name} {path.stat().st_size}".encode())
    return digest.hexdigest()


def data_key() -> str:
    """Return the hash of names, sizes and times of the built data: reading gigabytes would take too long."""
    folder = provenance.cache_folder()
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
        state = path.stat()
        if path.is_file() and path.parent != folder and not path.name.startswith("."):
            digest.update(f"{path.relative_to(folder)} {state.st_size} {state.st_mtime_ns}".encode())
    return digest.hexdigest()


def notebook_key(path: Path, rests_on: str) -> str:
    """Return the hash of a notebook's code and of all that it rests on; its prose does not count.

    Parameters
    ----------
    path : pathlib.Path
        A notebook.
    rests_on : str
        Hashes of what else its results depend on.
    """
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return hashlib.sha256(json.dumps([path.stem, code, rests_on]).encode()).hexdigest()


def _published(root: Path, name: str) -> Iterator[Path]:
    """Yield the files that an executed notebook has written: its figures and its part of the numbers."""
    notebook = json.loads(executed_copy(root, name).read_text(encoding="utf-8"))
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", [])]
    bundles = [output["data"][FIGURE] for output in outputs if FIGURE in output.get("data", {})]
    figures = [
        root / "reports" / "figures" / f"{bundle['slug']}{end}" for bundle in bundles for end in FIGURE_FILES
    ]
    parts = sorted((root / "reports" / "numbers").glob(f"{name}*.json"))
    yield from (path for path in [*figures, *parts] if path.is_file())


def _installed_data() -> list[Path]:
    """List the installed data files that the cards describe (found without importing their packages)."""
    found: list[Path] = []
    for card in provenance.cards().values():
        spec = importlib.util.find_spec(card.package.replace("-", "_")) if card.package else None
        places = (spec.submodule_search_locations or []) if spec else []
        found += [path for place in places for path in sorted(Path(place, "data").glob("*"))]
    return found


def _manifest_path(root: Path, name: str) -> Path:
    return root / "reports" / "executed" / f"{name}.key.json"


def _write_manifest(root: Path, name: str, manifest: Mapping[str, Any]) -> None:
    write_text(_manifest_path(root, name), json.dumps(manifest, indent=1) + "\n")


def _hash_of(path: Path) -> str:
    return provenance.sha256(path) if path.is_file() else "missing"
