"""How do tables of estimates, and counts, become published numbers?"""

from collections.abc import Mapping
from typing import Any

import polars as pl

from grocery_spheres.numbers.store import Number
from grocery_spheres.publishable import PublishError


def from_rows(
    frame: pl.DataFrame,
    ids: Mapping[str, str],
    *,
    key: str,
    value: str,
    unit: str,
    evidence: str,
    made_by: str,
) -> list[Number]:
    """Take numbers out of a table of estimates.

    Parameters
    ----------
    frame : polars.DataFrame
        One row an estimate; columns `key`, `value`, and `low` and `high` where there is an interval.
    ids : mapping of str to str
        The key of a row to the id of its number.
    key, value : str
        Names of the columns that hold the rows' keys and the estimates.
    unit, evidence, made_by : str
        As in `Number`.

    Returns
    -------
    list of Number
        In the order of `ids`.

    Raises
    ------
    PublishError
        When a key stands in no row, or in several.

    Examples
    --------
    >>> frame = pl.DataFrame({"measure": ["visits"], "mean": [1.5], "low": [1.4], "high": [1.6]})
    >>> from_rows(frame, {"visits": "visits.mean"}, key="measure", value="mean", unit="visits a week",
    ...           evidence="public", made_by="grocery_spheres.formats.shopping_profile")[0].high
    1.6
    """
    found = []
    for name, number in ids.items():
        rows = frame.filter(pl.col(key) == name).to_dicts()
        if len(rows) != 1:
            raise PublishError(
                f"{number!r}: {len(rows)} rows have {name!r} in {key!r}, and one is wanted. "
                f"The rows have: {', '.join(map(str, frame[key].unique().sort()))}."
            )
        row = rows[0]
        ends = (row.get("low"), row.get("high"))
        found.append(Number(number, row[value], *ends, unit, evidence, made_by))
    return found


def counted(values: Mapping[str, tuple[Any, ...]], *, evidence: str, made_by: str) -> list[Number]:
    """Take plain counts, and estimates with their interval.

    Parameters
    ----------
    values : mapping of str to tuple
        Id to (value, unit), or to (value, low, high, unit).
    evidence, made_by : str
        As in `Number`.

    Examples
    --------
    >>> made_by = "grocery_spheres.outage.events.find_events"
    >>> counted({"events.closures": (3, "stores")}, evidence="public", made_by=made_by)[0].unit
    'stores'
    >>> counted({"events.gap": (3.0, 1.0, 5.0, "days")}, evidence="public", made_by=made_by)[0].high
    5.0
    """
    found = []
    for number, (value, *ends, unit) in values.items():
        low, high = ends or (None, None)
        found.append(Number(number, value, low, high, unit, evidence, made_by))
    return found
