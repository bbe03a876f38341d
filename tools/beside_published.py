"""Published success rates and ours in one table: `python -m tools.beside_published EXPERIMENT`.

The published ones, with their sources and how their protocol differs, stand in
`config/published/<simulator>.yaml`; ours are computed from the episodes of every training seed.
"""

import sys

import pandas as pd

from vla.cli.shared import find_root, read_plan
from vla.config.evaluation import SimulatorSection
from vla.errors import UserError
from vla.files.described import check_file
from vla.files.yaml import read_yaml
from vla.plan.items import Experiment
from vla.plan.reading import load_experiment
from vla.records.evaluation import EvaluationRecord
from vla.simulation.metaworld_mt50.tasks import GROUPS
from vla.statistics.rates import success_rate


def column_of(simulator: SimulatorSection, task: str) -> str:
    """The column of the published table that a task counts for."""
    if simulator.type == "libero":
        return simulator.suite
    return next(group for group, tasks in GROUPS.items() if task in tasks)


def episodes_of(experiment: Experiment) -> pd.DataFrame:
    """The instructed episodes of every training seed; `UserError` before they were run."""
    tables = []
    for run in experiment.runs:
        evaluation = next(e for e in run.evaluations if e.condition == "instructed")
        record = EvaluationRecord.read(experiment.evaluation_record(run, evaluation))
        tables.append(pd.read_parquet(check_file(record.files.episodes, experiment.folder)))
    return pd.concat(tables)


def render(published: dict, episodes: pd.DataFrame | None, simulator: SimulatorSection) -> str:
    """A Markdown table in percent. `episodes`: ours, or None before there are any."""
    columns = published["columns"]
    lines = [
        f"| Policy | {' | '.join(columns)} | mean of columns | mean of tasks | Source |",
        f"|---|{'---|' * len(columns)}---|---|---|",
    ]
    for row in published["rows"]:
        mean = sum(row["scores"]) / len(row["scores"])
        scores = " | ".join(f"{score:.1f}" for score in row["scores"])
        lines.append(f"| {row['policy']} | {scores} | {mean:.1f} | | {row['source']} |")
    if episodes is not None:
        lines.append(_ours(columns, episodes, simulator))
    return "\n".join([*lines, "", *(f"- {text}" for text in published["differences"])])


def _ours(columns: list[str], episodes: pd.DataFrame, simulator: SimulatorSection) -> str:
    """Rates with 95 % intervals (Wilson); crashed episodes count for none."""
    column = episodes["task"].map(lambda task: column_of(simulator, task))
    rates = {name: success_rate(rows) for name, rows in episodes.groupby(column)}
    cells = [
        f"{100 * rates[name].rate:.1f} [{100 * rates[name].low:.0f}, {100 * rates[name].high:.0f}]"
        if name in rates
        else ""
        for name in columns
    ]
    means = [100 * rate.rate for rate in rates.values()]
    of_columns = f"{sum(means) / len(means):.1f}" if len(means) == len(columns) else ""
    by_task = [100 * success_rate(rows).rate for _, rows in episodes.groupby("task")]
    of_tasks = f"{sum(by_task) / len(by_task):.1f}"
    return f"| here, {len(episodes)} episodes | {' | '.join(cells)} | {of_columns} | {of_tasks} | |"


def main(name: str) -> None:
    root = find_root()
    config = load_experiment(root / "experiments" / name / "config.yaml")
    simulator = config.evaluation.simulator
    published = read_yaml(root / "config/published" / f"{simulator.type}.yaml")
    try:
        episodes = episodes_of(read_plan().experiment_in(name))
    except UserError as error:
        episodes = None
        print(f"Not evaluated here: {error.problem}", file=sys.stderr)
    print(render(published, episodes, simulator))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except UserError as error:
        sys.exit(str(error))
