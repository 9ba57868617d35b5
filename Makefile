# `make run` and `make test` do everything on a fresh machine. `make help` lists the rest.
PYTHON ?= python3
PORT ?= 5000
SAMEN_DATA_DIR ?= $(CURDIR)/instance
export PORT SAMEN_DATA_DIR

.DEFAULT_GOAL := help
.PHONY: help run setup setup-dev test check unit walk format messages lock bench clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: ## set up what is missing and stop
	@$(PYTHON) tools/setup.py run
	@.venv/bin/samen setup-keys
	@.venv/bin/samen db upgrade

run: setup ## set up what is missing, then serve on http://127.0.0.1:5000 (PORT and SAMEN_DATA_DIR move it)
	@.venv/bin/samen demo
	@.venv/bin/samen run

setup-dev:
	@$(PYTHON) tools/setup.py dev

test: setup-dev ## set up what is missing, then every check and test
	@bash tools/test.sh

check: setup-dev ## only the static checks: style, types, layers
	@bash tools/test.sh check

unit: setup-dev ## only the quick tests: make unit T=tests/groups
	@.venv/bin/python -m pytest -q $(or $(T),tests --ignore=tests/walks --ignore=tests/faults)

walk: setup-dev ## only the walk in the browser, with fresh screenshots in tests/artefacts
	@bash tools/test.sh walk

format: setup-dev ## put the code in its one shape
	@.venv/bin/ruff check --fix -q . ; .venv/bin/ruff format -q .

bench: setup-dev ## measure the live path against two others: figures and a picture in benchmarks/results
	@.venv/bin/python -m benchmarks.speed

messages: setup-dev ## take up new sentences into the English catalogue (Dutch is the source)
	@.venv/bin/pybabel -q extract -F app/locale/babel.cfg -k N_ --no-location --no-wrap --sort-output --omit-header -o .venv/messages.pot .
	@.venv/bin/pybabel -q update -l en -d app/locale -i .venv/messages.pot --no-wrap --omit-header --ignore-obsolete --no-fuzzy-matching
	@.venv/bin/pybabel -q compile -f -d app/locale

lock: ## renew the lock files (needs uv)
	@for group in run dev; do uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --no-annotate -q --group build $$([ $$group = dev ] && echo --group dev) \
	  -o requirements/$$group.txt; done

clean: ## remove what set-up made, but never the data
	@rm -rf .venv node_modules static/vendor .pytest_cache .ruff_cache .mypy_cache .hypothesis .import_linter_cache
