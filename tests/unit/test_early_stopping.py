"""Early stopping of sweeps: where, by what, and what is said of those that were stopped."""

import math
import random
import re

import optuna
import pytest
from sweeping import VALIDATION, content, finish, plan, reach

from vla.checks.findings import check_experiment
from vla.cli.during import picture
from vla.errors import GoOnLaterError, UserError
from vla.knowledge.database import read_runs
from vla.knowledge.status import experiment_states
from vla.plan.sweeps import Sweep, parts_going_on
from vla.records.attempts import attempt
from vla.records.rung import EARLY
from vla.records.sweep import SweepRecord
from vla.report.choice import read_choice
from vla.report.sweep import draw_sweep, sweep_table
from vla.reproduction.explain import explain
from vla.statistics.halving import decide, halve
from vla.statistics.sweep import in_words, read_results

RATES = [0.1, 0.03, 0.01, 0.003]
NAMES = [f"learning_rate={rate}" for rate in RATES]


def stopping(first_step: int = 2, reduction: int = 2, rates: list[float] = RATES, **sweep) -> dict:
    option = {"first_step": first_step, "reduction": reduction}
    return content({"training.learning_rate": rates}, early_stopping=option, **sweep)


@pytest.fixture
def sweep(root, request) -> Sweep:
    """Four combinations with two seeds; two go on after step 2, one after step 4, of 6."""
    name = re.sub(r"\W", "_", request.node.name)
    return plan(root, name, stopping()).experiments[name]


# --- where


@pytest.mark.parametrize(
    ("first_step", "reduction", "count", "rungs"),
    [
        (2, 2, 4, [(2, 2), (4, 1)]),
        (1, 2, 4, [(1, 2), (2, 1)]),
        (1, 3, 9, [(1, 3), (3, 1)]),
        (1, 3, 11, [(1, 3), (3, 1)]),
        (1, 3, 2, [(1, 1)]),
        (3, 2, 9, [(3, 4)]),
        (5, 9, 9, [(5, 1)]),
    ],
)
def test_rungs(root, first_step, reduction, count, rungs):
    rates = [0.001 * (number + 1) for number in range(count)]
    made = plan(root, "e", stopping(first_step, reduction, rates)).experiments["e"]
    assert [(halving.step, halving.keep) for halving in made.halvings] == rungs
    steps, left, most = 0, count, 0
    for step, keep in rungs:
        most, steps, left = most + left * (step - steps), step, keep
    assert made.most_steps() == 2 * (most + left * (6 - steps)), "of two seeds"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"first_step": 6}, "sweep.early_stopping.first_step (6) is not before the last step"),
        ({"first_step": 0}, "sweep.early_stopping.first_step: input should be greater than 0"),
        ({"reduction": 1}, "sweep.early_stopping.reduction: input should be greater than or equal to 2"),
        ({"reduktion": 2}, "sweep.early_stopping.reduktion: unknown key; did you mean 'reduction'?"),
    ],
)  # fmt: skip
def test_mistakes_name_the_option_and_the_way_out(root, change, says):
    values = stopping()
    values["sweep"]["early_stopping"] |= change
    with pytest.raises(UserError, match=re.escape(says)) as caught:
        plan(root, "e", values).experiments["e"]
    assert caught.value.way_out


def test_sweep_with_nothing_to_compare_is_refused(root):
    with pytest.raises(UserError, match="the sweep has one combination"):
        plan(root, "e", stopping(rates=[0.1])).experiments["e"]
    values = stopping()
    del values["sweep"]["validation"]
    with pytest.raises(UserError, match=r"sweep\.validation: missing"):
        plan(root, "e", values).experiments["e"]
    values = stopping()
    values["training"]["sharding"] = "fsdp2"
    with pytest.raises(UserError, match="does not know policies that several GPUs share"):
        plan(root, "e", values).experiments["e"]


def test_runs_are_those_of_the_sweep_without(root):
    without = content({"training.learning_rate": RATES})
    one, other = (plan(root, "e", values).experiments["e"] for values in (without, stopping()))
    assert one.runs == other.runs
    assert [c.validations for c in one.combinations] == [c.validations for c in other.combinations]
    assert "halvings" not in one.documents["sweep"].identity, "earlier choices keep their keys"
    assert one.documents["summary"].key != other.documents["summary"].key


def test_choices_have_keys_of_their_own(root):
    first, second = (plan(root, "e", stopping(reduction=r)).experiments["e"] for r in (2, 3))
    keys = [halving.key for sweep in (first, second) for halving in sweep.halvings]
    assert len(set(keys)) == len(keys) == 3
    assert [rungs[0] for rungs in (first.combinations[0].rungs, second.combinations[0].rungs)] == [
        first.combinations[0].rungs[0]
    ] * 2, "what was measured at step 2 is found again"


# --- by what


def going_on(losses: dict[str, list[float]], keep: int) -> list[str]:
    candidates = halve(losses, {label: (label,) for label in losses}, keep)
    assert [one.rank for one in candidates] == list(range(1, len(losses) + 1))
    return [one.label for one in candidates if one.goes_on]


def test_mean_over_seeds_decides():
    losses = {"a": [0.1, 0.9], "b": [0.4, 0.5], "c": [0.45, 0.4]}
    assert going_on(losses, 1) == ["c"]
    assert going_on(losses, 2) == ["c", "b"]


def test_order_of_what_is_read_decides_nothing_but_ties():
    losses = {"a": [0.4], "b": [0.2], "c": [0.3], "d": [math.nan]}
    turned = dict(reversed(losses.items()))
    assert going_on(losses, 2) == going_on(turned, 2) == ["b", "c"]
    ties = {"a": [0.2], "b": [0.1], "c": [0.2]}
    assert going_on(ties, 2) == ["b", "a"], "of equal ones the first of the plan, and not one more"


def test_those_that_diverged_never_go_on():
    losses = {"a": [math.nan, 0.1], "b": [0.9, 0.9], "c": [math.inf, 0.1]}
    assert going_on(losses, 2) == ["b"]
    with pytest.raises(UserError, match="none can be chosen"):
        going_on({"a": [math.nan], "b": [math.nan]}, 1)


def optuna_keeps(losses: list[float], candidate: int, reduction: int) -> bool:
    """Whether Optuna lets a trial go on that reports after all others."""
    study = optuna.create_study(pruner=optuna.pruners.SuccessiveHalvingPruner(1, reduction, 0))
    others = [loss for number, loss in enumerate(losses) if number != candidate]
    for loss in [*others, losses[candidate]]:
        trial = study.ask()
        trial.report(loss, step=1)
        stops = trial.should_prune()
    return not stops


@pytest.mark.parametrize("reduction", [2, 3, 4])
def test_optuna_lets_the_same_go_on_where_all_others_have_reported(reduction):
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    chance = random.Random(reduction)
    for count in range(2, 14):
        losses = [chance.random() for _ in range(count)]
        kept = [str(n) for n in range(count) if optuna_keeps(losses, n, reduction)]
        mine = going_on(
            {str(n): [loss] for n, loss in enumerate(losses)}, max(1, count // reduction)
        )
        assert sorted(mine) == sorted(kept)


def test_choice_follows_from_the_records_alone(sweep):
    """In whatever order they were written; and of each rung only those that came so far are asked."""
    losses = dict(zip(NAMES, ([0.4, 0.4], [0.1, 0.2], [0.3, 0.2], [math.nan, 0.1]), strict=True))
    with pytest.raises(UserError, match=r"rung\.json is missing"):
        decide(sweep, 0)
    reach(sweep, 0, losses)
    first = decide(sweep, 0)
    reach(sweep, 0, dict(reversed(losses.items())))
    again = decide(sweep, 0)
    assert again.model_dump_json() == first.model_dump_json()
    assert first.going_on == {NAMES[1], NAMES[2]}
    with pytest.raises(UserError, match="is missing"):
        sweep.candidates(1)
    first.write(sweep.halving_record(0))
    assert [one.label for one in sweep.candidates(1)] == NAMES[1:3]
    reach(sweep, 1, {NAMES[1]: [0.2, 0.2], NAMES[2]: [0.1, 0.1]})
    second = decide(sweep, 1)
    assert (second.going_on, len(second.measured)) == ({NAMES[2]}, 4)
    second.check_files(sweep.folder)
    second.write(sweep.halving_record(1))
    assert [one.label for one in sweep.finalists()] == [NAMES[2]]


# --- what is said of them


@pytest.fixture
def ended(sweep) -> Sweep:
    """The third of four combinations won; one of the others diverged before the first rung."""
    reach(
        sweep, 0, dict(zip(NAMES, ([math.nan] * 2, [0.5] * 2, [0.3] * 2, [0.7] * 2), strict=True))
    )
    decide(sweep, 0).write(sweep.halving_record(0))
    reach(sweep, 1, {NAMES[1]: [0.25, 0.35], NAMES[2]: [0.2, 0.2]})
    decide(sweep, 1).write(sweep.halving_record(1))
    finish(sweep, dict.fromkeys(NAMES, 0.1), dict.fromkeys(NAMES, 7))
    return sweep


STOPS = [
    "stopped at step 4: loss 0.3, rank 2 of 2",
    "stopped at step 2: loss 0.7, rank 3 of 4",
    "stopped at step 2: diverged, rank 4 of 4",
]


def test_table_figure_and_documents_show_those_that_were_stopped(ended):
    results = read_results(ended)
    assert [one.label for one in results.combinations] == [NAMES[2]]
    assert [one.label for one in results.stopped] == [NAMES[1], NAMES[3], NAMES[0]]
    assert "of 1 combination with 2 training seeds (2 runs; 3 more were stopped early" in in_words(
        results, VALIDATION
    )
    table = sweep_table(results).set_index("run")
    assert set(table.index) == {run.name for run in ended.runs}
    lost = table.loc[[run.name for run in ended.combinations[1].runs]]
    assert list(lost["stopped_loss"]) == [0.25, 0.35]
    assert set(lost["stopped_at_step"]) == {4}
    assert (set(lost["stopped_rank"]), set(lost["stopped_of"])) == ({2}, {2})
    assert lost["validation_loss"].isna().all(), "the loss of another step is no rival"
    loss, _ = draw_sweep(results).axes
    crosses = [line for line in loss.lines if line.get_marker() == "x"]
    assert sorted(filter(math.isfinite, crosses[0].get_ydata())) == [0.3, 0.7]


def test_choice_shows_them_last(ended, monkeypatch):
    results = read_results(ended)
    monkeypatch.setattr(SweepRecord, "check_files", lambda *_: [])
    file = {"path": "x", "bytes": 1, "sha256": "0" * 64}
    SweepRecord(
        experiment=ended.name,
        parameters=("training.learning_rate",),
        chosen=results.chosen,
        chosen_by="",
        validation=VALIDATION,
        validation_content="",
        combinations=results.combinations,
        runs=results.runs,
        stopped=results.stopped,
        **dict.fromkeys(("table", "picture", "print"), file),
    ).write(ended.record)
    choice = read_choice(ended)
    assert [row.outcome for row in choice.rows[1:]] == STOPS
    assert choice.rows[0].outcome == "70 % [48, 85]"
    assert [row.loss_in_words for row in choice.rows[1:]] == ["–"] * 3
    assert "Crosses" in choice.caption


def test_status_and_database_tell_who_was_stopped(ended, root):
    for run in ended.runs:
        (ended.folder / "logs" / run.name).mkdir(parents=True)
    states = experiment_states(ended)
    assert [state.stop for state in states[::2]] == [STOPS[2], STOPS[0], "", STOPS[1]]
    assert states[0].describe() == f"{NAMES[0]}, seed 1: {STOPS[2]}"
    assert "rank 4 of 4" in str(next(iter(picture(states).renderables)).columns[-1]._cells)
    found = {row["run"]: row["state"] for row in read_runs(root) if row["experiment"] == ended.name}
    assert list(found.values()).count("stopped early") == 6
    assert [found[run.name] for run in ended.finalists()[0].runs] == ["finished"] * 2


def test_run_that_waits_for_a_decision_is_not_told_as_broken_off(sweep):
    logs = sweep.folder / "logs" / sweep.runs[0].name
    ledger, message = logs / "attempts.jsonl", f"{EARLY}: stopped after step 2 of 6, saved."
    with pytest.raises(GoOnLaterError), attempt(ledger, logs / "metrics.csv"):
        raise GoOnLaterError(message)
    state = experiment_states(sweep)[0]
    assert (state.state, state.why) == ("waiting", "")


def test_estimates_count_what_can_still_be_trained(root, sweep):
    (time,) = [f for f in check_experiment(sweep, root, allow_dirty=True) if f.name == "time"]
    assert time.found.startswith(
        "at most 28 of 48 steps (early stopping: of 4 combinations the best 2 after step 2, the best 1 "
        "after step 4 go on), at least 12, where all but one diverge"
    )
    reach(sweep, 0, dict(zip(NAMES, ([0.4] * 2, [0.1] * 2, [0.3] * 2, [0.2] * 2), strict=True)))
    decide(sweep, 0).write(sweep.halving_record(0))
    assert [one.label for one in parts_going_on(sweep)] == [NAMES[1], NAMES[3]]


def test_loss_at_a_rung_is_explained(ended):
    told = explain(ended.combinations[1].rung_records(1)[0])
    assert f"after 4 steps: loss 0.25 on {VALIDATION}" in told
    assert "was stopped here" in told
    assert "diverged" not in told
    assert "Training went wrong" in explain(ended.combinations[0].rung_records(0)[0])
