"""The synthetic county of 2045: a world whose truth is known because every assumption is named.

`grocery_spheres.county(seed=2045)` builds and reads one: the package can be called, see `load.county`.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _County(ModuleType):
    """The package as something to call: `gs.county` names both the folder and what it makes."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        from grocery_spheres.county.load import county  # noqa: PLC0415 - importing the package costs nothing

        return county(*args, **kwargs)


sys.modules[__name__].__class__ = _County
