"""How near does one profile of shopping come to another, row by row?"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from grocery_spheres.formats.doors import taken
from grocery_spheres.tables import ContractError, require_columns

_KEYS = ["measure", "statistic"]
_SLACK = 1e-9  # of a difference, so that 10 % too much is still 10 % after rounding in binary


def compare_profiles(
    target: Any, reached: Any, *, tolerance: float = 0.10, points: float = 3.0
) -> pl.DataFrame:
    """Hold a profile against the one that it should look like, and judge every row.

    Parameters
    ----------
    target, reached : any Narwhals frame
        Two tables of `shopping_profile`: `measure`, `statistic`, `unit`, `value`.
    tolerance : float
        How far a level may be off, as a share of the target.
    points : float
        How far a share (unit "share") may be off, in percentage points.

    Returns
    -------
    polars.DataFrame
        One row = one measure and statistic of either table, in the order of `target`: `measure`,
        `statistic`, `unit`, `target`, `reached`, `difference` (reached less target), `difference_unit`
        ("points" for shares, "%" of the target for all else), `allowed` (same unit), `within`.

        A row that only one of the tables has is kept as a miss: its other value and its difference are
        null, and `within` is false. So is a level whose target is zero and not reached exactly, because
        no per cent of nothing can be told; zero for zero is no difference.

    Raises
    ------
    ContractError
        The tables have no row in common, a table lacks a column or has a row twice, a unit differs, or an
        allowance is below zero.

    Examples
    --------
    >>> wanted = pl.DataFrame({"measure": ["value of a basket"], "statistic": ["mean"], "unit": ["USD"],
    ...                        "value": [30.0]})
    >>> compare_profiles(wanted, wanted.with_columns(value=pl.lit(36.0))).select(
    ...     "difference", "difference_unit", "allowed", "within").row(0)
    (20.0, '%', 10.0, False)
    """
    for name, allowance in (("tolerance", tolerance), ("points", points)):
        if not (np.isfinite(allowance) and allowance >= 0):
            raise ContractError(f"`{name}` is {allowance!r}: give zero or a number above it.")
    both = _joined(_side(target, "target"), _side(reached, "reached"))
    share, gap = pl.col("unit") == "share", pl.col("reached") - pl.col("target")
    relative = pl.when(pl.col("target") != 0).then(gap / pl.col("target").abs()).when(gap == 0).then(0.0)
    judged = both.with_columns(
        difference=100 * pl.when(share).then(gap).otherwise(relative),
        difference_unit=pl.when(share).then(pl.lit("points")).otherwise(pl.lit("%")),
        allowed=pl.when(share).then(float(points)).otherwise(100.0 * tolerance),
    )
    within = (pl.col("difference").abs() <= pl.col("allowed") + _SLACK).fill_null(False)
    return judged.with_columns(within=within)


def _side(frame: Any, name: str) -> pl.DataFrame:
    """Return one table's rows with its value under its own name, each row once."""
    table = taken(frame, name)
    require_columns(table.columns, [*_KEYS, "unit", "value"], name)
    twice = table.filter(pl.struct(_KEYS).is_duplicated())
    if twice.height:
        measure, statistic = twice.select(_KEYS).row(0)
        raise ContractError(
            f"The table `{name}` has the row {measure!r}, {statistic!r} twice, and nobody can say which one "
            "counts. Keep one."
        )
    return table.select(*_KEYS, "unit", pl.col("value").cast(pl.Float64).fill_nan(None).alias(name))


def _joined(target: pl.DataFrame, reached: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of either table, those of `target` first; refuse tables that cannot be compared."""
    rows = target.join(reached, on=_KEYS, how="full", coalesce=True, maintain_order="left_right")
    if not rows.height or rows.select((pl.col("unit") == pl.col("unit_right")).is_null().all()).item():
        raise ContractError(
            "The two profiles have no row in common (same `measure` and `statistic`), so there is nothing to "
            "compare. Take both with the same release of `shopping_profile`."
        )
    odd = rows.filter(pl.col("unit") != pl.col("unit_right"))
    if odd.height:
        row = odd.row(0, named=True)
        raise ContractError(
            f"The row {row['measure']!r}, {row['statistic']!r} is in {row['unit']!r} in the target and in "
            f"{row['unit_right']!r} in the profile reached. Bring both to one unit."
        )
    unit = pl.coalesce("unit", "unit_right")
    return rows.select(*_KEYS, unit, "target", "reached")
