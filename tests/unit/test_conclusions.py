"""A written conclusion belongs to results: documents say so where others are shown beside it."""

import json
import re

import pandas as pd
import pytest

from tests.records import NOWHERE, make_evaluation_record, make_run_record
from vla.cli.results import list_experiments, note
from vla.config.outcome import DrawnFrom, Outcome
from vla.errors import UserError
from vla.files.described import describe_file
from vla.files.yaml import read_yaml
from vla.knowledge.conclusions import conclude, present_results, unjudged, weigh
from vla.knowledge.database import build_database, read_table
from vla.knowledge.folders import note_results
from vla.plan.deployment import Deployment
from vla.plan.plan import Plan
from vla.records.attempts import attempt
from vla.records.check import CheckRecord
from vla.records.evaluation import EvaluationFiles
from vla.records.models import ModelsRecord
from vla.records.run import RunFiles
from vla.records.summary import SummaryRecord
from vla.report.documents import render_findings
from vla.report.readme import readme_context, render_readme
from vla.report.templates import template_environment
from vla.statistics.summary import summarise
from vla.workflow.drafts import write_draft

NAME = "exp_001_baseline"
TASKS = ("faucet-open-v3", "faucet-close-v3")
GOOD, POOR = (24, 23), (13, 12)  # successes of 25, by task
FINDINGS = [
    "It was fun.",
    {"text": "It listens.", "claim": {"condition": "no_instruction", "than": "instructed",
                                      "lower_by": 0.2}},
    {"text": "It opens.", "claim": {"condition": "instructed", "task": TASKS[0], "above": 0.7}},
]  # fmt: skip


def episodes(condition: str, successes: tuple[int, int]) -> pd.DataFrame:
    rows = [
        {"condition": condition, "training_seed": 42, "task": task, "episode": episode,
         "seed": 1000 * number + episode, "success": episode < count,
         "outcome": "success" if episode < count else "failure"}
        for number, (task, count) in enumerate(zip(TASKS, successes, strict=True))
        for episode in range(25)
    ]  # fmt: skip
    return pd.DataFrame(rows)


class Lab:
    """A project of one experiment whose results can be written without running anything."""

    def __init__(self, root):
        self.root = root
        self.path = root / f"experiments/{NAME}/config.yaml"
        self.conclude("confirmed", FINDINGS)

    def conclude(self, status: str, findings: list) -> None:
        content = read_yaml(self.path)
        content["experiment"]["outcome"] = {"status": status, "findings": findings}
        self.path.write_text(json.dumps(content))  # JSON is YAML

    @property
    def experiment(self):
        asked = {"experiments": [NAME], "comparisons": []}
        return Plan(self.root, asked, Deployment(False, "cpu")).experiments[NAME]

    def finish(self, weights: str, instructed=GOOD, hidden=POOR) -> None:
        """As if the policy `weights` had been trained and evaluated."""
        experiment = self.experiment
        (run,) = experiment.runs
        folder = experiment.results(run.name)
        folder.mkdir(parents=True, exist_ok=True)
        policy = folder / "policy.safetensors"
        policy.write_text(weights)
        files = dict.fromkeys(("description", "metrics", "configuration"), NOWHERE)
        files["policy"] = describe_file(policy, experiment.folder)
        make_run_record(key=run.key, seed=run.seed, files=RunFiles(patch=None, **files)).write(
            experiment.run_record(run)
        )
        tables = []
        successes = {"instructed": instructed, "held_out": GOOD, "no_instruction": hidden}
        for evaluation in run.evaluations:
            path = experiment.evaluation_record(run, evaluation)
            path.parent.mkdir(exist_ok=True)
            tables.append(episodes(evaluation.condition, successes[evaluation.condition]))
            tables[-1].to_parquet(path.parent / "episodes.parquet")
            table = describe_file(path.parent / "episodes.parquet", experiment.folder)
            make_evaluation_record(
                condition=evaluation.condition, files=EvaluationFiles(episodes=table)
            ).write(path)
        CheckRecord(checks=()).write(experiment.results(run.name, "check.json"))
        rates = summarise(pd.concat(tables), 0.85)
        summary = experiment.document("summary", "summary.json")
        summary.parent.mkdir(exist_ok=True)
        SummaryRecord(experiment=NAME, **dict(rates)).write(summary)

    def readme(self) -> str:
        experiment = self.experiment
        summary = SummaryRecord.read(experiment.document("summary", "summary.json"))
        models = ModelsRecord.model_construct(version="1.0.0")
        shown = readme_context(experiment, summary) | {"models": models, "figures": ()}
        shown |= {"conclusion": conclude(experiment)}
        return render_readme(shown, self.root)

    def row(self) -> dict:
        build_database(self.root)
        (row,) = (r for r in read_table(self.root, "experiments") if r["experiment"] == NAME)
        return row


@pytest.fixture
def lab(experiment, monkeypatch) -> Lab:
    (experiment.root / "Snakefile").touch()
    monkeypatch.chdir(experiment.root)
    monkeypatch.setattr("vla.plan.deployment.detect_accelerator", lambda conda: "cpu")
    return Lab(experiment.root)


def outcome_of(readme: str) -> str:
    return re.search(r"^## Outcome\n(.*?)^## ", readme, re.MULTILINE | re.DOTALL)[1]


def first_digits(lab: Lab) -> str:
    (digits,) = present_results(lab.experiment).policies.values()
    return digits


def test_conclusion_says_when_other_policies_are_shown_beside_it(lab, capsys):
    lab.finish("a")
    concluded = first_digits(lab)
    note(NAME, outcome="confirmed")
    said = outcome_of(lab.readme())
    assert "**Confirmed.** *Drawn from these results.*" in said
    assert "⚠️" not in said

    lab.finish("b", instructed=(22, 20))
    words = (
        f"oncluded from {concluded}, 94 % [84, 98], undecided; "
        f"here {first_digits(lab)}, 84 % [71, 92], undecided"
    )
    assert f"**Confirmed.** ⚠️ **C{words}.**" in outcome_of(lab.readme())
    row = lab.row()
    assert (row["outcome"], row["basis"]) == ("confirmed", "other results")
    assert row["drawn_from"] == f"c{words}"
    page = render_findings(lab.root, [row])
    assert page.count(f"c{words}") == 2, "in the table and above the findings"
    capsys.readouterr()
    list_experiments(NAME)
    printed = capsys.readouterr().out
    assert "confirmed ⚠" in printed
    assert f"⚠ {NAME}: confirmed, c{words}" in printed


def test_report_says_so_too(lab):
    lab.finish("a")
    note(NAME, outcome="confirmed")
    lab.finish("b")
    template = template_environment(lab.root).get_template("report.html.j2")
    summary = SummaryRecord.read(lab.experiment.document("summary", "summary.json"))
    shown = readme_context(lab.experiment, summary) | {"linked": True}
    shown |= {"conclusion": conclude(lab.experiment)}
    page = template.render(
        experiments=[shown],
        comparisons=(),
        overview=None,
        unfinished=(),
        key="k",
        tabulator_script="",
        tabulator_style="",
    )
    assert "<strong>confirmed</strong>" in page
    assert re.search(r'class="open">concluded from [0-9a-f]{12}, 94 % .*; here', page)
    assert re.search(r"<li>✓ It listens. \(holds: instruction hidden against instructed -", page)


def test_conclusion_without_results_says_that_it_names_none(lab):
    lab.finish("a")
    assert "Does not say which results it was drawn from; here " in outcome_of(lab.readme())
    assert lab.row()["basis"] == "unnamed results"


def test_nothing_is_said_where_nothing_is_concluded(lab):
    lab.conclude("open", [])
    lab.finish("a")
    assert outcome_of(lab.readme()).strip() == "**Open.**"
    assert (lab.row()["basis"], lab.row()["drawn_from"]) == ("", "")


def test_readme_of_unfinished_runs_names_what_was_concluded_from(lab):
    lab.finish("a")
    note(NAME, outcome="confirmed")
    concluded = first_digits(lab)
    lab.experiment.run_record(lab.experiment.runs[0]).unlink()
    readme = lab.experiment.folder / "README.md"
    readme.unlink()
    write_draft(lab.experiment)
    assert (
        f"⚠️ **Concluded from {concluded}, 94 % [84, 98], undecided; there are no results"
        in readme.read_text()
    )


def test_results_in_a_readme_stay_until_a_run_of_the_experiment_has_begun(lab):
    """As when another experiment of the same workflow fails in a fresh clone."""
    experiment = lab.experiment
    readme, (run,) = experiment.folder / "README.md", experiment.runs
    readme.write_text("100 % [96, 100]")
    write_draft(experiment)
    assert readme.read_text() == "100 % [96, 100]"
    logs = experiment.folder / "logs" / run.name
    logs.mkdir(parents=True)
    with pytest.raises(ValueError), attempt(logs / "attempts.jsonl", logs / "metrics.csv"):
        raise ValueError("no space")
    write_draft(experiment)
    assert "- seed 42: failed: no space" in readme.read_text()


def drawn(**changes) -> DrawnFrom:
    return DrawnFrom(
        **{
            "verdict": "met",
            "success_rate": 0.95,
            "interval": (0.89, 0.98),
            "successes": {"instructed": "95/100", "no_instruction": "44/100"},
            "policies": {"seed1-k": "0" * 12, "seed2-k": "1" * 12},
        }
        | changes
    )


CONCLUDED = Outcome(status="confirmed", drawn_from=drawn())


@pytest.mark.parametrize(
    ("present", "basis"),
    [
        (drawn(), "these results"),
        (drawn(policies={"seed1-x": "1" * 12, "seed2-y": "0" * 12}), "these results"),
        (drawn(policies={"seed1-k": "0" * 12}), "other results"),
        (drawn(policies={"seed1-k": "0" * 12, "seed2-k": "2" * 12}), "other results"),
        (drawn(successes={"instructed": "95/100", "no_instruction": "61/100"}), "other results"),
        (drawn(verdict="undecided"), "other results"),  # the target was changed
        (None, "no results here"),
    ],
)
def test_same_results_are_the_same_policies_and_successes_under_any_key(present, basis):
    conclusion = weigh(CONCLUDED, present, ())
    assert conclusion.basis == basis
    assert conclusion.doubtful == (basis != "these results")


def test_other_successes_of_the_same_policies_are_told():
    there = drawn(successes={"instructed": "95/100", "no_instruction": "61/100"})
    statement = weigh(CONCLUDED, there, ()).statement
    assert "met, instruction hidden 44/100; here" in statement
    assert statement.endswith("met, instruction hidden 61/100")


def test_note_names_the_results_and_renewing_keeps_every_word(lab, capsys):
    lab.finish("a")
    note(NAME, outcome="confirmed", finding=["It reads."])
    text = lab.path.read_text()
    written = read_yaml(lab.path)["experiment"]["outcome"]["drawn_from"]
    assert written == {
        "verdict": "undecided",
        "success_rate": 0.94,
        "interval": [0.8378, 0.9794],
        "successes": {"instructed": "47/50", "held_out": "47/50", "no_instruction": "25/50"},
        "policies": {lab.experiment.runs[0].name: first_digits(lab)},
    }
    note(NAME, drawn_from=True)
    assert lab.path.read_text() == text
    before = first_digits(lab)
    lab.finish("b")
    note(NAME, drawn_from=True)
    assert lab.path.read_text() == text.replace(before, first_digits(lab))
    assert f"Drawn from {first_digits(lab)}, 94 %" in capsys.readouterr().out


def test_note_before_there_are_results_says_so_and_names_none(lab, capsys):
    note(NAME, outcome="dead end")
    assert "There are no results yet" in capsys.readouterr().out
    outcome = read_yaml(lab.path)["experiment"]["outcome"]
    assert outcome["status"] == "dead end"
    assert "drawn_from" not in outcome
    with pytest.raises(UserError, match="no results yet as it is configured now"):
        note(NAME, drawn_from=True)


def test_outcome_changes_the_keys_of_readme_and_nothing_before_it(lab):
    lab.finish("a")
    before = lab.experiment
    note_results(lab.root, NAME, present_results(before))
    after = lab.experiment
    assert after.runs == before.runs
    changed = {n for n, item in after.documents.items() if item.key != before.documents[n].key}
    assert changed == {"readme"}


def test_findings_bear_their_own_verdicts_in_every_document(lab):
    lab.finish("a")
    lines = [
        "It was fun.",
        "✓ It listens. (holds: instruction hidden against instructed -44 points [-58, -30], "
        "claimed lower by 20 points)",
        "✓ It opens. (holds: faucet open, instructed 96 % [80, 99], claimed above 70 %)",
    ]
    assert [str(finding) for finding in conclude(lab.experiment).findings] == lines
    assert all(f"\n- {line}\n" in outcome_of(lab.readme()) for line in lines)
    assert lab.row()["findings"] == "\n".join(lines)
    lab.finish("b", instructed=(18, 12), hidden=(18, 12))
    assert [f.verdict for f in conclude(lab.experiment).findings] == [
        "",
        "does not hold",
        "undecided",
    ]


def test_claim_on_a_task_that_was_not_evaluated_names_those_that_were(lab):
    claim = {"condition": "instructed", "task": "faucet-opn-v3", "above": 0.5}
    lab.conclude("confirmed", [{"text": "It opens.", "claim": claim}])
    lab.finish("a")
    with pytest.raises(UserError, match=r"'faucet-opn-v3'.*\n.*faucet-open-v3, faucet-close-v3"):
        conclude(lab.experiment)
    row = lab.row()
    assert row["findings"] == "It opens.", "one wrong claim hides no experiment"
    assert "cannot be held against" in row["drawn_from"]


def test_findings_stay_readable_without_results():
    outcome = Outcome.model_validate({"status": "confirmed", "findings": FINDINGS})
    assert [str(f) for f in unjudged(outcome)] == ["It was fun.", "It listens.", "It opens."]
