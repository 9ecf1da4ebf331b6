"""How does the answer to one outage become a page that a manager can read?"""

from __future__ import annotations

import os
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import vl_convert

from grocery_spheres.outage.agreement import AGREE, ALONE, DIFFER, MethodsCompared
from grocery_spheres.outage.picture import WIDTH, described, draw
from grocery_spheres.outage.results import OutageResults
from grocery_spheres.outage.wording import amount, level, shown
from grocery_spheres.tables import ContractError

_PHONE = 270  # pixels of a panel on a phone
_BEFORE = 56  # periods before the outage that are drawn
_DONORS = 8  # of the donors with the largest weights that are listed
_NAMES = {"average": "each dark unit and period", "cumulative": "in all", "relative": "as a share"}


def write(
    found: OutageResults, compared: MethodsCompared | None, path: Path, *, source: str, rows: int
) -> Path:
    """Write the page, whole or not at all.

    Parameters
    ----------
    found : OutageResults
        The estimate.
    compared : MethodsCompared, optional
        Every method beside each other.
    path : pathlib.Path
        The file; one that is there is replaced.
    source : str
        Name of the file or data set that was read.
    rows : int
        Its rows.

    Raises
    ------
    ContractError
        The path is a folder, or its folder is missing or cannot be written to.
    """
    if path.is_dir():
        raise ContractError(f"--html {path} is a folder. Name a file in it, such as {path / 'outage.html'}.")
    if not path.parent.is_dir():
        raise ContractError(f"--html {path}: there is no folder {path.parent}. Make it first.")
    text = html(found, compared, source=source, rows=rows)
    try:
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-", suffix=".part")
    except OSError as wrong:
        raise ContractError(f"--html {path}: nothing can be written there ({wrong.strerror}).") from wrong
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as page:
            page.write(text)
        Path(draft).chmod(0o644)
        Path(draft).replace(path)
    except OSError as wrong:
        Path(draft).unlink(missing_ok=True)
        raise ContractError(f"--html {path}: it could not be written whole ({wrong.strerror}).") from wrong
    return path


def html(found: OutageResults, compared: MethodsCompared | None, *, source: str, rows: int) -> str:
    """Return the page as text; all that comes from data is escaped.

    Parameters
    ----------
    found, compared, source, rows
        As `write` takes them.
    """
    folder = jinja2.PackageLoader("grocery_spheres", "outage_page")
    maker = jinja2.Environment(loader=folder, autoescape=True, undefined=jinja2.StrictUndefined)
    return maker.get_template("page.html.j2").render(
        **_answer(found),
        **_sure(found),
        **_rests(found),
        **_methods(compared),
        pictures={"wide": _svg(found, WIDTH), "phone": _svg(found, _PHONE)},
        described=described(found),
        source=source,
        synthetic="synthetic" in source,
        rows=f"{rows:,}",
        version=metadata.version("grocery-spheres"),
        seed=found.question.seed,
        method=found.question.method,
    )


def _answer(found: OutageResults) -> dict[str, Any]:
    lines = [
        (_NAMES[row["estimand"]], *[shown(row, name) for name in ("effect", "low", "high")])
        for row in found.summary_frame().iter_rows(named=True)
    ]
    lost = found.cumulative <= 0
    return {
        "headline": f"{amount(abs(found.cumulative))} {'lost' if lost else 'gained'}",
        "sentence": found.sentence().replace("`", ""),  # marks of code mean nothing to a manager
        "lines": lines,
        "of": found.relative_to.replace("`", ""),
        "level": level(found.question.alpha),
        "outcome": found.study.panel.names.outcome,
        "seen": found.pvalue <= found.question.alpha,
    }


def _sure(found: OutageResults) -> dict[str, Any]:
    calibration, alpha = found.calibration, found.question.alpha
    told: dict[str, Any] = {"pvalue": f"{found.pvalue:.2g}", "interval": found.certainty.name, "placebos": 0}
    told["least_p"] = found.pvalue <= found.certainty.attainable * (1 + 1e-9)
    if calibration is None or not found.corrects:
        return told
    covered = calibration.coverage(alpha)
    least = calibration.detectable(found.found.scale, alpha) * found.study.cells
    return told | {
        "placebos": calibration.placebos.height,
        "covered": f"{100 * covered:.0f} %" if np.isfinite(covered) else None,
        "least": amount(least) if np.isfinite(least) else None,
    }


def _rests(found: OutageResults) -> dict[str, Any]:
    weights = found.weights.head(_DONORS)
    return {
        "assumes": found.certainty.assumes,
        "notes": found.notes,
        "donors": [(str(unit), f"{weight:.3f}") for _, unit, weight in weights.iter_rows()],
        "count": 0 if found.question.method == "seasonal_naive" else len(found.study.donors),
    }


def _methods(compared: MethodsCompared | None) -> dict[str, Any]:
    if compared is None:
        return {"methods": [], "verdict": None, "alarm": False, "reasons": ()}
    rows = [
        (
            row["method"],
            amount(-row["cumulative"]),
            amount(-row["high"]),
            amount(-row["low"]),
            f"{row['pvalue']:.2g}",
        )
        for row in compared.frame.iter_rows(named=True)
    ]
    verdict = compared.verdict
    return {
        "methods": rows,
        "verdict": compared.sentence().replace("`", ""),
        "alarm": verdict not in (AGREE, ALONE, DIFFER),
        "reasons": compared.reasons,
    }


def _svg(found: OutageResults, width: int) -> str:
    chart = draw(found, _BEFORE, width)
    return str(vl_convert.vegalite_to_svg(chart.to_json()))
