"""What was bought where, when and by whom? Baskets as arrays that can be summed again and again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from grocery_spheres.tables import ContractError, check_table, read_baskets, to_polars

MOST_A_DAY = 3  # baskets of a household and day, on average over the record, that are believed
LEAST_DAYS = 28  # over which that average is taken at least
_SHOWN = 8  # ids in a message
_COUNT = " baskets"  # a name that no measure has
BASKETS = "baskets"  # the measure that counts; any other is a column that is summed

Array = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Records:
    """One row = one household, store and day with at least one basket.

    Attributes
    ----------
    store_ids, household_ids : list
        Ids, by their place.
    first : datetime.date
        Day 0.
    days : int
        How many days the record has.
    store, day, pair : array of int, (rows,)
        Places of the store, the day, and the pair of household and store.
    pair_person, pair_store : array of int, (pairs,)
        Places of household and store of each pair.
    baskets : array, (rows,)
        How many.
    amounts : array, (measures, rows)
        What was bought.
    measures : tuple of str
        Their names.
    left_out : tuple
        Stores with days without records, whose baskets are not here.
    """

    store_ids: list[Any]
    household_ids: list[Any]
    first: dt.date
    days: int
    store: Whole
    day: Whole
    pair: Whole
    pair_person: Whole
    pair_store: Whole
    baskets: Array
    amounts: Array
    measures: tuple[str, ...]
    left_out: tuple[Any, ...] = ()

    @property
    def persons(self) -> int:
        """How many households there are."""
        return len(self.household_ids)

    @property
    def person(self) -> Whole:
        """Household of each row."""
        return self.pair_person[self.pair]

    def weekday(self) -> Whole:
        """Return the weekday of each day, 0 to 6."""
        return (np.arange(self.days) + self.first.weekday()) % 7

    def date(self, day: int) -> dt.date:
        """Return the date of a day's place."""
        return self.first + dt.timedelta(days=int(day))

    def place(self, store: Any, what: str) -> int:
        """Return a store's place, or refuse one that never sold."""
        try:
            return self.store_ids.index(store)
        except ValueError:
            some = ", ".join(map(repr, self.store_ids[:_SHOWN]))
            raise ContractError(
                f"The {what} {store!r} has no basket. Ids are compared as they are: 7 is not '7'. There are: "
                f"{some}{' and more' if len(self.store_ids) > _SHOWN else ''}."
            ) from None

    def within(self, days: slice) -> Flags:
        """Say of each row whether it lies in some days."""
        return np.asarray((self.day >= days.start) & (self.day < days.stop))

    def sold(self, days: slice) -> Array:
        """Count each store's baskets over some days."""
        inside = self.within(days)
        sums = np.bincount(self.store[inside], self.baskets[inside], minlength=len(self.store_ids))
        return sums.astype(np.float64)

    def marked(self, stores: Whole) -> Flags:
        """Say of each store whether it is among some."""
        marks = np.zeros(len(self.store_ids), dtype=bool)
        marks[stores] = True
        return marks

    def ever_at(self, stores: Whole, before: int | None = None) -> Flags:
        """Say of each household whether it ever bought at any of some stores; before a day, if given."""
        pairs = self.marked(stores)[self.pair_store]
        if before is not None:
            came = np.zeros(len(self.pair_store), dtype=bool)
            came[self.pair[self.day < before]] = True
            pairs &= came
        people = np.zeros(self.persons, dtype=bool)
        people[self.pair_person[pairs]] = True
        return people

    def of_persons(self, wanted: Flags) -> Records:
        """Keep the rows of some households; places stay as they are."""
        kept = wanted[self.person]
        rows = {name: getattr(self, name)[kept] for name in ("store", "day", "pair")}
        return replace(self, baskets=self.baskets[kept], amounts=self.amounts[:, kept], **rows)


def read_records(
    baskets: Any, measures: Sequence[str], *, masked: Any = None, dark: Sequence[Any] = ()
) -> Records:
    """Read baskets of the contract: `household_id`, `store_id`, `date`, and the columns to be summed.

    Parameters
    ----------
    baskets : any Narwhals frame
        One row = one basket.
    measures : sequence of str
        "baskets" (counts them) or columns of numbers.
    masked : any Narwhals frame, optional
        One row = one store-day without records; all baskets of such a store are left out.
    dark : sequence of ids
        Stores that must not be among those.

    Raises
    ------
    ContractError
        No rows, a column is missing, not of its kind, null or infinite; no measure was named; a dark store
        has days without records; or a household has more baskets than anybody can.

    Examples
    --------
    >>> trips = pl.DataFrame({"household_id": [1, 1, 2], "store_id": ["a", "a", "b"],
    ...                       "date": [dt.date(2045, 6, 1), dt.date(2045, 6, 1), dt.date(2045, 6, 3)]})
    >>> found = read_records(trips, ["baskets"])
    >>> found.days, found.amounts.tolist(), found.store_ids
    (3, [[2.0, 1.0]], ['a', 'b'])
    """
    names = _measures(measures)
    columns = [name for name in names if name != BASKETS]
    try:
        rows = read_baskets(baskets, ["household_id", "store_id", "date", *columns])
    except TypeError as wrong:
        raise ContractError(
            f"`baskets` is {type(baskets).__name__}: give a frame (Polars, pandas, DuckDB), one row a "
            "basket. A file is read by polars.read_parquet or polars.read_csv first."
        ) from wrong
    for name in columns:
        _refuse_unfit(rows, name)
    gaps = _gaps(masked, dark)
    rows = rows.filter(~pl.col("store_id").is_in(gaps)) if gaps else rows
    sums = [pl.len().cast(pl.Float64).alias(_COUNT)]
    sums += [
        pl.len().cast(pl.Float64).alias(BASKETS) if name == BASKETS else pl.col(name).sum() for name in names
    ]
    cells = rows.group_by("household_id", "store_id", "date").agg(sums)
    _refuse_shared_id(cells)
    return replace(_numbered(cells.sort("household_id", "store_id", "date"), names), left_out=tuple(gaps))


def _numbered(cells: pl.DataFrame, names: tuple[str, ...]) -> Records:
    """Give stores, households, their pairs, and days their places."""
    first: dt.date = cells.select(pl.col("date").min()).item()
    day = (cells["date"] - first).dt.total_days().to_numpy()
    codes, ids = {}, {}
    for name in ("store_id", "household_id"):
        ids[name] = cells[name].unique().sort()
        codes[name] = (cells[name].rank("dense") - 1).to_numpy().astype(np.int64)
    both = codes["household_id"] * len(ids["store_id"]) + codes["store_id"]
    pairs, pair = np.unique(both, return_inverse=True)
    person, store = np.divmod(pairs, len(ids["store_id"]))
    return Records(
        store_ids=ids["store_id"].to_list(),
        household_ids=ids["household_id"].to_list(),
        first=first,
        days=int(day.max()) + 1,
        store=codes["store_id"],
        day=day,
        pair=pair,
        pair_person=person,
        pair_store=store,
        baskets=cells[_COUNT].to_numpy(),
        amounts=np.array([cells[name].cast(pl.Float64).to_numpy() for name in names]),
        measures=names,
    )


def _gaps(masked: Any, dark: Sequence[Any]) -> list[Any]:
    """Return the stores with days without records; refuse a dark one among them."""
    if masked is None:
        return []
    check_table(masked, "masked")
    stores = to_polars(masked)["store_id"].unique().sort().to_list()
    for store in dark:
        if store in stores:
            raise ContractError(
                f"The dark store {store!r} has days without records (`masked`): what is missing there is not "
                "known, and not lost. Use a record that is whole, or leave `masked` out if those days are."
            )
    return stores


def _refuse_shared_id(cells: pl.DataFrame) -> None:
    """Refuse a household that nobody can be: the id that a till gives to all who show none."""
    days = (cells["date"].max() - cells["date"].min()).days + 1  # type: ignore[operator,union-attr]
    most = cells.group_by("household_id").agg(pl.sum(_COUNT)).sort(_COUNT, "household_id").row(-1)
    if most[1] > MOST_A_DAY * max(days, LEAST_DAYS):
        raise ContractError(
            f"The household {most[0]!r} has {most[1]:,.0f} baskets in {days} days. No household shops more "
            f"than {MOST_A_DAY} times a day: it is an id that many share. Set its baskets apart."
        )


def _measures(measures: Sequence[str]) -> tuple[str, ...]:
    names = (measures,) if isinstance(measures, str) else tuple(measures)
    if not names or len(set(names)) < len(names) or not all(isinstance(name, str) for name in names):
        raise ContractError(
            f"`measures` is {measures!r}: name at least one, each once: 'baskets', or columns to be summed."
        )
    return names


def _refuse_unfit(rows: pl.DataFrame, name: str) -> None:
    if not rows[name].dtype.is_numeric():
        raise ContractError(
            f"The column `{name}` of the baskets holds {rows[name].dtype}: a measure needs numbers."
        )
    if not float(rows[name].cast(pl.Float64).fill_nan(0.0).sum()) > 0:
        raise ContractError(
            f"The column `{name}` of the baskets sums to nothing or less: no share of it can be lost."
        )
    infinite = int(rows[name].cast(pl.Float64).is_infinite().sum())
    if infinite:
        raise ContractError(f"{infinite} baskets have an infinite `{name}`. Correct them, or set them apart.")
