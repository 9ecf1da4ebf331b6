"""Who sells what share, to how many, how often, and how much at a time? Kinds of store side by side."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

from grocery_spheres.formats.shoppers import Shoppers, draw, read_shoppers, side_by_side
from grocery_spheres.formats.sums import resampled, tidied

MEASURES = {
    "share of sales": "share",
    "share of baskets": "share",
    "penetration": "share",
    "customers' baskets a week": "baskets",
    "value of a basket": "USD",
    "value of a trip": "USD",
    "lines of a basket": "lines",
    "sales a line": "USD",
    "share of wallet": "share",
    "buys nowhere else": "share",
    "next trip at the same label": "share",
    "next trip at the same store": "share",
}
_SUMMED = ("sales", "baskets", "lines", "customers", "anywhere", "sole")
_TRIPS = ("trips", "onward", "again")  # of a label, then of a store

Array = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]


def compare_formats(
    baskets: Any,
    stores: Any,
    *,
    households: Any = None,
    label: str = "format",
    alpha: float = 0.05,
    seed: int = 2045,
    draws: int = 500,
    intervals: bool = True,
) -> pl.DataFrame:
    """Describe each kind of store by the same measures, over the whole span of the baskets.

    Parameters
    ----------
    baskets : any Narwhals frame
        One row = one basket (`schema.BASKETS`): `household_id`, `store_id`, `date`, `lines`, `sales_usd`.
    stores : any Narwhals frame
        One row = one store: `store_id`, and the column `label`.
    households : any Narwhals frame, optional
        One row = one household that might have bought: `household_id`. Without it: those with a basket.
    label : str
        Column of `stores` to compare by: format, chain, town, whatever the stores carry.
    alpha : float
        One minus the level of the intervals.
    seed, draws : int
        Of the intervals: households are drawn again, `draws` times.
    intervals : bool
        False leaves `low` and `high` null, and is several times faster.

    Returns
    -------
    polars.DataFrame
        One row = one label and measure: `label`, `measure`, `unit`, `value`, `low`, `high`. Every label of
        `stores` is there. A customer is a household with a basket at the label; a trip is a
        household's day at the label. Shares run from 0 to 1.

        - "share of sales", "share of baskets": of all labels' together.
        - "penetration": customers among all households.
        - "customers' baskets a week": baskets at the label by its customers and the weeks from first to last
          date of all baskets, also for a label that opened later.
        - "value of a basket", "value of a trip", "lines of a basket", "sales a line": sums divided by sums
          (USD or lines). A line is a product in a basket: its sales depend on price, package and quantity.
        - "share of wallet": customers' spending at the label over their spending anywhere in the data.
        - "buys nowhere else": share of customers with baskets at no other label.
        - "next trip at the same label": of trips after which the household shopped on a later day, the
          share whose next shopping day holds a trip to the label. "next trip at the same store": the same
          for a household's days at a store, asked of the store.

        It is a description: who chooses a label differs (`adjusted_difference`). The interval reads: if other
        households like these had been drawn (percentiles). It is null where a draw may miss the measure, and
        where all draws agree.

    Raises
    ------
    ContractError
        As `read_shoppers`; `alpha` or `draws` do not fit.

    Examples
    --------
    Household 1 goes to the Sphere twice, then to the grocer; household 2 only to the grocer.

    >>> import datetime as dt
    >>> day = [dt.date(2045, 1, n) for n in (1, 2, 7, 7)]
    >>> baskets = pl.DataFrame({"household_id": [1, 1, 1, 2], "store_id": [7, 7, 8, 8], "date": day,
    ...     "lines": [1, 2, 3, 4], "sales_usd": [10.0, 20.0, 30.0, 40.0]})
    >>> stores = pl.DataFrame({"store_id": [7, 8], "format": ["sphere", "grocer"]})
    >>> table = compare_formats(baskets, stores, intervals=False).filter(pl.col("label") == "sphere")
    >>> found = dict(table.select("measure", "value").iter_rows())
    >>> found["share of wallet"], found["next trip at the same label"], found["customers' baskets a week"]
    (0.5, 0.5, 2.0)
    """
    bought = read_shoppers(baskets, stores, label=label, households=households, more=["lines"])
    weights = draw(bought.homes, draws=draws, seed=seed, alpha=alpha, intervals=intervals)
    days = bought.baskets.select((pl.col("date").max() - pl.col("date").min()).dt.total_days() + 1).item()
    cells = pl.DataFrame({"label": bought.labels})
    spent = side_by_side(_spending(bought.baskets), bought.homes, cells, _SUMMED)
    sums = sparse.hstack([spent, *_next_trips(bought)], format="csr")
    statistic = partial(_measures, households=len(bought.homes), weeks=days / 7)
    return tidied(cells, MEASURES, resampled(sums, statistic, weights, alpha))


def _spending(baskets: pl.DataFrame) -> pl.DataFrame:
    """Sum a household's baskets by label, beside what it spent anywhere. One row = household and label."""
    here = baskets.group_by("household_id", "label").agg(
        sales=pl.sum("sales_usd"), baskets=pl.len(), lines=pl.sum("lines"), customers=pl.lit(1.0)
    )
    own = here.group_by("household_id").agg(anywhere=pl.sum("sales"), sole=(pl.len() == 1).cast(pl.Float64))
    return here.join(own, on="household_id")


def _next_trips(bought: Shoppers) -> list[Any]:
    """Count household-days, those before a later shopping day, and those that led to the same place again.

    Returns
    -------
    list of sparse array, (households, labels)
        The three counts of days at a label, then the three of days at a store, by the store's label.
    """
    dates = bought.baskets["date"].to_physical().to_numpy().astype(np.int64)
    span = np.ptp(dates) + 1
    shopped = bought.baskets["household_id"].to_numpy() * span + dates - dates.min()
    days, turn = np.unique(shopped, return_inverse=True)
    shape = (len(bought.homes), len(bought.labels))
    found: list[Any] = []
    for place, label in _places(bought):
        found += _led_again(days // span, place * len(days) + turn, label, shape)
    return found


def _led_again(who: Places, trips: Places, label: Places, shape: tuple[int, int]) -> list[Any]:
    """Count trips by household and label: all, those with a later shopping day, those that led there again.

    `who` shopped on each day of shopping, in order of household and date; a trip is a place's number times
    the number of these days, plus the day's number. `label` is each place's.
    """
    onward = np.append(who[1:] == who[:-1], False)  # the next day of shopping is the same household's
    at = _distinct(trips)
    place, day = at // len(who), at % len(who)
    again = onward[day] & np.append(np.diff(at) == 1, False)
    cell = (who[day], label[place])
    counts = (np.ones(len(at)), onward[day].astype(np.float64), again.astype(np.float64))
    return [sparse.coo_array((count, cell), shape=shape).tocsr() for count in counts]


def _places(bought: Shoppers) -> list[tuple[Places, Places]]:
    """Return the place of each basket and the label of each place: places are labels, then stores."""
    number = pl.col("label").cast(pl.Enum(bought.labels)).to_physical().cast(pl.Int64)
    numbered = bought.baskets.select("store_id", label=number)
    stores = numbered.unique("store_id").with_row_index("place")
    at_store = numbered.select("store_id").join(stores, on="store_id", how="left", maintain_order="left")
    by_store = (at_store["place"].to_numpy().astype(np.int64), stores["label"].to_numpy())
    return [(numbered["label"].to_numpy(), np.arange(len(bought.labels))), by_store]


def _distinct(values: Places) -> Places:
    """Return each value once, sorted; numpy's own way hashes, which is slow on millions."""
    ordered = np.sort(values)
    return ordered[np.append(True, np.diff(ordered) > 0)]


def _measures(sums: Array, *, households: int, weeks: float) -> Array:
    """Turn sums, each by label, into the measures."""
    blocks = np.split(sums, len(_SUMMED) + 2 * len(_TRIPS), axis=-1)
    sales, baskets, lines, customers, anywhere, sole, trips, onward, again, _, store_onward, store_again = (
        blocks
    )
    found = [
        sales / sales.sum(axis=-1, keepdims=True),
        baskets / baskets.sum(axis=-1, keepdims=True),
        customers / households,
        baskets / customers / weeks,
        sales / baskets,
        sales / trips,
        lines / baskets,
        sales / lines,
        sales / anywhere,
        sole / customers,
        again / onward,
        store_again / store_onward,
    ]
    return np.concatenate(found, axis=-1)
