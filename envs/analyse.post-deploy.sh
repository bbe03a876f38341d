#!/bin/sh
# Rendered by `make lock`. Snakemake runs it in the new environment.
set -eu
# Packages that conda-forge lacks: analyse.pip.txt, word for word.
mkdir -p "$CONDA_PREFIX/share/vla-environment"
python -m pip install --quiet --no-input --disable-pip-version-check \
    --no-deps --require-hashes --only-binary :all: \
    --report "$CONDA_PREFIX/share/vla-environment/pip-report.json" --requirement /dev/stdin <<'END'
typst==0.15.2 \
    --hash=sha256:11c6f06b47dd0e3448720d120ab79dd488b83a5c525f66133f8ebc6f909404b1 \
    --hash=sha256:19d77c2eb4c423f2517f585ce7876bd4fc96d9c2355985c7b1e0943c1b3c4541 \
    --hash=sha256:36ec8e548bb77763eea79a3fab3982823fa99d5ce98bdcca7fa36888a8fe2015 \
    --hash=sha256:39f9320f7a07623e90b0a53cc5e913649cf381d2ff7e9293a5bc327831811a36 \
    --hash=sha256:4dad10ec2f209e19c2473bbaf294004d5cde885206a6b6c2a6bb5f6c1488e243 \
    --hash=sha256:56c78492487bc538edaaecc8b78d1d6f22d277ba0c142c01f64a58372fa28a27 \
    --hash=sha256:64b414e202fb9b02ad9be261bc66d472665f1d37ed65c72ab83f3fb14998faac \
    --hash=sha256:70393c16cd69912a37898716e8a20845ec996aeef0fb11b953126a00e698d881 \
    --hash=sha256:8494e91a3d704baeff99257738c63f77ed49a5232fcfe3f8f813b9b3209a996e \
    --hash=sha256:98b69d80bf15ce36528b89e68a83a5af130071865f0bf96e24c118fa114592ec \
    --hash=sha256:99fe0916980cab453e60332125e133c737bf3b76efd325b60d055c551e5887a1 \
    --hash=sha256:9f168900b4a089cf8be40e07c52fb1ad99e628a71343fb2424255f2891c75bca \
    --hash=sha256:ab55372ccc72082500b3d7ee0cd0346f36a50030e40ad9e253ea7e09b8c6f67a \
    --hash=sha256:c18b97875072123534fb86455794c7b534deaa1b61dae8fb9b93e0e083a9eff6 \
    --hash=sha256:d398cc614ae4a3c31499e5ba7e187739906fab00b14144d693208c74772aad76 \
    --hash=sha256:d6a80c70014d185d4ba8cce7712ef8a20efb0451465008fd2d8846d71480f201 \
    --hash=sha256:d6d8a9c7700202fdd8488ffbcbe959d3f730590905bfbbfdcbb781e1c403e923 \
    --hash=sha256:eb8ad3587e3f1c90a8ef2fd4d6f50d5a1f27d762b31faba6b91cee95fded5f8a \
    --hash=sha256:ebdc708354082139da59893c5d6dbdd2b30970fbbf4396465756c7e62acfa33a \
    --hash=sha256:eecc84a47f665f33fcae3923af35f1bac39c10d15f655146bfc5b3d310adcb1a \
    --hash=sha256:f7a266427df5ca826ebf213e3bcc0b2dca8c43cb8256968f26daa325220a286d
xlsxwriter==3.3.1 \
    --hash=sha256:0867761912cceac76f97ffa76eeda18c623ae9217f601be8512f55b1af4bdb6e \
    --hash=sha256:8e2c89e59d733fe59e112317218c64fbbc276d90a8c144ebd6f7fa15e7ab184a
END
# The guard: the environment holds exactly its lock, or is not made.
python -m vla.locks.guard analyse "$CONDA_PREFIX"
