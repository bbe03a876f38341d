"""The guide's reader, simulator and policy family, in a project of their own: one experiment runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.project import ROOT, Project
from tests.sharing import made_once
from vla.data.manifest import make_manifest
from vla.records.evaluation import EvaluationRecord
from vla.records.run import RunRecord

EXAMPLE = re.compile(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", re.DOTALL)


def examples() -> dict[str, str]:
    """Path -> content of every complete example of the guide."""
    return dict(EXAMPLE.findall((ROOT / "docs/plugins.md").read_text()))


# Points that go straight to their mark, in files as the guide's reader takes them.
DEMONSTRATE = """
import json
from pathlib import Path
import numpy as np
from plugins.simulators.reach.config import Config
from plugins.simulators.reach.simulator import TASKS, Simulator

folder = Path("data/reach")
folder.mkdir(parents=True)
sentences = {"reach-left": "go to the left", "reach-right": "go to the right"}
(folder / "tasks.json").write_text(json.dumps({task: [s] for task, s in sentences.items()}))
for number in range(20):
    task = Simulator(Config()).make(TASKS[number % 2], ("top",), 16, 100)
    state, _ = task.reset(seed=number)
    steps = []
    for _ in range(12):
        action = np.clip(task.mark - state, -0.1, 0.1)
        steps.append((state, action, task.pictures()["top"]))
        state, *_ = task.step(action)
    states, actions, pictures = map(np.stack, zip(*steps))
    np.savez(
        folder / f"episode_{number:03d}.npz",
        state=states, action=actions, top=pictures, instruction=sentences[task.task], seed=number,
    )
"""
KEYS = """
from pathlib import Path
from vla.plan.plan import Plan
for experiment in Plan(Path.cwd(), {"experiments": ["a", "b"]}).experiments.values():
    print([run.key for run in experiment.runs], [e.key for run in experiment.runs for e in run.evaluations])
"""


def run_keys(project: Project) -> str:
    """Keys of the experiments a and b, in a process of its own: hashes are kept in memory."""
    return call(project, "-c", KEYS)


def call(project: Project, *arguments: str) -> str:
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, cwd=project.root, check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    """With the guide's files, their dataset pinned, and the experiments a and b as they were."""
    return Project(made_once(tmp_path_factory, "plugins", make))


def make(root: Path) -> None:
    project = Project.create(root)
    before = run_keys(project)
    for name, text in examples().items():
        path = project.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    call(project, "-c", DEMONSTRATE)
    make_manifest(project.root / "data/reach", project.root / "data/reach.manifest.json")
    call(project, "-m", "dvc", "add", "--quiet", "data/reach")
    registry = yaml.safe_load((project.root / "config/datasets.yaml").read_text())
    entry = {"version": "1", "format": "npz-episodes", "source": "-", "licence": "MIT"}
    project.write_yaml("config/datasets.yaml", registry | {"reach": entry | {"path": "data/reach"}})
    assert run_keys(project) == before, "plug-ins that are not chosen are in no key"
    project.change("toy", "tracking", tensorboard=False, mlflow=False)
    project.change("toy", "resources", disk_gb=0.1, accelerator="cpu")
    project.change("toy", "evaluation", batch_size=4)  # so that its policy serves other processes
    project.write_yaml("config/config.yaml", {"experiments": ["toy"], "allow_dirty": True})
    project.snakemake()


def test_an_experiment_runs_with_all_three(project):
    run = RunRecord.read(project.one("experiments/toy/results/*/run.json"))
    assert "plugins/policies/linear/policy.py" in run.identity["code"]
    assert run.datasets[0].name == "reach"
    evaluation = EvaluationRecord.read(project.one("experiments/toy/results/*/*/evaluation.json"))
    assert "plugins/simulators/reach/simulator.py" in evaluation.identity["code"]
    assert evaluation.episodes == 10
    assert "crash" not in evaluation.outcomes
    assert evaluation.outcomes["success"] >= 8, "it goes where it is told to"
    assert "# toy" in (project.root / "experiments/toy/README.md").read_text()


def test_a_changed_plugin_concerns_what_chose_it(project):
    project.edit("plugins/simulators/reach/simulator.py", "-0.1, 0.1", "-0.05, 0.05")
    jobs = project.jobs()
    assert "train" not in jobs
    assert jobs["evaluate"] == 1
