"""Requests, locks, pins, rules and code agree about the environments; each disagreement is found."""

import re
import shutil
import sys
from pathlib import Path

import pytest
import yaml

from tests.project import ROOT
from tools.lock import changes, contents, lock_conda, main
from tools.lock_check import (
    accelerator_problems,
    check,
    disagreements,
    host_problems,
    request_problems,
)
from tools.lock_imports import import_problems, rule_problems
from vla.errors import UserError
from vla.locks.files import NAMES, EnvironmentFiles, read_pin, read_requirements
from vla.locks.render import check_rendered, read_lock, render_post_deploy
from vla.source.closure import imported_names

TOOLS = ROOT / ".venv-conda/bin"
PARTS = ("envs", "rules", "scripts", "vla", "Snakefile", "pyproject.toml")


@pytest.fixture
def copy(tmp_path) -> Path:
    """The parts of the project that environments are about, to be changed."""
    for name in PARTS:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pyc*"))
        else:
            shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_everything_is_in_step():
    assert check(ROOT, TOOLS) == []


def test_request_edited_without_locking_is_found(copy):
    files = EnvironmentFiles("train-cpu", copy)
    edit(files.request, "psutil 7.2.*", "psutil 7.1.*")
    (problem,) = request_problems(files, TOOLS)
    assert "train-cpu.yaml has changed" in problem
    assert "make lock ENV=train-cpu" in problem


def test_request_to_pip_edited_without_locking_is_found(copy):
    files = EnvironmentFiles("data", copy)
    edit(files.pip_request, "av==16.1.0", "av==17.0.0")
    (problem,) = request_problems(files, TOOLS)
    assert "data.pip.in and data.pip.txt disagree" in problem


def test_changed_hash_names_package_and_pin(copy):
    files = EnvironmentFiles("train-cuda", copy)
    url, digest = next((u, d) for u, d in read_pin(files.pin).items() if "/pytorch-" in u)
    edit(files.pin, digest, ("0" if digest[0] != "0" else "1") + digest[1:])
    with pytest.raises(UserError) as error:
        check_rendered(copy, {"train-cuda"})
    assert url.rsplit("/", 1)[1] in str(error.value)
    assert "train-cuda.linux-64.pin.txt" in str(error.value)


def test_package_gone_from_a_pin_is_named(copy):
    files = EnvironmentFiles("data", copy)
    lines = files.pin.read_text().splitlines(keepends=True)
    files.pin.write_text("".join(line for line in lines if "/dvc-3" not in line))
    with pytest.raises(UserError, match=r"dvc-3.*not in the pin"):
        check_rendered(copy, {"data"})


def test_changed_post_deploy_script_is_found(copy):
    files = EnvironmentFiles("evaluate-cpu", copy)
    edit(files.post_deploy, "--require-hashes ", "")
    with pytest.raises(UserError, match=r"post-deploy\.sh is not what"):
        check_rendered(copy, {"evaluate-cpu"})


def test_missing_pin_is_a_mistake(copy):
    EnvironmentFiles("analyse", copy).pin.unlink()
    with pytest.raises(UserError, match="conda would pick versions itself"):
        check_rendered(copy, {"analyse"})


def test_platform_without_pins_is_a_mistake(monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    with pytest.raises(UserError, match=r"linux-64 alone, this is Linux aarch64"):
        check_rendered(ROOT, {"data"})


def test_rule_without_environment_is_found(copy):
    edit(copy / "rules/train.smk", '    conda:\n        environment("train")\n', "")
    assert rule_problems(copy) == [
        'Rule train has no conda environment; it needs environment("train").'
    ]


def test_rule_in_another_environment_than_its_script_needs_is_found(copy):
    edit(copy / "rules/report.smk", '"../envs/analyse.yaml"', '"../envs/data.yaml"')
    (problem,) = rule_problems(copy)
    assert problem.startswith('Rule release_models runs in "../envs/data.yaml"')


def test_import_that_no_environment_asks_for_is_found(copy):
    edit(
        copy / "vla/report/figures/learning_curve.py",
        "import pandas",
        "import seaborn\nimport pandas",
    )
    problems = import_problems(copy)
    assert problems
    assert all(problem.startswith("analyse.yaml lacks seaborn") for problem in problems)


def test_import_of_an_experiments_own_code_is_covered_too(copy):
    own = copy / "experiments/exp/train.py"
    own.parent.mkdir(parents=True)
    own.write_text("import torchvision\n")
    assert any("train-cuda.yaml lacks torchvision" in problem for problem in import_problems(copy))


def test_other_version_on_the_host_is_found(copy):
    numpy = contents(EnvironmentFiles("analyse", copy))["numpy"].split()[0]
    edit(copy / "envs/host.lock.txt", f"numpy=={numpy}", "numpy==1.0")
    (problem,) = host_problems(copy)
    assert f"numpy is 1.0 on the host (envs/*.lock.txt), {numpy} under conda" in problem


def test_simulators_package_in_another_version_on_the_host_is_found(copy):
    edit(copy / "envs/calvin.lock.txt", "pybullet==3.2.7", "pybullet==3.2.6")
    edit(copy / "envs/libero.lock.txt", "numba==0.68.1", "numba==0.68.0")
    found = host_problems(copy)
    assert [problem.split()[:3] for problem in found] == [
        ["numba", "is", "0.68.0"],
        ["pybullet", "is", "3.2.6"],
    ]


def test_simulators_environment_is_searched_for_what_its_own_code_imports(copy):
    edit(copy / "envs/calvin-cpu.pip.txt", "hydra-core==", "another==")
    problems = import_problems(copy)
    assert problems
    assert all(problem.startswith("calvin-cpu.yaml lacks hydra, which") for problem in problems)


def test_rule_that_simulates_in_a_fixed_environment_is_found(copy):
    edit(copy / "rules/data.smk", "dataset_environment", '"../envs/data.yaml"')
    (problem,) = rule_problems(copy)
    assert problem.startswith('Rule fetch_dataset runs in "../envs/data.yaml"')


def test_package_without_a_wheel_is_built_with_what_is_locked_and_no_other_is():
    for name in NAMES:
        files = EnvironmentFiles(name, ROOT)
        script, names = render_post_deploy(files), read_requirements(files.pip_lock)
        built = re.findall("--no-binary (.+)", script)
        assert built == (["bddl"] if name.startswith("libero") else [])
        assert set(built) <= names.keys()
        assert ("--only-binary :all: --no-build-isolation" in script) == bool(built)


def test_builds_for_another_python_may_differ_where_that_is_allowed_but_versions_not():
    usual = {"python": "3.12.1 h1_0", "numpy": "2.4.6 py312h33ff503_0", "zlib": "1.3 h1_3"}
    other = {"python": "3.11.1 h2_0", "numpy": "2.4.6 py311h2e04523_0", "zlib": "1.3 h1_3"}
    assert disagreements({"calvin-cpu": other, "evaluate-cpu": usual}) == []
    assert len(disagreements({"train-cpu": other, "evaluate-cpu": usual})) == 2
    for package, build in (("numpy", "2.4.7 py311h2e04523_0"), ("zlib", "1.3 h1_4")):
        (problem,) = disagreements({"calvin-cpu": other | {package: build}, "evaluate-cpu": usual})
        assert problem.startswith(f"{package} differs: ")


def test_environments_that_disagree_are_found():
    locked = {"data": {"numpy": "2.4.6 h1_0"}, "analyse": {"numpy": "2.4.6 h2_0"}}
    (problem,) = disagreements(locked)
    assert "2.4.6 h1_0 in data, 2.4.6 h2_0 in analyse" in problem


def test_cuda_environment_without_cuda_build_is_found(copy):
    cpu, cuda = (EnvironmentFiles(f"train-{kind}", copy) for kind in ("cpu", "cuda"))
    shutil.copy(cpu.lock, cuda.lock)
    (problem,) = accelerator_problems(copy)
    assert problem.startswith("train-cuda locks no CUDA build")


def test_cuda_locks_hold_one_python_one_pytorch_one_cuda():
    for name in ("train-cuda", "evaluate-cuda", "libero-cuda", "calvin-cuda"):
        names = [package["name"] for package in read_lock(EnvironmentFiles(name, ROOT).lock)]
        assert [names.count(n) for n in ("python", "pytorch", "cuda-version")] == [1, 1, 1]


def test_every_locked_package_has_its_url_and_hashes():
    for name in NAMES:
        for package in read_lock(EnvironmentFiles(name, ROOT).lock):
            assert package["url"].startswith("https://")
            assert re.fullmatch("[0-9a-f]{64}", package["hash"]["sha256"])
            assert re.fullmatch("[0-9a-f]{32}", package["hash"]["md5"])


def test_nothing_needs_a_newer_machine_than_is_promised():
    promised = yaml.safe_load((ROOT / "envs/virtual-packages.yaml").read_text())
    glibc = promised["subdirs"]["linux-64"]["packages"]["__glibc"]
    needed = {
        re.match(r">=(\d+)\.(\d+)", package["dependencies"]["__glibc"]).groups()
        for name in NAMES
        for package in read_lock(EnvironmentFiles(name, ROOT).lock)
        if package["dependencies"].get("__glibc")
    }
    assert max(tuple(map(int, n)) for n in needed) <= tuple(map(int, glibc.split(".")))


def test_scripts_leave_third_party_imports_to_the_library():
    """`import vla` takes the host's packages off the search path: nothing may come before it."""
    for path in sorted((ROOT / "scripts").glob("*.py")):
        assert imported_names(path) <= sys.stdlib_module_names | {"vla"}, path.name


def test_changes_are_told_as_a_commit_message_wants_them():
    before = {"a": "1.0 h0_0", "b": "1.0 h0_0", "c": "1.0 h0_0", "d": "1 h0_0"}
    after = {"a": "1.1 h9_0", "b": "1.0 h0_1", "d": "1 h0_0", "e (pip)": "3"}
    assert changes(before, after) == [
        "a 1.0 -> 1.1",
        "b 1.0 h0_0 -> 1.0 h0_1",
        "c 1.0 h0_0 -> (gone)",
        "e (pip) (new) -> 3",
    ]


def test_unknown_environment_is_named_with_the_valid_ones():
    with pytest.raises(UserError, match=r"train-gpu.*\n.*train-cuda"):
        main(["train-gpu"], ROOT)


def test_locking_without_a_solver_says_what_to_install(copy, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match="Install Miniforge or micromamba"):
        lock_conda(EnvironmentFiles("data", copy), TOOLS)
