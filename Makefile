PYTHON ?= python3
PORT ?= 8000

VENV := .venv
RUN := $(VENV)/bin/python
INSTALL := $(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r
COMPILE := $(VENV)/bin/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

# One whose Python has gone from the machine is made anew.
define VIRTUAL_ENVIRONMENT
@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON) here. Install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3" >&2; exit 1; }
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "This needs Python 3.11 or newer, and $(PYTHON) is `$(PYTHON) -V 2>&1`. Name another one: make PYTHON=/path/to/python3" >&2; exit 1; }
@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
@$(RUN) -m pip --version >/dev/null 2>&1 || { echo "Making the virtual environment $(VENV) with `$(PYTHON) -V`."; $(PYTHON) -m venv --clear $(VENV); }
endef

.DEFAULT_GOAL := help
.PHONY: help demo up test trials chaos bench screenshots lint lock

help: ## what can be made (this list)
	@echo "make <target>, with Python 3.11 or newer; PYTHON=/path/to/python3 chooses another one."
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 15

demo: $(VENV)/.runtime ## everything, with demo accounts; make demo PORT=9000 serves it elsewhere
	@$(RUN) manage.py up --demo --port $(PORT)

up: $(VENV)/.runtime ## everything, with your own data
	@$(RUN) manage.py up --port $(PORT)

# A test that hangs fails with the lines at which its threads stand, and ends the run.
PYTEST := $(RUN) -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder --max-worker-restart 0 -o faulthandler_exit_on_timeout=true

test: $(VENV)/.dev ## all tests but the trials, in a few minutes
	$(PYTEST) -m "not trial" -o faulthandler_timeout=240

trials: $(VENV)/.dev ## the tests that take long: processes killed, outages, races, crowds, every look of every page
	$(PYTEST) -m trial -o faulthandler_timeout=900

chaos: $(VENV)/.dev ## kill everything again and again; make chaos SEED=7 TIMES=5 for seeds 7 to 11
	$(RUN) -m tests.faults $(if $(SEED),--seed $(SEED)) $(if $(TIMES),--times $(TIMES))

bench: $(VENV)/.dev ## measurements, as ratios; make bench ONLY=event_log for one of them
	$(RUN) -m tests.benchmarks $(ONLY)

screenshots: $(VENV)/.dev ## take docs/pictures anew from a demo of their own, in a few minutes
	$(RUN) -m tests.screenshots

# Without a person's .env: the same verdict on every machine.
lint: export ENV_FILE = /dev/null
lint: $(VENV)/.dev ## format, rules, types, import walls, missing migrations
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/ruff check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	@# That no database answers here is no finding.
	$(RUN) -W "ignore:Got an error checking a consistent migration history:RuntimeWarning" manage.py makemigrations --check --dry-run

lock: $(VENV)/.dev ## write requirements*.txt anew from pyproject.toml
	$(COMPILE) --output-file requirements.txt
	$(COMPILE) --group dev --output-file requirements-dev.txt

$(VENV)/.runtime: requirements.txt
	$(VIRTUAL_ENVIRONMENT)
	@echo "Installing what it needs to run from requirements.txt (once; about a minute)."
	@$(INSTALL) requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt
	$(VIRTUAL_ENVIRONMENT)
	@echo "Installing what it needs to run and to be worked on from requirements-dev.txt (once; about a minute)."
	@$(INSTALL) requirements-dev.txt
	@touch $(VENV)/.runtime $@
