"""How large an effect do stores show that did not move?

The errors of placebo stores give the intervals, of an effect and, by inverting its test, of a ratio. A
bootstrap over households stands beside them, and both are asked whether they hold the true zero of the
placebo stores.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import polars as pl
from statsmodels.stats.proportion import proportion_confint

from grocery_spheres.outage.regulars import OUTCOMES, Group

MOST_RATIO = 3.0  # ratios are inverted on -this..this; an interval that reaches an end is unbounded
_RATIO_STEP = 0.005
_HALVINGS = 10  # an end is then known to 0.000005
_SMALLEST_TRADE = 1e-9  # baskets or USD a week: keeps a group without trade from dividing by zero
_OTHERS = OUTCOMES.index("others")

Array = npt.NDArray[np.float64]


def stacked(groups: list[Group]) -> Array:
    """Return the differences in differences of all households of several groups (households x outcomes)."""
    return np.concatenate([group.did for group in groups])


def scaled(placebos: list[Group], target: Group) -> Array:
    """Return one row a placebo store: its mean error, brought to the noise of the target's households.

    The variance of a mean of counts is taken to be proportional to the trade of a household and to fall
    with the number of households (stated assumption; `holds_zero` shows how well it does).
    """
    noise = _trade(target) / len(target.did)
    return np.array(
        [group.did.mean(axis=0) * np.sqrt(noise / (_trade(group) / len(group.did))) for group in placebos]
    )


def _trade(group: Group) -> float:
    """Return the weekly trade of a household before the move, at all stores together."""
    return max(float(group.before.sum(axis=1).mean()), _SMALLEST_TRADE)


def pooled_noise(
    groups: list[Group], noises: list[Array], draws: int, generator: np.random.Generator
) -> Array:
    """Draw one placebo store for each relocation and pool them as the relocations are pooled."""
    sizes = np.array([len(group.did) for group in groups], dtype=float)
    picked = [noise[generator.integers(len(noise), size=draws)] for noise in noises]
    return np.asarray(np.tensordot(sizes / sizes.sum(), np.array(picked), axes=1))


def bootstrap(groups: list[Group], draws: int, generator: np.random.Generator) -> Array:
    """Resample households: the interval that a hurried analyst would print (draws x outcomes)."""
    did = stacked(groups)
    return np.asarray(did[generator.integers(len(did), size=(draws, len(did)))].mean(axis=1))


def critical(noise: Array, alpha: float) -> float:
    """Return the smallest effect that the placebos reject at `alpha`; infinite where they are too few.

    Examples
    --------
    >>> critical(np.array([1.0, -2.0, 3.0]), 0.5), critical(np.array([1.0, -2.0, 3.0]), 0.05)
    (2.0, inf)
    """
    rank = int(np.ceil((len(noise) + 1) * (1 - alpha)))
    return float(np.sort(np.abs(noise))[rank - 1]) if rank <= len(noise) else float("inf")


def invert(did: Array, noise: Array, pick: Array, alpha: float) -> tuple[float, float]:
    """Return the lowest and highest ratio diverted / lost that the placebos do not reject.

    A ratio r is kept where diverted - r x lost is no larger than `critical` of the same combination in
    the placebos. The set is unbounded (infinite) where it reaches the end of the grid: the loss itself is
    then not told from zero.

    Parameters
    ----------
    did : array, shape (outcomes,)
        Mean difference in differences; the first outcome is the closed store.
    noise : array, shape (placebos, outcomes)
        Placebo errors of the same.
    pick : array, shape (outcomes,)
        Weights of the outcomes that make up what was diverted.
    alpha : float
        One minus the level.
    """

    def kept(ratio: float) -> bool:
        limit = critical(noise @ pick + ratio * noise[:, 0], alpha)
        return bool(abs(did @ pick + ratio * did[0]) <= limit)

    steps = round(MOST_RATIO / _RATIO_STEP)
    inside = [step for step in range(-steps, steps + 1) if kept(step * _RATIO_STEP)]
    if not inside:
        return float("nan"), float("nan")
    low, high = inside[0] * _RATIO_STEP, inside[-1] * _RATIO_STEP
    return (
        float("-inf") if inside[0] == -steps else _edge(kept, low, low - _RATIO_STEP),
        float("inf") if inside[-1] == steps else _edge(kept, high, high + _RATIO_STEP),
    )


def _edge(kept: Callable[[float], bool], inside: float, outside: float) -> float:
    """Halve the step in which a ratio stops being kept, so that the grid does not show in the digits."""
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if kept(middle) else (inside, middle)
    return inside


def holds_zero(
    moves: list[list[Group]], alpha: float, draws: int, generator: np.random.Generator
) -> list[tuple[bool, bool]]:
    """Ask of each placebo store whether either interval for `others` holds the true zero.

    The placebo interval of a store at one move is made from the placebo stores at the *other* moves: on
    the same move the share held would be right by construction. With one move there is nothing to ask.

    Parameters
    ----------
    moves : list of list of Group
        The placebo stores of each move.
    """
    held = []
    for place, placebos in enumerate(moves):
        elsewhen = [group for other in moves[:place] + moves[place + 1 :] for group in other]
        for group in placebos if elsewhen else []:
            limit = critical(scaled(elsewhen, group)[:, _OTHERS], alpha)
            boot = bootstrap([group], draws, generator)[:, _OTHERS]
            low, high = np.quantile(boot, [alpha / 2, 1 - alpha / 2])
            error = float(group.did[:, _OTHERS].mean())
            held.append((abs(error) <= limit, bool(low <= 0 <= high)))
    return held


def coverage_table(held: list[tuple[bool, bool]], alpha: float) -> pl.DataFrame:
    """Count how often each kind of interval held zero, with a Wilson interval of that share.

    The cases overlap (a store stands in it once a move), so the Wilson interval is a little too narrow.
    """
    rows = []
    if not held:
        names = {"interval": pl.String, "placebos": pl.Int64}
        return pl.DataFrame(schema=names | dict.fromkeys(("coverage", "low", "high"), pl.Float64))
    for place, name in enumerate(("placebo stores", "household bootstrap")):
        count = sum(pair[place] for pair in held)
        low, high = proportion_confint(count, len(held), alpha=alpha, method="wilson")
        share = count / len(held)
        rows.append({"interval": name, "placebos": len(held), "coverage": share, "low": low, "high": high})
    return pl.DataFrame(rows, orient="row")
