"""Departments' shares by label and by household group: hand-worked, identities, engines, refusals."""

import datetime as dt

import duckdb
import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from grocery_spheres.formats import department_mix, department_shares, share_of_spend
from grocery_spheres.tables import ContractError

STORES = pl.DataFrame({"store_id": [7, 8], "format": ["sphere", "grocer"]})
PRODUCTS = pl.DataFrame({"product_id": [1, 2, 3], "department": ["meals", "local", None]})
HOMES = pl.DataFrame({"household_id": [1, 2, 3], "income": ["high", "low", None]})


def lines(rows):
    """Rows of household, store, product, sales."""
    frame = pl.DataFrame(rows, schema=["household_id", "store_id", "product_id", "sales_usd"], orient="row")
    return frame.with_columns(
        basket_id=pl.int_range(pl.len()),
        sold_at=dt.datetime(2045, 6, 1, 12),
        quantity=1,
        discount_usd=0.0,
    )


# product 3 has no department, product 4 is not listed
LINES = lines([(1, 7, 1, 6.0), (1, 8, 2, 3.0), (2, 8, 1, 4.0), (2, 8, 3, 2.0), (3, 8, 4, 1.0)])


def shares(frame=LINES, products=PRODUCTS, stores=STORES, **options):
    return department_shares(frame, products, stores, intervals=False, **options)


def spend(frame=LINES, products=PRODUCTS, departments=("local",), **options):
    return share_of_spend(frame, products, departments, intervals=False, **options)


def many(seed=1, households=60):
    generator = np.random.default_rng(seed)
    rows = 8 * households
    who, store = np.arange(rows) % households, generator.integers(7, 9, size=rows)
    product = generator.integers(1, 5, size=rows)
    return lines(
        list(
            zip(
                who.tolist(),
                store.tolist(),
                product.tolist(),
                generator.gamma(2.0, size=rows).tolist(),
                strict=True,
            )
        )
    )


def test_shares_are_worked_by_hand():
    assert shares().select("label", "department", "value", "sales_usd").rows() == [
        ("grocer", "local", 0.3, 3.0),
        ("grocer", "meals", 0.4, 4.0),
        ("grocer", "unknown", pytest.approx(0.3), 3.0),
        ("sphere", "local", 0.0, 0.0),
        ("sphere", "meals", 1.0, 6.0),
        ("sphere", "unknown", 0.0, 0.0),
    ]


def test_shares_of_a_label_add_to_one_and_no_sale_is_lost():
    found = shares(many())
    assert found.group_by("label").agg(pl.sum("value"))["value"].to_list() == pytest.approx([1.0, 1.0])
    assert found["sales_usd"].sum() == pytest.approx(many()["sales_usd"].sum())
    both = STORES.with_columns(format=pl.lit("all"))
    mix = dict(department_mix(many(), PRODUCTS).select("department", "share").iter_rows())
    assert dict(shares(many(), stores=both).select("department", "value").iter_rows()) == pytest.approx(mix)


def test_shares_of_spend_are_worked_by_hand():
    assert spend().row(0) == (3 / 16, None, None, 3.0, 16.0)
    assert spend(departments=["local", "unknown"])["value"].item() == pytest.approx(6 / 16)
    by_label = spend(stores=STORES, label="format")
    assert by_label.select("label", "value").rows() == [("grocer", 0.3), ("sphere", 0.0)]
    by_group = spend(households=HOMES, by="income")
    assert by_group.select("income", "value", "of_usd").rows() == [
        ("high", pytest.approx(1 / 3), 9.0),
        ("low", 0.0, 6.0),
        ("unknown", 0.0, 1.0),
    ]
    both = spend(stores=STORES, label="format", households=HOMES, by="income")
    assert both.select("income", "label", "value").rows() == [
        ("high", "grocer", 1.0),
        ("high", "sphere", 0.0),
        ("low", "grocer", 0.0),
        ("unknown", "grocer", 0.0),
    ]


def test_the_share_over_all_is_that_of_the_departments_shares():
    frame = many()
    found = shares(frame).filter(pl.col("department") == "local").sort("label")
    apart = spend(frame, stores=STORES, label="format")
    assert apart["value"].to_list() == pytest.approx(found["value"].to_list())
    assert spend(frame)["value"].item() == pytest.approx((apart["usd"].sum()) / frame["sales_usd"].sum())


def test_all_departments_together_are_all():
    found = share_of_spend(many(), PRODUCTS, ["local", "meals", "unknown"])
    assert found["value"].item() == pytest.approx(1.0)
    assert found["low"].item() is None  # every draw agrees


def test_a_share_of_nothing_is_null():
    found = shares(lines([(1, 7, 1, 0.0), (1, 8, 1, 1.0)]))
    assert found.select("label", "value").rows() == [("grocer", 1.0), ("sphere", None)]


def test_intervals_hold_their_value_come_from_the_seed_and_cover():
    found = department_shares(many(), PRODUCTS, STORES)
    assert ((found["low"] < found["value"]) & (found["value"] < found["high"])).all()
    assert_frame_equal(found, department_shares(many(), PRODUCTS, STORES))
    assert not found["low"].equals(department_shares(many(), PRODUCTS, STORES, seed=1)["low"])
    held = []
    for seed in range(150):  # each of four products, one of them local, has the same chance
        row = share_of_spend(many(seed), PRODUCTS, ["local"], alpha=0.1, seed=seed, draws=100).row(
            0, named=True
        )
        held.append(row["low"] <= 0.25 <= row["high"])
    assert 0.85 <= np.mean(held) <= 0.95


@pytest.mark.parametrize("engine", ["lazy", "pandas", "duckdb"])
def test_every_engine_gives_the_same_shares(engine):
    ids = pl.col("household_id", "product_id").cast(pl.String)
    frame, products = many().with_columns(ids), PRODUCTS.with_columns(pl.col("product_id").cast(pl.String))
    sold = {"lazy": frame.lazy, "pandas": frame.to_pandas}.get(engine, frame.to_arrow)()
    listed = products.to_pandas() if engine == "pandas" else products
    if engine == "duckdb":
        connection = duckdb.connect()
        connection.register("sold", sold)
        sold = connection.sql("select * from sold")
    wanted = department_shares(frame, products, STORES)
    assert_frame_equal(department_shares(sold, listed, STORES), wanted, rel_tol=1e-9)
    wanted = share_of_spend(frame, products, ["local"])
    assert_frame_equal(share_of_spend(sold, listed, ["local"]), wanted, rel_tol=1e-9)


def test_a_scan_of_the_county_is_read(counties):
    county = counties()
    found = share_of_spend(
        county.lines, county.products, ["fresh local food"], stores=county.stores, label="format",
        households=county.households, by="income", draws=40,
    )  # fmt: skip
    assert found.filter(pl.col("label") == "sphere")["value"].to_list() == [0.0] * 3
    total = county.lines.select(pl.sum("sales_usd")).collect().item()
    assert found["of_usd"].sum() == pytest.approx(total)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"departments": "local"}, "`departments` is 'local': give a list"),
        ({"departments": []}, "`departments` is empty"),
        (
            {"departments": ["locl"]},
            "names 'locl', and no product has it; there are: 'local', 'meals', 'unknown'",
        ),
        ({"label": "format"}, "`label` is given without `stores`"),
        ({"stores": STORES}, "`stores` is given without `label`"),
        ({"by": "income"}, "`by` is given without `households`"),
        ({"households": HOMES}, "`households` is given without `by`"),
        ({"households": HOMES.head(2), "by": "income"}, "1 households .* not in the table `households`"),
        ({"households": HOMES, "by": "age"}, "`households` lacks the column `age`"),
        ({"products": pl.concat([PRODUCTS, PRODUCTS])}, "lists product_id 1 twice"),
        ({"products": PRODUCTS.drop("department")}, "`products` lacks the column `department`"),
        ({"frame": LINES.with_columns(quantity=0)}, "5 of 5 rows .* `quantity`"),
        ({"frame": LINES.drop("sales_usd")}, "lacks the column `sales_usd`"),
        ({"frame": LINES.clear()}, "has no rows"),
    ],
)
def test_what_cannot_be_answered_is_refused(options, said):
    with pytest.raises(ContractError, match=said):
        spend(**options)


def test_groups_are_groups():
    homes = pl.DataFrame({"household_id": range(60), "income": np.arange(60.0)})
    with pytest.raises(ContractError, match="60 different values, and at most 50 groups"):
        spend(many(), households=homes, by="income")


def test_a_store_that_is_not_listed_is_named():
    with pytest.raises(ContractError, match="1 store-days .* `stores` does not list .*7"):
        shares(stores=STORES.tail(1))
