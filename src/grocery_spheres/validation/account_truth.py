"""What did an outage do to some households' purchases? Two records of the same people, side by side."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from grocery_spheres.accounting.parts import parts
from grocery_spheres.accounting.spans import LATE


def true_parts(
    factual: pl.DataFrame,
    otherwise: pl.DataFrame,
    *,
    dark: Sequence[Any],
    followed: Sequence[Any],
    window: tuple[dt.date, dt.date],
    after: int,
    rivals: dict[str, Sequence[Any]],
) -> dict[str, float]:
    """Return the realised parts of an account for followed households, and the retention of their gain.

    Parameters
    ----------
    factual, otherwise : polars.DataFrame
        One row = one basket: `household_id`, `store_id`, `date`; with the outage, and without.
    dark, followed : sequence of ids
        Stores, and households.
    window : tuple of date
        First and last day of the outage.
    after : int
        Days after it.
    rivals : dict
        Stores of each kind.

    Returns
    -------
    dict
        Baskets by part; `retention` as a ratio, NaN where nothing was gained.
    """
    start, end = window
    days = (end - start).days + 1
    spans = [
        (start - dt.timedelta(days=1), start - dt.timedelta(days=1)),  # nothing differs before
        window,
        (end + dt.timedelta(days=1), end + dt.timedelta(days=after)),
        (end + dt.timedelta(days=LATE[0]), end + dt.timedelta(days=LATE[1])),
    ]
    counted = [_counts(one, dark, followed, spans, rivals) for one in (factual, otherwise)]
    change = counted[0] - counted[1]
    found = {name: float(value) for name, value in parts(change, tuple(rivals)).items()}
    gained = change[1, 1] / days
    late = change[1, 3] / (LATE[1] - LATE[0] + 1)
    return {**found, "retention": late / gained if gained else float("nan")}


def _counts(
    baskets: pl.DataFrame,
    dark: Sequence[Any],
    followed: Sequence[Any],
    spans: list[tuple[dt.date, dt.date]],
    rivals: dict[str, Sequence[Any]],
) -> np.ndarray[Any, Any]:
    """Count baskets at the dark stores, elsewhere, by others at the dark stores, at each rival; by span."""
    mine = pl.col("household_id").is_in(list(followed))
    here = pl.col("store_id").is_in(list(dark))
    kinds = [mine & ~here & pl.col("store_id").is_in(list(stores)) for stores in rivals.values()]
    places = [mine & here, mine & ~here, ~mine & here, *kinds]
    whens = [pl.col("date").is_between(*span) for span in spans]
    names = [
        (where & when).sum().alias(f"{n}-{m}")
        for n, where in enumerate(places)
        for m, when in enumerate(whens)
    ]
    return np.array(baskets.select(names).row(0), dtype=float).reshape(len(places), len(spans))
