"""What was bought where, when and by whom? Baskets as arrays that can be summed again and again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from grocery_spheres.tables import ContractError, read_baskets

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
    amounts : array, (measures, rows)
        What was bought.
    measures : tuple of str
        Their names.
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
    amounts: Array
    measures: tuple[str, ...]

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
            raise ContractError(
                f"The {what} {store!r} has no basket. Ids are compared as they are: 7 is not '7'."
            ) from None

    def summed(self, day: slice) -> Array:
        """Return what each store sold over some days, (measures, stores)."""
        inside = (self.day >= day.start) & (self.day < day.stop)
        count = len(self.store_ids)
        rows = [np.bincount(self.store[inside], one[inside], minlength=count) for one in self.amounts]
        return np.array(rows)

    def ever_at(self, stores: Whole) -> Flags:
        """Say of each household whether it ever bought at any of some stores."""
        people = np.zeros(self.persons, dtype=bool)
        people[self.pair_person[np.isin(self.pair_store, stores)]] = True
        return people

    def of_persons(self, wanted: Flags) -> Records:
        """Keep the rows of some households; places stay as they are."""
        kept = wanted[self.person]
        rows = {name: getattr(self, name)[kept] for name in ("store", "day", "pair")}
        return replace(self, amounts=self.amounts[:, kept], **rows)


def read_records(baskets: Any, measures: Sequence[str]) -> Records:
    """Read baskets of the contract: `household_id`, `store_id`, `date`, and the columns to be summed.

    Parameters
    ----------
    baskets : any Narwhals frame
        One row = one basket.
    measures : sequence of str
        "baskets" (counts them) or columns of numbers.

    Raises
    ------
    ContractError
        No rows, a column is missing, not of its kind, null or infinite; or no measure was named.

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
    rows = read_baskets(baskets, ["household_id", "store_id", "date", *columns])
    for name in columns:
        _refuse_unfit(rows, name)
    sums = [
        pl.len().cast(pl.Float64).alias(BASKETS) if name == BASKETS else pl.col(name).sum() for name in names
    ]
    cells = rows.group_by("household_id", "store_id", "date").agg(sums)
    return _numbered(cells.sort("household_id", "store_id", "date"), names)


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
        amounts=np.array([cells[name].cast(pl.Float64).to_numpy() for name in names]),
        measures=names,
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
    infinite = int(rows[name].cast(pl.Float64).is_infinite().sum())
    if infinite:
        raise ContractError(f"{infinite} baskets have an infinite `{name}`. Correct them, or set them apart.")
