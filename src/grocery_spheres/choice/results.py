"""What moves choices, how sure is that, and what would people do if an option were gone?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from scipy import stats

from grocery_spheres.choice import follows, likelihood, mixed, wording
from grocery_spheres.choice.draws import normal_draws
from grocery_spheres.choice.newton import Top
from grocery_spheres.choice.situations import Array, Columns, Situations
from grocery_spheres.tables import ContractError


@dataclass(frozen=True)
class ChoiceResults:
    """A fitted model of choice.

    Attributes
    ----------
    data : Situations
        What it was fitted on.
    columns : Columns
        Names of the table's columns.
    intercepts : tuple
        Options with an intercept.
    top : Top
        Coefficients of scaled terms, where the log-likelihood is largest.
    scale : array, (terms,)
        By which each term was divided.
    random : tuple of int
        Places of terms whose taste differs between persons.
    standard : array, (persons, draws, random), or None
        Draws of those tastes.
    """

    data: Situations
    columns: Columns
    intercepts: tuple[Any, ...]
    top: Top
    scale: Array
    random: tuple[int, ...]
    standard: Array | None

    def __repr__(self) -> str:
        """Show coefficients instead of arrays."""
        told = ", ".join(f"{name}={value:.4g}" for name, value in self.params.items())
        return f"ChoiceResults({told}; llf={self.llf:.3f}, situations={len(self.data.starts):,})"

    # ---- coefficients

    @property
    def names(self) -> tuple[str, ...]:
        """Terms, then the spread of each random taste."""
        return (*self.data.names, *(f"spread of {self.data.names[place]}" for place in self.random))

    @property
    def params(self) -> dict[str, float]:
        """Coefficients, in units of utility a unit of the covariate."""
        return dict(zip(self.names, (self.top.at / self._scales).tolist(), strict=True))

    @property
    def llf(self) -> float:
        """The log-likelihood."""
        return self.top.value

    @property
    def nobs(self) -> int:
        """How many situations there are."""
        return len(self.data.starts)

    def cov_params(self, kind: str = "nonrobust") -> Array:
        """Return the covariance of the coefficients, (coefficients, coefficients).

        Parameters
        ----------
        kind : {"nonrobust", "person"}
            From the Hessian; or the sandwich with scores summed by person, which holds if situations of a
            person go together in ways that the model lacks. Conditional logit only.
        """
        inverse = np.linalg.inv(-self.top.hessian)
        if kind == "person":
            scores = self._scores()
            persons = len(self.data.persons)
            inverse = inverse @ (scores.T @ scores * persons / max(persons - 1, 1)) @ inverse
        elif kind != "nonrobust":
            raise ContractError(f"`kind` is {kind!r}: 'nonrobust' and 'person' are there.")
        return np.asarray(inverse / np.outer(self._scales, self._scales))

    @property
    def bse(self) -> dict[str, float]:
        """Standard errors, from the Hessian."""
        return dict(zip(self.names, np.sqrt(np.diag(self.cov_params())).tolist(), strict=True))

    @property
    def pvalues(self) -> dict[str, float]:
        """P-values of no effect, two-sided, by the normal distribution."""
        ratios = np.array(list(self.params.values())) / np.array(list(self.bse.values()))
        return dict(zip(self.names, (2 * stats.norm.sf(np.abs(ratios))).tolist(), strict=True))

    def conf_int(self, alpha: float = 0.05) -> dict[str, tuple[float, float]]:
        """Return intervals of the coefficients."""
        reach = float(stats.norm.ppf(1 - alpha / 2))
        return {
            name: (value - reach * self.bse[name], value + reach * self.bse[name])
            for name, value in self.params.items()
        }

    def summary_frame(self, alpha: float = 0.05) -> pl.DataFrame:
        """Return the coefficients as a table.

        Returns
        -------
        polars.DataFrame
            One row = one coefficient: `term`, `estimate`, `se`, `low`, `high`, `pvalue`.
        """
        ends, errors, chance = self.conf_int(alpha), self.bse, self.pvalues
        rows = [(name, value, errors[name], *ends[name], chance[name]) for name, value in self.params.items()]
        names = ["term", "estimate", "se", "low", "high", "pvalue"]
        return pl.DataFrame(rows, schema=names, orient="row")

    def tidy(self) -> pl.DataFrame:
        """Return the same as `summary_frame`."""
        return self.summary_frame()

    def summary(self) -> str:
        """Say it in text: what was fitted, on how much, and each coefficient with its interval."""
        return wording.summary(self)

    # ---- what follows

    def predict(self, table: Any = None, *, history: bool = True) -> pl.DataFrame:
        """Return the chance of each option in each situation.

        Parameters
        ----------
        table : any Narwhals frame, optional
            Situations as in the fit, without choices; those of the fit, if not given.
        history : bool
            Mixed logit: weigh a person's draws by what that person chose in the fit. Persons that were not
            in the fit get the tastes of all.

        Returns
        -------
        polars.DataFrame
            One row = one situation and option: both ids and `chance`; in a situation they sum to 1.
        """
        return follows.predict(self, table, history=history)

    def diversion(
        self, removed: Any, table: Any = None, *, history: bool = True, alpha: float = 0.05, seed: int = 2045
    ) -> pl.DataFrame:
        """Return where the choices of an option go when it is gone.

        Parameters
        ----------
        removed : id or list of ids
            Options that are gone.
        table : any Narwhals frame, optional
            Situations; those of the fit, if not given.
        history, alpha, seed
            As `predict` takes it; one minus the level; of the draws of coefficients.

        Returns
        -------
        polars.DataFrame
            One row = one other option: `option`, `gain` (expected choices), `diversion` (ratio: gain over
            what the removed had), `low`, `high` (from draws of the coefficients by their covariance).
        """
        return follows.diversion(self, removed, table, (history, alpha, seed))

    def surplus(
        self,
        removed: Any,
        money: str,
        table: Any = None,
        *,
        history: bool = True,
        alpha: float = 0.05,
        seed: int = 2045,
    ) -> dict[str, float]:
        """Return the change of expected consumer surplus when an option is gone, in units of money.

        Parameters
        ----------
        removed : id or list of ids
            Options that are gone.
        money : str
            The covariate that is a price: minus its coefficient is the utility of a unit of money.
        table, history, alpha, seed
            As for `diversion`.

        Returns
        -------
        dict
            `mean` (a situation), `low`, `high`, `total`.
        """
        return follows.surplus(self, (removed, money), table, (history, alpha, seed))

    def elasticities(self, covariate: str, table: Any = None, *, history: bool = True) -> pl.DataFrame:
        """Return by how many per cent demand changes as a covariate of one option rises by one per cent.

        Returns
        -------
        polars.DataFrame
            One row = one pair: `of` (option whose demand changes), `to` (option whose covariate rises),
            `elasticity` (of expected choices over all situations).
        """
        return follows.elasticities(self, covariate, table, history=history)

    def redrawn(self, draws: Sequence[int], *, seed: int = 2045) -> pl.DataFrame:
        """Return the simulated log-likelihood at these coefficients for other numbers of draws.

        Returns
        -------
        polars.DataFrame
            One row = one number: `draws`, `llf`. If it still moves, take more draws in the fit.
        """
        if not self.random:
            raise ContractError("A conditional logit is not simulated: its likelihood needs no draws.")
        scaled = replace(self.data, terms=self.data.terms / self.scale)
        rows = []
        for count in draws:
            standard = normal_draws(len(self.data.persons), int(count), len(self.random), seed)
            rows.append((int(count), mixed.slopes(scaled, self.random, standard)(self.top.at)[0]))
        return pl.DataFrame(rows, schema=["draws", "llf"], orient="row")

    # ---- inside

    @property
    def _scales(self) -> Array:
        return np.concatenate([self.scale, self.scale[list(self.random)]])

    @cached_property
    def person_weights(self) -> Array:
        """What each draw of a person is worth, given what they chose, (persons, draws)."""
        assert self.standard is not None
        scaled = replace(self.data, terms=self.data.terms / self.scale)
        return mixed.person_weights(scaled, self.random, self.standard, self.top.at)

    def _scores(self) -> Array:
        if self.random:
            raise ContractError("Scores by person are there for the conditional logit only.")
        scaled = replace(self.data, terms=self.data.terms / self.scale)
        each = likelihood.derivatives(scaled, self.top.at, curved=False)[3]
        return np.asarray(np.add.reduceat(each, self.data.first_of_person, axis=0))
