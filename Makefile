# Xpiler: set-up, demo, tests. `make help` lists the targets.
# Everything happens in $(VENV); nothing outside this folder is changed.

VENV   ?= .venv
PYTHON ?= python3
BIN    := $(VENV)/bin
XPILER := $(BIN)/xpiler
# The extra brings linters, tests and an embedded C/C++ compiler for machines without one.
EXTRAS := dev

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint bench clean

help: ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

setup: $(VENV)/.ready ## make the virtual environment and install

$(VENV)/.ready: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Xpiler needs Python 3.11 or newer") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[$(EXTRAS)]'
	@touch $@

demo: setup ## translate and verify the shipped examples
	$(XPILER) translate examples --to c,cuda,hip,bang --output build/demo --force

test: setup ## the demo, the linters, the tests
	$(MAKE) --no-print-directory demo
	$(MAKE) --no-print-directory lint
	$(BIN)/python -m pytest -n 2

lint: setup ## style, types, layering
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup ## every kernel, every direction; takes minutes
	$(XPILER) bench tests/kernels

clean: ## remove what was built
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache
