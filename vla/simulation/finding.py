"""Find the simulator that the configuration names."""

from vla.config.evaluation import SimulatorSection
from vla.plugins import find_plugin
from vla.simulation.protocol import Simulator


def load_simulator(settings: SimulatorSection) -> Simulator:
    """The simulator of `settings.type`, with these settings; `UserError` when there is none."""
    return find_plugin("simulators", settings.type).load("simulator").Simulator(settings)
