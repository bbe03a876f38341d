"""What is kept of finished runs: models with a version, and no more on the disk than is needed."""

import os
import subprocess
import sys

import yaml

from vla.files.yaml import read_yaml
from vla.plan.plan import Plan
from vla.policies.storage import load_policy
from vla.records.models import ModelsRecord
from vla.records.removals import RemovalEntry
from vla.upkeep.disk import find_old, remove, usage


def plan_of(project) -> Plan:
    return Plan(project.root, read_yaml(project.root / "config/config.yaml"))


def test_models_are_gathered_under_their_version(finished):
    folder = finished.root / "experiments/a/models/v1.0.0"
    models = ModelsRecord.read(folder / "models.json")
    assert [policy.seed for policy in models.policies] == [1, 2]
    for seed in (1, 2):
        assert load_policy(folder / f"seed{seed}/policy.safetensors")
    card = (folder / "MODEL_CARD.md").read_text()
    head = yaml.safe_load(card.split("---")[1])
    assert head["datasets"] == ["metaworld-4tasks"]
    assert head["model-index"][0]["results"][0]["metrics"][0]["type"] == "success_rate"
    for policy in models.policies:
        assert policy.weights.sha256 in card


def test_code_on_the_model_card_runs(finished):
    folder = finished.root / "experiments/a/models/v1.0.0"
    models = ModelsRecord.read(folder / "models.json")
    code = (folder / "MODEL_CARD.md").read_text().split("```python\n")[1].split("```")[0]
    shape = (models.interface.chunk_length, models.interface.action_dim)
    code += f"assert actions.shape == {shape}\nassert actions.isfinite().all()\n"
    environment = os.environ | {"PYTHONPATH": str(finished.root)}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=folder, env=environment)


def test_cleaning_takes_checkpoints_of_finished_runs_and_nothing_else(project):
    checkpoints = project.root / "experiments/a/checkpoints"
    record = project.one("experiments/a/results/seed2-*/run.json")
    record.unlink()  # as if this run were still to end
    before = {p for p in project.root.rglob("*") if p.is_file() and ".git" not in p.parts}
    old, kept = find_old(plan_of(project))
    assert [item.why for item in kept] == ["unfinished: it would go on from these"]
    assert {p for p in before if not p.is_file()} == set(), "looking removes nothing"
    freed = remove(old, project.root)
    gone = {p for p in before if not p.exists()}
    assert {p.relative_to(project.root).parts[1:3] for p in gone} == {
        ("a", "checkpoints"),
        ("b", "checkpoints"),
    }
    assert all(p.name.startswith("step_") for p in gone)
    assert list(checkpoints.glob("seed2-*/step_*")), "an unfinished run keeps its checkpoints"
    assert freed == sum(item.bytes for item in old) > 0
    removals = RemovalEntry.read_all(project.root / "results/removed.jsonl")
    assert sum(len(removal.files) for removal in removals) == len(gone)
    project.snakemake("--config", 'experiments=["b"]', "comparisons=[]")  # all is still there


def test_damaged_policy_keeps_its_checkpoints(project):
    policy = project.one("experiments/b/checkpoints/seed1-*/policy.safetensors")
    policy.write_bytes(policy.read_bytes()[:-1] + b"!")
    old, kept = find_old(plan_of(project))
    assert "has changed since it was recorded" in kept[0].why
    assert not [item for item in old if "/b/" in str(item.folder)]


def test_usage_counts_a_file_with_two_names_once(finished):
    found = usage(finished.root)["a"]
    assert found["checkpoints"] > 100_000
    policies = sum(
        p.stat().st_size for p in finished.root.glob("experiments/a/models/*/*/policy.safetensors")
    )
    assert policies > 0
    assert found["models"] < policies
