"""Which stores closed, opened or moved, and which days went dark? Households are the evidence.

The rules, each a named constant here or in `silent_runs`:

- A store *closed* after its last sale, or *opened* on the first day that sold a tenth of its median
  day's lines (pumps and kiosks sell a little before the shop does), where at least five households that
  shop there, and were seen elsewhere in the chain meanwhile, should have come, and all stayed away for
  up to 28 days; chance does that to one in a hundred such tables.
- A closure is a *relocation* where a store opened within 28 days and the closed store's regulars are
  found there far more often than other households.
- A *dark spell* is a run of trading days without any basket at a store that trades before and after,
  so improbable that at most a tenth of the spells found are expected to be chance.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import hypergeom

from grocery_spheres.outage.silence import AROUND_DAYS, Visits, silent_days, silent_window, visits
from grocery_spheres.outage.silent_runs import improbable_runs
from grocery_spheres.tables import ContractError, require_columns, to_polars

SILENCE_DAYS = 28  # days of silence that are weighed for a closure or an opening; longer ones only add
LIFE_DAYS = 2 * AROUND_DAYS  # days of a store's life on which a household's rhythm is measured
SHORTEST_SILENCE_DAYS = 7  # a store last seen less than a week before the end is still open
OPENING_SHARE = 0.1  # an opening is dated by the first day with this share of the median day's lines
FEWEST_EXPECTED = 5.0  # households that should have come: one buyer who leaves is no closure
FAMILY_ERROR = 0.01  # chance of one false closure or opening among all that were examined
RELOCATION_DAYS = 28  # a successor opens at most this long before or after the closure
REGULAR_VISITS = 3  # visits in the twelve weeks before a closure that make a regular
SEEN_AFTER_DAYS = 56  # days after the move in which a regular is looked for at the successor
_SPELL_COLUMNS = (
    "store_id",
    "start",
    "end",
    "days",
    "baskets_expected",
    "households_expected",
    "effective_households",
    "log10_p",
    "log10_p_poisson",
)


@dataclass(frozen=True)
class Events:
    """What happened to the stores, each table with the evidence.

    Attributes
    ----------
    closures, openings : polars.DataFrame
        One row = one store: `store_id`, `date` (last or first day of trading), `silence_days` weighed,
        `households` asked, `households_expected` of them in that time, `log10_p`.
    relocations : polars.DataFrame
        One row = one closure with its successor: `store_id`, `closed`, `successor_id`, `opened`,
        `regulars`, `moved` (of them seen at the successor), `others_share` (of other households), `p`.
    dark_spells : polars.DataFrame
        One row = one spell: `store_id`, `start`, `end` (inclusive), `days` (trading days),
        `baskets_expected`, `households_expected`, `effective_households`, `log10_p`,
        `log10_p_poisson` (what a count of baskets alone would have said).
    other_records : polars.DataFrame
        Spells as in `dark_spells` during which the store left records of another kind. Records are
        not missing there: chance, or an outage of the shop alone. They are not masked.
    closed : tuple of datetime.date
        Days on which no store sold anything: zeros there are zeros.
    examined : dict
        How many stores and store-days were looked at, the thresholds reached, and how many dark spells
        are expected to be chance.
    """

    closures: pl.DataFrame
    openings: pl.DataFrame
    relocations: pl.DataFrame
    dark_spells: pl.DataFrame
    other_records: pl.DataFrame
    closed: tuple[dt.date, ...]
    examined: dict[str, float]

    def masked(self) -> pl.DataFrame:
        """Return the dark store-days, one row each (`store_id`, `date`): null in a panel, never zero."""
        spans = self.dark_spells.select("store_id", date=pl.date_ranges("start", "end")).explode("date")
        return spans.filter(~pl.col("date").is_in(self.closed)).sort("store_id", "date")


def find_events(baskets: Any, *, other: Any | None = None) -> Events:
    """Find closures, openings, relocations and dark spells.

    Parameters
    ----------
    baskets : any Narwhals frame
        One row = one basket (`panels.baskets`): `household_id`, `store_id`, `date`, `lines`. Groceries
        only: fuel opens before the shop. Collected once.
    other : any Narwhals frame, optional
        A second kind of record of the same stores that the rule does not use, such as fuel: `store_id`,
        `date`. A spell on whose days it has a record is set apart in `other_records`.

    Returns
    -------
    Events
        Tables sorted by store; empty where nothing was found. A store whose households are too few to
        prove anything is in none of them: that is no proof that it stayed open.

    Raises
    ------
    ContractError
        A column is missing, or there are fewer than two stores.

    Examples
    --------
    >>> from grocery_spheres.panels import baskets
    >>> from grocery_spheres.public import complete_journey
    >>> find_events(baskets(complete_journey().lines)).relocations.select("store_id", "successor_id").rows()
    [(354, 415), (361, 34280), (414, 34011)]
    """
    found = visits(baskets)
    closures, openings, edges = _closed_and_opened(found)
    lives = _settled(found, closures, openings)
    spells, examined = _dark_spells(found, lives)
    examined["stores"] = float(len(lives))
    examined["edges"] = float(edges)
    dark, recorded = _parted(spells, other)
    closed = tuple(found.date(int(day)) for day in np.nonzero(~found.trading)[0])
    moves = _relocations(found, closures, openings)
    return Events(closures, openings, moves, dark, recorded, closed, examined)


def day_chances(baskets: Any) -> pl.DataFrame:
    """Return every store and trading day with its chance of silence, as `find_events` weighs them.

    Parameters
    ----------
    baskets : any Narwhals frame
        As in `find_events`.

    Returns
    -------
    polars.DataFrame
        One row = one store and trading day between its proved opening and closing: the columns of
        `silence.silent_days`, and `date`.
    """
    found = visits(baskets)
    closures, openings, _ = _closed_and_opened(found)
    days = silent_days(found, _settled(found, closures, openings))
    return days.with_columns(date=pl.lit(found.start) + pl.duration(days="day"))


def _closed_and_opened(found: Visits) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """Return the proved closures and openings, and how many edges were examined for them."""
    edges = _edges(found, _lives(found))
    return _proved(edges, "closed", found), _proved(edges, "opened", found), len(edges)


def _lives(found: Visits) -> dict[Any, tuple[int, int]]:
    """Return each store's first day of real trade and its last sale, as day numbers."""
    daily = found.table.group_by("store_id", "day").agg(pl.sum("lines"))
    usual = pl.col("lines").median().over("store_id")
    first = (
        daily.filter(pl.col("lines") >= OPENING_SHARE * usual).group_by("store_id").agg(first=pl.min("day"))
    )
    last = daily.group_by("store_id").agg(last=pl.max("day"))
    rows = first.join(last, on="store_id").sort("store_id").iter_rows()
    return {store: (int(a), int(z)) for store, a, z in rows}


def _edges(found: Visits, lives: dict[Any, tuple[int, int]]) -> pl.DataFrame:
    """Weigh the silence after each store's last day and before its first, where it is long enough."""
    rows = []
    for store, visitors in found.stores():
        for kind, edge, silence, life in _spans(*lives[store], found.days):
            length, room = silence[1] - silence[0] + 1, life[1] - life[0] + 1
            if length >= SHORTEST_SILENCE_DAYS and room >= length + SHORTEST_SILENCE_DAYS:
                rows.append((store, kind, edge, length, *_weigh(found, visitors, silence, life)))
    names = ["store_id", "kind", "day", "silence_days", "households", "households_expected", "log10_p"]
    return pl.DataFrame(rows, schema=names, orient="row", schema_overrides=_types(found))


def _spans(first: int, last: int, days: int) -> list[tuple[str, int, tuple[int, int], tuple[int, int]]]:
    """Return for either edge of a life: kind, day, the silence weighed, the life that speaks for it."""
    after, before = min(SILENCE_DAYS, days - 1 - last), min(SILENCE_DAYS, first)
    return [
        ("closed", last, (last + 1, last + after), (max(first, last - LIFE_DAYS + 1), last)),
        ("opened", first, (first - before, first - 1), (first, min(last, first + LIFE_DAYS - 1))),
    ]


def _weigh(
    found: Visits, visitors: pl.DataFrame, silence: tuple[int, int], life: tuple[int, int]
) -> tuple[int, float, float]:
    """Multiply the chances of silence over the store's households that were seen elsewhere meanwhile."""
    meanwhile = found.table.filter(pl.col("day").is_between(*silence)).select("household_id").unique()
    asked = visitors.join(meanwhile, on="household_id", how="semi", maintain_order="left")
    length = silence[1] - silence[0] + 1
    chances = [
        silent_window(own["day"].to_numpy(), life, length)
        for _, own in asked.group_by("household_id", maintain_order=True)
    ]
    total = float(np.log10(chances).sum()) if chances else 0.0
    return len(chances), float(len(chances) - sum(chances)), total


def _proved(edges: pl.DataFrame, kind: str, found: Visits) -> pl.DataFrame:
    """Keep the edges that chance explains with less than the family error, divided by all examined."""
    threshold = np.log10(FAMILY_ERROR / max(len(edges), 1))
    enough = (pl.col("log10_p") < threshold) & (pl.col("households_expected") >= FEWEST_EXPECTED)
    kept = edges.filter((pl.col("kind") == kind) & enough)
    dated = kept.with_columns(date=pl.lit(found.start) + pl.duration(days="day"))
    return dated.select(
        "store_id", "date", "silence_days", "households", "households_expected", "log10_p"
    ).sort("store_id")


def _settled(found: Visits, closures: pl.DataFrame, openings: pl.DataFrame) -> dict[Any, tuple[int, int]]:
    """Return the days on which a store should trade: the whole window but for proved edges."""
    opened, closed = (
        {store: (day - found.start).days for store, day in table.select("store_id", "date").iter_rows()}
        for table in (openings, closures)
    )
    return {store: (opened.get(store, 0), closed.get(store, found.days - 1)) for store, _ in found.stores()}


def _relocations(found: Visits, closures: pl.DataFrame, openings: pl.DataFrame) -> pl.DataFrame:
    """Pair closures with openings near in time whose customers are the same households."""
    pairs = closures.select("store_id", closed="date").join(
        openings.select(successor_id="store_id", opened="date"), how="cross"
    )
    near = pairs.filter((pl.col("opened") - pl.col("closed")).dt.total_days().abs() <= RELOCATION_DAYS)
    rows = [(*pair, *_moved(found, *pair)) for pair in near.iter_rows()]
    names = [*near.columns, "regulars", "moved", "others_share", "p"]
    types: dict[str, Any] = {
        **near.schema,
        "regulars": pl.Int64,
        "moved": pl.Int64,
        "others_share": pl.Float64,
        "p": pl.Float64,
    }
    tested = pl.DataFrame(rows, schema=names, orient="row", schema_overrides=types)
    proved = tested.filter(pl.col("p") < FAMILY_ERROR / max(len(tested), 1))
    return proved.sort("store_id", "p").unique("store_id", keep="first", maintain_order=True)


def _moved(
    found: Visits, store: Any, closed: dt.date, successor: Any, opened: dt.date
) -> tuple[int, int, float, float]:
    """Count the regulars seen at the successor against other households seen in the same time."""
    gone, back = (closed - found.start).days, (max(closed, opened) - found.start).days
    before = found.table.filter(pl.col("day").is_between(gone - AROUND_DAYS + 1, gone))
    after = found.table.filter(pl.col("day").is_between(back, back + SEEN_AFTER_DAYS))
    there = before.filter(pl.col("store_id") == store).group_by("household_id").len()
    regular = set(there.filter(pl.col("len") >= REGULAR_VISITS)["household_id"])
    seen = set(after["household_id"])
    at_successor = set(after.filter(pl.col("store_id") == successor)["household_id"])
    regulars, others = seen & regular, seen - regular
    moved, came = len(regulars & at_successor), len(others & at_successor)
    p = float(hypergeom.sf(moved - 1, len(seen), moved + came, len(regulars)))
    return len(regulars), moved, came / max(len(others), 1), p


def _dark_spells(found: Visits, lives: dict[Any, tuple[int, int]]) -> tuple[pl.DataFrame, dict[str, float]]:
    """Date the improbable runs of silent days; beside them, what a count of baskets alone would say."""
    runs, examined = improbable_runs(silent_days(found, lives))
    dated = runs.with_columns(
        start=pl.lit(found.start) + pl.duration(days="first"),
        end=pl.lit(found.start) + pl.duration(days="last"),
        log10_p_poisson=-pl.col("baskets_expected") / np.log(10.0),
    )
    return dated.select(_SPELL_COLUMNS).sort("store_id", "start"), examined


def _parted(spells: pl.DataFrame, other: Any | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Part the spells into those without and those with a record of the second kind."""
    if other is None:
        return spells, spells.clear()
    records = to_polars(other)
    require_columns(records.columns, ["store_id", "date"], "other")
    if records.schema["store_id"].is_integer() != spells.schema["store_id"].is_integer():
        raise ContractError(
            f"The column `store_id` is {records.schema['store_id']} in the table `other` and "
            f"{spells.schema['store_id']} in the baskets. Ids are strings or integers, never mixed."
        )
    days = records.select("store_id", pl.col("date").cast(pl.Date)).unique()
    seen = spells.join(days, on="store_id")
    within = seen.filter(pl.col("date").is_between("start", "end")).select("store_id", "start").unique()
    keys = ["store_id", "start"]
    return spells.join(within, on=keys, how="anti"), spells.join(within, on=keys, how="semi")


def _types(found: Visits) -> dict[str, Any]:
    return {
        "store_id": found.table.schema["store_id"],
        "kind": pl.String,
        "day": pl.Int64,
        "log10_p": pl.Float64,
    }
