"""`accelerator: auto` is settled once, and stands in keys as what it turned out to be."""

import pynvml
import pytest
import yaml

from vla.plan.deployment import Deployment
from vla.plan.plan import Plan
from vla.process.accelerator import detect_accelerator, visible_gpus


@pytest.fixture(autouse=True)
def unsettled(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


@pytest.fixture
def gpu(monkeypatch):
    """A driver that shows one GPU."""
    answers = {
        "nvmlInit": lambda: None,
        "nvmlShutdown": lambda: None,
        "nvmlSystemGetDriverVersion": lambda: "580.1",
        "nvmlDeviceGetCount": lambda: 1,
        "nvmlDeviceGetHandleByIndex": lambda number: number,
        "nvmlDeviceGetName": lambda handle: "NVIDIA H100",
        "nvmlDeviceGetMemoryInfo": lambda handle: type("Memory", (), {"total": 80e9}),
    }
    for name, answer in answers.items():
        monkeypatch.setattr(pynvml, name, answer)


def run_key(experiment, accelerator: str, settled: str) -> str:
    """The baseline's key when it asks for `accelerator` and the workflow settled `settled`."""
    path = experiment.folder / "config.yaml"
    content = yaml.safe_load(path.read_text())
    content["resources"] = {"accelerator": accelerator}
    path.write_text(yaml.safe_dump(content))
    asked = {"experiments": [experiment.name]}
    plan = Plan(experiment.root, asked, Deployment(use_conda=False, accelerator=settled))
    return plan.experiments[experiment.name].runs[0].key


def test_explicit_choice_stands():
    assert Deployment(use_conda=True, accelerator="cuda").resolve("cpu") == "cpu"
    assert Deployment(use_conda=False, accelerator="cpu").resolve("cuda") == "cuda"


def test_auto_takes_a_gpu_that_the_driver_shows(gpu):
    assert detect_accelerator(use_conda=True) == "cuda"
    assert visible_gpus() == [{"name": "NVIDIA H100", "memory_gb": 80.0, "driver": "580.1"}]


def test_auto_is_cpu_where_there_is_no_driver(monkeypatch):
    def absent():
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", absent)
    assert detect_accelerator(use_conda=True) == "cpu"


def test_auto_follows_a_pytorch_without_cuda_on_the_host(gpu, monkeypatch, tmp_path):
    package = tmp_path / "torch"
    package.mkdir()
    found = type("Spec", (), {"origin": str(package / "__init__.py")})
    monkeypatch.setattr("importlib.util.find_spec", lambda name: found)
    (package / "version.py").write_text("cuda: Optional[str] = None\nhip = '6'\n")
    assert detect_accelerator(use_conda=False) == "cpu"
    (package / "version.py").write_text("cuda: Optional[str] = '13.0'\n")
    assert detect_accelerator(use_conda=False) == "cuda"


@pytest.mark.parametrize("hidden", ["", "-1"])
def test_hidden_gpus_are_not_taken(gpu, monkeypatch, hidden):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    assert detect_accelerator(use_conda=True) == "cpu"


def test_a_workflow_settles_what_auto_means(gpu):
    assert Deployment.here(use_conda=True) == Deployment(use_conda=True, accelerator="cuda")


def test_key_says_what_auto_turned_out_to_be(experiment):
    cpu, cuda = run_key(experiment, "cpu", "cuda"), run_key(experiment, "cuda", "cpu")
    assert cpu != cuda
    assert run_key(experiment, "auto", "cpu") == cpu
    assert run_key(experiment, "auto", "cuda") == cuda
