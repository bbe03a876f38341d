"""What all tests share."""

import gc
import os
import sys
from pathlib import Path

# A bare `pytest` puts only the folders of test files on the path; processes spawned by tests copy it.
sys.path.insert(0, str(Path(__file__).parents[1]))

# Where an image sets it, each of the hundreds of processes that tests start would compile the library anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# Each call of DVC in a folder of a test would start a process that reports to its makers.
os.environ["DVC_NO_ANALYTICS"] = "true"


def pytest_collection_finish() -> None:
    """What tests import stays until they end; the garbage collector would look through it again and again."""
    gc.freeze()
