"""What did the stores that were there sell, market by market and period by period? Closed ones sell nothing.

An arriving store may close some of those already there. A panel of stores would lose them, and with them the
largest effects; a panel of markets keeps them as zeros.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from grocery_spheres.entry.market_rows import (
    check_names,
    market_ids,
    read_days,
    read_homes,
    read_stores,
    refuse_two_kinds,
)
from grocery_spheres.tables import ContractError

DAYS_A_WEEK = 7


def market_panel(
    store_days: Any,
    stores: Any,
    *,
    kind: str,
    label: str = "format",
    market: str = "town_id",
    every: str = "1mo",
    households: Any = None,
    survivors: bool = False,
) -> pl.DataFrame:
    """Sum the sales of one kind of store by market and period.

    Parameters
    ----------
    store_days : any Narwhals frame
        One row = one store and date, of all kinds: `store_id`, `date`, `sales_usd` (0 or more); a store
        without a row sold nothing that day. The record runs from the first to the last date of any row.
    stores : any Narwhals frame
        One row = one store: `store_id`, `label`, `market`, and `closed` where survivors are asked for.
    kind : str
        Value of `label` to keep: those already there, such as "grocer". A store of that kind that opens
        later is counted too, from its first sale on: leave it out of both tables where only those of the
        start are meant.
    label, market : str
        Columns of `stores`.
    every : str
        Length of a period as Polars writes it: a whole number of d, w, mo, q or y, such as "1w" or "1mo".
    households : any Narwhals frame, optional
        One row = one household (`household_id`), with `market`: sales are then also given a household.
    survivors : bool
        Keep only stores that never closed; a market without one has no row. They are selected by what
        happened to them, so what they show is no effect of an arrival; it stands beside one, to see by how
        much the selection misleads.

    Returns
    -------
    polars.DataFrame
        One row = one market and period between the first and the last date, none missing, sorted: `market`
        (under its own name), `period` (its first day), `days` (its calendar days within the record, with or
        without a row), `stores` (of this kind that sold), `sales_usd` (sum),
        `usd_week` (a week, and a household where `households` is given).

    Raises
    ------
    ContractError
        A column is missing, of the wrong kind or without a value; ids are text in one table and numbers in
        another; a store, household or store and date stands twice; sales are masked (null), negative or
        infinite; a store is unknown; no store is of this kind or survived; a market has no household.

    Examples
    --------
    >>> import datetime as dt
    >>> days = pl.DataFrame({"store_id": [1, 2, 1], "sales_usd": [70.0, 7.0, 35.0],
    ...     "date": [dt.date(2045, 1, 31), dt.date(2045, 1, 31), dt.date(2045, 2, 1)]})
    >>> stores = pl.DataFrame({"store_id": [1, 2], "format": "grocer", "town_id": [5, 5]})
    >>> market_panel(days, stores, kind="grocer").select("stores", "sales_usd", "usd_week").rows()
    [(2, 77.0, 539.0), (1, 35.0, 245.0)]
    """
    check_names(market, label, every)
    sold = read_days(store_days).with_columns(period=pl.col("date").dt.truncate(every))
    listed = read_stores(stores, label, market, survivors=survivors)
    refuse_two_kinds(sold["store_id"], listed["store_id"], "store_id", ["store_days", "stores"])
    _refuse_unknown(sold, listed)
    known = _of_kind(listed, label, market, kind)
    summed = (
        sold.join(known, on="store_id")
        .group_by("market", "period")
        .agg(
            stores=pl.col("store_id").filter(pl.col("sales_usd") > 0).n_unique().cast(pl.Int64),
            sales_usd=pl.sum("sales_usd"),
        )
    )
    grid = known.select("market").unique().join(_periods(sold["date"], every), how="cross")
    panel = grid.join(summed, on=["market", "period"], how="left").with_columns(
        pl.col("stores", "sales_usd").fill_null(0)
    )
    weekly = pl.col("sales_usd") / pl.col("days") * DAYS_A_WEEK
    if households is not None:
        panel = panel.join(_counted(households, market, known), on="market", how="left")
        weekly /= pl.col("homes")
    own = pl.col("market").cast(listed["market"].dtype)
    panel = panel.with_columns(own, usd_week=weekly).drop("homes", strict=False)
    return panel.rename({"market": market}).sort(market, "period")


def event_months(entry: str = "entry", period: str = "period") -> pl.Expr:
    """Count calendar months from the month of an entry to that of a period; null without an entry.

    Parameters
    ----------
    entry, period : str
        Columns of dates.

    Examples
    --------
    >>> import datetime as dt
    >>> row = pl.DataFrame({"entry": [dt.date(2044, 12, 12)], "period": [dt.date(2045, 2, 1)]})
    >>> row.select(event_months()).item()
    2
    """
    opened, now = pl.col(entry), pl.col(period)
    return (now.dt.year() - opened.dt.year()) * 12 + now.dt.month() - opened.dt.month()


def _periods(dates: pl.Series, every: str) -> pl.DataFrame:
    """Return every period from the first to the last date, with its calendar days between them."""
    first, last = pl.lit(dates.min(), pl.Date), pl.lit(dates.max(), pl.Date)
    starts = pl.date_range(first.dt.truncate(every), last.dt.truncate(every), every).alias("period")
    begins = pl.max_horizontal("period", first)
    ends = pl.min_horizontal(pl.col("period").dt.offset_by(every), last.dt.offset_by("1d"))
    return pl.select(starts).with_columns(days=(ends - begins).dt.total_days())


def _of_kind(listed: pl.DataFrame, label: str, market: str, kind: str) -> pl.DataFrame:
    """Return the stores that are asked for, with their markets."""
    chosen = listed.filter(pl.col("word") == str(kind))
    if chosen.is_empty():
        there = ", ".join(map(repr, listed["word"].unique().sort()))
        raise ContractError(f"No store has the `{label}` {kind!r}; there are: {there}. Give one of them.")
    homeless = chosen["market"].null_count()
    if homeless:
        raise ContractError(f"{homeless:,} stores of the kind {kind!r} have no `{market}`. Fill it in.")
    stayed = chosen.filter(~pl.col("closed"))
    if stayed.is_empty():
        raise ContractError(
            f"All {chosen.height:,} stores of the kind {kind!r} have a date in `closed`, so no survivor is "
            "left to sum. Set survivors=False."
        )
    ids = market_ids(stayed["market"], market).alias("market")
    return stayed.select("store_id").with_columns(ids)


def _refuse_unknown(sold: pl.DataFrame, listed: pl.DataFrame) -> None:
    lost = sold.join(listed, on="store_id", how="anti")["store_id"].unique().sort()
    if len(lost):
        raise ContractError(
            f"{len(lost):,} stores of `store_days` are not in the table `stores` (the first: {lost[0]!r}). "
            "Add them, or set their days apart and count them."
        )


def _counted(households: Any, market: str, known: pl.DataFrame) -> pl.DataFrame:
    homes = read_homes(households, market).alias("market")
    refuse_two_kinds(known["market"], homes, market, ["stores", "households"])
    counted = homes.to_frame().group_by("market").agg(homes=pl.len())
    empty = known.join(counted, on="market", how="anti")["market"].sort()
    if len(empty):
        raise ContractError(
            f"The {market} {empty[0]!r} has stores and no household. Add its households, or leave its stores "
            "out and count them."
        )
    return counted
