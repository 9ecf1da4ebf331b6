"""Same seed, same county, however it is cut and built; two arms differ only where their cause reaches."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import fields
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
from polars.testing import assert_frame_equal

from grocery_spheres.county import build, simulate
from grocery_spheres.county.arms import ARMS, Arm
from grocery_spheres.county.block import make_block
from grocery_spheres.county.lines import fill

SMALL_TABLES = ("households", "store_months", "weather", "products", "stores", "towns", "outages", "account")


def lines_of(county):
    return county.lines.collect()


def by_town(lines, county):
    """Lines with their town and date."""
    towns = county.households.select("household_id", "town_id")
    joined = lines.join(towns, on="household_id", maintain_order="left")
    return joined.with_columns(date=pl.col("sold_at").dt.date())


STRONG = {"households": 60, "event_pull": 3.0}  # enough for every cause to show in every town that it reaches


@pytest.fixture(scope="module")
def arms(counties):
    """Lines of every arm, with town and date."""
    made = {name: counties(arm=name, **STRONG) for name in ARMS}
    return {name: by_town(lines_of(county), county) for name, county in made.items()}


@pytest.fixture(scope="module")
def factual(counties):
    return counties()


def towns_with(county, flag):
    return county.towns.filter(flag)["town_id"].to_list()


# ---- same seed, same county


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*.parquet")
    }


@pytest.fixture(scope="module")
def written(counties, tmp_path_factory):
    """Bytes of a county in blocks of four towns, written by one worker, again by one, and by two."""
    made = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "TOWNS_A_BLOCK", 4)
        for name, workers in (("once", 1), ("again", 1), ("two workers", 2)):
            folder = tmp_path_factory.mktemp("written")
            build.write_tables(counties.recipe(), folder, workers=workers)
            made[name] = digests(folder)
    return made


@pytest.mark.parametrize("other", ["again", "two workers"])
def test_the_same_seed_gives_the_same_bytes(written, other):
    assert written["once"] == written[other]


def test_every_block_is_a_file_of_lines_and_every_table_a_file(written):
    lines = {name for name in written["once"] if name.startswith("lines")}
    assert lines == {"lines/towns-00001.parquet", "lines/towns-00005.parquet"}
    assert set(written["once"]) - lines == {f"{name}.parquet" for name in (*SMALL_TABLES, "parameters")}


def test_repeated_columns_are_coded(counties, tmp_path):
    """What pyarrow gives up coding it writes at length, after bytes that no seed decides."""
    build.write_tables(counties.recipe(), tmp_path)
    group = pq.ParquetFile(tmp_path / "lines" / "towns-00001.parquet").metadata.row_group(0)
    columns = [group.column(at) for at in range(group.num_columns)]
    coded = {one.path_in_schema for one in columns if "RLE_DICTIONARY" in one.encodings}
    assert coded == {"store_id", "product_id", "quantity", "sales_usd", "discount_usd"}


def test_another_seed_gives_another_county(counties, factual):
    other = counties(seed=8)
    assert not lines_of(other).equals(lines_of(factual))
    assert not other.stores.equals(factual.stores)
    assert not other.products.equals(factual.products)
    assert not other.households.equals(factual.households)


def in_order(lines):
    """Lines by basket; the order inside a basket stays."""
    return lines.sort("household_id", "basket_id", maintain_order=True)


def test_how_towns_are_cut_into_blocks_changes_no_line(factual, counties, tmp_path, monkeypatch):
    monkeypatch.setattr(build, "TOWNS_A_BLOCK", 3)
    build.write_tables(counties.recipe(), tmp_path)
    assert len(list((tmp_path / "lines").iterdir())) == 3
    cut = pl.scan_parquet(tmp_path / "lines" / "*.parquet").collect()
    assert_frame_equal(in_order(cut), in_order(lines_of(factual)), check_exact=True)
    for name in ("households", "weather", "stores", "outages"):
        assert pl.read_parquet(tmp_path / f"{name}.parquet").equals(getattr(factual, name))
    months = pl.read_parquet(tmp_path / "store_months.parquet").sort("store_id", "month")
    assert months.equals(factual.store_months.sort("store_id", "month"))


# ---- a town is the same alone and beside others


def lived(recipe, towns):
    """Live in some towns until two weeks after the outage: the block, its memory and the months' lines."""
    block = make_block(recipe.world, np.array(towns))
    memory = simulate.burn_in(block, Arm())
    values = recipe.parameters
    until = values.outage_date.toordinal() + 14
    months = list(simulate.months(block, Arm(), memory, values.start.toordinal(), until))
    return block, memory, months


def of_town(town, block, memory, months):
    """All arrays that a town's life left behind."""
    place = block.towns.tolist().index(town)
    rows = np.flatnonzero(block.town == place)
    state = {one.name: getattr(memory.state, one.name)[..., rows] for one in fields(memory.state)}
    profits = np.array(memory.fate.profits)[..., place]
    left = {**state, "profits": profits, "trading": memory.fate.trading[:, place]}
    for number, month in enumerate(months):
        mine = np.isin(month.baskets.rows, rows)
        for one in fields(month.baskets):
            left[f"baskets {one.name} {number}"] = getattr(month.baskets, one.name)[mine]
        left[f"baskets rows {number}"] = left[f"baskets rows {number}"] - rows[0]
        inside = mine[month.lines.basket]
        for name in ("product", "quantity", "sales_cents", "discount_cents"):
            left[f"{name} {number}"] = getattr(month.lines, name)[inside]
    return left


def assert_same_to_the_bit(one, other):
    assert one.keys() == other.keys()
    differ = [name for name in one if one[name].tobytes() != other[name].tobytes()]
    assert not differ


@pytest.fixture(scope="module")
def together(counties):
    return lived(counties.recipe(), range(1, 9))


@pytest.mark.parametrize("towns", [[1], [4], [6, 3], [8, 7, 6, 5, 4, 3, 2, 1]])
def test_a_town_is_the_same_alone_beside_others_and_in_any_order(counties, together, towns):
    there = lived(counties.recipe(), towns)
    for town in towns:
        assert_same_to_the_bit(of_town(town, *there), of_town(town, *together))


def test_even_a_town_of_one_household_is_the_same_alone(counties):
    recipe = counties.recipe(households=1, chain_small=14, chain_large=14, trip_chance=0.5)
    beside = lived(recipe, range(1, 9))
    for town in (1, 5):
        assert_same_to_the_bit(of_town(town, *lived(recipe, [town])), of_town(town, *beside))


def test_the_comparison_of_towns_sees_a_single_bit(counties, together):
    one, other = (of_town(2, *together) for _ in range(2))
    other["stock"] = np.nextafter(other["stock"], np.inf)
    with pytest.raises(AssertionError, match="stock"):
        assert_same_to_the_bit(one, other)


# ---- two arms differ only where the cause reaches


@pytest.mark.parametrize(("arm", "date"), [("no outage", "outage_date"), ("no event", "event_date")])
def test_before_the_day_two_arms_are_the_same_line_by_line(arms, counties, arm, date):
    before = pl.col("date") < getattr(counties.recipe().parameters, date)
    assert_frame_equal(arms["factual"].filter(before), arms[arm].filter(before), check_exact=True)
    assert not arms["factual"].filter(~before).equals(arms[arm].filter(~before))


REACHED = {
    "an outage": pl.col("outage"),
    "an event": pl.col("event"),
    "a Sphere": pl.col("entry").is_not_null(),
}


@pytest.mark.parametrize(
    ("arm", "reached"), [("no outage", "an outage"), ("no event", "an event"), ("no sphere", "a Sphere")]
)
def test_towns_that_the_cause_never_reaches_are_the_same_throughout(arms, factual, arm, reached):
    towns = towns_with(factual, REACHED[reached])
    inside = pl.col("town_id").is_in(towns)
    assert 0 < len(towns) < 8
    assert_frame_equal(arms["factual"].filter(~inside), arms[arm].filter(~inside), check_exact=True)
    for town in towns:
        there = pl.col("town_id") == town
        assert not arms["factual"].filter(there).equals(arms[arm].filter(there))


def test_without_spheres_a_town_is_the_same_until_its_sphere_opens(arms, factual):
    opening = factual.towns.select("town_id", "entry")
    before = [
        lines.join(opening, on="town_id", maintain_order="left").filter(pl.col("date") < pl.col("entry"))
        for lines in (arms["factual"], arms["no sphere"])
    ]
    assert before[0].height > 0
    assert_frame_equal(*before, check_exact=True)


def test_without_spheres_no_table_names_one(counties):
    without = counties(arm="no sphere")
    for ids in (without.stores, without.store_months, without.lines.collect()):
        assert not ids["store_id"].str.starts_with("sphere").any()
    assert without.outages.is_empty()


def test_without_the_outage_no_sphere_is_listed_as_dark(counties, factual):
    assert counties(arm="no outage").outages.is_empty()
    assert factual.outages.height == factual.towns["outage"].sum()


@pytest.mark.parametrize("arm", [name for name in ARMS if name != "factual"])
@pytest.mark.parametrize("name", ["households", "weather", "products", "towns"])
def test_what_no_cause_touches_is_the_same_in_every_arm(counties, factual, arm, name):
    assert getattr(counties(arm=arm), name).equals(getattr(factual, name))


# ---- the day of the outage


@pytest.fixture(scope="module")
def on_the_day(counties):
    """Baskets of the outage's day in both arms, and the households that the dark Spheres turn away.

    Many households, so that some come to Spheres that are dark for a part of the day only.
    """
    changes = {"households": 400, "wholly_dark": 0.4, "dark_depth": (0.5, 0.9)}
    day = counties.recipe().parameters.outage_date
    changes["end"] = day
    both = {name: counties(arm=name, **changes) for name in ("factual", "no outage")}
    block = make_block(counties.recipe(**changes).world, np.arange(1, 9))
    away = block.homes.household_id[simulate.turned_away(block, day.toordinal())]
    lines = {
        name: by_town(lines_of(county), county).filter(pl.col("date") == day) for name, county in both.items()
    }
    return lines, set(away.tolist()), both["factual"]


def at_spheres(lines):
    return set(lines.filter(pl.col("store_id").str.starts_with("sphere"))["household_id"])


def test_on_the_day_only_those_turned_away_from_a_sphere_differ(on_the_day):
    lines, away, _ = on_the_day
    moved = away & at_spheres(lines["no outage"])
    others = ~pl.col("household_id").is_in(list(moved))
    assert len(moved) > 20
    assert_frame_equal(lines["factual"].filter(others), lines["no outage"].filter(others), check_exact=True)
    assert not at_spheres(lines["factual"]) & away
    assert at_spheres(lines["factual"]) | moved == at_spheres(lines["no outage"])


def test_without_the_outage_no_sphere_has_fewer_baskets_that_day_and_no_grocer_more(on_the_day):
    lines, _, _ = on_the_day
    counts = {
        name: dict(one.group_by("store_id").agg(pl.n_unique("basket_id")).rows())
        for name, one in lines.items()
    }
    with_it, without = counts["factual"], counts["no outage"]
    spheres = {store for store in {*with_it, *without} if store.startswith("sphere")}
    grocers = {*with_it, *without} - spheres
    assert all(without.get(store, 0) >= with_it.get(store, 0) for store in spheres)
    assert all(without.get(store, 0) <= with_it.get(store, 0) for store in grocers)
    assert sum(with_it.get(store, 0) - without.get(store, 0) for store in grocers) > 0


def test_a_wholly_dark_sphere_sells_nothing_and_a_partly_dark_one_something(on_the_day):
    lines, _, factual = on_the_day
    sold = dict(lines["factual"].group_by("store_id").agg(pl.n_unique("basket_id")).rows())
    depth = dict(factual.outages.select("store_id", "share_down").rows())
    assert {share == 1 for share in depth.values()} == {True, False}
    assert all((sold.get(store, 0) == 0) == (share == 1) for store, share in depth.items())


def test_the_outage_lasts_a_day(arms, factual):
    """The day after, dark Spheres sell again, and nobody who came to one would be turned away."""
    day = factual.recipe.parameters.outage_date
    dark = factual.outages["store_id"].to_list()
    at_dark = arms["factual"].filter(pl.col("store_id").is_in(dark))
    after = at_dark.filter(pl.col("date").is_between(day, day + dt.timedelta(days=14), closed="right"))
    before = at_dark.filter(pl.col("date").is_between(day - dt.timedelta(days=14), day, closed="left"))
    assert set(after["store_id"]) == set(before["store_id"]) == set(dark)
    assert after["basket_id"].n_unique() > 0.7 * before["basket_id"].n_unique()


def test_the_event_lasts_a_day(arms, factual):
    day = factual.recipe.parameters.event_date
    towns = towns_with(factual, "event")
    hosts = [f"grocer-{town}-1" for town in towns]
    visits = {
        name: dict(
            lines.filter(pl.col("store_id").is_in(hosts))
            .group_by((pl.col("date") - day).dt.total_days().clip(0, 2))
            .agg(pl.n_unique("basket_id"))
            .rows()
        )
        for name, lines in arms.items()
    }
    assert visits["factual"][0] > visits["no event"][0]
    assert visits["factual"][2] < 1.5 * visits["no event"][2]


def test_lines_of_a_basket_are_the_same_whatever_else_is_bought(counties, together):
    block, _, months = together
    baskets = months[0].baskets
    some = np.arange(0, len(baskets.rows), 7)
    alone = type(baskets)(*(getattr(baskets, one.name)[some] for one in fields(baskets)))
    filled = fill(block, alone)
    inside = np.isin(months[0].lines.basket, some)
    assert np.array_equal(filled.product, months[0].lines.product[inside])
    assert np.array_equal(filled.sales_cents, months[0].lines.sales_cents[inside])
