"""What does an arriving store do to those already there?"""

from grocery_spheres.entry.estimate import estimate_entry
from grocery_spheres.entry.hazard import HazardResults, closing_hazard
from grocery_spheres.entry.markets import event_months, market_panel
from grocery_spheres.entry.results import EntryResults
from grocery_spheres.entry.survival import compare_survival
from grocery_spheres.entry.survival_results import SurvivalResults

__all__ = [
    "EntryResults",
    "HazardResults",
    "SurvivalResults",
    "closing_hazard",
    "compare_survival",
    "estimate_entry",
    "event_months",
    "market_panel",
]
