"""Which departments make the sales?"""

from __future__ import annotations

from typing import Any

import polars as pl

from grocery_spheres.formats.doors import taken
from grocery_spheres.tables import require_columns


def department_mix(lines: Any, products: Any, most: int = 10) -> pl.DataFrame:
    """Return each department's share of sales.

    Parameters
    ----------
    lines : any Narwhals frame
        One row = one product in one basket: `product_id`, `sales_usd`.
    products : any Narwhals frame
        One row = one product: `product_id` (unique), `department`.
    most : int
        Departments named; the rest stand together as "all other".

    Returns
    -------
    polars.DataFrame
        One row = one department: `department`, `sales_usd`, `share`; sorted by sales, "all other" last.
        The shares add to one.

    Examples
    --------
    >>> lines = pl.DataFrame({"product_id": [1, 2, 3], "sales_usd": [6.0, 1.0, 1.0]})
    >>> products = pl.DataFrame({"product_id": [1, 2, 3], "department": ["PRODUCE", "MEAT", "DELI"]})
    >>> department_mix(lines, products, most=1).rows()
    [('PRODUCE', 6.0, 0.75), ('all other', 2.0, 0.25)]
    """
    names, sales = taken(products, "products"), taken(lines, "lines")
    require_columns(names.columns, ["product_id", "department"], "products")
    require_columns(sales.columns, ["product_id", "sales_usd"], "lines")
    names = names.select("product_id", "department")
    sold = sales.group_by("product_id").agg(pl.sum("sales_usd"))
    joined = sold.join(names, on="product_id", how="left", validate="1:1")
    ranked = joined.group_by("department").agg(pl.sum("sales_usd")).sort("sales_usd", descending=True)
    named = pl.when(pl.int_range(pl.len()) < most).then(pl.col("department").fill_null("unknown"))
    folded = ranked.with_columns(department=named.otherwise(pl.lit("all other")))
    total = folded.group_by("department", maintain_order=True).agg(pl.sum("sales_usd"))
    return total.with_columns(share=pl.col("sales_usd") / pl.sum("sales_usd"))
