"""What does shopping look like: how often, when, how much, and how far do households differ?

The same profile is taken of any groceries, so that two kinds of store, or a synthetic county and
public data, can be held side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from grocery_spheres.tables import read_baskets, require_columns, to_polars

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
_DRAWS = 2000  # bootstrap draws over households

Array = npt.NDArray[np.float64]


def shopping_profile(baskets: Any, *, alpha: float = 0.05, seed: int = 2045) -> pl.DataFrame:
    """Describe shopping in one table, each mean with an interval over households.

    Parameters
    ----------
    baskets : any Narwhals frame
        One row = one basket (`panels.baskets`): `household_id`, `store_id`, `sold_at`, `date`, `lines`,
        `sales_usd`, `discount_usd`.
    alpha : float
        One minus the level of the intervals.
    seed : int
        Of the household bootstrap.

    Returns
    -------
    polars.DataFrame
        One row = one measure: `measure`, `unit`, `value`, `low`, `high`. The interval resamples
        households and reads: if other households like these had been drawn. It says nothing about
        shoppers outside the data.

    Examples
    --------
    >>> import datetime as dt
    >>> day = dt.datetime(2017, 1, 2, 18)
    >>> two = pl.DataFrame({"household_id": [1, 1, 2], "store_id": [7, 8, 7], "lines": [2, 4, 6],
    ...     "sold_at": [day, day + dt.timedelta(days=7), day], "sales_usd": [10.0, 20.0, 30.0],
    ...     "discount_usd": [0.0, 0.0, 20.0]}).with_columns(date=pl.col("sold_at").dt.date())
    >>> shopping_profile(two).filter(pl.col("measure") == "value of a basket")["value"].item()
    20.0
    """
    needed = ["household_id", "store_id", "sold_at", "date", "lines", "sales_usd", "discount_usd"]
    frame = read_baskets(baskets, needed)
    moments = _moments(frame)
    draws = _drawn(moments.select(pl.exclude("household_id")).to_numpy(), np.random.default_rng(seed))
    names = moments.columns[1:]
    days = (frame["date"].max() - frame["date"].min()).days + 1  # type: ignore[operator, union-attr]
    rows = []
    for measure, unit, top, bottom, factor in _measures(days):
        value, drawn = (_ratio(sums, names, top, bottom) * factor for sums in (draws[:1], draws[1:]))
        low, high = np.quantile(drawn, [alpha / 2, 1 - alpha / 2])
        rows.append({"measure": measure, "unit": unit, "value": float(value[0]), "low": low, "high": high})
    return pl.DataFrame(rows, orient="row")


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
    frame = read_baskets(baskets, [hour])
    keys = frame.select(
        weekday=pl.col(hour).dt.weekday().cast(pl.Int64), hour=pl.col(hour).dt.hour().cast(pl.Int64)
    )
    counted = keys.group_by("weekday", "hour").agg(baskets=pl.len().cast(pl.Int64))
    week = pl.DataFrame({"weekday": range(1, 8)}).join(pl.DataFrame({"hour": range(24)}), how="cross")
    full = week.join(counted, on=["weekday", "hour"], how="left").with_columns(pl.col("baskets").fill_null(0))
    return full.with_columns(share=pl.col("baskets") / pl.sum("baskets")).sort("weekday", "hour")


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
    frame = read_baskets(baskets, ["household_id", "store_id", "date", "sales_usd"])
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


def department_mix(lines: Any, products: Any, most: int = 10) -> pl.DataFrame:
    """Return each department's share of sales.

    Parameters
    ----------
    lines : any Narwhals frame
        One row = one product in one basket: `product_id`, `sales_usd`.
    products : any Narwhals frame
        One row = one product: `product_id` (unique), `department`.
    most : int
        Departments named; the rest stand together as "all other".

    Returns
    -------
    polars.DataFrame
        One row = one department: `department`, `sales_usd`, `share`; sorted by sales, "all other" last.
        The shares add to one.

    Examples
    --------
    >>> lines = pl.DataFrame({"product_id": [1, 2, 3], "sales_usd": [6.0, 1.0, 1.0]})
    >>> products = pl.DataFrame({"product_id": [1, 2, 3], "department": ["PRODUCE", "MEAT", "DELI"]})
    >>> department_mix(lines, products, most=1).rows()
    [('PRODUCE', 6.0, 0.75), ('all other', 2.0, 0.25)]
    """
    names, sales = to_polars(products), to_polars(lines)
    require_columns(names.columns, ["product_id", "department"], "products")
    require_columns(sales.columns, ["product_id", "sales_usd"], "lines")
    names = names.select("product_id", "department")
    sold = sales.group_by("product_id").agg(pl.sum("sales_usd"))
    joined = sold.join(names, on="product_id", how="left", validate="1:1")
    ranked = joined.group_by("department").agg(pl.sum("sales_usd")).sort("sales_usd", descending=True)
    named = pl.when(pl.int_range(pl.len()) < most).then(pl.col("department").fill_null("unknown"))
    folded = ranked.with_columns(department=named.otherwise(pl.lit("all other")))
    total = folded.group_by("department", maintain_order=True).agg(pl.sum("sales_usd"))
    return total.with_columns(share=pl.col("sales_usd") / pl.sum("sales_usd"))


def _moments(frame: pl.DataFrame) -> pl.DataFrame:
    """Return what every mean of the profile is made of, one row a household."""
    weekend = pl.col("date").dt.weekday() >= 6
    evening = pl.col("sold_at").dt.hour() >= 17
    days = frame.unique(["household_id", "date"]).group_by("household_id").agg(trip_days=pl.len())
    sums = frame.group_by("household_id").agg(
        households=pl.lit(1),
        baskets=pl.len(),
        lines=pl.sum("lines"),
        sales_usd=pl.sum("sales_usd"),
        discount_usd=pl.sum("discount_usd"),
        weekend=weekend.sum(),
        evening=evening.sum(),
        stores=pl.col("store_id").n_unique(),
    )
    joined = sums.join(days, on="household_id", validate="1:1").sort("household_id")
    shelf = joined.with_columns(shelf_usd=pl.col("sales_usd") + pl.col("discount_usd"))
    return shelf.with_columns(pl.exclude("household_id").cast(pl.Float64))


def _measures(days: int) -> list[tuple[str, str, str, str, float]]:
    """Name each measure, its unit, its numerator and denominator, and a factor."""
    return [
        ("baskets of a household", "a week", "baskets", "households", 7.0 / days),
        ("trip days of a household", "a week", "trip_days", "households", 7.0 / days),
        ("spending of a household", "USD a week", "sales_usd", "households", 7.0 / days),
        ("value of a basket", "USD", "sales_usd", "baskets", 1.0),
        ("lines in a basket", "products", "lines", "baskets", 1.0),
        ("discount off the shelf price", "share", "discount_usd", "shelf_usd", 1.0),
        ("baskets on a weekend", "share", "weekend", "baskets", 1.0),
        ("baskets from 17 h on", "share", "evening", "baskets", 1.0),
        ("stores of a household", "stores", "stores", "households", 1.0),
    ]


def _drawn(moments: Array, generator: np.random.Generator) -> Array:
    """Return the sums over households: as they are (row 0), then over resampled households."""
    households = len(moments)
    weights = generator.multinomial(households, np.full(households, 1 / households), size=_DRAWS)
    return np.vstack([moments.sum(axis=0), weights @ moments])


def _ratio(sums: Array, names: Sequence[str], top: str, bottom: str) -> Array:
    return np.asarray(sums[:, names.index(top)] / sums[:, names.index(bottom)])
