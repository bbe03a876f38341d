"""How far runs are is told from their files, while others write them."""

import fcntl
import json
import shutil

import pytest

from vla.cli.during import sparkline
from vla.files.exclusive import exclusive
from vla.knowledge.status import experiment_states, other_states, run_state
from vla.plan.items import Evaluation, Experiment, Item, Run
from vla.report.lineage import place
from vla.tracking.metrics import COLUMNS

FILM = Item("film-f", "f", {})
RUN = Run("seed1-k", "k", {}, 1, (Evaluation("instructed-e", "e", {}, "instructed", FILM),))


@pytest.fixture
def experiment(tmp_path, make_config) -> Experiment:
    config = make_config(
        training={"num_steps": 100},
        evaluation={"tasks": ["faucet-open-v3"], "episodes_per_task": 8},
    )
    item = Item("x", "x", {})
    made = Experiment(
        "e", tmp_path, config, "cpu", None, item, (RUN,), {}  # type: ignore[arg-type]
    )  # fmt: skip
    logs = made.folder / "logs/seed1-k"
    logs.mkdir(parents=True)
    rows = [
        dict.fromkeys(COLUMNS, 1) | {"step": n, "seconds": n / 10, "disk_free_gb": 4 - n / 10}
        for n in (10, 20, 30)
    ]
    lines = [",".join(COLUMNS), *(",".join(str(row[c]) for c in COLUMNS) for row in rows)]
    (logs / "metrics.csv").write_text("\n".join(lines) + "\n40,0.5")  # a row is being written
    return made


def begin(experiment: Experiment, **end: object) -> None:
    start = {"started": "2026-01-01T00:00:00+00:00", "host": "h", "process": 1}
    lines = [start, *([end] if end else [])]
    ledger = experiment.folder / "logs/seed1-k/attempts.jsonl"
    ledger.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_run_that_was_never_begun_waits(experiment):
    assert run_state(experiment, RUN).state == "waiting"


def test_run_at_work_tells_step_and_time_left(experiment):
    begin(experiment)
    with exclusive(experiment.folder / "checkpoints/seed1-k"):
        state = run_state(experiment, RUN)
    assert (state.state, state.step, state.steps) == ("training", 30, 100)
    assert state.seconds_left == pytest.approx(7)
    assert state.describe() == "seed 1: training at step 30 of 100"
    assert state.disk == (1, pytest.approx(2 * 3600 / 2)), "GB free, GB an hour"


def test_looking_takes_no_lock_from_a_run_that_starts(experiment):
    begin(experiment)
    folder = experiment.folder / "checkpoints/seed1-k"
    with exclusive(folder):
        pass
    run_state(experiment, RUN)
    with open(folder / ".lock") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.parametrize(
    ("how", "state", "told"),
    [
        ("stopped: SIGTERM: stopped after step 30", "stopped", ": SIGTERM: stopped after step 30"),
        ("failed: No space\n  -> Free some", "failed", ": No space"),
        (None, "killed", ""),
    ],
)
def test_run_that_ended_early_tells_how(experiment, how, state, told):
    begin(experiment, **({"how": how, "ended": "x", "seconds": 1} if how else {}))
    found = run_state(experiment, RUN)
    assert found.state == state
    assert found.describe() == f"seed 1: {state} at step 30 of 100{told}"


def test_episodes_are_counted_while_they_run(experiment):
    folder = experiment.folder / "results/seed1-k/instructed-e"
    folder.mkdir(parents=True)
    outcomes = ["success", "failure", "success"]
    lines = [json.dumps({"result": {"outcome": o}, "sha256": "x"}) for o in outcomes]
    (folder / "episodes.journal").write_text("\n".join(lines) + '\n{"result": {"outc')
    (evaluation,) = run_state(experiment, RUN).evaluations
    assert (evaluation.done, evaluation.planned, evaluation.successes) == (3, 8, 2)


def test_evaluation_that_ended_early_is_not_shown_as_at_work(experiment):
    folder = experiment.folder / "results/seed1-k/instructed-e"
    folder.mkdir(parents=True)
    (folder.parent / "run.json").write_text("{}")
    (folder / "episodes.journal").write_text('{"result": {"outcome": "success"}}\n')
    with exclusive(folder):
        assert run_state(experiment, RUN).state == "evaluating"
    assert run_state(experiment, RUN).describe() == "seed 1: trained, instructed 1/8"


def test_run_that_the_configuration_no_longer_asks_for_shows_while_it_is_at_work(experiment):
    logs, results = (experiment.folder / kind / "seed7-old" for kind in ("logs", "results"))
    shutil.copytree(experiment.folder / "logs/seed1-k", logs)
    results.mkdir(parents=True)
    (results / "config.resolved.json").write_text('{"training": {"num_steps": 60}}')
    start = {"started": "2026-01-01T00:00:00+00:00", "host": "h", "process": 1}
    (logs / "attempts.jsonl").write_text(json.dumps(start) + "\n")
    planned = experiment_states(experiment)
    assert other_states(experiment.root, planned) == []
    with exclusive(experiment.folder / "checkpoints/seed7-old"):
        (other,) = other_states(experiment.root, planned)
    assert other.describe() == "seed 7: training at step 30 of 60"
    (results / "run.json").write_text("{}")
    evaluation = results / "held_out-e"
    with exclusive(evaluation):
        (evaluation / "episodes.journal").write_text('{"result": {"outcome": "failure"}}\n')
        (other,) = other_states(experiment.root, planned)
    assert other.describe() == "seed 7: evaluating, held_out 1/?"


def test_curve_in_one_line_falls_where_the_loss_falls():
    assert sparkline(tuple(range(8, 0, -1))) == "█▇▆▅▄▃▂▁"
    assert sparkline((1.0, 1.0)) == "▁▁"
    assert sparkline((1.0, float("nan"))) == "▁▁"
    assert sparkline(()) == ""


def test_lineage_puts_each_experiment_behind_its_parent_once():
    parents = {"a": "", "b": "a", "c": "b", "d": "a", "e": "f", "f": "e", "g": "gone"}
    places = place([{"experiment": n, "parent": p} for n, p in parents.items()])
    assert places.keys() == parents.keys()
    assert len(set(places.values())) == len(places)
    for name, parent in (("b", "a"), ("c", "b"), ("d", "a")):
        assert places[name][0] == places[parent][0] + 1
