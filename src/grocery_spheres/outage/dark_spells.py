"""Was a dark spell an outage, or are its records missing?

Two signs of an outage are looked for among the dark store's regulars: did they go *elsewhere* on those
days, and did they *catch up* afterwards? Each is the number of trips above what the same households
made on the same weekdays of the weeks around, so an interval comes from those weeks themselves
(placebo weeks). Where both are absent, the trips were made as usual and not recorded, or every one of
them was lost to a shop outside the panel without a trace; these records cannot tell the two apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from grocery_spheres.outage.silence import Visits, silent_days, visits
from grocery_spheres.tables import ContractError

WEEKS_AROUND = 8  # placebo weeks on each side of a spell: near enough to be the same season
REGULAR_EVERY_DAYS = 14  # a regular came at least this often in those weeks
CATCH_UP_DAYS = (3, 7)  # days after the spell in which a delayed trip would show: half a week, a week
FEWEST_PLACEBOS = 8  # placebo weeks below which a spell cannot be tested

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Spell:
    """One spell's regulars, seen on the days themselves (row 0) and in each placebo week (rows 1...)."""

    week: int  # the study week it begins in: spells of one week share their placebo weeks
    lost: float
    trips: Array  # shape (1 + placebo weeks, measures)


def missing_or_outage(
    baskets: Any, dark_spells: pl.DataFrame, *, alpha: float = 0.05, draws: int = 4000, seed: int = 2045
) -> pl.DataFrame:
    """Test whether the regulars of dark stores went elsewhere or caught up.

    Parameters
    ----------
    baskets : any Narwhals frame
        One row = one basket (`panels.baskets`).
    dark_spells : polars.DataFrame
        One row = one spell (`Events.dark_spells`): `store_id`, `start`, `end`.
    alpha : float
        One minus the level of the intervals.
    draws : int
        Placebo draws; each takes one placebo week for every spell.
    seed : int
        Of the draws.

    Returns
    -------
    polars.DataFrame
        One row = one sign: `sign` ("elsewhere on the day", "anywhere within 3 days", ...), `spells`
        tested, `trips_missed` at the dark stores (expected, regulars only), `trips_seen`,
        `trips_expected`, `excess`, `share` of the missed trips found again, `low`, `high`, `p` (two-sided),
        `detectable` (the smallest share that would be told from zero with 80 % power).

    Raises
    ------
    ContractError
        A spell lies outside the baskets' dates, or no spell has regulars and enough placebo weeks.

    Notes
    -----
    Assumes that the weeks around are exchangeable with the spell's own, but for the trading level of
    the days, which is taken out with the trips of all other households.
    """
    found = visits(baskets)
    every = list(dark_spells.select("store_id", "start", "end").iter_rows())
    _check_dates(found, every)
    spells = [spell for row in every if (spell := _look(found, every, *row)) is not None]
    if not spells:
        raise ContractError(
            f"None of the {len(every)} dark spells can be tested: each needs regulars (a visit every "
            f"{REGULAR_EVERY_DAYS} days) and {FEWEST_PLACEBOS} weeks of records around it."
        )
    lost = sum(spell.lost for spell in spells)
    seen = np.sum([spell.trips[0] for spell in spells], axis=0)
    expected = np.sum([spell.trips[1:].mean(axis=0) for spell in spells], axis=0)
    noise = _placebos(spells, draws, np.random.default_rng(seed))
    signs = ["elsewhere on the day", *[f"anywhere within {days} days" for days in CATCH_UP_DAYS]]
    counts = {"spells": len(spells), "trips_missed": lost}
    rows = [
        {"sign": sign, **counts, **_judged(lost, seen[k], expected[k], noise[:, k], alpha)}
        for k, sign in enumerate(signs)
    ]
    return pl.DataFrame(rows, orient="row")


def other_records(found_elsewhere: Any, baskets: Any, dark_spells: pl.DataFrame) -> pl.DataFrame:
    """Say whether a second kind of record at the dark stores (fuel, say) fell silent with the first.

    Parameters
    ----------
    found_elsewhere : any Narwhals frame
        One row = one record of the second kind: `household_id`, `store_id`, `date`, `lines`.
    baskets : any Narwhals frame
        One row = one basket; gives the study window and the trading level of the days.
    dark_spells : polars.DataFrame
        As in `missing_or_outage`.

    Returns
    -------
    polars.DataFrame
        One row = one dark store that has records of the second kind: `store_id`, `days` dark, `seen`
        household-days on them, `expected` from the twelve weeks around. An outage of the till need not
        silence the pumps; a missing day of records does.
    """
    second, first = visits(found_elsewhere), visits(baskets)
    every = list(dark_spells.select("store_id", "start", "end").iter_rows())
    whole = Visits(_renumbered(second, first), first.start, first.days, first.trading)
    stores = {store: (0, first.days - 1) for store, _ in whole.stores() if store in {row[0] for row in every}}
    daily = silent_days(whole, stores)
    dark = pl.DataFrame(
        [
            (store, day)
            for store in stores
            for day in np.nonzero(_dark_days(first, every, store) & first.trading)[0]
        ],
        schema={"store_id": daily.schema["store_id"], "day": pl.Int64},
        orient="row",
    )
    joined = dark.join(daily, on=["store_id", "day"], how="left", validate="1:1")
    return (
        joined.group_by("store_id")
        .agg(days=pl.len().cast(pl.Int64), seen=pl.sum("households"), expected=pl.sum("households_expected"))
        .sort("store_id")
    )


def _renumbered(second: Visits, first: Visits) -> pl.DataFrame:
    """Return the second table with days counted from the first's start, inside its window."""
    shift = (second.start - first.start).days
    moved = second.table.with_columns(pl.col("day") + shift)
    return moved.filter(pl.col("day").is_between(0, first.days - 1))


def _check_dates(found: Visits, every: list[Any]) -> None:
    """Refuse a spell outside the records: it has no days to look at."""
    end = found.date(found.days - 1)
    for store, first, last in every:
        if first < found.start or last > end or first > last:
            raise ContractError(
                f"The dark spell of store {store!r} from {first} to {last} does not lie within the baskets, "
                f"which run from {found.start} to {end}. Give the days as they stand in the records."
            )


def _judged(lost: float, seen: float, expected: float, noise: Array, alpha: float) -> dict[str, float]:
    """Judge one sign; interval and p-value invert the same placebo distribution."""
    excess = seen - expected
    low, high = excess - np.quantile(noise, [1 - alpha / 2, alpha / 2])
    below = (1 + (noise >= excess).sum()) / (len(noise) + 1)
    above = (1 + (noise <= excess).sum()) / (len(noise) + 1)
    power = np.quantile(noise, 1 - alpha / 2) - np.quantile(noise, 0.2)
    return {
        "trips_seen": seen,
        "trips_expected": expected,
        "excess": excess,
        "share": excess / lost,
        "low": low / lost,
        "high": high / lost,
        "p": float(min(1.0, 2 * min(below, above))),
        "detectable": power / lost,
    }


def _look(found: Visits, every: list[Any], store: Any, start: Any, end: Any) -> _Spell | None:
    """Count the regulars' trips on a spell's days and in the placebo weeks; None = cannot be tested."""
    first, last = (start - found.start).days, (end - found.start).days
    dark = _dark_days(found, every, store)
    shifts = [7 * week for week in range(-WEEKS_AROUND, WEEKS_AROUND + 1) if week]
    reach = max(CATCH_UP_DAYS)
    usable = [
        shift
        for shift in shifts
        if first + shift >= 0
        and last + shift + reach < found.days
        and not dark[first + shift : last + shift + reach + 1].any()
    ]
    own, other, level = _trips(found, store, max(first - 7 * WEEKS_AROUND, 0), last + 7 * WEEKS_AROUND)
    if len(usable) < FEWEST_PLACEBOS or not own.any() or last + reach >= found.days:
        return None
    trips = np.array([_measures(own, other, level, first + s, last + s) for s in [0, *usable]])
    missed = np.mean(
        [own[first + s : last + s + 1].sum() / level[first + s : last + s + 1].mean() for s in usable]
    )
    levels = _levels(level, [0, *usable], first, last)
    return _Spell(week=first // 7, lost=float(missed * levels[0, 0]), trips=trips / levels * levels[0])


def _measures(own: Array, other: Array, level: Array, first: int, last: int) -> list[float]:
    """Return the trips elsewhere on the days, and the trips anywhere in the days after."""
    after = [
        own[last + 1 : last + 1 + days].sum() + other[last + 1 : last + 1 + days].sum()
        for days in CATCH_UP_DAYS
    ]
    return [float(other[first : last + 1].sum()), *[float(value) for value in after]]


def _levels(level: Array, shifts: list[int], first: int, last: int) -> Array:
    """Return the mean trading level of the same days for every shift and measure."""
    return np.array(
        [
            [
                level[first + s : last + s + 1].mean(),
                *[level[last + s + 1 : last + s + 1 + days].mean() for days in CATCH_UP_DAYS],
            ]
            for s in shifts
        ]
    )


def _trips(found: Visits, store: Any, first: int, last: int) -> tuple[Array, Array, Array]:
    """Return the regulars' daily trips at the store and elsewhere, and everyone else's trading level."""
    around = found.table.filter((pl.col("store_id") == store) & pl.col("day").is_between(first, last))
    counts = around.group_by("household_id").len()
    fewest = (last - first + 1) / REGULAR_EVERY_DAYS
    regulars = counts.filter(pl.col("len") >= fewest)["household_id"].to_list()
    theirs = found.table.filter(pl.col("household_id").is_in(regulars))
    at_store = pl.col("store_id") == store

    def daily(rows: pl.DataFrame) -> Array:
        return np.bincount(rows["day"].to_numpy(), minlength=found.days).astype(float)

    rest = daily(found.table.filter(~pl.col("household_id").is_in(regulars) & ~at_store))
    level = rest / rest[found.trading].mean()
    return daily(theirs.filter(at_store)), daily(theirs.filter(~at_store)), np.maximum(level, 1e-9)


def _dark_days(found: Visits, every: list[Any], store: Any) -> npt.NDArray[np.bool_]:
    """Return which days are dark at a store, in any spell, or closed for the chain."""
    dark = ~found.trading
    for other, start, end in every:
        if other == store:
            dark[(start - found.start).days : (end - found.start).days + 1] = True
    return dark


def _placebos(spells: list[_Spell], draws: int, generator: np.random.Generator) -> Array:
    """Draw a placebo week for every spell, treat it as the spell, sum the excesses.

    Spells that begin in one week draw the same place in their placebo weeks: what moves all stores on
    one date must not be averaged away.
    """
    total = np.zeros((draws, spells[0].trips.shape[1]))
    place = {week: generator.random(draws) for week in sorted({spell.week for spell in spells})}
    for spell in spells:
        weeks = spell.trips[1:]
        others = (weeks.sum(axis=0) - weeks) / (len(weeks) - 1)
        total += (weeks - others)[(place[spell.week] * len(weeks)).astype(int)]
    return total
