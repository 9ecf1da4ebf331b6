"""What follows from a fitted model: chances, diversion, surplus, elasticities, with intervals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from grocery_spheres.choice import mixed, scenario
from grocery_spheres.choice.situations import Array, Situations, read_situations
from grocery_spheres.tables import ContractError

SIMULATED = 300  # draws of the coefficients for intervals of what follows from them

How = tuple[bool, float, int]
"""Whether persons' histories are used, one minus the level, and the seed of the draws."""


def predict(found: Any, table: Any, *, history: bool) -> pl.DataFrame:
    """Return what `ChoiceResults.predict` describes."""
    data = _read(found, table)
    of_row = data.of_row
    return pl.DataFrame(
        {
            found.columns.situation: [data.situations[place] for place in of_row],
            found.columns.option: [data.options[place] for place in data.option],
            "chance": scenario.chances(_model(found, data, found.top.at, history=history)),
        }
    )


def diversion(found: Any, removed: Any, table: Any, how: How) -> pl.DataFrame:
    """Return what `ChoiceResults.diversion` describes."""
    history, alpha, seed = how
    data = _read(found, table)
    gone = _gone(data, removed)
    gain, ratio = scenario.gains(_model(found, data, found.top.at, history=history), gone)
    drawn = [scenario.gains(_model(found, data, at, history=history), gone)[1] for at in _drawn(found, seed)]
    low, high = np.quantile(np.array(drawn), [alpha / 2, 1 - alpha / 2], axis=0)
    kept = [place for place in range(len(data.options)) if place not in gone]
    rows = [(data.options[n], gain[n], ratio[n], low[n], high[n]) for n in kept]
    return pl.DataFrame(rows, schema=["option", "gain", "diversion", "low", "high"], orient="row")


def surplus(found: Any, what: tuple[Any, str], table: Any, how: How) -> dict[str, float]:
    """Return what `ChoiceResults.surplus` describes."""
    (removed, money), (history, alpha, seed) = what, how
    place = _priced(found, money)
    data = _read(found, table)
    gone = _gone(data, removed)

    def worth(at: Array) -> float:
        utility = -float(at[place] / found.scale[place])
        return float(scenario.log_sums(_model(found, data, at, history=history), gone).mean()) / utility

    drawn = [worth(at) for at in _drawn(found, seed) if at[place] < 0]
    low, high = np.quantile(drawn, [alpha / 2, 1 - alpha / 2])
    mean = worth(found.top.at)
    return {"mean": mean, "low": float(low), "high": float(high), "total": mean * len(data.starts)}


def elasticities(found: Any, covariate: str, table: Any, *, history: bool) -> pl.DataFrame:
    """Return what `ChoiceResults.elasticities` describes."""
    place, data = _term(found, covariate, "covariate"), _read(found, table)
    each = scenario.elasticities(_model(found, data, found.top.at, history=history), place)
    rows = [
        (of, to, float(each[n, m])) for n, of in enumerate(data.options) for m, to in enumerate(data.options)
    ]
    return pl.DataFrame(rows, schema=["of", "to", "elasticity"], orient="row")


def _term(found: Any, name: str, what: str) -> int:
    if name not in found.data.names:
        raise ContractError(
            f"`{what}` is {name!r}, which is no term; there are: {', '.join(found.data.names)}."
        )
    return int(found.data.names.index(name))


def _priced(found: Any, money: str) -> int:
    place = _term(found, money, "money")
    if found.top.at[place] >= 0:
        raise ContractError(
            f"The coefficient of `{money}` is {found.params[money]:.4g}: a price must lower utility, or "
            "nothing can be said in money."
        )
    return place


def _gone(data: Situations, removed: Any) -> list[int]:
    wanted = removed if isinstance(removed, list | tuple | set) else [removed]
    for option in wanted:
        if option not in data.options:
            raise ContractError(f"{option!r} is no option; there are: {data.options[:10]!r}.")
    return [data.options.index(option) for option in wanted]


def _read(found: Any, table: Any) -> Situations:
    if table is None:
        data: Situations = found.data
        return data
    return read_situations(
        table, found.columns, intercepts=found.intercepts, options=found.data.options, choices=False
    )


def _model(found: Any, data: Situations, at: Array, *, history: bool) -> scenario.Model:
    scaled = replace(data, terms=data.terms / found.scale)
    if not found.random:
        alike = np.zeros(len(data.persons), dtype=np.int64)
        return scenario.Model(scaled, at[None, None, :], np.ones((1, 1)), alike)
    known = {person: place for place, person in enumerate(found.data.persons)}
    places = np.array([known.get(person, -1) for person in data.persons])
    draws = found.standard[places]
    weight = found.person_weights[places] if history else np.ones(draws.shape[:2])
    weight = np.where((places < 0)[:, None], 1.0, weight)
    beta = mixed.tastes(at, len(found.data.names), found.random, draws)
    each = np.arange(len(data.persons))
    return scenario.Model(scaled, beta, weight / weight.sum(axis=1, keepdims=True), each)


def _drawn(found: Any, seed: int) -> Array:
    """Draw coefficients by their covariance."""
    covariance = np.linalg.inv(-found.top.hessian)
    rng = np.random.default_rng(seed)
    return rng.multivariate_normal(found.top.at, covariance, SIMULATED, method="cholesky")
