"""How near does a mix of donors come to a unit, and what is the mix elsewhere?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from grocery_spheres.outage.expected import Array, Flags, Target
from grocery_spheres.outage.simplex import simplex_weights
from grocery_spheres.tables import ContractError


@dataclass(frozen=True)
class Apart:
    """How far each donor is from the unit, in the periods used.

    As weights sum to 1, the mix of the distances is the distance of the mix; and no digits are lost to a
    level that all have in common.

    Attributes
    ----------
    rows : array, (donors, periods used)
        Donor less unit; with an intercept, less its mean.
    dose : array, (periods used,)
        What an effect of -1 adds to the unit; with an intercept, less its mean.
    gram : array, (donors, donors)
        Inner products of the rows.
    """

    rows: Array
    dose: Array
    gram: Array

    @classmethod
    def of(cls, target: Target, donors: Array, used: Flags, *, intercept: bool) -> Apart:
        """Take the unit from each donor in the periods used.

        Parameters
        ----------
        target : Target
            The dark unit.
        donors : array, (donors, periods)
            Units without an effect.
        used : array of bool, (periods,)
            Periods to fit; all have outcomes.
        intercept : bool
            Whether a constant distance is forgiven.
        """
        rows, dose = donors[:, used] - target.values[used], target.dose[used]
        if intercept:
            rows, dose = rows - rows.mean(axis=1, keepdims=True), dose - dose.mean()
        return cls(rows, dose, rows @ rows.T)

    def weights(self, effect: float = 0.0, *, ridge: float = 0.0, start: Array | None = None) -> Array:
        """Return the weights whose mix is nearest to the unit without this effect.

        Parameters
        ----------
        effect : float
            Of a full period dark, in units of the outcome.
        ridge, start
            As for `simplex_weights`.
        """
        return simplex_weights(self.gram, -effect * (self.rows @ self.dose), ridge=ridge, start=start)

    def residuals(self, weights: Array, effect: float = 0.0) -> Array:
        """Return the unit without this effect less the mix, in the periods used.

        Parameters
        ----------
        weights : array, (donors,)
            The mix.
        effect : float
            Of a full period dark, in units of the outcome.
        """
        return -(weights @ self.rows) - effect * self.dose


def mix(weights: Array, donors: Array) -> Array:
    """Return weighted sums of donors in every period; NaN where a donor in use is NaN.

    Parameters
    ----------
    weights : array, (donors,) or (units, donors)
        Weights; a donor of weight 0 is not used.
    donors : array, (donors, periods)
        Outcomes.

    Examples
    --------
    >>> mix(np.array([0.5, 0.5, 0.0]), np.array([[1.0, 2.0], [3.0, np.nan], [np.nan, 9.0]]))
    array([ 2., nan])
    """
    missing = np.isnan(donors)
    lacking = (weights > 0).astype(np.float64) @ missing.astype(np.float64) > 0
    return np.where(lacking, np.nan, weights @ np.where(missing, 0.0, donors))


def check_target(target: Target, donors: Array) -> None:
    """Refuse a target and donors to which no weights can be fitted.

    Parameters
    ----------
    target : Target
        Needs a known period and one in its window.
    donors : array, (donors, periods)
        Need a finite outcome in all of these.

    Raises
    ------
    ContractError
        Names what is missing.
    """
    if donors.ndim != 2 or not len(donors) or donors.shape[1:] != target.values.shape:
        raise ContractError(
            f"A synthetic control needs at least one donor with a row of {len(target.values)} periods; the "
            f"donors have shape {donors.shape}. Give a panel with units that the outage did not touch, or "
            "method='seasonal_naive' or 'structural'."
        )
    if not target.known.any() or not target.window.any():
        raise ContractError(
            f"A synthetic control needs outcomes before and in the outage; there are {target.known.sum()} "
            f"known periods to fit and {target.window.sum()} in the window. Give a longer panel, or the "
            "dates of an outage inside it."
        )
    needed = target.known | target.window
    lacking = np.flatnonzero(~np.isfinite(donors[:, needed]).all(axis=1))
    if len(lacking) or not np.isfinite(target.values[needed]).all():
        raise ContractError(
            f"Donors in rows {lacking[:5].tolist()} (0: the first; {len(lacking)} in all) or the dark unit "
            "have no finite outcome in a period that is fitted or in the window. Leave those donors out, or "
            "fill in what the unit sold."
        )
