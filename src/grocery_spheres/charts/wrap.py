"""How words are broken to the width of a picture, before anything is drawn."""

from unicodedata import normalize

from grocery_spheres.publishable import PublishError

# Widths over the font size, none below Inter's own in regular or semibold. Most letters get a little too
# much, which leaves room for the wider font of a reader who has no Inter.
_LETTER_WIDTHS = (
    ("ijlI' \u00a0’‘|.,:;!·", 0.37),
    ("ftr()[]/\\`{}1°", 0.46),
    ('-–_^*"“”?s', 0.57),
    ("acevxyzkJLEF", 0.61),
    ("bdghnopqu", 0.64),
    ("PRSTZBKXY023456789$&#+<=>~−×±≤≥≈€", 0.73),
    ("AVCDGHUNOQďľ", 0.78),
    ("wmM", 0.94),
    ("W%@—→←…", 1.05),
)
_WIDEST = 1.75  # the per ten thousand sign; also anything that Inter here does not hold
_WIDTH_OF = {letter: width for letters, width in _LETTER_WIDTHS for letter in letters}


def wrapped(slug: str, text: str, size: float, room: float) -> tuple[str, ...]:
    """Break a text at spaces into as few lines as surely fit.

    Parameters
    ----------
    slug : str
        Names the figure in the message.
    text : str
        The words.
    size : float
        Font size in pixels.
    room : float
        Width of a line in pixels.

    Returns
    -------
    tuple of str
        Lines, none wider than `room` in Inter regular or semibold.

    Raises
    ------
    PublishError
        When one word alone is wider than a line.

    Examples
    --------
    >>> wrapped("week", "People shop most on Sundays", 16, 120)
    ('People shop', 'most on', 'Sundays')
    """
    words = text.split(" ")
    widest = max(words, key=lambda word: text_width(word, size))
    if text_width(widest, size) > room:
        raise PublishError(
            f"{slug!r}: the word {widest!r} is wider than a line of {room:g} pixels. Use a shorter word."
        )
    return tuple(_filled(words, size, room))


def balanced(slug: str, text: str, size: float, room: float) -> tuple[str, ...]:
    """Break a text as `wrapped` does, into as many lines, but about equally long: for headings.

    Parameters
    ----------
    slug, text, size, room
        As for `wrapped`.

    Returns
    -------
    tuple of str
        Lines, none wider than `room`.

    Raises
    ------
    PublishError
        When one word alone is wider than a line.

    Examples
    --------
    >>> balanced("week", "Sundays are busiest, and busy all day", 16, 310)
    ('Sundays are busiest,', 'and busy all day')
    """
    lines = wrapped(slug, text, size, room)
    words = text.split(" ")
    widest = max(text_width(word, size) for word in words)
    narrower = room - size
    while narrower >= widest:
        closer = tuple(_filled(words, size, narrower))
        if len(closer) > len(lines):
            break
        lines, narrower = closer, narrower - size
    return lines


def text_width(text: str, size: float) -> float:
    """Estimate the width of a text in pixels, never below what Inter needs.

    Parameters
    ----------
    text : str
        The words.
    size : float
        Font size in pixels.

    Returns
    -------
    float
        Pixels.

    Examples
    --------
    >>> round(text_width("mm", 10), 1)
    18.8
    """
    return size * sum(_letter_width(letter) for letter in text)


def _filled(words: list[str], size: float, room: float) -> list[str]:
    """Fill each line before the next begins."""
    lines: list[str] = []
    for word in words:
        if lines and text_width(f"{lines[-1]} {word}", size) <= room:
            lines[-1] = f"{lines[-1]} {word}"
        else:
            lines.append(word)
    return lines


def _letter_width(letter: str) -> float:
    # An accent widens hardly any letter; those that it does are in the table.
    bare = normalize("NFD", letter)[0]
    return _WIDTH_OF.get(letter, _WIDTH_OF.get(bare, _WIDEST))
