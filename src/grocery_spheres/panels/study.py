"""Which days does the study span, and which of them did each store trade?"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import narwhals as nw
import polars as pl
import polars.selectors as cs

from grocery_spheres.panels.engine import collected, plain_id, read_small
from grocery_spheres.panels.refusals import refuse, refuse_null_keys
from grocery_spheres.tables import ContractError

SPAN = ("store_id", "first_sale", "last_sale")


def spans_of(table: nw.LazyFrame[Any]) -> pl.DataFrame:
    """Collect the first and last date of every store, and refuse nulls in what the panels group by."""
    known = [nw.col(name).count().alias(f"{name}_known") for name in ("household_id", "date")]
    dates = [nw.col("date").min().alias("first_sale"), nw.col("date").max().alias("last_sale")]
    spans = collected(table.group_by("store_id").agg(*dates, nw.len().alias("rows"), *known))
    gaps = pl.col("store_id").is_null() | (pl.min_horizontal(cs.ends_with("_known")) < pl.col("rows"))
    if spans.filter(gaps).height:
        refuse_null_keys(table, ("household_id", "store_id", "date"))
    return (
        plain_id(spans, "store_id")
        .with_columns(pl.col("first_sale", "last_sale").cast(pl.Date))
        .sort("store_id")
    )


def study_of(spans: pl.DataFrame, start: date | str | None, end: date | str | None) -> tuple[date, date]:
    """Return the first and last day of the study, and refuse sales outside it."""
    first = as_date(start, "start") or spans["first_sale"].min()
    last = as_date(end, "end") or spans["last_sale"].max()
    if not (isinstance(first, date) and isinstance(last, date) and first <= last):
        raise ContractError(
            f"The study from {first!s} to {last!s} has no days. Give `start` and `end` as dates, start "
            "first; only where there are baskets can they be left out."
        )
    outside = spans.filter((pl.col("first_sale") < first) | (pl.col("last_sale") > last))
    refuse(
        outside.select(SPAN).to_dicts(),
        f"Stores sold outside the study ({first} to {last})",
        "Widen `start` and `end`, or filter these baskets out first: a panel drops no sale silently.",
    )
    return first, last


def trading(
    spans: pl.DataFrame, stores: Any, table: nw.LazyFrame[Any], study: tuple[date, date]
) -> pl.DataFrame:
    """Return store_id, opened, closed of every store, and refuse sales that this leaves out."""
    if stores is None:
        return spans.select("store_id", opened=pl.lit(study[0]), closed=pl.lit(study[1]))
    listed = read_small(stores, "stores", ["store_id", "opened", "closed"], table).with_columns(
        pl.col("opened").cast(pl.Date).fill_null(study[0]), pl.col("closed").cast(pl.Date).fill_null(study[1])
    )
    refuse(
        listed.filter(pl.col("store_id").is_duplicated()).to_dicts(),
        "The table `stores` lists a store twice",
        "Keep one row a store: a second one would double its days.",
    )
    refuse(
        spans.join(listed, on="store_id", how="anti").select(SPAN).to_dicts(),
        "Baskets belong to stores that the table `stores` does not list",
        "Add them to `stores`, or filter their baskets out first.",
    )
    outside = (pl.col("first_sale") < pl.col("opened")) | (pl.col("last_sale") > pl.col("closed"))
    refuse(
        spans.select(SPAN).join(listed, on="store_id").filter(outside).to_dicts(),
        "Stores sold before they opened or after they closed",
        "Correct `opened` and `closed` (both inclusive) in `stores`, or filter these baskets out first.",
    )
    return listed


def calendar(first: date, last: date) -> pl.DataFrame:
    """Return one row a day of the study with its Monday: engines have no common truncation to weeks."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    mondays = [day - timedelta(days=day.weekday()) for day in days]
    return pl.DataFrame({"date": days, "week_start": mondays})


def as_date(value: date | str | None, name: str) -> date | None:
    """Read an inclusive date of the study."""
    if value is None or not isinstance(value, str | datetime):
        return value
    try:
        return datetime.fromisoformat(value).date() if isinstance(value, str) else value.date()
    except ValueError as error:
        raise ContractError(f"`{name}` is {value!r}, and a date like '2017-11-05' is wanted.") from error
