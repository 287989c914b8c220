# Lamplighter's chores. A bare `make` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/sh

PYTHON ?= python3
VENV := .venv
DEST ?= /opt/lamplighter
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TSC := node_modules/typescript/bin/tsc
# Opt-in rules that do not fit here: checkpoint rules for every path (9xx), Python 3.15 notes, and
# async functions without await, which are the shape of a protocol and its fakes; and what it cannot
# see when a task_status is handed on.
ASYNC_OFF := ASYNC114,ASYNC124,ASYNC128,ASYNC900,ASYNC910,ASYNC911,ASYNC912,ASYNC913,ASYNC914
# What may hold a word that those rules look at; more than half of our files cannot, and each file
# costs a third of a second.
ASYNC_WORDS := \<(async|await|trio|anyio|asyncio|BaseException|(Base)?ExceptionGroup)\>|except *[:*]
# Left out where coverage is measured, which makes them thrice as slow: tests that go through thousands
# of steps of the same code, and those of the pages, which a slow service would let down.
UNMEASURED := $(addprefix tests/,simulation reliability model fuzz crash browser)
# Takes six minutes, in which processes mostly wait; `make crash` does the most of it at length.
LONG := tests/cluster
# Many tests wait for processes, browsers and real clocks: two workers for each core, and long tests
# are taken over by whichever worker is free.
WORKERS ?= $(shell echo $$((2 * $$(nproc))))
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal
PIP_INSTALL := install --quiet --disable-pip-version-check --no-deps
PACKAGES := actors api lamplighter lorawan store simulation docs setup.py
# Thousands of modules are imported by each worker and each process that a test starts: compiled once,
# whatever the surroundings say, an import takes a third of the time.
export PYTHONDONTWRITEBYTECODE :=
APT := DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends
AS_ROOT := $(shell [ "$$(id -u)" = 0 ] || echo "sudo -n")

.PHONY: help setup install wheel container stranger demo test coverage test-rest test-debian13 check format simulate seeds planted fuzz crash rolling drill bench engines hostile reliability docs \
        screenshots model mutants lock clean browser

help: ## list the chores
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## create the environment in .venv from the lock file

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Lamplighter needs Python 3.11 or newer; found $$($(PYTHON) -V)."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "Python's venv module is missing; installing python3-venv."; \
	  $(AS_ROOT) apt-get update -qq && $(AS_ROOT) $(APT) python3-venv \
	  || { echo "Please install python3-venv (apt install python3-venv) and run make again."; exit 1; }; }
	$(PYTHON) -m venv $(VENV)
	@# --no-deps: the lock is complete, and a pip that resolves anew would take a newer release where
	@# a package is asked for with an extra, which has no hash here.
	$(BIN)/python -m pip $(PIP_INSTALL) --require-hashes -r requirements.lock
	@# The build tool is in the lock, too: nothing is fetched beside it.
	$(BIN)/python -m pip $(PIP_INSTALL) --no-build-isolation --editable .
	@touch $@

# The type checker of the pages, by the node that came with the environment.
$(TSC): $(READY) package-lock.json
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/npm ci --loglevel=error
	@touch $@

install: ## install the service alone, nothing for development, into DEST (/opt/lamplighter)
	$(PYTHON) -m venv $(DEST)
	$(DEST)/bin/python -m pip $(PIP_INSTALL) --require-hashes -r requirements-production.lock
	$(DEST)/bin/python -m pip $(PIP_INSTALL) --no-build-isolation --force-reinstall .
	@echo "Installed: $(DEST)/bin/lamplighter"

wheel: $(READY) ## build dist/lamplighter-*.whl, with the dashboard in it
	rm -f dist/lamplighter-*.whl
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation -w dist .

demo: $(READY) ## start Lamplighter and a pretend world of 50 lights; prints the addresses
	$(BIN)/lamplighter demo

test: $(READY) $(TSC) browser ## run all tests (installs a browser for them where it can)
	$(PYTEST) $(addprefix --ignore=,$(LONG))

# From Python 3.12 on the interpreter itself tells which lines ran, which costs next to nothing.
coverage: $(READY) $(TSC) browser ## run the tests of all code with its coverage, at least 95 %
	COVERAGE_CORE=$$($(BIN)/python -c 'import sys; print("sysmon" if sys.version_info >= (3, 12) else "ctrace")') \
	  $(PYTEST) --timeout 240 --cov --cov-report=term:skip-covered --cov-fail-under=95 \
	  $(addprefix --ignore=,$(UNMEASURED) $(LONG))

test-rest: $(READY) browser ## run those that coverage leaves out: with it, all tests once
	$(PYTEST) $(UNMEASURED)

test-debian13: ## run all tests, with coverage, and the demo on a fresh Debian 13 (needs root)
	.ci/debian13

stranger: wheel ## from the wheel in a fresh environment to a verified colour, timed
	.ci/stranger

container: wheel ## run the Containerfile's steps and its service without an engine (needs root)
	.ci/container

check: $(READY) $(TSC) ## formats, lints, types, import contract, nothing unused
	$(BIN)/ruff format --check $(PACKAGES) tests
	$(BIN)/ruff check $(PACKAGES) tests
	git grep -lzE '$(ASYNC_WORDS)' -- '*.py' ':!tests' \
	  | xargs -0 -n 20 -P "$$(nproc)" $(BIN)/flake8-async --disable=$(ASYNC_OFF)
	$(BIN)/mypy
	$(BIN)/node $(TSC) --project .
	$(BIN)/lint-imports
	$(BIN)/python -m tests.unused

format: $(READY) ## rewrite the code to the format, mend what can be mended
	$(BIN)/ruff format $(PACKAGES) tests
	$(BIN)/ruff check --fix $(PACKAGES) tests

simulate: $(READY) ## seek broken truths with fresh seeds (MINUTES=5, FAULTS=swarm, cluster, crashes, leases)
	$(BIN)/lamplighter simulate --faults $(or $(FAULTS),swarm) --minutes $(or $(MINUTES),5)

seeds: $(READY) ## hold 200 known seeds of the swarm, and 40 of several processes, against the truth
	LAMPLIGHTER_SEEDS=$(or $(SEEDS),200) $(PYTEST) \
	  $(addprefix tests/simulation/test_,simulated_seeds.py truth_in_a_storm.py trouble_of_its_own.py cluster.py)

planted: $(READY) ## plant bugs, and write down how many seeds find each (a few minutes)
	$(BIN)/python -m tests.simulation

# Seeking goes on until its time is over (FUZZ_S, 600 s by default), and that is success: timeout's
# 124 only. A test that failed before is a failure, which -x tells at once.
fuzz: $(READY) ## seek new ways to hurt the service (FUZZ_S seconds at most, FUZZ_FACTOR 20)
	@FUZZ_FACTOR=$${FUZZ_FACTOR:-20} timeout --foreground $${FUZZ_S:-600} \
	  $(BIN)/python -m pytest -q -x --timeout 0 tests/fuzz; \
	status=$$?; \
	if [ $$status = 124 ]; then echo "Nothing found in $${FUZZ_S:-600} s."; else exit $$status; fi

bench: $(READY) ## measure throughput, latency, memory and start-up (a few minutes)
	$(BIN)/python -m tests.bench

engines: $(READY) ## fetch the Redis and Valkey servers of Debian's releases, and test each (ENGINES=part of a name; half an hour)
	$(BIN)/python -m tests.engines $(ENGINES)

hostile: $(READY) ## attack the web server, and measure what others notice of it (three minutes)
	$(BIN)/python -m tests.hostile

reliability: $(READY) ## measure how reliable it is, and write docs/reliability.md (half an hour)
	$(BIN)/python -m tests.reliability
drill: $(READY) ## three processes, Sentinel and a page to hurt them on; RUN=1 does each fault once
	$(BIN)/python -m tests.drill $(if $(RUN),--run)

rolling: $(READY) ## upgrade three processes one by one from FROM (a commit), and back, under load (ten minutes)
	$(BIN)/python -m tests.cluster.upgrade $(or $(FROM),HEAD~1)

crash: $(READY) ## kill services and servers, some thousand times (two hours)
	$(BIN)/python -m tests.crash

docs: $(READY) ## write the generated parts of the documentation anew
	$(BIN)/python -m docs.generate

model: $(READY) ## hold the device machine against its model, deeper (LAMPLIGHTER_MODEL_EXAMPLES)
	LAMPLIGHTER_MODEL_EXAMPLES=$${LAMPLIGHTER_MODEL_EXAMPLES:-3000} \
	  $(BIN)/python -m pytest -q --timeout 0 tests/model/test_machine_model.py

mutants: $(READY) ## break the device machine and the codec on purpose; and write docs/mutants.md (half an hour)
	rm -rf build/mutants && mkdir -p build/mutants
	git ls-files -z | xargs -0 cp --parents -t build/mutants
	cd build/mutants && CR="$(CURDIR)/$(BIN)/cosmic-ray" PATH="$(CURDIR)/$(BIN):$$PATH" \
	  nice -n 10 sh tests/mutants/run.sh
	$(BIN)/python -m tests.mutants.table build/mutants docs/mutants.md

screenshots: $(READY) browser ## take the pictures of the dashboard in docs/ anew
	$(BIN)/python -m tests.browser.screenshots docs

lock: $(READY) ## pin the newest allowed versions, with hashes
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header \
	  --upgrade --extra dev --python-version 3.11 -o requirements.lock pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header \
	  --extra build --python-version 3.11 --constraint requirements.lock \
	  -o requirements-production.lock pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header \
	  --upgrade --python-version 3.11 \
	  -o tests/bench/baseline/requirements.lock tests/bench/baseline/requirements.in

browser:
	@for name in chromium chromium-browser google-chrome; do \
	  if command -v $$name >/dev/null 2>&1; then exit 0; fi; done; \
	echo "Installing Chromium for the browser tests."; \
	{ $(AS_ROOT) apt-get update -qq && $(AS_ROOT) $(APT) chromium; } >/dev/null \
	  || echo "Chromium could not be installed; the browser tests will fail. Try: apt install chromium"
	@for name in nginx mosquitto caddy; do \
	  { [ -x $(BIN)/$$name ] || PATH="$$PATH:/usr/sbin:/usr/local/sbin" command -v $$name >/dev/null; } && continue; \
	  echo "Fetching $$name for the tests; it is neither installed nor started."; \
	  .ci/unpack $$name $(BIN) >/dev/null \
	    || echo "$$name could not be fetched; tests with it will fail. Try: apt install $$name"; done
	@command -v systemd-analyze >/dev/null 2>&1 && exit 0; \
	echo "Installing systemd's tools for the tests of the unit; nothing of it is started."; \
	{ $(AS_ROOT) apt-get update -qq && $(AS_ROOT) $(APT) systemd; } >/dev/null \
	  || echo "systemd could not be installed; the tests of the unit will fail. Try: apt install systemd"
	@{ [ -x $(BIN)/promtool ] || command -v promtool >/dev/null 2>&1; } && exit 0; \
	echo "Fetching promtool and Prometheus for the tests of alerts and dashboard; nothing is installed."; \
	{ $(AS_ROOT) apt-get update -qq && rm -rf build/prometheus && mkdir -p build/prometheus $(BIN) \
	  && (cd build/prometheus && apt-get download -qq prometheus \
	    && { ! apt-cache show promtool >/dev/null 2>&1 || apt-get download -qq promtool; } \
	    && for one in *.deb; do dpkg-deb -x "$$one" .; done) \
	  && cp build/prometheus/usr/bin/promtool build/prometheus/usr/bin/prometheus $(BIN)/; } >/dev/null \
	  || echo "Prometheus could not be fetched; the tests of alerts will fail. Try: apt install prometheus"

clean: ## remove the environment and caches
	rm -rf $(VENV) node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage
