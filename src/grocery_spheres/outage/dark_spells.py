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
from grocery_spheres.tables import ContractError, require_columns

WEEKS_AROUND = 8  # placebo weeks on each side of a spell: near enough to be the same season
REGULAR_EVERY_DAYS = 14  # a regular came at least this often in those weeks
FEWEST_PLACEBOS = 8  # placebo weeks below which a spell cannot be tested
SIGNS = {"elsewhere on the day": 0, "anywhere within 3 days": 3, "anywhere within 7 days": 7}  # days after

Array = npt.NDArray[np.float64]
Span = tuple[Any, int, int]  # store, first and last day number


@dataclass(frozen=True)
class _Spell:
    """One sign of one spell: the regulars' trips in its own days, then in each placebo week."""

    week: int  # the study week it begins in: spells of one week share their placebo weeks
    missed: float
    trips: Array  # shape (1 + placebo weeks,)


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
        One row = one sign: `sign` (the keys of `SIGNS`), `spells` tested, `untested` (no regulars, too few
        placebo weeks, or the next dark day falls into the days after), `trips_missed` at the dark
        stores (expected, regulars only), `trips_seen`, `trips_expected`, `excess`, `share` of the missed
        trips found again, `low`, `high`, `p` (two-sided), `detectable` (the smallest share that would be
        told from zero with 80 % power).

    Raises
    ------
    ContractError
        A spell lies outside the baskets' dates or holds sales, stands twice, or no spell can be tested.

    Notes
    -----
    Assumes that the weeks around are exchangeable with the spell's own, but for the trading level of
    the days, which is taken out with the trips of all other households.
    """
    if not 0 < alpha < 1 or draws < 1:
        raise ContractError(f"alpha is {alpha}, draws {draws}; alpha lies between 0 and 1, draws start at 1.")
    found = visits(baskets)
    spans = _spans(found, dark_spells)
    dark = {store: _dark_days(found, spans, store) for store, _, _ in spans}
    generator = np.random.default_rng(seed)
    rows = []
    for sign, reach in SIGNS.items():
        looked = [_look(found, span, dark[span[0]], reach) for span in spans]
        tested = [spell for spell in looked if spell is not None]
        if not tested:
            raise ContractError(
                f"None of the {len(spans)} dark spells can be tested for trips {sign}: each needs regulars "
                f"(a visit every {REGULAR_EVERY_DAYS} days) and {FEWEST_PLACEBOS} weeks of records around it."
            )
        counts = {"sign": sign, "spells": len(tested), "untested": len(spans) - len(tested)}
        rows.append(counts | _judged(tested, _placebos(tested, draws, generator), alpha))
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
    spans = _spans(first, dark_spells)
    whole = Visits(_renumbered(second, first), first.start, first.days, first.trading)
    stores = {
        store: (0, first.days - 1) for store, _ in whole.stores() if store in {span[0] for span in spans}
    }
    daily = silent_days(whole, stores)
    dark = pl.DataFrame(
        [
            (store, day)
            for store in stores
            for day in np.nonzero(_dark_days(first, spans, store) & first.trading)[0]
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


def _spans(found: Visits, dark_spells: pl.DataFrame) -> list[Span]:
    """Turn dates into day numbers, and refuse a spell that is none."""
    require_columns(dark_spells.columns, ["store_id", "start", "end"], "dark_spells")
    dated = dark_spells.select("store_id", pl.col("start", "end").cast(pl.Date))
    spans = []
    for store, first, last in dated.iter_rows():
        if None in (store, first, last) or first > last or first < found.start or last > found.end:
            raise ContractError(
                f"The dark spell of store {store!r} from {first!s} to {last!s} does not lie within the "
                f"baskets, which run from {found.start} to {found.end}. Give the days of the records."
            )
        spans.append((store, (first - found.start).days, (last - found.start).days))
    _refuse_sales(found, spans)
    return spans


def _refuse_sales(found: Visits, spans: list[Span]) -> None:
    """Refuse a spell that stands twice, or on whose days its store has sales."""
    for store, first, last in spans:
        here = (pl.col("store_id") == store) & pl.col("day").is_between(first, last)
        sold = found.table.filter(here)["baskets"].sum()
        if sold or spans.count((store, first, last)) > 1:
            what = f"has {sold:,} baskets in the records" if sold else "stands twice in the table"
            raise ContractError(
                f"The dark spell of store {store!r} from {found.date(first)} to {found.date(last)} {what}. "
                "A dark spell has no sales, and counts once: `find_events` finds such spells."
            )


def _judged(spells: list[_Spell], noise: Array, alpha: float) -> dict[str, float]:
    """Judge one sign; interval and p-value invert the same placebo distribution."""
    missed = sum(spell.missed for spell in spells)
    seen = sum(float(spell.trips[0]) for spell in spells)
    expected = sum(float(spell.trips[1:].mean()) for spell in spells)
    excess = seen - expected
    low, high = excess - np.quantile(noise, [1 - alpha / 2, alpha / 2])
    below = (1 + (noise >= excess).sum()) / (len(noise) + 1)
    above = (1 + (noise <= excess).sum()) / (len(noise) + 1)
    power = np.quantile(noise, 1 - alpha / 2) - np.quantile(noise, 0.2)
    return {
        "trips_missed": missed,
        "trips_seen": seen,
        "trips_expected": expected,
        "excess": excess,
        "share": excess / missed,
        "low": float(low / missed),
        "high": float(high / missed),
        "p": float(min(1.0, 2 * min(below, above))),
        "detectable": float(power / missed),
    }


def _look(found: Visits, span: Span, dark: npt.NDArray[np.bool_], reach: int) -> _Spell | None:
    """Count the regulars' trips on a spell's own days and in the placebo weeks; None = cannot be tested."""
    store, first, last = span
    weeks = [7 * week for week in range(-WEEKS_AROUND, WEEKS_AROUND + 1) if week]
    usable = [s for s in weeks if _is_clean(dark, first + s, last + s + reach)]
    if len(usable) < FEWEST_PLACEBOS or not _is_clean(dark, last + 1, last + reach):
        return None
    own, other, level = _trips(found, store, max(first - 7 * WEEKS_AROUND, 0), last + 7 * WEEKS_AROUND)
    counted, start, end = (own + other, last + 1, last + reach) if reach else (other, first, last)
    trips = np.array([_leveled(counted, level, start + s, end + s) for s in [0, *usable]])
    missed = np.mean([_leveled(own, level, first + s, last + s) for s in usable])
    missed *= level[first : last + 1].mean()
    if missed <= 0:
        return None
    return _Spell(week=first // 7, missed=float(missed), trips=trips * level[start : end + 1].mean())


def _is_clean(dark: npt.NDArray[np.bool_], first: int, last: int) -> bool:
    """Say whether days lie within the records and none of them is dark."""
    return first >= 0 and last < len(dark) and not dark[first : last + 1].any()


def _leveled(trips: Array, level: Array, first: int, last: int) -> float:
    """Return the trips of some days over the trading level of those days."""
    return float(trips[first : last + 1].sum() / level[first : last + 1].mean())


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


def _dark_days(found: Visits, spans: list[Span], store: Any) -> npt.NDArray[np.bool_]:
    """Return which days are dark at a store, in any spell, or closed for the chain."""
    dark = ~found.trading
    for other, first, last in spans:
        if other == store:
            dark[first : last + 1] = True
    return dark


def _placebos(spells: list[_Spell], draws: int, generator: np.random.Generator) -> Array:
    """Draw a placebo week for every spell, treat it as the spell, sum the excesses.

    Spells that begin in one week draw the same place in their placebo weeks: what moves all stores on
    one date must not be averaged away.
    """
    total = np.zeros(draws)
    place = {week: generator.random(draws) for week in sorted({spell.week for spell in spells})}
    for spell in spells:
        weeks = spell.trips[1:]
        others = (weeks.sum() - weeks) / (len(weeks) - 1)
        total += (weeks - others)[(place[spell.week] * len(weeks)).astype(int)]
    return total
