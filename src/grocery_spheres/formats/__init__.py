"""What does shopping look like: how often, when, how much, and how far do households differ?

The same profile is taken of any groceries, so that two kinds of store, or a made county and public
data, can be held side by side.
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
