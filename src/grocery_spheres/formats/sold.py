"""How much of each product was sold, for how much, in each cell of label and period, and in every draw?

A draw of households is weights times what each household bought. Lines are summed to household, product and
cell on their own engine, a few cells at a time, so that memory does not grow with their number.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

from grocery_spheres.formats.accepted import enter_lines, known_ids, survey
from grocery_spheres.formats.labels import labelled
from grocery_spheres.panels.engine import collected, pushed
from grocery_spheres.tables import ContractError

PRICES = ("paid", "shelf")
LINES_AT_ONCE = 5_000_000  # lines that one pass sums, at least a cell's

Array = npt.NDArray[np.float64]
Draw = Callable[[pl.Series], Array | None]


@dataclass(frozen=True)
class Cell:
    """What one label sold in one period.

    Attributes
    ----------
    items : array of int, (products,)
        Positions of the products sold, sorted.
    usd, quantity : array, (products, 1 + draws)
        Of all households, then of each draw of them.
    """

    items: npt.NDArray[np.int64]
    usd: Array
    quantity: Array


@dataclass(frozen=True)
class Sold:
    """Lines that were accepted, placed in cells, and the households drawn again.

    Attributes
    ----------
    table : narwhals.LazyFrame
        The lines; see `accepted.enter_lines`.
    days : polars.DataFrame
        One row = one date that has a place: `date`, `place`, and what else the spans say.
    stores : polars.DataFrame
        One row = one store: `store_id`, `name` (position of its label).
    labels : list
        Sorted; [None] where stores are not told apart.
    lines : dict
        (place, label's position) -> lines there; only cells with lines.
    homes, products : polars.Series
        Ids, sorted.
    weights : array, (households, 1 + draws) or None
        Ones, then each draw; None where no draw is wanted or one household shows none.
    shelf : bool
        Whether amounts are before discount.
    """

    table: nw.LazyFrame[Any]
    days: pl.DataFrame
    stores: pl.DataFrame
    labels: list[Any]
    lines: dict[tuple[int, int], int]
    homes: pl.Series
    products: pl.Series
    weights: Array | None
    shelf: bool

    def cells(self, places: Sequence[int] | None = None) -> Iterator[tuple[int, int, Cell]]:
        """Yield place, label's position and what was sold there, place by place."""
        wanted = sorted({place for place, _ in self.lines} if places is None else set(places))
        for some in self._passes(wanted):
            yield from self._read(some)

    def _passes(self, places: Sequence[int]) -> Iterator[list[int]]:
        some: list[int] = []
        held = 0
        for place in places:
            here = sum(count for (at, _), count in self.lines.items() if at == place)
            if some and held + here > LINES_AT_ONCE:
                yield some
                some, held = [], 0
            some.append(place)
            held += here
        if some:
            yield some

    def _read(self, places: list[int]) -> Iterator[tuple[int, int, Cell]]:
        """Sum some places on the engine, and split the result."""
        summed = self._summed(places)
        homes = 1 if self.weights is None else len(self.homes)
        size = len(self.products) * homes
        key = summed["key"].to_numpy()
        for (place, name), _ in sorted(self.lines.items()):
            if place in places:
                code = place * len(self.labels) + name
                part = slice(*np.searchsorted(key, [code * size, (code + 1) * size]))
                rest = key[part] - code * size
                amounts = (summed[what][part].to_numpy() for what in ("usd", "quantity"))
                yield place, name, _cell(rest // homes, rest % homes, *amounts, weights=self.weights)

    def _summed(self, places: list[int]) -> pl.DataFrame:
        """Return `key` (place, label, product, household as one number), `usd`, `quantity`; by key."""
        days = self.days.filter(pl.col("place").is_in(places)).select("date", "place")
        first, last = days.select(pl.col("date").min().alias("a"), pl.col("date").max().alias("b")).row(0)
        begin, end = (dt.datetime.combine(day, dt.time()) for day in (first, last + dt.timedelta(days=1)))
        seen = self.table.filter((nw.col("sold_at") >= begin) & (nw.col("sold_at") < end))
        items = pl.DataFrame({"product_id": self.products}).with_row_index("item")
        joined = seen.join(pushed(days, seen), on="date").join(pushed(_wide(items), seen), on="product_id")
        key = nw.col("place").cast(nw.Int64)
        if len(self.labels) > 1:
            joined = joined.join(pushed(self.stores, seen), on="store_id")
            key = key * len(self.labels) + nw.col("name")
        key = key * len(self.products) + nw.col("item")
        if self.weights is not None:
            homes = pl.DataFrame({"household_id": self.homes}).with_row_index("home")
            joined = joined.join(pushed(_wide(homes), seen), on="household_id")
            key = key * len(self.homes) + nw.col("home")
        usd = nw.col("sales_usd") + nw.col("discount_usd") if self.shelf else nw.col("sales_usd")
        coded = joined.select(key.alias("key"), usd.alias("usd"), "quantity")
        return collected(coded.group_by("key").agg(nw.col("usd", "quantity").sum())).sort("key")


def read_sold(
    lines: Any,
    spans: Callable[[pl.Series], pl.DataFrame],
    *,
    draw: Draw,
    stores: Any = None,
    label: str | None = None,
    price: str = "paid",
) -> Sold:
    """Read lines and refuse what no price can be told from.

    Parameters
    ----------
    lines : any Narwhals frame
        One row = one product in one basket (`schema.LINES`).
    spans : callable
        Maps the dates of sales to `date` and `place` (see `spans`); dates without a row are left out.
    draw : callable
        Maps the households to weights, (draws, households), or to None.
    stores : any Narwhals frame, optional
        One row = one store: `store_id` and the column `label`. Needed with `label`.
    label : str, optional
        Tell stores apart by it.
    price : str
        "paid": what the retailer receives. "shelf": before discount.

    Returns
    -------
    Sold

    Raises
    ------
    ContractError
        What `accepted.survey` and `labels.labelled` refuse; a price that is not known; `label` without
        `stores` or `stores` without `label`.

    Examples
    --------
    >>> from grocery_spheres.formats.spans import periods
    >>> line = {"household_id": 4, "store_id": 7, "basket_id": 5, "product_id": 1, "quantity": 2,
    ...         "sold_at": dt.datetime(2045, 1, 9, 12), "sales_usd": 3.0, "discount_usd": 1.0}
    >>> sold = read_sold(pl.DataFrame([line]), lambda dates: periods(dates, None), price="shelf",
    ...                  draw=lambda homes: None)
    >>> [(place, cell.usd.tolist(), cell.quantity.tolist()) for place, _, cell in sold.cells()]
    [(0, [[4.0]], [[2.0]])]
    """
    if price not in PRICES:
        raise ContractError(f"`price` is {price!r}: choose 'paid' (after discount) or 'shelf' (before).")
    if (stores is None) != (label is None):
        given, lacking = ("label", "stores") if stores is None else ("stores", "label")
        raise ContractError(
            f"`{given}` is given without `{lacking}`: stores are told apart by a column of the table "
            "`stores`. Give both, or neither."
        )
    table = enter_lines(lines)
    found = survey(table)
    named = found.with_columns(label=pl.lit(None, dtype=pl.String))
    if label is not None:
        named = labelled(found, stores, label, of="store-days")
    labels = named["label"].unique().sort()
    coded = named.join(labels.to_frame().with_row_index("name"), on="label", nulls_equal=True)
    days = spans(found["date"])
    counts = coded.join(days, on="date").group_by("place", "name").agg(pl.sum("lines"))
    homes = known_ids(table, "household_id")
    weights = draw(homes)
    return Sold(
        table=table,
        days=days,
        stores=coded.select("store_id", pl.col("name").cast(pl.Int64)).unique(),
        labels=labels.to_list(),
        lines={(place, name): count for place, name, count in counts.iter_rows()},
        homes=homes,
        products=known_ids(table, "product_id"),
        weights=None if weights is None else np.vstack([np.ones(len(homes)), weights]).T.copy(),
        shelf=price == "shelf",
    )


def alike(
    first: Cell, second: Cell
) -> tuple[npt.NDArray[np.int64], tuple[Array, Array], tuple[Array, Array]]:
    """Return the products that both cells sold, with sales and quantities of each cell.

    Examples
    --------
    >>> one, two = (Cell(np.array(items), np.ones((2, 1)), np.ones((2, 1))) for items in ([1, 4], [4, 5]))
    >>> alike(one, two)[0].tolist()
    [4]
    """
    both, left, right = np.intersect1d(first.items, second.items, assume_unique=True, return_indices=True)
    return both, (first.usd[left], first.quantity[left]), (second.usd[right], second.quantity[right])


def _cell(items: Any, homes: Any, usd: Array, quantity: Array, *, weights: Array | None) -> Cell:
    """Sum over households: rows come by item, then household."""
    known, starts = np.unique(items, return_index=True)
    ends = np.append(starts, len(items)).astype(np.int32)
    if weights is None:
        return Cell(known, usd[:, None], quantity[:, None])
    shape = (len(known), len(weights))
    place = homes.astype(np.int32)
    return Cell(known, *(sparse.csr_array((sums, place, ends), shape) @ weights for sums in (usd, quantity)))


def _wide(small: pl.DataFrame) -> pl.DataFrame:
    """Cast positions to 64 bits, in which keys are reckoned."""
    return small.with_columns(pl.col(pl.UInt32).cast(pl.Int64))
