"""Swept experiments, and the records that their jobs would write."""

import copy
import math

import pandas as pd
import yaml

from tests.project import SMALL
from tests.records import make_evaluation_record, make_job, make_run_record
from vla.plan.plan import Plan
from vla.plan.sweeps import Sweep
from vla.records.rung import RungRecord
from vla.records.validation import ValidationRecord

VALIDATION = "metaworld-4tasks-validation"
MEASURED = {"dataset": VALIDATION, "content": "f" * 64, "samples": 8}


def content(parameters: dict, seed: object = (1, 2), **sweep: object) -> dict:
    values = copy.deepcopy(SMALL)
    values["experiment"]["seed"] = list(seed) if isinstance(seed, tuple) else seed
    return values | {"sweep": {"parameters": parameters, "validation": VALIDATION} | sweep}


def plan(root, name: str, values: dict, **options) -> Plan:
    folder = root / "experiments" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(values, sort_keys=False))
    return Plan(root, {"experiments": [name]}, **options)


def finish(sweep: Sweep, losses: dict[str, float], successes: dict[str, int]) -> None:
    """Write what the jobs of all runs that are trained to the end would; by label: validation loss, and
    successes of ten episodes."""
    for combination in sweep.finalists():
        for number, run in enumerate(combination.runs):
            label = combination.label
            made = {"seed": run.seed, "key": run.key, "identity": run.identity, "final_loss": 0.5}
            make_run_record(**made).write(combination.run_record(run))
            for evaluation in run.evaluations:
                table = combination.results(run.name, evaluation.name, "episodes.parquet")
                table.parent.mkdir(parents=True, exist_ok=True)
                outcomes = ["success"] * successes[label] + ["failure"] * (10 - successes[label])
                pd.DataFrame(
                    {
                        "condition": "instructed",
                        "training_seed": run.seed,
                        "task": "t",
                        "outcome": outcomes,
                        "success": [outcome == "success" for outcome in outcomes],
                        "episode": range(10),
                    }
                ).to_parquet(table)
                make_evaluation_record(table, combination.folder).write(
                    table.with_name("evaluation.json")
                )
            ValidationRecord(
                **make_job(identity={"code": {}}),
                **MEASURED,
                run=run.key,
                policy_sha256="0" * 64,
                loss=losses[label] + 0.01 * number,
            ).write(combination.validation_record(run))


def reach(sweep: Sweep, number: int, losses: dict[str, list[float]]) -> None:
    """Write what the jobs of a rung, counted from 0, would; `losses`: label -> of each run. In this order."""
    combinations = {one.label: one for one in sweep.combinations}
    for label, of_runs in losses.items():
        combination = combinations[label]
        paths = combination.rung_records(number)
        for run, path, loss in zip(combination.runs, paths, of_runs, strict=True):
            RungRecord(
                **make_job(identity={"code": {}}),
                **MEASURED,
                run=run.key,
                step=sweep.halvings[number].step,
                policy_sha256="0" * 64,
                loss=loss,
                diverged="" if math.isfinite(loss) else "Training went wrong.",
            ).write(path)
