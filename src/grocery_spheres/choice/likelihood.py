"""How likely are choices under a conditional logit, and how does that change with its coefficients?

Everything is summed over rows, situation by situation, so that each may have other options. Derivatives are
exact (McFadden 1974, Conditional logit analysis of qualitative choice behavior).
"""

from __future__ import annotations

import numpy as np

from grocery_spheres.choice.situations import Array, Situations, Whole


def shares(utility: Array, starts: Whole, of_row: Whole) -> tuple[Array, Array]:
    """Return each row's chance, and each situation's log-sum.

    Parameters
    ----------
    utility : array, (rows,) or (rows, draws)
        Minus infinity is never chosen.
    starts, of_row : array of int
        First row of each situation, and the situation of each row.

    Examples
    --------
    >>> chances, logsum = shares(np.log([1.0, 3.0, 2.0, 2.0]), np.array([0, 2]), np.array([0, 0, 1, 1]))
    >>> chances, np.exp(logsum).round(9)
    (array([0.25, 0.75, 0.5 , 0.5 ]), array([4., 4.]))
    """
    most = np.maximum.reduceat(utility, starts, axis=0)
    weight = np.exp(utility - most[of_row])
    total = np.add.reduceat(weight, starts, axis=0)
    return weight / total[of_row], most + np.log(total)


def derivatives(data: Situations, beta: Array, *, curved: bool = True) -> tuple[float, Array, Array, Array]:
    """Return log-likelihood, gradient, Hessian and the scores of situations.

    Parameters
    ----------
    data : Situations
        What was chosen among what.
    beta : array, (terms,)
        Coefficients.
    curved : bool
        Whether the Hessian is wanted; an empty one else.
    """
    chances, logsum = shares(data.terms @ beta, data.starts, data.of_row)
    weighted = chances[:, None] * data.terms
    mean = np.add.reduceat(weighted, data.starts, axis=0)
    scores = data.terms[data.chosen] - mean
    value = float((data.terms[data.chosen] @ beta - logsum).sum())
    if not curved:
        return value, scores.sum(axis=0), np.zeros((0, 0)), scores
    return value, scores.sum(axis=0), mean.T @ mean - data.terms.T @ weighted, scores
