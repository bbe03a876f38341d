"""An experiment's life at the command line: made, checked, run, concluded, found again."""

import os
import sqlite3
import subprocess
import sys
import tarfile
import zipfile

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.commands import vla
from vla.files.hashing import sha256_file
from vla.files.yaml import read_yaml
from vla.knowledge.database import build_database
from vla.plan.plan import Plan
from vla.report.documents import build_documents
from vla.upkeep.archive import archive


def dump(project) -> list[str]:
    connection = sqlite3.connect(project.root / "results/experiments.sqlite")
    content = list(connection.iterdump())
    connection.close()
    return content


def test_comments_of_the_configuration_survive_a_note(project):
    path = project.root / "experiments/a/config.yaml"
    path.write_text("# why we do this\n" + path.read_text().replace("seed:", "seed:  # two\n   "))
    vla(project.root, "note", "a", "--outcome", "confirmed")
    assert path.read_text().startswith("# why we do this\n")
    assert "# two" in path.read_text()
    before = path.read_text()
    vla(project.root, "note", "a", "--outcome", "perhaps", ok=False)
    assert path.read_text() == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["new", "a"], "exists already"),
        (["new", "x y"], "is no name for an experiment"),
        (["new", "c", "--from", "d"], "There is no experiment 'd'"),
        (["check", "c"], "There is no experiment 'c'"),
        (["note", "c", "x"], "There is no experiment 'c'"),
        (["note", "a"], "There is nothing to note"),
        (["explain", "README.md"], "lies in no experiment's folder"),
    ],
)
def test_mistake_is_one_clear_message(fresh, arguments, words):
    assert words in vla(fresh.root, *arguments, ok=False)


def test_status_shows_what_is_at_work_without_being_listed(project):
    project.write_yaml("config/config.yaml", {"experiments": ["a"]})
    (log,) = project.root.glob("experiments/b/logs/seed1-*/train.log")
    os.utime(log)
    assert "b " in vla(project.root, "status")
    for path in log.parent.glob("*.log"):
        os.utime(path, (0, 0))
    assert "b " not in vla(project.root, "status")


def test_database_is_the_same_after_it_was_deleted(project):
    before = dump(project)
    assert len([line for line in before if line.startswith('INSERT INTO "runs"')]) == 3
    for path in project.root.glob("results/experiments.*"):
        path.unlink()
    build_database(project.root)
    assert dump(project) == before


def test_database_knows_where_numbers_come_from(finished):
    connection = sqlite3.connect(finished.root / "results/experiments.sqlite")
    connection.row_factory = sqlite3.Row
    row = connection.execute("SELECT * FROM runs WHERE experiment = 'b'").fetchone()
    connection.close()
    assert row["state"] == "finished"
    assert row["git_commit"] == finished.git("rev-parse", "HEAD").strip()
    policy = finished.one("experiments/b/checkpoints/seed1-*/policy.safetensors")
    assert row["policy_sha256"] == sha256_file(policy)
    assert (row["instructed_episodes"], row["attempts"]) == (2, 1)


def test_spreadsheet_has_both_tables(finished):
    with zipfile.ZipFile(finished.root / "results/experiments.xlsx") as book:
        names = book.read("xl/workbook.xml").decode()
        strings = book.read("xl/sharedStrings.xml").decode()
    assert 'name="experiments"' in names
    assert 'name="runs"' in names
    assert "It runs." in strings


def shown(browser, table: str) -> list[list[str]]:
    rows = browser.find_elements(By.CSS_SELECTOR, f"#{table} .tabulator-row")
    return [[cell.text for cell in columns(row, "tabulator-cell")] for row in rows]


def columns(within, kind: str) -> list:
    """Cells or headings that are not hidden, left to right."""
    found = within.find_elements(By.CLASS_NAME, kind)
    return [element for element in found if element.is_displayed()]


def test_table_sorts_and_filters_in_a_browser(project, browser):
    project.change("b", "experiment", hypothesis="<b>Zebras</b> & co. run faster.")
    build_documents(project.root)
    browser.get((project.root / "results/experiments.html").as_uri())

    def sort_by(name: str) -> int:
        heads = columns(browser.find_element(By.ID, "runs"), "tabulator-col")
        (place,) = (i for i, head in enumerate(heads) if head.text.strip() == name)
        heads[place].send_keys(Keys.ENTER)
        return place

    assert len(shown(browser, "runs")) == 3
    place = sort_by("final loss")
    ascending = [float(row[place]) for row in shown(browser, "runs")]
    assert ascending == sorted(ascending)
    sort_by("final loss")
    assert [float(row[place]) for row in shown(browser, "runs")] == ascending[::-1]
    browser.find_element(By.ID, "search").send_keys("zebras")
    assert [row[0] for row in shown(browser, "experiments")] == ["b"]
    assert shown(browser, "runs") == []
    assert "<b>Zebras</b> & co." in browser.find_element(By.ID, "experiments").text
    choice = browser.find_element(By.CSS_SELECTOR, 'details[data-of="experiments"]')
    choice.find_element(By.TAG_NAME, "summary").click()
    choice.find_element(By.XPATH, ".//label[contains(., 'next steps')]/input").click()
    heads = columns(browser.find_element(By.ID, "experiments"), "tabulator-col")
    assert "next steps" in {head.text.strip() for head in heads}


@pytest.mark.parametrize("width", [1100, 1300])
def test_prose_is_wide_and_nothing_is_cut_off(project, browser, width):
    words = "Discretising actions costs precision in the last centimetres of a reach. " * 4
    outcome = {"status": "refuted", "findings": [words], "next_steps": [words]}
    project.change("b", "experiment", hypothesis=words, outcome=outcome, parent="a")
    build_documents(project.root)
    browser.set_window_size(width, 900)
    browser.get((project.root / "results/experiments.html").as_uri())
    cells = columns(browser.find_element(By.ID, "experiments"), "tabulator-cell")
    prose = [cell for cell in cells if "prose" in cell.get_attribute("class")]
    assert len(prose) == 2 * 2, "hypothesis and findings of both experiments"
    assert min(cell.size["width"] for cell in prose) >= 195
    for cell in cells:
        for across in ("Width", "Height"):
            overflow = f"return arguments[0].scroll{across} - arguments[0].client{across}"
            assert browser.execute_script(overflow, cell) <= 1, cell.text
    page = browser.execute_script("return document.documentElement.scrollWidth - innerWidth")
    assert page <= 0


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
    printed = vla(project.root, "archive", "a")
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
    assert (entry.version, entry.files) == ("1.0.0", len(names))


def test_archive_of_what_was_changed_is_refused(project):
    policy = next(project.root.glob("experiments/a/checkpoints/seed1-*/policy.safetensors"))
    policy.write_bytes(policy.read_bytes()[:-1] + b"!")
    assert "has changed since it was recorded" in vla(project.root, "archive", "a", ok=False)
