"""Markets' panels: nothing is lost, closed stores count as zero, and what cannot be summed is refused."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

import grocery_spheres as gs
from grocery_spheres.entry.markets import market_panel
from grocery_spheres.tables import ContractError

DAYS = [dt.date(2045, 1, 1) + dt.timedelta(days=day) for day in range(59)]  # January and February
STORES = pl.DataFrame(
    {
        "store_id": ["a", "b", "c", "s"],
        "format": ["grocer", "grocer", "grocer", "sphere"],
        "town_id": [1, 1, 2, 1],
        "closed": [None, dt.date(2045, 1, 31), None, None],
    }
)


def sold(**amounts: list[float]) -> pl.DataFrame:
    rows = [
        (store, day, usd) for store, days in amounts.items() for day, usd in zip(DAYS, days, strict=False)
    ]
    return pl.DataFrame(rows, schema=["store_id", "date", "sales_usd"], orient="row")


ALL = sold(a=[2.0] * 59, b=[3.0] * 31, c=[5.0] * 59, s=[100.0] * 59)


def test_a_closed_store_counts_as_zero_and_another_format_not_at_all():
    panel = market_panel(ALL, STORES, kind="grocer")
    assert panel.filter(town_id=1).select("days", "stores", "sales_usd").rows() == [
        (31, 2, 155.0),
        (28, 1, 56.0),
    ]
    assert panel.filter(town_id=1)["usd_week"].to_list() == pytest.approx([35.0, 14.0])


def test_survivors_are_other_stores():
    panel = market_panel(ALL, STORES, kind="grocer", survivors=True)
    assert panel.filter(town_id=1)["usd_week"].to_list() == pytest.approx([14.0, 14.0])


def test_a_market_whose_stores_all_close_stays_with_zeros():
    gone = ALL.filter((pl.col("store_id") != "c") | (pl.col("date") < dt.date(2045, 2, 1)))
    panel = market_panel(gone, STORES, kind="grocer").filter(town_id=2)
    assert panel.select("stores", "sales_usd", "days").rows() == [(1, 155.0, 31), (0, 0.0, 28)]


def test_sales_are_given_a_household():
    homes = pl.DataFrame({"household_id": [1, 2, 3], "town_id": [1, 1, 2]})
    panel = market_panel(ALL, STORES, kind="grocer", households=homes)
    assert panel["usd_week"].to_list() == pytest.approx([17.5, 7.0, 35.0, 35.0])


def test_no_sale_of_the_county_is_lost():
    county = gs.county(seed=7, preset="small")
    days = gs.store_days(gs.baskets(county.lines).collect(), stores=county.stores)
    for kind in ("grocer", "sphere"):
        panel = market_panel(days, county.stores, kind=kind)
        there = days.join(county.stores.filter(format=kind), on="store_id", how="semi")
        assert panel["sales_usd"].sum() == pytest.approx(there["sales_usd"].sum(), abs=0.01)
        assert panel.height == panel["town_id"].n_unique() * 24


def test_sparse_days_leave_no_period_out_and_days_are_those_of_the_calendar():
    few = pl.DataFrame(
        {
            "store_id": ["a", "c"],
            "date": [dt.date(2045, 1, 30), dt.date(2045, 4, 2)],
            "sales_usd": [20.0, 30.0],
        }
    )
    panel = market_panel(few, STORES, kind="grocer").filter(town_id=1)
    months = [dt.date(2045, month, 1) for month in (1, 2, 3, 4)]
    assert panel.select("period", "days", "stores", "sales_usd").rows() == [
        (months[0], 2, 1, 20.0),
        (months[1], 28, 0, 0.0),
        (months[2], 31, 0, 0.0),
        (months[3], 2, 0, 0.0),
    ]
    assert panel["usd_week"].to_list() == [70.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize("every", ["1d", "3d", "1w", "2w", "1mo", "2mo", "1q", "1y", "999y"])
def test_periods_of_any_length_hold_every_day_once(every):
    panel = market_panel(ALL, STORES, kind="grocer", every=every).filter(town_id=1)
    assert panel["days"].sum() == len(DAYS)
    assert panel["sales_usd"].sum() == 59 * 2.0 + 31 * 3.0
    assert panel["days"].min() > 0


def test_a_store_of_the_kind_that_opens_later_is_counted_too():
    later = ALL.filter((pl.col("store_id") != "b") | (pl.col("date") >= dt.date(2045, 1, 20)))
    assert market_panel(later, STORES, kind="grocer").filter(town_id=1)["stores"].to_list() == [2, 1]


@pytest.mark.parametrize("kind", [pl.Categorical, pl.Enum(["1", "2"]), pl.Int8])
def test_markets_keep_their_kind_and_meet_households_of_another_width(kind):
    stores = STORES.with_columns(pl.col("town_id").cast(pl.String).cast(kind))
    wide = pl.Int64 if kind == pl.Int8 else pl.String
    homes = pl.DataFrame({"household_id": [1, 2, 3], "town_id": ["1", "1", "2"]})
    homes = homes.with_columns(pl.col("town_id").cast(wide))
    panel = market_panel(ALL, stores, kind="grocer", households=homes)
    assert panel["town_id"].dtype == kind
    assert panel["usd_week"].to_list() == pytest.approx([17.5, 7.0, 35.0, 35.0])


HOMES = pl.DataFrame({"household_id": [1, 2, 3], "town_id": [1, 1, 2]})
FIRST = pl.int_range(pl.len()) == 0


def first(table: pl.DataFrame, column: str, value: object) -> pl.DataFrame:
    """Return the table with one value of its first row changed."""
    return table.with_columns(pl.when(FIRST).then(pl.lit(value)).otherwise(pl.col(column)).alias(column))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"stores": pl.concat([STORES, STORES.head(1)])}, r"share their `store_id` \(the first: 'a'\)"),
        ({"stores": first(STORES, "format", None)}, "1 of 4 rows of the table `stores` have no `format`"),
        ({"stores": STORES.with_columns(format=pl.lit(1.5))}, "`format` of the table `stores` is Float64"),
        ({"stores": first(STORES, "store_id", None)}, "table `stores` have no `store_id`"),
        ({"stores": STORES.head(0)}, "table `stores` has no rows"),
        ({"stores": STORES.with_columns(town_id=pl.lit(1.0))}, "`town_id` of the table `stores` is Float64"),
        (
            {"stores": STORES.with_columns(store_id=pl.Series([1, 2, 3, 4]))},
            "String in the table `store_days`",
        ),
        ({"stores": "stores"}, "`stores` is a str that cannot be read as a table"),
        (
            {"store_days": pl.concat([ALL, ALL.head(1)])},
            r"share their `store_id` and `date` \(the first: 'a' on 2045-01-01\)",
        ),
        ({"store_days": first(ALL, "date", None)}, "table `store_days` have no `date`"),
        (
            {"store_days": ALL.with_columns(pl.col("date").cast(pl.String))},
            "`date` .* is String .*'2045-01-01'",
        ),
        (
            {"store_days": ALL.with_columns(pl.col("date").cast(pl.Datetime).dt.replace_time_zone("UTC"))},
            "without a time zone",
        ),
        ({"store_days": ALL.head(0)}, "table `store_days` has no rows"),
        ({"store_days": first(ALL, "sales_usd", -1.0)}, "`sales_usd` .* is -1.0 in 1 of"),
        ({"store_days": first(ALL, "sales_usd", float("inf"))}, "`sales_usd` .* is inf in 1 of"),
        ({"store_days": first(ALL, "sales_usd", float("nan"))}, "1 of 208 .* no `sales_usd` .*masked days"),
        ({"store_days": ALL.with_columns(sales_usd=pl.lit("2"))}, "`sales_usd` .* is String .*'2'"),
        ({"households": pl.concat([HOMES, HOMES.head(1)])}, r"share their `household_id` \(the first: 1\)"),
        ({"households": first(HOMES, "town_id", None)}, "table `households` have no `town_id`"),
        ({"households": HOMES.head(0)}, "table `households` has no rows"),
        ({"households": HOMES.with_columns(pl.col("town_id").cast(pl.String))}, "String in `households`"),
        *[
            ({"every": one}, "`every` is .*such as '1mo'")
            for one in ("month", "0d", "1h", "1.5d", "-1d", "", 1)
        ],
        ({"market": "period"}, "`market` is 'period'"),
        ({"market": "stores"}, "`market` is 'stores'"),
        ({"market": "store_id"}, "`market` is 'store_id'"),
        ({"label": 3}, "`label` is 3"),
        (
            {"stores": STORES.with_columns(closed=dt.date(2045, 2, 1)), "survivors": True},
            "All 3 stores of the kind 'grocer' .* no survivor",
        ),
        ({"stores": STORES.with_columns(closed=pl.lit("no")), "survivors": True}, "`closed` .* is String"),
        ({"store_days": ALL.drop("sales_usd")}, "lacks the column `sales_usd`"),
        ({"stores": STORES.drop("format")}, "lacks the column `format`.*Say by `label=` which column"),
        ({"store_days": ALL.with_columns(pl.col("date").cast(pl.String))}, "pd.to_datetime.days.'date'.."),
        ({"store_days": ALL.with_columns(sales_usd=pl.lit(None, dtype=pl.Float64))}, "masked days"),
        ({"stores": STORES.filter(pl.col("store_id") != "c")}, r"the first: 'c'"),
        ({"kind": "kiosk"}, r"No store has the `format` 'kiosk'; there are: 'grocer', 'sphere'"),
        ({"stores": STORES.with_columns(town_id=pl.lit(None, dtype=pl.Int64))}, "have no `town_id`"),
        (
            {"households": pl.DataFrame({"household_id": [1], "town_id": [1]})},
            "2 has stores and no household",
        ),
    ],
)
def test_what_cannot_be_summed_is_refused(change, said):
    asked = {"store_days": ALL, "stores": STORES, "kind": "grocer"} | change
    with pytest.raises(ContractError, match=said):
        market_panel(asked.pop("store_days"), asked.pop("stores"), **asked)
