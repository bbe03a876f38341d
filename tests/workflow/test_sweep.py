"""A sweep, run whole: its choice, and what is reported of it."""

import json

import pandas as pd

from vla.records.sweep import SweepRecord
from vla.records.validation import ValidationRecord

READMES = "experiments/b/results/readme-*/README.md"
JUST_B = ("--config", 'experiments=["b"]', "comparisons=[]")


def test_sweep_trains_what_is_new_and_reports_the_choice(project):
    config = project.read("b")
    config["sweep"] = {
        "parameters": {
            "training.learning_rate": [0.001, 0.01]
        },  # the first as it was without a sweep
        "validation": "metaworld-4tasks-validation",
    }
    project.write("b", config)
    target = ("--until", "render_readme", *JUST_B)
    before = set(project.root.glob(READMES))
    jobs = project.run_jobs(*target)
    assert (jobs["train"], jobs["evaluate"], jobs["validate"]) == (1, 1, 2)
    assert "film" not in jobs
    folder = project.root / "experiments/b"
    path = project.one("experiments/b/results/sweep-*/sweep.json")
    record = SweepRecord.read(path)
    record.check_files(folder)
    losses = {
        validation.parents[1].name: ValidationRecord.read(validation).loss
        for validation in folder.glob("results/*/validation-*/validation.json")
    }
    (chosen,) = record.chosen.runs
    assert losses[chosen] == min(losses.values()) == record.chosen.validation_loss
    resolved = json.loads((folder / "results" / chosen / "config.resolved.json").read_text())
    rate = record.chosen.values["training.learning_rate"]
    assert resolved["training"]["learning_rate"] == rate
    table = pd.read_csv(path.with_name("sweep.csv")).set_index("run")
    assert dict(table["validation_loss"].round(4)) == {
        run: round(v, 4) for run, v in losses.items()
    }
    assert list(table.index[table["chosen"]]) == [chosen]
    (rendered,) = set(project.root.glob(READMES)) - before
    readme = rendered.read_text()
    assert f"Chosen: **learning_rate={rate:g}**, by the lowest mean validation loss" in readme
    assert f"`{chosen}`" in readme
    others = losses.keys() - {chosen}
    assert not any(f"`{run}`" in readme for run in others), (
        "only the chosen run's policy is released"
    )
