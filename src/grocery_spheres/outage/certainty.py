"""How sure is the average effect? The one face of every way to infer, and the bounds that they share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from grocery_spheres.outage.expected import Array
from grocery_spheres.tables import ContractError


class Certainty(Protocol):
    """An interval and a p-value that invert the same statistic: they never contradict each other.

    Attributes
    ----------
    name : str
        What was done, in a few words.
    assumes : str
        The main assumption, as a clause.
    attainable : float
        The smallest p-value that there can be; an interval at a smaller alpha is unbounded.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - see Attributes
    @property
    def assumes(self) -> str: ...  # noqa: D102
    @property
    def attainable(self) -> float: ...  # noqa: D102

    def pvalue(self, null: float = 0.0) -> float:
        """Return the p-value of an average effect, two-sided."""

    def interval(self, alpha: float) -> tuple[float, float]:
        """Return the average effects that are not rejected at alpha."""


UNBOUNDED = (-np.inf, np.inf)


def check_alpha(alpha: float) -> float:
    """Refuse what is no level.

    Examples
    --------
    >>> check_alpha(95)
    Traceback (most recent call last):
        ...
    grocery_spheres.tables.ContractError: `alpha` is 95: give one minus the level, such as 0.05 for 95 %.
    """
    numeric = isinstance(alpha, int | float | np.floating) and not isinstance(alpha, bool)
    if not numeric or not 0 < alpha < 1:
        raise ContractError(f"`alpha` is {alpha!r}: give one minus the level, such as 0.05 for 95 %.")
    return float(alpha)


@dataclass(frozen=True)
class Ranked:
    """Inference from the rank of the estimate among errors that chance made elsewhere.

    Attributes
    ----------
    estimate, scale : float
        The average effect, and the scale of its error.
    errors : array
        Errors of placebos, each over its own scale.
    name, assumes : str
        As `Certainty` says.
    """

    estimate: float
    scale: float
    errors: Array
    name: str
    assumes: str

    @property
    def attainable(self) -> float:
        """The smallest p-value that so many placebos allow."""
        return 1 / (len(self.errors) + 1)

    def pvalue(self, null: float = 0.0) -> float:
        """Return the share of errors, the estimate's own among them, that are at least as large.

        Examples
        --------
        >>> Ranked(2.0, 1.0, np.array([0.5, -1.0, 3.0]), "", "").pvalue()
        0.5
        """
        own = abs(self.estimate - null) / self.scale
        larger = int((np.abs(self.errors) >= own * (1 - 1e-12)).sum())
        return (1 + larger) / (len(self.errors) + 1)

    def interval(self, alpha: float) -> tuple[float, float]:
        """Return the effects whose rank is not extreme; unbounded where there are too few placebos.

        Examples
        --------
        >>> Ranked(2.0, 1.0, np.array([0.5, -1.0, 3.0]), "", "").interval(0.5)
        (1.0, 3.0)
        >>> Ranked(2.0, 1.0, np.array([0.5, -1.0, 3.0]), "", "").interval(0.05)
        (-inf, inf)
        """
        count = len(self.errors)
        rank = int(np.floor(alpha * (count + 1) + 1e-9))  # errors, with its own, that may be as large
        if rank < 1:
            return UNBOUNDED
        largest = np.sort(np.abs(self.errors))[::-1]
        reach = float(largest[rank - 1]) * self.scale if rank <= count else 0.0
        return float(self.estimate - reach), float(self.estimate + reach)
