"""Which counterfactuals are there, what does each rest on, and how are several targets put together?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from grocery_spheres.outage.did import did
from grocery_spheres.outage.expected import Array, Expected, Method, Options
from grocery_spheres.outage.naive import seasonal_naive
from grocery_spheres.outage.structural import structural
from grocery_spheres.outage.study import Study
from grocery_spheres.outage.synthetic_control import synthetic_control
from grocery_spheres.outage.synthetic_did import synthetic_did
from grocery_spheres.tables import ContractError

METHODS: Mapping[str, Method] = {
    "structural": structural,
    "synthetic_control": synthetic_control,
    "synthetic_did": synthetic_did,
    "did": did,
    "seasonal_naive": seasonal_naive,
}
"""Every method by name, the default first."""

ASSUMPTIONS: Mapping[str, str] = {
    "structural": "without the outage its level, weekly pattern and tie to the others would have held",
    "synthetic_control": "without the outage it would have kept to the mix of others it resembled before",
    "synthetic_did": "without the outage it would have moved in parallel with a mix of the others",
    "did": "without the outage it would have moved in parallel with the others",
    "seasonal_naive": "without the outage the last weeks would have gone on",
}
"""What each counterfactual rests on, as a clause."""


def method_named(name: str) -> Method:
    """Return a method, or say which there are.

    Examples
    --------
    >>> method_named("magic")
    Traceback (most recent call last):
        ...
    grocery_spheres.tables.ContractError: There is no method 'magic'; there are: structural, synthetic_...
    """
    if not isinstance(name, str) or name not in METHODS:
        raise ContractError(f"There is no method {name!r}; there are: {', '.join(METHODS)}.")
    return METHODS[name]


@dataclass(frozen=True)
class Found:
    """An estimate before anything is said of its certainty.

    Attributes
    ----------
    expected : tuple of Expected
        One a target.
    att : float
        Average effect per dark unit and period.
    scale : float
        Scale of its error in the method's own light.
    """

    expected: tuple[Expected, ...]
    att: float
    scale: float

    @property
    def scaled(self) -> bool:
        """Whether the error has a size: else placebos cannot be held against it."""
        return bool(np.isfinite(self.scale) and self.scale > 0)


def fit(study: Study, method: Method, options: Options) -> Found:
    """Fit the counterfactual of every target and average the gaps in the windows.

    Parameters
    ----------
    study : Study
        Who was dark when.
    method : Method
        One of `METHODS`.
    options : Options
        What it is told.
    """
    donors = study.donor_values
    expected = tuple(method(target, donors, options) for target in study.targets)
    weights = _weights(study)
    gaps = [
        float(np.mean((target.values - each.path)[target.window]))
        for target, each in zip(study.targets, expected, strict=True)
    ]
    errors = np.array([each.error for each in expected])
    return Found(expected, float(weights @ gaps), _joint(study, expected, weights * errors))


def _weights(study: Study) -> Array:
    """Return the share of each target in the average."""
    counts = [
        len(group) * int(target.window.sum())
        for group, target in zip(study.members, study.targets, strict=True)
    ]
    return np.array(counts) / sum(counts)


def _joint(study: Study, expected: tuple[Expected, ...], errors: Array) -> float:
    """Add up errors of several targets, as correlated as their gaps were before; never as if opposed."""
    if len(expected) == 1:
        return float(errors[0])
    gaps = [target.values - each.path for target, each in zip(study.targets, expected, strict=True)]
    total = 0.0
    for one, gap in enumerate(gaps):
        for two, other in enumerate(gaps):
            both = study.targets[one].known & study.targets[two].known & ~np.isnan(gap) & ~np.isnan(other)
            alike = 1.0 if one == two else max(0.0, _correlation(gap[both], other[both]))
            total += alike * errors[one] * errors[two]
    return float(np.sqrt(total))


def _correlation(one: Array, two: Array) -> float:
    if len(one) < 3 or one.std() == 0 or two.std() == 0:
        return 1.0
    return float(np.corrcoef(one, two)[0, 1])
