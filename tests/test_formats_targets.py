"""A profile against its target: levels in per cent, shares in points, and no row lost."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from grocery_spheres.formats import compare_profiles, shopping_profile
from grocery_spheres.tables import ContractError


def profile(*rows):
    names = ["measure", "statistic", "unit", "value"]
    return pl.DataFrame(
        rows, schema=dict.fromkeys(names[:3], pl.String) | {"value": pl.Float64}, orient="row"
    )


def judged(unit, target, reached, **allowances):
    one, other = (profile(("a", "mean", unit, value)) for value in (target, reached))
    return compare_profiles(one, other, **allowances).row(0, named=True)


@pytest.mark.parametrize(
    ("unit", "target", "reached", "difference", "within"),
    [
        ("USD", 30.0, 33.0, 10.0, True),  # 10 % is allowed, and binary rounding is not held against it
        ("USD", 30.0, 33.1, 31 / 3, False),
        ("USD", 30.0, 27.0, -10.0, True),
        ("days", -4.0, -5.0, -25.0, False),
        ("share", 0.50, 0.53, 3.0, True),
        ("share", 0.50, 0.46, -4.0, False),
        ("share", 0.0, 0.02, 2.0, True),
        ("USD", 0.0, 0.0, 0.0, True),
    ],
)
def test_levels_are_judged_in_per_cent_and_shares_in_points(unit, target, reached, difference, within):
    row = judged(unit, target, reached)
    assert row["difference"] == pytest.approx(difference)
    assert (row["difference_unit"], row["allowed"]) == (("points", 3.0) if unit == "share" else ("%", 10.0))
    assert row["within"] is within


def test_no_per_cent_of_a_zero_target_can_be_told():
    row = judged("USD", 0.0, 1.0)
    assert row["difference"] is None
    assert row["within"] is False


def test_the_allowances_are_the_callers():
    assert judged("USD", 10.0, 12.0, tolerance=0.2)["within"] is True
    assert judged("share", 0.1, 0.15, points=4)["within"] is False


def test_a_row_of_one_table_only_is_a_named_miss():
    shared = ("a", "mean", "USD", 1.0)
    compared = compare_profiles(
        profile(("gone", "mean", "share", 0.2), shared), profile(shared, ("new", "median", "USD", 2.0))
    )
    assert compared.select("measure", "unit", "target", "reached", "difference", "within").rows() == [
        ("gone", "share", 0.2, None, None, False),
        ("a", "USD", 1.0, 1.0, 0.0, True),
        ("new", "USD", None, 2.0, None, False),
    ]


def test_a_profile_reaches_itself(groceries):
    some = groceries.lines.filter(pl.col("household_id") <= 50)
    made = shopping_profile(some, groceries.products, intervals=False)
    compared = compare_profiles(made, made.to_pandas())
    assert compared["within"].all()
    assert_frame_equal(compared.select("measure", "statistic"), made.select("measure", "statistic"))


@pytest.mark.parametrize(
    ("target", "reached", "said"),
    [
        (profile(("a", "mean", "USD", 1.0)), profile(("a", "median", "USD", 1.0)), "no row in common"),
        (profile(), profile(("a", "mean", "USD", 1.0)), "no row in common"),
        (profile(), profile(), "no row in common"),
        (profile(("a", "mean", "USD", 1.0)), profile(("a", "mean", "EUR", 1.0)), "'USD' in the target"),
        (
            profile(("a", "mean", "USD", 1.0), ("a", "mean", "USD", 2.0)),
            profile(("a", "mean", "USD", 1.0)),
            "`target` has the row 'a', 'mean' twice",
        ),
        (
            profile(("a", "mean", "USD", 1.0)),
            profile(("a", "mean", "USD", 1.0)).drop("unit"),
            "`reached` lacks the column `unit`",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(target, reached, said):
    with pytest.raises(ContractError, match=said):
        compare_profiles(target, reached)


@pytest.mark.parametrize("wrong", [{"tolerance": -0.1}, {"points": float("nan")}])
def test_an_allowance_below_zero_is_refused(wrong):
    one = profile(("a", "mean", "USD", 1.0))
    with pytest.raises(ContractError, match=f"`{next(iter(wrong))}` is "):
        compare_profiles(one, one, **wrong)
