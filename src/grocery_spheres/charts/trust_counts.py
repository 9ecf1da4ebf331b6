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
from grocery_spheres.validation.injected_proof import MAIN, REACTING_DAYS

Counts = dict[str, tuple[Any, ...]]

_SHARE = "share of intervals"
_LOSS = "share of the mean loss"
_UNITS = "units of the outcome"
_CELLS = {
    "short_naive": ("six weeks before", "last four weeks", "coverage"),
    "short_unbounded": ("six weeks before", "synthetic control", "unbounded"),
    "hull_width": ("unit outside its donors", "synthetic control", "width"),
    "low_did": ("unit chosen at a low", "difference in differences", "bias"),
    "gain_shift": ("donors that gain", "synthetic control", "shift"),
    "gain_bound": ("donors that gain", "synthetic control", "bound"),
}  # number -> design, method and column that prose cites


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
    return counts | size_counts() | {"injected.each": (float(each["seed"].n_unique()), "outages a length")}


def size_counts() -> Counts:
    """Count how large errors are beside losses, and how many reported intervals include no loss."""
    short = {"all lost": "dark", "half down": "half"}
    sizes = trust_rows.size_rows()
    week = sizes.filter(pl.col("days") == REACTING_DAYS).to_dicts()
    return {
        **{f"injected.error_{short[row['reaction']]}": (row["error (%)"] / 100, _LOSS) for row in week},
        "injected.week_baskets": (float(sum(row["baskets"] for row in week) / len(week)), "baskets a week"),
        "injected.no_loss": (_no_loss(sizes), _SHARE),
        **{
            f"injected.no_loss_{short[str(kind)]}": (_no_loss(part), _SHARE)
            for (kind,), part in sizes.group_by("reaction")
        },
    }


def _no_loss(sizes: pl.DataFrame) -> float:
    """Return the share of reported intervals that include no loss."""
    shares, made = sizes["none (%)"].to_numpy(), sizes["reported"].to_numpy()
    return float((shares * made).sum() / made.sum() / 100)


def coverage_counts() -> Counts:
    """Count how often the default method's intervals held, own and corrected, over all outages."""
    words = {
        "the model's own": "own",
        "corrected by other stores": "corrected",
        "as it is reported": "reported",
    }
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
    apart = trust_rows.coverage_rows().filter(pl.col("interval") == "as it is reported")
    worst = apart.sort((pl.col("coverage") - pl.col("level")).abs(), descending=True).row(0, named=True)
    off = {
        name: (part["coverage"] - part["level"]).abs().to_numpy().max()
        for (name,), part in trust_rows.coverage_rows().group_by("interval")
    }
    reported = next(row["outages"] for row in rows if words[row["interval"]] == "reported")
    return counts | {
        **{f"injected.{words[str(name)]}_worst": (float(most), "points") for name, most in off.items()},
        "injected.reported": (float(reported), "outages"),
        "injected.reported_days": (float(worst["group"].split()[0]), "days"),
        "injected.reported_level": (worst["level"] / 100, _SHARE),
        "injected.reported_low": (*(worst[end] / 100 for end in ("coverage", "low", "high")), _SHARE),
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
    ours = {row["design"]: row for row in hostile.filter(pl.col("method") == "structural").to_dicts()}
    own = [ours[BREAKS][end] / 100 for end in ("coverage", "low", "high")]
    return counts | {
        **{f"designs.{name}": _cell(hostile, *where) for name, where in _CELLS.items()},
        "designs.panels": (float(kind["structural"]["panels"]), "panels"),
        "designs.cases": (float(hostile.height), "designs and methods"),
        "designs.broken": (float(hostile["breaks"].sum()), "designs and methods"),
        "designs.broken_structural": (float(sum(row["breaks"] for row in ours.values())), "designs"),
        "designs.holiday_own": (*own, _SHARE),
        "designs.holiday_corrected": (held["coverage"], held["low"], held["high"], _SHARE),
        "designs.holiday_panels": (float(held["intervals"]), "panels"),
    }


def _cell(rows: pl.DataFrame, design: str, method: str, what: str) -> tuple[float, str]:
    """Return one value of `design_rows` with its unit."""
    value = float(rows.filter(pl.col("design") == design, pl.col("method") == method)[what].item())
    return (value / 100, _SHARE) if what in ("coverage", "unbounded") else (value, _UNITS)


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
