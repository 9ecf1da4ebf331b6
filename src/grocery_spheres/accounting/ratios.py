"""Which ratios of two parts are not rejected? Test inversion, so that a weak denominator shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from grocery_spheres.accounting.records import Array
from grocery_spheres.outage.certainty import UNBOUNDED, Ranked

_GRID = 801  # ratios that are tried; their ends are then halved to rounding
_WIDEST = 50.0  # times the plain ratio's size, or of 1, to which ratios are tried
_HALVINGS = 40
NAME, ASSUMES = (
    "rank among placebo outages of the whole account",
    "chance moves these customers as it moves those of other stores, and of earlier days",
)


def ranked(estimate: float, errors: Array) -> Ranked:
    """Return the inference of one number that placebos earn; errors that are not known are left out."""
    return Ranked(float(estimate), 1.0, errors[np.isfinite(errors)], NAME, ASSUMES)


@dataclass(frozen=True)
class Ratio:
    """A ratio of two estimates with the errors that placebos make in both at once.

    Attributes
    ----------
    top, bottom : float
        The estimates.
    top_errors, bottom_errors : array, (placebos,)
        What placebos find for each.
    """

    top: float
    bottom: float
    top_errors: Array
    bottom_errors: Array

    def __repr__(self) -> str:
        """Show the ratio instead of all errors."""
        return f"Ratio({self.value:.4g}, from {len(self.top_errors)} placebos)"

    @property
    def value(self) -> float:
        """The plain ratio; NaN over nothing."""
        return self.top / self.bottom if self.bottom != 0 else float("nan")

    def pvalue(self, ratio: float) -> float:
        """Return the p-value of a true ratio: of top - ratio x bottom being nothing but chance."""
        errors = self.top_errors - ratio * self.bottom_errors
        return ranked(self.top - ratio * self.bottom, errors).pvalue()

    def interval(self, alpha: float) -> tuple[float, float]:
        """Return the ends of the ratios that are not rejected; unbounded where the bottom may be 0.

        Examples
        --------
        >>> errors = np.linspace(-1, 1, 199)
        >>> sure = Ratio(5.0, 10.0, errors, np.zeros(199))
        >>> [round(end, 3) for end in sure.interval(0.05)]
        [0.404, 0.596]
        >>> Ratio(5.0, 0.5, errors, errors[::-1]).interval(0.05)
        (-inf, inf)
        """
        if ranked(self.bottom, self.bottom_errors).pvalue() > alpha or not np.isfinite(self.value):
            return UNBOUNDED
        reach = _WIDEST * max(1.0, abs(self.value))
        away = np.sinh(np.linspace(-np.arcsinh(reach), np.arcsinh(reach), _GRID)) + self.value
        kept = [bool(self.pvalue(ratio) > alpha) for ratio in away]
        if kept[0] or kept[-1]:
            return UNBOUNDED
        inside = np.flatnonzero(kept)
        if not len(inside):
            return self.value, self.value
        low = self._edge(away[inside[0]], away[inside[0] - 1], alpha)
        return low, self._edge(away[inside[-1]], away[inside[-1] + 1], alpha)

    def _edge(self, inside: float, outside: float, alpha: float) -> float:
        for _ in range(_HALVINGS):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if self.pvalue(middle) > alpha else (inside, middle)
        return float(inside)
