"""What do outage estimates cost, against the packages that make the same ones?

    python benchmarks/outage.py [--quick] [--write] [--rounds N]

The placebo of the synthetic control: every unit of a panel in turn with all the others as its donors, without
an intercept, the weights from the outcomes alone. All cases solve the same problems, and their ratios of root
mean squared gaps (window over the days before) must agree. Every case runs in a process of its own with one
thread, in turns, so that a busy machine hits all alike; the medians are reported. The structural method's
placebo over the same units stands beside the same idea fitted by statsmodels, and the default estimate, 200
placebos and all, beside itself without a limit on threads. `--quick` takes a third of the units, `--write`
puts the tables into benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import polars as pl
from shared.readme import made_with, write_section

from grocery_spheres import estimate_outage
from grocery_spheres.outage import estimate as estimates
from grocery_spheres.outage.donor_factors import donor_factors
from grocery_spheres.outage.expected import Array, Options, Target
from grocery_spheres.outage.outages import Outage
from grocery_spheres.outage.structural import structural
from grocery_spheres.outage.synthetic_control import placebo_gaps

UNITS, QUICK_UNITS, WARM_UNITS = 60, 20, 6
BEFORE, WINDOW = 300, 14  # days
EFFECT = -15.0  # of the first unit in the window; levels are near 100
SEED = 2045
OFTEN = 3  # times as many rounds of the placebo of the synthetic control, which is short and noisy
LEAST_WALL = 0.5  # seconds: shorter cases are repeated and averaged
LEAST_RATIOS = {"diff-diff": 10, "pysyncon": 50}  # what is required: wall seconds over ours
NEAR = {"ours": 0.0, "diff-diff": 1e-6, "pysyncon": 0.02}  # how far its ratios of gaps may be from ours
START, END = "<!-- outage: written by benchmarks/outage.py -->", "<!-- outage: end -->"
PACKAGES = ["numpy", "scipy", "statsmodels", "diff-diff", "pysyncon"]
MOST_SECONDS, MOST_MB = 60, 300  # what is required of the structural placebo; of memory, of all of ours
COMPONENTS = 3  # of the donors, for statsmodels

TITLE = "## Outage: placebos"
ABOUT = f"""Every unit in turn with all the others as donors: {BEFORE} days to fit, {WINDOW} in the window,
two autoregressive factors, a weekday pattern, autocorrelated noise. Weights from the outcomes alone, no
intercept, no weighting of days; the same problems for all. One process a case with one thread, in turns;
seconds after a first run on {WARM_UNITS} units; peak memory of the whole process. "Apart" is the largest
relative difference of a unit's ratio of root mean squared gaps from ours, "worse fit" by how much the worst
of its fits exceeds the least sum of squares."""
ABOUT_MODELS = f"""The structural method on the same panel, every unit in turn: all settings of the errors and
numbers of factors weighed, beside one setting of {COMPONENTS} components fitted by maximum likelihood with
statsmodels' `UnobservedComponents` (level, AR(1), weekdays). Then `estimate_outage` as it stands, 200
placebos, on one thread as it limits itself, and without that limit on all threads of the machine."""
AGAIN = "Again: `python benchmarks/outage.py --write` (some minutes), or `--quick` for a third of the units."

Results = dict[str, dict[str, Any]]
Squares = tuple[Array, Array]


# --- data: 60 units, factors, weekdays, noise -------------------------------------------------------------


def panel(units: int) -> Array:
    """Draw units x days; the first unit has the effect in the window at the end."""
    rng = np.random.default_rng(SEED)
    days = BEFORE + WINDOW
    factors = autoregressive(rng.normal(size=(2, days)), 0.9)
    weekday = rng.normal(size=7)[np.arange(days) % 7]
    loadings, scale = rng.uniform(0.5, 1.5, (units, 2)), rng.uniform(2, 6, (units, 1))
    noise = autoregressive(rng.normal(size=(units, days)), 0.5)
    values = 100 + rng.normal(0, 5, (units, 1)) + 3 * loadings @ factors + scale * weekday + 2 * noise
    values[0, BEFORE:] += EFFECT
    return np.asarray(values)


def autoregressive(shocks: Array, share: float) -> Array:
    """Carry this share of each day over to the next."""
    carried = shocks.copy()
    for day in range(1, shocks.shape[1]):
        carried[:, day] += share * carried[:, day - 1]
    return carried


# --- the cases: each takes the panel and returns mean squared gaps a unit, before the window and in it ----


def ours(values: Array) -> Squares:
    """Solve all units from the inner products of one another, exactly."""
    return squares(placebo_gaps(values, np.arange(values.shape[1]) < BEFORE, Options(intercept=False)))


def diff_diff(values: Array) -> Squares:
    """Fit the first unit, and let the package run its placebo in space over all the others; exact, too."""
    import pandas as pd  # noqa: PLC0415  # the other cases do without
    from diff_diff import SyntheticControl  # type: ignore[import-untyped]  # noqa: PLC0415

    units, days = values.shape
    unit, day = np.repeat(np.arange(units), days), np.tile(np.arange(days), units)
    dark = ((unit == 0) & (day >= BEFORE)).astype(int)
    frame = pd.DataFrame({"unit": unit, "day": day, "sales": values.ravel(), "dark": dark})
    plain = SyntheticControl(v_method="custom", custom_v=np.ones(BEFORE), standardize="none")
    fit = plain.fit(frame, "sales", "dark", "unit", "day")
    found = fit.in_space_placebo().sort_values("unit")
    return found["pre_mspe"].to_numpy(), found["post_mspe"].to_numpy()


def pysyncon(values: Array) -> Squares:
    """Fit every unit, no penalty. It divides days by their spread, which V undoes.

    The median unit is taken from all, and V makes a mean of the sum of squares; both leave the problem the
    same, and without them its solver ends earlier.
    """
    import pandas as pd  # noqa: PLC0415
    from pysyncon import PenalizedSynth  # noqa: PLC0415

    moved = pd.DataFrame((values - np.median(values, axis=0)).T)
    before = moved.iloc[:BEFORE]
    spread = before.std(axis=1).to_numpy()
    gaps = []
    for unit in range(len(values)):
        fit = PenalizedSynth()
        fit.fit(X0=before.drop(columns=unit), X1=before[unit], lambda_=0.0, custom_V=spread**2 / BEFORE)
        gaps.append(moved[unit] - moved.drop(columns=unit) @ np.asarray(fit.W))
    return squares(np.array(gaps))


CASES: dict[str, tuple[str, Callable[[Array], Squares]]] = {
    "ours": ("ours", ours),
    "diff-diff": ("diff-diff, `SyntheticControl`, `in_space_placebo`", diff_diff),
    "pysyncon": ("pysyncon, `PenalizedSynth`, lambda 0", pysyncon),
}


def squares(gaps: Array) -> Squares:
    """Return each unit's mean squared gap before the window and in it."""
    return np.mean(gaps[:, :BEFORE] ** 2, axis=1), np.mean(gaps[:, BEFORE:] ** 2, axis=1)


# --- the structural method, and the whole estimate: nothing to compare but time and memory -----------------


def structural_placebo(values: Array) -> None:
    """Foretell every unit's window from all the others, as `estimate_outage` does by default."""
    dose, weekly = dark_window(values), Options(season=7)
    for unit in range(len(values)):
        structural(Target(values[unit], dose, dose == 0), np.delete(values, unit, axis=0), weekly)


def statsmodels_placebo(values: Array) -> None:
    """Fit one structural model a unit by maximum likelihood, and forecast the window."""
    from statsmodels.tsa.statespace.structural import UnobservedComponents  # noqa: PLC0415

    everyone, weekdays = (
        np.ones(values.shape[1], dtype=bool),
        np.eye(7)[np.arange(values.shape[1]) % 7][:, 1:],
    )
    for unit in range(len(values)):
        factors = donor_factors(np.delete(values, unit, axis=0), everyone, COMPONENTS)
        terms = np.column_stack([factors, weekdays])
        model = UnobservedComponents(
            values[unit, :BEFORE], level="llevel", autoregressive=1, exog=terms[:BEFORE]
        )
        with warnings.catch_warnings(action="ignore"):  # it says so where it does not converge
            fit = model.fit(disp=False)
        fit.get_forecast(WINDOW, exog=terms[BEFORE:]).summary_frame()


def whole_estimate(values: Array) -> None:
    """Estimate the first unit's loss with 200 placebos, from a long frame on."""
    units, days = values.shape
    frame = {"unit": np.repeat(np.arange(units), days), "day": np.tile(np.arange(days), units)}
    long = pl.DataFrame({**frame, "sales": values.ravel()})
    dark = Outage(0, BEFORE, days - 1)
    estimate_outage(long, dark, unit="unit", time="day", outcome="sales", season=7, placebos=200)


def on_all_threads(values: Array) -> None:
    """Estimate the same without the limit to one thread: `alone` leaves the threads to this case."""
    for name in ("answer", "repeated"):
        work = getattr(estimates, name)
        setattr(estimates, name, getattr(work, "__wrapped__", work))
    whole_estimate(values)


def dark_window(values: Array) -> Array:
    """Return the dose of the window at the end."""
    return (np.arange(values.shape[1]) >= BEFORE).astype(float)


MODELS: dict[str, tuple[str, Callable[[Array], None]]] = {
    "structural": ("ours, `structural`, every unit in turn", structural_placebo),
    "statsmodels": ("statsmodels, `UnobservedComponents`, every unit in turn", statsmodels_placebo),
    "estimate": ("ours, `estimate_outage` with 200 placebos", whole_estimate),
    "threads": ("the same, on all threads", on_all_threads),
}


# --- measuring --------------------------------------------------------------------------------------------


def measure(case: str, units: int) -> dict[str, Any]:
    """Run one case in this process, after a small panel that loads all it needs."""
    warnings.simplefilter("ignore")  # the packages say when a fit is poor
    if case in MODELS:
        return spent_on(MODELS[case][1], units)[0]
    spent, (before, after) = spent_on(CASES[case][1], units)
    ratios = np.sqrt(after / before)
    return {**spent, "ratios": ratios.tolist(), "squares": before.tolist()}


def spent_on(run: Callable[[Array], Any], units: int) -> tuple[dict[str, float], Any]:
    """Return what a case took, and what it gave."""
    values = panel(units)
    run(panel(WARM_UNITS))
    times, wall, cpu = 0, time.perf_counter(), time.process_time()
    while not times or time.perf_counter() - wall < LEAST_WALL:
        found = run(values)
        times += 1
    spent = {"wall": (time.perf_counter() - wall) / times, "cpu": (time.process_time() - cpu) / times}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10  # Linux counts in KiB
    return {**spent, "peak_mb": peak}, found


def run_all(units: int, rounds: int) -> Results:
    """Run the cases in turns, each in its own process, and refuse unequal results."""
    runs: dict[str, list[dict[str, Any]]] = {case: [] for case in CASES}
    for number in range(rounds):
        for case in CASES:
            print(f"round {number + 1} of {rounds}: {case}", file=sys.stderr, flush=True)
            runs[case].append(json.loads(alone("--case", case, "--units", str(units))))
    figures = ("wall", "cpu", "peak_mb")
    own = runs["ours"][0]
    results = {}
    for case, done in runs.items():
        apart, worse = (farthest(done[0][name], own[name]) for name in ("ratios", "squares"))
        if apart > NEAR[case]:
            raise ValueError(f"{case} and ours differ by {apart:.2e}; at most {NEAR[case]} is allowed.")
        medians = {name: median(run[name] for run in done) for name in figures}
        results[case] = {**medians, "apart": apart, "worse": worse}
    return results


def run_models(units: int, rounds: int) -> dict[str, dict[str, float]]:
    """Run the structural cases in turns, each in its own process."""
    runs: dict[str, list[dict[str, float]]] = {case: [] for case in MODELS}
    for number in range(rounds):
        for case in MODELS:
            print(f"round {number + 1} of {rounds}: {case}", file=sys.stderr, flush=True)
            runs[case].append(
                json.loads(alone("--case", case, "--units", str(units), free=case == "threads"))
            )
    figures = ("wall", "cpu", "peak_mb")
    return {
        case: {name: median(run[name] for run in done) for name in figures} for case, done in runs.items()
    }


def farthest(these: list[float], own: list[float]) -> float:
    """Return the largest relative difference."""
    return float(np.max(np.abs(np.array(these) / np.array(own) - 1)))


def alone(*arguments: str, free: bool = False) -> str:
    """Run this script in a fresh process with one thread, or as many as it likes."""
    one = (
        {}
        if free
        else {
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "RAYON_NUM_THREADS": "1",
            "MPLBACKEND": "agg",
        }
    )
    return subprocess.run(
        [sys.executable, __file__, *arguments],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **one},
    ).stdout


# --- report -----------------------------------------------------------------------------------------------


def table(results: Results, units: int, rounds: int) -> str:
    """Write the figures as a Markdown table, with what is required."""
    own = results["ours"]["wall"]
    head = [
        f"**{units} units, {BEFORE + WINDOW} days**, median of {rounds}",
        "",
        "| case | wall s | CPU s | x ours (wall) | peak MB | apart | worse fit |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    rows = [
        f"| {CASES[case][0]} | {run['wall']:.3f} | {run['cpu']:.3f} | {run['wall'] / own:.0f} "
        f"| {run['peak_mb']:.0f} | {run['apart']:.0e} | {run['worse']:.0e} |"
        for case, run in results.items()
    ]
    held = [
        f"{case} at least {least} times ours ({'holds' if results[case]['wall'] >= least * own else 'FAILS'})"
        for case, least in LEAST_RATIOS.items()
    ]
    required = ["", f"Required: {', '.join(held)}."] if units == UNITS else []
    return "\n".join([*head, *rows, *required])


def model_table(results: dict[str, dict[str, float]], units: int, rounds: int) -> str:
    """Write the structural cases as a Markdown table, with what is required."""
    beside = {
        "structural": "structural",
        "statsmodels": "structural",
        "estimate": "estimate",
        "threads": "estimate",
    }
    head = [
        f"**{units} units, {BEFORE + WINDOW} days**, median of {rounds}",
        "",
        "| case | wall s | CPU s | x ours (wall) | peak MB |",
        "|---|--:|--:|--:|--:|",
    ]
    rows = [
        f"| {MODELS[case][0]} | {run['wall']:.2f} | {run['cpu']:.2f} "
        f"| {run['wall'] / results[beside[case]]['wall']:.1f} | {run['peak_mb']:.0f} |"
        for case, run in results.items()
    ]
    quick = results["structural"]["wall"] <= MOST_SECONDS
    small = max(results[case]["peak_mb"] for case in ("structural", "estimate")) <= MOST_MB
    held = (
        f"Required: the structural placebo within {MOST_SECONDS} s ({'holds' if quick else 'FAILS'}); ours "
        f"within {MOST_MB} MB ({'holds' if small else 'FAILS'})."
    )
    return "\n".join([*head, *rows, *(["", held] if units == UNITS else [])])


def section(tables: list[str]) -> str:
    """Write the README's section."""
    made = made_with(PACKAGES)
    first, second = tables
    return "\n\n".join([START, TITLE, ABOUT, first, ABOUT_MODELS, second, made, AGAIN, END])


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_UNITS} units only")
    parser.add_argument("--write", action="store_true", help="update benchmarks/README.md")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each case (default 3)")
    parser.add_argument("--case", choices=[*CASES, *MODELS], help=argparse.SUPPRESS)
    parser.add_argument("--units", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        print(json.dumps(measure(options.case, options.units)))
    else:
        compare(QUICK_UNITS if options.quick else UNITS, options.rounds, options.write)


def compare(units: int, rounds: int, write: bool) -> None:
    """Run the cases, print the tables, and write them where asked."""
    tables = [
        table(run_all(units, OFTEN * rounds), units, OFTEN * rounds),
        model_table(run_models(units, rounds), units, rounds),
    ]
    print("\n\n".join(tables), flush=True)
    if write:
        write_section(START, END, section(tables))


if __name__ == "__main__":
    main()
