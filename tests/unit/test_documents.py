"""Documents about all experiments, made of rows of the database."""

import re
import shutil

import pytest

from tests.project import ROOT
from vla.knowledge.database import EXPERIMENTS, RUNS
from vla.report.documents import render_findings
from vla.report.experiments import render_experiments

ROWS = (
    {"experiment": "exp_001_base", "outcome": "confirmed", "basis": "these results",
     "drawn_from": "drawn from these results", "success": "72 % [67, 76]", "rate": 0.72,
     "target": 0.7, "verdict": "undecided", "hypothesis": "It learns.", "findings": "It does.",
     "parent": "", "next_steps": "More seeds."},
    {"experiment": "exp_002_wide", "outcome": "dead end", "basis": "unnamed results",
     "drawn_from": "does not say", "success": "9 % [6, 12]", "rate": 0.09,
     "hypothesis": "Wider\nis better.", "findings": "It forgets.\nIt is slow.",
     "parent": "exp_001_base", "differences": "model.width 96 → 192"},
    {"experiment": "exp_003_<i>", "outcome": "open", "hypothesis": "", "findings": ""},
)  # fmt: skip


@pytest.fixture
def rows():
    return [dict.fromkeys(EXPERIMENTS) | row for row in ROWS]


def section(page: str, title: str) -> str:
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)[1]


def test_findings_answer_the_questions_of_a_meeting_each_in_one_place(rows):
    page = render_findings(ROOT, rows)
    link = "[exp_001_base](../experiments/exp_001_base/README.md)"
    assert (
        f"| {link} | confirmed | drawn from these results | 72 % [67, 76] | 70 % | undecided |"
        in section(page, "Results")
    )
    assert section(page, "What was learnt").strip() == f"- It does. ({link})"
    dead = section(page, "Dead ends")
    for words in (
        "Hypothesis: Wider is better.",
        "Result: 9 % [6, 12]",
        "Against exp_001_base: model.width 96 → 192",
        "Why: It forgets.",
        "Why: It is slow.",
        "⚠️ Outcome does not say",
    ):
        assert f"- {words}\n" in dead
    assert "exp_003" in section(page, "What is open")
    assert section(page, "What to try next").strip() == f"- More seeds. ({link})"
    assert "![" in section(page, "Which experiment came from which")
    assert page.count("It forgets.") == 1


def test_findings_of_an_empty_lab_say_so():
    page = render_findings(ROOT, [])
    assert "None yet." in section(page, "Dead ends")
    assert "Nothing is noted yet" in section(page, "What was learnt")


def test_page_is_one_file_that_reads_without_scripts_and_escapes_what_people_write(rows, tmp_path):
    for folder in ("templates", "assets"):
        shutil.copytree(ROOT / "reports" / folder, tmp_path / "reports" / folder)
    page = render_experiments(tmp_path, {"experiments": rows, "runs": [dict.fromkeys(RUNS)]})
    assert "https://" not in re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert not re.search(r"<(link|script|img)[^>]*(src|href)=", page)
    assert "tabulator-tables 6.5.3" in page
    assert "MIT License" in page
    table = page.split('<table id="experiments"')[1].split("</table>")[0]
    assert table.count("<tr>") == 1 + len(rows)
    assert "Wider\nis better." in table
    assert "<i>" not in table
    assert 'data-order="0.09">9 % [6, 12]' in table, "9 % comes before 72 %"
