"""Which runs of silent days are too improbable for chance?

Every run that could have been is given its chance of having been just that run, so the number of runs
that chance makes is known for any threshold, and small stores, which can never reach a small chance,
weigh nothing. The threshold is the weakest one that holds the share of false runs.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

FALSE_SHARE = 0.1  # share of the runs found that may be chance
LONGEST_RUN_DAYS = 28  # trading days of one run that are weighed; longer ones only add
FEWEST_EFFECTIVE = 5.0  # effective households below which a store's silent day says nothing

Array = npt.NDArray[np.float64]


def improbable_runs(days: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, float]]:
    """Find the runs of silent days that chance does not explain.

    Parameters
    ----------
    days : polars.DataFrame
        One row = one store and trading day, in the order of stores and days (`silence.silent_days`).

    Returns
    -------
    polars.DataFrame
        One row = one run: `store_id`, `first`, `last` (day numbers), `days` (trading days), the sums of
        `baskets_expected` and `households_expected`, the mean of `effective_households`, `log10_p`.
    dict
        `store_days` examined, `dark_threshold` (log10), `dark_false` (runs found that are expected to
        be chance, if households and days act apart: a lower bound where they do not).
    """
    placed = days.with_columns(place=pl.int_range(pl.len()).over("store_id"))
    weighed = placed.filter(pl.col("effective_households") >= FEWEST_EFFECTIVE)
    broken = pl.col("place").diff().over("store_id") != 1  # a trading day between is not weighed
    weighed = weighed.with_columns(stretch=broken.fill_null(value=False).cum_sum().over("store_id"))
    by_store = [rows for _, rows in weighed.group_by("store_id", "stretch", maintain_order=True)]
    chance = np.concatenate([np.empty((0, 2)), *[_possible(rows) for rows in by_store]])
    runs = pl.concat([_runs(weighed.clear()), *[_runs(rows) for rows in by_store]])
    threshold, expected = _threshold(chance, runs["log10_p"].to_numpy())
    found = runs.filter(pl.col("log10_p") <= threshold)
    return found, {"store_days": float(len(weighed)), "dark_threshold": threshold, "dark_false": expected}


def _runs(rows: pl.DataFrame) -> pl.DataFrame:
    """Collapse one store's silent days to maximal runs; chances multiply over its days."""
    silent = pl.col("households") == 0
    numbered = rows.with_columns(run=(silent != silent.shift(1)).fill_null(value=False).cum_sum())
    return (
        numbered.filter(silent)
        .group_by("store_id", "run", maintain_order=True)
        .agg(
            first=pl.min("day"),
            last=pl.max("day"),
            days=pl.len().cast(pl.Int64),
            baskets_expected=pl.sum("baskets_expected"),
            households_expected=pl.sum("households_expected"),
            effective_households=pl.mean("effective_households"),
            log10_p=pl.col("log10_silent").head(LONGEST_RUN_DAYS).sum(),
        )
    )


def _possible(rows: pl.DataFrame) -> Array:
    """Return every possible run of one store: its log10 chance, and the chance that it is just that run."""
    log10 = rows["log10_silent"].to_numpy()
    seen = 1.0 - np.concatenate([[0.0], 10.0**log10, [0.0]])
    total = np.concatenate([[0.0], np.cumsum(log10)])
    out = []
    for length in range(1, min(LONGEST_RUN_DAYS, len(log10)) + 1):
        evidence = total[length:] - total[:-length]
        out.append(np.column_stack([evidence, 10.0**evidence * seen[: -length - 1] * seen[length + 1 :]]))
    return np.concatenate(out)


def _threshold(chance: Array, observed: Array) -> tuple[float, float]:
    """Return the weakest log10 chance at which false spells stay below `FALSE_SHARE`, and their number.

    The number of spells that chance makes is summed over every run that could have been, so the fact
    that small stores can never reach a small chance is allowed for.
    """
    order = np.argsort(chance[:, 0])
    evidence, false = chance[order, 0], np.cumsum(chance[order, 1])
    candidates = np.sort(observed)
    expected = np.concatenate([[0.0], false])[np.searchsorted(evidence, candidates, side="right")]
    fine = np.nonzero(expected <= FALSE_SHARE * np.arange(1, len(candidates) + 1))[0]
    if len(fine) == 0:
        return -np.inf, 0.0
    return float(candidates[fine[-1]]), float(expected[fine[-1]])
