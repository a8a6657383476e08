# `make` says what there is. Everything runs from an empty home folder with Python 3.11 and git.
# PURE=1 lets a target run uncompiled: make test PURE=1.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install compile uncompile demo test test-all faults bench lint lock clean
SHELL := /bin/bash

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
ARGS ?=
READY := $(if $(PURE),uncompile,compile)

help: ## Say what there is.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/make \1\t\2/' | expand -t 16

install: $(READY) ## Put everything into .venv, compiled; does nothing when it is there.

$(STAMP): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing: install Python 3.11, or say which with make PYTHON=…" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $@

compile: $(STAMP) ## Compile the hot path as it is now (ADR 10); without a compiler all runs uncompiled.
	@$(BIN)/python hatch_build.py

uncompile: $(STAMP) ## Let everything run uncompiled, until the next target without PURE=1.
	@$(BIN)/python hatch_build.py --remove

demo: $(READY) ## Run the pipeline on this machine: make demo ARGS="--for 20s --leads 500".
	@$(BIN)/leadvelocity demo $(ARGS)

test: $(READY) ## Run the tests, against real parts: make test ARGS="-k merge".
	$(BIN)/python -m pytest -m "not slow" $(ARGS)

test-all: $(READY) ## Run all tests, those of minutes too; units and laws once more uncompiled.
	$(BIN)/python -m pytest $(ARGS)
	$(if $(ARGS)$(PURE),,$(MAKE) --no-print-directory test PURE=1 ARGS="tests/unit tests/property")

faults: $(READY) ## Run the whole fault matrix, and print its table: make faults ARGS="-k storm".
	$(BIN)/python -m pytest tests/faults $(ARGS)

bench: $(READY) ## Measure against other engines, into docs/performance.md: make bench QUICK=1 JSON=figures.json (ten minutes, throughput alone).
	$(BIN)/python -m bench $(if $(QUICK),throughput,everything) $(if $(JSON),--json $(JSON)) $(ARGS)

lint: $(STAMP) ## Check style, format, types and import rules.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

GROUP = import sys, tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"][sys.argv[1]], sep="\n")
PIP_COMPILE = env -u PIP_FIND_LINKS -u PIP_INDEX_URL -u PIP_EXTRA_INDEX_URL CUSTOM_COMPILE_COMMAND="make lock" \
	$(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-annotate \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host

lock: $(STAMP) ## Write the locks anew from pyproject.toml: versions and hashes, no addresses.
	$(BIN)/python -c '$(GROUP)' dev > $(VENV)/dev.in
	$(BIN)/python -c '$(GROUP)' compiler > $(VENV)/compiler.in
	$(PIP_COMPILE) --all-extras --output-file requirements.lock pyproject.toml $(VENV)/dev.in
	$(PIP_COMPILE) --output-file compiler.lock $(VENV)/compiler.in

clean: ## Remove what was built here; the stack in .leadvelocity stays (leadvelocity stack wipe).
	find . -maxdepth 3 -name '*.so' -not -path './.*' -delete
	rm -f leadvelocity/compiled.sha256
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
