"""A basket's lines follow the assumptions: departments, packages, promotions, prices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from grocery_spheres.county.assortment import law_of, make_assortment
from grocery_spheres.county.block import WEEK, make_block
from grocery_spheres.county.lines import Baskets, expected_usd, fill
from grocery_spheres.county.parameters import Parameters
from grocery_spheres.county.world import make_world

VALUES = Parameters(towns=4, never_towns=0, cohorts=1, households=500)
BASKETS = 60_000
NOISE = 4  # standard errors that a share may lie off


@pytest.fixture(scope="module")
def block():
    return make_block(make_world(VALUES, 7), np.arange(1, 5))


@pytest.fixture(scope="module")
def baskets(block):
    """Baskets of any household, at any store of its town, in the second year."""
    generator = np.random.default_rng(5)
    rows = generator.integers(0, len(block.town), BASKETS)
    stores = block.exists.sum(axis=0)[block.town[rows]]
    return Baskets(
        rows=rows,
        slot=np.where(generator.random(BASKETS) < 0.3, 0, generator.integers(1, stores)),
        day=VALUES.start.toordinal() + 366 + generator.integers(0, 360, BASKETS),
        lines=generator.integers(1, 25, BASKETS),
        hour=np.full(BASKETS, 12.0),
    )


@pytest.fixture(scope="module")
def lines(block, baskets):
    """One row a line, with its basket's store and the product's department."""
    drawn = fill(block, baskets)
    frame = pl.DataFrame({name: getattr(drawn, name) for name in drawn.__dataclass_fields__})
    of = {
        "town": block.town[baskets.rows],
        "slot": baskets.slot,
        "income": block.homes.income[baskets.rows],
        "week": (baskets.day - block.begin) // WEEK,
        "size": baskets.lines,
    }
    departments = block.assortment.products["department"].to_numpy()
    return frame.with_columns(
        *(pl.Series(name, held[drawn.basket]) for name, held in of.items()),
        department=departments[drawn.product],
        shelf=(pl.col("sales_cents") + pl.col("discount_cents")) / pl.col("quantity"),
        few=pl.Series(baskets.lines[drawn.basket] <= VALUES.few_lines),
    )


def at(lines, *, sphere):
    return lines.filter((pl.col("slot") == 0) == sphere)


def test_a_basket_has_as_many_lines_as_asked(baskets, lines):
    assert np.array_equal(np.bincount(lines["basket"], minlength=BASKETS), baskets.lines)


@pytest.mark.parametrize("sphere", [False, True])
def test_departments_have_their_shares_of_large_baskets(lines, sphere):
    seen = at(lines, sphere=sphere).filter(~pl.col("few"))
    shares = dict(seen["department"].value_counts(normalize=True).rows())
    for one in VALUES.departments:
        share = one.sphere if sphere else one.grocer
        assert shares.get(one.name, 0) == pytest.approx(share, abs=NOISE * np.sqrt(0.25 / seen.height))


def test_what_only_spheres_sell_is_sold_at_spheres_only(lines):
    only = {
        sphere: {one.name for one in VALUES.departments if not (one.grocer if sphere else one.sphere)}
        for sphere in (True, False)
    }
    assert not only[True] & set(at(lines, sphere=False)["department"])
    assert not only[False] & set(at(lines, sphere=True)["department"])
    assert "robotic-chef meals" in only[True]
    assert "fresh local food" in only[False]


def test_packages_come_in_their_shares(lines):
    seen = np.bincount(lines["quantity"], minlength=5)[1:] / lines.height
    assert seen == pytest.approx(np.array(VALUES.quantities), abs=NOISE * np.sqrt(0.25 / lines.height))


@pytest.mark.parametrize(("sphere", "share"), [(False, VALUES.promoted), (True, VALUES.promoted_sphere)])
def test_promoted_lines_have_their_share(lines, sphere, share):
    """A product is promoted or not for a store's week as a whole, so weeks and products are the sample."""
    seen = at(lines, sphere=sphere)
    cells = seen.group_by("town", "slot", "week", "product").agg((pl.col("discount_cents") > 0).mean())
    assert set(cells["discount_cents"]) == {0, 1}
    assert cells["discount_cents"].mean() == pytest.approx(share, abs=0.02)


def test_a_product_costs_everybody_the_same_at_a_store_in_a_week(lines):
    a_package = lines.with_columns(paid=pl.col("sales_cents") / pl.col("quantity"))
    cells = a_package.group_by("town", "slot", "week", "product").agg(
        pl.n_unique("paid"), pl.n_unique("shelf")
    )
    assert cells["paid"].max() == 1
    assert cells["shelf"].max() == 1


def test_promotions_take_off_one_of_the_depths(lines):
    dear = lines.filter(pl.col("discount_cents") > 0, pl.col("shelf") >= 500)
    off = (dear["discount_cents"] / dear["quantity"] / dear["shelf"]).to_numpy()
    gap = abs(off[:, None] - np.array(VALUES.depths))
    assert gap.min(axis=1).max() < 0.5 / 500 + 1e-9
    assert np.bincount(gap.argmin(axis=1)) / len(off) == pytest.approx(1 / len(VALUES.depths), abs=0.03)


def test_shelf_prices_are_the_lists_times_the_stores_level(block, lines):
    level = np.exp(block.log_price[lines["slot"], lines["town"]])
    responds = np.where(lines["slot"] > 0, np.exp(VALUES.grocer_response), 1.0)
    expected = block.assortment.shelf_cents[lines["product"]] * level * responds
    assert abs(lines["shelf"].to_numpy() - expected).max() <= 0.5 + 1e-6


def test_without_spheres_grocers_prices_do_not_respond(block, baskets):
    half = replace(baskets, slot=np.maximum(baskets.slot, 1))
    with_it, without = (fill(block, half, spheres=spheres) for spheres in (True, False))
    spent = [one.sales_cents.sum() for one in (with_it, without)]
    assert np.log(spent[0] / spent[1]) == pytest.approx(VALUES.grocer_response, abs=5e-4)
    assert np.array_equal(with_it.product, without.product)


@pytest.mark.parametrize("sphere", [False, True])
@pytest.mark.parametrize("few", [False, True])
def test_baskets_cost_on_average_what_is_expected_of_them(block, baskets, lines, sphere, few):
    """Promotions are drawn once a store's week and product: their noise is let in with one per cent."""
    chosen = ((baskets.slot == 0) == sphere) & ((baskets.lines <= VALUES.few_lines) == few)
    paid = np.bincount(lines["basket"], lines["sales_cents"]) / 100
    gap = (paid - expected_usd(block, baskets))[chosen]
    allowed = NOISE * gap.std() / np.sqrt(chosen.sum()) + 0.01 * paid[chosen].mean()
    assert abs(gap.mean()) < allowed


def test_the_rich_and_the_hurried_pick_what_costs_more(lines):
    dear = at(lines, sphere=False).group_by("income", "few").agg(pl.mean("shelf"))
    mean = {(income, few): shelf for income, few, shelf in dear.rows()}
    assert mean[0, False] < mean[1, False] < mean[2, False]
    assert all(mean[income, False] < mean[income, True] for income in range(3))


def test_laws_keep_their_shares_to_a_65536th():
    law = make_assortment(VALUES, 7)
    departments = law.products["department"].to_numpy()
    for sphere in (0, 1):
        row = departments[law.picks[int(law_of(np.int64(sphere), np.int64(1), np.int64(0)))]]
        for one in VALUES.departments:
            share = one.sphere if sphere else one.grocer
            assert (row == one.name).mean() == pytest.approx(share, abs=one.products / 65_536)
