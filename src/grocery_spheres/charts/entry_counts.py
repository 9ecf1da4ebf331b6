"""Which numbers of entry and survival does the prose of notebook 03 name? By id: value, ends, unit."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl

from grocery_spheres.charts.entry_rows import CAME, NEVER, NO_SPHERE, grocers_with_fate
from grocery_spheres.entry.markets import market_panel

Counts = dict[str, tuple[Any, ...]]
_USD = "USD of 2045 a week and household"
HALF_YEAR = dt.date(2045, 7, 1)  # the last half year on record begins
_FIRST = -6  # months: the first before an entry that figures show
EARLY = dt.date(2044, 3, 1)  # the first Spheres open


def raw_counts(panel: pl.DataFrame) -> Counts:
    """Compare towns that get a Sphere with towns that never do, plainly: before any opened, and at the end.

    Parameters
    ----------
    panel : polars.DataFrame
        As `entry_rows.grocers_by_town`.
    """
    came = pl.col("entry").is_not_null()
    spans = {"early": pl.col("period") < EARLY, "late": pl.col("period") >= HALF_YEAR}
    usd = {
        (name, reached): float(panel.filter(span, came == reached)["usd_week"].to_numpy().mean())
        for name, span in spans.items()
        for reached in (True, False)
    }
    early, late = (usd[name, True] - usd[name, False] for name in ("early", "late"))
    return {
        "entry.usd_never": (usd["late", False], _USD),
        "entry.raw_early": (early, _USD),
        "entry.raw_late": (late, _USD),
        "entry.raw_change": (usd["late", True] - usd["early", True], _USD),
    }


def effect_counts(found: Any, effects: pl.DataFrame, survivors: Any) -> Counts:
    """Name the average effect, its truth, what the naive regression and survivors give, and what could break.

    Shares are of what was to be expected without Spheres: by the estimate, what was sold less the effect.

    Parameters
    ----------
    found, survivors : EntryResults
        Of all grocers, and of those that never closed.
    effects : polars.DataFrame
        As `entry_rows.true_effects`.
    """
    after = effects.filter(pl.col("event_month") >= 0)
    truth, without = float(after["effect"].to_numpy().mean()), float(after["without"].to_numpy().mean())
    naive = found.two_way
    ends = (found.att, *found.conf_int())
    seen = float((after["effect"] + after["without"]).to_numpy().mean())
    year = found.event_study(window=(-6, 12)).filter(pl.col("event_time") == 12).row(0, named=True)
    return {
        "entry.att": (*ends, _USD),
        "entry.att_share": (*(one / (seen - found.att) for one in ends), "share of expected sales"),
        "entry.truth": (truth, _USD),
        "entry.truth_share": (truth / without, "share of sales without Spheres"),
        "entry.year": (year["att"], year["low"], year["high"], _USD),
        "entry.treated": (float(year["units"]), "towns"),
        "entry.pretrend_p": (found.pre_trends.pvalue, "probability"),
        "entry.breakdown": (
            found.sensitivity_from(_FIRST).breakdown,
            "times the largest step before the entry",
        ),
        "entry.naive": (naive.coefficient, naive.low, naive.high, _USD),
        "entry.naive_off": (naive.difference, naive.difference_low, naive.difference_high, _USD),
        "entry.naive_negative": (naive.negative_share, "share of treated town-months"),
        "entry.survivors": (survivors.att, *survivors.conf_int(), _USD),
        "entry.survivors_short": ((survivors.att - truth) / abs(truth), "share of the effect"),
    }


def source_counts(county: Any, store_days: Any, effects: pl.DataFrame) -> Counts:
    """Hold what Spheres sell in the last half year against what grocers of their towns lost to them in truth.

    Parameters
    ----------
    county : County
        With `stores`, `households`, `towns`.
    store_days : any Narwhals frame
        Of this county, of the arm with Spheres.
    effects : polars.DataFrame
        As `entry_rows.true_effects`.
    """
    sold = market_panel(store_days, county.stores, kind="sphere", households=county.households)
    late = pl.col("period") >= HALF_YEAR
    spheres = float(sold.filter(late)["usd_week"].to_numpy().mean())
    lost = float(effects.filter(late)["effect"].to_numpy().mean())
    return {
        "entry.spheres_usd": (spheres, _USD),
        "entry.truth_late": (lost, _USD),
        "entry.not_from_grocers": (1 + lost / spheres, "share of Spheres' sales"),
    }


def survival_counts(found: Any, county: Any) -> Counts:
    """Name the shares still open, their difference, its truth, and the tests.

    Parameters
    ----------
    found : SurvivalResults
        Of `entry_rows.grocers_with_fate`, by `group`.
    county : County
        With its truth.
    """
    reached = grocers_with_fate(county).filter("came")
    booked = county.truth("store_months").filter(pl.col("arm") == NO_SPHERE, "closes")
    otherwise = booked.join(reached, on="store_id", how="semi").height
    gone = reached.filter(pl.col("closed").is_not_null())
    closed, independent = gone.height, gone.filter(pl.col("kind") == "independent").height
    both = gone.join(booked, on="store_id", how="semi").height
    shares = dict(
        found.survival.filter(pl.col("day") <= found.horizon_days)
        .sort("months")
        .group_by("group", maintain_order=True)
        .last()
        .select("group", "survival")
        .iter_rows()
    )
    return {
        "entry.open_came": (shares[CAME], "share of grocers"),
        "entry.open_never": (shares[NEVER], "share of grocers"),
        "entry.survival": (found.difference, *found.conf_int(), "share of grocers"),
        "entry.survival_truth": ((otherwise - closed) / reached.height, "share of grocers"),
        "entry.closed": (float(closed), "grocers"),
        "entry.closed_independent": (float(independent), "grocers"),
        "entry.closed_otherwise": (float(otherwise), "grocers"),
        "entry.closed_both": (float(both), "grocers"),
        "entry.logrank_p": (found.logrank["pvalue"], "probability"),
        "entry.permutation_p": (found.logrank["permutation_pvalue"], "probability"),
    }
