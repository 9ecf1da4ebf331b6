"""What do notebook 04's pictures show of many accounts, in counties and in public records?"""

from __future__ import annotations

import polars as pl

from grocery_spheres.accounting.verdict import FOUND, NONE_SEEN, NOT_ESTIMABLE
from grocery_spheres.validation import bias, coverage, read
from grocery_spheres.validation.account_county_proof import PARTS as COUNTY_PARTS
from grocery_spheres.validation.account_county_proof import RETENTION
from grocery_spheres.validation.account_injected_proof import NEVER, PARTS, REACTIONS, TWO

_SHOWN = PARTS[:5]  # the parts of the account; the others are the days before
_VERDICTS = (FOUND, NONE_SEEN, NOT_ESTIMABLE)
_POINTS = 100


def injected() -> pl.DataFrame:
    """Return the accounts of injected outages of one store, a row a part."""
    return read("account_injected").filter(pl.col("reaction").is_in(list(REACTIONS)))


def held_rows() -> pl.DataFrame:
    """Return how often intervals of injected outages held the truth, by part and level.

    Returns
    -------
    polars.DataFrame
        One row = one level and part: `level`, `part`, `coverage`, `low`, `high` (%; 95 % for so many
        outages), `outages`.
    """
    table = injected().filter(pl.col("part").is_in(_SHOWN))
    parts = []
    for level, ends in ((90, ("low90", "high90")), (95, ("low", "high"))):
        covered = table.with_columns(level=pl.lit(level), covered=pl.col("truth").is_between(*ends))
        parts.append(coverage(covered, ["level", "part"]))
    return pl.concat(parts).select(
        "level",
        "part",
        pl.col("coverage", "low", "high") * _POINTS,
        pl.col("intervals").alias("outages"),
    )


def verdict_rows() -> pl.DataFrame:
    """Return which share of the accounts of injected outages of one store says what of each part.

    Returns
    -------
    polars.DataFrame
        One row = one part and verdict: `part`, `verdict`, `accounts (%)`, `place` (of the verdict).
    """
    table = injected().filter(pl.col("part").is_in(_SHOWN))
    counts = table.group_by("part", "verdict").agg(pl.len().alias("accounts"))
    grid = pl.DataFrame({"part": _SHOWN}).join(pl.DataFrame({"verdict": _VERDICTS}), how="cross")
    filled = grid.join(counts, on=["part", "verdict"], how="left", maintain_order="left").fill_null(0)
    share = _POINTS * pl.col("accounts") / pl.col("accounts").sum().over("part")
    place = pl.col("verdict").replace_strict({name: n for n, name in enumerate(_VERDICTS)})
    return filled.select("part", "verdict", share.alias("accounts (%)"), place=place)


def never_rows() -> pl.DataFrame:
    """Return how often something was found where nothing happened, by part.

    Returns
    -------
    polars.DataFrame
        One row = one part: `part`, `found at 5 %`, `low`, `high`, `found at 10 %` (% of accounts; the range
        for so many of them), `accounts`.
    """
    table = read("account_injected").filter(reaction=NEVER).filter(pl.col("part").is_in(PARTS))
    at_five = coverage(table.with_columns(covered=pl.col("pvalue") <= 0.05), ["part"])
    at_ten = coverage(table.with_columns(covered=pl.col("pvalue") <= 0.1), ["part"])
    return at_five.select(
        "part",
        (_POINTS * pl.col("coverage")).alias("found at 5 %"),
        pl.col("low") * _POINTS,
        pl.col("high") * _POINTS,
        pl.Series("found at 10 %", _POINTS * at_ten["coverage"]),
        pl.col("intervals").alias("accounts"),
    )


def refused() -> int:
    """Count accounts that were refused in the injected proof."""
    return read("account_injected").filter(part="refused").height


def mean_errors() -> pl.DataFrame:
    """Return the mean error of accounts of one store's injected outage, by part."""
    return bias(injected().filter(pl.col("part").is_in(_SHOWN)), ["part"])


def two_stores() -> pl.DataFrame:
    """Return the mean error where two stores that share customers were dark at once, by part."""
    table = read("account_injected").filter(reaction=TWO).filter(pl.col("part").is_in(_SHOWN))
    covered = coverage(table.with_columns(covered=pl.col("truth").is_between("low", "high")), ["part"])
    errors = bias(table, ["part"])
    return errors.join(covered.select("part", "coverage"), on="part", validate="1:1")


def seed_rows() -> pl.DataFrame:
    """Return by how much each large county's shares miss what is expected of them.

    Returns
    -------
    polars.DataFrame
        One row = one county and part: `seed`, `part`, `error (points)` of what was lost (of retention: of the
        gain).
    """
    shown = ("diverted", "diverted to independent grocers", "diverted to chain grocers", "delayed", "forgone")
    table = read("account_county").filter(pl.col("part").is_in([*shown, RETENTION]), county="large")
    error = _POINTS * (pl.col("share") - pl.col("expected_share"))
    return table.select("seed", "part", error.alias("error (points)")).drop_nulls()


def county_rows() -> pl.DataFrame:
    """Return errors in large counties and coverage in small ones, by part.

    Returns
    -------
    polars.DataFrame
        One row = one part: `part`, `mean error`, `low`, `high` (points, large counties; 95 %), `error of one
        county` (points, standard deviation), `expected (%)`, `held (%)` (of 90 % intervals in small ones).
    """
    large = (
        seed_rows()
        .group_by("part", maintain_order=True)
        .agg(
            pl.mean("error (points)").alias("mean error"),
            pl.std("error (points)").alias("error of one county"),
            pl.len().alias("counties"),
        )
    )
    half = 1.96 * pl.col("error of one county") / pl.col("counties").sqrt()
    known = read("account_county").filter(county="large").group_by("part").agg(pl.mean("expected_share"))
    return (
        large.with_columns(low=pl.col("mean error") - half, high=pl.col("mean error") + half)
        .join(known, on="part", validate="1:1", maintain_order="left")
        .join(small_coverage().select("part", "coverage"), on="part", validate="1:1", maintain_order="left")
        .select(
            "part",
            "mean error",
            "low",
            "high",
            "error of one county",
            (_POINTS * pl.col("expected_share")).alias("expected (%)"),
            (_POINTS * pl.col("coverage")).alias("held (%)"),
        )
    )


def signs() -> float:
    """Return the share of large counties in which retention has the sign of what is expected."""
    table = read("account_county").filter(county="large", part=RETENTION)
    same = (pl.col("share") > 0) == (pl.col("expected_share") > 0)
    return float(table.select(same.mean()).item())


def small_coverage() -> pl.DataFrame:
    """Return how often 90 % intervals held in small counties, by part, with the range for so many."""
    small = read("account_county").filter(pl.col("part").is_in([*COUNTY_PARTS, RETENTION]), county="small")
    inside = (pl.col("realised") >= pl.col("low")) & (pl.col("realised") <= pl.col("high"))
    return coverage(small.with_columns(covered=inside), ["part"])
