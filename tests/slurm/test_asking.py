"""`vla check --profile` asks a real SLURM: what it would refuse is told with the setting to change."""

import pytest

from tests.project import Project
from vla.checks.cluster import check_cluster
from vla.checks.profile import Profile
from vla.files.yaml import read_yaml
from vla.plan.deployment import Deployment
from vla.plan.items import Experiment
from vla.plan.plan import Plan

TRAIN = "    gpu: 1\n    runtime: "
REFUSED = {
    "partition": (
        ("slurm_partition: main", "slurm_partition: gpu"),
        ["there is no partition 'gpu'", "Set slurm_partition to one of: lab, main, urgent"],
    ),
    "GPUs": (
        (TRAIN, "    gpu: 2\n    runtime: "),
        ["no node has", "2 GPU", "gpu:fake:1", "Change gpu, gpu_model, slurm_partition"],
    ),
    "GPU model": (
        (TRAIN, "    gpu_model: h100\n" + TRAIN),
        ["no node has", "1 h100 GPU", "gpu:fake:1", "Change gpu, gpu_model"],
    ),
    "account": (
        ("  slurm_partition: main       #", "  slurm_partition: lab       #"),
        ["account 'none' may not use partition 'lab'", "Set slurm_account"],
    ),
    "time": (
        (TRAIN, "    gpu: 1\n    runtime: 6000 #"),
        ["100 h are asked for; main allows 1-00:00:00", "Set resources.training_hours"],
    ),
    "constraint": (
        ("# constraint: haswell", "constraint: haswell"),
        ["constraint 'haswell' is unknown there", "Change constraint"],
    ),
}


@pytest.fixture
def experiment(project: Project) -> Experiment:
    asked = read_yaml(project.root / "config/config.yaml")
    return Plan(project.root, asked, Deployment.here()).find_experiment("a")


def test_what_the_cluster_takes_is_told(experiment, project, on_cluster):
    findings = check_cluster(experiment, Profile(project.root / "profiles/slurm"))
    assert {finding.status for finding in findings} == {"ok"}, findings
    (training,) = (finding.found for finding in findings if finding.name == "job of train")
    assert training == "1 cores, 1 GPU, 1.5 GB, 24 h in main"


@pytest.mark.parametrize("name", REFUSED)
def test_what_it_refuses_names_the_setting(experiment, profile, on_cluster, name):
    change, expected = REFUSED[name]
    findings = check_cluster(experiment, Profile(profile(*change)))
    failed = "\n".join(f"{f.found} -> {f.way_out}" for f in findings if f.status == "fail")
    for words in expected:
        assert words in failed


def test_controller_that_does_not_answer_is_told(
    experiment, project, cluster, on_cluster, monkeypatch
):
    text = cluster.configuration.read_text()
    elsewhere = project.root / "slurm.conf"
    elsewhere.write_text(text.replace("SlurmctldPort=", "SlurmctldPort=1 #"))
    monkeypatch.setenv("SLURM_CONF", str(elsewhere))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")  # without the commands that know better
    (finding,) = check_cluster(experiment, Profile(project.root / "profiles/slurm"))
    assert finding.status == "fail"
    assert "DOWN" in finding.found or "did not answer" in finding.found
