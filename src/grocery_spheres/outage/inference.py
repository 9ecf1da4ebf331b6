"""How is each counterfactual inferred from, unless one asks for another way?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.optimize import brentq

from grocery_spheres.outage import synthetic_control, synthetic_did
from grocery_spheres.outage.certainty import Certainty, Ranked
from grocery_spheres.outage.clusters import clustered, enough
from grocery_spheres.outage.conformal import Conformal, Gaps
from grocery_spheres.outage.expected import Array, Options, Target
from grocery_spheres.outage.in_space import in_space
from grocery_spheres.outage.methods import METHODS, Found
from grocery_spheres.outage.study import Study
from grocery_spheres.tables import ContractError

INFERENCES = ("auto", "model", "conformal", "earlier", "cluster", "units")
_TAIL = 8.0  # standard errors from the mean at which the search for an end begins; doubled as needed


@dataclass(frozen=True)
class Modelled:
    """Inference from the method's own distribution of the counterfactual.

    Attributes
    ----------
    estimate, scale : float
        The average effect and its standard error.
    observed : float
        Mean of the window.
    spread : callable
        Takes means of the window and returns the probability that the counterfactual mean lies below.
    """

    estimate: float
    scale: float
    observed: float
    spread: Callable[[Array], Array]
    name: str = "the model's own distribution, parameters unknown"
    assumes: str = "its errors are as the model describes them"
    attainable: float = 0.0

    def pvalue(self, null: float = 0.0) -> float:
        """Return twice the smaller tail beyond the counterfactual that this effect implies."""
        below = float(self.spread(np.array([self.observed - null]))[0])
        return min(1.0, 2 * min(below, 1 - below))

    def interval(self, alpha: float) -> tuple[float, float]:
        """Return the effects between the tails."""
        mean = self.observed - self.estimate

        high, low = (self._end(mean, share) for share in (alpha / 2, 1 - alpha / 2))
        return self.observed - low, self.observed - high

    def _end(self, mean: float, share: float) -> float:
        def beyond(value: float) -> float:
            return float(self.spread(np.array([value]))[0]) - share

        reach = _TAIL * self.scale
        while beyond(mean - reach) > 0 or beyond(mean + reach) < 0:
            reach *= 2
        return float(brentq(beyond, mean - reach, mean + reach))


def infer(study: Study, found: Found, options: Options, *, method: str, inference: str = "auto") -> Certainty:
    """Return how sure the average effect is, by the way that suits the method and the number of dark units.

    Parameters
    ----------
    study, found, options
        What was estimated.
    method : str
        Its name.
    inference : str
        "auto"; "model" (structural only), "conformal" (all with donors), "earlier" (seasonal_naive only: the
        same forecast from earlier eves), "cluster" (did with many dark units), "units" (any, for one dark
        unit: its rank among all others in the same days).

    Raises
    ------
    ContractError
        The inference does not go with the method or the study.
    """
    kind = suited(study, method, inference)
    if not _goes_with(kind, method, study):
        raise ContractError(
            f"inference={kind!r} does not go with method={method!r} here: 'model' needs structural, "
            "'earlier' needs seasonal_naive, 'conformal' another method with donors, 'cluster' did with at "
            "least 10 units dark alike and 10 others, 'units' one dark unit and two others. Leave it 'auto'."
        )
    return certainty_of(study, found, options, method=method, inference=kind)


def certainty_of(study: Study, found: Found, options: Options, *, method: str, inference: str) -> Certainty:
    """Return how sure the average effect is by one inference, as on another study that it suited.

    Parameters
    ----------
    study, found, options, method
        As for `infer`.
    inference : str
        As `suited` returns it.
    """
    return _BY_KIND[inference](study, found, options, method)


def suited(study: Study, method: str, inference: str = "auto") -> str:
    """Return the inference that was asked for, or the one that suits where that was left open.

    Parameters
    ----------
    study, method, inference
        As for `infer`.
    """
    if inference not in INFERENCES:
        raise ContractError(f"There is no inference {inference!r}; there are: {', '.join(INFERENCES)}.")
    if inference != "auto":
        return inference
    if method == "did" and enough(study):
        return "cluster"
    return {"structural": "model", "seasonal_naive": "earlier"}.get(method, "conformal")


def _goes_with(kind: str, method: str, study: Study) -> bool:
    fits = {
        "model": method == "structural",
        "earlier": method == "seasonal_naive",
        "conformal": method not in ("structural", "seasonal_naive"),
        "cluster": method == "did" and enough(study),
        "units": len(study.treated) == 1 and len(study.donors) > 1,
    }
    return fits[kind]


def _modelled(study: Study, found: Found, options: Options, method: str) -> Certainty:
    del options, method
    target = study.targets[0]
    observed = float(target.values[target.window].mean())
    spread = found.expected[0].spread if len(study.targets) == 1 else None
    if spread is None:  # several targets: their errors added up, as a normal distribution
        observed = 0.0
        normal = stats.norm(loc=-found.att, scale=found.scale)
        return Modelled(found.att, found.scale, observed, normal.cdf)
    return Modelled(found.att, found.scale, observed, spread)


def _conformal(study: Study, found: Found, options: Options, method: str) -> Certainty:
    gaps = tuple(_gaps(target, study.donor_values, options, method) for target in study.targets)
    sizes = tuple(len(group) for group in study.members)
    doses = [
        size * target.dose[target.window].sum() for size, target in zip(sizes, study.targets, strict=True)
    ]
    dose = float(np.sum(doses)) / study.cells
    return Conformal(gaps, study.targets, sizes, found.att, _search_scale(study, found), dose)


def _search_scale(study: Study, found: Found) -> float:
    """Return where to look for ends: the error's scale, or a small part of the outcome where it is none."""
    usual = float(np.nanmean(np.abs(study.targets[0].values[study.targets[0].known])))
    return max(found.scale, 1e-6 * usual, 1e-9)


def _gaps(target: Target, donors: Array, options: Options, method: str) -> Gaps:
    if method in _REFIT:
        return _REFIT[method](target, donors, options)

    def refitted(effect: float) -> Array:
        null = target.under(effect)
        gap = null.values - METHODS[method](null, donors, options).path
        return np.where(null.known, gap, np.nan)

    return refitted


def _earlier(study: Study, found: Found, options: Options, method: str) -> Certainty:
    del options, method
    errors = found.expected[0].details["earlier"]
    if len(study.targets) > 1:
        errors = errors[:0]  # windows of several patterns do not move together
    return Ranked(
        found.att,
        1.0,
        errors,
        "the same forecast from earlier eves",
        "chance moves the window as it moved earlier ones",
    )


def _clustered(study: Study, found: Found, options: Options, method: str) -> Certainty:
    del method
    season = options.season if found.expected[0].details["seasonal"] else 1
    return clustered(study, found.att, season=season, counts=options.counts)


_REFIT: Mapping[str, Callable[[Target, Array, Options], Gaps]] = {
    "synthetic_control": synthetic_control.null_gaps,
    "synthetic_did": synthetic_did.null_gaps,
}
"""Methods that share work between the refits under many effects."""

_BY_KIND: Mapping[str, Callable[[Study, Found, Options, str], Certainty]] = {
    "model": _modelled,
    "conformal": _conformal,
    "earlier": _earlier,
    "cluster": _clustered,
    "units": in_space,
}
