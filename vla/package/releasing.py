"""Versioned releases of results: one git tag for commit, datasets, models and package."""

import subprocess
from pathlib import Path

from vla.data.verification import require_verified
from vla.errors import UserError
from vla.package.building import Options, Package, build_package
from vla.package.contents import require_committed
from vla.plan.items import Experiment
from vla.plan.plan import Plan
from vla.records.models import ModelsRecord


def release(plan: Plan, experiment: Experiment, version: str) -> tuple[str, Package]:
    """Tag the last commit as `<experiment>-v<version>`; returns the tag and the package it names.

    `UserError` when the version is none, code is uncommitted, the experiment is not finished, a
    dataset is not pinned or was not verified, or the tag exists.
    """
    if not all(part.isdecimal() for part in version.split(".")) or version.count(".") != 2:
        raise UserError(f"{version!r} is no semantic version.", "Such as 1.2.0 (semver.org).")
    root = plan.root
    require_committed(root)
    tag = f"{experiment.name}-v{version}"
    if _git(root, "tag", "--list", tag).strip():
        raise UserError(f"The tag {tag} exists.", "Release another version: tags do not move.")
    for store in experiment.stores:
        if store.pinned is None:
            raise UserError(
                f"The store of {store.dataset} is not pinned.",
                f"vla pin {experiment.name}, commit, run snakemake, and release again.",
            )
        require_verified(store.entry, root)
    package = build_package(plan, experiment, Options())
    models = ModelsRecord.read(experiment.document("models", "models.json"))
    lines = [
        f"{experiment.name} {version}",
        "",
        f"package sha256:{package.sha256}",
        f"models {models.version}",
        *(f"policy seed{policy.seed} sha256:{policy.weights.sha256}" for policy in models.policies),
        *(f"dataset {d.name} {d.version} content:{d.content}" for d in package.record.datasets),
    ]
    _git(root, "tag", "--annotate", tag, "--message", "\n".join(lines))
    return tag, package


def _git(root: Path, *arguments: str) -> str:
    finished = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True)
    if finished.returncode:
        raise UserError(
            f"git {arguments[0]} failed: {finished.stderr.strip()}",
            "See its message; git config user.name and user.email are needed for tags.",
        )
    return finished.stdout
