"""How does The Complete Journey become groceries in the contract's shape, with every row accounted for?

The publisher calls the data simulated after shopping patterns. Each quirk handled here is a known
problem on the card `complete_journey` of data/sources.toml; the facts that rest on an estimate (which
store opened when, which store-days are missing records) are found by `outage.events.find_events`,
kept on the card, and found again by the tests.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from grocery_spheres import provenance
from grocery_spheres.schema import LINES
from grocery_spheres.tables import Groceries, check_account, check_table

KEY = "complete_journey"
FORMAT = "grocer"
_FOLDER = "public"
_FUEL_DEPARTMENT = "FUEL"
_FUEL_TYPE = "GASOLINE"  # 1,700 lines of it stand outside the department FUEL
_COUPON_DEPARTMENT = "COUPON"
_LINE_COLUMNS = (*LINES, "coupon_usd")
_GROUP_COLUMNS = (
    "age",
    "income",
    "home_ownership",
    "marital_status",
    "household_size",
    "household_comp",
    "kids_count",
)


def complete_journey() -> Groceries:
    """Return The Complete Journey, cleaned; built on first use, then read from the cache.

    Returns
    -------
    Groceries
        `lines` hold groceries only, at the stores' local time; fuel, coupons, unknown products, zero
        quantities and sales at the pumps before the shop opened stand in `set_apart` with a `reason`;
        `masked` are the store-days whose records are missing. Sales in USD of 2017. Beside the
        contract's columns, `lines` have `coupon_usd` (a manufacturer's coupon, which the retailer
        gets back), `products` the brand, type and package size as published, `households` the bands
        of age, income and size for the 801 households that have them.

    Raises
    ------
    ProvenanceError
        Where the package is missing, or a file is not the one on the card.

    Examples
    --------
    >>> groceries = complete_journey()
    >>> groceries.account.row(0)
    ('in', 1469307, 4596039.58)
    """
    folder = build()
    lines = pl.scan_parquet(folder / "lines.parquet")
    return Groceries(
        name=KEY,
        evidence=provenance.card(KEY).evidence,
        lines=lines,
        products=pl.read_parquet(folder / "products.parquet"),
        stores=pl.read_parquet(folder / "stores.parquet"),
        households=pl.read_parquet(folder / "households.parquet"),
        masked=masked_store_days(),
        set_apart=pl.scan_parquet(folder / "set_apart.parquet"),
        account=pl.read_parquet(folder / "account.parquet"),
    )


def build(force: bool = False) -> Path:
    """Build the cleaned tables where they are missing or older than their inputs; return their folder.

    The folder's name is a digest of all they rest on, so that two processes may build at once.

    Parameters
    ----------
    force : bool
        Build anew even where nothing has changed.

    Raises
    ------
    ProvenanceError
        As in `complete_journey`. What was built before stays as it was.
    """
    home = provenance.cache_folder() / _FOLDER
    folder = home / _build_key()[:16]
    if folder.exists() and not force:
        return folder
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home, prefix=".building-") as made:
        fresh = Path(made) / "fresh"
        fresh.mkdir()
        _write_tables(fresh)
        if force and folder.exists():
            folder.replace(Path(made) / "before")
        _put_in_place(fresh, folder)
    return folder


def promoted_stores() -> pl.DataFrame:
    """Return which weeks the promotions file lists each store: a witness apart from the sales.

    Returns
    -------
    polars.DataFrame
        One row = one store: `store_id`, `first_week`, `last_week` (1 to 53), `weeks` listed.
    """
    path = provenance.source_path(KEY, "promotions.parquet")
    weeks = pl.col("week")
    listed = pl.scan_parquet(path).select("store_id", "week").unique()
    span = {"first_week": weeks.min(), "last_week": weeks.max(), "weeks": pl.len().cast(pl.Int64)}
    return listed.group_by("store_id").agg(**span).sort("store_id").collect()


def published_times() -> pl.DataFrame:
    """Return each basket's time as published, which is UTC: for showing what the wrong clock does.

    Returns
    -------
    polars.DataFrame
        One row = one published basket: `basket_id`, `published_at`.
    """
    path = provenance.source_path(KEY, "transactions.parquet")
    columns = pl.scan_parquet(path).select("basket_id", published_at="transaction_timestamp")
    return columns.unique().sort("basket_id").collect()


def masked_store_days() -> pl.DataFrame:
    """Return the store-days whose records are missing: `store_id`, `date`, sorted.

    They stand on the card because a source may not call an estimator; `outage.events` finds them again.
    Christmas Day is not among them: the chain was closed, and its zeros are zeros.
    """
    entries = provenance.card(KEY).facts["masked"]
    return pl.DataFrame(
        {"store_id": [entry["store_id"] for entry in entries], "date": [entry["date"] for entry in entries]},
        schema={"store_id": pl.Int64, "date": pl.Date},
    ).sort("store_id", "date")


def classify(
    transactions: pl.LazyFrame, products: pl.LazyFrame, opened: Mapping[int, dt.date]
) -> pl.LazyFrame:
    """Turn raw lines into contract lines with a `reason`: null for groceries, else why it is set apart.

    Parameters
    ----------
    transactions, products : polars.LazyFrame
        As published (columns on the card).
    opened : mapping of int to date
        First day of the shop at stores that opened in the year.

    Returns
    -------
    polars.LazyFrame
        One row = one published line, none dropped: the contract's columns, `coupon_usd`, `reason`.
    """
    keys = products.select("product_id", "department", "product_type")
    joined = transactions.join(keys, on="product_id", how="left", validate="m:1")
    shaped = joined.with_columns(
        sold_at=_local_clock(pl.col("transaction_timestamp")),
        sales_usd=pl.col("sales_value"),
        discount_usd=pl.col("retail_disc") + pl.col("coupon_match_disc"),
        coupon_usd=pl.col("coupon_disc"),
    )
    return shaped.with_columns(reason=_reason(opened)).select(*_LINE_COLUMNS, "reason")


def _local_clock(utc: pl.Expr) -> pl.Expr:
    """Convert UTC to the stores' wall clock, without a zone, in microseconds."""
    facts = provenance.card(KEY).facts
    zoned = utc.dt.cast_time_unit("us").dt.replace_time_zone(facts["store_time_from"])
    return zoned.dt.convert_time_zone(facts["time_zone"]).dt.replace_time_zone(None)


def is_fuel() -> pl.Expr:
    """Say whether a product is fuel: by its department, or by its type where it stands elsewhere."""
    by_type = pl.col("product_type").str.starts_with(_FUEL_TYPE).fill_null(value=False)
    return (pl.col("department") == _FUEL_DEPARTMENT) | by_type


def _reason(opened: Mapping[int, dt.date]) -> pl.Expr:
    """Return why a line is set apart; the first reason that holds is the one that counts."""
    opening = pl.col("store_id").replace_strict(
        list(opened), list(opened.values()), default=None, return_dtype=pl.Date
    )
    return (
        pl.when(pl.col("department").is_null())
        .then(pl.lit("unknown product"))
        .when(is_fuel())
        .then(pl.lit("fuel"))
        .when(pl.col("department") == _COUPON_DEPARTMENT)
        .then(pl.lit("coupon"))
        .when(pl.col("quantity") == 0)
        .then(pl.lit("zero quantity"))
        .when(pl.col("sold_at").dt.date() < opening)
        .then(pl.lit("at the pumps before the shop opened"))
    )


def _account(classified: pl.DataFrame) -> pl.DataFrame:
    """Count rows and dollars in, set apart by reason, and out."""
    measures = (pl.len().cast(pl.Int64).alias("rows"), pl.sum("sales_usd").round(2))
    came_in = classified.select(pl.lit("in").alias("step"), *measures)
    apart = classified.filter(pl.col("reason").is_not_null()).group_by("reason").agg(*measures).sort("rows")
    named = apart.select(("set apart: " + pl.col("reason")).alias("step"), "rows", "sales_usd").reverse()
    out = classified.filter(pl.col("reason").is_null()).select(pl.lit("out").alias("step"), *measures)
    return pl.concat([came_in, named, out])


def _write_tables(folder: Path) -> None:
    """Write every table into a folder, after both gates: the contract and the account of rows."""
    transactions = pl.scan_parquet(provenance.source_path(KEY, "transactions.parquet"))
    products = pl.read_parquet(provenance.source_path(KEY, "products.parquet"))
    demographics = pl.read_parquet(provenance.source_path(KEY, "demographics.parquet"))
    classified = classify(transactions, products.lazy(), _dated("opened")).collect()
    account = _account(classified)
    check_account(account)
    order = ("household_id", "sold_at", "basket_id", "product_id")
    lines = classified.filter(pl.col("reason").is_null()).drop("reason").sort(order)
    tables = {
        "lines": lines,
        "set_apart": classified.filter(pl.col("reason").is_not_null()).sort(order),
        "products": _products(products),
        "stores": _stores(classified),
        "households": _households(classified, demographics),
        "account": account,
    }
    for name in ("lines", "products", "stores", "households"):
        check_table(tables[name], name)
    for name, table in tables.items():
        table.write_parquet(folder / f"{name}.parquet", row_group_size=250_000)


def _products(products: pl.DataFrame) -> pl.DataFrame:
    return products.select(
        "product_id",
        "department",
        category=pl.col("product_category"),
        is_fuel=is_fuel(),
        brand=pl.col("brand"),
        product_type=pl.col("product_type"),
        package_size=pl.col("package_size"),
    ).sort("product_id")


def _stores(classified: pl.DataFrame) -> pl.DataFrame:
    """One row a store, with the opening and closing days of the card."""
    bounds = {
        name: pl.col("store_id").replace_strict(
            list(days), list(days.values()), default=None, return_dtype=pl.Date
        )
        for name, days in {"opened": _dated("opened"), "closed": _dated("closed")}.items()
    }
    stores = classified.select(pl.col("store_id").unique().sort())
    return stores.with_columns(format=pl.lit(FORMAT), town_id=pl.lit(None, dtype=pl.Int64), **bounds)


def _households(classified: pl.DataFrame, demographics: pl.DataFrame) -> pl.DataFrame:
    households = classified.select(pl.col("household_id").unique().sort())
    grouped = households.join(demographics, on="household_id", how="left", validate="1:1")
    return grouped.with_columns(town_id=pl.lit(None, dtype=pl.Int64)).select(
        "household_id", "town_id", *_GROUP_COLUMNS
    )


def _dated(fact: str) -> dict[int, dt.date]:
    """Return a fact of the card that maps stores to days (TOML keys are text)."""
    return {int(store): day for store, day in provenance.card(KEY).facts[fact].items()}


def _build_key() -> str:
    """Return a digest of all that the tables rest on: the card (checksums, facts) and this module."""
    source = provenance.card(KEY)
    sums = [file.sha256 for file in source.files.values()]
    text = json.dumps([sums, dict(source.facts)], default=str, sort_keys=True)
    return hashlib.sha256(text.encode() + Path(__file__).read_bytes()).hexdigest()


def _put_in_place(fresh: Path, folder: Path) -> None:
    """Move a finished folder in; a reader sees a whole one or none. Nothing else in the cache is touched."""
    try:
        fresh.replace(folder)
    except OSError:
        if not folder.exists():  # else another process has just built the same
            raise
