"""`python reproduce.py` in an unpacked package. Standard library only, until the environment is there."""

import argparse
import os
import sys
from pathlib import Path

from vla.errors import UserError
from vla.package.checking import SUMS, WORK, check_folder, require_work_apart, sha256
from vla.package.environment import build_environment, require_packages

LEVELS = {
    "check": "every hash; runs nothing (seconds)",
    "figures": "rates and figures again from the shipped episodes and metrics",
    "evaluate": "the shipped policies again in simulation",
    "retrain": "everything again, from the data",
}
CODES = {"identical": 0, "reproduced": 10, "compatible": 11, "not reproduced": 12, "not tested": 0}
CODES_HELP = (
    "Exit codes: identical 0 (and level check: intact 0), reproduced 10, compatible 11, "
    "not reproduced 12; refused, or a mistake, 1."
)


def main(package: Path) -> None:
    """Reproduce the package in that folder, as the command line asks."""
    options = _options(package)
    try:
        _reproduce(package, options)
    except UserError as error:
        print(f"{error.problem}\n  -> {error.way_out}", file=sys.stderr)
        sys.exit(1)


def _reproduce(package: Path, options: argparse.Namespace) -> None:
    require_work_apart(package, options.work)
    files = check_folder(package)
    if options.level == "check":
        listed = f"{SUMS} (its own SHA-256: {sha256(package / SUMS)})"
        print(f"Intact: {len(files)} files have the bytes of {listed}.")
        return
    source, work = package / "source", options.work.absolute()
    python = sys.executable
    if options.here:
        require_packages()
    else:
        python = str(build_environment(source, work / "environment"))
    command = [python, "-B", "-m", "vla", "reproduce", str(package), "--here"]
    command += ["--level", options.level, "--work", str(work)]
    command += [word for change in options.set for word in ("--set", change)]
    if options.use_conda:
        command.append("--use-conda")
    _hand_over(command, source)


def _hand_over(command: list[str], source: Path) -> None:
    sys.stdout.flush()
    environment = os.environ | {"PYTHONPATH": str(source), "PYTHONNOUSERSITE": "1"}
    os.execve(command[0], command, environment)  # noqa: S606


def _options(package: Path) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="reproduce.py",
        description="Check this package, and reproduce what it claims.",
        epilog=CODES_HELP,
    )
    told = "; ".join(f"{name}: {what}" for name, what in LEVELS.items())
    parser.add_argument("--level", choices=LEVELS, default="check", help=told)
    parser.add_argument(
        "--here", action="store_true", help="use this Python's packages: build no environment"
    )
    parser.add_argument(
        "--use-conda", action="store_true", help="retrain in the locked conda environments"
    )
    parser.add_argument(
        "--work", type=Path, default=package / WORK, help=f"folder to work in (here: {WORK}/)"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="retrain with something else, such as experiment.seed=7 or training.num_steps=100",
    )
    return parser.parse_args()
