"""Who is taken for dark where nothing happened, and when?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from grocery_spheres.outage.expected import Array, Flags, Target
from grocery_spheres.outage.study import FEWEST, Study
from grocery_spheres.tables import ContractError

ALIKE = 2.0  # times the spread of the dark unit, up or down, that a unit taken for it may have
_AT_LEAST = 10  # units that are taken, the nearest in spread, where fewer are alike
_SHORTEST = 0.5  # share of the real record before the outage that an earlier placebo window must have, too


@dataclass(frozen=True)
class Pick:
    """One placebo: who is taken for dark, and by how many periods the windows are moved back."""

    members: tuple[tuple[int, ...], ...]
    back: int


def draw_picks(study: Study, *, placebos: int, seed: int, season: int = 1) -> list[Pick]:
    """Draw placebos: as many units as were dark, in the outage's own window or an earlier one.

    Parameters
    ----------
    study : Study
        The real outage.
    placebos : int
        How many, where there are so many.
    seed : int
        Of the draw.
    season : int
        Periods in a season: windows are moved back by whole ones.

    Returns
    -------
    list of Pick
        No two alike, the nearest in time first: what sets the outage's own days apart (a holiday, a season)
        sets them apart for others, too, and a window moved far back has a shorter record before it. Windows
        are moved by whole seasons; donors that vary about as much as the dark units (`alike`) serve in any
        window, a dark unit in windows that end before its outage, and before what may have been felt of it.
        No window holds a period in which a donor is not known.
    """
    rng = np.random.default_rng(seed)
    backs = _backs(study, season)
    sizes = [len(group) for group in study.members]
    pool = [(unit, back) for back in backs for unit in alike(study).tolist()]
    if len(sizes) == 1 and sizes[0] == 1:
        own = [(study.members[0][0], back) for back in backs if back >= _span(study) + study.anticipation]
        every = [Pick(((unit,),), back) for unit, back in [*own, *pool]]
        drawn = [every[place] for place in rng.permutation(len(every)).tolist()]
        return sorted(drawn, key=lambda pick: pick.back)[:placebos]
    return _groups(study, backs, placebos, rng) if backs and sum(sizes) < len(alike(study)) else []


def _groups(study: Study, backs: list[int], placebos: int, rng: np.random.Generator) -> list[Pick]:
    """Deal units out into groups that share none, window by window, and deal anew until there are enough."""
    ends = np.cumsum([0, *[len(group) for group in study.members]]).tolist()
    picks: dict[Pick, None] = {}
    for back in backs * placebos:
        dealt = rng.permutation(alike(study)).tolist()
        for start in range(0, len(dealt) - ends[-1] + 1, ends[-1]):
            groups = tuple(tuple(sorted(dealt[start + a : start + b])) for a, b in pairwise(ends))
            picks[Pick(groups, back)] = None
        if len(picks) >= placebos:
            break
    return list(picks)[:placebos]


def alike(study: Study) -> npt.NDArray[np.int64]:
    """Return the donors whose outcome varies about as much as the dark units do.

    Parameters
    ----------
    study : Study
        The real outage.
    """
    known = np.any([target.known for target in study.targets], axis=0)
    spread = np.nanstd(study.donor_values[:, known], axis=1)
    own = float(np.mean(np.concatenate(_own_spreads(study))))
    apart = np.abs(np.log(np.maximum(spread, 1e-12) / max(own, 1e-12)))
    nearest = np.argsort(apart, kind="stable")
    count = max(int((apart <= np.log(ALIKE)).sum()), min(_AT_LEAST, len(apart)))
    return np.sort(study.donors[nearest[:count]])


def _own_spreads(study: Study) -> list[Array]:
    """Return how much dark units vary in the periods that each is learnt from, a group of units each."""
    pairs = zip(study.members, study.targets, strict=True)
    return [np.nanstd(study.panel.values[list(group)][:, target.known], axis=1) for group, target in pairs]


def _span(study: Study) -> int:
    window = np.flatnonzero(study.window)
    return int(window[-1] - window[0] + 1)


def _backs(study: Study, season: int) -> list[int]:
    """Return by how many periods windows may be moved: whole seasons, far enough from the record's start."""
    first = int(np.flatnonzero(study.window)[0])
    earliest = max(FEWEST, study.panel.times.two_weeks, int(_SHORTEST * first))
    step = season * max(1, round(_span(study) / (2 * season)))
    window, whole = np.flatnonzero(study.window), _whole(study.donor_values)
    return [back for back in range(0, first - earliest + 1, step) if whole[window - back].all()]


def _whole(donors: Array) -> Flags:
    """Return the periods in which all donors are known."""
    return np.asarray(~np.isnan(donors).any(axis=0))


def placebo_study(study: Study, pick: Pick) -> Study:
    """Return the study as if other units had been dark, or at another time; the record ends with the window.

    Parameters
    ----------
    study : Study
        The real one.
    pick : Pick
        Who is taken for dark, and how far back.
    """
    last = int(np.flatnonzero(study.window)[-1]) + 1 - pick.back
    taken = {unit for group in pick.members for unit in group}
    donors: npt.NDArray[np.int64] = study.donors[~np.isin(study.donors, list(taken))]
    values = study.panel.values[:, :last]
    whole = _whole(values[donors])
    targets = tuple(
        Target(
            values[list(group)].mean(axis=0),
            np.where(whole, target.dose[pick.back : pick.back + last], 0.0),
            np.append(target.fitted[pick.back :], np.zeros(pick.back, dtype=bool))[:last] & whole,
        )
        for target, group in zip(study.targets, pick.members, strict=True)
    )
    for target, group in zip(targets, pick.members, strict=True):
        if not target.window.any() or target.known.sum() < FEWEST:
            raise ContractError(
                f"The placebo at {study.panel.ids[group[0]]!r}, {pick.back} periods back, has no outcome in "
                "its window, or too few before it."
            )
    panel = replace(study.panel, values=values)
    return replace(study, panel=panel, targets=targets, members=pick.members, donors=donors)
