"""What does `grocery-spheres data` build, and what is there then? The public data and a county of 2045."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from grocery_spheres import data_readme, provenance, public
from grocery_spheres.county import build as county_build
from grocery_spheres.county import truth
from grocery_spheres.county.arms import FACTUAL
from grocery_spheres.county.build import Recipe
from grocery_spheres.county.load import KEY
from grocery_spheres.county.presets import preset as preset_of
from grocery_spheres.county.settings import read_settings


def build(
    preset: str = "county",
    seed: int = 2045,
    arm: str = FACTUAL,
    settings: Sequence[str] = (),
    *,
    workers: int = 1,
    force: bool = False,
) -> str:
    """Build the public data and a county where they are missing, and bring data/README.md up to date.

    Parameters
    ----------
    preset : str
        The county's, see `county.presets.PRESETS`.
    seed : int
        Of every draw of the county.
    arm : str
        See `county.arms.ARMS`.
    settings : sequence of str
        Assumptions of the county that differ from the preset, as NAME=VALUE.
    workers : int
        Processes that build the county.
    force : bool
        Build anew even where the tables are there.

    Returns
    -------
    str
        One line each: the folder and what is in it; then how the county is read in Python.

    Raises
    ------
    ParameterError
        Names what was asked for and what is allowed; nothing is written.
    """
    changes = read_settings(settings)
    recipe = Recipe(preset_of(preset, **changes), seed, arm)
    data_readme.write_data_readme()
    published = public.build(force=force)
    county = county_build.build(recipe, workers=workers, force=force)
    true = (truth.build(recipe, workers=workers, force=force),) if arm == FACTUAL else ()
    asked = {"seed": seed, "preset": preset, "arm": arm, **changes}
    call = ", ".join(f"{name}={value!r}" for name, value in asked.items())
    return "\n".join(
        (
            f"{provenance.card(public.KEY).title} (public) lies in {published}: {_contents(published)}.",
            f"{provenance.card(KEY).title} (synthetic) lies in {county}: {_contents(county)}.",
            *(f"What would have been otherwise lies in {folder}." for folder in true),
            f"In Python: grocery_spheres.county({call})",
        )
    )


def _contents(folder: Path) -> str:
    """Count what a folder of built tables holds; its account ends with the lines that are in it."""
    lines = pl.read_parquet(folder / "account.parquet")["rows"][-1]
    households, stores = (
        pl.scan_parquet(folder / f"{name}.parquet").select(pl.len()).collect().item()
        for name in ("households", "stores")
    )
    return f"{lines:,} lines, {households:,} households, {stores:,} stores"
