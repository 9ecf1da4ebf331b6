"""How the body of a page gets its shell: style, fonts, script, policy, sources; and the index its list."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from grocery_spheres import provenance
from grocery_spheres.kernels import write_text
from grocery_spheres.page import figures
from grocery_spheres.page.body import Body
from grocery_spheres.page.checks import ReportError

FONTS = {400: "Inter-Regular.woff2", 600: "Inter-SemiBold.woff2"}
"""Shipped weights of Inter; they stand inside the page."""

_OF_TABLE = re.compile(r'class="gs-source">[^<]*Evidence: ([a-z]+(?: \+ [a-z]+)*)')
_HERE = Path(__file__).parent
_FONT_FOLDER = _HERE.parent / "charts" / "fonts"


@dataclass(frozen=True)
class Summary:
    """What the index says of a page.

    Attributes
    ----------
    name, title, answer : str
        The notebook's name, its heading, and its first paragraph.
    evidence : list of str
        Keys of the labels that its figures and tables carry.
    figures : int
        How many it publishes.
    thumbnail, thumbnail_phone, thumbnail_alt : str
        The first figure as an address that holds it, the same for a phone (empty without one), and its words.
    """

    name: str
    title: str
    answer: str
    evidence: list[str]
    figures: int
    thumbnail: str
    thumbnail_phone: str
    thumbnail_alt: str


def summarise(name: str, body: Body) -> Summary:
    """Say what the index says of a page.

    Raises
    ------
    ReportError
        When the notebook does not begin with a heading and an answer.
    """
    if not body.headings or body.headings[0].level != 1 or not body.answer:
        raise ReportError(
            f"Notebook {name} must begin with a markdown cell that holds a first-level heading (`# ...`) "
            "and, below it, a paragraph with the answer: the index quotes both."
        )
    first = body.figures[0] if body.figures else None
    stated = [bundle["evidence"] for bundle in body.figures] + _OF_TABLE.findall(body.opening + body.rest)
    carried = {label.key for evidence in stated for label in figures.labels(evidence)}
    return Summary(
        name=name,
        title=body.headings[0].text,
        answer=body.answer,
        evidence=[key for key in figures.LABELS if key in carried],
        figures=len(body.figures),
        thumbnail=figures.picture(first["wide_svg"]).address if first else "",
        thumbnail_phone=figures.picture(first["phone_svg"]).address
        if first and first.get("phone_svg")
        else "",
        thumbnail_alt=first["alt"] if first else "",
    )


def notebook_page(root: Path, body: Body, summary: Summary) -> str:
    """Write the page of a notebook: one file that loads nothing."""
    charts = 'class="specs"' in body.rest + body.opening
    return _render(
        "notebook.html.j2",
        root,
        [_bundle(root), _file("page.js")] if charts else [_file("page.js")],
        title=f"{summary.title} · Grocery Spheres",
        description=summary.answer,
        imprint=f"Made from notebooks/{summary.name}.ipynb. {_made_with(root)}",
        evidence=[figures.LABELS[key] for key in summary.evidence],
        has_code='class="code"' in body.rest + body.opening,
        opening=body.opening,
        contents=[heading for heading in body.headings if heading.level == 2],
        body=body.rest,
    )


def contents_page(root: Path, summaries: Sequence[Summary]) -> str:
    """Write the index: each page with its answer in a line, its evidence and its first figure."""
    pages = [
        {**asdict(summary), "labels": [figures.LABELS[key] for key in summary.evidence]}
        for summary in summaries
    ]
    return _render(
        "contents.html.j2",
        root,
        [],
        title="Grocery Spheres: the reports",
        description="What an outage does to grocery demand: every report with its answer.",
        imprint=_made_with(root),
        pages=pages,
    )


def policy(scripts: Sequence[str]) -> str:
    """Return a content security policy that lets a page run just its own scripts and load nothing.

    Examples
    --------
    >>> policy([]).startswith("default-src 'none'; script-src 'none'; ")
    True
    """
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; "
        "font-src data:; base-uri 'none'; form-action 'none'"
    )


def _render(template: str, root: Path, scripts: Sequence[str], **words: Any) -> str:
    return (
        figures.environment()
        .get_template(template)
        .render(
            policy=policy(scripts),
            scripts=scripts,
            style=_fonts() + _file("page.css"),
            labels=figures.LABELS.values(),
            cards=provenance.cards().values(),
            **words,
        )
    )


def _made_with(root: Path) -> str:
    lock = root / "requirements.txt"
    environment = f"environment {provenance.sha256(lock)[:12]}" if lock.exists() else "environment not locked"
    return f"grocery-spheres {metadata.version('grocery-spheres')}, {environment}."


def _fonts() -> str:
    faces = (
        f"@font-face{{font-family:Inter;font-weight:{weight};font-display:swap;"
        f'src:url("data:font/woff2;base64,{base64.b64encode((_FONT_FOLDER / name).read_bytes()).decode()}")'
        ' format("woff2")}\n'
        for weight, name in FONTS.items()
    )
    return "".join(faces)


def _bundle(root: Path) -> str:
    """Return Vega and all it needs as one script, kept by version of vl-convert: making it takes seconds."""
    kept = root / "reports" / "executed" / ".cache" / f"vega-{metadata.version('vl-convert-python')}.js"
    if not kept.exists():
        import vl_convert  # noqa: PLC0415 - slow to load, and rarely needed

        write_text(kept, vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version="6.4"))
    script = kept.read_text(encoding="utf-8")
    if "</script" in script.lower():
        raise ReportError(
            f"The charts' script {kept} would end the element it stands in. Delete it and build again."
        )
    return script


def _file(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")
