"""What every script of the workflow does around its work: log file, errors, the right environment."""

import errno
import gc
import logging
import os
import shutil
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from vla.checks.committed import require_committed
from vla.errors import GoOnLaterError, UserError
from vla.files.exclusive import BusyError
from vla.locks.guard import enter_job
from vla.plan.items import Experiment, Item
from vla.plan.plan import Plan
from vla.plan.stages import environments_of
from vla.process.circumstances import capture_circumstances
from vla.process.devices import reserved_gpus
from vla.process.progress import BarFormatter
from vla.process.slurm import SubmittedJob
from vla.records.circumstances import Circumstances
from vla.workflow.context import JobContext


@dataclass(frozen=True)
class Job:
    """A job at work. `asked`: Snakemake's configuration, with what the command line changed in it; `run`:
    the run that it makes or tests, if it is one run's."""

    context: JobContext
    asked: dict[str, Any]
    run: str = ""

    @property
    def root(self) -> Path:
        return self.context.root

    @cached_property
    def plan(self) -> Plan:
        """The plan as configuration and code are now."""
        return self.context.plan(self.asked, self.run)

    def circumstances(self, item: Item, experiment: Experiment) -> tuple[Circumstances, str]:
        """Under which it begins to make `item`, and uncommitted changes as a patch; taken before
        the work.

        `UserError` when code that decides the result is not committed, unless that is allowed.
        """
        taken, diff = capture_circumstances(self.root, self.context.command)
        if not self.plan.config.allow_dirty:
            require_committed(taken.git, item.identity["code"], experiment.name, self.root)
        return taken, diff


@contextmanager
def start_job(snakemake: Any, label: str) -> Iterator["Job"]:
    """Run a job: all output goes to the rule's log; progress and errors also to the terminal.

    `snakemake`: what Snakemake gives a script. A `UserError` ends the job with its message and exit
    code 1; anything else is a defect, whose traceback is in the log.

    On a machine without a scheduler the job has GPUs of its own. Under SLURM, what was asked to stop,
    or finds another process at its work, goes back into the queue.
    """
    log = Path(snakemake.log[0])
    context = JobContext.from_config(snakemake.config)
    submitted = SubmittedJob.here()
    gc.freeze()  # what was imported stays; the collector would look through it again and again
    with _logged(log, label) as (logger, stream):
        try:
            if context.deployment.use_conda:
                enter_job(environments_of(snakemake.rule), context.root)
            if submitted:
                submitted.refuse_if_cancelled()
            with reserved_gpus(snakemake.resources.get("gpu", 0)):
                yield Job(context, snakemake.config, snakemake.wildcards.get("run", ""))
        except BusyError as error:
            if submitted and submitted.requeue():
                logger.warning("%s\n  -> Back in the queue: it is tried again.", error.problem)
                sys.exit(GoOnLaterError.EXIT_CODE)
            logger.error("\n%s", error)
            sys.exit(1)
        except UserError as error:
            logger.error("\n%s", error)
            sys.exit(1)
        except OSError as error:
            logger.error("\n%s", _explain(error))
            traceback.print_exc(file=stream)
            sys.exit(1)
        except GoOnLaterError as error:
            again = (
                "Back in the queue" if submitted and submitted.requeue() else "Run snakemake again"
            )
            logger.warning("%s\n  -> %s: it goes on from there.", error, again)
            sys.exit(GoOnLaterError.EXIT_CODE)
        except Exception as error:  # noqa: BLE001
            logger.error("unexpected %s: %s (see %s)", type(error).__name__, error, log)
            traceback.print_exc(file=stream)
            stream.flush()
            sys.exit(1)
        finally:
            gc.freeze()  # also what was imported since: the process ends


@contextmanager
def _logged(log: Path, label: str) -> Iterator[tuple[logging.Logger, IO[str]]]:
    """The library's logger and the log's stream, which also takes all that is printed."""
    terminal = os.fdopen(os.dup(2), "w", errors="replace")
    log.parent.mkdir(parents=True, exist_ok=True)
    stream = open(log, "a", encoding="utf-8")  # noqa: SIM115 - libraries write until the process ends
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
    yield logger, stream


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
