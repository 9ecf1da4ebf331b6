"""A bare chart in a notebook: what JupyterLab, a page and a reader of text get."""

import json
import re
from pathlib import Path

import altair as alt
import jupyterlab
import polars as pl
import pytest
from nbformat import v4 as nbformat

from grocery_spheres.charts import renderer, theme
from grocery_spheres.publishable import PublishError


def bars(rows: int = 3) -> alt.Chart:
    frame = pl.DataFrame({"item": [f"item {place}" for place in range(rows)], "sold": list(range(rows))})
    return alt.Chart(frame, description="Bars of what was sold.").mark_bar().encode(x="sold", y="item")


def test_a_chart_shown_in_a_notebook_carries_spec_picture_and_words() -> None:
    theme.enable()
    shown = bars()._repr_mimebundle_()
    bundle = shown[0] if isinstance(shown, tuple) else shown
    assert set(bundle) == {"application/vnd.vegalite.v5+json", "image/svg+xml", "text/plain"}
    spec = bundle["application/vnd.vegalite.v5+json"]
    assert spec["$schema"] == "https://vega.github.io/schema/vega-lite/v5.6.1.json"
    assert next(iter(spec["datasets"].values()))[2] == {"item": "item 2", "sold": 2}
    assert "item 2" in bundle["image/svg+xml"]
    assert bundle["text/plain"] == "Bars of what was sold."
    # nbformat takes objects only under keys that end with +json; otherwise a notebook run aborts.
    nbformat.new_output("display_data", data=bundle)


def test_jupyterlab_bundles_the_version_that_the_renderer_names() -> None:
    static = Path(jupyterlab.__file__).parent / "static"
    if not static.exists():
        static = Path(jupyterlab.__file__).parents[4] / "share" / "jupyter" / "lab" / "static"
    scripts = [path for path in static.glob("*.js") if "vegalite.v5+json" in path.read_text(errors="ignore")]
    assert scripts, (
        f"no script of {static} draws {renderer.LAB_MIME}: look for the newer version and its schema"
    )


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"description": "Said.", "title": "Shown"}, "Said."),
        ({"title": "Shown"}, "Shown"),
        ({"title": {"text": ["Shown", "twice"]}}, "Shown twice"),
        ({"title": {"text": {"expr": "a"}}}, "Chart"),
        ({}, "Chart"),
    ],
)
def test_words_fall_back_from_description_to_title(spec: dict, words: str) -> None:
    assert renderer.words(spec) == words


@pytest.mark.parametrize("place", ["top", "layer", "lookup"])
@pytest.mark.parametrize("address", ["vegafusion+dataset://table_1", "https://example.org/a.csv"])
def test_data_by_address_is_refused_wherever_it_stands(place: str, address: str) -> None:
    data = {"data": {"url": address}}
    spec = {
        "top": data,
        "layer": {"layer": [data]},
        "lookup": {"transform": [{"lookup": "a", "from": data}]},
    }[place]
    with pytest.raises(PublishError, match=re.escape(address)) as refused:
        renderer.mimebundle(spec)
    assert "\n" not in str(refused.value)


def test_too_many_rows_are_refused_and_5000_are_not() -> None:
    rows = [{"a": 1}] * 2500
    layers = [{"data": {"values": rows}}, {"data": {"values": rows}}]
    assert renderer.inline_rows({"layer": layers}) == 5000
    renderer.check_spec({"layer": layers})
    with pytest.raises(PublishError, match="5,001 rows"):
        renderer.check_spec({"layer": layers, "datasets": {"one": [{"a": 1}]}})


@pytest.mark.parametrize("letter", ["\x00", "\x1b", "\x0b", "\ufffe", "\ud800"])
def test_a_character_that_would_end_the_process_is_refused(letter: str) -> None:
    for spec in ({"datasets": {"a": [{"x": f"tea{letter}"}]}}, {"datasets": {"a": [{f"x{letter}": 1}]}}):
        with pytest.raises(PublishError, match="control character"):
            renderer.svg(spec)


def test_markup_in_data_stays_text_in_the_picture() -> None:
    spec = {
        "data": {"values": [{"t": "<script>alert(1)</script>&"}]},
        "mark": "text",
        "encoding": {"text": {"field": "t"}},
    }
    assert "<script" not in renderer.svg(spec)
    json.dumps(renderer.mimebundle(spec))
