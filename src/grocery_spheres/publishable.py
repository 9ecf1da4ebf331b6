"""Whether something is fit to be published: a caption, an alternative text, an evidence label.

Each check returns nothing where all is well and raises `PublishError` in one paragraph otherwise.
Figures, tables and numbers share them.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from grocery_spheres.tables import GroceryError

EVIDENCE = ("public", "injected", "synthetic")
"""What a result may rest on: published data, outages injected into them, an invented world."""

TITLE_WORDS = (4, 16)
"""A title states a finding: below four words it is a label, beyond sixteen a paragraph. Aim for 5 to 12."""

MAX_ROWS = 5000
"""Rows that one figure may carry; more rows mean that the wrong table is plotted."""

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class PublishError(GroceryError, ValueError):
    """Something is not fit to be shown or published; the message says what, and the way out."""


@dataclass(frozen=True)
class Caption:
    """The words around a figure or table.

    Attributes
    ----------
    slug : str
        Its stable name: lower-case letters and digits, joined by single hyphens.
    title : str
        The finding, 4 to 16 words, no full stop.
    subtitle : str
        What is plotted: measure, unit, place, period.
    sources : sequence of str
        Keys of cards in data/sources.toml.
    evidence : str
        "public", "injected", "synthetic", or several joined by " + ".
    unit : str
        Unit of what is measured.
    note : str
        What else must be said; may be empty.
    """

    slug: str
    title: str
    subtitle: str
    sources: Sequence[str]
    evidence: str
    unit: str
    note: str = ""


def check_caption(caption: Caption) -> None:
    """Refuse words that are missing, or a title that is a label, a paragraph or a closed sentence.

    Parameters
    ----------
    caption : Caption
        The words around a figure or table.

    Raises
    ------
    PublishError
        When a rule is broken; the message states the rule.

    Examples
    --------
    >>> check_caption(Caption("week", "Sales by week", "USD a week", ["complete_journey"], "public", "USD"))
    Traceback (most recent call last):
    ...
    grocery_spheres.publishable.PublishError: 'week': its title has 3 words ('Sales by week'). ...
    """
    check_slug(caption.slug)
    _check_title(caption.slug, caption.title)
    check_words(caption.slug, "subtitle", caption.subtitle)
    _check_sources(caption.slug, caption.sources)
    check_evidence(caption.slug, caption.evidence)
    check_words(caption.slug, "unit", caption.unit)
    if caption.note:
        check_words(caption.slug, "note", caption.note)


def check_slug(slug: str) -> None:
    """Refuse a slug that is not lower-case letters and digits joined by single hyphens.

    Parameters
    ----------
    slug : str
        The stable name that files carry and pages link to.

    Raises
    ------
    PublishError
        When it holds anything else. A slug becomes a file name, so nothing else is let through.

    Examples
    --------
    >>> check_slug("relocation-gain")
    >>> check_slug("../secrets")
    Traceback (most recent call last):
    ...
    grocery_spheres.publishable.PublishError: the slug '../secrets' is not allowed. Use lower-case ...
    """
    if not isinstance(slug, str) or not _SLUG.fullmatch(slug):
        raise PublishError(
            f"the slug {slug!r} is not allowed. Use lower-case letters and digits, joined by single hyphens."
        )


def check_words(slug: str, what: str, text: str) -> None:
    """Refuse words that are missing, or that hold a line break or another control character.

    Parameters
    ----------
    slug : str
        Names the figure, table or number in the message.
    what : str
        Names the words: title, subtitle, unit.
    text : str
        The words themselves.

    Raises
    ------
    PublishError
        When they are empty, not a string, padded with spaces, or hold a control character.

    Examples
    --------
    >>> check_words("week", "unit", "baskets a day")
    >>> check_words("week", "unit", "")
    Traceback (most recent call last):
    ...
    grocery_spheres.publishable.PublishError: 'week': its unit is missing. Give one line of words.
    """
    if not isinstance(text, str) or not text.strip():
        raise PublishError(f"{slug!r}: its {what} is missing. Give one line of words.")
    if text != text.strip() or any(unicodedata.category(letter) == "Cc" for letter in text):
        raise PublishError(
            f"{slug!r}: its {what} {text!r} has spaces around it, a line break or a control character. "
            "Give one line of words; lines are broken to the width when drawn."
        )


def check_alt(slug: str, alt: str, title: str) -> None:
    """Refuse an alternative text that says nothing beyond the title.

    Parameters
    ----------
    slug : str
        Names the figure in the message.
    alt : str
        One or two sentences: kind of chart, what is measured, the finding with its key number.
    title : str
        The figure's title; the alternative text must be another sentence.

    Raises
    ------
    PublishError
        When it is empty, lacks the full stop at its end, or repeats the title.

    Examples
    --------
    >>> check_alt("week", "Bars of baskets by weekday; Sunday leads, 61,000.", "Sunday is the busiest day")
    >>> check_alt("week", "Sunday is the busiest day.", "Sunday is the busiest day")
    Traceback (most recent call last):
    ...
    grocery_spheres.publishable.PublishError: 'week': its alternative text repeats the title. ...
    """
    check_words(slug, "alternative text", alt)
    advice = "Name the kind of chart, what it measures and the key number, in one or two sentences."
    if not alt.endswith("."):
        raise PublishError(
            f"{slug!r}: its alternative text does not end with a full stop ({alt!r}). {advice}"
        )
    if alt.rstrip(". ").casefold() == title.rstrip(". ").casefold():
        raise PublishError(f"{slug!r}: its alternative text repeats the title. {advice}")


def check_evidence(slug: str, evidence: str) -> None:
    """Refuse an evidence label outside public, injected, synthetic, or several joined by " + ".

    Parameters
    ----------
    slug : str
        Names the figure, table or number in the message.
    evidence : str
        The label.

    Raises
    ------
    PublishError
        When a part is unknown or stands twice.

    Examples
    --------
    >>> check_evidence("week", "injected + public")
    >>> check_evidence("week", "real")
    Traceback (most recent call last):
    ...
    grocery_spheres.publishable.PublishError: 'week': evidence 'real' is not allowed. Use 'public', ...
    """
    parts = evidence.split(" + ") if isinstance(evidence, str) else []
    if not parts or len(set(parts)) != len(parts) or not set(parts) <= set(EVIDENCE):
        allowed = ", ".join(repr(label) for label in EVIDENCE)
        raise PublishError(
            f"{slug!r}: evidence {evidence!r} is not allowed. Use {allowed}, or several joined by ' + '."
        )


def footer(source: str, evidence: str, note: str) -> str:
    """Join source, evidence and note to the line that stands below a figure or table.

    Parameters
    ----------
    source, evidence, note : str
        The source line, the evidence label, and what else must be said; the note may be empty.

    Returns
    -------
    str
        One line, parts set apart by a middle dot.

    Examples
    --------
    >>> footer("Source: A (2017)", "public", "")
    'Source: A (2017) · Evidence: public'
    """
    parts = (source, f"Evidence: {evidence}", note)
    return " · ".join(part.rstrip(".") for part in parts if part)


def _check_title(slug: str, title: str) -> None:
    check_words(slug, "title", title)
    words = len(title.split())
    low, high = TITLE_WORDS
    if not low <= words <= high:
        raise PublishError(
            f"{slug!r}: its title has {words} words ({title!r}). State the finding in {low} to {high} words; "
            "what is plotted belongs in the subtitle."
        )
    if title.endswith("."):
        raise PublishError(f"{slug!r}: its title ends with a full stop ({title!r}). Leave it out.")


def _check_sources(slug: str, sources: Sequence[str]) -> None:
    if isinstance(sources, str) or not sources:
        raise PublishError(
            f"{slug!r}: sources {sources!r} holds no card key. Give a list of keys from data/sources.toml."
        )
