"""How the cells of an executed notebook become the body of a page."""

from __future__ import annotations

import mimetypes
import re
from base64 import b64encode
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cache
from html import escape, unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from grocery_spheres.page import figures
from grocery_spheres.page.checks import ReportError
from grocery_spheres.page.tables import align_numbers, words

if TYPE_CHECKING:
    from nbconvert import HTMLExporter
    from nbformat import NotebookNode

SHOWN = (
    figures.FIGURE,
    figures.CHART,
    "text/html",
    "text/markdown",
    "image/svg+xml",
    "image/png",
    "text/plain",
)
"""Kinds of output that a page shows, best first. Widgets and scripts are not among them."""

_PYTHON = {"language_info": {"name": "python", "pygments_lexer": "ipython3"}}
_UNIT = re.compile(r"(?<=\d) (?=%|USD\b)")
_VERBATIM = {"pre", "code", "script", "style"}
_BOLD = re.compile(r"^(?:(?!<p>).)*<p><strong>(.*?)</strong>", re.DOTALL)


@dataclass(frozen=True)
class Heading:
    """A heading of a page: its level, the name that links lead to, and its words."""

    level: int
    anchor: str
    text: str


@dataclass(frozen=True)
class Body:
    """The body of a page, in html, and what the index says of it.

    Attributes
    ----------
    opening, rest : str
        The first cell, and all others.
    headings : list of Heading
        In order.
    answer : str
        The first paragraph as plain text; where it begins with bold words, just these.
    figures : list of dict
        Bundles of the published figures, in order.
    """

    opening: str
    rest: str
    headings: list[Heading]
    answer: str
    figures: list[dict[str, Any]]


def write_body(notebook: NotebookNode, root: Path, pages: Collection[str]) -> Body:
    """Turn an executed notebook into html.

    Parameters
    ----------
    notebook : NotebookNode
        With outputs. It is changed: charts become html.
    root : pathlib.Path
        The checkout: pictures named by prose are looked up from its notebooks folder.
    pages : collection of str
        Names of the notebooks that have a page; links to them are turned.

    Returns
    -------
    Body
        Html and what the index needs.

    Raises
    ------
    ReportError
        When a chart lacks words or a picture, or a picture named by prose is not there.
    """
    published = _draw_charts(notebook)
    opening = _Rewriter(root, pages)
    opening.feed(align_numbers(_html([notebook.cells[0]], notebook)))
    rest = _Rewriter(root, pages)
    rest.feed(align_numbers(_html(notebook.cells[1:], notebook)))
    answer = notebook.cells[0].metadata.get("answer") or _answer(opening)
    return Body(opening.html, rest.html, opening.headings + rest.headings, answer, published)


def _draw_charts(notebook: NotebookNode) -> list[dict[str, Any]]:
    """Replace charts by html; return the published ones."""
    published: list[dict[str, Any]] = []
    for number, output in enumerate(_outputs(notebook), start=1):
        bundle = output.data.get(figures.FIGURE)
        if bundle:
            published.append(dict(bundle))
            output.data = {"text/html": figures.figure_html(bundle)}
        elif figures.CHART in output.data:
            output.data = {"text/html": figures.chart_html(output.data, number)}
        elif set(output.data) & {"image/svg+xml", "image/png"} and "text/html" not in output.data:
            output.data = {"text/html": _picture_html(output)}
    return published


def _outputs(notebook: NotebookNode) -> list[NotebookNode]:
    cells = (cell for cell in notebook.cells if cell.cell_type == "code")
    return [output for cell in cells for output in cell.outputs if "data" in output]


def _picture_html(output: NotebookNode) -> str:
    words = output.metadata.get("alt") or ""
    if svg := output.data.get("image/svg+xml"):
        source = figures.address("image/svg+xml", svg)
    else:
        source = f"data:image/png;base64,{output.data['image/png'].strip()}"
    return f'<p class="picture"><img src="{escape(source)}" alt="{escape(words)}"></p>'


def _html(cells: list[NotebookNode], notebook: NotebookNode) -> str:
    from nbformat import from_dict  # noqa: PLC0415 - loading it takes as long as a build with nothing to do

    part = from_dict({**notebook, "cells": cells, "metadata": _PYTHON})
    return str(_exporter().from_notebook_node(part)[0])


@cache
def _exporter() -> HTMLExporter:
    from nbconvert import HTMLExporter  # noqa: PLC0415 - loading it takes seconds
    from traitlets.config import Config  # noqa: PLC0415 - see above

    return HTMLExporter(
        template_name="page",
        extra_template_basedirs=[str(Path(__file__).parents[1])],
        exclude_anchor_links=True,
        config=Config({"NbConvertBase": {"display_data_priority": list(SHOWN)}}),
    )


def _answer(opening: _Rewriter) -> str:
    bold = _BOLD.search(opening.html)
    answer = words(bold[1]) if bold else opening.first_paragraph
    return re.sub(r"[ \n\t]+", " ", answer).strip()  # a no-break space stays


@dataclass
class _Rewriter(HTMLParser):
    """Copies html: turns links to notebooks, takes pictures in, boxes tables, notes headings, binds units."""

    root: Path
    pages: Collection[str]
    pieces: list[str] = field(default_factory=list)
    headings: list[Heading] = field(default_factory=list)
    first_paragraph: str = ""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self._reading = ""
        self._began = 0
        self._verbatim = 0
        self._text = ""

    @property
    def html(self) -> str:
        return "".join(self.pieces)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        raw, given = self.get_starttag_text() or "", dict(attrs)
        self._verbatim += tag in _VERBATIM
        if tag == "a" and given.get("href"):
            raw = _with(raw, "href", given["href"] or "", self._turned(given["href"] or ""))
        elif tag == "img" and given.get("src"):
            raw = _with(raw, "src", given["src"] or "", self._taken_in(given["src"] or ""))
        elif tag == "table":
            raw = f'<div class="scroll" tabindex="0" role="region" aria-label="Table">{raw}'
        elif re.fullmatch(r"h[1-6]", tag) or (tag == "p" and not self.first_paragraph):
            self._begin(tag)
        self.pieces.append(raw)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        self._verbatim -= tag in _VERBATIM
        self.pieces.append(f"</{tag}></div>" if tag == "table" else f"</{tag}>")
        if tag != self._reading:
            return
        if tag == "p":
            self.first_paragraph = self._text
        else:
            self._end_heading()
        self._reading = ""

    def handle_data(self, data: str) -> None:
        data = data if self._verbatim else _UNIT.sub("\u00a0", data)
        self.pieces.append(data)
        self._text += data

    def handle_entityref(self, name: str) -> None:
        self.pieces.append(f"&{name};")
        self._text += unescape(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.pieces.append(f"&#{name};")
        self._text += unescape(f"&#{name};")

    def _begin(self, tag: str) -> None:
        self._reading, self._began, self._text = tag, len(self.pieces), ""

    def _end_heading(self) -> None:
        """Note a heading, and give it the name by which JupyterLab's links call it."""
        words = " ".join(self._text.split())
        anchor = words.replace(" ", "-")
        self.pieces[self._began] = f'<{self._reading} id="{escape(anchor)}">'
        self.headings.append(Heading(int(self._reading[1]), anchor, words))

    def _turned(self, link: str) -> str:
        """Turn a link to a notebook into one to its page, or to the notebook where it has none."""
        parts = urlsplit(link)
        path = Path(unquote(parts.path))
        if parts.scheme or path.suffix != ".ipynb" or len(path.parts) != 1:
            return link
        target = f"{path.stem}.html" if path.stem in self.pages else f"../notebooks/{path.name}"
        return quote(target) + (f"#{parts.fragment}" if parts.fragment else "")

    def _taken_in(self, source: str) -> str:
        """Turn a picture's address into one that holds the picture."""
        if source.startswith("data:"):
            return source
        path = self.root / "notebooks" / unquote(source)
        kind = mimetypes.guess_type(path.name)[0] or ""
        if not path.is_file() or not kind.startswith("image/"):
            raise ReportError(
                f"A notebook shows the picture {source!r}, which is not there (looked for {path}). Publish "
                "the figure first, or correct the address; it is read from the notebooks folder."
            )
        return f"data:{kind};base64,{b64encode(path.read_bytes()).decode()}"


def _with(raw: str, name: str, old: str, new: str) -> str:
    """Return a start tag with another value for one attribute."""
    if new == old:
        return raw
    return re.sub(
        rf"""\b{name}\s*=\s*("[^"]*"|'[^']*'|[^\s>]+)""", lambda _: f'{name}="{escape(new)}"', raw, count=1
    )
