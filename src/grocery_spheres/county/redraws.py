"""Where does the outage's demand go in expectation? The same evening, the same households, many mornings.

From the state on the eve of the outage the days that follow are drawn again and again, each time in two
arms that share their shocks: with the outage and without. Until an arm's household does something else
than the other's, the two are the same; so only those whom the outage moved are followed further. Grocers
that trade on the eve are taken to trade on: nobody closes within the eight weeks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from grocery_spheres.county.arms import ARMS, FACTUAL, Arm
from grocery_spheres.county.behaviour import State, refresh
from grocery_spheres.county.block import Block
from grocery_spheres.county.draws import household_keys
from grocery_spheres.county.lines import Baskets, expected_usd
from grocery_spheres.county.simulate import Memory, live, one_day

WINDOWS = ("outage", "after", "late")
AFTER_DAYS = 28  # DESIGN section 6: A is the 28 days after the outage
LATE_DAYS = (29, 56)  # and retention is read on these days after it
MEASURES = ("baskets", "sales_usd")
_FIRST_STAGE = 2  # of the draws: 0 and 1 are the days and lines on record
_ROWS_AT_ONCE = 80_000
_PAIR = (ARMS[FACTUAL], ARMS["no outage"])
# How a life goes on after the day: its arm, and what that day is made not to have changed. Like is held
# against like, so each with the outage has its twin without.
LIVES: Mapping[str, tuple[str, str | None]] = {
    "factual": (FACTUAL, None),
    "no outage": ("no outage", None),
    "factual, that day's learning undone": (FACTUAL, "belief"),
    "no outage, that day's learning undone": ("no outage", "belief"),
    "factual, that day's habit undone": (FACTUAL, "habit"),
    "no outage, that day's habit undone": ("no outage", "habit"),
}

Array = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Redrawn:
    """What the outage changed, draw by draw: with it less without it.

    Attributes
    ----------
    towns : array of int
        Town numbers with an outage.
    change : array, (draws, windows, measures, slots, towns)
        Baskets and expected USD at each store over each window.
    forced : array, (draws, lives, 2, towns)
        Of the households that the outage sent to another store: their late trips to the Sphere (0) and to
        others (1), in each of `LIVES`.
    switched : array, (draws, towns)
        How many they were.
    """

    towns: Whole
    change: Array
    forced: Array
    switched: Array


def redraw(block: Block, eve: Memory, draws: int) -> Redrawn:
    """Draw the outage day and the eight weeks after it again and again.

    Parameters
    ----------
    block : Block
        Towns; those without an outage are left out.
    eve : Memory
        What the households wake up with on the day of the outage. It is not changed.
    draws : int
        How many times.
    """
    hit = np.flatnonzero(block.outage)
    homes = np.flatnonzero(block.outage[block.town])
    slots = len(block.exists)
    change = np.zeros((draws, len(WINDOWS), len(MEASURES), slots, len(block.towns)))
    forced = np.zeros((draws, len(LIVES), 2, len(block.towns)))
    switched = np.zeros((draws, len(block.towns)))
    step = max(1, _ROWS_AT_ONCE // max(len(homes), 1))
    for first in range(0, draws if len(homes) else 0, step):
        batch = np.arange(first, min(first + step, draws))
        _follow(block, eve, homes, batch, (change, forced, switched))
    return Redrawn(block.towns[hit], change[..., hit], forced[..., hit], switched[..., hit])


def _follow(block: Block, eve: Memory, homes: Whole, batch: Whole, into: tuple[Array, ...]) -> None:
    """Live through some draws in both arms and book what differs."""
    change, forced, switched = into
    values = block.parameters
    stages = (
        household_keys(block.world.seed, block.towns, values.households, stage=_FIRST_STAGE + int(draw))
        for draw in batch
    )
    keys = np.concatenate([one[homes] for one in stages])
    rows, draw = np.tile(homes, len(batch)), np.repeat(batch, len(homes))
    here = block.of(rows, keys)
    day = values.outage_date.toordinal()
    memories = [Memory(eve.state.of(rows), eve.fate.copy()) for _ in _PAIR]
    firsts = [one_day(here, arm, memory, day) for arm, memory in zip(_PAIR, memories, strict=True)]
    where = [_choice(len(rows), baskets) for baskets in firsts]
    moved = np.flatnonzero(where[0] != where[1])
    followed, draw = here.of(moved, keys[moved]), draw[moved]
    sent = (where[0] > 0)[moved]
    np.add.at(switched, (draw[sent], followed.town[sent]), 1)
    thin = [Memory(memory.state.of(moved), memory.fate) for memory in memories]
    before = eve.state.of(rows[moved])
    for place, (name, undone) in enumerate(LIVES.values()):
        which = int(name != FACTUAL)
        memory = _with_undone(thin[which], before, followed, undone)
        late = _weeks(followed, _PAIR[which], memory, day)
        if undone is None:
            parts = [_of(firsts[place], moved, len(rows)), *late]
            for window, baskets in enumerate(parts):
                _book(change[:, window], followed, baskets, draw, 1 - 2 * place)
        _count(forced[:, place], followed, late[-1], draw, sent)


def _with_undone(memory: Memory, before: State, block: Block, undone: str | None) -> Memory:
    """Return the memory after the outage day, with belief or habit as they were that morning."""
    state = memory.state.copy()
    if undone is not None:
        setattr(state, undone, getattr(before, undone).copy())
    refresh(state, block.nature)
    return Memory(state, memory.fate)


def _count(forced: Array, block: Block, late: Baskets, draw: Whole, sent: npt.NDArray[np.bool_]) -> None:
    """Count the late trips of those who were sent elsewhere, to the Sphere (0) and to others (1)."""
    mine = late.rows[sent[late.rows]]
    kind = (late.slot > 0).astype(np.int64)[sent[late.rows]]
    np.add.at(forced, (draw[mine], kind, block.town[mine]), 1)


def _weeks(block: Block, arm: Arm, memory: Memory, day: int) -> list[Baskets]:
    """Live through the days after the outage, and through the late ones."""
    after = live(block, arm, memory, day + 1, day + AFTER_DAYS)
    live(block, arm, memory, day + AFTER_DAYS + 1, day + LATE_DAYS[0] - 1)
    return [after, live(block, arm, memory, day + LATE_DAYS[0], day + LATE_DAYS[1])]


def _choice(households: int, baskets: Baskets) -> Whole:
    """Return the slot that each household chose, -1 for none."""
    chosen = np.full(households, -1)
    chosen[baskets.rows] = baskets.slot
    return chosen


def _of(baskets: Baskets, rows: Whole, households: int) -> Baskets:
    """Return the baskets of some households, by their new positions."""
    position = np.full(households, -1)
    position[rows] = np.arange(len(rows))
    kept = position[baskets.rows] >= 0
    names = ("slot", "day", "lines", "hour")
    return Baskets(position[baskets.rows[kept]], *(getattr(baskets, name)[kept] for name in names))


def _book(change: Array, block: Block, baskets: Baskets, draw: Whole, sign: int) -> None:
    """Add baskets and their expected USD to (draws, measures, slots, towns)."""
    town = block.town[baskets.rows]
    for measure, amount in enumerate((np.ones(len(town)), expected_usd(block, baskets))):
        np.add.at(change[:, measure], (draw[baskets.rows], baskets.slot, town), sign * amount)
