"""How do the months of a block read as tables? Lines, stores, households, outages, store-months."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from grocery_spheres.county.arms import Arm
from grocery_spheres.county.assortment import make_assortment
from grocery_spheres.county.block import NEVER, Block
from grocery_spheres.county.fate import DAYS_A_MONTH, Fate, contribution
from grocery_spheres.county.households import household_table
from grocery_spheres.county.lines import CENTS, Baskets
from grocery_spheres.county.simulate import Month, by_store
from grocery_spheres.county.world import World
from grocery_spheres.tables import check_account, check_table

BASKET_STEP = 10_000  # a basket's id is its household's id times this, plus the day's number
ROWS_A_GROUP = 250_000  # lines of a row group, at least
_EPOCH = dt.date(1970, 1, 1).toordinal()
_SECONDS_A_DAY = 86_400
_CODED = ["store_id", "product_id", "quantity", "sales_usd", "discount_usd"]

Whole = npt.NDArray[np.int64]


class LineWriter:
    """Writes the lines of one block to a parquet file, month by month, in row groups that stream well."""

    def __init__(self, path: Path, block: Block) -> None:
        self.path = path
        self.block = block
        there = block.exists.ravel()
        self.ids = pa.array(
            store_ids(block).ravel()[there].tolist()
        )  # with a name twice, pyarrow's bytes vary
        self.place = (np.cumsum(there) - 1).astype(np.int16)
        self.waiting: list[pa.Table] = []
        self.writer: pq.ParquetWriter | None = None

    def __enter__(self) -> LineWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._flush()
        finally:
            if self.writer is not None:
                self.writer.close()

    def write(self, month: Month) -> None:
        """Take in a month's lines."""
        self.waiting.append(self.arrow(month))
        if sum(table.num_rows for table in self.waiting) >= ROWS_A_GROUP:
            self._flush()

    def arrow(self, month: Month) -> pa.Table:
        """Return a month's lines in the contract's columns."""
        baskets, lines, at = month.baskets, month.lines, month.lines.basket
        towns = len(self.block.towns)
        place = self.place[baskets.slot * towns + self.block.town[baskets.rows]]
        columns = {
            "household_id": self.block.homes.household_id[baskets.rows][at],
            "store_id": pa.DictionaryArray.from_arrays(pa.array(place[at]), self.ids),
            "basket_id": basket_ids(self.block, baskets)[at],
            "product_id": lines.product + 1,
            "sold_at": pa.array(microseconds(baskets)[at].view("datetime64[us]")),
            "quantity": lines.quantity.astype(np.int32),
            "sales_usd": lines.sales_cents / CENTS,
            "discount_usd": lines.discount_cents / CENTS,
        }
        return pa.table(columns)

    def _flush(self) -> None:
        if not self.waiting:
            return
        group = pa.concat_tables(self.waiting)
        if self.writer is None:
            self.writer = pq.ParquetWriter(
                self.path, group.schema, compression="zstd", use_dictionary=_CODED, store_schema=False
            )
        self.writer.write_table(group, row_group_size=max(group.num_rows, 1))
        self.waiting = []


def basket_ids(block: Block, baskets: Baskets) -> Whole:
    """Return each basket's id: a household makes at most one a day, the same in every arm."""
    day = baskets.day - block.parameters.start.toordinal()
    return block.homes.household_id[baskets.rows] * BASKET_STEP + day


def microseconds(baskets: Baskets) -> Whole:
    """Return the time of each basket, to the second, as microseconds since 1970."""
    seconds = np.minimum(np.floor(baskets.hour * 3600), _SECONDS_A_DAY - 1).astype(np.int64)
    return ((baskets.day - _EPOCH) * _SECONDS_A_DAY + seconds) * 1_000_000


def store_ids(block: Block) -> npt.NDArray[np.str_]:
    """Return the id of each store, (slots, towns); empty where the town has no such store."""
    ids = np.full(block.exists.shape, "", dtype="U24")
    known = block.world.stores.filter(pl.col("town_id").is_in(block.towns.tolist()))
    place = {int(town): at for at, town in enumerate(block.towns)}
    for store, town, slot in known.select("store_id", "town_id", "slot").iter_rows():
        ids[slot, place[town]] = store
    return ids


def book(block: Block, arm: Arm, month: Month, fate: Fate) -> list[dict[str, Any]]:
    """Return a month of every store: what it sold and earned, and whether it closed at the month's end."""
    values, days = block.parameters, month.last - month.first + 1
    usd = by_store(block, month.baskets, month.usd)
    baskets = by_store(block, month.baskets, np.ones(len(month.usd)))
    lines = by_store(block, month.baskets, month.baskets.lines)
    earned, cost = contribution(values, usd), fate.fixed_cost * days / DAYS_A_MONTH
    ids, profit = store_ids(block), fate.profits[-1]
    entry = block.entry if arm.spheres else np.full(len(block.entry), NEVER)
    opened = np.where(np.arange(len(ids))[:, None] == 0, entry, 0)
    return [
        {
            "store_id": str(ids[slot, town]),
            "month": dt.date.fromordinal(month.first),
            "days": days,
            "baskets": int(baskets[slot, town]),
            "lines": int(lines[slot, town]),
            "sales_usd": float(usd[slot, town]),
            "contribution_usd": float(earned[slot, town]) if slot else None,
            "fixed_cost_usd": float(cost[slot, town]) if slot else None,
            "profit_usd": float(profit[slot, town]) if slot else None,
            "closes": bool(month.closes[slot, town]),
        }
        for slot, town in np.argwhere(block.exists)
        if not np.isnan(profit[slot, town]) and opened[slot, town] <= month.last
    ]


def of_block(block: Block, booked: list[dict[str, Any]], fate: Fate) -> dict[str, pl.DataFrame]:
    """Return the small tables of a block: households, store-months, closings, weather."""
    begin = block.parameters.start.toordinal() - block.begin
    wet = block.wet[begin:]
    dates = pl.date_range(block.parameters.start, block.parameters.end, eager=True)
    return {
        "households": household_table(block.world, block.homes, block.towns),
        "closings": _closings(block, fate),
        "store_months": pl.DataFrame(booked, orient="row", schema=MONTH_COLUMNS),
        "weather": pl.concat(
            pl.DataFrame({"town_id": np.full(len(dates), town), "date": dates, "wet_share": wet[:, place]})
            for place, town in enumerate(block.towns)
        ),
    }


MONTH_COLUMNS: Mapping[str, Any] = {
    "store_id": pl.String,
    "month": pl.Date,
    "days": pl.Int64,
    "baskets": pl.Int64,
    "lines": pl.Int64,
    "sales_usd": pl.Float64,
    "contribution_usd": pl.Float64,
    "fixed_cost_usd": pl.Float64,
    "profit_usd": pl.Float64,
    "closes": pl.Boolean,
}


def _closings(block: Block, fate: Fate) -> pl.DataFrame:
    """List the grocers that closed for good, with their last day."""
    slot, town = np.nonzero(fate.closed)
    last = pl.Series((fate.closed[slot, town] - _EPOCH).astype(np.int32)).cast(pl.Date)
    return pl.DataFrame({"store_id": store_ids(block)[slot, town], "closed": last})


def whole_county(
    world: World, arm: Arm, of_blocks: Mapping[str, pl.DataFrame], lines: Path
) -> dict[str, pl.DataFrame]:
    """Return the tables beside the lines, after both gates: the contract and the account of rows.

    Parameters
    ----------
    of_blocks : mapping of str to polars.DataFrame
        The blocks' tables, put together.
    lines : Path
        Folder of the line files, as written.
    """
    account = _account(of_blocks["store_months"], pl.scan_parquet(lines / "*.parquet"))
    check_account(account)
    made = {
        **{name: table for name, table in of_blocks.items() if name != "closings"},
        "products": make_assortment(world.parameters, world.seed).products,
        "stores": _stores(world, arm, of_blocks["closings"]),
        "towns": world.towns,
        "outages": _outages(world, arm),
        "account": account,
    }
    for name in ("products", "stores", "households", "outages"):
        check_table(made[name], name)
    check_table(pl.scan_parquet(lines / "*.parquet"), "lines")
    return made


def _stores(world: World, arm: Arm, closings: pl.DataFrame) -> pl.DataFrame:
    """Return the stores with the last day of those that closed, be it before the record begins."""
    there = world.stores if arm.spheres else world.stores.filter(pl.col("slot") > 0)
    joined = there.join(closings, on="store_id", how="left", validate="1:1", maintain_order="left")
    shown = ("store_id", "format", "town_id", "opened", "closed", "kind", "name", "x_km", "y_km")
    return joined.select(shown).with_columns(pl.col("x_km", "y_km").round(3))


def _outages(world: World, arm: Arm) -> pl.DataFrame:
    """Return which Spheres fail, when and how deep."""
    fails = world.towns.filter(pl.col("outage") & (arm.outage and arm.spheres))
    date = pl.lit(world.parameters.outage_date)
    return fails.select(
        store_id=pl.format("sphere-{}", "town_id"),
        start=date,
        end=date,
        share_down="share_down",
        dark_from="dark_from",
        dark_until="dark_until",
    )


def _account(months: pl.DataFrame, lines: pl.LazyFrame) -> pl.DataFrame:
    """Hold what the stores booked against what stands in the files."""
    booked = months.select(step=pl.lit("in"), rows=pl.sum("lines"), sales_usd=pl.sum("sales_usd").round(2))
    written = lines.select(
        step=pl.lit("out"), rows=pl.len().cast(pl.Int64), sales_usd=pl.sum("sales_usd").round(2)
    )
    return pl.concat([booked, written.collect(engine="streaming")])
