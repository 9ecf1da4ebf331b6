"""What makes people choose one option rather than another? Conditional and panel mixed logit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from grocery_spheres.choice import likelihood, mixed
from grocery_spheres.choice.draws import normal_draws
from grocery_spheres.choice.newton import ChoiceError, Top, climb
from grocery_spheres.choice.results import ChoiceResults
from grocery_spheres.choice.situations import Array, Columns, Situations, read_situations
from grocery_spheres.tables import ContractError, require_columns, to_polars

DRAWS = 200  # a person; their sensitivity is told by `ChoiceResults.redrawn`
_BEGIN = 0.3  # spread of a random taste, in units of utility per standard deviation, where the climb begins


def fit_choice(
    table: Any,
    *,
    situation: str,
    option: str,
    chosen: str,
    covariates: Sequence[str] = (),
    intercepts: str | Sequence[Any] = "none",
    person: str | None = None,
    random: Sequence[str] = (),
    draws: int = DRAWS,
    seed: int = 2045,
) -> ChoiceResults:
    """Fit a conditional logit, or with random tastes a panel mixed logit, by maximum likelihood.

    Parameters
    ----------
    table : any Narwhals frame
        One row = one situation and option that was available in it. Staying out is an option, too: give it
        a row, with zeros.
    situation, option, chosen : str
        Columns: ids, ids, and true (or 1) for the one that was chosen.
    covariates : sequence of str
        Columns of numbers that differ between options.
    intercepts : "none", "all but the first", or sequence of ids
        Options with an intercept of their own.
    person : str, optional
        Column of who chose: situations of one person share tastes, and errors are clustered by person.
    random : sequence of str
        Covariates, or intercepts as "is <option>", whose taste differs between persons (normal, independent).
        Empty: a conditional logit.
    draws, seed : int
        How many draws a person, and their seed.

    Returns
    -------
    ChoiceResults
        `params`, `bse`, `conf_int()`, `llf`, `predict()`, `diversion()`, `elasticities()`, `surplus()`.

    Raises
    ------
    ContractError
        The table or an argument cannot be used.
    ChoiceError
        An option with an intercept is never chosen, coefficients run away (separation), or choices say
        nothing of a coefficient (a singular Hessian); the message names it.

    Notes
    -----
    Covariates are scaled inside to a spread of one and back again. Greene's travel mode comes out as printed
    (tests/test_choice.py).

    Examples
    --------
    >>> import polars as pl
    >>> table = pl.DataFrame({"trip": [1, 1, 2, 2, 3, 3, 4, 4], "shop": ["a", "b"] * 4,
    ...                       "went": [1, 0, 0, 1, 1, 0, 1, 0], "km": [1., 3., 3., 1., 2., 1., 1., 2.]})
    >>> fit_choice(table, situation="trip", option="shop", chosen="went", covariates=["km"]).params["km"] < 0
    True
    """
    columns = Columns(situation, option, chosen, person, tuple(covariates))
    ones = _intercepts(table, columns, intercepts)
    data = read_situations(table, columns, intercepts=ones)
    _refuse_never(data, ones)
    spread = _spreads(data)
    _refuse_nothing(data, columns, spread)
    places = _places(data.names, random)
    scaled = replace(data, terms=data.terms / spread)
    plain = climb(_slopes(scaled), np.zeros(len(data.names)), data.names)
    if not places:
        return ChoiceResults(data, columns, ones, plain, spread, (), None)
    if person is None:
        raise ContractError(
            "Random tastes need `person`: without it nobody chooses twice, and tastes are noise."
        )
    standard = normal_draws(len(data.persons), _count(draws), len(places), seed)
    start = np.concatenate([plain.at, np.full(len(places), _BEGIN)])
    names = (*data.names, *(f"spread of {data.names[place]}" for place in places))
    top = climb(mixed.slopes(scaled, places, standard), start, names)
    return ChoiceResults(data, columns, ones, _positive(top, len(plain.at)), spread, places, standard)


def _slopes(data: Situations) -> Any:
    def slopes(beta: Array) -> tuple[float, Array, Array]:
        return likelihood.derivatives(data, beta)[:3]

    return slopes


def _positive(top: Top, fixed: int) -> Top:
    """Turn spreads that came out negative: draws lie on both sides, so that the sign says nothing."""
    signs = np.ones(len(top.at))
    signs[fixed:] = np.where(top.at[fixed:] < 0, -1.0, 1.0)
    return Top(top.at * signs, top.value, top.hessian * np.outer(signs, signs), top.steps)


# ---- arguments


def _intercepts(table: Any, columns: Columns, intercepts: str | Sequence[Any]) -> tuple[Any, ...]:
    if not isinstance(intercepts, str):
        return tuple(intercepts)
    if intercepts == "none":
        return ()
    if intercepts != "all but the first":
        raise ContractError(
            f"`intercepts` is {intercepts!r}: give 'none', 'all but the first', or a list of options."
        )
    rows = to_polars(table)
    require_columns(rows.columns, [columns.option], "choices")
    return tuple(rows[columns.option].unique().sort()[1:])


def _refuse_nothing(data: Situations, columns: Columns, spread: Array) -> None:
    if not data.names:
        raise ContractError("Neither `covariates` nor `intercepts` are given: nothing tells options apart.")
    if (data.sizes < 2).all():
        raise ContractError(f"No situation of `{columns.situation}` has two options: nothing was chosen.")
    for name, size, least in zip(data.names, spread, 1e-9 * np.abs(data.terms).max(axis=0), strict=True):
        if size <= least:
            raise ContractError(
                f"`{name}` is the same for all options in every situation: choices say nothing of it. Let it "
                "change with the option, for example multiplied by one option's indicator."
            )


def _refuse_never(data: Situations, intercepts: tuple[Any, ...]) -> None:
    """Refuse intercepts of options that are never chosen, or always where they are available."""
    for option in intercepts:
        if option not in data.options:
            raise ContractError(
                f"`intercepts` names {option!r}, which is no option; there are: {data.options[:10]!r}."
            )
        rows = data.option == data.options.index(option)
        taken = int(rows[data.chosen].sum())
        if taken == 0:
            raise ChoiceError(
                f"The option {option!r} is never chosen: its intercept would be minus infinity. Leave its "
                "rows out, or join it with another."
            )
        if taken == int(rows.sum()) == len(data.starts):
            raise ChoiceError(f"The option {option!r} is always chosen: its intercept would be infinite.")


def _places(names: tuple[str, ...], random: Sequence[str]) -> tuple[int, ...]:
    if isinstance(random, str | Mapping):
        raise ContractError(f"`random` is {random!r}: give a list of covariates.")
    for name in random:
        if name not in names:
            raise ContractError(f"`random` names {name!r}, which is no term; there are: {', '.join(names)}.")
    return tuple(sorted({names.index(name) for name in random}))


def _spreads(data: Situations) -> Array:
    """Return each term's spread within situations."""
    means = np.add.reduceat(data.terms, data.starts, axis=0) / data.sizes[:, None]
    between = np.einsum("sk,sk,s->k", means, means, data.sizes.astype(float))
    within = np.einsum("rk,rk->k", data.terms, data.terms) - between
    rounding = 1e-13 * np.einsum("rk,rk->k", data.terms, data.terms)
    return np.asarray(np.sqrt(np.where(within > rounding, within, 0.0) / len(data.terms)))


def _count(draws: Any) -> int:
    if isinstance(draws, bool) or not isinstance(draws, int | np.integer) or draws < 2:
        raise ContractError(f"`draws` is {draws!r}: give a whole number, 2 or more.")
    return int(draws)
