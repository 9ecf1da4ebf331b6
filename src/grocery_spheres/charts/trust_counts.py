"""Which numbers of notebook 05 does prose cite? By id, with interval and unit."""

from __future__ import annotations

from typing import Any

import polars as pl

from grocery_spheres.charts import trust_rows
from grocery_spheres.outage.agreement import MethodsCompared
from grocery_spheres.outage.injected import Injected
from grocery_spheres.outage.results import OutageResults
from grocery_spheres.validation import coverage, read
from grocery_spheres.validation.designs import BREAKS, CORRECTED, KIND
from grocery_spheres.validation.injected_proof import MAIN

Counts = dict[str, tuple[Any, ...]]

GOOD = 90.0  # % of nominal 95 % intervals below which a method counts as broken by a design
_SHARE = "share of intervals"


def error_counts() -> Counts:
    """Count errors beside the floor of the default method and the naive one, by length of the outage."""
    rows = trust_rows.error_rows().to_dicts()
    named = {"structural": "", "last four weeks": "naive_", "difference in differences": "did_"}
    counts: Counts = {
        f"injected.ratio_{named[row['method']]}{row['days']}": (
            row["times the floor"],
            row["low"],
            row["high"],
            "times the Poisson floor",
        )
        for row in rows
        if row["method"] in named
    }
    each = read("injected").filter(pl.col("reaction").is_in(MAIN))
    return counts | {"injected.each": (float(each["seed"].n_unique()), "outages a length")}


def coverage_counts() -> Counts:
    """Count how often the default method's intervals held, own and corrected, over all outages."""
    words = {"the model's own": "own", "corrected by placebos": "corrected", "as it is reported": "reported"}
    rows = trust_rows.coverage_rows().filter(pl.col("group") == "all outages").to_dicts()
    counts: Counts = {
        f"injected.{words[row['interval']]}_{row['level']}": (
            row["coverage"] / 100,
            row["low"] / 100,
            row["high"] / 100,
            _SHARE,
        )
        for row in rows
    }
    parts = trust_rows.coverage_rows().filter(pl.col("interval") == "corrected by placebos")
    off = (parts["coverage"] - parts["level"]).abs().to_numpy().max()
    reported = next(row["outages"] for row in rows if words[row["interval"]] == "reported")
    return counts | {
        "injected.corrected_worst": (float(off), "points"),
        "injected.reported": (float(reported), "outages"),
    }


def design_counts() -> Counts:
    """Count coverage, width and error on the kind design, and what the hostile ones break."""
    rows = trust_rows.design_rows()
    kind = {row["method"]: row for row in rows.filter(pl.col("design") == KIND).to_dicts()}
    counts: Counts = {}
    for key, name in {"structural": "structural", "sc": "synthetic control"}.items():
        row = kind[name]
        ends = (row["coverage"] / 100, row["low"] / 100, row["high"] / 100)
        counts[f"designs.cover_{key}"] = (*ends, _SHARE)
        counts[f"designs.width_{key}"] = (row["width"], "units of the outcome")
        counts[f"designs.rmse_{key}"] = (row["RMSE"], "units of the outcome")
    mended = read("designs").filter(pl.col("design") == BREAKS, pl.col("method") == CORRECTED)
    held = coverage(mended.with_columns(covered=pl.col("truth").is_between("low", "high"))).row(0, named=True)
    hostile = rows.filter(pl.col("design") != KIND)
    broken = hostile.filter(pl.col("coverage") < GOOD)
    ours = hostile.filter(pl.col("method") == "structural")
    return counts | {
        "designs.panels": (float(kind["structural"]["panels"]), "panels"),
        "designs.hostile": (float(hostile["panels"].to_numpy().max()), "panels a design"),
        "designs.cases": (float(hostile.height), "designs and methods"),
        "designs.broken": (float(broken.height), "designs and methods"),
        "designs.broken_structural": (float(ours.filter(pl.col("coverage") < GOOD).height), "designs"),
        "designs.holiday_corrected": (held["coverage"], held["low"], held["high"], _SHARE),
        "designs.holiday_panels": (float(held["intervals"]), "panels"),
        "designs.worst_structural": (float(ours["coverage"].to_numpy().min()) / 100, _SHARE),
    }


def rival_counts() -> Counts:
    """Count by how much rivals among the donors raise a loss of which most was diverted."""
    rows = trust_rows.rival_rows().filter(pl.col("reaction") == "diverted").to_dicts()
    short = {"structural": "structural", "difference in differences": "did"}
    counts: Counts = {
        f"injected.rivals_{short[row['method']]}": (
            row["overstated"] / 100,
            row["low"] / 100,
            row["high"] / 100,
            "share of the true loss",
        )
        for row in rows
    }
    told = next(row["foretold"] for row in rows if row["foretold"] is not None)
    return counts | {"injected.rivals_foretold": (told / 100, "share of the true loss")}


def example_counts(found: OutageResults, put: Injected, compared: MethodsCompared) -> Counts:
    """Count what one injected outage cost, what was estimated, and how far methods lie apart."""
    low, high = found.conf_int(what="cumulative")
    losses = sorted(-one.cumulative for one in compared.results)
    calibration = found.calibration
    counts: Counts = {
        "injected.example_true": (-put.effect(), "baskets"),
        "injected.example_lost": (-found.cumulative, -high, -low, "baskets"),
        "injected.example_p": (found.pvalue, "p-value"),
        "injected.example_least": (losses[0], "baskets"),
        "injected.example_most": (losses[-1], "baskets"),
    }
    if calibration is not None:
        least = calibration.detectable(found.found.scale) * found.study.cells
        counts["injected.example_held"] = (calibration.coverage(), _SHARE)
        counts["injected.example_placebos"] = (float(calibration.placebos.height), "placebos")
        counts["injected.example_detectable"] = (least, "baskets")
    return counts
