"""Do estimates recover known outages put into public records, and do their intervals cover there?

Injected evidence. Stores and windows are drawn at random among those with enough baskets; the noise is that
of the records. Errors are held against the Poisson floor: the root of the expected baskets, below which no
method can go that does not know the households.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import polars as pl

from grocery_spheres import panels
from grocery_spheres.outage.estimate import estimate_outage
from grocery_spheres.outage.injected import Injected, Reaction, inject_outage
from grocery_spheres.outage.methods import METHODS
from grocery_spheres.outage.results import OutageResults
from grocery_spheres.outage.rivals import contamination, shared_customers
from grocery_spheres.public import complete_journey
from grocery_spheres.tables import Groceries
from grocery_spheres.validation.outage_code import ESTIMATES
from grocery_spheres.validation.subjects import Rows, Subject

LENGTHS = (3, 7, 14, 28)  # days of the outages
REACTING_DAYS = 7  # of them, where trips also go elsewhere or come later
LEAST = 1.0  # baskets a day of a store that an outage is put into
WARM_UP = 120  # days of the year before the first outage
REACTING = 100  # replications in which trips of a week's outage are also diverted, delayed, lost for good
SLOW = 50  # replications of synthetic_did, whose interval takes a hundred fits
CALIBRATED = 100  # replications in which the default interval itself is made, placebos and all
PLACEBOS = 99  # of those: an interval at 90 and at 95 % has whole ranks
DEFAULT = "structural"
DONORS = 10  # of a small chain, where trips go to rivals: the three that took them in, and the next nearest

REACTIONS: Mapping[str, Reaction] = {
    "all lost": Reaction(),
    "half down": Reaction(share_down=0.5),
    "diverted": Reaction(diverted=0.8),
    "delayed": Reaction(delayed=0.8),
    "households leave": Reaction(diverted=0.5, delayed=0.2, leave=0.5),
}
"""What becomes of the stopped trips."""

MAIN = ("all lost", "half down")
"""Those drawn in turn for the main table."""


@cache
def _public() -> tuple[Groceries, pl.DataFrame]:
    groceries = complete_journey()
    return groceries, panels.baskets(groceries.lines).collect()


@cache
def eligible() -> tuple[int, ...]:
    """Return the public stores that sell enough, all year, without missing records."""
    groceries, baskets = _public()
    days = _store_days(baskets, groceries)
    kept = days.group_by("store_id").agg(
        pl.mean("baskets"), pl.len().alias("days"), gaps=pl.col("baskets").null_count()
    )
    whole = (pl.col("days") == days["date"].n_unique()) & (pl.col("gaps") == 0)
    return tuple(kept.filter(whole & (pl.col("baskets") >= LEAST))["store_id"].sort())


def _store_days(baskets: pl.DataFrame, groceries: Groceries) -> pl.DataFrame:
    return panels.store_days(baskets, stores=groceries.stores, masked=groceries.masked)


def replicate(seed: int) -> Rows:
    """Put one outage of each length into the records and estimate it by every method.

    Returns
    -------
    list of dict
        One row = one outage and method: `reaction`, `rivals` (whether stores that took trips in were kept
        out of the donors), `days`, `store`, `start` (day of the year), `method`, `truth` and `estimate`
        (baskets, over the window), `scale` (of its error), `low`, `high` (95 %), `low90`, `high90` (the
        method's own), `expected` (baskets without the outage, as the store's own past has it), `bound` (by
        which share of the loss gains of donors should raise it; null without weights), `best_low`,
        `best_high`, `best_low90`, `best_high90` (as placebos correct it; null where not asked for).
    """
    rows = []
    for days in LENGTHS:
        store, start = _drawn(seed, days)
        main = MAIN[seed % 2]
        methods = [name for name in METHODS if name != "synthetic_did" or seed <= SLOW]
        rows += _estimated(main, (store, start, days), seed, methods, rivals=True)
        if seed <= REACTING and days == REACTING_DAYS:
            for name in [name for name in REACTIONS if name not in MAIN]:
                for rivals in (True, False):
                    rows += _estimated(name, (store, start, days), seed, [DEFAULT, "did"], rivals=rivals)
    return rows


def _drawn(seed: int, days: int) -> tuple[int, dt.date]:
    rng = np.random.default_rng([seed, days])
    store = int(rng.choice(np.array(eligible())))
    last: dt.date = _public()[1].select(pl.col("date").max()).item()
    first = dt.date(last.year, 1, 1) + dt.timedelta(days=WARM_UP)
    room = (last - first).days - days - 28
    return store, first + dt.timedelta(days=int(rng.integers(0, room)))


def _estimated(
    name: str, where: tuple[int, dt.date, int], seed: int, methods: list[str], *, rivals: bool
) -> Rows:
    groceries, baskets = _public()
    store, start, days = where
    reaction = REACTIONS[name]
    put = inject_outage(baskets, store, start, days, reaction=reaction, masked=groceries.masked, seed=seed)
    frame = _store_days(put.baskets, groceries)
    before = baskets.filter((pl.col("store_id") == store) & (pl.col("date") < start)).height
    expected = before / (start - dt.date(start.year, 1, 1)).days * days
    shared = {"reaction": name, "rivals": rivals, "days": days, "store": store}
    shared |= {"start": start.timetuple().tm_yday, "expected": expected, "truth": put.effect()}
    rows = []
    for method in methods:
        asked = {
            **({"rivals": list(put.refuges)} if name in MAIN else {"donors": _near(put, kept_out=rivals)}),
            "calibrate": method == DEFAULT and seed <= CALIBRATED and name in MAIN,
            "seed": seed,
        }
        found = _found(frame, put, method, **asked)
        rows.append({**shared, "method": method, **_ends(found), "bound": _bound(found, put)})
    return rows


def _near(put: Injected, *, kept_out: bool) -> list[int]:
    """Return the stores nearest to the dark one by shared customers, with or without those it lost to.

    Where fewer share any, others fill the places.
    """
    before = _public()[1].filter(pl.col("date") < put.outage.start)
    ranked = shared_customers(before, list(put.outage.units))["store_id"].to_list()
    everyone = dict.fromkeys([*[store for store in ranked if store in eligible()], *eligible()])
    others = [store for store in everyone if store not in (*put.refuges, *put.outage.units)]
    near = others[: DONORS - len(put.refuges)]
    return near if kept_out else [*put.refuges, *near]


def _found(frame: pl.DataFrame, put: Injected, method: str, **asked: Any) -> OutageResults:
    return estimate_outage(
        frame,
        put.outage,
        unit="store_id",
        time="date",
        outcome="baskets",
        method=method,
        placebos=PLACEBOS,
        **asked,
    )


def _bound(found: OutageResults, put: Injected) -> float | None:
    """Return by which share of the loss donors that gained should have raised it; null without weights."""
    if not found.weights.height or put.effect() == 0:
        return None
    among = [refuge for refuge in put.refuges if refuge in found.study.donor_ids]
    gains = {refuge: -put.effect([refuge]) / put.effect() for refuge in among}
    return contamination(found, {unit: share for unit, share in gains.items() if share > 0})


def _ends(found: OutageResults) -> dict[str, Any]:
    what: dict[str, Any] = {"what": "cumulative", "corrected": False}
    (low, high), (low90, high90) = found.conf_int(0.05, **what), found.conf_int(0.1, **what)
    ends = {"low": low, "high": high, "low90": low90, "high90": high90}
    best: dict[str, Any] = dict.fromkeys(f"best_{end}" for end in ends)
    if found.calibration is not None:
        for alpha, suffix in ((0.05, ""), (0.1, "90")):
            best[f"best_low{suffix}"], best[f"best_high{suffix}"] = found.conf_int(alpha, what="cumulative")
    scale = found.found.scale * found.study.cells
    return {"estimate": found.cumulative, "scale": scale, **ends, **best}


SUBJECT = Subject(
    name="injected",
    question="Do estimates recover known outages put into public records, and do their intervals cover?",
    replicate=replicate,
    replications=600,
    rests_on=(
        *ESTIMATES,
        "outage.injected",
        "outage.rivals",
        "panels",
        "public",
        "schema",
        "tables",
        "validation.injected_proof",
    ),
)
