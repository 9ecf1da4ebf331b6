"""How are assumptions turned in words? `habit=0.5` on a command line, read as its default is kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from difflib import get_close_matches
from typing import Any

from grocery_spheres.county.assumptions import ParameterError, assumptions
from grocery_spheres.county.parameters import Parameters

_FLAGS: Mapping[str, bool] = {"true": True, "false": False}
_BETWEEN = ","  # of the values of an assumption that has several


def read_settings(words: Sequence[str]) -> dict[str, Any]:
    """Read assumptions written as NAME=VALUE.

    Parameters
    ----------
    words : sequence of str
        One assumption each. A value is read as the assumption's default is kept: a number, a whole number, a
        date, text, true or false; several of these with commas between them where the default has several.

    Returns
    -------
    dict
        Values by name, for `Parameters.change`, which checks bounds and what contradicts each other.

    Raises
    ------
    ParameterError
        Names the assumption, what was written and what is allowed.

    Examples
    --------
    >>> read_settings(["habit=0.5", "towns=16", "outage_date=2045-06-24", "dark_from=9,12"])
    {'habit': 0.5, 'towns': 16, 'outage_date': datetime.date(2045, 6, 24), 'dark_from': (9, 12)}
    >>> read_settings(["habit=strong"])
    Traceback (most recent call last):
        ...
    grocery_spheres.county.assumptions.ParameterError: The assumption `habit` ... is 'strong'; allowed: ...
    """
    read: dict[str, Any] = {}
    for name, text in _pairs(words):
        if name in read:
            raise ParameterError(f"The assumption `{name}` is given twice; allowed: once.")
        read[name] = _value(name, text)
    return read


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield name and text of each word; the name is one of the county's assumptions."""
    known = list(assumptions(Parameters))
    for word in words:
        name, equals, text = (part.strip() for part in word.partition("="))
        if not equals:
            raise ParameterError(f"The setting {word!r} is no NAME=VALUE; allowed: one such as habit=0.5.")
        if name not in known:
            near = [f"`{one}`" for one in get_close_matches(name, known)]
            hint = f" (near it: {', '.join(near)})" if near else ""
            raise ParameterError(f"There is no assumption `{name}`{hint}; there are: {', '.join(known)}.")
        yield name, text


def _value(name: str, text: str) -> Any:
    """Read the text of one assumption by the kind of its default."""
    default: Any = next(one.default for one in fields(Parameters) if one.name == name)
    several = isinstance(default, tuple)
    read, words = _kind(default[0] if several else default)
    try:
        return tuple(read(part.strip()) for part in text.split(_BETWEEN)) if several else read(text)
    except (ValueError, KeyError):
        about = assumptions(Parameters)[name]
        bounds = "" if about.least is None and about.most is None else f", {about.allowed}"
        raise ParameterError(
            f"The assumption `{name}` ({about.meaning}; {about.unit}) is {text!r}; "
            f"allowed: {words}{' or several with commas between' if several else ''}{bounds}."
        ) from None


def _kind(sample: Any) -> tuple[Callable[[str], Any], str]:
    """Return how a value of this kind is read, and what it is called."""
    kinds: tuple[tuple[type, Callable[[str], Any], str], ...] = (
        (bool, lambda text: _FLAGS[text.lower()], "true or false"),
        (int, int, "a whole number"),
        (float, float, "a number"),
        (dt.date, dt.date.fromisoformat, "a date such as 2045-06-17"),
        (str, str, "text"),
    )
    return next((read, words) for kind, read, words in kinds if isinstance(sample, kind))
