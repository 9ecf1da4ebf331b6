"""How did prices move, on products that were sold both times?

Prices are unit values: what a product brought in over the packages sold. Promotions are in them, as buyers
paid them; quality is not: what is not the same product is not matched, and its share is told beside each
index.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
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
from grocery_spheres.formats.spans import as_date, calendar, periods
from grocery_spheres.formats.sums import percentiles
from grocery_spheres.tables import ContractError

NO_SALES = "no sales"
NO_LINK = "no matched product links it to the base period"

Array = npt.NDArray[np.float64]


def price_index(
    lines: Any,
    *,
    every: str = "1mo",
    formula: str = "fisher",
    chained: bool = True,
    base: Any = None,
    stores: Any = None,
    label: str | None = None,
    price: str = "paid",
    alpha: float = 0.05,
    seed: int = 2045,
    draws: int = 200,
    intervals: bool = True,
) -> pl.DataFrame:
    """Follow the prices of matched products from period to period.

    Parameters
    ----------
    lines : any Narwhals frame
        One row = one product in one basket (`schema.LINES`). A lazy frame is summed on its own engine.
    every : str
        Length of a period: "1w", "1mo" (advised), "1q".
    formula : str
        "fisher" or "tornqvist" (superlative); "laspeyres" and "paasche" for comparison.
    chained : bool
        Multiply the indices of neighbouring periods; False compares each period with the base directly.
    base : date or text, optional
        A date in the period whose index is 1. Without it: each label's first period with sales.
    stores : any Narwhals frame, optional
        One row = one store: `store_id`, and the column `label`. Needed with `label`.
    label : str, optional
        Give one index for each label; without it one for all stores together.
    price : str
        "paid": sales over quantity. "shelf": before discount.
    alpha, seed, draws : float, int, int
        One minus the level of the intervals (percentiles); of the draws of households; how many.
    intervals : bool
        False is quicker and leaves `low` and `high` null.

    Returns
    -------
    polars.DataFrame
        One row = one period (of each label), in order: `label` where one was asked for, `period` (first day),
        `whole` (False: not all of its days lie between the first and last date), `value` (1 in the base
        period), `low`, `high`, `matched_share` (share of both compared periods' sales that are of matched
        products), `products` (how many are matched), `reason` (why a value is null, null otherwise).
        Compared are the period and the one before it (chained) or the base. Chained, nothing is compared up
        to a label's first period with sales: `matched_share` and `products` are null there. A product is
        matched where both periods have sales and quantity above zero.

        A period without sales, or without a product in common, has no value, and no chain leads past it: the
        periods beyond it, seen from the base, are null too and say so. Choose another base, a longer `every`,
        or `chained=False`.

    Raises
    ------
    ContractError
        Lines lack a column or a key, a quantity is zero, below zero or not a number, sales are below zero; an
        argument is not known; a label sold nothing in the base period.

    Notes
    -----
    *Chain drift.* When promotions make prices bounce and buyers stock up, a chained index does not come back
    to 1 though all prices have: in the second example below it stays 12 % short. Months smooth most of it;
    chaining weeks is not advised. The direct index has no drift, but loses products as they leave the
    shelves. Both are told in the CPI manual of the ILO and the IMF.

    *Unit values* move when buyers shift between a product's promoted and other days, packages or stores,
    without any price having changed; more so when a label is many stores.

    *Noise.* A product bought by few households has a noisy unit value. Fisher and Törnqvist cancel most of
    the bias that this makes, and the interval shows the spread: it reads, had other households like these
    been drawn. An end is null where some draw has no matched product, or where all draws agree, as
    for households that buy alike; the base is 1 by definition.

    References
    ----------
    Diewert (1976), Exact and superlative index numbers, Journal of Econometrics 4, 115-145. ILO, IMF and
    others, Consumer price index manual, on superlative and chained indices.

    Examples
    --------
    Bread rises by 10 %, milk by 20 %; half of the money goes to each at either price:

    >>> import datetime as dt
    >>> def sold(month, bread, milk):
    ...     day = dt.datetime(2045, month, 1, 12)
    ...     return pl.DataFrame({"household_id": [1, 1], "store_id": [7, 7], "basket_id": [month, month],
    ...         "product_id": ["bread", "milk"], "sold_at": [day, day], "quantity": [bread[0], milk[0]],
    ...         "sales_usd": [q * p for q, p in (bread, milk)], "discount_usd": [0.0, 0.0]})
    >>> lines = pl.concat([sold(1, (6.0, 1.0), (6.0, 1.0)), sold(2, (6.0, 1.1), (5.5, 1.2))])
    >>> price_index(lines, formula="tornqvist", intervals=False)["value"].round(6).to_list()
    [1.0, 1.148913]
    >>> round((1.1 * 1.2) ** 0.5, 6)
    1.148913

    Bread at half price for a month, when buyers stock up; then all is as before but the shelves at home:

    >>> bounce = [sold(1, (10, 2.0), (10, 1.0)), sold(2, (50, 1.0), (10, 1.0)), sold(3, (2, 2.0), (10, 1.0)),
    ...           sold(4, (10, 2.0), (10, 1.0))]
    >>> price_index(pl.concat(bounce), intervals=False)["value"].round(3).to_list()
    [1.0, 0.603, 0.882, 0.882]
    >>> price_index(pl.concat(bounce), chained=False, intervals=False)["value"].round(3).to_list()
    [1.0, 0.603, 1.0, 1.0]
    """
    check_formula(formula)
    day = None if base is None else as_date(base, "base")
    again = partial(draw, draws=draws, seed=seed, alpha=alpha, intervals=intervals)
    sold = read_sold(
        lines, partial(periods, every=every), draw=again, stores=stores, label=label, price=price
    )
    bases = _bases(sold, calendar(sold.days, every), day)
    links = _links(sold, bases, formula, chained=chained)
    rows = [
        _followed(sold, name, bases[name], links, chained=chained, alpha=alpha)
        for name in range(len(sold.labels))
    ]
    table = pl.concat(rows).join(calendar(sold.days, every), on="place", maintain_order="left")
    told = ["period", "whole", "value", "low", "high", "matched_share", "products", "reason"]
    return table.select(*([] if label is None else ["label"]), *told)


def _bases(sold: Sold, steps: pl.DataFrame, day: Any) -> list[int]:
    """Return the place of each label's base period."""
    names = range(len(sold.labels))
    firsts = [min(place for place, other in sold.lines if other == name) for name in names]
    if day is None:
        return firsts
    before = steps.filter(pl.col("period") <= day)
    place = before["place"].max() if before.height else None
    for name, known in enumerate(sold.labels):
        if (place, name) not in sold.lines or day > sold.days["date"].max():
            who = "nothing was sold" if known is None else f"the label {known!r} sold nothing"
            raise ContractError(
                f"`base` is {day}, and {who} in its period; prices cannot be told against it. Choose a date "
                "in a period in which all sold, or leave it out."
            )
    return [place] * len(sold.labels)  # type: ignore[list-item]


Link = tuple[Array, float, int]  # log index, share of sales matched, products matched


def _links(sold: Sold, bases: list[int], formula: str, *, chained: bool) -> dict[tuple[int, int], Link]:
    """Compare each cell with the label's cell of the period before, or with that of its base."""
    held = {} if chained else {name: (place, cell) for place, name, cell in sold.cells(bases)}
    links = {}
    for place, name, cell in sold.cells():
        before = held.get(name)
        if before is not None and (not chained or before[0] == place - 1):
            links[place, name] = _link(before[1], cell, formula)
        if chained:
            held[name] = (place, cell)
    return links


def _link(first: Cell, second: Cell, formula: str) -> Link:
    _, one, other = alike(first, second)
    sums = matched_sums(one, other)
    matched = int(((one[0][:, 0] > 0) & (other[0][:, 0] > 0)).sum())
    whole = first.usd[:, 0].sum() + second.usd[:, 0].sum()
    share = sums[[FIRST_USD, SECOND_USD], 0].sum() / whole if whole > 0 else 0.0
    return log_index(sums, formula), min(float(share), 1.0), matched  # rounding may carry it past one


def _followed(
    sold: Sold, name: int, base: int, links: dict[tuple[int, int], Link], *, chained: bool, alpha: float
) -> pl.DataFrame:
    """Return the rows of one label."""
    places = range(int(sold.days["place"].max()) + 1)  # type: ignore[arg-type]
    width = 1 if sold.weights is None else sold.weights.shape[1]
    unknown = (np.full(width, np.nan), 0.0, 0)
    found = [links.get((place, name), unknown) for place in places]
    logs = np.stack([link[0] for link in found])
    path = np.exp(_chain(logs, base) if chained else logs)
    path[base] = 1.0
    told = percentiles(path[:, 0], None if width == 1 else path[:, 1:].T, alpha)
    if width > 1:
        told.low[base] = told.high[base] = 1.0  # by definition, so no draw can doubt it
    sells = np.array([(place, name) in sold.lines for place in places])
    first = min(place for place in places if sells[place])
    compared = np.array([not chained or place > first for place in places])
    frame = pl.DataFrame(
        {
            "place": places,
            "value": told.value,
            "low": told.low,
            "high": told.high,
            "matched_share": np.where(compared, [link[1] for link in found], np.nan),
            "products": pl.Series([link[2] for link in found], dtype=pl.Int64),
            "sells": sells,
            "compared": compared,
        }
    ).fill_nan(None)
    why = pl.when("sells").then(pl.lit(NO_LINK)).otherwise(pl.lit(NO_SALES))
    return frame.with_columns(
        pl.when("compared").then("products"),
        label=pl.lit(sold.labels[name], dtype=pl.String),
        reason=pl.when(pl.col("value").is_null()).then(why),
    )


def _chain(logs: Array, base: int) -> Array:
    """Add up the links from the base outwards: forwards as they are, backwards with the other sign."""
    path = np.zeros_like(logs)
    path[base + 1 :] = np.cumsum(logs[base + 1 :], axis=0)
    path[:base] = -np.cumsum(logs[base:0:-1], axis=0)[::-1]
    return path
