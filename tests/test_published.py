"""Published results: a rebuild gives the same bytes, and the committed numbers are what the code finds."""

import json
import os
import shutil
import subprocess
import sys

import polars as pl
import pytest

from grocery_spheres import provenance
from grocery_spheres.formats import shopping_profile
from grocery_spheres.numbers import read_numbers
from grocery_spheres.outage.relocations import follow
from grocery_spheres.outage.sweep import sweep
from grocery_spheres.prose import check_prose

ROOT = provenance.root()
FIGURES = ROOT / "reports" / "figures"
EVIDENCE = {
    "account": "synthetic",
    "accounts_injected": "injected",
    "injected": "injected",
    "county": "synthetic",
    "formats": "synthetic",
    "entry": "synthetic",
    "designs": "synthetic",
    "targets": "public + synthetic",
}  # by first word
COPIED = (
    "pyproject.toml",
    "requirements.txt",
    "README.md",
    "notebooks",
    "data/sources.toml",
    "reports/validation",
)


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory):
    """The committed notebooks, run again in an empty checkout."""
    root = tmp_path_factory.mktemp("rebuilt")
    (root / "data").mkdir()
    for name in COPIED:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, root / name)
    places = {"GROCERY_SPHERES_ROOT": str(root), "GROCERY_SPHERES_DATA": str(provenance.cache_folder())}
    command = [sys.executable, "-m", "grocery_spheres", "report"]
    subprocess.run(command, env={**os.environ, **places}, check=True, capture_output=True, text=True)
    return root / "reports"


def test_every_figure_is_the_same_on_a_rebuild(rebuilt):
    names = sorted(path.name for path in FIGURES.iterdir())
    assert sorted(path.name for path in (rebuilt / "figures").iterdir()) == names
    differ = [
        name for name in names if (FIGURES / name).read_bytes() != (rebuilt / "figures" / name).read_bytes()
    ]
    assert differ == []


def test_the_numbers_are_the_same_on_a_rebuild(rebuilt):
    committed = json.loads((ROOT / "reports" / "numbers.json").read_text(encoding="utf-8"))
    again = json.loads((rebuilt / "numbers.json").read_text(encoding="utf-8"))
    assert again.keys() == committed.keys()
    for key, number in committed.items():
        for field in ("value", "low", "high"):
            assert again[key][field] == (
                None if number[field] is None else pytest.approx(number[field], rel=1e-6)
            ), key


def test_a_rebuild_writes_a_page_for_each_notebook_and_an_index(rebuilt):
    names = {path.stem for path in (ROOT / "notebooks").glob("[0-9][0-9]-*.ipynb")}
    assert {path.stem for path in rebuilt.glob("*.html")} == names | {"index"}


def test_prose_agrees_with_the_committed_numbers():
    assert check_prose() == []


def test_every_number_says_what_made_it_and_on_which_evidence():
    for number in read_numbers().values():
        assert number.evidence == EVIDENCE.get(number.id.partition(".")[0], "public")
        assert number.made_by.startswith("grocery_spheres.")


def test_the_headline_is_what_the_code_finds_today(public_baskets, public_events):
    numbers = read_numbers()
    assert numbers["events.closures"].value == public_events.closures.height
    assert numbers["dark.store_days"].value == public_events.masked().height
    pooled = follow(public_baskets, public_events.relocations).ratios.filter(pl.col("store_id") == "pooled")
    for destination, key in (("successor", "moved.successor"), ("others", "moved.existing")):
        row = pooled.filter(pl.col("destination") == destination).row(0, named=True)
        published = numbers[key]
        assert (row["ratio"], row["low"], row["high"]) == pytest.approx(
            (published.value, published.low, published.high)
        )


def test_every_picture_of_the_readme_is_committed_with_its_bundle():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = {part.split(")")[0] for part in text.split("](reports/figures/")[1:]}
    assert {name.removesuffix(".png") for name in shown} == {path.stem for path in FIGURES.glob("*.json")}


# ---- each title states a finding: it must hold in the figure's own data


def plotted(slug):
    return pl.read_csv(FIGURES / f"{slug}.csv", try_parse_dates=True)


def test_the_rush_is_at_five_on_the_stores_clock_and_at_ten_as_published():
    peaks = plotted("shopping-clock").sort("share of baskets (%)").group_by("clock").last()
    assert dict(peaks.select("clock", "hour").iter_rows()) == {"local": 17, "as published": 22}


def test_weekends_have_the_most_baskets_and_late_afternoon_the_rush():
    week = plotted("trading-week")
    days = week.group_by("weekday").agg(pl.sum("baskets a week")).sort("baskets a week")
    assert set(days["weekday"][-2:]) == {"Sat", "Sun"}
    hours = week.group_by("hour").agg(pl.sum("baskets a week")).sort("baskets a week")
    assert set(hours["hour"][-3:]) == {16, 17, 18}


def test_three_of_five_new_stores_sold_fuel_before_food():
    stores = plotted("fuel-first")
    assert (stores.height, (stores["fuel"] < stores["groceries"]).sum()) == (5, 3)


def test_every_store_that_closed_moved(public_events):
    assert plotted("three-moves")["move"].n_unique() == public_events.closures.height


def test_the_successor_took_the_trade_and_existing_stores_show_no_gain():
    went = plotted("where-customers-went")
    assert (went.filter(pl.col("destination") == "the successor")["low (%)"] > 50).all()
    assert (went.filter(pl.col("destination") == "existing stores")["diverted (%)"] < 0).all()


def test_what_the_next_stores_sell_afterwards_they_mostly_sold_before():
    stores = plotted("before-and-after")
    ranked = stores.filter(pl.col("kind") == "existing store").unique(
        "move", keep="first", maintain_order=True
    )
    before, after = ranked["before (baskets a week)"], ranked["after (baskets a week)"]
    assert (before > 0.5 * after).all()
    assert before.sum() > 0.8 * after.sum()


def test_no_definition_gives_existing_stores_a_visible_gain(public_baskets, public_events):
    assert (sweep(public_baskets, public_events.relocations)["others_low"] < 0).all()


def test_a_household_makes_one_basket_a_week_of_ten_lines(groceries):
    profile = shopping_profile(groceries.lines, intervals=False).filter(pl.col("statistic") == "mean")
    means = dict(profile.select("measure", "value").iter_rows())
    assert round(means["baskets of a household"]) == 1
    assert round(means["lines in a basket"]) == 10


def test_large_stores_are_silent_more_often_than_chance_allows():
    silent = plotted("silent-days")
    assert (silent["low"][-4:] > 1).all()


def test_trips_elsewhere_did_not_rise_on_dark_days():
    signs = plotted("missing-or-outage").filter(pl.col("sign") == "elsewhere on the day")
    dark, gap, outage = signs.iter_rows(named=True)
    assert dark["low (%)"] < 0 < dark["high (%)"]
    assert dark["made up (%)"] < 5
    assert gap["low (%)"] < 0 < gap["high (%)"]
    assert outage["low (%)"] > dark["high (%)"], "the same test sees a known outage"


def words_of(slug):
    return json.loads((FIGURES / f"{slug}.json").read_text(encoding="utf-8"))


def test_figures_of_what_was_made_here_say_that_they_are_synthetic():
    for path in FIGURES.glob("*.json"):
        card = json.loads(path.read_text(encoding="utf-8"))
        made_here = {"county_2045", "simulated_panels"} & {*card["sources"]}
        assert bool(made_here) == ("synthetic" in card["evidence"]), path.name


def test_as_many_homes_shop_most_at_the_sphere_as_the_title_says():
    homes = plotted("story-town").filter(pl.col("what") == "home")
    at_sphere = homes.filter(pl.col("kind") == "the Sphere").height
    assert f"{at_sphere} of {homes.height} homes" in words_of("story-town")["title"]


def test_the_calendar_ends_with_the_towns_and_the_share_of_its_title():
    calendar = plotted("county-calendar")
    towns = calendar.filter(pl.col("panel") == "towns")["value"].max()
    share = calendar.filter(pl.col("panel") == "share")["value"].tail(26).mean()
    assert f"in {towns:.0f} of 64 towns and take {share:.0f} %" in words_of("county-calendar")["title"]


def test_the_title_counts_the_targets_and_spending_is_what_falls_short():
    numbers, targets = read_numbers(), plotted("county-targets")
    said = [f"{numbers[f'targets.{name}'].value:.0f}" for name in ("named_met", "named")]
    assert " of ".join(said) in words_of("county-targets")["title"]
    missed = targets.filter(~pl.col("within"), pl.col("statistic").is_in(["half", "75 %", "90 %", "95 %"]))
    assert missed.height == numbers["targets.levels"].value - numbers["targets.levels_met"].value
    assert set(missed["measure"]) == {"spending"}
    assert (missed["difference"] < 0).all()
    shares = targets.filter(pl.col("panel") == "shares", ~pl.col("within"))
    assert shares["statistic"].to_list() == ["OTHER"]


def test_dark_spheres_lost_most_of_a_saturday_and_caught_nothing_up_next_day():
    day = plotted("outage-day")
    spheres = day.filter(pl.col("panel") == "days").with_columns(pl.col("date").cast(pl.String))
    sold = {
        date: (lived, other) for date, lived, other in spheres.select("date", "baskets", "comparison").rows()
    }
    before = [pair for date, pair in sold.items() if date < "2045-06-17"]
    assert before
    assert all(lived == other for lived, other in before), "until the outage the two arms are one"
    lived, without = sold["2045-06-17"]
    assert lived < without / 2
    after, usual = sold["2045-06-18"]
    assert abs(after - usual) < 0.02 * usual, "nothing is caught up at once"


def test_as_much_was_forgone_as_the_title_says_and_the_parts_add_up():
    account = plotted("outage-account")
    for _, rows in account.group_by("measure"):
        share = dict(rows.select("part", "share (%)").iter_rows())
        assert f"{share['Forgone']:.0f} %" in words_of("outage-account")["title"]
        assert share["Forgone"] == sorted(share.values())[-2], "the largest part"
        assert sum(share.values()) - 100 == pytest.approx(100, abs=0.3)
        assert rows["to (%)"][-1] == 0


def test_grocers_close_as_often_as_the_title_says_and_leo_does_not():
    fate = plotted("grocers-fate")
    closed = fate.filter(pl.col("panel") == "closed").group_by("line").agg(pl.max("value"))
    ends = dict(closed.iter_rows())
    title = words_of("grocers-fate")["title"]
    assert f"{ends['with Spheres']:.0f} grocers close" in title
    assert f"without Spheres {ends['without Spheres']:.0f} would" in title
    leo = fate.filter(pl.col("panel") == "Leo").pivot("line", index="month", values="value")
    assert (leo["with Spheres"] > leo["fixed cost"]).all()


def test_the_misses_and_outcomes_that_prose_explains_are_those_found():
    numbers = read_numbers()
    assert numbers["county.closed_independent"].value < 0.1 * numbers["county.closed_with"].value
    assert max(abs(numbers[f"county.drift_{kind}"].value) for kind in ("independent", "chain")) < 0.03
    assert numbers["county.closed_never"].value == numbers["county.closed_never_without"].value
    assert 0.02 < numbers["county.stay"].value < 0.10
    for left in ("stay_habit", "stay_learning"):
        least = 2 * numbers[f"county.{left}_error"].value
        assert least < numbers[f"county.{left}"].value < numbers["county.stay"].value
    assert numbers["county.small_stay_weak"].value < numbers["county.small_stay"].value / 2
    kinds = ["assumed", "shaped", "recalled", "tuned", "told"]
    counts = {kind: numbers[f"county.{kind}"].value for kind in kinds}
    assert sum(counts.values()) == numbers["county.assumptions"].value
    assert counts["assumed"] > numbers["county.assumptions"].value / 2, "most rest on plausibility alone"
    for part in ("diverted", "delayed", "forgone"):
        assert numbers[f"county.{part}_error"].value < 0.01
