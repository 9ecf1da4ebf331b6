"""How is a county asked for? `gs.county(seed=2045)`: built on first use, then read from the cache."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from grocery_spheres import provenance
from grocery_spheres.county.arms import FACTUAL
from grocery_spheres.county.build import Recipe, build
from grocery_spheres.county.parameters import Parameters
from grocery_spheres.county.presets import preset as preset_of
from grocery_spheres.schema import LINES, MASKED
from grocery_spheres.tables import Groceries

KEY = "county_2045"


@dataclass(frozen=True)
class County(Groceries):
    """Groceries of a synthetic county, with what made them.

    Attributes
    ----------
    recipe : Recipe
        Assumptions, seed and arm.
    towns : polars.DataFrame
        One row = one town: see `world.World.towns`.
    store_months : polars.DataFrame
        One row = one store and month of trading: `baskets`, `lines`, `sales_usd` (the followed households),
        `contribution_usd`, `fixed_cost_usd`, `profit_usd` (the whole town; null for Spheres), `closes`.
    weather : polars.DataFrame
        One row = one town and day: `wet_share` of its hours.
    """

    recipe: Recipe = field(kw_only=True)
    towns: pl.DataFrame = field(kw_only=True)
    store_months: pl.DataFrame = field(kw_only=True)
    weather: pl.DataFrame = field(kw_only=True)

    def truth(self, table: str, *, workers: int = 1) -> pl.DataFrame:
        """Return one table of what happened and what would have happened otherwise; see `truth.TABLES`.

        All tables are built on first use, with every arm lived through. They are there to hold estimates
        against: no estimator may read them.
        """
        from grocery_spheres.county.truth import truth  # noqa: PLC0415 - most uses need no truth

        return truth(self.recipe, table, workers=workers)


def county(
    seed: int = 2045,
    *,
    preset: str = "county",
    arm: str = FACTUAL,
    parameters: Parameters | None = None,
    workers: int = 1,
    **changes: Any,
) -> County:
    """Return a county of 2045; built on first use with a progress bar, then read from the cache.

    Parameters
    ----------
    seed : int
        Of every draw, 0 or more. Same seed, assumptions, arm and code: same bytes on one machine.
    preset : str
        "county" (64 towns, two years), "outage" (40,000 households, 240 days), "small" (for first looks).
    arm : str
        "factual", "no sphere", "no outage" or "no event".
    parameters : Parameters, optional
        All assumptions at once, instead of a preset.
    workers : int
        Processes that build. In a script, more than one needs `if __name__ == "__main__":`.
    **changes
        Single assumptions by name, such as ``habit=0.5``. ``grocery-spheres data --set habit=0.5`` builds
        the same.

    Returns
    -------
    County
        Lines, products, stores, households and outages in the data contract's shape (USD of 2045), and
        `towns`, `store_months`, `weather`. What would have been otherwise: `grocery_spheres.county.truth`.

    Raises
    ------
    ParameterError
        Names the assumption, its value and what is allowed; nothing is written.

    Examples
    --------
    >>> small = county(seed=7, preset="small")
    >>> small.evidence, small.stores["format"].unique().sort().to_list()
    ('synthetic', ['grocer', 'sphere'])
    """
    base = preset_of(preset) if parameters is None else parameters
    recipe = Recipe(base.change(**changes), seed, arm)
    return read(recipe, build(recipe, workers=workers))


def read(recipe: Recipe, folder: Path) -> County:
    """Return a county that has been built."""
    lines = pl.scan_parquet(folder / "lines" / "*.parquet")
    kept = ("products", "stores", "households", "outages", "account", "towns", "store_months", "weather")
    return County(
        name=KEY,
        evidence=provenance.card(KEY).evidence,
        lines=lines,
        masked=pl.DataFrame(schema={"store_id": pl.String, "date": pl.Date}).select(*MASKED),
        set_apart=lines.select(*LINES, reason=pl.lit(None, dtype=pl.String)).clear(),
        recipe=recipe,
        **{name: pl.read_parquet(folder / f"{name}.parquet") for name in kept},
    )
