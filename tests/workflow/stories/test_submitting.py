"""Jobs of a submitted workflow run the code as it was, whatever is edited and committed meanwhile."""

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.project import Project
from vla.records.run import RunRecord

ONLY_B = ("--config", 'experiments=["b"]', "comparisons=[]")
PATIENCE = 300  # seconds; a loaded machine is slow


def submit(project: Project, *arguments: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "vla", "submit", "--cores", "1", *ONLY_B, *arguments],
        cwd=project.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"PYTHONPATH": str(project.root)},
    )


def key_of_run(project: Project) -> str:
    """Asked in a process of its own, since hashes of code are kept while one lives."""
    code = "from pathlib import Path; from vla.plan.plan import Plan; "
    code += (
        "plan = Plan(Path.cwd(), {'experiments': ['b']}); print(plan.experiments['b'].runs[0].key)"
    )
    variables = os.environ | {"PYTHONPATH": str(project.root)}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=project.root,
        env=variables,
        check=True,
        text=True,
        stdout=subprocess.PIPE,
    ).stdout.strip()


def test_jobs_run_the_code_as_it_was_submitted(project, tmp_path):
    """Two workflows, of two states of the code, work side by side."""
    wait = tmp_path / "wait"
    wait.touch()
    project.edit(
        project.give_training_code("b"),
        "    model, training =",
        "    import os, time\n"
        f"    open({str(tmp_path / 'begun')!r}, 'w').close()\n"
        f"    while os.path.exists({str(wait)!r}):\n"
        "        time.sleep(0.1)\n"
        "    model, training =",
    )
    project.change("b", "experiment", seed=3)
    project.commit()
    first_key, first_commit = key_of_run(project), project.git("rev-parse", "HEAD").strip()
    first = submit(project)
    end = time.monotonic() + PATIENCE
    while not (tmp_path / "begun").exists():
        assert first.poll() is None, first.stdout.read()
        assert time.monotonic() < end
        time.sleep(0.1)
    # While its training is at work, and its other jobs wait, the code goes on.
    project.edit("vla/training/loop.py", "import torch\n", "import torch\n\nCHANGED = 1\n")
    project.edit("vla/evaluation/rollout.py", "steps: int = 0", "steps: int = 1 - 1")
    project.commit()
    second_key = key_of_run(project)
    assert second_key != first_key
    second = submit(project, "--until", "train")
    cleaned = subprocess.run(
        [sys.executable, "-m", "vla", "clean", "--old"],
        cwd=project.root,
        check=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(project.root)},
        stdout=subprocess.PIPE,
    ).stdout
    assert "its workflow is at work" in cleaned
    wait.unlink()
    for workflow in (first, second):
        printed, _ = workflow.communicate(timeout=600)
        assert workflow.returncode == 0, printed

    records = [
        RunRecord.read(path) for path in project.root.glob("experiments/b/results/seed3-*/run.json")
    ]
    commits = {record.key: record.git.commit for record in records}
    assert commits == {
        first_key: first_commit,
        second_key: project.git("rev-parse", "HEAD").strip(),
    }
    assert all(record.git.dirty == () for record in records)
    assert "vla submit" in records[0].command
    assert "CHANGED" in (project.root / "vla/training/loop.py").read_text()
    # What the first made lies in the project, as if it had been started there.
    evaluations = project.root.glob(f"experiments/b/results/seed3-{first_key}/*/evaluation.json")
    assert list(evaluations)
    assert f"seed3-{first_key}" in (project.root / "experiments/b/README.md").read_text()
    report = (project.root / "reports/report.html").stat()
    assert report.st_mtime > end - PATIENCE
    for snapshot in (project.root / ".snapshots").iterdir():
        made = [p for p in snapshot.rglob("run.json") if not _behind_link(p, snapshot)]
        assert not made, "nothing is kept in a snapshot"


def _behind_link(path: Path, snapshot: Path) -> bool:
    return any(parent.is_symlink() for parent in path.parents if snapshot in parent.parents)
