"""The sweep: one row a definition, and it says what was changed."""

import datetime as dt
from dataclasses import fields

import polars as pl

from grocery_spheres.outage.regulars import Definition
from grocery_spheres.outage.relocations import DEFINITION, follow
from grocery_spheres.outage.sweep import _WORDS, sweep


def test_each_row_names_what_differs_and_repeats_follow(make_town):
    town = make_town(seed=4, stores=10, households=30)
    baskets = town.baskets(moves={3: (99, 150)})
    day = town.START + dt.timedelta(days=149)
    move = pl.DataFrame(
        {"store_id": [3], "closed": [day], "successor_id": [99], "opened": [day + dt.timedelta(days=1)]}
    )
    table = sweep(baskets, move, definitions=(DEFINITION, Definition(matches=1, most_weekly=5.0)))
    assert table["changed"].to_list() == [
        "the main definition",
        "nearest controls: 1 instead of 5; most visits a week: 5 instead of no limit",
    ]
    direct = follow(baskets, move).ratios.filter(pl.col("store_id") == "pooled")
    assert table["successor"][0] == direct["ratio"][0]
    assert table["others_high"][0] == direct["high"][1]


def test_every_choice_of_a_definition_has_words():
    assert set(_WORDS) == {field.name for field in fields(Definition)}
