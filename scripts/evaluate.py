"""Run one condition's episodes of one trained policy in simulation."""

from collections import Counter
from pathlib import Path

from vla.errors import UserError
from vla.evaluation.episodes import crash_reports, episodes_table
from vla.evaluation.journal import Journal
from vla.evaluation.protocol import EpisodeResult, plan_episodes
from vla.evaluation.workers import evaluator_maker, run_episodes
from vla.files.atomic import remove_leftovers, write_atomic
from vla.files.clock import now
from vla.files.described import File, describe_file
from vla.files.exclusive import exclusive
from vla.plan.items import Evaluation, Experiment, Run
from vla.policies.storage import load_policy, read_description
from vla.process.determinism import choose_device, evaluation_mode, set_determinism
from vla.records.circumstances import write_patch
from vla.records.crashes import CrashesRecord
from vla.records.evaluation import EvaluationFiles, EvaluationRecord
from vla.records.run import RunRecord
from vla.simulation.finding import load_simulator
from vla.workflow.job import Job, start_job


def evaluate(
    experiment: Experiment,
    run: Run,
    evaluation: Evaluation,
    record: Path,
    workers: int,
    job: Job,
) -> None:
    """Run the episodes, and write the record last."""
    config = experiment.config.evaluation
    mode = evaluation_mode(experiment.config.training.determinism, experiment.accelerator)
    switches = set_determinism(threads=1, mode=mode)
    simulator = load_simulator(config.simulator)  # sets variables that the record names
    circumstances, diff = job.circumstances(evaluation, experiment)
    remove_leftovers(record.parent)
    trained = RunRecord.read(experiment.run_record(run))
    trained.check_files(experiment.folder)
    policy_file = experiment.folder / "checkpoints" / run.name / "policy.safetensors"
    description = read_description(policy_file)
    device = str(choose_device(experiment.accelerator))
    tasks = [task.model_dump(mode="json") for task in description.tasks]
    plans = plan_episodes(
        config, simulator, evaluation.condition, tasks, description.demonstration_seeds
    )
    processor = load_policy(policy_file).processor
    for plan in plans:  # a sentence that is too long is a mistake, not a hundred crashes
        for sentence in plan.sentences:
            processor.check(sentence)
    journal = Journal(record.with_name("episodes.journal"))
    make = evaluator_maker(policy_file, config, device, mode)
    results = run_episodes(plans, make, workers, journal)
    if all(result.outcome == "crash" for result in results):
        raise UserError(
            f"Every episode crashed; the first said:\n{results[0].error}",
            "Mend what it names and run snakemake again.",
        )
    table = episodes_table(results, evaluation.condition, run.seed)
    episodes = record.with_name("episodes.parquet")
    write_atomic(episodes, lambda path: table.to_parquet(path, index=False))
    files = EvaluationFiles(
        episodes=describe_file(episodes.absolute(), experiment.folder),
        crashes=_write_crashes(results, record, experiment.folder),
        patch=write_patch(record, diff, experiment.folder),
    )
    finished = EvaluationRecord(
        **dict(circumstances),
        key=evaluation.key,
        identity=evaluation.identity,
        experiment=experiment.name,
        condition=evaluation.condition,
        run=run.key,
        policy_sha256=trained.files.policy.sha256,
        device=device,
        determinism=switches,
        renderer=simulator.renderer(),
        episodes=len(results),
        outcomes=dict(Counter(result.outcome for result in results)),
        episode_seconds=sum(result.seconds for result in results),
        files=files,
        finished=now(),
    )
    finished.write(record)
    journal.remove()


def _write_crashes(results: list[EpisodeResult], record: Path, folder: Path) -> File | None:
    """The texts of errors, beside the record; None where no episode crashed."""
    path = record.with_name("crashes.json").absolute()
    path.unlink(missing_ok=True)  # of an earlier record of this key
    reports = crash_reports(results)
    if not reports:
        return None
    CrashesRecord(crashes=reports).write(path)
    return describe_file(path, folder)


if __name__ == "__main__":
    words = snakemake.wildcards
    label = f"{words.experiment} {words.run.split('-')[0]} {words.evaluation.split('-')[0]}"
    with start_job(snakemake, label) as job:
        experiment = job.plan.find_experiment(words.experiment)
        run = experiment.find_run(words.run)
        evaluation = run.find_evaluation(words.evaluation)
        record = Path(snakemake.output[0])
        with exclusive(record.parent):
            evaluate(
                experiment,
                run,
                evaluation,
                record,
                snakemake.threads,
                job,
            )
