"""What does the answer on moved customers hang on? The same estimate under other definitions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from grocery_spheres.outage.regulars import Definition
from grocery_spheres.outage.relocations import DEFINITION, Moved, follow

SWEEP = (
    replace(DEFINITION, regular_visits=3),
    replace(DEFINITION, regular_visits=12),
    replace(DEFINITION, window_days=28),
    replace(DEFINITION, matches=1),
    replace(DEFINITION, matches=20),
    replace(DEFINITION, most_weekly=5.0),
    replace(DEFINITION, outcome="sales_usd"),
)
_WORDS = {
    "selection_days": "days in which a regular is chosen",
    "regular_visits": "visits that make a regular",
    "window_days": "days before and after",
    "matches": "nearest controls",
    "most_weekly": "most visits a week",
    "outcome": "counted in",
}


def sweep(
    baskets: Any,
    relocations: pl.DataFrame,
    *,
    definitions: Sequence[Definition] = (DEFINITION, *SWEEP),
    alpha: float = 0.05,
    seed: int = 2045,
) -> pl.DataFrame:
    """Repeat `follow` under other definitions, to see what the answer hangs on.

    Parameters
    ----------
    baskets, relocations, alpha, seed
        As in `follow`.
    definitions : sequence of Definition
        The first is the one that the others are compared with.

    Returns
    -------
    polars.DataFrame
        One row = one definition: `changed` (what differs from the first), `regulars`, and for
        "successor" and "others" the pooled ratio with its interval: `successor`, `successor_low`,
        `successor_high`, `others`, `others_low`, `others_high`.
    """
    rows = []
    for definition in definitions:
        moved = follow(baskets, relocations, definition=definition, alpha=alpha, seed=seed)
        pooled = moved.ratios.filter(pl.col("store_id") == "pooled")
        row = {"changed": _changed(definitions[0], definition), "regulars": _pooled_regulars(moved)}
        for where in ("successor", "others"):
            ratio, low, high = (
                pooled.filter(pl.col("destination") == where).select("ratio", "low", "high").row(0)
            )
            row |= {where: ratio, f"{where}_low": low, f"{where}_high": high}
        rows.append(row)
    return pl.DataFrame(rows, orient="row")


def _changed(first: Definition, other: Definition) -> str:
    """Say in plain words in what a definition differs."""
    parts = [
        f"{words}: {_plain(getattr(other, name))} instead of {_plain(getattr(first, name))}"
        for name, words in _WORDS.items()
        if getattr(other, name) != getattr(first, name)
    ]
    return "; ".join(parts) or "the main definition"


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return "no limit" if value == float("inf") else f"{value:g}"
    return {"sales_usd": "dollars"}.get(value, str(value))


def _pooled_regulars(moved: Moved) -> int:
    return int(moved.effects.filter(pl.col("store_id") == "pooled")["regulars"][0])
