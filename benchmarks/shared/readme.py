"""How does a script's section get into benchmarks/README.md?"""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Sequence
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def made_with(packages: Sequence[str]) -> str:
    """Say what a table was measured with, in a line.

    Parameters
    ----------
    packages : sequence of str
        Names, as they are installed.
    """
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    return (
        f"Python {platform.python_version()}, {versions}; {os.cpu_count()} cores, shared with other programs."
    )


def write_section(start: str, end: str, text: str) -> None:
    """Put a section into the README, in place of its older self; other sections stay.

    Parameters
    ----------
    start, end : str
        The comments between which it stands.
    text : str
        The section, with both of them.
    """
    old = README.read_text(encoding="utf-8") if README.exists() else "# Benchmarks\n"
    before, _, rest = old.partition(start)
    after = rest.partition(end)[2].strip("\n")
    parts = [before.strip("\n"), text, after]
    draft = README.with_suffix(".part")
    draft.write_text("\n\n".join(part for part in parts if part) + "\n", encoding="utf-8")
    draft.replace(README)
