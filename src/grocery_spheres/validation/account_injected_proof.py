"""Do accounts recover known outages put into public records, and find nothing where nothing happened?

Injected evidence. Stores and days are drawn at random, as for the proof of estimates; the truth is the two
records' difference for the households that the account follows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import polars as pl

from grocery_spheres import panels
from grocery_spheres.accounting.estimate import account
from grocery_spheres.accounting.results import Account
from grocery_spheres.outage.injected import Reaction, inject_outage
from grocery_spheres.outage.outages import Outage
from grocery_spheres.outage.rivals import shared_customers
from grocery_spheres.public import complete_journey
from grocery_spheres.tables import ContractError, Groceries
from grocery_spheres.validation.account_code import ACCOUNTS
from grocery_spheres.validation.account_truth import true_parts
from grocery_spheres.validation.injected_proof import eligible
from grocery_spheres.validation.subjects import Rows, Subject

LENGTHS = (3, 7, 14)  # days of the outages, in turn
AFTER = 28
WARM_UP = (
    140  # days of the year before the first outage: eight weeks to choose, eight of baseline, four apart
)
PLACEBOS = 199
REACTIONS: Mapping[str, Reaction] = {
    "diverted, delayed, forgone": Reaction(diverted=0.4, delayed=0.3),
    "households leave": Reaction(diverted=0.5, delayed=0.2, leave=0.1),
}
"""What becomes of stopped trips, in turn."""
NEVER, TWO = "nothing happened", "two stores"
PAIRS = 120  # replications in which two stores that share customers are dark at once
PARTS = (
    "lost",
    "diverted",
    "delayed",
    "forgone",
    "dark stores' net loss",
    "before, at the dark stores",
    "before, elsewhere",
)


@cache
def _public() -> tuple[Groceries, pl.DataFrame]:
    groceries = complete_journey()
    kept = ("household_id", "store_id", "date")
    baskets = panels.baskets(groceries.lines).collect().select(*kept)
    return groceries, baskets.sort(kept)  # the draws go by rows


def replicate(seed: int) -> Rows:
    """Account for one injected outage, for the same store and days as they were, and for two stores at once.

    Returns
    -------
    list of dict
        One row = one record and part: `reaction` ("nothing happened" for the record as it is; "two stores"
        that share customers, all lost), `days`, `store`, `start` (day of the year), `part`, `truth` and
        `estimate` (baskets, of followed households), `low`, `high` (95 %), `low90`, `high90`, `pvalue`,
        `verdict`, `followed` (households), `placebos`. An account that was refused has one row, of the part
        "refused", whose verdict says why.
    """
    days = LENGTHS[seed % len(LENGTHS)]
    store, start = _drawn(seed, days)
    name = list(REACTIONS)[seed % len(REACTIONS)]
    names = [name, NEVER, *([TWO] if seed <= PAIRS else [])]
    return [row for one in names for row in _accounted(one, (store, start, days), seed)]


def _drawn(seed: int, days: int) -> tuple[int, dt.date]:
    rng = np.random.default_rng([seed, days, 6])
    store = int(rng.choice(np.array(eligible())))
    baskets = _public()[1]
    last: dt.date = baskets.select(pl.col("date").max()).item()
    first = dt.date(last.year, 1, 1) + dt.timedelta(days=WARM_UP)
    return store, first + dt.timedelta(days=int(rng.integers(0, (last - first).days - days - AFTER)))


def _accounted(name: str, where: tuple[int, dt.date, int], seed: int) -> Rows:
    groceries, baskets = _public()
    store, start, days = where
    end = start + dt.timedelta(days=days - 1)
    told = {"reaction": name, "days": days, "store": store, "start": start.timetuple().tm_yday}
    dark = [store, _neighbour(store, start)] if name == TWO else [store]
    record = baskets
    for one in dark if name != NEVER else []:
        how: dict[str, Any] = {
            "reaction": REACTIONS.get(name, Reaction()),
            "masked": groceries.masked,
            "seed": seed,
        }
        record = inject_outage(record, one, start, days, **how).baskets
    asked: dict[str, Any] = {"masked": groceries.masked, "measures": ["baskets"], "rivals": []}
    try:
        found = account(record, Outage(dark, start, end), **asked, placebos=PLACEBOS, seed=seed)
    except ContractError as refused:
        return [{**told, "part": "refused", "verdict": str(refused)}]
    truth = true_parts(
        record,
        baskets,
        dark=dark,
        followed=found.facts["followed_ids"],
        window=(start, end),
        after=AFTER,
        rivals={},
    )
    return [{**told, **_row(found, part, truth[part])} for part in PARTS]


def _neighbour(store: int, start: dt.date) -> int:
    """Return the store that shares most customers with one, among those that an outage is put into."""
    before = _public()[1].filter(pl.col("date") < start)
    shared = shared_customers(before, [store])["store_id"].to_list()
    return next(int(one) for one in shared if one in eligible())


def _row(found: Account, part: str, truth: float) -> dict[str, Any]:
    row = found.frame.filter(part=part).row(0, named=True)
    ends = dict(zip(("low", "high"), found.conf_int(0.05, what=part), strict=True))
    ends |= dict(zip(("low90", "high90"), found.conf_int(0.1, what=part), strict=True))
    return {
        "part": part,
        "truth": truth,
        "estimate": row["estimate"],
        **{key: value if np.isfinite(value) else None for key, value in ends.items()},
        "pvalue": row["pvalue"],
        "verdict": row["verdict"],
        "followed": found.facts["followed"],
        "placebos": len(found.errors),
    }


SUBJECT = Subject(
    name="account_injected",
    question="Do accounts recover outages put into public records, and find nothing where nothing happened?",
    replicate=replicate,
    replications=400,
    rests_on=(
        *ACCOUNTS,
        "outage.injected",
        "outage.rivals",
        "panels",
        "public",
        "schema",
        "tables",
        "validation.account_injected_proof",
        "validation.injected_proof",
    ),
)
