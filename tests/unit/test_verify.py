"""The verdict on two runs follows from their bytes, then from their episodes."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from vla.reproduction.differences import differences
from vla.reproduction.verify import VERDICTS, FinishedRun, verify

ENVIRONMENT = {"deployment": "host", "python": "3.11.7", "torch": None, "packages": {"numpy": "2"}}
HARDWARE = {"cpu": "EPYC", "gpus": []}
IDENTITY = {
    "seed": 1,
    "model": {"type": "BC"},
    "training": {"batch_size": 256},
    "data": {"store": {"dataset": "d", "cameras": ["c"]}, "augmentation": False},
    "accelerator": "cpu",
    "threads": 1,
    "code": {"vla/models/policy.py": "1"},
}


class Run(FinishedRun):
    """A run whose episodes are given instead of read."""

    def episodes(self, condition):
        return self.evaluations[condition]["table"]


def table(successes: int, of: int = 100) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "task": "t",
            "episode": range(of),
            "seed": range(of),
            "training_seed": 1,
            "outcome": ["success"] * successes + ["failure"] * (of - successes),
            "success": [True] * successes + [False] * (of - successes),
        }
    )


def make_run(policy: str = "p", successes: int = 80, key: str = "k", of: int = 100, **parts) -> Run:
    record = {
        "key": key,
        "final_loss": parts.pop("loss", 0.5),
        "identity": IDENTITY | parts.pop("identity", {}),
        "environment": ENVIRONMENT | parts.pop("environment", {}),
        "hardware": HARDWARE | parts.pop("hardware", {}),
        "files": [{"path": "policy.safetensors", "sha256": policy * 64}],
    }
    evaluation = {
        "files": [{"path": "episodes.parquet", "sha256": f"{successes:064d}"}],
        "table": table(successes, of),
    }
    return Run(Path("run.json"), record, {"instructed": evaluation})


def test_same_bytes_are_identical_whatever_else_differs():
    other = make_run(key="other", environment={"python": "3.12.1"})
    found = verify(make_run(), other)
    assert found.word == "identical"
    assert found.found == {"software": ["python 3.11.7 → 3.12.1"]}


@pytest.mark.parametrize(
    ("successes", "of", "word"),
    [
        (80, 100, "equivalent"),  # other weights, every episode ends alike
        (81, 100, "equivalent"),
        (60, 100, "different"),
        (8, 10, "undecided"),  # too few to say anything
    ],
)
def test_other_bytes_are_judged_by_the_episodes(successes, of, word):
    one = make_run(successes=80 * of // 100, of=of)
    found = verify(one, make_run("q", successes, key="other", of=of))
    assert found.word == word
    assert found.word in VERDICTS


def test_losses_of_one_model_must_agree_within_the_tolerance():
    one, other = make_run(), make_run("q", key="other", loss=0.55)
    assert verify(one, other).word == "undecided"
    assert verify(one, other, tolerance=0.1).word == "equivalent"
    another_model = make_run("q", key="other", loss=0.55, identity={"model": {"type": "RT2"}})
    assert verify(one, another_model).word == "equivalent"


def test_worst_condition_decides():
    one, other = make_run(), make_run("q", key="other")
    lost = {"files": [{"path": "episodes.parquet", "sha256": "x"}], "table": table(10)}
    kept = {"files": [{"path": "episodes.parquet", "sha256": "y"}], "table": table(80)}
    one = replace(one, evaluations=one.evaluations | {"held_out": kept})
    other = replace(other, evaluations=other.evaluations | {"held_out": lost})
    assert verify(one, other).word == "different"


def test_same_key_with_other_bytes_is_called_out():
    found = verify(make_run(), make_run("q"))
    assert any("keys are equal, the bytes are not" in reason for reason in found.reasons)


def test_each_kind_of_difference_is_named():
    other = make_run(
        identity={
            "training": {"batch_size": 128},
            "code": {"vla/models/policy.py": "2", "vla/models/vit.py": "1"},
            "data": {"store": {"dataset": "e", "cameras": ["c"]}, "augmentation": False},
        },
        environment={"packages": {"numpy": "2", "torch": "2.13.0"}},
        hardware={"gpus": [{"name": "H100", "driver": "580"}]},
    )
    assert differences(make_run().record, other.record) == {
        "configuration": ["training.batch_size 256 → 128"],
        "data": ["dataset d → e"],
        "code": ["vla/models/policy.py changed", "vla/models/vit.py is new"],
        "software": ["torch (absent) → 2.13.0"],
        "machine": ["GPUs [] → ['H100']", "driver [] → ['580']"],
    }
