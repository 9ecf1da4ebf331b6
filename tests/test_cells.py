"""Published values as text: precision, missing values, and cells that a spreadsheet would run."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest

from grocery_spheres.charts import cells
from grocery_spheres.publishable import PublishError


def test_a_csv_has_displayed_precision_line_feeds_and_empty_nulls() -> None:
    frame = pl.DataFrame(
        {
            "day": [date(2017, 3, 2), None],
            "share": [0.12345, -0.00001],
            "baskets": [1200, None],
            "ratio": [1 / 3, 2e-7],
            "open": [True, False],
        }
    )
    assert cells.csv_text("week", frame, {"share": 3}) == (
        "day,share,baskets,ratio,open\n2017-03-02,0.123,1200,0.333333,true\n,0.000,,2e-07,false\n"
    )


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(start: str) -> None:
    text = f'{start}HYPERLINK("x";"y"),\nz'
    frame = pl.DataFrame({f"{start}head": [text], "tea-time": ["tea = 1"], "change": [-1.5]})
    rows = list(csv.reader(io.StringIO(cells.csv_text("week", frame, {"change": 1}), newline="")))
    assert rows == [[f"'{start}head", "tea-time", "change"], [f"'{text}", "tea = 1", "-1.5"]]


def test_values_of_other_kinds_are_written_plainly() -> None:
    assert (
        cells.cell_text("week", "at", datetime(2017, 3, 2, 9, 30, tzinfo=UTC)) == "2017-03-02T09:30:00+00:00"
    )
    assert cells.cell_text("week", "price", Decimal("2.345"), 1) == "2.3"
    assert cells.cell_text("week", "rows", 12_345_678) == "12345678"
    assert cells.cell_text("week", "rows", 12, 2) == "12.00"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN")])
def test_what_no_chart_can_show_is_refused(value: object) -> None:
    with pytest.raises(PublishError, match="'week': column 'share' holds"):
        cells.cell_text("week", "share", value)


def test_lists_are_refused_with_column_and_kind() -> None:
    with pytest.raises(PublishError, match="column 'items' holds a list"):
        cells.csv_text("week", pl.DataFrame({"items": [[1, 2]]}).with_columns(pl.col("items")), {})


@pytest.mark.parametrize(
    ("frame", "formats", "message"),
    [
        (pl.DataFrame({"a": []}), {}, "0 rows"),
        (pl.DataFrame({"a": range(5001)}), {}, "5,001 rows"),
        (pl.DataFrame({"a": [1]}), {"b": 1}, "formats names 'b'; the columns are a"),
        (pl.DataFrame({"a": ["x"]}), {"a": 1}, "decimals for 'a', which holds String"),
        (pl.DataFrame({"a": [1.0]}), {"a": -1}, "-1 decimals"),
        (pl.DataFrame({"a": [1.0]}), {"a": True}, "True decimals"),
        ({"a": [1]}, {}, "are dict, not a polars DataFrame"),
    ],
)
def test_a_frame_that_cannot_be_published_is_refused(frame: object, formats: dict, message: str) -> None:
    with pytest.raises(PublishError, match=f"'week': .*{message}"):
        cells.check_frame("week", frame, formats)
    cells.check_frame("week", pl.DataFrame({"a": range(5000)}), {"a": 0})
