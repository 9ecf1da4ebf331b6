"""How long until customers were back, and until what others had gained was gone?

Days are counted from the outage's last one. Means of seven days are looked at, so that weekdays balance; an
answer that does not come within the record is censored there ("more than 49 days").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from grocery_spheres.accounting.following import ELSEWHERE, OWN
from grocery_spheres.accounting.records import Array, Flags
from grocery_spheres.accounting.spans import WEEK

WHOLE = 0.95  # share of the expected at which a store counts as recovered
HALF = 0.5  # of the gain in the outage


@dataclass(frozen=True)
class Waited:
    """A time until something, in days after the outage.

    Attributes
    ----------
    days : int or None
        First day of the first seven whose mean is there; None: not within the record.
    low, high : int or None
        Interval, from placebos; None: not within the record.
    censored : int
        The last day that could have been found.
    known : bool
        Whether there are placebos enough for an interval.
    """

    days: int | None
    low: int | None
    high: int | None
    censored: int
    known: bool = True

    def __str__(self) -> str:
        """Say it in words."""
        if self.censored < 1:
            return "not known, as the record ends too soon after the outage"
        ends = f"{self._said(self.low)} to {self._said(self.high)}" if self.known else "no interval"
        return f"{self._said(self.days)} ({ends})"

    def _said(self, days: int | None) -> str:
        if days is None:
            return f"more than {self.censored} days"
        return f"{days} day{'' if days == 1 else 's'}"


def to_whole(gap: Array, path: Array, errors: Array, alpha: float) -> Waited:
    """Return the days until the dark stores sold 95 % of what was to be expected.

    Parameters
    ----------
    gap, path : array, (3, days)
        Observed minus expected, and expected, from the day after the outage on.
    errors : array, (placebos, 3, days)
        Gaps that placebos find.
    alpha : float
        One minus the level of the interval.
    """
    lacking = weekly(gap[OWN]) + (1 - WHOLE) * weekly(path[OWN])
    return _waited(lacking, weekly(errors[:, OWN]), alpha)


def to_half(gap: Array, errors: Array, first: float, firsts: Array, alpha: float) -> Waited:
    """Return the days until the gain elsewhere fell to half of what it was on a day of the outage.

    Parameters
    ----------
    gap, errors, alpha
        As for `to_whole`.
    first : float
        The gain on a day of the outage.
    firsts : array, (placebos,)
        What placebos find for it.
    """
    lasting = HALF * first - weekly(gap[ELSEWHERE])
    return _waited(lasting, HALF * firsts[:, None] - weekly(errors[:, ELSEWHERE]), alpha)


def weekly(daily: Array) -> Array:
    """Return the mean of each day and the six after it.

    Examples
    --------
    >>> weekly(np.arange(8.0))
    array([3., 4.])
    """
    if daily.shape[-1] < WEEK:
        return np.zeros((*daily.shape[:-1], 0))
    summed = np.cumsum(np.concatenate([np.zeros((*daily.shape[:-1], 1)), daily], axis=-1), axis=-1)
    return np.asarray((summed[..., WEEK:] - summed[..., :-WEEK]) / WEEK)


def _waited(reached: Array, errors: Array, alpha: float) -> Waited:
    """Find the first day at which something is at least 0, and the days that chance allows for it.

    Day by day it is asked whether "reached" is rejected, and whether "not reached" is: the interval begins on
    the first day on which the former is not, and ends on the day after the last on which the latter is not.
    """
    last = reached.shape[-1]
    rank = int(np.floor(alpha / 2 * (len(errors) + 1) + 1e-9))
    if rank < 1:
        return Waited(_day(reached >= 0), None, None, last, known=False)
    ordered = np.sort(errors, axis=0)
    low, high = ordered[rank - 1], ordered[-rank]
    unsure = np.flatnonzero(reached - high < 0)
    end = int(unsure[-1]) + 2 if len(unsure) else 1
    return Waited(_day(reached >= 0), _day(reached - low >= 0), end if end <= last else None, last)


def _day(reached: Flags) -> int | None:
    return int(np.argmax(reached)) + 1 if reached.any() else None
