# Bare `make` prints help. Each target does all its own set-up: make and Python >= 3.11 are enough.
SHELL := /bin/sh
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# A machine's own uv where there is one; else one installed into the virtual environment.
UV := $(or $(shell command -v uv 2>/dev/null),$(BIN)/uv)
# The machine's own trust store: behind a proxy that is where its certificate is.
export UV_SYSTEM_CERTS := true
# Compiled once here, not at each start: some machines forbid Python to keep what it compiles.
INSTALL := $(UV) pip install --quiet --compile-bytecode --python $(BIN)/python
DAYS ?= 14
PYTEST_WORKERS ?= auto

.PHONY: help demo test lint learn screenshots bench bench-memory bench-peers chaos clean lock

help: ## Show this help
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/runtime.stamp ## See it work: sample patients, a sandbox phone and mailbox, the clock run fast
	@if [ -t 1 ]; then $(BIN)/aftervisit demo --days $(DAYS); else $(BIN)/aftervisit demo --once --days $(DAYS); fi

test: lint ## Check everything: style, types, layering, then every test on real servers
	$(BIN)/pytest -n $(PYTEST_WORKERS) --dist loadfile

lint: $(VENV)/dev.stamp ## Style, types, layering, dependencies, spelling, and the content's own rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/codespell
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	$(BIN)/aftervisit messages lint
	$(BIN)/aftervisit series lint

learn: $(VENV)/dev.stamp ## Learn anew what texts are like, after a change of labelled texts or word classes
	$(BIN)/python -m tests.learn

bench: $(VENV)/dev.stamp ## Measure speed beside bare loops in the same run; also writes build/bench.json
	$(BIN)/python -m tests.bench

bench-memory: $(VENV)/dev.stamp ## Measure bytes a patient, a million of them, on Valkey and on Redis
	$(BIN)/python -m tests.bench.memory

bench-peers: $(VENV)/dev.stamp ## Measure django-post-office on PostgreSQL beside us (apt-get install postgresql)
	$(BIN)/python -m tests.bench.peers

chaos: $(VENV)/dev.stamp ## Break everything at random, for half an hour; also writes build/chaos.json
	$(BIN)/python -m tests.chaos $(if $(SEED),--seed $(SEED))

screenshots: $(VENV)/dev.stamp ## Take pictures of every page of the console, into docs/screens (apt-get install chromium)
	$(BIN)/python -m tests.screenshots

clean: ## Remove what the other targets made (never your data in ./var)
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

lock: $(VENV)/dev.stamp ## Choose the newest versions again and write the lock files
	$(UV) pip compile --quiet --universal --generate-hashes --upgrade --python-version 3.11 --custom-compile-command "make lock" pyproject.toml -o requirements.lock
	$(UV) pip compile --quiet --universal --generate-hashes --upgrade --python-version 3.11 --custom-compile-command "make lock" --constraint requirements.lock --group dev -o requirements-dev.lock
	echo uv | $(UV) pip compile --quiet --universal --generate-hashes --upgrade --python-version 3.11 --custom-compile-command "make lock" - -o requirements-uv.lock

$(VENV)/python.stamp: requirements-uv.lock
	@if command -v uv >/dev/null 2>&1; then uv venv --quiet --allow-existing --python $(PYTHON) $(VENV); \
	elif $(PYTHON) -m venv $(VENV) 2>/dev/null; then \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock; \
	else $(PYTHON) -m venv --clear --without-pip $(VENV) && \
		$(PYTHON) -m pip --python $(BIN)/python install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock; fi
	@touch $@

$(VENV)/runtime.stamp: $(VENV)/python.stamp requirements.lock pyproject.toml
	@echo "Installing Aftervisit into $(VENV) ..." >&2
	@$(INSTALL) --require-hashes -r requirements.lock
	@$(INSTALL) --no-deps --editable .
	@$(BIN)/python -m compileall -q messages schedules service
	@touch $@

$(VENV)/dev.stamp: $(VENV)/runtime.stamp requirements-dev.lock
	@$(INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@
