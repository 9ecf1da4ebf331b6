"""Where did the demand of an outage go, what came only later, what never came back?"""

from grocery_spheres.accounting.estimate import account
from grocery_spheres.accounting.parts import MEANING
from grocery_spheres.accounting.results import Account

__all__ = ["MEANING", "Account", "account"]
