"""How a notebook is run from top to bottom, and where its executed copy goes.

Kernels run two at a time, each with one thread for linear algebra, which is the fastest way on two cores.
Nothing is written beside the notebooks; executed copies go to reports/executed/.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import sys
import tempfile
import threading
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grocery_spheres import provenance
from grocery_spheres.tables import GroceryError

if TYPE_CHECKING:
    from nbformat import NotebookNode

WORKERS = 2
"""Kernels at a time: the machine that the time limits are stated for has two cores."""

CELL_SECONDS = 600
"""A cell that takes longer hangs: the whole build has to end within five minutes."""

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"), "1"
)
"""Set before a kernel starts: kernels side by side that each take every core slow one another down."""

_WINDOWS = sys.platform == "win32"


class ExecutionError(GroceryError):
    """A notebook did not run from top to bottom."""


def run_notebooks(root: Path, notebooks: Sequence[Path]) -> list[str]:
    """Run notebooks, two at a time, and keep what came out of them.

    An executed copy replaces the earlier one only when all cells ran. Otherwise the partial notebook lies
    beside it, under the name that `failed_copy` gives.

    Parameters
    ----------
    root : pathlib.Path
        The checkout; kernels work in its notebooks folder.
    notebooks : sequence of pathlib.Path
        Sources, named by their stem.

    Returns
    -------
    list of str
        For each notebook one paragraph that says what went wrong: notebook, cell, its first line, the
        exception, the partial notebook. Empty where all went well.
    """
    return _in_own_loop(_run_all(root, notebooks))


def executed_copy(root: Path, name: str) -> Path:
    """Return where the executed copy of a notebook lies.

    Examples
    --------
    >>> executed_copy(Path("here"), "01-public-groceries").as_posix()
    'here/reports/executed/01-public-groceries.ipynb'
    """
    return root / "reports" / "executed" / f"{name}.ipynb"


def failed_copy(root: Path, name: str) -> Path:
    """Return where the partial copy of a notebook lies whose last run failed.

    Examples
    --------
    >>> failed_copy(Path("here"), "01-public-groceries").name
    '01-public-groceries.failed.ipynb'
    """
    return root / "reports" / "executed" / f"{name}.failed.ipynb"


def write_text(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old one or the new one, never half of it.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_text(Path(folder, "new", "page.html"), "done"); Path(folder, "new", "page.html").read_text()
    'done'
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", newline="\n", dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as stream:
        stream.write(text)
    draft = Path(stream.name)
    draft.chmod(0o644)  # temporary files are private; a page is not
    draft.replace(path)


async def _run_all(root: Path, notebooks: Sequence[Path]) -> list[str]:
    seats = asyncio.Semaphore(WORKERS)

    async def seated(path: Path) -> str:
        async with seats:
            return await _run_one(root, path)

    return await asyncio.gather(*(seated(path) for path in notebooks))


async def _run_one(root: Path, path: Path) -> str:
    import nbclient.exceptions as refused  # noqa: PLC0415 - loading it takes as long as a whole build may
    import nbformat  # noqa: PLC0415 - see above

    notebook = nbformat.read(path, as_version=4)
    progress = _Progress(path.stem, len(notebook.cells))
    failed_copy(root, path.stem).unlink(missing_ok=True)
    try:
        await _in_kernel(root, notebook, progress)
    except (refused.CellExecutionError, refused.CellTimeoutError, refused.DeadKernelError) as error:
        write_text(failed_copy(root, path.stem), nbformat.writes(notebook))
        return _failure(root, path.stem, notebook, progress.cell, error)
    write_text(executed_copy(root, path.stem), nbformat.writes(notebook))
    progress.say("done")
    return ""


async def _in_kernel(root: Path, notebook: NotebookNode, progress: _Progress) -> None:
    from jupyter_client.kernelspec import KernelSpecManager  # noqa: PLC0415 - see _run_one
    from jupyter_client.manager import AsyncKernelManager  # noqa: PLC0415 - see _run_one
    from nbclient import NotebookClient  # noqa: PLC0415 - see _run_one

    with tempfile.TemporaryDirectory(prefix="gs-", ignore_cleanup_errors=True) as folder:
        kernel = AsyncKernelManager(
            kernel_name="python3",
            # No folders: the kernel is this Python, whatever kernels the user has registered.
            kernel_spec_manager=KernelSpecManager(kernel_dirs=[]),
            transport="tcp" if _WINDOWS else "ipc",
            connection_file=str(Path(folder, "kernel.json")),  # short, since socket paths are limited
        )
        client = NotebookClient(
            notebook,
            km=kernel,
            timeout=CELL_SECONDS,
            record_timing=False,
            store_widget_state=False,
            resources={"metadata": {"path": str(root / "notebooks")}},
            on_cell_start=progress.start,
        )
        own = {"IPYTHONDIR": folder, provenance.ROOT_VARIABLE: str(root)}  # no start-up files of the user
        await client.async_execute(cleanup_kc=True, env={**os.environ, **ONE_THREAD, **own})


def _failure(root: Path, name: str, notebook: NotebookNode, cell: int, error: Exception) -> str:
    partial = failed_copy(root, name).relative_to(root)
    first_line = next(iter(notebook.cells[cell].source.strip().splitlines()), "")
    reason = f"{getattr(error, 'ename', type(error).__name__)}: {getattr(error, 'evalue', error)}"
    return (
        f"Notebook {name} stopped in cell {cell + 1} of {len(notebook.cells)} (`{first_line}`) with "
        f"{' '.join(reason.split())}. What ran up to there is in {partial}; mend the cell or what "
        "it calls and run `grocery-spheres report` again: what is up to date is not run twice. Earlier pages "
        "are as they were."
    )


@dataclass
class _Progress:
    """Says on stderr where a notebook is, and remembers it for an error message."""

    name: str
    cells: int
    cell: int = 0

    def start(self, cell: NotebookNode, cell_index: int) -> None:
        self.cell = cell_index
        if cell.cell_type == "code":
            self.say(f"cell {cell_index + 1}/{self.cells}")

    def say(self, words: str) -> None:
        sys.stderr.write(f"{self.name}  {words}\n")
        sys.stderr.flush()


def _in_own_loop(work: Coroutine[Any, Any, list[str]]) -> list[str]:
    """Run in a loop of a second thread: works inside JupyterLab too, and Ctrl-C ends every kernel."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    task = asyncio.run_coroutine_threadsafe(_as_task(work), loop)
    try:
        while not task.done():  # waking now and then, because a lock may sleep through Ctrl-C
            concurrent.futures.wait([task], timeout=0.5)
        return task.result()
    finally:
        task.cancel()
        asyncio.run_coroutine_threadsafe(_wind_down(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _as_task(work: Coroutine[Any, Any, list[str]]) -> list[str]:
    return await work


async def _wind_down() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*others, return_exceptions=True)
