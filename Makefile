# Two commands do all the set-up on a fresh machine with Python 3.11: `make demo` and `make test`. `make help` lists the rest.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# Files of tests are shared out over the cores, long ones first; a file stays on one, so its fixtures are made once.
PARALLEL ?= -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder
export NBA_PIPELINE_HOME ?= $(CURDIR)/.nba_pipeline
PORT ?= 3000

.DEFAULT_GOAL := demo
.PHONY: help demo live-bigquery test test-all test-lowest test-newest dev lint bench mutation coverage reliability soak install docs site clean

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(INSTALLED)  ## run a simulated season through every table and show coverage and leaderboard
	$(BIN)/nba-pipeline demo

test: $(INSTALLED)  ## run the fast tests and the small twin of every guard: five minutes
	$(BIN)/pytest $(PARALLEL) -m "guard or not (integration or e2e or live)"

test-all: $(INSTALLED)  ## run all other tests: homes, processes, servers, whole runs
	$(BIN)/pytest $(PARALLEL) -m "not guard and (integration or e2e or live)"

lint: $(INSTALLED)  ## check style, imports between packages, and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/pyright --pythonpath $(BIN)/python

# The tests that use the libraries most, in environments of their own: with the lowest versions allowed and with the newest.
BORDERS := $(addprefix nba_pipeline_tests/,unit/cli unit/contracts unit/engine unit/systems unit/sources unit/test_dependencies.py \
	integration/test_event_log.py integration/test_export.py integration/test_run_history.py)
BORDER_TOOLS := pytest httpx hypothesis time-machine zetasql gcp-storage-emulator libcst python-hcl2 grimp

test-lowest: CONSTRAINED := -c constraints-lowest.txt
test-lowest test-newest: test-%: setup.cfg constraints-lowest.txt
	$(PYTHON) -m venv $(VENV)-$*
	$(VENV)-$*/bin/pip install --quiet --disable-pip-version-check --upgrade $(CONSTRAINED) -e '.[alerts,live,mcp,postgres,kubernetes]' $(BORDER_TOOLS)
	$(VENV)-$*/bin/python -c 'import nba_pipeline.definitions'
	$(VENV)-$*/bin/pytest -o addopts=-q $(BORDERS)

test-lowest:  ## run the tests that use the libraries most on the lowest versions allowed
test-newest:  ## the same on the newest versions allowed

live-bigquery: $(INSTALLED)  ## prove the service itself on two days of every table, in scratch datasets: PROJECT=id of a Google Cloud project
	NBA_PIPELINE_LIVE_PROJECT=$(PROJECT) $(BIN)/pytest -n0 -q -s -rs -m live nba_pipeline_tests/e2e/test_bigquery_live.py

dev: $(INSTALLED)  ## open the UI on the same data, on port 3000 or PORT=..., pages on PAGES_PORT=...; READ_ONLY=1 without changes
	$(BIN)/python -m nba_pipeline.cli.dev --port $(PORT) $(if $(PAGES_PORT),--pages-port $(PAGES_PORT)) $(if $(filter-out 0,$(READ_ONLY)),--read-only)

bench: $(INSTALLED)  ## measure the whole graph; DATA=directory with landing files
	$(BIN)/python -m benchmarks.whole_graph $(DATA)

mutation: $(INSTALLED)  ## plant faults into the modules that matter most (or TARGET=reads), and write docs/mutation.md
	$(BIN)/python -m tools.mutation $(TARGET)

coverage: $(INSTALLED)  ## report which lines the tests of make test reach (or TESTS=directory): htmlcov/index.html
	$(BIN)/coverage run -m pytest -m "guard or not (integration or e2e or live)" $(TESTS)
	$(BIN)/coverage html --quiet
	$(BIN)/coverage report --skip-covered --sort=cover

reliability: $(INSTALLED)  ## prove the promises on real data, and write docs/reliability.md
	$(BIN)/python -m tools.reliability $(HARNESS)

soak: $(INSTALLED)  ## let 45 days of a season play themselves, with outages, corrections and restarts
	$(BIN)/python -m tools.reliability soak

docs: $(INSTALLED)  ## renew the generated files: pages, picture of the packages, snapshot of the definitions
	$(BIN)/python -m nba_pipeline.cli.docs docs
	$(BIN)/python tools/architecture.py docs/images/architecture.svg
	$(BIN)/python -m nba_pipeline_tests.support.definitions_snapshot

# An environment of its own, as the tests of the borders have: the tools of the site are no part of the package's.
site: $(INSTALLED)  ## build the documentation as a site with search and a page per table, in build/site; a broken link ends it
	$(PYTHON) -m venv $(VENV)-site
	$(VENV)-site/bin/pip install --quiet --disable-pip-version-check 'mkdocs-material>=9.7,<10'
	$(BIN)/python -m tools.site_pages build
	NO_MKDOCS_2_WARNING=1 $(VENV)-site/bin/mkdocs build --strict --config-file build/mkdocs.yml

install: $(INSTALLED)  ## make the virtual environment with the versions of constraints.txt

$(INSTALLED): setup.cfg constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not there: install Python 3.11, or name another with PYTHON=..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $(INSTALLED)

clean:  ## remove the environment and the data of the demo
	rm -rf $(VENV) .nba_pipeline
