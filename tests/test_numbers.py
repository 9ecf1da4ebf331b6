"""Published numbers: what is refused, how parts are joined, and files that stay the same."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from grocery_spheres import numbers
from grocery_spheres.numbers import Number
from grocery_spheres.publishable import PublishError

MADE_BY = "grocery_spheres.numbers.read_numbers"


@pytest.fixture(name="reports")
def fixture_reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "notebooks").mkdir()
    monkeypatch.setenv("GROCERY_SPHERES_ROOT", str(tmp_path))
    return tmp_path / "reports"


def number(name: str = "relocation.retained", value: object = 0.261, **changes: object) -> Number:
    fields = {"unit": "share", "evidence": "public", "made_by": MADE_BY, **changes}
    return Number(name, value, **fields)


def test_parts_are_joined_sorted_one_line_a_number_and_read_again(reports: Path) -> None:
    numbers.publish_numbers("01-public-groceries", [number("visits.mean", 1.5, low=1.25, high=2.0), number()])
    numbers.publish_numbers("03-formats", [number("lines.total", 1_469_307, unit="lines")])
    merged = numbers.merge_numbers()
    assert list(merged) == ["lines.total", "relocation.retained", "visits.mean"]
    assert numbers.read_numbers() == merged
    text = (reports / "numbers.json").read_text(encoding="utf-8")
    assert text.splitlines()[1] == (
        '  "lines.total": {"value": 1469307, "low": null, "high": null, "unit": "lines", '
        f'"evidence": "public", "made_by": "{MADE_BY}"}},'
    )
    assert len(text.splitlines()) == 5
    assert json.loads(text)["visits.mean"]["high"] == 2.0


def test_files_are_the_same_again_and_noise_of_the_last_digits_does_not_show(reports: Path) -> None:
    numbers.publish_numbers("01-public-groceries", [number("a.one", 0.1 + 0.2), number("a.two", 2 / 3)])
    first = (reports / "numbers" / "01-public-groceries.json").read_bytes()
    numbers.publish_numbers("01-public-groceries", [number("a.two", 2 / 3), number("a.one", 0.3)])
    assert (reports / "numbers" / "01-public-groceries.json").read_bytes() == first
    assert b'"value": 0.3,' in first
    assert b'"value": 0.6666666667,' in first
    assert [path.name for path in (reports / "numbers").iterdir()] == ["01-public-groceries.json"]


def test_whole_numbers_stay_exact_and_numpy_becomes_plain(reports: Path) -> None:
    numbers.publish_numbers(
        "a", [number("a.rows", np.int64(12_345_678_901)), number("a.mean", np.float32(0.5))]
    )
    merged = numbers.merge_numbers()
    assert asdict(merged["a.rows"])["value"] == 12_345_678_901
    assert type(merged["a.rows"].value) is int
    assert type(number(value=np.float64(0.5)).value) is float


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "retained"}, "number id 'retained'"),
        ({"name": "a.b.c"}, "number id 'a.b.c'"),
        ({"name": "A.b"}, "number id 'A.b'"),
        ({"value": float("nan")}, "its value is nan"),
        ({"value": None}, "its value is None"),
        ({"value": "0.5"}, "its value is '0.5'"),
        ({"value": True}, "its value is True"),
        ({"low": float("-inf"), "high": 1}, "its low is -inf"),
        ({"low": 0.1}, "one end of an interval"),
        ({"low": 0.3, "high": 0.4}, "0.3 <= 0.261 <= 0.4 does not hold"),
        ({"low": 0.3, "high": 0.2}, "0.3 <= 0.261 <= 0.2 does not hold"),
        ({"unit": ""}, "unit is missing"),
        ({"evidence": "real"}, "evidence 'real'"),
        ({"made_by": "panels.store_days"}, "names no function"),
        ({"made_by": "grocery_spheres.panels"}, "names no function"),
        ({"made_by": ""}, "names no function"),
    ],
)
def test_a_number_that_breaks_a_rule_is_refused(changes: dict, message: str) -> None:
    with pytest.raises(PublishError, match=message) as refused:
        number(**changes)
    assert "\n" not in str(refused.value)


def test_a_value_may_be_an_end_of_its_interval() -> None:
    assert number(value=0, low=0, high=1).low == 0


@pytest.mark.parametrize(
    ("made_by", "message"),
    [
        ("grocery_spheres.nowhere.count", "cannot be imported"),
        ("grocery_spheres.numbers.nothing", "cannot be imported"),
        ("grocery_spheres.numbers.store.STORED_DIGITS", "is no function"),
    ],
)
def test_the_function_that_made_a_number_must_be_there(reports: Path, made_by: str, message: str) -> None:
    with pytest.raises(PublishError, match=f"'relocation.retained'.*{message}"):
        numbers.publish_numbers("a", [number(made_by=made_by)])
    assert not (reports / "numbers").exists()


def test_an_id_stands_once_in_a_part_and_once_in_all(reports: Path) -> None:
    with pytest.raises(PublishError, match=r"part 'a' holds the number 'relocation\.retained' twice"):
        numbers.publish_numbers("a", [number(), number()])
    numbers.publish_numbers("a", [number()])
    numbers.merge_numbers()
    before = (reports / "numbers.json").read_bytes()
    numbers.publish_numbers("b", [number(value=0.5)])
    with pytest.raises(PublishError, match=r"'a' and 'b' both hold the number 'relocation\.retained'"):
        numbers.merge_numbers()
    assert (reports / "numbers.json").read_bytes() == before


@pytest.mark.parametrize("part", ["../a", "A", ""])
def test_a_part_is_a_plain_name(reports: Path, part: str) -> None:
    with pytest.raises(PublishError, match="slug"):
        numbers.publish_numbers(part, [number()])


def test_what_is_missing_or_damaged_is_said_with_the_way_out(reports: Path) -> None:
    with pytest.raises(PublishError, match=r"holds no numbers yet. Run `make report`"):
        numbers.merge_numbers()
    with pytest.raises(PublishError, match=r"numbers\.json is missing. Run `make report`"):
        numbers.read_numbers()
    reports.mkdir()
    for text in ("{", "[]", '{"a.b": {"worth": 1}}', '{"a.b": 1}'):
        (reports / "numbers.json").write_text(text, encoding="utf-8")
        with pytest.raises(PublishError, match=r"numbers\.json is damaged"):
            numbers.read_numbers()


def test_numbers_are_taken_out_of_a_table_with_their_intervals():
    frame = pl.DataFrame({"to": ["new", "old"], "ratio": [0.7, -0.1], "low": [0.6, -0.2], "high": [0.8, 0.0]})
    words = {"unit": "share", "evidence": "public", "made_by": "grocery_spheres.outage.relocations.follow"}
    made = numbers.from_rows(
        frame, {"old": "moved.old", "new": "moved.new"}, key="to", value="ratio", **words
    )
    assert [(one.id, one.value, one.low, one.high) for one in made] == [
        ("moved.old", -0.1, -0.2, 0.0),
        ("moved.new", 0.7, 0.6, 0.8),
    ]
    with pytest.raises(PublishError, match=r"'moved.gone': 0 rows have 'gone' in 'to'.*new, old"):
        numbers.from_rows(frame, {"gone": "moved.gone"}, key="to", value="ratio", **words)


def test_counts_have_no_interval():
    words = {"evidence": "public", "made_by": "grocery_spheres.outage.events.find_events"}
    (one,) = numbers.counted({"events.closures": (3, "stores")}, **words)
    assert (one.value, one.low, one.unit) == (3, None, "stores")
