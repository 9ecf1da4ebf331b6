"""Whose prices are higher, on products that are sold at both?"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import polars as pl

from grocery_spheres.formats.index_numbers import (
    FIRST_USD,
    SECOND_USD,
    check_formula,
    log_index,
    matched_sums,
)
from grocery_spheres.formats.shoppers import draw
from grocery_spheres.formats.sold import Cell, Sold, alike, read_sold
from grocery_spheres.formats.spans import periods
from grocery_spheres.formats.sums import percentiles
from grocery_spheres.tables import ContractError

COLUMNS = {
    "label": pl.String,
    "base": pl.String,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "matched_share": pl.Float64,
    "matched_share_base": pl.Float64,
    "products": pl.Int64,
}


def relative_prices(
    lines: Any,
    stores: Any,
    base: str,
    *,
    label: str = "format",
    formula: str = "fisher",
    every: str | None = "1mo",
    price: str = "paid",
    alpha: float = 0.05,
    seed: int = 2045,
    draws: int = 200,
    intervals: bool = True,
) -> pl.DataFrame:
    """Compare each label's prices with those of the label `base`, on products sold at both.

    Parameters
    ----------
    lines, formula, price, alpha, seed, draws, intervals
        As `prices.price_index` takes them.
    stores : any Narwhals frame
        One row = one store: `store_id`, and the column `label`.
    base : str
        The label whose price level is 1.
    label : str
        Column to compare stores by.
    every : str or None
        A product is matched within a period of this length only, so that a label that opened late is held
        against the prices of its own time. None matches over all time.

    Returns
    -------
    polars.DataFrame
        One row = one other label: `label`, `base`, `value` (its price level over the base's), `low`, `high`,
        `matched_share`, `matched_share_base` (share of the label's, and of the base's, sales that are of
        matched products and periods), `products` (different ones matched). No matched product: `value` is
        null.

    Raises
    ------
    ContractError
        As `prices.price_index`; or no store that sold carries the label `base`.

    Notes
    -----
    Stores are pooled within a label, so a label that stands in dearer towns is dearer by it: compare within
    a town by passing its lines. Levels against one base need not be consistent with each other (the product
    of a over b and b over c is not a over c).

    Examples
    --------
    >>> import datetime as dt
    >>> day = dt.datetime(2045, 6, 1, 12)
    >>> lines = pl.DataFrame({"household_id": [1, 1, 2, 2], "store_id": [7, 7, 8, 8],
    ...     "basket_id": [1, 1, 2, 2], "product_id": ["bread", "meal", "bread", "milk"], "sold_at": [day] * 4,
    ...     "quantity": [1, 1, 2, 1], "sales_usd": [2.2, 6.6, 4.0, 1.0], "discount_usd": [0.0] * 4})
    >>> stores = pl.DataFrame({"store_id": [7, 8], "format": ["sphere", "grocer"]})
    >>> relative_prices(lines, stores, "grocer", intervals=False).select(
    ...     "label", pl.col("value").round(6), "matched_share", "matched_share_base").rows()
    [('sphere', 1.1, 0.25, 0.8)]
    """
    check_formula(formula)
    again = partial(draw, draws=draws, seed=seed, alpha=alpha, intervals=intervals)
    sold = read_sold(
        lines, partial(periods, every=every), draw=again, stores=stores, label=label, price=price
    )
    if base not in sold.labels:
        raise ContractError(
            f"`base` is {base!r}, and no store that sold carries this {label}; there are: "
            f"{', '.join(map(repr, sold.labels))}."
        )
    compared = _Compared(sold, sold.labels.index(base))
    rows = [
        compared.row(name, formula, alpha) | {"label": other, "base": base}
        for name, other in enumerate(sold.labels)
        if other != base
    ]
    return pl.DataFrame(rows, schema=COLUMNS).fill_nan(None)


class _Compared:
    """Sums over all periods of what each label and the base sold of the same products."""

    def __init__(self, sold: Sold, base: int) -> None:
        width = 1 if sold.weights is None else sold.weights.shape[1]
        self.base = base
        self.sums = np.zeros((len(sold.labels), 6, width))
        self.usd = np.zeros(len(sold.labels))
        self.items: list[set[int]] = [set() for _ in sold.labels]
        here: dict[int, Cell] = {}
        at = -1
        for place, name, cell in sold.cells():
            if place != at:
                self._add(here)
                here, at = {}, place
            here[name] = cell
        self._add(here)

    def _add(self, here: dict[int, Cell]) -> None:
        for name, cell in here.items():
            self.usd[name] += cell.usd[:, 0].sum()
            if name != self.base and self.base in here:
                items, one, other = alike(here[self.base], cell)
                self.sums[name] += matched_sums(one, other)
                self.items[name].update(items[(one[0][:, 0] > 0) & (other[0][:, 0] > 0)].tolist())

    def row(self, name: int, formula: str, alpha: float) -> dict[str, Any]:
        path = np.exp(log_index(self.sums[name], formula))
        told = percentiles(path[:1], path[1:, None] if len(path) > 1 else None, alpha)
        matched = self.sums[name][[SECOND_USD, FIRST_USD], 0]
        with np.errstate(invalid="ignore", divide="ignore"):
            shares = np.minimum(matched / self.usd[[name, self.base]], 1.0)  # rounding may carry it past one
        return {
            "value": float(told.value[0]),
            "low": float(told.low[0]),
            "high": float(told.high[0]),
            "matched_share": float(shares[0]),
            "matched_share_base": float(shares[1]),
            "products": len(self.items[name]),
        }
