"""How is the effect of an outage said in words?"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from grocery_spheres.outage.long_panel import listed
from grocery_spheres.outage.methods import ASSUMPTIONS

_POOR = 0.05  # points by which placebo coverage may miss the level before it is called out
_FEW_DONORS = 5  # donors below which a comparison hangs on single units
_ROUND = 3  # significant figures of an amount


def amount(value: float) -> str:
    """Write an amount with as many figures as mean anything.

    Examples
    --------
    >>> amount(12345.6), amount(-0.01234), amount(123.0)
    ('12,346', '−0.0123', '123')
    """
    if not np.isfinite(value):
        return "−∞" if value < 0 else "∞"
    size = abs(value)
    digits = 0 if size >= 10 ** (_ROUND - 1) or size == 0 else _ROUND - 1 - int(np.floor(np.log10(size)))
    text = f"{size:,.{digits}f}"
    return f"−{text}" if value < 0 and float(text.replace(",", "")) else text


def level(alpha: float) -> str:
    """Write a level: 95 % for 0.05."""
    return f"{100 * (1 - alpha):g} %"


def sentence(found: Any) -> str:
    """Say the loss in one plain sentence: range, comparison, main assumption.

    Parameters
    ----------
    found : OutageResults
        The estimate.
    """
    outcome, lost = found.study.panel.names.outcome, -found.cumulative
    low, high = sorted(-end for end in found.conf_int(what="cumulative"))
    word = "lost" if lost >= 0 else "gained"
    who = f"{word} {amount(abs(lost))} in `{outcome}`"
    ends = (low, high) if lost >= 0 else (-high, -low)
    span = f"{level(found.question.alpha)} interval {amount(ends[0])} to {amount(ends[1])}"
    if not np.isfinite(ends).all():
        span = f"no {level(found.question.alpha)} interval can be given: see the notes"
    return (
        f"{_who(found)} {who} in the outage {_when(found)} ({span}{_share(found)}): what was observed "
        f"beside what {_compared(found)}, assuming that {ASSUMPTIONS[found.question.method]}."
        f"{_verdict(found)}"
    )


def _who(found: Any) -> str:
    units = [found.study.panel.ids[place] for place in found.study.treated]
    kind = found.study.panel.names.unit
    return f"The {kind} {units[0]!r}" if len(units) == 1 else f"The {len(units)} dark units ({listed(units)})"


def _when(found: Any) -> str:
    spells = list(dict.fromkeys(outage.periods for outage in found.study.outages))
    return f"of {spells[0]}" if len(spells) == 1 else f"of {len(spells)} spells from {spells[0]} on"


def _share(found: Any) -> str:
    share = -found.relative
    if not np.isfinite(share):
        return ""
    return f"; {100 * abs(share):.3g} % of {found.relative_to}"


def _compared(found: Any) -> str:
    donors = len(found.study.donors)
    if found.question.method == "seasonal_naive":
        return "its own last weeks led one to expect"
    if found.question.method == "structural":
        beside = f" and {_others(donors)}" if donors else ""
        return f"its own past{beside} led one to expect"
    return f"{_others(donors)} led one to expect"


def _others(count: int) -> str:
    return "1 other" if count == 1 else f"{count} others"


def _verdict(found: Any) -> str:
    """Say outright that nothing was found, where nothing was."""
    if found.pvalue <= found.question.alpha:
        return ""
    seen = ""
    if found.calibration is not None and found.calibration.placebos.height:
        least = found.calibration.detectable(found.found.scale, found.question.alpha) * found.study.cells
        if np.isfinite(least):
            seen = f"; a loss below about {amount(least)} would often go unseen here"
    return f" This cannot be told from no effect (p = {found.pvalue:.2g}){seen}."


# ---- what a reader must know


def notes(found: Any) -> tuple[str, ...]:
    """Say what a reader must know of these data and this answer.

    Parameters
    ----------
    found : OutageResults
        The estimate.
    """
    return (*found.study.notes, *_of_cells(found), *_of_donors(found), *_of_interval(found), *_of_dark(found))


def _of_cells(found: Any) -> list[str]:
    missing, cells = found.study.panel.missing, found.study.panel.values.size
    if not missing:
        return []
    return [f"{missing:,} of {cells:,} cells of the panel have no value: they are not known, and not zero."]


def _of_donors(found: Any) -> list[str]:
    if found.question.method == "seasonal_naive":
        return []
    apart = found.study.set_apart.filter(~found.study.set_apart["reason"].str.starts_with("dark"))
    said = [
        f"{len(group):,} {'unit is no donor' if len(group) == 1 else 'units are no donors'} "
        f"({listed(group['unit'].to_list())}): {reason}."
        for (reason,), group in apart.group_by("reason", maintain_order=True)
    ]
    donors = len(found.study.donors)
    if donors < _FEW_DONORS:
        said.append(f"Only {donors} units are compared with: the answer hangs on each of them.")
    return said + _of_rivals(found) + _of_model(found) + _of_fit(found)


def _of_rivals(found: Any) -> list[str]:
    """Bound what a rival among the donors could add: its weight, had it taken in all that was lost."""
    if not len(found.study.donors):
        return []
    if not found.weights.height:
        return [
            "If one of the others took in what was lost, the loss is overstated; by how much cannot be "
            "bounded for this method. Name such units in `rivals`."
        ]
    unit, most = _heaviest(found)
    return [
        f"Had one donor taken in all that was lost, the loss would be overstated by at most {100 * most:.2g} "
        f"% of itself ({unit!r}). Name in `rivals` who may have gained; `contamination` gives the bound for "
        "shares that you know."
    ]


def _heaviest(found: Any) -> tuple[Any, float]:
    """Return the donor with most weight, and by how much it could lift the loss: each dark unit counts."""
    sizes = pl.DataFrame({"units": [len(group) for group in found.study.members]}).with_row_index("target")
    counted = found.weights.join(sizes.cast(pl.Int64), on="target", how="left", validate="m:1")
    each = counted.group_by("unit").agg(most=(pl.col("weight") * pl.col("units")).sum())
    unit, most = each.sort("most", "unit", descending=[True, False]).row(0)
    return unit, float(most)


def _of_fit(found: Any) -> list[str]:
    """Pass on what the method says of its own fit."""
    said = []
    for each in found.found.expected:
        said += [f"Left out of the model: {what}." for what in each.details.get("dropped", ())]
        if each.details.get("outside_hull"):
            said.append(
                "No mix of the donors follows the dark unit before the outage better than its own mean "
                "would: it is out of their reach, and the interval is wide for it."
            )
    return list(dict.fromkeys(said))


def _of_model(found: Any) -> list[str]:
    if found.question.method != "did":
        return []
    counts = found.found.expected[0].details["model"] == "Poisson"
    how = (
        "in proportion (Poisson), as all are counts"
        if counts
        else "by the same amount, as not all are counts"
    )
    return [f"The dark unit is taken to have moved with the others {how}."]


def _of_interval(found: Any) -> list[str]:
    alpha, said = found.question.alpha, []
    attainable = found.certainty.attainable
    if alpha < attainable:
        said.append(
            f"The smallest p-value that can be reached here is {attainable:.2g}: an interval at "
            f"{level(alpha)} has no ends. A longer record before the outage, or more units, would give some."
        )
    return said + _of_placebos(found)


def _of_placebos(found: Any) -> list[str]:
    calibration, alpha = found.calibration, found.question.alpha
    if calibration is None:
        return [
            "Not calibrated: whether this interval covers on this panel was not looked at (calibrate=True)."
        ]
    said = []
    tried = calibration.placebos.height + len(calibration.failed)
    if tried < found.question.placebos:
        said.append(f"{tried} placebos were tried: the record holds no more that differ.")
    if calibration.failed:
        said.append(f"{len(calibration.failed)} placebos failed (the first: {calibration.failed[0]}).")
    if not calibration.placebos.height:
        return [*said, "No placebo could be run: the interval is the method's own, and unproved here."]
    if not found.corrects:
        return [*said, "The method gives its error no size here: the interval is its own, and unproved here."]
    covered = calibration.coverage(alpha)
    if np.isnan(covered):
        return [*said, "The method's own interval is made of placebos, so none were left to judge it by."]
    of = f"{100 * covered:.0f} % of {calibration.placebos.height} placebos"
    if covered < 1 - alpha - _POOR:
        said.append(
            f"The method's own {level(alpha)} interval is too narrow on this panel: it held the truth in "
            f"{of}. The reported one is corrected by them."
        )
    else:
        said.append(f"The method's own {level(alpha)} interval held the truth in {of} on this panel.")
    return said


def _of_dark(found: Any) -> list[str]:
    if not found.wholly_dark:
        return []
    return [
        "Nothing was sold in the window, so the effect is -100 % of what was expected, by definition. The "
        f"relative effect is given as a share of {found.relative_to}."
    ]


def summary(found: Any) -> str:
    """Say everything in a page of text.

    Parameters
    ----------
    found : OutageResults
        The estimate.
    """
    rows = [
        f"  {row['estimand']:<11}{shown(row, 'effect'):>12}  {shown(row, 'low'):>12} to {shown(row, 'high')}"
        for row in found.summary_frame().iter_rows(named=True)
    ]
    parts = [
        found.sentence(),
        "",
        f"Effect = observed - expected; {level(found.question.alpha)} intervals; p = {found.pvalue:.3g}",
        *rows,
        f"Method: {found.question.method}; interval: {found.certainty.name}, which assumes that "
        f"{found.certainty.assumes}.",
        "",
        *[f"- {note}" for note in found.notes],
    ]
    return "\n".join(parts)


def shown(row: dict[str, Any], name: str) -> str:
    """Write an end or the middle of an estimand: an amount, or per cent where it is a share.

    Parameters
    ----------
    row : dict
        Of `OutageResults.summary_frame`.
    name : str
        "effect", "low" or "high".
    """
    value = float(row[name])
    if row["estimand"] == "relative" and np.isfinite(value):
        return f"{100 * value:.1f} %".replace("-", "−")
    return amount(value)
