"""One experiment at the command line: made, checked, run, compared, concluded, found again."""

from tests.commands import vla
from vla.files.yaml import read_yaml
from vla.plan.reading import load_experiment


def test_from_an_idea_to_a_conclusion(project):
    vla(project.root, "new", "exp_003_wider", "--from", "a", "--hypothesis", "Wider is better.")
    folder = project.root / "experiments/exp_003_wider"
    assert "Started from [a]" in (folder / "README.md").read_text()
    assert load_experiment(folder / "config.yaml").experiment.title == "Experiment 003: wider"
    assert read_yaml(project.root / "config/config.yaml")["comparisons"][-1] == ["a", folder.name]

    printed = vla(project.root, "check", "exp_003_wider", ok=False)
    assert "Write experiment.plan in" in printed
    project.change("exp_003_wider", "experiment", goals=["Know."], plan=["Train it."], seed=1)
    project.change("exp_003_wider", "training", batch_size=5)
    assert "exp_003_wider is ready" in vla(project.root, "check", "exp_003_wider")
    assert "waiting" in vla(project.root, "status", "exp_003_wider")

    project.snakemake()
    assert "finished" in vla(project.root, "status", "exp_003_wider")
    compared = vla(project.root, "compare", "a", "exp_003_wider")
    assert "training.batch_size 4 → 5" in compared
    assert "McNemar" in compared

    finding = "Five are no better than four."
    vla(project.root, "note", "exp_003_wider", "Late at night.", "--outcome", "dead end",
        "--finding", finding, "--next", "Try six.")  # fmt: skip
    assert project.run_jobs() == {"render_readme": 1, "report_experiment": 1, "report": 1}
    readme = (folder / "README.md").read_text()
    assert "**Dead end.** *Drawn from these results.*" in readme
    assert f"- {finding}" in readme
    assert "Late at night." in (folder / "notes.md").read_text()
    assert "exp_003_wider" in vla(project.root, "list", "dead end")
    findings = (project.root / "results/findings.md").read_text()
    dead_end = findings.split("## Dead ends")[1].split("\n## ")[0]
    assert f"Why: {finding}" in dead_end
    assert "Hypothesis: Wider is better." in dead_end
    assert "training.batch_size 4 → 5" in dead_end
    assert "- Try six. ([exp_003_wider]" in findings.split("## What to try next")[1]
