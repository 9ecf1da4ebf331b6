"""Models of choice: printed results, exact derivatives, what follows from them, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from statsmodels.datasets import modechoice
from statsmodels.discrete.conditional_models import ConditionalLogit
from xlogit import MixedLogit

import grocery_spheres as gs
from grocery_spheres.choice import ChoiceError, mixed
from grocery_spheres.choice.draws import normal_draws
from grocery_spheres.choice.likelihood import shares

MODES = {1: "air", 2: "train", 3: "bus", 4: "car"}
GREENE = {
    "is air": 5.207443,
    "is train": 3.869043,
    "is bus": 3.163194,
    "gc": -0.015502,
    "ttme": -0.096125,
    "hinc_air": 0.013287,
}  # as printed (research/demand.md, section 1.3), confirmed by seven codes
TRAVEL = {
    "situation": "individual",
    "option": "way",
    "chosen": "choice",
    "covariates": ["gc", "ttme", "hinc_air"],
    "intercepts": ["air", "train", "bus"],
}


@pytest.fixture(scope="module")
def travel():
    table = pl.from_pandas(modechoice.load_pandas().data)
    return table.with_columns(
        way=pl.col("mode").replace_strict(MODES, return_dtype=pl.String),
        hinc_air=pl.col("hinc") * (pl.col("mode") == 1),
    )


@pytest.fixture(scope="module")
def greene(travel):
    return gs.fit_choice(travel, **TRAVEL)


def shoppers(persons=150, trips=8, spread=1.0, seed=0):
    """Persons with a normal taste for `x`, who choose among four options."""
    rng = np.random.default_rng(seed)
    shape = (persons, trips, 4)
    taste = 0.5 + spread * rng.normal(size=(persons, 1, 1))
    x, z = rng.normal(size=shape), 10 * rng.normal(size=shape)
    best = (taste * x - 0.1 * z + rng.gumbel(size=shape)).argmax(axis=2)
    rows = {
        "person": np.repeat(np.arange(persons), trips * 4),
        "trip": np.repeat(np.arange(persons * trips), 4),
        "store": np.tile(np.arange(4), persons * trips),
        "x": x.ravel(),
        "z": z.ravel(),
        "went": (np.arange(4) == best[..., None]).ravel(),
    }
    return pl.DataFrame(rows)


ASKED = {
    "situation": "trip",
    "option": "store",
    "chosen": "went",
    "covariates": ["x", "z"],
    "person": "person",
}


@pytest.fixture(scope="module")
def mixture():
    return gs.fit_choice(shoppers(), **ASKED, random=["x"], draws=100)


# ---- printed results


def test_greenes_travel_mode(greene):
    assert greene.params == pytest.approx(GREENE, abs=1e-4)
    assert greene.llf == pytest.approx(-199.128369, abs=1e-5)


def test_standard_errors_are_those_of_statsmodels(travel, greene):
    ones = [(travel["way"] == way).cast(pl.Float64).to_numpy() for way in ("air", "train", "bus")]
    terms = np.column_stack([*ones, *(travel[name].to_numpy() for name in TRAVEL["covariates"])])
    other = ConditionalLogit(travel["choice"].to_numpy(), terms, groups=travel["individual"].to_numpy())
    fit = other.fit(method="newton", disp=False)
    assert list(greene.params.values()) == pytest.approx(list(fit.params), abs=1e-5)
    assert list(greene.bse.values()) == pytest.approx(list(fit.bse), rel=1e-4)


def test_air_closes(travel, greene):
    """Diversion and surplus of a conditional logit, worked out by hand."""
    beta = np.array(list(greene.params.values()))
    wide = travel.sort("individual", "way")
    ones = [(wide["way"] == way).cast(pl.Float64).to_numpy() for way in ("air", "train", "bus")]
    terms = np.column_stack([*ones, *(wide[name].to_numpy() for name in TRAVEL["covariates"])])
    weight = np.exp(terms @ beta).reshape(-1, 4)  # air, bus, car, train
    before = weight / weight.sum(axis=1, keepdims=True)
    after = weight[:, 1:] / weight[:, 1:].sum(axis=1, keepdims=True)
    gain = (after - before[:, 1:]).sum(axis=0)
    found = greene.diversion("air")
    assert found["option"].to_list() == ["bus", "car", "train"]
    assert found["gain"].to_list() == pytest.approx(gain, rel=1e-9)
    assert found["diversion"].to_list() == pytest.approx(gain / before[:, 0].sum(), rel=1e-9)
    assert found["diversion"].sum() == pytest.approx(1.0)
    lost = np.log(weight[:, 1:].sum(axis=1) / weight.sum(axis=1)).mean() / -greene.params["gc"]
    worth = greene.surplus("air", "gc")
    assert worth["mean"] == pytest.approx(lost, rel=1e-9)
    assert worth["low"] < worth["mean"] < worth["high"] < 0
    assert worth["total"] == pytest.approx(210 * lost)


def test_elasticities_are_slopes(travel, greene):
    found = greene.elasticities("gc")
    more = travel.with_columns(gc=pl.when(pl.col("way") == "car").then(pl.col("gc") * 1.0001).otherwise("gc"))
    before, after = (
        one.group_by("way").agg(pl.sum("chance")).sort("way")["chance"].to_numpy()
        for one in (greene.predict(travel), greene.predict(more))
    )
    to_car = found.filter(to="car").sort("of")["elasticity"].to_numpy()
    assert to_car == pytest.approx((after / before - 1) / 0.0001, rel=1e-3)


# ---- numbers do not depend on scale, order or packaging


def test_scale_and_order_change_nothing(travel, greene):
    huge = travel.with_columns(gc=1e7 * pl.col("gc")).sample(fraction=1.0, shuffle=True, seed=3)
    again = gs.fit_choice(huge.to_pandas(), **TRAVEL)
    assert again.llf == pytest.approx(greene.llf, abs=1e-8)
    assert 1e7 * again.params["gc"] == pytest.approx(greene.params["gc"], rel=1e-6)


def test_chances_sum_to_one_and_minus_infinity_is_never_chosen():
    starts, of_row = np.array([0, 3]), np.array([0, 0, 0, 1, 1])
    chances, logsum = shares(np.array([800.0, -np.inf, 800.0, 0.0, 0.0]), starts, of_row)
    assert chances.tolist() == [0.5, 0.0, 0.5, 0.5, 0.5]
    assert np.isfinite(logsum).all()


# ---- mixed logit


def test_derivatives_of_the_mixed_logit_are_exact(mixture):
    data = replace(mixture.data, terms=mixture.data.terms / mixture.scale)
    at = mixed.slopes(data, mixture.random, mixture.standard)
    theta, step = np.array([0.3, -0.5, 0.6]), 1e-5
    _, gradient, hessian = at(theta)
    moved = [(at(theta + step * axis), at(theta - step * axis)) for axis in np.eye(3)]
    assert gradient == pytest.approx([(up[0] - down[0]) / (2 * step) for up, down in moved], rel=1e-6)
    numeric = np.array([(up[1] - down[1]) / (2 * step) for up, down in moved])
    assert np.abs(numeric - hessian).max() < 1e-6 * np.abs(hessian).max()


def test_the_mixed_logit_is_the_mean_over_draws_person_by_person(mixture):
    """The simulated likelihood, worked out with loops."""
    rows = shoppers().to_pandas()
    beta = np.array(list(mixture.params.values()))
    total = 0.0
    for place, (_, mine) in enumerate(rows.groupby("person")):
        each = np.ones(mixture.standard.shape[1])
        for _, trip in mine.groupby("trip"):
            taste = beta[0] + beta[2] * mixture.standard[place, :, 0]
            utility = trip["x"].to_numpy()[:, None] * taste + beta[1] * trip["z"].to_numpy()[:, None]
            weight = np.exp(utility)
            each *= weight[trip["went"].to_numpy()][0] / weight.sum(axis=0)
        total += np.log(each.mean())
    assert mixture.llf == pytest.approx(total, abs=1e-6)


def test_xlogit_agrees_with_the_same_draws(mixture, monkeypatch):
    """Independent package: it is handed our draws, and must end at our coefficients."""
    drawn = mixture.standard.transpose(0, 2, 1)
    monkeypatch.setattr(MixedLogit, "_generate_draws", lambda *_args, **_named: drawn.copy())
    rows = shoppers().sort("person", "trip", "store")
    other = MixedLogit()
    other.fit(
        X=rows.select("x", "z").to_numpy(),
        y=rows["went"].cast(pl.Int64).to_numpy(),
        varnames=["x", "z"],
        ids=rows["trip"].to_numpy(),
        panels=rows["person"].to_numpy(),
        alts=rows["store"].to_numpy(),
        randvars={"x": "n"},
        n_draws=100,
        verbose=0,
        tol_opts={"ftol": 1e-12, "gtol": 1e-7},
    )
    theirs = dict(zip(other.coeff_names, other.coeff_, strict=True))
    assert other.loglikelihood == pytest.approx(mixture.llf, abs=1e-4)
    assert theirs["x"] == pytest.approx(mixture.params["x"], abs=1e-3)
    assert theirs["z"] == pytest.approx(mixture.params["z"], abs=1e-4)
    assert abs(theirs["sd.x"]) == pytest.approx(mixture.params["spread of x"], abs=1e-3)


def test_tastes_are_recovered():
    found = gs.fit_choice(shoppers(persons=500, trips=10, seed=4), **ASKED, random=["x"], draws=150)
    for name, true in (("x", 0.5), ("z", -0.1), ("spread of x", 1.0)):
        low, high = found.conf_int(0.01)[name]
        assert low <= true <= high, name
    plain = gs.fit_choice(shoppers(persons=500, trips=10, seed=4), **ASKED)
    assert found.llf > plain.llf + 50
    assert "spread of x" in found.summary()


def test_history_tells_persons_apart(mixture):
    table = shoppers()
    ones = table.select("person", "trip", "store", "x", "z")
    with_it, without = (mixture.predict(ones, history=known) for known in (True, False))
    assert with_it.group_by("trip").agg(pl.sum("chance"))["chance"].to_numpy() == pytest.approx(1.0)
    taken = table.filter("went").select("trip", "store")
    fits = [one.join(taken, on=["trip", "store"])["chance"].log().sum() for one in (with_it, without)]
    assert fits[0] > fits[1] + 10
    strangers = ones.with_columns(pl.col("person") + 10_000, pl.col("trip") + 10_000)
    new = mixture.predict(strangers)["chance"].to_numpy()
    assert np.isfinite(new).all()


def test_diversion_under_mixed_tastes_is_not_proportional():
    """Two alike options and one other: those who liked one of the alike go to its like."""
    rng = np.random.default_rng(5)
    persons, trips = 300, 8
    liking = 2.5 * rng.normal(size=(persons, 1, 1))
    kind = np.broadcast_to(np.array([1.0, 1.0, 0.0]), (persons, trips, 3))
    best = (liking * kind + rng.gumbel(size=kind.shape)).argmax(axis=2)
    table = pl.DataFrame(
        {
            "person": np.repeat(np.arange(persons), trips * 3),
            "trip": np.repeat(np.arange(persons * trips), 3),
            "store": np.tile(["sphere", "drone", "leo"], persons * trips),
            "virtual": kind.ravel(),
            "went": (np.arange(3) == best[..., None]).ravel(),
        }
    )
    asked = {**ASKED, "covariates": ["virtual"]}
    found = gs.fit_choice(table, **asked, random=["virtual"], draws=150)
    plain = gs.fit_choice(table, **asked)
    mix, iia = (one.diversion("sphere").filter(option="drone")["diversion"].item() for one in (found, plain))
    assert mix > iia + 0.2


def test_draws_are_told_to_matter_little_or_much(mixture):
    told = mixture.redrawn([25, 50, 100])
    assert told["draws"].to_list() == [25, 50, 100]
    assert told["llf"][-1] == pytest.approx(mixture.llf)
    assert normal_draws(4, 10, 1, 3).tolist() == normal_draws(4, 10, 1, 3).tolist()


def test_errors_by_person_are_wider_where_tastes_are_shared():
    plain = gs.fit_choice(shoppers(spread=1.5), **ASKED)
    usual, clustered = (np.sqrt(np.diag(plain.cov_params(kind))) for kind in ("nonrobust", "person"))
    assert clustered[0] > 1.3 * usual[0]


# ---- refusals


def broken(change):
    return shoppers(persons=30, trips=4).pipe(change)


@pytest.mark.parametrize(
    ("change", "asked", "words"),
    [
        (lambda t: t.with_columns(went=pl.lit(1)), {}, "not just one option is chosen"),
        (lambda t: t.with_columns(went=2 * pl.col("went").cast(pl.Int64)), {}, "holds 2: 1 "),
        (lambda t: t.with_columns(went=pl.lit("yes")), {}, "give true and false"),
        (lambda t: pl.concat([t, t.head(1)]), {}, "stands twice in the situation"),
        (lambda t: t.with_columns(person=pl.col("person") + pl.col("store") // 3), {}, "several persons"),
        (lambda t: t.with_columns(x=pl.lit(float("nan"))), {}, "no finite `x`"),
        (lambda t: t.with_columns(x=pl.lit("a")), {}, "covariate `x` holds"),
        (
            lambda t: t.with_columns(x=pl.col("person").cast(pl.Float64)),
            {},
            "`x` is the same for all options",
        ),
        (lambda t: t.filter("went"), {}, "has two options"),
        (lambda t: t.head(0), {}, "has no rows"),
        (lambda t: t, {"covariates": ["y"]}, "lacks the column `y`"),
        (lambda t: t, {"covariates": []}, "nothing tells options apart"),
        (lambda t: t, {"intercepts": [9]}, "which is no option"),
        (lambda t: t, {"intercepts": "some"}, "`intercepts` is 'some'"),
        (lambda t: t, {"random": ["y"]}, "`random` names 'y'"),
        (lambda t: t, {"random": "x"}, "`random` is 'x'"),
        (lambda t: t, {"random": ["x"], "person": None}, "need `person`"),
        (lambda t: t, {"random": ["x"], "draws": 1}, "`draws` is 1"),
    ],
)
def test_what_is_refused(change, asked, words):
    with pytest.raises(gs.ContractError, match=words):
        gs.fit_choice(broken(change), **{**ASKED, **asked})


def test_an_option_that_is_never_chosen_is_named():
    table = shoppers(persons=30, trips=4)
    never = table.filter(~((pl.col("store") == 3) & pl.col("went")))
    left = never.filter(pl.col("went").any().over("trip"))
    with pytest.raises(ChoiceError, match="option 3 is never chosen"):
        gs.fit_choice(left, **ASKED, intercepts=[1, 2, 3])
    assert gs.fit_choice(left, **ASKED, intercepts=[1, 2]).params


def test_separation_is_named():
    table = shoppers(persons=30, trips=4).with_columns(sure=pl.col("went").cast(pl.Float64))
    with pytest.raises(ChoiceError, match="`sure` runs away"):
        gs.fit_choice(table, **{**ASKED, "covariates": ["x", "sure"]})


def test_a_singular_hessian_names_its_terms():
    table = shoppers(persons=30, trips=4).with_columns(twice=2 * pl.col("x") + pl.col("trip"))
    with pytest.raises(ChoiceError, match="`x`, `twice`|`twice`, `x`"):
        gs.fit_choice(table, **{**ASKED, "covariates": ["x", "z", "twice"]})


def test_intercepts_of_all_options_are_one_too_many():
    with pytest.raises(ChoiceError, match="singular"):
        gs.fit_choice(shoppers(persons=30, trips=4), **ASKED, intercepts=[0, 1, 2, 3])
    found = gs.fit_choice(shoppers(persons=30, trips=4), **ASKED, intercepts="all but the first")
    assert [name for name in found.params if name.startswith("is ")] == ["is 1", "is 2", "is 3"]


def test_what_does_not_follow_is_refused(greene, mixture, travel):
    with pytest.raises(gs.ContractError, match="'ship' is no option"):
        greene.diversion("ship")
    with pytest.raises(gs.ContractError, match="`money` is 'price'"):
        greene.surplus("air", "price")
    with pytest.raises(gs.ContractError, match="must lower utility"):
        greene.surplus("air", "hinc_air")
    with pytest.raises(gs.ContractError, match="not among those"):
        greene.predict(travel.with_columns(way=pl.lit("ship") + pl.col("way")))
    with pytest.raises(gs.ContractError, match="needs no draws"):
        greene.redrawn([10])
    with pytest.raises(gs.ContractError, match="conditional logit only"):
        mixture.cov_params("person")
    with pytest.raises(gs.ContractError, match="`kind` is 'hac'"):
        greene.cov_params("hac")


def test_a_situation_in_which_nothing_else_was_available_has_nowhere_to_go(greene, travel):
    alone = travel.filter((pl.col("way") == "air") | (pl.col("individual") > 1))
    found = greene.diversion("air", alone)
    rest = greene.diversion("air", travel.filter(pl.col("individual") > 1))
    assert found["gain"].to_list() == pytest.approx(rest["gain"].to_list())
    assert found["diversion"].sum() == pytest.approx(1.0)
