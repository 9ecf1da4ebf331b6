"""Do stores close at a higher rate once a newcomer is in town? A description, not a cause.

Each store's record is cut at the day the newcomer opened in its town, and stores with and without one on the
same day are compared (Cox's regression).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import stats

from grocery_spheres.entry.cox import Cox, Rows, fit_cox
from grocery_spheres.entry.spells import Columns, Day, Spells, checked_level, read_spells
from grocery_spheres.entry.terms import arrival_days, check_terms, read_covariates
from grocery_spheres.tables import ContractError, GroceryError

LEAST_CLOSINGS = 3  # in either part, for the check whether the ratio stays the same
LEAST_CLUSTERS = 3

Array = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


@dataclass(frozen=True)
class HazardResults:
    """By what factor stores close faster once the newcomer has arrived.

    Attributes
    ----------
    names : tuple of str
        The terms: the column of arrival, then the covariates.
    cox : Cox
        Log hazard ratios, their covariance and the log partial likelihood.
    closings : tuple of int
        Closings with the newcomer in town, and without.
    constancy : polars.DataFrame
        Two rows, the time after arrival cut at the median of the closings in it: `days` ("up to 90", "after
        90"), `closings`, `hazard_ratio`, `low`, `high`, `pvalue` (of no change, the same in both rows). Empty
        where that cannot be told.
    alpha : float
        One minus the level of the intervals.
    cluster : str
        What stores share.
    untold : str
        Why the constancy cannot be told; empty where it can.
    """

    names: tuple[str, ...]
    cox: Cox
    closings: tuple[int, int]
    constancy: pl.DataFrame
    alpha: float
    cluster: str
    untold: str = ""

    @property
    def params(self) -> dict[str, float]:
        """Log hazard ratios by term."""
        return dict(zip(self.names, self.cox.params.tolist(), strict=True))

    @property
    def hazard_ratio(self) -> float:
        """The rate of closing with the newcomer in town over the rate without, on the same day."""
        return float(np.exp(self.cox.params[0]))

    @property
    def pvalue(self) -> float:
        """For a hazard ratio of one, from the interval's own statistic."""
        return float(self.summary_frame()["pvalue"][0])

    def conf_int(self, alpha: float | None = None) -> tuple[float, float]:
        """Return the interval of the hazard ratio."""
        return self.summary_frame(alpha).select("low", "high").row(0)

    def summary_frame(self, alpha: float | None = None) -> pl.DataFrame:
        """Return one row a term: `term`, `coef`, `std_err`, `hazard_ratio`, `low`, `high`, `pvalue`."""
        level = checked_level(self.alpha if alpha is None else alpha)
        return _terms(self.names, self.cox, level)

    def tidy(self) -> pl.DataFrame:
        """Return one row a term: `term`, `estimate` (hazard ratio), `low`, `high`, `pvalue`."""
        ratio = pl.col("hazard_ratio").alias("estimate")
        return self.summary_frame().select("term", ratio, "low", "high", "pvalue")

    def summary(self) -> str:
        """Return the sentence and the table of terms as text."""
        with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=120, float_precision=4):
            return f"{self.sentence()}\n{self.summary_frame()}"

    def sentence(self) -> str:
        """Say in plain words how the rates compare, with the range, and whether the ratio stays the same."""
        low, high = self.conf_int()
        return (
            f"With `{self.names[0]}` past, stores closed at {self.hazard_ratio:.2f} times the rate of stores "
            f"without, on the same day ({100 * (1 - self.alpha):g} % interval {low:.2f} to {high:.2f}, by "
            f"{self.cluster}; {self.closings[0]:,} closings with, {self.closings[1]:,} without). "
            f"{self._constant()} It describes who closed, and is not by itself an effect."
        )

    def _constant(self) -> str:
        if self.constancy.is_empty():
            return f"Whether the ratio stays the same over time cannot be told: {self.untold}."
        parts = self.constancy.to_dicts()
        told = " and ".join(f"{one['hazard_ratio']:.2f} {one['days']} days" for one in parts)
        return f"By time since then it was {told} (p = {parts[0]['pvalue']:.3f} for no change)."


def closing_hazard(
    stores: Any,
    *,
    arrived: str,
    start: Day,
    end: Day,
    covariates: Sequence[str] = (),
    unit: str = "store_id",
    closed: str = "closed",
    entered: str | None = None,
    cluster: str | None = "town_id",
    market: str | None = None,
    alpha: float = 0.05,
) -> HazardResults:
    """Compare the rates at which stores close with and without a newcomer in town.

    Parameters
    ----------
    stores : any Narwhals frame
        One row = one store.
    arrived : str
        Column: the day the newcomer opened in the store's town, null where none came. From that day on the
        store counts as one with a newcomer. All stores of a market have the same day.
    start, end, unit, closed, entered, cluster
        As in `compare_survival`.
    covariates : sequence of str
        Columns of numbers (or true and false) that are held equal, as they were at the start.
    market : str or None
        Column: the place that a newcomer opens in. None takes the clusters for it; name it where clusters
        are wider, such as regions.
    alpha : float
        One minus the level of the intervals, by Student's t with clusters - 1 degrees of freedom.

    Returns
    -------
    HazardResults
        Hazard ratio with its interval, the check of constancy, sentence.

    Raises
    ------
    ContractError
        As `spells.read_spells`; a covariate that is no number or named twice; fewer than three
        clusters; no newcomer came while stores were watched; stores of one market have different days.
    GroceryError
        Of the days on which a store closed while some had a newcomer and some had none, all closings were on
        one side: the ratio has no end. Or the regression cannot be fitted.

    Notes
    -----
    The newcomer chooses where and when to come, so the ratio holds its choice too. It is one number for all
    the time after arrival: `constancy` shows whether it was the same early and late.

    Examples
    --------
    Six stores; a Sphere came to four. By closings, the ratio r solves 2 / (r + 1) = 2 r / (2 r + 3).

    >>> import datetime as dt
    >>> came, day = dt.date(2045, 2, 1), dt.date
    >>> stores = pl.DataFrame({"store_id": range(6), "town_id": range(6),
    ...     "sphere": [came, came, came, day(2045, 6, 1), None, None],
    ...     "closed": [day(2045, 3, 1), day(2045, 5, 1), None, None, day(2045, 4, 1), None]})
    >>> found = closing_hazard(stores, arrived="sphere", start="2045-01-01", end="2045-12-31")
    >>> found.closings, round(found.hazard_ratio, 2)
    ((2, 1), 2.3)
    """
    checked_level(alpha)
    check_terms(arrived, covariates)
    needed = covariates if market is None else [*covariates, market]
    spells = read_spells(stores, Columns(unit, start, end, closed, entered, cluster), needed)
    held = read_covariates(spells.table, covariates)
    came = arrival_days(spells, arrived, market or cluster)
    names = (arrived, *covariates)
    rows = _cut(spells, held, names, [came])
    closings = _check_both(rows, arrived)
    cox = fit_cox(rows)
    if cox.clusters < LEAST_CLUSTERS:
        raise ContractError(
            f"The stores at risk when one closed have {cox.clusters} values of `{cluster or unit}`; an "
            f"interval needs at least {LEAST_CLUSTERS}."
        )
    constancy, untold = _constancy(spells, held, names, came, alpha)
    return HazardResults(names, cox, closings, constancy, alpha, cluster or unit, untold)


def _cut(spells: Spells, held: Array, names: Sequence[str], cuts: Sequence[Whole]) -> Rows:
    """Cut each store's days at risk; between the cuts, one indicator each says which came last.

    `cuts` are days on each store's clock, in ascending order; the part up to the first has no indicator.
    """
    edges = [spells.entry, *(np.clip(cut, spells.entry, spells.time) for cut in cuts), spells.time]
    parts = []
    for stage, (start, stop) in enumerate(pairwise(edges)):
        there = np.flatnonzero(start < stop)
        state = np.zeros((len(there), len(cuts)))
        state[:, stage - 1 : stage] = 1.0
        shut = spells.closed[there] & (stop[there] == spells.time[there])
        parts.append((start[there], stop[there], shut, spells.cluster[there], state, held[there]))
    start, stop, shut, cluster, state, kept = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Rows(start, stop, shut, cluster, np.column_stack([state, kept]), names)


def _check_both(rows: Rows, arrived: str) -> tuple[int, int]:
    """Count closings with and without, and refuse where those that tell are all on one side."""
    there = rows.values[:, 0] == 1
    telling = {True: 0, False: 0}
    for day in np.unique(rows.stop[rows.closed]):
        risk = (rows.start < day) & (day <= rows.stop)
        if there[risk].any() and not there[risk].all():
            for side in telling:
                telling[side] += int((rows.closed & (rows.stop == day) & (there == side)).sum())
    if not all(telling.values()):
        raise GroceryError(
            f"Of the days on which stores with and without `{arrived}` past were at risk together, "
            f"{telling[True]:,} closings fell to stores with it and {telling[False]:,} to stores without: "
            "the ratio of their rates has no lower or no upper end. Watch longer or more towns, or compare "
            "shares with `compare_survival`."
        )
    return int((rows.closed & there).sum()), int((rows.closed & ~there).sum())


def _constancy(
    spells: Spells, held: Array, names: Sequence[str], came: Whole, alpha: float
) -> tuple[pl.DataFrame, str]:
    """Let the ratio differ early and late after arrival, cut at the median closing; or say why it cannot."""
    waited = (spells.time - came)[spells.closed & (came < spells.time)]
    middle = int(np.median(waited))
    late = int((waited > middle).sum())
    if min(late, len(waited) - late) < LEAST_CLOSINGS:
        few = f"too few stores closed after it ({len(waited):,}; {LEAST_CLOSINGS} are needed early and late)"
        return pl.DataFrame(), few
    labels = (f"up to {middle}", f"after {middle}")
    try:
        cox = fit_cox(_cut(spells, held, [*labels, *names[1:]], [came, came + middle]))
    except GroceryError as fault:
        return pl.DataFrame(), str(fault).rstrip(".")
    apart = np.array([1.0, -1.0])
    error = float(np.sqrt(apart @ cox.covariance[:2, :2] @ apart))
    pvalue = 2 * stats.t.sf(abs(apart @ cox.params[:2]) / error, cox.clusters - 1)
    table = _terms([*labels, *names[1:]], cox, alpha).head(2)
    told = table.select(
        pl.col("term").alias("days"),
        pl.Series("closings", [len(waited) - late, late]),
        "hazard_ratio",
        "low",
        "high",
        pvalue=pl.lit(float(pvalue)),
    )
    return told, ""


def _terms(names: Sequence[str], cox: Cox, alpha: float) -> pl.DataFrame:
    error = np.sqrt(np.diag(cox.covariance))
    freedom = cox.clusters - 1
    reach = stats.t.isf(alpha / 2, freedom) * error
    return pl.DataFrame(
        {
            "term": names,
            "coef": cox.params,
            "std_err": error,
            "hazard_ratio": np.exp(cox.params),
            "low": np.exp(cox.params - reach),
            "high": np.exp(cox.params + reach),
            "pvalue": 2 * stats.t.sf(np.abs(cox.params) / error, freedom),
        }
    )
