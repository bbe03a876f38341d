"""`accelerator: auto` is settled once, and stands in keys as what it turned out to be."""

from contextlib import contextmanager

import pynvml
import pytest
import yaml

from tests.project import ROOT
from vla.plan.plan import Plan
from vla.process.accelerator import VARIABLE, resolve_accelerator, visible_gpus


@pytest.fixture(autouse=True)
def unsettled(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
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


@contextmanager
def configured(monkeypatch, accelerator: str):
    """exp_001_baseline as if it asked for that accelerator."""
    from vla.plan import plan as planning

    original = planning.load_experiment

    def changed(path):
        config = original(path)
        resources = config.resources.model_copy(update={"accelerator": accelerator})
        return config.model_copy(update={"resources": resources})

    with monkeypatch.context() as patch:
        patch.setattr("vla.plan.plan.load_experiment", changed)
        yield


def run_key(monkeypatch, accelerator: str) -> str:
    content = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    with configured(monkeypatch, accelerator):
        plan = Plan(ROOT, content)
        return plan.experiments["exp_001_baseline"].runs[0].key


def test_explicit_choice_stands(gpu):
    assert resolve_accelerator("cpu", use_conda=True) == "cpu"
    assert resolve_accelerator("cuda", use_conda=False) == "cuda"


def test_auto_takes_a_gpu_that_the_driver_shows(gpu):
    assert resolve_accelerator("auto", use_conda=True) == "cuda"
    assert visible_gpus() == [{"name": "NVIDIA H100", "memory_gb": 80.0, "driver": "580.1"}]


def test_auto_is_cpu_where_there_is_no_driver(monkeypatch):
    def absent():
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", absent)
    assert resolve_accelerator("auto", use_conda=True) == "cpu"


def test_auto_follows_a_pytorch_without_cuda_on_the_host(gpu, monkeypatch, tmp_path):
    package = tmp_path / "torch"
    package.mkdir()
    found = type("Spec", (), {"origin": str(package / "__init__.py")})
    monkeypatch.setattr("importlib.util.find_spec", lambda name: found)
    (package / "version.py").write_text("cuda: Optional[str] = None\nhip = '6'\n")
    assert resolve_accelerator("auto", use_conda=False) == "cpu"
    (package / "version.py").write_text("cuda: Optional[str] = '13.0'\n")
    assert resolve_accelerator("auto", use_conda=False) == "cuda"


@pytest.mark.parametrize("hidden", ["", "-1"])
def test_hidden_gpus_are_not_taken(gpu, monkeypatch, hidden):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    assert resolve_accelerator("auto", use_conda=True) == "cpu"


def test_choice_of_the_starting_machine_holds_on_every_node(gpu, monkeypatch):
    monkeypatch.setenv(VARIABLE, "cpu")
    assert resolve_accelerator("auto", use_conda=True) == "cpu"


def test_key_says_what_auto_turned_out_to_be(monkeypatch):
    cpu, cuda = run_key(monkeypatch, "cpu"), run_key(monkeypatch, "cuda")
    assert cpu != cuda
    for settled, key in (("cpu", cpu), ("cuda", cuda)):
        monkeypatch.setenv(VARIABLE, settled)
        assert run_key(monkeypatch, "auto") == key
