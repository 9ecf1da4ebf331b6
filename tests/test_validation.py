"""Long proofs: run in any number of processes, taken up again, written whole, known when they are old."""

from __future__ import annotations

import json
from dataclasses import replace

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from grocery_spheres import provenance, validation
from grocery_spheres.__main__ import main
from grocery_spheres.validation import runs, subjects, tables
from grocery_spheres.validation.subjects import Subject, ValidationError


def squares(seed: int) -> list[dict]:
    """One replication of a proof that is quick: module level, so that worker processes find it."""
    return [
        {"what": "square", "estimate": float(seed**2), "truth": None},
        {"what": "third", "estimate": seed / 3},
    ]


PROOF = Subject("squares", "Are squares squares?", squares, 4, ("schema", "validation"))


@pytest.fixture
def place(tmp_path, monkeypatch):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.setenv(provenance.ROOT_VARIABLE, str(tmp_path))
    monkeypatch.setenv(provenance.DATA_VARIABLE, str(tmp_path / "data"))
    return tmp_path / "reports" / "validation"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_proof_ends_in_a_table_and_a_stamp(place, workers):
    path = runs.run(PROOF, workers=workers)
    assert path == place / "squares.csv"
    table = pl.read_csv(path)
    assert table.columns == ["seed", "what", "estimate", "truth"]
    assert table["seed"].to_list() == [1, 1, 2, 2, 3, 3, 4, 4]
    assert table.filter(what="third")["estimate"].to_list() == [0.333333, 0.666667, 1.0, 1.333333]
    stamp = json.loads((place / "squares.json").read_text())
    assert (stamp["replications"], stamp["code"]) == (4, tables.fingerprint(PROOF.rests_on))
    assert sorted(one.name for one in place.iterdir()) == ["squares.csv", "squares.json"]


def test_a_run_that_was_stopped_goes_on_where_it_was(place, tmp_path):
    asked = []

    def failing(seed):
        asked.append(seed)
        if seed == 3 and asked.count(3) == 1:
            raise KeyboardInterrupt
        return squares(seed)

    with pytest.raises(KeyboardInterrupt):
        runs.run(replace(PROOF, replicate=failing))
    assert not place.exists(), "no half of a table"
    (notes,) = (tmp_path / "data" / "validation").iterdir()
    notes.write_text(notes.read_text() + '{"seed": 4, "ro', encoding="utf-8")  # cut short
    runs.run(replace(PROOF, replicate=failing))
    assert asked == [1, 2, 3, 3, 4]
    assert pl.read_csv(place / "squares.csv")["seed"].n_unique() == 4


def test_changed_code_begins_anew_and_makes_the_table_old(place, monkeypatch):
    runs.run(PROOF)
    monkeypatch.setattr(subjects, "_HOMES", {"squares": "none"})
    monkeypatch.setattr(tables, "subject", lambda name: PROOF)
    assert validation.stale("squares") is None
    monkeypatch.setattr(tables, "fingerprint", lambda modules: "another")
    assert "make validate SUBJECT=squares" in validation.stale("squares")
    asked = []
    runs.run(replace(PROOF, replicate=lambda seed: asked.append(seed) or squares(seed)))
    assert asked == [1, 2, 3, 4]


def test_a_fingerprint_follows_every_module_of_a_package(tmp_path, monkeypatch):
    package = tmp_path / "package"
    (package / "deep").mkdir(parents=True)
    (package / "deep" / "a.py").write_text("1")
    (package / "deep" / "b.py").write_text("2")
    monkeypatch.setattr(tables, "_PACKAGE", package)
    before = tables.fingerprint(["deep"])
    (package / "deep" / "b.py").write_text('"""Said of it."""\n\n# and here\n2')
    assert tables.fingerprint(["deep"]) == before
    (package / "deep" / "b.py").write_text("3")
    assert tables.fingerprint(["deep"]) != before
    with pytest.raises(ValidationError, match="rests on 'gone'"):
        tables.fingerprint(["gone"])


@pytest.mark.parametrize("name", subjects.NAMES)
def test_each_subject_rests_on_modules_that_there_are_and_is_committed(name):
    proof = subjects.subject(name)
    assert proof.name == name
    assert proof.replications >= 200
    assert tables.fingerprint(proof.rests_on)
    table = validation.read(name)
    assert table["seed"].n_unique() == proof.replications


QUICK = {"designs": 150, "injected": 300}  # seeds without the methods that take hundreds of fits


@pytest.mark.parametrize("name", subjects.NAMES)
def test_a_replication_run_today_is_the_one_that_is_committed(name):
    seed = QUICK.get(name, 3)
    again = pl.DataFrame(subjects.subject(name).replicate(seed), infer_schema_length=None)
    committed = validation.read(name).filter(pl.col("seed") == seed).drop("seed")
    assert_frame_equal(again, committed.cast(dict(again.schema)), abs_tol=1e-5, rel_tol=1e-5)


def test_an_unknown_subject_is_refused_in_one_line(capsys):
    assert main(["validate", "weather"]) == 2
    assert (
        "There is no subject 'weather'; there are: entry, formats, designs, injected, account_county, "
        "account_injected." in capsys.readouterr().err
    )


def test_a_table_that_is_not_there_names_the_command(place):
    with pytest.raises(ValidationError, match="make validate SUBJECT=entry"):
        validation.read("entry")
    assert "make validate SUBJECT=entry" in validation.stale("entry")


# ---- verdicts


def test_coverage_counts_what_had_an_interval_and_says_how_sure_it_is():
    table = pl.DataFrame({"kind": ["a"] * 4 + ["b"] * 2, "covered": [True, True, False, None, True, True]})
    found = validation.coverage(table, ["kind"])
    assert found.select("kind", "intervals", "without").rows() == [("a", 3, 1), ("b", 2, 0)]
    assert found["coverage"].to_list() == pytest.approx([2 / 3, 1.0])
    assert found["low"][1] == pytest.approx(1 / (1 + 1.959964**2 / 2)), "Wilson's bound where all of two held"


def test_bias_stands_beside_its_monte_carlo_error():
    table = pl.DataFrame({"estimate": [1.0, 2.0, 6.0], "truth": [1.0, 1.0, 1.0]})
    (row,) = validation.bias(table).rows(named=True)
    assert row["bias"] == pytest.approx(2.0)
    assert row["mc_error"] == pytest.approx((7 / 3) ** 0.5)
    assert row["rmse"] == pytest.approx((26 / 3) ** 0.5)
