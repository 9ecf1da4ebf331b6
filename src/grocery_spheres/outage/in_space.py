"""How large is the effect among those that every other unit would show in the same days?

The placebo in space of Abadie, Diamond and Hainmueller (2010): each donor in turn is taken for dark, with all
the others as its donors; the dark unit's effect is ranked among theirs, each over the size of its own errors.
"""

from __future__ import annotations

import numpy as np

from grocery_spheres.outage.certainty import Ranked
from grocery_spheres.outage.expected import Options
from grocery_spheres.outage.methods import METHODS, Found, fit
from grocery_spheres.outage.placebos import Pick, placebo_study
from grocery_spheres.outage.study import Study


def in_space(study: Study, found: Found, options: Options, method: str) -> Ranked:
    """Rank a dark unit's effect among those of all its donors.

    Parameters
    ----------
    study : Study
        With one dark unit.
    found : Found
        Its estimate.
    options, method
        As it was found.
    """
    tried = [placebo_study(study, Pick(((unit,),), 0)) for unit in study.donors.tolist()]
    others = [fit(one, METHODS[method], options) for one in tried]
    errors = np.array([other.att / other.scale for other in others if other.scaled])
    return Ranked(
        found.att,
        found.scale,
        errors,
        f"rank among {len(errors)} other units in the same days",
        "the dark unit is one like the others, and might as well have been any of them",
    )
