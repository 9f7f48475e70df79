# taut: `make help` lists what can be done here. Works with GNU make 3.81 (macOS) and later.

# The interpreter that .venv is made with: the first of these that is Python 3.11 or later, or `make PYTHON=/path/to/python`.
IS_NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for candidate in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$candidate" -c '$(IS_NEW_ENOUGH)' >/dev/null 2>&1 && { echo "$$candidate"; break; }; done)
UV ?= uv

VENV := .venv
BIN := $(VENV)/bin
LOCKED := $(VENV)/.locked
INSTALLED := $(VENV)/.installed
BENCH_VENV := .venv-bench
BENCH_INSTALLED := $(BENCH_VENV)/.installed
TABLES_VENV := .venv-tables
TABLES_INSTALLED := $(TABLES_VENV)/.installed
# Where the tables of `make tables` are: Parquet files with a column `target`.
TABLES ?= ../shared/data
DEMO_MODEL := demo/breast_cancer.taut
DEMO_REPORT := demo/breast_cancer.html

.DEFAULT_GOAL := help
.PHONY: help demo test lint pytest format bench tables ablation notebooks lock clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' Makefile

demo: $(INSTALLED)  ## fit a regularized network to a real table; say where model and report are
	@mkdir -p demo
	$(BIN)/taut fit breast_cancer --model $(DEMO_MODEL) --report $(DEMO_REPORT)
	@echo
	@echo "model:  $(CURDIR)/$(DEMO_MODEL)   (look at it: $(BIN)/taut show $(DEMO_MODEL))"
	@echo "report: $(CURDIR)/$(DEMO_REPORT)   (open it in a browser)"

test: lint pytest  ## run everything that must hold: style, types, floors, tests

lint: $(INSTALLED)  ## the checks of `make test` that run nothing: style, format, types, floors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

pytest: $(INSTALLED)  ## the tests alone, with the examples of the docstrings; warnings are errors
	$(BIN)/python -m pytest

format: $(INSTALLED)  ## bring the sources into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(BENCH_INSTALLED)  ## time taut beside its peers (an hour, an environment of its own), write docs/performance.md
	$(BENCH_VENV)/bin/python -m benchmarks
	$(BENCH_VENV)/bin/python -m benchmarks report

tables: $(INSTALLED) $(TABLES_INSTALLED)  ## hold taut beside its peers on the tables of TABLES=folder (a day, if nothing is there), write docs/generalization.md
	$(TABLES_VENV)/bin/python -m benchmarks.tables peers --tables "$(TABLES)"
	$(BIN)/python -m benchmarks.tables taut --tables "$(TABLES)"
	$(BIN)/python -m benchmarks.tables report

ablation: $(INSTALLED)  ## what each part of taut is worth on the tables of TABLES=folder (an hour), write docs/generalization.md
	$(BIN)/python -m benchmarks.tables ablation --tables "$(TABLES)"
	$(BIN)/python -m benchmarks.tables report

notebooks: $(INSTALLED)  ## run the notebooks of examples/ and keep what they show
	$(BIN)/python -m pip install --disable-pip-version-check --quiet 'ipykernel>=6.29' 'nbclient>=0.10' 'nbformat>=5.10'
	$(BIN)/python examples/run.py

lock:  ## choose new versions of all that taut stands on (needs uv: pip install uv)
	@command -v $(UV) >/dev/null || { echo "make lock needs uv: pip install uv, or make lock UV=/path/to/uv" >&2; exit 1; }
	@printf '%s\n' '# Every package that taut and its tests stand on, for Python >= 3.11 on any system. Made by `make lock`.' \
		'# pip install --require-hashes -r requirements.lock' > requirements.lock.new
	$(UV) pip compile pyproject.toml --extra test --universal --python-version 3.11 --fork-strategy fewest --upgrade \
		--generate-hashes --no-header --no-emit-index-url --no-annotate --quiet >> requirements.lock.new
	@mv requirements.lock.new requirements.lock

clean:  ## remove the environment, the demo and all caches
	rm -rf $(VENV) $(BENCH_VENV) $(TABLES_VENV) demo build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment: made anew when the lock changes, the package linked into it again when its metadata may have changed.
$(LOCKED): requirements.lock
	@test -n "$(PYTHON)" || { echo "taut needs Python 3.11 or later: install it, or say where it is: make PYTHON=/path/to/python" >&2; exit 1; }
	@"$(PYTHON)" -c '$(IS_NEW_ENOUGH)' || { echo "$(PYTHON) is not Python 3.11 or later: choose another with make PYTHON=/path/to/python" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make environments: install its venv module" \
		"(Debian, Ubuntu: apt install python3-venv), or choose another with make PYTHON=/path/to/python" >&2; exit 1; }
	"$(PYTHON)" -m venv --clear $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --require-hashes -r requirements.lock
	@touch $@

$(INSTALLED): $(LOCKED) pyproject.toml src/taut/__init__.py
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
	@touch $@

# The environment of the benchmarks; it keeps itself out of git.
$(BENCH_INSTALLED): benchmarks/requirements.txt pyproject.toml src/taut/__init__.py
	@test -n "$(PYTHON)" || { echo "taut needs Python 3.11 or later: install it, or say where it is: make PYTHON=/path/to/python" >&2; exit 1; }
	"$(PYTHON)" -m venv --clear $(BENCH_VENV)
	@echo '*' > $(BENCH_VENV)/.gitignore
	$(BENCH_VENV)/bin/python -m pip install --disable-pip-version-check --quiet -r benchmarks/requirements.txt
	$(BENCH_VENV)/bin/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
	@touch $@

# The environment of the peers on tables, without taut.
$(TABLES_INSTALLED): benchmarks/tables/requirements.txt
	@test -n "$(PYTHON)" || { echo "the peers need Python 3.11 or later: install it, or say where it is: make PYTHON=/path/to/python" >&2; exit 1; }
	"$(PYTHON)" -m venv --clear $(TABLES_VENV)
	@echo '*' > $(TABLES_VENV)/.gitignore
	$(TABLES_VENV)/bin/python -m pip install --disable-pip-version-check --quiet -r benchmarks/tables/requirements.txt
	@touch $@
