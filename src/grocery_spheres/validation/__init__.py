"""Does a method find the truth where the truth is known? Long proofs, repeated many times, into tables.

A proof may use every part of the package: it holds what a question answers against what the county, or an
injected outage, knows. The tables are committed in reports/validation; pages read them.
"""

from grocery_spheres.validation.tables import read, stale
from grocery_spheres.validation.verdicts import bias, coverage

__all__ = ["bias", "coverage", "read", "stale"]
