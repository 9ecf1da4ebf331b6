"""How concentrated are sales among the sellers of a market, such as the stores of a town?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

from grocery_spheres.formats.labels import labelled, with_period
from grocery_spheres.formats.shoppers import draw, read_shoppers
from grocery_spheres.formats.spans import calendar
from grocery_spheres.formats.sums import Interval, household_sums, percentiles, tidied
from grocery_spheres.tables import ContractError

ALL = "all, weighted by sales"
SEEN, INDEX, EQUAL = "HHI of the sales seen", "HHI", "sellers of equal size"
MEASURES = {SEEN: "0 to 1", INDEX: "0 to 1", EQUAL: "sellers"}
_PLACE = ["market", "period"]
_CELL = [*_PLACE, "seller"]

Array = npt.NDArray[np.float64]


def concentration(
    baskets: Any,
    stores: Any,
    *,
    by: str = "town_id",
    of: str = "store_id",
    every: str | None = None,
    alpha: float = 0.05,
    seed: int = 2045,
    draws: int = 500,
    intervals: bool = True,
) -> pl.DataFrame:
    """Return the Herfindahl-Hirschman index (HHI) of sales, by market and period.

    Parameters
    ----------
    baskets : any Narwhals frame
        One row = one basket (`schema.BASKETS`): `household_id`, `store_id`, `date`, `sales_usd`.
    stores : any Narwhals frame
        One row = one store: `store_id`, and the columns `by` and `of`.
    by : str
        Column of `stores` that names the market.
    of : str
        Column of `stores` that names the seller: the store, its chain, its format.
    every : str, optional
        Length of a period: "1d", "1w", "1mo", "1q", "1y". Without it: the whole span.
    alpha : float
        One minus the level of the intervals.
    seed, draws : int
        Of the intervals: households are drawn again, `draws` times.
    intervals : bool
        False leaves `low` and `high` null.

    Returns
    -------
    polars.DataFrame
        One row = one market, period and measure: `market` (text), `period` (its first day; null without
        `every`), `whole` (False: the data begin or end within the period), `households` (that bought there),
        `measure`, `unit`, `value`, `low`, `high`. After the markets stands "all, weighted by sales": the mean
        over markets by their sales. Every market with sales has every period; where nothing was sold, null.

        - "HHI of the sales seen": the sum of squared shares, from 1/n for n equal sellers to 1 for one. A
          fact about these baskets, with no interval.
        - "HHI": the estimate for all households of which these are a sample. Squared shares of a sample are
          too high, the more so the fewer households; the same sum over pairs of two different households is
          not (but for a term that fades faster): the chance that a dollar of each went to the same seller.
          It may fall below 1/n by chance. Null where fewer than two households bought.
        - "sellers of equal size": 1/HHI, the number of equal sellers that would have this HHI.

        The mean of the estimates is over markets that have one. The interval reads: if other households like
        these had been drawn (percentiles). It is null where a draw may miss the market, and
        wider than need be where sellers are nearly equal (then the index rises whichever way shares move).

    Raises
    ------
    ContractError
        As `read_shoppers`; a store has no market or seller; `every`, `alpha` or `draws` do not fit.

    Notes
    -----
    The index is Herfindahl's and Hirschman's; competition authorities write it from 0 to 10,000. Pairs of
    different households are a U-statistic (Hoeffding 1948); a draw counts pairs of different households
    only, so that a household drawn twice is no pair of its own.

    Examples
    --------
    Two stores sell the same: half the pairs of households meet in one of them.

    >>> import datetime as dt
    >>> baskets = pl.DataFrame({"household_id": [1, 2, 3, 4], "store_id": [7, 7, 8, 8],
    ...     "date": [dt.date(2045, 1, 1)] * 4, "sales_usd": [5.0] * 4})
    >>> stores = pl.DataFrame({"store_id": [7, 8], "town_id": [1, 1]})
    >>> town = concentration(baskets, stores, intervals=False).head(3)
    >>> town.select("measure", pl.col("value").round(3)).rows()       # of six pairs, two share a store
    [('HHI of the sales seen', 0.5), ('HHI', 0.333), ('sellers of equal size', 3.0)]
    """
    bought = read_shoppers(baskets, stores, label=by)
    if ALL in bought.labels:
        raise ContractError(
            f"A market in the column `{by}` is {ALL!r}, the name of the mean here. Rename it."
        )
    weights = draw(bought.homes, draws=draws, seed=seed, alpha=alpha, intervals=intervals)
    markets = bought.baskets.rename({"label": "market"})
    sold = labelled(markets, stores, of).rename({"label": "seller"})
    span = {"period": pl.lit(None, dtype=pl.Date), "whole": pl.lit(None, dtype=pl.Boolean)}
    dated = sold.with_columns(**span) if every is None else with_period(sold, every)
    periods = dated.select("period", "whole").head(1) if every is None else calendar(dated, every)
    rows = _rows(dated, periods.select("period", "whole"))
    found = _estimates(_Sums.of(dated, bought.homes, rows), weights, alpha)
    return tidied(rows, MEASURES, found)


def _rows(dated: pl.DataFrame, periods: pl.DataFrame) -> pl.DataFrame:
    """Return every market and period, then the periods of the mean. One row = what has three measures."""
    markets = dated.select("market").unique().sort("market")
    names = pl.concat([markets, pl.DataFrame({"market": [ALL]})])
    spans = names.with_row_index("order").join(periods, how="cross")
    own = dated.group_by(_PLACE).agg(households=pl.n_unique("household_id"))
    total = (
        dated.group_by("period").agg(households=pl.n_unique("household_id")).with_columns(market=pl.lit(ALL))
    )
    counted = pl.concat([own, total.select(own.columns)])
    joined = spans.join(counted, on=_PLACE, how="left", nulls_equal=True)
    filled = joined.sort("order", "period").with_columns(pl.col("households").fill_null(0).cast(pl.Int64))
    return filled.select("market", "period", "whole", "households")


@dataclass(frozen=True)
class _Sums:
    """What households spent, and where it belongs.

    Attributes
    ----------
    cells, places : sparse array
        One row = one household; one column = market, period and seller, and market and period.
    place_of, period_of : sparse array
        Cells by place, and places by period: ones where one belongs to the other.
    """

    cells: Any
    places: Any
    place_of: Any
    period_of: Any

    @classmethod
    def of(cls, dated: pl.DataFrame, homes: pl.Series, rows: pl.DataFrame) -> _Sums:
        """Sum sales by household and cell, and by household and place."""
        spent = dated.group_by("household_id", *_CELL).agg(pl.sum("sales_usd"))
        known = rows.filter(pl.col("market") != ALL).select(_PLACE)
        cells, sellers = household_sums(spent, homes, _CELL, "sales_usd")
        places, _ = household_sums(spent, homes, _PLACE, "sales_usd", known)
        periods = known.select("period").unique().sort("period")
        return cls(cells, places, _belongs(sellers, known), _belongs(known, periods))


def _belongs(parts: pl.DataFrame, wholes: pl.DataFrame) -> Any:
    """Return a table of ones: which part (row) belongs to which whole (column)."""
    numbered = wholes.with_row_index("whole")
    column = parts.join(numbered, on=wholes.columns, how="left", nulls_equal=True, maintain_order="left")[
        "whole"
    ]
    place = (np.arange(parts.height), column.to_numpy())
    return sparse.csr_array((np.ones(parts.height), place), shape=(parts.height, wholes.height))


def _estimates(sums: _Sums, weights: Array | None, alpha: float) -> Interval:
    """Work out the three measures for every row, with the intervals of the two that are estimates."""
    one = np.ones((1, sums.cells.shape[0]))
    seen = _index(sums, one, pairs=False)[0]
    value = _index(sums, one, pairs=True)[0]
    drawn = None if weights is None else _index(sums, weights, pairs=True)
    with np.errstate(divide="ignore"):
        index = percentiles(
            np.concatenate([value, 1 / value]), drawn if drawn is None else _inverted(drawn), alpha
        )
    blank = np.full_like(seen, np.nan)
    ends = [np.concatenate([blank, end]) for end in (index.low, index.high)]
    return Interval(np.concatenate([seen, index.value]), *ends)


def _inverted(drawn: Array) -> Array:
    return np.concatenate([drawn, 1 / drawn], axis=-1)


def _index(sums: _Sums, weights: Array, *, pairs: bool) -> Array:
    """Return the HHI of each draw by place, then of the mean by period; of pairs: without one's own."""
    cells, totals = _product(weights, sums.cells), _product(weights, sums.places)
    same, any_two = _product(cells**2, sums.place_of), totals**2
    if pairs:
        twice = weights**2
        own = _product(_product(twice, sums.cells.power(2)), sums.place_of)
        own_total = _product(twice, sums.places.power(2))
        same, any_two = _without(same, own), _without(any_two, own_total)
    with np.errstate(invalid="ignore", divide="ignore"):
        index = same / any_two
        share = np.where(np.isfinite(index), totals, 0.0)
        mean = _product(share * np.nan_to_num(index), sums.period_of) / _product(share, sums.period_of)
    return np.concatenate([index, mean], axis=-1)


def _without(whole: Array, own: Array) -> Array:
    """Take a household's own pairs away; what rounding leaves of nothing is nothing."""
    rest = whole - own
    return np.where(rest > 1e-9 * whole, rest, 0.0)


def _product(dense: Array, thin: Any) -> Array:
    return np.asarray((thin.T @ dense.T).T, dtype=np.float64)
