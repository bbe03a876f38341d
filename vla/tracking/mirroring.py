"""The run's side of the trackers: starts the process that mirrors, tells it how the run ended."""

import json
import logging
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

from vla.config.operation import TrackingSection
from vla.errors import GoOnLaterError
from vla.plan.items import Experiment, Run
from vla.plan.sections import flat
from vla.source.git import git_state
from vla.source.snapshot import project_of
from vla.tracking.tracker import TrackedRun

logger = logging.getLogger("vla")

PATIENCE = 120.0  # seconds that trackers have for what is left when a run ends
PREEMPTED = 10.0  # and when it was told to stop: a scheduler does not wait long


class Mirroring:
    """While it is entered, the metrics file is mirrored into the trackers that are configured.

    `facts`: what trackers show when the run has ended: artefacts by reference, final numbers.
    """

    def __init__(self, run: TrackedRun, names: list[str]):
        self.run, self.names = run, names
        self.facts: dict[str, Any] = {}

    def __enter__(self) -> "Mirroring":
        self._process = None
        if self.names:
            self.run.logs.mkdir(parents=True, exist_ok=True)
            with open(self.run.logs / "tracking.log", "ab") as log:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "vla.tracking.mirror"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                )
            self._tell({"run": asdict(self.run), "trackers": self.names})
            self._reader = threading.Thread(target=self._pass_on, daemon=True)
            self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if not self._process:
            return
        later = isinstance(error, GoOnLaterError)
        status = "KILLED" if later else "FAILED" if error else "FINISHED"
        self._tell({"status": status, "facts": self.facts})
        patience = PREEMPTED if later else PATIENCE
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            logger.warning("Trackers were not done after %.0f s and were left behind.", patience)
        self._reader.join(1)

    def _tell(self, message: dict[str, Any]) -> None:
        try:
            self._process.stdin.write(json.dumps(message, default=str) + "\n")
            self._process.stdin.flush()
        except OSError:  # it died; its log says why
            logger.warning("The tracking process ended early: %s", self.run.logs / "tracking.log")

    def _pass_on(self) -> None:
        """What it says is a tracker's failure: worth one line, whatever the run is doing."""
        for line in self._process.stdout:
            logger.warning("Tracking: %s (see %s)", line.strip(), self.run.logs / "tracking.log")


def tracked_run(experiment: Experiment, run: Run, root: Path) -> TrackedRun:
    """A run as trackers know it: every hyperparameter, and in tags what it was made from."""
    state = git_state(root)
    config = experiment.config.model_dump(mode="json", exclude={"experiment"})
    about = experiment.config.experiment
    return TrackedRun(
        root=project_of(root),
        logs=experiment.folder / "logs" / run.name,
        experiment=experiment.name,
        name=run.name,
        key=run.key,
        description=about.hypothesis or about.description,
        parameters={"seed": run.seed, "accelerator": experiment.accelerator, **flat(config)},
        tags={
            "vla.key": run.key,
            "vla.seed": str(run.seed),
            "vla.dataset": " ".join(store.identity["dataset"] for store in experiment.stores),
            "mlflow.source.git.commit": f"{state['commit']}{'-dirty' if state['dirty'] else ''}",
        },
        settings=experiment.config.tracking.model_dump(mode="json"),
    )


def tracker_names(tracking: TrackingSection) -> list[str]:
    """The trackers that are switched on."""
    on = {
        "tensorboard": tracking.tensorboard,
        "mlflow": tracking.mlflow,
        "wandb": tracking.wandb != "disabled",
    }
    return [name for name, wanted in on.items() if wanted]
