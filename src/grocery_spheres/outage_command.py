"""What does `grocery-spheres outage` do, and what does it say?"""

from __future__ import annotations

import json
import math
from argparse import Namespace
from importlib import metadata
from pathlib import Path
from typing import Any

import polars as pl

from grocery_spheres import files
from grocery_spheres.outage import example
from grocery_spheres.outage.agreement import MethodsCompared, compare_methods
from grocery_spheres.outage.estimate import estimate_outage
from grocery_spheres.outage.outages import Outage
from grocery_spheres.outage.results import OutageResults
from grocery_spheres.tables import ContractError

_NEEDED = ("unit", "time", "outcome", "treated", "start", "end")
_EXAMPLE = (
    "This is the bundled example: synthetic data, made by this project's code; it says nothing of the world. "
    "The outage truly took {taken:,.0f} USD. On a file of your own: grocery-spheres outage PANEL.csv --unit "
    "shop --time day --outcome sales_usd --treated shop-03 --start 2045-06-17 --end 2045-06-19"
)


def run(asked: Namespace) -> str:
    """Estimate the outage that was asked for, write what was asked for, and return what is said.

    Parameters
    ----------
    asked : argparse.Namespace
        The words of the command line.

    Returns
    -------
    str
        A page of text, or one JSON object.
    """
    panel, outage, columns = _example() if asked.example else _own(asked)
    answer, compared = _answer(panel, outage, columns, asked)
    said = as_json(answer, compared) if asked.json else _text(answer, compared, asked)
    if asked.html:
        from grocery_spheres import outage_page  # noqa: PLC0415 - pictures are slow to import

        source = "the bundled example (synthetic)" if asked.example else Path(asked.panel).name
        page = outage_page.write(answer, compared, Path(asked.html), source=source, rows=panel.height)
        return said if asked.json else f"{said}\n\nThe page: {page}"
    return said


def _example() -> tuple[pl.DataFrame, Outage, dict[str, str]]:
    columns = {"unit": example.UNIT, "time": example.TIME, "outcome": example.OUTCOME}
    return example.example_panel(), example.example_outage(), columns


def _own(asked: Namespace) -> tuple[pl.DataFrame, Outage, dict[str, str]]:
    missing = [f"--{name}" for name in _NEEDED if getattr(asked, name) is None]
    if asked.panel is None or missing:
        raise ContractError(
            f"Not told: {', '.join([*(['PANEL'] if asked.panel is None else []), *missing])}. Name a CSV or "
            "Parquet file with one row a unit and period, its columns, and who was dark from when to when; "
            "or look at --example first."
        )
    columns = {"unit": asked.unit, "time": asked.time, "outcome": asked.outcome}
    panel = files.read_panel(asked.panel, **columns)
    units = _ids(asked.treated, panel[asked.unit])
    start, end = (_number(time, panel[asked.time]) for time in (asked.start, asked.end))
    return panel, Outage(units, start, end, asked.share_down), columns


def _ids(words: list[str] | None, column: pl.Series) -> list[Any]:
    """Read ids from the command line, where all is text, as the column holds them."""
    whole = column.dtype.is_integer()
    return [int(word) if whole and word.lstrip("+-").isdecimal() else word for word in words or []]


def _number(word: str, column: pl.Series) -> Any:
    return int(word) if column.dtype.is_integer() and word.lstrip("+-").isdecimal() else word


def _answer(
    panel: pl.DataFrame, outage: Outage, columns: dict[str, str], asked: Namespace
) -> tuple[OutageResults, MethodsCompared | None]:
    ids = panel[columns["unit"]]
    more: dict[str, Any] = {
        **columns,
        "donors": _ids(asked.donors, ids) if asked.donors else "auto",
        "rivals": _ids(asked.rivals, ids),
        "recovery": asked.recovery,
        "season": asked.season or "auto",
        "intercept": asked.intercept,
        "alpha": asked.alpha,
        "placebos": asked.placebos,
        "seed": asked.seed,
    }
    if not asked.compare:
        found = estimate_outage(panel, outage, method=asked.method, calibrate=asked.calibrate, **more)
        return found, None
    compared = compare_methods(panel, outage, **more)
    chosen = [found for found in compared.results if found.question.method == asked.method]
    return (chosen or list(compared.results))[0], compared


# ---- said


def _text(found: OutageResults, compared: MethodsCompared | None, asked: Namespace) -> str:
    parts = [found.summary()]
    if compared is not None:
        parts.append(compared.summary())
    if asked.example:
        taken = -float(example.example_truth()["effect"].sum())
        parts.append(_EXAMPLE.format(taken=taken))
    return "\n\n".join(parts)


def as_json(found: OutageResults, compared: MethodsCompared | None = None) -> str:
    """Return the answer as one JSON object; what is not finite is null.

    Parameters
    ----------
    found : OutageResults
        The estimate.
    compared : MethodsCompared, optional
        Every method beside each other.
    """
    calibration = found.calibration
    answer = {
        "sentence": found.sentence(),
        "method": found.question.method,
        "alpha": found.question.alpha,
        "pvalue": found.pvalue,
        "estimands": found.summary_frame().to_dicts(),
        "params": found.params,
        "interval": found.certainty.name,
        "assumes": found.certainty.assumes,
        "placebos": None if calibration is None else calibration.placebos.height,
        "placebo_coverage": None
        if calibration is None or not calibration.placebos.height
        else calibration.coverage(),
        "donors": len(found.study.donors),
        "cells": found.study.cells,
        "notes": list(found.notes),
        "seed": found.question.seed,
        "version": metadata.version("grocery-spheres"),
        "methods": None if compared is None else compared.frame.to_dicts(),
        "verdict": None if compared is None else compared.verdict,
    }
    return json.dumps(_finite(answer), ensure_ascii=False, indent=2, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
