"""Notebooks become pages: in which order, what a page holds, what it refuses. No kernel, no browser."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest

from grocery_spheres import report
from grocery_spheres.execute import FIGURE
from grocery_spheres.kernels import ExecutionError, write_text
from grocery_spheres.page import document, figures
from grocery_spheres.page.checks import ReportError, check_pages
from grocery_spheres.page.tables import align_numbers

HOSTILE = """<script>alert("1")</script><img src=x onerror=alert(2)>'"&"""
PAGE_BYTES = 1_600_000
OPENING = "# What is it?\n\nIt is *this*, 26.1 % of all.\n\nReads nothing."


def svg(words="a chart", width=640):
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="200"><text>{words}</text></svg>'


def spec(rows=1):
    values = [{"town": "A", "sales": row} for row in range(rows)]
    encoding = {"x": {"field": "town"}, "y": {"field": "sales", "type": "quantitative"}}
    return {
        "$schema": "v6",
        "data": {"name": "d"},
        "datasets": {"d": values},
        "mark": "bar",
        "encoding": encoding,
    }


def bundle(slug="sales", **changes):
    return {
        "slug": slug,
        "title": "Sales rise",
        "subtitle": "Sales by town, USD",
        "alt": "Bars of sales by town; A sells 1.",
        "source": "Source: The Complete Journey, 2017",
        "evidence": "public",
        "unit": "USD",
        "note": "",
        "wide": spec(),
        "phone": spec(),
        "wide_svg": svg(),
        "phone_svg": svg(width=360),
        "csv": "town,sales\nA,1.00\n",
    } | changes


def shown(data):
    return {"output_type": "display_data", "metadata": {}, "data": data}


def figure(slug="sales", **changes):
    return (f"show({slug!r}, {changes!r})", [shown({FIGURE: bundle(slug, **changes), "text/plain": "alt"})])


def result(**data):
    kinds = {"text": "text/plain", "html": "text/html"}
    return shown({kinds[name]: value for name, value in data.items()}) | {
        "output_type": "execute_result",
        "execution_count": 1,
    }


def stream(text, name="stdout"):
    return {"output_type": "stream", "name": name, "text": text}


class Page(HTMLParser):
    """A page as the tests look at it: every element with its attributes, and the text inside of it."""

    def __init__(self, text):
        super().__init__()
        self.elements = []
        self.texts = {}
        self.open = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.texts[len(self.elements) - 1] = ""
        if tag not in {"meta", "img", "source", "br", "link"}:
            self.open.append((tag, len(self.elements) - 1))

    def handle_endtag(self, tag):
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        for _, place in self.open:
            self.texts[place] += data

    def all(self, tag, **wanted):
        wanted = {name.rstrip("_"): value for name, value in wanted.items()}
        return [
            {**given, "text": self.texts[place]}
            for place, (name, given) in enumerate(self.elements)
            if name == tag and all(given.get(key) == value for key, value in wanted.items())
        ]

    def text(self):
        return self.texts[0]


REAL_BUNDLE = document._bundle


@pytest.fixture(autouse=True)
def short_bundle(monkeypatch):
    """Stand in for Vega, which takes seconds to bundle; one test makes the real one."""
    monkeypatch.setattr(document, "_bundle", lambda root: "window.vegaEmbed = undefined; // Vega")


@pytest.fixture
def site(project):
    project.notebook("00-start", "# Start here\n\nRead on.", "## Map\n\n[First](01-first.ipynb#Why?)")
    project.notebook("01-first", OPENING, "## Why?\n\nBecause.", figure(), "## And then?\n\nNothing.")
    return project


def built(project):
    report.build()
    return {path.stem: Page(path.read_text("utf-8")) for path in (project.root / "reports").glob("*.html")}


# ---- order and skipping


def test_the_story_and_the_figures_run_last(site):
    site.notebook("09-figures", "# Figures\n\nAll.")
    site.notebook("02-second", "# Second\n\nYes.")
    site.notebook("lab-explore", "# Explore\n\nNot rendered.")
    assert report.build() == site.root / "reports" / "index.html"
    assert site.batches == [["01-first", "02-second"], ["00-start", "09-figures"]]
    pages = {path.name for path in (site.root / "reports").glob("*.html")}
    assert pages == {"index.html", "00-start.html", "01-first.html", "02-second.html", "09-figures.html"}


def test_a_build_with_nothing_to_do_runs_and_writes_nothing_and_loads_nothing_heavy(site):
    report.build()
    before = {path: path.stat().st_mtime_ns for path in (site.root / "reports").rglob("*") if path.is_file()}
    heavy = {"altair", "vl_convert", "nbclient", "nbconvert", "nbformat", "jinja2"}
    program = (
        "import sys\nfrom grocery_spheres import report\nreport.build()\n"
        f"print(sorted({heavy} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert said.stdout.strip() == "[]"
    assert said.stderr == ""
    after = {path: path.stat().st_mtime_ns for path in (site.root / "reports").rglob("*") if path.is_file()}
    assert after == before


def test_what_others_publish_makes_the_story_run_again(site):
    report.build()
    site.on_run = lambda name: write_text(site.root / "reports" / "figures" / "sales.csv", f"new from {name}")
    site.notebook("01-first", OPENING, ("changed", figure()[1]))
    site.notebook("00-start", "# Start here\n\nRead on.")
    report.build()
    assert site.batches[2:] == [["01-first"], ["00-start"]]


def test_prose_changes_the_page_without_a_run(site):
    report.build()
    site.notebook("01-first", "# What is it now?\n\nIt is that.", "## Why?\n\nSo.", figure())
    pages = built(site)
    assert len(site.batches) == 2
    assert pages["01-first"].all("h1")[0]["text"] == "What is it now?"
    assert "It is that." in pages["index"].text()
    assert len(pages["01-first"].all("figure")) == 1


def test_force_runs_all(site):
    report.build()
    report.build(force=True)
    assert site.batches[2:] == [["01-first"], ["00-start"]]


def test_a_failed_notebook_keeps_the_earlier_page(site):
    report.build()
    earlier = site.page("01-first")
    site.notebook("01-first", OPENING, ("raise", []))
    site.fails["01-first"] = "Notebook 01-first stopped in cell 2"
    with pytest.raises(ExecutionError, match="01-first stopped in cell 2"):
        report.build()
    assert site.page("01-first") == earlier
    assert site.batches[-1] == ["01-first"]  # the story does not run on what is not there


def test_the_page_of_a_removed_notebook_goes(site):
    report.build()
    (site.root / "notebooks" / "01-first.ipynb").unlink()
    site.notebook("00-start", "# Start here\n\nRead on.")
    report.build()
    assert not (site.root / "reports" / "01-first.html").exists()
    assert "01-first" not in site.page("index")


def test_a_page_that_was_deleted_comes_back(site):
    report.build()
    (site.root / "reports" / "01-first.html").unlink()
    report.build()
    assert "What is it?" in site.page("01-first")
    assert len(site.batches) == 2


def test_nothing_to_build_says_so(project):
    with pytest.raises(ReportError, match="holds no notebook named like"):
        report.build()


# ---- numbers in prose


def numbers(project, value):
    entry = {"value": value, "low": None, "high": None, "unit": "share", "evidence": "public"}
    entry["made_by"] = "grocery_spheres.panels.store_days"
    write_text(project.root / "reports" / "numbers" / "01-first.json", json.dumps({"kept.share": entry}))


@pytest.fixture
def cited(project):
    project.notebook(
        "00-start", "# Start here\n\n26.1 %<!-- kept.share.value|.1% --> stayed.", ("show()", [])
    )
    project.notebook("01-first", OPENING, ("publish()", []))
    seen = []
    project.merged_before_the_story = seen

    def on_run(name):
        if name == "01-first":
            numbers(project, 0.3)
        else:
            seen.append((project.root / "reports" / "numbers.json").read_text("utf-8"))

    project.on_run = on_run
    return project


def test_a_removed_notebook_takes_its_numbers_along(cited):
    stale = cited.root / "reports" / "numbers" / "07-gone.json"
    write_text(stale, json.dumps({}))
    report.build(update_prose=True)
    assert not stale.exists()


def test_numbers_are_merged_before_the_story_runs_and_drift_is_refused(cited):
    with pytest.raises(ReportError) as refused:
        report.build()
    assert "0.3" in cited.merged_before_the_story[0]
    for words in ("kept.share", "26.1", "30.0", "--update-prose"):
        assert words in str(refused.value)
    assert not (cited.root / "reports" / "index.html").exists()


def test_prose_is_rewritten_on_request_without_another_run(cited):
    report.build(update_prose=True)
    assert "30.0" in (cited.root / "notebooks" / "00-start.ipynb").read_text("utf-8")
    assert "30.0 % stayed." in Page(cited.page("00-start")).text().replace("\u00a0", " ")
    report.build()
    assert cited.batches == [["01-first"], ["00-start"]]


# ---- what a page holds


def test_the_policy_lets_just_the_page_s_own_scripts_run(site):
    page = built(site)["01-first"]
    policy = page.all("meta", **{"http-equiv": "Content-Security-Policy"})[0]["content"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data: blob:"
    assert rules["font-src"] == "data:"
    assert {"'unsafe-inline'", "'unsafe-eval'"}.isdisjoint(rules["script-src"].split())
    scripts = [script["text"] for script in page.all("script", type="module")]
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts]
    assert rules["script-src"].split() == [f"'sha256-{digest}'" for digest in digests]


def test_charts_come_with_one_bundle_and_pages_without_charts_with_none(site):
    pages = built(site)
    assert [len(page.all("script", type="module")) for page in (pages["01-first"], pages["00-start"])] == [
        2,
        1,
    ]
    assert site.page("01-first").count("// Vega") == 1
    assert pages["index"].all("script") == []


def test_the_real_bundle_fits_into_a_page(site, monkeypatch):
    monkeypatch.setattr(document, "_bundle", REAL_BUNDLE)
    text = built(site) and site.page("01-first")
    assert text.count("<script") == text.count("</script") == 3  # Vega, ours, and the specs of the one chart
    assert 800_000 < len(text.encode()) < PAGE_BYTES
    kept = list((site.root / "reports" / "executed" / ".cache").glob("vega-*.js"))
    assert len(kept) == 1
    write_text(kept[0], "ends early </SCRIPT>")
    with pytest.raises(ReportError, match="would end the element"):
        report.build(force=True)


def test_nothing_is_loaded_from_anywhere(site):
    for name, page in built(site).items():
        loaded = [value for tag, given in page.elements for value in _loads(tag, given)]
        assert all(value.startswith("data:") for value in loaded), name
        assert not re.search(r"@import|url\((?![\"']?data:)", site.page(name).split("</style>")[0])


def _loads(tag, given):
    names = ("src", "srcset", "data", "poster", "action") + (("href",) if tag != "a" else ())
    return [given[name] for name in names if name in given]


def test_a_figure_stands_as_picture_words_data_and_specs(site):
    page = built(site)["01-first"]
    assert [given["id"] for given in page.all("figure")] == ["sales"]
    image = page.all("img")[0]
    assert image["alt"] == "Bars of sales by town; A sells 1."
    assert base64.b64decode(image["src"].split(",")[1]).decode() == svg()
    phone = page.all("source")[0]
    assert base64.b64decode(phone["srcset"].split(",")[1]).decode() == svg(width=360)
    csv = page.all("a", download="sales.csv")[0]["href"]
    assert base64.b64decode(csv.split(",")[1]).decode() == "town,sales\nA,1.00\n"
    assert page.all("p", class_="figure-title")[0]["text"] == "Sales rise"
    assert page.all("p", class_="figure-subtitle")[0]["text"] == "Sales by town, USD"
    badges = [badge["text"] for badge in page.all("span", class_="badge public")]
    assert badges == ["Public", "Public", "Public"]  # above the heading, at the figure, in the legend below
    specs = json.loads(page.all("script", class_="specs")[0]["text"])
    assert specs["datasets"] == {"d": [{"town": "A", "sales": 0}]}
    assert specs["wide"]["description"] == image["alt"]
    assert "$schema" not in specs["wide"]
    assert specs["wide"]["datasets"] == specs["phone"]["datasets"] == {}


def test_data_sets_of_the_same_name_but_other_rows_are_kept_apart(site):
    site.notebook("01-first", OPENING, "## Why?\n\nSo.", figure(wide=spec(2), phone=spec(1)))
    specs = json.loads(built(site)["01-first"].all("script", class_="specs")[0]["text"])
    assert specs["datasets"] == {}
    assert len(specs["wide"]["datasets"]["d"]) == 2
    assert len(specs["phone"]["datasets"]["d"]) == 1


@pytest.mark.parametrize(("rows", "tables"), [(40, 1), (41, 0)])
def test_small_data_stand_as_a_table(site, rows, tables):
    csv = "town,sales\n" + "A,1.00\n" * rows
    site.notebook("01-first", OPENING, "## Why?\n\nSo.", figure(csv=csv))
    page = built(site)["01-first"]
    assert len(page.all("table")) == tables
    assert len(page.all("td", class_="num")) == rows * tables
    assert len(page.all("th", scope="col", class_="num")) == tables


def test_a_chart_that_was_not_published_is_shown_by_its_description(site):
    chart = {**spec(), "description": "A bar at A."}
    output = shown({figures.CHART: chart, figures.SVG: svg(), "text/plain": "A bar at A."})
    site.notebook("01-first", OPENING, "## Why?\n\nSo.", ("chart", [output]))
    page = built(site)["01-first"]
    assert page.all("img")[0]["alt"] == "A bar at A."
    specs = json.loads(page.all("script", class_="specs")[0]["text"])
    assert specs["wide"]["background"] == "transparent"


def test_what_comes_from_data_is_text(site):
    hostile = figure(
        title=HOSTILE,
        subtitle=HOSTILE,
        alt=HOSTILE,
        source=HOSTILE,
        note=HOSTILE,
        csv=f'"{HOSTILE.replace(chr(34), chr(34) * 2)}",n\nA,1\n',
        wide={**spec(), "usermeta": HOSTILE},
    )
    outputs = [stream(HOSTILE), result(text=HOSTILE)]
    site.notebook("00-start", "# Start here\n\nRead on.")
    site.notebook(
        "01-first", f"# Why `{HOSTILE}`?\n\nBecause of `{HOSTILE}`.", "## So?\n\nSo.", hostile, ("x", outputs)
    )
    pages = built(site)
    page = pages["01-first"]
    assert len(page.all("script")) == 3
    assert [image["alt"] for image in page.all("img")] == [HOSTILE]
    assert not [given for _, given in page.elements if any(name.startswith("on") for name in given)]
    assert json.loads(page.all("script", class_="specs")[0]["text"])["wide"]["usermeta"] == HOSTILE
    assert page.all("p", class_="figure-title")[0]["text"] == HOSTILE
    assert page.all("th", scope="col")[0]["text"] == HOSTILE
    assert [pre["text"].strip() for pre in page.all("pre")][-2:] == [HOSTILE, HOSTILE]
    assert pages["index"].all("script") == []
    assert f"Because of {HOSTILE}." in pages["index"].text()


def test_code_is_folded_and_progress_dropped(site):
    outputs = [stream("seen\n"), stream("10 % done\n", "stderr"), result(text="42")]
    site.notebook("01-first", OPENING, "## Why?\n\nSo.", ("answer = 42", outputs), ("", []))
    page = built(site)["01-first"]
    folded = page.all("details", class_="code")
    assert len(folded) == 1
    assert "open" not in folded[0]
    assert "answer = 42" in folded[0]["text"]
    assert [pre["text"] for pre in page.all("pre")][1:] == ["seen\n", "42"]
    assert "10 % done" not in page.text()
    assert "Out[" not in page.text()
    assert page.all("button", class_="all-code")[0].keys() >= {"hidden"}  # a script shows it


def test_headings_make_the_contents_and_links_reach_them(site):
    pages = built(site)
    page = pages["01-first"]
    contents = page.all("nav", **{"aria-label": "On this page"})[0]["text"].split("\n")
    assert [line for line in contents if line] == ["On this page", "Why?", "And then?"]
    assert [link["href"] for link in page.all("a") if link["text"] == "And then?"] == ["#And-then%3F"]
    assert {"Why?", "And-then?"} <= {given.get("id") for given in page.all("h2")}
    assert pages["00-start"].all("a", href="01-first.html#Why?")


def test_a_page_is_built_for_every_reader(site):
    for name, page in built(site).items():
        assert page.all("html")[0]["lang"] == "en"
        assert page.all("meta", name="viewport")
        assert page.all("a", class_="skip")[0]["href"] == "#main"
        assert page.all("main")[0]["id"] == "main"
        assert [len(page.all(landmark)) for landmark in ("header", "main", "footer", "h1")] == [1, 1, 1, 1], (
            name
        )


def test_the_footer_names_sources_notebook_version_and_lock(site):
    words = " ".join(built(site)["01-first"].all("footer")[0]["text"].split())
    lock = hashlib.sha256((site.root / "requirements.txt").read_bytes()).hexdigest()[:12]
    for expected in (
        "The Complete Journey",
        "Licence: MIT",
        "notebooks/01-first.ipynb",
        "grocery-spheres 0.",
        lock,
    ):
        assert expected in words


def test_the_index_lists_every_page_with_its_answer(site):
    site.notebook("02-second", "# Second\n\nYes.")
    page = built(site)["index"]
    assert [link["href"] for link in page.all("a") if link["href"][:1].isdigit()] == [
        "00-start.html",
        "01-first.html",
        "02-second.html",
    ]
    assert [answer["text"] for answer in page.all("p", class_="answer")] == [
        "Read on.",
        "It is this, 26.1\u00a0% of all.",
        "Yes.",
    ]
    assert [image["alt"] for image in page.all("img")] == ["Bars of sales by town; A sells 1."]
    assert "1 figure" in page.text()


def test_bold_words_at_the_beginning_are_the_answer_in_one_line(site):
    site.notebook("00-start", "# Start\n\n**Most `of` it** came back. The rest did **not**.\n\n**Later.**")
    site.notebook("01-first", "# What?\n\nNot **bold** first.\n\n**Later.**")
    answers = [answer["text"] for answer in built(site)["index"].all("p", class_="answer")]
    assert answers == ["Most of it", "Not bold first."]


def test_tables_count_as_evidence(site):
    footer = "Source: none · Evidence: injected + public"
    table = f'<figure><table></table><figcaption class="gs-source">{footer}</figcaption></figure>'
    site.notebook("00-start", "# Start here\n\nRead on.")
    site.notebook("01-first", OPENING, ("table", [result(html=table)]))
    kicker = built(site)["01-first"].all("p", class_="kicker")[0]["text"]
    assert kicker.split() == ["Evidence", "on", "this", "page", "Public", "Injected"]


def test_a_cell_may_say_its_answer_itself(site):
    path = site.notebook("01-first", OPENING)
    content = json.loads(path.read_text("utf-8"))
    content["cells"][0]["metadata"]["answer"] = "In one line."
    path.write_text(json.dumps(content))
    site.notebook("00-start", "# Start here\n\nRead on.")
    assert "In one line." in built(site)["index"].text()


def test_two_builds_write_the_same_bytes(site):
    report.build()
    first = {name: site.page(name) for name in ("00-start", "01-first", "index")}
    report.build(force=True)
    assert first == {name: site.page(name) for name in first}


def test_a_number_keeps_its_unit_on_its_line_but_code_is_left_alone(site):
    site.notebook("00-start", "# Start\n\nRead on.", "It is 12 % or 30 USD. `7 % 2`", ("x = 7 % 2", []))
    words = built(site)["00-start"].all("main")[0]["text"]
    assert "12\u00a0% or 30\u00a0USD" in words
    assert words.count("7 % 2") == 2


def test_pictures_of_prose_are_taken_in(site):
    write_text(site.root / "reports" / "figures" / "map.svg", svg("map"))
    site.notebook("00-start", "# Start here\n\nRead on.", "## Map\n\n![The map.](../reports/figures/map.svg)")
    image = built(site)["00-start"].all("img")[0]
    assert image["alt"] == "The map."
    assert base64.b64decode(image["src"].removeprefix("data:image/svg+xml;base64,")).decode() == svg("map")


def test_a_notebook_without_a_page_is_linked_itself(site):
    site.notebook("lab-explore", "# Explore\n\nIn JupyterLab.")
    site.notebook("00-start", "# Start here\n\nRead on.", "## Try\n\n[Explore](lab-explore.ipynb)")
    assert built(site)["00-start"].all("a", href="../notebooks/lab-explore.ipynb")


# ---- tables


def test_numbers_stand_right_and_text_stands_left():
    html = (
        '<table border="1" class="dataframe"><thead><tr><th>store</th><th>sales</th><th>day</th></tr>'
        "<tr><td>str</td><td>f64</td><td>date</td></tr></thead>"
        '<tbody><tr><td>"A"</td><td>-1.5</td><td>2045-06-17</td></tr>'
        "<tr><td>&quot;B&quot;</td><td>null</td><td>2045-06-18</td></tr></tbody></table>"
    )
    aligned = align_numbers(html)
    assert '<th class="num">sales</th>' in aligned
    assert '<td class="num">−1.5</td>' in aligned  # a true minus
    assert aligned.count("<th>") == 2
    assert "<td>A</td>" in aligned
    assert "<td>B</td>" in aligned


@pytest.mark.parametrize(
    "table",
    [
        "<table><tr><td colspan='2'>1</td></tr></table>",
        '<table class="gt_table"><tr><td>1</td></tr></table>',
        "<table><tr><td>1</td></tr><tr><td>1</td><td>2</td></tr></table>",
        "<table></table>",
    ],
)
def test_other_tables_stay_as_they_are(table):
    assert align_numbers(table) == table


def test_tables_scroll_in_their_own_box(site):
    site.notebook("01-first", OPENING, "## Why?\n\n| a | b |\n|---|---|\n| x | 1 |")
    page = built(site)["01-first"]
    box = page.all("div", class_="scroll")[0]
    assert (box["tabindex"], box["role"]) == ("0", "region")
    assert [cell["text"] for cell in page.all("td", class_="num")] == ["1"]


# ---- what is refused


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        (["## Why?\n\n[gone](02-gone.ipynb)"], "links to '../notebooks/02-gone.ipynb', which is not there"),
        (["## Why?\n\n[gone](#Nowhere)"], "has no such place"),
        (["## Why?\n\n[gone](00-start.ipynb#Nowhere)"], "has no such place"),
        (["## Why?\n\n[do](javascript:alert)"], "not allowed"),
        (["## Why?\n\n[do](//example.org/x)"], "not allowed"),
        (["## Why?\n\n![](../data/a.png)"], "which is not there"),
        (["## Why?\n\n![out](https://example.org/a.png)"], "which is not there"),
        (["### Why?\n\nSo."], "skips a level of headings, from 1 to 3"),
        (["# Twice\n\nSo."], "one first-level heading"),
        (["## Why?\n\nSo.", "## Why?\n\nAgain."], "two headings or figures named 'Why?'"),
        ([figure(alt=" ")], "has no alternative text"),
        ([figure(wide_svg="")], "carries no picture"),
        ([("chart", [shown({figures.CHART: spec(), figures.SVG: svg()})])], "has no alternative text"),
        ([("chart", [shown({figures.SVG: svg()})])], "without alternative text"),
        ([("html", [result(html='<iframe src="https://example.org"></iframe>')])], "would load"),
    ],
)
def test_a_page_that_is_not_fit_is_refused_and_the_earlier_one_stays(site, cells, fault):
    report.build()
    earlier = site.page("01-first")
    site.notebook("00-start", "# Start here\n\nRead on.", "## Map\n\nNone.")
    site.notebook("01-first", OPENING, *cells)
    with pytest.raises(ReportError, match=re.escape(fault)) as refused:
        report.build()
    assert "\n" not in str(refused.value)
    assert site.page("01-first") == earlier


@pytest.mark.parametrize("first", ["No heading.", "# Heading only", "## Second level\n\nSo."])
def test_a_notebook_must_begin_with_its_question_and_its_answer(site, first):
    site.notebook("01-first", first)
    with pytest.raises(ReportError, match="01-first must begin with a markdown cell"):
        report.build()


def test_outside_links_may_be_followed(tmp_path):
    check_pages(
        tmp_path, {"a.html": '<h1>A</h1><a href="https://example.org">x</a><a href="data:text/csv,a">x</a>'}
    )


@pytest.mark.parametrize("load", ["//example.org/a.js", "https://example.org/a.js", "a.js", "blob:x"])
def test_loads_are_refused(tmp_path, load):
    with pytest.raises(ReportError, match="would load"):
        check_pages(tmp_path, {"a.html": f'<h1>A</h1><script src="{load}"></script>'})
