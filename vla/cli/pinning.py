"""Pin what an experiment's data was prepared into."""

from vla.cli.shared import ExperimentName, UseConda, console, find_experiments, read_plan
from vla.data.opening import open_store
from vla.data.pins import pin_content
from vla.data.places import store_record
from vla.errors import UserError


def pin(name: ExperimentName, use_conda: UseConda = False) -> None:
    """Pin the content of the stores that an experiment trains on.

    From then on its runs depend on what was prepared, not on the code that prepared it.
    """
    plan = read_plan(use_conda)
    (experiment,) = find_experiments(plan, [name])
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
    (pinned,) = find_experiments(read_plan(use_conda), [name])
    for store, folder in zip(pinned.stores, folders, strict=True):
        named = folder.with_name(store.name)
        if not named.exists():
            folder.rename(named)
    console.print("Commit it. Runs of stores that were not pinned before get new keys.")
