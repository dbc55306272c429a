.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

help: ## Show this help
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(STAMP) browser ## Run the whole road on the embedded sample web and say where to look
	$(BIN)/gleanery demo

test: $(STAMP) browser lint ## Run the whole suite: linters, types, import contracts, tests
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-fast: $(STAMP) ## Run the tests that take less than a few seconds each
	$(BIN)/python -m pytest -q -m "not slow and not browser and not prefect"

lint: $(STAMP) ## Check style, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

up: $(STAMP) browser ## Start dashboard, workers and web app; Ctrl-C stops them
	$(BIN)/gleanery up

bench: $(STAMP) ## Run the benchmarks, each beside a named peer
	for bench in benchmarks/bench_*.py; do $(BIN)/python $$bench; done

install: $(STAMP) ## Install into .venv

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q -c constraints.txt uv
	$(BIN)/uv pip install -q --compile-bytecode --python $(BIN)/python -c constraints.txt -e '.[dev]'
	touch $(STAMP)

# Pages that only a script fills need a browser. Debian's packages; elsewhere say how to get one.
browser:
	@if command -v chromium >/dev/null && command -v chromedriver >/dev/null; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "installing chromium and chromium-driver"; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
	    chromium chromium-driver fonts-dejavu-core >/dev/null; \
	else \
	  echo "chromium and chromedriver are missing: install them (Debian: apt-get install chromium chromium-driver);"; \
	  echo "without them pages that only a script fills are not read, and the browser tests are skipped"; \
	fi

clean: ## Remove the environment, caches and the default data root
	rm -rf $(VENV) data/store .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

.PHONY: help demo test test-fast lint up bench install browser clean
