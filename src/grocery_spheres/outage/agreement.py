"""Do the methods agree on what the outage cost, and may the answer be published?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl

from grocery_spheres.outage.estimate import estimate_outage
from grocery_spheres.outage.expected import Array
from grocery_spheres.outage.methods import METHODS
from grocery_spheres.outage.results import OutageResults
from grocery_spheres.outage.wording import amount, level
from grocery_spheres.tables import ContractError, GroceryError

FEWEST = 2  # methods that can agree or disagree
_PAIR = ("one", "other", "difference", "usual", "pvalue", "agree", "material")  # columns of `differences`
MATERIAL = 0.5  # times the smaller half of two intervals from which a difference of methods is no detail

AGREE = "they agree"
DIFFER = "they differ by more than chance would make them, but by little: publish the range"
DISAGREE = "they disagree: do not publish"
ALONE = "only one method could be used: nothing to compare with"
UNTOLD = "no method could be checked on this panel: do not publish"
UNJUDGED = "too few placebos to judge whether they agree: do not rely on it"


@dataclass(frozen=True)
class MethodsCompared:
    """Every method on one estimand, one window and the same placebos.

    Agreement never makes an answer surer: all methods see the same noise in the same outcome. Disagreement
    is a warning.

    Attributes
    ----------
    results : tuple of OutageResults
        One a method that could be used; at least one could.
    refused : polars.DataFrame
        One row = one method that could not: `method`, `reason`.
    alpha : float
        One minus the level.
    """

    results: tuple[OutageResults, ...]
    refused: pl.DataFrame
    alpha: float

    @property
    def frame(self) -> pl.DataFrame:
        """The methods beside each other.

        One row = one method: `method`, `att`, `cumulative`, `low`, `high` (of the cumulative effect),
        `pvalue`, `placebo_coverage` (of its own interval), `placebo_rmse` (of the average effect).
        """
        names = [
            "method",
            "att",
            "cumulative",
            "low",
            "high",
            "pvalue",
            "placebo_coverage",
            "placebo_rmse",
        ]
        return pl.DataFrame([_row(found) for found in self.results], schema=names, orient="row")

    @property
    def differences(self) -> pl.DataFrame:
        """Pairs of methods, judged by how far they differ where nothing happened.

        One row = one pair: `one`, `other`, `difference` (of the cumulative effect), `usual` (the size that
        all but `alpha` of the placebo differences stay below), `pvalue` (of all pairs together: the share of
        placebos whose most unusual pair is as unusual as this), `agree`, `material` (the size from which a
        difference matters: half of the smaller half-width of the two intervals). Without placebos that all
        methods share `usual`, `pvalue` and `agree` are null.
        """
        pairs = list(combinations(range(len(self.results)), 2))
        observed = np.array([self.results[a].cumulative - self.results[b].cumulative for a, b in pairs])
        chance = _shared(self.results)
        judged = _judged(observed, np.abs([chance[a] - chance[b] for a, b in pairs]), self.alpha)
        names = [found.question.method for found in self.results]
        rows = [
            (names[a], names[b], difference, *said, _material(self.results[a], self.results[b], self.alpha))
            for (a, b), difference, said in zip(pairs, observed, judged, strict=True)
        ]
        kinds = [pl.String, pl.String, pl.Float64, pl.Float64, pl.Float64, pl.Boolean, pl.Float64]
        return pl.DataFrame(rows, schema=dict(zip(_PAIR, kinds, strict=True)), orient="row")

    @property
    def judgeable(self) -> bool:
        """Whether so many placebos are shared by all methods that a difference could be told from chance."""
        shared = _shared(self.results).shape[1]
        return 1 / (shared + 1) <= self.alpha + 1e-12

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the verdict is what it is, one sentence each."""
        pairs = self.differences.filter(~pl.col("agree"))
        said = [
            f"{row['one']} and {row['other']} differ by {amount(abs(row['difference']))}, where placebos "
            f"differ by more than {amount(row['usual'])} in only {100 * self.alpha:g} % of cases (p = "
            f"{row['pvalue']:.2g}, all pairs looked at together)."
            for row in pairs.iter_rows(named=True)
        ]
        signs = {found.question.method: found.att < 0 for found in self.results if found.pvalue <= self.alpha}
        if len(set(signs.values())) > 1:
            said.append(f"Methods that each find an effect find it of opposite signs: {', '.join(signs)}.")
        found_some = [found.question.method for found in self.results if found.pvalue <= self.alpha]
        if found_some and len(found_some) < len(self.results):
            said.append(f"At {level(self.alpha)} an effect is found by {', '.join(found_some)} only.")
        return (*said, *[f"{row[0]} could not be used: {row[1]}" for row in self.refused.iter_rows()])

    @property
    def verdict(self) -> str:
        """Say in plain words whether the methods agree."""
        if len(self.results) < FEWEST:
            return ALONE
        if not all(found.calibration and found.calibration.placebos.height for found in self.results):
            return UNTOLD
        found_some = [found for found in self.results if found.pvalue <= self.alpha]
        if len({found.att < 0 for found in found_some}) > 1:
            return DISAGREE
        if not self.judgeable:
            return UNJUDGED
        apart = self.differences.filter(~pl.col("agree"))
        if not apart.height:
            return AGREE
        large = (apart["difference"].abs() >= apart["material"]) | apart["material"].is_infinite()
        return DISAGREE if large.any() else DIFFER

    def sentence(self) -> str:
        """Say the verdict, and the range of the answers, in one sentence."""
        losses = sorted(-found.cumulative for found in self.results)
        outcome = self.results[0].study.panel.names.outcome
        return (
            f"{len(losses)} methods put the loss in `{outcome}` between {amount(losses[0])} and "
            f"{amount(losses[-1])}: {self.verdict}."
        )

    def summary(self) -> str:
        """Say everything in a page of text."""
        rows = [
            f"  {row['method']:<18}{amount(-row['cumulative']):>10} lost, {amount(-row['high'])} to "
            f"{amount(-row['low'])}; p = {row['pvalue']:.2g}"
            for row in self.frame.iter_rows(named=True)
        ]
        return "\n".join([self.sentence(), "", *rows, "", *[f"- {reason}" for reason in self.reasons]])


def compare_methods(
    panel: Any, outage: Any, *, methods: Sequence[str] | None = None, alpha: float = 0.05, **asked: Any
) -> MethodsCompared:
    """Estimate one outage by every method, with the same placebos, and judge whether they agree.

    Parameters
    ----------
    panel, outage
        As `estimate_outage` takes them.
    methods : sequence of str, optional
        Which; all if not given.
    alpha : float
        One minus the level of intervals and of the judgement.
    **asked
        Further arguments of `estimate_outage` (unit, time, outcome, donors, seed, ...); not `method`,
        `calibrate`.

    Returns
    -------
    MethodsCompared
        `frame`, `differences`, `verdict`, `reasons`.

    Raises
    ------
    ContractError
        The panel or the outage cannot be used by any method, or a method is unknown.
    """
    if isinstance(methods, str) or (
        methods is not None and (not methods or len(set(methods)) < len(methods))
    ):
        raise ContractError(
            f"`methods` is {methods!r}: give a list of different ones among {', '.join(METHODS)}, or None "
            "for all."
        )
    wanted = list(METHODS if methods is None else methods)
    for name in [*wanted, *({"method", "calibrate"} & asked.keys())]:
        if name not in METHODS:
            raise ContractError(
                f"compare_methods cannot take {name!r}: `methods` are among {', '.join(METHODS)}, and every "
                "one is calibrated."
            )
    results, refused = [], []
    for name in wanted:
        try:
            results.append(estimate_outage(panel, outage, method=name, alpha=alpha, **asked))
        except GroceryError as reason:
            refused.append((name, str(reason)))
    if not results:
        raise ContractError(f"No method could be used. {refused[0][0]}: {refused[0][1]}")
    apart = pl.DataFrame(refused, schema={"method": pl.String, "reason": pl.String}, orient="row")
    return MethodsCompared(tuple(results), apart, alpha)


def _row(found: OutageResults) -> tuple[Any, ...]:
    low, high = found.conf_int(what="cumulative")
    placebos = found.calibration.placebos if found.calibration else None
    seen = placebos is not None and placebos.height
    return (
        found.question.method,
        found.att,
        found.cumulative,
        low,
        high,
        found.pvalue,
        found.calibration.coverage() if found.calibration and seen else None,
        float(np.sqrt(np.mean(placebos["error"].to_numpy() ** 2))) if placebos is not None and seen else None,
    )


def _shared(results: Sequence[OutageResults]) -> Array:
    """Return the errors of all methods on the placebos that each could be run on, (methods, placebos)."""
    tables = [found.calibration.placebos for found in results if found.calibration is not None]
    if len(tables) < len(results) or not tables:
        return np.empty((len(results), 0))
    same = tables[0].select("placebo")
    for table in tables[1:]:
        same = same.join(table.select("placebo"), on="placebo", how="inner", validate="1:1")
    same = same.sort("placebo")
    errors = [
        same.join(table, on="placebo", how="left", validate="1:1")["error"].to_numpy() for table in tables
    ]
    cells = np.array([found.study.cells for found in results])
    return np.asarray(np.array(errors) * cells[:, None])


def _judged(observed: Array, chance: Array, alpha: float) -> list[tuple[Any, ...]]:
    """Return for each pair what is usual, and the p-value among the most unusual pairs of all placebos."""
    if not chance.shape[-1]:
        return [(None, None, None)] * len(observed)
    size = np.sqrt(np.mean(chance**2, axis=1))
    unit = np.where(size > 0, size, 1.0)
    most = (chance / unit[:, None]).max(axis=0)
    said = []
    for difference, one, usual in zip(observed, unit, np.quantile(chance, 1 - alpha, axis=1), strict=True):
        larger = int((most >= abs(difference) / one * (1 - 1e-12)).sum())
        pvalue = (1 + larger) / (len(most) + 1)
        said.append((float(usual), pvalue, pvalue > alpha))
    return said


def _material(one: OutageResults, other: OutageResults, alpha: float) -> float:
    ends = [found.conf_int(alpha, what="cumulative") for found in (one, other)]
    return MATERIAL * min((high - low) / 2 for low, high in ends)
