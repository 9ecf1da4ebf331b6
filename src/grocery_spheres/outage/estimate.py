"""What did an outage cost? From any long panel to an answer with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from grocery_spheres.outage.calibration import Calibration, calibrate, gathered
from grocery_spheres.outage.certainty import check_alpha
from grocery_spheres.outage.expected import Options
from grocery_spheres.outage.inference import infer, suited
from grocery_spheres.outage.long_panel import LongPanel, Names, read_panel
from grocery_spheres.outage.methods import fit, method_named
from grocery_spheres.outage.one_thread import one_thread
from grocery_spheres.outage.outages import read_outages
from grocery_spheres.outage.placebos import draw_picks
from grocery_spheres.outage.results import OutageResults, Question
from grocery_spheres.outage.study import Study, read_study
from grocery_spheres.progress import shown
from grocery_spheres.tables import ContractError

PLACEBOS = 200  # an interval at 95 % then rests on the ten largest of them
_LONGEST_SEASON = 400  # periods: an hourly week has 168


def estimate_outage(
    panel: Any,
    outage: Any,
    *,
    unit: str,
    time: str,
    outcome: str,
    method: str = "structural",
    donors: str | Sequence[Any] = "auto",
    rivals: Sequence[Any] = (),
    recovery: int | None = None,
    anticipation: int = 0,
    season: int | str = "auto",
    intercept: bool = True,
    factors: int | None = None,
    inference: str = "auto",
    alpha: float = 0.05,
    calibrate: bool = True,
    placebos: int = PLACEBOS,
    seed: int = 2045,
) -> OutageResults:
    """Estimate what an outage cost: what was observed, minus what would have been.

    Parameters
    ----------
    panel : any Narwhals frame
        One row = one unit and period. A cell without a row, null or NaN in the outcome is not known, not
        zero: what sold nothing must be there as 0.
    outage : Outage, sequence of Outage, or any Narwhals frame
        Who was dark, from when to when, and how far; a frame as the contract's table of outages.
    unit, time, outcome : str
        Columns of the panel: ids (strings or integers), times (dates, local datetimes, whole numbers), and
        numbers such as sales or baskets.
    method : {"structural", "synthetic_control", "synthetic_did", "did", "seasonal_naive"}
        How to find what would have been.
    donors : "auto" or sequence of ids
        Units to compare with: all that were not dark, are no rivals, and are known where it is needed; or
        those that are named.
    rivals : sequence of ids
        Units that may have received what the dark ones lost. They are never donors.
    recovery : int, optional
        Periods after an outage in which its effect may linger. Later ones are learnt from again; if not
        given, nothing after a unit's first outage is.
    anticipation : int
        Periods before an outage in which its effect may already be felt: not learnt from.
    season : int or "auto"
        Periods in a season; 7 for days, 24 for hours, else 1 by itself.
    intercept : bool
        Synthetic control: allow a constant distance between the unit and its donors.
    factors : int, optional
        Structural: number of donor factors; chosen by the data if not given.
    inference : str
        "auto", or one that goes with the method (`inference.infer`).
    alpha : float
        One minus the level of every interval.
    calibrate : bool
        Repeat the method where nothing happened, say how often its interval holds there, and report the
        interval that these placebos earn. False answers at once, with the method's own interval.
    placebos, seed : int
        How many placebos are drawn, and by which draw.

    Returns
    -------
    OutageResults
        `att` is the average effect per dark unit and period, `cumulative` the sum; lost = -cumulative.

    Raises
    ------
    ContractError
        The panel, the outage or an argument cannot be used; the message names what, and the way out.

    Examples
    --------
    >>> import polars as pl
    >>> from grocery_spheres.outage.outages import Outage
    >>> days = pl.DataFrame([(shop, day, 20.5 + day % 7 + 3 * (shop == "a") - 9 * (shop == "a" and day > 27))
    ...                      for shop in "abc" for day in range(30)], schema=["shop", "day", "sales"],
    ...                     orient="row")
    >>> found = estimate_outage(days, Outage("a", 28, 29), unit="shop", time="day", outcome="sales",
    ...                         method="did", calibrate=False)
    >>> round(found.att, 6), round(found.cumulative, 6)
    (-9.0, -18.0)
    """
    check_alpha(alpha)
    rectangle = read_panel(panel, Names(unit, time, outcome))
    study = read_study(
        rectangle,
        read_outages(outage),
        donors=donors,
        rivals=rivals,
        recovery=recovery,
        anticipation=anticipation,
    )
    options = Options(_season(season, rectangle), study.counts, bool(intercept), _factors(factors))
    question = Question(method, inference, alpha, _whole(placebos, "placebos"), _whole(seed, "seed"))
    found = answer(study, options, question)
    return with_placebos(found) if calibrate else found


@one_thread
def answer(study: Study, options: Options, question: Question) -> OutageResults:
    """Estimate from a study that was read, without placebos.

    Parameters
    ----------
    study : Study
        Who was dark when.
    options : Options
        What the method is told.
    question : Question
        Which method, inference and level.
    """
    found = fit(study, method_named(question.method), options)
    sure = infer(study, found, options, method=question.method, inference=question.inference)
    return OutageResults(study, options, question, found, sure)


def with_placebos(found: OutageResults) -> OutageResults:
    """Repeat the method where nothing happened, and let the placebos correct the interval.

    Parameters
    ----------
    found : OutageResults
        The estimate.
    """
    return found.calibrated(repeated(found))


@one_thread
def repeated(found: OutageResults) -> Calibration:
    """Return what the method finds where nothing happened; a bar shows how far it is."""
    study, question = found.study, found.question
    season = found.options.season
    picks = draw_picks(study, placebos=question.placebos, seed=question.seed, season=season)
    runs = calibrate(
        study,
        found.options,
        method=question.method,
        inference=suited(study, question.method, question.inference),
        alpha=question.alpha,
        picks=picks,
    )
    results = list(shown(runs, len(picks), f"placebos of {question.method}"))
    return gathered(results, picks, study, alpha=question.alpha)


# ---- arguments


def _season(season: int | str, panel: LongPanel) -> int:
    if isinstance(season, str):
        if season != "auto":
            raise ContractError(f"`season` is {season!r}: give 'auto' or a number of periods.")
        return panel.times.season
    if isinstance(season, bool) or not isinstance(season, int | np.integer):
        raise ContractError(f"`season` is {season!r}: give 'auto' or a number of periods.")
    if not 1 <= season <= _LONGEST_SEASON:
        raise ContractError(f"`season` is {season}: from 1 (none) to {_LONGEST_SEASON} periods are allowed.")
    return int(season)


def _factors(factors: int | None) -> int | None:
    return None if factors is None else _whole(factors, "factors")


def _whole(number: Any, name: str) -> int:
    if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < 0:
        raise ContractError(f"`{name}` is {number!r}: give a whole number, 0 or more.")
    return int(number)
