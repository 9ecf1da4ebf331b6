"""How is an account said in words?"""

from __future__ import annotations

from typing import Any

import numpy as np

from grocery_spheres.accounting.parts import DELAYED, DIVERTED, FORGONE, LOST, MEANING
from grocery_spheres.outage.wording import amount, level

_UNITS = {"baskets": "baskets", "sales_usd": "USD"}
ASSUMES = (
    "had there been no outage, the followed customers' purchases would have moved as those of other stores' "
    "customers, chosen by the same rule, and nobody who is not followed bought more elsewhere"
)


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


def of_parts(found: Any, measure: str) -> str:
    """Write the identity in numbers."""
    known = found.parts(measure)
    return " ".join(
        f"{name} {amount(known[name])}{sign}"
        for name, sign in ((LOST, " ="), (DIVERTED, " +"), (DELAYED, " +"), (FORGONE, ""))
    )


def sentence(found: Any) -> str:
    """Say the account in one plain sentence.

    Parameters
    ----------
    found : Account
        The account.
    """
    measure, known = found.measures[0], found.parts()
    lost = f"{amount(known[LOST])} {unit(measure)} ({level(found.alpha)} interval {span(found.conf_int())})"
    rows = {row["part"]: row for row in found.frame.filter(measure=measure).to_dicts()}
    told = [_part(rows[name], word) for name, word in _TOLD]
    return (
        f"Of {lost} that regular customers of {_who(found)} did not buy there in the outage "
        f"{found.facts['outages']}, {told[0]}, {told[1]}, and {told[2]}; assuming that {ASSUMES}."
    )


_TOLD = ((DIVERTED, "went to other stores"), (DELAYED, "came later"), (FORGONE, "were not bought at all"))


def _part(row: dict[str, Any], word: str) -> str:
    if row["verdict"] == "not estimable here":
        seen = amount(row["detectable"])
        return f"how many {word} cannot be estimated here (fewer than {seen} would not be seen)"
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
    blocks = [sentence(found), *(_table(found, measure) for measure in found.measures)]
    return "\n\n".join([*blocks, "\n".join(_later(found)), "\n".join(_rests_on(found))])


def _table(found: Any, measure: str) -> str:
    head = (
        f"{measure:<34}{'estimate':>10}  {level(found.alpha) + ' interval':<22}{'share of lost':<24}verdict"
    )
    lines = [head]
    for row in found.frame.filter(measure=measure).to_dicts():
        ends, shares = span((row["low"], row["high"])), percent((row["share_low"], row["share_high"]))
        share = "" if row["part"] == LOST else f"{100 * row['share']:.0f} % ({shares})".replace("-", "−")
        lines.append(f"{row['part']:<34}{amount(row['estimate']):>10}  {ends:<22}{share:<24}{row['verdict']}")
    return "\n".join(lines)


def _later(found: Any) -> list[str]:
    kept = found.retention
    if kept is None:
        late = "Retention: the record ends before day 56 after the outage."
    elif not np.isfinite(kept.interval(found.alpha)).all():
        late = "Retention: not estimable here, since the gain elsewhere in the outage may have been nothing."
    else:
        late = (
            f"Retention (mean daily gain elsewhere on days 29 to 56 over that in the outage): "
            f"{100 * kept.value:.1f} % ({percent(kept.interval(found.alpha))})."
        ).replace("-", "−")
    half = found.half_life
    gone = "not estimable here, the first gain is not significant" if half is None else str(half)
    return [
        f"Back to 95 % of the expected at the dark stores: {found.recovered}.",
        f"Half-life of the gain elsewhere: {gone}.",
        late,
    ]


def _rests_on(found: Any) -> list[str]:
    facts = found.facts
    share = ", ".join(f"{100 * part:.0f} % of {name}" for name, part in facts["followed_share"].items())
    lines = [
        f"Followed: {facts['followed']:,} households that came on at least {facts['regular']} days of the "
        f"selection; they made {share} of the dark stores in the baseline.",
        f"Compared with: customers of {facts['donors']:,} other stores, chosen by the same rule, none of "
        f"them followed. Intervals: {len(found.errors):,} placebo outages of the whole account.",
        f"Assumes that {ASSUMES}.",
    ]
    if facts["appear_later"]:
        lines.append(
            f"{facts['appear_later']:,} households appear only after the selection: nobody follows them."
        )
    if facts["placebos_failed"]:
        lines.append(f"{facts['placebos_failed']:,} placebos had nothing to be expected and were left out.")
    return lines


def meanings() -> str:
    """Say what each part means, a line each."""
    return "\n".join(f"{name}: {text}" for name, text in MEANING.items())
