"""What every script of the workflow does around its work: log file, errors, the plan."""

import errno
import logging
import os
import shutil
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vla.config.datasets import DatasetEntry
from vla.errors import GoOnLaterError, UserError
from vla.locks.files import use_conda
from vla.locks.guard import enter_job
from vla.plan.plan import Plan
from vla.plan.reading import load_registry
from vla.process.progress import BarFormatter


@contextmanager
def job(kind: str, log: str, label: str) -> Iterator[Path]:
    """Run a job: all output goes to `log`; progress and errors also to the terminal.

    `kind` says in which environment it must run under `--use-conda`.

    Gives the project's root. A `UserError` ends the job with its message and exit code 1;
    anything else is a defect, whose traceback is in the log.
    """
    terminal = os.fdopen(os.dup(2), "w", errors="replace")
    Path(log).parent.mkdir(parents=True, exist_ok=True)
    stream = open(log, "a", encoding="utf-8")  # noqa: SIM115
    for descriptor in (1, 2):  # C libraries and worker processes write to the descriptors
        os.dup2(stream.fileno(), descriptor)
    logger = logging.getLogger("vla")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    plain = logging.Formatter("%(asctime)s %(message)s")
    shown = (
        BarFormatter(f"[{label}] %(bar)s%(message)s")
        if terminal.isatty()
        else logging.Formatter(f"[{label}] %(message)s")
    )
    for target, formatter in ((stream, plain), (terminal, shown)):
        handler = logging.StreamHandler(target)
        handler.setFormatter(formatter)
        logger.addHandler(handler)
    try:
        enter_job(kind, Path.cwd())
        yield Path.cwd()
    except UserError as error:
        logger.error("\n%s", error)
        sys.exit(1)
    except OSError as error:
        logger.error("\n%s", _explain(error))
        traceback.print_exc(file=stream)
        sys.exit(1)
    except GoOnLaterError as error:
        logger.warning("%s\n  -> Run snakemake again: it goes on from there.", error)
        sys.exit(GoOnLaterError.EXIT_CODE)
    except Exception as error:  # noqa: BLE001
        logger.error("unexpected %s: %s (see %s)", type(error).__name__, error, log)
        traceback.print_exc(file=stream)
        stream.flush()
        sys.exit(1)


def _explain(error: OSError) -> str:
    """What the operating system refused, with the way out where it is known."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        folder = Path(error.filename or ".").absolute().parent
        free = shutil.disk_usage(folder if folder.exists() else Path.cwd()).free
        return (
            f"{'The disk' if error.errno == errno.ENOSPC else 'Your quota'} is full: "
            f"{free / 1e6:.1f} MB are free for {error.filename or Path.cwd()}.\n"
            "  -> Free some and run snakemake again: it goes on from what is saved."
        )
    if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
        return (
            f"{error.filename} cannot be written: {error.strerror}.\n"
            "  -> Give this user the right to write there, and run snakemake again."
        )
    return f"{error}\n  -> See the log for where it happened."


def load_plan(snakemake) -> Plan:
    """The plan as configuration and code are now, for the deployment that Snakemake runs under."""
    return Plan(Path.cwd(), snakemake.config, use_conda=use_conda())


def find_entry(root: Path, folder: str) -> DatasetEntry:
    """The registry's entry whose data lies in `data/<folder>`."""
    for entry in load_registry(root).values():
        if Path(entry.path).name == folder:
            return entry
    raise UserError(
        f"config/datasets.yaml no longer registers data/{folder}.", "Start snakemake again."
    )
