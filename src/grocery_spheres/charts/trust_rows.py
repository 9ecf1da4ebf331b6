"""What do notebook 05's pictures show: errors beside the floor, coverage, where methods break?"""

from __future__ import annotations

import numpy as np
import polars as pl

from grocery_spheres.outage.agreement import MethodsCompared
from grocery_spheres.outage.injected import Injected
from grocery_spheres.outage.results import OutageResults
from grocery_spheres.validation import coverage, read
from grocery_spheres.validation.designs import DESIGNS
from grocery_spheres.validation.injected_proof import DEFAULT, LENGTHS, MAIN
from grocery_spheres.validation.injected_scores import SIZES, covered, main_rows, ratios

METHODS = {
    "structural": "structural",
    "synthetic_control": "synthetic control",
    "synthetic_did": "synthetic DiD",
    "did": "difference in differences",
    "seasonal_naive": "last four weeks",
}
"""The methods in a reader's words, the default first."""

_KINDS = {"own": "the model's own", "corrected": "corrected by other stores", "default": "as it is reported"}
PROMISED = 95.0  # % of the intervals of the designs
_LEVEL = 1.96  # standard errors: 95 %
BEFORE = 42  # days before the example's outage that are shown


def error_rows() -> pl.DataFrame:
    """Return each method's error on injected outages, in times the Poisson floor.

    Returns
    -------
    polars.DataFrame
        One row = one length and method: `days`, `method`, `times the floor`, `low`, `high`, `bias (baskets)`,
        `outages`, `best` (the default method).
    """
    found = ratios(read("injected"))
    return found.select(
        "days",
        pl.col("method").replace_strict(METHODS),
        pl.col("ratio").alias("times the floor"),
        "low",
        "high",
        pl.col("bias").alias("bias (baskets)"),
        "outages",
        best=pl.col("method") == DEFAULT,
    ).sort("days", pl.col("method").replace_strict({name: n for n, name in enumerate(METHODS.values())}))


def size_rows() -> pl.DataFrame:
    """Return how large errors and intervals are beside the losses, by length and by what was stopped.

    Returns
    -------
    polars.DataFrame
        One row = one length and reaction: `days`, `reaction`, `outages`, `baskets` (median expected in the
        window), `error (%)` (root mean square error of the default method over the mean loss), `none (%)` (of
        the reported intervals, those that include no loss at all), `reported` (how many were made).
    """
    rows = main_rows(read("injected")).filter(pl.col("method") == DEFAULT)
    return (
        rows.group_by("days", "reaction")
        .agg(
            outages=pl.len(),
            baskets=pl.median("expected"),
            **{
                "error (%)": 100 * (pl.col("error") ** 2).mean().sqrt() / -pl.col("truth").mean(),
                "none (%)": 100 * (pl.col("best_high") >= 0).drop_nulls().mean(),
            },
            reported=pl.col("best_high").count(),
        )
        .sort("days", "reaction")
    )


def coverage_rows() -> pl.DataFrame:
    """Return how often the default method's 90 % and 95 % intervals held an injected truth.

    Returns
    -------
    polars.DataFrame
        One row = one level and group of outages: `level`, `group` ("3 days", "large stores", ...),
        `interval`, `coverage`, `low`, `high` (%; 95 % for so many outages), `outages`.
    """
    table = covered(read("injected"))
    named = table.with_columns(
        length=pl.format("{} days", "days"), thirds=pl.format("{} stores", "size"), all=pl.lit("all outages")
    )
    parts = [
        coverage(named, ["level", "interval", column]).rename({column: "group"})
        for column in ("all", "length", "thirds")
    ]
    order = ["all outages", *[f"{days} days" for days in LENGTHS], *[f"{size} stores" for size in SIZES]]
    joined = pl.concat(parts).with_columns(pl.col("coverage", "low", "high") * 100)
    place = pl.col("group").replace_strict({name: n for n, name in enumerate(order)})
    return joined.select(
        "level",
        "group",
        pl.col("interval").replace_strict(_KINDS),
        "coverage",
        "low",
        "high",
        pl.col("intervals").alias("outages"),
    ).sort("level", place, "interval")


def design_rows() -> pl.DataFrame:
    """Return how often methods' own 95 % intervals held a simulated truth, design by design.

    Returns
    -------
    polars.DataFrame
        One row = one design and method: `design`, `method`, `coverage` (%), `low`, `high`, `width` (median,
        of the outcome), `unbounded` (% of intervals without ends, which hold anything), `RMSE`, `bias`,
        `bound` and `shift` (mean effect of the donors' gains, as the weights foretell it, null without
        weights; and as it is), `panels`, `breaks` (the range of the coverage lies below what was promised).
    """
    table = read("designs").filter(pl.col("method").is_in(list(METHODS)))
    table = table.with_columns(
        error=pl.col("estimate") - pl.col("truth"),
        covered=pl.col("truth").is_between("low", "high"),
        width=pl.col("high") - pl.col("low"),
    )
    by = ["design", "method"]
    held = coverage(table, by).select(
        *by, pl.col("coverage", "low", "high") * 100, pl.col("intervals").alias("panels")
    )
    more = table.group_by(by).agg(
        pl.median("width"),
        unbounded=100 * pl.col("width").is_infinite().mean(),
        RMSE=(pl.col("error") ** 2).mean().sqrt(),
        bias=pl.mean("error"),
        bias_error=pl.col("error").std() / pl.len().sqrt(),
        bound=pl.mean("bound"),
        shift=pl.mean("shift"),
    )
    rows = held.join(more, on=by, how="left", validate="1:1").with_columns(breaks=pl.col("high") < PROMISED)
    first = pl.col("design").replace_strict({name: n for n, name in enumerate(DESIGNS)})
    second = pl.col("method").replace_strict({name: n for n, name in enumerate(METHODS)})
    return rows.sort(first, second).with_columns(pl.col("method").replace_strict(METHODS))


def rival_rows() -> pl.DataFrame:
    """Return how far a week's injected loss is overstated where rivals serve as donors.

    Each outage is estimated with the stores that took trips in among its ten donors and without them; the
    difference is theirs, on the same noise.

    Returns
    -------
    polars.DataFrame
        One row = one reaction and method: `reaction`, `method`, `overstated` (% of the true loss, with
        rivals minus without), `low`, `high` (95 %), `foretold` (%, by the donors' weights; null without),
        `outages`.
    """
    table = read("injected").filter(~pl.col("reaction").is_in(MAIN))
    by = ["seed", "reaction", "method"]
    among = table.filter(~pl.col("rivals")).select(*by, "truth", "estimate", "bound")
    paired = among.join(
        table.filter("rivals").select(*by, "estimate"), on=by, suffix="_without", validate="1:1"
    )
    rows = []
    for (reaction, method), part in paired.group_by("reaction", "method", maintain_order=True):
        more, lost = (part["estimate_without"] - part["estimate"]).to_numpy(), -part["truth"].to_numpy()
        share = float(more.sum() / lost.sum())
        error = float((more - share * lost).std(ddof=1) / len(more) ** 0.5 / lost.mean())
        ends = (100 * (share - _LEVEL * error), 100 * (share + _LEVEL * error))
        known = part.drop_nulls("bound")
        told = 100 * float((known["bound"] * -known["truth"]).sum() / lost.sum()) if known.height else None
        rows.append((reaction, METHODS[str(method)], 100 * share, *ends, told, len(part)))
    names = ["reaction", "method", "overstated", "low", "high", "foretold", "outages"]
    return pl.DataFrame(rows, schema=names, orient="row")


def store_by_size(days: pl.DataFrame, rank: int) -> int:
    """Return the id of a store by the place of its baskets among those that trade all along.

    Parameters
    ----------
    days : polars.DataFrame
        One row = one store and date: `store_id`, `date`, `baskets` (null: not known).
    rank : int
        1: the largest.

    Examples
    --------
    >>> days = pl.DataFrame({"store_id": [7, 8], "date": ["a day", "a day"], "baskets": [3, 5]})
    >>> store_by_size(days, 2)
    7
    """
    sizes = days.group_by("store_id").agg(
        pl.sum("baskets"), known=pl.col("baskets").count(), days=pl.col("date").n_unique()
    )
    whole = sizes.filter((pl.col("known") == days["date"].n_unique()) & (pl.col("days") == pl.col("known")))
    return int(whole.sort("baskets", "store_id", descending=[True, False])["store_id"][rank - 1])


def example_rows(found: OutageResults, put: Injected, untouched: pl.DataFrame) -> pl.DataFrame:
    """Return one injected outage day by day: what was seen, expected, and would have been.

    Parameters
    ----------
    found : OutageResults
        The estimate.
    put : Injected
        The outage that was put in.
    untouched : polars.DataFrame
        Store-days without it: `store_id`, `date`, `baskets`.

    Returns
    -------
    polars.DataFrame
        One row = one day: `date`, `seen`, `expected`, `would have been`, `lost so far`, `low`, `high`,
        `truly lost so far` (the last four null before the outage), `dark`.
    """
    store = put.outage.units[0]
    real = untouched.filter(pl.col("store_id") == store).select("date", pl.col("baskets").alias("would"))
    gap = found.gap.rename({"time": "date"}).join(real, on="date", how="left", validate="1:1")
    first = int(np.flatnonzero(gap["dark"].to_numpy())[0])
    shown = gap.slice(first - BEFORE, BEFORE + int(gap["dark"].sum()) + 14)
    truly = (pl.col("would") - pl.col("observed")).cum_sum()
    since = shown.filter(pl.col("date") >= put.outage.start).select("date", truly=truly)
    joined = shown.join(since, on="date", how="left")
    return joined.select(
        "date",
        pl.col("observed").alias("seen"),
        "expected",
        pl.col("would").cast(pl.Float64).alias("would have been"),
        (-pl.col("running")).alias("lost so far"),
        (-pl.col("high")).alias("low"),
        (-pl.col("low")).alias("high"),
        pl.col("truly").cast(pl.Float64).alias("truly lost so far"),
        "dark",
    )


def method_rows(compared: MethodsCompared) -> pl.DataFrame:
    """Return the methods beside each other in a reader's words.

    Parameters
    ----------
    compared : MethodsCompared
        One outage by every method.

    Returns
    -------
    polars.DataFrame
        One row = one method: `method`, `lost`, `low`, `high`, `p`, `placebo error` (root mean square, over
        the window), `own interval held (%)` (of placebos).
    """
    cells = compared.results[0].study.cells
    return compared.frame.select(
        pl.col("method").replace_strict(METHODS),
        lost=-pl.col("cumulative"),
        low=-pl.col("high"),
        high=-pl.col("low"),
        p="pvalue",
        **{
            "placebo error": pl.col("placebo_rmse") * cells,
            "own interval held (%)": 100 * pl.col("placebo_coverage"),
        },
    )
