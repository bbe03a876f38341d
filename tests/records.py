"""Records as jobs would write them, for tests: complete, with the values that a test cares about."""

from pathlib import Path
from typing import Any

from vla.files.described import File, describe_file
from vla.records.circumstances import Determinism, Environment, GitState, Hardware, Torch
from vla.records.evaluation import EvaluationFiles, EvaluationRecord
from vla.records.run import Dataset, RunFiles, RunRecord

COMMIT = "c0ffee" * 6 + "abcd"
NOWHERE = File("nowhere", 0, "0" * 64)
POLICY_FACTS = {"key": "abc", "seed": 0, "tasks": (), "demonstration_seeds": ()}
"""What a policy's description says beyond the policy itself."""


def make_environment(**values: Any) -> Environment:
    return Environment(
        **{
            "deployment": "host",
            "python": "3.11.7",
            "executable": "/venv/bin/python",
            "variables": {},
            "torch": Torch(version="2.13.0", cuda=None, cudnn=None, gpus=()),
            "threads": (),
            "packages": {"numpy": "2"},
        }
        | values
    )


def make_hardware(**values: Any) -> Hardware:
    return Hardware(
        **{
            "hostname": "h",
            "platform": "Linux",
            "cpu": "EPYC",
            "cpu_cores": 2,
            "cpu_threads": 4,
            "memory_gb": 24.0,
            "gpus": (),
        }
        | values
    )


def make_determinism(**values: Any) -> Determinism:
    return Determinism(
        **{
            "mode": "strict",
            "deterministic_algorithms": True,
            "cudnn_benchmark": False,
            "tf32_matmul": False,
            "tf32_cudnn": False,
            "cublas_workspace": ":4096:8",
            "threads": 1,
        }
        | values
    )


def make_job(**values: Any) -> dict[str, Any]:
    """What all records of jobs share."""
    return {
        "command": "snakemake",
        "started": "2026-01-01T00:00:00+00:00",
        "finished": "2026-01-01T01:00:00+00:00",
        "git": GitState(commit=COMMIT, dirty=()),
        "environment": make_environment(),
        "hardware": make_hardware(),
        "key": "k",
        "experiment": "e",
        "device": "cpu",
        "determinism": make_determinism(),
    } | values


def make_run_record(policy: Path | None = None, folder: Path | None = None, **values) -> RunRecord:
    """A training run. `policy`: its weights, in the experiment's `folder`."""
    weights = describe_file(policy, folder) if policy and folder else NOWHERE
    files = {"policy": weights, "patch": values.pop("patch", None)}
    files |= dict.fromkeys(("description", "metrics", "configuration"), NOWHERE)
    return RunRecord(
        **make_job(
            identity={
                "seed": 1,
                "model": {"type": "BC"},
                "training": {"batch_size": 256},
                "data": {"stores": [{"dataset": "d", "cameras": ["c"]}], "augmentation": False},
                "accelerator": "cpu",
                "threads": 1,
                "code": {"vla/policies/policy.py": "1"},
            },
            seed=1,
            datasets=(Dataset(name="d", version="1.0.0", content="f" * 64),),
            parameters=1000,
            final_loss=0.5,
            training_seconds=60.0,
            resumed_from_step=0,
            gpu_hours=0.0,
            files=RunFiles(**files),
        )
        | values
    )


def make_evaluation_record(
    episodes: Path | None = None, folder: Path | None = None, **values
) -> EvaluationRecord:
    """An evaluation. `episodes`: its table, in the experiment's `folder`."""
    file = describe_file(episodes, folder) if episodes and folder else NOWHERE
    return EvaluationRecord(
        **make_job(
            key="e",
            identity={"run": "k", "code": {}, "evaluation": {}},
            condition="instructed",
            run="k",
            policy_sha256="0" * 64,
            renderer={"renderer": "llvmpipe", "version": "Mesa 25"},
            episodes=100,
            outcomes={"success": 80, "failure": 20},
            episode_seconds=1.0,
            files=EvaluationFiles(episodes=file),
        )
        | values
    )
