"""What if a store had gone dark then? Known outages, put into records that hold none.

Injected evidence: noise and habits are those of the records, the truth is ours.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from grocery_spheres.outage.outages import Outage
from grocery_spheres.outage.rivals import shared_customers
from grocery_spheres.tables import ContractError, read_baskets, to_polars

REFUGES = 3  # stores that take diverted trips in: those that share most customers with the dark one
TRADES = 28  # days before the outage, and at the records' end, in which a refuge has sold something
CATCH_UP = 7  # days after the outage over which delayed trips are spread evenly (assumed)


@dataclass(frozen=True)
class Reaction:
    """What becomes of the trips that an outage stops.

    Attributes
    ----------
    share_down : float
        Chance that a trip to the dark store is stopped.
    diverted : float
        Share of the stopped trips that go, on the same day, to a store that shares customers.
    delayed : float
        Share that come to the same store in the week after. What is neither is forgone.
    leave : float
        Share of the households with a stopped trip that take all later trips elsewhere.
    """

    share_down: float = 1.0
    diverted: float = 0.0
    delayed: float = 0.0
    leave: float = 0.0

    def __post_init__(self) -> None:
        for name in ("share_down", "diverted", "delayed", "leave"):
            share = getattr(self, name)
            if not 0 <= share <= 1:
                raise ContractError(f"`{name}` is {share!r}: a share lies in 0 to 1.")
        if self.diverted + self.delayed > 1 + 1e-9:
            raise ContractError(
                f"`diverted` {self.diverted:g} and `delayed` {self.delayed:g} are more than all that stops."
            )


@dataclass(frozen=True)
class Injected:
    """Records with a known outage in them.

    Attributes
    ----------
    baskets : polars.DataFrame
        One row = one basket, as it would have been with the outage.
    truth : polars.DataFrame
        One row = one store and day that the outage changed: `store_id`, `date`, `effect` (baskets with the
        outage minus without), and its parts by what became of the trips: `forgone`, `diverted`, `delayed`,
        `left`.
    outage : Outage
        To be handed to an estimator.
    refuges : tuple
        The stores that took diverted trips in.
    """

    baskets: pl.DataFrame
    truth: pl.DataFrame
    outage: Outage
    refuges: tuple[Any, ...] = field(default=())

    def effect(self, stores: list[Any] | None = None) -> float:
        """Return the true effect on stores (the dark one if not given) in the window, in baskets."""
        wanted = list(self.outage.units) if stores is None else stores
        inside = pl.col("date").is_between(self.outage.start, self.outage.end)
        return float(self.truth.filter(pl.col("store_id").is_in(wanted) & inside)["effect"].sum())


def inject_outage(
    baskets: Any,
    store: Any,
    start: dt.date,
    days: int,
    *,
    reaction: Reaction | None = None,
    masked: Any = None,
    seed: int = 2045,
) -> Injected:
    """Put one known outage into baskets.

    Parameters
    ----------
    baskets : any Narwhals frame
        One row = one basket: `household_id`, `store_id`, `date`; other columns go along.
    store : str or int
        The store that goes dark.
    start : datetime.date
        First dark day.
    days : int
        How many, 1 or more.
    reaction : Reaction, optional
        What becomes of the stopped trips; by default all are stopped and forgone. Trips that would go to
        another store are forgone where none shares customers; those delayed beyond the records are not seen.
    masked : any Narwhals frame, optional
        One row = one store-day without records: `store_id`, `date`. A trip that went there would not be seen,
        so such stores take none in.
    seed : int
        Of the draws which trips are stopped, and where they go.

    Raises
    ------
    ContractError
        The store has no basket, or the outage lies outside the records.

    Examples
    --------
    >>> day = dt.date(2017, 6, 3)
    >>> trips = pl.DataFrame({"household_id": [1, 2, 1], "store_id": ["a", "a", "b"], "date": [day] * 3})
    >>> inject_outage(trips, "a", day, 1).effect()
    -2.0
    """
    reaction = reaction or Reaction()
    whole = to_polars(baskets)
    rows = read_baskets(whole, ["household_id", "store_id", "date"]).with_row_index("place")
    end = _checked(rows, store, start, days)
    rng = np.random.default_rng(seed)
    refuges = _refuges(_seen(rows, store, masked), store, start)
    stopped = _stopped(rows, store, (start, end), reaction, rng)
    moved = _fates(stopped, reaction, refuges, end, rng)
    later = rows.filter((pl.col("store_id") == store) & (pl.col("date") > end))
    leavers = _leavers(later, stopped, (reaction.leave, refuges), rng)
    changes = pl.concat([moved, leavers])
    after = rows.join(changes, on="place", how="left", validate="1:1")
    kept = after.filter(pl.col("fate").fill_null("stays") != "forgone").with_columns(
        store_id=pl.coalesce("new_store", "store_id"), date=pl.coalesce("new_date", "date")
    )
    places = kept.filter(pl.col("date") <= _span(rows)[1]).select("place", "store_id", "date")
    others = whole.drop("store_id", "date").with_row_index("place")
    final = others.join(places, on="place", how="inner", maintain_order="left").select(whole.columns)
    outage = Outage((store,), start, end, reaction.share_down if reaction.share_down > 0 else 1.0)
    return Injected(final, _truth(rows, after), outage, tuple(refuges))


def _checked(rows: pl.DataFrame, store: Any, start: dt.date, days: int) -> dt.date:
    if isinstance(days, bool) or not isinstance(days, int) or days < 1:
        raise ContractError(f"`days` is {days!r}: give a whole number, 1 or more.")
    end = start + dt.timedelta(days=days - 1)
    first, last = _span(rows)
    if not (first <= start and end <= last):
        raise ContractError(f"The outage from {start} to {end} lies outside the records ({first} to {last}).")
    if not rows.filter(pl.col("store_id") == store).height:
        raise ContractError(f"The store {store!r} has no basket: nothing can be lost there.")
    return end


def _span(rows: pl.DataFrame) -> tuple[dt.date, dt.date]:
    first, last = rows.select(first=pl.col("date").min(), last=pl.col("date").max()).row(0)
    return first, last


def _refuges(rows: pl.DataFrame, store: Any, start: dt.date) -> list[Any]:
    """Return the stores that share most customers with the dark one and trade from before it to the end."""
    before = rows.filter(pl.col("date") < start)
    if not before.filter(pl.col("store_id") == store).height:
        before = rows
    span = dt.timedelta(days=TRADES)
    lately = before.filter(pl.col("date") >= start - span)["store_id"].unique()
    at_the_end = rows.filter(pl.col("date") > _span(rows)[1] - span)["store_id"].unique()
    open_all_along = pl.col("store_id").is_in(lately.implode()) & pl.col("store_id").is_in(
        at_the_end.implode()
    )
    ranked = shared_customers(before, [store]).filter(open_all_along)
    return ranked["store_id"].head(REFUGES).to_list()


def _seen(rows: pl.DataFrame, store: Any, masked: Any) -> pl.DataFrame:
    """Leave out the stores with missing records, but for the dark one."""
    if masked is None:
        return rows
    unseen = to_polars(masked)["store_id"].unique()
    return rows.filter((pl.col("store_id") == store) | ~pl.col("store_id").is_in(unseen.implode()))


def _stopped(
    rows: pl.DataFrame,
    store: Any,
    window: tuple[dt.date, dt.date],
    reaction: Reaction,
    rng: np.random.Generator,
) -> pl.DataFrame:
    inside = rows.filter((pl.col("store_id") == store) & pl.col("date").is_between(*window))
    return inside.filter(pl.Series(rng.random(inside.height) < reaction.share_down))


def _fates(
    stopped: pl.DataFrame, reaction: Reaction, refuges: list[Any], end: dt.date, rng: np.random.Generator
) -> pl.DataFrame:
    """Draw what becomes of each stopped trip."""
    draw = rng.random(stopped.height)
    diverted = (draw < reaction.diverted) & bool(refuges)
    delayed = (draw >= reaction.diverted) & (draw < reaction.diverted + reaction.delayed)
    where = rng.integers(0, max(len(refuges), 1), stopped.height)
    later = rng.integers(1, CATCH_UP + 1, stopped.height)
    kind = stopped["store_id"].dtype
    fates = np.where(diverted, "diverted", np.where(delayed, "delayed", "forgone"))
    stores = [refuges[n] if moves else None for n, moves in zip(where, diverted, strict=True)]
    dates = [
        end + dt.timedelta(days=int(n)) if moves else None for n, moves in zip(later, delayed, strict=True)
    ]
    return pl.DataFrame(
        {
            "place": stopped["place"],
            "fate": pl.Series(fates, dtype=pl.String),
            "new_store": pl.Series(stores, dtype=kind),
            "new_date": pl.Series(dates, dtype=pl.Date),
        }
    )


def _leavers(
    later: pl.DataFrame, stopped: pl.DataFrame, leaving: tuple[float, list[Any]], rng: np.random.Generator
) -> pl.DataFrame:
    """Send all later trips of some households, those with a stopped trip, to one other store each."""
    share, refuges = leaving
    households = stopped["household_id"].unique().sort()
    leave = households.filter(pl.Series(rng.random(len(households)) < (share if refuges else 0.0)))
    where = rng.integers(0, max(len(refuges), 1), len(leave))
    homes = pl.DataFrame(
        {
            "household_id": leave,
            "new_store": pl.Series([refuges[n] for n in where], dtype=later["store_id"].dtype),
        }
    )
    moved = later.join(homes, on="household_id", how="inner", validate="m:1")
    return moved.select(
        "place", fate=pl.lit("left"), new_store="new_store", new_date=pl.lit(None, dtype=pl.Date)
    )


def _truth(rows: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Count what each store and day lost and gained, by what became of the trips."""
    changed = after.filter(pl.col("fate").is_not_null())
    gone = changed.select("store_id", "date", "fate", change=pl.lit(-1))
    came = changed.filter(pl.col("fate") != "forgone").select(
        store_id=pl.coalesce("new_store", "store_id"),
        date=pl.coalesce("new_date", "date"),
        fate="fate",
        change=pl.lit(1),
    )
    each = pl.concat([gone, came])
    parts = [
        pl.col("change").filter(pl.col("fate") == fate).sum().alias(fate)
        for fate in ("forgone", "diverted", "delayed", "left")
    ]
    last = _span(rows)[1]
    within = each.filter(pl.col("date") <= last)  # trips delayed beyond the records are not seen
    return (
        within.group_by("store_id", "date")
        .agg(pl.col("change").sum().alias("effect"), *parts)
        .sort("store_id", "date")
    )
