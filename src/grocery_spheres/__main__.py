"""What can be asked for from the command line? Each subcommand is one call into the package.

Imports happen inside the functions, so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

REFUSED = 2  # exit code of an answer that is "no", as argparse uses it for a wrong argument


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

    data = commands.add_parser("data", help="build the data that the notebooks read")
    data.add_argument("--force", action="store_true", help="build even where it is already there")
    data.set_defaults(answer=_data)

    report = commands.add_parser("report", help="run the notebooks and write reports/")
    report.add_argument("--force", action="store_true", help="run every notebook, changed or not")
    report.add_argument("--update-prose", action="store_true", help="rewrite numbers in prose that drifted")
    report.set_defaults(answer=_report)
    return parser


def _data(arguments: argparse.Namespace) -> str:
    from grocery_spheres import data_readme, public

    data_readme.write_data_readme()
    return f"The public data lies in {public.build(force=arguments.force)}"


def _report(arguments: argparse.Namespace) -> str:
    from grocery_spheres import report

    page = report.build(force=arguments.force, update_prose=arguments.update_prose)
    return f"Open {page}"


if __name__ == "__main__":
    sys.exit(main())
