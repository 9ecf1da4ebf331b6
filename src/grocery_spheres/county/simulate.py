"""How do the towns of a block live through a period? Day by day, month by month, in one arm.

The order of a day: prices (weekly), who is turned away, trips and stores, baskets, home stock, learning.
At a month's end the grocers' books are closed. Households act on the day's state only, so all households
of a block move at once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from grocery_spheres.county import behaviour, fate
from grocery_spheres.county.arms import Arm
from grocery_spheres.county.behaviour import State
from grocery_spheres.county.block import WEEK, Block, first_state, log_prices
from grocery_spheres.county.draws import DAY, Purpose, uniform
from grocery_spheres.county.fate import Fate
from grocery_spheres.county.lines import Baskets, Lines, expected_usd, fill

Array = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass
class Memory:
    """All that goes from one day to the next: the households' state, the grocers' fate.

    `woke` is the ordinal of the day that has begun last, so that a copy taken in the morning begins it once.
    """

    state: State
    fate: Fate
    woke: int = 0

    def copy(self) -> Memory:
        """Return a memory that can go its own way."""
        return Memory(self.state.copy(), self.fate.copy(), self.woke)


Watch = Callable[[int, Memory], None]


@dataclass(frozen=True)
class Month:
    """What one month brought to a block.

    Attributes
    ----------
    first, last : int
        Ordinals of its days on record.
    baskets : Baskets
        By day and household.
    lines : Lines
        By basket.
    usd : array, (baskets,)
        Sales of each basket.
    closes : array of bool, (slots, towns)
        Grocers that close at its end.
    """

    first: int
    last: int
    baskets: Baskets
    lines: Lines
    usd: Array
    closes: Flags


def burn_in(block: Block, arm: Arm) -> Memory:
    """Live through the days before the first on record; what stores sell then sets their fixed costs.

    Where Spheres open before the record begins, the books of those months are closed on expected sales.
    """
    values = block.parameters
    memory = Memory(first_state(block), fate.unknown(block.exists))
    start, usual = values.start.toordinal(), block.begin + values.settling_days
    until = min(start, values.first_entry.toordinal())
    live(block, arm, memory, block.begin, usual - 1)
    seen = live(block, arm, memory, usual, until - 1)
    usd = by_store(block, seen, expected_usd(block, seen, spheres=arm.spheres)) / (until - usual)
    memory.fate = fate.start_of(values, block.exists, usd, block.cushion)
    for begin, end in calendar_months(until, start - 1):
        baskets = live(block, arm, memory, begin, end)
        sold = by_store(block, baskets, expected_usd(block, baskets, spheres=arm.spheres))
        fate.close_month(memory.fate, values, sold, begin, end)
    return memory


def months(
    block: Block, arm: Arm, memory: Memory, first: int, last: int, *, watch: Watch | None = None
) -> Iterator[Month]:
    """Live from one day to another, month by month; the memory is updated.

    Parameters
    ----------
    first, last : int
        Ordinals, both inclusive. A month that is cut short has its books closed for its days.
    watch : callable, optional
        Shown each day's ordinal and what the households have in mind that morning, this week's prices
        included: what they choose by.

    Yields
    ------
    Month
    """
    for begin, end in calendar_months(first, last):
        baskets = live(block, arm, memory, begin, end, watch=watch)
        lines = fill(block, baskets, spheres=arm.spheres)
        usd = np.bincount(lines.basket, lines.sales_cents, minlength=len(baskets.rows)) / 100
        sold = by_store(block, baskets, usd)
        closes = fate.close_month(memory.fate, block.parameters, sold, begin, end)
        yield Month(begin, end, baskets, lines, usd, closes)


def calendar_months(first: int, last: int) -> Iterator[tuple[int, int]]:
    """Yield the first and last day of each month of a period, both inclusive.

    Examples
    --------
    >>> day = dt.date(2045, 1, 30).toordinal()
    >>> [end - begin + 1 for begin, end in calendar_months(day, day + 33)]
    [2, 28, 4]
    """
    begin = first
    while begin <= last:
        month = dt.date.fromordinal(begin).replace(day=1)
        following = (month + dt.timedelta(days=32)).replace(day=1)
        end = min(last, following.toordinal() - 1)
        yield begin, end
        begin = end + 1


def live(
    block: Block, arm: Arm, memory: Memory, first: int, last: int, *, watch: Watch | None = None
) -> Baskets:
    """Live from one day to another with the same stores trading; the memory's state is updated.

    Parameters
    ----------
    first, last : int
        Ordinals, both inclusive.
    """
    days = []
    for day in range(first, last + 1):
        wake(block, arm, memory, day)
        if watch is not None:
            watch(day, memory)
        days.append(one_day(block, arm, memory, day))
    if not days:
        empty = np.zeros(0, dtype=np.int64)
        return Baskets(empty, empty, empty, empty, np.zeros(0))
    names = ("rows", "slot", "day", "lines", "hour")
    return Baskets(*(np.concatenate([getattr(one, name) for one in days]) for name in names))


def wake(block: Block, arm: Arm, memory: Memory, day: int) -> None:
    """Begin a day: beliefs fade and prices change with the week, and prices when a Sphere opens."""
    if memory.woke == day:
        return
    memory.woke = day
    first = (day - block.begin) % WEEK == 0
    if first:
        behaviour.forget(memory.state, block.nature)
    if first or (block.entry == day).any():
        reprice(block, arm, memory.state, day)


def one_day(block: Block, arm: Arm, memory: Memory, day: int) -> Baskets:
    """Live through one day after waking up; the memory's state is updated."""
    state, nature = memory.state, block.nature
    pull = pulls(block, arm, memory, day)
    goes, which = behaviour.choose(state, nature, day, out_of_house(block, arm, day), pull)
    rows = np.flatnonzero(goes)
    slot = which[rows]
    lines = behaviour.basket_lines(state, nature, day, rows, slot == 0)
    hour = behaviour.hour_of_trip(nature.keys[rows], day, block.clock)
    at_home(block, state, rows, slot, lines)
    behaviour.learn(state, nature, day, rows, slot, shown=shown(block, arm, day, rows, slot))
    return Baskets(rows, slot, np.full(len(rows), day), lines, hour)


def reprice(block: Block, arm: Arm, state: State, day: int) -> None:
    """Bring the week's prices into utility."""
    price = log_prices(block, day, spheres=arm.spheres)[:, block.town]
    state.fixed = block.homes.liking - block.homes.price_response * price
    behaviour.refresh(state, block.nature)


def pulls(block: Block, arm: Arm, memory: Memory, day: int) -> Array:
    """Return exp(utility) of each store today: zero where it is closed, not open yet, or turns one away."""
    state, trading = memory.state, memory.fate.trading
    if f"{dt.date.fromordinal(day):%m-%d}" in block.parameters.closed_days:
        return np.zeros_like(state.pull)
    opened = trading.copy()
    opened[0] &= arm.spheres & (day >= block.entry)
    pull = state.pull * opened[:, block.town]
    if arm.event and day == block.parameters.event_date.toordinal():
        hosts = block.independent & block.event
        pull *= np.where(hosts, np.exp(block.parameters.event_pull), 1.0)[:, block.town]
    if arm.outage and day == block.parameters.outage_date.toordinal():
        pull[0, turned_away(block, day)] = 0
    return pull


def turned_away(block: Block, day: int) -> Flags:
    """Return which households would find the Sphere dark at the hour that they would come."""
    hour = behaviour.hour_of_trip(block.nature.keys, day, block.clock)
    town = block.town
    dark = block.outage[town] & (hour >= block.dark_from[town]) & (hour < block.dark_until[town])
    return dark & (uniform(block.nature.keys, day * DAY + Purpose.TURNED_AWAY) < block.depth[town])


def out_of_house(block: Block, arm: Arm, day: int) -> Array:
    """Return what draws each household out of the house today: weekday, month start, weather, the event."""
    values, date = block.parameters, dt.date.fromordinal(day)
    by_town = values.weekdays[date.weekday()] + values.wet_trips * block.wet[day - block.begin]
    if date.day <= WEEK:
        by_town = by_town + values.month_start
    if arm.event and date == values.event_date:
        by_town = by_town + values.event_trips * block.event
    return np.asarray(by_town[block.town])


def at_home(block: Block, state: State, rows: Whole, slot: Whole, lines: Whole) -> None:
    """Let the home stock run down and take in the shopping: what is stored, less the meals eaten out.

    A basket of stock is the stored part of a grocer's basket. Meals eaten out spare the day's own food at
    home and no more: what exceeds a day's appetite spares nothing.
    """
    values, law = block.parameters, block.assortment
    in_baskets = lines / block.nature.lines[rows]
    kind = (slot == 0).astype(np.int64)
    bought, eaten_out = np.zeros_like(state.stock), np.zeros_like(state.stock)
    bought[rows] = in_baskets * law.stored[kind] / law.stored[0]
    eaten_out[rows] = in_baskets * law.meals[kind] / law.stored[0] * values.meal_replaces
    behaviour.consume(state, block.nature, bought, eaten_out)


def shown(block: Block, arm: Arm, day: int, rows: Whole, slot: Whole) -> Array:
    """Return the authenticity that each visit shows on average; the event shows more at its hosts."""
    town = block.town[rows]
    level = block.authentic[slot, town] + block.homes.match[slot, rows]
    if arm.event and day == block.parameters.event_date.toordinal():
        hosted = block.independent[slot, town] & block.event[town]
        level = level + np.where(hosted, block.parameters.event_authenticity, 0.0)
    return level


def by_store(block: Block, baskets: Baskets, amount: Array | Whole) -> Array:
    """Add an amount of each basket up by store: (slots, towns)."""
    slots, towns = block.exists.shape
    place = baskets.slot * towns + block.town[baskets.rows]
    summed = np.bincount(place, amount, minlength=slots * towns)
    return np.asarray(summed, dtype=float).reshape(slots, towns)
