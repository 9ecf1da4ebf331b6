"""What follows from sums over households, and how sure is it? Any statistic of sums, with its interval.

What a household did is summed once; a draw of households is weights times these sums, never a new pass over
rows. The statistic may be anything that sums determine: a share, an index, a logarithm of a ratio.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

ROUNDING = 1e-9  # of an end: draws that lie no further apart are the same number

Array = npt.NDArray[np.float64]
Statistic = Callable[[Array], Array]


@dataclass(frozen=True)
class Interval:
    """Values of a statistic with their intervals; one entry a value. NaN: not to be told.

    Attributes
    ----------
    value, low, high : array
        The statistic of all households, and the ends of its interval.
    """

    value: Array
    low: Array
    high: Array


def household_sums(
    rows: pl.DataFrame, homes: pl.Series, cells: list[str], what: str, known: pl.DataFrame | None = None
) -> tuple[Any, pl.DataFrame]:
    """Sum a column by household and cell.

    Parameters
    ----------
    rows : polars.DataFrame
        With `household_id`, the columns `cells`, and the column `what`.
    homes : polars.Series
        The households, each once: the rows of the result, in this order.
    cells : list of str
        Columns whose values together name a cell, such as label and period.
    what : str
        Column to sum.
    known : polars.DataFrame, optional
        The cells, one row each, also those in which nothing stands. Without it: those that rows have, sorted.

    Returns
    -------
    scipy.sparse.csr_array, polars.DataFrame
        One row = one household, one column = one cell; and the cells in order of their columns.

    Examples
    --------
    >>> sold = pl.DataFrame({"household_id": [1, 1, 2], "label": ["a", "b", "a"], "usd": [1.0, 2.0, 4.0]})
    >>> sums, cells = household_sums(sold, pl.Series([1, 2]), ["label"], "usd")
    >>> sums.toarray().tolist(), cells["label"].to_list()
    ([[1.0, 2.0], [4.0, 0.0]], ['a', 'b'])
    """
    known = rows.select(cells).unique().sort(cells) if known is None else known
    who = pl.DataFrame({"household_id": homes}).with_row_index("who")
    coded = rows.join(who, on="household_id").join(known.with_row_index("cell"), on=cells, nulls_equal=True)
    summed = coded.group_by("who", "cell").agg(pl.col(what).sum()).sort("who", "cell")
    place = (summed["who"].to_numpy(), summed["cell"].to_numpy())
    values = summed[what].cast(pl.Float64).to_numpy()
    return sparse.csr_array((values, place), shape=(len(homes), known.height)), known


def resampled(sums: Any, statistic: Statistic, weights: Array | None, alpha: float) -> Interval:
    """Return a statistic of sums over households, with the interval over draws of households.

    Parameters
    ----------
    sums : array or sparse array, (households, sums)
        What each household adds to each sum.
    statistic : callable
        Maps sums in the last axis to values in the last axis, for many draws at once.
    weights : array or None, (draws, households)
        As `resampling.household_weights` draws them; None leaves the ends NaN.
    alpha : float
        One minus the level of the intervals.

    Returns
    -------
    Interval
        As `percentiles` gives it.

    Examples
    --------
    >>> spent = np.array([[1.0, 3.0], [2.0, 2.0]])          # at the Sphere, at the grocer
    >>> share = resampled(spent, lambda sums: sums[..., :1] / sums.sum(axis=-1, keepdims=True), None, 0.05)
    >>> share.value
    array([0.375])
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        value = statistic(np.asarray(sums.sum(axis=0), dtype=np.float64).ravel())
        drawn = None if weights is None else statistic(np.asarray((sums.T @ weights.T).T, dtype=np.float64))
    return percentiles(value, drawn, alpha)


def percentiles(value: Array, drawn: Array | None, alpha: float, scale: Any = 0.0) -> Interval:
    """Return values with the interval that draws give them.

    Parameters
    ----------
    value : array, (values,)
        The statistic of all households.
    drawn : array or None, (draws, values)
        The statistic of each draw; None leaves the ends NaN.
    alpha : float
        One minus the level of the intervals.
    scale : float or array, (values,)
        What rounding is judged by, beside the ends themselves: amounts that the values are differences of.

    Returns
    -------
    Interval
        The ends (quantiles of the draws) are NaN where some draw has no such value, and where all draws
        agree: households that do not differ do not show how far others would.

    Examples
    --------
    >>> percentiles(np.array([2.0]), np.array([[1.0], [2.0], [3.0]]), 0.5)
    Interval(value=array([2.]), low=array([1.5]), high=array([2.5]))
    """
    if drawn is None:
        return Interval(value, np.full_like(value, np.nan), np.full_like(value, np.nan))
    with np.errstate(invalid="ignore"):
        ends = np.quantile(drawn, [alpha / 2, 1 - alpha / 2], axis=0)
        rounding = ROUNDING * np.maximum(np.abs(ends).max(axis=0), scale)
        told = np.isfinite(drawn).all(axis=0) & (ends[1] - ends[0] > rounding)
    return Interval(value, *(np.where(told, end, np.nan) for end in ends))


def tidied(cells: pl.DataFrame, measures: Mapping[str, str], found: Interval) -> pl.DataFrame:
    """Write values and their intervals as rows.

    Parameters
    ----------
    cells : polars.DataFrame
        One row = one cell.
    measures : mapping
        Name of each measure and its unit.
    found : Interval
        All cells of the first measure, then all of the second, and so on.

    Returns
    -------
    polars.DataFrame
        One row = one cell and measure: the columns of `cells`, `measure`, `unit`, `value`, `low`, `high`.
        What cannot be told is null. So are the ends where all draws agree: households that do not differ
        (nobody bought, everybody did) do not show how far others would.

    Examples
    --------
    >>> share = Interval(np.array([0.4, 0.0]), np.array([0.3, 0.0]), np.array([0.5, 0.0]))
    >>> rows = tidied(pl.DataFrame({"label": ["a", "b"]}), {"share": "share"}, share)
    >>> rows.select("label", "value", "low", "high").rows()
    [('a', 0.4, 0.3, 0.5), ('b', 0.0, None, None)]
    """
    apart = found.high - found.low > ROUNDING * np.maximum(np.abs(found.low), np.abs(found.high))
    numbers = pl.DataFrame(
        {
            "value": np.where(np.isfinite(found.value), found.value, np.nan),
            "low": np.where(apart, found.low, np.nan),
            "high": np.where(apart, found.high, np.nan),
        }
    )
    names = pl.DataFrame({"measure": list(measures), "unit": list(measures.values())})
    placed = names.with_row_index("_measure").join(cells.with_row_index("_cell"), how="cross")
    rows = pl.concat([placed, numbers.fill_nan(None)], how="horizontal").sort("_cell", "_measure")
    return rows.select(*cells.columns, *names.columns, *numbers.columns)
