"""Rates of closing with and without a newcomer: hand-worked, against lifelines, recovery, refusals.

The Rossi anchor (432 convicts, weeks to arrest, seven covariates, Efron ties; shipped with lifelines): log
partial likelihood -658.747659.
"""

import datetime as dt
import warnings

import numpy as np
import polars as pl
import pytest
from scipy import optimize, stats
from statsmodels.duration.hazard_regression import PHReg

from grocery_spheres.entry.cox import Rows, fit_cox, score_residuals
from grocery_spheres.entry.hazard import closing_hazard
from grocery_spheres.tables import ContractError, GroceryError

START, DAYS = dt.date(2044, 1, 1), 731
SPAN = {"start": START, "end": dt.date(2045, 12, 31)}


def county(seed, towns=40, ratio=2.5, frailty=0.0, every=1):
    """Five stores a town; to 28 in 40 towns a newcomer comes within the first 16 months; `every`: ties."""
    generator = np.random.default_rng(seed)
    town = np.repeat(np.arange(towns), 5)
    came = np.where(np.arange(towns) % 10 < 7, generator.integers(1, 480, towns), 9_999)[town]
    size = generator.normal(size=len(town))
    factor = np.exp(frailty * generator.normal(size=towns))[town] * np.exp(0.4 * size)
    needed = generator.exponential(1 / (0.0004 * factor))  # days at the rate without a newcomer
    lived = np.where(needed <= came, needed, came + (needed - came) / ratio)
    entered = np.where(generator.random(len(town)) < 0.2, generator.integers(1, 300, len(town)), 0)
    lived, entered = (np.ceil(one / every).astype(int) * every for one in (lived, entered))
    there = lived > entered
    return pl.DataFrame(
        {
            "store_id": np.arange(len(town)),
            "town_id": town,
            "sphere": pl.Series([date(one) if one < 9_999 else None for one in came], dtype=pl.Date),
            "closed": pl.Series([date(one - 1) if one <= DAYS else None for one in lived], dtype=pl.Date),
            "entered": pl.Series([date(one) if one else None for one in entered], dtype=pl.Date),
            "size": size,
        }
    ).filter(pl.Series(there))


TWO = pl.when(pl.col("town_id") % 2 == 0).then(dt.date(2044, 6, 1))  # in one of two towns


def date(number):
    return START + dt.timedelta(days=int(number))


def rated(table, **changes):
    return closing_hazard(table, **{"arrived": "sphere", "entered": "entered", **SPAN, **changes})


def start_stop(table):
    """The rows of start and stop, worked out here one store at a time."""
    rows = []
    for one in table.to_dicts():
        entry = (one["entered"] - START).days if one["entered"] else 0
        stop = (one["closed"] - START).days + 1 if one["closed"] else DAYS
        came = (one["sphere"] - START).days if one["sphere"] else 9_999
        shut = one["closed"] is not None
        for low, high, state in ((entry, min(stop, came), 0), (max(entry, came), stop, 1)):
            if low < high:
                rows.append(
                    (one["store_id"], one["town_id"], low, high, state, one["size"], shut and high == stop)
                )
    return pl.DataFrame(rows, ["id", "town", "start", "stop", "sphere", "size", "shut"], orient="row")


def quietly(call):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call()


def lifelines():
    return quietly(lambda: pytest.importorskip("lifelines"))


# ---- values


def test_the_coefficient_is_the_maximum_of_efrons_likelihood():
    rows = start_stop(county(1, every=30))

    def minus(params):
        rate = np.exp(rows.select("sphere", "size").to_numpy() @ params)
        total = 0.0
        for now in rows.filter("shut")["stop"].unique():
            there = ((rows["start"] < now) & (rows["stop"] >= now)).to_numpy()
            gone = (rows["shut"] & (rows["stop"] == now)).to_numpy()
            ties = gone.sum()
            for place in range(ties):
                total -= np.log(rate[there].sum() - place / ties * rate[gone].sum())
            total += np.log(rate[gone]).sum()
        return -total

    found = rated(county(1, every=30), covariates=["size"])
    best = optimize.minimize(minus, np.zeros(2), method="BFGS", options={"gtol": 1e-7})
    assert list(found.params.values()) == pytest.approx(best.x, abs=1e-5)
    assert found.cox.llf == pytest.approx(-best.fun, abs=1e-8)
    assert found.hazard_ratio == pytest.approx(np.exp(best.x[0]), abs=1e-4)


def test_a_store_counts_once_on_the_day_its_rows_meet():
    """On day 10 the newcomer comes to the towns of two stores, and another store closes on the day before."""
    table = pl.DataFrame(
        {
            "store_id": range(6),
            "town_id": range(6),
            "sphere": [date(10), date(10), date(0), date(0), None, None],
            "closed": [None, date(39), date(9), None, date(19), None],
        }
    )

    def minus(beta):  # day 10: 2 with, 4 without; day 20: 3 and 2; day 40: 3 and 1
        rate = np.exp(beta)
        return -(2 * beta - np.log(2 * rate + 4) - np.log(3 * rate + 2) - np.log(3 * rate + 1))

    best = optimize.minimize_scalar(minus)
    found = rated(table, entered=None)
    assert found.params["sphere"] == pytest.approx(best.x, abs=1e-5)
    assert found.closings == (2, 1)


def test_time_without_closings_and_far_stores_change_nothing():
    table = county(2)
    last = table["closed"].max()
    assert last < date(729)
    late = table.head(3).with_columns(pl.col("store_id") + 900, entered=pl.lit(date(730)), closed=None)
    longer = rated(pl.concat([table, late], how="vertical_relaxed"), end=dt.date(2046, 2, 1))
    assert longer.summary_frame().equals(rated(table).summary_frame())


def test_a_newcomer_from_before_the_start_is_there_from_the_start():
    table = county(3).with_columns(
        pl.when(pl.col("town_id") % 2 == 0).then(pl.lit(START)).otherwise("sphere").alias("sphere")
    )
    early = table.with_columns(
        sphere=pl.when(pl.col("town_id") % 2 == 0).then(pl.lit(date(-900))).otherwise("sphere")
    )
    one, two = rated(table), rated(early)
    assert one.summary_frame().equals(two.summary_frame())
    assert not one.constancy.equals(two.constancy)  # time since arrival counts from the true day


def test_scale_and_origin_of_a_covariate_do_not_matter():
    table = county(4)
    plain = rated(table, covariates=["size"])
    other = rated(table.with_columns(size=1e6 + 1e5 * pl.col("size")), covariates=["size"])
    assert other.hazard_ratio == pytest.approx(plain.hazard_ratio, rel=1e-6)
    assert other.conf_int() == pytest.approx(plain.conf_int(), rel=1e-6)
    assert other.params["size"] * 1e5 == pytest.approx(plain.params["size"], rel=1e-6)


@pytest.mark.parametrize("every", [1, 30])
def test_scores_add_to_zero_at_the_maximum(every):
    rows = start_stop(county(5, every=every))
    values = rows.select("sphere", "size").to_numpy().astype(float)
    parts = [rows[name].to_numpy() for name in ("start", "stop", "shut")]
    params = rated(county(5, every=every), covariates=["size"]).cox.params
    np.testing.assert_allclose(score_residuals(*parts, values, params).sum(axis=0), 0, atol=1e-6)


def test_scores_are_the_derivative_of_the_likelihood():
    rows = start_stop(county(5, every=30))
    parts = [rows[name].to_numpy() for name in ("start", "stop", "shut")]
    values, there = rows.select("sphere").to_numpy().astype(float), rows["stop"].to_numpy()
    names = ["sphere"]
    fitted = fit_cox(Rows(*parts, np.arange(len(there)), values, names))
    step = 1e-5
    shifted = [score_residuals(*parts, values, fitted.params + way * step).sum() for way in (1, -1)]
    information = -(shifted[0] - shifted[1]) / (2 * step)
    scores = score_residuals(*parts, values, fitted.params)[:, 0]
    spread = (scores**2).sum() * fitted.clusters / (fitted.clusters - 1)
    assert fitted.covariance[0, 0] == pytest.approx(spread / information**2, rel=1e-5)


def test_the_interval_is_near_that_of_leaving_out_towns():
    table = county(6, towns=20, frailty=0.8)
    found = rated(table)
    towns = table["town_id"].unique()
    left = np.array([rated(table.filter(pl.col("town_id") != town)).params["sphere"] for town in towns])
    jackknife = np.sqrt((len(towns) - 1) / len(towns) * ((left - left.mean()) ** 2).sum())
    assert found.summary_frame()["std_err"][0] == pytest.approx(jackknife, rel=0.15)


def test_the_interval_is_students_over_towns():
    found = rated(county(6, towns=10))
    row = found.summary_frame().row(0, named=True)
    assert found.cox.clusters == 10
    reach = stats.t.isf(0.05, 9) * row["std_err"]
    assert found.conf_int(0.1) == pytest.approx((np.exp(row["coef"] - reach), np.exp(row["coef"] + reach)))
    assert found.pvalue == pytest.approx(2 * stats.t.sf(abs(row["coef"]) / row["std_err"], 9))


def test_test_and_interval_never_contradict():
    for seed in range(8):
        found = rated(county(seed, ratio=1.5))
        low, high = found.conf_int(found.pvalue)
        assert min(abs(np.log(low)), abs(np.log(high))) == pytest.approx(0, abs=1e-9)
        assert (found.pvalue < 0.05) == (found.conf_int()[0] > 1 or found.conf_int()[1] < 1)


# ---- against lifelines


@pytest.mark.parametrize("every", [1, 30])
def test_coefficients_agree_with_lifelines(every):
    oracle = lifelines()
    rows = start_stop(county(7, every=every)).with_columns(pl.col("sphere").cast(pl.Float64))
    fitted = quietly(
        lambda: oracle.CoxTimeVaryingFitter().fit(
            rows.drop("town").to_pandas(), id_col="id", start_col="start", stop_col="stop", event_col="shut"
        )
    )
    mine = rated(county(7, every=every), covariates=["size"])
    theirs = fitted.params_[["sphere", "size"]].to_numpy()
    assert list(mine.params.values()) == pytest.approx(theirs, abs=1e-6)
    assert mine.cox.llf == pytest.approx(fitted.log_likelihood_, abs=1e-6)


def rossi():
    lifelines()
    from lifelines.datasets import load_rossi  # noqa: PLC0415

    return quietly(load_rossi)


@pytest.mark.parametrize("tied", [True, False])
def test_rossi_agrees_with_lifelines_clusters_and_all(tied):
    oracle, frame = lifelines(), rossi()
    frame["place"] = np.arange(len(frame)) // 6
    if not tied:
        frame["week"] = frame.week * 1000 + np.random.default_rng(1).permutation(len(frame))
    names = [name for name in frame if name not in ("week", "arrest", "place")]
    fitted = quietly(
        lambda: oracle.CoxPHFitter().fit(
            frame, "week", "arrest", cluster_col="place", fit_options={"precision": 1e-14}
        )
    )
    weeks, place = frame.week.to_numpy(), frame.place.to_numpy()
    values = frame[names].to_numpy().astype(float)
    mine = fit_cox(Rows(weeks * 0, weeks, frame.arrest.to_numpy() == 1, place, values, names))
    assert mine.params == pytest.approx(fitted.params_.to_numpy(), abs=1e-6)
    if tied:
        assert mine.llf == pytest.approx(-658.747659, abs=1e-6)
        return  # the errors: lifelines does not spread ties over the scores as Efron does over the likelihood
    raw = np.sqrt(np.diag(mine.covariance) * (mine.clusters - 1) / mine.clusters)
    assert raw == pytest.approx(fitted.standard_errors_.to_numpy(), rel=1e-6)


# ---- recovery


def test_the_ratio_is_recovered_and_covered():
    held, errors = [], []
    for seed in range(20):
        found = rated(county(seed, frailty=0.3), covariates=["size"], alpha=0.1)
        low, high = found.conf_int()
        held.append(low <= 2.5 <= high)
        errors.append(found.params["sphere"] - np.log(2.5))
    assert 0.82 <= np.mean(held) <= 0.97
    assert abs(np.mean(errors)) < 2.5 * np.std(errors) / np.sqrt(20)


def test_a_ratio_that_changes_is_seen():
    table = county(10, towns=120, ratio=1.0)
    came = (pl.col("sphere") - START).dt.total_days()
    lived = (pl.col("closed") - START).dt.total_days() + 1
    after = lived - came
    sooner = (pl.col("sphere") + pl.duration(days=(after / 10).floor().cast(pl.Int64))).cast(pl.Date)
    hit = (after > 0) & (pl.col("store_id") % 3 > 0)
    early = table.with_columns(closed=pl.when(hit).then(sooner).otherwise("closed"))
    found, same = rated(early, entered=None), rated(table)
    assert found.constancy["pvalue"][0] < 0.001 < same.constancy["pvalue"][0]
    assert found.constancy["hazard_ratio"][0] > 2 * found.constancy["hazard_ratio"][1]
    assert found.constancy["closings"].sum() == found.closings[0]
    assert found.constancy["days"][0] in found.sentence()


def test_too_few_closings_to_see_a_change_are_said():
    shut = pl.col("closed").is_not_null() & (pl.col("closed") >= pl.col("sphere"))
    few = county(9).with_columns(
        closed=pl.when(shut & (pl.col("town_id") > 1)).then(None).otherwise("closed")
    )
    found = rated(few)
    assert 0 < found.closings[0] < 6
    assert found.constancy.is_empty()
    assert "too few stores closed after it" in found.sentence()


# ---- words


def test_the_sentence_describes():
    found = rated(county(1))
    assert "not by itself an effect" in found.sentence()
    assert f"{found.hazard_ratio:.2f} times" in found.sentence()
    assert found.sentence() in found.summary()
    assert found.tidy()["estimate"][0] == found.hazard_ratio
    assert found.tidy().columns == ["term", "estimate", "low", "high", "pvalue"]


# ---- refusals


@pytest.mark.parametrize(
    ("change", "options", "said"),
    [
        ({}, {"arrived": "drone"}, "lacks the column `drone`"),
        ({"sphere": pl.lit("2045-01-01")}, {}, "str.to_date.*in pandas: pd.to_datetime.stores.'sphere'."),
        ({"sphere": pl.lit(None)}, {}, "No newcomer came while a store was watched: `sphere` is empty"),
        ({"sphere": pl.lit(date(DAYS + 400))}, {}, "No newcomer came .* after every store's last day"),
        (
            {"sphere": pl.when(pl.col("store_id") != 1).then("sphere")},
            {},
            r"one `town_id` have different days in `sphere` .town_id 0: 2044-..-.. and none; so in 1 of 40.",
        ),
        ({"region": pl.col("town_id") % 6}, {"cluster": "region"}, "wider than places, name .* as `market`"),
        ({}, {"market": "place"}, "lacks the column `place`"),
        ({}, {"arrived": ["sphere"]}, "name .'sphere'. twice, or it is no text"),
        ({"sphere": pl.lit(START)}, {}, "0 to stores without"),
        ({"closed": pl.lit(None)}, {}, "0 closings fell"),
        ({}, {"covariates": ["area"]}, "lacks the column `area`"),
        ({"size": pl.lit("large")}, {"covariates": ["size"]}, "columns of true and false"),
        ({"size": pl.lit(float("inf"))}, {"covariates": ["size"]}, "finite numbers"),
        ({"size": pl.lit(float("nan"))}, {"covariates": ["size"]}, "no `size`"),
        ({"size": pl.lit(3)}, {"covariates": ["size"]}, "the same for every store"),
        ({"twin": pl.col("size") * 2}, {"covariates": ["size", "twin"]}, "cannot be fitted"),
        ({"size": pl.col("closed").is_null()}, {"covariates": ["size"]}, "cannot be fitted"),
        ({"town_id": pl.col("town_id") % 2, "sphere": TWO}, {}, "needs at least 3"),
        ({}, {"covariates": ["size", "size"]}, "name 'size' twice"),
        ({}, {"covariates": ["sphere"]}, "name 'sphere' twice"),
        ({}, {"covariates": "size"}, r"`covariates` is 'size': give a list .*\['size'\]"),
        ({"town_id": pl.lit(None)}, {}, "no `town_id`"),
        ({"closed": pl.lit(dt.date(2043, 1, 1))}, {}, "before they were watched"),
        ({}, {"alpha": 1.0}, "`alpha`"),
    ],
)
def test_what_is_refused(change, options, said):
    with pytest.raises(GroceryError, match=said):
        rated(county(1).with_columns(**change), **options)


def test_a_side_without_closings_is_refused_with_the_reason():
    table = county(1).with_columns(
        closed=pl.when(pl.col("closed") < pl.col("sphere")).then("closed").otherwise(None)
    )
    with pytest.raises(
        GroceryError, match="0 closings fell to stores with it and .* no lower or no upper end"
    ):
        rated(table)


def test_covariates_of_one_town_each_are_contract_errors():
    with pytest.raises(ContractError, match="has no `size`|have no `size`"):
        rated(county(1).with_columns(size=pl.lit(None)), covariates=["size"])


def test_clusters_may_be_wider_than_towns():
    table = county(1).with_columns(region=pl.col("town_id") % 6)
    wide = rated(table, cluster="region", market="town_id")
    assert wide.hazard_ratio == rated(table).hazard_ratio
    assert (wide.cluster, wide.cox.clusters) == ("region", 6)


def test_stores_by_themselves_may_each_have_a_day_of_their_own():
    table = county(1).with_columns(
        sphere=pl.col("sphere").dt.offset_by(pl.format("{}d", pl.col("store_id") % 5))
    )
    assert rated(table, cluster=None).hazard_ratio > 0
    with pytest.raises(ContractError, match="different days"):
        rated(table)


def test_why_constancy_is_untold_is_said(monkeypatch):
    fits = []

    def once(rows):
        fits.append(rows)
        if len(fits) > 1:
            raise GroceryError("a coefficient runs away.")
        return fit_cox(rows)

    monkeypatch.setattr("grocery_spheres.entry.hazard.fit_cox", once)
    said = rated(county(1)).sentence()
    assert "cannot be told: a coefficient runs away. It describes" in said


def test_the_reason_of_a_failed_fit_is_carried_and_other_warnings_are_not_faults(monkeypatch):
    def warning(kind):
        def fit(self, **options):
            warnings.warn("of the library", kind, stacklevel=1)
            return plain(self, **options)

        return fit

    plain = PHReg.fit
    monkeypatch.setattr(PHReg, "fit", warning(FutureWarning))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert rated(county(1)).hazard_ratio > 1
    monkeypatch.setattr(PHReg, "fit", warning(RuntimeWarning))
    with pytest.raises(GroceryError, match="RuntimeWarning: of the library"):
        rated(county(1))
