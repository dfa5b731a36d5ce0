# `make` alone lists what can be done.
PYTHON ?= python3
RUN := .venv/bin/python
SIDE_BY_SIDE := -n logical --maxprocesses 4 --dist loadgroup
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-thorough test-fast test-oracle grammar bench docs lint pin clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

setup: ## make the environment in .venv from requirements.txt
	@$(PYTHON) bootstrap.py

demo: setup ## set all up, judge the sandbox's backups in a real Airflow, show verdicts and reports
	@$(RUN) -m sandbox.demo

test: setup ## all tiers: unit, dags, sql, db, faults, e2e
	@$(RUN) -m tests $(SIDE_BY_SIDE) tests

test-thorough: setup ## all tiers, and every point of the exhaustive runs of which `make test` meets a fixed part
	@DRYDOCK_THOROUGH=1 $(RUN) -m tests $(SIDE_BY_SIDE) tests

test-fast: setup ## the tiers that need no server
	@$(RUN) -m pytest $(SIDE_BY_SIDE) tests/unit tests/dags tests/sql

test-oracle: setup ## the live suite on a real Oracle (docs/oracle-proof.md); tells how to start one
	@$(RUN) -m tests.oracle

grammar: setup ## judge every Oracle statement with a real grammar (needs node and npm; fetches two npm packages)
	@mkdir -p .drydock/grammar && cp tests/sql/grammar/package.json .drydock/grammar/
	@cd .drydock/grammar && npm install --silent --no-audit --no-fund
	@$(RUN) tests/sql/golden_statements.py .drydock/grammar

bench: setup ## ratios to a named peer or a physical floor
	@$(RUN) -m bench

docs: setup ## write the generated pages again
	@$(RUN) -m drydock docs
	@$(RUN) -m drydock schema
	@$(RUN) -m sandbox.oracle.proof_page

lint: setup ## ruff
	@$(RUN) -m ruff check .

pin: setup ## compile requirements.in into requirements.txt
	@.venv/bin/uv pip compile -q --universal --python-version 3.11 requirements.in -o requirements.txt --custom-compile-command "make pin"

clean: ## stop what runs and remove all that was made
	@if [ -x $(RUN) ]; then $(RUN) -m sandbox.stop || true; fi
	@rm -rf .venv .drydock .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
