"""What can be read off a comparison of stores still open: table, interval, sentence, chart?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import altair as alt
import polars as pl

from grocery_spheres.entry.curves import Contrast
from grocery_spheres.entry.spells import checked_level
from grocery_spheres.tables import GroceryError


@dataclass(frozen=True)
class SurvivalResults:
    """Shares of stores still open, group by group, and how far they lie apart at the horizon.

    Attributes
    ----------
    survival : polars.DataFrame
        One row = one group and day on which a store closed (day 0 and the horizon too): `group`, `day` (days
        since the start), `months`, `at_risk`, `closed` (stores), `survival` (share), `low`, `high`.
    horizon : int
        Months after the start, at which the groups are compared.
    horizon_days : int
        The same in days.
    alpha : float
        One minus the level of the intervals.
    contrasts : mapping of str to Contrast
        One entry = one group, held against the base.
    logranks : polars.DataFrame
        One row = one group: `statistic` (chi-square, one degree of freedom) and `pvalue` of the log-rank test
        over the whole record, which takes stores of one town as independent; `permutation_pvalue`: the same
        numerator, groups dealt out anew over the clusters (null where a cluster has stores of both).
    counts : mapping of str to (int, int)
        Stores and clusters of each group.
    base, column, cluster : str
        The group that others are held against; the columns of groups and of what stores share.
    same_start : bool
        Whether all stores' clocks start on the same day. If not, so many months differ in days.
    """

    survival: pl.DataFrame
    horizon: int
    horizon_days: int
    alpha: float
    contrasts: Mapping[str, Contrast]
    logranks: pl.DataFrame
    counts: Mapping[str, tuple[int, int]]
    base: str
    column: str
    cluster: str
    same_start: bool = True

    @property
    def difference(self) -> float:
        """The group's share still open less the base's, at the horizon; needs exactly two groups."""
        return self._only().difference

    @property
    def pvalue(self) -> float:
        """For no difference at the horizon, from the interval's own statistic; needs exactly two groups."""
        return self._only().pvalue

    @property
    def logrank(self) -> dict[str, float | None]:
        """`statistic`, `pvalue`, `permutation_pvalue`; needs exactly two groups. See `logranks`."""
        self._only()
        return self.logranks.drop("group").row(0, named=True)

    def conf_int(self, alpha: float | None = None) -> tuple[float, float]:
        """Return the interval of the difference; needs exactly two groups."""
        return self._only().conf_int(checked_level(self.alpha if alpha is None else alpha))

    def summary_frame(self, alpha: float | None = None) -> pl.DataFrame:
        """Return one row a comparison: shares, `difference`, `low`, `high`, `pvalue`, and the tests."""
        level = checked_level(self.alpha if alpha is None else alpha)
        rows = [
            {
                "group": group,
                "base": self.base,
                "survival": float(one.shares[0]),
                "base_survival": float(one.shares[1]),
                "difference": one.difference,
                **dict(zip(("low", "high"), one.conf_int(level), strict=True)),
                "pvalue": one.pvalue,
            }
            for group, one in self.contrasts.items()
        ]
        tests = self.logranks.rename({"statistic": "logrank", "pvalue": "logrank_pvalue"})
        return pl.DataFrame(rows).join(tests, on="group", maintain_order="left")

    def tidy(self) -> pl.DataFrame:
        """Return one row an estimate: `term`, `estimate`, `low`, `high`, `pvalue` (null for shares)."""
        ends = self.survival.filter(pl.col("day") == self.horizon_days)
        columns = ("low", "high", "pvalue")
        shares = ends.select(pl.col("group").alias("term"), estimate="survival", low="low", high="high")
        terms = pl.format("{} - {}", "group", "base").alias("term")
        apart = self.summary_frame().select(terms, pl.col("difference").alias("estimate"), *columns)
        return pl.concat([shares, apart], how="diagonal")

    def summary(self) -> str:
        """Return sentences and the table of comparisons as text."""
        with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=160, float_precision=4):
            return f"{self.sentence()}\n{self.summary_frame()}"

    def sentence(self) -> str:
        """Say in one plain sentence a comparison how far the shares lie apart, with the range."""
        return " ".join(self._sentence(group, one) for group, one in self.contrasts.items())

    def plot(self) -> alt.LayerChart | alt.FacetChart:
        """Draw the shares still open by month as steps, with their intervals; lines carry their names."""
        last = self.survival.group_by("group", maintain_order=True).last()
        base = alt.Chart(self.survival.to_pandas()).encode(
            x=alt.X("months:Q", title="months since the start"),
            color=alt.Color("group:N", legend=None),
        )
        share = alt.Y("survival:Q", title="share still open", axis=alt.Axis(format="%")).scale(zero=False)
        band = base.mark_area(interpolate="step-after", opacity=0.15).encode(y="low:Q", y2="high:Q")
        line = base.mark_line(interpolate="step-after").encode(y=share)
        name = alt.Chart(last.to_pandas()).mark_text(align="left", dx=6)
        label = name.encode(x="months:Q", y="survival:Q", text="group:N", color="group:N")
        return alt.layer(band, line, label)

    def _only(self) -> Contrast:
        if len(self.contrasts) != 1:
            raise GroceryError(
                f"{len(self.contrasts)} groups are held against {self.base!r}, so there is no single "
                "difference: read summary_frame(), one row a comparison."
            )
        return next(iter(self.contrasts.values()))

    def _sentence(self, group: str, one: Contrast) -> str:
        low, high = (100 * end for end in one.conf_int(self.alpha))
        first, second = (
            f"{100 * share:.1f} % of the {self.counts[name][0]:,} stores with {self.column} {name!r}"
            for share, name in zip(one.shares, (group, self.base), strict=True)
        )
        months = f"{self.horizon} month{'s' if self.horizon > 1 else ''}"
        span = months if self.same_start else f"{months} ({self.horizon_days:,} days)"
        return (
            f"{span} on, {first} were still open and {second}: a difference of "
            f"{100 * one.difference:+.1f} points ({100 * (1 - self.alpha):g} % interval {low:+.1f} to "
            f"{high:+.1f}, by {self.cluster}); it compares the groups as they are, and is not by itself an "
            "effect."
        )
