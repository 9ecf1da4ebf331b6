"""How is a long proof run: in several processes, with progress, to be taken up again where it was stopped?"""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from grocery_spheres import progress, provenance
from grocery_spheres.county.build import end_with_the_builder
from grocery_spheres.validation import tables
from grocery_spheres.validation.subjects import NAMES, Rows, Subject, subject


def validate(names: list[str], *, workers: int = 1) -> str:
    """Run proofs and write their tables; return what was done, a line a subject.

    Parameters
    ----------
    names : list of str
        Subjects; none asks for all.
    workers : int
        Processes. They change no number.
    """
    return "\n".join(_said(subject(name), workers) for name in names or NAMES)


def _said(proof: Subject, workers: int) -> str:
    path = run(proof, workers=workers)
    return f"{proof.name}: {proof.replications} replications, in {path}"


def run(proof: Subject, *, workers: int = 1) -> Path:
    """Run what is missing of a proof, and write its table.

    Finished replications are kept as they come in, with the code's fingerprint in the file's name: a run
    that was stopped goes on, and one on changed code begins anew.

    Parameters
    ----------
    proof : Subject
        What to prove.
    workers : int
        Processes.

    Returns
    -------
    pathlib.Path
        The table.
    """
    code = tables.fingerprint(proof.rests_on)  # as it is loaded now; it may change while this runs
    kept = provenance.cache_folder() / "validation" / f".{proof.name}-{code}.jsonl"
    kept.parent.mkdir(parents=True, exist_ok=True)
    done = _finished(kept)
    missing = [seed for seed in range(1, proof.replications + 1) if seed not in done]
    with kept.open("a", encoding="utf-8") as notes:
        for seed, rows in progress.shown(_replicated(proof, missing, workers), len(missing), proof.name):
            done[seed] = rows
            notes.write(json.dumps({"seed": seed, "rows": rows}) + "\n")
            notes.flush()
    wanted = {seed: done[seed] for seed in range(1, proof.replications + 1)}
    return tables.write(proof, wanted, code)


def _finished(kept: Path) -> dict[int, Rows]:
    """Read the replications that an earlier run finished; a line cut short by a stop does not count."""
    done: dict[int, Rows] = {}
    if kept.exists():
        for line in kept.read_text(encoding="utf-8").splitlines():
            try:
                note = json.loads(line)
            except json.JSONDecodeError:
                continue
            done[note["seed"]] = note["rows"]
    return done


def _replicated(proof: Subject, seeds: list[int], workers: int) -> Iterator[tuple[int, Rows]]:
    """Yield seeds with their rows, as they are finished."""
    if workers == 1 or len(seeds) < 2:
        for seed in seeds:
            yield seed, proof.replicate(seed)
        return
    context = multiprocessing.get_context("spawn")
    processes = min(workers, len(seeds))
    with ProcessPoolExecutor(processes, mp_context=context, initializer=end_with_the_builder) as pool:
        waiting = {pool.submit(proof.replicate, seed): seed for seed in seeds}
        try:
            for future in as_completed(waiting):
                yield waiting[future], future.result()
        finally:  # one that failed is told at once, and not after all others
            pool.shutdown(wait=False, cancel_futures=True)
