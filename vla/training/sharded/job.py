"""One sharded training run, from its configuration to its trained policy, with nothing around it."""

from vla.data.mixture import Mixture
from vla.data.store import PreparedStore
from vla.plan.items import Experiment, Run
from vla.process.determinism import choose_device
from vla.training.job import require_weights, training_code
from vla.training.loop import Supervision, TrainingResult, TrainingRun
from vla.training.sharded import standard
from vla.training.sharded.places import Place


def train_run(
    experiment: Experiment,
    run: Run,
    data: PreparedStore | Mixture,
    supervision: Supervision,
    place: Place,
) -> TrainingResult:
    """Train as the experiment says, by its own `train.py` where it has one.

    Call after `set_determinism`, on every rank.
    """
    require_weights(experiment)
    device = choose_device(experiment.accelerator, place.local)
    own = (experiment.folder / "train.py").is_file()
    train = training_code(experiment.folder) if own else standard.train
    return train(TrainingRun(experiment.config, run.seed, data, device, supervision, place))
