"""Import the user's checkout of calvin_env, unchanged, on today's Python.

calvin_env imports packages that are no longer kept up or that it needs for nothing an evaluation
does. They are stood in for while it is imported, and taken away again:

- gym: its `Env` is a mere base class, its `np_random` draws block poses that are thrown away;
- git: asks for the commit of the checkout, which `outside.py` tells by content;
- quaternion (IKfast alone), cv2 (windows), rich (tracebacks; 1431a46 only).
"""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

# All that is ever instantiated by name: imported while the stand-ins are there.
MODULES = (
    "calvin_env.envs.play_table_env",
    "calvin_env.envs.tasks",
    "calvin_env.robot.robot",
    "calvin_env.scene.play_table_scene",
    "calvin_env.camera.static_camera",
    "calvin_env.camera.gripper_camera",
)


@cache
def import_checkout(folder: Path) -> ModuleType:
    """The module `calvin_env.envs.play_table_env` of the checkout in `folder`."""
    sys.path.insert(0, str(folder))
    try:
        with _stand_ins():
            for name in MODULES:
                importlib.import_module(name)
    finally:
        sys.path.remove(str(folder))
    return sys.modules[MODULES[0]]


def configuration(folder: Path, scene: str, cameras: tuple[str, ...], egl: bool) -> Any:
    """What CALVIN's own configuration composes to: an OmegaConf object.

    The parts are the checkout's; `.hydra/merged_config.yaml` of the official data has the same ones.
    """
    from omegaconf import OmegaConf

    def part(name: str) -> Any:
        content = OmegaConf.load(folder / "conf" / f"{name}.yaml")
        content.pop("defaults", None)
        return content

    robot = OmegaConf.merge(part("robot/panda"), part("robot/panda_longer_finger"))
    whole = OmegaConf.create(
        {"seed": 0, "use_vr": False, "show_gui": False, "data_path": str(folder / "data")}
    )
    whole.cameras = {name: part(f"cameras/cameras/{name}") for name in cameras}
    whole.robot, whole.scene = robot, part(f"scene/calvin_scene_{scene}")
    whole.env, whole.tasks = part("env/play_table_env"), part("tasks/new_playtable_tasks")
    whole.env.use_egl, whole.env.use_scene_info = egl, True
    return whole


@contextmanager
def _stand_ins() -> Iterator[None]:
    def np_random(seed: int | None = None) -> tuple[np.random.Generator, int | None]:
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed))), seed

    head = SimpleNamespace(object=SimpleNamespace(hexsha="told by content"))
    repo = SimpleNamespace(index=SimpleNamespace(diff=lambda _: []), head=head)
    contents: dict[str, dict[str, Any]] = {
        "gym": {"Env": type("Env", (), {}), "Wrapper": type("Wrapper", (), {})},
        "gym.utils": {},
        "gym.utils.seeding": {"np_random": np_random},
        "git": {"Repo": lambda **_: repo},
        "quaternion": {},
        "cv2": {},
        "rich": {},
        "rich.traceback": {"install": lambda **_: None},
    }
    before = {name: sys.modules.get(name) for name in contents}
    for name, content in contents.items():
        module = sys.modules[name] = ModuleType(name)
        module.__dict__.update(content)
        outer, _, inner = name.rpartition(".")
        if outer:
            setattr(sys.modules[outer], inner, module)
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = module
