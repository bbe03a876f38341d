"""Documents with the figure of the guide, and without videos."""

import re
import zipfile

from selenium.webdriver.common.by import By

from tests.pages import broken_pictures, follow, text, wait_for_rows
from tests.project import ROOT
from vla.files.sealed import read_json

GUIDE = ROOT / "docs/figures.md"


def test_figure_of_the_guide_is_drawn_and_shown_everywhere(browser, project):
    """One file is added, and nothing else edited."""
    name, code = re.search(
        r"`(vla/report/figures/\w+\.py)`:\n\n```python\n(.*?)```", GUIDE.read_text(), re.DOTALL
    ).groups()
    (project.root / name).write_text(code)
    project.write_yaml("config/config.yaml", {"experiments": ["a"], "allow_dirty": True})
    reports = {"report_experiment": 1, "report": 1}
    assert project.run_jobs() == {"plot": 1, "render_readme": 1, **reports}
    title, caption = "Episode length", "Number of episodes by length in control steps"
    readme = (project.root / "experiments/a/README.md").read_text()
    (picture, numbers) = re.search(
        rf"\[{title}\]\((.*?)\) \(\[numbers\]\((.*?)\)\): {caption}", readme
    ).groups()
    assert (project.root / "experiments/a" / picture).is_file()
    assert len((project.root / "experiments/a" / numbers).read_text().splitlines()) == 1 + 4
    assert (project.root / "experiments/a" / picture).with_suffix(".pdf").is_file()
    browser.get((project.root / "reports/experiments/a.html").as_uri())
    assert len(browser.find_elements(By.CSS_SELECTOR, f'img[alt="{title}"]')) == 1
    assert caption in text(browser)
    assert broken_pictures(browser) == []

    project.snakemake("--report", "report.zip")
    with zipfile.ZipFile(project.root / "report.zip") as archive:
        archive.extractall(project.root / "unpacked")
    browser.get(project.one("unpacked/*/report.html").as_uri())
    follow(browser, "Experiments")
    wait_for_rows(browser, {f"a {title}"})
    assert caption in project.one("unpacked/*/report.html").read_text()


def test_an_experiment_without_videos_is_complete(project):
    project.change("b", "evaluation", videos_per_task=0)
    rendered = ("render_readme", "report_experiment", "report")
    assert project.run_jobs() == dict.fromkeys(("film", *rendered), 1)
    films = [read_json(path) for path in project.root.glob("experiments/b/**/film.json")]
    assert sorted(len(film["films"]) for film in films) == [0, 1]
    assert project.jobs() == {}
