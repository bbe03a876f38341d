"""Tiny data and models, so that every test runs the real components in a moment."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.project import ROOT
from tests.records import POLICY_FACTS
from vla.config.complete import ExperimentConfig
from vla.data.statistics import Statistics
from vla.data.store import PreparedStore
from vla.files.yaml import read_yaml
from vla.plan.items import Experiment
from vla.plan.plan import Plan
from vla.plan.reading import experiment_model
from vla.policies.building import build_policy
from vla.policies.storage import save_policy

torch.set_num_threads(1)

LENGTHS = (8, 12, 9, 11)  # of the episodes; the first two are of the first task
TASKS = (
    {
        "name": "button-press-topdown-v3",
        "instructions": ["press the red button", "push the button down"],
        "held_out": ["hit the switch"],
    },
    {
        "name": "faucet-open-v3",
        "instructions": ["open the faucet", "turn the faucet on"],
        "held_out": [],
    },
)


FUSED = {"fusion": {"width": 16, "layers": 1, "heads": 2}, "chunk_length": 4, "max_words": 6}
VLM = {
    "vision_encoder": "ViT-Ti/8",
    "language_model": {
        **{"width": 32, "layers": 2, "heads": 4, "key_value_heads": 2, "mlp_width": 48},
        "vocabulary": 320,
    },
    "max_tokens": 24,
    "chunk_length": 4,
}
TINY_MODELS = {  # by family
    "BC": FUSED,
    "RT1": FUSED,
    "RT2": VLM | {"num_bins": 16},
    "OFT": VLM,
    "flow": VLM | {"expert": {"width": 16, "mlp_width": 24}, "integration_steps": 3},
}


@pytest.fixture(scope="session")
def store() -> PreparedStore:
    """40 frames of noise. `action[:, 0]` is the number of the row, by which tests know it again."""
    random = np.random.default_rng(0)
    frames = sum(LENGTHS)
    action = random.uniform(-1, 1, (frames, 4)).astype(np.float32)
    action[:, 0] = np.arange(frames)
    state = random.normal(size=(frames, 4)).astype(np.float32)
    sentences = [sentence for task in TASKS for sentence in task["instructions"]]
    return PreparedStore(
        cameras=("side",),
        tasks=TASKS,
        seeds=(1_000_000, 1_000_001, 1_001_000, 1_001_001),
        spec=Statistics.of(state, action).spec(("side",), 16, sentences),
        content="c0ffee",
        pictures=random.integers(0, 256, (frames, 1, 3, 16, 16), np.uint8),
        state=state,
        action=action,
        task=np.repeat([0, 0, 1, 1], LENGTHS),
        step=np.concatenate([np.arange(length) for length in LENGTHS]),
        length=np.repeat(LENGTHS, LENGTHS),
    )


@pytest.fixture(scope="session")
def make_config() -> Callable[..., ExperimentConfig]:
    """A complete configuration of a tiny policy; keywords add to its sections."""

    def make(**sections: dict) -> ExperimentConfig:
        content: dict[str, dict] = {
            "experiment": {"name": "tiny"},
            "model": TINY_MODELS[sections.get("model", {}).get("type", "BC")],
            "training": {"num_steps": 8, "batch_size": 8, "warmup_steps": 2},
            "data": {},
            "evaluation": {"execute_steps": 4},
            "tracking": {"log_every": 2},
            "checkpoints": {"save_every": 4},
            "resources": {"accelerator": "cpu"},
        }
        for name, values in sections.items():
            content[name] = content.get(name, {}) | values
        return experiment_model(content).model_validate(content)

    return make


@pytest.fixture(scope="session")
def policy_file(store, make_config, tmp_path_factory) -> Path:
    """An untrained policy on disk."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("policy") / "policy.safetensors"
    save_policy(build_policy(make_config().model, store.spec), path, POLICY_FACTS)
    return path


@pytest.fixture
def experiment(tmp_path) -> Experiment:
    """The baseline in a copy of what plans are made from; the dataset is only pinned."""
    for name in ("config", "envs", "experiments", "reports/templates", "scripts", "vla", ".dvc"):
        ignored = shutil.ignore_patterns("__pycache__", "checkpoints", "results", "logs", "cache")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    (tmp_path / "data").mkdir()
    for path in ROOT.glob("data/[!.]*.*"):
        shutil.copy(path, tmp_path / "data")
    config = read_yaml(tmp_path / "config/config.yaml") | {
        "experiments": ["exp_001_baseline"],
        "comparisons": [],
    }
    return Plan(tmp_path, config).experiments["exp_001_baseline"]


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """A project as far as plans read it; each test has experiments of its own."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("vla", "scripts", "config", "reports"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "data").mkdir()
    for path in ROOT.glob("data/metaworld*.*"):
        shutil.copy(path, folder / "data")
    return folder
