"""How far do households differ: quantiles over households of what each one does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from grocery_spheres.formats.doors import taken
from grocery_spheres.tables import read_baskets

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)


def household_spread(baskets: Any, quantiles: Sequence[float] = QUANTILES) -> pl.DataFrame:
    """Return how far households differ: quantiles over households of what each one does.

    Parameters
    ----------
    baskets : any Narwhals frame
        One row = one basket: `household_id`, `store_id`, `date`, `sales_usd`.
    quantiles : sequence of float
        Between 0 and 1.

    Returns
    -------
    polars.DataFrame
        One row = one measure and quantile: `measure`, `unit`, `quantile`, `value`. Days between trips
        are the household's own median, for households with at least three trip days; without such a
    household the measure is left out.

    Examples
    --------
    >>> import datetime as dt
    >>> trips = pl.DataFrame({"household_id": [1, 1, 1], "store_id": [7, 7, 8], "sales_usd": [5.0, 5.0, 5.0],
    ...                       "date": [dt.date(2017, 1, day) for day in (1, 4, 8)]})
    >>> household_spread(trips, [0.5]).select("measure", "value").row(0)
    ('days between trips', 3.5)
    """
    frame = read_baskets(taken(baskets, "baskets"), ["household_id", "store_id", "date", "sales_usd"])
    trips = frame.unique(["household_id", "date"]).sort("household_id", "date")
    gaps = trips.with_columns(gap=pl.col("date").diff().over("household_id").dt.total_days()).drop_nulls(
        "gap"
    )
    regular = gaps.group_by("household_id").agg(pl.median("gap"), pl.len()).filter(pl.col("len") >= 2)
    each = frame.group_by("household_id").agg(pl.len(), pl.mean("sales_usd"), pl.col("store_id").n_unique())
    main = (
        frame.group_by("household_id", "store_id")
        .len()
        .group_by("household_id")
        .agg(pl.max("len") / pl.sum("len"))
    )
    spreads = {
        ("days between trips", "days"): regular["gap"],
        ("value of a basket", "USD"): each["sales_usd"],
        ("stores visited", "stores"): each["store_id"],
        ("share of baskets at the main store", "share"): main["len"],
    }
    rows = [
        {"measure": measure, "unit": unit, "quantile": quantile, "value": value}
        for (measure, unit), values in spreads.items()
        if len(values)
        for quantile, value in zip(quantiles, np.quantile(values.to_numpy(), quantiles), strict=True)
    ]
    return pl.DataFrame(rows, orient="row", schema_overrides={"value": pl.Float64})
