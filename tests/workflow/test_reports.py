"""The reports, opened in a browser as their readers do."""

import re
import zipfile
from pathlib import Path

from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

GUIDE = Path(__file__).parents[2] / "docs/figures.md"


def text(browser) -> str:
    return browser.find_element(By.TAG_NAME, "body").text


def follow(browser, name: str) -> None:
    wait = WebDriverWait(browser, 10)
    wait.until(lambda b: b.find_elements(By.LINK_TEXT, name))[0].click()


def broken_pictures(browser) -> list[str]:
    script = "return [...document.images].filter(i => !i.naturalWidth).map(i => i.alt)"
    return browser.execute_script(script)


def test_html_report_shows_every_experiment(browser, finished):
    browser.get((finished.root / "reports/report.html").as_uri())
    rows = browser.find_elements(By.CSS_SELECTOR, "#overview tr")
    assert len(rows) == 1 + 2
    assert "against small" in text(browser), "the comparison"
    assert "McNemar" in text(browser)
    pictures = browser.find_elements(By.TAG_NAME, "img")
    assert len(pictures) == 1 + 1 + 2 * 2 + 3, "overview, comparison, two figures each, rollouts"
    assert broken_pictures(browser) == []
    page = browser.find_element(By.TAG_NAME, "body").size["width"]
    for figure in browser.find_elements(By.CSS_SELECTOR, 'img[alt="Learning curve"]'):
        assert figure.size["width"] > 0.9 * page


def test_figure_of_the_guide_is_drawn_and_shown_everywhere(browser, project):
    """One file is added, and nothing else edited."""
    name, code = re.search(
        r"`(vla/report/figures/\w+\.py)`:\n\n```python\n(.*?)```", GUIDE.read_text(), re.DOTALL
    ).groups()
    (project.root / name).write_text(code)
    assert project.jobs() == {"plot": 2, "render_readme": 2, "report": 1}
    project.snakemake()
    title, caption = "Episode length", "Number of episodes by length in control steps"
    readme = (project.root / "experiments/a/README.md").read_text()
    (picture, numbers) = re.search(
        rf"\[{title}\]\((.*?)\) \(\[numbers\]\((.*?)\)\): {caption}", readme
    ).groups()
    assert (project.root / "experiments/a" / picture).is_file()
    assert len((project.root / "experiments/a" / numbers).read_text().splitlines()) == 1 + 4
    browser.get((project.root / "reports/report.html").as_uri())
    assert len(browser.find_elements(By.CSS_SELECTOR, f'img[alt="{title}"]')) == 2
    assert caption in text(browser)
    assert broken_pictures(browser) == []

    project.snakemake("--report", "report.zip")
    with zipfile.ZipFile(project.root / "report.zip") as archive:
        archive.extractall(project.root / "unpacked")
    browser.get(project.one("unpacked/*/report.html").as_uri())
    for word in ("Experiments", "a"):
        follow(browser, word)
    assert f"a {title}" in {row.text for row in browser.find_elements(By.CSS_SELECTOR, "tr")}
    assert caption in project.one("unpacked/*/report.html").read_text()


def test_snakemake_report_has_every_figure_and_table(browser, project):
    project.snakemake("--report", "report.zip")
    with zipfile.ZipFile(project.root / "report.zip") as archive:
        archive.extractall(project.root / "unpacked")
    browser.get(project.one("unpacked/*/report.html").as_uri())
    expected = {"Learning curve", "Success by task", "Success rates"}
    for experiment in ("a", "b"):
        for name in ("Experiments", experiment):
            follow(browser, name)
        shown = {row.text for row in browser.find_elements(By.CSS_SELECTOR, "tr")}
        assert {f"{experiment} {name}" for name in expected} <= shown
        browser.refresh()
    follow(browser, "Comparisons")
    assert "a and b" in text(browser)
    browser.refresh()
    follow(browser, "Report")
    assert "all experiments" in text(browser)

    kinds = {path.name for path in project.root.glob("unpacked/*/data/raw/*/*")}
    assert kinds == {
        "learning_curve.svg",
        "success_by_task.svg",
        "success_rates.html",
        "comparison.svg",
        "report.html",
    }
    for path in project.root.glob("unpacked/*/data/raw/*/*.html"):
        browser.get(path.as_uri())
        assert "small" in text(browser) or "success rates" in text(browser)
        assert broken_pictures(browser) == []
    for path in project.root.glob("unpacked/*/data/raw/*/*.svg"):
        browser.get(path.as_uri())
        assert browser.find_elements(By.CSS_SELECTOR, "svg path"), path
