"""Two things happened on the same day: which of them did it? Units that saw one, the other, both or neither.

A unit's change is its mean in the window less its mean on the same weekdays before. Changes are explained by
the first cause, the second and both together; a unit is one observation, so its days need not be independent
(errors are clustered by unit). Randomisation tests need no more than that the causes were dealt out by lot.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import statsmodels.api as sm

from grocery_spheres.outage.certainty import check_alpha
from grocery_spheres.outage.wording import level
from grocery_spheres.tables import ContractError, require_columns, to_polars

WEEKS = 8  # before the window, whose same weekdays tell what was usual
SHUFFLES = 2000
_MOST_DAYS = 7  # of a window: those of a week before are then others
_FEWEST = 3  # units a cell: two give no spread worth the name

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TwoCauses:
    """What each of two causes did, alone and together.

    Attributes
    ----------
    first, second : str
        Names of the causes.
    changes : polars.DataFrame
        One row = one unit: the unit, both causes (true or false), `block`, `change` (of the outcome, a day).
    effects : polars.DataFrame
        One row = one effect: `effect`, `estimate`, `low`, `high`, `pvalue` (t, errors HC3), `units` (that saw
        just this).
    shuffled : float
        P-value of no effect of anything: how often the four kinds of unit differ as much when the causes are
        dealt out anew within blocks.
    usual : float
        Mean of the outcome on those weekdays before, over units: what effects may be set against.
    alpha : float
        One minus the level.
    """

    first: str
    second: str
    changes: pl.DataFrame
    effects: pl.DataFrame
    shuffled: float
    usual: float
    alpha: float

    def summary_frame(self) -> pl.DataFrame:
        """Return `effects`."""
        return self.effects

    def alone(self, unit: Any) -> dict[str, float]:
        """Return what one would conclude from one unit: its change, taken for the effect of what it saw.

        Returns
        -------
        dict
            `change`, and `of_effect`: that over the estimated effect of what this unit saw.

        Raises
        ------
        ContractError
            There is no such unit.
        """
        row = self.changes.filter(pl.col(self.changes.columns[0]) == unit)
        if row.is_empty():
            raise ContractError(
                f"There is no unit {unit!r} among the {self.changes.height} that were compared."
            )
        seen = (row[self.first].item(), row[self.second].item())
        known = dict(self.effects.select("effect", "estimate").iter_rows())
        names = {(True, False): self.first, (False, True): self.second, (True, True): "both"}
        change = float(row["change"].item())
        effect = known[names[seen]] if seen in names else float("nan")
        return {"change": change, "of_effect": change / effect if effect else float("nan")}

    def sentence(self) -> str:
        """Say both effects and their interaction in one plain sentence."""
        told = {row["effect"]: row for row in self.effects.to_dicts()}
        names = {
            self.first: "alone",
            self.second: "alone",
            "both": "together",
            "interaction": "beyond the sum",
        }
        parts = [
            f"{key} {how} {told[key]['estimate']:+.3g} ({told[key]['low']:.3g} to {told[key]['high']:.3g})"
            for key, how in names.items()
        ]
        text = (
            f"A day of the window changed the outcome of a unit (usual {self.usual:.3g}) by: "
            f"{', '.join(parts)}; {level(self.alpha)} intervals, assuming that which unit saw what has "
            "nothing to do with how it would have changed."
        )
        return text.replace("-", "−")


def two_causes(
    panel: Any,
    *,
    unit: str,
    time: str,
    outcome: str,
    first: str,
    second: str,
    window: tuple[dt.date, dt.date],
    block: str | None = None,
    weeks: int = WEEKS,
    alpha: float = 0.05,
    seed: int = 2045,
) -> TwoCauses:
    """Estimate what two causes that came on the same days did, from units that saw one, both or neither.

    Parameters
    ----------
    panel : any Narwhals frame
        One row = one unit and date.
    unit, time, outcome : str
        Columns: ids, dates, numbers.
    first, second : str
        Columns of true and false, the same on all days of a unit.
    window : tuple of date
        First and last day.
    block : str, optional
        Column of the groups of like units within which the causes were dealt out: their means are taken out,
        and the shuffles stay within them.
    weeks : int
        Before the window, whose same weekdays tell what was usual.
    alpha : float
        One minus the level of every interval.
    seed : int
        Of the shuffles.

    Returns
    -------
    TwoCauses
        `effects`, `sentence()`, `alone(unit)`.

    Raises
    ------
    ContractError
        A column is missing, a cause changes within a unit, days are missing, or a cell of the four has fewer
        than three units.

    Notes
    -----
    Ordinary least squares of changes on both causes and their product, with HC3 errors (MacKinnon and White
    1985, Journal of Econometrics 29) and the t distribution; the randomisation test is Fisher's.

    Examples
    --------
    >>> days = [dt.date(2045, 6, 17) - dt.timedelta(days=7 * back) for back in range(9)]
    >>> rows = [(town, day, 10.0 + town % 3 + (day == days[0]) * (4.0 * event - 6.0 * out),
    ...          event, out) for town in range(24) for day in days
    ...         for event, out in [(town % 2 == 1, town % 4 > 1)]]
    >>> frame = pl.DataFrame(rows, schema=["town", "day", "sales", "event", "outage"], orient="row")
    >>> found = two_causes(frame, unit="town", time="day", outcome="sales", first="event", second="outage",
    ...                    window=(days[0], days[0]))
    >>> found.effects["estimate"].round(6).to_list()
    [4.0, -6.0, -2.0, -0.0]
    """
    check_alpha(alpha)
    rows = to_polars(panel)
    names = {"unit": unit, "time": time, "outcome": outcome, "first": first, "second": second}
    require_columns(rows.columns, [*names.values(), *([block] if block else [])], "panel")
    changes, usual = _changes(rows, names, block, window, weeks)
    _refuse_small(changes, first, second)
    effects = _effects(changes, (first, second), alpha)
    shuffled = _shuffled(changes, (first, second), np.random.default_rng(seed))
    return TwoCauses(first, second, changes, effects, shuffled, usual, float(alpha))


def _changes(
    rows: pl.DataFrame,
    names: Mapping[str, str],
    block: str | None,
    window: tuple[dt.date, dt.date],
    weeks: int,
) -> tuple[pl.DataFrame, float]:
    """Return each unit's change, and what was usual."""
    unit, time, outcome = names["unit"], names["time"], names["outcome"]
    causes = [names["first"], names["second"]]
    start, end = window
    if not start <= end:
        raise ContractError(f"The window ends on {end}, before it starts on {start}.")
    days = [start + dt.timedelta(days=n) for n in range((end - start).days + 1)]
    before = [day - dt.timedelta(weeks=back) for day in days for back in range(1, weeks + 1)]
    if len(days) > _MOST_DAYS:
        raise ContractError(f"The window has {len(days)} days: at most {_MOST_DAYS}, a week, are allowed.")
    kept = rows.with_columns(pl.col(time).cast(pl.Date)).filter(pl.col(time).is_in([*days, *before]))
    each = kept.group_by(unit).agg(
        *(pl.col(cause).n_unique().alias(f"{cause} values") for cause in causes),
        *(pl.col(cause).first() for cause in causes),
        (pl.col(block).first() if block else pl.lit(0)).alias("block"),
        known=pl.col(outcome).is_not_null().sum(),
        inside=pl.col(outcome).filter(pl.col(time).is_in(days)).mean(),
        outside=pl.col(outcome).filter(pl.col(time).is_in(before)).mean(),
    )
    _refuse_odd(each, unit, causes, len(days) + len(before))
    table = each.select(unit, *causes, "block", change=pl.col("inside") - pl.col("outside")).sort(unit)
    return table, float(each.select(pl.mean("outside")).item())


def _refuse_odd(each: pl.DataFrame, unit: str, causes: list[str], days: int) -> None:
    for cause in causes:
        if each[cause].dtype != pl.Boolean:
            raise ContractError(f"The column `{cause}` holds {each[cause].dtype}: give true and false.")
        moved = each.filter(pl.col(f"{cause} values") > 1)
        if moved.height:
            raise ContractError(
                f"The cause `{cause}` changes within the unit {moved[unit][0]!r}: say of each unit whether "
                "it saw it, the same on all days."
            )
    short = each.filter(pl.col("known") < days)
    if short.height:
        raise ContractError(
            f"{short.height} units lack days, such as {short[unit][0]!r} ({short['known'][0]} of {days}): "
            "give every unit a row a day, 0 where nothing was sold."
        )


def _refuse_small(changes: pl.DataFrame, first: str, second: str) -> None:
    for one in (False, True):
        for other in (False, True):
            count = changes.filter((pl.col(first) == one) & (pl.col(second) == other)).height
            if count < _FEWEST:
                raise ContractError(
                    f"{count} units have `{first}` {one} and `{second}` {other}; {_FEWEST} are needed in "
                    "each of the four cells, or the causes cannot be told apart."
                )


def _effects(changes: pl.DataFrame, causes: tuple[str, str], alpha: float) -> pl.DataFrame:
    """Return the four effects with their intervals."""
    one, two = (changes[cause].cast(pl.Float64).to_numpy() for cause in causes)
    design = _design(one, two, changes["block"])
    fit = sm.OLS(changes["change"].to_numpy(), design).fit(cov_type="HC3", use_t=True)
    rows = []
    for name, weights, cell in (
        (causes[0], (1, 0, 0), (1, 0)),
        (causes[1], (0, 1, 0), (0, 1)),
        ("both", (1, 1, 1), (1, 1)),
        ("interaction", (0, 0, 1), (1, 1)),
    ):
        test = fit.t_test(np.array([*weights, *np.zeros(design.shape[1] - len(weights))]))
        low, high = test.conf_int(alpha)[0]
        units = int(((one == cell[0]) & (two == cell[1])).sum())
        values = (float(np.squeeze(value)) for value in (test.effect, low, high, test.pvalue))
        rows.append((name, *values, units))
    names = ["effect", "estimate", "low", "high", "pvalue", "units"]
    return pl.DataFrame(rows, schema=names, orient="row")


def _design(one: Array, two: Array, block: pl.Series) -> Array:
    """Return both causes, their product, and an indicator of each block."""
    blocks = block.rank("dense").to_numpy()
    return np.column_stack([one, two, one * two, blocks[:, None] == np.unique(blocks)]).astype(float)


def _shuffled(changes: pl.DataFrame, causes: tuple[str, str], rng: np.random.Generator) -> float:
    """Deal the causes out anew within blocks, and count how often the four cells differ as much."""
    rows = changes.with_columns(away=pl.col("change") - pl.col("change").mean().over("block")).sort("block")
    away, block = rows["away"].to_numpy(), rows["block"].rank("dense").to_numpy()
    first, second = (rows[cause].cast(pl.Int64).to_numpy() for cause in causes)
    cells = 2 * first + second

    def spread(dealt: npt.NDArray[np.int64]) -> float:
        sums, counts = np.bincount(dealt, away, minlength=4), np.bincount(dealt, minlength=4)
        return float((sums**2 / np.maximum(counts, 1)).sum())

    least = spread(cells) * (1 - 1e-12)
    drawn = (cells[np.lexsort((rng.random(len(cells)), block))] for _ in range(SHUFFLES))
    return (1 + sum(spread(one) >= least for one in drawn)) / (SHUFFLES + 1)
