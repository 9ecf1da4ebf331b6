"""How a figure leaves a notebook: pictures, data and words in one bundle, or not at all.

`figure` is the only way out. It refuses what lacks a finding, a unit, a source, an evidence label, an
alternative text or data, and writes five files under reports/figures/: `<slug>.svg` (640 pixels wide),
`<slug>.phone.svg` (360), `<slug>.png` (the wide one at double size), `<slug>.csv` and `<slug>.json`.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import altair as alt
import polars as pl

from grocery_spheres import provenance, publishable
from grocery_spheres.charts import card, cells, renderer, theme, wrap
from grocery_spheres.charts.table import PublishedTable, table
from grocery_spheres.publishable import Caption, PublishError

__all__ = ["PublishError", "PublishedFigure", "PublishedTable", "figure", "table"]

FIGURE_MIME = "application/vnd.grocery-spheres.figure+json"
"""Under this key the report template finds a figure."""

Draw = Callable[[pl.DataFrame, int], alt.TopLevelMixin]
"""Data and a width of 640 or 320 pixels in, a bare chart out."""


@dataclass(frozen=True)
class PublishedFigure:
    """A figure as it was published: its words, both specs, both pictures, its data.

    `wide` and `phone` are Vega-Lite specs for a page: transparent, inks in the page's text colour, without
    title and source, which the page sets as text. A notebook shows the figure by itself.
    """

    slug: str
    title: str
    subtitle: str
    alt: str
    source: str
    evidence: str
    unit: str
    note: str
    wide: dict[str, Any]
    phone: dict[str, Any]
    wide_svg: str
    phone_svg: str
    csv: str
    lab: dict[str, Any]

    def _repr_mimebundle_(self, **_options: object) -> dict[str, Any]:
        page = {name: value for name, value in vars(self).items() if name != "lab"}
        return {
            renderer.LAB_MIME: self.lab,
            FIGURE_MIME: page,
            "image/svg+xml": self.wide_svg,
            "text/plain": self.alt,
        }


def figure(
    slug: str,
    draw: Draw,
    data: pl.DataFrame,
    *,
    title: str,
    subtitle: str,
    alt: str,
    sources: Sequence[str],
    evidence: str,
    unit: str,
    formats: Mapping[str, int] | None = None,
    note: str = "",
) -> PublishedFigure:
    """Publish a figure: check it, draw it for article and phone, write its five files.

    Parameters
    ----------
    slug : str
        Stable name of the figure: lower-case letters, digits, single hyphens.
    draw : callable
        `draw(data, width)` returns the bare chart, without a title. Called with 640 and with 320. A chart of
        one view is fitted, axes and labels included, into 608 or 320 pixels, whatever its own width. Several
        views keep their widths: together with axes at most 640 or 360 pixels.
    data : polars.DataFrame
        Just the plotted rows (1 to 5000) and columns, with readable names that carry their unit.
    title : str
        The finding, 4 to 16 words (aim for 5 to 12), no full stop.
    subtitle : str
        What is plotted: measure, unit, place, period.
    alt : str
        One or two sentences for those who do not see it, ended by a full stop.
    sources : sequence of str
        Keys of cards in data/sources.toml; the source line is built from them.
    evidence : str
        "public", "injected", "synthetic", or several joined by " + ".
    unit : str
        Unit of what is measured.
    formats : mapping of str to int, optional
        Decimals by numeric column, in the csv. Other fractional numbers get six significant digits.
    note : str, optional
        Stands at the end of the footer.

    Returns
    -------
    PublishedFigure
        Shows itself in a notebook.

    Raises
    ------
    PublishError
        When anything is missing or does not fit; then the files of an earlier run stay as they were.

    Examples
    --------
    >>> frame = pl.DataFrame({"day": ["Sunday"], "baskets": [61_000]})
    >>> figure("week", None, frame, title="Sundays", subtitle="Baskets by weekday, 2017",
    ...     alt="One bar.", sources=["complete_journey"], evidence="public", unit="baskets")
    Traceback (most recent call last):
    ...
    grocery_spheres.publishable.PublishError: 'week': its title has 1 words ('Sundays'). ...
    """
    formats = dict(formats or {})
    publishable.check_caption(Caption(slug, title, subtitle, sources, evidence, unit, note))
    publishable.check_alt(slug, alt, title)
    cells.check_frame(slug, data, formats)
    source = provenance.source_line(sources)
    words = card.Words(title, subtitle, publishable.footer(source, evidence, note))
    specs = {width: _spec(slug, draw, data, width, alt) for width in (theme.WIDE, theme.PHONE)}
    cards = {width: card.draw(slug, spec, words, alt=alt, width=width) for width, spec in specs.items()}
    published = PublishedFigure(
        slug=slug,
        title=title,
        subtitle=subtitle,
        alt=alt,
        source=source,
        evidence=evidence,
        unit=unit,
        note=note,
        wide=theme.for_page(specs[theme.WIDE]),
        phone=theme.for_page(specs[theme.PHONE]),
        wide_svg=cards[theme.WIDE].svg,
        phone_svg=cards[theme.PHONE].svg,
        csv=cells.csv_text(slug, data, formats),
        lab=_lab_spec(slug, specs[theme.WIDE], words),
    )
    _write(published, _files(published, sources, data, cards))
    return published


def _spec(slug: str, draw: Draw, data: pl.DataFrame, width: int, alt_text: str) -> dict[str, Any]:
    theme.enable()
    spec = draw(data, width).to_dict()
    if "title" in spec:
        raise PublishError(
            f"{slug!r}: its chart has a title of its own. Leave it out; publish.figure adds it."
        )
    if spec.get("width") == "container":
        raise PublishError(
            f"{slug!r}: its chart has the width 'container', which no picture can follow. Use the one given."
        )
    return {**card.fitted(spec, width), "description": alt_text}


def _lab_spec(slug: str, spec: dict[str, Any], words: card.Words) -> dict[str, Any]:
    room = card.IMAGE_WIDTH[theme.WIDE]
    title = {
        "text": list(wrap.wrapped(slug, words.title, theme.TITLE_SIZE, room)),
        "subtitle": list(wrap.wrapped(slug, words.subtitle, theme.SUBTITLE_SIZE, room)),
    }
    return renderer.lab_spec({**spec, "title": title})


def _files(
    published: PublishedFigure, sources: Sequence[str], data: pl.DataFrame, cards: Mapping[int, card.Card]
) -> dict[str, bytes]:
    """Return the content of each file, by its name."""
    wide, phone = cards[theme.WIDE], cards[theme.PHONE]
    csv = published.csv.encode()
    described = {
        **{name: getattr(published, name) for name in ("slug", "title", "subtitle", "source")},
        "sources": list(sources),
        **{name: getattr(published, name) for name in ("evidence", "unit", "alt", "note")},
        "sizes": {
            "wide": [wide.width, wide.height],
            "phone": [phone.width, phone.height],
            "png": [wide.width * card.PNG_SCALE, wide.height * card.PNG_SCALE],
        },
        "columns": list(data.columns),
        "rows": data.height,
        "csv_sha256": hashlib.sha256(csv).hexdigest(),
    }
    return {
        f"{published.slug}.svg": wide.svg.encode(),
        f"{published.slug}.phone.svg": phone.svg.encode(),
        f"{published.slug}.png": card.png(wide),
        f"{published.slug}.csv": csv,
        f"{published.slug}.json": (json.dumps(described, indent=2, ensure_ascii=False) + "\n").encode(),
    }


def _write(published: PublishedFigure, files: Mapping[str, bytes]) -> None:
    """Write all files aside, then move them into place: a failure leaves an earlier bundle as it was."""
    folder = provenance.root() / "reports" / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{published.slug}-", dir=folder))
    try:
        for name, content in files.items():
            (aside / name).write_bytes(content)
        for name in files:
            (aside / name).replace(folder / name)
    finally:
        shutil.rmtree(aside)
