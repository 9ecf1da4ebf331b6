"""When do people shop, by weekday and hour?"""

from __future__ import annotations

from typing import Any

import polars as pl

from grocery_spheres.formats.doors import taken
from grocery_spheres.tables import read_baskets


def trading_hours(baskets: Any, hour: str = "sold_at") -> pl.DataFrame:
    """Return the share of baskets by weekday and hour.

    Parameters
    ----------
    baskets : any Narwhals frame
        One row = one basket, with the datetime column `hour`.
    hour : str
        Name of that column; its own clock is used as it stands.

    Returns
    -------
    polars.DataFrame
        One row = one weekday (1 = Monday) and hour (0 to 23): `weekday`, `hour`, `baskets`, `share`
        (of all baskets, 0 to 1). All 168 rows are there, sorted.

    Examples
    --------
    >>> import datetime as dt
    >>> one = pl.DataFrame({"sold_at": [dt.datetime(2017, 1, 1, 18, 30)]})   # a Sunday
    >>> trading_hours(one).filter(pl.col("baskets") > 0).rows()
    [(7, 18, 1, 1.0)]
    """
    frame = read_baskets(taken(baskets, "baskets"), [hour])
    keys = frame.select(
        weekday=pl.col(hour).dt.weekday().cast(pl.Int64), hour=pl.col(hour).dt.hour().cast(pl.Int64)
    )
    counted = keys.group_by("weekday", "hour").agg(baskets=pl.len().cast(pl.Int64))
    week = pl.DataFrame({"weekday": range(1, 8)}).join(pl.DataFrame({"hour": range(24)}), how="cross")
    full = week.join(counted, on=["weekday", "hour"], how="left").with_columns(pl.col("baskets").fill_null(0))
    return full.with_columns(share=pl.col("baskets") / pl.sum("baskets")).sort("weekday", "hour")
