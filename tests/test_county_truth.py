"""The truth of the county: what the diary says is what households choose by, and the account adds up."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest

from grocery_spheres.county import account, behaviour, truth
from grocery_spheres.county.arms import ARMS, FACTUAL
from grocery_spheres.county.block import make_block
from grocery_spheres.county.build import Recipe
from grocery_spheres.county.diary import Diary, sample_of
from grocery_spheres.county.presets import preset
from grocery_spheres.county.redraws import Redrawn, redraw
from grocery_spheres.county.simulate import Memory, burn_in, months
from grocery_spheres.tables import GroceryError

FEW = {"towns": 6, "never_towns": 2, "households": 30, "cohorts": 2}


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return Recipe(preset("small", **FEW), seed=3)


@pytest.fixture(scope="module")
def tables(recipe, tmp_path_factory) -> dict[str, pl.DataFrame]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GROCERY_SPHERES_DATA", str(tmp_path_factory.mktemp("truth")))
        patch.setattr(truth, "_SWITCHERS_WANTED", 4_000)
        return {name: truth.truth(recipe, name) for name in truth.TABLES}


def test_the_diary_holds_the_chances_that_households_choose_by(recipe, monkeypatch):
    """On every kind of day: the first of a price week, and the day that a Sphere opens."""
    block, arm = make_block(recipe.world, np.arange(1, 7)), ARMS[FACTUAL]
    memory, start = burn_in(block, arm), recipe.parameters.start.toordinal()
    diary = Diary(block, arm, sample_of(block, 2), start)
    drawn = []
    choose = behaviour.choose

    def noting(state, nature, day, out, pull):
        if len(nature.keys) == len(block.town):
            chances, _ = behaviour.probabilities(state, nature, out, pull)
            drawn.append(chances[:, diary.rows])
        return choose(state, nature, day, out, pull)

    monkeypatch.setattr(behaviour, "choose", noting)
    last = recipe.parameters.first_entry.toordinal() + 10
    list(months(block, arm, memory, start, last, watch=diary.see))
    for written, chances in zip(diary.options, drawn, strict=True):
        assert written["probability"].sum() == pytest.approx(chances.sum(), abs=1e-12)
        assert sorted(written["probability"].to_numpy()) == pytest.approx(
            sorted(chances[chances > 0].tolist() + [0.0] * (len(written) - (chances > 0).sum()))
        )


def test_chances_add_to_one(tables):
    total = tables["choices"].group_by("household_id", "date").agg(pl.sum("probability"))
    both = total.join(tables["states"], on=["household_id", "date"], validate="1:1")
    assert (both["probability"] + both["probability_no_trip"] - 1).abs().max() < 1e-9


def test_the_account_adds_up_in_every_group_and_measure(tables):
    for (_, _), rows in tables["account"].group_by("group", "measure"):
        part = dict(rows.select("part", "expected").iter_rows())
        assert part["diverted"] + part["delayed"] + part["forgone"] == pytest.approx(part["lost"])
        kinds = [value for name, value in part.items() if name.startswith("diverted to")]
        assert sum(kinds) == pytest.approx(part["diverted"])


def test_the_diversion_ratios_of_a_sphere_add_up_to_what_was_diverted(tables):
    pooled = tables["account"].filter(group="all", measure="baskets", part="diverted")["expected"].item()
    assert tables["diversion"]["diverted"].sum() == pytest.approx(pooled)
    assert tables["diversion"]["ratio"].is_between(0, 1).all()


def test_every_table_names_seed_and_version(tables, recipe):
    for name, table in tables.items():
        assert table["seed"].unique().to_list() == [recipe.seed], name
        assert table["version"].null_count() == 0, name


def test_no_effect_before_its_cause_and_none_where_it_does_not_reach(tables):
    before = tables["att"].filter(pl.col("event_day") < 0)
    assert before.select(pl.col("baskets", "sales_usd").abs().max()).row(0) == (0, 0)
    days = tables["store_days"].filter(pl.col("arm").is_in(["factual", "no sphere"]))
    reached = {f"grocer-{row['town_id']}-" for row in _towns(tables).iter_rows(named=True) if row["entry"]}
    never = days.filter(~pl.col("store_id").str.contains_any(sorted(reached)))
    wide = never.pivot("arm", index=["store_id", "date"], values="sales_usd").filter(
        pl.col("store_id").str.starts_with("grocer")
    )
    assert wide.height > 0
    assert (wide["factual"] == wide["no sphere"]).all()


def _towns(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    return Recipe(preset("small", **FEW), seed=3).world.towns


def test_a_dark_sphere_sells_no_more_with_the_outage_than_without(tables):
    on_day = tables["att"].filter(cause="outage", event_day=0, format="sphere")
    assert on_day.height > 0
    assert (on_day["baskets"] <= 0).all()
    assert on_day["baskets"].min() < 0


def test_what_is_expected_is_what_an_exact_calculation_gives():
    """Lost and diverted on the day: means over redraws against the chances on the eve."""
    recipe = Recipe(preset("small", **FEW, wholly_dark=1.0), seed=5)
    block, arm = make_block(recipe.world, np.arange(1, 7)), ARMS[FACTUAL]
    eve: list[Memory] = []
    outage = recipe.parameters.outage_date.toordinal()

    def keep(day: int, memory: Memory) -> None:
        if day == outage:
            eve.append(memory.copy())

    memory = burn_in(block, arm)
    list(months(block, arm, memory, recipe.parameters.start.toordinal(), outage, watch=keep))
    redrawn = redraw(block, eve[0], 1_500)
    lost, diverted = exact(block, eve[0], outage)
    parts = account.account_draws(recipe.world, redrawn, 0, np.ones(len(redrawn.towns), dtype=bool))
    for drawn, expected in ((parts["lost"], lost), (parts["diverted"], diverted)):
        error = drawn.std(ddof=1) / np.sqrt(len(drawn))
        assert abs(drawn.mean() - expected) < 4 * error, (drawn.mean(), expected, error)


def exact(block, memory, day) -> tuple[float, float]:
    from grocery_spheres.county.simulate import out_of_house, pulls  # noqa: PLC0415

    chances = []
    for name in ("no outage", FACTUAL):
        pull = pulls(block, ARMS[name], memory, day)
        out = out_of_house(block, ARMS[name], day)
        chances.append(behaviour.probabilities(memory.state, block.nature, out, pull)[0])
    hit = block.outage[block.town]
    gone = chances[1] - chances[0]
    return float(-gone[0, hit].sum()), float(gone[1:, hit].sum())


def test_a_ratio_with_too_few_draws_is_no_number():
    assert np.isnan(account.ratio_of(np.array([1.0]), np.array([2.0]))[0])
    assert np.isnan(account.ratio_of(np.zeros(3), np.zeros(3))[1])


def test_a_truth_needs_the_factual_arm_and_eight_weeks_after_the_outage():
    with pytest.raises(GroceryError, match="factual"):
        truth.build(Recipe(preset("small"), arm="no outage"))
    short = preset("small", end=dt.date(2045, 7, 31))
    with pytest.raises(GroceryError, match=r"`end` is 2045-07-31; allowed for a truth: 2045-08-12"):
        truth.build(Recipe(short))
    with pytest.raises(GroceryError, match="no table 'acount'; it has: parameters"):
        truth.truth(Recipe(preset("small")), "acount")


def test_towns_of_blocks_stand_side_by_side_in_the_redraws():
    one = Redrawn(np.array([1]), np.ones((4, 3, 2, 5, 1)), np.ones((4, 6, 2, 1)), np.ones((4, 1)))
    both = account.together([one, one])
    assert both.towns.tolist() == [1, 1]
    assert both.change.shape == (4, 3, 2, 5, 2)
