# Needs Python 3.11 or newer with pip and venv, and make. Everything else is installed into .venv.
# Only `make frontend` needs Node too; what it installs is in frontend/node_modules.

.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
PIP_INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

# The interpreter that .venv is made from: the one named by PYTHON=, else the first that is there.
# Each is tried, since a pyenv shim on PATH may refuse to run.
PYENV_PYTHONS = $(wildcard $(or $(PYENV_ROOT),$(HOME)/.pyenv)/versions/3.11.*/bin/python)
CANDIDATES = $(or $(PYTHON),python3.11 $(lastword $(sort $(PYENV_PYTHONS))) python3.12 python3.13 python3)
NEW_ENOUGH = -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
find_python = $(firstword $(foreach it,$(CANDIDATES),$(shell $(it) $(NEW_ENOUGH) && echo $(it))))

# Django of the environment; the matrix runs the others.
DJANGO ?= 5.2

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ------------------------------------------------------------------------------- environment

$(PY):
	@python="$(find_python)"; \
	if [ -z "$$python" ]; then \
	    echo "No Python 3.11 or newer found; tried: $(CANDIDATES)." \
	        "Install Python 3.11, or name one: make PYTHON=/path/to/python $(MAKECMDGOALS)" >&2; \
	    exit 1; \
	fi; \
	echo "Making $(VENV) with $$("$$python" --version)"; \
	"$$python" -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }

# The stamps are remade, and so the environment is refreshed, when what it is made from changes.
$(VENV)/.demo: pyproject.toml constraints.txt requirements/demo.txt requirements/django-5.2.txt | $(PY)
	@echo "Installing what the demo needs"
	@$(PIP_INSTALL) --editable '.[django]' -r requirements/demo.txt -r requirements/django-5.2.txt
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt $(wildcard requirements/*.txt) | $(PY)
	@echo "Installing what development needs (a minute or less)"
	@$(PIP_INSTALL) --editable '.[django]' -r requirements/dev.txt -r requirements/django-5.2.txt
	@touch $@ $(VENV)/.demo

# Compiled where it is installed, which takes a C compiler and the client's headers.
$(VENV)/.mariadb: constraints.txt requirements/mariadb.txt | $(VENV)/.dev
	@command -v mariadb_config mysql_config >/dev/null || { \
	    echo "The driver of MariaDB and MySQL is compiled: on Debian," \
	        "apt-get install gcc pkg-config libmariadb-dev first." >&2; \
	    exit 1; \
	}
	@$(PIP_INSTALL) -r requirements/mariadb.txt
	@touch $@

.PHONY: venv
venv: $(VENV)/.dev ## Make .venv with everything that development needs

.PHONY: venv-mariadb
venv-mariadb: $(VENV)/.mariadb ## The same, with the driver of MariaDB and MySQL (needs a C compiler)

# ------------------------------------------------------------------------------------- running

.PHONY: demo
demo: $(VENV)/.demo ## Run the blog: a comment, its mail (ONCE=1: then exit; DURABLE=1: the mail server is down)
	@ONCE=$(ONCE) DURABLE=$(DURABLE) $(PY) examples/blog/demo.py

.PHONY: test
test: $(VENV)/.dev ## Run the tests (ARGS="-k name" to choose, ARGS="-n0 --pdb" to debug)
	$(PY) -m pytest --numprocesses auto --dist worksteal $(ARGS)

.PHONY: lint
lint: $(VENV)/.dev ## Check style, format and the layers of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

.PHONY: format
format: $(VENV)/.dev ## Format, and repair what the linter can repair
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# pyright takes the environment from the first python on PATH; verifytypes knows no other way.
.PHONY: types
types: export PATH := $(CURDIR)/$(BIN):$(PATH)
types: $(VENV)/.dev ## Check types: mypy strict, pyright strict, that the whole face is typed
	mypy
	pyright --warnings
	pyright --ignoreexternal --verifytypes signalpost
	python -m tests.typing.check mypy pyright

.PHONY: docs
docs: $(VENV)/.dev ## Build the documentation into docs/_build/html
	$(PY) -m sphinx --fail-on-warning --keep-going --nitpicky --fresh-env --quiet \
	    -d docs/_build/doctrees docs docs/_build/html
	@echo "Built docs/_build/html/index.html"

.PHONY: frontend
frontend: frontend/node_modules/.made ## Build the picture of the map; without it the page is a list (needs npm)
	@npm --prefix frontend run --silent build

.PHONY: frontend-test
frontend-test: frontend/node_modules/.made ## Check the types of the map's scripts, and run their tests
	@npm --prefix frontend run --silent check
	@npm --prefix frontend run --silent test

frontend/node_modules/.made: frontend/package.json frontend/package-lock.json frontend/.npmrc
	@command -v npm >/dev/null || { \
	    echo "No npm found. The picture is built with Node 20 or newer; all else works without." >&2; \
	    exit 1; \
	}
	@npm --prefix frontend ci
	@touch $@

.PHONY: screenshots
screenshots: frontend $(VENV)/.dev ## Take the documentation's pictures (needs chromium)
	$(PY) -m tests.screenshots docs/images

.PHONY: matrix
matrix: $(VENV)/.dev ## Run the tests on each supported Python and Django (PYTHONS="3.12": on these)
	$(PY) -m nox --session tests $(if $(PYTHONS),--pythons $(PYTHONS))

.PHONY: bench
bench: $(VENV)/.dev ## Measure against Django and others (QUICK=1: a short run; CHECK=1: fail on a miss)
	$(PY) -m benchmarks $(if $(QUICK),--quick) $(if $(CHECK),--check)

DB ?= SQLite
.PHONY: soak
soak: $(VENV)/.dev ## Deliver a million, behind dead rows and beside a hot key (DB=PostgreSQL, COUNT=100000)
	$(PY) -m benchmarks.soak $(DB) $(if $(COUNT),--count $(COUNT))

# With ARGS="--restart-server" a server of its own is restarted underneath; with "--stop" workers are
# stopped past their leases.
KILLS ?= 100
.PHONY: chaos
chaos: $(VENV)/.dev ## Kill workers at random and see that nothing is lost (DB=PostgreSQL, KILLS=100, SEED=1)
	$(PY) -W error -m tests.chaos --database $(DB) --kills $(KILLS) $(if $(SEED),--seed $(SEED)) $(ARGS)

.PHONY: django-suite
django-suite: $(VENV)/.dev ## Run Django's own tests on our dispatcher (DJANGO=6.1, FULL=1: all of them)
ifeq ($(DJANGO),5.2)
	$(PY) tools/django_suite.py $(if $(FULL),--full)
else
	$(PY) -m nox --session 'django_suite($(DJANGO))' $(if $(FULL),-- --full)
endif

# ------------------------------------------------------------------------------------- keeping

.PHONY: build
build: $(VENV)/.dev ## Build the wheel and the source distribution into dist/
	$(PY) -m build --no-isolation

.PHONY: upgrade
upgrade: $(PY) ## Write constraints.txt anew, with the newest versions that fit together
	@fresh=$$(mktemp -d); trap 'rm -rf "$$fresh"' EXIT; \
	$(PY) -m venv "$$fresh"; \
	"$$fresh/bin/python" -m pip install --quiet --only-binary :all: --no-binary mysqlclient \
	    -r requirements/dev.txt -r requirements/mariadb.txt -r requirements/django-5.2.txt \
	    "asgiref" ; \
	{ sed '/^[^#]/,$$d' constraints.txt; \
	  "$$fresh/bin/python" -m pip freeze --exclude Django; } > constraints.new; \
	mv constraints.new constraints.txt; git --no-pager diff --stat constraints.txt

.PHONY: clean
clean: ## Remove what make has made
	rm -rf $(VENV) frontend/node_modules frontend/.cache src/signalpost/django/static/signalpost/map.js*
	rm -rf .cache .nox build dist docs/_build .hypothesis .import_linter_cache .mypy_cache \
	    .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
