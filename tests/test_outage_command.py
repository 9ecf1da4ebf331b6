"""`grocery-spheres outage`: what it reads, says and writes; files are hostile until validated."""

import json
import re
import shutil
from pathlib import Path

import nbformat
import polars as pl
import pytest
from nbclient import NotebookClient

from grocery_spheres import files, outage_page, provenance
from grocery_spheres.__main__ import main
from grocery_spheres.outage import example
from grocery_spheres.outage.agreement import compare_methods
from grocery_spheres.outage.estimate import estimate_outage
from grocery_spheres.tables import ContractError

ASKED = ["--unit", "shop", "--time", "day", "--outcome", "sales_usd", "--treated", "shop-03"]
WHEN = ["--start", "2045-06-17", "--end", "2045-06-19", "--share-down", "0.9"]
QUICK = ["--method", "did", "--placebos", "30"]


@pytest.fixture
def panel(tmp_path):
    path = tmp_path / "sales.csv"
    example.example_panel().write_csv(path)
    return path


def said(capsys, *words):
    code = main(["outage", *map(str, words)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_the_example_says_that_it_is_synthetic_and_holds_the_truth(capsys):
    code, out, _ = said(capsys, "--example", *QUICK)
    assert code == 0
    assert "synthetic" in out
    assert "On a file of your own" in out
    found = estimate_outage(
        example.example_panel(),
        example.example_outage(),
        unit="shop",
        time="day",
        outcome="sales_usd",
        placebos=40,
    )
    low, high = found.conf_int(what="cumulative")
    assert low < float(example.example_truth()["effect"].sum()) < high


def test_a_file_gives_the_same_answer_as_the_frame(capsys, panel):
    _, from_file, _ = said(capsys, panel, *ASKED, *WHEN, *QUICK, "--json")
    _, from_code, _ = said(capsys, "--example", *QUICK, "--json")
    assert json.loads(from_file)["params"] == pytest.approx(json.loads(from_code)["params"])


def test_json_is_one_object_without_infinities(capsys, panel):
    code, out, _ = said(capsys, panel, *ASKED, *WHEN, "--method", "did", "--placebos", "5", "--json")
    answer = json.loads(out, parse_constant=lambda constant: pytest.fail(f"not JSON: {constant}"))
    assert code == 0
    assert answer["estimands"][0]["low"] is None  # five placebos give no ends
    assert {"sentence", "pvalue", "method", "notes", "placebos", "donors", "version", "seed"} <= answer.keys()


def test_methods_compared(capsys, panel):
    code, out, _ = said(capsys, panel, *ASKED, *WHEN, "--compare", "--placebos", "30", "--json", *QUICK[:2])
    answer = json.loads(out)
    assert code == 0
    assert len(answer["methods"]) == 5
    assert answer["verdict"]
    assert answer["method"] == "did"


def test_ids_that_are_numbers_are_read_as_the_column_holds_them(capsys, tmp_path):
    numbered = example.example_panel().with_columns(
        shop=pl.col("shop").str.tail(2).cast(pl.Int64), day=pl.col("day").rank("dense").cast(pl.Int64)
    )
    path = tmp_path / "numbers.parquet"
    numbered.write_parquet(path)
    words = [
        "--unit",
        "shop",
        "--time",
        "day",
        "--outcome",
        "sales_usd",
        "--treated",
        "3",
        "--rivals",
        "4",
        "5",
    ]
    code, out, _ = said(
        capsys, path, *words, "--start", "104", "--end", "106", "--season", "7", *QUICK, "--json"
    )
    assert code == 0
    assert json.loads(out)["donors"] == 9


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--unit", "shop"], "Not told: PANEL, --time"),
        (["nowhere.csv", *ASKED, *WHEN], "is not there"),
        (["--example", "--method", "magic"], "no method 'magic'"),
        (["--example", "--alpha", "5", *QUICK], "one minus the level"),
        (["--example", "--html", "nowhere/page.html", *QUICK], "no folder"),
    ],
)
def test_refusals_are_one_paragraph(capsys, words, message):
    code, out, err = said(capsys, *words)
    assert code == 2
    assert out == ""
    assert message in err
    assert err.count("\n") == 1


def test_help_shows_examples(capsys):
    with pytest.raises(SystemExit):
        main(["outage", "--help"])
    assert "grocery-spheres outage --example" in capsys.readouterr().out


# ---- the page


@pytest.fixture(scope="module")
def answers():
    named = example.example_panel().with_columns(
        shop=pl.col("shop").replace({"shop-03": "<script>alert(1)</script>", "shop-05": "=cmd()&b"})
    )
    dark = example.example_outage()
    hostile = type(dark)(["<script>alert(1)</script>"], dark.start, dark.end, dark.share_down)
    asked = {"unit": "shop", "time": "day", "outcome": "sales_usd", "placebos": 30}
    both = compare_methods(named, hostile, methods=["did", "synthetic_control"], **asked)
    return both.results[0], both


def test_a_page_is_one_file_that_fetches_and_runs_nothing(answers):
    page = outage_page.html(*answers, source="<b>sales</b>.csv", rows=1440)
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "&lt;b&gt;sales" in page
    fetched = re.findall(r'(?:src|href)="(?!#)([^"]*)"|url\((?!#)([^)]*)\)', page)
    assert not [address for address in fetched if any(address)]
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page
    assert "Do other methods agree?" in page
    assert "1,440 rows" in page


def test_a_page_that_found_nothing_says_so_first():
    flat = example.example_panel(seed=3)
    outage = type(example.example_outage())("shop-05", "2045-06-10", "2045-06-12")
    found = estimate_outage(
        flat, outage, unit="shop", time="day", outcome="sales_usd", method="did", placebos=40, alpha=0.05
    )
    page = outage_page.html(found, None, source="x.csv", rows=9)
    assert ("cannot be told from no effect" in page) == (found.pvalue > 0.05)


def test_a_page_is_written_whole_or_not_at_all(answers, tmp_path, monkeypatch):
    path = tmp_path / "page.html"
    path.write_text("old", encoding="utf-8")
    monkeypatch.setattr(
        outage_page.page, "html", lambda *_a, **_m: (_ for _ in ()).throw(RuntimeError("stop"))
    )
    with pytest.raises(RuntimeError):
        outage_page.write(*answers, path, source="x", rows=1)
    assert path.read_text(encoding="utf-8") == "old"
    assert [other.name for other in tmp_path.iterdir()] == ["page.html"]
    with pytest.raises(ContractError, match="is a folder"):
        outage_page.write(*answers, tmp_path, source="x", rows=1)


# ---- files


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"shop;day;sales\n", "no rows"),
        (b"shop,day,sales\na,2045-06-17\n", "2 fields in line 2 and 3 in its header"),
        (b"shop,day,sales\na,2045-06-17,12\x00\n", "zero bytes"),
        ("shop,day,sales\nCaf\u00e9,2045-06-17,12\n".encode("latin-1"), "not UTF-8"),
        (b"PK\x03\x04rest", "zip archive"),
        (b"PAR1 but no more", "cannot be read to its end"),
        (b"shop,day,sales\na,2045-06-17,abc\n", "no number"),
        (b'shop,day,sales\na,2045-06-17,"1,5"\n', "comma"),
        (b"shop,day,sales\na,2045-06-17T10:00:00Z,5\n", "zone"),
        (b"shop,day,day\na,2045-06-17,5\n", "names a column twice"),
        (b"shop day sales\na 2045-06-17 5\n", "one column only"),
        (b"shop,day,sales\na,20450617,5\nb,20450618,6\n", "dates without hyphens"),
    ],
)
def test_a_bad_file_is_refused_by_name(tmp_path, content, message):
    path = tmp_path / "sales.csv"
    path.write_bytes(content)
    with pytest.raises(ContractError, match=message):
        files.read_panel(path, unit="shop", time="day", outcome="sales")


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_any_usual_mark_between_fields_will_do(tmp_path, mark):
    path = tmp_path / "sales.txt"
    rows = "\ufeffshop,day,sales\n007,2045-06-17,5.5\n008,2045-06-18,\n".replace(",", mark)
    path.write_text(rows, encoding="utf-8")
    frame = files.read_panel(path, unit="shop", time="day", outcome="sales")
    assert frame.rows() == [("007", "2045-06-17", 5.5), ("008", "2045-06-18", None)]


# ---- the notebook


def test_lab_your_data_runs_as_it_stands(tmp_path):
    source = provenance.root() / "notebooks" / "lab-your-data.ipynb"
    shutil.copy(source, tmp_path)
    notebook = nbformat.read(source, as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    page = (tmp_path / "outage.html").read_text(encoding="utf-8")
    assert "the bundled example (synthetic)" in page
    assert Path(tmp_path, "outage.html").stat().st_size > 20_000


# ---- wishes are not swallowed


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--example", "--treated", "shop-04"], "--treated would be ignored"),
        (["--example", "sales.csv"], "sales.csv would be ignored"),
        (["sales.csv", *ASKED, "--outages", "dark.csv", "--start", "2045-06-17"], "leave --treated, --start"),
        (["--example", "--compare", "--no-calibrate"], "--compare judges methods by their placebos"),
        (["--example", "--compare", "--inference", "units"], "leave --no-calibrate and --inference out"),
        (["--example", "--compare", "--method", "magic"], "no method 'magic'"),
        (["--example", "--season", "0"], "from 1"),
    ],
)
def test_what_would_be_ignored_is_refused(capsys, words, message):
    code, out, err = said(capsys, *words)
    assert (code, out) == (2, "")
    assert message in err


def test_a_method_that_could_not_be_used_is_not_replaced_by_another(capsys, tmp_path):
    alone = example.example_panel().filter(pl.col("shop") == "shop-03")
    path = tmp_path / "alone.csv"
    alone.write_csv(path)
    code, _, err = said(capsys, str(path), *ASKED, *WHEN, "--compare", "--method", "did")
    assert code == 2
    assert "did could not be used" in err


def test_several_outages_come_as_a_table(capsys, tmp_path, panel):
    dark = tmp_path / "dark.csv"
    dark.write_text(
        "store_id,start,end,share_down\nshop-03,2045-06-17,2045-06-17,1\nshop-03,2045-06-19,2045-06-19,0.5\n"
    )
    words = ["--outages", str(dark), "--no-calibrate", "--method", "did", "--json"]
    columns = ["--unit", "shop", "--time", "day", "--outcome", "sales_usd"]
    code, out, _ = said(capsys, str(panel), *columns, *words)
    assert code == 0
    assert json.loads(out)["cells"] == 2


def test_inference_and_anticipation_are_passed_on(capsys):
    words = ["--method", "synthetic_control", "--inference", "units", "--anticipation", "2", "--no-calibrate"]
    code, out, _ = said(capsys, "--example", *words, "--json")
    assert code == 0
    assert "other units in the same days" in json.loads(out)["interval"]


def test_the_example_is_labelled_where_it_is_read(answers):
    assert "Evidence: synthetic" in outage_page.html(
        *answers, source="the bundled example (synthetic)", rows=9
    )
    assert "Evidence: synthetic" not in outage_page.html(*answers, source="sales.csv", rows=9)


def test_a_page_that_cannot_be_written_whole_leaves_nothing(answers, tmp_path, monkeypatch):
    page = tmp_path / "page.html"
    page.write_text("before")

    def full(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(page), "replace", full)
    with pytest.raises(ContractError, match="could not be written whole"):
        outage_page.write(*answers, page, source="x", rows=1)
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    assert page.read_text() == "before"


def test_json_says_what_it_is_about(capsys):
    words = ["--method", "did", "--placebos", "30", "--json"]
    _, out, _ = said(capsys, "--example", *words)
    told = json.loads(out)
    assert told["evidence"] == "synthetic"
    assert told["true_effect"] == pytest.approx(example.example_truth()["effect"].sum())
    assert told["outages"] == [
        {"units": ["shop-03"], "start": "2045-06-17", "end": "2045-06-19", "share_down": 0.9}
    ]


def test_fewer_placebos_than_asked_for_are_told_and_so_is_a_p_value_at_its_end(answers):
    found = answers[0]
    assert found.question.placebos == 30
    few = estimate_outage(
        example.example_panel(),
        example.example_outage(),
        unit="shop",
        time="day",
        outcome="sales_usd",
        method="did",
    )
    tried = few.calibration.placebos.height
    assert tried < few.question.placebos
    assert any(note.startswith(f"{tried} placebos were tried") for note in few.notes)
    page = outage_page.html(few, None, source="x.csv", rows=9)
    assert few.pvalue == pytest.approx(1 / (tried + 1))
    assert "the smallest that so few runs allow" in page
