# Everything from a clone on a machine with Python >= 3.11, make and, the first time, a network.
# The second time nothing is downloaded. PyPI is reached as the user's own pip is configured.

PYTHONS := 3.14 3.13 3.12 3.11
PYTHON ?= $(shell for p in python3 $(PYTHONS:%=python%); do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; exit; }; done; echo python3)
VENV := .venv
BIN := $(VENV)/bin
LOCKED := $(VENV)/.locked
INSTALLED := $(VENV)/.installed
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
PHASE := $(PYTHON) infra/setup/phase.py

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-pythons check static format accept bench screenshots simulate dist leftovers lock kafka-lock sbom audit up down status
.DELETE_ON_ERROR:

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## Install what the other targets need (they run it automatically)

$(LOCKED): requirements.lock
	@$(PYTHON) infra/setup/prerequisites.py
	@$(BIN)/python -c '' 2>/dev/null || $(PHASE) "Virtual environment ($(VENV))" -- $(PYTHON) -m venv --clear $(VENV)
	@$(PHASE) "Python packages" --of $$(grep -c '^[a-z0-9].*==' requirements.lock) --remedy "The packages could not be \
	installed: check the network (or pip's own configuration) and free space, then run the same command again." \
		-- $(PIP) install --require-hashes -r requirements.lock
	@touch $@

# What another installation or build left here hides new commands, and puts files that are gone into the wheel.
leftovers:
	@rm -rf build/lib build/bdist.* *.egg-info

$(INSTALLED): $(LOCKED) pyproject.toml infra/embedded/servers/kafka-jars.lock | leftovers
	@$(PHASE) "Yesser Events" -- $(PIP) install --no-deps --no-build-isolation --editable .
	@$(PHASE) "Kafka's jars" -- $(BIN)/python -m infra.embedded.servers.jars fetch
	@touch $@

demo: $(INSTALLED) ## Run the programme's real story from end to end and keep it running: `make down` stops it (ARGS=--json for one document)
	@$(BIN)/yesser demo --keep $(ARGS)

# Several workers, each with services of its own (ARGS=-n0: one process). The groups begin in the order of `tests/workers.py`.
check: $(INSTALLED) ## Format, lint, types, one-way imports, generated files, and the tests that need no service
	@$(BIN)/python -m tests.gate check $(ARGS)

test: $(INSTALLED) ## Check, and run the tests on a real Kafka, a real PostgreSQL and in a real browser
	@$(BIN)/python -m tests.gate test $(ARGS)

# Each in an environment of its own. A Python that is not on the PATH is named at the end, and is no failure.
test-pythons: $(INSTALLED) ## Run make check with each other Python that is supported and installed
	@for version in $(PYTHONS); do \
		if [ -x $(BIN)/python$$version ]; then continue; fi; \
		if python$$version -c 'import ensurepip, venv' 2>/dev/null; then \
			echo "Python $$version"; tested="$$tested $$version"; \
			$(MAKE) --no-print-directory check VENV=build/python$$version PYTHON=python$$version || exit; \
		else missing="$$missing $$version"; fi; \
	done; echo "make test-pythons: tested$${tested:- none}; not on the PATH:$${missing:- none}."

accept: $(INSTALLED) ## Run the long proofs: floods, growth, kill -9 at random
	@$(BIN)/python -m tests.gate accept $(ARGS)

static: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m events.generate --check
	$(BIN)/python -m infra.command_reference --check
	$(BIN)/python -m infra.deployment_files --check
	$(BIN)/python -m consumers.models.fold_versions --check

format: $(INSTALLED) ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

simulate: $(INSTALLED) ## Enumerate faults at each await of the core (SEED=7 MINUTES=5 ARGS='--scenario registrar')
	@$(BIN)/python -m tests.simulate $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES)) $(ARGS)

screenshots: $(INSTALLED) ## Take a picture of each page of the console (build/console)
	@$(BIN)/python -m tests.browser.screenshots

bench: $(INSTALLED) ## Measure beside peers and write docs/figures.md, some hours (ONLY=latency,growth EVENTS=N RUNS=N; QUICK=1: minutes, build/)
	@$(BIN)/python -m bench $(if $(ONLY),--only $(ONLY)) $(if $(EVENTS),--events $(EVENTS)) $(if $(RUNS),--runs $(RUNS)) \
		$(if $(QUICK),--quick)

# The tools have an environment of their own: they bring packages that the project does not use.
AUDIT := build/audit
AUDIT_TOOLS := $(AUDIT)/.installed

$(AUDIT_TOOLS): requirements-audit.lock
	@$(PHASE) "Tools for the bill of materials" -- $(PYTHON) -m venv --clear $(AUDIT)
	@$(PHASE) "Their packages" -- $(AUDIT)/bin/python -m pip --disable-pip-version-check --no-input install --quiet \
		--require-hashes -r requirements-audit.lock
	@touch $@

sbom: $(AUDIT_TOOLS) ## Write build/sbom.json: the packages that run in production (CycloneDX)
	@$(AUDIT)/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --spec-version 1.6 \
		--output-file build/sbom.json requirements-run.lock

# --strict: a package of which nothing is known is a failure, not a pass.
audit: $(AUDIT_TOOLS) ## Compare these packages with the known vulnerabilities (needs a network)
	@$(AUDIT)/bin/pip-audit --strict --require-hashes --disable-pip --progress-spinner off --requirement requirements-run.lock

dist: $(INSTALLED) ## Build the wheel (build/dist): `pip install 'FILE[platform]'`, then `yesser demo` in any folder
	@rm -rf build/dist
	@$(PHASE) "Wheel" -- $(PIP) wheel --no-deps --no-build-isolation --wheel-dir build/dist .
	@$(MAKE) --no-print-directory leftovers
	@ls build/dist/*.whl

up: $(INSTALLED) ## Start the stack in the background
	@$(BIN)/yesser up --detach $(ARGS)

down: $(INSTALLED) ## Stop it; its data stays
	@$(BIN)/yesser down $(ARGS)

status: $(INSTALLED) ## Show what runs
	@$(BIN)/yesser status $(ARGS)

# Packages for every platform with their hashes and no index address. UPGRADE=1 takes newer ones.
# requirements.lock: for development. requirements-run.lock: what runs in production, in the same versions.
# requirements-audit.lock: the tools of `make sbom` and `make audit`.
COMPILE := $(BIN)/python -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate $(if $(UPGRADE),--upgrade)

lock: ## Regenerate the lock files from pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import uv' 2>/dev/null || $(PIP) install --quiet uv
	$(COMPILE) --extra dev --output-file requirements.lock pyproject.toml
	$(COMPILE) --extra image --constraints requirements.lock --output-file requirements-run.lock pyproject.toml
	$(COMPILE) --group audit --output-file requirements-audit.lock

kafka-lock: $(INSTALLED) ## Regenerate infra/embedded/servers/kafka-jars.lock
	@$(BIN)/python -m infra.embedded.servers.jars lock
