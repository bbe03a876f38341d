#!/bin/sh
# Rendered by `make lock`. Snakemake runs it in the new environment.
set -eu
# Packages that conda-forge lacks: analyse.pip.txt, word for word.
mkdir -p "$CONDA_PREFIX/share/vla-environment"
python -m pip install --quiet --no-input --disable-pip-version-check \
    --no-deps --require-hashes --only-binary :all: \
    --report "$CONDA_PREFIX/share/vla-environment/pip-report.json" --requirement /dev/stdin <<'END'
xlsxwriter==3.3.1 \
    --hash=sha256:0867761912cceac76f97ffa76eeda18c623ae9217f601be8512f55b1af4bdb6e \
    --hash=sha256:8e2c89e59d733fe59e112317218c64fbbc276d90a8c144ebd6f7fa15e7ab184a
END
# The guard: the environment holds exactly its lock, or is not made.
python -m vla.locks.guard analyse "$CONDA_PREFIX"
