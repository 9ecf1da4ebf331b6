"""Which ready-made counties are there? Named changes of the assumptions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from grocery_spheres.county.assumptions import ParameterError
from grocery_spheres.county.parameters import Parameters

PRESETS: Mapping[str, Mapping[str, Any]] = {
    # the county of the article
    "county": {},
    # many households and 240 days, 120 on either side of the outage's eve: for proofs
    "outage": {
        "towns": 100,
        "households": 400,
        "never_towns": 20,
        "start": dt.date(2045, 2, 17),
        "end": dt.date(2045, 10, 14),
        "burn_in_days": 600,
        "first_entry": dt.date(2044, 9, 1),
    },
    # two years of a few households, in about a second: for tests and first looks
    "small": {"towns": 12, "households": 40, "never_towns": 3, "cohorts": 3},
}


def preset(name: str, **changes: Any) -> Parameters:
    """Return the assumptions of a ready-made county, with changes.

    Parameters
    ----------
    name : str
        "county", "outage" or "small".
    **changes
        Assumptions by name (see `Parameters`).

    Raises
    ------
    ParameterError
        There is no such preset or assumption, or a value is refused.

    Examples
    --------
    >>> preset("small", habit=0.5).households
    40
    """
    if name not in PRESETS:
        raise ParameterError(f"There is no preset {name!r}; there are: {', '.join(PRESETS)}.")
    return Parameters().change(**{**PRESETS[name], **changes})
