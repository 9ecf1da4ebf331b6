"""What does it cost to build the county, against only drawing its numbers and only writing its files?

    python benchmarks/county.py [--large] [--write] [--rounds N]

Three cases, with one process and with two: `county.build.build` from end to end; (a) the random draws that
it needs, by the same functions in arrays of the same size; (b) the same lines, held in memory as Arrow
tables, through the same writer. Every case runs in a process of its own, in turns, so that a busy machine
hits all alike; the medians are reported. All files of lines must be equal, byte by byte. Then memory by the
number of lines, the truth, and the way back from the files to baskets. `--large` takes the memory to 100
million lines, `--write` puts the tables into benchmarks/README.md. The files lie in a temporary folder, two
builds at a time (0.3 GB, with `--large` 1.3 GB), which is deleted at the end.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import json
import multiprocessing
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from shared.readme import made_with, write_section

from grocery_spheres.county import truth
from grocery_spheres.county.block import make_block
from grocery_spheres.county.build import TOWNS_A_BLOCK, Recipe, build
from grocery_spheres.county.draws import DAY, Keys, Purpose, exponential, hashed, household_keys, uniform
from grocery_spheres.county.parameters import Parameters
from grocery_spheres.county.presets import preset
from grocery_spheres.county.tables import LineWriter
from grocery_spheres.panels import baskets, check_baskets
from grocery_spheres.provenance import DATA_VARIABLE

SIZES = (16, 64)  # towns: about 6 and 26 million lines
LARGE = 256  # about 100 million
A_DAY = (Purpose.NEST_SIZE, Purpose.NO_TRIP)  # exponential, like those of the stores
A_TRIP = (Purpose.MISSION, Purpose.BASKET, Purpose.SIGNAL, Purpose.HOUR)
HASHES_A_LINE = 2  # product and quantity; promotion
MOST_RATIO, MOST_GB = 4.0, 1.5  # what is required
PATIENCE = 600  # seconds: a process that fails must not keep the others waiting
EVERY = 0.1  # seconds between two looks at the memory
START, END = "<!-- county: written by benchmarks/county.py -->", "<!-- county: end -->"
PACKAGES = ["numpy", "polars", "pyarrow", "scipy"]

TITLE = "## County: from assumptions to lines"
ABOUT = """The county of 2045, {towns} towns, {lines:,} lines: `county.build.build` from end to end, beside
(a) only the random draws that it needs, same functions, same counts; (b) only writing the same lines, ready
in memory as Arrow tables, through the same writer: the files are equal byte by byte. One process and two;
every case in a process of its own, in turns, median of {rounds}. One process is measured after a small county
that loads all it needs; with two, the build's time holds the start of both, (a) and (b) are without it: it
is the last row, and what two empty processes cost that import the same modules."""
RATIO = """Required: at most {most:g} times (b), like with like: CPU seconds, which other programs disturb
less than wall seconds, each build to the writing of its round. {ratios};
the start of two processes is {start:.2f} of the latter. {verdict}"""
MEMORY = """Memory by lines: the largest sum of resident memory over the processes of the build, looked at
every {every:.0f} ms (pages that two processes share count twice). Required: under {most:g} GB. {verdict}"""
CASES = {"build": "build, end to end", "draws": "(a) only drawing", "write": "(b) only writing"}
COUNTS = {1: "one process", 2: "two processes"}
READ = """Beside the build: the truth (all arms, the expected account), and reading the lines back, `baskets`
on the streaming engine with the check of all baskets in hand."""
AGAIN = """Again: `python benchmarks/county.py --large --write` (some {minutes} minutes, 1.3 GB in the
temporary folder), or without `--large` up to {towns} towns."""


Run = dict[str, Any]


# --- the cases: each takes its size, prepares what it needs, and returns what it spent --------------------


def measure_build(towns: int, workers: int) -> Run:
    """Build the county from end to end; its folder stays."""
    build(Recipe(preset("small")), force=True)
    spent, folder = clocked(lambda: build(recipe(towns), workers=workers, force=True))
    files = sorted((folder / "lines").iterdir())
    size = sum(path.stat().st_size for path in files) / 1e9
    lines = sum(pq.read_metadata(path).num_rows for path in files)
    return {**spent, "lines": lines, "disk_gb": size, "folder": str(folder), "digest": digest(files)}


def measure_truth(towns: int, workers: int) -> Run:
    """Build the truth."""
    build(Recipe(preset("small")), force=True)
    spent, _ = clocked(lambda: truth.build(recipe(towns), workers=workers, force=True))
    return spent


def measure_read(folder: Path) -> Run:
    """Collect the baskets of all lines, and check them."""
    few = pl.scan_parquet(folder / "lines" / "*.parquet").head(1_000)
    check_baskets(baskets(few, check=False).collect(engine="streaming"))

    def read() -> int:
        lines = pl.scan_parquet(folder / "lines" / "*.parquet")
        made: pl.DataFrame = check_baskets(baskets(lines, check=False).collect(engine="streaming"))
        return made.height

    spent, found = clocked(read)
    return {**spent, "baskets": found}


def measure_parts(case: str, towns: int, workers: int, folder: Path) -> Run:
    """Run a case's blocks in some processes that begin together, each with its share of the blocks ready."""
    context = multiprocessing.get_context("spawn")
    begin, results = context.Barrier(workers), context.Queue()
    blocks = range(-(-towns // TOWNS_A_BLOCK))
    with tempfile.TemporaryDirectory(dir=folder.parent) as aside:
        prepare = partial(PARTS[case], recipe(towns), folder, Path(aside))
        processes = [
            context.Process(target=run_share, args=(prepare, blocks[number::workers], begin, results))
            for number in range(workers)
        ]
        for process in processes:
            process.start()
        spent = [results.get(timeout=PATIENCE) for _ in processes]
        for process in processes:
            process.join()
        written = {"digest": digest(sorted(Path(aside).iterdir()))} if case == "write" else {}
    wall = max(one["end"] for one in spent) - min(one["begin"] for one in spent)
    sums = {name: sum(one[name] for one in spent) for name in ("cpu", "start")}
    return {"wall": wall, **sums, **written}


def run_share(
    prepare: Callable[[int], Callable[[], None]], blocks: Sequence[int], begin: Any, results: Any
) -> None:
    """Prepare some blocks, wait for the other processes, run."""
    start = time.process_time()  # so far: Python and the modules
    jobs = [prepare(block) for block in blocks]
    begin.wait(PATIENCE)
    wall, cpu = time.perf_counter(), time.process_time()
    for job in jobs:
        job()
    spent = time.process_time() - cpu
    results.put({"begin": wall, "end": time.perf_counter(), "cpu": spent, "start": start})


# --- (b) only writing ---------------------------------------------------------------------------------------


class ReadyWriter(LineWriter):
    """The county's writer of lines, for lines that are Arrow tables already."""

    def put(self, group: pa.Table) -> None:
        """Write one row group."""
        self.waiting.append(group)
        self._flush()


def ready_files(asked: Recipe, folder: Path, aside: Path, block: int) -> Callable[[], None]:
    """Hold the lines of a block in memory; return what writes them."""
    numbers = towns_of(asked.parameters.towns, block)
    path = folder / "lines" / f"towns-{numbers[0]:05d}.parquet"
    written = pq.ParquetFile(path, read_dictionary=["store_id"])
    groups = [written.read_row_group(group) for group in range(written.num_row_groups)]
    here = make_block(asked.world, numbers)

    def write() -> None:
        writer = ReadyWriter(aside / path.name, here)
        with writer:
            for group in groups:
                writer.put(group)

    first = ReadyWriter(aside / f"first-{path.name}", here)
    with first:
        first.put(groups[0].slice(0, 1_000))
    first.path.unlink()
    return write


# --- (a) only drawing ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Month:
    """How much a block drew in a month: days, trips a day, lines."""

    days: int
    trips: int
    lines: int


def ready_draws(asked: Recipe, folder: Path, _: Path, block: int) -> Callable[[], None]:
    """Count what a block draws; return what draws as much."""
    numbers = towns_of(asked.parameters.towns, block)
    stores = pl.read_parquet(folder / "stores.parquet").select("store_id", "town_id")
    booked = pl.read_parquet(folder / "store_months.parquet").join(stores, on="store_id")
    by_month = booked.filter(pl.col("town_id").is_in(numbers.tolist())).group_by("month")
    counted = by_month.agg(pl.max("days"), pl.sum("baskets", "lines")).sort("month")
    months = [Month(days, trips // days, lines) for _, days, trips, lines in counted.iter_rows()]
    burn_in = Month(asked.parameters.burn_in_days, months[0].trips, 0)
    slots = asked.world.slots
    keys, line_keys = (
        household_keys(asked.seed, numbers, asked.parameters.households, stage) for stage in (0, 1)
    )
    most = max(month.lines for month in months)
    starts, counters = np.resize(line_keys, most), np.arange(most)

    def draw() -> None:
        for month in (burn_in, *months):
            draw_month(keys, slots, month)
            for _ in range(HASHES_A_LINE):
                hashed(starts[: month.lines], counters[: month.lines])

    draw_month(keys, slots, Month(1, 1, 1))
    return draw


def draw_month(keys: Keys, slots: int, month: Month) -> None:
    """Draw the numbers of a month: of every household and day, of every trip."""
    for day in range(month.days):
        for option in (*range(slots), *A_DAY):
            exponential(keys, day * DAY + option)
        uniform(keys, day * DAY + Purpose.NEST_ANGLE)
        for purpose in A_TRIP:
            uniform(keys[: month.trips], day * DAY + purpose)


PARTS = {"draws": ready_draws, "write": ready_files}


# --- measuring ----------------------------------------------------------------------------------------------


def recipe(towns: int) -> Recipe:
    """Return the default county with another number of towns, as many in a hundred without a Sphere."""
    usual = Parameters()
    return Recipe(usual.change(towns=towns, never_towns=usual.never_towns * towns // usual.towns))


def towns_of(towns: int, block: int) -> np.ndarray:
    """Return the town numbers of a block."""
    first = block * TOWNS_A_BLOCK + 1
    return np.arange(first, min(first + TOWNS_A_BLOCK, towns + 1))


def clocked(work: Callable[[], Any]) -> tuple[Run, Any]:
    """Return wall and CPU seconds of some work and of the processes that it started, and its result."""
    wall, before = time.perf_counter(), os.times()
    result = work()
    after = os.times()
    return {"wall": time.perf_counter() - wall, "cpu": sum(after[:4]) - sum(before[:4])}, result


def digest(files: Sequence[Path]) -> str:
    """Hash the bytes of files."""
    whole = hashlib.sha256()
    for path in files:
        with path.open("rb") as stream:
            whole.update(hashlib.file_digest(stream, "sha256").digest())
    return whole.hexdigest()[:16]


def alone(case: str, towns: int, workers: int, place: Path, folder: str = "") -> Run:
    """Run a case in a fresh process and watch the memory of it and of all that it starts."""
    print(f"{case}, {towns} towns, {workers} at work", file=sys.stderr, flush=True)
    words = ["--case", case, "--towns", str(towns), "--workers", str(workers), "--folder", folder]
    # with compiled modules, as on any second run: a process must not be measured compiling pandas
    settings = {DATA_VARIABLE: str(place), "PYTHONPYCACHEPREFIX": str(place / "compiled")}
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with subprocess.Popen(
        [sys.executable, __file__, *words], stdout=subprocess.PIPE, text=True, env={**inherited, **settings}
    ) as process:
        peak = 0
        while process.poll() is None:
            peak = max(peak, sum(resident(one) for one in family(process.pid)))
            time.sleep(EVERY)
        said = process.stdout.read() if process.stdout else ""
    if process.returncode:
        raise RuntimeError(f"The case {case} failed.")
    run: Run = json.loads(said)
    return {**run, "peak_gb": max(peak / 1e9, run["own_peak_gb"])}


def family(process: int) -> list[int]:
    """Return a process and all that descend from it (Linux)."""
    parents: dict[int, list[int]] = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            fields = (place / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        parents.setdefault(int(fields[1]), []).append(int(place.name))
    found = [process]
    for one in found:
        found += parents.get(one, [])
    return found


def resident(process: int) -> int:
    """Return the bytes that a process has in memory (Linux)."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * resource.getpagesize()


def run_case(case: str, towns: int, workers: int, folder: Path) -> Run:
    """Run a case in this process."""
    if case == "build":
        run = measure_build(towns, workers)
    elif case == "truth":
        run = measure_truth(towns, workers)
    elif case == "read":
        run = measure_read(folder)
    else:
        run = measure_parts(case, towns, workers, folder)
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9  # Linux counts in KiB
    return {**run, "own_peak_gb": own}


# --- report -------------------------------------------------------------------------------------------------


def run_all(sizes: Sequence[int], rounds: int, place: Path) -> dict[tuple[str, int, int], Run]:
    """Run every case by (case, towns, workers), those of the default county in turns; files must be equal."""
    usual = Parameters().towns
    runs: dict[tuple[str, int, int], list[Run]] = {}

    def run(case: str, towns: int, workers: int) -> Run:
        built = runs[("build", towns, 1)][-1]["folder"] if ("build", towns, 1) in runs else ""
        made = alone(case, towns, workers, place, built)
        runs.setdefault((case, towns, workers), []).append(made)
        return made

    found = set()
    for _ in range(rounds):
        for workers in (1, 2):
            found |= {run(case, usual, workers)["digest"] for case in ("build", "write")}
            run("draws", usual, workers)
            if len(found) != 1:
                raise ValueError(f"The cases do not write the same files: {found}.")
    run("truth", usual, 1)
    if max(sizes) > usual:
        run("truth", usual, 2)
    for towns in sizes:
        for workers in (1, 2) if towns > TOWNS_A_BLOCK else (1,):
            if towns != usual:
                run("build", towns, workers)
        run("read", towns, 1)
        if towns != usual:
            shutil.rmtree(runs[("build", towns, 1)][-1]["folder"])
    results = {key: middle(of_case) for key, of_case in runs.items()}
    for workers in (1, 2):
        pairs = zip(runs[("build", usual, workers)], runs[("write", usual, workers)], strict=True)
        results[("build", usual, workers)]["ratios"] = [one["cpu"] / other["cpu"] for one, other in pairs]
    return results


def middle(runs: Sequence[Run]) -> Run:
    """Return the median of every figure over the runs of a case; memory at its largest."""
    figures = [name for name, value in runs[0].items() if isinstance(value, int | float)]
    return {name: (max if name.endswith("gb") else median)(run[name] for run in runs) for name in figures}


def table(head: str, rows: Sequence[str]) -> str:
    """Write a Markdown table whose first column is text."""
    columns = head.count("|") - 1
    return "\n".join([head, "|---|" + "--:|" * (columns - 1), *rows])


def ratio_table(results: dict[tuple[str, int, int], Run], towns: int) -> str:
    """Write what the build costs beside only drawing and only writing."""
    lines = results[("build", towns, 1)]["lines"]
    rows = []
    for workers in (1, 2):
        build_cpu = results[("build", towns, workers)]["cpu"]
        for case, words in CASES.items():
            run = results[(case, towns, workers)]
            rows.append(
                f"| {words}, {COUNTS[workers]} | {run['wall']:.2f} | {run['cpu']:.2f} "
                f"| {lines / run['wall'] / 1e6:.2f} | {lines / run['cpu'] / 1e6:.2f} "
                f"| {build_cpu / run['cpu']:.2f} |"
            )
    start = results[("write", towns, 2)]["start"]
    rows.append(f"| start of two processes | | {start:.2f} | | | |")
    head = "| case | wall s | CPU s | million lines a wall s | a CPU s | build takes x this (CPU) |"
    return table(head, rows)


def ratio_text(results: dict[tuple[str, int, int], Run], towns: int) -> str:
    """Say whether the ratio to only writing holds."""
    words, short = [], []
    for workers, name in COUNTS.items():
        whole, write = results[("build", towns, workers)], results[("write", towns, workers)]
        low, mid, high = (of(whole["ratios"]) for of in (min, median, max))
        words.append(f"**{mid:.2f} with {name}** ({low:.2f} to {high:.2f} over the rounds)")
        if high > MOST_RATIO:
            short.append(f"With {name} it falls short{' in some rounds' if mid <= MOST_RATIO else ''}.")
    bare = write["start"] / write["cpu"]
    verdict = " ".join(short) or "It holds in every round."
    return RATIO.format(most=MOST_RATIO, ratios=" and ".join(words), start=bare, verdict=verdict)


def memory_table(results: dict[tuple[str, int, int], Run]) -> str:
    """Write the builds by the number of lines."""
    builds = sorted((towns, n) for case, towns, n in results if case == "build")
    rows = []
    for towns, workers in builds:
        run = results[("build", towns, workers)]
        rows.append(
            f"| {towns} towns, {COUNTS[workers]} | {run['lines']:,.0f} | {run['disk_gb']:.2f} "
            f"| {run['wall']:.1f} | {run['cpu']:.1f} | {run['lines'] / run['wall'] / 1e6:.2f} "
            f"| {run['peak_gb']:.2f} |"
        )
    head = "| build | lines | GB of files | wall s | CPU s | million lines a wall s | peak GB |"
    return table(head, rows)


def memory_text(results: dict[tuple[str, int, int], Run]) -> str:
    """Say whether the memory of the builds holds."""
    peak = max(run["peak_gb"] for (case, _, _), run in results.items() if case == "build")
    lines = max(run["lines"] for (case, _, _), run in results.items() if case == "build")
    holds = f"It holds up to {lines / 1e6:.0f} million lines." if peak < MOST_GB else "**This falls short.**"
    return MEMORY.format(every=EVERY * 1000, most=MOST_GB, verdict=holds)


def read_table(results: dict[tuple[str, int, int], Run]) -> str:
    """Write the truth, and reading the lines back."""
    rows = []
    for (case, towns, workers), run in results.items():
        words = {"truth": f"truth, {COUNTS[workers]}", "read": "baskets from the files, one process"}.get(
            case
        )
        if words:
            rows.append(
                f"| {words} | {results[('build', towns, 1)]['lines']:,.0f} | {run['wall']:.1f} "
                f"| {run['cpu']:.1f} | {run['peak_gb']:.2f} |"
            )
    return table("| case | lines of the county | wall s | CPU s | peak GB |", rows)


def section(results: dict[tuple[str, int, int], Run], rounds: int, minutes: float) -> str:
    """Write the README's section."""
    towns = Parameters().towns
    made = f"{dt.datetime.now(tz=dt.UTC):%Y-%m-%d}: {made_with(PACKAGES)}"
    lines = int(results[("build", towns, 1)]["lines"])
    return "\n\n".join(
        [
            START,
            TITLE,
            ABOUT.format(towns=towns, lines=lines, rounds=rounds),
            ratio_table(results, towns),
            ratio_text(results, towns),
            memory_text(results),
            memory_table(results),
            READ,
            read_table(results),
            made,
            AGAIN.format(minutes=round(minutes), towns=towns),
            END,
        ]
    )


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    large = "memory up to 100 million lines and the truth with two processes, too"
    parser.add_argument("--large", action="store_true", help=large)
    parser.add_argument("--write", action="store_true", help="update benchmarks/README.md")
    parser.add_argument("--rounds", type=int, default=2, help="runs of each case in turns (default 2)")
    parser.add_argument("--case", choices=(*CASES, "truth", "read"), help=argparse.SUPPRESS)
    parser.add_argument("--towns", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--workers", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        print(json.dumps(run_case(options.case, options.towns, options.workers, options.folder)))
        return
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        results = run_all((*SIZES, LARGE) if options.large else SIZES, options.rounds, Path(place))
    text = section(results, options.rounds, (time.perf_counter() - began) / 60)
    print(text)
    if options.write:
        write_section(START, END, text)


if __name__ == "__main__":
    main()
