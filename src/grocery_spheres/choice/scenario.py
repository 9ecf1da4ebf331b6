"""What do coefficients say of situations: chances, what changes when options are gone, elasticities?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from grocery_spheres.choice.likelihood import shares
from grocery_spheres.choice.situations import Array, Situations, Whole


@dataclass(frozen=True)
class Model:
    """Situations with the tastes of those who choose.

    Attributes
    ----------
    data : Situations
        Scaled.
    beta : array, (persons or 1, draws, terms)
        Tastes.
    weight : array, (persons or 1, draws)
        What each draw is worth; sums to 1.
    place : array of int, (persons,)
        Row of `beta` for each person of the situations.
    """

    data: Situations
    beta: Array
    weight: Array
    place: Whole

    def _by_draw(self, gone: list[int]) -> tuple[Array, Array, Array]:
        """Return chances, log-sums and weights by draw, without the options that are gone."""
        of_row = self.data.of_row
        person = self.place[self.data.person]
        utility = np.einsum("rk,rdk->rd", self.data.terms, self.beta[person[of_row]], optimize=True)
        utility[np.isin(self.data.option, gone)] = -np.inf
        chance, logsum = shares(_possible(utility, self.data, gone), self.data.starts, of_row)
        return chance, logsum, self.weight[person]


def _possible(utility: Array, data: Situations, gone: list[int]) -> Array:
    """Let situations in which nothing is left keep their options: nobody chooses there, and none gains."""
    if not gone:
        return utility
    left = np.add.reduceat(~np.isin(data.option, gone), data.starts).astype(int)
    emptied = (left == 0)[data.of_row]
    return np.where(emptied[:, None], 0.0, utility)


def chances(model: Model, gone: list[int] | None = None) -> Array:
    """Return the chance of each row."""
    chance, _, weight = model._by_draw(gone or [])
    return np.asarray((chance * weight[model.data.of_row]).sum(axis=1))


def gains(model: Model, gone: list[int]) -> tuple[Array, Array]:
    """Return by how much each option's expected choices rise, and that over what the removed ones had.

    Situations in which nothing else was available have nowhere to go: they are left out of both.
    """
    data = model.data
    left = np.add.reduceat(~np.isin(data.option, gone), data.starts).astype(int)
    counted = (left > 0)[data.of_row]
    before, after = chances(model), chances(model, gone)
    change = np.where(counted, after - before, 0.0)
    change[np.isin(data.option, gone)] = 0.0
    gain = np.bincount(data.option, change, minlength=len(data.options)).astype(np.float64)
    lost = float(before[np.isin(data.option, gone) & counted].sum())
    return gain, np.asarray(gain / lost if lost > 0 else np.full(len(gain), np.nan))


def log_sums(model: Model, gone: list[int]) -> Array:
    """Return the change of each situation's expected utility when options are gone, (situations,)."""
    _, before, weight = model._by_draw([])
    _, after, _ = model._by_draw(gone)
    return np.asarray(((after - before) * weight).sum(axis=1))


def elasticities(model: Model, term: int) -> Array:
    """Return the elasticity of each option's demand to a term of each, (options, options).

    The derivative of a chance to another's term is -beta p_j p_k, and beta p_j (1 - p_j) to its own; both are
    summed over draws and situations, and divided by expected choices.
    """
    data = model.data
    chance, _, weight = model._by_draw([])
    of_row, count = data.of_row, len(data.options)
    person = model.place[data.person]
    beta = model.beta[person[of_row], :, term]
    found = np.zeros((count, count))
    demand = np.bincount(data.option, (chance * weight[of_row]).sum(axis=1), minlength=count)
    for to in range(count):
        rows = data.option == to
        slope = np.zeros((len(data.starts), chance.shape[1]))
        slope[of_row[rows]] = chance[rows] * beta[rows] * data.terms[rows, [term]][:, None]
        cross = -chance * slope[of_row]
        cross[rows] += slope[of_row[rows]]
        moved = (cross * weight[of_row]).sum(axis=1)
        found[:, to] = np.bincount(data.option, moved, minlength=count)
    return np.divide(found, demand[:, None], out=np.full_like(found, np.nan), where=demand[:, None] > 0)
