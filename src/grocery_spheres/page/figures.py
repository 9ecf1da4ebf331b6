"""How a chart in a notebook is written as html: a picture that needs no script, and a spec for the script."""

from __future__ import annotations

import base64
import csv
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grocery_spheres.page.checks import ReportError

if TYPE_CHECKING:
    from jinja2 import Environment

FIGURE = "application/vnd.grocery-spheres.figure+json"
CHART = "application/vnd.vegalite.v5+json"
SVG = "image/svg+xml"

TABLE_ROWS = 40
"""A longer table is no reading matter; its csv is linked beside the figure."""

_SIZE = re.compile(r'<svg\b[^>]*?\bwidth="([\d.]+)"[^>]*?\bheight="([\d.]+)"')
_HYPHEN = re.compile(r"^-(?=[$\d.])")
_NUMBER = re.compile(r"[-−+]?\$?[\d,]*\.?\d+(e[-+]?\d+)?( ?%)?", re.IGNORECASE)


@dataclass(frozen=True)
class Label:
    """A kind of evidence: its key, the word on the badge, and what it means."""

    key: str
    name: str
    meaning: str


LABELS = {
    label.key: label
    for label in (
        Label("public", "Public", "Published data, listed under Sources with what its publisher says of it."),
        Label(
            "injected",
            "Injected",
            "A known outage put into the public data, to see whether a method finds it.",
        ),
        Label(
            "synthetic",
            "Synthetic",
            "An invented county; every assumption in it is stated and can be changed.",
        ),
    )
}


@dataclass(frozen=True)
class Picture:
    """A picture inside a page: its data address, width and height in pixels."""

    address: str
    width: str
    height: str


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading, and whether it holds numbers."""

    name: str
    number: bool


@dataclass(frozen=True)
class Table:
    """A small table: columns and rows of text."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]


def figure_html(bundle: Mapping[str, Any]) -> str:
    """Write a published figure as html. All its words are escaped.

    Parameters
    ----------
    bundle : mapping
        What `publish.figure` hands to a notebook: slug, title, subtitle, alt, source, evidence, note, specs
        and pictures for two widths, csv.

    Returns
    -------
    str
        A `figure` element.

    Raises
    ------
    ReportError
        When it has no alternative text or no picture.
    """
    _require(bundle["slug"], bundle.get("alt"), bundle.get("wide_svg"))
    return _template().render(
        slug=bundle["slug"],
        title=bundle["title"],
        subtitle=bundle["subtitle"],
        alt=bundle["alt"],
        source=bundle["source"],
        note=bundle.get("note", ""),
        evidence=labels(bundle["evidence"]),
        wide=picture(bundle["wide_svg"]),
        phone=picture(bundle["phone_svg"]) if bundle.get("phone_svg") else None,
        csv=address("text/csv;charset=utf-8", bundle["csv"]) if bundle.get("csv") else "",
        table=small_table(bundle.get("csv", "")),
        specs=_specs(bundle["alt"], {"wide": bundle["wide"], "phone": bundle["phone"]}),
    )


def chart_html(data: Mapping[str, Any], number: int) -> str:
    """Write a chart that was shown but not published as html.

    Parameters
    ----------
    data : mapping
        A notebook output: a spec, a picture, and the description as plain text.
    number : int
        Its place on the page, for the name.

    Returns
    -------
    str
        A `figure` element without caption.

    Raises
    ------
    ReportError
        When it has no description or no picture.
    """
    from grocery_spheres.charts import theme  # noqa: PLC0415 - Altair is slow to load and rarely needed here

    name, spec = f"chart-{number}", data[CHART]
    alt = str(spec.get("description") or "").strip()
    _require(name, alt, data.get(SVG))
    return _template().render(
        slug=name,
        title="",
        subtitle="",
        alt=alt,
        source="",
        note="",
        evidence=[],
        wide=picture(data[SVG]),
        phone=None,
        csv="",
        table=None,
        specs=_specs(alt, {"wide": theme.for_page(spec)}),
    )


def labels(evidence: str) -> list[Label]:
    """Return the labels of an evidence text.

    Examples
    --------
    >>> [label.name for label in labels("injected + public")]
    ['Injected', 'Public']
    """
    return [LABELS[key] for key in evidence.split(" + ")]


def picture(svg: str) -> Picture:
    """Wrap svg text as a picture that stands inside the page.

    Examples
    --------
    >>> picture('<svg width="640" height="400"></svg>').width
    '640'
    """
    found = _SIZE.search(svg)
    width, height = found.groups() if found else ("640", "400")
    return Picture(address(SVG, svg), width, height)


def address(kind: str, text: str) -> str:
    """Return text as an address that holds it.

    Examples
    --------
    >>> address("text/csv", "a")
    'data:text/csv;base64,YQ=='
    """
    return f"data:{kind};base64,{base64.b64encode(text.encode()).decode()}"


def small_table(text: str) -> Table | None:
    r"""Read csv text as a table, where it is short enough to be read on a page.

    Examples
    --------
    >>> small_table("town,sales\nA,-1.5\n").columns[1]
    Column(name='sales', number=True)
    >>> small_table("") is None
    True
    """
    header, *rows = list(csv.reader(text.splitlines())) or [[]]
    if not header or not 1 <= len(rows) <= TABLE_ROWS:
        return None
    columns = [Column(name, are_numbers([row[at] for row in rows])) for at, name in enumerate(header)]
    shown = [
        [true_minus(cell) if column.number else cell for cell, column in zip(row, columns, strict=True)]
        for row in rows
    ]
    return Table(columns, shown)


def true_minus(number: str) -> str:
    """Write the sign of a number below zero as prose does; a csv needs the hyphen.

    Examples
    --------
    >>> true_minus("-1.5"), true_minus("1.5"), true_minus("2.5e-07")
    ('−1.5', '1.5', '2.5e-07')
    """
    return _HYPHEN.sub("−", number)


def are_numbers(texts: Sequence[str]) -> bool:
    """Tell whether a column holds numbers: it is then aligned to the right.

    Examples
    --------
    >>> are_numbers(["1,200", "−3.5 %", ""]), are_numbers(["2045-06-17"]), are_numbers([""])
    (True, False, False)
    """
    filled = [text.strip() for text in texts if text.strip() not in {"", "null", "NaN", "–", "—"}]
    return bool(filled) and all(_NUMBER.fullmatch(text) for text in filled)


@cache
def environment() -> Environment:
    """Return the templates of this folder; whatever they are given is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - for speed, see report.py

    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _template() -> Any:
    return environment().get_template("figure.html.j2")


def _require(name: str, alt: str | None, svg: str | None) -> None:
    if not (alt or "").strip():
        raise ReportError(
            f"The chart {name!r} has no alternative text. Publish it with one, or give the chart a "
            "description (`.properties(description=...)`): one or two sentences with the key number."
        )
    if not svg:
        raise ReportError(
            f"The chart {name!r} carries no picture, so nothing would stand there without scripts. Call "
            "`charts.enable()` in the notebook's first code cell."
        )


def _specs(alt: str, specs: Mapping[str, Mapping[str, Any]]) -> str:
    """Write specs as json that cannot end its script element; data sets that they share are written once."""
    first = next(iter(specs.values())).get("datasets", {})
    shared = {name: rows for name, rows in first.items() if _all_hold(specs, name, rows)}
    bare = {size: _without(spec, shared) | {"description": alt} for size, spec in specs.items()}
    text = json.dumps({**bare, "datasets": shared}, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def _all_hold(specs: Mapping[str, Mapping[str, Any]], name: str, rows: object) -> bool:
    return all(spec.get("datasets", {}).get(name) == rows for spec in specs.values())


def _without(spec: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    own = {name: rows for name, rows in spec.get("datasets", {}).items() if name not in shared}
    kept = {key: value for key, value in spec.items() if key not in {"$schema", "datasets"}}
    return {**kept, "datasets": own}
