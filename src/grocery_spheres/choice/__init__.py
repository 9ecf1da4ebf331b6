"""What makes people choose one option rather than another, and what would they do without it?"""

from grocery_spheres.choice.fit import fit_choice
from grocery_spheres.choice.newton import ChoiceError
from grocery_spheres.choice.results import ChoiceResults

__all__ = ["ChoiceError", "ChoiceResults", "fit_choice"]
