"""Customers gained, kept and lost: hand-worked, flows that add up, and windows that are refused."""

import datetime as dt

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from grocery_spheres.formats import customer_flows
from grocery_spheres.tables import ContractError

DAY = dt.date(2045, 1, 1)
STORES = pl.DataFrame({"store_id": [7, 8, 9, 10], "format": ["sphere", "grocer", "grocer", "drone"]})
BEFORE, AFTER = ("2045-01-01", "2045-01-10"), (dt.date(2045, 1, 21), dt.date(2045, 1, 30))
# household, store, day: 0 to 9 is before, 20 to 29 is after, 10 to 19 lies between
BASKETS = [
    (1, 8, 0),  # stays with the grocer, and adds the Sphere
    (1, 9, 25),
    (1, 7, 26),
    (2, 8, 9),  # leaves the grocer for the Sphere (two baskets there, one by drone)
    (2, 7, 20),
    (2, 10, 21),
    (2, 7, 22),
    (3, 8, 5),  # is gone
    (3, 8, 15),
    (4, 7, 29),  # is new, at the Sphere alone
    (5, 7, 3),  # leaves the Sphere for grocer and drone, a basket each
    (5, 9, 20),
    (5, 10, 20),
    (6, 8, 12),  # was there in between only
]


def framed(rows):
    table = pl.DataFrame(rows, schema=["household_id", "store_id", "day"], orient="row")
    return table.select("household_id", "store_id", sales_usd=5.0, date=pl.lit(DAY) + pl.duration(days="day"))


def rows_of(seed, households=12, rows=60):
    rng = np.random.default_rng(seed)
    drawn = (rng.integers(0, households, rows), rng.integers(7, 11, rows), rng.integers(0, 30, rows))
    edges = [(0, 7, 0), (0, 8, 29)]
    return [*edges, *zip(*(column.tolist() for column in drawn), strict=True)]


def plain(rows=BASKETS, **options):
    windows = {"before": BEFORE, "after": AFTER} | options
    return customer_flows(framed(rows), STORES, intervals=False, **windows)


def counts(table, label):
    rows = table.filter(pl.col("label") == label, pl.col("measure") == "customers")
    return {
        (group, other): value for group, other, value in rows.select("group", "other", "value").iter_rows()
    }


@pytest.mark.parametrize(
    ("label", "group", "other", "expected"),
    [
        ("grocer", "customers before", None, 3),
        ("grocer", "customers after", None, 2),
        ("grocer", "kept", None, 1),
        ("grocer", "lost", None, 2),
        ("grocer", "gained", None, 1),
        ("grocer", "shared", None, 2),
        ("grocer", "sole", None, 0),
        ("grocer", "lost to", "sphere", 1),
        ("grocer", "lost to", "nowhere", 1),
        ("grocer", "gained from", "sphere", 1),
        ("sphere", "customers after", None, 3),
        ("sphere", "gained", None, 3),
        ("sphere", "gained from", "grocer", 2),
        ("sphere", "gained from", "nowhere", 1),
        ("sphere", "sole", None, 1),
        ("sphere", "lost to", "drone", 1),  # as many baskets at the grocer: the first by name
        ("drone", "customers before", None, 0),
        ("drone", "gained", None, 2),
    ],
)
def test_counts_are_worked_by_hand(label, group, other, expected):
    assert counts(plain(), label)[group, other] == expected


def test_shares_name_what_they_are_of():
    shares = plain().filter(pl.col("measure") == "share", pl.col("label") == "grocer")
    found = {
        (group, other): (of, value)
        for group, other, of, value in shares.select("group", "other", "of", "value").iter_rows()
    }
    assert found == {
        ("kept", None): ("customers before", pytest.approx(1 / 3)),
        ("lost", None): ("customers before", pytest.approx(2 / 3)),
        ("gained", None): ("customers after", 0.5),
        ("shared", None): ("customers after", 1.0),
        ("sole", None): ("customers after", 0.0),
        ("lost to", "nowhere"): ("lost", 0.5),
        ("lost to", "sphere"): ("lost", 0.5),
        ("gained from", "sphere"): ("gained", 1.0),
    }
    drone = plain().filter(
        pl.col("label") == "drone", pl.col("group") == "kept", pl.col("measure") == "share"
    )
    assert drone["value"].item() is None, "the drone had no customers before"


@given(st.integers(0, 10_000))
def test_flows_add_up(seed):
    rows = rows_of(seed)
    table = plain(rows)
    for label in ("sphere", "grocer", "drone"):
        found = counts(table, label)
        one = {group: value for (group, other), value in found.items() if other is None}
        moves = {
            name: sum(v for (group, other), v in found.items() if group == name)
            for name in ("lost to", "gained from")
        }
        assert one["kept"] + one["lost"] == one["customers before"]
        assert one["kept"] + one["gained"] == one["customers after"]
        assert one["shared"] + one["sole"] == one["customers after"]
        assert moves == {"lost to": one["lost"], "gained from": one["gained"]}
        stores = {7: "sphere", 8: "grocer", 9: "grocer", 10: "drone"}
        early, late = (
            {h for h, s, d in rows if stores[s] == label and low <= d < low + 10} for low in (0, 20)
        )
        assert (one["customers before"], one["customers after"]) == (len(early), len(late))
        assert (one["kept"], one["lost"]) == (len(early & late), len(early - late))


@given(st.integers(0, 10_000))
def test_time_turned_round_swaps_gained_and_lost(seed):
    rows = rows_of(seed)
    there = plain(rows)
    back = plain([(household, store, 29 - day) for household, store, day in rows])
    for label in ("sphere", "grocer", "drone"):
        one, other = counts(there, label), counts(back, label)
        moves = {
            ("gained from" if g == "lost to" else g, o): v for (g, o), v in one.items() if g == "lost to"
        }
        assert one["lost", None] == other["gained", None]
        assert one["kept", None] == other["kept", None]
        assert moves == {key: value for key, value in other.items() if key[0] == "gained from"}


def test_other_words_for_labels_change_nothing_else():
    """The words keep their order, by which ties are broken."""
    words = {"sphere": "z", "grocer": "y", "drone": "x"}
    swapped = STORES.with_columns(pl.col("format").replace(words))
    rows, windows = framed(rows_of(2)), {"before": BEFORE, "after": AFTER, "draws": 60}
    back = {new: old for old, new in words.items()}
    found = customer_flows(rows, swapped, **windows).with_columns(pl.col("label", "other").replace(back))
    keys = ["label", "group", "other", "measure"]
    assert_frame_equal(found.sort(keys), customer_flows(rows, STORES, **windows).sort(keys))


@pytest.mark.parametrize("engine", ["lazy", "pandas", "text ids", "shuffled"])
def test_every_engine_gives_the_same(engine):
    baskets, stores, windows = framed(rows_of(7)), STORES, {"before": BEFORE, "after": AFTER, "draws": 60}
    wanted = customer_flows(baskets, stores, **windows)
    if engine == "lazy":
        baskets, stores = baskets.lazy(), stores.lazy()
    elif engine == "pandas":
        baskets, stores = baskets.to_pandas(), stores.to_pandas()
    elif engine == "text ids":
        ids = pl.col("household_id").cast(pl.String).str.zfill(2), pl.col("store_id").cast(pl.String)
        baskets, stores = baskets.with_columns(ids), stores.with_columns(pl.col("store_id").cast(pl.String))
    else:
        baskets = baskets.sample(fraction=1.0, shuffle=True, seed=1)
    assert_frame_equal(customer_flows(baskets, stores, **windows), wanted)


# ---- intervals


def test_intervals_hold_their_value_and_come_from_the_seed():
    rows, windows = framed(rows_of(3, households=80, rows=600)), {"before": BEFORE, "after": AFTER}
    table = customer_flows(rows, STORES, **windows, seed=1, draws=200)
    assert_frame_equal(table, customer_flows(rows, STORES, **windows, seed=1, draws=200))
    assert not table["low"].equals(customer_flows(rows, STORES, **windows, seed=2, draws=200)["low"])
    told = table.drop_nulls("low")
    assert told.height > 0.8 * table.height
    assert ((told["low"] <= told["value"]) & (told["value"] <= told["high"])).all()
    plainly = customer_flows(rows, STORES, **windows, intervals=False)
    assert_frame_equal(plainly.drop("low", "high"), table.drop("low", "high"))
    assert plainly["low"].null_count() == plainly.height


def test_intervals_cover_the_truth_of_a_made_population():
    """Each household has its own chance of coming in a window; Beta(2, 2) has mean 1/2, mean square 3/10.

    So of the customers before 6/10 are kept. Nominal: 90 %.
    """
    held = []
    for seed in range(200):
        rng = np.random.default_rng(seed + 9_000)
        taste = rng.beta(2.0, 2.0, 150)
        came = [(who, 7, day) for day in (5, 25) for who in np.flatnonzero(rng.random(150) < taste).tolist()]
        rest = [(who, 8, day) for who in range(150) for day in (0, 29)]
        windows = {"before": BEFORE, "after": AFTER, "alpha": 0.1, "seed": seed, "draws": 200}
        table = customer_flows(framed([*came, *rest]), STORES, **windows)
        sphere = table.filter(pl.col("label") == "sphere", pl.col("other").is_null())
        kept = sphere.filter(pl.col("group") == "kept").rows_by_key("measure", named=True, unique=True)
        truth = {"customers": 150 * 0.3, "share": 0.6}
        held.append([kept[name]["low"] <= true <= kept[name]["high"] for name, true in truth.items()])
    covered = np.mean(held, axis=0)
    assert ((covered >= 0.85) & (covered <= 0.95)).all(), covered


# ---- refusals


@pytest.mark.parametrize(
    ("windows", "said"),
    [
        ({"before": "2045-01-01"}, "`before` is '2045-01-01'"),
        ({"before": ("2045-01-01",)}, "`before` is"),
        ({"after": 5}, "`after` is 5"),
        ({"after": ("2045-01-21", "soon")}, "`after` is 'soon'"),
        ({"after": ("2045-01-21", None)}, "`after` is None"),
        ({"before": ("2045-01-10", "2045-01-01")}, "`before` begins on 2045-01-10 and ends on 2045-01-01"),
        ({"before": AFTER, "after": ("2045-01-01", "2045-01-10")}, "do not overlap"),
        ({"before": ("2045-01-01", "2045-01-21")}, "do not overlap"),
        (
            {"before": ("2044-12-31", "2045-01-10")},
            "`before` runs from 2044-12-31 .* baskets from 2045-01-01",
        ),
        ({"after": ("2045-01-21", "2045-01-31")}, "`after` runs from 2045-01-21 to 2045-01-31"),
        (
            {"before": ("2045-01-02", "2045-01-03")},
            "`before` holds no basket: none .* 2045-01-02 to 2045-01-03",
        ),
        ({"after": ("2045-01-24", "2045-01-25")}, "`after` holds no basket"),
        ({"draws": 10, "intervals": True}, "10 draws"),
    ],
)
def test_a_window_that_shows_nothing_is_named(windows, said):
    with pytest.raises(ContractError, match=said):
        customer_flows(framed(BASKETS), STORES, **({"before": BEFORE, "after": AFTER} | windows))


def test_a_label_called_nowhere_is_refused():
    with pytest.raises(ContractError, match="A label .* is 'nowhere'"):
        customer_flows(
            framed(BASKETS), STORES.with_columns(format=pl.lit("nowhere")), before=BEFORE, after=AFTER
        )
