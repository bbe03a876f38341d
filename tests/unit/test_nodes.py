"""Which rule trains an experiment, what it asks for, and how ranks on several nodes are started."""

from types import SimpleNamespace

import pytest
import yaml
from pydantic import ValidationError
from test_slurm import commands as commands

from vla.checks.estimates import training_bytes
from vla.checks.nodes import node_findings
from vla.checks.profile import Submission
from vla.errors import UserError
from vla.plan.plan import Plan
from vla.plan.requests import requests_of, training_rule
from vla.process.nodes import job_nodes, step_environment
from vla.training.sharded.meeting import interface
from vla.workflow.sharded_ranks import own_place

SHARED = {"training_processes": 2, "nodes": 2}


@pytest.fixture
def planned(experiment):
    """The baseline as planned with other values of `training` and `resources`."""

    def plan(training: dict, resources: dict):
        path = experiment.folder / "config.yaml"
        content = yaml.safe_load(path.read_text())
        content["training"] = content.get("training", {}) | training
        content["resources"] = {"accelerator": "cuda"} | resources
        path.write_text(yaml.safe_dump(content))
        return Plan(experiment.root, {"experiments": [experiment.name]}).experiments[
            experiment.name
        ]

    return plan


def test_sharding_is_in_the_key_and_the_number_of_ranks_and_nodes_is_not(planned):
    parts = {"micro_batches": 8}
    whole = planned(parts | {"sharding": "none"}, {})
    assert "sharding" not in whole.runs[0].identity["training"]
    one = planned(parts | {"sharding": "fsdp2"}, {})
    eight = planned(parts, {"training_processes": 8, "nodes": 2, "training_threads": 1})
    assert training_rule(whole) == "train"
    assert training_rule(one) == training_rule(eight) == "train_sharded"
    assert whole.runs[0].key != one.runs[0].key == eight.runs[0].key
    code = one.runs[0].identity["code"]
    assert {"vla/training/sharded/tree.py", "scripts/train_sharded.py"} <= code.keys()
    assert not any("sharded" in name for name in whole.runs[0].identity["code"])


def test_each_node_is_asked_for_its_part(planned):
    resources = {"training_processes": 8, "nodes": 2, "training_threads": 3, "loader_workers": 1}
    experiment = planned({"micro_batches": 8, "sharding": "fsdp2"}, resources)
    request = requests_of(experiment)["train_sharded"]
    assert "train" not in requests_of(experiment)
    assert (request.nodes, request.gpus, request.cores) == (2, 4, 12)
    options = Submission(request, {}).options()
    assert {"--nodes=2", "--gres=gpu:4", "--cpus-per-task=12"} <= set(options)
    assert not any(option.startswith("--gpus") for option in options)
    assert "--gres=gpu:a100:4" in Submission(request, {"gres": "gpu:a100:4"}).options()


def test_eight_ranks_hold_an_eighth_each(make_config):
    parts = {"micro_batches": 8, "sharding": "fsdp2"}
    shared = make_config(training=parts, resources={"training_processes": 8})
    assert training_bytes(shared, 8_000_000_000) == 20e9
    assert training_bytes(make_config(), 1_000_000_000) == 16e9


@pytest.mark.parametrize(
    ("training", "resources", "words"),
    [
        ({"sharding": "none"}, {"nodes": 2}, r"nodes \(2\) needs training.sharding: fsdp2"),
        ({"sharding": "fsdp2"}, {"nodes": 3}, r"nodes \(3\) must divide training_processes \(4\)"),
        ({"sharding": "zero"}, {}, "sharding"),
    ],
)
def test_nodes_that_cannot_share_are_refused(make_config, training, resources, words):
    parts, processes = {"micro_batches": 4}, {"training_processes": 4}
    with pytest.raises(ValidationError, match=words):
        make_config(training=parts | training, resources=processes | resources)


def test_several_nodes_without_slurm_are_refused_before_anything_runs(make_config, monkeypatch):
    config = make_config(training={"micro_batches": 2, "sharding": "fsdp2"}, resources=SHARED)
    experiment = SimpleNamespace(config=config)
    monkeypatch.setenv("PATH", "/nowhere")
    (finding,) = node_findings(experiment)
    assert (finding.status, "has no SLURM" in finding.found) == ("fail", True)


def test_several_nodes_outside_a_job_are_refused(monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    assert job_nodes(1).addresses == ("127.0.0.1",)
    with pytest.raises(UserError, match="2 nodes, and this job runs on one machine") as caught:
        job_nodes(2)
    assert "--profile profiles/slurm" in caught.value.way_out


@pytest.fixture
def in_job(commands, monkeypatch):
    """This process in job 7, which has the nodes n1 and n2 and began on n2."""
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("SLURM_NNODES", "2")
    commands(
        scontrol="""case "$2" in
        hostnames) echo n1; echo n2;;
        job) echo JobId=7 NodeList=n[1-2] BatchHost=n2;;
        node) echo NodeName=$4 NodeAddr=10.0.0.${4#n};;
        esac"""
    )


def test_others_are_started_on_the_other_nodes(in_job):
    nodes = job_nodes(2)
    assert nodes.names == ("n2", "n1")
    assert nodes.addresses == ("10.0.0.2", "10.0.0.1")
    command = set(nodes.command(tasks=4, cores=3, gpus=4))
    assert {"--nodelist=n1", "--nodes=1", "--ntasks=4", "--ntasks-per-node=4"} <= command
    assert {"--cpus-per-task=3", "--gres=gpu:4"} <= command
    kept = [name for name in step_environment() if name.startswith("SLURM_")]
    assert kept == ["SLURM_JOB_ID"]
    with pytest.raises(UserError, match="asks for 4 nodes, and job 7 has 2: n1, n2"):
        job_nodes(4)


def test_a_rank_on_another_node_learns_its_place_from_slurm(monkeypatch):
    monkeypatch.setenv("SLURM_PROCID", "5")
    monkeypatch.setenv("SLURM_LOCALID", "1")
    assert (own_place({}, 16, 4).rank, own_place({}, 16, 4).local) == (9, 1)
    assert own_place({"rank": 3}, 16, 4).local == 3


def test_the_interface_that_leads_to_a_node_is_found():
    assert interface("127.0.0.1") == "lo"
