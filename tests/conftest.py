"""What all tests share."""

import sys
from pathlib import Path

# A bare `pytest` puts only the folders of test files on the path; processes spawned by tests copy it.
sys.path.insert(0, str(Path(__file__).parents[1]))
