"""The charts of notebook 02: the rows they draw are hand-checked, and each fits both widths."""

import datetime as dt
import re
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from grocery_spheres import county as county_of_2045
from grocery_spheres import formats, provenance
from grocery_spheres.charts import (
    card,
    county_2045,
    county_assumptions,
    county_counts,
    county_lens,
    county_rows,
    outage_day,
    outage_rows,
    theme,
)
from grocery_spheres.charts.folded import folded_tables
from grocery_spheres.county import assumptions, parameters
from grocery_spheres.county.parameters import Parameters
from grocery_spheres.publishable import PublishError


@pytest.fixture(scope="module")
def small():
    return county_of_2045(seed=7, preset="small")


@pytest.fixture(scope="module")
def without_spheres():
    return county_of_2045(seed=7, preset="small", arm="no sphere")


# ---- the lens


def test_every_public_department_has_one_place_and_nothing_is_lost(groceries):
    seen = county_lens.public_products(groceries.products)
    assert seen.height == groceries.products.height
    lenses = {one.lens for one in Parameters().departments if one.lens}
    assert set(seen["department"]) == lenses | {county_lens.OTHER}
    was = groceries.products.select("product_id", was="department")
    fish = seen.join(was, on="product_id").filter(pl.col("was") == "SEAFOOD-PCKGD")
    assert fish["department"].unique().to_list() == ["MEAT"]


def test_the_chain_is_seen_through_its_stores_in_one_year_at_public_prices(without_spheres):
    profile = county_lens.chain_profile(without_spheres, 2044)
    chain = without_spheres.stores.filter(kind="chain")["store_id"].to_list()
    in_2044 = pl.col("sold_at").dt.year() == 2044
    lines = without_spheres.lines.filter(in_2044, pl.col("store_id").is_in(chain)).collect()
    worth = profile.filter(measure="value of a basket", statistic="mean")["value"].item()
    by_hand = lines["sales_usd"].sum() / lines["basket_id"].n_unique() / 1.74
    assert worth == pytest.approx(by_hand)
    departments = profile.filter(measure="sales by department")["statistic"]
    assert set(departments) == {"GROCERY", "DRUG GM", "PRODUCE", "MEAT", "DELI"}


def compared():
    keys = ["measure", "statistic", "unit", "value"]
    wanted = [
        ("trips of a household", "mean", "a week", 1.0),
        ("trips of a household", "median", "a week", 1.0),
        ("trips of a household", "10% below", "a week", 1.0),
        ("baskets by hour", "3 h", "share", 0.1),
        ("sales by department", "MEAT", "share", 0.2),
        ("sales by department", "OTHER", "share", 0.1),
    ]
    reached = [(*one[:3], value) for one, value in zip(wanted, (1.05, 1.2, 0.7, 0.1, 0.21), strict=False)]
    frames = [pl.DataFrame(rows, schema=keys, orient="row") for rows in (wanted, reached)]
    return formats.compare_profiles(*frames)


def test_targets_are_counted_by_what_was_asked_for():
    assert county_lens.met(compared()) == {"levels": (0, 1), "shares": (2, 3), "all": (3, 6)}
    counts = county_counts.target_counts(compared())
    assert counts["targets.named"] == (4, "targets")
    assert counts["targets.named_met"] == (2, "targets")
    assert counts["targets.shares_wide"] == (2, "targets"), "single hours are set apart"


def test_drawn_targets_are_levels_and_shares_in_per_cent_without_single_hours():
    rows = county_lens.target_rows(compared())
    assert rows["panel"].to_list() == ["levels"] * 3 + ["shares"] * 2
    meat = rows.filter(statistic="MEAT").row(0, named=True)
    assert (meat["target"], meat["reached"], meat["difference"]) == pytest.approx((20.0, 21.0, 1.0))
    assert rows.filter(statistic="OTHER")["reached"].item() is None


def test_misses_stand_beside_what_other_seeds_do_there():
    rows = county_lens.miss_rows({"first": compared(), "second": compared()})
    assert rows["target"].to_list() == [
        "trips of a household, median",
        "trips of a household, 10% below",
        "sales by department, OTHER",
    ]
    assert rows["second"].to_list() == ["+20 %", "−30 %", None]


# ---- assumptions


def test_the_parts_are_those_of_the_module_and_hold_every_assumption_once():
    listed = assumptions.table(Parameters())
    parts = county_assumptions.assumption_parts(listed)
    assert sum(rows.height for rows in parts.values()) == listed.height
    source = Path(parameters.__file__).read_text(encoding="utf-8")
    begun = re.findall(r"# -- .*\n(?:\s+departments:.*\n)?\s+(\w+):", source)
    assert set(county_assumptions.SECTIONS) <= set(begun)
    assert set(begun) - set(county_assumptions.SECTIONS) == {"wet_stays"}, "weather stands with the outage"
    assert parts["Where they go"]["assumption"][0].startswith("sphere_appeal: ")


def test_every_assumption_has_one_kind_of_source():
    rows = county_assumptions.source_rows(assumptions.table(Parameters()))
    kinds = [name for name in rows.columns if name not in ("part", "all")]
    assert (rows.select(pl.sum_horizontal(kinds)).to_series() == rows["all"]).all()
    assert rows.height <= 10
    counted = county_counts.source_counts(rows, Parameters())
    assert counted["county.assumptions"][0] == assumptions.table(Parameters()).height


def test_a_folded_list_is_whole_escaped_and_text_only():
    words = {"title": "All of it is here", "subtitle": "Parts", "unit": "none", "sources": ["county_2045"]}
    rows = pl.DataFrame({"a": ["<b>", "two"], "b": ["x", None]})
    shown = folded_tables("list", {"One": rows, "Two": rows}, evidence="synthetic", **words)
    assert shown.html.count("<details>") == 2
    assert "&lt;b&gt;" in shown.html
    assert "<b>" not in shown.html
    assert "Evidence: synthetic" in shown.text
    with pytest.raises(PublishError, match="'One'"):
        folded_tables("list", {"One": pl.DataFrame({"a": [1]})}, evidence="synthetic", **words)


# ---- the map, the design, the calendar


def test_each_home_is_drawn_as_the_kind_of_store_with_most_of_its_baskets(small):
    rows = county_rows.town_rows(small, dt.date(2045, 1, 1), dt.date(2045, 6, 17))
    homes = rows.filter(what="home")
    assert homes.height == small.households.filter(town_id=1).height
    first = small.households.filter(town_id=1).row(0, named=True)
    spent = small.lines.filter(
        pl.col("household_id") == first["household_id"],
        pl.col("sold_at").is_between(dt.date(2045, 1, 1), dt.date(2045, 6, 17), closed="left"),
    )
    baskets = spent.select("basket_id", "store_id").unique().collect().join(small.stores, on="store_id")
    counts = dict(baskets["kind"].value_counts().iter_rows())
    most = {county_rows.KINDS[kind] for kind, count in counts.items() if count == max(counts.values())}
    assert homes["kind"][0] in most
    labels = rows.filter(pl.col("what") == "store", pl.col("label") != "")["label"]
    assert sorted(labels) == ["Leo’s grocery", "a chain store", "the newest Sphere"]
    counted = county_counts.home_counts(rows)
    assert sum(count for name, (count, _) in counted.items() if name != "county.homes") <= homes.height


def test_the_design_counts_every_town_once(small):
    rows = county_rows.design_rows(small.towns)
    assert rows["towns"].sum() == len(small.towns)
    assert (rows["small"] + rows["large"]).to_list() == rows["towns"].to_list()
    never = rows.filter(pl.col("towns that have") == "never a Sphere")
    assert never.select(pl.sum_horizontal("^opened .*$")).item() == 0
    assert never["towns"].item() == small.towns["entry"].null_count()


def test_the_calendar_ends_with_all_the_towns_and_shares_are_of_all_baskets(small):
    days = pl.DataFrame(
        {
            "arm": ["factual"] * 14 + ["no sphere"] * 7,
            "store_id": ["sphere-1"] * 7 + ["grocer-1-1"] * 7 + ["grocer-1-1"] * 7,
            "date": [dt.date(2044, 1, 4) + dt.timedelta(days=day % 7) for day in range(21)],
            "baskets": [1] * 7 + [3] * 7 + [9] * 7,
        }
    )
    rows = county_rows.calendar_rows(small, days)
    assert rows.filter(panel="share").rows() == [("share", dt.date(2044, 1, 4), 25.0)]
    towns = rows.filter(panel="towns")["value"]
    assert (towns[0], towns[-1]) == (0.0, small.towns["entry"].count())


# ---- the outage


def around(small, day):
    dates = [day + dt.timedelta(days=at) for at in (-1, 0, 1)]
    row = {"arm": "factual", "store_id": outage_rows.dark_ids(small)[0]}
    lived = [{**row, "date": date, "baskets": count} for date, count in zip(dates, (5, 1, 6), strict=True)]
    other = [{**one, "arm": "no outage", "baskets": 7} for one in lived[1:]]
    return pl.DataFrame(lived + other)


def test_before_the_arms_part_the_days_without_the_outage_are_the_days_on_record(small):
    day = small.recipe.parameters.outage_date
    weeks = outage_rows.outage_week_rows(small, around(small, day), 1)
    assert weeks.select("baskets", "without the outage").rows() == [(5, 5), (1, 7), (6, 7)]
    assert county_counts.day_counts(weeks, day) == {
        "county.day_sphere": (1, "baskets"),
        "county.day_sphere_without": (7, "baskets"),
    }


def test_hours_hold_every_basket_of_the_day_and_the_mean_of_eight_saturdays(small):
    hours = outage_rows.outage_hour_rows(small)
    assert hours.height == 48
    dark, day = outage_rows.dark_ids(small), small.recipe.parameters.outage_date
    at_dark = small.lines.filter(pl.col("store_id").is_in(dark))
    baskets = at_dark.select("basket_id", date=pl.col("sold_at").dt.date()).unique().collect()
    before = [day - dt.timedelta(weeks=back) for back in range(1, 9)]
    spheres = hours.filter(stores="sphere")
    assert spheres["baskets"].sum() == baskets.filter(date=day).height
    assert spheres["usual"].sum() == pytest.approx(baskets.filter(pl.col("date").is_in(before)).height / 8)


def test_the_parts_of_the_account_lead_back_to_nothing():
    parts = {"lost": 100.0, "diverted to chain grocers": 30.0, "diverted to independent grocers": 10.0}
    parts |= {"delayed": 5.0, "forgone": 55.0}
    account = pl.DataFrame(
        [
            {"group": "all", "measure": measure, "part": part, "expected": value, "mc_error": 1.0}
            | {"share_of_lost": value / 100, "mc_error_share": 0.01, "draws": 9}
            for measure in ("baskets", "sales_usd")
            for part, value in [*parts.items(), ("diverted", 40.0)]
        ]
    )
    rows = outage_rows.account_rows(account).filter(measure="Baskets")
    assert rows["to (%)"].to_list() == pytest.approx([100.0, 70.0, 60.0, 55.0, 0.0])
    assert rows["words"][1] == "30 %: 30 ± 1.0"
    counts = county_counts.account_counts(account)
    assert counts["county.diverted"] == (0.4, "share of lost")
    assert counts["county.draws"] == (9, "draws")


# ---- the grocers' fate


def books():
    rows = []
    for arm, closing in (("factual", 2), ("no sphere", 3)):
        for month in (10, 11, 12):
            row = {"arm": arm, "month": dt.date(2044, month, 1), "sales_usd": 31.0, "days": 31}
            row |= {"contribution_usd": 2000.0 if arm == "factual" else 4000.0, "fixed_cost_usd": 1000.0}
            for store, slot in (("grocer-1-1", 1), ("grocer-1-2", 2)):
                rows.append({**row, "store_id": store, "closes": slot == 2 and month == 9 + closing})
    return pl.DataFrame(rows)


def town_of_books():
    kinds = {"store_id": ["grocer-1-1", "grocer-1-2"], "kind": ["independent", "chain"], "town_id": [1, 1]}
    stores = pl.DataFrame({**kinds, "name": ["Leo's grocery", "chain store"]})
    return stores, pl.DataFrame({"town_id": [1], "entry": [dt.date(2044, 3, 1)]})


def test_closings_add_up_month_by_month_and_leo_is_followed():
    stores, towns = town_of_books()
    closings = county_rows.closing_rows(books(), stores, towns)
    lived = closings.filter(arm=county_rows.WITH)
    assert lived["closed so far"].to_list() == [0, 1, 1]
    assert lived["of them independent"].to_list() == [0, 0, 0]
    assert closings.filter(arm=county_rows.WITHOUT)["closed so far"].to_list() == [0, 0, 1]
    leo = county_rows.leo_rows(books(), stores)
    assert leo.filter(arm=county_rows.WITH)["contribution (1000 USD)"].to_list() == [2.0] * 3
    never = pl.DataFrame({"town_id": [1], "entry": [None]}, schema_overrides={"entry": pl.Date})
    spared = county_rows.closing_rows(books(), stores, never)
    counts = county_counts.fate_counts(pl.concat([closings, spared]), leo)
    assert (counts["county.closed_with"][0], counts["county.leo"][0]) == (1, -0.5)


def test_the_spheres_of_an_outage_are_those_that_fail():
    outages = pl.DataFrame({"store_id": ["sphere-3"]})
    assert outage_rows.dark_ids(SimpleNamespace(outages=outages)) == ["sphere-3"]


# ---- the pictures


def committed(slug):
    return pl.read_csv(provenance.root() / "reports" / "figures" / f"{slug}.csv", try_parse_dates=True)


@pytest.mark.parametrize(
    ("slug", "draw"),
    [
        ("story-town", county_2045.town_map),
        ("county-calendar", county_2045.calendar),
        ("county-targets", county_2045.targets),
        ("outage-day", outage_day.outage_day),
        ("outage-account", outage_day.account),
        ("grocers-fate", county_2045.fate),
    ],
)
@pytest.mark.parametrize("width", [theme.WIDE, theme.PHONE])
def test_every_chart_fits_its_card_and_names_no_colour_that_dark_pages_hide(slug, draw, width):
    theme.enable()
    spec = card.fitted(draw(committed(slug), width).to_dict(), width)
    made = card.draw(slug, spec, card.Words("Four words stand here", "b", "c"), alt="d.", width=width)
    assert made.width == card.IMAGE_WIDTH[width]
    assert "#000" not in made.svg


@pytest.mark.parametrize("width", [theme.WIDE, theme.PHONE])
def test_a_kilometre_is_as_long_across_as_up(width):
    theme.enable()
    view = county_2045.town_map(committed("story-town"), width).to_dict()["vconcat"][0]
    encoding = view["layer"][0]["encoding"]
    spans = {axis: encoding[axis]["scale"]["domain"] for axis in ("x", "y")}
    across, up = (abs(span[1] - span[0]) for span in (spans["x"], spans["y"]))
    assert view["width"] / across == pytest.approx(view["height"] / up)
