"""A chart and its words on one card: what stands in the svg, and what is refused."""

import re
import struct
from xml.etree import ElementTree

import altair as alt
import polars as pl
import pytest

from grocery_spheres.charts import card, renderer, theme
from grocery_spheres.publishable import PublishError

SVG = "{http://www.w3.org/2000/svg}"
FRAME = pl.DataFrame({"item": ["tea", "a rather long name of an item", "rice"], "share": [0.9, 0.5, 0.1]})
WORDS = card.Words(
    "Tea is bought by nine in ten", "Share of households", "Source: none · Evidence: synthetic"
)


def labelled(width: int) -> dict:
    base = alt.Chart(FRAME).encode(y="item", x="share")
    label = base.mark_text(align="left", dx=4).encode(text=alt.Text("share", format=".1%"))
    return spec(base.mark_bar() + label, width)


def spec(chart: alt.TopLevelMixin, width: int | None = None) -> dict:
    theme.enable()
    found = chart.to_dict()
    return {**found, "width": width} if width else found


def drawn(chart: dict, width: int = 640, slug: str = "tea") -> card.Card:
    return card.draw(slug, chart, WORDS, alt="Bars; tea leads with 90 %.", width=width)


def test_the_picture_says_what_it_is_to_those_who_do_not_see_it() -> None:
    root = ElementTree.fromstring(drawn(labelled(400)).svg)
    assert root.get("role") == "img"
    title, desc = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert desc is not None
    assert (title.text, desc.text) == (WORDS.title, "Bars; tea leads with 90 %.")
    assert root.get("aria-labelledby") == f"{title.get('id')} {desc.get('id')}"


def test_title_subtitle_and_footer_are_drawn_in_this_order() -> None:
    svg = drawn(labelled(400)).svg
    places = [svg.index(f">{text}<") for text in (WORDS.title, WORDS.subtitle)]
    texts = [(float(y), text) for y, text in re.findall(r'<text x="\d+" y="([\d.]+)"[^>]*>([^<]*)<', svg)]
    assert places == sorted(places)
    assert [text.replace("\u00a0", " ") for _, text in sorted(texts)] == [
        WORDS.title,
        WORDS.subtitle,
        WORDS.footer,
    ]


@pytest.mark.parametrize(("width", "image"), [(640, 640), (320, 360)])
def test_a_chart_of_one_view_fills_the_card_and_no_more(width: int, image: int) -> None:
    fitted = card.fitted(labelled(width), width)
    chart = re.search(r'width="(\d+)"', renderer.svg(fitted))
    room = image - 2 * card.PADDING[width]
    assert chart is not None
    assert room - 3 < int(chart[1]) <= room
    assert drawn(fitted, width).width == image


def test_several_views_keep_their_widths() -> None:
    single = alt.Chart(FRAME).mark_bar().encode(x="share", y="item").properties(width=100)
    for chart in (single | single, single.facet("item"), single.encode(column="item")):
        found = spec(chart)
        assert card.fitted(found, 640) is found


def test_a_chart_too_wide_is_refused_with_slug_and_width() -> None:
    single = alt.Chart(FRAME).mark_bar().encode(x="share").properties(width=330)
    wide = spec(single | single)
    with pytest.raises(
        PublishError, match=r"'tea': drawn for 640 pixels, its chart is 6\d\d pixels.* 640 are"
    ):
        drawn(wide)
    with pytest.raises(PublishError, match=r"drawn for 320 pixels.* 360 are allowed"):
        drawn(spec(single.properties(width=370)), 320)


@pytest.mark.parametrize("nested", [False, True])
def test_text_below_eleven_pixels_is_refused(nested: bool) -> None:
    chart = alt.Chart(FRAME).mark_text(fontSize=10.5).encode(text="item", y="item")
    found = spec(alt.vconcat(chart, chart) if nested else chart)
    with pytest.raises(PublishError, match=r"'tea'.*text of 10.5 pixels; the least is 11"):
        drawn(found)


def test_markup_in_words_and_data_stays_text() -> None:
    evil = '</title><script>alert("x")</script>'
    frame = pl.DataFrame({"item": [evil], "share": [1.0]})
    chart = spec(alt.Chart(frame).mark_bar().encode(x="share", y="item"), 300)
    svg = card.draw("tea", chart, card.Words(evil, evil, evil), alt=evil, width=640).svg
    root = ElementTree.fromstring(svg)
    assert [node for node in root.iter() if node.tag == f"{SVG}script"] == []
    assert root.findtext(f"{SVG}title") == evil


def test_ids_are_the_slugs_own_and_do_not_count_on() -> None:
    chart = spec(alt.Chart(FRAME).mark_bar(clip=True).encode(x="share", y="item"), 300)
    first = drawn(chart).svg
    drawn(chart, slug="other")
    assert drawn(chart).svg == first
    ids = re.findall(r'\bid="([^"]+)"', first)
    assert len(ids) == len(set(ids)) > 2
    assert all(name.startswith("tea-wide-") for name in ids)
    clips = {f"tea-wide-{place}" for place in range(len(ids) - 2)}
    assert set(re.findall(r"url\(#([^)]+)\)", first)) == clips


def test_the_png_is_twice_the_size_and_white_to_its_corner() -> None:
    picture = drawn(labelled(400))
    raw = card.png(picture)
    assert struct.unpack(">LL", raw[16:24]) == (2 * picture.width, 2 * picture.height)
    assert f'<rect width="100%" height="100%" fill="{theme.CARD}"/>' in picture.svg
