"""Find the simulator that the configuration names.

A simulator may depend on what is neither in this repository nor in the locked environment, such as a
checkout of the user's. It then has a module `outside.py`, which imports no simulator:

- `identity(settings)`: what a key says of that, known where plans are made: name -> version or hash;
- `check(settings)`: what was found, in words; `UserError` when a job could not run with it.
"""

from types import ModuleType

from vla.config.evaluation import SimulatorSection
from vla.plugins import find_plugin
from vla.simulation.protocol import Simulator


def load_simulator(settings: SimulatorSection) -> Simulator:
    """The simulator of `settings.type`, with these settings; `UserError` when there is none."""
    return find_plugin("simulators", settings.type).load("simulator").Simulator(settings)


def outside_module(settings: SimulatorSection) -> ModuleType | None:
    """The simulator's `outside.py`, if it has one."""
    plugin = find_plugin("simulators", settings.type)
    return plugin.load("outside") if (plugin.folder / "outside.py").is_file() else None
