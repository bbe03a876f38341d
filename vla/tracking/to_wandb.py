"""Weights & Biases, online with a key, otherwise offline for `wandb sync`."""

import os
import shutil
from typing import Any

import wandb

from vla.tracking.tracker import Row, TrackedRun, Tracker


class WandbTracker(Tracker):
    """One W&B run a training run. Its id is experiment and key: a copied experiment has the same key.

    Online it goes on where the server's history ends. Offline, where nobody looks before
    `wandb sync`, each attempt writes the whole run anew and then removes the folder of the one
    before: an attempt that was killed may have left a torn one.
    """

    def start(self, run: TrackedRun) -> int:
        mode = run.settings["wandb"]
        if mode == "auto":
            mode = "online" if wandb.api.api_key else "offline"
        self.folder = run.logs / "wandb"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.older = list(self.folder.glob("offline-run-*")) if mode == "offline" else []
        os.environ["WANDB_SILENT"] = "true"
        self.run = wandb.init(
            project=run.settings["wandb_project"],
            id=f"{run.experiment}-{run.key}",
            name=f"{run.experiment} {run.name}",
            group=run.experiment,
            notes=run.description,
            config=run.parameters | {"tags": run.tags},
            mode=mode,
            resume="allow" if mode == "online" else None,
            dir=run.logs,
            # Nothing of the machine, the terminal or the code beside what the record holds.
            settings=wandb.Settings(
                console="off",
                disable_git=True,
                save_code=False,
                x_disable_meta=True,
                x_disable_stats=True,
                x_save_requirements=False,
            ),
        )
        return self.run.starting_step - 1 if self.run.resumed else 0

    def log(self, rows: list[Row]) -> None:
        for row in rows:
            values = {f"train/{name}": value for name, value in row.items() if name != "step"}
            self.run.log(values, step=int(row["step"]))

    def finish(self, status: str, facts: dict[str, Any]) -> None:
        self.run.summary.update({"status": status, **facts})
        self.run.finish(exit_code=int(status != "FINISHED"))
        for folder in self.older:
            shutil.rmtree(folder)
