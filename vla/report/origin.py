"""What documents say of a policy that was not trained here."""

from pathlib import PurePath

from vla.config.imported import ImportedModel
from vla.files.described import check_file
from vla.plan.items import Experiment
from vla.records.figures import DrawnFigure
from vla.records.policy import PolicyDescription
from vla.records.run import RunRecord

OF_TRAINING = ("learning_curve",)  # figures with nothing to show where nothing was trained


def origin(experiment: Experiment, run: RunRecord) -> str | None:
    """Where the policy of an experiment comes from, in two or three sentences; None where it was
    trained here. `run`: the record of its one run."""
    path = run.files.description
    if not is_imported(experiment):
        return None
    found = PolicyDescription.read(check_file(path, experiment.folder)).imported
    files = ", ".join(
        f"{name} with SHA-256 {sha256}"
        for name, sha256 in found.files.items()
        if name.endswith(".safetensors") and name.startswith("model")
    )
    said = (
        f"Not trained here: the policy is taken as it comes from {found.source} "
        f"({found.weights} in config/weights.yaml, licence {found.licence}; {files}). "
        "What it was trained on is not known here: initial states of these episodes may be among that."
    )
    here, there = experiment.config.evaluation.execute_steps, found.execute_steps
    if there is not None and here != there:
        said += (
            f" Its own configuration executes {there} actions of a chunk before it looks again; "
            f"here {here} were."
        )
    return said


def is_imported(experiment: Experiment) -> bool:
    return isinstance(experiment.config.model, ImportedModel)


def shown_figures(
    experiment: Experiment, figures: tuple[DrawnFigure, ...]
) -> tuple[DrawnFigure, ...]:
    """Without those of training where nothing was trained."""
    if not is_imported(experiment):
        return figures
    return tuple(f for f in figures if PurePath(f.picture.path).stem not in OF_TRAINING)
