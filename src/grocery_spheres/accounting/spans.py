"""Which days tell who is followed, which tell what was usual, and over which are effects summed?"""

from __future__ import annotations

from dataclasses import dataclass

from grocery_spheres.tables import ContractError

WEEK = 7  # days
AFTER = 28  # days after the outage in which what was delayed comes (DESIGN section 6)
LATE = (29, 56)  # days after it on which retention is read
ANTICIPATION = 28  # days before it that are learnt from by nobody: a placebo where nobody knew
MOST_WEEKS = 16  # of selection, and of baseline: longer ones would hold other seasons and other customers
FEWEST_WEEKS = 4  # of each: four of every weekday

WINDOWS = ("before", "outage", "after", "late", "a day of the outage")
BEFORE, OUTAGE, AFTERWARDS, LATER, DAILY = range(5)


@dataclass(frozen=True)
class Spans:
    """Days by their places; each slice is half open.

    Attributes
    ----------
    selection : slice
        Who came on these days is followed.
    baseline : slice
        What was usual is measured on these, which are others: who is chosen for having come often comes less
        often afterwards, with an outage or without.
    before, outage, after : slice
        The days before the outage, of it, and after it.
    late : slice or None
        Days on which retention is read; None where the record is too short.
    """

    selection: slice
    baseline: slice
    before: slice
    outage: slice
    after: slice
    late: slice | None

    @property
    def windows(self) -> tuple[slice | None, ...]:
        """The windows, in the order of `WINDOWS`; the last stands for the mean over its days."""
        return (self.before, self.outage, self.after, self.late, self.outage)

    @property
    def stop(self) -> int:
        """The day after the last that is looked at."""
        return (self.late or self.after).stop

    @property
    def length(self) -> int:
        """Days from the outage's first to the last that is looked at."""
        return self.stop - self.outage.start


def spans_of(start: int, days: int, record: int, *, anticipation: int, after: int, named: str) -> Spans:
    """Lay out the days around an outage.

    Parameters
    ----------
    start, days : int
        Place of its first day, and its length.
    record : int
        Days on record.
    anticipation, after : int
        Days before and after it.
    named : str
        The outage in words.

    Raises
    ------
    ContractError
        The record is too short before the outage, or after it.

    Examples
    --------
    >>> found = spans_of(100, 2, 160, anticipation=28, after=28, named="it")
    >>> found.selection, found.baseline, found.after, found.late
    (slice(2, 37, None), slice(37, 72, None), slice(102, 130, None), slice(130, 158, None))
    """
    end = start + days
    if end + after > record:
        raise ContractError(
            f"The record ends {record - end} days after {named}; {after} are needed to see what came later. "
            "Wait for them, or ask for fewer (`after`); what was lost alone is estimate_outage's question."
        )
    weeks = _weeks(start - anticipation)
    if weeks < FEWEST_WEEKS:
        raise ContractError(
            f"The record begins {start} days before {named}; {anticipation + 2 * WEEK * FEWEST_WEEKS} are "
            f"needed: {FEWEST_WEEKS} weeks that tell who is followed, {FEWEST_WEEKS} that tell what was "
            f"usual, and {anticipation} days before the outage (`anticipation`)."
        )
    first = start - anticipation
    middle, late = first - WEEK * weeks, (end + LATE[0] - 1, end + LATE[1])
    return Spans(
        slice(middle - WEEK * weeks, middle),
        slice(middle, first),
        slice(first, start),
        slice(start, end),
        slice(end, end + after),
        slice(*late) if late[1] <= record else None,
    )


def earlier(spans: Spans, back: int) -> Spans | None:
    """Return the same spans some days earlier, laid out by the same rule; None where too little is left.

    Parameters
    ----------
    spans : Spans
        The real ones.
    back : int
        Days, whole weeks.
    """
    first = spans.before.start - back
    weeks, real = _weeks(first), (spans.baseline.stop - spans.baseline.start) // WEEK
    if weeks < max(FEWEST_WEEKS, -(-real // 2)):
        return None
    middle = first - WEEK * weeks
    late = None if spans.late is None else _moved(spans.late, back)
    before, outage, after = (_moved(one, back) for one in (spans.before, spans.outage, spans.after))
    return Spans(slice(middle - WEEK * weeks, middle), slice(middle, first), before, outage, after, late)


def _moved(span: slice, back: int) -> slice:
    return slice(span.start - back, span.stop - back)


def _weeks(days: int) -> int:
    return min(MOST_WEEKS, days // (2 * WEEK))
