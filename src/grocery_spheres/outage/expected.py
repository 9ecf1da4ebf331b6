"""What does every counterfactual take, and what does it give back? The one face of the methods.

A method is a function of a target, its donors and the options; it returns what would have been. It is told
nothing else, so that estimating, refitting under a null and repeating on placebos are the same call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Target:
    """A dark unit, or the average of units that were dark in the same periods.

    Attributes
    ----------
    values : array, (periods,)
        Its outcome; NaN where missing.
    dose : array, (periods,)
        Share of the period's trading that was lost: above 0 in the window of the outage, else 0.
    fitted : array of bool, (periods,)
        Periods without an effect, from which the counterfactual may learn.
    """

    values: Array
    dose: Array
    fitted: Flags

    @property
    def known(self) -> Flags:
        """Periods to learn from that have an outcome."""
        return self.fitted & ~np.isnan(self.values)

    @property
    def window(self) -> Flags:
        """Periods of the outage that have an outcome."""
        return (self.dose > 0) & ~np.isnan(self.values)

    def under(self, effect: float) -> Target:
        """Return the target as if this were the effect of a full period dark: all its periods can be fitted.

        Parameters
        ----------
        effect : float
            Observed minus counterfactual in a period with dose 1, in units of the outcome.
        """
        untreated = self.values - effect * self.dose
        return replace(self, values=untreated, fitted=self.fitted | (self.dose > 0))


@dataclass(frozen=True)
class Options:
    """What a method may be told.

    Attributes
    ----------
    season : int
        Periods in a season (7: days of a week); 1: none.
    counts : bool
        The outcome counts things: whole numbers, none below 0.
    intercept : bool
        Synthetic control: allow a constant distance between the unit and its donors.
    factors : int or None
        Structural: number of donor factors; None lets the data choose.
    """

    season: int = 1
    counts: bool = False
    intercept: bool = True
    factors: int | None = None


@dataclass(frozen=True)
class Expected:
    """What would have been.

    Attributes
    ----------
    path : array, (periods,)
        The counterfactual; NaN where the method says nothing. In fitted periods: what it makes of them.
    error : float
        Standard error of the mean of the window, in the method's own light: a scale, no promise.
    weights : array, (donors,), or None
        Of the donors, where the method has any.
    spread : callable or None
        For methods with a distribution of their own: takes an array of means of the window and returns the
        probability that the counterfactual mean lies below each.
    details : mapping
        What else a reader may want to know of the fit.
    """

    path: Array
    error: float
    weights: Array | None = None
    spread: Callable[[Array], Array] | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


Method = Callable[[Target, Array, Options], Expected]
"""Takes a target, donors (donors x periods, no NaN in its known periods and window) and options."""


def block_error(residuals: Array, length: int) -> float:
    """Return the spread of means of `length` neighbouring residuals: the scale of a window's mean.

    Parameters
    ----------
    residuals : array
        Of the fitted periods, in order.
    length : int
        Periods in the window. Fewer than four such blocks fit into the residuals: shorter blocks stand in,
        scaled as if they were independent.

    Examples
    --------
    >>> round(block_error(np.array([1.0, -1.0] * 50), 1), 2)
    1.0
    """
    if not len(residuals):
        return float("nan")
    block = max(1, min(length, len(residuals) // 4))
    sums = np.convolve(residuals, np.ones(block) / block, mode="valid")
    spread = float(np.sqrt(np.mean(sums**2))) * (block / length) ** 0.5
    return spread * (1 + length / max(len(residuals), 1)) ** 0.5
