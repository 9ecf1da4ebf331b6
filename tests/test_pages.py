"""Pages in headless Chromium, the network cut: they load nothing, charts answer, all modes are readable."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

import altair as alt
import polars as pl
import pytest

from grocery_spheres import publish, report

pytestmark = pytest.mark.browser

REPORTS = Path(__file__).parents[1] / "reports"
WIDTHS = (390, 1280)
SCHEMES = ("light", "dark")
DRAWN = "document.querySelectorAll('figure.live').length === document.querySelectorAll('script.specs').length"
SECONDS_TO_DRAW = 30

# For each visible piece of text of the page: its contrast with what is painted behind it.
FAINT = """
(limit) => {
  const linear = (value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const channel = (value) => linear(value / 255);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const found = numbers(getComputedStyle(at).backgroundColor);
      if (found.length < 4 || found[3] > 0) return found;
    }
    return matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18] : [255, 255, 255];
  };
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    const inChart = node.closest("svg");
    if (!walker.currentNode.textContent.trim() || node.closest("script, style")) continue;
    if (!node.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    if (inChart && !node.closest("[class*=role-axis], [class*=role-legend]")) continue;
    const style = getComputedStyle(node);
    const [a, b] = [light(numbers(inChart ? style.fill : style.color)), light(ground(node))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    texts.push([walker.currentNode.textContent.trim().slice(0, 40), contrast]);
  }
  return { seen: texts.length, faint: texts.filter(([, contrast]) => contrast < limit) };
}
"""


def draw_bars(data, width):
    across = alt.X("town:N", title=None, axis=alt.Axis(labelAngle=0))
    return (
        alt.Chart(data, width=width, height=160)
        .mark_bar()
        .encode(x=across, y="sales (USD):Q", tooltip=["town", "sales (USD)"])
    )


def draw_linked(data, width):
    """Points with a brush; the bars below count what it holds."""
    brush = alt.selection_interval(name="brush", encodings=["x"])
    inner = width - 100
    points = alt.Chart(data, width=inner, height=140).mark_point().encode(x="week:Q", y="sales (USD):Q")
    bars = alt.Chart(data, width=inner, height=40).mark_bar().encode(x="count():Q")
    return points.add_params(brush) & bars.transform_filter(brush)


def published(name, draw, data, **words):
    bundle = publish.figure(
        name,
        draw,
        data,
        sources=["complete_journey"],
        evidence="public",
        unit="USD",
        subtitle="Sales, USD, invented for a test",
        **words,
    )._repr_mimebundle_()
    return (f"show({name!r})", [{"output_type": "display_data", "metadata": {}, "data": bundle}])


@pytest.fixture(scope="module")
def sample(tmp_path_factory, new_project):
    """The folder of a small report with a bar chart, a linked pair, a table, code and prose."""
    with pytest.MonkeyPatch.context() as patch:
        project = new_project(tmp_path_factory.mktemp("pages") / "project", patch)
        towns = pl.DataFrame({"town": ["Alder", "Birch", "Cedar"], "sales (USD)": [1200.0, 950.0, 400.0]})
        weeks = pl.DataFrame({"week": range(50), "sales (USD)": [100.0 + week for week in range(50)]})
        bars = published(
            "bars", draw_bars, towns, title="Alder sells the most", alt="Bars; Alder sells 1,200 USD."
        )
        words = {"title": "Sales rise week by week", "alt": "Points from 100 to 149 USD."}
        linked = published("linked", draw_linked, weeks, **words)
        table = pl.DataFrame(
            {"store": ["A" * 60, "B"], "sales": [1.5, -20.25], "baskets": [1, 2]}
        )._repr_html_()
        shown = {"output_type": "display_data", "metadata": {}, "data": {"text/html": table}}
        project.notebook(
            "01-sample",
            "# What does a page look like?\n\n**This**, and `code`; [start](00-start.ipynb).\n\nNo more.",
            "## Which town sells most?\n\nAlder.\n\n> Quoted.\n\n- one\n- two",
            bars,
            "## Do sales rise?\n\nThey do.",
            linked,
            ("frame  # a comment\nfor one in 'two':\n    print(one, 3)", [shown]),
        )
        project.notebook("00-start", "# Start here\n\nRead on.")
        report.build()
        yield project.root / "reports"


class Visit:
    """One page in one browser window: what it asked for, and what it complained of."""

    def __init__(self, tab, address):
        self.tab = tab
        self.requests = []
        self.complaints = []
        tab.on("request", lambda request: self._asked(request.url))
        tab.on(
            "console", lambda said: said.type in {"error", "warning"} and self.complaints.append(said.text)
        )
        tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        tab.goto(address)

    def _asked(self, url):
        if not url.startswith(("data:", "blob:")):
            self.requests.append(url)

    def wait_for_charts(self):
        self.tab.wait_for_function(DRAWN, timeout=SECONDS_TO_DRAW * 1000)
        return self.tab.locator("figure.live").count()

    def width_beyond(self):
        return self.tab.evaluate("document.documentElement.scrollWidth - innerWidth")


@pytest.fixture
def visit(chromium):
    @contextmanager
    def opened(page: Path, width=1280, scheme="light", scripts=True):
        context = chromium.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            java_script_enabled=scripts,
            offline=True,
        )
        # Whatever is no file is refused as well as recorded, should "offline" ever let something pass.
        context.route(
            "**/*",
            lambda route: route.continue_() if route.request.url.startswith("file:") else route.abort(),
        )
        try:
            yield Visit(context.new_page(), page.as_uri())
        finally:
            context.close()

    return opened


def check_page(opened, page):
    """What must hold of every page at every width and in every mode."""
    opened.wait_for_charts()
    assert opened.requests == [page.as_uri()]
    assert opened.complaints == []
    assert opened.width_beyond() <= 0
    opened.tab.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    assert opened.width_beyond() <= 0
    texts = opened.tab.evaluate(FAINT, 4.5)
    assert texts["seen"] > 5
    assert texts["faint"] == []


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["01-sample", "index"])
def test_a_page_loads_nothing_and_can_be_read(sample, visit, name, width, scheme):
    page = sample / f"{name}.html"
    with visit(page, width, scheme) as opened:
        check_page(opened, page)
        assert opened.wait_for_charts() == (2 if name == "01-sample" else 0)


def test_the_contrast_check_sees_faint_text(sample, visit):
    with visit(sample / "01-sample.html") as opened:
        opened.wait_for_charts()
        opened.tab.evaluate("document.querySelector('h1').style.color = '#aaaaaa'")
        assert [text for text, _ in opened.tab.evaluate(FAINT, 4.5)["faint"]] == [
            "What does a page look like?"
        ]


@pytest.mark.parametrize(("width", "drawn"), [(390, "phone"), (1280, "wide")])
def test_the_drawing_fits_the_width(sample, visit, width, drawn):
    with visit(sample / "01-sample.html", width) as opened:
        opened.wait_for_charts()
        assert opened.tab.locator("#bars").get_attribute("data-size") == drawn
        box = opened.tab.locator("#bars .chart svg.marks").bounding_box()
        assert 280 < box["width"] <= (360 if drawn == "phone" else 640)


def test_what_is_wider_than_a_phone_shows_a_shadow_at_its_edge(sample, visit):
    with visit(sample / "01-sample.html", 390) as opened:
        box = opened.tab.locator(".scroll:has(.dataframe)").first
        assert box.evaluate("it => it.scrollWidth > it.clientWidth")
        styles = box.evaluate("it => [getComputedStyle(it).backgroundAttachment, it.clientHeight]")
        assert styles[0] == "local, local, scroll, scroll"
        assert box.evaluate("it => getComputedStyle(it).backgroundImage").count("linear-gradient") == 4


@pytest.mark.parametrize(("width", "drawn"), [(390, 360), (1280, 640)])
def test_the_index_shows_a_phone_the_picture_of_a_phone(sample, visit, width, drawn):
    with visit(sample / "index.html", width) as opened:
        picture = opened.tab.locator("img.thumbnail").first
        picture.scroll_into_view_if_needed()
        opened.tab.wait_for_function("document.querySelector('img.thumbnail').complete")
        assert picture.evaluate("it => it.naturalWidth") == drawn
        assert picture.evaluate("it => it.getBoundingClientRect().right <= window.innerWidth")


def test_a_chart_is_drawn_anew_when_the_window_narrows(sample, visit):
    with visit(sample / "01-sample.html") as opened:
        opened.wait_for_charts()
        opened.tab.set_viewport_size({"width": 390, "height": 900})
        narrow = (
            "document.querySelector('#bars[data-size=phone] svg.marks')?.getBoundingClientRect().width <= 360"
        )
        opened.tab.wait_for_function(narrow)
        assert opened.tab.locator("#bars .chart").count() == 1
        assert opened.complaints == []


def test_a_tooltip_appears(sample, visit):
    with visit(sample / "01-sample.html") as opened:
        opened.wait_for_charts()
        opened.tab.locator("#bars .mark-rect path").first.hover()
        tooltip = opened.tab.locator("#vg-tooltip-element.visible")
        tooltip.wait_for(timeout=5000)
        assert "Alder" in tooltip.inner_text()
        assert "1200" in tooltip.inner_text()


def test_a_brush_changes_the_linked_view(sample, visit):
    with visit(sample / "01-sample.html") as opened:
        opened.wait_for_charts()
        bar = opened.tab.locator("#linked .concat_1_marks path")
        assert bar.get_attribute("aria-label") == "Count of Records: 50"
        opened.tab.locator("#linked .chart").scroll_into_view_if_needed()
        field = opened.tab.locator("#linked .mark-symbol.role-mark").bounding_box()
        middle = field["y"] + field["height"] / 2
        opened.tab.mouse.move(field["x"] + field["width"] * 0.25, middle)
        opened.tab.mouse.down()
        opened.tab.mouse.move(field["x"] + field["width"] * 0.5, middle, steps=8)
        opened.tab.mouse.up()
        opened.tab.wait_for_timeout(300)
        assert bar.get_attribute("aria-label") in {"Count of Records: 12", "Count of Records: 13"}
        assert opened.complaints == []


def test_a_chart_carries_its_words_and_offers_no_editor(sample, visit):
    with visit(sample / "01-sample.html") as opened:
        opened.wait_for_charts()
        chart = opened.tab.locator("#bars .chart [role='graphics-document']")
        assert chart.first.get_attribute("aria-label") == "Bars; Alder sells 1,200 USD."
        actions = opened.tab.locator("#bars .vega-actions a").all_text_contents()
        assert actions == ["Save as SVG", "Save as PNG"]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_without_scripts_a_picture_stands_for_each_chart(sample, visit, scheme):
    with visit(sample / "01-sample.html", 390, scheme, scripts=False) as opened:
        pictures = opened.tab.locator("figure.figure picture img")
        assert pictures.count() == 2
        for picture in pictures.all():
            assert picture.is_visible()
            assert picture.bounding_box()["width"] > 250
            assert picture.get_attribute("alt")
        code = opened.tab.locator("details.code").last
        assert not code.locator("pre").is_visible()
        code.locator("summary").click()
        assert code.locator("pre").is_visible()
        assert not opened.tab.locator(".all-code").is_visible()
        assert len(opened.requests) == 1


def test_the_switch_opens_all_code_and_is_remembered(sample, visit):
    with visit(sample / "01-sample.html") as opened:
        button = opened.tab.locator(".all-code")
        assert opened.tab.locator("details.code[open]").count() == 0
        button.click()
        count = opened.tab.locator("details.code").count()
        assert opened.tab.locator("details.code[open]").count() == count > 0
        assert (button.inner_text(), button.get_attribute("aria-pressed")) == ("Hide all code", "true")
        opened.tab.reload()
        assert opened.tab.locator("details.code[open]").count() == count
        button.click()
        assert opened.tab.locator("details.code[open]").count() == 0


def test_on_paper_stand_light_pictures_and_no_code(sample, visit):
    with visit(sample / "01-sample.html", scheme="dark") as opened:
        opened.wait_for_charts()
        opened.tab.emulate_media(media="print", color_scheme="dark")
        assert opened.tab.locator("#bars picture img").is_visible()
        for hidden in ("#bars .chart", "nav.toc", "details.code >> nth=0", ".all-code"):
            assert not opened.tab.locator(hidden).is_visible()
        ground = opened.tab.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == "rgb(255, 255, 255)"


def test_the_keyboard_reaches_the_text_first_and_shows_where_it_is(sample, visit):
    with visit(sample / "01-sample.html") as opened:
        opened.tab.keyboard.press("Tab")
        focused = opened.tab.locator(":focus")
        assert focused.inner_text() == "Skip to the text"
        assert focused.bounding_box()["y"] >= 0
        assert focused.evaluate("(at) => getComputedStyle(at).outlineStyle") == "solid"


@pytest.mark.slow
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_every_built_page(visit, width, scheme):
    pages = sorted(REPORTS.glob("*.html"))
    if not pages:
        pytest.skip("reports/ holds no pages yet: run `make report`")
    for page in pages:
        with visit(page, width, scheme) as opened:
            check_page(opened, page)


@pytest.mark.slow
def test_every_built_page_stands_without_scripts_and_answers_with_them(visit):
    pages = sorted(REPORTS.glob("[0-9]*.html"))
    if not pages:
        pytest.skip("reports/ holds no pages yet: run `make report`")
    for page in pages:
        with visit(page, scripts=False) as opened:
            pictures = opened.tab.locator("figure.figure picture img").all()
            assert all(picture.is_visible() for picture in pictures), page.name
        with visit(page) as opened:
            assert opened.wait_for_charts() == len(pictures), page.name
            if pictures:
                check_some_tooltip(opened)


def check_some_tooltip(opened):
    """Point at marks until one answers: not every mark has something to tell."""
    marks = opened.tab.locator("figure.live .chart").locator(
        ".mark-rect path, .mark-symbol path, .mark-line path"
    )
    for mark in marks.all()[:40]:
        mark.hover(force=True)
        if opened.tab.locator("#vg-tooltip-element.visible").count():
            return
    pytest.fail("no mark of the page shows a tooltip")
