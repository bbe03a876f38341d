"""One YAML file: complete with defaults, or refused with every mistake named."""

from pathlib import Path

import pytest

from tools.config_docs import document, schemas
from vla.errors import UserError
from vla.plan.reading import (
    find_dataset,
    load_demonstrations,
    load_experiment,
    load_registry,
)
from vla.simulation.metaworld.config import Config

ROOT = Path(__file__).parents[2]
EXAMPLE = """
experiment:
  name: "rt2_baseline_v1"
  seed: 42
model:
  type: "RT2"
  vision_encoder: "ViT-B/16"
  num_params: "300M"
training:
  batch_size: 256
  learning_rate: 3.0e-4
  num_steps: 100000
  optimizer: "AdamW"
data:
  dataset: "CALVIN"
  augmentation: true
"""


def claiming(claim: str) -> str:
    """In place of the seed: an outcome with one finding and its claim."""
    return f"outcome: {{findings: [{{text: a, claim: {claim}}}]}}"


@pytest.fixture
def load(tmp_path):
    def load_text(text: str):
        path = tmp_path / "config.yaml"
        path.write_text(text)
        return load_experiment(path)

    return load_text


@pytest.fixture
def refusal(load, tmp_path):
    """The message that a text is refused with."""

    def refuse(text: str) -> str:
        with pytest.raises(UserError) as caught:
            load(text)
        assert str(tmp_path / "config.yaml") in caught.value.problem
        assert caught.value.way_out
        return str(caught.value)

    return refuse


def test_example_parses_and_defaults_complete_it(load):
    config = load(EXAMPLE)
    assert (config.experiment.name, config.experiment.seed) == ("rt2_baseline_v1", 42)
    assert (config.model.type, config.model.num_bins) == ("RT2", 256)
    assert config.model.vision_encoder == "ViT-B/16"
    assert config.model.num_params == 300_000_000
    assert config.training.batch_size == 256
    assert config.training.learning_rate == pytest.approx(3e-4)
    assert config.training.num_steps == 100_000
    assert config.training.optimizer == "AdamW"
    assert (config.data.dataset, config.data.augmentation) == ("CALVIN", True)
    assert config.evaluation.conditions == ("instructed",)
    assert config.evaluation.simulator == Config()
    assert config.data.cameras == ("side",)


@pytest.mark.parametrize("path", sorted((ROOT / "experiments").glob("*/config.yaml")), ids=str)
def test_every_experiment_here_parses(path):
    load_experiment(path)


@pytest.mark.parametrize("simulator", ["{}", "{object_range_x: 0.2}", "{type: metaworld}"])
def test_simulator_and_its_settings_have_defaults(load, simulator):
    config = load(EXAMPLE + f"evaluation: {{simulator: {simulator}, max_steps: 10}}")
    assert config.evaluation.simulator == Config()
    assert config.evaluation.max_steps == 10


def test_unknown_simulator_names_the_nearest(load):
    with pytest.raises(UserError, match="did you mean 'metaworld'"):
        load(EXAMPLE + "evaluation: {simulator: {type: metawolrd}}")


def test_number_without_dot_is_a_number(load):
    """YAML 1.1 reads `3e-4` as text."""
    config = load(EXAMPLE.replace("3.0e-4", "3e-4"))
    assert config.training.learning_rate == pytest.approx(3e-4)


@pytest.mark.parametrize("text", ["0.5M", "500K", "500000", "0.5m"])
def test_number_of_parameters_with_suffix(load, text):
    assert load(EXAMPLE.replace('"300M"', text)).model.num_params == 500_000


def test_list_of_seeds(load):
    assert load(EXAMPLE.replace("seed: 42", "seed: [42, 43]")).experiment.seed == (42, 43)


def test_finding_is_a_text_or_a_text_with_a_claim(load):
    findings = "outcome: {findings: [a, {text: b, claim: {condition: instructed, below: 0.5}}]}"
    plain, claimed = load(EXAMPLE.replace("seed: 42", findings)).experiment.outcome.findings
    assert (plain.text, plain.claim) == ("a", None)
    assert (claimed.text, claimed.claim.below) == ("b", 0.5)


def test_claim_on_a_task_that_is_not_evaluated_names_those_that_are(refusal):
    claim = claiming("{condition: instructed, task: c, below: 0.5}")
    said = refusal(EXAMPLE.replace("seed: 42", claim) + "evaluation: {tasks: [a, b]}")
    assert "findings.0.claim: 'c' is not evaluated; evaluation.tasks are: a, b" in said


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("batch_size: 256", "batchsize: 256", "training.batchsize: unknown key; did you mean 'b"),
        ("seed: 42", "sead: 42", "did you mean 'seed'?"),
        ("seed: 42", "risks: [{level: low, risk: a, mitigaton: b}]", "did you mean 'mitigation'?"),
        ("seed: 42", "targets: {sucess_rate: 0.5}", "did you mean 'success_rate'?"),
        ("data:", "dada: {}\ndata:", "did you mean 'data'?"),
        ("seed: 42", "zzz: 42", "valid are: description, goals"),
        ("batch_size: 256", "batch_size: -1", "training.batch_size: input should be greater"),
        ("seed: 42", "targets: {success_rate: 75}", "write 0.75 for 75 %"),
        ("seed: 42", "seed: [1, 1]", "a list of seeds needs at least one seed and none twice"),
        ("seed: 42", "seed: []", "a list of seeds needs at least one seed and none twice"),
        ('type: "RT2"', 'type: "RT3"', "model.type: There is no 'RT3' among the policies; did you"),
        ('type: "RT2"', 'type: "BC"\n  num_bins: 8', "model.num_bins: unknown key"),
        ("num_steps: 100000", "num_steps: 10", "warmup_steps (50) must be below num_steps (10)"),
        ('"300M"', '"many"', "write a number of parameters such as"),
        ('"ViT-B/16"', '"ViT-X/16"', "model.vision_encoder"),
        ("data:", "evaluation: {execute_steps: 11}\ndata:", "exceeds model.chunk_length (10)"),
        ("data:", "evaluation: {conditions: [held_out]}\ndata:", "`instructed` is what targets"),
        (
            "data:",
            "evaluation: {simulator: {objekt_range_x: 0.1}}\ndata:",
            "evaluation.simulator.objekt_range_x: unknown key; did you mean 'object_range_x'?",
        ),
        (
            "data:",
            "evaluation: {simulator: {object_range_x: 0.9}}\ndata:",
            "evaluation.simulator.object_range_x: input should be less than or equal to 0.3",
        ),
        ("data:", "evaluation: {simulator: metaworld}\ndata:", "evaluation.simulator: "),
        ("data:", "evaluation: [simulator]\ndata:", "evaluation: "),
        (
            "seed: 42",
            claiming("{condition: held_ot, below: 0.5}"),
            "findings.0.claim.rate.condition: input should be 'instructed', 'held_out' or",
        ),
        (
            "seed: 42",
            claiming("{condition: held_out, below: 0.5}"),
            "findings.0.claim: 'held_out' is not evaluated; evaluation.conditions are: instructed",
        ),
        (
            "seed: 42",
            claiming("{condition: instructed, than: held_out, lower_by: 0.1}"),
            "findings.0.claim: 'held_out' is not evaluated",
        ),
        (
            "seed: 42",
            claiming("{condition: instructed, belo: 0.5}"),
            "findings.0.claim.rate.belo: unknown key; did you mean 'below'?",
        ),
        (
            "seed: 42",
            claiming("{condition: instructed, lower_by: 0.5}"),
            "findings.0.claim.rate.lower_by: unknown key; valid are: above, below, condition, task",
        ),
        (
            "seed: 42",
            claiming("{condition: instructed, than: held_out, lowerby: 0.5}"),
            "findings.0.claim.difference.lowerby: unknown key; did you mean 'lower_by'?",
        ),
        (
            "seed: 42",
            claiming("{condition: instructed, below: 0.5, above: 0.4}"),
            "needs either `below` or `above`",
        ),
        (
            "seed: 42",
            claiming("{condition: instructed, than: held_out}"),
            "needs either `lower_by` or `higher_by`",
        ),
        (
            "seed: 42",
            claiming("{condition: instructed, than: instructed, lower_by: 0.1}"),
            "`condition` and `than` are the same",
        ),
        (
            "seed: 42",
            claiming("{condition: instructed, above: 50}"),
            "findings.0.claim.rate.above: input should be less than 1",
        ),
        ("seed: 42", "outcome: {findings: [{txt: a}]}", "txt: unknown key; did you mean 'text'?"),
        ("seed: 42", "seed: 42\n  seed: 43", "'seed' stands twice"),
        ("seed: 42", "seed: 42\n ]", "not valid YAML"),
        (EXAMPLE, "- a list", "holds no mapping"),
        (EXAMPLE, "", "holds no mapping"),
    ],
)
def test_mistake_is_explained(refusal, old, new, said):
    text = EXAMPLE.replace(old, new)
    assert text != EXAMPLE
    assert said in refusal(text)


@pytest.mark.parametrize(
    "address",
    [
        "https://me:hunter2@host:5000",
        "https://hunter2@host",
        "https://me:hunt/hunter2@host",
        "https://host/?token=hunter2",
        "postgresql:///db?password=hunter2",
    ],
)
def test_credentials_are_no_configuration_and_are_not_repeated(refusal, address):
    message = refusal(EXAMPLE + f"tracking: {{mlflow_uri: '{address}'}}")
    assert "MLFLOW_TRACKING_PASSWORD" in message
    assert "hunter2" not in message


@pytest.mark.parametrize("address", ["https://host:5000/mlflow", "sqlite:////me@lab/m.db?a=1"])
def test_address_of_a_tracker_is_configuration(load, address):
    config = load(EXAMPLE + f"tracking: {{mlflow_uri: '{address}'}}")
    assert config.tracking.mlflow_uri == address


def test_missing_section_is_named(refusal):
    message = refusal(EXAMPLE[: EXAMPLE.index("data:")])
    assert "1 mistake:" in message
    assert "data: missing" in message


def test_all_mistakes_are_listed_at_once(refusal):
    text = EXAMPLE.replace("256", "-1").replace("AdamW", "SGD").replace("seed", "sead")
    message = refusal(text)
    assert "3 mistakes:" in message
    for place in ("training.batch_size", "training.optimizer", "experiment.sead"):
        assert place in message


def test_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"absent\.yaml is missing"):
        load_experiment(tmp_path / "absent.yaml")


def test_task_named_twice_is_refused(refusal):
    """It would run the same episodes twice and narrow the interval by counting them twice."""
    tasks = "evaluation: {tasks: [faucet-open-v3, faucet-open-v3]}\ndata:"
    refusal(EXAMPLE.replace("data:", tasks))


def test_unknown_key_of_a_task_names_the_nearest(tmp_path):
    path = ROOT / "config/demonstrations.yaml"
    text = path.read_text().replace("held_out", "helt_out")
    path = tmp_path / "demonstrations.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match="did you mean 'held_out'"):
        load_demonstrations(path)


def test_demonstrations_here_parse():
    config = load_demonstrations(ROOT / "config/demonstrations.yaml")
    assert config.tasks
    assert config.simulator == Config(object_range_x=0.2)


def test_unregistered_dataset_names_the_nearest():
    registry = load_registry(ROOT)
    assert find_dataset(registry, "CALVIN", Path("config.yaml")).licence == "MIT"
    with pytest.raises(UserError, match=r"config\.yaml.*did you mean 'metaworld-4tasks'"):
        find_dataset(registry, "metaworld-4task", Path("config.yaml"))


def test_generated_documentation_is_up_to_date():
    written = {"README.md": document()} | {f"schemas/{n}": text for n, text in schemas().items()}
    found = {name: (ROOT / "config" / name).read_text("utf-8") for name in written}
    assert found == written
