"""What do notebook 04's pictures show of one account: its parts, the weeks after, who is followed?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from grocery_spheres.accounting.following import ELSEWHERE, OWN, customers
from grocery_spheres.accounting.picture import bars
from grocery_spheres.accounting.ratios import ranked
from grocery_spheres.accounting.records import Array, read_records
from grocery_spheres.accounting.results import Account
from grocery_spheres.accounting.spans import ANTICIPATION, DAILY, WEEK, spans_of
from grocery_spheres.accounting.wording import by_part
from grocery_spheres.charts.outage_rows import dark_ids
from grocery_spheres.county.load import County
from grocery_spheres.county.world import SPHERE
from grocery_spheres.validation.account_lives import Lives
from grocery_spheres.validation.account_truth import true_parts

_MEASURES = {"baskets": "Baskets", "sales_usd": "Dollars of 2045"}
_KINDS = {"independent": "independent grocers", "chain": "chain grocers"}
_TELLS = {
    "diverted to independent grocers": "To independent grocers",
    "diverted to chain grocers": "To chain grocers",
    "diverted to other stores": "Left over between kinds",
}
AT_DARK, AT_OTHERS = "at the dark Spheres", "at other stores"


def asked(county: County) -> dict[str, Any]:
    """Return what an account of the county's outage is told, beside baskets and outage.

    Spheres that were not dark are compared with, in towns with the event for towns with it, in others for
    others; grocers are told apart by kind.
    """
    towns = county.towns.select("town_id", "event")
    stores = county.stores.join(towns, on="town_id", how="left", validate="m:1")
    dark = dark_ids(county)
    spheres = stores.filter(pl.col("store_id").str.starts_with(SPHERE))["store_id"]
    kinds = {
        label: stores.filter(pl.col("kind") == kind)["store_id"].to_list() for kind, label in _KINDS.items()
    }
    return {
        "donors": [store for store in spheres if store not in dark],
        "strata": dict(stores.select("store_id", "event").iter_rows()),
        "rivals": kinds,
    }


def part_rows(found: Account, expected: pl.DataFrame) -> pl.DataFrame:
    """Lay the parts of an account end to end, in per cent of what was lost, beside the expected truth.

    Parameters
    ----------
    found : Account
        The account.
    expected : polars.DataFrame
        The county's truth `account`.

    Returns
    -------
    polars.DataFrame
        One row = one measure and part: `measure`, `part`, `of`, `share (%)`, `low (%)`, `high (%)`,
        `truth (%)` (of all households in expectation; null for what was lost), `from (%)`, `to (%)`,
        `line from (%)`, `line to (%)`, `truth at (%)`, `words`.
    """
    every = expected.filter(group="all")
    made = []
    for measure, name in _MEASURES.items():
        truth = dict(every.filter(measure=measure).select("part", "share_of_lost").iter_rows())
        shares = by_part(found, measure)
        for bar in bars(found, measure).to_dicts():
            made.append({"measure": name, **_laid(bar, shares[bar["part"]], truth, shares["lost"])})
    return pl.DataFrame(made)


def _laid(
    bar: dict[str, Any], row: dict[str, Any], truth: Mapping[str, float], lost: dict[str, Any]
) -> dict[str, Any]:
    whole, is_lost = lost["estimate"], bar["part"] == "lost"
    ends = (row["low"] / whole, row["high"] / whole) if is_lost else (row["share_low"], row["share_high"])
    start, known = bar["start"] / whole, None if is_lost else truth.get(bar["part"], 0.0)
    return {
        "part": bar["part"],
        "of": bar["of"],
        "share (%)": 100 * row["share"],
        "low (%)": 100 * ends[0],
        "high (%)": 100 * ends[1],
        "truth (%)": None if known is None else 100 * known,
        "from (%)": 100 * start,
        "to (%)": 100 * bar["stop"] / whole,
        "line from (%)": 100 * (start + ends[0]),
        "line to (%)": 100 * (start + ends[1]),
        "truth at (%)": None if known is None else 100 * (start + known),
        "words": _said(row, ends, known),
    }


def _said(row: dict[str, Any], ends: tuple[float, float], known: float | None) -> str:
    name = _TELLS.get(row["part"], str(row["part"]).capitalize())
    if known is None:
        return f"{name}: {row['estimate']:,.0f} ({row['low']:,.0f} to {row['high']:,.0f})".replace("-", "−")
    span = f"{100 * ends[0]:.0f} to {100 * ends[1]:.0f}"
    return f"{name}: {100 * row['share']:.0f} % ({span}); expected {100 * known:.0f} %".replace("-", "−")


def realised(found: Account, lives: Lives, county: County) -> dict[str, float]:
    """Return what the followed households did in truth, less what they would have done, in baskets."""
    day = county.recipe.parameters.outage_date
    return true_parts(
        lives.trips,
        _otherwise(lives),
        dark=found.facts["dark"],
        followed=found.facts["followed_ids"],
        window=(day, day),
        after=28,
        rivals=asked(county)["rivals"],
    )


def _otherwise(lives: Lives) -> pl.DataFrame:
    before = lives.trips.filter(pl.col("date") < lives.otherwise["date"].min())
    return pl.concat([before, lives.otherwise])


def beside_truth(found: Account, true: Mapping[str, float]) -> pl.DataFrame:
    """Put each part of an account beside what was so in truth, for the followed households, in baskets.

    Returns
    -------
    polars.DataFrame
        One row = one part: `part`, `verdict`, `baskets`, `low`, `high`, `seen from` (the smallest amount that
        would be seen four times in five), `happened`.
    """
    shown = ["lost", "diverted", "delayed", "forgone", "dark stores' net loss", "all stores' net loss"]
    shown += ["not followed", "lost in all"]
    rows = found.frame.filter(pl.col("part").is_in(shown), measure="baskets")
    return rows.select(
        "part",
        "verdict",
        pl.col("estimate").alias("baskets"),
        "low",
        "high",
        pl.col("detectable").alias("seen from"),
        pl.col("part").replace_strict(dict(true), return_dtype=pl.Float64).alias("happened"),
    )


def week_rows(found: Account, lives: Lives, county: County) -> pl.DataFrame:
    """Return baskets a day more or less than expected, at the dark Spheres and elsewhere, by week.

    Returns
    -------
    polars.DataFrame
        One row = one place and week after the outage (0: its day): `place`, `week`, `baskets a day`, `low`,
        `high`, `truth` (of the followed households, realised).
    """
    true = _true_gaps(found, lives, county.recipe.parameters.outage_date)
    rows = []
    for place, name in ((OWN, AT_DARK), (ELSEWHERE, AT_OTHERS)):
        first = (found.effect[0, place, DAILY], found.errors[:, 0, place, DAILY])
        weeks = [first, *_weekly(found.gap[0, place], found.daily_errors[:, 0, place])]
        for week, (value, errors) in enumerate(weeks):
            low, high = ranked(float(value), errors).interval(found.alpha)
            rows.append((name, week, float(value), low, high, true[name][week]))
    names = ["place", "week", "baskets a day", "low", "high", "truth"]
    return pl.DataFrame(rows, schema=names, orient="row")


def _weekly(gap: Array, errors: Array) -> list[tuple[float, Array]]:
    weeks = gap.shape[-1] // WEEK
    spans = [slice(WEEK * week, WEEK * (week + 1)) for week in range(weeks)]
    return [(float(gap[one].mean()), errors[:, one].mean(axis=1)) for one in spans]


def _true_gaps(found: Account, lives: Lives, day: dt.date) -> dict[str, list[float]]:
    """Return the followed households' realised change, a day, in the outage and week by week after it."""
    dark, followed = found.facts["dark"], found.facts["followed_ids"]
    weeks = found.gap.shape[-1] // WEEK
    counted = []
    for trips in (lives.trips, lives.otherwise):
        mine = trips.filter(pl.col("household_id").is_in(followed), pl.col("date") >= day)
        since = (pl.col("date") - day).dt.total_days()
        here = pl.col("store_id").is_in(dark).alias("here")
        week = ((since + WEEK - 1) // WEEK).alias("week")
        sums = mine.group_by(here, week).agg(pl.len()).rows()
        counted.append({(bool(here), int(week)): int(many) for here, week, many in sums})
    return {
        name: [
            (counted[0].get((here, week), 0) - counted[1].get((here, week), 0)) / (WEEK if week else 1)
            for week in range(weeks + 1)
        ]
        for name, here in ((AT_DARK, True), (AT_OTHERS, False))
    }


def fading_rows(baskets: pl.DataFrame, stores: Sequence[Any], day: dt.date, least: int) -> pl.DataFrame:
    """Follow regular customers, chosen in some weeks, at their stores, where nothing happened.

    Parameters
    ----------
    baskets : polars.DataFrame
        One row = one basket.
    stores : sequence of ids
        Stores that sell all along.
    day : datetime.date
        The day on which an outage might begin: the weeks before it choose, and tell what was usual.
    least : int
        Days of the choosing weeks on which they came at least.

    Returns
    -------
    polars.DataFrame
        One row = one week: `week` (of the record), `days` ("chosen on these", "what was usual", "apart",
        "measured"), `baskets a day` (of all followed customers at their own store).
    """
    records = read_records(baskets, ["baskets"])
    start = (day - records.first).days
    spans = spans_of(start, WEEK, records.days, anticipation=ANTICIPATION, after=ANTICIPATION, named="it")
    regular = customers(records, spans, least)
    places = [records.place(store, "store") for store in stores]
    mine = (regular & records.marked(np.array(places))[records.pair_store])[records.pair]
    daily = np.bincount(records.day[mine], records.baskets[mine], minlength=records.days)
    named = {
        "chosen on these": spans.selection,
        "what was usual": spans.baseline,
        "apart": spans.before,
        "measured": slice(spans.outage.start, spans.after.stop),
    }
    rows = [
        (first // WEEK + 1, name, float(daily[first : first + WEEK].mean()))
        for name, span in named.items()
        for first in range(span.start, span.stop - WEEK + 1, WEEK)
    ]
    return pl.DataFrame(rows, schema=["week", "days", "baskets a day"], orient="row")
