"""What a grocery outage cost, and where the demand went: helper modules behind the notebooks.

The public vocabulary; each name is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grocery_spheres.accounting.estimate import account
    from grocery_spheres.choice.fit import fit_choice
    from grocery_spheres.county.load import county
    from grocery_spheres.entry import closing_hazard, compare_survival, estimate_entry
    from grocery_spheres.factorial import two_causes
    from grocery_spheres.formats import (
        compare_formats,
        decompose_growth,
        price_index,
        sales_over_time,
        shopping_profile,
    )
    from grocery_spheres.outage.agreement import compare_methods
    from grocery_spheres.outage.dark_spells import missing_or_outage
    from grocery_spheres.outage.estimate import estimate_outage
    from grocery_spheres.outage.events import find_events
    from grocery_spheres.outage.injected import inject_outage
    from grocery_spheres.outage.outages import Outage
    from grocery_spheres.outage.relocations import follow
    from grocery_spheres.outage.rivals import shared_customers
    from grocery_spheres.panels import baskets, check_baskets, household_weeks, store_days
    from grocery_spheres.public import complete_journey
    from grocery_spheres.tables import ContractError, Groceries, GroceryError, check_table

_HOMES = {
    "ContractError": "tables",
    "Groceries": "tables",
    "GroceryError": "tables",
    "Outage": "outage.outages",
    "account": "accounting.estimate",
    "baskets": "panels",
    "check_baskets": "panels",
    "check_table": "tables",
    "closing_hazard": "entry",
    "compare_formats": "formats",
    "compare_methods": "outage.agreement",
    "compare_survival": "entry",
    "complete_journey": "public",
    "county": "county",
    "decompose_growth": "formats",
    "estimate_entry": "entry",
    "estimate_outage": "outage.estimate",
    "find_events": "outage.events",
    "fit_choice": "choice",
    "follow": "outage.relocations",
    "household_weeks": "panels",
    "inject_outage": "outage.injected",
    "missing_or_outage": "outage.dark_spells",
    "price_index": "formats",
    "sales_over_time": "formats",
    "shared_customers": "outage.rivals",
    "shopping_profile": "formats",
    "store_days": "panels",
    "two_causes": "factorial",
}

__all__ = [
    "ContractError",
    "Groceries",
    "GroceryError",
    "Outage",
    "account",
    "baskets",
    "check_baskets",
    "check_table",
    "closing_hazard",
    "compare_formats",
    "compare_methods",
    "compare_survival",
    "complete_journey",
    "county",
    "decompose_growth",
    "estimate_entry",
    "estimate_outage",
    "find_events",
    "fit_choice",
    "follow",
    "household_weeks",
    "inject_outage",
    "missing_or_outage",
    "price_index",
    "sales_over_time",
    "shared_customers",
    "shopping_profile",
    "store_days",
    "two_causes",
]


def __getattr__(name: str) -> Any:
    """Import a public name on first use, so that `import grocery_spheres` costs nothing."""
    if name == "__version__":
        return metadata.version("grocery-spheres")
    if name not in _HOMES:
        raise AttributeError(f"grocery_spheres has no {name!r}; it has: {', '.join(__all__)}")
    home = import_module(f"grocery_spheres.{_HOMES[name]}")
    return home if name == "county" else getattr(home, name)  # that package can itself be called


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
