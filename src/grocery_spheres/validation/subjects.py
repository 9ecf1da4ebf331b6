"""What is proved by repetition? One subject a table, and what a replication of it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from grocery_spheres.tables import GroceryError

Rows = list[dict[str, Any]]


class ValidationError(GroceryError):
    """A proof cannot be run or read."""


@dataclass(frozen=True)
class Subject:
    """A proof by repetition.

    Attributes
    ----------
    name : str
        Of the table: reports/validation/<name>.csv.
    question : str
        What is proved, in one sentence.
    replicate : callable
        Takes a seed (a whole number from 1) and returns the rows of one replication; the same rows for the
        same seed. A function of a module, so that worker processes find it.
    replications : int
        How many are run: seeds 1 to this number.
    rests_on : tuple of str
        Modules or parts of the package (dotted, below it) whose change makes the table outdated.
    """

    name: str
    question: str
    replicate: Callable[[int], Rows]
    replications: int
    rests_on: tuple[str, ...]


_HOMES: Mapping[str, str] = {
    "entry": "entry_proof",
    "formats": "formats_proof",
    "designs": "designs",
    "injected": "injected_proof",
    "account_county": "account_county_proof",
    "account_injected": "account_injected_proof",
}
NAMES = tuple(_HOMES)
"""Names of the subjects, in the order in which they are run."""


def subject(name: str) -> Subject:
    """Return a subject by name.

    Raises
    ------
    ValidationError
        There is no such subject.

    Examples
    --------
    >>> subject("weather")
    Traceback (most recent call last):
        ...
    grocery_spheres.validation.subjects.ValidationError: There is no subject 'weather'; there are: ...
    """
    if name not in _HOMES:
        raise ValidationError(f"There is no subject {name!r}; there are: {', '.join(NAMES)}.")
    found: Subject = import_module(f"grocery_spheres.validation.{_HOMES[name]}").SUBJECT
    return found
