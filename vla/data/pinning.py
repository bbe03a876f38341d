"""Pin a dataset: DVC's pointer and the manifest of the same bytes, written together."""

import subprocess
import sys
from pathlib import Path

from vla.data.manifest import list_files
from vla.data.pointer import check_pointer
from vla.errors import UserError
from vla.records.manifest import Manifest


def pin_dataset(dataset: Path, root: Path) -> Manifest:
    """Pin the files of `dataset`, a folder or a file in the project `root`, as they are now.

    Writes `<dataset>.dvc` (`dvc add`) and `<dataset>.manifest.json`. `UserError` when there are no
    files, DVC refuses them, or the two differ because a file changed meanwhile.
    """
    manifest = list_files(dataset)
    command = [sys.executable, "-m", "dvc", "add", "--quiet", str(dataset.relative_to(root))]
    finished = subprocess.run(command, cwd=root, capture_output=True, text=True)
    if finished.returncode:
        raise UserError(
            f"DVC does not take {dataset}:\n{finished.stderr.strip()}",
            "Put right what it names, and pin again.",
        )
    check_pointer(manifest, dataset.with_name(f"{dataset.name}.dvc"), root)
    # Last: until then the manifest of before does not fit the pointer, and nothing uses the data.
    manifest.write(dataset.with_name(f"{dataset.name}.manifest.json"))
    return manifest
