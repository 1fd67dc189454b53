# Evenhand: everything a person needs is one word away. `make` alone prints these words.

.DEFAULT_GOAL := help
.PHONY: help run build test lint bench docs offline clean setup requirements

SHELL := /bin/sh
PY := .venv/bin/python
CODE := evenhand tests scripts hatch_build.py $(wildcard bench)

# The first Python that is new enough and can make virtual environments.
FIND_PYTHON = for p in $${PYTHON:-} python3 python3.13 python3.12 python3.11; do \
	  if $$p -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then echo $$p; exit 0; fi; \
	done; \
	echo 'Evenhand needs Python 3.11 or later with its venv module, and found none.' >&2; \
	echo 'On Debian or Ubuntu: apt-get install python3 python3-venv. Or name one: make PYTHON=/path/to/python3' >&2; exit 1
SETUP = p=$$($(FIND_PYTHON)) && $$p scripts/setup.py

help: ## this list
	@echo 'make run     set up what is missing and start Evenhand with its demo (Ctrl-C ends it)'
	@echo 'make test    set up what is missing and run every check: lint, types, browser code, server'
	@echo 'make lint    style, types and floor plan only'
	@echo 'make bench   every benchmark, in its short form'
	@echo 'make docs    write docs/reference anew from the code'
	@echo 'make offline one archive in dist/ that installs Evenhand on a machine without a network'
	@echo 'make clean   take away everything that make made (never your data)'

run:
	@$(SETUP) run
	@exec .venv/bin/evenhand up --demo

build:
	@$(SETUP) run

setup:
	@$(SETUP) dev

lint: setup
	@$(PY) scripts/check.py lint

test:
	@$(SETUP) test
	@$(PY) scripts/check.py all

bench: setup
	@$(PY) scripts/check.py bench

docs: setup
	@$(PY) scripts/docs.py

offline:
	@$(SETUP) run
	@$(PY) scripts/offline.py

# Only for those who change the lists in pyproject.toml; wants `uv` on PATH.
requirements:
	@sh scripts/requirements.sh

clean:
	@echo 'Taking away .venv, the built studio, its packages, and caches.'
	@rm -rf .venv .make build dist *.egg-info evenhand/app/static studio/node_modules studio/dist
	@rm -rf .pytest_cache .ruff_cache .hypothesis .import_linter_cache screenshots
	@find evenhand tests bench scripts -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
