"""The verdict on each claim of a package follows from episodes, losses and hashes."""

import pandas as pd
import pytest

from tests.records import make_determinism, make_evaluation_record, make_hardware, make_run_record
from vla.config.outcome import Finding
from vla.files.atomic import write_text
from vla.package.claims import list_claims
from vla.package.judging import explain_differences, judge_claims, worst
from vla.package.results import Results
from vla.records.figures import FiguresRecord
from vla.records.package import Layout

FINDING = Finding(text="It works.", claim={"condition": "instructed", "above": 0.5})
EVALUATION = {"name": "instructed-e", "key": "e", "condition": "instructed", "film": "film-f"}
DOCUMENTS = {"summary": "summary-s", "figures": "figures-f"}


def make_results(folder, successes=900, of=1000, loss=0.5, policy="p", seed=1, **hardware):
    """Finished results of one portable run on a CPU; `successes` first, the rest failures."""
    run = {"name": "seed-k", "key": "k", "seed": seed, "evaluations": [EVALUATION]}
    layout = Layout.model_validate({"experiment": "e", "runs": [run], "documents": DOCUMENTS})
    results = Results(folder, layout)
    weights = results.folder / "checkpoints/policy.safetensors"
    write_text(weights, policy)
    made_on = make_hardware(**hardware)
    make_run_record(
        weights,
        results.folder,
        seed=seed,
        final_loss=loss,
        hardware=made_on,
        determinism=make_determinism(mode="portable"),
    ).write(results.path("seed-k", "run.json"))
    outcomes = ["success"] * successes + ["failure"] * (of - successes)
    table = pd.DataFrame(
        {
            "condition": "instructed",
            "task": "t",
            "episode": range(of),
            "seed": range(of),
            "training_seed": seed,
            "outcome": outcomes,
            "success": [outcome == "success" for outcome in outcomes],
        }
    )
    episodes = results.path("seed-k", "instructed-e", "episodes.parquet")
    episodes.parent.mkdir(parents=True)
    table.to_parquet(episodes)
    record = make_evaluation_record(episodes, results.folder, hardware=made_on)
    record.write(episodes.with_name("evaluation.json"))
    FiguresRecord(figures=(), page=None).write(results.document("figures", "figures.json"))
    return results


def judged(tmp_path, level="retrain", published=None, **reproduced):
    """Claim -> verdict, the worst, and the differences."""
    one = make_results(tmp_path / "published", **(published or {}))
    other = make_results(tmp_path / "reproduced", **reproduced)
    claims = list_claims(one, 0.85, (FINDING,))
    found = judge_claims(claims, one, other, level)
    verdicts = {claim.name: claim.verdict for claim in found}
    return verdicts, worst(found), explain_differences(one, other, level)


def test_same_results_are_identical(tmp_path):
    verdicts, word, differences = judged(tmp_path)
    assert set(verdicts.values()) == {"identical"}
    assert (word, differences) == ("identical", {})


@pytest.mark.parametrize(
    ("published", "reproduced", "word"),
    [
        ({}, {"successes": 910}, "reproduced"),  # a difference, and surely a small one
        ({"successes": 9, "of": 10}, {"successes": 8, "of": 10}, "compatible"),
        ({}, {"successes": 500}, "not reproduced"),
    ],
)
def test_success_rate_is_judged_by_the_interval_of_the_difference(
    published, reproduced, word, tmp_path
):
    verdicts, _, _ = judged(tmp_path, published=published, **reproduced)
    assert verdicts["success_rate/instructed"] == word
    assert verdicts["success_rate/instructed/t"] == word


def test_missed_target_and_finding_are_not_reproduced(tmp_path):
    verdicts, word, _ = judged(tmp_path, successes=300)
    assert verdicts["target"] == verdicts["finding/1"] == word == "not reproduced"


def test_undecided_target_is_compatible(tmp_path):
    verdicts, word, _ = judged(tmp_path, successes=855)
    assert verdicts["target"] == word == "compatible"


@pytest.mark.parametrize(("loss", "word"), [(0.51, "reproduced"), (0.6, "not reproduced")])
def test_final_loss_has_a_tolerance_and_bits_have_none(loss, word, tmp_path):
    verdicts, worst_word, _ = judged(tmp_path, loss=loss, policy="q")
    assert verdicts["final_loss/seed1"] == word
    assert verdicts["policy/seed1"] == worst_word == "not reproduced"


def test_level_tests_its_own_claims_only(tmp_path):
    verdicts, word, _ = judged(tmp_path, "evaluate", loss=0.9, policy="q")
    assert verdicts["final_loss/seed1"] == verdicts["policy/seed1"] == "not tested"
    assert word == "identical"


def test_other_machine_is_said_to_explain_it(tmp_path):
    _, _, differences = judged(tmp_path, cpu="Xeon")
    assert differences == {"machine": ("CPU EPYC → Xeon",)}
