"""What stands in a file of yours? CSV or Parquet becomes a frame, or is refused in one paragraph.

Nothing is guessed at: a comma in a number, a day and a month that change places and a time zone are named,
not settled.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import polars as pl

from grocery_spheres.tables import ContractError, require_columns

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
"""What may stand between the fields of a CSV file; the one that the header holds most often is taken."""

MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None")
"""What stands for no value in a column of numbers; in a column of text only the first does."""

_MAGIC = {
    b"\x1f\x8b": "compressed by gzip: unpack it first",
    b"PK\x03\x04": "a zip archive, or a workbook (xlsx): save the sheet as CSV UTF-8",
    b"\xd0\xcf\x11\xe0": "an old workbook (xls): save the sheet as CSV UTF-8",
    b"\xff\xfe": "UTF-16: save it as CSV UTF-8",
    b"\xfe\xff": "UTF-16: save it as CSV UTF-8",
}
_PARQUET = b"PAR1"  # a Parquet file begins and ends with it
_WHOLE = r"^[+-]?(?:0|[1-9]\d*)$"  # 007 is a name, not a number
_NUMBER = r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$"
_MARKED = r"^[+-]?\d[\d.,'’ \u00a0\u202f]*$"  # digits with marks between: 1,234.50 or 12,5 or 1 234
_PADDED = r"^0\d+$"
_ZONED = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)? ?(?:Z|UTC|[+-]\d\d:?\d\d)$"
_COMPACT = (19_000_101, 21_001_231)  # 20450617 is a date without its hyphens
_LONGEST = 200_000  # characters of one field: more is a quotation mark that was never closed
_NAMED = 8  # columns that a message lists


@dataclass(frozen=True)
class _Source:
    """A file and how it is called in messages."""

    path: Path

    def refuse(self, fault: str) -> ContractError:
        """Return the refusal of this file."""
        return ContractError(f"The file {self.path.name!r} {fault}")


def read_table(
    path: str | Path, *, columns: Sequence[str] | None = None, numbers: Sequence[str] = ()
) -> pl.DataFrame:
    r"""Read a CSV or Parquet file of anyone's.

    Parameters
    ----------
    path : str or pathlib.Path
        The file. What it is, is told from its content and not from its name.
    columns : sequence of str, optional
        The columns that are needed; all if not given.
    numbers : sequence of str
        Those that must hold numbers; a cell that holds none is named with its row.

    Returns
    -------
    polars.DataFrame
        One row = one row of the file. From CSV: blanks around names and values are taken off, whole numbers
        become integers, others floats, everything else stays text (ids such as 007, dates). Empty cells are
        null, in columns of numbers also those of `MISSING`.

    Raises
    ------
    ContractError
        There is no such file; it is empty, binary, not UTF-8 or torn; rows have more or fewer fields than the
        header; a column is missing or named twice; numbers have commas; times have a zone.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "days.csv").write_text("shop;day;sales\n007;2045-06-17;12.5\n")
    ...     read_table(Path(folder, "days.csv")).rows()
    [('007', '2045-06-17', 12.5)]
    """
    source = _Source(Path(path))
    content = _content(source)
    frame = _parquet(source) if content.startswith(_PARQUET) else _csv(source, content)
    wanted = list(dict.fromkeys(frame.columns if columns is None else columns))
    require_columns(frame.columns, wanted, source.path.name)
    if frame.is_empty():
        raise source.refuse("has a header and no rows below it. Check what it was filtered on.")
    if content.startswith(_PARQUET):
        return frame.select(wanted)
    return frame.select(_typed(source, frame[name], must=name in numbers) for name in wanted)


def read_panel(path: str | Path, *, unit: str, time: str, outcome: str) -> pl.DataFrame:
    """Read the three columns of a long panel: one row = one unit and period.

    Parameters
    ----------
    path : str or pathlib.Path
        CSV or Parquet.
    unit, time, outcome : str
        Its columns; the outcome must hold numbers.

    Raises
    ------
    ContractError
        As `read_table`; or dates are written without hyphens, which would be read as numbers of periods.
    """
    frame = read_table(path, columns=(unit, time, outcome), numbers=(outcome,))
    moments = frame[time].drop_nulls()
    if moments.dtype.is_integer() and len(moments) and moments.is_between(*_COMPACT).all():
        raise _Source(Path(path)).refuse(
            f"has whole numbers such as {moments[0]} in the column {time!r}: they look like dates without "
            "hyphens. Write them as 2045-06-17, so that they are no numbers of periods."
        )
    return frame


# ---- bytes


def _content(source: _Source) -> bytes:
    path = source.path
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        near = f"the folder {path.parent} has no such file" if path.parent.is_dir() else "nor its folder"
        raise source.refuse(f"is not there ({near}). Check its path: {path}") from None
    except IsADirectoryError:
        raise source.refuse("is a folder. Name one CSV or Parquet file in it.") from None
    except (OSError, ValueError) as wrong:
        raise source.refuse(f"cannot be read ({wrong}). Check its path and who may read it.") from None
    if not content.strip():
        raise source.refuse("is empty. A panel has a header and one row for each unit and period.")
    for magic, kind in _MAGIC.items():
        if content.startswith(magic):
            raise source.refuse(f"is no CSV or Parquet file: it is {kind}.")
    return content


def _parquet(source: _Source) -> pl.DataFrame:
    try:
        return pl.read_parquet(source.path)
    except (pl.exceptions.PolarsError, OSError, ValueError) as wrong:
        first = str(wrong).splitlines()[0][:120] if str(wrong) else type(wrong).__name__
        raise source.refuse(
            f"begins as Parquet and cannot be read to its end ({first}). Copy it anew."
        ) from None


def _text(source: _Source, content: bytes) -> str:
    if b"\0" in content:
        raise source.refuse(
            "holds zero bytes: it is binary, whatever its name says. Give text (CSV, UTF-8) or Parquet."
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        line = content.count(b"\n", 0, wrong.start) + 1
        raise source.refuse(
            f"is not UTF-8 text: line {line:,} holds the byte 0x{content[wrong.start]:02x}. Save it as CSV "
            "UTF-8 (or convert it: iconv -f WINDOWS-1252 -t UTF-8)."
        ) from None


# ---- rows and fields


def _csv(source: _Source, content: bytes) -> pl.DataFrame:
    """Return a CSV file as text, every row with as many fields as the header."""
    text = _text(source, content)
    delimiter = _delimiter(source, text)
    rows = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    fields: list[list[str]] = []
    try:
        csv.field_size_limit(_LONGEST)
        names = _names(source, next(row for row in rows if row))
        for row in rows:
            if row:  # an empty line is none
                _refuse_ragged(source, row, names, rows.line_num, delimiter)
                fields.append(row)
    except csv.Error as wrong:
        raise source.refuse(
            f"breaks off near line {rows.line_num:,} ({wrong}). Look for a quotation mark that is not closed."
        ) from None
    across: Iterable[Sequence[str]] = zip(*fields, strict=True) if fields else [()] * len(names)
    columns = zip(names, across, strict=True)
    frame = {name: pl.Series(name, column, dtype=pl.String) for name, column in columns}
    return pl.DataFrame(frame).with_columns(pl.all().str.strip_chars())


def _delimiter(source: _Source, text: str) -> str:
    header = next(line for line in text.splitlines() if line.strip())
    bare = re.sub(r'"[^"]*"', "", header)
    counts = {mark: bare.count(mark) for mark in DELIMITERS}
    best = max(counts, key=lambda mark: counts[mark])
    if not counts[best]:
        raise source.refuse(
            f"has one column only, by its first line {header[:60]!r}. Fields stand apart by "
            f"{', '.join(DELIMITERS.values())}; a panel has at least three: unit, time and outcome."
        )
    if sorted(counts.values())[-2] == counts[best]:
        raise source.refuse(
            f"has a header with as many marks of one kind as of another ({header[:60]!r}), so what parts its "
            "fields cannot be told. Put commas between them, and quotation marks around names with commas."
        )
    return best


def _names(source: _Source, header: Sequence[str]) -> list[str]:
    """Return the names of the columns; one without a name is called by its place."""
    names = [name.strip() or f"column_{place}" for place, name in enumerate(header, start=1)]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise source.refuse(f"names a column twice: {', '.join(map(repr, doubled))}. Rename one of them.")
    return names


def _refuse_ragged(
    source: _Source, row: Sequence[str], names: Sequence[str], line: int, delimiter: str
) -> None:
    if len(row) == len(names):
        return
    listed = ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
    raise source.refuse(
        f"has {len(row)} fields in line {line:,} and {len(names)} in its header ({listed}), with a "
        f"{DELIMITERS[delimiter]} between fields. Look there for a number with a comma, a name that "
        "needs quotation marks, or a line that was cut."
    )


# ---- columns


def _typed(source: _Source, column: pl.Series, *, must: bool) -> pl.Series:
    """Return a column of text as whole numbers, numbers, or text."""
    filled = column.replace("", None)
    values = filled.set(filled.is_in(MISSING), None)
    known = values.drop_nulls()
    _refuse_zoned(source, known)
    if len(known) and known.str.contains(_WHOLE).all() and _fits(known):
        return values.cast(pl.Int64)
    padded = len(known) and known.str.contains(_PADDED).any() and not must
    if len(known) and known.str.contains(_NUMBER).all() and not padded:
        return values.cast(pl.Float64)
    _refuse_marks(source, known)
    if must:
        _refuse_words(source, values)
    return filled


def _fits(known: pl.Series) -> bool:
    return not known.cast(pl.Int64, strict=False).null_count()


def _refuse_zoned(source: _Source, known: pl.Series) -> None:
    zoned = known.filter(known.str.contains(_ZONED))
    if len(zoned):
        raise source.refuse(
            f"has times with a zone in the column {known.name!r} (such as {zoned[0]!r}). Give the store's "
            "local clock without a zone: a time in another zone puts sales on the wrong day."
        )


def _refuse_marks(source: _Source, known: pl.Series) -> None:
    """Refuse numbers in which a comma, blank or apostrophe could part decimals or thousands."""
    if not len(known) or not known.str.contains(_MARKED).all():
        return
    marked = known.filter(known.str.contains(r"[,'’ \u00a0\u202f]"))
    if len(marked):
        raise source.refuse(
            f"has numbers with a comma, a blank or an apostrophe in the column {known.name!r} (such as "
            f"{marked[0]!r}): whether it parts decimals or thousands is not guessed at. Write 1234.5."
        )


def _refuse_words(source: _Source, values: pl.Series) -> None:
    wrong = values.is_not_null() & ~values.str.contains(_NUMBER).fill_null(value=False)
    places = wrong.arg_true()
    if not len(places):  # there is no value at all
        return
    row, cell = places[0], values[places[0]]
    mark = " Write decimals with a point and thousands without a mark." if re.match(_MARKED, cell) else ""
    raise source.refuse(
        f"has {len(places):,} of {len(values):,} cells in the column {values.name!r} that are no number (the "
        f"first: {cell[:40]!r} in row {row + 1:,} below the header).{mark} Numbers look like 1234.5; leave a "
        "cell that nobody knows empty."
    )
