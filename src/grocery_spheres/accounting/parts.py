"""Lost = diverted + delayed + forgone: which sums of effects make each part of the account?

Every part is a sum of effects with weights of plus or minus one, so that what adds up in the estimate adds up
in every placebo, too. Definitions: DESIGN section 6.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from grocery_spheres.accounting.following import ELSEWHERE, FIRST_RIVAL, OWN, REST
from grocery_spheres.accounting.records import Array
from grocery_spheres.accounting.spans import AFTERWARDS, BEFORE, DAILY, LATE, LATER, OUTAGE

LOST, DIVERTED, DELAYED, FORGONE = "lost", "diverted", "delayed", "forgone"
OTHERS = "diverted to other stores"
DARK_NET, ALL_NET = "dark stores' net loss", "all stores' net loss"
MEANING: Mapping[str, str] = {
    LOST: "what the followed customers would have bought at the dark stores in the outage, and did not",
    DIVERTED: "what they bought more elsewhere in the outage",
    OTHERS: "of it, at stores that are not named; where all are, what the kinds' own changes leave over",
    DELAYED: "what they bought more afterwards, anywhere",
    "delayed, at the dark stores": "of it, at the stores that had been dark",
    "delayed, elsewhere": "of it, at all others",
    FORGONE: "lost less diverted less delayed: not bought at all",
    DARK_NET: "lost less what followed customers bought more at the dark stores afterwards",
    ALL_NET: "lost by all stores together, outage and after: what was forgone, under another name",
    "not followed": "lost at the dark stores by buyers who were no regular customers; not followed further",
    "lost in all": "lost and not followed together: all that the dark stores lost in the outage",
    "before, at the dark stores": "effect in the days before the outage: none, where nobody knew of it",
    "before, elsewhere": "the same, elsewhere",
}
"""The parts, and what each says."""


def meaning(part: str) -> str:
    """Return what a part says; of a rival, too.

    Examples
    --------
    >>> meaning("diverted to shop-2")
    'of it, at shop-2'
    """
    return MEANING.get(part) or f"of it, at {part.removeprefix('diverted to ')}"


def parts(found: Array, rivals: tuple[str, ...]) -> dict[str, Array]:
    """Return each part of an account.

    Parameters
    ----------
    found : array, (..., components, windows)
        Effects, or errors of placebos; NaN where a placebo has no such rival.
    rivals : tuple of str
        Labels of the rivals, in the order of their components.

    Examples
    --------
    >>> dark, elsewhere = [0.0, -100.0, 20.0, 5.0, -50.0], [0.0, 30.0, 10.0, 15.0, 15.0]
    >>> account = parts(np.array([dark, elsewhere, [0.0] * 5]), ())
    >>> [float(account[part]) for part in ("lost", "diverted", "delayed", "forgone")]
    [100.0, 30.0, 30.0, 40.0]
    """
    own, elsewhere, rest = (found[..., place, :] for place in (OWN, ELSEWHERE, REST))
    lost, diverted = -own[..., OUTAGE], elsewhere[..., OUTAGE]
    to = {f"diverted to {name}": found[..., FIRST_RIVAL + n, OUTAGE] for n, name in enumerate(rivals)}
    named = sum(map(np.nan_to_num, to.values()), np.zeros_like(diverted))
    others = {OTHERS: diverted - named} if rivals else {}
    delayed = own[..., AFTERWARDS] + elsewhere[..., AFTERWARDS]
    forgone = lost - diverted - delayed
    return {
        LOST: lost,
        DIVERTED: diverted,
        **to,
        **others,
        DELAYED: delayed,
        "delayed, at the dark stores": own[..., AFTERWARDS],
        "delayed, elsewhere": elsewhere[..., AFTERWARDS],
        FORGONE: forgone,
        DARK_NET: lost - own[..., AFTERWARDS],
        ALL_NET: forgone,
        "not followed": -rest[..., OUTAGE],
        "lost in all": lost - rest[..., OUTAGE],
        "before, at the dark stores": own[..., BEFORE],
        "before, elsewhere": elsewhere[..., BEFORE],
    }


def retention(found: Array) -> tuple[Array, Array]:
    """Return the mean daily gain elsewhere on the late days, and in the outage.

    Parameters
    ----------
    found : array, (..., components, windows)
        As for `parts`.
    """
    elsewhere = found[..., ELSEWHERE, :]
    return elsewhere[..., LATER] / (LATE[1] - LATE[0] + 1), elsewhere[..., DAILY]
