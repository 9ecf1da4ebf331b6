"""Which average effects make the window look like any other stretch of days?

Moving-block conformal inference: the counterfactual is fitted again as if an effect were the true one, with
the window among the fitted periods; the window's residuals are then ranked among those of all windows of the
same shape, moved round the record (Chernozhukov, Wuethrich and Zhu 2021). It is valid where residuals are
stationary and weakly dependent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from grocery_spheres.outage.certainty import UNBOUNDED
from grocery_spheres.outage.expected import Array, Target
from grocery_spheres.outage.one_thread import one_thread

Gaps = Callable[[float], Array]
"""Takes the effect of a full period dark; returns residuals (periods,), NaN where a period was not fitted."""

_REACH = 12  # scales of the error, on each side of the estimate, within which ends are looked for
_STEP = 0.5  # of that scale: the grid on which the p-values are computed
_HALVINGS = 10  # of a step at an end: a thousandth of it is left


@dataclass(frozen=True)
class Conformal:
    """Moving-block conformal inference on the average effect.

    Attributes
    ----------
    gaps : tuple of callable
        Of every target.
    targets : tuple of Target
        Whose windows are moved.
    sizes : tuple of int
        Units behind each target.
    estimate, scale : float
        The average effect, and about how far it may be off: where to look.
    dose : float
        Average share down of the dark unit-periods: the average effect of one whose full effect is 1.
    """

    gaps: tuple[Gaps, ...]
    targets: tuple[Target, ...]
    sizes: tuple[int, ...]
    estimate: float
    scale: float
    dose: float
    name: str = "moving-block conformal inference"
    assumes: str = "errors in the window are like those of any other stretch of the record"
    _known: dict[float, float] = field(default_factory=dict, compare=False, repr=False)

    @property
    def attainable(self) -> float:
        """The smallest p-value: one over the number of places of the window."""
        return 1 / max(int((target.known | target.window).sum()) for target in self.targets)

    def raw_pvalue(self, null: float) -> float:
        """Return the share of places of the window whose residuals sum to at least as much.

        Parameters
        ----------
        null : float
            Average effect, per unit and period.
        """
        if null not in self._known:
            residuals = [gap(null / self.dose) for gap in self.gaps]
            self._known[null] = moved(residuals, self.targets, self.sizes)
        return self._known[null]

    def _grid(self, null: float) -> Array:
        steps = np.arange(-_REACH / _STEP, _REACH / _STEP + 1) * _STEP * self.scale
        return np.unique(np.append(self.estimate + steps, [0.0, null, self.estimate]))

    @one_thread
    def pvalue(self, null: float = 0.0) -> float:
        """Return the largest p-value of the effects at least as far away, so that it falls to both sides."""
        grid = self._grid(0.0)
        beyond = grid[grid <= null] if null < self.estimate else grid[grid >= null]
        return max([self.raw_pvalue(null), *[self.raw_pvalue(float(effect)) for effect in beyond]])

    @one_thread
    def interval(self, alpha: float) -> tuple[float, float]:
        """Return the range of effects that are not rejected; unbounded where none can be."""
        if alpha < self.attainable:
            return UNBOUNDED
        grid = self._grid(0.0)
        kept = np.array([self.raw_pvalue(float(effect)) > alpha for effect in grid])
        if not kept.any():
            return self.estimate, self.estimate
        first, last = np.flatnonzero(kept)[[0, -1]]
        low = -np.inf if first == 0 else self._edge(grid[first - 1], grid[first], alpha)
        high = np.inf if last == len(grid) - 1 else self._edge(grid[last + 1], grid[last], alpha)
        return float(low), float(high)

    def _edge(self, outside: float, inside: float, alpha: float) -> float:
        """Halve the step in which the p-value passes alpha; the kept side is returned."""
        for _ in range(_HALVINGS):
            middle = (outside + inside) / 2
            outside, inside = (
                (outside, middle) if self.raw_pvalue(float(middle)) > alpha else (middle, inside)
            )
        return inside


def moved(residuals: Sequence[Array], targets: Sequence[Target], sizes: Sequence[int]) -> float:
    """Return the share of places of the windows, moved together, with as large a sum of residuals.

    Parameters
    ----------
    residuals : sequence of arrays
        One a target, NaN where a period was not fitted.
    targets : sequence of Target
        Whose windows are moved round the fitted periods; all by as many periods.
    sizes : sequence of int
        Units behind each.

    Examples
    --------
    >>> dark = np.array([0, 0, 0, 1.0])
    >>> target = Target(np.zeros(4), dose=dark, fitted=dark == 0)
    >>> moved([np.array([1.0, -3.0, 1.0, 2.0])], [target], [1])
    0.5
    """
    sums = [
        size * _all_places(gap, target) for gap, target, size in zip(residuals, targets, sizes, strict=True)
    ]
    places = max(len(each) for each in sums)
    total = np.abs(np.sum([np.resize(each, places) for each in sums], axis=0))
    return float(np.mean(total >= total[0] * (1 - 1e-9)))


def _all_places(gap: Array, target: Target) -> Array:
    """Return the sum over the window, for each place it can be moved to, round the record."""
    used = ~np.isnan(gap)
    values, shape = gap[used], (target.dose > 0)[used].astype(np.float64)
    return np.asarray(np.fft.irfft(np.fft.rfft(values) * np.conj(np.fft.rfft(shape)), len(values)))
