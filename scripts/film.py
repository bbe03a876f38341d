"""Film a few episodes of one evaluation."""

from pathlib import Path

from vla.evaluation.episodes import read_results
from vla.evaluation.film import choose, film
from vla.evaluation.protocol import EpisodeResult
from vla.files.atomic import remove_leftovers, write_atomic
from vla.files.clock import now
from vla.files.described import check_file, describe_file
from vla.files.exclusive import exclusive
from vla.plan.items import Evaluation, Experiment, Run, find
from vla.records.circumstances import write_patch
from vla.records.evaluation import EvaluationRecord
from vla.records.film import FilmedEpisode, FilmFiles, FilmRecord
from vla.records.run import RunRecord
from vla.workflow.job import Job, start_job


def film_evaluation(experiment: Experiment, run: Run, evaluation: Evaluation, job: Job) -> None:
    """Write a GIF of each chosen episode, and the record last."""
    record = experiment.film_record(run, evaluation)
    circumstances, diff = job.circumstances(evaluation.film, experiment)
    remove_leftovers(record.parent)
    evaluated = EvaluationRecord.read(experiment.evaluation_record(run, evaluation))
    episodes = check_file(evaluated.files.episodes, experiment.folder)
    chosen = choose(read_results(episodes), experiment.config.evaluation.videos_per_task)
    films = _film(chosen, experiment, run, evaluated, record.parent) if chosen else []
    finished = FilmRecord(
        **dict(circumstances),
        key=evaluation.film.key,
        identity=evaluation.film.identity,
        experiment=experiment.name,
        condition=evaluation.condition,
        run=run.key,
        evaluation=evaluation.key,
        films=films,
        files=FilmFiles(patch=write_patch(record, diff, experiment.folder)),
        finished=now(),
    )
    finished.write(record)


def _film(
    chosen: list[EpisodeResult],
    experiment: Experiment,
    run: Run,
    evaluated: EvaluationRecord,
    folder: Path,
) -> list[FilmedEpisode]:
    # PyTorch and the simulator take seconds that a job without a video need not wait for.
    from vla.evaluation.batching import BatchedPolicy
    from vla.evaluation.evaluator import Evaluator
    from vla.policies.storage import load_policy

    trained = RunRecord.read(experiment.run_record(run))
    trained.check_files(experiment.folder)
    config = experiment.config.evaluation
    policy = load_policy(experiment.folder / trained.files.policy.path, evaluated.device)
    if config.batch_size > 1:
        policy = BatchedPolicy(policy, config.batch_size)  # alone in its batch: the same actions
    evaluator = Evaluator(policy, config, evaluated.determinism.mode)
    films = []
    for result in chosen:
        plan = result.plan
        path = folder / f"{plan.task}-{plan.episode:03d}-{result.outcome}.gif"
        content = film(result, evaluator.run)
        write_atomic(path, lambda temporary, content=content: temporary.write_bytes(content))
        films.append(
            FilmedEpisode(
                task=plan.task,
                episode=plan.episode,
                outcome=result.outcome,
                file=describe_file(path, experiment.folder),
            )
        )
    evaluator.close()
    return films


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
