# Vitrine in two commands: `make run` and `make test`. `make help` lists the rest.

# The first Python of a fitting version; name another one with `make PYTHON=/path/to/python3 ...`.
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do $$p -c '$(SUPPORTED)' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input
UV := uv==0.13.8

# Which databases `make test` runs on (sqlite, postgres or both) and what else pytest is given.
DB ?= both
ARGS ?=

# Settings of a shop on the internet, for `check --deploy`.
DEPLOY = DEBUG=false SHOP_URL=https://shop.example BEHIND_PROXY=true EMAIL_URL=smtp+tls://user:password@mail.example:587

# An environment whose Python is gone (the system's was upgraded) is made again from nothing.
$(shell test -x $(BIN)/python || rm -f .venv/.runtime .venv/.dev)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install run test prove screenshots bench check lint types imports templates spelling django format messages lock

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1|/p' Makefile | while IFS='|' read -r name what; do printf '  make %-11s %s\n' "$$name" "$$what"; done

install: .venv/.runtime ## install what the shop needs to run into .venv
run: .venv/.runtime ## the shop, its tasks and five simulated panels, on http://127.0.0.1:8000 (PORT=8100 make run)
	@$(BIN)/python manage.py run

test: .venv/.dev ## the whole suite on SQLite and on PostgreSQL (DB=sqlite or DB=postgres for one; ARGS="-k name")
	@$(BIN)/python -m tests.databases $(DB) $(ARGS)

prove: .venv/.dev ## the long proofs: a kill -9 in any place, 20,000 random requests to the APIs (DB and ARGS as for test)
	@$(BIN)/python -m tests.databases $(DB) -m prove $(ARGS)

screenshots: .venv/.dev ## photographs of every page in var/screenshots: four languages, two widths, light and dark
	@$(BIN)/python -m tests.databases sqlite -n 2 -m screenshots $(ARGS)
	@echo "Open var/screenshots/index.html"

bench: .venv/.dev ## what placing, following, importing, the API and every page cost, beside their limits (DATABASE_URL: PostgreSQL)
	@$(BIN)/python bench/dispatch.py
	@$(BIN)/python bench/sync.py
	@$(BIN)/python bench/import_list.py
	@$(BIN)/python bench/api.py
	@$(BIN)/python bench/pages.py

check: lint types imports templates spelling django ## every static check

lint: .venv/.dev ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
types: .venv/.dev ## mypy, strict
	$(BIN)/mypy
imports: .venv/.dev ## who may import whom
	$(BIN)/lint-imports --no-logo
templates: .venv/.dev ## djlint
	$(BIN)/djlint --lint --quiet templates
spelling: .venv/.dev ## codespell, American English
	$(BIN)/codespell
django: .venv/.dev ## migrations complete, settings fit for production
	$(BIN)/python manage.py makemigrations --check --dry-run
	@echo "$(BIN)/python manage.py check --deploy --fail-level WARNING (with production settings)"
	@$(DEPLOY) $(BIN)/python manage.py check --deploy --fail-level WARNING

format: .venv/.dev ## let ruff rewrite what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

messages: .venv/.dev ## bring the translations' catalogs up to date and compile them (needs GNU gettext)
	$(BIN)/python manage.py makemessages --all --no-location --no-obsolete
	@for file in locale/*/LC_MESSAGES/django.po; do msgcat --sort-output --width=120 "$$file" -o "$$file" && sed -i '/^"POT-Creation-Date/d; /^"Report-Msgid-Bugs-To/d' "$$file"; done
	$(BIN)/python manage.py compilemessages --ignore .venv

lock: .venv/bin/python ## remake both lock files; `make lock UPGRADE=--upgrade` takes newer versions
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && $(BIN)/python -m venv "$$dir" && \
	"$$dir/bin/python" -m pip install --quiet --disable-pip-version-check $(UV) && \
	compile="$$dir/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header $(UPGRADE)" && \
	$$compile pyproject.toml -o requirements.lock >/dev/null && \
	$$compile pyproject.toml --group dev -o requirements-dev.lock >/dev/null
	@echo "requirements.lock and requirements-dev.lock are remade"

.venv/bin/python:
	@test -n "$(PYTHON)" && "$(PYTHON)" -c '$(SUPPORTED)' 2>/dev/null || { echo "Vitrine needs Python 3.11, 3.12 or 3.13 and did not find it: install one, or name it with: make PYTHON=/path/to/python3" >&2; exit 1; }
	@"$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null || { echo "This Python cannot make virtual environments: install the package python3-venv (Debian, Ubuntu: apt-get install python3-venv) and run make again." >&2; exit 1; }
	@echo "Making .venv with $$("$(PYTHON)" --version)"
	@"$(PYTHON)" -m venv --clear .venv

# The stamps make a second call cost nothing. Nothing is ever removed from .venv.
.venv/.runtime: requirements.lock | .venv/bin/python
	@echo "Installing $$(grep -c '^[a-z]' $<) packages from $<"
	@$(PIP) --require-hashes -r $<
	@touch $@

# The second lock holds the first one and the tools (a test says so): after it, there is nothing left for `install`.
.venv/.dev: requirements-dev.lock | .venv/bin/python
	@echo "Installing $$(grep -c '^[a-z]' $<) packages from $<"
	@$(PIP) --require-hashes -r $<
	@touch $@ .venv/.runtime
