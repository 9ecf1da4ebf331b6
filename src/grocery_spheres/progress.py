"""How far is a long piece of work? A bar on a terminal or in a notebook, and nothing left behind."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")
_WIDTH = 30


def shown(items: Iterable[Item], total: int, what: str) -> Iterator[Item]:
    """Yield items and show how many of them are done.

    Parameters
    ----------
    items : iterable
        Results, as they come.
    total : int
        How many there will be.
    what : str
        What is being made.

    Examples
    --------
    >>> list(shown(iter("ab"), 2, "letters"))
    ['a', 'b']
    """
    _draw(0, total, what)
    for done, item in enumerate(items, start=1):
        yield item
        _draw(done, total, what)
    _clear()


def _draw(done: int, total: int, what: str) -> None:
    full = _WIDTH * done // max(total, 1)
    bar = f"{what} {'█' * full}{'·' * (_WIDTH - full)} {done}/{total}"
    if _in_notebook():
        from IPython.display import clear_output, display  # noqa: PLC0415 - a notebook has it, a script may not

        clear_output(wait=True)
        display({"text/plain": bar}, raw=True)
    elif sys.stderr.isatty():
        sys.stderr.write(f"\r{bar}")
        sys.stderr.flush()


def _clear() -> None:
    if _in_notebook():
        from IPython.display import clear_output  # noqa: PLC0415

        clear_output()
    elif sys.stderr.isatty():
        sys.stderr.write("\r\033[K")
        sys.stderr.flush()


def _in_notebook() -> bool:
    """Tell whether a kernel runs this: a script or a test that has merely imported one is no notebook."""
    known = sys.modules.get("IPython")
    shell = known.get_ipython() if known else None
    return getattr(shell, "kernel", None) is not None
