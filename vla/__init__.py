"""Library behind the workflow: data, policies, training, evaluation, statistics, provenance."""

import sys
from pathlib import Path

# Snakemake puts the host's packages behind the search path of every script. In a locked environment
# they would fill gaps unnoticed, with packages of another Python.
if Path(sys.prefix, "share/vla-environment").is_dir():
    sys.path[:] = [
        entry
        for entry in sys.path
        if not entry.endswith("site-packages") or Path(entry).is_relative_to(sys.prefix)
    ]
