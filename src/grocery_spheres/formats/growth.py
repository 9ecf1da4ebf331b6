"""Why did sales grow or fall: customers, trips, baskets, prices, or what people buy?"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import narwhals as nw
import numpy as np
import numpy.typing as npt
import polars as pl

from grocery_spheres.formats.index_numbers import (
    FIRST_USD,
    SECOND_USD,
    check_formula,
    log_index,
    log_mean,
    matched_sums,
)
from grocery_spheres.formats.shoppers import draw, side_by_side
from grocery_spheres.formats.sold import Sold, alike, read_sold
from grocery_spheres.formats.spans import Window, as_window, windows
from grocery_spheres.formats.sums import percentiles
from grocery_spheres.panels.engine import collected, pushed
from grocery_spheres.tables import ContractError

COMPONENTS: Mapping[str, str] = {
    "customers": "households",
    "trips": "trips a customer and day",
    "basket": "packages a trip",
    "prices": "index of matched prices, before = 1",
    "mix": "index of the rest of a package's price, before = 1",
    "sales": "USD a day",
}
BOTH = ("before", "after")
_SUMS = ("customers", "trips", "quantity", "usd")

Array = npt.NDArray[np.float64]


def decompose_growth(
    lines: Any,
    *,
    before: Any,
    after: Any,
    stores: Any = None,
    label: str | None = None,
    formula: str = "fisher",
    alpha: float = 0.05,
    seed: int = 2045,
    draws: int = 200,
    intervals: bool = True,
) -> pl.DataFrame:
    """Split the change of sales into customers, trips, baskets, prices and mix; the parts add up exactly.

    Sales a day = customers x trips a customer and day x packages a trip x price of a package, and the price
    of a package changes by the index of matched prices times the mix: what else there is to it, such as
    dearer products in place of cheap ones, products new or gone.

    Parameters
    ----------
    lines : any Narwhals frame
        One row = one product in one basket (`schema.LINES`). A lazy frame is summed on its own engine.
    before, after : (first, last)
        Dates, both inclusive; `before` ends first.
    stores, label
        As `price_index` takes them: one decomposition for each label, or one for all stores.
    formula : str
        Of the matched prices, as `price_index` takes it; the two windows are compared directly.
    alpha, seed, draws, intervals
        As `price_index` takes them. All parts come from the same draws.

    Returns
    -------
    polars.DataFrame
        Six rows (a label), one a component: `customers`, `trips`, `basket`, `prices`, `mix`, and `sales`, the
        whole. `label` where one was asked for, `component`, `unit`, `before`, `after` (in that unit),
        `ratio`, `ratio_low`, `ratio_high`, `usd` (what the component adds to sales, USD a day), `low`, `high`
        (of `usd`), `matched_share` (beside prices and mix: share of both windows' sales that are of matched
        products). The ratios of the five parts multiply to that of sales, and their `usd` add to its `usd`,
        in every draw too.

    Raises
    ------
    ContractError
        As `price_index`; a window is no pair of dates, or they overlap, or one lies partly outside the dates
        of the lines; a label sold nothing before or after (what came from nothing has no ratio); no product
        was sold in both windows.

    Notes
    -----
    A trip is a household's day at the label. A household that came to two labels is a customer of both.

    *Windows of different length.* Sales, trips a customer and prices are taken by the day or the package, but
    customers are those who came at least once, and a longer window sees more of those who come seldom: then
    customers rise and trips a customer fall, by the same factor. Take windows of equal length where the
    two are to be told apart. The other rows do not mind. Equal seasons are advised as well.

    *In USD* a part is worth the logarithmic mean of both sales times the logarithm of its ratio: Ang (2004),
    Decomposition analysis for policymaking in energy: which is the preferred method?, Energy Policy 32,
    1131-1139 (additive LMDI). It describes; it does not say why customers came.

    Examples
    --------
    Two households buy bread once each; later one of them comes on two days, and bread costs 2 instead of 1
    USD. Sales go from 2 to 4: customers x 1/2, trips x 2, prices x 2.

    >>> import datetime as dt
    >>> lines = pl.DataFrame({"household_id": [1, 2, 1, 1], "store_id": 7, "basket_id": [1, 2, 3, 4],
    ...     "product_id": "bread", "quantity": 1, "sales_usd": [1.0, 1.0, 2.0, 2.0], "discount_usd": 0.0,
    ...     "sold_at": [dt.datetime(2045, 6, day) for day in (1, 2, 3, 4)]})
    >>> parts = decompose_growth(lines, before=("2045-06-01", "2045-06-02"),
    ...                          after=("2045-06-03", "2045-06-04"), intervals=False)
    >>> parts.select("component", "before", "after", pl.col("usd").round(3) + 0.0).rows()
    [('customers', 2.0, 1.0, -1.0), ('trips', 0.5, 1.0, 1.0), ('basket', 1.0, 1.0, 0.0),
     ('prices', 1.0, 2.0, 1.0), ('mix', 1.0, 1.0, 0.0), ('sales', 1.0, 2.0, 1.0)]
    """
    check_formula(formula)
    pair = as_window(before, "before"), as_window(after, "after")
    again = partial(draw, draws=draws, seed=seed, alpha=alpha, intervals=intervals)
    spans = partial(_within, pair=pair)
    sold = read_sold(lines, spans, draw=again, stores=stores, label=label)
    _refuse_empty(sold, pair)
    prices = _matched_prices(sold, formula)
    sums = _sums(sold)
    days = [(last - first).days + 1 for first, last in pair]
    rows = []
    for name, known in enumerate(sold.labels):
        factors = _factors(sums[:, :, name], days, prices[name][0])
        shown = _shown(factors, alpha, prices[name][1])
        rows.append(shown.with_columns(label=pl.lit(known, dtype=pl.String)))
    told = ["component", "unit", *BOTH, "ratio", "ratio_low", "ratio_high", "usd", "low", "high"]
    return pl.concat(rows).select(*([] if label is None else ["label"]), *told, "matched_share")


def _within(dates: pl.Series, pair: tuple[Window, Window]) -> pl.DataFrame:
    """Place the dates in the windows; refuse a window that the lines do not span."""
    begin, end = pl.DataFrame({"date": dates}).select(a=pl.min("date"), b=pl.max("date")).row(0)
    for name, (first, last) in zip(BOTH, pair, strict=True):
        if first < begin or last > end:
            raise ContractError(
                f"The window `{name}` runs from {first} to {last}, the lines from {begin} to {end}: "
                "days without records would count as days without sales. Choose a window inside."
            )
    return windows(dates, *pair)


def _refuse_empty(sold: Sold, pair: tuple[Window, Window]) -> None:
    for name, known in enumerate(sold.labels):
        for place, (first, last) in enumerate(pair):
            if (place, name) not in sold.lines:
                _refuse(known, f"sold nothing in the window `{BOTH[place]}` ({first} to {last})")


def _refuse(known: Any, what: str) -> None:
    raise ContractError(
        f"{_who(known)} {what}: a change from or to nothing has "
        "no ratio, so it cannot be split. Choose windows in which there were sales, or leave the label's "
        "stores and their lines out and tell its sales by themselves."
    )


def _who(known: Any) -> str:
    return "The stores" if known is None else f"The label {known!r}"


def _matched_prices(sold: Sold, formula: str) -> list[tuple[Array, float]]:
    """Return each label's log price index, all households and draws, and the share of sales matched."""
    first, found = {}, {}
    for place, name, cell in sold.cells([0, 1]):
        if place == 0:
            first[name] = cell
            continue
        _, one, other = alike(first[name], cell)
        sums = matched_sums(one, other)
        both = first[name].usd[:, 0].sum() + cell.usd[:, 0].sum()
        for at, amounts in enumerate((first[name].usd, cell.usd)):
            if amounts[:, 0].sum() == 0:
                _refuse(sold.labels[name], f"took no money in the window `{BOTH[at]}`")
        if sums[FIRST_USD, 0] == 0:
            raise ContractError(
                f"{_who(sold.labels[name])} sold no product in both windows, so prices cannot be told from "
                "mix. Choose windows nearer to each other, or give one `product_id` to what is the same "
                "product under two numbers."
            )
        share = float((sums[FIRST_USD] + sums[SECOND_USD])[0] / both)
        found[name] = (log_index(sums, formula), min(share, 1.0))  # rounding may carry it past one
    return [found[name] for name in range(len(sold.labels))]


def _sums(sold: Sold) -> Array:
    """Return customers, trips, packages and sales: array (measure, window, label, 1 + draws)."""
    days = pushed(sold.days, sold.table)
    seen = sold.table.join(days, on="date").join(pushed(sold.stores, sold.table), on="store_id")
    keys = ["household_id", "place", "name"]
    by_day = seen.group_by(*keys, "date").agg(nw.col("quantity", "sales_usd").sum())
    trips = by_day.with_columns(trips=nw.lit(1).cast(nw.Int64)).group_by(keys)
    summed = collected(trips.agg(nw.col("trips", "quantity", "sales_usd").sum()))
    rows = summed.rename({"sales_usd": "usd"}).with_columns(customers=pl.lit(1.0))
    cells = pl.DataFrame({"place": [0, 1]}).join(
        pl.DataFrame({"name": range(len(sold.labels))}), how="cross", maintain_order="left"
    )
    by_household = side_by_side(rows, sold.homes, cells, _SUMS)
    weights = np.ones((len(sold.homes), 1)) if sold.weights is None else sold.weights
    return np.asarray(by_household.T @ weights).reshape(len(_SUMS), 2, len(sold.labels), -1)


def _factors(sums: Array, days: list[int], log_prices: Array) -> Array:
    """Return the components in both windows: array (component, window, 1 + draws)."""
    customers, trips, quantity, usd = sums
    length = np.array(days, dtype=np.float64)[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        package = usd / quantity
        prices = np.exp(np.stack([np.zeros_like(log_prices), log_prices]))
        mix = package / package[0] / prices
        parts = (customers, trips / customers / length, quantity / trips, prices, mix, usd / length)
    return np.stack(parts)


def _shown(factors: Array, alpha: float, matched_share: float) -> pl.DataFrame:
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = factors[:, 1] / factors[:, 0]
        usd = log_mean(factors[-1, 0], factors[-1, 1]) * np.log(ratio)
    drawn = ratio.shape[1] > 1
    shown = percentiles(ratio[:, 0], ratio[:, 1:].T if drawn else None, alpha)
    worth = percentiles(usd[:, 0], usd[:, 1:].T if drawn else None, alpha, scale=factors[-1, :, 0].max())
    return pl.DataFrame(
        {
            "component": list(COMPONENTS),
            "unit": list(COMPONENTS.values()),
            "before": factors[:, 0, 0],
            "after": factors[:, 1, 0],
            "ratio": shown.value,
            "ratio_low": shown.low,
            "ratio_high": shown.high,
            "usd": worth.value,
            "low": worth.low,
            "high": worth.high,
            "matched_share": [None, None, None, matched_share, matched_share, None],
        }
    ).fill_nan(None)
