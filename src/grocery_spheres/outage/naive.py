"""What would the unit's own last weeks have led one to expect? The comparison that needs no other unit."""

from __future__ import annotations

import numpy as np

from grocery_spheres.outage.expected import Array, Expected, Options, Target
from grocery_spheres.tables import ContractError

SEASONS = 4  # seasons that are averaged: four weeks of days; a planner's usual baseline (assumed)


def seasonal_naive(target: Target, donors: Array, options: Options) -> Expected:
    """Expect the mean of the same days of the last four weeks, or of the last four periods.

    Parameters
    ----------
    target : Target
        The dark unit.
    donors : array
        Not looked at.
    options : Options
        `season` says which earlier periods are alike.

    Returns
    -------
    Expected
        `path` repeats, from the first dark period on, what was known the eve before; before it, each period
        is expected from the four before it that are alike. `details["earlier"]` holds observed minus expected
        means of earlier windows of the same length, each expected from its own eve: what chance does.

    Raises
    ------
    ContractError
        Not even one season lies before the outage.

    Examples
    --------
    >>> days = np.array([1.0, 2.0, 1.0, 2.0, 0.0])
    >>> dark = np.array([0, 0, 0, 0, 1.0])
    >>> seasonal_naive(Target(days, dose=dark, fitted=dark == 0), np.empty((0, 5)), Options(season=2)).path[4]
    np.float64(1.0)
    """
    del donors
    season = options.season
    known = np.where(target.known, target.values, np.nan)
    first = int(np.flatnonzero(target.dose > 0)[0])
    path = np.array([_alike(known, place, place, season) for place in range(len(known))])
    path[first:] = [_alike(known, place, first, season) for place in range(first, len(known))]
    if np.isnan(path[target.window]).any():
        raise ContractError(
            f"seasonal_naive expects what the same periods of the last {SEASONS} seasons of {season} showed, "
            "and some period of the outage has none before it. Give a panel that starts earlier."
        )
    earlier = _earlier(target, known, season)
    spread = float(np.sqrt(np.mean(earlier**2))) if len(earlier) else float("nan")
    return Expected(path, error=spread, details={"earlier": earlier, "seasons": SEASONS})


def _alike(known: Array, place: int, eve: int, season: int) -> float:
    """Average the last few known values before the eve that stand in the same place of a season."""
    before = known[place % season : eve : season]
    last = before[~np.isnan(before)][-SEASONS:]
    return float(last.mean()) if len(last) else float("nan")


def _earlier(target: Target, known: Array, season: int) -> Array:
    """Return the mean errors of earlier windows of the same shape, each expected from its own eve."""
    window = np.flatnonzero(target.window)
    apart = window - window[0]
    starts = range(season, int(window[0]) - int(apart[-1]))
    errors = [_error(known, start, apart, season) for start in starts]
    return np.array([error for error in errors if not np.isnan(error)])


def _error(known: Array, start: int, apart: np.ndarray, season: int) -> float:
    expected = [_alike(known, start + int(step), start, season) for step in apart]
    return float(np.mean(known[start + apart] - np.array(expected)))
