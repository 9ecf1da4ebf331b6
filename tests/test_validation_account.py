"""What the committed proofs of accounts say, and that a small seeded part of them comes out again."""

from __future__ import annotations

import polars as pl
import pytest

from grocery_spheres.charts import account_counts, account_proofs
from grocery_spheres.validation import read, stale
from grocery_spheres.validation.account_injected_proof import NEVER, PARTS
from grocery_spheres.validation.subjects import subject

NET = ("forgone", "dark stores' net loss")


@pytest.mark.parametrize("part", NET)
@pytest.mark.parametrize("level", [90, 95])
def test_intervals_of_net_losses_hold_within_three_points(part, level):
    row = account_proofs.held_rows().filter(part=part, level=level).row(0, named=True)
    assert row["outages"] >= 350
    assert abs(row["coverage"] - level) <= 3


def test_little_is_found_where_nothing_happened():
    for row in account_proofs.never_rows().to_dicts():
        assert row["low"] <= 5, row["part"]
        assert row["found at 5 %"] <= 8, row["part"]


def test_small_counties_are_covered():
    rows = account_proofs.small_coverage()
    assert rows["intervals"].min() >= 200
    assert rows["coverage"].is_between(0.85, 0.95).all()


def test_diversion_is_right_on_average():
    counts = account_counts.county_counts()
    assert abs(counts["account.error_independent"][0]) <= 2
    assert abs(counts["account.error_chain"][0]) <= 4
    assert abs(counts["account.error_retention"][0]) <= 2


def test_two_stores_that_share_customers_do_not_gain_from_each_other():
    row = account_proofs.two_stores().filter(part="diverted").row(0, named=True)
    assert abs(row["bias"]) <= 3 * row["mc_error"]
    assert row["replications"] >= 100


def test_tables_are_whole_and_not_older_than_the_code():
    for name in ("account_county", "account_injected"):
        assert stale(name) is None
        assert read(name)["seed"].n_unique() == subject(name).replications
    whole = read("account_injected").filter(pl.col("part").is_in(PARTS))
    assert account_proofs.refused() == 0
    never = whole.filter(reaction=NEVER, part="lost")
    assert (never["truth"].abs() == 0).all()


@pytest.mark.parametrize(("name", "seed"), [("account_injected", 2), ("account_county", 150)])
def test_a_seed_comes_out_again(name, seed):
    again = pl.DataFrame(subject(name).replicate(seed), infer_schema_length=None)
    kept = read(name).filter(seed=seed)
    assert again.height == kept.height
    for column in ("estimate", "low", "high", "pvalue"):
        mine, theirs = again[column].to_list(), kept[column].to_list()
        assert mine == pytest.approx(theirs, rel=1e-4, abs=1e-4, nan_ok=True)
