"""Published success rates and ours in one table: `python -m tools.beside_published EXPERIMENT`.

The published ones, with their sources and how their protocol differs, stand in
`config/published/<simulator>.yaml`; ours are computed from the episodes of every training seed.
"""

import sys
from pathlib import Path

import pandas as pd

from vla.cli.shared import find_root, read_plan
from vla.config.evaluation import SimulatorSection
from vla.errors import UserError
from vla.files.described import check_file
from vla.files.yaml import read_yaml
from vla.plan.items import Experiment
from vla.records.evaluation import EvaluationRecord
from vla.simulation.metaworld_mt50.tasks import GROUPS
from vla.statistics.rates import wilson


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
    table = pd.concat(tables)
    return table[table["outcome"] != "crash"]


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
    group = episodes["task"].map(lambda task: column_of(simulator, task))
    cells, rates = [], []
    for column in columns:
        chosen = episodes[group == column]["success"]
        if len(chosen):
            low, high = wilson(int(chosen.sum()), len(chosen))
            cells.append(f"{100 * chosen.mean():.1f} [{100 * low:.0f}, {100 * high:.0f}]")
            rates.append(100 * chosen.mean())
        else:
            cells.append("")
    mean = f"{sum(rates) / len(rates):.1f}" if len(rates) == len(columns) else ""
    by_task = 100 * episodes.groupby("task")["success"].mean().mean()
    return f"| here, {len(episodes)} episodes | {' | '.join(cells)} | {mean} | {by_task:.1f} | |"


def main(name: str) -> None:
    experiment = read_plan().experiment_in(name)
    simulator = experiment.config.evaluation.simulator
    path = Path(find_root(), "config/published", f"{simulator.type}.yaml")
    print(render(read_yaml(path), episodes_of(experiment), simulator))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except UserError as error:
        sys.exit(str(error))
