"""How are bad rows named? Every refusal of the panels says which rows, and the way out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any

import narwhals as nw
import polars as pl

from grocery_spheres.panels.engine import EXAMPLES, first_rows
from grocery_spheres.tables import ContractError


def refuse(rows: list[dict[str, Any]], wrong: str, way_out: str) -> None:
    """Raise if there are bad rows, and name the first of them."""
    if rows:
        named = [
            ", ".join(f"{name} {'null' if v is None else v}" for name, v in row.items())
            for row in rows[:EXAMPLES]
        ]
        more = "; and more" if len(rows) > EXAMPLES else ""
        raise ContractError(f"{wrong}: {'; '.join(named)}{more}. {way_out}")


def refuse_null_keys(table: nw.LazyFrame[Any], keys: Sequence[str]) -> None:
    """Refuse rows that lack one of the keys, and show them."""
    missing = reduce(or_, [nw.col(key).is_null() for key in keys])
    refuse(
        first_rows(table.select(keys).filter(missing), keys),
        "Baskets (or their lines) lack a key",
        "Every row needs all of these: fill them in, or set such rows apart and count them.",
    )


def refuse_mixed(rows: pl.DataFrame) -> None:
    """Refuse rows that share a basket_id, and show in what they differ."""
    named = []
    for row in rows.group_by("basket_id").agg(pl.all().unique().sort()).sort("basket_id").to_dicts():
        basket = {"basket_id": row.pop("basket_id")}
        named.append(basket | {name: " and ".join(map(str, v)) for name, v in row.items() if len(v) > 1})
    refuse(
        named,
        "A basket is one row, with one household, store and time, and these are not",
        "Give every checkout its own basket_id, for example household, store and time written as one text.",
    )
