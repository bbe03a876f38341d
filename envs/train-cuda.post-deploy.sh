#!/bin/sh
# Rendered by `make lock`. Snakemake runs it in the new environment.
set -eu
# Packages that conda-forge lacks: train-cuda.pip.txt, word for word.
mkdir -p "$CONDA_PREFIX/share/vla-environment"
python -m pip install --quiet --no-input --disable-pip-version-check \
    --no-deps --require-hashes --only-binary :all: \
    --report "$CONDA_PREFIX/share/vla-environment/pip-report.json" --requirement /dev/stdin <<'END'
mlflow-skinny==3.17.2 \
    --hash=sha256:31be9190494212ccd94774170fd06f6fe04d209aae3923eefd16f9bf7830d63c \
    --hash=sha256:5f2a0812d019a8f517a58f1377922f75af4f42832be30c8f1441005b51288596
wandb==0.28.0 \
    --hash=sha256:325b2d0bd88be6eda5db10542499bad3710927f2569c81a84dc5eeaffc76825c \
    --hash=sha256:6dbcba12ab168aa37561f2f32dcdef8713495fc25fa7d30fdc9bfb37989694dd \
    --hash=sha256:8834ef3a7c8c43b701654162783caa7ad37af48a0ff06fc35d0d65a411f76ccd \
    --hash=sha256:8954bc1c62ae43914dce2bebfd1d9957f72350f8fbb78e5cdfe2ca9b6be8a7b8 \
    --hash=sha256:9fec6c908554c2dad33110c1312bc3028cc2e430f0679f16b84f82c8ea801e3b \
    --hash=sha256:ac1f82292e2da4f98297b78c3a46726b3a6c5734ecb75fc39b8db2c8a4989159 \
    --hash=sha256:ae255da18726ee8e731ef82cbc85035b901a28ae14cf91604c361b44b8d44ce0 \
    --hash=sha256:b20e5af0fe80e2e2a466b0466a1d60cedcc578dce0f036eca04f4a0adcad95b6 \
    --hash=sha256:c3dab1205a5aca4abbad1eca08902cdba86add0edfa83d8d61b4429d0e79fa87 \
    --hash=sha256:c5b0faf1b84cf79ebabed77538c1940a4c6053e815f767a4004e877a1354bed1
END
# The guard: the environment holds exactly its lock, or is not made.
python -m vla.locks.guard train-cuda "$CONDA_PREFIX"
