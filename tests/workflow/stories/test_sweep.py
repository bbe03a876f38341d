"""A sweep, run whole: its choice, and what is reported of it."""

import json
import shutil

import pandas as pd

from tests.faults.killing import run_and_kill
from vla.files.hashing import sha256_file
from vla.records.halving import HalvingRecord
from vla.records.run import RunRecord
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


def test_early_stopping_trains_only_those_that_go_on_and_to_the_same_bits(project):
    """Killed after the first decision; one of the four runs was finished before, without early stopping."""
    finished_before = project.one("experiments/b/results/seed1-*/run.json")
    config = project.read("b")
    config["sweep"] = {
        "parameters": {"training.learning_rate": [0.0001, 0.001, 0.0003, 0.01]},
        "validation": "metaworld-4tasks-validation",
        "early_stopping": {"first_step": 2, "reduction": 2},
    }
    config["tracking"]["log_every"] = 1  # in no key, but in the resolved configuration
    project.write("b", config)
    project.write_yaml("config/config.yaml", {"experiments": ["b"], "allow_dirty": True})
    folder, decisions = project.root / "experiments/b", "results/halving-*/halving.json"
    policies = {path: sha256_file(path) for path in folder.glob("checkpoints/*/policy.safetensors")}
    planned = project.snakemake("-n")
    assert (
        "b trains at most 14 of 24 steps (early stopping: of 4 combinations the best 2" in planned
    )

    assert run_and_kill(project, 300, until=f"experiments/b/{decisions}") is not None
    project.snakemake("--unlock")
    project.snakemake()
    assert project.jobs() == {}

    records = [HalvingRecord.read(path) for path in folder.glob(decisions)]
    first, second = sorted(records, key=lambda record: record.step)
    assert (first.step, len(first.candidates), len(first.going_on)) == (2, 4, 2)
    assert (second.step, {one.label for one in second.candidates}) == (4, first.going_on)
    for record in records:
        record.check_files(folder)
        losses = [one.loss for one in record.candidates]
        assert losses == sorted(losses)
    assert len(list(folder.glob("results/seed1-*/rung-*/rung.json"))) == 6
    (winner,) = second.candidates[0].runs
    ended = {path.parent.name for path in folder.glob("results/seed1-*/run.json")}
    assert ended == {winner, finished_before.parent.name}
    assert len(list(folder.glob("results/seed1-*/validation-*/validation.json"))) == 1
    assert all(sha256_file(path) == before for path, before in policies.items())
    RunRecord.read(finished_before).check_files(folder)
    readme = (folder / "README.md").read_text()
    assert "stopped at step 4: loss" in readme
    assert readme.count("stopped at step 2: loss") == 2

    record = folder / "results" / winner / "run.json"
    trained = RunRecord.read(record)
    assert trained.resumed_from_step == 4
    assert [attempt.outcome.partition(":")[0] for attempt in trained.attempts[-3:]] == [
        *("stopped", "stopped"),
        "finished",
    ]
    weights = folder / trained.files.policy.path
    before = sha256_file(weights)
    del config["sweep"]["early_stopping"]
    project.write("b", config)
    record.unlink()
    shutil.rmtree(weights.parent)
    project.snakemake(str(record.relative_to(project.root)))
    assert RunRecord.read(record).resumed_from_step == 0
    assert sha256_file(weights) == before, "as without early stopping"
