"""What does shopping look like, in one table that any two groceries can be compared by?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl

from grocery_spheres.formats.habits import measures
from grocery_spheres.formats.purchases import read_purchases
from grocery_spheres.formats.resampling import estimates, household_weights

COLUMNS = {
    "measure": pl.String,
    "statistic": pl.String,
    "unit": pl.String,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
}


def shopping_profile(
    lines: Any,
    products: Any = None,
    *,
    price_level: float = 1.0,
    stores: Iterable[Any] | None = None,
    alpha: float = 0.05,
    seed: int = 2045,
    draws: int = 500,
    intervals: bool = True,
) -> pl.DataFrame:
    """Describe shopping in one table: trips, baskets, hours, discounts, departments, stores.

    Parameters
    ----------
    lines : any Narwhals frame
        One row = one product in one basket (`schema.LINES`). A lazy frame is passed over a few times, and
        baskets, sums a household and one number a discounted line are collected, never the lines.
    products : any Narwhals frame, optional
        One row = one product: `product_id` (unique), `department` (as coarse as you like). Without it
        there are no rows "sales by department".
    price_level : float
        Every amount is divided by it: 2.0 where prices are twice those of the year to compare with.
    stores : iterable of ids, optional
        Look through these stores only, for example those of one chain. Weeks still span all lines;
        households are those with a basket at these stores.
    alpha : float
        One minus the level of the intervals.
    seed, draws : int
        Of the intervals: households are drawn again, `draws` times.
    intervals : bool
        False leaves `low` and `high` null, and is several times faster.

    Returns
    -------
    polars.DataFrame
        One row = one measure and statistic: `measure`, `statistic` ("mean", "median", "90% below",
        "share", or the part that the share is of: "17 h", "Monday", a department), `unit`, `value`, `low`,
        `high`. Amounts are USD of the lines' year divided by `price_level`; shares run from 0 to 1. A trip
        is a household's day with at least one basket. Rates count the weeks of all dates, never first to
        last purchase, and households with at least one basket. "Days between trips" pools all gaps. The
        main store and the HHI (sum of squared shares of baskets by store) are asked of households with
        ten baskets or more. What cannot be told (no household came twice) has no row.

        The interval reads: if other households like these had been drawn. It says nothing about shoppers
        outside the data; it is null for a single household, and where a draw may miss the measure.

    Raises
    ------
    ContractError
        What `read_purchases` refuses: a missing column, null keys or amounts, amounts below zero, unknown
        stores, no rows; `alpha` outside 0 to 1, or too few draws for it.

    Examples
    --------
    >>> import datetime as dt
    >>> day = dt.datetime(2017, 1, 2, 18)
    >>> lines = pl.DataFrame({"household_id": [1, 1, 2], "store_id": [7, 8, 7], "basket_id": [1, 2, 3],
    ...     "product_id": [5, 5, 6], "sold_at": [day, day + dt.timedelta(days=6), day],
    ...     "quantity": [1, 1, 1], "sales_usd": [10.0, 20.0, 30.0], "discount_usd": [0.0, 0.0, 20.0]})
    >>> profile = shopping_profile(lines, intervals=False)
    >>> profile.filter(pl.col("measure") == "value of a basket").select("statistic", "value").head(3).rows()
    [('mean', 20.0), ('10% below', 12.0), ('25% below', 15.0)]
    """
    bought = read_purchases(lines, products, price_level=price_level, stores=stores, by_household=intervals)
    weights = None
    if intervals:
        drawn = household_weights(bought.households, draws=draws, seed=seed, alpha=alpha)
        weights = drawn if bought.households > 1 else None
    return pl.DataFrame(estimates(measures(bought), weights, alpha), schema=COLUMNS, orient="row")
