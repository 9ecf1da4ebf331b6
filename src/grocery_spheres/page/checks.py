"""What a page must hold to be written: links that lead somewhere, pictures with words, headings in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

from grocery_spheres.tables import GroceryError

OUTSIDE = ("http", "https", "mailto")
"""Kinds of address that a reader may follow; the page itself loads nothing from anywhere."""


class ReportError(GroceryError):
    """The pages cannot be built, or a page is not fit to be written."""


@dataclass
class _Found(HTMLParser):
    """What the checks need to know of one page."""

    ids: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    unnamed: list[str] = field(default_factory=list)
    levels: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids += [given["id"] or ""] if "id" in given else []
        if tag == "a" and given.get("href"):
            self.links.append(given["href"] or "")
        elif tag != "a":
            self.loads += [given[name] or "" for name in ("src", "href", "srcset", "data") if name in given]
        if tag == "img" and not (given.get("alt") or "").strip():
            self.unnamed.append((given.get("src") or "")[:60])
        if tag in {"h1", "h2", "h3", "h4", "h5", "h6"}:
            self.levels.append(int(tag[1]))


def check_pages(folder: Path, pages: Mapping[str, str]) -> None:
    """Refuse pages that lead nowhere, load from elsewhere, or cannot be read aloud.

    Parameters
    ----------
    folder : pathlib.Path
        Where the pages will lie; links to other files are looked up from there.
    pages : mapping of str to str
        Html text by file name.

    Raises
    ------
    ReportError
        One paragraph that lists every fault with its page and the way out.

    Examples
    --------
    >>> check_pages(Path("reports"), {"a.html": '<h1 id="top">A</h1><a href="#top">up</a>'})
    >>> check_pages(Path("reports"), {"a.html": '<h1>A</h1><a href="b.html">b</a>'})
    Traceback (most recent call last):
    ...
    grocery_spheres.page.checks.ReportError: The pages are not fit to be written: a.html links to 'b.html'...
    """
    found = {name: _found(text) for name, text in pages.items()}
    faults = [fault for name in found for fault in _faults(folder, name, found)]
    if faults:
        raise ReportError(
            f"The pages are not fit to be written: {'; '.join(faults)}. Mend the notebook and run "
            "`grocery-spheres report` again; the earlier pages are as they were."
        )


def _found(text: str) -> _Found:
    parser = _Found()
    parser.feed(text)
    parser.close()
    return parser


def _faults(folder: Path, name: str, pages: Mapping[str, _Found]) -> Iterator[str]:
    page = pages[name]
    for link in page.links:
        yield from _link_faults(folder, name, link, pages)
    for address in page.loads:
        if not address.startswith("data:"):
            yield f"{name} would load {address[:80]!r} (a page carries all that it shows)"
    for source in page.unnamed:
        yield f"{name} has a picture without alternative text ({source!r})"
    for name_twice in sorted({one for one in page.ids if page.ids.count(one) > 1}):
        yield f"{name} has two headings or figures named {name_twice!r}"
    yield from _heading_faults(name, page.levels)


def _link_faults(folder: Path, name: str, link: str, pages: Mapping[str, _Found]) -> Iterator[str]:
    parts = urlsplit(link)
    if parts.scheme in OUTSIDE or link.startswith("data:"):
        return
    if parts.scheme or parts.netloc:
        yield f"{name} has a link of a kind that is not allowed ({link[:80]!r})"
        return
    target = unquote(parts.path) or name
    if target not in pages and not (folder / target).exists():
        yield f"{name} links to {link!r}, which is not there"
    elif target in pages and parts.fragment and unquote(parts.fragment) not in pages[target].ids:
        yield f"{name} links to {link!r}, but {target} has no such place"


def _heading_faults(name: str, levels: list[int]) -> Iterator[str]:
    if levels.count(1) != 1 or levels[:1] != [1]:
        yield f"{name} must have one first-level heading, and begin with it (its levels are {levels})"
        return
    for before, after in pairwise(levels):
        if after > before + 1:
            yield f"{name} skips a level of headings, from {before} to {after}"
