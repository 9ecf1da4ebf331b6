"""Which assumptions of the county contradict each other? Checked before anything is built."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from grocery_spheres.county.assumptions import assumptions

SLOTS = 28  # most stores of a town; the draws' last four option numbers are kept for drone services
_MOST_UTILITY = 20  # e to a few of these is still a number
_BOOKS_DAYS = 60  # least time over which a grocer's usual sales are read, before any Sphere opens
_MOST_PRODUCTS = 30_000  # positions of products are kept in two bytes
Rule = tuple[str, bool, str]


def contradictions(values: Any) -> Iterator[Rule]:
    """Yield each rule as (field, is it broken, what is allowed).

    Parameters
    ----------
    values : Parameters
        With every field of the right kind and within its own bounds.
    """
    yield from _calendar(values)
    yield from _weights(values)
    yield from _places(values)
    yield from _assortment(values)
    yield from _shares(values)


def _calendar(values: Any) -> Iterator[Rule]:
    span = f"{values.start} to {values.end} (`start` to `end`)"
    yield "end", values.end < values.start, f"{values.start} (`start`) or later"
    for name in ("event_date", "outage_date"):
        yield name, not values.start <= getattr(values, name) <= values.end, span
    yield (
        "last_entry",
        values.last_entry < values.first_entry,
        f"{values.first_entry} (`first_entry`) or later",
    )
    before = values.outage_date - dt.timedelta(days=1)
    yield "last_entry", values.last_entry > before, f"{before} or earlier: before the outage"
    days = (values.last_entry - values.first_entry).days + 1
    yield "cohorts", values.cohorts > days, f"1 to {days}, the days from first to last entry"
    books = values.settling_days + _BOOKS_DAYS
    needed = max((values.start - values.first_entry).days, 0) + books
    yield (
        "burn_in_days",
        values.burn_in_days < needed,
        f"{needed} or more: it begins {books} days or more before `first_entry`, so that what "
        "grocers usually sell is seen before any Sphere opens",
    )
    for day in values.closed_days:
        yield "closed_days", not _is_month_day(day), "month-day, such as 12-25"
    outage = values.outage_date.strftime("%m-%d")
    yield "closed_days", outage in values.closed_days, f"days other than the outage's, {outage}"


def _is_month_day(text: str) -> bool:
    try:
        return dt.date.fromisoformat(f"2044-{text}").strftime("%m-%d") == text
    except ValueError:
        return False


def _weights(values: Any) -> Iterator[Rule]:
    for name, one in assumptions(values).items():
        if one.unit.startswith("utility"):
            given = getattr(values, name)
            most = max(abs(value) for value in (given if isinstance(given, tuple) else (given,)))
            yield name, most > _MOST_UTILITY, f"at most {_MOST_UTILITY} in size: e to it is computed"


def _places(values: Any) -> Iterator[Rule]:
    most = values.towns - 4
    yield "never_towns", values.never_towns > most, f"0 to {most}: the 2 x 2 needs four towns with a Sphere"
    for name in ("chain_small", "chain_large"):
        grocers = values.independents + getattr(values, name)
        yield name, grocers < 1, "1 or more, or `independents` of 1 or more: a town needs a grocer"
        yield (
            name,
            grocers + 1 > SLOTS,
            f"at most {SLOTS - 1 - values.independents}: a town has {SLOTS} places",
        )


def _assortment(values: Any) -> Iterator[Rule]:
    rows = values.departments
    wrong = not isinstance(rows, tuple) or not rows or not all(hasattr(row, "grocer") for row in rows)
    yield "departments", wrong, "a tuple of one or more `parameters.Department`"
    for column in ("grocer", "sphere"):
        total = sum(getattr(one, column) for one in values.departments)
        off = abs(total - 1) > 1e-6
        yield "departments", off, f"shares of lines (`{column}`) that add to 1, not {total:.4f}"
    names = [one.name for one in values.departments]
    yield "departments", len(set(names)) < len(names), "names that differ"
    count = sum(one.products for one in values.departments)
    yield "departments", count > _MOST_PRODUCTS, f"at most {_MOST_PRODUCTS:,} products in all"
    stored = sum(one.grocer * one.stored for one in values.departments)
    yield "departments", stored <= 0, "a grocer that sells something stored: some `stored` above 0"


def _shares(values: Any) -> Iterator[Rule]:
    yield "weekdays", len(values.weekdays) != 7, "seven values, Monday to Sunday"
    yield "hours", len(values.hours) != 24, "24 values, 0 h to 23 h"
    for name in ("hours", "quantities"):
        total = sum(getattr(values, name))
        yield name, abs(total - 1) > 1e-3, f"shares that add to 1, not {total:.4f}"
    for name in ("dark_from", "dark_hours", "dark_depth"):
        pair = getattr(values, name)
        yield name, len(pair) != 2 or pair[0] > pair[1], "two values, the lower first"
    yield (
        "wet_stays",
        values.wet_stays < values.wet_begins,
        f"{values.wet_begins} (`wet_begins`) or more: wet hours come in spells",
    )
    yield "handling", values.handling >= values.margin, f"below {values.margin} (`margin`)"
