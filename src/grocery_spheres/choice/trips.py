"""From baskets to choices: on each trip, which stores could have been chosen, how far were they, how usual?

Where a household shops nowhere but in its town, its choices are the town's stores that are open that day.
*Habit* is a slow stock: after each trip it is the share (1 - gain) of what it was, plus the gain at the store
that was chosen; the stock before a trip is known before it. It needs a past: trips before `since` feed it and
are no choices themselves.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from grocery_spheres.tables import ContractError, read_baskets, require_columns, to_polars

GAIN = 0.25  # share of the habit stock that a trip renews, unless told; the county's own assumption
_STORE = ("store_id", "town_id", "x_km", "y_km")
_HOME = ("household_id", "town_id", "x_km", "y_km")

Array = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


def trip_table(
    baskets: Any,
    stores: Any,
    households: Any,
    *,
    since: dt.date,
    until: dt.date,
    gain: float = GAIN,
) -> pl.DataFrame:
    """Return the choices of some weeks, one row a trip and store that was open in the household's town.

    Parameters
    ----------
    baskets : any Narwhals frame
        One row = one basket: `household_id`, `store_id`, `date`. Several on one day are trips in the order of
        their stores' ids.
    stores : any Narwhals frame
        `store_id`, `town_id`, `x_km`, `y_km`, and if any `opened` and `closed` (dates, null: not within the
        record).
    households : any Narwhals frame
        `household_id`, `town_id`, `x_km`, `y_km`.
    since, until : date
        First and last day of the choices; earlier trips feed habits.
    gain : float
        Share of the habit stock that a trip renews, above 0 and at most 1 (then it is the last choice).

    Returns
    -------
    polars.DataFrame
        `trip` (a number), `household_id`, `store_id`, `date`, `went`, `km` (straight line), `habit` (0 to 1).
        Trips to a store outside the town, or closed by its table, are left out: see `left_out`.

    Raises
    ------
    ContractError
        A column is missing, `gain` is no share, or no trip lies in the weeks.

    Examples
    --------
    >>> days = [dt.date(2045, 6, day) for day in (1, 2, 3)]
    >>> trips = pl.DataFrame({"household_id": [1, 1, 1], "store_id": ["a", "a", "b"], "date": days})
    >>> place = {"town_id": [1, 1], "x_km": [0.0, 3.0], "y_km": [0.0, 4.0]}
    >>> shops = pl.DataFrame({"store_id": ["a", "b"], **place})
    >>> homes = pl.DataFrame({"household_id": [1], "town_id": [1], "x_km": [0.0], "y_km": [0.0]})
    >>> found = trip_table(trips, shops, homes, since=days[1], until=days[2], gain=0.5)
    >>> found.select("trip", "store_id", "went", "km", "habit").rows()
    [(0, 'a', True, 0.0, 0.5), (0, 'b', False, 5.0, 0.0),
     (1, 'a', False, 0.0, 0.75), (1, 'b', True, 5.0, 0.0)]
    """
    if not 0 < gain <= 1:
        raise ContractError(f"`gain` is {gain!r}: a share above 0, at most 1, is allowed.")
    trips = read_baskets(baskets, ["household_id", "store_id", "date"])
    shops, homes = _read(stores, _STORE, "stores"), _read(households, _HOME, "households")
    known = trips.join(homes, on="household_id", how="inner", validate="m:1")
    ordered = known.filter(pl.col("date") <= until).sort("household_id", "date", "store_id")
    ordered = ordered.with_columns(
        rank=pl.int_range(pl.len()).over("household_id"), trip=pl.int_range(pl.len())
    )
    open_then = _options(ordered.filter(pl.col("date") >= since), shops)
    told = open_then.with_columns(went=pl.col("store_id") == pl.col("chosen"))
    whole = told.filter(pl.col("went").any().over("trip"))
    if whole.is_empty():
        raise ContractError(f"No trip to an open store of the own town lies between {since} and {until}.")
    return _finished(whole, _habits(ordered, gain))


def left_out(baskets: Any, table: pl.DataFrame, *, since: dt.date, until: dt.date) -> int:
    """Count the trips of those weeks that are no choice in a table: elsewhere, closed, or of no known home.

    Parameters
    ----------
    baskets : any Narwhals frame
        As `trip_table` took them.
    table : polars.DataFrame
        What it returned.
    since, until : date
        As it took them.
    """
    trips = read_baskets(baskets, ["household_id", "store_id", "date"])
    return trips.filter(pl.col("date").is_between(since, until)).height - table["trip"].n_unique()


def _read(frame: Any, needed: tuple[str, ...], name: str) -> pl.DataFrame:
    rows = to_polars(frame)
    require_columns(rows.columns, list(needed), name)
    gone = [column for column in ("opened", "closed") if column in rows.columns]
    chosen = rows.select(*needed, *gone)
    if chosen.select(needed).null_count().sum_horizontal().item():
        raise ContractError(f"A row of the table `{name}` has no place or town: fill it in, or leave it out.")
    if chosen[needed[0]].is_duplicated().any():
        twice = chosen.filter(chosen[needed[0]].is_duplicated())[needed[0]][0]
        raise ContractError(f"The table `{name}` has two rows of {twice!r}.")
    return chosen


def _options(trips: pl.DataFrame, shops: pl.DataFrame) -> pl.DataFrame:
    """Return each trip beside each store of its town that is open that day."""
    joined = trips.rename({"store_id": "chosen"}).join(shops, on="town_id", suffix="_store")
    rules = [pl.lit(value=True)]
    if "opened" in shops.columns:
        rules.append(pl.col("opened").is_null() | (pl.col("opened") <= pl.col("date")))
    if "closed" in shops.columns:
        rules.append(pl.col("closed").is_null() | (pl.col("closed") >= pl.col("date")))
    return joined.filter(pl.all_horizontal(rules))


def _habits(trips: pl.DataFrame, gain: float) -> pl.DataFrame:
    """Return the habit of each household towards each store it had been to, before each trip.

    The stock is carried on trip by trip for all households at once.
    """
    pairs = trips.select("household_id", "store_id").unique().sort("household_id", "store_id")
    pairs = pairs.with_row_index("pair")
    numbered = trips.join(pairs, on=["household_id", "store_id"], how="left", maintain_order="left")
    rank, pair = numbered["rank"].to_numpy(), numbered["pair"].to_numpy().astype(np.int64)
    owner = (pairs["household_id"].rank("dense") - 1).to_numpy().astype(np.int64)
    most = numbered.group_by("household_id").agg(pl.len()).sort("household_id")["len"].to_numpy()
    stock = np.zeros(len(owner))
    seen: list[tuple[Whole, int, Array]] = []
    order = np.argsort(rank, kind="stable")
    bounds = np.searchsorted(rank[order], np.arange(int(rank.max()) + 2))
    for step in range(int(rank.max()) + 1):
        live = np.flatnonzero(most[owner] > step)
        kept = live[stock[live] > 0]
        seen.append((kept, step, stock[kept].copy()))
        stock[live] *= 1 - gain
        stock[pair[order[bounds[step] : bounds[step + 1]]]] += gain
    rows = np.concatenate([one[0] for one in seen])
    found = pairs.select("household_id", "store_id")[rows.tolist()]
    ranks = np.concatenate([np.full(len(one[0]), one[1]) for one in seen])
    return found.with_columns(
        rank=pl.Series(ranks), habit=pl.Series(np.concatenate([one[2] for one in seen]))
    )


def _finished(table: pl.DataFrame, habits: pl.DataFrame) -> pl.DataFrame:
    apart = (pl.col("x_km") - pl.col("x_km_store")) ** 2 + (pl.col("y_km") - pl.col("y_km_store")) ** 2
    keys = ["household_id", "store_id", "rank"]
    joined = table.join(habits.cast({"rank": table["rank"].dtype}), on=keys, how="left", validate="m:1")
    sorted_rows = joined.with_columns(km=apart.sqrt(), habit=pl.col("habit").fill_null(0.0)).sort(
        "trip", "store_id"
    )
    trip = (pl.col("trip").rank("dense") - 1).cast(pl.Int64)
    return sorted_rows.select(trip, "household_id", "store_id", "date", "went", "km", "habit")
