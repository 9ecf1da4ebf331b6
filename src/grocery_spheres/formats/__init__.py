"""How do kinds of store differ: in sales, customers, departments, prices and growth?

- Kinds of store side by side: `sales_over_time`, `compare_formats`, `department_mix`; raw and adjusted for
  who shops where: `adjusted_difference`.
- Customers kept, lost and shared: `customer_flows`. Sales in few hands or many: `concentration`.
- What money goes to, by kind of store and group of households: `department_shares`, `share_of_spend`.
- Prices of matched products over time and between kinds of store: `price_index`, `relative_prices`.
- Growth taken apart into customers, trips, basket, prices and mix: `decompose_growth`.
- The profile of shopping, how often, when, how much, and how far households differ: `shopping_profile`,
  `trading_hours`, `household_spread`. It is taken of any groceries, so that a made county and public data
  can be compared: `compare_profiles`.

Any words label the kinds of store: they come from a column of the table of stores.
"""

from grocery_spheres.formats.adjusted import adjusted_difference
from grocery_spheres.formats.clock import trading_hours
from grocery_spheres.formats.comparison import compare_formats
from grocery_spheres.formats.concentration import concentration
from grocery_spheres.formats.customers import customer_flows
from grocery_spheres.formats.departments import department_shares, share_of_spend
from grocery_spheres.formats.growth import decompose_growth
from grocery_spheres.formats.mix import department_mix
from grocery_spheres.formats.price_levels import relative_prices
from grocery_spheres.formats.prices import price_index
from grocery_spheres.formats.profile import shopping_profile
from grocery_spheres.formats.sales import sales_over_time
from grocery_spheres.formats.spread import QUANTILES, household_spread
from grocery_spheres.formats.targets import compare_profiles

__all__ = [
    "QUANTILES",
    "adjusted_difference",
    "compare_formats",
    "compare_profiles",
    "concentration",
    "customer_flows",
    "decompose_growth",
    "department_mix",
    "department_shares",
    "household_spread",
    "price_index",
    "relative_prices",
    "sales_over_time",
    "share_of_spend",
    "shopping_profile",
    "trading_hours",
]
