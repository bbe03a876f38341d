"""Film a few episodes of one evaluation."""

from pathlib import Path
from typing import Any

from vla.evaluation.episodes import read_results
from vla.evaluation.film import choose, film
from vla.evaluation.protocol import EpisodeResult
from vla.files.atomic import remove_leftovers, write_atomic
from vla.files.described import check_file
from vla.files.exclusive import exclusive
from vla.files.sealed import read_sealed
from vla.plan.items import Evaluation, Experiment, Run, find
from vla.records.record import write_record
from vla.workflow.job import Job, start_job


def film_evaluation(experiment: Experiment, run: Run, evaluation: Evaluation, job: Job) -> None:
    """Write a GIF of each chosen episode, and the record last."""
    record = experiment.film_record(run, evaluation)
    circumstances = job.circumstances(evaluation.film, experiment)
    remove_leftovers(record.parent)
    evaluated = read_sealed(experiment.evaluation_record(run, evaluation))
    episodes = next(
        check_file(file, experiment.folder)
        for file in evaluated["files"]
        if file["path"].endswith("episodes.parquet")
    )
    chosen = choose(read_results(episodes), experiment.config.evaluation.videos_per_task)
    videos = _film(chosen, experiment, run, evaluated["device"], record.parent) if chosen else {}
    write_record(
        record,
        experiment.folder,
        circumstances=circumstances,
        kind="film",
        key=evaluation.film.key,
        identity=evaluation.film.identity,
        files=list(videos),
        facts={
            "experiment": experiment.name,
            "condition": evaluation.condition,
            "run": run.key,
            "evaluation": evaluation.key,
            "videos": [
                {"path": path.relative_to(experiment.folder).as_posix(), **facts}
                for path, facts in videos.items()
            ],
        },
    )


def _film(
    chosen: list[EpisodeResult], experiment: Experiment, run: Run, device: str, folder: Path
) -> dict[Path, dict[str, Any]]:
    """GIF -> task, episode and outcome that it shows."""
    # PyTorch and the simulator take seconds that a job without a video need not wait for.
    from vla.evaluation.evaluator import Evaluator

    for file in read_sealed(experiment.run_record(run))["files"]:
        check_file(file, experiment.folder)
    policy = experiment.folder / "checkpoints" / run.name / "policy.safetensors"
    evaluator = Evaluator(policy, experiment.config.evaluation, device)
    videos = {}
    for result in chosen:
        plan = result.plan
        path = folder / f"{plan.task}-{plan.episode:03d}-{result.outcome}.gif"
        content = film(result, evaluator.run)
        write_atomic(path, lambda temporary, content=content: temporary.write_bytes(content))
        videos[path] = {"task": plan.task, "episode": plan.episode, "outcome": result.outcome}
    evaluator.close()
    return videos


if __name__ == "__main__":
    words = snakemake.wildcards
    label = f"film {words.experiment} {words.run.split('-')[0]} {words.evaluation.split('-')[0]}"
    with start_job(snakemake, label) as job:
        experiment = job.plan.find_experiment(words.experiment)
        run = experiment.find_run(words.run)
        evaluation = run.find_evaluation(words.evaluation)
        find((evaluation.film,), f"film-{words.key}")
        with exclusive(Path(snakemake.output[0]).parent):
            film_evaluation(experiment, run, evaluation, job)
