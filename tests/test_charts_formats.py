"""The charts of notebook 03 on formats: rows are hand-checked, numbers follow, each fits both widths."""

import datetime as dt
import json

import polars as pl
import pytest

import grocery_spheres as gs
from grocery_spheres import county as county_of_2045
from grocery_spheres import formats, provenance
from grocery_spheres.charts import (
    card,
    formats_2045,
    formats_beside,
    formats_change,
    formats_counts,
    formats_moved,
    formats_rows,
    theme,
)
from grocery_spheres.charts.formats_rows import GROCERS, NEVER, SPHERES, WITH

PLAIN = {"intervals": False}


@pytest.fixture(scope="module")
def small():
    return county_of_2045(seed=7, preset="small")


@pytest.fixture(scope="module")
def parts(small):
    return formats_rows.markets(small, gs.baskets(small.lines).collect())


@pytest.fixture(scope="module")
def here(parts):
    return parts[WITH].between("2045-07-01", "2045-09-30")


# ---- the two kinds of town


def test_every_basket_line_and_household_is_in_one_kind_of_town(small, parts):
    assert list(parts) == [WITH, NEVER]
    count = sum(part.baskets.height for part in parts.values())
    assert count == small.lines.select(pl.n_unique("basket_id")).collect().item()
    lines = sum(part.lines.select(pl.len()).collect().item() for part in parts.values())
    assert lines == small.lines.select(pl.len()).collect().item()
    homes = pl.concat([part.households for part in parts.values()])
    assert sorted(homes["household_id"]) == sorted(small.households["household_id"])
    assert not (parts[NEVER].stores["format"] == "sphere").any()
    assert (
        formats_counts.values(formats_counts.town_numbers(parts))["towns_never"]
        == small.towns["entry"].null_count()
    )


def test_a_window_holds_both_its_days_in_baskets_and_in_lines(parts):
    day = parts[WITH].between("2045-07-03", "2045-07-03")
    assert day.baskets["date"].unique().to_list() == [dt.date(2045, 7, 3)]
    lines = day.lines.collect()
    assert lines["sold_at"].dt.date().unique().to_list() == [dt.date(2045, 7, 3)]
    assert lines["basket_id"].n_unique() == day.baskets.height


# ---- sales


def test_sales_are_a_household_and_a_whole_week_and_openings_are_marked(small, parts):
    rows = formats_rows.sales_rows(parts, small.towns, **PLAIN)
    assert (rows.filter(pl.col("line") != "openings")["date"].dt.weekday() == 1).all()
    week = dt.date(2045, 7, 3)
    part = parts[NEVER]
    days = pl.col("date").is_between(week, week + dt.timedelta(days=6))
    by_hand = part.baskets.filter(days)["sales_usd"].sum() / part.households.height
    drawn = rows.filter(pl.col("towns") == NEVER, pl.col("date") == week)
    assert drawn["value"].to_list() == pytest.approx([by_hand], abs=1e-5)
    opened = rows.filter(pl.col("line") == "openings")
    assert opened["value"].sum() == small.towns["entry"].count()
    spheres = rows.filter(pl.col("line") == SPHERES)["date"].min()
    assert spheres >= small.towns["entry"].min() - dt.timedelta(days=6)


# ---- departments, buyers, customers


def test_departments_add_up_and_local_food_is_grocers_only(small, here):
    rows = formats_rows.department_rows(here, small.products, **PLAIN)
    for name in (GROCERS, SPHERES):
        assert rows.filter(pl.col("panel") == name)["per cent"].sum() == pytest.approx(100, abs=1e-4)
    local = rows.filter(pl.col("name") == formats_rows.LOCAL)
    assert dict(local.select("panel", "per cent").iter_rows())[SPHERES] == 0
    spent = formats_rows.local_rows({WITH: here}, small.products, **PLAIN)
    assert spent["name"].to_list() == [
        f"towns {WITH}",
        *(f"of these, {income} income" for income in formats_rows.INCOMES),
    ]
    at_grocers = dict(local.select("panel", "per cent").iter_rows())[GROCERS]
    grocers = here.stores.filter(pl.col("format") == "grocer")
    usd = here.baskets.join(grocers, on="store_id", how="semi")["sales_usd"].sum()
    expected = at_grocers * usd / here.baskets["sales_usd"].sum()
    assert spent["per cent"][0] == pytest.approx(expected, rel=1e-5)


def test_baskets_differ_by_their_means_and_lines_times_sales_a_line_is_the_value(here):
    rows = formats_rows.adjusted_rows(here, **PLAIN)
    mean = here.baskets.join(here.stores, on="store_id").group_by("format").agg(pl.mean("sales_usd"))
    of = dict(mean.iter_rows())
    raw = {row["panel"]: row["per cent"] for row in rows.filter(pl.col("name") == "raw").to_dicts()}
    assert raw["value of a basket"] == pytest.approx(100 * (of["sphere"] / of["grocer"] - 1), abs=1e-4)
    value, lines, each = (
        1 + raw[name] / 100 for name in ("value of a basket", "lines of a basket", "sales a line")
    )
    assert value == pytest.approx(lines * each, abs=1e-6)
    assert rows.filter(pl.col("panel") == "share of spending").height == len(formats_rows.INCOMES)


def test_customers_of_both_formats_are_drawn_on_every_row_and_numbered(parts, here):
    flowed = formats_rows.flows(
        parts[WITH], ("2045-04-01", "2045-06-30"), ("2045-07-01", "2045-09-30"), **PLAIN
    )
    compared = formats.compare_formats(here.baskets, here.stores, households=here.households, **PLAIN)
    rows = formats_rows.customer_rows(flowed, compared)
    assert rows.height == 12
    assert rows["per cent"].is_between(0, 100).all()
    numbers = formats_counts.values(formats_counts.customer_numbers(rows, flowed))
    at_sphere = here.stores.filter(pl.col("format") == "sphere")
    buyers = here.baskets.join(at_sphere, on="store_id", how="semi")["household_id"].n_unique()
    assert numbers["penetration_spheres"] == pytest.approx(buyers / here.households.height)
    assert {"kept_grocers", "shared_spheres", "lost_to_spheres"} <= set(numbers)


# ---- what changed


def test_the_parts_of_growth_add_up_to_the_change_of_sales(parts):
    windows = ("2045-02-01", "2045-02-28"), ("2045-08-01", "2045-08-28")
    rows = formats_change.growth_rows(parts, *windows, **PLAIN)
    for (towns,), own in rows.group_by("towns"):
        whole = own.filter(pl.col("component") == "all sales")["value"].item()
        assert own.filter(pl.col("component") != "all sales")["value"].sum() == pytest.approx(whole, abs=1e-4)
        grocers = parts[towns].stores.filter(pl.col("format") == "grocer")
        sold = [
            parts[towns].between(*window).baskets.join(grocers, on="store_id", how="semi")["sales_usd"].sum()
            for window in windows
        ]
        by_hand = (sold[1] - sold[0]) / 28 * 7 / parts[towns].households.height
        assert whole == pytest.approx(by_hand, abs=1e-4)
    numbers = formats_counts.values(formats_counts.growth_numbers(rows))
    assert numbers["growth_with_sales"] > -1
    assert {f"growth_{kind}_trips" for kind in ("with", "never")} <= set(numbers)


def test_the_estimate_of_price_levels_meets_the_truth(small, here):
    rows = formats_change.price_rows(here, small, **PLAIN)
    shelf, paid = rows.iter_rows(named=True)
    assert shelf["value"] == pytest.approx(shelf["truth"], abs=0.01)
    assert paid["value"] == pytest.approx(paid["truth"], abs=0.02)
    depth = sum(small.recipe.parameters.depths) / len(small.recipe.parameters.depths)
    discount = (1 - 0.25 * depth) / (1 - 0.5 * depth)
    assert paid["truth"] / shelf["truth"] == pytest.approx(discount, rel=1e-5)
    assert 0 < shelf["matched_share"] < 1


def test_the_index_is_one_in_its_base_and_the_assumed_step_leads_there(small, parts):
    rows = formats_change.index_rows(parts[WITH], small, "2045-04-01", **PLAIN)
    base = rows.filter(pl.col("quarter") == dt.date(2045, 4, 1))
    assert base["value"].to_list() == [1.0, 1.0]
    assert rows.filter(pl.col("stores") == SPHERES)["quarter"].min() == dt.date(2045, 4, 1)
    steps = rows.filter(pl.col("stores") == GROCERS)["truth"]
    assert (steps.diff().drop_nulls() <= 1e-9).all(), "prices answer an opening and stay there"
    picture = formats_change.picture_rows(formats_change.price_rows(parts[WITH], small, **PLAIN), rows)
    assert picture["panel"].to_list() == ["level"] * 2 + ["index"] * rows.height


def test_concentration_counts_the_towns_above_their_start(parts):
    months = {dt.date(2045, 3, 1): "before", dt.date(2045, 7, 1): "after"}
    rows = formats_change.concentration_rows(parts, months, **PLAIN)
    assert rows["period"].to_list() == ["before", "after"] * 2
    assert rows.filter(pl.col("period") == "before")["higher"].to_list() == [0, 0]
    own = formats.concentration(parts[NEVER].baskets, parts[NEVER].stores, every="2mo", **PLAIN)
    own = own.filter(pl.col("measure") == "HHI", pl.col("market").str.len_chars() < 4)
    wide = own.filter(pl.col("period").is_in(list(months))).pivot("period", index="market", values="value")
    above = (wide["2045-07-01"] > wide["2045-03-01"]).sum()
    assert rows.filter(pl.col("towns") == NEVER, pl.col("period") == "after")["higher"].item() == above


# ---- beliefs


def diary():
    days = [dt.date(2045, 1, 1) + dt.timedelta(days=day) for day in range(200)]
    homes = range(1, 10)
    rows = [(home, day, "sphere-1", home < 9, 0.5 if home == 1 else 0.6) for day in days for home in homes]
    keys = ["household_id", "date", "store_id", "available", "belief"]
    return pl.DataFrame(rows, schema=keys, orient="row")


def test_beliefs_are_parted_by_the_last_visit_before_the_day():
    visits = {"household_id": list(range(1, 9)), "store_id": ["sphere-1"] * 8}
    baskets = pl.DataFrame({**visits, "date": [dt.date(2045, 4, 2)] * 8})
    stores = pl.DataFrame({"store_id": ["sphere-1"], "authentic": [0.4]})
    rows = formats_change.belief_rows(diary(), stores, baskets)
    assert rows["month"].min() == dt.date(2045, 4, 1), "the first 90 days cannot tell who was there"
    april = rows.filter(pl.col("month") == dt.date(2045, 4, 1))
    assert set(april["group"]) == {formats_change.THERE, formats_change.NEVER_THERE}
    there = april.filter(pl.col("group") == formats_change.THERE).row(0, named=True)
    assert there["belief"] == pytest.approx((0.5 + 7 * 0.6) / 8)
    assert (there["shown"], there["households"]) == (0.4, 8), "household 9 finds it closed"
    later = rows.filter(pl.col("month") > dt.date(2045, 6, 1))
    assert later["month"].to_list() == [dt.date(2045, 7, 1)], "1 July is the 90th day after the visit"
    assert later["group"].to_list() == [formats_change.THERE], (
        "who came longer ago is left out, not called new"
    )
    numbers = formats_counts.values(formats_counts.belief_numbers(april))
    assert numbers["shown_spheres"] == 0.4


# ---- beside the public retailer


def profile(value, share):
    rows = [("value of a basket", "mean", value), ("sales by department", "GROCERY", share)]
    others = [(*key, 0.5) for key in formats_beside.MEASURES if key not in {row[:2] for row in rows}]
    keys = ["measure", "statistic", "value"]
    return pl.DataFrame(rows + others, schema=keys, orient="row")


def test_profiles_stand_side_by_side_in_their_units():
    rows = formats_beside.beside_rows({"a": profile(30.0, 0.25)})
    assert rows["measure"][0] == "value of a basket (USD of 2017)"
    assert rows["a"][0] == 30.0
    numbers = formats_counts.beside_numbers(rows, "a", "x")
    units = {key: (value, unit) for key, value, unit in numbers.select("key", "value", "unit").iter_rows()}
    assert units["basket_usd_x"] == (30.0, "USD of 2017")
    assert units["groceries_x"] == (0.25, "share")


def test_spheres_are_seen_through_the_lens_of_one_year(small):
    seen = formats_beside.sphere_profile(small, 2045)
    spheres = small.stores.filter(pl.col("format") == "sphere")["store_id"].to_list()
    in_year = pl.col("sold_at").dt.year() == 2045
    lines = small.lines.filter(in_year, pl.col("store_id").is_in(spheres)).collect()
    worth = seen.filter(pl.col("measure") == "value of a basket", pl.col("statistic") == "mean")[
        "value"
    ].item()
    assert worth == pytest.approx(lines["sales_usd"].sum() / lines["basket_id"].n_unique() / 1.74)


# ---- numbers


def test_cited_numbers_carry_their_ends_and_unit():
    rows = pl.DataFrame({"value": [2.0], "low": [1.0], "high": [3.0]})
    keyed = formats_counts.keyed(rows, pl.lit("gap"), "USD")
    assert formats_counts.cited("formats", keyed) == {"formats.gap": (2.0, 1.0, 3.0, "USD")}


# ---- the pictures


def committed(slug):
    return pl.read_csv(provenance.root() / "reports" / "figures" / f"{slug}.csv", try_parse_dates=True)


def title_of(slug):
    text = (provenance.root() / "reports" / "figures" / f"{slug}.json").read_text(encoding="utf-8")
    return json.loads(text)["title"]


@pytest.mark.parametrize(
    ("slug", "draw"),
    [
        ("spheres-grocers-sales", formats_2045.sales),
        ("who-sells-what", formats_2045.departments),
        ("who-buys", formats_2045.adjusted),
        ("who-keeps-customers", formats_2045.customers),
        ("grocers-growth", formats_moved.growth),
        ("prices-and-truth", formats_moved.prices),
        ("beliefs-apart", formats_moved.beliefs),
    ],
)
@pytest.mark.parametrize("width", [theme.WIDE, theme.PHONE])
def test_every_chart_fits_its_card_and_names_no_colour_that_dark_pages_hide(slug, draw, width):
    theme.enable()
    spec = card.fitted(draw(committed(slug), width).to_dict(), width)
    made = card.draw(slug, spec, card.Words("Four words stand here", "b", "c"), alt="d.", width=width)
    assert made.width == card.IMAGE_WIDTH[width]
    assert "#000" not in made.svg


def test_sales_fall_where_spheres_open_and_not_elsewhere():
    weeks = committed("spheres-grocers-sales").filter(pl.col("line") == GROCERS).sort("date")
    for towns, falls in ((WITH, True), (NEVER, False)):
        level = weeks.filter(pl.col("towns") == towns)["value"]
        assert (level.tail(13).mean() < 0.9 * level.head(8).mean()) == falls


def test_local_food_is_rarer_where_spheres_are_as_the_title_says():
    local = committed("who-sells-what").filter(pl.col("panel") == "local food")
    of = dict(local.select("name", "per cent").iter_rows())
    own, other = of[f"towns {WITH}"], of[f"towns {NEVER}"]
    assert f"{own:.1f} % of spending where Spheres are, {other:.1f} % elsewhere" in title_of("who-sells-what")
    assert own < other


def test_income_explains_nothing_of_the_dearer_basket():
    rows = committed("who-buys").filter(pl.col("panel") == "value of a basket")
    of = {row["name"]: row for row in rows.to_dicts()}
    assert f"{of['raw']['per cent']:.0f} % more" in title_of("who-buys")
    assert abs(of["raw"]["per cent"] - of["standardised"]["per cent"]) < 1
    assert of["raw"]["low (%)"] < of["within households"]["per cent"] < of["raw"]["high (%)"]
    incomes = committed("who-buys").filter(pl.col("panel") == "share of spending")
    assert max(incomes["low (%)"]) < min(incomes["high (%)"]), "the intervals of all incomes overlap"


def test_customers_are_shared_as_the_title_says():
    rows = committed("who-keeps-customers").filter(pl.col("measure").str.contains("also buy"))
    of = dict(rows.select("stores", "per cent").iter_rows())
    assert title_of("who-keeps-customers").startswith(f"{of[SPHERES]:.0f} % of Spheres")
    assert f"{of[GROCERS]:.0f} % of grocers" in title_of("who-keeps-customers")


def test_trips_were_lost_before_customers_and_nothing_elsewhere():
    rows = committed("grocers-growth")
    of = dict(rows.filter(pl.col("towns") == WITH).select("component", "value").iter_rows())
    assert of["trips a customer"] < of["customers"] < of["prices"] < 0
    other = rows.filter(pl.col("towns") == NEVER, pl.col("component") == "all sales").row(0, named=True)
    assert other["low"] < 0 < other["high"]


def test_the_price_level_meets_its_truth_and_the_index_does_not():
    rows = committed("prices-and-truth")
    for level in rows.filter(pl.col("panel") == "level").to_dicts():
        assert level["low"] <= level["truth"] <= level["high"]
    first = rows.filter(pl.col("panel") == "index", pl.col("name") == GROCERS).sort("date").row(0, named=True)
    assert not first["low"] <= first["truth"] <= first["high"], "the prose says that the interval misses it"


def test_spheres_are_overrated_and_grocers_underrated():
    rows = committed("beliefs-apart")
    last = rows.filter(pl.col("month") == rows["month"].max(), pl.col("group") == formats_change.THERE)
    of = {row["stores"]: row for row in last.to_dicts()}
    assert of[SPHERES]["belief"] > of[SPHERES]["shown"]
    assert of[GROCERS]["belief"] < of[GROCERS]["shown"]
