# Everything a developer or a build server asks of this repository. `make` sets it up and lists the targets.
# Each target brings what it needs; what is done already costs nothing the second time.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

PYTHON ?= python3
WORKERS ?= 2
ONCE ?=
ARGS ?=

BIN := .venv/bin
UV := $(BIN)/uv
INSTALLED := .venv/.stamp-installed
SYSTEM := .venv/.stamp-system

# uv reads no pip.conf: the machine's own certificates and a mirror given to pip hold for it too.
export UV_SYSTEM_CERTS := 1
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif

step = @printf '\n\033[1m==> %s\033[0m\n' "$(1)"

.PHONY: all
all: .venv help

.PHONY: help
help: ## Say what can be made
	@if [ -t 1 ]; then name='\033[36m%-13s\033[0m'; else name='%-13s'; fi; \
	printf 'Trimtab: make TARGET\n\n'; \
	sed -nE 's/^([a-z0-9-]+):[^#]*## (.*)/\1\t\2/p' Makefile | while IFS=$$'\t' read -r target text; do \
		printf "  $$name %s\n" "$$target" "$$text"; done; \
	printf '\nFirst time here: make demo\n'

.PHONY: demo
demo: $(INSTALLED) $(SYSTEM) ## Play the story on a real control plane and stay up (ONCE=1: exit at its end)
	@$(BIN)/trimtab demo $(if $(ONCE),--once) $(ARGS)

.PHONY: test
test: unit integration e2e faults ## Run all tests on the real control plane, with the coverage gate

.PHONY: unit
unit: $(INSTALLED) $(SYSTEM) ## Run the unit tests and the coverage gate of the pure packages
	$(call step,Unit tests)
	@$(BIN)/pytest tests/unit -n $(WORKERS) --cov --cov-report= $(ARGS)
	@$(BIN)/python tests/coverage_gate.py

.PHONY: control-plane
control-plane: $(INSTALLED) $(SYSTEM) ## Fetch or build the programs of the control plane
	$(call step,Control plane)
	@$(BIN)/python -m tests.control_plane

.PHONY: integration
integration: control-plane ## Run the adapters and the loop against a real API server and git server
	$(call step,Integration tests)
	@$(BIN)/pytest tests/integration -n $(WORKERS) --dist loadfile $(ARGS)

.PHONY: e2e
e2e: control-plane ## Run the program as its users do, through the CLI and kubectl
	$(call step,End-to-end tests)
	@$(BIN)/pytest tests/e2e -n $(WORKERS) --dist loadfile $(ARGS)

.PHONY: faults
faults: control-plane ## Kill, cut and restart what the controller depends on
	$(call step,Faults)
	@$(BIN)/pytest tests/faults -n $(WORKERS) --dist loadfile $(ARGS)

.PHONY: campaign
campaign: control-plane ## Mutate at random, kill, cut and fail all around the controller, as often as you like (ARGS=...)
	$(call step,Campaign)
	@$(BIN)/python -m tests.campaign $(ARGS)

.PHONY: bench
bench: control-plane ## Measure speed, requests and memory, as ratios to the floor
	$(call step,Bench)
	@$(BIN)/python -m tests.bench $(ARGS)

.PHONY: lint
lint: style types layers generated ## Check style, types, layers and that generated files are fresh

.PHONY: style
style: $(INSTALLED)
	$(call step,Style)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

.PHONY: types
types: $(INSTALLED)
	$(call step,Types)
	@$(BIN)/mypy

.PHONY: layers
layers: $(INSTALLED)
	$(call step,Layers)
	@$(BIN)/lint-imports --no-logo

.PHONY: generated
generated: $(INSTALLED)
	$(call step,Generated files)
	@$(BIN)/trimtab crds --check crds

.PHONY: format
format: $(INSTALLED) ## Format the code and mend what can be mended
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

.PHONY: crds
crds: $(INSTALLED) ## Write crds/*.yaml from the models
	@$(BIN)/trimtab crds --output-dir crds

.PHONY: lock
lock: $(INSTALLED) ## Resolve the dependencies anew (ARGS=--upgrade: to their newest versions)
	$(call step,requirements.lock)
	@export UV_CUSTOM_COMPILE_COMMAND='make lock'; \
	compile() { $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url "$$@"; }; \
	compile --extra dev pyproject.toml --output-file requirements.lock $(ARGS); \
	compile .ci/bootstrap.in --output-file .ci/bootstrap.lock $(ARGS)

.PHONY: clean
clean: ## Remove the environment and every cache in this folder
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.* htmlcov dist
	@find controller tests -name __pycache__ -type d -prune -exec rm -rf {} +

# ------------------------------------------------------------------------------------------------------ what they need

.venv: $(INSTALLED)

$(INSTALLED): requirements.lock pyproject.toml .ci/bootstrap.lock
	$(call step,Python environment in .venv)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "$(PYTHON) is too old: Python 3.11 or newer is needed (make PYTHON=python3.12)." >&2; exit 1; }
	@[ -x $(BIN)/pip ] || $(PYTHON) -m venv .venv \
		|| { echo "python3 -m venv failed: on Debian and Ubuntu, install python3-venv." >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .ci/bootstrap.lock
	@$(UV) pip sync --python $(BIN)/python --require-hashes requirements.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

$(SYSTEM): .ci/system-packages | $(INSTALLED)
	$(call step,System packages)
	@.ci/system-packages
	@touch $@
