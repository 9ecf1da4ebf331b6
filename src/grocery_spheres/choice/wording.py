"""How is a fitted model of choice said in words?"""

from __future__ import annotations

from typing import Any

_ASSUMES = {
    False: "Assumes that options compare as a logit has it: taking one away raises all others in proportion "
    "(independence of irrelevant alternatives), and tastes differ only by the covariates.",
    True: "Assumes that tastes are normal and independent between persons, and the same in all situations of "
    "a person; within a person options compare as a logit has it.",
}


def summary(found: Any) -> str:
    """Say what was fitted, on how much, and each coefficient with its interval.

    Parameters
    ----------
    found : ChoiceResults
        The model.
    """
    kind = "panel mixed logit" if found.random else "conditional logit"
    lines = [
        f"{kind}: {found.nobs:,} situations, {len(found.data.persons):,} persons, "
        f"{len(found.data.options):,} options; log-likelihood {signed(f'{found.llf:,.3f}')}",
        f"{'term':<34}{'estimate':>12}{'se':>10}  95 % interval",
    ]
    for row in found.summary_frame().to_dicts():
        ends = f"{row['low']:.4g} to {row['high']:.4g}"
        told = f"{row['estimate']:>12.4g}{row['se']:>10.3g}  {ends}"
        lines.append(f"{row['term']:<34}{signed(told)}")
    return "\n".join([*lines, _ASSUMES[bool(found.random)]])


def signed(text: str) -> str:
    """Write a minus as one."""
    return text.replace("-", "−")
