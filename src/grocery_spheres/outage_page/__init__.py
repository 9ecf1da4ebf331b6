"""A page of one outage that a manager can read: one self-contained file, no script, nothing fetched."""

from grocery_spheres.outage_page.page import html, write

__all__ = ["html", "write"]
