"""How likely are a person's choices if tastes differ between persons? Simulated, with exact derivatives.

The panel mixed logit of Revelt and Train (1998, The Review of Economics and Statistics 80): tastes are drawn
once a person and shared by all their situations; the likelihood of a person is the mean over draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from grocery_spheres.choice.likelihood import shares
from grocery_spheres.choice.situations import Array, Situations, Whole

_CELLS = 2_000_000  # rows x draws that are held at once


def slopes(
    data: Situations, random: tuple[int, ...], standard: Array
) -> Callable[[Array], tuple[float, Array, Array]]:
    """Return the function that gives log-likelihood, gradient and Hessian at coefficients.

    Parameters
    ----------
    data : Situations
        Scaled.
    random : tuple of int
        Places of the terms whose taste differs between persons.
    standard : array, (persons, draws, random)
        Standard normal draws.

    Returns
    -------
    callable
        Takes means and spreads, (terms + random,); returns the simulated log-likelihood and its derivatives.
    """

    def at(theta: Array) -> tuple[float, Array, Array]:
        value, gradient = 0.0, np.zeros(len(theta))
        hessian = np.zeros((len(theta), len(theta)))
        for part, draws in _parts(data, standard):
            each = _of_part(part, random, draws, theta)
            value, gradient, hessian = value + each[0], gradient + each[1], hessian + each[2]
        return value, gradient, hessian

    return at


def person_weights(data: Situations, random: tuple[int, ...], standard: Array, theta: Array) -> Array:
    """Return how much each draw of a person is worth, given what they chose, (persons, draws)."""
    found = []
    for part, draws in _parts(data, standard):
        log_each, _ = _log_likelihoods(part, random, draws, theta)
        found.append(_weights(log_each)[0])
    return np.concatenate(found)


def tastes(theta: Array, terms: int, random: tuple[int, ...], draws: Array) -> Array:
    """Return coefficients by person and draw, (persons, draws, terms)."""
    beta = np.broadcast_to(theta[:terms], (*draws.shape[:2], terms)).copy()
    beta[..., list(random)] += theta[terms:] * draws
    return beta


def _parts(data: Situations, standard: Array) -> Iterator[tuple[Situations, Array]]:
    """Cut the data into stretches of persons that fit into memory."""
    first = np.append(data.first_of_person, len(data.starts))
    rows = np.append(data.starts, len(data.option))[first]
    most = max(1, _CELLS // standard.shape[1])
    begin = 0
    while begin < len(data.persons):
        end = max(begin + 1, int(np.searchsorted(rows, rows[begin] + most, side="right")) - 1)
        yield _stretch(data, begin, end, first, rows), standard[begin:end]
        begin = end


def _stretch(data: Situations, begin: int, end: int, first: Whole, rows: Whole) -> Situations:
    situations, of = slice(first[begin], first[end]), slice(rows[begin], rows[end])
    return replace(
        data,
        terms=data.terms[of],
        starts=data.starts[situations] - rows[begin],
        chosen=data.chosen[situations] - rows[begin],
        person=data.person[situations] - begin,
        option=data.option[of],
        persons=data.persons[begin:end],
        situations=data.situations[situations],
    )


def _log_likelihoods(
    data: Situations, random: tuple[int, ...], draws: Array, theta: Array
) -> tuple[Array, Array]:
    """Return each person's log-likelihood by draw, and the chance of each row."""
    terms = data.terms.shape[1]
    of_person = data.person[data.of_row]
    fixed = data.terms @ theta[:terms]
    varied = (data.terms[:, list(random)] * theta[terms:])[:, None, :] * draws[of_person]
    utility = fixed[:, None] + varied.sum(axis=-1)
    chances, logsum = shares(utility, data.starts, data.of_row)
    each = utility[data.chosen] - logsum
    return np.add.reduceat(each, data.first_of_person, axis=0), chances


def _weights(log_each: Array) -> tuple[Array, Array]:
    most = log_each.max(axis=1, keepdims=True)
    raw = np.exp(log_each - most)
    total = raw.sum(axis=1, keepdims=True)
    return raw / total, most[:, 0] + np.log(total[:, 0] / log_each.shape[1])


def _of_part(
    data: Situations, random: tuple[int, ...], draws: Array, theta: Array
) -> tuple[float, Array, Array]:
    """Return the part's log-likelihood, gradient and Hessian.

    With weights w of a person's draws, scores g and curvatures H of each draw, the gradient is the sum of
    w g, and the Hessian that of w (H + g g') less the gradient's own square.
    """
    log_each, chances = _log_likelihoods(data, random, draws, theta)
    weight, logs = _weights(log_each)
    mean = _means(data, chances)
    scores = _scores(data, random, draws, mean)
    gradients = np.einsum("pd,pdk->pk", weight, scores)
    curved = _curvature(data, (random, draws), chances, mean, weight)
    outer = np.einsum("pd,pdk,pdl->kl", weight, scores, scores, optimize=True)
    return float(logs.sum()), gradients.sum(axis=0), curved + outer - gradients.T @ gradients


def _means(data: Situations, chances: Array) -> Array:
    """Return the expected terms of each situation, by draw, (situations, draws, terms)."""
    columns = [
        np.add.reduceat(chances * data.terms[:, [term]], data.starts, axis=0)
        for term in range(data.terms.shape[1])
    ]
    return np.stack(columns, axis=-1)


def _scores(data: Situations, random: tuple[int, ...], draws: Array, mean: Array) -> Array:
    """Return each person's gradient of the log-likelihood by draw, (persons, draws, means and spreads)."""
    missed = data.terms[data.chosen][:, None, :] - mean
    summed = np.add.reduceat(missed, data.first_of_person, axis=0)
    return np.concatenate([summed, summed[..., list(random)] * draws], axis=-1)


def _curvature(
    data: Situations,
    tried: tuple[tuple[int, ...], Array],
    chances: Array,
    mean: Array,
    weight: Array,
) -> Array:
    """Return the weighted sum of the draws' Hessians: minus the terms' covariances within situations.

    A spread's term is the term times the draw, so its rows follow from those of the terms.
    """
    random, draws = tried
    count, picked = data.terms.shape[1], list(random)
    of_person = data.person[data.of_row]
    worth = chances * weight[of_person]  # rows x draws
    by_situation = weight[data.person]
    full = np.zeros((count + len(picked), count + len(picked)))
    ones = np.ones((*draws.shape[:2], 1))
    kinds = [(ones, list(range(count)), slice(0, count))]
    kinds += [(draws[..., [n]], [place], slice(count + n, count + n + 1)) for n, place in enumerate(picked)]
    for left, places, rows in kinds:
        for right, others, columns in kinds:
            if columns.start < rows.start:
                continue
            times = (left * right)[..., 0]
            block = _block(data, (worth * times[of_person]).sum(axis=1), places, others)
            inner = (by_situation * times[data.person])[..., None]
            block -= np.einsum("sdk,sdl->kl", mean[..., places] * inner, mean[..., others], optimize=True)
            full[rows, columns] = -block
            full[columns, rows] = -block.T
    return full


def _block(data: Situations, worth: Array, places: list[int], others: list[int]) -> Array:
    return np.asarray((data.terms[:, places] * worth[:, None]).T @ data.terms[:, others])
