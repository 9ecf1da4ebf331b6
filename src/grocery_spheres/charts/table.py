"""How a small table is shown in a notebook and on a page: as markup, but never the data's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import polars as pl

from grocery_spheres import provenance, publishable
from grocery_spheres.charts import cells
from grocery_spheres.publishable import Caption, PublishError

MAX_TABLE_ROWS = 10
"""Rows that a reader takes in; more belong in a chart or a file."""

EMPTY = "–"
"""What stands where a value is missing."""


@dataclass(frozen=True)
class PublishedTable:
    """A table as markup and as plain text; a notebook shows the first, a terminal the second."""

    slug: str
    html: str
    text: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text


def table(
    slug: str,
    frame: pl.DataFrame,
    *,
    title: str,
    subtitle: str,
    sources: Sequence[str],
    evidence: str,
    unit: str,
    formats: Mapping[str, int] | None = None,
    note: str = "",
) -> PublishedTable:
    """Show a small table with its finding, source and evidence; nothing is written to disk.

    Parameters
    ----------
    slug : str
        Stable name of the table: lower-case letters, digits, single hyphens.
    frame : polars.DataFrame
        At most ten rows, in the order shown; columns with readable names.
    title : str
        The finding, 4 to 16 words, no full stop.
    subtitle : str
        What the rows and columns are.
    sources : sequence of str
        Keys of cards in data/sources.toml.
    evidence : str
        "public", "injected", "synthetic", or several joined by " + ".
    unit : str
        Unit of what is measured.
    formats : mapping of str to int, optional
        Decimals by numeric column; other fractional numbers get six significant digits.
    note : str, optional
        Stands at the end of the footer.

    Returns
    -------
    PublishedTable
        A semantic html table, and the same as plain text.

    Raises
    ------
    PublishError
        When something is missing, or there are more than ten rows.

    Examples
    --------
    >>> frame = pl.DataFrame({"store": ["319", "374"], "baskets": [1200, 950]})
    >>> words = {"title": "Store 319 has the most baskets", "subtitle": "Baskets by store, 2017"}
    >>> table("stores", frame, **words, sources=["complete_journey"], evidence="public", unit="baskets")
    Store 319 has the most baskets
    Baskets by store, 2017 (baskets)
    <BLANKLINE>
    store  baskets
    319      1,200
    374        950
    <BLANKLINE>
    Source: The Complete Journey ... · Evidence: public
    """
    formats = dict(formats or {})
    publishable.check_caption(Caption(slug, title, subtitle, sources, evidence, unit, note))
    cells.check_frame(slug, frame, formats)
    if frame.height > MAX_TABLE_ROWS:
        raise PublishError(
            f"{slug!r}: the table has {frame.height:,} rows; {MAX_TABLE_ROWS} are shown at most. "
            "Choose the rows that carry the finding, or draw a figure, which ships its csv."
        )
    rows = _shown(slug, frame, formats)
    numeric = [dtype.is_numeric() for dtype in frame.dtypes]
    footer = publishable.footer(provenance.source_line(sources), evidence, note)
    caption = (title, f"{subtitle} ({unit})", footer)
    html = _html(slug, _markup(frame.columns, rows, numeric), caption)
    return PublishedTable(slug, html, _plain(frame.columns, rows, numeric, caption))


def _shown(slug: str, frame: pl.DataFrame, formats: Mapping[str, int]) -> list[list[str]]:
    """Return the texts of all cells: numbers with thousands marks and a typographic minus."""
    return [
        [
            _shown_cell(cells.cell_text(slug, name, value, formats.get(name)), value)
            for name, value in zip(frame.columns, row, strict=True)
        ]
        for row in frame.iter_rows()
    ]


def _shown_cell(text: str, value: object) -> str:
    if value is None:
        return EMPTY
    if isinstance(value, str | bool) or not text.lstrip("-")[:1].isdigit() or not hasattr(value, "__float__"):
        return text
    whole, point, places = text.partition(".")
    digits = whole.lstrip("-")
    grouped = f"{int(digits):,}" if digits.isdigit() else digits
    return ("−" if whole.startswith("-") else "") + grouped + point + places


def _html(slug: str, content: str, caption: tuple[str, str, str]) -> str:
    title, subtitle, footer = (escape(text) for text in caption)
    return (
        f'<figure class="gs-table" id="table-{slug}"><table>'
        f'<caption><strong>{title}</strong><br><span class="gs-subtitle">{subtitle}</span></caption>'
        f'{content}</table><figcaption class="gs-source">{footer}</figcaption></figure>'
    )


def _markup(columns: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[bool]) -> str:
    head = "".join(
        f'<th scope="col"{_align(right)}>{escape(name)}</th>'
        for name, right in zip(columns, numeric, strict=True)
    )
    body = "".join(f"<tr>{_cells(row, numeric)}</tr>" for row in rows)
    return f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"


def _cells(row: Sequence[str], numeric: Sequence[bool]) -> str:
    return "".join(
        f"<td{_align(right)}>{escape(text)}</td>" for text, right in zip(row, numeric, strict=True)
    )


def _align(right: bool) -> str:
    # Inline, because a notebook has no stylesheet of ours; figures of equal width line up below each other.
    side = "right" if right else "left"
    digits = ";font-variant-numeric:tabular-nums" if right else ""
    return f' style="text-align:{side}{digits}"'


def _plain(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    numeric: Sequence[bool],
    caption: tuple[str, str, str],
) -> str:
    title, subtitle, footer = caption
    widths = [max(len(text) for text in texts) for texts in zip(columns, *rows, strict=True)]
    lines = [
        "  ".join(
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(row, widths, numeric, strict=True)
        ).rstrip()
        for row in [columns, *rows]
    ]
    return "\n".join([title, subtitle, "", *lines, "", footer])
