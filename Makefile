# Two commands do all the set-up on a fresh machine with Python 3.11: `make demo` and `make test`.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
export NBA_PIPELINE_HOME ?= $(CURDIR)/.nba_pipeline
PORT ?= 3000

.PHONY: demo test dev lint bench mutation reliability soak install docs clean

demo: $(INSTALLED)  ## run a simulated season through every table and show what came of it
	$(BIN)/nba-pipeline demo

test: $(INSTALLED)  ## run the tests
	$(BIN)/pytest

lint: $(INSTALLED)  ## check style, imports between packages, and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/pyright --pythonpath $(BIN)/python

dev: $(INSTALLED)  ## open the UI on the same data: http://127.0.0.1:$(PORT)
	$(BIN)/python -m nba_pipeline.cli.dev --port $(PORT)

bench: $(INSTALLED)  ## measure the whole graph; DATA=directory with landing files
	$(BIN)/python benchmarks/whole_graph.py $(DATA)

mutation: $(INSTALLED)  ## plant faults into the modules that matter most, and write docs/mutation.md
	$(BIN)/python -m tools.mutation

reliability: $(INSTALLED)  ## prove the promises on real data, and write docs/reliability.md
	$(BIN)/python -m tools.reliability $(HARNESS)

soak: $(INSTALLED)  ## let 45 days of a season play themselves, with outages, corrections and restarts
	$(BIN)/python -m tools.reliability soak

docs: $(INSTALLED)  ## renew docs/landing.md, docs/tables.md and the picture of the packages
	$(BIN)/python -m nba_pipeline.cli.docs docs
	$(BIN)/python tools/architecture.py docs/images/architecture.svg

install: $(INSTALLED)

$(INSTALLED): setup.cfg constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not there: install Python 3.11, or name another with PYTHON=..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $(INSTALLED)

clean:  ## remove the environment and the data of the demo
	rm -rf $(VENV) .nba_pipeline
