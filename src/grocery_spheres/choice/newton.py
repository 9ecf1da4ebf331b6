"""Where is a smooth function largest? Newton's steps, and a refusal where there is no top."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from grocery_spheres.choice.situations import Array
from grocery_spheres.tables import GroceryError

STEPS = 60
HALVINGS = 40
NEAR = 1e-14  # of half the Newton decrement, per unit of the log-likelihood's size: then the top is reached
FAR = 10.0  # units of utility per standard deviation of a covariate: nobody's taste, but a sign of separation
FLAT = 1e-9  # least share of the largest curvature in any direction

Slopes = Callable[[Array], tuple[float, Array, Array]]


class ChoiceError(GroceryError):
    """A model of choice cannot be fitted to these data."""


@dataclass(frozen=True)
class Top:
    """Where the function is largest.

    Attributes
    ----------
    at : array
        The place.
    value : float
        The function there.
    hessian : array
        Its second derivatives there.
    steps : int
        How many it took.
    """

    at: Array
    value: float
    hessian: Array
    steps: int


def climb(slopes: Slopes, start: Array, names: tuple[str, ...]) -> Top:
    """Climb to the top, halving steps that lead down.

    Parameters
    ----------
    slopes : callable
        Takes a place; returns value, gradient and Hessian. Covariates are scaled to a spread of one.
    start : array
        Where to begin.
    names : tuple of str
        Of the coefficients, for messages.

    Raises
    ------
    ChoiceError
        A direction without curvature, coefficients that run away, or a climb without end.

    Examples
    --------
    >>> top = climb(lambda at: (-float((at**2).sum()), -2 * at, -2 * np.eye(1)), np.array([3.0]), ("x",))
    >>> top.at.round(9) + 0.0, top.steps
    (array([0.]), 1)
    """
    at, (value, gradient, hessian) = start, slopes(start)
    for step in range(STEPS):
        move = _uphill(gradient, hessian)
        if gradient @ move / 2 <= NEAR * max(1.0, abs(value)):
            _refuse_flat(hessian, names)
            return Top(at, value, hessian, step)
        at, found = _shortened(slopes, at, move, value)
        value, gradient, hessian = found
        far = int(np.argmax(np.abs(at)))
        if abs(at[far]) > FAR:
            raise ChoiceError(
                f"The coefficient of `{names[far]}` runs away (beyond {FAR:.0f} units of utility per "
                "standard deviation): it tells chosen from not chosen without error (separation). Leave it "
                "out, or join options or values until both occur."
            )
    raise ChoiceError(
        f"No top was reached in {STEPS} steps; the largest slope is along `{_steepest(gradient, names)}`."
    )


def _uphill(gradient: Array, hessian: Array) -> Array:
    """Return Newton's step; along directions that curve up, a step of the same size uphill."""
    values, vectors = np.linalg.eigh(-hessian)
    sizes = np.maximum(np.abs(values), FLAT * max(float(np.abs(values).max(initial=0.0)), 1e-300))
    return np.asarray(vectors @ ((vectors.T @ gradient) / sizes))


def _shortened(
    slopes: Slopes, at: Array, move: Array, value: float
) -> tuple[Array, tuple[float, Array, Array]]:
    for halving in range(HALVINGS):
        tried = at + move * 0.5**halving
        found = slopes(tried)
        if np.isfinite(found[0]) and found[0] >= value - 1e-12 * abs(value):
            return tried, found
    raise ChoiceError("The log-likelihood rises nowhere along its slope: covariates may be on absurd scales.")


def _refuse_flat(hessian: Array, names: tuple[str, ...]) -> None:
    """Refuse a top that is none: a direction along which nothing changes."""
    values, vectors = np.linalg.eigh(-hessian)
    if values[0] > FLAT * max(float(values[-1]), 1e-300):
        return
    parts = np.abs(vectors[:, 0])
    told = [names[place] for place in np.argsort(-parts) if parts[place] > 0.1 * parts.max()]
    raise ChoiceError(
        f"The Hessian is singular: choices say nothing of {', '.join(f'`{name}`' for name in told)} apart. "
        "They are the same but for a factor within every situation, or the same for all options of each."
    )


def _steepest(gradient: Array, names: tuple[str, ...]) -> str:
    return names[int(np.argmax(np.abs(gradient)))]
