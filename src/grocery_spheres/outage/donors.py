"""Which units can a dark one be compared with, and which cannot, for which reason?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from grocery_spheres.outage.expected import Flags, Target
from grocery_spheres.outage.long_panel import LongPanel, listed
from grocery_spheres.outage.outages import plain_id
from grocery_spheres.tables import ContractError

_SHUT_AMONG = 3  # possible donors: fewer cannot tell a period without a panel from a donor's own gap
_SHUT = 0.5  # share of possible donors without a value from which a period counts as one without a panel

GAP = "no value in a period that the comparison needs"
ZERO = "no outcome above zero in the periods to learn from"
RIVAL = "named as a rival: it may have received what the dark unit lost"
DARK = "dark itself"


def candidates(
    panel: LongPanel, dark: list[int], donors: str | Sequence[Any], rivals: Sequence[Any]
) -> tuple[npt.NDArray[np.int64], pl.DataFrame]:
    """Return who may be compared with, and who may not.

    Parameters
    ----------
    panel : LongPanel
        All units.
    dark : list of int
        Places of the dark ones.
    donors, rivals
        As `estimate_outage` takes them.

    Returns
    -------
    array of int, polars.DataFrame
        Places; and one row = one unit that may not: `unit`, `reason`.
    """
    rival = {panel.row(unit, "rival") for unit in _as_ids(rivals, "rivals")}
    if isinstance(donors, str) and donors != "auto":
        raise ContractError(f"`donors` is {donors!r}: give 'auto', or a list of units.")
    everyone = range(len(panel.ids))
    wanted = (
        list(everyone)
        if isinstance(donors, str)
        else [panel.row(u, "donor") for u in _as_ids(donors, "donors")]
    )
    if not isinstance(donors, str):
        _refuse_as_donor(panel, wanted, dark, rival)
    apart = [(panel.ids[n], DARK if n in dark else RIVAL) for n in everyone if n in dark or n in rival]
    kept = np.array([n for n in wanted if n not in dark and n not in rival], dtype=np.int64)
    return kept, _frame(panel, apart)


def _as_ids(units: Any, name: str) -> list[Any]:
    if isinstance(units, str | int) or not isinstance(units, Iterable):
        raise ContractError(f"`{name}` is {units!r}: give a list of units, also for one.")
    listed_units = [plain_id(unit) for unit in units]
    for unit in listed_units:
        if isinstance(unit, bool) or not isinstance(unit, str | int):
            raise ContractError(f"`{name}` holds {unit!r}: ids are strings or integers.")
    if len(set(listed_units)) < len(listed_units):
        raise ContractError(f"`{name}` names a unit twice: {listed_units!r}.")
    return listed_units


def _refuse_as_donor(panel: LongPanel, wanted: list[int], dark: list[int], rival: set[int]) -> None:
    for place in wanted:
        if place in dark or place in rival:
            what = "dark itself" if place in dark else "named as a rival, which may gain what was lost"
            raise ContractError(
                f"The donor {panel.ids[place]!r} is {what}. A donor is a unit that the outage did not touch: "
                "leave it out of `donors`."
            )


def shut(panel: LongPanel, chosen: npt.NDArray[np.int64]) -> Flags:
    """Return the periods in which most of the panel has no value: nothing can be compared there.

    Parameters
    ----------
    panel : LongPanel
        All units.
    chosen : array of int
        Places of those that may be compared with.
    """
    if len(chosen) < _SHUT_AMONG:
        return np.zeros(len(panel.times), dtype=bool)
    return np.isnan(panel.values[chosen]).mean(axis=0) > _SHUT


def complete(
    panel: LongPanel, chosen: npt.NDArray[np.int64], targets: tuple[Target, ...], *, named: bool
) -> tuple[npt.NDArray[np.int64], pl.DataFrame]:
    """Keep the donors that are known where they are needed and sell anything at all.

    Parameters
    ----------
    panel : LongPanel
        All units.
    chosen : array of int
        Places of those that may be compared with.
    targets : tuple of Target
        In whose known periods and windows a donor must have values.
    named : bool
        The user named the donors: if none is left, that is refused.

    Returns
    -------
    array of int, polars.DataFrame
        Places; and one row = one unit that cannot serve: `unit`, `reason`.
    """
    known = np.array([target.known for target in targets]).any(axis=0)
    needed = known | np.array([target.window for target in targets]).any(axis=0)
    values = panel.values[chosen]
    gap = np.asarray(np.isnan(values[:, needed]).any(axis=1))
    zero = np.asarray(~gap & ~(values[:, known] != 0).any(axis=1))
    if named and (gap | zero).all() and len(chosen):
        reason = GAP if gap.any() else ZERO
        raise ContractError(
            f"None of the donors {listed([panel.ids[n] for n in chosen])} can be compared with: {reason}. "
            "Name others, or let 'auto' choose."
        )
    apart = [
        (panel.ids[n], GAP if gap[place] else ZERO)
        for place, n in enumerate(chosen)
        if gap[place] or zero[place]
    ]
    return chosen[~(gap | zero)], _frame(panel, apart)


def _frame(panel: LongPanel, rows: list[tuple[Any, str]]) -> pl.DataFrame:
    kind = pl.String if isinstance(panel.ids[0], str) else pl.Int64
    return pl.DataFrame(rows, schema={"unit": kind, "reason": pl.String}, orient="row")
