"""Pin a dataset's files, pretrained weights, or what an experiment's data was prepared into."""

from pathlib import Path
from typing import Annotated

import typer

from vla.cli.shared import (
    UseConda,
    complete_experiment,
    console,
    find_root,
    read_plan,
)
from vla.data.manifest import content_hash
from vla.data.opening import open_store
from vla.data.pinning import pin_dataset
from vla.data.pins import pin_content
from vla.data.places import store_record
from vla.errors import UserError
from vla.knowledge.folders import find_folder
from vla.plan.weights import find_weights, load_weights
from vla.weights.pinning import pin_weights


def pin(
    name: Annotated[
        str,
        typer.Argument(
            help="Folder in experiments/; or a dataset, as data/NAME; or weights, as weights/NAME.",
            autocompletion=complete_experiment,
        ),
    ],
    use_conda: UseConda = False,
) -> None:
    """Pin the content of the stores that an experiment trains on, or the files of a dataset or of weights.

    Of an experiment: from then on its runs depend on what was prepared, not on the code that prepared
    it. Of a dataset: DVC's pointer and the manifest are written together, for the files as they are.
    Of weights: they are brought here where they are not, and config/weights.yaml says their SHA-256.
    """
    if name.startswith("weights/"):
        _pin_weights(name.removeprefix("weights/").strip("/"), find_root())
    elif "/" in name:
        _pin_files(Path(name).absolute(), find_root())
    else:
        _pin_stores(name, use_conda)


def _pin_files(dataset: Path, root: Path) -> None:
    if root / "data" not in dataset.parents or not dataset.exists():
        raise UserError(
            f"{dataset} is no dataset of this project.", "Put it into data/, and name it."
        )
    manifest, path = pin_dataset(dataset, root), dataset.relative_to(root)
    content = content_hash(manifest)[:12]
    console.print(f"{path}: {len(manifest.files)} files, content {content}")
    console.print(
        f"Commit {path}.dvc, {path}.manifest.json and the .gitignore beside them together;"
    )
    console.print(f"then [bold]dvc push {path}.dvc[/], so that others get the files.")


def _pin_weights(name: str, root: Path) -> None:
    weights = find_weights(load_weights(root), name, f"weights/{name}")
    for file in pin_weights(weights):
        console.print(f"{file.path}: {file.bytes} bytes, SHA-256 {file.sha256[:12]}")
    content = load_weights(root)[name].content
    console.print(f"config/weights.yaml pins {name}, content {content[:12]}: commit it.")


def _pin_stores(name: str, use_conda: bool) -> None:
    plan = read_plan(use_conda)
    experiment = plan.read_experiment(find_folder(plan.root, name).name)
    folders = [store_record(plan.root, store.name).parent for store in experiment.stores]
    for folder in folders:
        if not (folder / "prepared.json").is_file():
            record = (folder / "prepared.json").relative_to(plan.root)
            raise UserError(f"{record} is missing.", f"Prepare the data first: snakemake {record}")
    for store, folder in zip(experiment.stores, folders, strict=True):
        content = open_store(folder, store.pinned).content
        path = pin_content(
            store.entry, store.identity["dataset"], store.cameras, content, plan.root
        )
        cameras = ", ".join(store.cameras)
        console.print(f"{path.relative_to(plan.root)}: {store.dataset} ({cameras}) {content[:12]}")
    # A store's folder is called by its key, which now has the content in it: it need not be made anew.
    pinned = read_plan(use_conda).read_experiment(name)
    for store, folder in zip(pinned.stores, folders, strict=True):
        named = folder.with_name(store.name)
        if not named.exists():
            folder.rename(named)
    console.print("Commit it. Runs of stores that were not pinned before get new keys.")
