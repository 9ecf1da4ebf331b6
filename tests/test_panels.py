"""Panels against a small truth written by hand, equal on every engine.

The lines lie in three files, a basket and every household span files, two baskets fall into the hour that
the clocks repeat on Sunday 2017-11-05, amounts are missing, one store opens late, one day is masked.
"""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import narwhals as nw
import pandas as pd
import polars as pl
import pytest

from grocery_spheres.panels import baskets, check_baskets, household_weeks, store_days
from grocery_spheres.tables import ContractError

at = datetime.fromisoformat  # naive local times, as the contract wants
SAT, SUN, MON, TUE, WED = (date(2017, 11, day) for day in (4, 5, 6, 7, 8))
COLUMNS = [
    "household_id",
    "store_id",
    "basket_id",
    "product_id",
    "sold_at",
    "quantity",
    "sales_usd",
    "discount_usd",
]
FILES = [
    [
        (1, 10, 101, 1, at("2017-11-04 23:59:59"), 1, 2.00, 0.0),
        (1, 10, 102, 1, at("2017-11-05 01:30"), 1, 1.50, None),
        (1, 10, 102, 2, at("2017-11-05 01:30"), 2, 2.50, 0.25),
        (4, 10, 108, 2, at("2017-11-05 01:45"), 1, 0.75, 0.0),
    ],
    [
        (1, 10, 102, 3, at("2017-11-05 01:30"), 1, 1.00, 0.25),
        (1, 10, 103, 1, at("2017-11-05 01:30"), None, 0.0, None),  # the same minute, an hour later
        (2, 10, 104, 2, at("2017-11-05 18:00"), 1, 4.00, 0.0),
    ],
    [
        (2, 20, 105, 1, at("2017-11-07 09:00"), 1, 3.25, 0.0),
        (1, 20, 106, 1, at("2017-11-07 09:00"), 1, 1.25, 0.0),
        (2, 20, 109, 1, at("2017-11-07 20:00"), 1, 0.50, 0.0),
        (1, 10, 107, 3, at("2017-11-08 00:00"), 1, 1.00, 0.5),
    ],
]
STORES = pl.DataFrame({"store_id": [10, 20], "opened": [None, MON], "closed": [WED, None]})
MASKED = pl.DataFrame({"store_id": [10, 99], "date": [TUE, SUN]})
HOUSEHOLDS = pl.DataFrame({"household_id": [1, 2, 3, 4]})

BASKETS = [
    (1, 10, 101, at("2017-11-04 23:59:59"), SAT, 1, 2.00, 0.0),
    (1, 10, 102, at("2017-11-05 01:30"), SUN, 3, 5.00, 0.5),
    (1, 10, 103, at("2017-11-05 01:30"), SUN, 1, 0.00, 0.0),
    (2, 10, 104, at("2017-11-05 18:00"), SUN, 1, 4.00, 0.0),
    (2, 20, 105, at("2017-11-07 09:00"), TUE, 1, 3.25, 0.0),
    (1, 20, 106, at("2017-11-07 09:00"), TUE, 1, 1.25, 0.0),
    (1, 10, 107, at("2017-11-08 00:00"), WED, 1, 1.00, 0.5),
    (4, 10, 108, at("2017-11-05 01:45"), SUN, 1, 0.75, 0.0),
    (2, 20, 109, at("2017-11-07 20:00"), TUE, 1, 0.50, 0.0),
]
STORE_DAYS = [  # store, date, baskets, lines, sales, households
    (10, SAT, 1, 1, 2.00, 1),
    (10, SUN, 4, 6, 9.75, 3),
    (10, MON, 0, 0, 0.00, 0),
    (10, TUE, None, None, None, None),
    (10, WED, 1, 1, 1.00, 1),
    (20, MON, 0, 0, 0.00, 0),
    (20, TUE, 3, 3, 5.00, 2),
    (20, WED, 0, 0, 0.00, 0),
]
FIRST, SECOND = date(2017, 10, 30), MON
HOUSEHOLD_WEEKS = [  # household, week, days of the study in it, baskets, lines, sales, stores
    (1, FIRST, 2, 3, 5, 7.00, 1),
    (1, SECOND, 3, 2, 2, 2.25, 2),
    (2, FIRST, 2, 1, 1, 4.00, 1),
    (2, SECOND, 3, 2, 2, 3.75, 1),
    (3, FIRST, 2, 0, 0, 0.00, 0),
    (3, SECOND, 3, 0, 0, 0.00, 0),
    (4, FIRST, 2, 1, 1, 0.75, 1),
    (4, SECOND, 3, 0, 0, 0.00, 0),
]

ENGINES = ["polars", "polars-lazy", "polars-streaming", "pandas", "duckdb"]
LAZY = {"polars-lazy", "polars-streaming", "duckdb"}
Open = Callable[[list[pl.DataFrame]], Any]


def lines_of(rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=COLUMNS, orient="row")
    return frame.cast({"quantity": pl.Int64, "sales_usd": pl.Float64, "discount_usd": pl.Float64})


LINES = [lines_of(rows) for rows in FILES]


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def open_on(engine: str, tmp_path: Path) -> Open:
    """Put frames into files and open them as one frame of the engine."""

    def opened(frames: list[pl.DataFrame]) -> Any:
        folder = tmp_path / f"frames-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        for number, frame in enumerate(frames):
            frame.write_parquet(folder / f"part-{number}.parquet")
        if engine == "duckdb":  # its own connection: small tables must join it there
            return duckdb.connect().read_parquet(f"{folder}/*.parquet")
        if engine == "pandas":
            return pd.concat(map(pd.read_parquet, sorted(folder.iterdir())), ignore_index=True)
        scan = pl.scan_parquet(folder / "*.parquet")
        return scan.collect() if engine == "polars" else scan

    return opened


def rows_of(frame: Any, engine: str, *order: str) -> list[tuple[Any, ...]]:
    """Collect; give pandas plain dates and integers, round money to cents, sort where the engine does not."""
    if engine == "polars-streaming":
        frame = frame.collect(engine="streaming")
    wide = nw.from_native(frame)
    table = (wide.collect() if isinstance(wide, nw.LazyFrame) else wide).to_polars()
    if engine == "pandas":
        days = [name for name in ("date", "week_start") if name in table.columns]
        counts = [
            name for name in ("baskets", "lines", "households", "stores", "days") if name in table.columns
        ]
        table = table.with_columns(pl.col(days).cast(pl.Date), pl.col(counts).cast(pl.Int64))
    if engine in LAZY:
        table = table.sort(order)
    return table.with_columns(pl.col("sales_usd").round(2)).rows()


def test_baskets_are_the_truth(engine: str, open_on: Open) -> None:
    assert rows_of(baskets(open_on(LINES)), engine, "basket_id") == BASKETS


def test_unchecked_baskets_are_the_same(engine: str, open_on: Open) -> None:
    assert rows_of(baskets(open_on(LINES), check=False), engine, "basket_id") == BASKETS


def test_store_days_are_the_truth(engine: str, open_on: Open) -> None:
    panel = store_days(baskets(open_on(LINES)), stores=STORES, masked=MASKED)
    assert rows_of(panel, engine, "store_id", "date") == STORE_DAYS


def test_household_weeks_are_the_truth(engine: str, open_on: Open) -> None:
    panel = household_weeks(baskets(open_on(LINES)), households=HOUSEHOLDS)
    assert rows_of(panel, engine, "household_id", "week_start") == HOUSEHOLD_WEEKS


def test_without_tables_every_store_and_household_seen_counts_through_the_study(
    engine: str, open_on: Open
) -> None:
    built = baskets(open_on(LINES))
    days = rows_of(store_days(built), engine, "store_id", "date")
    late = [(20, SAT, 0, 0, 0.0, 0), (20, SUN, 0, 0, 0.0, 0)]
    unmasked = [row if row[2] is not None else (10, TUE, 0, 0, 0.0, 0) for row in STORE_DAYS]
    assert days == unmasked[:5] + late + unmasked[5:]
    weeks = rows_of(household_weeks(built), engine, "household_id", "week_start")
    assert weeks == [row for row in HOUSEHOLD_WEEKS if row[0] != 3]


def test_a_wider_study_has_more_zeros_and_fuller_weeks(engine: str, open_on: Open) -> None:
    built = baskets(open_on(LINES))
    days = rows_of(store_days(built, start="2017-11-03", end=WED), engine, "store_id", "date")
    assert days[0] == (10, date(2017, 11, 3), 0, 0, 0.0, 0)
    assert len(days) == 2 * 6
    weeks = rows_of(
        household_weeks(built, start=FIRST, end="2017-11-12"), engine, "household_id", "week_start"
    )
    assert {row[2] for row in weeks} == {7}


def test_the_night_without_a_second_hour_stays_on_its_date(engine: str, open_on: Open) -> None:
    spring = [
        (1, 10, 201, 1, at("2017-03-11 23:30"), 1, 1.0, 0.0),
        (1, 10, 202, 1, at("2017-03-12 01:59"), 1, 2.0, 0.0),
        (1, 10, 203, 1, at("2017-03-12 03:00"), 1, 4.0, 0.0),
        (1, 10, 204, 1, at("2017-03-12 23:59"), 1, 8.0, 0.0),
        (1, 10, 205, 1, at("2017-03-13 00:00"), 1, 16.0, 0.0),
    ]
    built = baskets(open_on([lines_of([row]) for row in spring]))
    days = rows_of(store_days(built), engine, "store_id", "date")
    assert [(row[1].day, row[2], row[4]) for row in days] == [(11, 1, 1.0), (12, 3, 14.0), (13, 1, 16.0)]
    weeks = rows_of(household_weeks(built), engine, "household_id", "week_start")
    assert [(row[1], row[2], row[5]) for row in weeks] == [
        (date(2017, 3, 6), 2, 15.0),
        (date(2017, 3, 13), 1, 16.0),
    ]


def test_weeks_at_the_turn_of_years_start_on_mondays(engine: str, open_on: Open) -> None:
    new_year = [
        (1, 10, year, 1, at(f"{year}-01-01 12:00"), 1, 1.0, 0.0)
        for year in (1999, 2000, 2001, 2016, 2017, 2045)
    ]
    panel = household_weeks(baskets(open_on([lines_of(new_year)])))
    sold = [row[1] for row in rows_of(panel, engine, "household_id", "week_start") if row[3]]
    assert [day.isoformat() for day in sold] == [
        "1998-12-28", "1999-12-27", "2001-01-01", "2015-12-28", "2016-12-26", "2044-12-26",
    ]  # fmt: skip


def test_both_panels_hold_every_line_and_every_basket(engine: str, open_on: Open) -> None:
    built = baskets(open_on(LINES))
    days = rows_of(store_days(built, stores=STORES), engine, "store_id", "date")
    weeks = rows_of(household_weeks(built, households=HOUSEHOLDS), engine, "household_id", "week_start")
    sales = pl.concat(LINES)["sales_usd"].sum()
    assert sum(row[4] for row in days) == pytest.approx(sales)
    assert sum(row[5] for row in weeks) == pytest.approx(sales)
    assert sum(row[2] for row in days) == sum(row[3] for row in weeks) == len(BASKETS)
    assert sum(row[3] for row in days) == sum(row[4] for row in weeks) == pl.concat(LINES).height


def test_the_same_kind_comes_out_with_plain_dtypes(engine: str, open_on: Open) -> None:
    given = open_on(LINES)
    built = baskets(given)
    for panel in (built, store_days(built, stores=STORES), household_weeks(built, households=HOUSEHOLDS)):
        assert type(panel) is type(given)
        schema = nw.from_native(panel).collect_schema()
        for name in schema.names():
            if name in {"date", "week_start"}:
                assert schema[name] == (nw.Datetime("us") if engine == "pandas" else nw.Date)
            elif name in {"lines", "baskets", "households", "stores", "days"}:
                assert schema[name] == nw.Int64
            elif name.endswith("_usd"):
                assert schema[name] == nw.Float64


def test_the_input_is_left_alone(open_on: Open, engine: str) -> None:
    given = open_on(LINES)
    store_days(baskets(given), stores=STORES, masked=MASKED)
    assert list(nw.from_native(given).collect_schema().names()) == COLUMNS
    assert rows_of(given, engine, "basket_id", "product_id")[0][0] == 1


def test_ids_may_be_text_and_small_tables_of_another_engine(engine: str, open_on: Open) -> None:
    named = pl.col("household_id", "store_id", "basket_id").cast(pl.String)
    built = baskets(open_on([frame.with_columns(named) for frame in LINES]))
    stores = STORES.with_columns(pl.col("store_id").cast(pl.String)).to_pandas()
    masked = MASKED.with_columns(pl.col("store_id").cast(pl.String)).lazy()
    days = rows_of(store_days(built, stores=stores, masked=masked), engine, "store_id", "date")
    assert days == [(str(row[0]), *row[1:]) for row in STORE_DAYS]


def test_ids_may_be_narrow_and_dates_may_carry_a_time(engine: str, open_on: Open) -> None:
    narrow = pl.col("household_id", "store_id").cast(pl.Int16)
    timed = pl.col("sold_at").alias("date")  # hand-made baskets: the date still holds the hour
    hand_made = pl.concat(LINES).with_columns(narrow, timed, lines=pl.lit(1))
    days = rows_of(store_days(open_on([hand_made]), stores=STORES, masked=MASKED), engine, "store_id", "date")
    assert [(row[0], row[1], row[3]) for row in days] == [
        (store, at(f"{day}") if engine != "pandas" else day, count) for store, day, _, count, *_ in STORE_DAYS
    ]
    weeks = rows_of(household_weeks(open_on([hand_made])), engine, "household_id", "week_start")
    assert [row[4] for row in weeks] == [row[4] for row in HOUSEHOLD_WEEKS if row[0] != 3]


# --- refusals -------------------------------------------------------------------------------------------


def refused(message: str, call: Callable[[], Any]) -> str:
    with pytest.raises(ContractError, match=message) as caught:
        call()
    text = str(caught.value)
    assert "\n" not in text
    return text


def with_line(**changes: Any) -> list[pl.DataFrame]:
    """Add one line to basket 104 (household 2, store 10, Sunday 18:00), changed as told."""
    line = dict(zip(COLUMNS, (2, 10, 104, 9, at("2017-11-05 18:00"), 1, 1.0, 0.0), strict=True))
    return [*LINES, lines_of([tuple((line | changes).values())])]


def test_a_missing_column_is_named(open_on: Open) -> None:
    text = refused("lacks the column `store_id`", lambda: baskets(open_on([LINES[0].drop("store_id")])))
    assert "household_id, basket_id" in text
    assert "Rename or add" in text
    built = open_on([LINES[0]])
    refused("`baskets` lacks the column `date`", lambda: store_days(built))
    refused("`baskets` lacks the column `date`", lambda: household_weeks(built))


def test_a_zone_aware_time_is_refused(open_on: Open) -> None:
    zoned = [frame.with_columns(pl.col("sold_at").dt.replace_time_zone("UTC")) for frame in LINES]
    assert "local" in refused("`sold_at`.*time zone", lambda: baskets(open_on(zoned)))


@pytest.mark.parametrize("column", ["household_id", "store_id", "basket_id", "sold_at"])
def test_a_null_key_is_refused(column: str, open_on: Open, engine: str) -> None:
    frames = [frame.cast({column: LINES[0].schema[column]}) for frame in with_line(**{column: None})]
    given = open_on(frames)
    if engine == "pandas" and column != "sold_at":
        given = given.astype({column: "Int64"})
    text = refused("lack a key", lambda: baskets(given))
    assert f"{column} null" in text


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"household_id": 1}, "basket_id 104, household_id 1 and 2."),
        ({"store_id": 20}, "basket_id 104, store_id 10 and 20."),
        ({"sold_at": at("2017-11-05 18:01")}, "sold_at 2017-11-05 18:00:00 and 2017-11-05 18:01:00."),
        ({"store_id": 20, "household_id": 1}, "basket_id 104, household_id 1 and 2, store_id 10 and 20."),
    ],
)
def test_a_mixed_basket_is_refused(changes: dict[str, Any], named: str, open_on: Open) -> None:
    assert named in refused("basket_id 104", lambda: baskets(open_on(with_line(**changes))))


def test_three_mixed_baskets_are_named_and_the_rest_told(open_on: Open) -> None:
    moved = pl.concat(LINES).with_columns(store_id=pl.lit(77, dtype=pl.Int64))
    text = refused("store_id 10 and 77", lambda: baskets(open_on([*LINES, moved])))
    assert text.count("basket_id ") == 3
    assert "basket_id 103" in text
    assert "; and more. Give" in text


def test_unchecked_baskets_lose_nothing_and_the_check_finds_them_later(open_on: Open, engine: str) -> None:
    mixed = baskets(open_on(with_line(store_id=20)), check=False)
    rows = rows_of(mixed, engine, "basket_id", "store_id")
    assert sum(row[5] for row in rows) == pl.concat(LINES).height + 1
    refused("basket_id 104, store_id 10 and 20", lambda: check_baskets(mixed))
    good = baskets(open_on(LINES), check=False)
    assert check_baskets(good) is good


def test_sales_that_the_panel_would_drop_are_refused(open_on: Open) -> None:
    built = baskets(open_on(LINES))
    late = STORES.with_columns(opened=pl.Series([None, WED]))
    text = refused("before they opened", lambda: store_days(built, stores=late))
    assert "store_id 20, first_sale 2017-11-07" in text
    assert "opened 2017-11-08" in text
    early = STORES.with_columns(closed=pl.Series([TUE, None]))
    assert "last_sale 2017-11-08" in refused("after they closed", lambda: store_days(built, stores=early))
    assert "store_id 20" in refused("does not list", lambda: store_days(built, stores=STORES.head(1)))
    for panel in (store_days, household_weeks):
        assert "first_sale 2017-11-04" in refused("outside the study", lambda p=panel: p(built, start=SUN))
        assert "last_sale 2017-11-08" in refused("outside the study", lambda p=panel: p(built, end=TUE))
    text = refused("does not list", lambda: household_weeks(built, households=HOUSEHOLDS.head(1)))
    assert "household_id 2, baskets 3; household_id 4, baskets 1." in text


def test_a_mask_over_sales_is_refused(open_on: Open) -> None:
    masked = pl.DataFrame({"store_id": [10, 10], "date": [MON, SUN]})
    text = refused(
        "hides store-days that hold sales", lambda: store_days(baskets(open_on(LINES)), masked=masked)
    )
    assert "store_id 10, date 2017-11-05" in text
    assert "baskets 4" in text


def test_a_store_listed_twice_is_refused(open_on: Open) -> None:
    twice = pl.concat([STORES, STORES.head(1)])
    assert "store_id 10" in refused(
        "lists a store twice", lambda: store_days(baskets(open_on(LINES)), stores=twice)
    )


def test_ids_of_two_kinds_are_refused(open_on: Open) -> None:
    text_ids = STORES.with_columns(pl.col("store_id").cast(pl.String))
    refused("never mixed", lambda: store_days(baskets(open_on(LINES)), stores=text_ids))


def test_a_study_needs_days(open_on: Open) -> None:
    nothing = baskets(open_on([LINES[0].clear()]))
    refused("has no days", lambda: store_days(nothing))
    refused("has no days", lambda: household_weeks(nothing, start=WED, end=SUN))
    refused("`start` is 'soon'", lambda: store_days(nothing, start="soon"))
    assert "no days" not in refused(
        "`end` is '2017-13-01'", lambda: household_weeks(nothing, end="2017-13-01")
    )


def test_a_date_that_is_no_date_is_refused(open_on: Open) -> None:
    frame = pl.DataFrame(
        {"household_id": [1], "store_id": [1], "date": ["5 Nov"], "lines": [1], "sales_usd": [1.0]}
    )
    refused("`date`.*String.*local date is wanted", lambda: store_days(open_on([frame])))


def test_an_empty_mask_changes_nothing(open_on: Open, engine: str) -> None:
    built = baskets(open_on(LINES))
    plain = rows_of(store_days(built, stores=STORES), engine, "store_id", "date")
    assert (
        rows_of(store_days(built, stores=STORES, masked=MASKED.clear()), engine, "store_id", "date") == plain
    )


def test_hand_made_baskets_without_a_key_are_refused(open_on: Open, engine: str) -> None:
    frame = pl.DataFrame(
        {
            "household_id": ["a", None],
            "store_id": ["x", "x"],
            "date": [at("2017-11-04"), at("2017-11-05")],
            "lines": [1, 1],
        }
    )
    built = open_on([frame.with_columns(sales_usd=1.0)])
    for panel in (store_days, household_weeks):
        assert "household_id null" in refused("lack a key", lambda p=panel: p(built))


def test_a_line_without_an_amount_is_named(open_on: Open) -> None:
    amount = pl.when(pl.col("product_id") > 10**9).then("sales_usd").alias("sales_usd")
    holed = [part.with_columns(amount) for part in LINES]
    with pytest.raises(ContractError, match="Lines have no `sales_usd`: basket_id .* write 0 where"):
        baskets(open_on(holed))
