"""What does shopping look like: how often, when, how much, and how far do households differ?

The same profile is taken of any groceries, so that two kinds of store, or a made county and public
data, can be held side by side.
"""

from grocery_spheres.formats.clock import trading_hours
from grocery_spheres.formats.mix import department_mix
from grocery_spheres.formats.profile import shopping_profile
from grocery_spheres.formats.spread import QUANTILES, household_spread
from grocery_spheres.formats.targets import compare_profiles

__all__ = [
    "QUANTILES",
    "compare_profiles",
    "department_mix",
    "household_spread",
    "shopping_profile",
    "trading_hours",
]
