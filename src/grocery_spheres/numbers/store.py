"""Which numbers the project has found, in one place that prose, notebooks and tests can cite.

Each notebook publishes its part into reports/numbers/<part>.json, a product of the build. `merge_numbers`
joins the parts to reports/numbers.json, which is committed: one line a number, sorted by id.
"""

import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from importlib import import_module
from pathlib import Path
from typing import Any

from grocery_spheres import provenance, publishable
from grocery_spheres.publishable import PublishError

STORED_DIGITS = 10
"""Significant digits of a stored fraction: far more than prose shows, fewer than differ between machines."""

PACKAGE = "grocery_spheres"

_ID = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
_MADE_BY = re.compile(rf"{PACKAGE}(\.[A-Za-z_]\w*){{2,}}")


@dataclass(frozen=True)
class Number:
    """One published number.

    Attributes
    ----------
    id : str
        `topic.name`, lower-case letters, digits and underscores.
    value : float
        The number itself, in `unit`; a share is between 0 and 1.
    low, high : float or None
        Its interval, where it has one; both or neither.
    unit : str
        What it counts: "share", "baskets a day", "USD".
    evidence : str
        "public", "injected", "synthetic", or several joined by " + ".
    made_by : str
        The function that made it, as `grocery_spheres.module.function`.

    Raises
    ------
    PublishError
        When a field breaks its rule; the message names number, field and value.

    Examples
    --------
    >>> made_by = "grocery_spheres.panels.store_days"
    >>> Number("visits.mean", 1.5, 1.4, 1.6, "visits a week", "public", made_by).value
    1.5
    >>> Number("visits.mean", 1.5, 1.6, 1.7, "visits a week", "public", made_by)
    Traceback (most recent call last):
    ...
    grocery_spheres.publishable.PublishError: 'visits.mean': 1.6 <= 1.5 <= 1.7 does not hold. ...
    """

    id: str
    value: float
    low: float | None = None
    high: float | None = None
    unit: str = ""
    evidence: str = ""
    made_by: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.id, str) or not _ID.fullmatch(self.id):
            raise PublishError(
                f"the number id {self.id!r} is not allowed. Write topic.name in lower-case letters, digits "
                "and underscores, as in relocation.retained."
            )
        for field in ("value", "low", "high"):
            object.__setattr__(self, field, _checked(self.id, field, getattr(self, field)))
        self._check_interval()
        publishable.check_words(self.id, "unit", self.unit)
        publishable.check_evidence(self.id, self.evidence)
        if not isinstance(self.made_by, str) or not _MADE_BY.fullmatch(self.made_by):
            raise PublishError(
                f"{self.id!r}: made_by {self.made_by!r} names no function. "
                f"Write {PACKAGE}.module.function, the one that computes the number."
            )

    def _check_interval(self) -> None:
        if (self.low is None) != (self.high is None):
            raise PublishError(
                f"{self.id!r}: it has one end of an interval only. Give low and high, or neither."
            )
        if self.low is not None and self.high is not None and not self.low <= self.value <= self.high:
            raise PublishError(
                f"{self.id!r}: {self.low} <= {self.value} <= {self.high} does not hold. "
                "An interval holds its value; look for swapped ends or another unit."
            )


def publish_numbers(part: str, numbers: Sequence[Number]) -> None:
    """Write one part's numbers to reports/numbers/<part>.json.

    Parameters
    ----------
    part : str
        Name of the notebook: lower-case letters, digits, hyphens.
    numbers : sequence of Number
        At least one; ids differ.

    Raises
    ------
    PublishError
        When there is none, an id stands twice, or `made_by` cannot be imported.

    Examples
    --------
    >>> publish_numbers("01-public-groceries", [])
    Traceback (most recent call last):
    ...
    grocery_spheres.publishable.PublishError: part '01-public-groceries' has no numbers. ...
    """
    publishable.check_slug(part)
    if not numbers:
        raise PublishError(f"part {part!r} has no numbers. Publish at least one, or drop the call.")
    found: dict[str, Number] = {}
    for number in numbers:
        if number.id in found:
            raise PublishError(f"part {part!r} holds the number {number.id!r} twice. Give each its own id.")
        _check_importable(number)
        found[number.id] = number
    _write(_parts_folder() / f"{part}.json", found)


def merge_numbers() -> dict[str, Number]:
    """Join all parts under reports/numbers/ to reports/numbers.json.

    Returns
    -------
    dict of str to Number
        By id, sorted.

    Raises
    ------
    PublishError
        When there are no parts, or two parts hold the same id; the message names both.
    """
    parts = sorted(_parts_folder().glob("*.json"))
    if not parts:
        raise PublishError(f"{_parts_folder()} holds no numbers yet. Run `make report`.")
    merged: dict[str, Number] = {}
    home: dict[str, str] = {}
    for path in parts:
        for number in _read(path).values():
            if number.id in merged:
                raise PublishError(
                    f"the parts {home[number.id]!r} and {path.stem!r} both hold the number {number.id!r}. "
                    "Compute it in one notebook; delete the file of a part whose notebook was renamed."
                )
            merged[number.id], home[number.id] = number, path.stem
    merged = dict(sorted(merged.items()))
    _write(_merged_file(), merged)
    return merged


def read_numbers() -> dict[str, Number]:
    """Read reports/numbers.json.

    Returns
    -------
    dict of str to Number
        By id, sorted.

    Raises
    ------
    PublishError
        When the file is missing or damaged.
    """
    if not _merged_file().exists():
        raise PublishError(f"{_merged_file()} is missing. Run `make report`, which writes it.")
    return _read(_merged_file())


def _parts_folder() -> Path:
    return provenance.root() / "reports" / "numbers"


def _merged_file() -> Path:
    return provenance.root() / "reports" / "numbers.json"


def _checked(number: str, field: str, value: object) -> float | None:
    """Return a plain finite int or float; None only where an interval may be missing."""
    if value is None and field != "value":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, bool) or not hasattr(value, "__float__") or not math.isfinite(float(value)):
        raise PublishError(f"{number!r}: its {field} is {value!r}. Give a finite number.")
    # Numpy's whole numbers stay exact; everything else is a plain float from here on.
    return int(value) if hasattr(value, "__index__") else float(value)


def _check_importable(number: Number) -> None:
    *path, name = number.made_by.split(".")
    try:
        made_by = getattr(import_module(".".join(path)), name)
    except (ImportError, AttributeError) as reason:
        raise PublishError(
            f"{number.id!r}: made_by {number.made_by!r} cannot be imported ({reason}). "
            "Name the function that computes the number, where it is now."
        ) from reason
    if not callable(made_by):
        raise PublishError(
            f"{number.id!r}: made_by {number.made_by!r} is no function. Name the one that computes it."
        )


def _write(path: Path, numbers: Mapping[str, Number]) -> None:
    """Write aside and move into place: one line a number, so that a change is one line in a diff."""
    lines = [f"  {json.dumps(name)}: {_line(number)}" for name, number in sorted(numbers.items())]
    path.parent.mkdir(parents=True, exist_ok=True)
    # A dot and the process's number: two notebooks write at once, and a part is never read half-written.
    aside = path.with_name(f".{path.stem}-{os.getpid()}")
    aside.write_bytes(("{\n" + ",\n".join(lines) + "\n}\n").encode())
    aside.replace(path)


def _line(number: Number) -> str:
    content: dict[str, Any] = {name: value for name, value in asdict(number).items() if name != "id"}
    for field in ("value", "low", "high"):
        content[field] = _stored(content[field])
    return json.dumps(content, ensure_ascii=False)


def _stored(value: float | None) -> float | None:
    return float(f"{value:.{STORED_DIGITS}g}") if isinstance(value, float) else value


def _read(path: Path) -> dict[str, Number]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {name: Number(name, **entry) for name, entry in content.items()}
    except (json.JSONDecodeError, TypeError, AttributeError) as reason:
        names = ", ".join(field.name for field in fields(Number) if field.name != "id")
        raise PublishError(
            f"{path} is damaged ({reason}). It maps ids to {names}; delete it and run `make report`."
        ) from reason
