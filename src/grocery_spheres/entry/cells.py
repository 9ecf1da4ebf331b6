"""What was the effect on one cohort in one period? Group-time effects, and what each unit adds to them.

Each is a difference in differences between a cohort and units not treated yet (or never), from the
period before the cohort's entry to the period asked for (Callaway and Sant'Anna 2021). The library
diff-diff estimates them; nothing else of the package knows it, and it is imported only when needed.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from grocery_spheres.entry.study import Study
from grocery_spheres.tables import ContractError, GroceryError

Array = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

NOBODY = "no unit is left to compare with: all are treated by then, or not seen in both periods"
TOO_FEW = "a single unit or cluster is left to compare with, and one shows no noise"

# What diff-diff warns of, and why it need not reach the caller.
_SAID_BY_US = (
    "Unbalanced panel detected",  # missing cells are counted in the notes
    "cell(s) could not be estimated",  # they stand in `not_estimated`
)


@dataclass(frozen=True)
class Cells:
    """Group-time effects. One entry = one cohort and period that could be estimated.

    Attributes
    ----------
    group, time : array of int
        The cohort's first treated period, and the period, from 1.
    att : array
        The effect; 0 at the reference.
    influence : array, (units, cells)
        What each unit adds to the estimate's error: its squares sum to the variance.
    treated, comparisons : array of int
        Units behind it.
    reference : array of bool
        Whether it is the period that the cohort is compared with.
    missing : list of (int, int, str)
        Cohorts and periods that could not be estimated, and why.
    """

    group: Whole
    time: Whole
    att: Array
    influence: Array
    treated: Whole
    comparisons: Whole
    reference: npt.NDArray[np.bool_]
    missing: list[tuple[int, int, str]]


def estimate_cells(study: Study, control: str, anticipation: int, *, corrected: bool = True) -> Cells:
    """Estimate the effect on each cohort in each period.

    Parameters
    ----------
    study : Study
        The panel.
    control : str
        "not_yet_treated" or "never_treated".
    anticipation : int
        The reference is the last period before the entry and so many periods.
    corrected : bool
        Whether each group of n units is given its n / (n - 1), so that a variance from few units is not
        too small. With clusters of several units the correction comes later, by clusters.

    Returns
    -------
    Cells
        In the order of cohort and period.

    Raises
    ------
    ContractError
        diff-diff cannot estimate the panel, for instance with more covariates than comparison units.

    References
    ----------
    Callaway, B. and Sant'Anna, P. H. C. (2021). Difference-in-differences with multiple time periods.
    Journal of Econometrics 225(2), 200-230.
    """
    fitted = _fit(study, control, anticipation)
    kept, missing = _sorted_out(fitted, study)
    influence = np.zeros((len(study.cohort), len(kept)))
    by_unit = corrected and study.clusters_of(np.ones(len(study.ids), dtype=bool)) == len(study.ids)
    for column, key in enumerate(kept):
        if not fitted.group_time_effects[key].get("is_reference"):
            influence[:, column] = _influence(fitted, key, study, by_unit)
    found = [fitted.group_time_effects[key] for key in kept]
    return Cells(
        np.array([int(group) for group, _ in kept], dtype=np.int64),
        np.array([int(time) for _, time in kept], dtype=np.int64),
        np.array([float(one["effect"]) for one in found]),
        influence,
        np.array([int(one["n_treated"]) for one in found], dtype=np.int64),
        np.array([int(one["n_control"]) for one in found], dtype=np.int64),
        np.array([bool(one.get("is_reference", False)) for one in found], dtype=bool),
        missing,
    )


def _fit(study: Study, control: str, anticipation: int) -> Any:
    # It takes seconds to import.
    from diff_diff import CallawaySantAnna  # type: ignore[import-untyped]  # noqa: PLC0415

    estimator = CallawaySantAnna(
        control_group=control,
        anticipation=anticipation,
        estimation_method="reg",
        base_period="universal",
        rank_deficient_action="error",
    )
    covariates = [f"x{one}" for one in range(study.covariates.shape[2])]
    with warnings.catch_warnings(record=True) as said, np.errstate(all="ignore"):
        warnings.simplefilter("always")
        try:
            fitted = estimator.fit(
                _frame(study, covariates),
                outcome="y",
                unit="unit",
                time="time",
                first_treat="first",
                covariates=covariates or None,
            )
        except (ValueError, np.linalg.LinAlgError) as wrong:
            raise ContractError(_unfit(study, str(wrong))) from wrong
    for one in said:
        if not any(known in str(one.message) for known in _SAID_BY_US):
            warnings.warn(f"diff-diff says of this panel: {one.message}", UserWarning, stacklevel=5)
    return fitted


def _unfit(study: Study, wrong: str) -> str:
    """Say why nothing can be estimated: of covariates in our words, of anything else in the library's."""
    if not study.names.covariates:
        return f"The group-time effects cannot be estimated ({wrong[:200]})."
    named = ", ".join(f"`{name}`" for name in study.names.covariates)
    return (
        f"The group-time effects cannot be estimated with the covariates {named}: among the units that some "
        "cohort is compared with, a covariate is the same for all, or follows from the others, or there are "
        "no more units than covariates. Give more comparison units or fewer covariates."
    )


def _frame(study: Study, covariates: list[str]) -> pd.DataFrame:
    """Lay the panel out in rows, units and periods numbered, cells without an outcome left out."""
    units, periods = study.outcomes.shape
    frame = pd.DataFrame(
        {
            "unit": np.repeat(np.arange(units), periods),
            "time": np.tile(np.arange(1, periods + 1), units),
            "first": np.repeat(study.cohort, periods),
            "y": study.outcomes.ravel(),
            **{name: study.covariates[:, :, one].ravel() for one, name in enumerate(covariates)},
        }
    )
    return frame[frame["y"].notna()]


def _sorted_out(fitted: Any, study: Study) -> tuple[list[tuple[Any, Any]], list[tuple[int, int, str]]]:
    """Tell the cells that have an effect from those that have none, with the reason."""
    kept: list[tuple[Any, Any]] = []
    missing: list[tuple[int, int, str]] = []
    for key in sorted(fitted.group_time_effects):
        cell, place = fitted.group_time_effects[key], (int(key[0]), int(key[1]))
        if cell.get("is_reference"):
            kept.append(key)
        elif not np.isfinite(cell["effect"]):
            missing.append((*place, NOBODY))
        else:
            compared = np.asarray(_influences(fitted)[key]["control_idx"], dtype=np.int64)
            if len(np.unique(study.cluster[compared])) < 2:
                missing.append((*place, TOO_FEW))
            else:
                kept.append(key)
    shown = {key[0] for key in kept if not fitted.group_time_effects[key].get("is_reference")}
    return [key for key in kept if key[0] in shown], missing


def _influences(fitted: Any) -> Any:
    """Return what diff-diff keeps for its own aggregation: each cell's influence by unit."""
    kit = getattr(fitted, "_aggregation_kit", None)
    if kit is None:
        raise GroceryError(
            "The installed diff-diff does not keep what each unit adds to an effect, so averages could "
            "have no "
            "interval. Install the version that requirements.txt names."
        )
    return kit.influence


def _influence(fitted: Any, key: tuple[Any, Any], study: Study, by_unit: bool) -> Array:
    """Spread one cell's influence over the units, and check it against the error that diff-diff publishes."""
    parts = _influences(fitted)[key]
    column = np.zeros(len(study.cohort))
    published = float(fitted.group_time_effects[key]["se"])
    squared = 0.0
    for side, spent in (("treated", 0), ("control", study.covariates.shape[2])):
        which, added = np.asarray(parts[f"{side}_idx"]), np.asarray(parts[f"{side}_inf"], dtype=np.float64)
        squared += float(added @ added)
        left = len(which) - 1 - spent
        column[which] += added * (np.sqrt(len(which) / left) if by_unit and left > 0 else 1.0)
    same = np.isclose(np.sqrt(squared), published, rtol=1e-6, atol=1e-12)
    if not (same and (study.cohort[np.asarray(parts["treated_idx"])] == int(key[0])).all()):
        raise GroceryError(
            f"The parts that the installed diff-diff keeps for group {key[0]} at {key[1]} do not add up to "
            "the "
            "standard error that it publishes. Install the version that requirements.txt names."
        )
    return column
