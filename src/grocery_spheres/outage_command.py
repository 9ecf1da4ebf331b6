"""What does `grocery-spheres outage` do, and what does it say?"""

from __future__ import annotations

import json
import math
import re
from argparse import Namespace
from importlib import metadata
from pathlib import Path
from typing import Any

import polars as pl

from grocery_spheres import files
from grocery_spheres.outage import example
from grocery_spheres.outage.agreement import MethodsCompared, compare_methods
from grocery_spheres.outage.estimate import estimate_outage
from grocery_spheres.outage.methods import method_named
from grocery_spheres.outage.outages import Outage
from grocery_spheres.outage.results import OutageResults
from grocery_spheres.tables import ContractError, require_columns

_COLUMNS = ("unit", "time", "outcome")
_WHEN = ("treated", "start", "end")
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
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
    _refuse_contradictions(asked)
    panel, outage, columns = _example() if asked.example else _own(asked)
    answer, compared = _answer(panel, outage, columns, asked)
    said = as_json(answer, compared, _asked(asked)) if asked.json else _text(answer, compared, asked)
    if asked.html:
        from grocery_spheres import outage_page  # noqa: PLC0415 - pictures are slow to import

        source = "the bundled example (synthetic)" if asked.example else Path(asked.panel).name
        page = outage_page.write(answer, compared, Path(asked.html), source=source, rows=panel.height)
        return said if asked.json else f"{said}\n\nThe page: {page}"
    return said


def _example() -> tuple[pl.DataFrame, Outage, dict[str, str]]:
    columns = {"unit": example.UNIT, "time": example.TIME, "outcome": example.OUTCOME}
    return example.example_panel(), example.example_outage(), columns


def _refuse_contradictions(asked: Namespace) -> None:
    """Refuse what would be silently ignored."""
    method_named(asked.method)
    told = [f"--{name}" for name in (*_COLUMNS, *_WHEN, "outages") if getattr(asked, name) is not None]
    told = [asked.panel, *told] if asked.panel else told
    if asked.example and told:
        raise ContractError(
            f"--example is a panel of its own, and {', '.join(told)} would be ignored. Leave one of both out."
        )
    if asked.outages and any(getattr(asked, name) is not None for name in _WHEN):
        raise ContractError("--outages says who was dark when; leave --treated, --start and --end out.")
    if asked.compare and not (asked.calibrate and asked.inference == "auto"):
        raise ContractError(
            "--compare judges methods by their placebos: leave --no-calibrate and --inference out."
        )


def _own(asked: Namespace) -> tuple[pl.DataFrame, Any, dict[str, str]]:
    needed = _COLUMNS if asked.outages else (*_COLUMNS, *_WHEN)
    missing = [f"--{name}" for name in needed if getattr(asked, name) is None]
    if asked.panel is None or missing:
        raise ContractError(
            f"Not told: {', '.join([*(['PANEL'] if asked.panel is None else []), *missing])}. Name a CSV or "
            "Parquet file with one row a unit and period, its columns, and who was dark from when to when; "
            "or look at --example first."
        )
    columns = {"unit": asked.unit, "time": asked.time, "outcome": asked.outcome}
    panel = files.read_panel(asked.panel, **columns)
    if asked.outages:
        return panel, _listed(asked.outages, panel[asked.unit], panel[asked.time]), columns
    units = _ids(asked.treated, panel[asked.unit])
    start, end = (_number(time, panel[asked.time]) for time in (asked.start, asked.end))
    return panel, Outage(units, start, end, asked.share_down), columns


def _listed(path: str, ids: pl.Series, times: pl.Series) -> list[Outage]:
    """Read a table of outages: one row a unit and outage."""
    table = files.read_table(path)
    require_columns(table.columns, ("store_id", "start", "end"), "outages")
    shares = table["share_down"] if "share_down" in table.columns else [1.0] * table.height
    rows = zip(*(table[name].cast(pl.String) for name in ("store_id", "start", "end")), shares, strict=True)
    return [
        Outage(_ids([unit], ids), _number(start, times), _number(end, times), share)
        for unit, start, end, share in rows
    ]


def _ids(words: list[str] | None, column: pl.Series) -> list[Any]:
    """Read ids from the command line, where all is text, as the column holds them."""
    whole = column.dtype.is_integer()
    return [int(word) if whole and _WHOLE.fullmatch(word) else word for word in words or []]


def _number(word: str, column: pl.Series) -> Any:
    return int(word) if column.dtype.is_integer() and _WHOLE.fullmatch(word) else word


def _answer(
    panel: pl.DataFrame, outage: Any, columns: dict[str, str], asked: Namespace
) -> tuple[OutageResults, MethodsCompared | None]:
    ids = panel[columns["unit"]]
    more: dict[str, Any] = {
        **columns,
        "donors": _ids(asked.donors, ids) if asked.donors else "auto",
        "rivals": _ids(asked.rivals, ids),
        "recovery": asked.recovery,
        "anticipation": asked.anticipation,
        "season": "auto" if asked.season is None else asked.season,
        "factors": asked.factors,
        "intercept": asked.intercept,
        "alpha": asked.alpha,
        "placebos": asked.placebos,
        "seed": asked.seed,
    }
    if not asked.compare:
        more |= {"method": asked.method, "inference": asked.inference, "calibrate": asked.calibrate}
        return estimate_outage(panel, outage, **more), None
    compared = compare_methods(panel, outage, **more)
    chosen = [found for found in compared.results if found.question.method == asked.method]
    if not chosen:
        reason = dict(compared.refused.iter_rows())[asked.method]
        raise ContractError(f"{asked.method} could not be used: {reason} Name another --method.")
    return chosen[0], compared


# ---- said


def _text(found: OutageResults, compared: MethodsCompared | None, asked: Namespace) -> str:
    parts = [*(["Evidence: synthetic (the bundled example)."] if asked.example else []), found.summary()]
    if compared is not None:
        parts.append(compared.summary())
    if asked.example:
        taken = -float(example.example_truth()["effect"].sum())
        parts.append(_EXAMPLE.format(taken=taken))
    return "\n\n".join(parts)


def _asked(asked: Namespace) -> dict[str, Any]:
    """Return what the answer is about: the file, or the example with its label and its truth."""
    if asked.example:
        truth = float(example.example_truth()["effect"].sum())
        return {"source": "the bundled example", "evidence": "synthetic", "true_effect": truth}
    return {"source": Path(asked.panel).name, "evidence": "your own data"}


def as_json(
    found: OutageResults, compared: MethodsCompared | None = None, about: dict[str, Any] | None = None
) -> str:
    """Return the answer as one JSON object; what is not finite is null.

    Parameters
    ----------
    found : OutageResults
        The estimate.
    compared : MethodsCompared, optional
        Every method beside each other.
    about : dict, optional
        What the answer is about: goes into the object as it is.
    """
    calibration = found.calibration
    outages = found.study.outages
    answer = {
        **(about or {}),
        "outcome": found.study.panel.names.outcome,
        "outages": [
            {
                "units": list(one.units),
                "start": str(one.start),
                "end": str(one.end),
                "share_down": one.share_down,
            }
            for one in outages
        ],
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
        "reasons": None if compared is None else list(compared.reasons),
    }
    return json.dumps(_finite(answer), ensure_ascii=False, indent=2, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
