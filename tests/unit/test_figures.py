"""Figures of experiments: found by listing, drawn with their numbers, the same bytes every time."""

import re
import shutil
import subprocess
import sys

import matplotlib
import numpy as np
import pandas as pd
import pytest

from tests.project import ROOT
from vla.errors import UserError
from vla.files.described import check_file
from vla.plan.figures import FOLDER, find_figures
from vla.plan.plan import Plan
from vla.report.drawing import draw_figures
from vla.report.sources import ExperimentSource
from vla.statistics.summary import summarise

DOTS = """
import matplotlib.pyplot as plt

TITLE = "Dots"
CAPTION = "Some dots."


def table(source):
    return source.episodes[["steps"]]


def draw(source):
    figure, axes = plt.subplots()
    axes.plot(table(source)["steps"], "o")
    return figure
"""


@pytest.fixture
def source() -> ExperimentSource:
    """Two seeds, two tasks, two conditions."""
    episodes = pd.DataFrame(
        [
            {"condition": condition, "training_seed": seed, "task": task, "steps": 9, "outcome": outcome}
            for condition in ("instructed", "held_out")
            for seed in (1, 2)
            for task in ("door-open-v3", "button-press-topdown-v3")
            for outcome in ("success", "success", "failure")
        ]
    )  # fmt: skip
    steps = np.arange(0, 50, 10)
    metrics = {
        seed: pd.DataFrame({"step": steps, "loss": 1 / (seed + steps), "learning_rate": 1e-3})
        for seed in (1, 2)
    }
    return ExperimentSource(summarise(episodes, 0.5), episodes, metrics)


@pytest.fixture
def project(tmp_path):
    """A copy of what figures are found and drawn in."""
    shutil.copytree(ROOT / FOLDER, tmp_path / "project" / FOLDER)
    return tmp_path / "project"


def draw(source, project, name: str):
    folder = project / name
    folder.mkdir()
    return folder, draw_figures(source, project, folder, folder)


def test_a_file_more_is_a_figure_more(source, project):
    (project / FOLDER / "dots.py").write_text(DOTS)
    folder, record = draw(source, project, "drawn")
    assert [figure.name for figure in record] == ["dots", "learning_curve", "success_by_task"]
    assert (record[0].title, record[0].caption) == ("Dots", "Some dots.")
    for figure in record:
        files = (figure.picture, figure.print, figure.data)
        picture, printed, data = (check_file(file, folder) for file in files)
        assert picture.name == f"{figure.name}.svg"
        assert printed.read_bytes().startswith(b"%PDF-")
        assert len(pd.read_csv(data))


def test_the_same_numbers_give_the_same_bytes(source, project):
    one, other = (draw(source, project, name)[0] for name in ("one", "other"))
    names = sorted(path.name for path in one.iterdir())
    assert len(names) == 2 * 3
    assert [(one / n).read_bytes() for n in names] == [(other / n).read_bytes() for n in names]


def test_table_holds_what_is_drawn(source, project):
    folder, _ = draw(source, project, "drawn")
    rates = pd.read_csv(folder / "success_by_task.csv")
    assert len(rates) == 2 * (1 + 2), "all tasks and each, by condition"
    assert set(rates["rate"]) == {round(2 / 3, 4)}
    curve = pd.read_csv(folder / "learning_curve.csv")
    assert list(curve["training_seed"]) == [1] * 5 + [2] * 5
    assert curve["loss"][0] == 1
    assert curve["smoothed_loss"][0] < 1


def test_axes_have_titles(source, project, monkeypatch):
    """Read off the pictures, whose text is drawn as text for once."""
    monkeypatch.setitem(matplotlib.rcParams, "svg.fonttype", "none")
    folder, _ = draw(source, project, "drawn")
    for name, titles in (
        ("learning_curve", ("training step", "training loss (log scale)", "learning rate")),
        ("success_by_task", ("task", "success rate (%)", "target 50 %", "held-out paraphrases")),
    ):
        drawn = re.findall(r"<text[^>]*>([^<]*)</text>", (folder / f"{name}.svg").read_text())
        assert set(titles) <= set(drawn)


@pytest.mark.parametrize("line", ['TITLE = "Dots"', 'CAPTION = "Some dots."'])
def test_figure_without_words_is_refused(project, line):
    (project / FOLDER / "dots.py").write_text(DOTS.replace(line, ""))
    with pytest.raises(UserError, match=rf"dots\.py is no figure: it sets no {line.split()[0]}"):
        find_figures(project)


def test_figure_that_draws_nothing_is_refused(source, project):
    (project / FOLDER / "dots.py").write_text(DOTS.replace("def draw", "def paint"))
    with pytest.raises(UserError, match=r"dots\.py is no figure: it has no function draw"):
        draw(source, project, "drawn")


def test_a_figure_more_concerns_figures_and_what_shows_them(experiment):
    (experiment.root / FOLDER / "dots.py").write_text(DOTS)
    after = Plan(experiment.root, {"experiments": [experiment.name]}).experiments[experiment.name]
    assert after.documents["figures"].key != experiment.documents["figures"].key
    assert after.documents["readme"].key != experiment.documents["readme"].key
    assert after.documents["summary"].key == experiment.documents["summary"].key
    assert after.documents["models"].key == experiment.documents["models"].key
    assert [run.key for run in after.runs] == [run.key for run in experiment.runs]


def test_figures_are_found_without_matplotlib():
    code = (
        "import sys; from pathlib import Path; from vla.plan.figures import find_figures; "
        f"assert len(find_figures(Path({str(ROOT)!r}))) >= 2; assert 'matplotlib' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
