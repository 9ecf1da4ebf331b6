"""How long until customers were back, and until what others had gained was gone?

Days are counted from the outage's last one. Means of seven days are looked at, so that weekdays balance; an
answer that does not come within the record is censored there ("more than 49 days").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from grocery_spheres.accounting.following import ELSEWHERE, OWN
from grocery_spheres.accounting.records import Array
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
    """

    days: int | None
    low: int | None
    high: int | None
    censored: int

    def __str__(self) -> str:
        """Say it in words."""
        return f"{self._said(self.days)} ({self._said(self.low)} to {self._said(self.high)})"

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
    summed = np.cumsum(np.concatenate([np.zeros((*daily.shape[:-1], 1)), daily], axis=-1), axis=-1)
    return np.asarray((summed[..., WEEK:] - summed[..., :-WEEK]) / WEEK)


def _waited(reached: Array, errors: Array, alpha: float) -> Waited:
    """Find the first day at which something is at least 0, in the estimate and with each error taken off."""
    last = reached.shape[-1]
    days = [_first(one) for one in reached - errors]
    low, high = np.quantile(days, [alpha / 2, 1 - alpha / 2], method="inverted_cdf") if days else (last, last)
    found, least, most = (None if one >= last else int(one) + 1 for one in (_first(reached), low, high))
    return Waited(found, least, most, last)


def _first(reached: Array) -> int:
    return int(np.argmax(reached >= 0)) if (reached >= 0).any() else len(reached)
