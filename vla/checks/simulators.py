"""Whether what a simulator needs is here, beyond its environment."""

from vla.errors import UserError
from vla.plan.items import Experiment
from vla.plugins import find_plugin
from vla.records.check import Finding


def simulator_findings(experiment: Experiment) -> list[Finding]:
    """One line where something of the user's decides what it does, such as a checkout."""
    settings = experiment.config.evaluation.simulator
    simulator = find_plugin("simulators", settings.type)
    if not (simulator.folder / "outside.py").is_file():
        return []
    environment = experiment.runs[0].evaluations[0].identity["environment"]
    use_conda = environment["deployment"] == "conda"
    try:
        found = simulator.load("outside").check(settings, use_conda=use_conda)
        return [Finding("simulator", "ok", found)]
    except UserError as error:
        return [Finding("simulator", "fail", error.problem, error.way_out)]
