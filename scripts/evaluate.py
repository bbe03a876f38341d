"""Run one condition's episodes of one trained policy in simulation."""

from pathlib import Path

from vla.checks.committed import require_committed
from vla.errors import UserError
from vla.evaluation.episodes import episodes_table
from vla.evaluation.journal import Journal
from vla.evaluation.protocol import plan_episodes
from vla.evaluation.video import choose, film
from vla.evaluation.workers import run_episodes
from vla.files.atomic import remove_leftovers, write_atomic
from vla.files.described import check_file
from vla.files.exclusive import exclusive
from vla.files.sealed import read_sealed
from vla.plan.items import Evaluation, Experiment, Run
from vla.policies.policy import PolicySpec
from vla.policies.storage import read_policy_facts
from vla.process.determinism import choose_device, set_determinism
from vla.records.record import Circumstances, write_record
from vla.simulation.metaworld.cameras import renderer_description
from vla.workflow.job import job, load_plan


def evaluate(
    experiment: Experiment,
    run: Run,
    evaluation: Evaluation,
    record: Path,
    workers: int,
    root: Path,
    allow_dirty: bool,
) -> None:
    """Run the episodes, film some, and write the record last."""
    config = experiment.config.evaluation
    switches = set_determinism(threads=1)
    circumstances = Circumstances.capture(root)
    if not allow_dirty:
        require_committed(circumstances.git, evaluation.identity["code"], experiment.name, root)
    for folder in (record.parent, record.parent / "videos"):
        remove_leftovers(folder)
    for file in read_sealed(experiment.run_record(run))["files"]:
        check_file(file, experiment.folder)
    policy_file = experiment.folder / "checkpoints" / run.name / "policy.safetensors"
    facts = read_policy_facts(policy_file)
    device = str(choose_device(experiment.accelerator))
    plans = plan_episodes(
        config, evaluation.condition, facts["tasks"], tuple(facts["demonstration_seeds"])
    )
    spec = PolicySpec.from_json(facts["spec"])
    for plan in plans:  # a sentence that is too long is a mistake, not a hundred crashes
        spec.vocabulary.encode(plan.instruction, facts["model"]["max_words"])
    journal = Journal(record.with_name("episodes.journal"))
    results = run_episodes(plans, policy_file, config, device, workers, journal)
    if all(result.outcome == "crash" for result in results):
        raise UserError(
            f"Every episode crashed; the first said:\n{results[0].error}",
            "Mend what it names and run snakemake again.",
        )
    table = episodes_table(results, evaluation.condition, run.seed)
    episodes = record.with_name("episodes.parquet")
    write_atomic(episodes, lambda path: table.drop(columns="seconds").to_parquet(path, index=False))
    videos = film(
        choose(results, config.videos_per_task),
        policy_file,
        config,
        device,
        record.parent / "videos",
    )
    write_record(
        record,
        experiment.folder,
        circumstances=circumstances,
        kind="evaluation",
        key=evaluation.key,
        identity=evaluation.identity,
        files=[episodes, *videos],
        facts={
            "experiment": experiment.name,
            "condition": evaluation.condition,
            "run": run.key,
            "policy": facts["weights"],
            "device": device,
            "determinism": switches,
            "renderer": renderer_description(),
            "episodes": len(table),
            "outcomes": table["outcome"].value_counts().to_dict(),
            "episode_seconds": float(table["seconds"].sum()),
        },
    )
    journal.remove()


if __name__ == "__main__":
    words = snakemake.wildcards
    label = f"{words.experiment} {words.run.split('-')[0]} {words.evaluation.split('-')[0]}"
    with job("evaluate", snakemake.log[0], label) as root:
        plan = load_plan(snakemake)
        experiment = plan.find_experiment(words.experiment)
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
                root,
                plan.config.allow_dirty,
            )
