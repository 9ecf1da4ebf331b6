"""How is one assumption of the county stated, checked and listed? A value with unit, range and source."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import polars as pl

from grocery_spheres.tables import GroceryError

ASSUMED = "assumed"


class ParameterError(GroceryError, ValueError):
    """An assumption of the county lies outside what is allowed."""


@dataclass(frozen=True)
class Assumption:
    """What stands behind a number of the county.

    Attributes
    ----------
    unit, meaning : str
        Of the number.
    low, high : float, int, date or None
        Plausible range: inside it the county was tried; see `allowed`.
    source : str
        Where the default comes from, or "assumed".
    least, most : float, int, date or None
        Bounds that are enforced; None is no bound.
    """

    unit: str
    meaning: str
    low: Any
    high: Any
    source: str
    least: Any
    most: Any

    @property
    def allowed(self) -> str:
        """The enforced bounds in words."""
        if self.least is None and self.most is None:
            return "any value of this kind"
        if self.most is None:
            return f"{self.least} or more"
        return f"{self.least} to {self.most}"


def assumed(
    default: Any,
    unit: str,
    low: Any,
    high: Any,
    meaning: str,
    source: str = ASSUMED,
    *,
    least: Any = 0,
    most: Any = None,
) -> Any:
    """Return a dataclass field that carries an assumption's unit, plausible range, meaning and source."""
    return field(default=default, metadata={"is": Assumption(unit, meaning, low, high, source, least, most)})


def assumptions(of: Any) -> Mapping[str, Assumption]:
    """Return the assumptions of a dataclass (or an object of it) by field name."""
    return {one.name: one.metadata["is"] for one in fields(of) if "is" in one.metadata}


def refuse_bad(values: Any) -> None:
    """Refuse an object whose fields break their bounds or their kind.

    Parameters
    ----------
    values : dataclass object
        Every field made by `assumed`; a field that holds several numbers is checked one by one.

    Raises
    ------
    ParameterError
        Names the field, the value and what is allowed.
    """
    kinds = {one.name: type(one.default) for one in fields(values)}
    for name, assumption in assumptions(values).items():
        given = getattr(values, name)
        many = isinstance(given, tuple)
        if many != (kinds[name] is tuple) or (many and not given):
            raise _refusal(values, name, given, "several values" if kinds[name] is tuple else "one value")
        for value in given if many else (given,):
            _check(values, name, value, assumption, kinds[name])


def keep_as_numbers(values: Any) -> None:
    """Turn whole numbers that were given for other numbers into these: 1 and 1.0 are one assumption.

    Parameters
    ----------
    values : dataclass object
        Without bad values (see `refuse_bad`); it is changed, frozen or not.
    """
    for one in fields(values):
        given = getattr(values, one.name)
        if isinstance(one.default, float):
            object.__setattr__(values, one.name, float(given))
        elif isinstance(one.default, tuple) and isinstance(one.default[0], float):
            object.__setattr__(values, one.name, tuple(float(value) for value in given))


def table(values: Any) -> pl.DataFrame:
    """List the assumptions of an object.

    Returns
    -------
    polars.DataFrame
        One row = one assumption: `name`, `value`, `unit`, `low`, `high` (plausible range, text), `meaning`,
        `source`, `changed` (the value is not the default).
    """
    defaults = {one.name: one.default for one in fields(values)}
    rows = [
        {
            "name": name,
            "value": shown(getattr(values, name)),
            "unit": one.unit,
            "low": shown(one.low),
            "high": shown(one.high),
            "meaning": one.meaning,
            "source": one.source,
            "changed": getattr(values, name) != defaults[name],
        }
        for name, one in assumptions(values).items()
    ]
    return pl.DataFrame(rows, orient="row")


def shown(value: Any) -> str:
    """Write a value as the table shows it."""
    if isinstance(value, tuple):
        return ", ".join(shown(one) for one in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _check(values: Any, name: str, value: Any, assumption: Assumption, kind: type) -> None:
    """Refuse one value of the wrong kind or outside its bounds."""
    default = next(one.default for one in fields(values) if one.name == name)
    sample: Any = default[0] if isinstance(default, tuple) else default
    if not _is_kind(value, sample):
        raise _refusal(values, name, value, f"{_WORDS[_kind_of(sample)]}, {assumption.allowed}")
    if isinstance(value, str):
        return
    too_low = assumption.least is not None and not isinstance(value, bool) and value < assumption.least
    too_high = assumption.most is not None and not isinstance(value, bool) and value > assumption.most
    if too_low or too_high:
        raise _refusal(values, name, value, assumption.allowed)


def _kind_of(sample: Any) -> str:
    for kind, name in ((bool, "flag"), (int, "whole"), (float, "number"), (dt.date, "date"), (str, "text")):
        if isinstance(sample, kind):
            return name
    raise TypeError(f"an assumption cannot hold {sample!r}")


def _is_kind(value: Any, sample: Any) -> bool:
    kind = _kind_of(sample)
    tests = {
        "flag": isinstance(value, bool),
        "whole": isinstance(value, int) and not isinstance(value, bool),
        "number": isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value),
        "date": isinstance(value, dt.date) and not isinstance(value, dt.datetime),
        "text": isinstance(value, str),
    }
    return tests[kind]


_WORDS: Mapping[str, str] = {
    "flag": "true or false",
    "whole": "a whole number",
    "number": "a finite number",
    "date": "a date",
    "text": "text",
}


def _refusal(values: Any, name: str, given: Any, allowed: str) -> ParameterError:
    meaning = assumptions(values)[name]
    return ParameterError(
        f"The assumption `{name}` ({meaning.meaning}; {meaning.unit}) is {given!r}; allowed: {allowed}. "
        f"Plausible are {shown(meaning.low)} to {shown(meaning.high)}."
    )
