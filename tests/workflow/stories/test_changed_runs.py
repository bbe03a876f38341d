"""Runs whose difference is known: told exactly, and run again in a clean folder."""

from pathlib import Path

import pytest

from tests.commands import ask

pytestmark = pytest.mark.xdist_group("changed")


@pytest.fixture(scope="module")
def changed(finished, tmp_path_factory):
    """A project in which `a` was run again with another batch size, `b` with another number of threads.

    Neither change was committed. Not to be changed.
    """
    project = finished.copy(tmp_path_factory.mktemp("changed") / "project")
    settings = {"experiments": ["a", "b"], "comparisons": [["a", "b"]]}
    project.write_yaml("config/config.yaml", settings)
    project.change("a", "experiment", seed=1)
    project.commit()
    project.change("a", "training", batch_size=8)
    project.change("b", "resources", training_threads=2)
    project.snakemake("--until", "evaluate", "--config", "allow_dirty=True")
    return project


def old_and_new(changed, finished, experiment: str) -> tuple[str, str]:
    old = {run.name for run in finished.runs(experiment)}
    return tuple(
        str(run) for run in sorted(changed.runs(experiment), key=lambda r: r.name not in old)
    )


def test_other_batch_size_is_the_one_difference_that_is_listed(changed, finished):
    code, printed = ask(changed.root, "verify", *old_and_new(changed, finished, "a"))
    assert code == 11
    assert printed.startswith("UNDECIDED")  # four episodes show nothing
    assert "Differs in configuration:\n  training.batch_size 4 → 8\n" in printed + "\n"
    assert printed.count("Differs in") == 1


def test_other_number_of_threads_is_listed(changed, finished):
    _, printed = ask(changed.root, "verify", *old_and_new(changed, finished, "b"))
    assert "Differs in configuration:\n  threads 1 → 2\n" in printed + "\n"
    assert printed.count("Differs in") == 1


def test_replay_in_a_clean_folder_gives_the_same_bits(changed, finished, tmp_path):
    """Of a run with uncommitted changes, which its record keeps as a patch."""
    _, run = old_and_new(changed, finished, "a")
    assert "+  batch_size: 8" in (Path(run) / "uncommitted.patch").read_text()
    code, printed = ask(changed.root, "replay", run, str(tmp_path / "again"))
    assert code == 0, printed
    assert printed.startswith("IDENTICAL")


def test_snakemake_target_answers_as_the_command_does(finished, project):
    def ask_snakemake(one, other, ok):
        return project.snakemake("verify", "--config", f'verify=["{one}","{other}"]', ok=ok)

    same = (p.runs("b")[0] for p in (finished, project))
    assert "IDENTICAL" in ask_snakemake(*same, ok=True)
    printed = ask_snakemake(*(project.runs(name)[0] for name in "ab"), ok=False)
    assert "UNDECIDED" in printed
    assert "model.type BC → RT1" in printed
    assert "Which two runs?" in project.snakemake("verify", ok=False)
