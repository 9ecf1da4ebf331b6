"""How is one assumption of the county stated, checked and listed? A value with unit, range and source."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

import numpy as np
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
    sample : object
        A value of its kind; a tuple for an assumption that holds several values.
    may_be_empty : bool
        Whether several values may be none.
    """

    unit: str
    meaning: str
    low: Any
    high: Any
    source: str
    least: Any
    most: Any
    sample: Any
    may_be_empty: bool = False

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
    may_be_empty: bool = False,
) -> Any:
    """Return a dataclass field that carries an assumption's unit, plausible range, meaning and source."""
    metadata = {"is": Assumption(unit, meaning, low, high, source, least, most, default, may_be_empty)}
    return field(default=default, metadata=metadata)


def stated(
    sample: Any,
    unit: str,
    low: Any,
    high: Any,
    meaning: str,
    source: str = ASSUMED,
    *,
    least: Any = 0,
    most: Any = None,
) -> Any:
    """Return a dataclass field like `assumed`, without a default; `sample` is a value of its kind."""
    return field(metadata={"is": Assumption(unit, meaning, low, high, source, least, most, sample)})


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
    for name, assumption in assumptions(values).items():
        given, wanted = getattr(values, name), isinstance(assumption.sample, tuple)
        if isinstance(given, tuple) != wanted or (wanted and not given and not assumption.may_be_empty):
            raise _refusal(values, name, given, "several values" if wanted else "one value")
        for value in given if wanted else (given,):
            _check(values, name, value, assumption)


def bring_to_kind(values: Any) -> None:
    """Bring what was given to the plain kinds: numpy's numbers, lists, and whole numbers for others.

    So that 1, 1.0 and ``np.float64(1)`` are one assumption. What is of no fitting kind stays for
    `refuse_bad`.

    Parameters
    ----------
    values : dataclass object
        It is changed, frozen or not.
    """
    for name, one in assumptions(values).items():
        given = getattr(values, name)
        if isinstance(given, list | tuple):
            sample = one.sample[0] if isinstance(one.sample, tuple) else one.sample
            plain: Any = tuple(_plain(value, sample) for value in given)
        else:
            plain = _plain(given, one.sample)
        object.__setattr__(values, name, plain)


def _plain(value: Any, sample: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    whole = isinstance(value, int) and not isinstance(value, bool)
    return float(value) if isinstance(sample, float) and whole else value


def table(values: Any) -> pl.DataFrame:
    """List the assumptions of an object, and those of the rows that it holds (such as departments).

    Returns
    -------
    polars.DataFrame
        One row = one assumption: `name`, `value`, `unit`, `low`, `high` (plausible range, text), `meaning`,
        `source`, `changed` (the value is not the default). A row's assumptions are named after it.
    """
    rows = _listed(values, "", _defaults(values))
    for one in fields(values):
        held = getattr(values, one.name)
        if isinstance(held, tuple) and is_dataclass(held[0]):
            usual = {row.name: vars(row) for row in one.default}  # type: ignore[union-attr]
            rows += [line for row in held for line in _listed(row, f"{row.name}: ", usual.get(row.name, {}))]
    return pl.DataFrame(rows, orient="row")


def _defaults(values: Any) -> dict[str, Any]:
    return {one.name: one.default for one in fields(values)}


def _listed(values: Any, prefix: str, defaults: Mapping[str, Any]) -> list[dict[str, Any]]:
    """List the assumptions of one object."""
    return [
        {
            "name": prefix + name,
            "value": shown(getattr(values, name)),
            "unit": one.unit,
            "low": shown(one.low),
            "high": shown(one.high),
            "meaning": one.meaning,
            "source": one.source,
            "changed": getattr(values, name) != defaults.get(name),
        }
        for name, one in assumptions(values).items()
        if not (prefix and name == "name")
    ]


def shown(value: Any) -> str:
    """Write a value as the table shows it; what does not apply is left empty."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ", ".join(shown(one) for one in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _check(values: Any, name: str, value: Any, assumption: Assumption) -> None:
    """Refuse one value of the wrong kind or outside its bounds."""
    sample = assumption.sample[0] if isinstance(assumption.sample, tuple) else assumption.sample
    if not _is_kind(value, sample):
        raise _refusal(values, name, value, f"{_WORDS[_kind_of(sample)]}, {assumption.allowed}")
    if isinstance(value, bool | str):
        return
    too_low = assumption.least is not None and value < assumption.least
    too_high = assumption.most is not None and value > assumption.most
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
    one = assumptions(values)[name]
    plausible = f" Plausible are {shown(one.low)} to {shown(one.high)}." if one.low is not None else ""
    return ParameterError(
        f"The assumption `{name}` ({one.meaning}; {one.unit}) is {given!r}; allowed: {allowed}.{plausible}"
    )
