"""Pretrained weights are used only after every byte was that of their pin."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import save_file

from tests.project import ROOT
from vla.config.model import ModelSection
from vla.config.weights import WeightsName
from vla.errors import UserError
from vla.files.yaml import read_yaml
from vla.plan.deployment import Deployment
from vla.plan.items import Run
from vla.plan.plan import Plan
from vla.plan.weights import find_weights, load_weights, weights_named
from vla.records.weights import WeightsRecord
from vla.weights.fetching import fetch
from vla.weights.pinned import PinnedWeights
from vla.weights.pinning import pin_weights
from vla.weights.verification import current_record, require_verified, verify

REVISION = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def source(tmp_path) -> Path:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    save_file({"weight": torch.ones(3)}, folder / "model.safetensors")
    (folder / "config.json").write_text("{}")
    (folder / "pytorch_model.bin").write_bytes(b"a pickle")
    return folder


@pytest.fixture
def register(tmp_path):
    """Write config/weights.yaml with one entry; returns it as the project has it."""

    def write(**entry: object) -> PinnedWeights:
        (tmp_path / "config").mkdir(exist_ok=True)
        lines = "".join(f"  {name}: {value}\n" for name, value in entry.items())
        (tmp_path / "config/weights.yaml").write_text(f"# kept\ntiny:\n{lines}")
        return load_weights(tmp_path)["tiny"]

    return write


@pytest.fixture
def pinned(register, source, tmp_path) -> PinnedWeights:
    pin_weights(register(folder=source, licence="MIT"))
    return load_weights(tmp_path)["tiny"]


def test_pinning_brings_safetensors_and_text_and_nothing_that_is_pickled(pinned, tmp_path):
    assert {file.path for file in pinned.files} == {"config.json", "model.safetensors"}
    assert {path.name for path in pinned.folder.iterdir()} == {"config.json", "model.safetensors"}
    assert (tmp_path / "config/weights.yaml").read_text().startswith("# kept\ntiny:\n  folder:")


def test_missing_files_are_fetched_and_verified(pinned):
    (pinned.folder / "model.safetensors").unlink()
    assert fetch(pinned) == ["model.safetensors"]
    with pytest.raises(UserError, match="not those that were verified"):
        require_verified(pinned)
    record = current_record(pinned)
    verify(pinned, record)
    assert WeightsRecord.read(record).content == pinned.content
    require_verified(pinned)
    (pinned.folder / "config.json").touch()  # the same bytes
    require_verified(pinned)


def test_a_changed_byte_is_named_with_both_hashes(pinned):
    verify(pinned, current_record(pinned))
    path = pinned.folder / "model.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + b"\x00")
    with pytest.raises(UserError, match="not those that were verified"):
        require_verified(pinned)
    with pytest.raises(
        UserError, match=r"(?s)model\.safetensors.*expected sha256.*found    sha256"
    ):
        verify(pinned, current_record(pinned))


def test_a_file_that_is_not_pinned_is_refused(pinned):
    (pinned.folder / "more.bin").write_bytes(b"?")
    with pytest.raises(UserError, match=r"more\.bin is not pinned"):
        verify(pinned, current_record(pinned))


def test_other_bytes_are_another_content(pinned, source, tmp_path):
    before = pinned.content
    save_file({"weight": torch.zeros(3)}, pinned.folder / "model.safetensors")
    pin_weights(pinned)
    assert load_weights(tmp_path)["tiny"].content != before


def test_unknown_name_is_refused_with_the_nearest(pinned, tmp_path):
    with pytest.raises(
        UserError, match=r"nobody registered the weights 'tinny'; did you mean 'tiny'"
    ):
        find_weights(load_weights(tmp_path), "tinny", "config.yaml")


def test_weights_that_nobody_pinned_say_how(register, source):
    with pytest.raises(UserError, match="pins no files of tiny") as caught:
        _ = register(folder=source, licence="MIT").content
    assert "vla pin weights/tiny" in caught.value.way_out


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"folder": "a", "repository": "a/b", "revision": REVISION}, "give either `folder`, or"),
        ({"folder": "a", "package": "a==1"}, "give either `folder`, or"),
        ({"package": "a==1", "revision": REVISION}, "nothing else has one"),
        ({"repository": "a/b"}, "needs its `revision`"),
        ({"repository": "a/b", "revision": "main"}, "revision: string should match"),
        ({"folder": "a", "files": "{model.bin: {sha256: a, bytes: 1}}"}, "files.model.bin"),
        ({"folder": "a", "files": "{../model.safetensors: {}}"}, "files."),
    ],
)
def test_mistakes_in_the_registry_are_named(register, entry, message):
    with pytest.raises(UserError, match=message):
        register(licence="MIT", **entry)


def test_source_without_safetensors_is_refused(register, source):
    (source / "model.safetensors").unlink()
    with pytest.raises(UserError, match=r"holds no \.safetensors file: config.json, pytorch_model"):
        pin_weights(register(folder=source, licence="MIT"))


def test_hub_that_does_not_answer_is_told_with_the_way_out(register, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    code = (
        "import sys; from pathlib import Path; from vla.plan.weights import load_weights;"
        "from vla.weights.pinning import pin_weights; from vla.errors import UserError\n"
        "try: pin_weights(load_weights(Path(sys.argv[1]))['tiny'])\n"
        "except UserError as error: print(error)"
    )
    root = register(repository="a/b", revision=REVISION, licence="MIT").root
    command = [sys.executable, "-c", code, str(root)]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout
    assert f"a/b at {REVISION} could not be read from the hub: OfflineModeIsEnabled" in printed
    assert "copy the files into weights/NAME/ by hand" in printed


def test_names_of_weights_are_found_wherever_a_section_has_them():
    class Inner(ModelSection):
        type: str = "inner"
        second: WeightsName = None

    class Outer(ModelSection):
        type: str = "outer"
        first: WeightsName = None
        inner: Inner = Inner()

    section = Outer(first="b", inner=Inner(second="a"))
    assert weights_named(section) == ("a", "b")
    assert weights_named(Outer()) == ()


def test_key_of_a_run_holds_the_weights_it_names_and_no_other_run_notices(experiment):
    """Nor does it notice the families that it did not choose, or their packages."""
    root = experiment.root

    def plan_run(model: dict, digit: str) -> Run:
        files = f"{{model.safetensors: {{sha256: {64 * digit!r}, bytes: 1}}}}"
        entry = f"tiny: {{folder: a, licence: MIT, files: {files}}}\n"
        (root / "config/weights.yaml").write_text(entry)
        path = root / "experiments/exp_001_baseline/config.yaml"
        path.write_text(yaml.safe_dump(read_yaml(path) | {"model": model}))
        config = {"experiments": ["exp_001_baseline"]}
        (run,) = Plan(root, config, Deployment(False, "cpu")).experiments["exp_001_baseline"].runs
        return run

    named = {"type": "OFT", "vision_weights": "tiny"}
    first, second = plan_run(named, "1"), plan_run(named, "2")
    assert first.key != second.key
    assert first.identity["weights"] != second.identity["weights"]
    assert {"transformers", "tokenizers", "peft"} <= first.identity["environment"].keys()
    assert "vla/policies/parts/vlm/vision.py" in first.identity["code"]
    plain, again = plan_run({"type": "BC"}, "1"), plan_run({"type": "BC"}, "2")
    assert plain.key == again.key
    assert "weights" not in plain.identity
    assert "transformers" not in plain.identity["environment"]
    assert not [name for name in plain.identity["code"] if "vlm" in name or "weights" in name]
