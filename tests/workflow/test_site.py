"""The public page: its files against the records, and in a browser as its readers open it."""

import json
import shutil
import socket
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests.pages import LOWEST_CONTRAST, text
from tests.project import Project
from tests.serving import served
from vla.errors import UserError
from vla.files.hashing import sha256_file
from vla.plan.deployment import Deployment
from vla.plan.plan import Plan
from vla.records.comparison import ComparisonRecord
from vla.records.evaluation import EvaluationRecord
from vla.records.run import RunRecord
from vla.records.summary import SummaryRecord
from vla.site.building import BuiltSite, build_site
from vla.site.pairs import read_pairs
from vla.statistics.rates import describe

UNSAFE = '<img src=x onerror="window.ran=1"></script><script>window.ran=1</script>'


@pytest.fixture(scope="module")
def lab(finished, tmp_path_factory) -> Project:
    """The finished project, with words that a page must not take for its own. Not to be changed."""
    project = finished.copy(tmp_path_factory.mktemp("lab") / "project")
    host, folder = socket.gethostname(), project.root / "notes/a.txt"
    project.change("a", "experiment", title=UNSAFE, hypothesis=f"As on {host}, in {folder}.")
    project.change("b", "experiment", parent="a")
    return project


@pytest.fixture(scope="module")
def built(lab, tmp_path_factory) -> tuple[Path, BuiltSite]:
    folder = tmp_path_factory.mktemp("site") / "page"
    return folder, build_site(lab.root, folder)


def experiments(root: Path) -> dict:
    return Plan(root, {"experiments": ["a", "b"]}, Deployment(False, "cpu")).experiments


def load(folder: Path, name: str) -> dict:
    return json.loads((folder / "data" / f"{name}.json").read_text())


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_numbers_are_those_of_records_whose_hashes_are_shown(lab, built):
    folder, site = built
    assert (site.experiments, site.pairs, site.left_out) == (("a", "b"), 1, ())
    rows = {row["name"]: row for row in load(folder, "experiments")}
    for name, experiment in experiments(lab.root).items():
        path = experiment.document("summary", "summary.json")
        summary, shown = SummaryRecord.read(path), load(folder, f"experiments/{name}")
        assert lab.root / shown["source"]["path"] == path
        assert shown["source"]["sha256"] == rows[name]["summary_sha256"] == sha256_file(path)
        for condition, rates in summary.conditions.items():
            found = shown["conditions"][condition]
            pairs = [(found["overall"], rates.overall)]
            pairs += [(found["tasks"][task], rate) for task, rate in rates.by_task.items()]
            for seen, rate in pairs:
                assert seen == dict(rate) | {"shown": describe(rate)}
        page = (folder / f"experiments/{name}/index.html").read_text()
        assert describe(summary.conditions["instructed"].overall) in page
        for run in experiment.runs:
            hashes = [RunRecord.read(experiment.run_record(run)).files.policy.sha256]
            hashes += [sha256_file(experiment.run_record(run))]
            for evaluation in run.evaluations:
                record = experiment.evaluation_record(run, evaluation)
                hashes += [sha256_file(record), EvaluationRecord.read(record).files.episodes.sha256]
            dataset = RunRecord.read(experiment.run_record(run)).datasets[0].content
            lineage = page.split('id="lineage"')[1].split("</table>")[0]
            assert all(sha256 in lineage for sha256 in (*hashes, dataset, sha256_file(path)))
    (path,) = lab.root.glob("results/comparison-*/comparison.json")
    record = ComparisonRecord.read(path)
    for name, other in (("a", "b"), ("b", "a")):
        pair = load(folder, f"experiments/{name}")["pairs"][other]
        assert pair["recorded"]
        for field in ("baseline", "candidate"):
            assert pair[field] == record.experiments[field == "candidate"]
        for field in ("difference", "difference_low", "difference_high", "p_value", "pairs"):
            assert pair["conditions"]["instructed"][field] == getattr(record, field)
        assert pair["sources"][0]["sha256"] == sha256_file(path)


def test_words_are_escaped_and_tell_nothing_of_the_machine(lab, built):
    folder, _ = built
    for name, content in contents(folder).items():
        if name.endswith((".html", ".json")):
            assert str(lab.root) not in content.decode(), name
            assert f"on {socket.gethostname()}" not in content.decode(), name
        if name.endswith(".html"):
            assert b"<img src=x" not in content and b"<script>" not in content, name
    page = (folder / "experiments/a/index.html").read_text()
    assert "As on [machine], in notes/a.txt." in page


def test_the_same_results_give_the_same_bytes(lab, built, tmp_path):
    folder, _ = built
    again = shutil.copytree(folder, tmp_path / "again")
    build_site(lab.root, again)
    assert contents(again) == contents(folder)
    build_site(lab.root, tmp_path / "new")
    assert contents(tmp_path / "new") == contents(folder)


def test_films_that_are_not_there_are_left_out_and_changed_results_refused(project, tmp_path):
    films = sorted(project.root.glob("experiments/b/results/*/*/film-*/*.gif"))
    shutil.rmtree(films[0].parent)
    build_site(project.root, tmp_path / "page")
    assert not list((tmp_path / "page/experiments/b").glob("*.gif"))
    shown = {path.name[:12] for path in (tmp_path / "page/experiments/a").glob("*.gif")}
    films = list(project.root.glob("experiments/a/results/*/*/film-*/*.gif"))
    assert shown == {sha256_file(path)[:12] for path in films}
    made = contents(tmp_path / "page")
    films[0].write_bytes(b"another")
    with pytest.raises(UserError, match=f"{films[0].name} has changed"):
        build_site(project.root, tmp_path / "page")
    summary = experiments(project.root)["b"].document("summary", "summary.json")
    summary.write_text(summary.read_text().replace('"successes": ', '"successes": 1'))
    with pytest.raises(UserError, match=r"summary\.json"):
        build_site(project.root, tmp_path / "page")
    assert contents(tmp_path / "page") == made, "as it was"


def test_without_a_record_a_pair_is_compared_on_shared_episodes_only(lab):
    (path,) = lab.root.glob("results/comparison-*/comparison.json")
    both = experiments(lab.root)
    (pair,) = read_pairs(both, [])
    record = ComparisonRecord.read(path)
    assert not pair.recorded
    assert (pair.baseline, pair.candidate) == ("a", "b")
    assert {name: rates.statement for name, rates in pair.rates.items()} == {
        "instructed": record.statement
    }
    assert {sha256 for _, sha256 in pair.sources} == {
        sha256_file(path)
        for path in lab.root.glob("experiments/*/results/*/instructed-*/episodes.parquet")
    }
    section = both["b"].config.evaluation.model_copy(update={"max_steps": 17})
    both["b"].config.__dict__["evaluation"] = section  # frozen: the plan is this test's own
    assert read_pairs(both, []) == [], "episodes of another length are not the same"


def test_without_results_there_is_no_page(fresh, tmp_path):
    with pytest.raises(UserError, match="No experiment has results"):
        build_site(fresh.root, tmp_path / "page")
    assert not (tmp_path / "page").exists()


@pytest.fixture(scope="module")
def address(built):
    with served(built[0]) as found:
        yield found


def open_page(browser, address: str, width: int = 1300, scheme: str = "light") -> None:
    metrics = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    browser.get(address)
    ready = ".tabulator-row a, .paired, table.lineage"
    WebDriverWait(browser, 20).until(lambda b: b.find_elements(By.CSS_SELECTOR, ready))


def rows(browser) -> list[str]:
    return [a.text for a in browser.find_elements(By.CSS_SELECTOR, ".tabulator-row a")]


def press(browser, *keys: str):
    """Keys to whatever has the focus; returns what has it then."""
    for key in keys:
        browser.switch_to.active_element.send_keys(key)
    return browser.switch_to.active_element


def tab_to(browser, wanted) -> None:
    for _ in range(40):
        if wanted(press(browser, Keys.TAB)):
            return
    raise AssertionError("not reached by the keyboard")


def test_list_is_filtered_sorted_and_left_by_the_keyboard_alone(browser, lab, address):
    open_page(browser, f"{address}/index.html")
    assert rows(browser) == ["a", "b"]
    tab_to(browser, lambda e: e.get_attribute("id") == "search")
    press(browser, "rt1")
    assert rows(browser) == ["b"]
    assert browser.find_element(By.ID, "count").text == "1 of 2 experiments"
    assert browser.current_url.endswith("?q=rt1")
    browser.refresh()
    WebDriverWait(browser, 20).until(lambda b: rows(b) == ["b"])
    tab_to(browser, lambda e: e.text == "Show all")
    press(browser, Keys.ENTER)
    WebDriverWait(browser, 20).until(lambda b: rows(b) == ["a", "b"])
    Select(browser.find_element(By.CSS_SELECTOR, "[data-field=policy]")).select_by_value("BC")
    WebDriverWait(browser, 20).until(lambda b: rows(b) == ["a"])
    Select(browser.find_element(By.CSS_SELECTOR, "[data-field=policy]")).select_by_value("")
    tab_to(browser, lambda e: e.text == "Experiment")
    press(browser, Keys.ENTER, Keys.ENTER)
    assert rows(browser) == ["b", "a"]
    for name in ("a", "b"):
        tick = browser.find_element(By.CSS_SELECTOR, f"input[name={name}]")
        browser.execute_script("arguments[0].focus()", tick)
        press(browser, Keys.SPACE)
    link = browser.find_element(By.LINK_TEXT, "Compare a with b")
    link.send_keys(Keys.ENTER)
    WebDriverWait(browser, 20).until(lambda b: b.find_elements(By.CLASS_NAME, "paired"))
    assert browser.execute_script("return window.ran") is None


def test_comparison_shows_both_rates_and_the_recorded_difference(browser, lab, address):
    open_page(browser, f"{address}/compare.html?a=a&b=b")
    (path,) = lab.root.glob("results/comparison-*/comparison.json")
    assert (
        ComparisonRecord.read(path).statement in browser.find_element(By.CLASS_NAME, "paired").text
    )
    cells = browser.find_elements(By.CSS_SELECTOR, "[data-condition=instructed] .all td")
    for cell, experiment in zip(cells, experiments(lab.root).values(), strict=False):
        summary = SummaryRecord.read(experiment.document("summary", "summary.json"))
        assert describe(summary.conditions["instructed"].overall) in cell.text
    assert "RT1" in text(browser), "what differs"
    assert sha256_file(path) in text(browser)
    Select(browser.find_element(By.ID, "b")).select_by_value("a")
    WebDriverWait(browser, 20).until(lambda b: "two different experiments" in text(b))
    assert browser.execute_script("return window.ran") is None


def test_of_a_pair_that_was_not_compared_no_difference_is_derived(browser, built, tmp_path):
    folder = shutil.copytree(built[0], tmp_path / "page")
    for name in ("a", "b"):
        details = load(folder, f"experiments/{name}") | {"pairs": {}}
        (folder / f"data/experiments/{name}.json").write_text(json.dumps(details))
    with served(folder) as address:
        browser.get(f"{address}/compare.html?a=a&b=b")
        WebDriverWait(browser, 20).until(lambda b: b.find_elements(By.ID, "unpaired"))
        said = text(browser)
    assert "whether two intervals overlap is no test" in said
    assert "McNemar" not in said
    assert "vla compare a b" in said


def test_page_of_an_experiment_has_its_films_and_leads_on(browser, lab, address):
    open_page(browser, f"{address}/experiments/b/index.html")
    assert browser.find_elements(By.CSS_SELECTOR, "img.film")
    shown = browser.find_elements(By.CSS_SELECTOR, "figure img:not(.strip)")
    for picture in shown:
        browser.execute_script("arguments[0].scrollIntoView()", picture)
    WebDriverWait(browser, 20).until(lambda _: all(p.get_property("naturalWidth") for p in shown))
    browser.find_element(By.LINK_TEXT, "compare the two").click()
    WebDriverWait(browser, 20).until(lambda b: b.find_elements(By.CLASS_NAME, "paired"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", ["index.html", "compare.html?a=a&b=b", "experiments/a/index.html"])
def test_pages_fit_a_narrow_screen_are_legible_and_load_nothing_from_elsewhere(
    browser, address, page, scheme
):
    open_page(browser, f"{address}/{page}", 390, scheme)
    widths = "const page = document.documentElement; return [page.scrollWidth, page.clientWidth]"
    scrolled, seen = browser.execute_script(widths)
    assert scrolled == seen <= 390
    assert browser.execute_script(LOWEST_CONTRAST) >= 4.5
    paper = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(22, 25, 29)"}[scheme]
    loaded = browser.execute_script(
        "return performance.getEntries().filter(e => e.name.includes(':')).map(e => e.name)"
    )
    assert len(loaded) > 3
    assert {name for name in loaded if not name.startswith((address, "data:"))} == set()
