"""Do methods agree? Judged on the same placebos, all pairs together, and not where that cannot be told."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from grocery_spheres.outage import agreement
from grocery_spheres.outage.agreement import DISAGREE, UNJUDGED, compare_methods
from grocery_spheres.outage.outages import Outage
from grocery_spheres.tables import ContractError

DAYS, START, END = 120, 103, 105
COLUMNS = {"unit": "shop", "time": "day", "outcome": "sales"}


def long(table):
    days = [dt.date(2045, 3, 6) + dt.timedelta(days=n) for n in range(table.shape[1])]
    names = [f"s{n:02d}" for n in range(len(table))]
    return pl.DataFrame(
        {
            "shop": np.repeat(names, table.shape[1]),
            "day": days * len(table),
            "sales": table.ravel(),
        }
    )


def stepped(units=12, step=0.0, seed=2):
    """Shops that move together; the first steps to another level five days before it goes dark."""
    rng = np.random.default_rng(seed)
    table = 100.25 + np.cumsum(rng.normal(0, 0.5, DAYS)) + rng.normal(0, 1, (units, DAYS))
    table[0, START - 5 :] += step
    table[0, START : END + 1] -= 30
    return table


def dark(units=("s00",)):
    day = dt.date(2045, 3, 6)
    return Outage(list(units), day + dt.timedelta(days=START), day + dt.timedelta(days=END))


def test_with_the_placebos_of_a_small_panel_a_plain_disagreement_is_called_one():
    methods = ["structural", "synthetic_control", "did", "seasonal_naive"]
    compared = compare_methods(long(stepped(step=40)), dark(), methods=methods, **COLUMNS)
    assert compared.verdict == DISAGREE
    assert any("all pairs looked at together" in reason for reason in compared.reasons)


def test_pairs_are_looked_at_together():
    compared = compare_methods(
        long(stepped()), dark(), methods=["did", "synthetic_control", "seasonal_naive"], **COLUMNS
    )
    errors = np.array(
        [one.calibration.placebos["error"].to_numpy() * one.study.cells for one in compared.results]
    )
    pairs = [(0, 1), (0, 2), (1, 2)]
    chance = np.abs([errors[a] - errors[b] for a, b in pairs])
    most = (chance / np.sqrt((chance**2).mean(axis=1, keepdims=True))).max(axis=0)
    for (a, b), one, row in zip(pairs, chance, compared.differences.to_dicts(), strict=True):
        apart = abs(compared.results[a].cumulative - compared.results[b].cumulative)
        larger = (most >= apart / np.sqrt((one**2).mean()) * (1 - 1e-12)).sum()
        assert row["pvalue"] == pytest.approx((1 + larger) / (len(most) + 1))


def test_too_few_placebos_judge_nothing():
    compared = compare_methods(
        long(stepped(step=40)), dark(), methods=["did", "seasonal_naive"], placebos=10, **COLUMNS
    )
    assert compared.verdict == UNJUDGED
    assert not compared.judgeable


def test_with_several_dark_units_each_placebo_is_held_against_itself():
    table = stepped(16)
    table[:4, START : END + 1] -= 30
    asked = {"methods": ["did", "synthetic_control"], "placebos": 60}
    compared = compare_methods(long(table), dark(["s00", "s01", "s02", "s03"]), **asked, **COLUMNS)
    one, other = (found.calibration.placebos for found in compared.results)
    assert agreement._shared(compared.results).shape == (2, len(one))
    assert one["placebo"].to_list() == other["placebo"].to_list()


def test_where_no_placebo_is_shared_agreement_cannot_be_told():
    table = stepped(3)  # two others cannot be dealt out as two dark ones and a comparison
    asked = {"methods": ["did", "synthetic_control"], "placebos": 60}
    compared = compare_methods(long(table), dark(["s00", "s01"]), **asked, **COLUMNS)
    assert compared.differences["pvalue"].null_count() == 1
    assert compared.verdict == agreement.UNTOLD


@pytest.mark.parametrize("methods", ["did", [], ["did", "did"]])
def test_methods_are_a_list_of_different_ones(methods):
    with pytest.raises(ContractError, match="give a list of different ones"):
        compare_methods(long(stepped()), dark(), methods=methods, **COLUMNS)
