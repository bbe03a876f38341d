"""One training run, from its configuration to its trained policy, with nothing around it."""

import importlib.util
from pathlib import Path

from vla.data.mixture import Mixture
from vla.data.opening import open_store
from vla.data.places import store_record
from vla.data.store import PreparedStore
from vla.errors import UserError
from vla.plan.items import Experiment, Run
from vla.process.determinism import choose_device
from vla.training import standard
from vla.training.loop import Supervision, TrainingCode, TrainingResult, TrainingRun
from vla.training.ranks import Ranks
from vla.weights.verification import require_verified


def open_data(experiment: Experiment) -> PreparedStore | Mixture:
    """What the experiment trains on, its bytes checked."""
    stores = tuple(
        open_store(store_record(experiment.root, store.name).parent, store.pinned)
        for store in experiment.stores
    )
    if len(stores) == 1:
        return stores[0]
    names = tuple(store.dataset for store in experiment.stores)
    return Mixture(names, stores, experiment.shares)


def require_weights(experiment: Experiment) -> None:
    """Pass when the pretrained weights that the policy starts from are the verified ones."""
    for weights in experiment.weights:
        require_verified(weights)


def train_run(
    experiment: Experiment,
    run: Run,
    data: PreparedStore | Mixture,
    supervision: Supervision,
    ranks: Ranks,
) -> TrainingResult:
    """Train as the experiment says, by its own `train.py` where it has one.

    Call after `set_determinism`.
    """
    require_weights(experiment)
    device = choose_device(experiment.accelerator, ranks.rank)
    train = training_code(experiment.folder)
    return train(TrainingRun(experiment.config, run.seed, data, device, supervision, ranks))


def training_code(folder: Path) -> TrainingCode:
    """`train` of an experiment folder's `train.py`, or the standard one."""
    path = folder / "train.py"
    if not path.is_file():
        return standard.train
    specification = importlib.util.spec_from_file_location("experiment_train", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    if not callable(getattr(module, "train", None)):
        raise UserError(
            f"{path} has no function train(run).",
            "Write one, as vla/training/standard.py has it, or remove the file.",
        )
    return module.train
