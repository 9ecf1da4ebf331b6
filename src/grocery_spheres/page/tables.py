"""How the tables of a page are aligned: numbers to the right, text to the left."""

from __future__ import annotations

import re
from html import unescape

from grocery_spheres.page import figures

_TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL)
_ROW = re.compile(r"<tr\b.*?</tr>", re.DOTALL)
_CELL = re.compile(r"<(t[dh])\b([^>]*)>(.*?)</\1>", re.DOTALL)
_QUOTED = re.compile(r'^("|&quot;)(.*)\1$', re.DOTALL)
_TAG = re.compile(r"<[^>]+>")


def align_numbers(html: str) -> str:
    """Mark the cells of each table's numeric columns, so that the style sheet can align them.

    Tables with joined cells, and those with a style of their own, stay as they are.

    Examples
    --------
    >>> align_numbers("<table><tr><th>a</th></tr><tr><td>1.5</td></tr></table>")
    '<table><tr><th class="num">a</th></tr><tr><td class="num">1.5</td></tr></table>'
    """
    return _TABLE.sub(lambda found: _aligned(found[0]), html)


def words(html: str) -> str:
    """Return the words of a piece of html, without its tags.

    Examples
    --------
    >>> words("<b>A</b> &amp; B ")
    'A & B'
    """
    return unescape(_TAG.sub("", html)).strip()


def _aligned(table: str) -> str:
    if "span=" in table or "gt_table" in table or table.count("<table") > 1:
        return table
    rows = [_CELL.findall(row) for row in _ROW.findall(table)]
    # A row of headings holds <th> only; in polars' tables a row of column types follows it inside <thead>.
    body = [
        _CELL.findall(row) for row in _ROW.findall(re.sub(r"<thead.*?</thead>", "", table, flags=re.DOTALL))
    ]
    body = [row for row in body if any(kind == "td" for kind, _, _ in row)]
    width = max((len(row) for row in rows), default=0)
    if not body or any(len(row) != width for row in rows):
        return table
    numeric = [figures.are_numbers([words(row[at][2]) for row in body]) for at in range(width)]
    quoted = 'class="dataframe"' in table
    return _ROW.sub(lambda row: _marked(row[0], numeric, quoted), table)


def _marked(row: str, numeric: list[bool], quoted: bool) -> str:
    """Mark the numbers of a row, with a true minus; take off the quotation marks of polars around text."""
    place = iter(numeric)

    def cell(found: re.Match[str]) -> str:
        kind, given, inside = found.groups()
        inside = _QUOTED.sub(r"\2", inside) if quoted else inside
        number = next(place)
        inside = figures.true_minus(inside) if number and kind == "td" else inside
        mark = ' class="num"' if number and "class=" not in given else ""
        return f"<{kind}{given}{mark}>{inside}</{kind}>"

    return _CELL.sub(cell, row)
