"""Do shares, growth and prices of a sample of households hold what is true of all of them?

In small counties every household is known. An analyst sees one in ten; what the helpers make of these, with
their intervals, is held against the same measure of all. Prices rise by known steps that are put in, product
by product, so that indices have something to find.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from grocery_spheres import panels
from grocery_spheres.county.build import Recipe, write_tables
from grocery_spheres.county.load import County, read
from grocery_spheres.county.presets import preset
from grocery_spheres.formats.comparison import compare_formats
from grocery_spheres.formats.growth import decompose_growth
from grocery_spheres.formats.price_levels import relative_prices
from grocery_spheres.formats.prices import price_index
from grocery_spheres.validation.subjects import Rows, Subject

ALPHA = 0.1  # one minus the level of all intervals
DRAWS = 200
BEFORE = (dt.date(2044, 7, 1), dt.date(2044, 9, 30))
AFTER = (dt.date(2045, 7, 1), dt.date(2045, 9, 30))
RISE = dt.date(2045, 1, 1)  # from this day on prices are higher
RISE_MEAN, RISE_SPREAD = 0.05, 0.05  # of a product's rise, in logarithms: put in, not found anywhere
HOUSEHOLDS, SEEN = 400, 40  # a town: all, and those an analyst sees
_COUNTY = {
    "towns": 6,
    "never_towns": 2,
    "cohorts": 2,
    "households": HOUSEHOLDS,
    "start": BEFORE[0],
    "end": AFTER[1],
    "first_entry": dt.date(2044, 10, 1),
}
MEASURES = (
    "share of sales",
    "penetration",
    "value of a basket",
    "share of wallet",
    "next trip at the same label",
)


def replicate(seed: int) -> Rows:
    """Build one small county and hold a tenth of its households against all.

    Returns
    -------
    list of dict
        One row an estimate: `estimand`, `part`, `truth` (of all households), `estimate`, `low`, `high`.
    """
    with tempfile.TemporaryDirectory() as place:
        recipe = Recipe(preset("county", **_COUNTY), seed)
        write_tables(recipe, Path(place))
        county = read(recipe, Path(place))
        lines = _risen(county, seed).collect()
    seen = _sampled(county, seed)
    all_rows = _measured(lines, county, intervals=False)
    rows = _measured(lines.join(seen, on="household_id", how="semi"), county, intervals=True)
    keys = ["estimand", "part"]
    paired = rows.join(all_rows.select(*keys, truth="estimate"), on=keys, how="left", maintain_order="left")
    return paired.with_columns(truth=pl.col("truth") * pl.col("scale")).drop("scale").to_dicts()


def _risen(county: County, seed: int) -> pl.LazyFrame:
    """Raise prices, product by product, from one day on: the same goods for more money."""
    draw = np.random.default_rng([seed, 1])
    log_rise = draw.normal(RISE_MEAN, RISE_SPREAD, county.products.height)
    rise = county.products.select("product_id", rise=pl.Series(np.exp(log_rise))).lazy()
    later = pl.when(pl.col("sold_at").dt.date() >= RISE).then("rise").otherwise(1.0)
    joined = county.lines.join(rise, on="product_id", how="left")
    return joined.with_columns(pl.col("sales_usd", "discount_usd") * later).drop("rise")


def _sampled(county: County, seed: int) -> pl.DataFrame:
    """Draw the households that an analyst sees, as many in every town."""
    draw = np.random.default_rng([seed, 2])
    shuffled = county.households.with_columns(place=pl.Series(draw.random(county.households.height)))
    return shuffled.filter(pl.col("place").rank().over("town_id") <= SEEN).select("household_id")


def _measured(lines: pl.DataFrame, county: County, *, intervals: bool) -> pl.DataFrame:
    """Return every measure of some lines, one row each; `scale` turns a sum of all into one of the sample."""
    how: dict[str, Any] = {"alpha": ALPHA, "draws": DRAWS, "intervals": intervals}
    tables = [
        _compared(lines, county, how),
        _grown(lines, county, how),
        _priced(lines, county, how),
    ]
    return pl.concat(tables)


def _compared(lines: pl.DataFrame, county: County, how: dict[str, Any]) -> pl.DataFrame:
    late = lines.filter(pl.col("sold_at").dt.date().is_between(*AFTER))
    seen = lines.select("household_id").unique()
    table = compare_formats(panels.baskets(late), county.stores, households=seen, **how)
    chosen = table.filter(pl.col("label") == "sphere", pl.col("measure").is_in(MEASURES))
    return _rows("the Spheres' customers", chosen, part="measure")


def _grown(lines: pl.DataFrame, county: County, how: dict[str, Any]) -> pl.DataFrame:
    grocers = county.stores.filter(pl.col("format") == "grocer")
    theirs = lines.join(grocers, on="store_id", how="semi")
    table = decompose_growth(theirs, before=BEFORE, after=AFTER, **how)
    return _rows("grocers' growth, USD a day", table, part="component", value="usd", scale=SEEN / HOUSEHOLDS)


def _priced(lines: pl.DataFrame, county: County, how: dict[str, Any]) -> pl.DataFrame:
    index = price_index(lines, every="1q", stores=county.stores, label="format", **how)
    last = index.filter(pl.col("label") == "grocer").sort("period").tail(1)
    levels = relative_prices(lines, county.stores, "grocer", **how)
    return pl.concat(
        [
            _rows("grocers' price index", last.with_columns(part=pl.lit("five quarters, chained"))),
            _rows("price level of Spheres over grocers", levels.with_columns(part=pl.lit("Fisher, months"))),
        ]
    )


def _rows(
    estimand: str, table: pl.DataFrame, part: str = "part", value: str = "value", scale: float = 1.0
) -> pl.DataFrame:
    named = pl.lit(estimand).alias("estimand"), pl.col(part).alias("part")
    return table.select(*named, pl.col(value).alias("estimate"), "low", "high", scale=pl.lit(scale))


SUBJECT = Subject(
    name="formats",
    question="Do intervals made from one household in ten hold what is true of all of them?",
    replicate=replicate,
    replications=200,
    rests_on=("county", "formats", "panels", "validation.formats_proof"),
)
