"""What do replications say: how often does an interval hold the truth, and is the estimate off?"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from scipy import stats

_LEVEL = 0.95  # of the intervals around what the replications say


def coverage(table: pl.DataFrame, by: Sequence[str] = (), covered: str = "covered") -> pl.DataFrame:
    """Return how often intervals held the truth.

    Parameters
    ----------
    table : polars.DataFrame
        One row = one interval of one replication; `covered` is true, false or null (no interval).
    by : sequence of str
        Columns to tell kinds of interval apart.
    covered : str
        The column.

    Returns
    -------
    polars.DataFrame
        One row a kind: `by`, `intervals`, `without` (how many had none), `coverage`, `low`, `high` (Wilson's
        interval at 95 %: how sure the coverage itself is).

    Examples
    --------
    >>> coverage(pl.DataFrame({"covered": [True, True, False, True]})).select("coverage").item()
    0.75
    """
    grouped = (
        table.group_by(list(by), maintain_order=True) if by else table.group_by(pl.lit("all").alias("of"))
    )
    counted = grouped.agg(
        intervals=pl.col(covered).count().cast(pl.Int64),
        without=pl.col(covered).null_count().cast(pl.Int64),
        held=pl.col(covered).sum().cast(pl.Int64),
    )
    ends = [_wilson(held, n) for held, n in counted.select("held", "intervals").iter_rows()]
    return counted.with_columns(
        coverage=pl.col("held") / pl.col("intervals"),
        low=pl.Series([low for low, _ in ends], dtype=pl.Float64),
        high=pl.Series([high for _, high in ends], dtype=pl.Float64),
    ).drop("held")


def _wilson(held: int, n: int) -> tuple[float | None, float | None]:
    if not n:
        return None, None
    ends = stats.binomtest(held, n).proportion_ci(_LEVEL, method="wilson")
    return float(ends.low), float(ends.high)


def bias(table: pl.DataFrame, by: Sequence[str] = ()) -> pl.DataFrame:
    """Return by how much estimates are off on average, beside the Monte Carlo error of that average.

    Parameters
    ----------
    table : polars.DataFrame
        One row = one estimate of one replication: `estimate`, `truth`.
    by : sequence of str
        Columns to tell estimates apart.

    Returns
    -------
    polars.DataFrame
        One row a kind: `by`, `replications`, `truth` (mean), `estimate` (mean), `bias`, `mc_error` (standard
        error of the bias over replications), `rmse`.

    Examples
    --------
    >>> found = bias(pl.DataFrame({"estimate": [1.0, 3.0], "truth": [1.0, 1.0]}))
    >>> found.select("bias", "mc_error").row(0)
    (1.0, 1.0)
    """
    off = pl.col("estimate") - pl.col("truth")
    grouped = (
        table.group_by(list(by), maintain_order=True) if by else table.group_by(pl.lit("all").alias("of"))
    )
    return grouped.agg(
        replications=off.count().cast(pl.Int64),
        truth=pl.mean("truth"),
        estimate=pl.mean("estimate"),
        bias=off.mean(),
        mc_error=off.std() / off.count().sqrt(),
        rmse=(off**2).mean().sqrt(),
    )
