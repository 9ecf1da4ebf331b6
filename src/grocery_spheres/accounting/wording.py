"""How is an account said in words?"""

from __future__ import annotations

from typing import Any

import numpy as np

from grocery_spheres.accounting.parts import DELAYED, DIVERTED, FORGONE, LOST
from grocery_spheres.accounting.verdict import FOUND, NONE_SEEN, NOT_ESTIMABLE
from grocery_spheres.outage.wording import amount as _amount
from grocery_spheres.outage.wording import level

_UNITS = {"baskets": "baskets", "sales_usd": "USD"}
_NOTHING = 1e-9  # of any measure
_OPEN = 0.1  # share of the usual that a store sold, from which on one must ask whether it was dark
ASSUMES = (
    "without the outage the followed customers' purchases would have moved as those of other stores' "
    "customers, chosen by the same rule, who never came to a dark store and were not moved by the outage"
)


def amount(value: float) -> str:
    """Write an amount; what is nothing but rounding is nothing."""
    return _amount(0.0 if abs(value) < _NOTHING else value)


def unit(measure: str) -> str:
    """Return a measure as people say it."""
    return _UNITS.get(measure, f"`{measure}`")


def span(ends: tuple[float, float]) -> str:
    """Write an interval of amounts."""
    return f"{amount(ends[0])} to {amount(ends[1])}"


def percent(ends: tuple[float, float]) -> str:
    """Write an interval of shares."""
    if not np.isfinite(ends).all():
        return "any share"
    return f"{100 * ends[0]:.0f} to {100 * ends[1]:.0f} %".replace("-", "−")


def by_part(found: Any, measure: str) -> dict[str, dict[str, Any]]:
    """Return the rows of an account's table in one measure, by their part."""
    return {row["part"]: row for row in found.frame.filter(measure=measure).to_dicts()}


def of_parts(found: Any, measure: str) -> str:
    """Write the identity in numbers."""
    known = found.parts(measure)
    return " ".join(
        f"{name} {amount(known[name])}{sign}"
        for name, sign in ((LOST, " ="), (DIVERTED, " +"), (DELAYED, " +"), (FORGONE, ""))
    )


def sentence(found: Any) -> str:
    """Say the account in plain words, with its ranges.

    Parameters
    ----------
    found : Account
        The account.
    """
    measure = found.measures[0]
    rows = by_part(found, measure)
    lost = rows[LOST]
    who = f"regular customers of {_who(found)} in the outage of {found.facts['outages']}"
    if not np.isfinite(lost["low"]):
        return f"No interval can be given for what was lost at {who}: {_too_few(found)}"
    if lost["verdict"] != FOUND:
        return (
            f"No loss can be told from chance at {who}: {amount(lost['estimate'])} {unit(measure)} "
            f"({_interval(found, lost)}), and less than {amount(lost['detectable'])} would often not be "
            f"seen; so nothing can be said of where it went. This assumes that {ASSUMES}."
        )
    parts = "; ".join(_part(rows[name], word, lost) for name, word in _TOLD)
    return (
        f"Of {amount(lost['estimate'])} {unit(measure)} ({_interval(found, lost)}{_money(found)}) that {who} "
        f"did not buy there: {parts}. This assumes that {ASSUMES}."
    )


_TOLD = ((DIVERTED, "went to other stores"), (DELAYED, "came later"), (FORGONE, "were not bought at all"))


def _too_few(found: Any) -> str:
    needed = int(np.ceil(1 / found.alpha)) - 1
    return (
        f"there are {len(found.errors)} placebo outages, and {needed} are needed for a {level(found.alpha)} "
        "interval. More stores to compare with, a longer record before the outage or a lower level give more."
    )


def _interval(found: Any, row: dict[str, Any]) -> str:
    return f"{level(found.alpha)} interval {span((row['low'], row['high']))}"


def _money(found: Any) -> str:
    """Say what was lost in dollars, where that was measured, too."""
    if "sales_usd" not in found.measures[1:]:
        return ""
    row = by_part(found, "sales_usd")[LOST]
    return f"; in USD {amount(row['estimate'])}, {span((row['low'], row['high']))}"


def _part(row: dict[str, Any], word: str, lost: dict[str, Any]) -> str:
    if row["verdict"] == NOT_ESTIMABLE:
        seen, whole = amount(row["detectable"]), amount(lost["estimate"])
        return (
            f"how many {word} cannot be told, since even {seen} would often be missed and {whole} were lost"
        )
    if row["verdict"] == NONE_SEEN:
        return f"none are seen that {word} ({span((row['low'], row['high']))})"
    return f"{amount(row['estimate'])} ({span((row['low'], row['high']))}) {word}"


def _who(found: Any) -> str:
    dark = found.facts["dark"]
    return f"the store {dark[0]!r}" if len(dark) == 1 else f"{len(dark)} dark stores"


def summary(found: Any) -> str:
    """Say everything: the sentence, a table a measure, recovery, what it rests on.

    Parameters
    ----------
    found : Account
        The account.
    """
    blocks = [sentence(found)]
    if np.isfinite(found.conf_int()).all():
        blocks += [*(_table(found, measure) for measure in found.measures), _KEY, "\n".join(_later(found))]
    return "\n\n".join([*blocks, "\n".join(_rests_on(found))])


_KEY = """seen from: the smallest amount that would be seen four times in five.
none seen: less than that, if any. not estimable here: even all that was lost would often not be seen.
not followed: lost by buyers who are no regular customers. before: in the weeks before, a placebo."""


def _table(found: Any, measure: str) -> str:
    interval = f"{level(found.alpha)} interval"
    lines = [f"{measure:<34}{'verdict':<20}{'estimate':>10}  {interval:<22}{'seen from':<11}share of lost"]
    for row in found.frame.filter(measure=measure).to_dicts():
        ends, shares = span((row["low"], row["high"])), percent((row["share_low"], row["share_high"]))
        share = "" if row["part"] == LOST else f"{100 * row['share']:.0f} % ({shares})".replace("-", "−")
        told = f"{row['part']:<34}{row['verdict']:<20}{amount(row['estimate']):>10}"
        lines.append(f"{told}  {ends:<22}{amount(row['detectable']):<11}{share}".rstrip())
    return "\n".join(lines)


def _later(found: Any) -> list[str]:
    half = found.half_life
    gone = "not estimable here, the first gain is not significant" if half is None else str(half)
    return [
        f"Back to 95 % of the expected at the dark stores, in days after the outage: {found.recovered}.",
        f"Half-life of the gain elsewhere, in days after the outage: {gone}.",
        _kept(found),
    ]


def _kept(found: Any) -> str:
    what = "Kept by other stores (retention: mean daily gain there on days 29 to 56 over that in the outage)"
    kept = found.retention
    if kept is None:
        return f"{what}: the record ends before day 56 after the outage."
    ends = kept.interval(found.alpha)
    if not np.isfinite(ends).all():
        return f"{what}: not estimable here, since the gain in the outage may have been nothing."
    return f"{what}: {100 * kept.value:.1f} % ({percent(ends)}).".replace("-", "−")


def _rests_on(found: Any) -> list[str]:
    facts = found.facts
    sold, usual = facts["sold_in_outage"], facts["expected_in_outage"]
    share = ", ".join(f"{100 * part:.0f} % of {name}" for name, part in facts["followed_share"].items())
    lines = [
        f"Followed: {facts['followed']:,} households that came on at least {facts['regular']} days of the "
        f"selection; they made {share} of the dark stores in the baseline.",
        f"Compared with: {facts['compared']:,} households, customers of {facts['donors']:,} other stores by "
        f"the same rule, who never came to a dark store. Intervals: {len(found.errors):,} placebo outages of "
        "the whole account.",
        f"Assumes that {ASSUMES}.",
    ]
    if sold > _OPEN * usual and not facts["partly"]:
        lines.insert(
            0,
            f"The dark stores sold {sold:,.0f} baskets in the outage, where {usual:,.0f} were usual. If they "
            "were not wholly dark, say so by `share_down`; if they were open, there was no outage.",
        )
    told = {
        "appear_later": "{:,} households appear only after the selection: nobody follows them.",
        "placebos_failed": "{:,} placebos had nothing to be expected and were left out.",
    }
    lines += [words.format(facts[name]) for name, words in told.items() if facts[name]]
    if facts["left_out"]:
        lines.append(f"{len(facts['left_out'])} stores with days without records were left out.")
    if facts["unlike"]:
        lines.append(
            f"No store to compare with is nearly as large or small as {facts['unlike'][:3]!r}: chance may "
            "move it otherwise than it moves the placebos."
        )
    return lines
