"""What would a test say of a known gap, or of a known outage, put into records that hold neither?

Injected evidence: the noise is that of the records, the truth is ours.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl

from grocery_spheres.tables import ContractError, to_polars


def quiet_weekends(
    days: pl.DataFrame, found: pl.DataFrame, *, first: dt.date, stores: int = 16
) -> pl.DataFrame:
    """Choose one weekend at each of the largest stores, a week further on from store to store.

    Parameters
    ----------
    days : polars.DataFrame
        One row = one store and trading day (`events.day_chances`).
    found : polars.DataFrame
        Dark spells that are there already (`store_id`): their stores are left out.
    first : datetime.date
        The Saturday of the first store's weekend.
    stores : int
        Largest stores, by households expected a day, that trade over all these weeks.

    Returns
    -------
    polars.DataFrame
        One row = one spell: `store_id`, `start`, `end` (inclusive).

    Raises
    ------
    ContractError
        `first` is no Saturday, or fewer stores trade over all these weeks.
    """
    if first.isoweekday() != 6:
        raise ContractError(f"The first weekend begins on {first} ({first:%A}); give a Saturday.")
    last = first + dt.timedelta(weeks=stores)
    usual = days.group_by("store_id").agg(pl.mean("households_expected"), pl.min("date"), end=pl.max("date"))
    open_then = usual.filter((pl.col("date") <= first) & (pl.col("end") >= last))
    free = open_then.join(found, on="store_id", how="anti").sort(
        "households_expected", "store_id", descending=[True, False]
    )
    if free.height < stores:
        raise ContractError(
            f"{stores} stores are wanted that trade from {first} to {last} without a dark spell, and there "
            f"are {free.height}. Ask for fewer, or other weeks."
        )
    largest = free.head(stores).with_row_index("week")
    start = pl.lit(first) + pl.duration(weeks="week")
    return largest.select("store_id", start=start, end=start + pl.duration(days=1))


def store_dates(spells: pl.DataFrame) -> pl.DataFrame:
    """Return the store-days of spells, one row each: `store_id`, `date`.

    Examples
    --------
    >>> first, last = dt.date(2017, 6, 3), dt.date(2017, 6, 4)
    >>> store_dates(pl.DataFrame({"store_id": [7], "start": [first], "end": [last]})).height
    2
    """
    return spells.select("store_id", date=pl.date_ranges("start", "end")).explode("date")


def with_gap(baskets: Any, spells: pl.DataFrame) -> pl.DataFrame:
    """Take the records of the spells out: a known gap, in which everybody shopped as usual.

    Parameters
    ----------
    baskets : any Narwhals frame
        One row = one basket: `store_id`, `date`.
    spells : polars.DataFrame
        One row = one spell: `store_id`, `start`, `end`.
    """
    return to_polars(baskets).join(store_dates(spells), on=["store_id", "date"], how="anti")


def with_outage(baskets: Any, spells: pl.DataFrame, *, refuge: Any) -> pl.DataFrame:
    """Send every trip of the spells to another store on the same day: a known outage, wholly diverted.

    Parameters
    ----------
    baskets, spells
        As in `with_gap`.
    refuge : str or int
        Store that takes the trips in; one that is not in the records keeps their noise as it is.
    """
    dark = store_dates(spells).with_columns(dark=pl.lit(value=True))
    marked = to_polars(baskets).join(dark, on=["store_id", "date"], how="left", validate="m:1")
    moved = pl.when(pl.col("dark").is_not_null()).then(pl.lit(refuge)).otherwise("store_id")
    return marked.with_columns(store_id=moved).drop("dark")
