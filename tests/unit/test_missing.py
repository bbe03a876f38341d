"""What an experiment lacks is named at once, with how to get it, before anything runs."""

import pytest

from tests.project import ROOT
from vla.plan import missing
from vla.plan.deployment import Deployment
from vla.plan.missing import MissingError
from vla.plan.plan import Plan

HOST = Deployment(use_conda=False, accelerator="cpu")


def lacks(name: str, deployment: Deployment = HOST) -> MissingError:
    plan = Plan(ROOT, {"experiments": ["exp_001_baseline"]}, deployment)
    with pytest.raises(MissingError) as caught:
        plan.read_experiment(name)
    return caught.value


def test_data_and_simulator_of_an_unlisted_experiment_are_named_together(monkeypatch):
    monkeypatch.setattr(missing, "_is_installed", lambda name: name != "robosuite")
    error = lacks("exp_102_libero_spatial")
    assert list(error.missing) == ["dataset libero", "simulator libero"]
    assert "hf download lerobot/libero" in error.missing["dataset libero"].way_out
    assert "vla pin data/libero" in error.missing["dataset libero"].way_out
    assert error.missing["simulator libero"].problem.startswith("robosuite: not installed")
    assert error.missing["simulator libero"].way_out.startswith("make libero")
    assert "data/libero.manifest.json is missing" in str(error)


def test_weights_of_an_unlisted_experiment_are_named_with_its_simulator(monkeypatch):
    monkeypatch.setattr(missing, "_is_installed", lambda name: name != "robosuite")
    error = lacks("exp_105_openvla_libero_spatial")
    assert list(error.missing) == ["weights openvla-libero-spatial", "simulator libero"]
    said = error.missing["weights openvla-libero-spatial"]
    assert "nobody registered the weights 'openvla-libero-spatial'" in said.problem
    assert "config/weights.yaml" in said.way_out


def test_locked_environments_do_not_need_the_hosts_packages(monkeypatch):
    monkeypatch.setattr(missing, "_is_installed", lambda name: False)
    error = lacks("exp_103_metaworld_mt50", Deployment(use_conda=True, accelerator="cpu"))
    assert list(error.missing) == ["dataset metaworld-mt50"]
    assert "demonstrations=config/demonstrations-mt50.yaml" in str(error)


def test_simulator_with_a_locked_environment_of_its_own_needs_nothing_here(monkeypatch):
    monkeypatch.setattr(missing, "_is_installed", lambda name: name != "robosuite")
    error = lacks("exp_102_libero_spatial", Deployment(use_conda=True, accelerator="cpu"))
    assert list(error.missing) == ["dataset libero"]


def test_experiments_without_data_use_no_prepared_store():
    assert Plan(ROOT, {"experiments": ["exp_001_baseline"]}, HOST).used_stores()
