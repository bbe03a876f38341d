"""A simulator with an environment of its own runs in it."""

import pytest

from tests.calvin import needs_calvin
from vla.locks.files import EnvironmentFiles

pytestmark = pytest.mark.xdist_group("conda")

DEMONSTRATION = {
    "simulator": {"type": "calvin", "pictures": "direct"},
    "tasks": {"close_drawer": {"instructions": ["close the drawer"]}},
    "episodes_per_task": 2,
    "noise": 0,
    "cameras": ["static"],
    "image_size": 16,
    "fps": 30,
}


def leave_out_policies(files: EnvironmentFiles, conda) -> None:
    """Ask for no PyTorch and no transformers: most of the bytes, and who collects needs neither."""
    conda.request(files.root, files.name, without="pytorch")
    asked = files.pip_request.read_text().splitlines(keepends=True)
    policies = ("accelerate", "peft", "tokenizers", "transformers")
    files.pip_request.write_text("".join(a for a in asked if not a.startswith(policies)))


@needs_calvin
def test_calvin_collects_in_the_environment_that_alone_has_pybullet(locked, conda, tmp_path):
    project = locked.copy(tmp_path / "project")
    leave_out_policies(EnvironmentFiles("calvin-cpu", project.root), conda)
    conda.lock(project.root, "calvin-cpu")
    project.write_yaml("config/one.yaml", DEMONSTRATION)
    project.run("collect_demonstrations", "--config", "demonstrations=config/one.yaml")
    assert project.one("data/collected/calvin-1tasks-*/README.md").is_file()
    prefix = conda.environment("calvin-cpu")
    assert list(prefix.glob("lib/python3*/site-packages/pybullet-3.2.7.dist-info"))
