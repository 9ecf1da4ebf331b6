"""When a store moved, what did its customers do?

A relocation is a closure with a successor, so its diversion says nothing about an outage; it shows
the method, and how far a ranking of stores after the fact, or a share-proportional prediction, is from
a difference in differences. Regulars are selected on weeks before the baseline (selecting on the
baseline itself makes regression to the mean look like an effect) and compared with matched regulars
of stores that stayed open. The interval comes from those stores, each treated as if it had moved
(placebo stores); a household bootstrap stands beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from grocery_spheres.outage.placebo_stores import (
    bootstrap,
    coverage_table,
    critical,
    holds_zero,
    invert,
    pooled_noise,
    scaled,
    stacked,
)
from grocery_spheres.outage.regulars import (
    OUTCOMES,
    Definition,
    Group,
    check_room,
    groups_of,
    prepare,
    regulars_of,
    windows_of,
    within,
)
from grocery_spheres.tables import ContractError

Array = npt.NDArray[np.float64]

_PICKS = dict(zip(OUTCOMES, np.eye(len(OUTCOMES)), strict=True))
_CHAIN = np.ones(len(OUTCOMES))
DEFINITION = Definition()


@dataclass(frozen=True)
class Moved:
    """What the customers of relocated stores did.

    Attributes
    ----------
    effects : polars.DataFrame
        One row = one relocation (or "pooled") and destination: `store_id`, `destination` ("own",
        "successor", "others", "chain"), `regulars`, `before` and `after` (per household and week), `att`
        (difference in differences, same unit), `low`, `high` (placebo), `boot_low`, `boot_high`.
    ratios : polars.DataFrame
        One row = one relocation (or "pooled") and destination ("successor", "others", "left the panel"):
        `ratio` = diverted / lost, `low`, `high` by test inversion (infinite = unbounded), `boot_low`,
        `boot_high`, `detectable` (smallest ratio told from zero with 80 % power).
    coverage : polars.DataFrame
        One row = one kind of interval: `interval`, `placebos` (stores x moves; the true effect is zero),
        `coverage` = share of them whose interval for `others` holds zero, `low`, `high`.
    """

    effects: pl.DataFrame
    ratios: pl.DataFrame
    coverage: pl.DataFrame


@dataclass(frozen=True)
class _Evidence:
    """What one relocation, or all pooled, is judged by."""

    name: str
    groups: list[Group]
    noise: Array  # placebos x outcomes
    boot: Array  # draws x outcomes
    alpha: float


def follow(
    baskets: Any,
    relocations: pl.DataFrame,
    *,
    definition: Definition = DEFINITION,
    alpha: float = 0.05,
    draws: int = 2000,
    seed: int = 2045,
) -> Moved:
    """Estimate where the regulars of relocated stores went, by difference in differences.

    Parameters
    ----------
    baskets : any Narwhals frame
        One row = one basket: `household_id`, `store_id`, `date`, `sales_usd`.
    relocations : polars.DataFrame
        One row = one relocation (`Events.relocations`): `store_id`, `closed`, `successor_id`, `opened`.
    definition : Definition
        Who is a regular, how long the windows are, how many matches.
    alpha, draws, seed
        Level, bootstrap and placebo draws, and their seed.

    Raises
    ------
    ContractError
        A relocation leaves no room for its windows, has no regulars, or there are no placebo stores.

    Notes
    -----
    Assumes that without the move the regulars would have changed as their matches did (parallel trends);
    the placebo stores show how far that fails, once their errors are brought to the number and the trade
    of the moved store's households (`placebo_stores.scaled`). The placebo interval is for what these
    households did: what was seen minus what would have been. It holds no doubt about which households
    they happened to be, so for destinations that placebo households never use (the successor) it is narrow;
    the bootstrap beside it asks what other households like these would have done.
    """
    trips = prepare(baskets, definition)
    moves = list(relocations.select("store_id", "closed", "successor_id", "opened").iter_rows())
    if not moves:
        raise ContractError(
            "There are no relocations to follow. `find_events` finds them, where there are any."
        )
    touched = {row[0] for row in moves} | {row[2] for row in moves}
    generator = np.random.default_rng(seed)
    groups = [groups_of(trips, move, touched, definition) for move in moves]
    treated = [group for group, *_ in groups]
    noises = [scaled(placebos, moved) for moved, *placebos in groups]
    held = holds_zero([placebos for _, *placebos in groups], alpha, draws, generator)
    names = [*[str(move[0]) for move in moves], "pooled"]
    members = [*[[group] for group in treated], treated]
    noise = [*noises, pooled_noise(treated, noises, draws, generator)]
    evidence = [
        _Evidence(name, part, errors, bootstrap(part, draws, generator), alpha)
        for name, part, errors in zip(names, members, noise, strict=True)
    ]
    effects = pl.DataFrame([row for one in evidence for row in _effects(one)], orient="row")
    ratios = pl.DataFrame([row for one in evidence for row in _ratios(one)], orient="row")
    return Moved(effects, ratios, coverage_table(held, alpha))


def destinations(
    baskets: Any, relocation: dict[str, Any], *, definition: Definition = DEFINITION, most: int = 5
) -> pl.DataFrame:
    """Set the naive ranking of existing stores beside what the regulars had done there before.

    Parameters
    ----------
    baskets : any Narwhals frame
        As in `follow`.
    relocation : dict
        One row of `Events.relocations`.
    most : int
        Existing stores shown, by trade after the move.

    Returns
    -------
    polars.DataFrame
        One row = one store: `store_id`, `is_successor`, `before`, `after` (outcome per week, all
        regulars together), `iia_chain`, `iia_own`: the gain that proportional diversion would predict
        from the chain's shares and from each household's own shares (same unit; the successor had no
        share, so it gets none).
    """
    trips = prepare(baskets, definition)
    move = (relocation["store_id"], relocation["closed"], relocation["successor_id"], relocation["opened"])
    check_room(trips, move, definition)
    windows = windows_of(move, definition)
    regulars = regulars_of(trips, move[0], windows, definition).filter(pl.col("store_id") == move[0])[
        "household_id"
    ]
    theirs = trips.filter(pl.col("household_id").is_in(regulars.to_list()))
    weeks = definition.window_days / 7
    before, after = (within(theirs, windows[name]) for name in ("before", "after"))
    seen = [
        frame.group_by("store_id").agg((pl.sum("amount") / weeks).alias(name))
        for frame, name in ((before, "before"), (after, "after"))
    ]
    table = seen[0].join(seen[1], on="store_id", how="full", coalesce=True)
    predicted = _proportional(within(trips, windows["before"]), before, move[0], weeks)
    joined = table.join(predicted, on="store_id", how="full", coalesce=True).filter(
        pl.col("store_id") != move[0]
    )
    ranked = (
        joined.with_columns(pl.col("before", "after", "iia_chain", "iia_own").fill_null(0.0))
        .with_columns(is_successor=pl.col("store_id") == move[2])
        .sort("after", "store_id", descending=[True, False])
    )
    columns = ("store_id", "is_successor", "before", "after", "iia_chain", "iia_own")
    return ranked.head(most + 1).select(columns)


def _effects(one: _Evidence) -> list[dict[str, Any]]:
    """Give the effect on each destination, per household and week, with both intervals."""
    did = stacked(one.groups).mean(axis=0)
    before, after = (
        np.concatenate([getattr(group, side) for group in one.groups]).mean(axis=0)
        for side in ("before", "after")
    )
    rows = []
    for where, pick in {**_PICKS, "chain": _CHAIN}.items():
        half = critical(one.noise @ pick, one.alpha)
        low, high = np.quantile(one.boot @ pick, [one.alpha / 2, 1 - one.alpha / 2])
        att = float(did @ pick)
        rows.append(
            {
                "store_id": one.name,
                "destination": where,
                "regulars": sum(len(group.did) for group in one.groups),
                "before": float(before @ pick),
                "after": float(after @ pick),
                "att": att,
                "low": att - half,
                "high": att + half,
                "boot_low": float(low),
                "boot_high": float(high),
            }
        )
    return rows


def _ratios(one: _Evidence) -> list[dict[str, Any]]:
    """Divide by what was lost at the closed store; intervals by inverting the test of each ratio."""
    did = stacked(one.groups).mean(axis=0)
    picks = {"successor": _PICKS["successor"], "others": _PICKS["others"], "left the panel": -_CHAIN}
    rows = []
    for where, pick in picks.items():
        low, high = invert(did, one.noise, pick, one.alpha)
        lost = -one.boot[:, 0]
        drawn = np.divide(one.boot @ pick, lost, out=np.full(len(lost), np.inf), where=lost > 0)
        boot_low, boot_high = np.quantile(drawn, [one.alpha / 2, 1 - one.alpha / 2], method="higher")
        power = critical(one.noise @ pick, one.alpha) + np.quantile(one.noise @ pick, 0.8)
        rows.append(
            {
                "store_id": one.name,
                "destination": where,
                "ratio": float(did @ pick / -did[0]),
                "low": low,
                "high": high,
                "boot_low": float(boot_low),
                "boot_high": float(boot_high),
                "detectable": float(power / -did[0]),
            }
        )
    return rows


def _proportional(chain: pl.DataFrame, theirs: pl.DataFrame, store: Any, weeks: float) -> pl.DataFrame:
    """Spread the closed store's trade over the others: by the chain's shares, and by each household's own.

    A household without any other trade has no shares of its own; its loss goes by the chain's.
    """
    other = pl.col("store_id") != store
    lost = theirs.filter(~other).group_by("household_id").agg(lost=pl.sum("amount") / weeks)
    by_chain = chain.filter(other).group_by("store_id").agg(pl.sum("amount"))
    shares = by_chain.select("store_id", share=pl.col("amount") / pl.sum("amount"))
    own = theirs.filter(other).group_by("household_id", "store_id").agg(pl.sum("amount"))
    own = own.join(lost, on="household_id")
    part = pl.col("amount") / pl.sum("amount").over("household_id") * pl.col("lost")
    by_own = own.with_columns(part=part).group_by("store_id").agg(pl.sum("part"))
    rest = lost.join(own, on="household_id", how="anti")["lost"].sum()
    return shares.join(by_own, on="store_id", how="left").select(
        "store_id",
        iia_chain=pl.col("share") * lost["lost"].sum(),
        iia_own=pl.col("part").fill_null(0.0) + pl.col("share") * rest,
    )
