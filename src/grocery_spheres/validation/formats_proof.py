"""Do shares, growth and prices of a sample of households hold what is true of all of them?

In small counties every household is known. An analyst sees a tenth as many, drawn at random; what the
helpers make of these, with their intervals, is held against what is true of all, worked out another way.
Prices rise by steps that are put in, product by product, so that indices have something to find.
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
from grocery_spheres.validation import by_hand
from grocery_spheres.validation.subjects import Rows, Subject

ALPHA = 0.1  # one minus the level of all intervals
DRAWS = 200
BEFORE = (dt.date(2044, 7, 1), dt.date(2044, 9, 30))
AFTER = (dt.date(2045, 7, 1), dt.date(2045, 9, 30))
RISE = dt.date(2045, 1, 1)  # from this day on prices are higher
RISE_MEAN, RISE_SPREAD = 0.05, 0.05  # of a product's rise, in logarithms: put in, not found anywhere
HOUSEHOLDS = 400  # a town
SEEN = 240  # draws of households in all: an analyst's panel, a tenth of as many as there are
_COPIES = 1000  # more than one household is ever drawn: makes ids of copies
CUSTOMERS, GROWTH = "the Spheres' customers", "grocers' growth, USD a day"
INDEX, FIVE_QUARTERS = "grocers' price index", "five quarters, chained"
LEVEL, BY_MONTH = "price level of Spheres over grocers", "Fisher, months"
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
    """Build one small county, see some of its households, and hold what they say against all of them.

    Returns
    -------
    list of dict
        One row an estimate: `estimand`, `part`, `truth` (of all households, worked out in `by_hand`),
        `estimate`, `low`, `high`.
    """
    with tempfile.TemporaryDirectory() as place:
        recipe = Recipe(preset("county", **_COUNTY), seed)
        write_tables(recipe, Path(place))
        county = read(recipe, Path(place))
        lines = _risen(county, seed).collect()
    rows = _measured(_seen(lines, county, seed), county)
    paired = rows.join(_truth(lines, county), on=["estimand", "part"], how="left", maintain_order="left")
    return paired.select("estimand", "part", "truth", "estimate", "low", "high").to_dicts()


def _risen(county: County, seed: int) -> pl.LazyFrame:
    """Raise prices, product by product, from one day on: the same goods for more money."""
    draw = np.random.default_rng([seed, 1])
    log_rise = draw.normal(RISE_MEAN, RISE_SPREAD, county.products.height)
    rise = county.products.select("product_id", rise=pl.Series(np.exp(log_rise))).lazy()
    later = pl.when(pl.col("sold_at").dt.date() >= RISE).then("rise").otherwise(1.0)
    joined = county.lines.join(rise, on="product_id", how="left")
    return joined.with_columns(pl.col("sales_usd", "discount_usd") * later).drop("rise")


def _seen(lines: pl.DataFrame, county: County, seed: int) -> pl.DataFrame:
    """Draw the households that an analyst sees, with replacement, so that the population has no end.

    One drawn twice counts as two households.
    """
    draw = np.random.default_rng([seed, 2])
    homes = county.households["household_id"].to_numpy()
    drawn = pl.DataFrame({"household_id": draw.choice(homes, size=SEEN)}).with_columns(
        copy=pl.int_range(pl.len()).over("household_id")
    )
    ids = (pl.col(name) * _COPIES + pl.col("copy") for name in ("household_id", "basket_id"))
    return lines.join(drawn, on="household_id").with_columns(*ids).drop("copy")


def _truth(lines: pl.DataFrame, county: County) -> pl.DataFrame:
    """Work out what is true of all households; sums as of the number of those seen."""
    labels = county.stores.select("store_id", label="format")
    every = lines.join(labels, on="store_id").with_columns(month=pl.col("sold_at").dt.truncate("1mo"))
    grocers, spheres = (every.filter(pl.col("label") == one) for one in ("grocer", "sphere"))
    windows = [grocers.filter(pl.col("sold_at").dt.date().is_between(*one)) for one in (BEFORE, AFTER)]
    days = (AFTER[1] - AFTER[0]).days + 1
    growth = by_hand.of_growth(windows[0], windows[1], days)
    late = every.filter(pl.col("sold_at").dt.date().is_between(*AFTER))
    share = SEEN / county.households.height
    found = [(CUSTOMERS, part, value) for part, value in by_hand.of_customers(late, "sphere").items()]
    found += [(GROWTH, part, value * share) for part, value in growth.items()]
    found += [(INDEX, FIVE_QUARTERS, by_hand.chained(grocers, "1q"))]
    found += [(LEVEL, BY_MONTH, by_hand.fisher(grocers, spheres, ("month",)))]
    return pl.DataFrame(found, schema=["estimand", "part", "truth"], orient="row")


def _measured(lines: pl.DataFrame, county: County) -> pl.DataFrame:
    """Return every measure of the lines seen, one row each."""
    how: dict[str, Any] = {"alpha": ALPHA, "draws": DRAWS}
    return pl.concat([_compared(lines, county, how), _grown(lines, county, how), _priced(lines, county, how)])


def _compared(lines: pl.DataFrame, county: County, how: dict[str, Any]) -> pl.DataFrame:
    late = lines.filter(pl.col("sold_at").dt.date().is_between(*AFTER))
    table = compare_formats(panels.baskets(late), county.stores, **how)
    chosen = table.filter(pl.col("label") == "sphere", pl.col("measure").is_in(MEASURES))
    return _rows(CUSTOMERS, chosen, part="measure")


def _grown(lines: pl.DataFrame, county: County, how: dict[str, Any]) -> pl.DataFrame:
    grocers = county.stores.filter(pl.col("format") == "grocer")
    theirs = lines.join(grocers, on="store_id", how="semi")
    table = decompose_growth(theirs, before=BEFORE, after=AFTER, **how)
    return _rows(GROWTH, table, part="component", value="usd")


def _priced(lines: pl.DataFrame, county: County, how: dict[str, Any]) -> pl.DataFrame:
    index = price_index(lines, every="1q", stores=county.stores, label="format", **how)
    last = index.filter(pl.col("label") == "grocer").sort("period").tail(1)
    levels = relative_prices(lines, county.stores, "grocer", **how)
    return pl.concat(
        [
            _rows(INDEX, last.with_columns(part=pl.lit(FIVE_QUARTERS))),
            _rows(LEVEL, levels.with_columns(part=pl.lit(BY_MONTH))),
        ]
    )


def _rows(estimand: str, table: pl.DataFrame, part: str = "part", value: str = "value") -> pl.DataFrame:
    named = pl.lit(estimand).alias("estimand"), pl.col(part).alias("part")
    return table.select(*named, pl.col(value).alias("estimate"), "low", "high")


_HERE = ("validation.by_hand", "validation.formats_proof")
SUBJECT = Subject(
    name="formats",
    question="Do intervals made from a tenth of the households hold what is true of all of them?",
    replicate=replicate,
    replications=200,
    rests_on=(
        "county",
        "formats",
        "panels",
        "schema",
        "tables",
        "validation.by_hand",
        "validation.formats_proof",
    ),
)
