"""Why one thread? The linear algebra here is small, and threads cost more than they give.

On two cores the placebos of an estimate take less than half the time on one thread. And the last digits of a
result then do not hang on how many cores a machine has.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from threadpoolctl import threadpool_limits

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


def one_thread(work: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """Let a function's linear algebra run on one thread; what was set before holds again when it ends.

    Parameters
    ----------
    work : callable
        What computes.

    Examples
    --------
    >>> @one_thread
    ... def double(number: int) -> int:
    ...     return 2 * number
    >>> double(21)
    42
    """

    @wraps(work)
    def on_one(*args: Given.args, **kwargs: Given.kwargs) -> Answer:
        with threadpool_limits(limits=1, user_api="blas"):
            return work(*args, **kwargs)

    return on_one
