"""What does a panel with an outage look like whose truth is known? A small one, made in code.

Synthetic evidence: it shows how the estimators are used, and supports no claim about the world.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl

from grocery_spheres.outage.outages import Outage

UNIT, TIME, OUTCOME = "shop", "day", "sales_usd"
"""Columns of the panel."""

SHOPS = 12
DAYS = 120
FIRST_DAY = dt.date(2045, 3, 6)  # a Monday: the record ends two weeks after the outage
DARK_SHOP = "shop-03"
DARK_FROM = 103  # days after the first: Saturday 17 June 2045, as in the story
DARK_DAYS = 3

_WEEKDAYS = (0.88, 0.86, 0.90, 0.96, 1.12, 1.28, 1.00)  # of a shop's level, Monday first (assumed)
_LEVELS = (4_000.0, 9_000.0)  # USD a day at the smallest and the largest shop (assumed)
_COMMON, _STEADY = 0.02, 0.8  # spread of the daily shock that shops share, and what is kept of it (assumed)
_OWN = 0.035  # spread of the shock of one shop and day, as a share of its level (assumed)
_LOST = 0.9  # share of the dark shop's sales that the outage took: some sold on, by hand (assumed)


def example_panel(seed: int = 2045) -> pl.DataFrame:
    """Make a small synthetic panel in which one shop is dark for three days.

    Parameters
    ----------
    seed : int
        Of every draw.

    Returns
    -------
    polars.DataFrame
        One row = one shop and day: `shop`, `day`, `sales_usd` (USD). `example_outage` says who was dark
        when, `example_truth` what that took.

    Examples
    --------
    >>> example_panel().shape, example_panel()["shop"].n_unique()
    ((1440, 3), 12)
    """
    without = _without(seed)
    sold = (without["sales_usd"] - _taken(without)).round(2)
    return without.with_columns(sales_usd=sold)


def example_outage() -> Outage:
    """Return the outage of the example: who was dark, from when to when, and how far.

    Examples
    --------
    >>> example_outage().periods, example_outage().share_down
    ('2045-06-17 to 2045-06-19', 0.9)
    """
    first = FIRST_DAY + dt.timedelta(days=DARK_FROM)
    return Outage(DARK_SHOP, first, first + dt.timedelta(days=DARK_DAYS - 1), _LOST)


def example_truth(seed: int = 2045) -> pl.DataFrame:
    """Return what the outage took: the truth that an estimate can be held against.

    Parameters
    ----------
    seed : int
        As for `example_panel`.

    Returns
    -------
    polars.DataFrame
        One row = one dark shop and day: `shop`, `day`, `without` (sales without the outage), `effect` (sales
        with it minus without), in USD.

    Examples
    --------
    >>> truth = example_truth()
    >>> truth.height, bool((truth["effect"] / truth["without"] + 0.9).abs().max() < 1e-4)
    (3, True)
    """
    without, panel = _without(seed), example_panel(seed)
    both = without.rename({"sales_usd": "without"}).join(panel, on=["shop", "day"], validate="1:1")
    dark = both.filter(_is_dark()).with_columns(effect=pl.col("sales_usd") - pl.col("without"))
    return dark.select("shop", "day", "without", "effect")


def _without(seed: int) -> pl.DataFrame:
    """Draw what every shop would have sold: level x weekday x common shock x own shock."""
    rng = np.random.default_rng(seed)
    levels = np.linspace(*_LEVELS, SHOPS)[rng.permutation(SHOPS)]
    week = np.resize(np.array(_WEEKDAYS), DAYS)
    common = np.zeros(DAYS)
    for day, shock in enumerate(rng.normal(0, _COMMON, DAYS)):
        common[day] = (_STEADY * common[day - 1] if day else 0.0) + shock
    own = rng.normal(0, _OWN, (SHOPS, DAYS))
    sold = levels[:, None] * week * np.exp(common + own)
    days = [FIRST_DAY + dt.timedelta(days=day) for day in range(DAYS)]
    names = [f"shop-{number:02d}" for number in range(1, SHOPS + 1)]
    return pl.DataFrame(
        {
            UNIT: np.repeat(names, DAYS),
            TIME: pl.Series(days * SHOPS, dtype=pl.Date),
            OUTCOME: sold.ravel().round(2),
        }
    )


def _is_dark() -> pl.Expr:
    outage = example_outage()
    return pl.col("shop").is_in(outage.units) & pl.col("day").is_between(outage.start, outage.end)


def _taken(without: pl.DataFrame) -> pl.Series:
    dark = without.select(_is_dark()).to_series()
    return without["sales_usd"] * dark * _LOST
