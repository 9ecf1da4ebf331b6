"""Who was treated when, who can be compared, and who is set apart, for which reason?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from grocery_spheres.entry.periods import Periods
from grocery_spheres.entry.rows import Names, listed
from grocery_spheres.tables import ContractError

Array = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

ALWAYS = (
    "treated before or in the first period (and the periods of anticipation), with no period before to "
    "compare with"
)
LATE = "treated so soon after the last period that its anticipation may reach into the panel"
NO_BASE = "no outcome in the period from which its cohort's changes are counted"
NO_OUTCOME = "no outcome in any period"
ALONE = "alone in its cohort (one unit or cluster): shown by group and time without interval, in no average"


@dataclass(frozen=True)
class Study:
    """A panel that effects can be estimated from. Units stand in the order of cohort and outcomes.

    Attributes
    ----------
    names : Names
        Which column was what.
    periods : Periods
        The periods, 1 to T.
    ids : polars.Series
        The units kept.
    outcomes : array, (units, periods)
        NaN where missing.
    cohort : array of int
        The period in which each unit was first treated; 0: not within the panel.
    cluster : array of int
        Which cluster each unit belongs to, from 0.
    covariates : array, (units, periods, covariates)
        Last axis empty without any.
    lone : tuple of int
        Cohorts of a single unit or cluster.
    set_apart : polars.DataFrame
        One row = one unit and `reason`.
    partly : int
        Treated units that entered within a period, not on its first day.
    later : int
        Units that are first treated after the last period: untreated as far as the panel goes.
    zeros : int
        Units, set apart or not, whose first treated time is the number 0, which is a period here.
    """

    names: Names
    periods: Periods
    ids: pl.Series
    outcomes: Array
    cohort: Whole
    cluster: Whole
    covariates: Array
    lone: tuple[int, ...]
    set_apart: pl.DataFrame
    partly: int
    later: int
    zeros: int = 0

    @property
    def missing(self) -> int:
        """Count the cells without an outcome."""
        return int(np.isnan(self.outcomes).sum())

    @property
    def cohorts(self) -> list[int]:
        """List the cohorts, earliest first."""
        return [int(one) for one in np.unique(self.cohort) if one]

    def clusters_of(self, members: npt.NDArray[np.bool_]) -> int:
        """Count the clusters of some units."""
        return len(np.unique(self.cluster[members]))


def read_study(rows: pl.DataFrame, periods: Periods, names: Names, anticipation: int) -> Study:
    """Sort units into cohorts, and set apart by name those that cannot be compared.

    Parameters
    ----------
    rows, periods
        What `rows.read_rows` returned.
    names : Names
        Which column was what.
    anticipation : int
        Periods before the entry in which its effect may already be felt.

    Raises
    ------
    ContractError
        No unit is first treated within the panel.

    Examples
    --------
    >>> from grocery_spheres.entry.rows import read_rows
    >>> names = Names("town", "year", "entry", "sales")
    >>> panel = pl.DataFrame({"town": [1, 1, 2, 2, 3, 3], "year": [1, 2] * 3,
    ...                       "entry": [2, 2, None, None, 1, 1], "sales": [5.0, 7, 4, 4, 3, 3]})
    >>> read_study(*read_rows(panel, names), names, 0).set_apart.rows()
    [(3, 'treated before or in the first period ...'), (1, 'alone in its cohort ...')]
    """
    grid = _Grid(rows, periods, len(names.covariates))
    cohort = grid.cohorts()
    soon = np.isfinite(grid.first) & (grid.first < periods.end_after(min(anticipation, len(periods))))
    reasons = _reasons(grid.outcomes, cohort, soon, anticipation)
    kept = np.flatnonzero(reasons == "")
    cohort = np.where(cohort > len(periods), 0, cohort)
    if not cohort[kept].any():
        raise ContractError(_untreated(names, reasons, grid.ids) + _zero_hint(grid.zeros, names))
    order = kept[_order(cohort[kept], grid.outcomes[kept])]
    lone = _lone(cohort[order], grid.cluster[order])
    alone = np.isin(cohort[order], lone)
    apart = [
        grid.set_apart(np.flatnonzero(reasons != ""), list(reasons[reasons != ""])),
        grid.set_apart(order[alone], [ALONE] * int(alone.sum())),
    ]
    treated = order[cohort[order] > 0]
    return Study(
        names,
        periods,
        grid.ids.gather(order),
        grid.outcomes[order],
        cohort[order],
        _by_appearance(grid.cluster[order]),
        grid.covariates[order],
        lone,
        pl.concat(apart),
        int((~np.isin(grid.first[treated], periods.starts)).sum()),
        int((grid.cohorts()[order] > len(periods)).sum()),
        grid.zeros,
    )


def zero_is_a_period(study: Study) -> str:
    """Say, where units are first treated at 0 and 0 is a period, that 0 does not mean never; else nothing."""
    return _zero_hint(study.zeros, study.names)


def _zero_hint(zeros: int, names: Names) -> str:
    if not zeros:
        return ""
    return (
        f" 0 is a period here, and {zeros:,} units have it as `{names.first_treated}`: write null for never."
    )


class _Grid:
    """The rows as arrays: one row = one unit, in the order of ids."""

    def __init__(self, rows: pl.DataFrame, periods: Periods, covariates: int) -> None:
        units = rows.group_by("unit").agg(pl.col("first", "cluster").first()).sort("unit")
        self.ids = units["unit"]
        self.periods = periods
        self.cluster = units["cluster"].rank("dense").cast(pl.Int64).to_numpy() - 1
        self.first = units["first"].cast(pl.Float64).fill_null(np.inf).to_numpy()
        self.zeros = 0 if periods.labels.dtype == pl.Date else int((self.first == 0).sum())
        who = rows["unit"].rank("dense").cast(pl.Int64).to_numpy() - 1
        when = rows["period"].to_numpy() - 1
        self.outcomes = np.full((len(self.ids), len(periods)), np.nan)
        self.outcomes[who, when] = rows["y"].cast(pl.Float64).fill_null(np.nan).to_numpy()
        self.covariates = np.full((*self.outcomes.shape, covariates), np.nan)
        for one in range(covariates):
            self.covariates[who, when, one] = rows[f"x{one}"].to_numpy()

    def cohorts(self) -> Whole:
        """Return the period of each unit's first treatment; 0 for never, T + 1 for after the last."""
        ever = np.isfinite(self.first)
        numbers = np.where(ever, self.first, self.periods.starts[0]).astype(np.int64)
        places = self.periods.containing(numbers)
        early = -1  # before the first period: as always treated as those of the first one
        return np.where(ever, np.where(places == 0, early, places), 0).astype(np.int64)

    def set_apart(self, which: Whole, reasons: list[str]) -> pl.DataFrame:
        reason = pl.Series("reason", reasons, dtype=pl.String)
        return pl.DataFrame([self.ids.gather(which).alias("unit"), reason])


def _reasons(
    outcomes: Array, cohort: Whole, soon: npt.NDArray[np.bool_], anticipation: int
) -> npt.NDArray[np.object_]:
    """Say why each unit is set apart, if it is; `soon`: treated before anticipation has left the panel."""
    last = outcomes.shape[1]
    reasons = np.full(len(cohort), "", dtype=object)
    seen = ~np.isnan(outcomes)
    base = np.clip(cohort - 2 - anticipation, 0, last - 1)  # column of the period before, from 0
    based = seen[np.arange(len(cohort)), base]
    reasons[(cohort > 0) & (cohort <= last) & ~based] = NO_BASE
    reasons[~seen.any(axis=1)] = NO_OUTCOME
    reasons[(cohort > last) & soon] = LATE
    reasons[(cohort != 0) & (cohort <= 1 + anticipation)] = ALWAYS
    return reasons


def _order(cohort: Whole, outcomes: Array) -> Whole:
    """Order units by cohort and outcomes, so that random draws do not hang on their names."""
    return np.lexsort([*outcomes.T[::-1], cohort])


def _by_appearance(codes: Whole) -> Whole:
    """Give clusters numbers in the order in which they first come."""
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].astype(np.int64)


def _lone(cohort: Whole, cluster: Whole) -> tuple[int, ...]:
    members = {int(one): len(np.unique(cluster[cohort == one])) for one in np.unique(cohort) if one}
    return tuple(one for one, count in members.items() if count == 1)


def _untreated(names: Names, reasons: npt.NDArray[np.object_], ids: pl.Series) -> str:
    apart = np.flatnonzero(reasons != "")
    if len(apart):
        named = listed(ids.gather(apart))
        return (
            f"No unit is left whose entry lies within the panel; {len(apart):,} were set apart ({named}: "
            f"{reasons[apart[0]]}). Give periods from before the first entry."
        )
    return (
        f"No unit is treated within the panel: `{names.first_treated}` is empty or after the last period in "
        "every row. Give the time of each treated unit's first treatment."
    )
