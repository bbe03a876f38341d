"""`make processes`: one short training on 1, 2 and 4 processes, killed and resumed: losses and bits.

The baseline's policy on its own data, in a clone of the last commit, by the workflow itself, on this
machine (a GPU each where there are so many, else the CPU). Killed means SIGKILL to everything at once,
after the checkpoint that the table names. Exits with 1 when rows of one kind of training differ.
"""

import csv
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import yaml

from vla.records.run import RunRecord

ROOT = Path(__file__).parents[1]
EXPERIMENT = "exp_001_baseline"
STEPS, SAVED_EVERY, SHOWN = 60, 10, (1, 20, 40, 60)
ONLY = ("--config", f'experiments=["{EXPERIMENT}"]', "comparisons=[]", "allow_dirty=True")
# Processes that begin, and those that go on after all were killed.
ROWS = ((1, None), (2, None), (4, None), (2, 2), (2, 4), (4, 1))
TITLE = f"{'sharding':9} {'processes':10} {'killed after':13}"


@dataclass(frozen=True)
class Trained:
    """What one row shows."""

    losses: tuple[str, ...]
    policy: str
    resumed_from: int


class Training:
    """The experiment in a folder of its own, made short."""

    def __init__(self, folder: Path, sharding: str):
        self.root, self.sharding = folder, sharding
        self.experiment = folder / "experiments" / EXPERIMENT

    def configure(self, processes: int) -> None:
        path = self.experiment / "config.yaml"
        content = yaml.safe_load(path.read_text())
        content["training"] |= {"num_steps": STEPS, "warmup_steps": 5, "micro_batches": 4}
        content["training"]["sharding"] = self.sharding
        content["tracking"] = {"log_every": 1, "mlflow": False, "tensorboard": False}
        content["checkpoints"] = {"save_every": SAVED_EVERY}
        content["resources"] = {"training_processes": processes}
        path.write_text(yaml.safe_dump(content))

    def start(self) -> subprocess.Popen:
        """The workflow up to the end of training, as a group of processes of its own."""
        environment = os.environ | {"PYTHONPATH": str(self.root)}
        command = [sys.executable, "-m", "snakemake", "--until", "train", "train_sharded"]
        return subprocess.Popen(
            [*command, "--cores", "4", *ONLY],
            cwd=self.root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def kill_in_the_middle(self) -> None:
        """Everything at once, when a checkpoint beyond a third of the steps is there."""
        running = self.start()
        reached = f"checkpoints/*/step_{STEPS // 3:08d}.json"
        while not list(self.experiment.glob(reached)):
            if running.poll() is not None:
                sys.exit(running.communicate()[0])
            time.sleep(0.01)
        os.killpg(running.pid, signal.SIGKILL)
        running.communicate()
        unlock = [sys.executable, "-m", "snakemake", "--unlock", *ONLY]
        subprocess.run(unlock, cwd=self.root, check=True, capture_output=True)

    def finish(self) -> Trained:
        running = self.start()
        printed = running.communicate()[0]
        if running.returncode:
            sys.exit(printed)
        (path,) = self.experiment.glob("results/*/run.json")
        record = RunRecord.read(path)
        with open(self.experiment / "logs" / path.parent.name / "metrics.csv") as stream:
            losses = {int(row["step"]): row["loss"] for row in csv.DictReader(stream)}
        shown = tuple(losses[step] for step in SHOWN)
        return Trained(shown, record.files.policy.sha256, record.resumed_from_step)

    def forget(self) -> None:
        for name in ("results", "checkpoints", "logs"):
            shutil.rmtree(self.experiment / name, ignore_errors=True)


def main() -> int:
    losses = " ".join(f"{f'loss at {step}':20}" for step in SHOWN)
    print(f"{TITLE} {losses} SHA-256 of the policy", flush=True)
    same = True
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "project"
        subprocess.run(["git", "clone", "-q", ROOT, root], check=True)
        for sharding in ("none", "fsdp2"):
            training, found = Training(root, sharding), set()
            for first, second in ROWS:
                training.configure(first)
                if second:
                    training.kill_in_the_middle()
                    training.configure(second)
                row = training.finish()
                found.add((row.losses, row.policy))
                processes = f"{first}" if second is None else f"{first}, then {second}"
                killed = str(row.resumed_from) if second else "-"
                told = " ".join(f"{loss:20}" for loss in row.losses)
                print(
                    f"{sharding:9} {processes:10} {killed:13} {told} {row.policy[:12]}", flush=True
                )
                training.forget()
            same &= len(found) == 1
    print("Losses and bits of each kind are the same in all rows." if same else "Rows differ.")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
