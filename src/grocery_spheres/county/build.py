"""How does a county become tables in the data contract's shape? Block by block, whole or not at all.

The blocks (`TOWNS_A_BLOCK` towns, one file of lines each) are part of the seed's contract: the number of
workers never changes them, so it changes no byte. A build happens in a hidden folder that is moved in
place when it is whole; one that was interrupted leaves nothing that a reader could take for a table.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

from grocery_spheres import progress, provenance
from grocery_spheres.county import tables
from grocery_spheres.county.arms import FACTUAL, arm_named
from grocery_spheres.county.assumptions import ParameterError
from grocery_spheres.county.assumptions import table as assumption_table
from grocery_spheres.county.block import make_block
from grocery_spheres.county.parameters import Parameters
from grocery_spheres.county.simulate import burn_in, months
from grocery_spheres.county.world import World, make_world

TOWNS_A_BLOCK = 16
_FOLDER = "synthetic"
_MOST_SEED = 2**63 - 1

Result = TypeVar("Result")
Whole = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Recipe:
    """What a county is made from: two equal recipes give the same bytes.

    Attributes
    ----------
    parameters : Parameters
        The assumptions.
    seed : int
        Of every draw.
    arm : str
        Which world; see `arms.ARMS`.
    """

    parameters: Parameters
    seed: int = 2045
    arm: str = FACTUAL

    def __post_init__(self) -> None:
        """Refuse a seed that is no whole number, or an arm that there is not."""
        whole = isinstance(self.seed, int | np.integer) and not isinstance(self.seed, bool)
        if not whole or not 0 <= self.seed <= _MOST_SEED:
            raise ParameterError(f"`seed` is {self.seed!r}; allowed: a whole number from 0 to {_MOST_SEED}.")
        arm_named(self.arm)

    @property
    def folder(self) -> Path:
        """Where the tables of this recipe lie, built or not."""
        text = json.dumps([asdict(self.parameters), int(self.seed), self.arm], default=str, sort_keys=True)
        digest = hashlib.sha256(text.encode() + _code())
        return provenance.cache_folder() / _FOLDER / digest.hexdigest()[:16]

    @property
    def world(self) -> World:
        """The county before anybody shops."""
        return make_world(self.parameters, int(self.seed))


def build(recipe: Recipe, *, workers: int = 1, force: bool = False) -> Path:
    """Build the tables of a county where they are missing; return their folder.

    Parameters
    ----------
    recipe : Recipe
        What to build.
    workers : int
        Processes. From a script, call it below `if __name__ == "__main__":` when more than one.
    force : bool
        Build anew even where the tables are there.

    Raises
    ------
    ParameterError
        `workers` is not 1 or more.
    """
    _refuse_bad_workers(workers)
    return whole_folder(recipe.folder, partial(write_tables, recipe, workers=workers), force=force)


def write_tables(recipe: Recipe, folder: Path, *, workers: int = 1) -> None:
    """Write every table of a county into an empty folder."""
    (folder / "lines").mkdir()
    world = recipe.world
    job = partial(_write_block, recipe, folder / "lines")
    made = list(progress.shown(each_block(job, world, workers), blocks_of(world), "Building the county"))
    by_name = {name: pl.concat([one[name] for one in made]) for name in made[0]}
    whole = tables.whole_county(world, arm_named(recipe.arm), by_name, folder / "lines")
    for name, table in whole.items():
        table.write_parquet(folder / f"{name}.parquet")
    describe(recipe).write_parquet(folder / "parameters.parquet")


def describe(recipe: Recipe) -> pl.DataFrame:
    """List the assumptions of a county, with arm, seed and version: the first table of the truth."""
    listed = assumption_table(recipe.parameters)
    return listed.with_columns(
        arm=pl.lit(recipe.arm), seed=pl.lit(int(recipe.seed)), version=pl.lit(version())
    )


def version() -> str:
    """Return the package's version."""
    return metadata.version("grocery-spheres")


def blocks_of(world: World) -> int:
    """Return how many blocks a county has."""
    return -(-world.parameters.towns // TOWNS_A_BLOCK)


def each_block(job: Callable[[Whole], Result], world: World, workers: int = 1) -> Iterator[Result]:
    """Yield what a job makes of each block's towns, in the blocks' order, whatever the workers.

    Parameters
    ----------
    job : callable
        Takes town numbers; must be picklable when `workers` is above 1.
    """
    _refuse_bad_workers(workers)
    numbers = np.arange(1, world.parameters.towns + 1)
    blocks: Sequence[Whole] = [
        numbers[at : at + TOWNS_A_BLOCK] for at in range(0, len(numbers), TOWNS_A_BLOCK)
    ]
    if workers == 1 or len(blocks) == 1:
        yield from map(job, blocks)
        return
    context = multiprocessing.get_context("spawn")
    processes = min(workers, len(blocks))
    with ProcessPoolExecutor(processes, mp_context=context, initializer=end_with_the_builder) as pool:
        yield from pool.map(job, blocks)


def end_with_the_builder() -> None:
    """Have a worker end when the process that builds is killed: nobody would tell it otherwise."""
    builder = multiprocessing.parent_process()

    def end() -> None:
        if builder is not None:
            builder.join()
            os._exit(1)

    threading.Thread(target=end, daemon=True).start()


def whole_folder(folder: Path, write: Callable[[Path], None], *, force: bool = False) -> Path:
    """Have a folder written aside and moved in place when it is whole.

    Parameters
    ----------
    folder : Path
        Where it shall lie. Its name says all that it rests on: one that is there is kept.
    write : callable
        Writes into the empty folder that it is given.
    """
    if folder.exists() and not force:
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".building-") as aside:
        fresh = Path(aside) / "fresh"
        fresh.mkdir()
        write(fresh)
        before = Path(aside) / "before"
        try:
            if force and folder.exists():
                folder.replace(before)
            _put_in_place(fresh, folder)
        finally:
            if before.exists() and not folder.exists():
                before.replace(folder)
    return folder


def _put_in_place(fresh: Path, folder: Path) -> None:
    """Move a folder to where it shall lie, unless another process has just built the same."""
    try:
        fresh.replace(folder)
    except OSError:
        if not folder.exists():
            raise


def _refuse_bad_workers(workers: Any) -> None:
    """Refuse a number of processes that is none."""
    if not isinstance(workers, int) or isinstance(workers, bool) or workers < 1:
        raise ParameterError(f"`workers` is {workers!r}; allowed: a whole number, 1 or more.")


def _write_block(recipe: Recipe, folder: Path, towns: Whole) -> dict[str, pl.DataFrame]:
    """Live through the whole period in some towns; write their lines, return their small tables."""
    values = recipe.parameters
    block, arm = make_block(recipe.world, towns), arm_named(recipe.arm)
    memory = burn_in(block, arm)
    path = folder / f"towns-{towns[0]:05d}.parquet"
    booked: list[dict[str, Any]] = []
    with tables.LineWriter(path, block) as writer:
        for month in months(block, arm, memory, values.start.toordinal(), values.end.toordinal()):
            writer.write(month)
            booked += tables.book(block, arm, month, memory.fate)
    return tables.of_block(block, booked, memory.fate)


def _code() -> bytes:
    """Return what the county rests on beside its recipe: other code or another numpy, other tables."""
    here = Path(__file__).parent
    paths = [*sorted(here.glob("*.py")), here.parent / "schema.py"]
    return np.__version__.encode() + b"".join(path.read_bytes() for path in paths)
