"""What did the stores that were there sell, market by market and period by period? Closed ones sell nothing.

An arriving store may close some of those already there. A panel of stores would lose them, and with them the
largest effects; a panel of markets keeps them as zeros.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from grocery_spheres.tables import ContractError, require_columns, to_polars

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
        One row = one store and date: `store_id`, `date`, `sales_usd`; a store without a row sold nothing.
    stores : any Narwhals frame
        One row = one store: `store_id`, `label`, `market`, and `closed` where survivors are asked for.
    kind : str
        Value of `label` to keep: those already there, such as "grocer".
    label, market : str
        Columns of `stores`.
    every : str
        Length of a period as Polars writes it: "1w", "1mo", "1q".
    households : any Narwhals frame, optional
        One row = one household, with `market`: sales are then also given a household.
    survivors : bool
        Keep only stores that never closed; a market without one has no row. They are selected by what
        happened to them, so what they show is no effect of an arrival; it stands beside one, to see by how
        much the selection misleads.

    Returns
    -------
    polars.DataFrame
        One row = one market and period, none missing, sorted: `market` (under its own name), `period` (its
        first day), `days` (in the record), `stores` (of this kind that sold), `sales_usd` (sum),
        `usd_week` (a week, and a household where `households` is given).

    Raises
    ------
    ContractError
        A column is missing, a store is unknown, no store is of this kind, sales are masked (null), or a
        market has no household.

    Examples
    --------
    >>> import datetime as dt
    >>> days = pl.DataFrame({"store_id": [1, 2, 1], "sales_usd": [70.0, 7.0, 35.0],
    ...     "date": [dt.date(2045, 1, 31), dt.date(2045, 1, 31), dt.date(2045, 2, 1)]})
    >>> stores = pl.DataFrame({"store_id": [1, 2], "format": "grocer", "town_id": [5, 5]})
    >>> market_panel(days, stores, kind="grocer").select("stores", "sales_usd", "usd_week").rows()
    [(2, 77.0, 539.0), (1, 35.0, 245.0)]
    """
    sold = _sold(store_days, every)
    known = _of_kind(stores, [label, market], kind, survivors)
    _refuse_unknown(sold, stores)
    kept = sold.join(known, on="store_id")
    grid = known.select(market).unique().join(_periods(sold), how="cross")
    summed = kept.group_by(market, "period").agg(
        stores=pl.col("store_id").filter(pl.col("sales_usd") > 0).n_unique().cast(pl.Int64),
        sales_usd=pl.sum("sales_usd"),
    )
    panel = grid.join(summed, on=[market, "period"], how="left").with_columns(
        pl.col("stores", "sales_usd").fill_null(0)
    )
    weekly = pl.col("sales_usd") / pl.col("days") * DAYS_A_WEEK
    if households is not None:
        panel = panel.join(_counted(households, market, panel), on=market, how="left")
        weekly /= pl.col("homes")
    return panel.with_columns(usd_week=weekly).drop("homes", strict=False).sort(market, "period")


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


def _sold(store_days: Any, every: str) -> pl.DataFrame:
    table = to_polars(store_days)
    require_columns(table.columns, ["store_id", "date", "sales_usd"], "store_days")
    masked = table.filter(pl.col("sales_usd").fill_nan(None).is_null()).height
    if masked:
        raise ContractError(
            f"{masked:,} rows of the table `store_days` have no `sales_usd` (masked days): a market's sum "
            "would take them for zero. Leave such stores or periods out, and say so."
        )
    day = pl.col("date").cast(pl.Date)
    return table.select("store_id", "sales_usd", day).with_columns(period=day.dt.truncate(every))


def _periods(sold: pl.DataFrame) -> pl.DataFrame:
    return sold.group_by("period").agg(days=pl.col("date").n_unique().cast(pl.Int64))


def _of_kind(stores: Any, columns: list[str], kind: str, survivors: bool) -> pl.DataFrame:
    label, market = columns
    table = to_polars(stores)
    require_columns(table.columns, ["store_id", label, market, *(["closed"] * survivors)], "stores")
    words = table[label].cast(pl.String)
    chosen = table.filter(words == str(kind))
    if chosen.is_empty():
        there = ", ".join(map(repr, words.drop_nulls().unique().sort()))
        raise ContractError(f"No store has the `{label}` {kind!r}; there are: {there}.")
    if survivors:
        chosen = chosen.filter(pl.col("closed").is_null())
    homeless = chosen.filter(pl.col(market).is_null())
    if homeless.height:
        raise ContractError(
            f"{homeless.height:,} stores of the kind {kind!r} have no `{market}`. Fill it in."
        )
    return chosen.select("store_id", market)


def _refuse_unknown(sold: pl.DataFrame, stores: Any) -> None:
    lost = sold.join(to_polars(stores).select("store_id"), on="store_id", how="anti")["store_id"].unique()
    if len(lost):
        raise ContractError(
            f"{len(lost):,} stores of `store_days` are not in the table `stores` (the first: {lost[0]!r}). "
            "Add them, or set their days apart and count them."
        )


def _counted(households: Any, market: str, panel: pl.DataFrame) -> pl.DataFrame:
    table = to_polars(households)
    require_columns(table.columns, ["household_id", market], "households")
    counted = table.group_by(market).agg(homes=pl.len())
    empty = panel.select(market).unique().join(counted, on=market, how="anti")
    if empty.height:
        raise ContractError(f"The {market} {empty[market][0]!r} has stores and no household.")
    return counted
