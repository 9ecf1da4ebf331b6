"""How a published frame is written as text: whether its columns can be, and each value at its precision."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

import polars as pl

from grocery_spheres.publishable import MAX_ROWS, PublishError

SIGNIFICANT_DIGITS = 6
"""Digits of a fractional number without a format: more than any chart shows, fewer than rounding noise."""

MAX_DECIMALS = 10
"""Decimals beyond this are noise in a double."""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""First characters that make a spreadsheet read a text cell as a formula."""


def check_frame(slug: str, data: pl.DataFrame, formats: Mapping[str, int]) -> None:
    """Refuse a frame that is empty, too long, or does not fit the formats given for its columns.

    Parameters
    ----------
    slug : str
        Names the figure or table in the message.
    data : polars.DataFrame
        The plotted rows and columns.
    formats : mapping of str to int
        Decimals shown, by numeric column.

    Raises
    ------
    PublishError
        When it has no rows or more than 5000, when a format names a column that is not there or not
        numeric, or decimals outside 0 to 10.

    Examples
    --------
    >>> check_frame("mix", pl.DataFrame({"share": [0.25]}), {"shares": 2})
    Traceback (most recent call last):
    ...
    grocery_spheres.publishable.PublishError: 'mix': formats names 'shares'; the columns are share. ...
    """
    if not isinstance(data, pl.DataFrame):
        raise PublishError(
            f"{slug!r}: its data are {type(data).__name__}, not a polars DataFrame. Collect or convert first."
        )
    if not 1 <= data.height <= MAX_ROWS:
        raise PublishError(
            f"{slug!r}: its data have {data.height:,} rows; 1 to {MAX_ROWS:,} are allowed. "
            "Aggregate first, and pass just the plotted rows and columns."
        )
    for column, decimals in formats.items():
        _check_format(slug, data, column, decimals)


def csv_text(slug: str, data: pl.DataFrame, formats: Mapping[str, int]) -> str:
    r"""Write a frame as csv text that a spreadsheet cannot mistake for formulas.

    Parameters
    ----------
    slug : str
        Names the figure in a message.
    data : polars.DataFrame
        The plotted rows and columns.
    formats : mapping of str to int
        Decimals by numeric column; other fractional numbers get six significant digits.

    Returns
    -------
    str
        A header line and one line a row, each ended by a line feed. Nulls are empty. Dates are ISO 8601.

    Raises
    ------
    PublishError
        When a value is not finite, or a column holds something that is no text, number, date or truth value.

    Examples
    --------
    >>> frame = pl.DataFrame({"item": ["=1+1", "tea"], "price (USD)": [2.0, -1.256]})
    >>> csv_text("prices", frame, {"price (USD)": 2})
    "item,price (USD)\n'=1+1,2.00\ntea,-1.26\n"
    """
    decimals = [formats.get(name) for name in data.columns]
    lines = [_csv_line([_guarded(name) for name in data.columns])]
    for row in data.iter_rows():
        texts = [
            _guarded(value) if isinstance(value, str) else cell_text(slug, name, value, places)
            for name, value, places in zip(data.columns, row, decimals, strict=True)
        ]
        lines.append(_csv_line(texts))
    return "".join(lines)


def cell_text(slug: str, column: str, value: object, decimals: int | None = None) -> str:
    """Write one value as plain text, with an ASCII minus and no thousands marks.

    Parameters
    ----------
    slug : str
        Names the figure in a message.
    column : str
        Names the column in a message.
    value : object
        A text, number, date, time stamp, truth value or None.
    decimals : int, optional
        Places behind the point of a number.

    Returns
    -------
    str
        The text; empty for None; never a negative zero.

    Raises
    ------
    PublishError
        When the value is not finite or of another kind.

    Examples
    --------
    >>> cell_text("mix", "share", -0.0004, 2), cell_text("mix", "share", 1 / 3), cell_text("mix", "rows", 12)
    ('0.00', '0.333333', '12')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int | float | Decimal):
        return _number_text(slug, column, value, decimals)
    if isinstance(value, date | datetime):
        return value.isoformat()
    message = (
        f"{slug!r}: column {column!r} holds a {type(value).__name__} ({value!r}). "
        "Publish texts, numbers, dates and truth values only."
    )
    raise PublishError(message)


def _check_format(slug: str, data: pl.DataFrame, column: str, decimals: int) -> None:
    if column not in data.columns:
        raise PublishError(
            f"{slug!r}: formats names {column!r}; the columns are {', '.join(data.columns)}. Correct it."
        )
    if not data.schema[column].is_numeric():
        raise PublishError(
            f"{slug!r}: formats gives decimals for {column!r}, which holds {data.schema[column]}. Drop it."
        )
    if isinstance(decimals, bool) or not isinstance(decimals, int) or not 0 <= decimals <= MAX_DECIMALS:
        raise PublishError(
            f"{slug!r}: {column!r} has {decimals!r} decimals. Give a number from 0 to {MAX_DECIMALS}."
        )


def _number_text(slug: str, column: str, value: float | Decimal, decimals: int | None) -> str:
    if not math.isfinite(value):
        message = (
            f"{slug!r}: column {column!r} holds {value}, which no chart can show. "
            "Make it null, or leave the row out and say so in the note."
        )
        raise PublishError(message)
    if decimals is None:
        text = str(value) if isinstance(value, int) else f"{value:.{SIGNIFICANT_DIGITS}g}"
    else:
        text = f"{value:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def _csv_line(texts: Sequence[str]) -> str:
    # The writer quotes a carriage return inside a cell only where its own line end holds one.
    line = io.StringIO(newline="")
    csv.writer(line, lineterminator="\r\n").writerow(texts)
    return line.getvalue().removesuffix("\r\n") + "\n"


def _guarded(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
