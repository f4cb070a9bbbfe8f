# The platform's commands; `make help` lists them. Needs Python 3.11+ with venv, and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: $(VENV)/.run-ready ## environment, migrations, demo data, every process; prints the address
	@$(BIN)/python -m shared.ops run

.PHONY: stop
stop: ## end every process that make run started
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m shared.ops stop; else echo "Nothing was running."; fi

.PHONY: servers
servers: ## install the servers and the browser that make stack and some tests need (Debian, Ubuntu)
	@sh shared/ops/servers/install.sh

.PHONY: stack
stack: $(VENV)/.run-ready ## the same on MariaDB, RabbitMQ (BROKER=redis for Redis) and nginx of its own
	@$(BIN)/python -m shared.ops stack $(if $(BROKER),--broker $(BROKER))

.PHONY: stack-stop
stack-stop: ## end every process that make stack started
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m shared.ops stack-stop; else echo "Nothing was running."; fi

.PHONY: demo
demo: $(VENV)/.run-ready ## drive the main job over HTTP against make run (STACK=1: make stack), showing each step
	@$(BIN)/python -m gm_service.demo.drive $(if $(STACK),.stack/env)

.PHONY: test
test: $(VENV)/.test-ready ## every test that this machine can run; says what was left out
	@$(BIN)/python -m pytest -n $${GM_TEST_PROCESSES:-2} --dist loadfile --no-loadscope-reorder -q

.PHONY: chaos
chaos: $(VENV)/.test-ready ## kill what runs at random points, for minutes; GM_CHAOS_SEED repeats a run
	@$(BIN)/python -m pytest -m chaos -q -s tests/chaos

.PHONY: check
check: $(VENV)/.test-ready ## format, lint, types, import contracts, security lint, quick tests
	@$(BIN)/ruff format --check -q .
	@$(BIN)/ruff check -q .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m pytest -n 2 -q tests/unit tests/architecture

.PHONY: bench
bench: $(VENV)/.test-ready ## measure exports, imports, tasks and calls (benchmarks/README.md); BENCH_LINES=100000 for less than a million
	@$(BIN)/python -m benchmarks.export_million_lines --lines $${BENCH_LINES:-1000000}
	@$(BIN)/python -m benchmarks.sync_export_first_byte
	@$(BIN)/python -m benchmarks.import_rows
	@$(BIN)/python -m benchmarks.import_platform
	@$(BIN)/python -m benchmarks.jobs
	@$(BIN)/python -m benchmarks.signed_calls
	@$(BIN)/python -m benchmarks.metrics_overhead
	@$(BIN)/python -m benchmarks.profiling_overhead
	@$(BIN)/python -m benchmarks.task_throughput
	@$(BIN)/python -m benchmarks.pages

.PHONY: format
format: $(VENV)/.test-ready ## put the code into its format
	@$(BIN)/ruff format -q .
	@$(BIN)/ruff check -q --fix .

.PHONY: lock
lock: ## write the requirements files anew from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --universal --generate-hashes --python-version 3.11 --all-extras \
		--custom-compile-command "make lock" -q -o requirements.txt
	uv pip compile pyproject.toml --universal --generate-hashes --python-version 3.11 --all-extras --group dev \
		--custom-compile-command "make lock" -q -c requirements.txt -o requirements-dev.txt
	$(call LOCK_IMAGE,gm_async_task,--extra gm_async_task)
	$(call LOCK_IMAGE,gm_service,--extra gm_service --extra s3 --extra explain)
	$(call LOCK_IMAGE,gm_task,--extra gm_task --extra export_script --extra s3)

# What one image of the Dockerfile holds: no more than its extras, at the versions of requirements.txt.
LOCK_IMAGE = uv pip compile pyproject.toml --universal --generate-hashes --python-version 3.11 $(2) \
	--custom-compile-command "make lock" -q -c requirements.txt -o requirements/$(1).txt

.PHONY: compose-secrets
compose-secrets: ## make the secrets of docker-compose.yml; BROKER=redis for Redis
	@$(PYTHON) docker/make_secrets.py --broker $${BROKER:-rabbitmq}

.PHONY: clean
clean: stop stack-stop ## delete the environment and the data of make run and make stack
	rm -rf $(VENV) .run .stack

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ echo "Python's venv module is needed (Debian's package python3-venv has it)."; rm -rf $(VENV); exit 1; }

# uv where it is, else pip: both check the hashes.
INSTALL = $$(command -v uv >/dev/null && echo "uv pip install -q --python $(BIN)/python" || echo "$(BIN)/python -m pip install -q")

$(VENV)/.run-ready: requirements.txt | $(BIN)/python
	@echo "  installing what it runs on ..."
	@$(INSTALL) --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.test-ready: requirements-dev.txt requirements.txt | $(BIN)/python
	@echo "  installing what its tests need ..."
	@$(INSTALL) --require-hashes -r requirements-dev.txt
	@touch $@ $(VENV)/.run-ready
