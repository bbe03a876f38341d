"""Sweeps: what they expand into, and how one combination is chosen."""

import math
import re

import pandas as pd
import pytest
from sweeping import VALIDATION, content, finish, plan

from vla.errors import UserError
from vla.plan.expansion import expand, show
from vla.plan.reading import experiment_model, validate
from vla.plan.sweeps import Combination, Sweep
from vla.policies.storage import load_policy
from vla.records.validation import ValidationRecord
from vla.report.sweep import draw_sweep, sweep_table
from vla.statistics.ranking import rank
from vla.statistics.sweep import in_words, read_results
from vla.training.validation import validation_loss

RATES = {"low": 1e-4, "high": 1e-2, "count": 3, "spacing": "logarithmic"}
DRAWN = {"low": 1e-4, "high": 1e-2, "spacing": "logarithmic"}


def expanded(parameters: dict, **sweep: object) -> list:
    values = content(parameters, **sweep)
    return expand(values, validate(experiment_model(values), values, "F"), "F")


def labels(parameters: dict, **sweep: object) -> list[str]:
    return [combination.label for combination in expanded(parameters, **sweep)]


def test_every_combination_in_the_order_of_the_parameters():
    assert labels({"training.learning_rate": RATES, "model.fusion.width": [16, 32]}) == [
        f"learning_rate={rate}, width={width}"
        for rate in ("0.0001", "0.001", "0.01")
        for width in (16, 32)
    ]


def test_ranges():
    whole = {"low": 1, "high": 10, "count": 4}
    assert labels({"training.batch_size": whole}) == [f"batch_size={n}" for n in (1, 4, 7, 10)]
    factors = {"low": 2, "high": 32, "count": 5, "spacing": "logarithmic"}
    assert labels({"training.batch_size": factors}) == [f"batch_size={2**n}" for n in range(1, 6)]
    thirds = {"low": 0.0, "high": 1.0, "count": 4}
    assert labels({"training.weight_decay": thirds}) == [
        f"weight_decay={value}" for value in ("0", "0.3333", "0.6667", "1")
    ]


def test_names_are_as_short_as_they_can_be():
    (one,) = expanded({"model.fusion.layers": [1], "training.betas": [[0.9, 0.99]]})
    assert one.label == "layers=1, betas=[0.9, 0.99]"
    assert one.values == {"model.fusion.layers": 1, "training.betas": [0.9, 0.99]}
    assert one.config.training.betas == (0.9, 0.99)


def test_drawn_values_follow_from_the_seed_alone():
    parameters = {"training.learning_rate": DRAWN, "model.fusion.width": [16, 32, 64]}
    few = labels(parameters, sample={"count": 5})
    assert few == [
        "learning_rate=0.006512, width=32",
        "learning_rate=0.0002227, width=32",
        "learning_rate=0.001247, width=64",
        "learning_rate=0.002768, width=32",
        "learning_rate=0.0006927, width=16",
    ]
    assert labels(parameters, sample={"count": 20})[:5] == few, "more keep the first"
    assert not set(labels(parameters, sample={"count": 5, "seed": 1})) & set(few)
    one_more = expanded(parameters | {"data.augmentation": [True, False]}, sample={"count": 5})
    assert [one.values["training.learning_rate"] for one in one_more] == [
        one.values["training.learning_rate"] for one in expanded(parameters, sample={"count": 5})
    ]


def test_draws_fill_a_logarithmic_range_evenly():
    rates = [
        one.values["training.learning_rate"]
        for one in expanded({"training.learning_rate": DRAWN}, sample={"count": 200}, max_runs=400)
    ]
    assert min(rates) >= 1e-4
    assert max(rates) <= 1e-2
    assert 80 < sum(rate < 1e-3 for rate in rates) < 120


@pytest.mark.parametrize(
    ("parameters", "sweep", "says"),
    [
        ({"training.learnin_rate": [1]}, {}, "unknown path 'training.learnin_rate'; did you mean 'training.learning_rate'?"),
        ({"model.width": [1]}, {}, "did you mean 'model.fusion.width'?"),
        ({"model.fusion": [1]}, {}, "it is a section: name one of model.fusion.width"),
        ({"evaluation.max_steps": [1]}, {}, "evaluation.max_steps is no hyperparameter of training"),
        ({"experiment.seed": [1]}, {}, "Write them in experiment.seed"),
        ({"model.type": ["BC", "RT1"]}, {}, "model.type changes what the validation loss measures"),
        ({"training.learning_rate": [1e-3, -1]}, {}, r"(sweep: learning_rate=-1) has 1 mistake"),
        ({"model.fusion.width": [16, 15]}, {}, "heads (2) must divide width (15)"),
        ({"training.learning_rate": ["1e-3", 0.001]}, {}, "the combination learning_rate=0.001 twice"),
        ({"training.batch_size": {"low": 1, "high": 60, "count": 60}}, {}, "asks for 120 training runs; sweep.max_runs allows 100"),
        ({"data.augmentation": [True, False]}, {"sample": {"count": 3}}, "2 different ones were found"),
        ({"training.learning_rate": DRAWN}, {}, "a range needs `count`"),
        ({"training.learning_rate": RATES}, {"sample": {"count": 3}}, "take it out"),
        ({"training.learning_rate": {"low": 0, "high": 1, "count": 3, "spacing": "logarithmic"}}, {}, "begins above 0"),
        ({"training.batch_size": {"low": 8, "high": 4, "count": 2}}, {}, "low (8) must be below high (4)"),
        ({}, {}, "at least 1 item"),
    ],
)  # fmt: skip
def test_mistakes_name_the_path_and_the_way_out(parameters, sweep, says):
    with pytest.raises(UserError, match=re.escape(says)) as caught:
        expanded(parameters, **sweep)
    assert caught.value.way_out


def test_as_many_runs_as_are_allowed():
    values = {"low": 1, "high": 60, "count": 60}
    assert len(labels({"training.batch_size": values}, max_runs=120)) == 60


def test_a_run_has_the_key_of_the_same_run_written_out_by_hand(root):
    swept = plan(
        root, "e", content({"training.learning_rate": RATES, "model.fusion.width": [16, 32]})
    )
    combination = swept.experiments["e"].combinations[3]
    assert combination.label == "learning_rate=0.001, width=32"
    by_hand = content({})
    del by_hand["sweep"]
    by_hand["training"]["learning_rate"] = 0.001
    by_hand["model"]["fusion"]["width"] = 32
    written = plan(root, "e", by_hand).experiments["e"]
    assert [run.name for run in combination.runs] == [run.name for run in written.runs]
    assert combination.runs[0].evaluations == written.runs[0].evaluations
    assert combination.config == written.config
    assert combination.folder == written.folder, "they share their files"


def test_a_job_sees_the_combination_of_its_run(root):
    values = content({"model.fusion.width": [16, 32]})
    whole = plan(root, "e", values).experiments["e"]
    assert isinstance(whole, Sweep)
    assert len(whole.runs) == len({run.name for run in whole.runs}) == 4
    assert whole.film_records() == []
    run = whole.combinations[1].runs[0]
    seen = plan(root, "e", values, run=run.name).find_experiment("e")
    assert isinstance(seen, Combination)
    assert seen.config.model.fusion.width == 32
    assert seen.documents == whole.documents
    assert seen.find_validation(run, seen.validations[0].name).store.dataset == VALIDATION


def test_documents_of_other_experiments_know_nothing_of_sweeps(root):
    values = content({})
    del values["sweep"]
    experiment = plan(root, "e", values).experiments["e"]
    assert "sweep" not in experiment.documents
    assert all("sweep" not in item.identity for item in experiment.documents.values())


def test_validation_data_that_is_trained_on_is_refused(root):
    values = content({"model.fusion.width": [16, 32]}, validation="metaworld-4tasks")
    with pytest.raises(UserError, match="the runs train on 'metaworld-4tasks'"):
        plan(root, "e", values).experiments["e"]


def test_parameters_that_decide_nothing_are_refused(root):
    with pytest.raises(UserError, match="are the same run, seed1-"):
        plan(root, "e", content({"model.num_params": ["1M", "2M"]})).experiments["e"]


def test_stores_to_choose_by_are_in_use(root):
    swept = plan(root, "e", content({"model.fusion.width": [16, 32]}))
    stores = {store.name for store in swept.experiments["e"].stores}
    assert {name.rpartition("-")[0] for name in stores} == {"metaworld-4tasks", VALIDATION}
    assert stores <= swept.used_stores(), "vla clean leaves them"


# --- the choice


@pytest.fixture
def sweep(root, request) -> Sweep:
    values = content({"training.learning_rate": [0.1, 0.01], "model.fusion.width": [16, 32]})
    name = request.node.name
    return plan(root, name, values).experiments[name]


NAMES = [f"learning_rate={rate}, width={width}" for rate in ("0.1", "0.01") for width in (16, 32)]
LOSSES = dict(zip(NAMES, (0.4, 0.2, 0.3, math.nan), strict=True))


def test_test_episodes_have_no_part_in_the_choice(sweep):
    best_by_test = dict(zip(NAMES, (10, 0, 5, 10), strict=True))
    turned = dict(zip(NAMES, (0, 10, 5, 0), strict=True))
    for successes in (best_by_test, turned):
        finish(sweep, LOSSES, successes)
        results = read_results(sweep)
        assert [one.label for one in results.combinations] == [NAMES[n] for n in (1, 2, 0, 3)]
        assert results.chosen.rate.successes == 2 * successes[NAMES[1]]


def test_choice_by_the_mean_over_seeds():
    assert rank({"a": [0.1, 0.9], "b": [0.4, 0.5], "c": [0.45, 0.45]}) == ["b", "c", "a"]
    assert rank({"a": [math.nan, 0.1], "b": [math.inf], "c": [9.0]}) == ["c", "a", "b"]
    with pytest.raises(UserError, match="none can be chosen"):
        rank({"a": [math.nan], "b": [math.inf]})


def test_table_holds_the_numbers_of_the_records(sweep):
    finish(sweep, LOSSES, dict(zip(NAMES, (1, 2, 3, 4), strict=True)))
    results = read_results(sweep)
    table = sweep_table(results)
    assert list(table["run"]) == [run.name for run in sweep.runs]
    rows = iter(table.to_dict("records"))
    for combination in sweep.combinations:
        for run in combination.runs:
            row = next(rows)
            loss = ValidationRecord.read(combination.validation_record(run)).loss
            assert row["validation_loss"] == pytest.approx(loss, nan_ok=True)
            path = combination.evaluation_record(run, run.evaluations[0])
            episodes = pd.read_parquet(path.with_name("episodes.parquet"))
            assert row["instructed_successes"] == episodes["success"].sum()
            assert row["instructed_low"] < row["instructed_rate"] < row["instructed_high"]
            assert row["seed"] == run.seed
            assert row["training.learning_rate"] == show(combination.config.training.learning_rate)
            assert row["chosen"] == (combination.label == NAMES[1])
    assert "of 4 combinations, each with 2 training seeds (8 runs)" in in_words(results, "v")


def test_figure_shows_each_parameter(sweep):
    finish(sweep, LOSSES, dict.fromkeys(NAMES, 5))
    figure = draw_sweep(read_results(sweep))
    assert [axis.get_xlabel() for axis in figure.axes if axis.get_xlabel()] == [
        "learning rate",
        "width",
    ]
    assert {axis.get_ylabel() for axis in figure.axes} == {
        "validation loss",
        "success rate (%)",
        "",
    }


# --- the loss


def test_validation_loss_is_that_of_every_control_step(policy_file, store, monkeypatch):
    policy = load_policy(policy_file)
    chunk = policy.config.chunk_length
    loss, samples = validation_loss(policy, store, chunk, "fp32")
    assert samples == len(store)
    assert validation_loss(policy, store, chunk, "fp32") == (loss, samples), "the same bits"
    monkeypatch.setattr("vla.training.validation.BATCH", 7)
    parts, _ = validation_loss(policy, store, chunk, "fp32")
    assert parts == pytest.approx(loss, rel=0.05), (
        "batches differ in the steps beyond episodes' ends"
    )
    monkeypatch.setattr("vla.training.validation.MOST", 10)
    assert validation_loss(policy, store, chunk, "fp32")[1] == 10
