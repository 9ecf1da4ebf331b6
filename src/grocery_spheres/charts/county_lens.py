"""How is the county of 2045 seen as the public retailer's data see it? One chain, one year, its departments.

The Complete Journey is one retailer's year without any Sphere. So the county is looked at through its one
grocery chain only, in the arm without Spheres, in its first year, at 2017 prices, and both sides bring their
departments to those that the county has a counterpart for.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import polars as pl

from grocery_spheres import formats
from grocery_spheres.county.parameters import Parameters

OTHER = "OTHER"
"""Departments of the retailer that the county has nothing for: flowers, spirits, salad seeds, stamps."""

_FOLDED = {
    "NUTRITION": "GROCERY",
    "FROZEN GROCERY": "GROCERY",
    "MEAT-PCKGD": "MEAT",
    "SEAFOOD": "MEAT",
    "SEAFOOD-PCKGD": "MEAT",
    "PASTRY": "DELI",
    "SALAD BAR": "DELI",
    "CHEF SHOPPE": "DELI",
    "RESTAURANT": "DELI",
    "COSMETICS": "DRUG GM",
}
_KEPT = {department.lens for department in Parameters().departments if department.lens}
_PLACES = 6  # sums of floats differ beyond, by the order in which threads add them up
UPPER = ("median", "75% below", "90% below", "95% below")
"""Statistics of a level that were asked for: half of the cases, and the upper quantiles."""


def public_products(products: pl.DataFrame) -> pl.DataFrame:
    """Bring the retailer's departments to those of the lens; what is left over becomes `OTHER`.

    Examples
    --------
    >>> shelf = pl.DataFrame({"product_id": [1, 2, 3], "department": ["SEAFOOD", "PRODUCE", "FLORAL"]})
    >>> public_products(shelf)["department"].to_list()
    ['MEAT', 'PRODUCE', 'OTHER']
    """
    folded = pl.col("department").replace(_FOLDED)
    known = pl.when(folded.is_in(sorted(_KEPT))).then(folded).otherwise(pl.lit(OTHER))
    return products.select("product_id", department=known)


def county_products(products: pl.DataFrame) -> pl.DataFrame:
    """Give the county's departments the names of their counterparts; what only Spheres sell keeps its own.

    Examples
    --------
    >>> shelf = pl.DataFrame({"product_id": [1, 2], "department": ["meat and fish", "digital produce"]})
    >>> county_products(shelf)["department"].to_list()
    ['MEAT', 'digital produce']
    """
    departments = Parameters().departments
    counterparts = {department.name: department.lens for department in departments if department.lens}
    return products.select("product_id", pl.col("department").replace(counterparts))


def chain_profile(county: Any, year: int) -> pl.DataFrame:
    """Describe shopping at the county's chain in one calendar year, at prices of 2017.

    Parameters
    ----------
    county : County
        From `gs.county(arm="no sphere")`.
    year : int
        A year on record.

    Returns
    -------
    polars.DataFrame
        As `formats.shopping_profile`, without intervals: how far it moves by chance is asked of other seeds.
    """
    first, after = dt.date(year, 1, 1), dt.date(year + 1, 1, 1)
    seen = county.lines.filter(pl.col("sold_at").is_between(first, after, closed="left"))
    booked = county.store_months.filter(pl.col("month").dt.year() == year, pl.col("baskets") > 0)
    chain = county.stores.filter(pl.col("kind") == "chain")
    return formats.shopping_profile(
        seen,
        county_products(county.products),
        price_level=county.recipe.parameters.price_level,
        stores=chain.join(booked, on="store_id", how="semi")["store_id"],
        intervals=False,
    )


def public_profile(groceries: Any, **intervals: Any) -> pl.DataFrame:
    """Describe shopping at the public retailer, with the departments of the lens."""
    products = public_products(groceries.products)
    return formats.shopping_profile(groceries.lines, products, **intervals)


def named(compared: pl.DataFrame) -> pl.DataFrame:
    """Keep the targets that were asked for: medians and upper quantiles of levels, and all shares."""
    return compared.filter((pl.col("unit") == "share") | pl.col("statistic").is_in(UPPER))


def met(compared: pl.DataFrame) -> dict[str, tuple[int, int]]:
    """Count the targets that are met, and all: of the named levels, the named shares, and every row.

    Examples
    --------
    >>> rows = pl.DataFrame({"unit": ["share", "USD", "USD"], "statistic": ["share", "median", "10% below"],
    ...                      "within": [True, False, False]})
    >>> met(rows)
    {'levels': (0, 1), 'shares': (1, 1), 'all': (1, 3)}
    """
    asked, share = named(compared), pl.col("unit") == "share"
    parts = {"levels": asked.filter(~share), "shares": asked.filter(share), "all": compared}
    return {name: (int(rows["within"].sum()), rows.height) for name, rows in parts.items()}


def target_rows(compared: pl.DataFrame) -> pl.DataFrame:
    """Keep the targets that the picture shows: all but the shares of single hours and weekdays.

    Returns
    -------
    polars.DataFrame
        One row = one target: `panel` (levels, shares), `measure`, `statistic`, `target`, `reached`,
        `difference` (per cent for levels, points for shares), `within` (the allowance).
    """
    share = pl.col("unit") == "share"
    panel = pl.when(share).then(pl.lit("shares")).otherwise(pl.lit("levels"))
    shown = compared.filter(~pl.col("measure").is_in(["baskets by hour", "baskets by weekday"]))
    kept = shown.select(
        panel.alias("panel"),
        _shorter("measure"),
        pl.col("statistic").replace({"mean": "mean", "median": "half"}).str.replace("% below", " %"),
        *(
            pl.when(share).then(100 * pl.col(name)).otherwise(pl.col(name)).alias(name)
            for name in ("target", "reached")
        ),
        "difference",
        "within",
    )
    same_bytes = pl.col("target", "reached", "difference").round(_PLACES)
    return kept.with_columns(same_bytes).sort("panel", maintain_order=True)


def _shorter(column: str) -> pl.Expr:
    words = {
        "trips of a household": "trips",
        "baskets of a household": "baskets",
        "baskets on a trip day": "baskets a trip day",
        "value of a basket": "basket value",
        "lines in a basket": "lines a basket",
        "spending of a household": "spending",
        "mean basket of a household": "mean basket",
        "main store's share of a household's baskets": "main store",
        "concentration of a household's baskets (HHI)": "concentration",
        "stores of a household": "stores used",
        "sales by department": "sales of",
        "lines sold at a discount": "lines discounted",
        "discount of a discounted line": "discount depth",
        "discount off the shelf price": "discount, all lines",
        "baskets on a weekend": "on a weekend",
        "baskets from 17 h on": "from 17 h on",
        "baskets in the first seven days of a month": "in a month’s first week",
        "next basket at the same store": "same store next time",
    }
    return pl.col(column).replace(words)


def miss_rows(compared: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """List what the first of several counties misses, and how far off the others are there.

    Parameters
    ----------
    compared : mapping of str to polars.DataFrame
        Name of a county to its table of `formats.compare_profiles`.

    Returns
    -------
    polars.DataFrame
        One row = one missed target: `target`, `wanted`, `reached`, and a column with the difference of each
        county ("−13 %"; null where there is nothing to compare).
    """
    keys = ["measure", "statistic"]
    first = next(iter(compared.values())).filter(~pl.col("within"))
    listed = first.select(*keys, wanted="target", reached="reached")
    for name, frame in compared.items():
        listed = listed.join(
            frame.select(*keys, _off().alias(name)),
            on=keys,
            how="left",
            validate="1:1",
            maintain_order="left",
        )
    return listed.select(pl.format("{}, {}", *keys).alias("target"), pl.exclude(keys))


def _off() -> pl.Expr:
    rounded = pl.col("difference").round(0).cast(pl.Int64)
    sign = pl.when(rounded < 0).then(pl.lit("−")).otherwise(pl.lit("+"))
    return pl.format("{}{} {}", sign, rounded.abs(), "difference_unit")
