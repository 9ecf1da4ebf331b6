"""How do Spheres, the county's chain and the public retailer look side by side? One lens, one year each.

The lens is that of notebook 02: a year, prices of 2017, departments that both sides have. Here Spheres are
in the county, and each is described by its own customers.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import polars as pl

from grocery_spheres import formats
from grocery_spheres.charts.county_lens import county_products

MEASURES = {
    ("value of a basket", "mean"): ("basket_usd", "value of a basket (USD of 2017)"),
    ("lines in a basket", "mean"): ("basket_lines", "lines in a basket"),
    ("baskets of a household", "mean"): ("baskets_a_week", "baskets a customer and week"),
    ("baskets on a weekend", "share"): ("weekend", "baskets on a weekend (%)"),
    ("baskets from 17 h on", "share"): ("evening", "baskets from 17 h on (%)"),
    ("lines sold at a discount", "share"): ("discounted", "lines sold at a discount (%)"),
    ("discount off the shelf price", "share"): ("discount", "discount, all lines (%)"),
    ("next basket at the same store", "share"): ("same_store", "next basket at the same store (%)"),
    ("sales by department", "GROCERY"): ("groceries", "sales of groceries, frozen, dairy (%)"),
    ("sales by department", "PRODUCE"): ("produce", "sales of produce, not digital (%)"),
}
"""Measure and statistic of a profile: its name among the numbers, and what readers are told."""


def sphere_profile(county: Any, year: int) -> pl.DataFrame:
    """Describe shopping at the county's Spheres in one calendar year, at prices of 2017.

    Returns
    -------
    polars.DataFrame
        As `formats.shopping_profile`, without intervals. Households are those with a basket at a Sphere.
    """
    first, after = dt.date(year, 1, 1), dt.date(year + 1, 1, 1)
    seen = county.lines.filter(pl.col("sold_at").is_between(first, after, closed="left"))
    return formats.shopping_profile(
        seen,
        county_products(county.products),
        price_level=county.recipe.parameters.price_level,
        stores=county.stores.filter(pl.col("format") == "sphere")["store_id"],
        intervals=False,
    )


def beside_rows(profiles: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Put some measures of several profiles side by side.

    Parameters
    ----------
    profiles : mapping of str to polars.DataFrame
        What a column is called, and its profile.

    Returns
    -------
    polars.DataFrame
        One row = one measure: `measure` (with its unit), and a column for each profile; zero where
        a department is not sold.
    """
    rows = []
    for (measure, statistic), (_, words) in MEASURES.items():
        row: dict[str, Any] = {"measure": words}
        for name, profile in profiles.items():
            found = profile.filter(pl.col("measure") == measure, pl.col("statistic") == statistic)
            share = 100 if words.endswith("(%)") else 1
            row[name] = share * float(found["value"].item()) if found.height else 0.0
        rows.append(row)
    return pl.DataFrame(rows)
