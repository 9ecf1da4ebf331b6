"""How do the provenance cards read as a page? The text of data/README.md, generated, never edited."""

from __future__ import annotations

from collections.abc import Iterator

from grocery_spheres.provenance import Card, ProjectError, SourceFile, cards, root

_HEAD = """# Data

Generated from `sources.toml` by `grocery-spheres data`; do not edit. The licence of the code (MIT) does not
cover published data: each source has its own terms, below. No data file is committed. Published files come
with a package, and what is built from them lies in `public/`; what this project makes itself lies in
`synthetic/`. Both stand here, or in the user's cache folder outside a checkout (`GROCERY_SPHERES_DATA` names
another place).

Each build has a folder of its own, whose name is a digest of all that it rests on: the files or the
assumptions, the seed, the code. When one of these changes, a new folder is built and the old one stays.
`grocery-spheres data` names the folders in use. Any folder in `public/` and `synthetic/` may be deleted while
no build runs: what is needed is built again on next use. `make clean` deletes both here."""


def data_readme() -> str:
    """Return the page of all cards.

    Returns
    -------
    str
        Markdown: for each source what it is, what its producer says of it, where it comes from (a package,
        or this project), its terms, its known problems, and every column of every file.

    Examples
    --------
    >>> data_readme().splitlines()[0]
    '# Data'
    """
    return "\n".join([_HEAD, *[line for source in cards().values() for line in _source(source)], ""])


def write_data_readme() -> None:
    """Write data/README.md where it is out of date; outside a checkout there is none to write."""
    try:
        path = root() / "data" / "README.md"
    except ProjectError:
        return
    text = data_readme()
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        fresh = path.with_suffix(".md.new")
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(path)


def _source(source: Card) -> Iterator[str]:
    yield from ("", f"## {source.title}", "")
    yield f"**Evidence:** {source.evidence}. {source.measures} Period: {source.period}."
    if source.made_by:
        yield from ("", source.says_of_itself, "")
        yield f"- Made by: `{source.made_by}` of this project, from the assumptions, a seed and the code"
    else:
        yield from ("", f"> {source.says_of_itself}", ">", f"> — {source.says_where}", "")
        yield f"- Producer: {source.producer}"
        yield f"- Package: `{source.package}`, version {source.version} ({source.url})"
    yield f"- Terms: {source.licence}. {source.licence_note}"
    yield from ("", "Known problems:", "")
    yield from (f"- {problem}" for problem in source.known_problems)
    for file in source.files.values():
        yield from _file(file)


def _file(file: SourceFile) -> Iterator[str]:
    yield from ("", f"### `{file.name}`", "")
    if file.rows is None:
        yield f"One row = {file.row}."
    else:
        yield f"{file.rows:,} rows; one row = {file.row}. sha256 `{file.sha256}`"
    yield from ("", "| column | what it holds |", "|---|---|")
    yield from (f"| `{name}` | {meaning} |" for name, meaning in file.columns.items())
