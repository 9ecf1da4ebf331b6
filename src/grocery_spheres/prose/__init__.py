"""Whether prose and numbers agree: how a number is cited (`citation`), and where it differs (`drift`)."""

from grocery_spheres.prose.citation import written
from grocery_spheres.prose.drift import Drift, check_prose, prose_files, update_prose

__all__ = ["Drift", "check_prose", "prose_files", "update_prose", "written"]
