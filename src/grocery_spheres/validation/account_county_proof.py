"""Does an account recover what the county's households did, and do its intervals cover it?

Synthetic evidence. Twenty large counties are held against what is expected over many draws of the days after
the outage's eve; small ones against what their own households did, with the outage and without.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import polars as pl

from grocery_spheres.accounting.estimate import account
from grocery_spheres.accounting.results import Account
from grocery_spheres.county import account as expected_account
from grocery_spheres.county.build import Recipe
from grocery_spheres.county.presets import preset
from grocery_spheres.county.world import SPHERE
from grocery_spheres.outage.outages import Outage
from grocery_spheres.validation.account_code import ACCOUNTS
from grocery_spheres.validation.account_lives import Lives, live_both
from grocery_spheres.validation.account_truth import true_parts
from grocery_spheres.validation.subjects import Rows, Subject

ALPHA = 0.1
LARGE = 20  # seeds of the preset `outage`, forty thousand households
PLACEBOS = 199
DRAWS = 70  # mornings: leave an error of about 0.2 points in a diversion ratio
SMALL = {
    "towns": 24,
    "households": 200,
    "never_towns": 4,
    "start": dt.date(2044, 10, 15),
    "burn_in_days": 600,
    "first_entry": dt.date(2044, 6, 1),
}
"""Changes of the preset `outage` that make a small county of it."""
PARTS = (
    "lost",
    "diverted",
    "diverted to independent grocers",
    "diverted to chain grocers",
    "delayed",
    "forgone",
    "dark stores' net loss",
)
RETENTION = "retention"
_KINDS = {"independent": "independent grocers", "chain": "chain grocers"}


def replicate(seed: int) -> Rows:
    """Account for the outage of one small county, and of one large one while there are some.

    Returns
    -------
    list of dict
        One row = one county and part: `county`, `part`, `estimate`, `low`, `high` (90 %; of retention the
        ratio), `pvalue`, `realised` (of the followed households, in this county), `share`, `share_low`,
        `share_high` (of what was lost; null for retention), `realised_share`, `expected_share` (of all
        households, over draws; of retention the ratio; null in small counties), `followed` (share of the dark
        Spheres' baskets that followed households made), `placebos`.
    """
    rows = _accounted("small", Recipe(preset("outage", **SMALL), seed))
    return rows + (_accounted("large", Recipe(preset("outage"), seed)) if seed <= LARGE else [])


def _accounted(name: str, recipe: Recipe) -> Rows:
    lives = live_both(recipe)
    stores, towns = recipe.world.stores, recipe.world.towns
    spheres = {f"{SPHERE}-{town}": event for town, event in towns.select("town_id", "event").iter_rows()}
    dark = [f"{SPHERE}-{town}" for town in towns.filter("outage")["town_id"]]
    day = recipe.parameters.outage_date
    kinds = {
        label: stores.filter(pl.col("kind") == kind)["store_id"].to_list() for kind, label in _KINDS.items()
    }
    sold = set(lives.trips["store_id"].unique())
    found = account(
        lives.trips,
        Outage(dark, day, day),
        rivals=kinds,
        donors=[store for store in spheres if store not in dark and store in sold],
        strata=spheres,
        measures=["baskets"],
        alpha=ALPHA,
        placebos=PLACEBOS,
        seed=recipe.seed,
    )
    realised = _realised(lives, found, (dark, day, kinds))
    expected = _expected(recipe, lives) if name == "large" else {}
    return [_row(name, part, found, realised, expected) for part in (*PARTS, RETENTION)]


def _realised(lives: Lives, found: Account, where: tuple[Any, ...]) -> dict[str, float]:
    """Return what the followed households did, less what they would have done."""
    dark, day, kinds = where
    before = lives.trips.filter(pl.col("date") < lives.otherwise["date"].min())
    return true_parts(
        lives.trips,
        pl.concat([before, lives.otherwise]),
        dark=dark,
        followed=found.facts["followed_ids"],
        window=(day, day),
        after=28,
        rivals=kinds,
    )


def _expected(recipe: Recipe, lives: Lives) -> dict[str, float]:
    """Return each part's share of what is lost, and retention, in expectation over all households."""
    redrawn = lives.redrawn(DRAWS)
    parts = expected_account.account(recipe.world, redrawn).filter(group="all", measure="baskets")
    late = expected_account.outcomes(recipe.world, redrawn).filter(group="all", outcome=RETENTION)
    return {**dict(parts.select("part", "share_of_lost").iter_rows()), RETENTION: late["value"].item()}


def _row(
    name: str, part: str, found: Account, realised: dict[str, float], expected: dict[str, float]
) -> dict[str, Any]:
    ratio = found.retention if part == RETENTION else found.share(part)
    if ratio is None:
        raise ValueError("The county's record ends before day 56 after the outage.")
    low, high = ratio.interval(ALPHA)
    shares = {"share": ratio.value, "share_low": low, "share_high": high}
    amounts = {"estimate": ratio.value, "low": low, "high": high, "pvalue": ratio.pvalue(0.0)}
    if part != RETENTION:
        row = found.frame.filter(part=part).row(0, named=True)
        amounts = {key: row[key] for key in amounts}
    true_share = realised[part] / realised["lost"] if part != RETENTION and realised["lost"] else None
    return {
        "county": name,
        "part": part,
        **amounts,
        "realised": _finite(realised[part]),
        **{key: _finite(value) for key, value in shares.items()},
        "realised_share": true_share,
        "expected_share": expected.get(part),
        "followed": found.facts["followed_share"]["baskets"],
        "placebos": len(found.errors),
    }


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


SUBJECT = Subject(
    name="account_county",
    question="Does an account recover what the county's households did, and do its intervals cover it?",
    replicate=replicate,
    replications=220,
    rests_on=(*ACCOUNTS, "county", "tables", "validation.account_county_proof", "validation.account_lives"),
)
