"""An experiment's life at the command line: made, checked, run, concluded, found again."""

import csv
import os
import sqlite3
import subprocess
import sys
import tarfile
import zipfile

import pytest
from selenium.webdriver.common.by import By

from vla.files.hashing import sha256_file
from vla.files.yaml import read_yaml
from vla.knowledge.database import build_database
from vla.monitoring.monitor import read_events
from vla.plan.plan import Plan
from vla.plan.reading import load_experiment
from vla.report.documents import build_documents
from vla.upkeep.archive import archive

pytestmark = pytest.mark.xdist_group("chain")


def vla(project, *arguments: str, ok: bool = True) -> str:
    """Run the command; returns what it prints."""
    finished = subprocess.run(
        [sys.executable, "-m", "vla", *arguments],
        cwd=project.root,
        env=os.environ | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
    )
    printed = finished.stdout + finished.stderr
    assert (finished.returncode == 0) == ok, printed
    assert "Traceback" not in printed
    return printed


def dump(project) -> list[str]:
    connection = sqlite3.connect(project.root / "results/experiments.sqlite")
    content = list(connection.iterdump())
    connection.close()
    return content


def test_from_an_idea_to_a_conclusion(project):
    vla(project, "new", "exp_003_wider", "--from", "a", "--hypothesis", "Wider is better.")
    folder = project.root / "experiments/exp_003_wider"
    assert "Started from [a]" in (folder / "README.md").read_text()
    assert load_experiment(folder / "config.yaml").experiment.title == "Experiment 003: wider"
    assert read_yaml(project.root / "config/config.yaml")["comparisons"][-1] == ["a", folder.name]

    printed = vla(project, "check", "exp_003_wider", ok=False)
    assert "Write experiment.plan in" in printed
    project.change("exp_003_wider", "experiment", goals=["Know."], plan=["Train it."], seed=1)
    project.change("exp_003_wider", "training", batch_size=5)
    assert "exp_003_wider is ready" in vla(project, "check", "exp_003_wider")
    assert "waiting" in vla(project, "status", "exp_003_wider")

    project.snakemake()
    assert "finished" in vla(project, "status", "exp_003_wider")
    compared = vla(project, "compare", "a", "exp_003_wider")
    assert "training.batch_size 4 → 5" in compared
    assert "McNemar" in compared

    finding = "Five are no better than four."
    vla(project, "note", "exp_003_wider", "Late at night.", "--outcome", "dead end",
        "--finding", finding, "--next", "Try six.")  # fmt: skip
    assert project.jobs() == {"render_readme": 1, "report": 1}
    project.snakemake()
    readme = (folder / "README.md").read_text()
    assert "**Dead end.**" in readme
    assert f"- {finding}" in readme
    assert "Late at night." in (folder / "notes.md").read_text()
    assert "exp_003_wider" in vla(project, "list", "dead end")
    assert finding in (project.root / "results/dead_ends.md").read_text()
    assert f"{finding} (exp_003_wider)" in (project.root / "results/meeting.md").read_text()
    assert "Try six. (exp_003_wider)" in (project.root / "results/meeting.md").read_text()


def test_comments_of_the_configuration_survive_a_note(project):
    path = project.root / "experiments/a/config.yaml"
    path.write_text("# why we do this\n" + path.read_text().replace("seed:", "seed:  # two\n   "))
    vla(project, "note", "a", "--outcome", "confirmed")
    assert path.read_text().startswith("# why we do this\n")
    assert "# two" in path.read_text()
    before = path.read_text()
    vla(project, "note", "a", "--outcome", "perhaps", ok=False)
    assert path.read_text() == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["new", "a"], "exists already"),
        (["new", "x y"], "is no name for an experiment"),
        (["new", "c", "--from", "d"], "There is no experiment 'd'"),
        (["check", "c"], "does not list 'c'"),
        (["note", "c", "x"], "There is no experiment 'c'"),
        (["note", "a"], "There is nothing to note"),
        (["explain", "README.md"], "lies in no experiment's folder"),
    ],
)
def test_mistake_is_one_clear_message(project, arguments, words):
    assert words in vla(project, *arguments, ok=False)


def test_status_shows_what_is_at_work_without_being_listed(project):
    project.write_yaml("config/config.yaml", {"experiments": ["a"]})
    (log,) = project.root.glob("experiments/b/logs/seed1-*/train.log")
    os.utime(log)
    assert "b " in vla(project, "status")
    for path in log.parent.glob("*.log"):
        os.utime(path, (0, 0))
    assert "b " not in vla(project, "status")


def test_run_that_goes_wrong_is_told_everywhere_and_stops_no_other(project):
    project.change("b", "training", learning_rate=1e3, num_steps=50)
    project.snakemake(ok=False)
    (events,) = [
        p for p in project.root.glob("experiments/b/logs/*/events.jsonl") if p.stat().st_size
    ]
    event = read_events(events)[0]
    assert event["step"] <= 2 * 2, "within two rows of log_every"
    checkpoint = project.root / "experiments/b/checkpoints" / events.parent.name
    assert (checkpoint / f"step_{event['checkpoint']:08d}.safetensors").is_file()
    told = f"{event['kind'].replace('_', ' ')} at step {event['step']}"
    for place in ("experiments/b/README.md", "reports/report.html"):
        text = (project.root / place).read_text()
        assert told in text
        assert "last good checkpoint: step 0" in text
    assert "Experiment 001" not in text
    assert "failed" in vla(project, "status")
    (row,) = [
        row
        for row in csv.DictReader(open(project.root / "results/runs.csv", newline=""))  # noqa: SIM115
        if row["run"] == events.parent.name
    ]
    assert row["state"] == "failed"
    assert event["kind"] in row["events"]


def test_database_is_the_same_after_it_was_deleted(project):
    before = dump(project)
    assert len([line for line in before if line.startswith('INSERT INTO "runs"')]) == 3
    for path in project.root.glob("results/experiments.*"):
        path.unlink()
    build_database(project.root)
    assert dump(project) == before


def test_database_knows_where_numbers_come_from(project):
    connection = sqlite3.connect(project.root / "results/experiments.sqlite")
    connection.row_factory = sqlite3.Row
    row = connection.execute("SELECT * FROM runs WHERE experiment = 'b'").fetchone()
    connection.close()
    assert row["state"] == "finished"
    assert row["git_commit"] == project.git("rev-parse", "HEAD").strip()
    policy = project.one("experiments/b/checkpoints/seed1-*/policy.safetensors")
    assert row["policy_sha256"] == sha256_file(policy)
    assert (row["instructed_episodes"], row["attempts"]) == (2, 1)


def test_spreadsheet_has_both_tables(project):
    with zipfile.ZipFile(project.root / "results/experiments.xlsx") as book:
        names = book.read("xl/workbook.xml").decode()
        strings = book.read("xl/sharedStrings.xml").decode()
    assert 'name="experiments"' in names
    assert 'name="runs"' in names
    assert "It runs." in strings


def test_table_sorts_and_filters_in_a_browser(project, browser):
    project.change("b", "experiment", hypothesis="<b>Zebras</b> & co. run faster.")
    build_documents(project.root)
    browser.get((project.root / "results/experiments.html").as_uri())

    def shown(table: str) -> list[list[str]]:
        rows = browser.find_elements(By.CSS_SELECTOR, f"#{table} tbody tr")
        return [
            [cell.text for cell in row.find_elements(By.TAG_NAME, "td")]
            for row in rows
            if row.is_displayed()
        ]

    def sort_by(name: str) -> int:
        heads = browser.find_elements(By.CSS_SELECTOR, "#runs th")
        (place,) = (i for i, head in enumerate(heads) if head.text.strip(" ▲▼") == name)
        heads[place].click()
        return place

    assert len(shown("runs")) == 3
    place = sort_by("final loss")
    ascending = [float(row[place]) for row in shown("runs")]
    assert ascending == sorted(ascending)
    sort_by("final loss")
    assert [float(row[place]) for row in shown("runs")] == ascending[::-1]
    browser.find_element(By.ID, "filter").send_keys("zebras")
    assert [row[0] for row in shown("experiments")] == ["b"]
    assert shown("runs") == []
    assert "<b>Zebras</b> & co." in browser.find_element(By.ID, "experiments").text


def test_archive_is_whole_the_same_twice_and_pushed(project, tmp_path):
    subprocess.run(
        [sys.executable, "-m", "dvc", "remote", "add", "lab", str(tmp_path / "remote")],
        cwd=project.root,
        check=True,
        capture_output=True,
    )
    project.edit(
        "config/config.yaml", "allow_dirty: true", "allow_dirty: true\narchive_remote: lab"
    )
    printed = vla(project, "archive", "a")
    assert "pushed to lab" in printed
    assert list((tmp_path / "remote").glob("files/md5/*/*"))
    packed = project.one("experiments/a/archive/v1.0.0-*.tar")
    before = sha256_file(packed)
    with tarfile.open(packed) as tar:
        names = tar.getnames()
    assert sum(name.endswith("policy.safetensors") for name in names) == 2
    assert sum(name.endswith("episodes.parquet") for name in names) == 2
    plan = Plan(project.root, read_yaml(project.root / "config/config.yaml"))
    entry = archive(plan.experiments["a"], "")
    assert sha256_file(packed) == before
    assert (entry["version"], entry["files"]) == ("1.0.0", len(names))


def test_archive_of_what_was_changed_is_refused(project):
    policy = next(project.root.glob("experiments/a/checkpoints/seed1-*/policy.safetensors"))
    policy.write_bytes(policy.read_bytes()[:-1] + b"!")
    assert "has changed since it was recorded" in vla(project, "archive", "a", ok=False)
