"""A policy that others trained: the evaluation is that of any run, and every document says where it is from."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from scripts.evaluate import evaluate
from scripts.import_policy import import_policy
from tests.checkpoints import write_checkpoint
from vla.errors import UserError
from vla.evaluation.fitting import check_fit
from vla.plan.deployment import Deployment
from vla.plan.items import Experiment
from vla.plan.plan import Plan
from vla.plan.reading import load_experiment
from vla.plan.weights import load_weights
from vla.policies.lerobot_act.policy import load
from vla.records.check import CheckRecord
from vla.records.evaluation import EvaluationRecord
from vla.records.policy import PolicyDescription
from vla.records.run import RunRecord
from vla.records.summary import SummaryRecord
from vla.release.models import card_context, describe_models
from vla.report.readme import readme_context, render_readme
from vla.report.sources import read_metrics
from vla.report.templates import template_environment
from vla.statistics.episodes import read_episodes
from vla.statistics.summary import evaluation_gap, summarise
from vla.weights.pinning import pin_weights
from vla.weights.verification import current_record, verify
from vla.workflow.context import JobContext
from vla.workflow.job import Job

TASK = "button-press-topdown-v3"
CONFIG = {
    "experiment": {"name": "published"},
    "model": {
        "type": "lerobot-act",
        "weights": "tiny-act",
        "chunk_length": 8,
        "cameras": {"observation.image": "side"},
        "tasks": {TASK: ["press the button"]},
    },
    "evaluation": {"episodes_per_task": 2, "max_steps": 12, "execute_steps": 3},
    "resources": {"accelerator": "cpu"},
}
HERE = Deployment(False, "cpu")
ASKED = {"experiments": ["published"], "comparisons": [], "allow_dirty": True}


@pytest.fixture(autouse=True)
def computed_before(monkeypatch) -> None:
    """Other tests have computed in this process: portable arithmetic would come too late."""
    for script in ("evaluate", "import_policy"):
        monkeypatch.setattr(f"scripts.{script}.evaluation_mode", lambda *_: "strict")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    return write_checkpoint("mean_std", tmp_path_factory.mktemp("hub") / "act")


@pytest.fixture
def published(experiment, checkpoint) -> Experiment:
    """An experiment with the checkpoint, pinned and verified."""
    root = experiment.root
    (root / "experiments/published").mkdir()
    (root / "experiments/published/config.yaml").write_text(yaml.safe_dump(CONFIG))
    entry = {"folder": str(checkpoint), "licence": "Apache-2.0"}
    (root / "config/weights.yaml").write_text(yaml.safe_dump({"tiny-act": entry}))
    pin_weights(load_weights(root)["tiny-act"])
    weights = load_weights(root)["tiny-act"]
    verify(weights, current_record(weights))
    return Plan(root, ASKED, HERE).experiments["published"]


def job_of(experiment: Experiment) -> Job:
    return Job(JobContext(experiment.root, HERE, "snakemake"), ASKED)


def imported(experiment: Experiment) -> Path:
    """Import its policy; gives the record."""
    (run,) = experiment.runs
    record = experiment.run_record(run)
    for folder in (record.parent, experiment.folder / "checkpoints" / run.name):
        folder.mkdir(parents=True)
    import_policy(experiment, run, record, job_of(experiment), lambda: ())
    return record


def test_it_is_evaluated_as_any_run_and_everything_says_that_it_was_not_trained_here(published):
    record = RunRecord.read(imported(published))
    record.check_files(published.folder)
    (weights,), (run,) = published.weights, published.runs
    model = next(f.sha256 for f in weights.files if f.path == "model.safetensors")
    assert record.identity["imported"]["model.safetensors"] == model
    assert record.datasets == () and record.training_seconds == 0
    description = PolicyDescription.read(published.folder / record.files.description.path)
    assert description.imported.files["model.safetensors"] == model
    assert description.imported.execute_steps == 4

    evaluation = run.evaluations[0]
    path = published.evaluation_record(run, evaluation)
    path.parent.mkdir()
    evaluate(published, run, evaluation, path, 1, job_of(published))
    table = pd.read_parquet(path.with_name("episodes.parquet"))
    assert list(table["outcome"]) == ["failure"] * 2 and list(table["steps"]) == [12, 12]
    assert EvaluationRecord.read(path).policy_sha256 == record.files.policy.sha256

    rates = summarise(read_episodes(published), target=0.5)
    assert rates.conditions["instructed"].overall.episodes == 2
    gap = evaluation_gap(rates, read_metrics(published), floor=0.9)
    assert gap == []  # nothing was learnt here that evaluation could fall behind
    summary = SummaryRecord(experiment=published.name, evaluation_gap=gap, **dict(rates))
    CheckRecord(checks=()).write(record_path := published.results(run.name, "check.json"))
    assert record_path.is_file()
    shown = readme_context(published, summary)
    models = describe_models(published, summary)
    said = f"Not trained here: the policy is taken as it comes from {weights.source}"
    environment = template_environment(published.root)
    card = environment.get_template("model_card.md.j2").render(
        card_context(published, summary, models)
    )
    conclusion = {"doubtful": False, "basis": "", "findings": ()}
    readme = render_readme(
        shown | {"models": models, "figures": (), "conclusion": conclusion}, published.root
    )
    for text in (card, readme):
        assert said in text and model in text and "Apache-2.0" in text
        assert "executes 4 actions of a chunk before it looks again; here 3 were" in text
    assert "Training: none" in readme and "Final loss" not in readme
    assert "- [ ] Dataset version: unknown" in readme


def test_files_that_were_not_verified_are_not_read(published):
    target = published.root / "weights/tiny-act/config.json"
    target.write_text(target.read_text() + "\n")
    with pytest.raises(UserError, match="not those that were verified"):
        imported(published)


def test_another_number_of_parameters_than_is_stated_is_refused(published):
    path = published.folder / "config.yaml"
    path.write_text(yaml.safe_dump(CONFIG | {"model": CONFIG["model"] | {"num_params": "5M"}}))
    stated = Plan(published.root, ASKED, HERE).experiments["published"]
    with pytest.raises(UserError, match=r"states 5.00M parameters, but this policy has 11.21M"):
        imported(stated)


def test_training_code_beside_it_is_refused(published):
    (published.folder / "train.py").write_text("def train(run): ...")
    with pytest.raises(UserError, match="would train a policy that lerobot-act takes as it comes"):
        Plan(published.root, ASKED, HERE).experiments  # noqa: B018 - read lazily


def test_key_covers_the_files_the_section_and_the_family_and_nothing_of_training(published):
    root, (run,) = published.root, published.runs
    identity = run.identity
    assert {"vla/policies/lerobot_act/network.py", "vla/evaluation/fitting.py"} <= set(
        identity["code"]
    )
    assert not {"training", "seed"} & set(identity)
    assert not [name for name in identity["code"] if name.startswith("vla/training/")]

    def key() -> str:
        return Plan(root, ASKED, HERE).experiments["published"].runs[0].key

    assert key() == run.key
    registry = root / "config/weights.yaml"
    text = registry.read_text()
    (weights,) = published.weights
    sha256 = weights.files[0].sha256
    registry.write_text(text.replace(sha256, "f" * 64))
    assert key() != run.key
    registry.write_text(text)
    path = root / "experiments/published/config.yaml"
    other = CONFIG["model"] | {"cameras": {"observation.image": "top"}}
    path.write_text(yaml.safe_dump(CONFIG | {"model": other}))
    assert key() != run.key


REFUSED = {
    "training": ({"training": {"num_steps": 10}}, "leave `training` out"),
    "data": ({"data": {"dataset": "metaworld-4tasks"}}, "leave `data` out"),
    "seed": ({"experiment": {"name": "p", "seed": 1}}, "evaluation.first_seed chooses"),
    "sweep": (
        {"sweep": {"parameters": {"model.chunk_length": [1]}, "validation": "d"}},
        "leave `sweep` out",
    ),
    "weights": ({"model": {"type": "lerobot-act", "tasks": {TASK: ["x"]}}}, "weights: missing"),
}


@pytest.mark.parametrize(("sections", "said"), REFUSED.values(), ids=REFUSED)
def test_sections_of_training_are_refused_with_the_reason(tmp_path, sections, said):
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(CONFIG | sections))
    with pytest.raises(UserError) as caught:
        load_experiment(path)
    assert said in str(caught.value)


MISFITS = {
    "camera": ({"cameras": {}}, {}, "looks through image, which the simulator does not have"),
    "task": ({"tasks": {"fly-v3": ["fly"]}}, {}, "Meta-World has no task 'fly-v3'"),
    "sentence": ({}, {"conditions": ["instructed", "held_out"]}, "no held-out sentence"),
}


@pytest.mark.parametrize(("model", "evaluation", "said"), MISFITS.values(), ids=MISFITS)
def test_what_does_not_fit_the_simulator_is_told_before_any_episode(
    checkpoint, tmp_path, model, evaluation, said
):
    changed = CONFIG | {
        "model": CONFIG["model"] | model,
        "evaluation": CONFIG["evaluation"] | evaluation,
    }
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(changed))
    config = load_experiment(path)
    with pytest.raises(UserError, match=said):
        check_fit(load(config.model, checkpoint), config.model, config.evaluation)


@pytest.mark.parametrize(
    ("field", "said"), [("state_mean", "proprioception"), ("action_low", "actions")]
)
def test_policy_of_another_robot_is_refused(checkpoint, tmp_path, field, said):
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(CONFIG))
    config = load_experiment(path)
    policy = load(config.model, checkpoint)
    policy.spec = policy.spec.__class__(**policy.spec.as_json() | {field: (0.0,) * 14})
    with pytest.raises(UserError, match=f"14.*{said}|{said}.*14|14 numbers"):
        check_fit(policy, config.model, config.evaluation)
