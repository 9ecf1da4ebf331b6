"""How is a long list shown in a notebook and on a page? In parts that fold, each a table, all of it there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import polars as pl

from grocery_spheres import provenance, publishable
from grocery_spheres.charts.table import PublishedTable
from grocery_spheres.publishable import Caption, PublishError

_CELLS = "text-align:left;vertical-align:top;white-space:normal;min-width:6.5rem"


def folded_tables(
    slug: str,
    parts: Mapping[str, pl.DataFrame],
    *,
    title: str,
    subtitle: str,
    sources: Sequence[str],
    evidence: str,
    unit: str,
) -> PublishedTable:
    """Show a list of any length in parts that a reader opens one by one; nothing is written to disk.

    Parameters
    ----------
    slug : str
        Stable name: lower-case letters, digits, single hyphens.
    parts : mapping of str to polars.DataFrame
        Heading of each part to its rows; text columns only.
    title, subtitle, sources, evidence, unit
        As in `publish.table`.

    Returns
    -------
    PublishedTable
        Semantic html that folds without scripts, and the same as plain text.

    Raises
    ------
    PublishError
        When something is missing, or a column is not text.

    Examples
    --------
    >>> rows = pl.DataFrame({"assumption": ["habit"], "value": ["2.5"]})
    >>> words = {"title": "Each number is an assumption", "subtitle": "By part", "unit": "see rows"}
    >>> shown = folded_tables("all", {"choice": rows}, **words, sources=["county_2045"], evidence="synthetic")
    >>> shown.html.count("<details>"), shown.text.splitlines()[3]
    (1, 'choice (1)')
    """
    publishable.check_caption(Caption(slug, title, subtitle, sources, evidence, unit))
    for name, rows in parts.items():
        if not rows.height or any(kind != pl.String for kind in rows.dtypes):
            raise PublishError(f"{slug!r}: its part {name!r} has no rows, or a column that is not text.")
    footer = publishable.footer(provenance.source_line(sources), evidence, "")
    folds = "".join(_fold(name, rows) for name, rows in parts.items())
    markup = (
        f"<style>#table-{slug} th,#table-{slug} td{{{_CELLS}}}</style>"
        f'<figure class="gs-table" id="table-{slug}"><p><strong>{escape(title)}</strong><br>'
        f'<span class="gs-subtitle">{escape(subtitle)} ({escape(unit)})</span></p>{folds}'
        f'<figcaption class="gs-source">{escape(footer)}</figcaption></figure>'
    )
    lists = [line for name, rows in parts.items() for line in _plain(name, rows)]
    return PublishedTable(slug, markup, "\n".join([title, f"{subtitle} ({unit})", "", *lists, footer]))


def _fold(name: str, rows: pl.DataFrame) -> str:
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in rows.columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(text or '')}</td>" for text in row) + "</tr>"
        for row in rows.iter_rows()
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f"<details><summary>{escape(name)} ({rows.height})</summary>{table}</details>"


def _plain(name: str, rows: pl.DataFrame) -> list[str]:
    return [
        f"{name} ({rows.height})",
        *("  ".join(text or "" for text in row) for row in rows.iter_rows()),
        "",
    ]
