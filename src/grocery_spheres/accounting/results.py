"""Where did it go? The account, how sure each part of it is, and what it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from grocery_spheres.accounting import recovery, wording
from grocery_spheres.accounting.following import ELSEWHERE
from grocery_spheres.accounting.parts import DIVERTED, LOST, parts, retention
from grocery_spheres.accounting.ratios import Ratio, ranked
from grocery_spheres.accounting.records import Array
from grocery_spheres.accounting.spans import DAILY
from grocery_spheres.accounting.verdict import verdict
from grocery_spheres.outage.calibration import POWER
from grocery_spheres.outage.certainty import UNBOUNDED, Ranked, check_alpha
from grocery_spheres.tables import ContractError

_COLUMNS = {
    "measure": pl.String,
    "part": pl.String,
    **dict.fromkeys(
        ["estimate", "low", "high", "pvalue", "share", "share_low", "share_high", "detectable"], pl.Float64
    ),
    "verdict": pl.String,
}


@dataclass(frozen=True)
class Account:
    """What became of what an outage stopped: lost = diverted + delayed + forgone.

    Attributes
    ----------
    measures : tuple of str
        What was summed: "baskets", or columns such as `sales_usd`.
    rivals : tuple of str
        Labels of the rivals.
    effect : array, (measures, components, windows)
        Effects on followed customers' purchases, summed over cases.
    errors : array, (placebos, measures, components, windows)
        What placebo outages find of the same, where nothing happened.
    gap, path : array, (measures, 3, days)
        Observed minus expected, and expected, by day from the first after the outage.
    daily_errors : array, (placebos, measures, 3, days)
        What placebos find by day.
    facts : mapping
        `dark`, `donors`, `outages`, `regular` (days), `followed` (households), `followed_ids`,
        `followed_share` (of what the dark stores sold in the baseline, by measure), `compared` (households),
        `appear_later` (households), `sold_in_outage` and `expected_in_outage` (baskets at the dark stores, by
        anybody), `partly` (whether any outage was told to be partial), `left_out` (stores with days without
        records), `unlike` (dark stores that no donor is nearly as large or small as), `placebos_failed`.
    alpha : float
        One minus the level of every interval.
    """

    measures: tuple[str, ...]
    rivals: tuple[str, ...]
    effect: Array
    errors: Array
    gap: Array
    path: Array
    daily_errors: Array
    facts: Mapping[str, Any]
    alpha: float

    def __repr__(self) -> str:
        """Show what was lost instead of all arrays."""
        return f"Account({self.measures[0]}: {wording.of_parts(self, self.measures[0])})"

    # ---- the parts

    @property
    def params(self) -> dict[str, float]:
        """Each part, in the first measure."""
        return {name: float(value) for name, value in self.parts().items()}

    def parts(self, measure: str | None = None) -> dict[str, float]:
        """Return each part as an amount.

        Parameters
        ----------
        measure : str, optional
            The first, if not given.
        """
        found = parts(self.effect[self._place(measure)], self.rivals)
        return {name: float(value) for name, value in found.items()}

    def part_errors(self, measure: str | None = None) -> dict[str, Array]:
        """Return what each placebo finds for each part, (placebos,) each: they add up as the parts do."""
        return parts(self.errors[:, self._place(measure)], self.rivals)

    def conf_int(
        self, alpha: float | None = None, *, what: str = LOST, measure: str | None = None
    ) -> tuple[float, float]:
        """Return the interval of a part as an amount; unbounded where there are too few placebos.

        Parameters
        ----------
        alpha : float, optional
            One minus the level; the account's own, if not given.
        what : str
            The part.
        measure : str, optional
            The first, if not given.
        """
        return self._ranked(what, measure).interval(self.alpha if alpha is None else check_alpha(alpha))

    def pvalue(self, what: str = LOST, *, measure: str | None = None) -> float:
        """Return the p-value of a part being nothing, by the same ranks as `conf_int`."""
        return self._ranked(what, measure).pvalue()

    def share(self, what: str = "diverted", *, measure: str | None = None) -> Ratio:
        """Return a part as a share of what was lost: the diversion ratio, where it is what was diverted."""
        known, errors = self.parts(measure), self.part_errors(measure)
        self._check(what)
        return Ratio(known[what], known[LOST], errors[what], errors[LOST])

    @property
    def retention(self) -> Ratio | None:
        """Mean daily gain elsewhere on days 29 to 56 over that in the outage; None where the record ends."""
        late, first = retention(self.effect[0])
        if not np.isfinite(late):
            return None
        return Ratio(float(late), float(first), *retention(self.errors[:, 0]))

    # ---- recovery

    @property
    def recovered(self) -> recovery.Waited:
        """Days until followed customers bought 95 % of what was to be expected at the dark stores."""
        return recovery.to_whole(self.gap[0], self.path[0], self.daily_errors[:, 0], self.alpha)

    @property
    def half_life(self) -> recovery.Waited | None:
        """Days until the gain elsewhere was half of the first; None where that was not significant."""
        if not self.parts()[DIVERTED] > 0 or self.pvalue(DIVERTED) > self.alpha:
            return None
        first, firsts = self.effect[0, ELSEWHERE, DAILY], self.errors[:, 0, ELSEWHERE, DAILY]
        return recovery.to_half(self.gap[0], self.daily_errors[:, 0], float(first), firsts, self.alpha)

    # ---- tables and words

    @cached_property
    def frame(self) -> pl.DataFrame:
        """Everything in one table; see `summary_frame`."""
        rows = [self._row(measure, part) for measure in self.measures for part in self.parts(measure)]
        return pl.DataFrame(rows, schema=_COLUMNS, orient="row")

    def summary_frame(self) -> pl.DataFrame:
        """Return the account as a table.

        Returns
        -------
        polars.DataFrame
            One row = one measure and part: `measure`, `part`, `estimate`, `low`, `high`, `pvalue` (of none),
            `share` of what was lost with `share_low` and `share_high` (infinite where the loss itself may
            be nothing), `detectable` (the smallest amount that would be seen four times in five), `verdict`
            ("found"; "none seen": less than `detectable`, if any; "not estimable here": even all that was
            lost would often not be seen; see `verdict`).
        """
        return self.frame

    def tidy(self) -> pl.DataFrame:
        """Return the same as `summary_frame`."""
        return self.frame

    def summary(self) -> str:
        """Say everything in words and numbers."""
        return wording.summary(self)

    def sentence(self) -> str:
        """Say the account in one plain sentence, with its ranges."""
        return wording.sentence(self)

    def plot(self, measure: str | None = None) -> Any:
        """Draw how lost is made up; an `altair.Chart`."""
        from grocery_spheres.accounting import picture  # noqa: PLC0415 - most uses draw nothing

        return picture.draw(self, self.measures[self._place(measure)])

    # ---- inside

    def _place(self, measure: str | None) -> int:
        if measure is None:
            return 0
        if measure not in self.measures:
            raise ContractError(f"There is no measure {measure!r}; there are: {', '.join(self.measures)}.")
        return self.measures.index(measure)

    def _check(self, what: str) -> None:
        if what not in (known := self.parts()):
            raise ContractError(f"There is no part {what!r}; there are: {', '.join(known)}.")

    def _ranked(self, what: str, measure: str | None) -> Ranked:
        self._check(what)
        return ranked(self.parts(measure)[what], self.part_errors(measure)[what])

    def detectable(self, what: str = LOST, *, measure: str | None = None) -> float:
        """Return the smallest amount that would be seen four times in five; infinite with few placebos."""
        self._check(what)
        errors = self.part_errors(measure)[what]
        low, high = ranked(0.0, errors).interval(self.alpha)
        if (low, high) == UNBOUNDED:
            return float("inf")
        return high + float(np.nanquantile(np.abs(errors), 2 * POWER - 1))

    def _row(self, measure: str, part: str) -> tuple[Any, ...]:
        value, low, high = self.parts(measure)[part], *self.conf_int(what=part, measure=measure)
        pvalue, seen = self.pvalue(part, measure=measure), self.detectable(part, measure=measure)
        ratio = self.share(part, measure=measure)
        ends = (1.0, 1.0) if part == LOST else ratio.interval(self.alpha)
        told = verdict(part, pvalue, seen, self.parts(measure)[LOST], self.alpha)
        return measure, part, value, low, high, pvalue, ratio.value, *ends, seen, told
