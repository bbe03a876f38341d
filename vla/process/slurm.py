"""SLURM: its commands, each ended after a while, and the job that this process is part of."""

import os
import subprocess

from vla.errors import UserError

PATIENCE = 20  # seconds; a busy controller may take some
# How Snakemake's executor names the jobs that it submits, in their comment.
SUBMITTED = ("rule_", "group_")


def ask(*command: str) -> str:
    """What a command of SLURM prints.

    `UserError` when it is not installed, refuses (with its own words), or does not end.
    """
    name = command[0]
    try:
        finished = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    except FileNotFoundError:
        raise UserError(
            f"{name} is not installed here.",
            "Work on a login node of the cluster; some want `module load slurm` first.",
        ) from None
    except subprocess.TimeoutExpired:
        raise UserError(
            f"SLURM did not answer `{name}` within {PATIENCE} s.",
            "Try again later; `scontrol ping` says whether its controller is up.",
        ) from None
    if finished.returncode != 0:
        raise UserError(
            f"{name}: {(finished.stderr + finished.stdout).strip()}",
            "`scontrol ping` says whether SLURM's controller is up.",
        )
    return finished.stdout


class SubmittedJob:
    """A job of SLURM that Snakemake submitted, and that this process is part of."""

    def __init__(self, number: str, facts: dict[str, str]):
        self.number, self._facts = number, facts

    @classmethod
    def here(cls) -> "SubmittedJob | None":
        """None outside SLURM, in an allocation that a person made, and where SLURM does not answer."""
        number = os.environ.get("SLURM_JOB_ID")
        facts = show("job", number) if number else {}
        return cls(number, facts) if facts.get("Comment", "").startswith(SUBMITTED) else None

    def refuse_if_cancelled(self) -> None:
        """`UserError` when the attempt before, in the same workflow, was ended by `scancel`.

        Snakemake submits again whatever did not succeed; who cancels a job wants it to stop.
        """
        name, comment = self._facts["JobName"], self._facts["Comment"]
        try:
            listing = ask("squeue", "-h", "-t", "CANCELLED", "-n", name, "-o", "%i %k")
        except UserError:
            return  # it is no reason not to work
        for line in listing.splitlines():
            number, _, theirs = line.partition(" ")
            if theirs == comment:
                raise UserError(
                    f"Job {number}, the attempt before this one, was cancelled (scancel).",
                    "Run snakemake again to go on from what is saved.",
                )

    def requeue(self) -> bool:
        """Have SLURM start this job again, later; False when it is being ended or may not.

        A job that was cancelled or has used up its time no longer runs, and is left to end.
        """
        if show("job", self.number).get("JobState") != "RUNNING":
            return False
        try:
            ask("scontrol", "requeue", self.number)
        except UserError:
            return False
        return True


def show(kind: str, name: str) -> dict[str, str]:
    """What the controller says of a `job` or a `node`; nothing when it says nothing."""
    try:
        words = ask("scontrol", "show", kind, "-o", name).split()
    except UserError:
        return {}
    return dict(word.split("=", 1) for word in words if "=" in word)
