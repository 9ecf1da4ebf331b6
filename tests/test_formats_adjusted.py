"""Raw and adjusted differences: hand-worked, equal to regressions, and groups set apart by name."""

import datetime as dt

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import grocery_spheres as gs
from grocery_spheres.formats import adjusted_difference
from grocery_spheres.tables import ContractError

STORES = pl.DataFrame({"store_id": [7, 8, 9], "format": ["sphere", "grocer", "drone"]})
HOUSEHOLDS = pl.DataFrame({"household_id": [1, 2, 3, 4], "income": ["high", "high", "low", "low"]})
NAMES = ["household_id", "store_id", "lines", "sales_usd"]
BASKETS = [
    (1, 7, 4, 40.0),
    (1, 7, 2, 50.0),
    (1, 8, 3, 30.0),
    (2, 7, 5, 60.0),
    (3, 7, 1, 20.0),
    (3, 8, 2, 10.0),
    (3, 8, 2, 15.0),
    (3, 8, 2, 5.0),
    (4, 8, 1, 12.0),
    (4, 9, 9, 99.0),
]
SIDES = {"base": "grocer", "other": "sphere"}


def framed(rows):
    return pl.DataFrame(rows, schema=NAMES, orient="row").with_columns(date=dt.date(2045, 1, 1))


def plain(rows=BASKETS, households=HOUSEHOLDS, **options):
    return adjusted_difference(framed(rows), STORES, households, **(SIDES | {"intervals": False} | options))


def found(table, measure="difference"):
    return dict(table.filter(pl.col("measure") == measure).select("method", "value").iter_rows())


# Sphere: 40, 50, 60 of the high, 20 of the low. Grocer: 30 of the high; 10, 15, 5, 12 of the low.
HIGH, LOW = (50.0, 30.0), (20.0, 10.5)
STANDARD = [4 / 9 * high + 5 / 9 * low for high, low in zip(HIGH, LOW, strict=True)]
WITHIN = [(2 / 3 * one + 3 / 4 * three) / (2 / 3 + 3 / 4) for one, three in ((45.0, 20.0), (30.0, 10.0))]


def test_values_are_worked_by_hand():
    assert found(plain()) == pytest.approx(
        {
            "raw": 170 / 4 - 72 / 5,
            "standardised": STANDARD[0] - STANDARD[1],
            "within households": WITHIN[0] - WITHIN[1],
        }
    )
    assert found(plain(), "relative difference") == pytest.approx(
        {
            "raw": (170 / 4) / (72 / 5) - 1,
            "standardised": STANDARD[0] / STANDARD[1] - 1,
            "within households": WITHIN[0] / WITHIN[1] - 1,
        }
    )


def test_other_measures_are_sums_over_sums():
    lines = plain(measure="lines of a basket")
    assert found(lines)["raw"] == pytest.approx(12 / 4 - 10 / 5)
    assert lines["unit"].to_list() == ["lines", "share"] * 3
    price = plain(measure="sales a line")
    assert found(price)["raw"] == pytest.approx(170 / 12 - 72 / 10)
    mix = 14 / 22  # of the lines, the high incomes bought 11 at the Sphere and 3 at the grocer
    standard = [mix * high + (1 - mix) * low for high, low in ((150 / 11, 20 / 1), (30 / 3, 42 / 7))]
    assert found(price)["standardised"] == pytest.approx(standard[0] - standard[1])
    weights = {"one": 6 * 3 / 9, "three": 1 * 6 / 7}
    inside = weights["one"] * (90 / 6 - 30 / 3) + weights["three"] * (20 / 1 - 30 / 6)
    assert found(price)["within households"] == pytest.approx(inside / sum(weights.values()))


def test_rows_say_what_they_rest_on_and_what_they_assume():
    table = plain().filter(pl.col("measure") == "difference")
    assert table.select("method", "households", "baskets", "set_apart").rows() == [
        ("raw", 4, 9, ""),
        ("standardised", 4, 9, ""),
        ("within households", 2, 7, ""),
    ]
    assert table["outcome"].unique().to_list() == ["value of a basket"]
    assert table["assumes"].str.len_chars().min() > 20
    assert table["assumes"].n_unique() == 3


def test_a_group_seen_at_one_label_only_is_set_apart_by_name():
    named = HOUSEHOLDS.with_columns(income=pl.Series(["high", "rich", "low", "low"]))
    table = plain(households=named)
    standard = table.filter(pl.col("method") == "standardised")
    assert standard["set_apart"].to_list() == ["'rich' (baskets 1, only at 'sphere')"] * 2
    assert standard["baskets"].to_list() == [8, 8]
    high = 3 / 8 * 45 + 5 / 8 * 20 - (3 / 8 * 30 + 5 / 8 * 10.5)
    assert standard["value"][0] == pytest.approx(high)
    assert found(table)["raw"] == pytest.approx(170 / 4 - 72 / 5), "raw leaves nobody out"


def test_where_nobody_uses_both_there_is_nothing_within():
    apart = [row for row in BASKETS if row[0] in {2, 4}] + [(5, 8, 1, 7.0), (6, 7, 1, 7.0)]
    named = pl.DataFrame({"household_id": [2, 4, 5, 6], "income": ["a"] * 4})
    table = plain(apart, named).filter(pl.col("method") == "within households")
    assert table["value"].null_count() == 2
    assert table["households"].to_list() == [0, 0]


def rows_of(seed, households=10, rows=90):
    rng = np.random.default_rng(seed)
    who, usd = rng.integers(0, households, rows), rng.integers(1, 500, rows) / 10
    drawn = (who, rng.integers(7, 10, rows), rng.integers(1, 9, rows), usd + 5 * who)
    income = np.where(np.arange(households) % 3 == 0, "high", "low")
    table = pl.DataFrame({"household_id": range(households), "income": income})
    return list(zip(*(column.tolist() for column in drawn), strict=True)), table


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.sampled_from(["value of a basket", "lines of a basket", "sales a line"]))
def test_regressions_give_the_same_numbers(seed, measure):
    """Raw: least squares on the label. Within: with a dummy a household. By the line: weighted by lines."""
    rows, households = rows_of(seed)
    table = found(plain(rows, households, measure=measure))
    sold = framed(rows).filter(pl.col("store_id") != 9)
    sphere = (sold["store_id"] == 7).to_numpy().astype(float)
    lines, usd = sold["lines"].to_numpy().astype(float), sold["sales_usd"].to_numpy()
    outcome = {"value of a basket": usd, "lines of a basket": lines, "sales a line": usd / lines}[measure]
    weights = lines if measure == "sales a line" else np.ones(len(lines))
    dummies = sold.select("household_id").to_dummies("household_id").to_numpy().astype(float)
    plainly = sm.WLS(outcome, np.column_stack([sphere, np.ones(len(lines))]), weights=weights).fit()
    fixed = sm.WLS(outcome, np.column_stack([sphere, dummies]), weights=weights).fit()
    assert table["raw"] == pytest.approx(plainly.params[0])
    assert table["within households"] == pytest.approx(fixed.params[0])


@settings(max_examples=15)
@given(st.integers(0, 10_000))
def test_identities_hold(seed):
    rows, households = rows_of(seed)
    there = plain(rows, households)
    back = found(plain(rows, households, base="sphere", other="grocer"))
    assert found(there) == pytest.approx({method: -value for method, value in back.items()})
    alike = households.with_columns(income=pl.lit("all"))
    one_group = found(plain(rows, alike))
    assert one_group["standardised"] == pytest.approx(one_group["raw"]), "one group has nothing to adjust"
    risen = [(who, store, n, usd + 3.0 * (store == 7)) for who, store, n, usd in rows]
    for method, value in found(plain(risen, households)).items():
        assert value == pytest.approx(found(there)[method] + 3.0)
    dearer = [(who, store, n, usd * 2) for who, store, n, usd in rows]
    assert found(plain(dearer, households), "relative difference") == pytest.approx(
        found(there, "relative difference")
    )


@settings(max_examples=15)
@given(st.integers(0, 10_000))
def test_a_household_as_its_own_group_is_compared_with_itself(seed):
    """Standardised by household, other weights aside, is the difference within."""
    rows, households = rows_of(seed)
    own = found(
        plain([(w, s, 1, 10.0 * w + 4.0 * (s == 7)) for w, s, _, _ in rows], households, group="household_id")
    )
    assert own["standardised"] == pytest.approx(4.0)
    assert own["within households"] == pytest.approx(4.0)


@pytest.mark.parametrize("engine", ["lazy", "pandas", "text ids", "shuffled"])
def test_every_engine_gives_the_same(engine):
    rows, households = rows_of(7)
    baskets, stores = framed(rows), STORES
    wanted = adjusted_difference(baskets, stores, households, **SIDES, draws=60)
    if engine == "lazy":
        baskets, stores = baskets.lazy(), stores.lazy()
    elif engine == "pandas":
        baskets, stores, households = baskets.to_pandas(), stores.to_pandas(), households.to_pandas()
    elif engine == "text ids":
        ids = pl.col("household_id").cast(pl.String)
        baskets, households = baskets.with_columns(ids), households.with_columns(ids)
    else:
        baskets = baskets.sample(fraction=1.0, shuffle=True, seed=1)
    assert_frame_equal(adjusted_difference(baskets, stores, households, **SIDES, draws=60), wanted)


# ---- intervals


def test_intervals_hold_their_value_and_come_from_the_seed():
    rows, households = rows_of(3, households=60, rows=900)
    options = SIDES | {"draws": 200}
    table = adjusted_difference(framed(rows), STORES, households, **options, seed=1)
    assert_frame_equal(table, adjusted_difference(framed(rows), STORES, households, **options, seed=1))
    other = adjusted_difference(framed(rows), STORES, households, **options, seed=2)
    assert not table["low"].equals(other["low"])
    assert ((table["low"] < table["value"]) & (table["value"] < table["high"])).all()
    assert_frame_equal(table.drop("low", "high"), plain(rows, households).drop("low", "high"))


def test_what_a_draw_may_miss_has_no_ends():
    table = adjusted_difference(framed(BASKETS), STORES, HOUSEHOLDS, **SIDES, draws=60)
    assert table.filter(pl.col("method") != "raw")["low"].null_count() == 4


def population(rng, households=150):
    """The rich spend 30 a basket and choose the Sphere 7 times in 10; the poor 10, and 3 in 10.

    Everybody spends 2 more at the Sphere: that is what both adjustments should find; raw, 8 more are seen.
    """
    rich = rng.random(households) < 0.5
    who = np.repeat(np.arange(households), 10)
    sphere = rng.random(len(who)) < np.where(rich, 0.7, 0.3)[who]
    own = np.where(rich, 30.0, 10.0) * rng.gamma(16.0, 1 / 16, households)
    usd = own[who] + 2.0 * sphere + rng.normal(0, 2, len(who)).clip(-2, 2)
    rows = {"household_id": who, "store_id": np.where(sphere, 7, 8), "sales_usd": usd.clip(0)}
    table = pl.DataFrame({"household_id": range(households), "income": np.where(rich, "high", "low")})
    return pl.DataFrame(rows).with_columns(date=dt.date(2045, 1, 1)), table


def test_intervals_cover_the_truth_of_a_made_population():
    truth = {"raw": 2.0 + 0.4 * 20, "standardised": 2.0, "within households": 2.0}
    held = []
    for seed in range(150):
        baskets, households = population(np.random.default_rng(seed + 4_000))
        table = adjusted_difference(baskets, STORES, households, **SIDES, alpha=0.1, seed=seed, draws=200)
        rows = table.filter(pl.col("measure") == "difference").rows_by_key("method", named=True, unique=True)
        held.append([rows[name]["low"] <= true <= rows[name]["high"] for name, true in truth.items()])
    covered = np.mean(held, axis=0)
    assert ((covered >= 0.85) & (covered <= 0.95)).all(), covered


# ---- refusals


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"measure": "profit"}, "`measure` is 'profit': choose one of 'value of a basket'"),
        ({"base": "kiosk"}, "`base` is 'kiosk'; the labels are: 'drone', 'grocer', 'sphere'"),
        ({"other": None}, "`other` is None"),
        ({"other": "grocer"}, "`base` and `other` are both 'grocer'"),
        ({"rows": BASKETS[:9], "other": "drone"}, "No basket was sold at 'drone'"),
        ({"group": "age"}, "`households` lacks the column `age`"),
        ({"households": HOUSEHOLDS.head(3)}, "1 households with baskets are not in .*: 4"),
        ({"households": pl.concat([HOUSEHOLDS, HOUSEHOLDS])}, "twice"),
        (
            {"households": HOUSEHOLDS.with_columns(income=pl.Series(["a", None, "a", None]))},
            "2 households with baskets have no `income` \\(the first: 2\\)",
        ),
        (
            {"households": HOUSEHOLDS.with_columns(income=pl.lit(3.5))},
            "`income` in `households` is Float64, and groups .*qcut.5.*pd.qcut.households",
        ),
        ({"rows": [BASKETS[3], BASKETS[8]]}, "Every group was seen at one label only: 'high' .* 'low'"),
        ({"draws": 10, "intervals": True}, "10 draws"),
    ],
)
def test_what_cannot_be_compared_is_named(options, said):
    with pytest.raises(ContractError, match=said):
        plain(**options)


def test_lines_are_needed_where_the_measure_asks_for_them():
    without = framed(BASKETS).drop("lines")
    assert adjusted_difference(without, STORES, HOUSEHOLDS, **SIDES, intervals=False).height == 6
    with pytest.raises(ContractError, match="lacks the column `lines`"):
        adjusted_difference(without, STORES, HOUSEHOLDS, **SIDES, measure="sales a line")


def test_groups_may_be_whole_numbers_or_true_and_false():
    numbers = HOUSEHOLDS.with_columns(income=pl.Series([2, 2, 1, 1]))
    flags = HOUSEHOLDS.with_columns(income=pl.Series([True, True, False, False]))
    assert found(plain(households=numbers)) == pytest.approx(found(plain()))
    assert found(plain(households=flags)) == pytest.approx(found(plain()))


def test_where_richer_households_choose_spheres_raw_is_off_and_adjusted_is_not():
    """The county with one assumption turned: the same households' baskets differ by what the label does."""
    turned = gs.county(seed=7, preset="small", towns=24, never_towns=4, households=100, virtual_income=1.5)
    found = adjusted_difference(
        gs.baskets(turned.lines), turned.stores, turned.households, base="grocer", other="sphere", draws=100
    ).filter(pl.col("measure") == "relative difference")
    value = dict(found.select("method", "value").iter_rows())
    low, high = found.filter(pl.col("method") == "within households").select("low", "high").row(0)
    assert value["raw"] > value["standardised"] + 0.02
    assert value["raw"] > high
    assert low < value["standardised"] < high
