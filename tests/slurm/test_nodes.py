"""One training on two nodes: interrupted there, it ends with the bits of one machine."""

import re
from pathlib import Path

import pytest
from cluster import wait_for
from submitting import SITE, Training, Workflow

from tests.project import Project
from vla.records.run import RunRecord

ONLY_B = ("--config", "experiments=['b']", "comparisons=[]", "--until", "train_sharded")


@pytest.fixture
def two_nodes(cluster, tmp_path) -> Project:
    """Experiment `b` on two nodes, with a GPU of each."""
    project = Project.create(tmp_path / "project")
    for old, new in SITE[:2]:
        project.edit("profiles/slurm/config.yaml", old, new)
    project.edit(
        "profiles/slurm/config.yaml", "  train_sharded:\n", '  train_sharded:\n    gres: "gpu:1"\n'
    )
    project.change("b", "training", num_steps=150, micro_batches=2, sharding="fsdp2")
    project.change("b", "checkpoints", save_every=10)
    project.change("b", "tracking", tensorboard=False)
    project.change("b", "resources", training_processes=2, nodes=2, training_memory_gb=1.5)
    project.commit()
    project.variables = cluster.variables()
    return project


def test_training_on_two_nodes_is_requeued_and_ends_with_the_bits_of_one(cluster, two_nodes):
    training = Training(cluster, two_nodes, "b", 1)
    with Workflow(two_nodes, *ONLY_B) as workflow:
        wait_for("a checkpoint", lambda: list(training.folder.glob("checkpoints/*/step_*10.json")))
        number = cluster.find_job("rule_train_sharded_wildcards_b")
        job = cluster.job(number)
        assert (job["NumNodes"], job["TresPerNode"]) == ("2", "gres:gpu:1")
        cluster.ask("scontrol", "requeue", number)
        wait_for("restart", lambda: int(cluster.job(number)["Restarts"]))
        assert workflow.wait() == 0, workflow.printed()
    on_two = training.record()
    assert on_two.processes == 2
    assert on_two.resumed_from_step > 0

    remove_run(training.folder)
    two_nodes.change("b", "resources", training_processes=1, nodes=1)
    two_nodes.variables = {}
    two_nodes.snakemake(*ONLY_B)
    on_one = training.record()  # under the same key
    assert (on_one.processes, on_one.resumed_from_step) == (1, 0)
    assert on_one.files.policy.sha256 == on_two.files.policy.sha256


def remove_run(folder: Path) -> None:
    """The record and all checkpoints."""
    (record,) = folder.glob("results/*/run.json")
    assert RunRecord.read(record).key == re.search(r"seed1-(\w+)", str(record))[1]
    record.unlink()
    for path in folder.glob("checkpoints/*/**/*"):
        if path.is_file():
            path.unlink()
