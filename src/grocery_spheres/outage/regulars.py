"""Who were a moved store's regulars, and which regulars of other stores are like them?

Regulars are selected on the weeks before the baseline: whoever selects on the baseline itself finds that
heavy buyers buy less later, and calls it an effect. Matches are the nearest regulars of stores that
stayed open, by trade at the own store and elsewhere in those same weeks.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.spatial import KDTree

from grocery_spheres.tables import ContractError, read_baskets

OUTCOMES = ("own", "successor", "others")  # where a household's trade goes; their sum is the chain
FEWEST_PLACEBO_HOUSEHOLDS = 8  # regulars that a placebo store must have

_TIE = 1e-9  # distances closer than this are equal
_SMALLEST_SCALE = 1e-9  # keeps an outcome that nobody has from dividing by zero

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Definition:
    """The choices behind an estimate, each open to a sweep.

    Attributes
    ----------
    selection_days : int
        Days before the baseline in which a household earns the name of a regular.
    regular_visits : int
        Visits in those days that it takes.
    window_days : int
        Length of the baseline (it ends before both stores are open) and of the time after, days.
    matches : int
        Nearest control households a regular is compared with, all that are equally near included.
    most_weekly : float
        Households with more visits a week than this in those days are left out (a shop or a canteen,
        perhaps: one such household can outweigh all others).
    outcome : str
        "baskets" or "sales_usd", per household and week.
    """

    selection_days: int = 84
    regular_visits: int = 6
    window_days: int = 42
    matches: int = 5
    most_weekly: float = float("inf")
    outcome: str = "baskets"


@dataclass(frozen=True)
class Group:
    """The regulars of one store, each with its change and the mean change of its matched controls."""

    store: Any
    before: Array  # households x outcomes, per week
    after: Array
    did: Array


@dataclass(frozen=True)
class _Trade:
    """Weekly trade of all regulars in the three windows, each households x outcomes."""

    selection: Array
    before: Array
    after: Array


def prepare(baskets: Any, definition: Definition) -> pl.DataFrame:
    """Return one row a basket with the chosen outcome as `amount`."""
    frame = read_baskets(baskets, ["household_id", "store_id", "date", "sales_usd"])
    if min(definition.selection_days, definition.window_days, definition.matches) < 1:
        raise ContractError(f"{definition} has a window or a number of matches below 1.")
    if definition.outcome not in ("baskets", "sales_usd"):
        raise ContractError(
            f"The outcome {definition.outcome!r} is unknown; it may be 'baskets' or 'sales_usd'."
        )
    amount = pl.lit(1.0) if definition.outcome == "baskets" else pl.col("sales_usd")
    return frame.select("household_id", "store_id", "date", amount=amount)


def windows_of(move: Sequence[Any], definition: Definition) -> dict[str, tuple[dt.date, dt.date]]:
    """Return selection, before and after: three spans of days that share none.

    The baseline ends on the last day on which the old store was open and the new one was not.
    """
    _, closed, _, opened = move
    day = dt.timedelta(days=1)
    alone = min(closed, opened - day)
    base = alone - definition.window_days * day + day
    resume = max(closed + day, opened)
    return {
        "selection": (base - definition.selection_days * day, base - day),
        "before": (base, alone),
        "after": (resume, resume + definition.window_days * day - day),
    }


def check_room(trips: pl.DataFrame, move: Sequence[Any], definition: Definition) -> None:
    """Refuse a relocation too near an edge of the records for its windows."""
    windows = windows_of(move, definition)
    first, last = trips["date"].min(), trips["date"].max()
    if windows["selection"][0] < first or windows["after"][1] > last:  # type: ignore[operator]
        raise ContractError(
            f"The move of store {move[0]!r} needs records from {windows['selection'][0]} to "
            f"{windows['after'][1]}, and they run from {first!s} to {last!s}. Take shorter windows "
            "(Definition.selection_days, window_days)."
        )


def within(trips: pl.DataFrame, window: tuple[dt.date, dt.date]) -> pl.DataFrame:
    """Return the baskets of a window; both its dates are inclusive."""
    return trips.filter(pl.col("date").is_between(*window))


def regulars_of(
    trips: pl.DataFrame, store: Any, windows: dict[str, Any], definition: Definition
) -> pl.DataFrame:
    """Return each regular with its store: the moved one if it is a regular there, else its main store."""
    days = within(trips, windows["selection"]).unique(["household_id", "store_id", "date"])
    most = definition.most_weekly * definition.selection_days / 7
    enough = pl.col("len").is_between(definition.regular_visits, most)
    counts = days.group_by("household_id", "store_id").len().filter(enough)
    ranked = counts.with_columns(moved=pl.col("store_id") == store).sort(
        "household_id", "moved", "len", "store_id", descending=[False, True, True, False]
    )
    return ranked.unique("household_id", keep="first", maintain_order=True).select("household_id", "store_id")


def groups_of(
    trips: pl.DataFrame, move: Sequence[Any], touched: set[Any], definition: Definition
) -> list[Group]:
    """Return the relocated store's regulars, then those of every placebo store, all matched."""
    check_room(trips, move, definition)
    windows = windows_of(move, definition)
    regulars = regulars_of(trips, move[0], windows, definition)
    own_move = pl.col("store_id") == move[0]
    usable = regulars.filter(own_move | ~pl.col("store_id").is_in(list(touched)))
    trade = _Trade(*(_weekly(trips, window, usable, move[2]) for window in windows.values()))
    main = usable["store_id"].to_list()
    stores = {store: np.array([name == store for name in main]) for store in dict.fromkeys(main)}
    if move[0] not in stores:
        raise ContractError(
            f"Store {move[0]!r} has no regulars: no household made {definition.regular_visits} visits in the "
            f"{definition.selection_days} days before the baseline. Ask fewer (Definition.regular_visits)."
        )
    big = [s for s, mine in stores.items() if s != move[0] and mine.sum() >= FEWEST_PLACEBO_HOUSEHOLDS]
    if len(big) < 2:
        raise ContractError(
            f"Only {len(big)} stores stayed open with {FEWEST_PLACEBO_HOUSEHOLDS} regulars: without placebo "
            "stores there is no interval. Ask fewer visits of a regular, or bring more stores."
        )
    pool = ~stores[move[0]]
    return [
        _match(store, stores[store], pool & ~stores[store], trade, definition.matches)
        for store in [move[0], *big]
    ]


def _weekly(
    trips: pl.DataFrame, window: tuple[dt.date, dt.date], regulars: pl.DataFrame, successor: Any
) -> Array:
    """Return each regular's weekly trade at its own store, the successor, and all others."""
    weeks = ((window[1] - window[0]).days + 1) / 7
    theirs = within(trips, window).join(
        regulars.rename({"store_id": "main"}), on="household_id", validate="m:1"
    )
    where = (
        pl.when(pl.col("store_id") == pl.col("main")).then(pl.lit("own"))
        .when(pl.col("store_id") == successor).then(pl.lit("successor"))
        .otherwise(pl.lit("others"))
    )  # fmt: skip
    sums = [(pl.col("amount").filter(where == name).sum() / weeks).alias(name) for name in OUTCOMES]
    table = regulars.select("household_id").join(
        theirs.group_by("household_id").agg(sums), on="household_id", how="left", maintain_order="left"
    )
    return table.select(pl.col(OUTCOMES).fill_null(0.0)).to_numpy()


def _match(store: Any, mine: Mask, others: Mask, trade: _Trade, matches: int) -> Group:
    """Compare each regular of one store with the nearest regulars of others, on the selection window.

    All controls as near as the last one count, so that the answer does not hang on the order of ids.
    """
    scale = np.maximum(trade.selection[others].std(axis=0), _SMALLEST_SCALE)
    features = np.log1p(trade.selection / scale)[:, [OUTCOMES.index("own"), OUTCOMES.index("others")]]
    tree = KDTree(features[others])
    farthest = tree.query(features[mine], k=[min(matches, int(others.sum()))])[0][:, 0]
    near = tree.query_ball_point(features[mine], farthest * (1 + _TIE) + _TIE)
    change = trade.after - trade.before
    pool = change[others]
    control = np.array([pool[sorted(indices)].mean(axis=0) for indices in near])
    return Group(store, trade.before[mine], trade.after[mine], change[mine] - control)
