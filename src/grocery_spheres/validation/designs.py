"""Do estimates of an outage hold a truth that was simulated, on a kind panel and on hostile ones?

Sixty units move with two common factors; one is dark for fourteen days. The kind design is the one on which
other packages were measured before this one was written; the others break one thing each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from grocery_spheres.outage.estimate import estimate_outage
from grocery_spheres.outage.methods import METHODS
from grocery_spheres.outage.outages import Outage
from grocery_spheres.outage.results import OutageResults
from grocery_spheres.validation.outage_code import ESTIMATES
from grocery_spheres.validation.subjects import Rows, Subject

Array = npt.NDArray[np.float64]

KIND = "kind"
FULL = 1000  # replications of the kind design by the two methods that are held to a bar
HOSTILE = 200  # replications of all else
SLOW = 100  # replications of synthetic_did, whose interval takes a hundred fits
CORRECTED = "structural, corrected"  # by placebos: run where the model's own interval breaks
BREAKS = "holiday in the window"
PLACEBOS = 99  # of those: whole ranks at 95 % and at 90 %
HELD = ("structural", "synthetic_control")

_UNITS, _START, _LENGTH = 60, 300, 14  # units; first dark day; dark days
_LEVEL, _LEVELS = 100.0, 10.0  # mean of an average unit; standard deviation between units
_EFFECT = -15.0  # units of the outcome a day
_WEEK = np.array([-4.0, -3.0, -2.0, 0.0, 3.0, 8.0, -2.0])  # weekday pattern of an average unit
_KEPT = 0.9  # autocorrelation of the common factors
_FACTOR = 4.3  # their standard deviation: at it difference in differences errs by 2.7, as first measured
_LOADINGS = 0.5  # standard deviation of the units' loadings around 1
_NOISE, _NOISE_KEPT = 1.83, 0.5  # own innovations (synthetic control then errs by 1.16), autocorrelation

_SHORT = 42  # days before the outage in the short design
_DONORS_HIT = 10  # donors that receive what was lost, in the contaminated design
_DIVERTED = 0.6  # share of the loss that they receive together
_HOLIDAY = 12.0  # rise on days 3 to 5 of the window, times a loading of each unit's own
_RARE = 0.4  # baskets a day of a unit with many zeros
_THINNED = 0.5  # share of them that the outage stops


@dataclass(frozen=True)
class Drawn:
    """One panel with an outage at its first unit.

    Attributes
    ----------
    values : array, (units, periods)
        What was observed.
    start : int
        First dark period.
    truth : float
        Realised average effect in the window.
    hit : mapping
        Share of the loss that each donor received.
    untouched : array, (units, periods), or None
        The same without what donors received; None where they received nothing.
    """

    values: Array
    start: int
    truth: float
    hit: Mapping[int, float]
    untouched: Array | None = None


def panel(rng: np.random.Generator, start: int = _START) -> Array:
    """Draw untreated outcomes of all units, up to the end of the window."""
    days = start + _LENGTH
    factors = np.array([_kept(rng, days, _KEPT, _FACTOR * np.sqrt(1 - _KEPT**2)) for _ in range(2)])
    loadings = rng.normal(1.0, _LOADINGS, size=(_UNITS, 2))
    noise = np.array([_kept(rng, days, _NOISE_KEPT, _NOISE) for _ in range(_UNITS)])
    levels = _LEVEL + rng.normal(0.0, _LEVELS, _UNITS)
    weeks = rng.uniform(0.5, 1.5, _UNITS)[:, None] * _WEEK[np.arange(days) % 7]
    return np.asarray(levels[:, None] + loadings @ factors + weeks + noise)


def _kept(rng: np.random.Generator, days: int, kept: float, innovation: float) -> Array:
    """Draw an AR(1) that begins in its stationary distribution."""
    shocks = rng.normal(0.0, innovation, days)
    path = np.empty(days)
    path[0] = shocks[0] / np.sqrt(1 - kept**2)
    for day in range(1, days):
        path[day] = kept * path[day - 1] + shocks[day]
    return path


# ---- the designs


def _dark(values: Array, start: int, hit: Mapping[int, float] | None = None) -> Drawn:
    observed = values.copy()
    observed[0, start:] += _EFFECT
    untouched = observed.copy()
    for donor, share in (hit or {}).items():
        observed[donor, start:] -= share * _EFFECT
    return Drawn(observed, start, _EFFECT, hit or {}, untouched if hit else None)


def _kind(rng: np.random.Generator) -> Drawn:
    return _dark(panel(rng), _START)


def _hull(rng: np.random.Generator) -> Drawn:
    """Let the dark unit move three times as much with the factors as any donor could explain."""
    values = panel(rng)
    shared = values[1:].mean(axis=0) - values[1:].mean()
    values[0] += 2 * shared
    return _dark(values, _START)


def _short(rng: np.random.Generator) -> Drawn:
    return _dark(panel(rng, _SHORT), _SHORT)


def _contaminated(rng: np.random.Generator) -> Drawn:
    share = _DIVERTED / _DONORS_HIT
    return _dark(panel(rng), _START, dict.fromkeys(range(1, _DONORS_HIT + 1), share))


def _extreme(rng: np.random.Generator) -> Drawn:
    """Take for dark whichever unit stood lowest, against its own mean, in the two weeks before."""
    values = panel(rng)
    late = values[:, _START - _LENGTH : _START].mean(axis=1) - values[:, :_START].mean(axis=1)
    lowest = int(np.argmin(late))
    return _dark(np.roll(values, -lowest, axis=0), _START)


def _holiday(rng: np.random.Generator) -> Drawn:
    values = panel(rng)
    values[:, _START + 3 : _START + 6] += _HOLIDAY * rng.uniform(0.5, 1.5, _UNITS)[:, None]
    return _dark(values, _START)


def _zeros(rng: np.random.Generator) -> Drawn:
    """Count rare baskets; the outage stops each with the same chance, and the truth is what it stopped."""
    days = _START + _LENGTH
    common = np.exp(_kept(rng, days, _KEPT, 0.1))
    counts = rng.poisson(_RARE * common, size=(_UNITS, days)).astype(np.float64)
    stopped = rng.binomial(counts[0, _START:].astype(int), _THINNED)
    counts[0, _START:] -= stopped
    return Drawn(counts, _START, -float(stopped.mean()), {})


DESIGNS: Mapping[str, Callable[[np.random.Generator], Drawn]] = {
    KIND: _kind,
    "unit outside its donors": _hull,
    "six weeks before": _short,
    "donors that gain": _contaminated,
    "unit chosen at a low": _extreme,
    "holiday in the window": _holiday,
    "many zeros": _zeros,
}
"""Every design by name, the kind one first."""


def replicate(seed: int) -> Rows:
    """Draw each design once and estimate by every method that is due.

    Returns
    -------
    list of dict
        One row = one design and method: `design`, `method`, `truth`, `estimate`, `low`, `high` (95 %, the
        method's own, but for `CORRECTED`), `low90`, `high90`, `bound` (what contaminated donors add to the
        effect, as the weights say; 0 where none is hit; null without weights), `shift` (what they do add:
        the estimate minus that of the same panel without what donors received).
    """
    rows = []
    for number, (design, draw) in enumerate(DESIGNS.items()):
        if seed > (FULL if design == KIND else HOSTILE):
            continue
        drawn = draw(np.random.default_rng([seed, number]))
        frame = long_panel(drawn.values)
        due = [method for method in METHODS if _due(method, seed)]
        rows += [_row(design, method, drawn, _found(frame, drawn, method)) for method in due]
        if design == BREAKS and seed <= SLOW:
            corrected = _found(frame, drawn, HELD[0], placebos=PLACEBOS)
            rows.append(_row(design, CORRECTED, drawn, corrected))
    return rows


def _due(method: str, seed: int) -> bool:
    most = SLOW if method == "synthetic_did" else FULL if method in HELD else HOSTILE
    return seed <= most


def long_panel(values: Array) -> pl.DataFrame:
    """Return a rectangle as a long panel: `unit`, `day`, `sales`."""
    units, days = values.shape
    return pl.DataFrame(
        {
            "unit": np.repeat(np.arange(units), days),
            "day": np.tile(np.arange(days), units),
            "sales": values.ravel(),
        }
    )


def _found(frame: pl.DataFrame, drawn: Drawn, method: str, placebos: int = 0) -> OutageResults:
    return estimate_outage(
        frame,
        Outage(0, drawn.start, drawn.start + _LENGTH - 1),
        unit="unit",
        time="day",
        outcome="sales",
        season=7,
        method=method,
        calibrate=placebos > 0,
        placebos=placebos,
    )


def _row(design: str, method: str, drawn: Drawn, found: OutageResults) -> dict[str, Any]:
    (low, high), (low90, high90) = found.conf_int(0.05), found.conf_int(0.1)
    return {
        "design": design,
        "method": method,
        "truth": drawn.truth,
        "estimate": found.att,
        "low": low,
        "high": high,
        "low90": low90,
        "high90": high90,
        "bound": _bound(found.weights, drawn),
        "shift": _shift(found, drawn, method),
    }


def _shift(found: OutageResults, drawn: Drawn, method: str) -> float:
    if drawn.untouched is None:
        return 0.0
    return found.att - _found(long_panel(drawn.untouched), drawn, method).att


def _bound(weights: pl.DataFrame, drawn: Drawn) -> float | None:
    """Return what the donors' gains add to the effect: minus the weighted gain."""
    if not drawn.hit:
        return 0.0
    if not weights.height:
        return None
    held = dict(weights.select("unit", "weight").iter_rows())
    return float(sum(held.get(donor, 0.0) * share for donor, share in drawn.hit.items()) * drawn.truth)


SUBJECT = Subject(
    name="designs",
    question="Do estimates of an outage hold a simulated truth, on a kind panel and on hostile ones?",
    replicate=replicate,
    replications=FULL,
    rests_on=(*ESTIMATES, "schema", "tables", "validation.designs"),
)
