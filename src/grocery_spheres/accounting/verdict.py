"""What can be said of a part: is it there, is none to be seen, or can nothing be said?"""

from __future__ import annotations

FOUND, NONE_SEEN, NOT_ESTIMABLE = "found", "none seen", "not estimable here"
LOSSES = ("lost", "not followed", "lost in all")
"""Parts that are themselves losses: not held against what was lost."""


def verdict(part: str, pvalue: float, detectable: float, lost: float, alpha: float) -> str:
    """Say what can be said of a part.

    Where even all that was lost would often not be seen, nothing is said, whatever the p-value: what stands
    out there is chance as often as not, and far too large.

    Parameters
    ----------
    part : str
        Its name.
    pvalue, detectable : float
        Of none; the smallest amount that would be seen four times in five.
    lost : float
        What was lost.
    alpha : float
        Level of the test.

    Examples
    --------
    >>> verdict("delayed", 0.04, 4175.0, 2674.0, 0.05), verdict("diverted", 0.3, 30.0, 112.0, 0.05)
    ('not estimable here', 'none seen')
    """
    if part in LOSSES:
        return FOUND if pvalue <= alpha else NOT_ESTIMABLE
    if detectable > lost:
        return NOT_ESTIMABLE
    return FOUND if pvalue <= alpha else NONE_SEEN
