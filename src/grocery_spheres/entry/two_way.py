"""What would naive two-way fixed effects say, and which comparisons would it make wrongly?

The regression of the outcome on unit effects, period effects and a 0/1 of being treated compares late
entrants with early ones as if those were untreated. Where effects grow or differ by cohort, some
effects enter with a negative weight (de Chaisemartin and D'Haultfoeuille 2020; Goodman-Bacon 2021).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from grocery_spheres.entry.averages import Averages
from grocery_spheres.entry.inference import certainty
from grocery_spheres.entry.study import Study

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_STEPS, _CLOSE = 10_000, 1e-12  # of taking out means in turn; relative to the largest entry


@dataclass(frozen=True)
class TwoWay:
    """The naive regression beside the estimate.

    Attributes
    ----------
    coefficient, se, low, high, pvalue : float
        Of being treated; errors by cluster.
    negative_share : float
        Share of treated unit-periods whose effect enters the coefficient with a negative weight.
    negative_weight : float
        Sum of these weights; all weights together add to one.
    difference, difference_low, difference_high : float
        Coefficient minus `att`, and its interval: the bias of the regression as an estimate of `att`.
    """

    coefficient: float
    se: float
    low: float
    high: float
    pvalue: float
    negative_share: float
    negative_weight: float
    difference: float
    difference_low: float
    difference_high: float

    def sentence(self) -> str:
        """Say in one sentence what the regression gives and by how much it is off."""
        beyond = self.difference_low > 0 or self.difference_high < 0
        verdict = "more than noise explains" if beyond else "which could be noise"
        ends = f" ({self.low:.4g} to {self.high:.4g})" if np.isfinite(self.low) else ""
        return (
            f"Two-way fixed effects give {self.coefficient:.4g}{ends}, "
            f"{abs(self.difference):.4g} {'above' if self.difference > 0 else 'below'} the average effect, "
            f"{verdict}; {100 * self.negative_share:.0f} % of the treated unit-periods enter with a negative "
            "weight."
        )


def two_way(study: Study, overall: Averages, alpha: float) -> TwoWay:
    """Fit two-way fixed effects to the units of a study, without covariates.

    Parameters
    ----------
    study : Study
        The panel; cohorts of a single unit or cluster, which no average holds, are left out here too.
    overall : Averages
        What `averages.overall` found, to compare with.
    alpha : float
        One minus the level of the intervals.
    """
    outcomes = study.outcomes.copy()
    outcomes[np.isin(study.cohort, study.lone)] = np.nan
    seen = ~np.isnan(outcomes)
    treated = (study.cohort[:, None] > 0) & (np.arange(1, len(study.periods) + 1) >= study.cohort[:, None])
    residual = _without_means(np.where(seen, treated, 0.0), seen)
    left = float((residual**2).sum())
    coefficient = float((residual * np.where(seen, outcomes, 0.0)).sum() / left)
    errors = _without_means(np.where(seen, outcomes - coefficient * treated, 0.0), seen)
    influence = _few_cells(study, seen) * (residual * errors).sum(axis=1) / left
    value = np.array([coefficient, coefficient - float(overall.value[0])])
    sure = certainty(study, value, np.column_stack([influence, influence - overall.influence[:, 0]]))
    low, high = sure.interval(alpha)
    weights = residual[treated & seen] / residual[treated & seen].sum()
    return TwoWay(
        coefficient,
        float(sure.se[0]),
        float(low[0]),
        float(high[0]),
        float(sure.pvalues()[0]),
        float((weights < -_CLOSE).mean()),
        float(weights[weights < 0].sum()),
        float(value[1]),
        float(low[1]),
        float(high[1]),
    )


def _without_means(values: Array, seen: Mask) -> Array:
    """Take the means of units and periods out, in turn until nothing is left of them."""
    units, periods = np.maximum(seen.sum(axis=1), 1), np.maximum(seen.sum(axis=0), 1)
    left = np.where(seen, values, 0.0)
    scale = float(np.abs(left).max()) or 1.0
    for _ in range(_STEPS):
        left = np.where(seen, left - (left.sum(axis=1) / units)[:, None], 0.0)
        means = left.sum(axis=0) / periods
        left = np.where(seen, left - means, 0.0)
        if np.abs(left.sum(axis=1) / units).max() < _CLOSE * scale:
            break
    return left


def _few_cells(study: Study, seen: Mask) -> float:
    """Return the root of the usual factor for a regression by clusters; unit effects lie within them."""
    cells, spent = int(seen.sum()), int(seen.any(axis=0).sum())
    clusters = int(study.cluster.max()) + 1
    groups = clusters / (clusters - 1) if clusters == len(study.cluster) else 1.0
    return float(np.sqrt(groups * (cells - 1) / max(cells - spent - 1, 1)))
