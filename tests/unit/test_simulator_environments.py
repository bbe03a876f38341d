"""Simulators with a locked environment of their own: where jobs run, and what keys and checks say of it."""

import importlib.metadata

import pytest

from tests.project import ROOT
from vla.checks.simulators import simulator_findings
from vla.errors import UserError
from vla.locks.files import KINDS, EnvironmentFiles, lock_hash, read_requirements
from vla.plan.deployment import Deployment
from vla.plan.identity import Identities
from vla.plan.plan import Plan
from vla.plan.reading import load_demonstrations, load_experiment
from vla.plan.stages import environments_of
from vla.simulation.calvin import outside
from vla.simulation.calvin.config import Config

CALVIN = "exp_104_calvin_scripted"


def plan(*names: str, use_conda: bool = True, accelerator: str = "cpu") -> Plan:
    return Plan(ROOT, {"experiments": list(names)}, Deployment(use_conda, accelerator))


@pytest.fixture
def nothing_installed(monkeypatch):
    """Neither a checkout of calvin_env nor PyBullet."""
    monkeypatch.delenv(outside.SETTING, raising=False)
    version = importlib.metadata.version

    def find(name: str) -> str:
        if name in outside.PACKAGES:
            raise importlib.metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(importlib.metadata, "version", find)


@pytest.mark.parametrize("accelerator", ["cpu", "cuda"])
def test_calvin_is_trained_as_all_are_and_evaluated_in_its_own_environment(
    accelerator, nothing_installed
):
    (run,) = plan(CALVIN, accelerator=accelerator).experiments[CALVIN].runs
    (evaluation,) = run.evaluations
    name = f"calvin-{accelerator}"
    locked = {"deployment": "conda", "name": name, "lock": lock_hash(EnvironmentFiles(name, ROOT))}
    assert run.identity["environment"]["name"] == f"train-{accelerator}"
    assert evaluation.identity["environment"] == locked
    assert evaluation.film.identity["environment"] == locked


def test_key_names_the_same_pybullet_with_and_without_conda(nothing_installed):
    found = []
    for use_conda in (False, True):
        (run,) = plan(CALVIN, use_conda=use_conda).experiments[CALVIN].runs
        found.append(run.evaluations[0].identity["outside"])
    assert found[0] == found[1]
    assert found[0]["pybullet"] == outside.PACKAGES["pybullet"]
    for name in KINDS["calvin"]:
        locked = read_requirements(EnvironmentFiles(name, ROOT).pip_lock)
        assert {package: locked[package][0] for package in outside.PACKAGES} == outside.PACKAGES


def test_only_environments_that_are_needed_are_looked_at():
    usual = {"data", "train-cpu", "evaluate-cpu", "analyse"}
    assert plan("exp_001_baseline").conda_environments == usual
    assert plan("exp_001_baseline", CALVIN).conda_environments == usual | {"calvin-cpu"}
    collecting = Plan(
        ROOT,
        {
            "experiments": ["exp_001_baseline"],
            "demonstrations": "config/calvin_demonstrations.yaml",
        },
        Deployment(True, "cpu"),
    )
    assert collecting.conda_environments == usual | {"calvin-cpu"}


def test_demonstrations_are_collected_in_their_simulators_environment():
    config = load_demonstrations(ROOT / "config/calvin_demonstrations.yaml")
    identity = Identities(ROOT, Deployment(True, "cpu")).collection(config)
    assert identity["environment"]["name"] == "calvin-cpu"


def test_jobs_that_simulate_may_run_in_every_simulators_environment_and_no_others_do():
    for rule in ("evaluate", "film", "import_policy", "collect_demonstrations"):
        assert environments_of(rule) == {"evaluate", "libero", "calvin"}
    assert environments_of("fetch_dataset") == {"data", "evaluate", "libero", "calvin"}
    assert environments_of("train") == {"train"}


def test_check_looks_for_packages_on_the_host_alone(nothing_installed, tmp_path, monkeypatch):
    """`check_experiment` runs in the environment of training, which has no simulator."""
    for name in outside.FOLDERS:
        (tmp_path / name).mkdir()
    monkeypatch.setenv(outside.SETTING, str(tmp_path))
    settings = Config(commit="other")
    with pytest.raises(UserError, match="it is not installed"):
        outside.check(settings)
    assert outside.check(settings, use_conda=True).startswith("calvin_env other-")
    for use_conda, status in ((False, "fail"), (True, "ok")):
        experiment = plan(CALVIN, use_conda=use_conda).experiments[CALVIN]
        evaluation = experiment.config.evaluation.model_copy(update={"simulator": settings})
        changed = experiment.config.model_copy(update={"evaluation": evaluation})
        object.__setattr__(experiment, "config", changed)
        (finding,) = simulator_findings(experiment)
        assert finding.status == status


def test_libero_is_locked_in_the_versions_of_the_host():
    host = read_requirements(ROOT / "envs/libero.lock.txt")
    for name in KINDS["libero"]:
        locked = read_requirements(EnvironmentFiles(name, ROOT).pip_lock)
        assert {package: locked[package][0] for package in host} == {
            package: version for package, (version, _) in host.items()
        }
    experiment = load_experiment(ROOT / "experiments/exp_102_libero_spatial/config.yaml")
    assert experiment.evaluation.simulator.type == "libero"
