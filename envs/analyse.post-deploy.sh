#!/bin/sh
# Rendered by `make lock`. Snakemake runs it in the new environment.
set -eu
# The guard: the environment holds exactly its lock, or is not made.
python -m vla.locks.guard analyse "$CONDA_PREFIX"
