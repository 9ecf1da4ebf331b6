"""When a store moved, what did its customers do?

A relocation is a closure with a successor, so its diversion says nothing about an outage; it shows
the method, and how far a ranking of stores after the fact, or a share-proportional prediction, is from
a difference in differences. Regulars are selected on weeks before the baseline (selecting on the
baseline itself makes regression to the mean look like an effect) and compared with matched regulars
of stores that stayed open. The interval comes from those stores, each treated as if it had moved
(placebo stores); a household bootstrap stands beside it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.spatial import cKDTree

from grocery_spheres.tables import ContractError, require_columns, to_polars

OUTCOMES = ("own", "successor", "others")  # where a household's trade goes; their sum is the chain
FEWEST_PLACEBO_HOUSEHOLDS = 8  # regulars that a placebo store must have
_MOST_RATIO = 3.0  # ratios are inverted on -this..this; an interval that reaches an end is unbounded
_RATIO_STEP = 0.005

Array = npt.NDArray[np.float64]


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
        Length of the baseline (up to the closing day) and of the time after the opening, days.
    matches : int
        Nearest control households a regular is compared with.
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


DEFINITION = Definition()
SWEEP = (
    replace(DEFINITION, regular_visits=3),
    replace(DEFINITION, regular_visits=12),
    replace(DEFINITION, window_days=28),
    replace(DEFINITION, matches=1),
    replace(DEFINITION, matches=20),
    replace(DEFINITION, most_weekly=5.0),
    replace(DEFINITION, outcome="sales_usd"),
)


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
        One row = one kind of interval: share of `placebos` (true effect zero) whose interval for
        `others` holds zero.
    """

    effects: pl.DataFrame
    ratios: pl.DataFrame
    coverage: pl.DataFrame


@dataclass(frozen=True)
class _Group:
    """The regulars of one store, each with its change and the mean change of its matched controls."""

    store: Any
    before: Array  # households x outcomes, per week
    after: Array
    did: Array


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
    the placebo stores show how far that fails. Placebo errors are scaled by the square root of the number
    of households, since a small group is noisier.
    """
    trips = _prepare(baskets, definition)
    moves = list(relocations.select("store_id", "closed", "successor_id", "opened").iter_rows())
    touched = {row[0] for row in moves} | {row[2] for row in moves}
    generator = np.random.default_rng(seed)
    groups, noises, covered = [], [], []
    for move in moves:
        _check_room(trips, move, definition)
        groups_of_move = _groups(trips, move, touched, definition)
        treated, placebos = groups_of_move[0], groups_of_move[1:]
        groups.append(treated)
        noises.append(_scaled(placebos, len(treated.did)))
        covered.append(_coverage(placebos, alpha, draws, generator))
    names = [str(move[0]) for move in moves]
    every = [*zip(names, [[group] for group in groups], strict=True), ("pooled", groups)]
    noise = [*noises, _pooled_noise(groups, noises, draws, generator)]
    boots = [_bootstrap(members, draws, generator) for _, members in every]
    effects = [row for (name, members), e, boot in zip(every, noise, boots, strict=True) for row in _effects(name, members, e, boot, alpha)]
    ratios = [row for (name, members), e, boot in zip(every, noise, boots, strict=True) for row in _ratios(name, members, e, boot, alpha)]
    return Moved(pl.DataFrame(effects, orient="row"), pl.DataFrame(ratios, orient="row"), _covered(covered))


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
    trips = _prepare(baskets, definition)
    move = (relocation["store_id"], relocation["closed"], relocation["successor_id"], relocation["opened"])
    _check_room(trips, move, definition)
    windows = _windows(move, definition)
    regulars = _regulars(trips, move[0], windows, definition).filter(pl.col("store_id") == move[0])["household_id"]
    theirs = trips.filter(pl.col("household_id").is_in(regulars.to_list()))
    weeks = definition.window_days / 7
    before, after = (_in(theirs, windows[name]) for name in ("before", "after"))
    seen = [frame.group_by("store_id").agg((pl.sum("amount") / weeks).alias(name)) for frame, name in ((before, "before"), (after, "after"))]
    table = seen[0].join(seen[1], on="store_id", how="full", coalesce=True)
    predicted = _proportional(_in(trips, windows["before"]), before, move[0], weeks)
    joined = table.join(predicted, on="store_id", how="left").filter(pl.col("store_id") != move[0])
    ranked = joined.with_columns(pl.col("before", "after", "iia_chain", "iia_own").fill_null(0.0)).with_columns(is_successor=pl.col("store_id") == move[2]).sort("after", "store_id", descending=[True, False])
    columns = ("store_id", "is_successor", "before", "after", "iia_chain", "iia_own")
    return ranked.head(most + 1).select(columns)


def _prepare(baskets: Any, definition: Definition) -> pl.DataFrame:
    """Return one row a basket with the chosen outcome as `amount`."""
    frame = to_polars(baskets)
    require_columns(frame.columns, ["household_id", "store_id", "date", "sales_usd"], "baskets")
    if definition.outcome not in ("baskets", "sales_usd"):
        raise ContractError(f"The outcome {definition.outcome!r} is unknown; it may be 'baskets' or 'sales_usd'.")
    amount = pl.lit(1.0) if definition.outcome == "baskets" else pl.col("sales_usd")
    return frame.select("household_id", "store_id", pl.col("date").cast(pl.Date), amount=amount)


def _windows(move: Sequence[Any], definition: Definition) -> dict[str, tuple[dt.date, dt.date]]:
    """Return selection, before and after: three spans of days that share none."""
    _, closed, _, opened = move
    day = dt.timedelta(days=1)
    base = closed - definition.window_days * day + day
    resume = max(closed + day, opened)
    return {
        "selection": (base - definition.selection_days * day, base - day),
        "before": (base, closed),
        "after": (resume, resume + definition.window_days * day - day),
    }


def _check_room(trips: pl.DataFrame, move: Sequence[Any], definition: Definition) -> None:
    """Refuse a relocation too near an edge of the records for its windows."""
    windows = _windows(move, definition)
    first, last = trips["date"].min(), trips["date"].max()
    if windows["selection"][0] < first or windows["after"][1] > last:  # type: ignore[operator]
        raise ContractError(
            f"The move of store {move[0]!r} needs records from {windows['selection'][0]} to {windows['after'][1]}, "
            f"and they run from {first} to {last}. Take shorter windows (Definition.selection_days, window_days)."
        )


def _in(trips: pl.DataFrame, window: tuple[dt.date, dt.date]) -> pl.DataFrame:
    return trips.filter(pl.col("date").is_between(*window))


def _regulars(trips: pl.DataFrame, store: Any, windows: dict[str, Any], definition: Definition) -> pl.DataFrame:
    """Return each regular with its store: the moved one wherever it is a regular there, else its main store."""
    days = _in(trips, windows["selection"]).unique(["household_id", "store_id", "date"])
    most = definition.most_weekly * definition.selection_days / 7
    enough = pl.col("len").is_between(definition.regular_visits, most)
    counts = days.group_by("household_id", "store_id").len().filter(enough)
    ranked = counts.with_columns(moved=pl.col("store_id") == store).sort(
        "household_id", "moved", "len", "store_id", descending=[False, True, True, False]
    )
    return ranked.unique("household_id", keep="first", maintain_order=True).select("household_id", "store_id")


def _groups(trips: pl.DataFrame, move: Sequence[Any], touched: set[Any], definition: Definition) -> list[_Group]:
    """Return the relocated store's regulars, then those of every placebo store, all matched."""
    windows = _windows(move, definition)
    regulars = _regulars(trips, move[0], windows, definition)
    own_move = pl.col("store_id") == move[0]
    usable = regulars.filter(own_move | ~pl.col("store_id").is_in(list(touched)))
    traits = _weekly(trips, windows["selection"], usable, move[2])
    before, after = (_weekly(trips, windows[name], usable, move[2]) for name in ("before", "after"))
    main = usable["store_id"].to_list()
    stores = {store: np.array([name == store for name in main]) for store in dict.fromkeys(main)}
    if move[0] not in stores:
        raise ContractError(f"Store {move[0]!r} has no regulars ({definition.regular_visits} visits in {definition.selection_days} days).")
    big = [s for s, mine in stores.items() if s != move[0] and mine.sum() >= FEWEST_PLACEBO_HOUSEHOLDS]
    if len(big) < 2:
        raise ContractError(f"Only {len(big)} stores stayed open with {FEWEST_PLACEBO_HOUSEHOLDS} regulars: no placebo, no interval.")
    pool = ~stores[move[0]]
    return [_match(store, stores[store], pool, traits, before, after, definition.matches) for store in [move[0], *big]]


def _weekly(trips: pl.DataFrame, window: tuple[dt.date, dt.date], regulars: pl.DataFrame, successor: Any) -> Array:
    """Return each regular's weekly trade at its own store, the successor, and all others."""
    weeks = ((window[1] - window[0]).days + 1) / 7
    theirs = _in(trips, window).join(regulars.rename({"store_id": "main"}), on="household_id", validate="m:1")
    where = (
        pl.when(pl.col("store_id") == pl.col("main")).then(pl.lit("own"))
        .when(pl.col("store_id") == successor).then(pl.lit("successor"))
        .otherwise(pl.lit("others"))
    )  # fmt: skip
    sums = [(pl.col("amount").filter(where == name).sum() / weeks).alias(name) for name in OUTCOMES]
    table = regulars.select("household_id").join(theirs.group_by("household_id").agg(sums), on="household_id", how="left", maintain_order="left")
    return table.select(pl.col(OUTCOMES).fill_null(0.0)).to_numpy()


def _match(store: Any, mine: Any, pool: Any, traits: Array, before: Array, after: Array, matches: int) -> _Group:
    """Compare each regular of one store with its nearest regulars of other stores, on the selection window."""
    others = pool & ~mine
    scale = np.maximum(traits[others].std(axis=0), 1e-9)
    features = np.log1p(traits[:, [0, 2]] / scale[[0, 2]])
    _, nearest = cKDTree(features[others]).query(features[mine], k=min(matches, int(others.sum())))
    change = after - before
    control = change[others][nearest.reshape(int(mine.sum()), -1)].mean(axis=1)
    return _Group(store, before[mine], after[mine], change[mine] - control)


def _scaled(placebos: list[_Group], households: int) -> Array:
    """Return one row a placebo store: its mean error, brought to the noise of `households` households."""
    return np.array([group.did.mean(axis=0) * np.sqrt(len(group.did) / households) for group in placebos])


def _pooled_noise(groups: list[_Group], noises: list[Array], draws: int, generator: np.random.Generator) -> Array:
    """Draw one placebo store for each relocation and pool them as the relocations are pooled."""
    sizes = np.array([len(group.did) for group in groups], dtype=float)
    picked = [noise[generator.integers(len(noise), size=draws)] for noise in noises]
    return np.asarray(np.tensordot(sizes / sizes.sum(), np.array(picked), axes=1))


def _stack(members: list[_Group]) -> Array:
    return np.concatenate([group.did for group in members])


def _bootstrap(members: list[_Group], draws: int, generator: np.random.Generator) -> Array:
    """Resample households: the interval that a hurried analyst would print."""
    did = _stack(members)
    return np.asarray(did[generator.integers(len(did), size=(draws, len(did)))].mean(axis=1))


def _effects(name: str, members: list[_Group], noise: Array, boot: Array, alpha: float) -> list[dict[str, Any]]:
    did = _stack(members).mean(axis=0)
    before, after = (np.concatenate([getattr(group, side) for group in members]).mean(axis=0) for side in ("before", "after"))
    rows = []
    for where, pick in _destination_weights().items():
        half = np.quantile(np.abs(noise @ pick), 1 - alpha)
        low, high = np.quantile(boot @ pick, [alpha / 2, 1 - alpha / 2])
        att = float(did @ pick)
        rows.append({
            "store_id": name, "destination": where, "regulars": sum(len(g.did) for g in members),
            "before": float(before @ pick), "after": float(after @ pick), "att": att,
            "low": att - half, "high": att + half, "boot_low": low, "boot_high": high,
        })  # fmt: skip
    return rows


def _destination_weights() -> dict[str, Array]:
    unit = np.eye(len(OUTCOMES))
    return {"own": unit[0], "successor": unit[1], "others": unit[2], "chain": unit.sum(axis=0)}


def _ratios(name: str, members: list[_Group], noise: Array, boot: Array, alpha: float) -> list[dict[str, Any]]:
    """Divide by what was lost at the closed store; intervals by inverting the test of each ratio."""
    did = _stack(members).mean(axis=0)
    weights = _destination_weights()
    picks = {"successor": weights["successor"], "others": weights["others"], "left the panel": -weights["chain"]}
    rows = []
    for where, pick in picks.items():
        low, high = _invert(did, noise, pick, alpha)
        drawn = np.divide(boot @ pick, -boot[:, 0], out=np.full(len(boot), np.inf), where=boot[:, 0] < 0)
        spread = noise @ pick
        power = np.quantile(np.abs(spread), 1 - alpha) + np.quantile(spread, 0.8)
        rows.append({
            "store_id": name, "destination": where, "ratio": float(did @ pick / -did[0]), "low": low, "high": high,
            "boot_low": float(np.quantile(drawn, alpha / 2)), "boot_high": float(np.quantile(drawn, 1 - alpha / 2)),
            "detectable": float(power / -did[0]),
        })  # fmt: skip
    return rows


def _invert(did: Array, noise: Array, pick: Array, alpha: float) -> tuple[float, float]:
    """Return the ratios that the placebos do not reject: |diverted - ratio x lost| within their quantile."""
    steps = round(_MOST_RATIO / _RATIO_STEP)
    grid = np.arange(-steps, steps + 1) * _RATIO_STEP
    gap = np.abs(did @ pick + grid * did[0])
    limit = np.quantile(np.abs((noise @ pick)[:, None] + grid * noise[:, :1]), 1 - alpha, axis=0)
    kept = grid[gap <= limit]
    if len(kept) == 0:
        return float("nan"), float("nan")
    low = -np.inf if kept[0] <= grid[0] else kept[0]
    high = np.inf if kept[-1] >= grid[-1] else kept[-1]
    return float(low), float(high)


def _coverage(placebos: list[_Group], alpha: float, draws: int, generator: np.random.Generator) -> list[tuple[bool, bool]]:
    """Ask of each placebo store whether either interval for `others` holds the true zero."""
    held = []
    for index, group in enumerate(placebos):
        rest = _scaled(placebos[:index] + placebos[index + 1 :], len(group.did))[:, 2]
        did = float(group.did[:, 2].mean())
        boot = _bootstrap([group], draws // 4, generator)[:, 2]
        low, high = np.quantile(boot, [alpha / 2, 1 - alpha / 2])
        held.append((bool(abs(did) <= np.quantile(np.abs(rest), 1 - alpha)), bool(low <= 0 <= high)))
    return held


def _covered(held: list[list[tuple[bool, bool]]]) -> pl.DataFrame:
    every = np.array([pair for one in held for pair in one])
    shares = every.mean(axis=0)
    return pl.DataFrame(
        {"interval": ["placebo stores", "household bootstrap"], "placebos": [len(every)] * 2, "coverage": shares}
    )


def _proportional(chain: pl.DataFrame, theirs: pl.DataFrame, store: Any, weeks: float) -> pl.DataFrame:
    """Spread the closed store's trade over the others: by the chain's shares, and by each household's own."""
    other = pl.col("store_id") != store
    lost = theirs.filter(~other).group_by("household_id").agg(lost=pl.sum("amount") / weeks)
    total = lost["lost"].sum()
    by_chain = chain.filter(other).group_by("store_id").agg(pl.sum("amount"))
    by_chain = by_chain.select("store_id", iia_chain=pl.col("amount") / pl.sum("amount") * total)
    own = theirs.filter(other).group_by("household_id", "store_id").agg(pl.sum("amount"))
    shares = own.with_columns(share=pl.col("amount") / pl.sum("amount").over("household_id"))
    by_own = shares.join(lost, on="household_id").group_by("store_id").agg(iia_own=(pl.col("share") * pl.col("lost")).sum())
    return by_chain.join(by_own, on="store_id", how="left").with_columns(pl.col("iia_own").fill_null(0.0))
