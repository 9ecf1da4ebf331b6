"""How a number in prose says where it comes from, and how it is written.

A number carries its id in a comment right behind it; readers see the number only:

    It kept 26.1 %<!-- relocation.retained.value|.1% --> of its customers.

The comment is `id.field|format`; field is `value`, `low` or `high`. Format is, in this order and all but
the last optional: `xFACTOR ` (multiply first: `x100 `, `x-1 `, `x1e-6 `), `$` (dollars), `+` (always a
sign), `,` (thousands), and `.Nf` (decimals) or `.N%` (per cent). So `.1%` is 26.1 %, `,.0f` is 1,469,307,
`$,.2f` is $1,234.50, and `x1e-6 .1f` is 1.5 for 1,469,307. A minus is written −. For bold, the comment
stays inside the stars. In the cell of a table, a backslash stands before the bar. Code is left alone.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from grocery_spheres.numbers import Number
from grocery_spheres.publishable import PublishError

_CITED = re.compile(r"<!--\s*(?P<id>[\w-]+(?:\.[\w-]+)+)\s*\\?\|(?P<format>.*?)-->")
_FORMAT = re.compile(r"(?:x(?P<factor>-?\d+(?:\.\d+)?(?:e-?\d+)?) +)?(?P<dollar>\$?)(?P<spec>\+?,?\.\d[f%])")
_NUMBER = re.compile(r"(?:(?<![\w%])[−+-])?\$?\d+(?:,\d+)*(?:\.\d+)?(?:[ \u00a0]?%)?$")
_CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")
_FENCES = ("```", "~~~")
_FIELDS = ("value", "low", "high")


@dataclass(frozen=True)
class Citation:
    """A comment and the number right before it.

    Attributes
    ----------
    cited : str
        `id.field`.
    form : str
        How the number is to be written.
    line : int
        From 1.
    start, end : int
        Place of the number in the text; equal where no number stands before the comment.
    """

    cited: str
    form: str
    line: int
    start: int
    end: int


def citations(text: str) -> Iterator[Citation]:
    """Find the comments that cite a number, outside code blocks and code.

    Parameters
    ----------
    text : str
        Markdown.

    Yields
    ------
    Citation
        In the order of the text.

    Examples
    --------
    >>> text = "It kept 26.1 %<!-- relocation.retained.value|.1% --> of them."
    >>> [(found.cited, found.form, text[found.start : found.end]) for found in citations(text)]
    [('relocation.retained.value', '.1%', '26.1 %')]
    """
    begin, fence = 0, ""
    for place, line in enumerate(text.splitlines(keepends=True), start=1):
        mark = next((mark for mark in _FENCES if line.lstrip().startswith(mark)), "")
        if mark and fence in ("", mark):
            fence = "" if fence else mark
        elif not fence:
            yield from _cited_in(line, place, begin)
        begin += len(line)


def looked_up(cited: str, known: Mapping[str, Number]) -> float:
    """Find the number that a comment cites.

    Parameters
    ----------
    cited : str
        `id.field`.
    known : mapping of str to Number
        The published numbers, by id.

    Returns
    -------
    float
        Value, low or high of that number.

    Raises
    ------
    PublishError
        When there is no such number or field; the message lists what is close.

    Examples
    --------
    >>> looked_up("relocation.kept.value", {})
    Traceback (most recent call last):
    ...
    grocery_spheres.publishable.PublishError: there is no number 'relocation.kept'. ...
    """
    name, _, field = cited.rpartition(".")
    if field not in _FIELDS:
        raise PublishError(f"{cited!r} does not end in .value, .low or .high.")
    if name not in known:
        close = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
        advice = (
            f"Close to it: {', '.join(close)}." if close else f"There are {len(known)} numbers, none close."
        )
        raise PublishError(f"there is no number {name!r}. {advice}")
    value: float | None = getattr(known[name], field)
    if value is None:
        raise PublishError(f"{name!r} has no {field}; it was published without an interval.")
    return value


def written(value: float, form: str) -> str:
    """Write a number as prose does.

    Parameters
    ----------
    value : float
        The number.
    form : str
        A format as described above, such as ".1%", ",.0f", "$,.2f", "x100 +.1f".

    Returns
    -------
    str
        The number with its marks; a minus is U+2212, a space stands before the per cent sign.

    Raises
    ------
    PublishError
        When the format is another.

    Examples
    --------
    >>> written(0.2613, ".1%"), written(1469307, ",.0f"), written(-1234.5, "$,.2f"), written(0.0004, "+.1f")
    ('26.1 %', '1,469,307', '−$1,234.50', '0.0')
    """
    parts = _FORMAT.fullmatch(form)
    if parts is None:
        raise PublishError(
            f"the format {form!r} is not known. Use .1f, .1%, ,.0f or $,.2f, with other decimals if need be, "
            "+ for a sign, or x100 and a space before it to multiply."
        )
    amount = value * float(parts["factor"]) if parts["factor"] else value
    text = format(amount, parts["spec"]).replace("%", " %")
    sign, digits = (text[0], text[1:]) if text[0] in "+-" else ("", text)
    if not any(digit in "123456789" for digit in digits):
        sign = ""
    return sign.replace("-", "−") + parts["dollar"] + digits


def _cited_in(line: str, place: int, begin: int) -> Iterator[Citation]:
    code = [span.span() for span in _CODE.finditer(line)]
    for comment in _CITED.finditer(line):
        if any(start <= comment.start() < end for start, end in code):
            continue
        number = _NUMBER.search(line[: comment.start()])
        start = number.start() if number else comment.start()
        yield Citation(
            comment["id"], comment["format"].strip(), place, begin + start, begin + comment.start()
        )
