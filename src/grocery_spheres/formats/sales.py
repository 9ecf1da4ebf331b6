"""How did sales run over time at each kind of store?"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from grocery_spheres.formats.labels import with_period
from grocery_spheres.formats.shoppers import draw, read_shoppers, side_by_side
from grocery_spheres.formats.spans import calendar
from grocery_spheres.formats.sums import resampled, tidied

MEASURES = {
    "sales": "USD",
    "share of sales": "share",
    "baskets": "baskets",
    "customers": "households",
    "penetration": "share",
    "value of a basket": "USD",
}
_SUMMED = ("sales", "baskets", "customers")

Array = npt.NDArray[np.float64]


def sales_over_time(
    baskets: Any,
    stores: Any,
    *,
    label: str = "format",
    every: str = "1mo",
    households: Any = None,
    alpha: float = 0.05,
    seed: int = 2045,
    draws: int = 500,
    intervals: bool = True,
) -> pl.DataFrame:
    """Return sales, share of sales, baskets, customers, penetration and the value of a basket by period.

    Parameters
    ----------
    baskets : any Narwhals frame
        One row = one basket (`schema.BASKETS`): `household_id`, `store_id`, `date`, `sales_usd`.
    stores : any Narwhals frame
        One row = one store: `store_id`, and the column `label`.
    label : str
        Column of `stores` to compare by.
    every : str
        Length of a period: "1d", "1w" (from Monday), "1mo", "1q", "1y".
    households : any Narwhals frame, optional
        One row = one household that might have bought: `household_id`. Penetration counts customers among
        these. Without it: among households with any basket in the data, so that nobody who never bought is
        counted, and penetration is too high.
    alpha : float
        One minus the level of the intervals.
    seed, draws : int
        Of the intervals: households are drawn again, `draws` times.
    intervals : bool
        False leaves `low` and `high` null, and is several times faster.

    Returns
    -------
    polars.DataFrame
        One row = one label, period and measure: `label`, `period` (first day), `whole` (False: the data begin
        or end within the period, so its sums are of fewer days), `measure`, `unit`, `value`, `low`, `high`.
        Every label of `stores` and every period from first to last date is there.

        "sales" (USD), "baskets" and "customers" (households with a basket) are sums of these households, zero
        where nothing was sold. "share of sales" is of all labels' sales in the period, "penetration"
        the share of households that are customers, both from 0 to 1; "value of a basket" is USD. A share is
        null where nobody sold, a value where there was no basket.

        The interval reads: if other households like these, as many, had been drawn (percentiles of draws of
        whole households). It holds no doubt about days. It is null where a draw may miss the measure,
        and where all draws agree, such as on nothing sold.

    Raises
    ------
    ContractError
        As `read_shoppers`; `every` is no length of a period; `alpha` or `draws` do not fit.

    Examples
    --------
    >>> import datetime as dt
    >>> baskets = pl.DataFrame({"household_id": [1, 2, 2], "store_id": [7, 7, 8],
    ...     "date": [dt.date(2045, 1, 1), dt.date(2045, 1, 31), dt.date(2045, 1, 31)],
    ...     "sales_usd": [10.0, 20.0, 30.0]})
    >>> stores = pl.DataFrame({"store_id": [7, 8], "format": ["sphere", "grocer"]})
    >>> sold = sales_over_time(baskets, stores, intervals=False)
    >>> sold.filter(pl.col("label") == "sphere").select("measure", "value").rows()
    [('sales', 30.0), ('share of sales', 0.5), ('baskets', 2.0), ('customers', 2.0), ('penetration', 1.0),
     ('value of a basket', 15.0)]
    """
    bought = read_shoppers(baskets, stores, label=label, households=households)
    weights = draw(bought.homes, draws=draws, seed=seed, alpha=alpha, intervals=intervals)
    dated = with_period(bought.baskets, every)
    spans = calendar(dated, every).select("period", "whole")
    cells = pl.DataFrame({"label": bought.labels}).join(spans, how="cross")
    summed = dated.group_by("household_id", "label", "period").agg(
        sales=pl.sum("sales_usd"), baskets=pl.len(), customers=pl.lit(1.0)
    )
    sums = side_by_side(summed, bought.homes, cells.select("label", "period"), _SUMMED)
    statistic = partial(_measures, labels=len(bought.labels), households=len(bought.homes))
    return tidied(cells, MEASURES, resampled(sums, statistic, weights, alpha))


def _measures(sums: Array, *, labels: int, households: int) -> Array:
    """Turn sums (sales, baskets, customers; each by label and period) into the measures."""
    sales, baskets, customers = np.split(sums, len(_SUMMED), axis=-1)
    by_label = sales.reshape(*sales.shape[:-1], labels, -1)
    share = (by_label / by_label.sum(axis=-2, keepdims=True)).reshape(sales.shape)
    found = [sales, share, baskets, customers, customers / households, sales / baskets]
    return np.concatenate(found, axis=-1)
