"""How sure is an average over many dark units, from how much units differ from each other?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from grocery_spheres.outage.expected import Array, Flags
from grocery_spheres.outage.study import Study
from grocery_spheres.tables import ContractError

MANY = 10  # units dark and not dark from which differences between units can be relied on (a usual floor)

_FEWEST = 2  # of each: one unit has no spread


@dataclass(frozen=True)
class Clustered:
    """A t test of the dark units' changes against the others', one change a unit (Welch).

    Attributes
    ----------
    estimate : float
        The average effect.
    error : float
        Its standard error.
    freedom : float
        Degrees of freedom (Welch and Satterthwaite).
    """

    estimate: float
    error: float
    freedom: float
    name: str = "differences between units, one change a unit"
    assumes: str = "units are independent of each other, and effects may differ among them"
    attainable: float = 0.0

    def pvalue(self, null: float = 0.0) -> float:
        """Return the p-value of an average effect."""
        if self.error == 0:  # units without any noise: nothing but the estimate itself can be true
            return float(self.estimate == null)
        return float(2 * stats.t.sf(abs(self.estimate - null) / self.error, self.freedom))

    def interval(self, alpha: float) -> tuple[float, float]:
        """Return the interval of the average effect."""
        reach = float(stats.t.isf(alpha / 2, self.freedom)) * self.error
        return self.estimate - reach, self.estimate + reach


def enough(study: Study) -> bool:
    """Say whether units can be counted on: one pattern of outage, and many units on both sides."""
    return len(study.targets) == 1 and min(len(study.members[0]), len(study.donors)) >= MANY


def clustered(study: Study, estimate: float, *, season: int = 1, counts: bool = False) -> Clustered:
    """Compare each dark unit's change with each other unit's, as difference in differences takes a change.

    Parameters
    ----------
    study : Study
        With one pattern of outage.
    estimate : float
        The average effect.
    season : int
        Periods in a season, if each unit has its own pattern over it; else 1.
    counts : bool
        Units move in proportion (Poisson), not by the same amount.

    Notes
    -----
    The estimate is a mean over the dark units less what the others' mean foretells. In levels both enter as
    they are. In proportion the foretold is a product of two means over the others' mean before; each unit
    enters by its part of that product's derivative (the delta method).
    """
    target = study.targets[0]
    dark, others = study.panel.values[list(study.members[0])], study.donor_values
    usual, usual_others = (_usual(values, target.known, season) for values in (dark, others))
    grown, larger = np.ones(dark.shape[1]), np.ones(dark.shape[1])
    if counts:
        level = usual_others.mean(axis=0)
        grown, larger = others.mean(axis=0) / level, usual.mean(axis=0) / level
    here = target.window
    changes = (dark - grown * usual)[:, here].mean(axis=1)
    elsewhere = (larger * (others - grown * usual_others))[:, here].mean(axis=1)
    return _welch(estimate, changes, elsewhere)


def _usual(values: Array, known: Flags, season: int) -> Array:
    """Return each unit's mean over its known periods of the same place in the season, in every period."""
    place = np.arange(values.shape[1]) % season
    means = [values[:, known & (place == here)].mean(axis=1) for here in range(season)]
    return np.stack(means, axis=1)[:, place]


def _welch(estimate: float, one: Array, other: Array) -> Clustered:
    if min(len(one), len(other)) < _FEWEST:
        raise ContractError(
            f"{len(one)} dark units and {len(other)} others: two of each are needed to see a spread."
        )
    parts = [float(np.var(changes, ddof=1)) / len(changes) for changes in (one, other)]
    freedoms = [len(changes) - 1 for changes in (one, other)]
    total = sum(parts)
    if total == 0:
        return Clustered(estimate, 0.0, float(sum(freedoms)))
    spread = sum(part**2 / freedom for part, freedom in zip(parts, freedoms, strict=True))
    return Clustered(estimate, total**0.5, total**2 / spread)
