"""Which worlds are held side by side? The factual county, and the same without one of its causes.

Arms share every draw, so before the first difference they are the same line by line. Drones and rules
will be further fields here; the last option numbers of the draws are kept for their stores.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from grocery_spheres.county.assumptions import ParameterError


@dataclass(frozen=True)
class Arm:
    """What happens in a world: do Spheres open, do they fail, is the event held?"""

    spheres: bool = True
    outage: bool = True
    event: bool = True


FACTUAL = "factual"
ARMS: Mapping[str, Arm] = {
    FACTUAL: Arm(),
    "no sphere": Arm(spheres=False),
    "no outage": Arm(outage=False),
    "no event": Arm(event=False),
}


def arm_named(name: str) -> Arm:
    """Return an arm by name.

    Raises
    ------
    ParameterError
        There is no such arm; the message lists them.

    Examples
    --------
    >>> arm_named("no outage")
    Arm(spheres=True, outage=False, event=True)
    """
    if name not in ARMS:
        raise ParameterError(f"There is no arm {name!r}; there are: {', '.join(ARMS)}.")
    return ARMS[name]
