"""A figure out of a notebook: five files that agree, the same bytes again, or nothing at all."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import altair as alt
import polars as pl
import pytest
from nbformat import v4 as nbformat

from grocery_spheres import publish
from grocery_spheres.charts import card, theme
from grocery_spheres.publishable import PublishError

DATA = pl.DataFrame({"day": ["Sunday", "=1+1"], "baskets a day": [61_000.44, 42_000.0]})
WORDS = {
    "title": "People shop most on Sundays",
    "subtitle": "Baskets by weekday, 2017",
    "alt": "Bars of baskets; Sunday leads with 61,000.",
    "sources": ["complete_journey"],
    "evidence": "public",
    "unit": "baskets a day",
}
FILES = ["week.csv", "week.json", "week.phone.svg", "week.png", "week.svg"]


def draw(data: pl.DataFrame, width: int) -> alt.Chart:
    label = "wide" if width == theme.WIDE else "phone"
    return (
        alt.Chart(data)
        .mark_bar(color=theme.INK)
        .encode(x="baskets a day", y=alt.Y("day", title=label), tooltip="day")
        .properties(width=width)
        .add_params(alt.selection_point(name="picked"))
    )


@pytest.fixture(name="folder")
def fixture_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "notebooks").mkdir()
    monkeypatch.setenv("GROCERY_SPHERES_ROOT", str(tmp_path))
    return tmp_path / "reports" / "figures"


def published(**changes: object) -> publish.PublishedFigure:
    arguments = {"draw": draw, "data": DATA, "formats": {"baskets a day": 0}, **WORDS, **changes}
    return publish.figure("week", **arguments)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_five_files_are_written_and_agree(folder: Path) -> None:
    published(note="Rounded.")
    files = contents(folder)
    assert sorted(files) == FILES
    assert files["week.csv"] == b"day,baskets a day\nSunday,61000\n'=1+1,42000\n"
    described = json.loads(files["week.json"])
    assert described["csv_sha256"] == hashlib.sha256(files["week.csv"]).hexdigest()
    assert described["sources"] == ["complete_journey"]
    assert described["source"].startswith("Source: The Complete Journey")
    assert described["columns"] == ["day", "baskets a day"]
    assert described["sizes"]["png"] == [2 * size for size in described["sizes"]["wide"]]
    assert {name: described[name] for name in ("title", "subtitle", "alt", "evidence", "unit", "note")} == {
        "note": "Rounded.",
        **{name: WORDS[name] for name in ("title", "subtitle", "alt", "evidence", "unit")},
    }


def test_article_and_phone_are_drawn_apart_and_say_source_and_evidence(folder: Path) -> None:
    published(note="Rounded")
    for name, width, label in (("week.svg", 640, "wide"), ("week.phone.svg", 360, "phone")):
        svg = (folder / name).read_text(encoding="utf-8")
        assert f'width="{width}"' in svg[:300]
        assert f">{label}</text>" in svg
        words = svg.replace("\u00a0", " ").replace("</text>", " ")
        assert all(word in words for word in ("Source:", "Evidence: public", "Rounded"))


def test_a_notebook_gets_four_kinds_and_a_page_its_own_specs(folder: Path) -> None:
    bundle = published()._repr_mimebundle_(include=None, exclude=None)
    nbformat.new_output("display_data", data=bundle)
    assert list(bundle) == [
        "application/vnd.vegalite.v5+json",
        "application/vnd.grocery-spheres.figure+json",
        "image/svg+xml",
        "text/plain",
    ]
    lab, page = bundle["application/vnd.vegalite.v5+json"], bundle[publish.FIGURE_MIME]
    assert lab["title"] == {"text": [WORDS["title"]], "subtitle": [WORDS["subtitle"]]}
    assert lab["$schema"].endswith("v5.6.1.json")
    assert set(page) == {
        *("slug", "title", "subtitle", "alt", "source", "evidence", "unit", "note"),
        *("wide", "phone", "wide_svg", "phone_svg", "csv"),
    }
    for size in ("wide", "phone"):
        assert "title" not in page[size]
        assert page[size]["description"] == WORDS["alt"]
        assert page[size]["background"] == "transparent"
        assert page[size]["mark"]["color"] == "currentColor"
        assert page[size]["params"][0]["name"] == "picked"
        assert page[f"{size}_svg"] == (folder / f"week{'.phone' * (size == 'phone')}.svg").read_text("utf-8")
    assert page["wide"]["width"] > page["phone"]["width"]
    assert bundle["image/svg+xml"] == page["wide_svg"]
    assert bundle["text/plain"] == WORDS["alt"]
    assert page["csv"].encode() == (folder / "week.csv").read_bytes()


def test_another_process_writes_the_same_bytes(folder: Path) -> None:
    published()
    first = contents(folder)
    for path in folder.iterdir():
        path.unlink()
    here = str(Path(__file__).parent)
    code = f"import sys; sys.path.insert(0, {here!r}); import test_publish as test; test.published()"
    subprocess.run([sys.executable, "-c", code], check=True, env=dict(os.environ))
    assert contents(folder) == first


def layered(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    return draw(data, width) + alt.Chart(data).mark_text().encode(y="day", text="day")


def stacked(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    one = alt.Chart(data).mark_bar().encode(x="baskets a day", y="day").properties(width=width - 100)
    return alt.vconcat(one, one)


def faceted(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    one = alt.Chart(data).mark_bar().encode(x="baskets a day").properties(width=width / 2 - 60)
    return one.facet("day", columns=2)


@pytest.mark.parametrize("form", [layered, stacked, faceted])
def test_charts_of_several_parts_can_be_published(folder: Path, form: publish.Draw) -> None:
    assert published(draw=form).wide_svg.startswith("<svg")
    assert sorted(contents(folder)) == FILES


def titled(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    return draw(data, width).properties(title="Mine")


def contained(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    return alt.Chart(data).mark_bar().encode(x="day").properties(width="container")


def too_wide(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    return stacked(data, width + 300)


def doubled(data: pl.DataFrame, width: int) -> alt.TopLevelMixin:
    more = pl.concat([data] * 2000)
    return stacked(more, width) & alt.Chart(more.with_columns(again=1)).mark_point()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"title": "Sales"}, "title has 1 words"),
        ({"alt": "People shop most on Sundays."}, "repeats the title"),
        ({"unit": ""}, "unit is missing"),
        ({"evidence": "guessed"}, "evidence 'guessed'"),
        ({"sources": []}, "no card key"),
        ({"data": DATA.head(0)}, "0 rows"),
        ({"data": DATA.with_columns(share=float("nan"))}, "'share' holds nan"),
        ({"data": DATA.with_columns(day=pl.lit("a\x00"))}, "control character"),
        ({"formats": {"baskets": 0}}, "formats names 'baskets'"),
        ({"draw": titled}, "title of its own"),
        ({"draw": contained}, "'container'"),
        ({"draw": too_wide}, "'week': drawn for 640 pixels.* 640 are allowed"),
        ({"draw": doubled}, "8,000 rows"),
    ],
)
def test_what_lacks_something_is_refused_and_an_earlier_bundle_stays(
    folder: Path, changes: dict, message: str
) -> None:
    folder.mkdir(parents=True)
    for name in FILES:
        (folder / name).write_text("of an earlier run", encoding="utf-8")
    before = contents(folder)
    with pytest.raises(PublishError, match=message) as refused:
        published(**changes)
    assert "\n" not in str(refused.value)
    assert contents(folder) == before


def test_a_failure_while_writing_leaves_an_earlier_bundle(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published()
    before = contents(folder)

    def fail(_card: card.Card) -> bytes:
        raise OSError("disk full")

    monkeypatch.setattr(card, "png", fail)
    with pytest.raises(OSError, match="disk full"):
        published(title="People shop least on Sundays")
    monkeypatch.undo()
    monkeypatch.setenv("GROCERY_SPHERES_ROOT", str(folder.parents[1]))
    monkeypatch.setattr(Path, "write_bytes", fail_write)
    with pytest.raises(OSError, match="disk full"):
        published(title="People shop least on Sundays")
    monkeypatch.undo()
    assert contents(folder) == before


def fail_write(path: Path, _content: bytes) -> int:
    path.touch()
    raise OSError("disk full")
