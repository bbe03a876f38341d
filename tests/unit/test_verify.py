"""The verdict on two runs follows from their bytes, then from their episodes."""

import shutil
from dataclasses import replace
from itertools import count
from pathlib import Path

import pandas as pd
import pytest

from tests.records import (
    make_environment,
    make_evaluation_record,
    make_hardware,
    make_run_record,
)
from vla.errors import UserError
from vla.files.atomic import write_text
from vla.reproduction.differences import differences
from vla.reproduction.verify import VERDICTS, FinishedRun, read_run, verify

IDENTITY = make_run_record().identity


@pytest.fixture
def make_run(tmp_path):
    """Writes a finished run, each in an experiment folder of its own, and reads it back."""
    folders = (tmp_path / f"{number}/experiments/e" for number in count())

    def make(policy: str = "p", evaluations=None, key: str = "k", **parts) -> FinishedRun:
        folder = next(folders)
        results = folder / "results/seed1-k"
        weights = folder / "checkpoints/seed1-k/policy.safetensors"
        write_text(weights, policy)
        record = make_run_record(
            weights,
            folder,
            key=key,
            final_loss=parts.pop("loss", 0.5),
            identity=IDENTITY | parts.pop("identity", {}),
            environment=make_environment(**parts.pop("environment", {})),
            hardware=make_hardware(**parts.pop("hardware", {})),
        )
        record.write(results / "run.json")
        for evaluation in [evaluated()] if evaluations is None else evaluations:
            file = results / f"{evaluation['condition']}-{evaluation['key']}/episodes.parquet"
            file.parent.mkdir()
            evaluation["table"].to_parquet(file)
            content = {name: value for name, value in evaluation.items() if name != "table"}
            content = make_evaluation_record(file, folder, run=key, **content)
            content.write(file.with_name("evaluation.json"))
        return read_run(results)

    return make


def evaluated(successes: int = 80, of: int = 100, condition: str = "instructed", **parts) -> dict:
    """What is special about an evaluation's record, with its episodes."""
    environment = make_environment(**parts.pop("environment", {}))
    first, crashes = parts.pop("first_episode", 0), parts.pop("crashes", 0)
    outcomes = ["success"] * successes + ["failure"] * (of - successes - crashes)
    outcomes += ["crash"] * crashes
    table = pd.DataFrame(
        {
            "task": "t",
            "episode": range(first, first + of),
            "seed": range(first, first + of),
            "training_seed": 1,
            "outcome": outcomes,
            "success": [outcome == "success" for outcome in outcomes],
        }
    )
    return {
        "key": parts.pop("key", "e"),
        "condition": condition,
        "finished": parts.pop("finished", "2026-01-01"),
        "identity": {"code": {}, "evaluation": parts.pop("evaluation", {})},
        "environment": environment,
        "renderer": {"version": parts.pop("renderer", "Mesa 25")},
        "table": table,
    }


def test_same_bytes_are_identical_whatever_else_differs(make_run):
    other = make_run(key="other", environment={"python": "3.12.1"})
    found = verify(make_run(), other)
    assert found.word == "identical"
    assert found.found == {"software": ["python 3.11.7 → 3.12.1"]}


@pytest.mark.parametrize(
    ("successes", "of", "word"),
    [
        (80, 100, "equivalent"),  # other weights, every episode ends alike
        (81, 100, "equivalent"),
        (60, 100, "different"),
        (8, 10, "undecided"),  # too few to say anything
    ],
)
def test_other_bytes_are_judged_by_the_episodes(make_run, successes, of, word):
    one = make_run(evaluations=[evaluated(80 * of // 100, of)])
    found = verify(one, make_run("q", [evaluated(successes, of)], key="other"))
    assert found.word == word
    assert found.word in VERDICTS


def test_losses_of_one_model_must_agree_within_the_tolerance(make_run):
    one, other = make_run(), make_run("q", key="other", loss=0.55)
    assert verify(one, other).word == "undecided"
    assert verify(one, other, tolerance=0.1).word == "equivalent"
    another_model = make_run("q", key="other", loss=0.55, identity={"model": {"type": "RT1"}})
    assert verify(one, another_model).word == "equivalent"


def test_a_difference_that_is_shown_but_within_the_margin_counts_as_none(make_run):
    one = make_run(evaluations=[evaluated(800, 1000)])
    other = make_run("q", [evaluated(830, 1000)], key="other")
    assert verify(one, other, margin=0.1).word == "equivalent"
    assert verify(one, other, margin=0.01).word == "different"


def test_worst_condition_decides(make_run):
    one = make_run(evaluations=[evaluated(), evaluated(80, condition="held_out")])
    other = make_run("q", [evaluated(), evaluated(10, condition="held_out")], key="other")
    assert verify(one, other).word == "different"


@pytest.mark.parametrize("swapped", [False, True])
def test_condition_that_one_run_alone_has_leaves_it_undecided(make_run, swapped):
    runs = [make_run(evaluations=[evaluated(), evaluated(condition="held_out")]), make_run()]
    found = verify(*reversed(runs) if swapped else runs)
    assert found.word == "undecided"
    which = "second" if swapped else "first"
    assert f"episodes, held_out: only the {which} run has them" in found.reasons


def test_runs_without_evaluation_are_never_called_identical(make_run):
    found = verify(make_run(evaluations=[]), make_run(evaluations=[]))
    assert found.word == "undecided"
    assert "Neither run was evaluated" in found.reasons[-1]


def test_record_is_not_believed_when_its_file_has_other_bytes(make_run):
    one, other = make_run(), make_run()
    for ending in ("policy.safetensors", "episodes.parquet"):
        (file,) = other.folder.rglob(ending)
        whole = file.read_bytes()
        file.write_bytes(whole[:-1] + b"?")
        with pytest.raises(UserError, match=f"{ending} has changed since it was recorded"):
            verify(one, other)
        file.write_bytes(whole)


def test_record_that_came_alone_is_compared_and_said_to_be_alone(make_run, tmp_path):
    one, other = make_run(), make_run()
    alone = tmp_path / "sent/by/mail"
    files = shutil.ignore_patterns("*.parquet")
    shutil.copytree(other.path.parent, alone / "results/seed1-k", ignore=files)
    found = verify(one, read_run(alone / "results/seed1-k/run.json"))
    assert found.word == "identical"
    assert all(reason.endswith("of the second by its record alone") for reason in found.reasons)
    different = make_run("q", [evaluated(79)])
    found = verify(different, read_run(alone / "results/seed1-k"))
    assert found.word == "undecided"
    assert "are not here" in found.reasons[-1]


def test_record_that_came_alone_may_lie_anywhere(make_run):
    alone = replace(make_run(), path=Path("/run.json"))
    assert verify(make_run(), alone).reasons[0].endswith("of the second by its record alone")


def test_evaluations_of_another_run_are_not_taken_for_those_of_a_record_beside_them(make_run):
    one, other = make_run(evaluations=[]), make_run(key="other")
    shutil.copy(one.path, other.path)
    assert read_run(other.path).evaluations == ()


def test_bytes_are_read_where_results_are_a_link_to_another_disk(make_run, tmp_path):
    one, other = make_run(), make_run()
    results = other.folder / "results"
    results.rename(tmp_path / "large-disk")
    results.symlink_to(tmp_path / "large-disk")
    found = verify(one, read_run(results / "seed1-k"))
    assert found.word == "identical"
    assert not any("by its record alone" in reason for reason in found.reasons)


def test_same_key_with_other_bytes_is_called_out_where_it_is_so(make_run):
    words = "the keys are equal, the bytes are not"
    policies = verify(make_run(), make_run("q", [evaluated(79)])).reasons
    assert [words in reason for reason in policies] == [True, False, False, False]
    episodes = verify(make_run(), make_run(evaluations=[evaluated(79)])).reasons
    assert [words in reason for reason in episodes] == [False, True, False]


def test_evaluations_with_equal_keys_are_compared_before_later_ones(make_run):
    later = evaluated(40, key="new", finished="2026-02-01")
    one = make_run(evaluations=[evaluated(), later])
    assert verify(one, make_run()).word == "identical"
    assert verify(one, make_run(evaluations=[evaluated(key="another")])).word == "different"


def test_episodes_of_other_seeds_are_judged_by_the_rates(make_run):
    one = make_run(evaluations=[evaluated(80)])
    other = make_run(evaluations=[evaluated(50, first_episode=500, key="f")])
    found = verify(one, other)
    assert found.word == "different"
    assert "80 % and 50 %" in found.reasons[-1]
    assert "100 and 100 episodes, none of them shared" in found.reasons[-1]


def test_crashes_are_named_and_rates_are_of_what_was_compared(make_run):
    one = make_run(evaluations=[evaluated(60)])
    other = make_run(evaluations=[evaluated(60, crashes=40, key="f")])
    reason = verify(one, other).reasons[-1]
    assert "100 % and 100 %" in reason, "the 60 that both ran"
    assert "0 and 40 crashed episodes left out" in reason


def test_difference_of_rates_is_never_beyond_100_points(make_run):
    one, other = make_run(evaluations=[evaluated(0, 40)]), make_run("q", [evaluated(40, 40)])
    found = verify(one, other)
    assert found.word == "different"
    assert "difference [+92, +100] points" in found.reasons[-1]


def test_each_kind_of_difference_is_named(make_run):
    other = make_run(
        identity={
            "training": {"batch_size": 128},
            "code": {"vla/policies/policy.py": "2", "vla/policies/vit.py": "1"},
            "data": {"stores": [{"dataset": "e", "cameras": ["c"]}], "augmentation": False},
        },
        environment={
            "lock": "f" * 64,
            "packages": {"numpy": "2", "torch": "2.13.0"},
            "libc": "glibc 2.41",
            "variables": {"MKL_CBWR": "AVX2", "SLURM_JOB_ID": "7"},
            "conda_packages": {"mesa": "25 h1 sha256:ab"},
        },
        hardware={"gpus": [{"name": "H100", "memory_gb": 80.0, "driver": "580"}]},
    )
    assert differences(make_run().record, other.record) == {
        "configuration": ["training.batch_size 256 → 128"],
        "data": ["dataset d → e"],
        "code": ["vla/policies/policy.py changed", "vla/policies/vit.py is new"],
        "software": [
            "C library None → glibc 2.41",
            "lock (absent) → ffffffffffff",
            "variable MKL_CBWR (absent) → AVX2",
            "torch (absent) → 2.13.0",
            "conda package mesa (absent) → 25 h1 sha256:ab",
        ],
        "machine": ["GPUs [] → ['H100']", "driver [] → ['580']"],
    }


def test_conda_packages_of_two_channels_are_not_taken_for_the_same(make_run):
    records = [
        make_run(environment={"conda_packages": {"mesa": f"25 h1 sha256:{digit * 64}"}}).record
        for digit in "ab"
    ]
    (line,) = differences(*records)["software"]
    assert line == "conda package mesa 25 h1 sha256:aaaaaaaaaaaa → 25 h1 sha256:bbbbbbbbbbbb"


def test_what_differs_in_the_evaluations_is_named_with_the_condition(make_run):
    other = [
        evaluated(79, key="f", evaluation={"first_seed": 7}, renderer="Mesa 26"),
        evaluated(79, key="f", condition="held_out", renderer="Mesa 26"),
    ]
    one = make_run(evaluations=[evaluated(), evaluated(condition="held_out")])
    assert verify(one, make_run(evaluations=other)).found == {
        "configuration": ["evaluation.first_seed (absent) → 7 (evaluation: instructed)"],
        "software": ["renderer.version Mesa 25 → Mesa 26 (evaluation: held_out, instructed)"],
    }


def test_what_differs_in_training_and_evaluation_is_named_once(make_run):
    newer = {"python": "3.12.1"}
    other = make_run("q", [evaluated(environment=newer)], environment=newer)
    assert verify(make_run(), other).found == {"software": ["python 3.11.7 → 3.12.1"]}
