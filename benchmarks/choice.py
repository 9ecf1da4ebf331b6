"""What does a conditional logit cost, against the packages that fit the same one?

    python benchmarks/choice.py [--quick] [--write] [--rounds N]

All cases fit the same coefficients on the same choices, from arrays or a frame as each package takes them,
and their log-likelihoods must agree. Every case runs in a process of its own with one thread, in turns; the
medians are reported. statsmodels fits a fiftieth of the situations, which is multiplied up: a straight line
through one point. `--quick` takes a tenth of the situations, `--write` puts the table into
benchmarks/README.md.
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

from grocery_spheres import fit_choice

SITUATIONS, QUICK, OPTIONS, COVARIATES = 100_000, 10_000, 8, 8
PART = 50  # statsmodels fits one in so many
SEED = 2045
LEAST_RATIO = 1.5  # xlogit's wall seconds over ours: what is required
NEAR = 1e-3  # of the log-likelihood, within which all must agree
START, END = "<!-- choice: written by benchmarks/choice.py -->", "<!-- choice: end -->"
PACKAGES = ["numpy", "polars", "statsmodels", "xlogit"]
TITLE = "## Choice: a conditional logit"
ABOUT = f"""{OPTIONS} options, {COVARIATES} covariates, one thread, a process a case, in turns; seconds of the
fit with standard errors, from the frame (ours, which checks it) or the arrays (the others) on; peak memory of
the whole process. All end at the same log-likelihood."""
AGAIN = "Again: `python benchmarks/choice.py --write`, or `--quick` for a tenth of the situations."

Made = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]


def choices(situations: int) -> Made:
    """Draw covariates, (situations x options, covariates), and what was chosen."""
    rng = np.random.default_rng(SEED)
    terms = rng.normal(size=(situations, OPTIONS, COVARIATES))
    beta = np.linspace(-0.8, 0.8, COVARIATES)
    best = (terms @ beta + rng.gumbel(size=(situations, OPTIONS))).argmax(axis=1)
    chosen = (np.arange(OPTIONS) == best[:, None]).astype(int)
    return terms.reshape(-1, COVARIATES), chosen.ravel()


NAMES = [f"x{number}" for number in range(COVARIATES)]


def ours(terms: Any, chosen: Any) -> Callable[[], float]:
    """Fit from a long frame."""
    situations = len(chosen) // OPTIONS
    ids = {
        "trip": np.repeat(np.arange(situations), OPTIONS),
        "store": np.tile(np.arange(OPTIONS), situations),
    }
    frame = pl.DataFrame({**ids, "went": chosen, **dict(zip(NAMES, terms.T, strict=True))})
    asked: dict[str, Any] = {"situation": "trip", "option": "store", "chosen": "went", "covariates": NAMES}

    def fit() -> float:
        found = fit_choice(frame, **asked)
        _ = found.bse
        return found.llf

    return fit


def xlogit(terms: Any, chosen: Any) -> Callable[[], float]:
    """Fit with xlogit."""
    from xlogit import MultinomialLogit  # noqa: PLC0415 - the other cases do without

    situations = len(chosen) // OPTIONS
    ids, alts = np.repeat(np.arange(situations), OPTIONS), np.tile(np.arange(OPTIONS), situations)

    def fit() -> float:
        model = MultinomialLogit()
        model.fit(X=terms, y=chosen, varnames=NAMES, ids=ids, alts=alts, verbose=0)
        return float(np.asarray(model.loglikelihood))

    return fit


def statsmodels(terms: Any, chosen: Any) -> Callable[[], float]:
    """Fit a part with statsmodels."""
    from statsmodels.discrete.conditional_models import ConditionalLogit  # noqa: PLC0415

    rows = len(chosen) // PART // OPTIONS * OPTIONS
    groups = np.repeat(np.arange(rows // OPTIONS), OPTIONS)

    def fit() -> float:
        return float(ConditionalLogit(chosen[:rows], terms[:rows], groups=groups).fit(disp=False).llf)

    return fit


CASES: dict[str, tuple[str, Callable[[Any, Any], Callable[[], float]], int]] = {
    "ours": ("ours, `fit_choice`", ours, 1),
    "xlogit": ("xlogit, `MultinomialLogit`", xlogit, 1),
    "statsmodels": (f"statsmodels, `ConditionalLogit`, {PART} x a part", statsmodels, PART),
}


def measure(case: str, situations: int) -> dict[str, float]:
    """Fit once after a small fit that loads all it needs."""
    warnings.simplefilter("ignore")
    CASES[case][1](*choices(50 * PART))()
    fit = CASES[case][1](*choices(situations))
    wall = time.perf_counter()
    value = fit()
    spent = (time.perf_counter() - wall) * CASES[case][2]
    return {
        "wall": spent,
        "llf": value,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10,
    }


def run_all(situations: int, rounds: int) -> dict[str, dict[str, float]]:
    """Run the cases in turns, and refuse unequal log-likelihoods."""
    runs: dict[str, list[dict[str, float]]] = {case: [] for case in CASES}
    for number in range(rounds):
        for case in CASES:
            print(f"round {number + 1} of {rounds}: {case}", file=sys.stderr, flush=True)
            runs[case].append(alone(case, situations))
    own = runs["ours"][0]["llf"]
    if abs(runs["xlogit"][0]["llf"] - own) > NEAR:
        raise ValueError(f"xlogit ends at {runs['xlogit'][0]['llf']:.4f}, ours at {own:.4f}.")
    return {
        case: {name: median(one[name] for one in done) for name in ("wall", "peak_mb")}
        for case, done in runs.items()
    }


def alone(case: str, situations: int) -> dict[str, float]:
    """Run a case in a fresh process with one thread."""
    one = dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS"], "1")
    words = [sys.executable, __file__, "--case", case, "--situations", str(situations)]
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, **one})
    found: dict[str, float] = json.loads(done.stdout)
    return found


def section(results: dict[str, dict[str, float]], situations: int, rounds: int) -> str:
    """Write the README's section."""
    own = results["ours"]["wall"]
    rows = [
        f"| {CASES[case][0]} | {run['wall']:.2f} | {run['wall'] / own:.1f} | {run['peak_mb']:.0f} |"
        for case, run in results.items()
    ]
    held = "holds" if results["xlogit"]["wall"] >= LEAST_RATIO * own else "FAILS"
    head = [f"**{situations:,} situations**, median of {rounds}", ""]
    head += ["| case | wall s | x ours | peak MB |", "|---|--:|--:|--:|"]
    required = ["", f"Required: xlogit at least {LEAST_RATIO} times ours ({held})."]
    made = made_with(PACKAGES)
    table = "\n".join([*head, *rows, *(required if situations == SITUATIONS else [])])
    return "\n\n".join([START, TITLE, ABOUT, table, made, AGAIN, END])


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help=f"{QUICK:,} situations only")
    parser.add_argument("--write", action="store_true", help="update benchmarks/README.md")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each case (default 3)")
    parser.add_argument("--case", choices=[*CASES], help=argparse.SUPPRESS)
    parser.add_argument("--situations", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        print(json.dumps(measure(options.case, options.situations)))
        return
    situations = QUICK if options.quick else SITUATIONS
    text = section(run_all(situations, options.rounds), situations, options.rounds)
    print(text, flush=True)
    if options.write:
        write_section(START, END, text)


if __name__ == "__main__":
    main()
