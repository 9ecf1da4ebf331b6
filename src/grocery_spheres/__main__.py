"""What can be asked for from the command line? Each subcommand is one call into the package.

Imports happen inside the functions, so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

REFUSED = 2  # exit code of an answer that is "no", as argparse uses it for a wrong argument
_MOST_WORKERS = 2  # unless more are asked for
_DATA_EXAMPLES = """examples:
  grocery-spheres data
  grocery-spheres data --preset small --seed 7 --arm "no outage"
  grocery-spheres data --preset outage --set habit=0.5 dark_from=9,12 outage_date=2045-06-24

The assumptions, with units and plausible ranges, stand in parameters.parquet of any county that was built.
A name that does not exist is refused with a list of those that do."""

_OUTAGE_EXAMPLES = """examples:
  grocery-spheres outage --example
  grocery-spheres outage sales.csv --unit shop --time day --outcome sales_usd \\
      --treated shop-03 --start 2045-06-17 --end 2045-06-19 --html outage.html
  grocery-spheres outage sales.parquet --unit store --time date --outcome orders \\
      --treated 12 14 --start 2045-06-17 --end 2045-06-17 --rivals 13 --compare --json"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand and say how it ended.

    Parameters
    ----------
    argv
        The words after `grocery-spheres`; by default those of the process.

    Returns
    -------
    int
        The exit code: 0 when done, 2 when the package refused. A refusal (`GroceryError`) is written to
        standard error as one paragraph. Anything else is a defect of ours and keeps its traceback.

    Examples
    --------
    >>> main(["data", "--help"])
    Traceback (most recent call last):
    SystemExit: 0
    """
    arguments = _parser().parse_args(argv)
    from grocery_spheres.tables import GroceryError

    try:
        print(arguments.answer(arguments))
    except GroceryError as refusal:
        print(f"grocery-spheres: {' '.join(str(refusal).split())}", file=sys.stderr)
        return REFUSED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="grocery-spheres",
        description="What an outage does to grocery demand: build the data, run the notebooks, write pages.",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    _add_data(commands)
    report = commands.add_parser("report", help="run the notebooks and write reports/")
    report.add_argument("--force", action="store_true", help="run every notebook, changed or not")
    report.add_argument("--update-prose", action="store_true", help="rewrite numbers in prose that drifted")
    report.set_defaults(answer=_report)
    _add_outage(commands)
    _add_validate(commands)
    return parser


def _add_data(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    data = commands.add_parser(
        "data",
        help="build the data: the public one, and the synthetic county of 2045",
        description="Build The Complete Journey, cleaned, and a county of 2045, where they are missing.",
        epilog=_DATA_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    data.add_argument("--preset", default="county", help="the county: county (default), outage or small")
    data.add_argument("--seed", type=int, default=2045, help="of every draw, 0 or more (default 2045)")
    data.add_argument(
        "--arm",
        default="factual",
        help='the world: factual (default), "no sphere", "no outage" or "no event"',
    )
    data.add_argument(
        "--set",
        dest="settings",
        metavar="NAME=VALUE",
        action="extend",
        nargs="+",
        default=[],
        help="turn assumptions of the county; several values with commas between; may be repeated",
    )
    _add_workers(data, "processes that build the county; they change no byte of it")
    data.add_argument("--force", action="store_true", help="build even where it is already there")
    data.set_defaults(answer=_data)


def _add_outage(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    outage = commands.add_parser(
        "outage",
        help="estimate what an outage cost, in a panel of your own",
        description="Estimate what an outage cost: observed minus what would have been, with its interval.",
        epilog=_OUTAGE_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    outage.add_argument("panel", nargs="?", metavar="PANEL", help="CSV or Parquet: a row a unit and period")
    outage.add_argument("--example", action="store_true", help="a small bundled panel instead of a file")
    for name, what in {
        "unit": "column of the units",
        "time": "column of the times",
        "outcome": "column of the outcome, such as sales",
        "start": "first dark day (2045-06-17) or period",
        "end": "last dark day or period",
    }.items():
        outage.add_argument(f"--{name}", metavar="C" if what.startswith("column") else "D", help=what)
    for name, what in {
        "treated": "who was dark",
        "donors": "who is compared with (default: all others that can be)",
        "rivals": "who may have received what was lost: never compared with",
    }.items():
        outage.add_argument(f"--{name}", nargs="+", metavar="ID", default=None, help=what)
    _add_outage_method(outage)
    outage.set_defaults(answer=_outage)


def _add_outage_method(outage: argparse.ArgumentParser) -> None:
    outage.add_argument(
        "--outages", metavar="FILE", help="several, instead: a table of store_id, start, end, share_down"
    )
    outage.add_argument(
        "--share-down",
        type=float,
        default=1.0,
        help="share of trading lost (default 1): scales the effect of a full period in --json, not the loss",
    )
    outage.add_argument("--method", default="structural", help="structural (default), synthetic_control, ...")
    outage.add_argument("--compare", action="store_true", help="every method, and whether they agree")
    outage.add_argument("--recovery", type=int, help="periods after which days are learnt from again")
    outage.add_argument(
        "--anticipation", type=int, default=0, help="periods before in which it may be felt (default 0)"
    )
    outage.add_argument("--season", type=int, help="periods in a season (default: 7 for days)")
    outage.add_argument("--no-intercept", dest="intercept", action="store_false", help="synthetic control")
    outage.add_argument(
        "--factors", type=int, help="structural: donor factors (default: weighed by the data)"
    )
    outage.add_argument("--inference", default="auto", help="auto (default), conformal, units, ...")
    outage.add_argument("--alpha", type=float, default=0.05, help="one minus the level (default 0.05)")
    outage.add_argument(
        "--no-calibrate", dest="calibrate", action="store_false", help="at once, without placebos"
    )
    outage.add_argument("--placebos", type=int, default=200, help="how many (default 200)")
    outage.add_argument("--seed", type=int, default=2045, help="of their draw (default 2045)")
    outage.add_argument("--json", action="store_true", help="say it as one JSON object")
    outage.add_argument("--html", metavar="OUT", help="write a page that a manager can read")


def _add_validate(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    proofs = commands.add_parser(
        "validate",
        help="run the long proofs and write their tables into reports/validation/",
        description="Repeat a method where the truth is known. A run that was stopped goes on where it was.",
    )
    proofs.add_argument("subjects", metavar="SUBJECT", nargs="*", help="what to prove (default: everything)")
    _add_workers(proofs, "processes; they change no number")
    proofs.set_defaults(answer=_validate)


def _add_workers(command: argparse.ArgumentParser, what: str) -> None:
    workers = min(_MOST_WORKERS, os.cpu_count() or 1)
    command.add_argument(
        "--workers",
        metavar="N",
        type=_at_least_one,
        default=workers,
        help=f"{what} (default: 2, on one processor 1)",
    )


def _at_least_one(text: str) -> int:
    """Read a number of processes."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}; allowed: a whole number, 1 or more")
    return int(text)


def _data(arguments: argparse.Namespace) -> str:
    from grocery_spheres import data_build

    return data_build.build(
        preset=arguments.preset,
        seed=arguments.seed,
        arm=arguments.arm,
        settings=arguments.settings,
        workers=arguments.workers,
        force=arguments.force,
    )


def _report(arguments: argparse.Namespace) -> str:
    from grocery_spheres import report

    page = report.build(force=arguments.force, update_prose=arguments.update_prose)
    return f"Open {page}"


def _outage(arguments: argparse.Namespace) -> str:
    from grocery_spheres import outage_command

    return outage_command.run(arguments)


def _validate(arguments: argparse.Namespace) -> str:
    from grocery_spheres.validation import runs

    return runs.validate(arguments.subjects, workers=arguments.workers)


if __name__ == "__main__":
    sys.exit(main())
