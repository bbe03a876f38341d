"""Policy families and the training core: which code decides a run, and who supplies it."""

import shutil
from pathlib import Path

import pytest
import torch

from tests.project import ROOT
from vla.errors import UserError
from vla.policies.building import build_policy
from vla.policies.protocol import Policy
from vla.source.closure import code_hashes, executed_files
from vla.training import standard
from vla.training.job import training_code
from vla.training.optimizer import build_optimizer, optimise

OPERATION = (
    *("vla/monitoring/", "vla/tracking/", "vla/records/", "vla/plan/", "vla/workflow/"),
    *("vla/training/checkpoint.py", "vla/training/retention.py", "vla/training/supervision.py"),
    *("vla/training/rows.py", "vla/process/signals.py", "vla/process/progress.py"),
)


def family_code(root: Path, family: str) -> dict[str, str]:
    name = f"vla/policies/{family}/policy.py"
    return code_hashes({name: root / name}, root)


def test_another_head_changes_its_family_and_no_other(tmp_path):
    """A head decides results: choosing another must be another key, and only there."""
    shutil.copytree(ROOT / "vla", tmp_path / "vla", ignore=shutil.ignore_patterns("__pycache__"))
    before = {family: family_code(tmp_path, family) for family in ("bc", "rt1")}
    # In a copy of its own, since hashes are cached by path.
    shutil.copytree(tmp_path / "vla", tmp_path / "swapped/vla")
    module = tmp_path / "swapped/vla/policies/bc/policy.py"
    text = module.read_text().replace("regression_head", "discrete_head")
    module.write_text(text.replace("RegressionHead", "DiscreteHead"))
    after = {family: family_code(tmp_path / "swapped", family) for family in ("bc", "rt1")}
    assert after["rt1"] == before["rt1"]
    shared = before["bc"].keys() & after["bc"].keys()
    changed = {name for name in shared if before["bc"][name] != after["bc"][name]}
    assert changed == {"vla/policies/bc/policy.py"}
    assert before["bc"].keys() - shared == {"vla/policies/parts/regression_head.py"}
    assert after["bc"].keys() - shared == {"vla/policies/parts/discrete_head.py"}


def test_what_watches_over_training_is_no_part_of_what_decides_it():
    entries = ("vla/training/loop.py", "vla/training/standard.py")
    core = executed_files({name: ROOT / name for name in entries}, ROOT)
    assert "vla/training/optimizer.py" in core
    assert not [name for name in core if name.startswith(OPERATION)]


def test_plans_are_made_without_pytorch():
    for family in ("bc", "rt1", "bc_pretrained_words", "rt1_pretrained_words"):
        name = f"vla/policies/{family}/config.py"
        imported = executed_files({name: ROOT / name}, ROOT).values()
        assert not [path for path in imported if "import torch" in path.read_text()]


def test_experiment_without_training_code_takes_the_standard_one(tmp_path):
    assert training_code(tmp_path) is standard.train
    shutil.copy(ROOT / "vla/training/standard.py", tmp_path / "train.py")
    own = training_code(tmp_path)
    assert own is not standard.train
    assert own.__code__.co_filename == str(tmp_path / "train.py")


def test_training_code_without_its_function_is_a_mistake(tmp_path):
    (tmp_path / "train.py").write_text("steps = 1\n")
    with pytest.raises(UserError, match=r"train\.py has no function train\(run\)"):
        training_code(tmp_path)


def test_learning_rate_of_a_group_is_scaled_and_frozen_weights_stay(store, make_config):
    class Halved(Policy):
        """One weight learns at the full rate, one at half of it, one not at all."""

        def __init__(self):
            super().__init__(make_config().model, store.spec, None)
            self.whole, self.slow, self.frozen = (
                torch.nn.Parameter(torch.ones(1)) for _ in range(3)
            )
            self.frozen.requires_grad_(False)

        def loss(self, inputs):
            return self.whole + self.slow + self.frozen

        def act(self, inputs, decoding="argmax"):
            raise NotImplementedError

        def parameter_groups(self):
            return [{"params": [self.whole]}, {"params": [self.slow], "lr_scale": 0.5}]

    config = make_config(training={"weight_decay": 0.0}).training
    policy = Halved()
    optimise(policy, build_optimizer(policy, config), [{}], 0.1, config)
    moved = {name: 1 - parameter.item() for name, parameter in policy.named_parameters()}
    assert moved["whole"] == pytest.approx(0.1, rel=1e-3)  # AdamW's first step: the learning rate
    assert moved["slow"] == pytest.approx(0.05, rel=1e-3)
    assert moved["frozen"] == 0


def test_policy_learns_all_that_is_not_frozen(store, make_config):
    policy = build_policy(make_config().model, store.spec)
    policy.vision.requires_grad_(False)
    (group,) = policy.parameter_groups()
    frozen = set(policy.vision.parameters())
    assert set(group["params"]) == set(policy.parameters()) - frozen
