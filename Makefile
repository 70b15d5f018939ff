# Two commands on a fresh machine that has Python 3.11 or newer and make: `make run` and `make test`.
# Everything is installed in .venv beside this file; the stamps in it make a second run start at once.

VENV := .venv
BIN := $(VENV)/bin
TORCH := torch==2.13.0
PORT ?= 8501

# The first interpreter that is new enough and can make a virtual environment.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3 python; do \
	"$$p" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)

# Workers by the number of cores; a module's tests stay in one, with what they share.
PARALLEL ?= -n auto --maxprocesses 4 --dist loadscope

# Each worker has its own server and browser, which wait for each other most of the time.
BROWSERS ?= -n 3 --dist load

# One thread a test process: torch and BLAS would otherwise start as many as there are cores in each of them.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest

.PHONY: run test check browser shots lint constraints clean
.DEFAULT_GOAL := run

run: $(VENV)/.installed
	$(BIN)/ecgviz app --port $(PORT)

test: lint
	$(PYTEST) -m "not browser" --durations=20 $(PARALLEL)

check: lint
	$(PYTEST) -m "not browser and not slow and not data" $(PARALLEL)

browser: $(VENV)/.installed-dev
	$(PYTEST) -m browser $(BROWSERS)

shots: $(VENV)/.installed-dev
	$(BIN)/python docs/shots.py

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# torch is named in the same command as all else: alone, pip would take its newest and largest build for GPUs.
$(VENV)/.installed: constraints.txt pyproject.toml | $(VENV)/bin/python
	@echo "installing pinned dependencies into $(VENV): some minutes, once"
	$(BIN)/python -m pip install --quiet -c constraints.txt $(TORCH) -e .
	touch $@

$(VENV)/.installed-dev: constraints.txt pyproject.toml | $(VENV)/bin/python
	@echo "installing pinned dependencies and tools into $(VENV): some minutes, once"
	$(BIN)/python -m pip install --quiet -c constraints.txt $(TORCH) -e '.[dev]'
	touch $@ $(VENV)/.installed

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "ecgviz needs Python 3.11 or newer with its venv module (Debian: apt install python3-venv)" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

# What pyproject.toml resolves to today, from an environment that holds nothing else.
constraints:
	@test -n "$(PYTHON)" || { echo "ecgviz needs Python 3.11 or newer with its venv module" >&2; exit 2; }
	rm -rf build/constraints && $(PYTHON) -m venv build/constraints
	build/constraints/bin/python -m pip install --quiet $(TORCH) -e '.[dev]'
	{ sed -n '/^#/p' constraints.txt; \
	  build/constraints/bin/python -m pip freeze --exclude ecgviz --exclude-editable | sed 's/+cpu$$//'; } > build/constraints.txt
	mv build/constraints.txt constraints.txt
	rm -rf build/constraints

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
