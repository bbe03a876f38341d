"""The reports, opened in a browser as their readers do."""

import html
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.pages import (
    LOWEST_CONTRAST,
    broken_pictures,
    follow,
    show,
    text,
    wait_for_rows,
    wait_for_text,
)
from vla.config.footprint import FootprintSection
from vla.files.hashing import sha256_file
from vla.files.yaml import read_yaml
from vla.package.pdf_text import text_of_pdf
from vla.plan.deployment import Deployment
from vla.plan.plan import Plan
from vla.report.content import read_content
from vla.report.experiment_page import render_page
from vla.report.experiment_pdf import render_pdf
from vla.reproduction.explain import explain
from vla.statistics.claims import JudgedFinding


def test_report_over_all_leads_to_the_report_of_each(browser, finished):
    browser.get((finished.root / "reports/report.html").as_uri())
    assert len(browser.find_elements(By.CSS_SELECTOR, "#overview .tabulator-row")) == 2
    assert "against small" in text(browser), "the comparison"
    assert "McNemar" in text(browser)
    assert len(browser.find_elements(By.TAG_NAME, "img")) == 2, "overview, comparison"
    assert broken_pictures(browser) == []
    browser.find_elements(By.LINK_TEXT, "Its report")[1].click()
    assert browser.current_url.endswith("reports/experiments/b.html")
    follow(browser, "All experiments")
    assert browser.current_url.endswith("reports/report.html")


def test_every_number_of_a_report_leads_to_a_file_with_that_hash(browser, finished):
    browser.get((finished.root / "reports/experiments/a.html").as_uri())
    cited = browser.find_elements(By.CSS_SELECTOR, "main a[href^='#source-']")
    assert len(cited) > 20
    for link in cited:
        row = browser.find_element(By.CSS_SELECTOR, link.get_attribute("href").split("html")[1])
        _, what, _, path, sha256 = row.find_elements(By.TAG_NAME, "td")
        assert sha256_file(finished.root / path.text).startswith(sha256.text[:16])
        assert f"{what.text}" in link.get_attribute("title")
    assert {"summary.json", "episodes.parquet", "run.json", "comparison.json"} <= {
        Path(code.text).name for code in browser.find_elements(By.CSS_SELECTOR, ".sources code")
    }


def test_every_number_of_the_first_page_is_followed_to_its_file_by_explain(finished):
    """Abstract and results: each number is cited, stands in the file that is cited, and `vla explain` tells of it."""
    config = read_yaml(finished.root / "config/config.yaml")
    plan = Plan(finished.root, config, Deployment(False, "cpu"))
    content = read_content(plan.experiments["a"], (), "key")
    judged = JudgedFinding("It opens.", "holds", "instructed 99 % [98, 100]")
    content = replace(content, conclusion=replace(content.conclusion, findings=(judged,)))
    page = render_page(content, finished.root)
    first = page[page.index('<h2 id="abstract">') : page.index('<h2 id="figures">')]
    followed = 0
    for row in re.findall(r"<tr><td.*</tr>", first):
        cells = [re.sub("<[^>]*>", "", cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row)]
        path = finished.root / content.sources[int(cells[-1]) - 1].path
        successes, episodes = map(int, cells[-4:-2])
        if path.suffix == ".parquet":
            table = pd.read_parquet(path)
            assert (successes, episodes) == (table["success"].sum(), len(table))
        else:
            assert f'"successes":{successes},"episodes":{episodes}' in "".join(
                path.read_text().split()
            )
        assert re.search(r"made by evaluation|shows a as configured now", explain(path))
        followed += 1
    assert followed == len(content.conditions) + len(content.tasks) + len(content.seeds)
    for number in re.findall(r'<a class="cited" href="#source-(\d+)"', first):
        assert "summary.json: shows a" in explain(
            finished.root / content.sources[int(number) - 1].path
        )
    said = re.sub(r'<tr><td.*</tr>|<a class="cited".*?</a>', "", first)
    shown = re.sub(r"<[^>]*>", "", said).replace("95&nbsp;%", "").replace("95 %", "")
    assert re.findall(r"\d+", shown) == [str(len(content.runs))], "training seeds, which are listed"


def test_report_of_an_experiment_is_one_file_that_sorts_by_keyboard(browser, finished):
    show(browser, finished.root / "reports/experiments/a.html")
    loaded = "return performance.getEntriesByType('resource').map(e => e.name.slice(0, 5))"
    assert set(browser.execute_script(loaded)) <= {"data:"}
    assert broken_pictures(browser) == []
    for word in (
        "It runs.",
        "Run it.",
        "None noticed.",
        "not measured",
        "McNemar",
        "PyTorch version",
    ):
        assert word in text(browser)
    seeds = "#seeds .tabulator-row .tabulator-cell:first-child"
    assert [cell.text for cell in browser.find_elements(By.CSS_SELECTOR, seeds)] == ["1", "2"]
    head = browser.find_element(By.CSS_SELECTOR, "#seeds .tabulator-col")
    head.send_keys(Keys.ENTER, Keys.ENTER)
    assert [cell.text for cell in browser.find_elements(By.CSS_SELECTOR, seeds)] == ["2", "1"]


def test_rollouts_are_films_that_can_be_stopped_and_strips_in_print(browser, finished):
    show(browser, finished.root / "reports/experiments/a.html")
    shown = (
        "return ['film', 'strip'].filter(k => document.querySelector('.' + k).checkVisibility())"
    )
    assert browser.execute_script(shown) == ["film"]
    browser.find_element(By.ID, "still").click()
    assert browser.execute_script(shown) == ["strip"]
    show(browser, finished.root / "reports/experiments/a.html", prefers_reduced_motion="reduce")
    assert browser.execute_script(shown) == ["strip"]
    show(browser, finished.root / "reports/experiments/a.html")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert browser.execute_script(shown) == ["strip"]
    tables = (
        "return ['.tabulator', '.plain'].filter(k => document.querySelector(k).checkVisibility())"
    )
    assert browser.execute_script(tables) == [".plain"]


# Relative luminance and contrast as WCAG 2.2 defines them.
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["report.html", "experiments/a.html"])
def test_reports_fit_a_narrow_screen_and_are_legible(browser, finished, name, scheme):
    show(browser, finished.root / "reports" / name, width=400, prefers_color_scheme=scheme)
    widths = "const page = document.documentElement; return [page.scrollWidth, page.clientWidth]"
    scrolled, seen = browser.execute_script(widths)
    assert scrolled == seen <= 400
    assert browser.execute_script(LOWEST_CONTRAST) >= 4.5


def test_pdf_is_the_same_whenever_it_is_made(finished):
    plan = Plan(
        finished.root, read_yaml(finished.root / "config/config.yaml"), Deployment(False, "cpu")
    )
    pairs = plan.comparisons_of("a")
    content = read_content(plan.experiments["a"], pairs, plan.experiment_reports["a"].key)
    made = (finished.root / "reports/experiments/a.pdf").read_bytes()
    assert made.startswith(b"%PDF-")
    assert render_pdf(content, finished.root) == made


def test_comparison_is_told_under_every_condition(finished):
    plan = Plan(
        finished.root, read_yaml(finished.root / "config/config.yaml"), Deployment(False, "cpu")
    )
    content = read_content(plan.experiments["a"], tuple(plan.comparisons), "key")
    (shown,) = content.comparisons
    hidden = {"statement": "-12 points [-20, -4]", "pairs": 77, "only_baseline": 13}
    other = shown.record.by_condition["instructed"].model_copy(update=hidden)
    record = shown.record.model_copy(update={"others": {"no_instruction": other}})
    content = replace(content, comparisons=(replace(shown, record=record),))
    page = re.sub(r"<[^>]*>", "", render_page(content, finished.root))
    printed = b"".join(text_of_pdf(render_pdf(content, finished.root))).decode("utf-8", "replace")
    for found in (page, printed.replace("\n", " ")):
        found = "".join(found.split()).replace("\N{MINUS SIGN}", "-")
        assert f"Instructed:{record.statement}".replace(" ", "") in found
        assert "Instructionhidden:-12points[-20,-4]" in found
        assert "Of77sharedepisodes" in found
        assert "onlysmallin13" in found


def test_footprint_stands_in_page_and_print_and_in_no_key_but_the_reports(finished):
    given = FootprintSection(
        country="Germany",
        carbon_g_per_kwh=400,
        carbon_source="the environment agency, 2024",
        core_watts=10,
        power_source="the data sheet",
    )
    config = {"experiments": ["a"]}
    plan, assuming = (Plan(finished.root, config, Deployment(False, "cpu")) for _ in range(2))
    before = plan.experiments["a"]
    after = replace(before, config=before.config.model_copy(update={"footprint": given}))
    assuming.experiments["a"] = after
    assert assuming.experiment_reports["a"].key != plan.experiment_reports["a"].key
    assert "environment agency" not in str([before.runs, before.documents])
    content = read_content(after, (), "key")
    page = html.unescape(render_page(content, finished.root))
    printed = b"".join(text_of_pdf(render_pdf(content, finished.root)))
    for words in ("400 g/kWh, Germany", "of CO₂ equivalents", "CPU hours at 10 W a core"):
        assert words in page
        assert words.replace(" ", "").encode() in printed.replace(b" ", b"")


def test_snakemake_report_has_every_figure_and_table(browser, project):
    project.snakemake("--report", "report.zip")
    with zipfile.ZipFile(project.root / "report.zip") as archive:
        archive.extractall(project.root / "unpacked")
    browser.get(project.one("unpacked/*/report.html").as_uri())
    wait_for_text(browser, "b against a.")
    rows = {row.text for row in browser.find_elements(By.CSS_SELECTOR, "table.landing tbody tr")}
    assert {"0 % [0, 49] 90 %, not met open 2", "0 % [0, 66] 90 %, not met open 1"} == {
        row.partition("anything. ")[2] for row in rows
    }
    browser.find_element(By.CSS_SELECTOR, "table.landing a").click()
    wait_for_text(browser, "report_experiment")  # what a name on the landing page leads to
    browser.refresh()
    expected = {
        "Learning curve",
        "Success by task",
        "Success rates",
        "Report",
        "Report to print (PDF)",
    }
    for experiment in ("a", "b"):
        for name in ("Experiments", experiment):
            follow(browser, name)
        wait_for_rows(browser, {f"{experiment} {name}" for name in expected})
        browser.refresh()
    follow(browser, "Comparisons")
    wait_for_text(browser, "a and b")
    browser.refresh()
    follow(browser, "Report")
    wait_for_text(browser, "all experiments")

    kinds = {path.name for path in project.root.glob("unpacked/*/data/raw/*/*")}
    assert kinds == {
        "learning_curve.svg",
        "success_by_task.svg",
        "success_rates.html",
        "comparison.svg",
        "report.html",
        "report.pdf",
    }
    for path in project.root.glob("unpacked/*/data/raw/*/*.html"):
        browser.get(path.as_uri())
        assert "small" in text(browser) or "success rates" in text(browser)
        assert broken_pictures(browser) == []
        assert not browser.find_elements(By.PARTIAL_LINK_TEXT, "PDF"), "what does not lie beside it"
    for path in project.root.glob("unpacked/*/data/raw/*/*.svg"):
        browser.get(path.as_uri())
        assert browser.find_elements(By.CSS_SELECTOR, "svg path"), path
