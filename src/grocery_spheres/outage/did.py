"""What would the unit have sold, had it moved in parallel with the others?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from grocery_spheres.outage.expected import Array, Expected, Flags, Options, Target, block_error
from grocery_spheres.tables import ContractError

_LEAST = 8  # periods of each place in a season, below which a unit's own seasonal pattern is not asked for


def did(target: Target, donors: Array, options: Options) -> Expected:
    """Fit unit and period effects on the untreated cells, and predict the rest.

    Counts are fitted as Poisson, by which the unit moves in proportion to the others; anything else in
    levels, by which it moves by the same amount. A pattern of its own over the season is added where it
    lowers the Bayesian information criterion.

    Parameters
    ----------
    target : Target
        The dark unit.
    donors : array, (donors, periods)
        Untreated units.
    options : Options
        `counts`, `season`.

    Returns
    -------
    Expected
        `weights` say what a donor's gain adds to the path. `details["seasonal"]`: whether the unit has a
        pattern of its own; `details["model"]`: "Poisson" or "linear".

    Raises
    ------
    ContractError
        There are no donors, or counts that are zero throughout.

    Notes
    -----
    Imputation from untreated cells as in Borusyak, Jaravel and Spiess (2024). With one pattern of treatment
    and donors without gaps, least squares and Poisson maximum likelihood have the closed forms used here.

    Examples
    --------
    >>> values, dark = np.array([10.0, 12.0, 11.0, 3.0]), np.array([0, 0, 0, 1.0])
    >>> other = np.array([[20.0, 24.0, 22.0, 20.0]])
    >>> did(Target(values, dose=dark, fitted=dark == 0), other, Options(counts=True)).path
    array([10., 12., 11., 10.])
    """
    if not len(donors):
        raise ContractError(
            "did compares with other units, and none is left that the outage did not touch. Give a panel "
            "with more units, or method='seasonal_naive' or 'structural'."
        )
    if options.counts and not (target.values[target.known] > 0).any():
        raise ContractError(
            "The unit counts nothing in all periods outside its outage: nothing can be lost there. Take "
            "another unit, or a longer record."
        )
    together = donors.mean(axis=0)
    known = target.known & ~np.isnan(together)
    plain = _fit(target.values, together, known, _Pattern(1, options.counts))
    pattern = _Pattern(options.season, options.counts)
    enough = options.season > 1 and known.sum() >= _LEAST * options.season
    own = _fit(target.values, together, known, pattern) if enough else plain
    seasonal = own is not plain and _criterion(target.values, own, known, pattern) < _criterion(
        target.values, plain, known, _Pattern(1, options.counts)
    )
    path = own if seasonal else plain
    return Expected(
        path,
        error=_error(target, path, known, counts=options.counts),
        weights=np.full(len(donors), _slope(path, together, known, counts=options.counts) / len(donors)),
        details={"seasonal": seasonal, "model": "Poisson" if options.counts else "linear"},
    )


@dataclass(frozen=True)
class _Pattern:
    season: int
    counts: bool


def _fit(values: Array, together: Array, known: Flags, pattern: _Pattern) -> Array:
    """Return the path, for each place of the season from the known periods in the same place."""
    path = np.full(len(values), np.nan)
    for place in range(pattern.season):
        here = np.arange(len(values)) % pattern.season == place
        learnt = here & known
        if pattern.counts:
            whole = together[learnt].sum()
            path[here] = together[here] * (values[learnt].sum() / whole if whole > 0 else np.nan)
        else:
            path[here] = together[here] + (values[learnt] - together[learnt]).mean()
    return path


def _criterion(values: Array, path: Array, known: Flags, pattern: _Pattern) -> float:
    """Return the Bayesian information criterion, up to what both fits share."""
    seen, fitted = values[known], path[known]
    if np.isnan(fitted).any() or (pattern.counts and (fitted[seen > 0] <= 0).any()):
        return float("inf")
    if pattern.counts:
        with np.errstate(divide="ignore", invalid="ignore"):
            misfit = 2 * float(
                np.where(seen > 0, seen * np.log(seen / fitted), 0.0).sum() + (fitted - seen).sum()
            )
    else:
        misfit = len(seen) * float(np.log(max(np.mean((seen - fitted) ** 2), np.finfo(float).tiny)))
    return misfit + pattern.season * float(np.log(len(seen)))


def _slope(path: Array, together: Array, known: Flags, *, counts: bool) -> float:
    """Return what one more at the donors' mean adds to the path."""
    return float(path[known].sum() / together[known].sum()) if counts else 1.0


def _error(target: Target, path: Array, known: Flags, *, counts: bool) -> float:
    """Return the scale of the window's mean; for counts it grows with the root of what is expected."""
    gaps, length = target.values - path, int(target.window.sum())
    if not counts:
        return block_error(gaps[known], length)
    usable = known & (path > 0)
    pearson = gaps[usable] / np.sqrt(path[usable])
    return block_error(pearson, length) * float(np.sqrt(max(float(np.nanmean(path[target.window])), 0.0)))
