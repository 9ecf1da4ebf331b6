"""Do fewer stores stay open in one group than in another, so many months on?

The estimand is the difference between two groups' shares of stores still open at a horizon. Groups are
compared as they are: the difference is no effect unless nothing else sets the groups apart.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import stats

from grocery_spheres.entry.curves import Curve, contrast, curve, wilson
from grocery_spheres.entry.logrank import logrank
from grocery_spheres.entry.spells import Columns, Day, Spells, checked_count, checked_level, read_spells
from grocery_spheres.entry.survival_results import SurvivalResults
from grocery_spheres.tables import ContractError

MONTH_DAYS = 30.4375  # days a month: 365.25 / 12; for axes and tables, never for the horizon
LEAST_DRAWS = 39  # the smallest p-value is then 1 / 40
MOST_MONTHS = 1200  # of a horizon: a century, longer than any record of stores
LEAST_CLUSTERS = 2  # in a group

Mask = npt.NDArray[np.bool_]


def compare_survival(
    stores: Any,
    *,
    group: str,
    base: Any,
    start: Day,
    end: Day,
    horizon: int = 24,
    unit: str = "store_id",
    closed: str = "closed",
    entered: str | None = None,
    cluster: str | None = "town_id",
    alpha: float = 0.05,
    seed: int = 2045,
    draws: int = 2000,
) -> SurvivalResults:
    """Compare the shares of stores still open after so many months, between groups of stores.

    Parameters
    ----------
    stores : any Narwhals frame
        One row = one store.
    group : str
        Column that says which group a store belongs to: text, whole numbers or true and false, no nulls.
    base : str, int or bool
        The group that each other one is held against; the difference is group less base.
    start, end : date or str
        First and last day of watching: one date for all stores ("2044-01-01"), or a column. `start` is day
        zero of a store's clock.
    horizon : int
        Months after the start. They are calendar months; where starts differ, and with them the days in so
        many months, the shortest span counts for all.
    unit, closed : str
        Columns: the store's id; its last day of trading, null where it is still open. A store that closed
        after `end` was open at the end.
    entered : str or None
        Column: the day a store opened, for those that opened after `start` (null for others). They count as
        at risk from then on (left truncation), on the same clock.
    cluster : str or None
        Column: what stores share, such as their town. None takes each store by itself.
    alpha, seed, draws
        Level of the intervals; seed and number of permutations of the groups over the clusters.

    Returns
    -------
    SurvivalResults
        Curves, difference at the horizon, log-rank tests, sentence and chart.

    Raises
    ------
    ContractError
        As `spells.read_spells`; one group only; a base that is no group; fewer than two clusters in a group;
        days up to the horizon on which a group has no store at risk.

    Notes
    -----
    A group must be known at the start. Towns grouped by whether a Sphere ever came are compared fairly only
    if its coming did not wait for stores to stay open; else begin each clock with the coming, or use
    `closing_hazard`. The interval joins two Wilson intervals of clustered Kaplan-Meier shares (`curves`); at
    90 % it covered 89 to 96 % of the time in counties of 40 to 64 towns. With all stores seen to the
    horizon the shares are plain shares.

    Examples
    --------
    In 2 of 4 towns, one of two stores closes within two years.

    >>> import datetime as dt
    >>> stores = pl.DataFrame({"store_id": range(8), "town_id": [1, 1, 2, 2, 3, 3, 4, 4],
    ...     "sphere": [True] * 4 + [False] * 4,
    ...     "closed": [dt.date(2044, 5, 1), None, None, dt.date(2045, 2, 3), *[None] * 4]})
    >>> found = compare_survival(stores, group="sphere", base=False, start="2044-01-01", end="2045-12-31")
    >>> [round(value, 2) for value in (found.difference, *found.conf_int())]
    [-0.5, -0.94, 0.43]
    """
    checked_level(alpha)
    _check_counts(horizon, draws, seed)
    spells = read_spells(stores, Columns(unit, start, end, closed, entered, cluster), [group])
    members, against = _members(spells.table[group], group, base)
    days = _horizon_days(spells, horizon)
    counts = {name: (int(own.sum()), len(np.unique(spells.cluster[own]))) for name, own in members.items()}
    for name, own in members.items():
        _check_followed(spells, own, name, days)
        _check_clusters(name, counts[name][1], cluster or unit)
    curves = _curves(spells, members, days)
    contrasts, tests = {}, []
    for name in [one for one in members if one != against]:
        contrasts[name] = contrast(curves[name], curves[against], days)
        found = logrank(spells, members[name], members[against], draws=draws, seed=seed)
        tests.append({"group": name, **found})
    return SurvivalResults(
        survival=pl.concat([_rows(name, one, alpha) for name, one in curves.items()]),
        horizon=horizon,
        horizon_days=days,
        alpha=alpha,
        contrasts=contrasts,
        logranks=pl.DataFrame(tests, schema_overrides={"permutation_pvalue": pl.Float64}),
        counts=counts,
        base=against,
        column=group,
        cluster=cluster or unit,
        same_start=spells.start.n_unique() == 1,
    )


def _check_counts(horizon: int, draws: int, seed: int) -> None:
    checked_count(draws, "draws", LEAST_DRAWS)
    checked_count(seed, "seed", 0)
    if checked_count(horizon, "horizon", 1) > MOST_MONTHS:
        raise ContractError(
            f"`horizon` is {horizon!r} months, and at most {MOST_MONTHS:,} are allowed: no record of stores "
            "is longer. Give a horizon within the record."
        )


def _members(labels: pl.Series, group: str, base: Any) -> tuple[dict[str, Mask], str]:
    """Return which stores belong to each group, the base first, and the base's name."""
    if labels.dtype.is_float() or labels.dtype.is_nested() or labels.dtype.is_temporal():
        raise ContractError(
            f"The column `{group}` of the table `stores` is {labels.dtype}: name groups by text, whole "
            "numbers or true and false."
        )
    if base is not None and not isinstance(base, str | int | np.integer | np.bool_):
        raise ContractError(
            f"`base` is {base!r}, and must be one of the groups in the column `{group}`: text, a whole "
            "number or true or false. Give that value by itself, in no list."
        )
    names = labels.cast(pl.String)
    against = str(pl.Series([base]).cast(pl.String)[0])
    found = sorted(names.unique().to_list())
    if against not in found or len(found) < 2:
        raise ContractError(
            f"The column `{group}` of the table `stores` holds the groups {', '.join(map(repr, found))}; at "
            f"least two are needed, and `base`, which is {base!r}, must be one of them."
        )
    ordered = [against, *[name for name in found if name != against]]
    return {name: (names == name).to_numpy() for name in ordered}, against


def _horizon_days(spells: Spells, months: int) -> int:
    """Return the days in so many calendar months: of the shortest span, where starts differ."""
    starts = spells.start.unique()
    spans = (starts.dt.offset_by(f"{months}mo") - starts).dt.total_days()
    return int(spans.to_numpy().min())


def _check_clusters(name: str, clusters: int, cluster: str) -> None:
    if clusters < LEAST_CLUSTERS:
        raise ContractError(
            f"All stores of {name!r} share one `{cluster}`, so what the group does cannot be told from what "
            f"that one does. Compare groups that each have at least {LEAST_CLUSTERS}, or set "
            "`cluster` to None if stores fare independently."
        )


def _check_followed(spells: Spells, own: Mask, name: str, days: int) -> None:
    """Refuse a group that has nobody at risk on some day up to the horizon, unless all have closed."""
    entry, time, closed = spells.entry[own], spells.time[own], spells.closed[own]
    each = np.arange(1, days + 1)
    stay = (
        np.searchsorted(np.sort(entry), each, "left")
        - np.searchsorted(np.sort(time), each, "left")
        - np.bincount(time[closed & (time <= days)], minlength=days + 1)[1:]
    )
    if (stay > 0).all():
        return
    first = int(each[np.argmax(stay <= 0)])
    if (closed & (time <= first)).all():
        return
    raise ContractError(
        f"On day {first} the last store of {name!r} that was watched then leaves, before the horizon, day "
        f"{days}, has passed ({len(time):,} stores, watched up to day {time.max()}): what share is open "
        "later cannot be told. Choose a shorter `horizon`, a later `end`, or a `start` at which stores are "
        "there."
    )


def _curves(spells: Spells, members: dict[str, Mask], days: int) -> dict[str, Curve]:
    """Follow each group; where none or all of one have closed, lend it the largest design effect."""
    grid = np.unique(np.concatenate([[0, days], spells.time[spells.closed]]))
    curves = {}
    for name, own in members.items():
        seen = grid[grid <= max(spells.time[own].max(), days)]
        one = (spells.entry[own], spells.time[own], spells.closed[own], spells.cluster[own])
        curves[name] = curve(*one, seen)
    lent = max(one.design_effect(days) for one in curves.values())
    return {name: replace(one, lent=lent) for name, one in curves.items()}


def _rows(name: str, one: Curve, alpha: float) -> pl.DataFrame:
    """Return the curve as rows; on day 0 every store is open for certain."""
    critical = float(stats.t.isf(alpha / 2, len(one.clusters) - 1))
    low, high = wilson(one.survival, one.worth, critical)
    return pl.DataFrame(
        {
            "group": name,
            "day": one.day,
            "months": one.day / MONTH_DAYS,
            "at_risk": one.at_risk,
            "closed": one.closed,
            "survival": one.survival,
            "low": np.where(one.day == 0, 1.0, low),
            "high": high,
        }
    )
