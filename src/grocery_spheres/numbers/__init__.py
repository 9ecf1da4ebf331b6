"""Which numbers the project has found, in one place that prose, notebooks and tests can cite."""

from grocery_spheres.numbers.rows import counted, from_rows
from grocery_spheres.numbers.store import Number, merge_numbers, publish_numbers, read_numbers

__all__ = ["Number", "counted", "from_rows", "merge_numbers", "publish_numbers", "read_numbers"]
