"""What is a row of each table, and what does each column hold? The data contract.

Beside the tables of a source stands `baskets`, which `panels` makes of the lines. Everything in the
package may use this module; it uses nothing of the package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["id", "datetime", "date", "number", "text", "flag"]


@dataclass(frozen=True)
class Column:
    """One column of the contract: its kind, what it holds (with the unit), whether nulls may stand in it."""

    kind: Kind
    meaning: str
    required: bool = True
    nulls: bool = False


Schema = Mapping[str, Column]

LINES: Schema = {
    "household_id": Column("id", "the buyer"),
    "store_id": Column("id", "the store that sold"),
    "basket_id": Column("id", "one checkout: one household, one store, one time"),
    "product_id": Column("id", "the product sold"),
    "sold_at": Column("datetime", "naive local time of the store"),
    "quantity": Column("number", "packages or weight units, above zero"),
    "sales_usd": Column("number", "what the retailer receives, USD of the data's year"),
    "discount_usd": Column("number", "taken off the shelf price, USD, zero or more"),
}
PRODUCTS: Schema = {
    "product_id": Column("id", "the product"),
    "department": Column("text", "department of the shop", nulls=True),
    "category": Column("text", "category within the department", nulls=True),
    "is_fuel": Column("flag", "fuel rather than groceries"),
    "package_g": Column("number", "package weight in grams, where known", required=False, nulls=True),
}
STORES: Schema = {
    "store_id": Column("id", "the store"),
    "format": Column("text", "kind of store, any label"),
    "town_id": Column("id", "the town", nulls=True),
    "opened": Column("date", "first day of trading; null = open before the study", nulls=True),
    "closed": Column("date", "last day of trading; null = open after the study", nulls=True),
}
HOUSEHOLDS: Schema = {
    "household_id": Column("id", "the household"),
    "town_id": Column("id", "the town", nulls=True),
}
OUTAGES: Schema = {
    "store_id": Column("id", "the dark store"),
    "start": Column("date", "first day, inclusive"),
    "end": Column("date", "last day, inclusive"),
    "share_down": Column("number", "share of the day's trading lost, weighted by expected sales, 0 to 1"),
}
MASKED: Schema = {
    "store_id": Column("id", "the store"),
    "date": Column("date", "local date whose records are missing: null in a panel, never zero"),
}
BASKETS: Schema = {
    "household_id": Column("id", "the buyer"),
    "store_id": Column("id", "the store that sold"),
    "sold_at": Column("datetime", "naive local time of the store", required=False),
    "date": Column("date", "local date of the sale"),
    "lines": Column("number", "products in the basket"),
    "sales_usd": Column("number", "what the retailer receives, USD of the data's year"),
    "discount_usd": Column("number", "taken off the shelf price, USD"),
}
TABLES: Mapping[str, Schema] = {
    "baskets": BASKETS,
    "lines": LINES,
    "products": PRODUCTS,
    "stores": STORES,
    "households": HOUSEHOLDS,
    "outages": OUTAGES,
    "masked": MASKED,
}
