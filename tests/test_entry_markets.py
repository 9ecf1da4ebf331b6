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


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"store_days": ALL.drop("sales_usd")}, "lacks the column `sales_usd`"),
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
