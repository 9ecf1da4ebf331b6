"""What share of a group is still open after so many days, how sure is that, and how far apart are two groups?

Kaplan-Meier shares, with intervals that keep a town's stores together. Each town adds its closings and its
stores at risk; from these counts follows how far the share would move without it (the influence function of
the Kaplan-Meier estimator), and from the towns' spread the variance. The share and this variance are turned
into as many independent stores as would be equally sure, and these into a Wilson interval, which stays
honest at few closings and at none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize, stats
from statsmodels.duration.survfunc import SurvfuncRight

Array = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

DRAWN = 5  # towns, assumed: more make intervals too wide where stores of a town compete
WIDEST = 1e4  # standard errors; p-values beyond are zero in double precision


@dataclass(frozen=True)
class Curve:
    """The share of one group still open, by day. One entry = one day.

    Attributes
    ----------
    day : array of int
        Days on the clock: 0, each day on which a store of any group closed, and the horizon.
    at_risk, closed : array of int
        Stores at risk on that day, and how many of them closed on it.
    survival : array
        Kaplan-Meier share still open after that day.
    influence : array, (clusters, days)
        What each cluster adds to the error of `survival`; each column adds to zero.
    greenwood : array
        Variance of `survival`, were stores independent.
    variance : array
        The same with clusters kept together. Where towns are more alike than chance makes (stores that
        compete keep each other's closings down) it is drawn towards `greenwood` by the weight of `DRAWN`
        towns, so that few towns which happen to be alike do not pass for certainty.
    clusters : array of int
        Names of the rows of `influence`.
    lent : float
        Design effect (what clustering multiplies the variance by) for days on which none or all have closed.
    """

    day: Whole
    at_risk: Whole
    closed: Whole
    survival: Array
    influence: Array
    greenwood: Array
    variance: Array
    clusters: Whole
    lent: float = 1.0

    def design_effect(self, day: int) -> float:
        """Return how much clustering inflates the variance on that day: 1 where nothing tells."""
        place = int(np.searchsorted(self.day, day))
        plain = self.greenwood[place]
        return float(self.variance[place] / plain) if plain > 0 else 1.0

    @property
    def worth(self) -> Array:
        """How many independent stores would be as sure, by day.

        Where none or all have closed the variance is no guide: then the stores at risk (the most ever at
        risk, where all have closed), divided by the design effect that is lent from other groups.
        """
        share = self.survival
        inside = (share > 0) & (share < 1)
        spread = np.where(inside, self.variance, 1.0)
        plain = np.where(share > 0, self.at_risk, self.at_risk.max()) / self.lent
        return np.where(inside, share * (1 - share) / spread, np.maximum(plain, 1.0))


def curve(entry: Whole, time: Whole, closed: npt.NDArray[np.bool_], cluster: Whole, days: Whole) -> Curve:
    """Follow one group's stores.

    Parameters
    ----------
    entry, time, closed : array
        One entry = one store: at risk after day `entry`, up to and with day `time`; whether it closed then.
    cluster : array of int
        The cluster of each store.
    days : array of int
        The days to report on, ascending from 0; all days with a closing must be among them.

    Returns
    -------
    Curve
        One entry = one of `days`.

    Examples
    --------
    Four stores; one closes on day 5 and one on day 9, when three are at risk.

    >>> when, shut = np.array([5, 9, 20, 20]), np.array([True, True, False, False])
    >>> curve(np.zeros(4, int), when, shut, np.arange(4), np.array([0, 5, 9])).survival.round(4)
    array([1.  , 0.75, 0.5 ])
    """
    there = (entry[:, None] < days) & (days <= time[:, None])
    shut = closed[:, None] & (time[:, None] == days)
    at_risk, gone = there.sum(axis=0), shut.sum(axis=0)
    share, greenwood = _kaplan_meier(entry, time, closed, days)
    left = np.where(at_risk > gone, at_risk - gone, np.inf)  # nobody left: the share is zero for certain
    rate = gone / left / np.maximum(at_risk, 1)
    names = np.unique(cluster)
    towns = (names[:, None] == cluster).astype(np.float64)
    moved = np.cumsum(towns @ shut / left - (towns @ there) * rate, axis=1)
    influence = -share * moved
    spread = len(names) / max(len(names) - 1, 1) * (influence**2).sum(axis=0)
    drawn = (len(names) * spread + DRAWN * greenwood) / (len(names) + DRAWN)
    return Curve(days, at_risk, gone, share, influence, greenwood, np.maximum(spread, drawn), names)


def _kaplan_meier(
    entry: Whole, time: Whole, closed: npt.NDArray[np.bool_], days: Whole
) -> tuple[Array, Array]:
    """Return share and Greenwood variance by day, as statsmodels works them out."""
    if not closed.any():
        return np.ones(len(days)), np.zeros(len(days))
    found = SurvfuncRight(time, closed.astype(np.float64), entry=entry)
    place = np.searchsorted(found.surv_times, days, side="right")
    share = np.concatenate([[1.0], found.surv_prob])
    error = np.nan_to_num(np.concatenate([[0.0], found.surv_prob_se]))
    return share[place], np.where(share[place] > 0, error[place] ** 2, 0.0)


def wilson(share: Array, stores: Array, critical: float) -> tuple[Array, Array]:
    """Return the Wilson interval of a share that `stores` independent stores tell.

    Parameters
    ----------
    share, stores : array
        The share, and the number of independent stores; it need not be whole.
    critical : float
        Standard errors that the ends lie away.

    Examples
    --------
    Of ten stores none closed: at least 72 % would stay open (E. B. Wilson, 1927; 95 %).

    >>> low, high = wilson(np.array([1.0]), np.array([10.0]), 1.96)
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.722], [1.0])
    """
    square = critical**2
    middle = (share + square / (2 * stores)) / (1 + square / stores)
    half = critical / (1 + square / stores) * np.sqrt(share * (1 - share) / stores + (square / 4) / stores**2)
    return np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)


@dataclass(frozen=True)
class Contrast:
    """The share of one group less that of another, at one day.

    Attributes
    ----------
    shares, stores : array
        Of the group and of its base: share still open, and the independent stores it is worth.
    correlation : float
        Of the two shares, where clusters hold stores of both groups; positive ones are left at zero, so
        that what a town's groups share does not narrow the interval.
    freedom : int
        Degrees of freedom: clusters less two.

    References
    ----------
    R. G. Newcombe (1998), "Interval estimation for the difference between independent proportions",
    Statistics in Medicine 17, method 10; G. Y. Zou and A. Donner (2008), "Construction of confidence limits
    about effect measures: a general approach", Statistics in Medicine 27, for the step from two intervals
    to that of a difference; E. L. Korn and B. I. Graubard (1998), Survey Methodology 24, for the number of
    independent observations that a clustered share is worth.
    """

    shares: Array
    stores: Array
    correlation: float
    freedom: int

    @property
    def difference(self) -> float:
        """The group's share less its base's."""
        return float(self.shares[0] - self.shares[1])

    def conf_int(self, alpha: float) -> tuple[float, float]:
        """Return the ends of the interval at level 1 - alpha."""
        return self._ends(float(stats.t.isf(alpha / 2, self.freedom)))

    @property
    def pvalue(self) -> float:
        """The smallest alpha whose interval leaves out zero: test and interval never contradict."""
        away = self.difference
        if away == 0:
            return 1.0

        def gap(critical: float) -> float:
            low, high = self._ends(critical)
            return low if away > 0 else -high

        if gap(WIDEST) > 0:
            return 0.0
        touches = optimize.brentq(gap, 1e-9, WIDEST, xtol=1e-12, rtol=1e-12)
        return float(2 * stats.t.sf(touches, self.freedom))

    def _ends(self, critical: float) -> tuple[float, float]:
        low, high = wilson(self.shares, self.stores, critical)
        down, up = self.shares - low, high - self.shares
        below = down[0] ** 2 + up[1] ** 2 - 2 * self.correlation * down[0] * up[1]
        above = up[0] ** 2 + down[1] ** 2 - 2 * self.correlation * up[0] * down[1]
        return self.difference - float(np.sqrt(below)), self.difference + float(np.sqrt(above))


def contrast(group: Curve, base: Curve, day: int) -> Contrast:
    """Hold a group's share against its base's on one day, which must be among the days of both.

    Parameters
    ----------
    group, base : Curve
        Either group's curve.
    day : int
        Days on the clock.
    """
    first, second = int(np.searchsorted(group.day, day)), int(np.searchsorted(base.day, day))
    shared, left, right = np.intersect1d(group.clusters, base.clusters, return_indices=True)
    together = float(group.influence[left, first] @ base.influence[right, second])
    scale = float(np.sqrt(group.variance[first] * base.variance[second]))
    return Contrast(
        np.array([group.survival[first], base.survival[second]]),
        np.array([group.worth[first], base.worth[second]]),
        max(min(together / scale, 0.0), -1.0) if scale else 0.0,
        len(group.clusters) + len(base.clusters) - len(shared) - 2,
    )
