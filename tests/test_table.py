"""Small tables: markup of ours, text of the data."""

from html.parser import HTMLParser

import polars as pl
import pytest

from grocery_spheres import publish
from grocery_spheres.publishable import PublishError

EVIL = "<img src=x onerror=alert(1)>&"


def shown(frame: pl.DataFrame, **changes: object) -> publish.PublishedTable:
    words = {
        "title": "Store 319 has the most baskets",
        "subtitle": "By store, 2017",
        "sources": ["complete_journey"],
        "evidence": "public",
        "unit": "baskets",
    }
    return publish.table("stores", frame, **{**words, **changes})


class Cells(HTMLParser):
    """Collects the texts of cells, and the attributes of their tags."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: list[tuple[str, dict]] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in ("td", "th"):
            self.texts.append("")

    def handle_data(self, data: str) -> None:
        if self.texts and self.tags[-1][0] in ("td", "th"):
            self.texts[-1] += data


def parsed(table: publish.PublishedTable) -> Cells:
    cells = Cells()
    cells.feed(table._repr_html_().split("</table>")[0])
    return cells


def test_numbers_have_thousands_fixed_decimals_and_a_true_minus() -> None:
    frame = pl.DataFrame({"store": ["319", "-1"], "change": [-1234.5, 0.25], "baskets": [1_200_000, None]})
    table = shown(frame, formats={"change": 1})
    assert parsed(table).texts == [
        "store",
        "change",
        "baskets",
        "319",
        "−1,234.5",
        "1,200,000",
        "-1",
        "0.2",
        "–",
    ]
    assert "319    −1,234.5  1,200,000" in repr(table)


def test_heads_have_a_scope_and_numbers_stand_right() -> None:
    tags = parsed(shown(pl.DataFrame({"store": ["a"], "baskets": [1]}))).tags
    heads = [attributes for tag, attributes in tags if tag == "th"]
    assert [head["scope"] for head in heads] == ["col", "col"]
    assert "left" in heads[0]["style"]
    assert "right" in heads[1]["style"]
    assert "caption" in [tag for tag, _ in tags]


def test_what_comes_from_data_and_words_is_text() -> None:
    table = shown(pl.DataFrame({EVIL: [EVIL]}), title=f"{EVIL} is the finding here", unit=EVIL, note=EVIL)
    assert "<img" not in table.html
    assert parsed(table).texts == [EVIL, EVIL]


def test_eleven_rows_are_refused_and_ten_are_shown() -> None:
    assert shown(pl.DataFrame({"baskets": range(10)})).html.count("<tr>") == 11
    with pytest.raises(PublishError, match="11 rows; 10 are shown"):
        shown(pl.DataFrame({"baskets": range(11)}))


def test_source_and_evidence_stand_below() -> None:
    table = shown(pl.DataFrame({"baskets": [1]}))
    assert "Evidence: public" in table.html
    assert table.html.index("Source: ") > table.html.index("</table>")
    with pytest.raises(PublishError, match="unit is missing"):
        shown(pl.DataFrame({"baskets": [1]}), unit="")
