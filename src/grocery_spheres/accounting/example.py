"""What does an account look like? Trips to twelve shops, drawn here, with an outage whose truth is known.

Synthetic evidence, made in a moment.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl

from grocery_spheres.outage.outages import Outage

FIRST_DAY = dt.date(2045, 1, 2)
DAYS, SHOPS, HOUSEHOLDS = 260, 12, 1800
DARK, DARK_FROM, DARK_DAYS = 0, 200, 3  # shop-1, from this day on
DIVERTED, DELAYED = 0.5, 0.2  # shares of the stopped trips; the rest is forgone
TRIPS = 0.25  # a household and day
LOYAL = 0.7  # share of trips to a household's own shop; the others go to the next one or the one after


def example_trips(*, outage: bool = True, seed: int = 2045) -> pl.DataFrame:
    """Return the trips, with the outage or without: the same but for what it changed.

    Returns
    -------
    polars.DataFrame
        One row = one basket: `household_id`, `store_id` ("shop-1" to "shop-12"), `date`, `sales_usd`.

    Examples
    --------
    >>> example_trips().columns
    ['household_id', 'store_id', 'date', 'sales_usd']
    """
    rng = np.random.default_rng(seed)
    home, second = rng.integers(0, SHOPS, HOUSEHOLDS), rng.integers(1, 3, HOUSEHOLDS)
    household, day = np.nonzero(rng.random((HOUSEHOLDS, DAYS)) < TRIPS)
    other = (home + second)[household] % SHOPS
    shop = np.where(rng.random(len(day)) < LOYAL, home[household], other)
    sales = rng.lognormal(3.0, 0.6, len(day)).round(2)
    fate, elsewhere, later = (
        rng.random(len(day)),
        rng.integers(1, SHOPS, len(day)),
        rng.integers(1, 8, len(day)),
    )
    hit = (shop == DARK) & (day >= DARK_FROM) & (day < DARK_FROM + DARK_DAYS) & outage
    diverted, delayed = hit & (fate < DIVERTED), hit & (fate >= DIVERTED) & (fate < DIVERTED + DELAYED)
    shop = np.where(diverted, (DARK + elsewhere) % SHOPS, shop)
    day = np.where(delayed, DARK_FROM + DARK_DAYS - 1 + later, day)
    kept = ~(hit & ~diverted & ~delayed)
    dates = pl.Series(np.datetime64(FIRST_DAY) + day[kept].astype("timedelta64[D]")).cast(pl.Date)
    names = pl.Series([f"shop-{number + 1}" for number in shop[kept]])
    columns = {"household_id": household[kept], "store_id": names, "date": dates, "sales_usd": sales[kept]}
    return pl.DataFrame(columns)


def example_dark() -> Outage:
    """Return the outage: shop-1, three days from 21 July 2045 on."""
    start = FIRST_DAY + dt.timedelta(days=DARK_FROM)
    return Outage([f"shop-{DARK + 1}"], start, start + dt.timedelta(days=DARK_DAYS - 1))
