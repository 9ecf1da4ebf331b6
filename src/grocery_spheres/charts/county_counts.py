"""The numbers of notebook 02 for prose: id to value and unit, taken from the tables that its figures show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from grocery_spheres.charts import county_lens as lens
from grocery_spheres.charts.county_rows import KINDS, WITH, WITHOUT
from grocery_spheres.county.assumptions import assumptions

Counts = dict[str, tuple[float, str]]

_KINDS = {
    "assumed": "assumed",
    "shaped": "shaped",
    "recalled": "recalled",
    "tuned": "tuned",
    "told": "told",
    "assumptions": "all",
}
_CITED = ("distance_cost", "virtual_spread", "habit", "price_level")
_FINE = ("baskets by hour", "baskets by weekday")
_MISSES = {
    "baskets": ("baskets of a household", "mean"),
    "spending_half": ("spending of a household", "median"),
    "spending_quarter": ("spending of a household", "75% below"),
    "spending_tenth": ("spending of a household", "10% below"),
    "trips_tenth": ("trips of a household", "10% below"),
}
_STAYS = {
    "forced switchers who stay": "stay",
    "forced switchers who stay, that day's learning undone": "stay_habit",
    "forced switchers who stay, that day's habit undone": "stay_learning",
    "retention": "retention",
}


def world_counts(county: Any) -> Counts:
    """Count towns, cohorts, households and the Spheres that fail."""
    entries = county.towns["entry"]
    return {
        "county.towns": (len(county.towns), "towns"),
        "county.with_sphere": (len(entries.drop_nulls()), "towns"),
        "county.never": (entries.null_count(), "towns"),
        "county.cohorts": (entries.drop_nulls().n_unique(), "opening dates"),
        "county.households": (len(county.households), "households"),
        "county.dark": (len(county.outages), "Spheres"),
        "county.wholly_dark": (county.outages.filter(pl.col("share_down") == 1).height, "Spheres"),
    }


def source_counts(by_source: pl.DataFrame, parameters: Any) -> Counts:
    """Count the assumptions by what stands behind them, and state those that prose cites."""
    counted: Counts = {
        f"county.{name}": (int(by_source[column].sum()), "assumptions") for name, column in _KINDS.items()
    }
    stated = assumptions(parameters)
    return counted | {f"county.{name}": (getattr(parameters, name), stated[name].unit) for name in _CITED}


def home_counts(homes: pl.DataFrame) -> Counts:
    """Count the homes of the story's town, and those that shop most at each kind of store."""
    placed = homes.filter(what="home")
    names = zip(("sphere", "leo", "chain"), KINDS.values(), strict=True)
    by_kind: Counts = {
        f"county.homes_{name}": (placed.filter(kind=kind).height, "homes") for name, kind in names
    }
    return by_kind | {"county.homes": (placed.height, "homes")}


def calendar_counts(calendar: pl.DataFrame) -> Counts:
    """State the Spheres' share of baskets over the last 26 whole weeks."""
    share = calendar.filter(panel="share")["value"].tail(26).to_numpy().mean()
    return {"county.sphere_share": (float(share) / 100, "share of baskets")}


def target_counts(compared: pl.DataFrame) -> Counts:
    """Count targets and those that are met: levels, shares, both together ("named"), and all rows."""
    met = lens.met(compared)
    fine = compared.filter(pl.col("measure").is_in(_FINE))
    of = {"levels": met["levels"], "shares": met["shares"], "all": met["all"]}
    of["named"] = (of["levels"][0] + of["shares"][0], of["levels"][1] + of["shares"][1])
    of["hours"] = (int(fine["within"].sum()), fine.height)
    of["shares_wide"] = (of["shares"][0] - of["hours"][0], of["shares"][1] - of["hours"][1])
    return {
        f"targets.{name}{suffix}": (pair[place], "targets")
        for name, pair in of.items()
        for place, suffix in ((0, "_met"), (1, ""))
    }


def miss_counts(compared: pl.DataFrame) -> Counts:
    """State how far off the targets are that prose names, as a share of the target."""
    off = {(row["measure"], row["statistic"]): row["difference"] for row in compared.to_dicts()}
    return {f"targets.{name}": (off[key] / 100, "share of target") for name, key in _MISSES.items()}


def other_share(target: pl.DataFrame) -> float:
    """Return the share of public sales in departments that the county has no counterpart for."""
    rows = target.filter(measure="sales by department", statistic=lens.OTHER)
    return float(rows["value"].item())


def account_counts(account: pl.DataFrame) -> Counts:
    """State the expected account of all dark Spheres, with Monte Carlo errors.

    Parameters
    ----------
    account : polars.DataFrame
        The truth of that name.
    """
    of_all = account.filter(group="all")
    row = {(one["measure"], one["part"]): one for one in of_all.to_dicts()}
    lost = row["baskets", "lost"]
    counted: Counts = {
        "county.lost": (lost["expected"], "baskets"),
        "county.lost_error": (lost["mc_error"], "baskets"),
        "county.draws": (lost["draws"], "draws"),
    }
    for suffix, measure in {"": "baskets", "_usd": "sales_usd"}.items():
        for part in ("diverted", "delayed", "forgone"):
            one = row[measure, part]
            counted[f"county.{part}{suffix}"] = (one["share_of_lost"], "share of lost")
            counted[f"county.{part}{suffix}_error"] = (one["mc_error_share"], "share of lost")
    return counted


def day_counts(weeks: pl.DataFrame, day: Any) -> Counts:
    """State what dark Spheres and the grocers of their towns sold on a day, with the outage and without."""
    counted: Counts = {}
    for one in weeks.filter(pl.col("date") == day).to_dicts():
        counted[f"county.day_{one['stores']}"] = (one["baskets"], "baskets")
        counted[f"county.day_{one['stores']}_without"] = (one["without the outage"], "baskets")
    return counted


def outcome_counts(outcomes: pl.DataFrame) -> Counts:
    """State what remains of the switching, with Monte Carlo errors.

    Parameters
    ----------
    outcomes : polars.DataFrame
        The truth of that name.
    """
    counted: Counts = {}
    for one in outcomes.filter(pl.col("group") == "all", pl.col("outcome").is_in(list(_STAYS))).to_dicts():
        name = f"county.{_STAYS[one['outcome']]}"
        counted[name] = (one["value"], "share")
        counted[f"{name}_error"] = (one["mc_error"], "share")
    return counted


def turned_counts(outcomes: Mapping[str, pl.DataFrame]) -> Counts:
    """State who stays in several counties, by the name that each shall have in the numbers."""
    counted: Counts = {}
    for name, table in outcomes.items():
        value, error = (outcome_counts(table)[f"county.stay{suffix}"] for suffix in ("", "_error"))
        counted |= {f"county.{name}": value, f"county.{name}_error": error}
    return counted


def fate_counts(closings: pl.DataFrame, leo: pl.DataFrame) -> Counts:
    """Count the grocers that have closed in the end, and what the Spheres take from Leo in 2045."""
    end = closings.filter(pl.col("month") == pl.col("month").max())
    closed = {(arm, towns): count for arm, towns, count in end.select("arm", "towns", "closed so far").rows()}
    year = leo.filter(pl.col("month").dt.year() == leo["month"].dt.year().max())
    earned = dict(year.group_by("arm").agg(pl.sum("contribution (1000 USD)")).iter_rows())
    own = end.filter(arm=WITH, towns="that get a Sphere")["of them independent"].item()
    return {
        "county.closed_with": (closed[WITH, "that get a Sphere"], "grocers"),
        "county.closed_without": (closed[WITHOUT, "that get a Sphere"], "grocers"),
        "county.closed_never": (closed[WITH, "that never do"], "grocers"),
        "county.closed_never_without": (closed[WITHOUT, "that never do"], "grocers"),
        "county.closed_independent": (own, "grocers"),
        "county.leo": (earned[WITH] / earned[WITHOUT] - 1, "share"),
    }


def drift_counts(books: pl.DataFrame, stores: pl.DataFrame) -> Counts:
    """State how far sales of a kind of grocer drift in the first year without Spheres, first to last quarter.

    Parameters
    ----------
    books : polars.DataFrame
        The truth of store-months.
    stores : polars.DataFrame
        Of the county.
    """
    known = books.filter(arm="no sphere").join(
        stores.select("store_id", "kind"), on="store_id", validate="m:1"
    )
    quarter, year = pl.col("month").dt.quarter(), pl.col("month").dt.year() == books["month"].dt.year().min()
    sums = (
        known.filter(year)
        .group_by("kind", quarter.alias("quarter"))
        .agg(pl.sum("sales_usd") / pl.sum("days"))
    )
    a_day = {(kind, at): usd for kind, at, usd in sums.iter_rows()}
    return {
        f"county.drift_{kind}": (a_day[kind, 4] / a_day[kind, 1] - 1, "share of sales a store")
        for kind in ("independent", "chain")
    }
