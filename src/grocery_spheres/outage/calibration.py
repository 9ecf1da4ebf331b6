"""What does the method find on this very panel where nothing happened, and which interval does that earn?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from grocery_spheres.outage.certainty import Ranked
from grocery_spheres.outage.conformal import Conformal
from grocery_spheres.outage.expected import Array, Options
from grocery_spheres.outage.inference import certainty_of
from grocery_spheres.outage.methods import METHODS, fit
from grocery_spheres.outage.placebos import Pick, placebo_study
from grocery_spheres.outage.study import Study
from grocery_spheres.tables import ContractError, GroceryError

LOOSEST = 0.2  # alpha up to which a placebo says exactly whether its own conformal interval held the truth
POWER = 0.8  # chance to see the smallest detectable effect; the usual convention (Cohen 1988)

Repeat = tuple[float, float, float, float]
"""Error, scale, p-value and width of one placebo."""


@dataclass(frozen=True)
class Calibration:
    """The method repeated where nothing happened: untreated units, and earlier windows of the same length.

    Attributes
    ----------
    placebos : polars.DataFrame
        One row = one placebo: `placebo` (its number, from 0), `unit` (the first of its units), `back`
        (periods before the real window), `error` (its average effect, which is all chance), `scale` (in the
        method's own light), `pvalue` (its own, of no effect), `width` (of its own interval at `alpha`).
    failed : tuple of str
        Why placebos could not be used, in words: counted, never swallowed.
    alpha : float
        Of the widths.
    """

    placebos: pl.DataFrame
    failed: tuple[str, ...]
    alpha: float

    @property
    def studentized(self) -> Array:
        """Errors over their scales, (placebos,)."""
        return (self.placebos["error"] / self.placebos["scale"]).to_numpy()

    def coverage(self, alpha: float | None = None) -> float:
        """Return the share of placebos whose own interval held the truth, no effect; NaN if none has any."""
        level = self.alpha if alpha is None else alpha
        known = self.placebos["pvalue"].to_numpy()
        known = known[~np.isnan(known)]
        return float(np.mean(known > level)) if len(known) else float("nan")

    def corrected(self, estimate: float, scale: float) -> Ranked:
        """Return the inference that these placebos earn for an estimate with such a scale."""
        return Ranked(
            estimate,
            scale,
            self.studentized,
            f"rank among {self.placebos.height} placebos on this panel",
            "chance moves the dark unit in the outage as it moves others, and itself in earlier windows",
        )

    def detectable(self, scale: float, alpha: float | None = None) -> float:
        """Return the smallest average effect that would be seen four times in five, as an amount.

        Parameters
        ----------
        scale : float
            Of the estimate's error.
        alpha : float, optional
            Of the test.

        Returns
        -------
        float
            Infinite where there are too few placebos to see anything.
        """
        if not self.placebos.height:
            return float("inf")
        _, reach = self.corrected(0.0, scale).interval(self.alpha if alpha is None else alpha)
        return float(reach + scale * np.quantile(np.abs(self.studentized), 2 * POWER - 1))

    def summary_frame(self, scale: float) -> pl.DataFrame:
        """Return what the placebos say, level by level.

        Parameters
        ----------
        scale : float
            Of the estimate's error.

        Returns
        -------
        polars.DataFrame
            One row = one level: `alpha`, `placebos`, `coverage` (of the method's own interval), `size`
            (share of placebos in which it finds an effect), `own_width` (median, of its own intervals at the
            calibration's `alpha`; null where their ends were not looked for), `corrected_width`,
            `detectable`, in the outcome's unit per dark unit and period.
        """
        rows = []
        for alpha in sorted({0.1, self.alpha}, reverse=True):
            covered = self.coverage(alpha)
            _, reach = self.corrected(0.0, scale).interval(alpha)
            own = self._own_width() if alpha == self.alpha else None
            seen = self.detectable(scale, alpha)
            rows.append((alpha, self.placebos.height, covered, 1 - covered, own, 2 * reach, seen))
        names = ["alpha", "placebos", "coverage", "size", "own_width", "corrected_width", "detectable"]
        return pl.DataFrame(rows, schema=names, orient="row")

    def _own_width(self) -> float | None:
        widths = self.placebos["width"].to_numpy()
        finite = widths[np.isfinite(widths)]
        return float(np.median(finite)) if len(finite) else None


def calibrate(
    study: Study, options: Options, *, method: str, inference: str, alpha: float, picks: list[Pick]
) -> Iterator[Repeat | str]:
    """Repeat a method where nothing happened, one placebo at a time.

    Parameters
    ----------
    study, options, method, alpha
        What was estimated, and how.
    inference : str
        The inference that was used there, and is used here whatever else would suit (`inference.suited`).
    picks : list of Pick
        The placebos.

    Yields
    ------
    tuple of float, or str
        Error, scale, p-value and width of one placebo; or why it failed.
    """
    for pick in picks:
        try:
            yield _repeated(placebo_study(study, pick), options, method, inference, alpha)
        except (GroceryError, np.linalg.LinAlgError) as failure:
            yield f"{type(failure).__name__}: {failure}"


def _repeated(study: Study, options: Options, method: str, inference: str, alpha: float) -> Repeat:
    found = fit(study, METHODS[method], options)
    if not (np.isfinite(found.att) and found.scaled):
        raise ContractError(
            f"The placebo at {study.panel.ids[study.members[0][0]]!r} has an error of no known size."
        )
    if inference == "units":  # itself made of placebos: they would judge each other
        return found.att, found.scale, float("nan"), float("nan")
    sure = certainty_of(study, found, options, method=method, inference=inference)
    if isinstance(sure, Conformal):  # its ends take a hundred fits, of which a large p-value takes one
        pvalue = sure.raw_pvalue(0.0)
        pvalue = pvalue if pvalue > LOOSEST else sure.pvalue()
        return found.att, found.scale, pvalue, float("nan")
    low, high = sure.interval(alpha)
    return found.att, found.scale, sure.pvalue(), high - low


def gathered(results: list[Repeat | str], picks: list[Pick], study: Study, *, alpha: float) -> Calibration:
    """Put the results of placebos into one frame; failures stand apart, in their own words.

    Parameters
    ----------
    results : list
        What `calibrate` yielded.
    picks : list of Pick
        The placebos, in the same order.
    study : Study
        The real one.
    alpha : float
        Of the widths.
    """
    numbered = zip(range(len(picks)), picks, results, strict=True)
    kept = [(number, pick, row) for number, pick, row in numbered if not isinstance(row, str)]
    failed = tuple(row for row in results if isinstance(row, str))
    ids = study.panel.ids
    rows = [(number, ids[pick.members[0][0]], pick.back, *row) for number, pick, row in kept]
    names = ["placebo", "unit", "back", "error", "scale", "pvalue", "width"]
    kinds = [pl.Int64, pl.String if isinstance(ids[0], str) else pl.Int64, pl.Int64, *[pl.Float64] * 4]
    frame = pl.DataFrame(rows, schema=dict(zip(names, kinds, strict=True)), orient="row")
    return Calibration(frame, failed, alpha)
