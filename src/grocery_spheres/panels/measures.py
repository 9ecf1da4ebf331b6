"""Which dtype does each measure have? Engines differ, the panels do not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw

COUNTS = ("baskets", "lines", "households", "stores", "days")
MONEY = ("sales_usd", "discount_usd")


def typed(table: nw.LazyFrame[Any], columns: Sequence[str]) -> nw.LazyFrame[Any]:
    """Select, with zeros and one dtype for the measures: engines differ in both."""
    kinds = {**dict.fromkeys(COUNTS, nw.Int64), **dict.fromkeys(MONEY, nw.Float64)}
    return table.select(
        *[nw.col(name).fill_null(0).cast(kinds[name]) if name in kinds else nw.col(name) for name in columns]
    )
