"""A copy of the project with two very small experiments, run through real Snakemake."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
SECRET = "s3cr3t-that-must-not-leak"

# Secrets that no file may hold, and a setting that the workflow must overrule.
FROM_OUTSIDE = {
    "WANDB_API_KEY": SECRET,
    "MY_PASSWORD": SECRET,
    "ATEN_CPU_CAPABILITY": "default",
}

SMALL = {
    "experiment": {
        "name": "small",
        "seed": 1,
        "description": "A run that is too small to learn anything.",
        "hypothesis": "It runs.",
        "goals": ["Exercise every rule."],
        "plan": ["Run it."],
        "risks": [{"level": "high", "risk": "It may learn.", "mitigation": "Few steps."}],
        "targets": {"success_rate": 0.9},
    },
    "model": {"type": "BC", "fusion": {"width": 16, "layers": 1, "heads": 2}},
    "training": {"num_steps": 6, "batch_size": 4, "warmup_steps": 1},
    "data": {"dataset": "metaworld-4tasks"},
    "evaluation": {
        "tasks": ["button-press-topdown-v3"],
        "episodes_per_task": 2,
        "max_steps": 16,
    },
    "tracking": {"log_every": 2, "mlflow": False},
    "checkpoints": {"save_every": 3},
    "resources": {"disk_gb": 0.1, "accelerator": "cpu"},
}


# Most of a project's bytes and files. Those in these folders are made whole and never changed: copies may have them in
# common.
NEVER_CHANGED = ("/data/.prepared/", "/.dvc/cache/", "/.git/objects/", "/__pycache__/")


def copy_or_link(source: str, target: str) -> None:
    how = os.link if any(folder in source for folder in NEVER_CHANGED) else shutil.copy2
    how(source, target)


class Project:
    """A checkout of the project at `root`, with `a` and `b` as its only experiments.

    `variables`: further environment variables under which Snakemake runs.
    """

    def __init__(self, root: Path, variables: dict[str, str] | None = None):
        self.root, self.variables = root, variables or {}

    @classmethod
    def create(cls, root: Path) -> "Project":
        listing = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for name in filter(None, listing.split("\0")):
            if (ROOT / name).is_file() and not name.startswith(("experiments/", "tests/")):
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, root / name)
        project = cls(root)
        for name in ("a", "b"):
            folder = root / "experiments" / name
            folder.mkdir(parents=True)
        project.write("a", SMALL | {"experiment": SMALL["experiment"] | {"seed": [1, 2]}})
        project.write("b", SMALL | {"model": SMALL["model"] | {"type": "RT1"}})
        project.write_yaml(
            "config/config.yaml",
            {"experiments": ["a", "b"], "comparisons": [["a", "b"]], "allow_dirty": True},
        )
        project.git("init", "-q")
        project.commit()
        project.git("gc", "--quiet")  # one file in place of a thousand
        return project

    def copy(self, root: Path, alone: bool = False) -> "Project":
        """The same state elsewhere; times are kept, as `rsync -a` would.

        `alone`: it has no file in common with this one, so that even those may be touched that never change.
        """
        how = shutil.copy2 if alone else copy_or_link
        shutil.copytree(self.root, root, symlinks=True, copy_function=how)
        return Project(root, self.variables)

    def snakemake(self, *arguments: str, ok: bool = True) -> str:
        """Run Snakemake; returns all that it prints."""
        finished = subprocess.run(
            [sys.executable, "-m", "snakemake", *arguments],
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=600,
            env=os.environ | FROM_OUTSIDE | self.variables,
        )
        printed = finished.stdout + finished.stderr
        assert (finished.returncode == 0) == ok, printed
        return printed

    def jobs(self, *arguments: str) -> dict[str, int]:
        """What a dry run would do, as `run_jobs` tells it."""
        return self.run_jobs("-n", *arguments)

    def run_jobs(self, *arguments: str) -> dict[str, int]:
        """Run Snakemake; returns what it did: rule -> number of jobs.

        Without `all`, and without `publish` where it only shows what another job makes.
        """
        printed = self.snakemake(*arguments, "--quiet", "rules")
        if "Nothing to be done" in printed:
            return {}
        table = printed.split("Job stats:")[1].split("total")[0].splitlines()[3:]
        counts = dict(line.split() for line in table if line.strip())
        made = {rule: int(count) for rule, count in counts.items() if rule != "all"}
        if len(made) > 1:
            made.pop("publish", None)
        return made

    def git(self, *arguments: str) -> str:
        command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments]
        return subprocess.run(
            command, cwd=self.root, check=True, capture_output=True, text=True
        ).stdout

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "state")

    def read(self, experiment: str) -> dict:
        return yaml.safe_load((self.root / f"experiments/{experiment}/config.yaml").read_text())

    def write(self, experiment: str, config: dict) -> None:
        self.write_yaml(f"experiments/{experiment}/config.yaml", config)

    def give_training_code(self, experiment: str) -> str:
        """A `train.py` of its own, which does the same as the standard one; returns its path."""
        name = f"experiments/{experiment}/train.py"
        shutil.copy2(self.root / "vla/training/standard.py", self.root / name)
        return name

    def write_yaml(self, name: str, content: object) -> None:
        (self.root / name).write_text(yaml.safe_dump(content, sort_keys=False))

    def change(self, experiment: str, section: str, **values: object) -> None:
        config = self.read(experiment)
        config[section] = config.get(section, {}) | values
        self.write(experiment, config)

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.root / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def runs(self, experiment: str) -> list[Path]:
        """Folders of its runs with seed 1."""
        return sorted(self.root.glob(f"experiments/{experiment}/results/seed1-*"))

    def one(self, pattern: str) -> Path:
        (path,) = self.root.glob(pattern)
        return path
