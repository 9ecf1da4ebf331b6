"""What is true of all households, worked out without the helpers that are proved? Plain sums over lines."""

from __future__ import annotations

import itertools
import math

import polars as pl

Window = tuple[object, object]
_PARTS = ("customers", "trips", "basket", "prices", "mix")


def of_customers(lines: pl.DataFrame, label: str) -> dict[str, float]:
    """Describe a label's customers.

    Parameters
    ----------
    lines : polars.DataFrame
        One row = one line, with `label`. A household makes one basket a day at most, as in the county.
    label : str
        Whose customers.

    Examples
    --------
    >>> import datetime as dt
    >>> day = dt.datetime(2045, 1, 1)
    >>> lines = pl.DataFrame({"household_id": [1, 1, 2], "basket_id": [1, 2, 3], "label": ["a", "b", "b"],
    ...                       "sold_at": [day, day + dt.timedelta(1), day], "sales_usd": [2.0, 3.0, 5.0]})
    >>> found = of_customers(lines, "b")
    >>> found["share of sales"], found["share of wallet"], found["penetration"]
    (0.8, 0.8, 1.0)
    """
    theirs = lines.filter(pl.col("label") == label)
    homes = theirs["household_id"].unique()
    spent = _total(lines.filter(pl.col("household_id").is_in(homes.implode())))
    trips = lines.group_by("household_id", pl.col("sold_at").dt.date().alias("day")).agg(
        pl.col("label").first()
    )
    following = pl.col("label").shift(-1).over("household_id", order_by="day")
    went = trips.with_columns(next=following).filter(pl.col("label") == label, pl.col("next").is_not_null())
    sold = _total(theirs)
    return {
        "share of sales": sold / _total(lines),
        "penetration": len(homes) / lines["household_id"].n_unique(),
        "value of a basket": sold / theirs["basket_id"].n_unique(),
        "share of wallet": sold / spent,
        "next trip at the same label": float((went["next"] == label).sum()) / max(went.height, 1),
    }


def _total(lines: pl.DataFrame, column: str = "sales_usd") -> float:
    return float(lines[column].to_numpy().sum())


def of_growth(before: pl.DataFrame, after: pl.DataFrame, days: int) -> dict[str, float]:
    """Split the change of sales a day between two windows of as many days; the parts by name, and `sales`.

    Examples
    --------
    >>> import datetime as dt
    >>> first = pl.DataFrame({"household_id": [1], "basket_id": [1], "product_id": [7], "quantity": [1],
    ...                       "sold_at": [dt.datetime(2045, 1, 1)], "sales_usd": [2.0]})
    >>> split = of_growth(first, first.with_columns(sales_usd=pl.lit(3.0)), 1)
    >>> split["prices"], split["sales"], split["trips"]
    (1.0, 1.0, 0.0)
    """
    old, new = _levels(before, days), _levels(after, days)
    prices = fisher(before, after)
    ratios = {name: new[name] / old[name] for name in ("customers", "trips", "basket")}
    ratios |= {"prices": prices, "mix": new["price"] / old["price"] / prices}
    gap, log = new["sales"] - old["sales"], math.log(new["sales"] / old["sales"])
    mean = gap / log if log else new["sales"]
    return {name: mean * math.log(ratios[name]) for name in _PARTS} | {"sales": gap}


def _levels(lines: pl.DataFrame, days: int) -> dict[str, float]:
    customers, trips = lines["household_id"].n_unique(), lines["basket_id"].n_unique()
    packages, usd = _total(lines, "quantity"), _total(lines)
    return {
        "customers": customers,
        "trips": trips / customers / days,
        "basket": packages / trips,
        "price": usd / packages,
        "sales": usd / days,
    }


def fisher(base: pl.DataFrame, other: pl.DataFrame, also: tuple[str, ...] = ()) -> float:
    """Compare prices on products in both, by Fisher's index of unit values.

    Parameters
    ----------
    base, other : polars.DataFrame
        Lines with `product_id`, `quantity`, `sales_usd`.
    also : tuple of str
        Columns that must be equal too, such as the month.

    Examples
    --------
    >>> one = pl.DataFrame({"product_id": [1, 2], "quantity": [1, 1], "sales_usd": [1.0, 4.0]})
    >>> fisher(one, one.with_columns(pl.col("sales_usd") * 1.5))
    1.5
    """
    keys = ["product_id", *also]
    sums = [one.group_by(keys).agg(pl.sum("quantity", "sales_usd")) for one in (base, other)]
    both = sums[0].join(sums[1], on=keys, suffix="_other")
    price, price_other = (pl.col(f"sales_usd{end}") / pl.col(f"quantity{end}") for end in ("", "_other"))
    old, new = pl.col("quantity"), pl.col("quantity_other")
    laspeyres = both.select((price_other * old).sum() / (price * old).sum()).item()
    paasche = both.select((price_other * new).sum() / (price * new).sum()).item()
    return math.sqrt(laspeyres * paasche)


def chained(lines: pl.DataFrame, every: str) -> float:
    """Chain Fisher's index from the first period of the lines to the last."""
    placed = lines.with_columns(period=pl.col("sold_at").dt.truncate(every)).sort("period")
    ordered = placed.partition_by("period", maintain_order=True)
    return math.prod(fisher(old, new) for old, new in itertools.pairwise(ordered))
