# Ballast: the targets. `make run` and `make test` need nothing but Python 3.11 and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime-installed
DEV := $(VENV)/.dev-installed
# The locks are complete, so nothing is resolved: old pips resolve an extra to the newest release.
LOCKED := --quiet --no-deps --require-hashes
PIP := "$(CURDIR)/$(BIN)/python" -m pip install --disable-pip-version-check $(LOCKED)

.PHONY: run help setup test soak check format lock docs bench dist workflows clean

run: $(RUNTIME)       ## start the bot; without TELEGRAM_TOKEN it is the demo
	@exec $(BIN)/python -m bot

help:                 ## list what make can do here
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

setup: $(DEV)         ## build the environment in .venv/, with all that tests need

# From the root folder: .python-version is for hosts, and a version manager must not look for it here.
$(RUNTIME): requirements.txt requirements-uv.txt
	@cd / && $(PYTHON) -c 'import sys; sys.exit("Ballast needs Python 3.11 or newer (set PYTHON=...)" if sys.version_info < (3, 11) else 0)'
	@echo "Building an environment in $(VENV)/ ..."
	@cd / && $(PYTHON) -m venv "$(CURDIR)/$(VENV)"
	@cd / && $(HAS_UV) || $(PIP) --only-binary :all: -r "$(CURDIR)/requirements-uv.txt" 2>/dev/null || true
	@echo "Installing what Ballast needs (about 10 s) ..."
	@$(call install,requirements.txt)
	@touch $@

$(DEV): requirements-dev.txt $(RUNTIME)
	@echo "Installing what the tests need (about 20 s) ..."
	@$(call install,requirements-dev.txt,--compile-bytecode)
	@touch $@

# uv is three times as fast as pip: the environment's own, or else the machine's. It trusts what the
# machine trusts, as Debian's pip does. Where none can be had, or it fails, pip does the work.
export UV_SYSTEM_CERTS ?= true
UV := PATH="$(CURDIR)/$(BIN):$$PATH" uv
HAS_UV = $(UV) --version >/dev/null 2>&1
install = cd / && { $(HAS_UV) && $(UV) pip install --python "$(CURDIR)/$(BIN)/python" $(LOCKED) $(2) -r "$(CURDIR)/$(1)"; } || \
	{ echo "Without uv: pip does it, which takes three times as long ..." && $(PIP) $(if $(2),,--no-compile) -r "$(CURDIR)/$(1)"; }

# What Python compiled is kept, whatever the machine's habit: each test process would do it again.
test check soak: export PYTHONDONTWRITEBYTECODE =

test: export HYPOTHESIS_PROFILE ?= short
test: setup           ## run the tests, but for the long ones: under 5 minutes on 2 cores
	$(BIN)/python -m pytest -n auto -m "not long"

soak: setup           ## the long form: all crash points, 100,000 random steps, 500 examples a property
	SOAK=1 $(BIN)/python -m pytest -n auto

check: setup          ## format, lint, types, import contracts, all tests, coverage
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	rm -f .coverage .coverage.*
	$(BIN)/python -m pytest -n auto --cov --cov-report=
	$(BIN)/coverage report
	$(BIN)/coverage report --fail-under=100 --include="engine/domain/*,engine/execution/executor.py,engine/execution/fills.py,engine/execution/reconciliation.py,engine/security/vault.py"

format: setup         ## format and mend what can be mended by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

COMPILE := $(BIN)/uv pip compile --upgrade --universal --generate-hashes --no-emit-index-url --no-header --quiet

lock: setup           ## renew the pinned versions and hashes (no index is named in them)
	$(COMPILE) --group pyproject.toml:install -o requirements-uv.txt
	$(COMPILE) pyproject.toml -o requirements.txt
	$(COMPILE) pyproject.toml --group dev -o requirements-dev.txt
	$(COMPILE) --group pyproject.toml:release -o requirements-release.txt
	$(COMPILE) --group pyproject.toml:docs -o requirements-docs.txt

# The site of the documents, in an environment of its own. Its links are checked as it is built.
DOCS := .venv-docs

$(DOCS)/.installed: requirements-docs.txt $(RUNTIME)
	$(UV) venv --quiet --clear --python $(BIN)/python $(@D)
	$(UV) pip install --python $(DOCS)/bin/python $(LOCKED) --only-binary :all: -r requirements-docs.txt
	@touch $@

docs: $(DOCS)/.installed  ## build the documents as a site with a search, into site/
	rm -rf site
	$(DOCS)/bin/sphinx-build --quiet --fail-on-warning --keep-going -c docs -d $(DOCS)/.doctrees . site
	@echo "Open site/index.html"

# What the benchmarks measure us beside, in an environment of its own; PEERS= leaves it out.
PEERS ?= .venv-bench
PEERS_STAMP := $(if $(PEERS),$(PEERS)/.installed)

bench: setup $(PEERS_STAMP)  ## what it costs, beside others; BENCH="client start" runs only these
	$(BIN)/python -m benchmarks --peers "$(if $(PEERS),$(PEERS)/bin/python)" $(BENCH)

.venv-bench/.installed: benchmarks/requirements.txt benchmarks/requirements-freqtrade.txt
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --disable-pip-version-check $(LOCKED) -r benchmarks/requirements.txt
	@timeout 300 $(@D)/bin/python -m pip install --disable-pip-version-check $(LOCKED) -r benchmarks/requirements-freqtrade.txt \
		|| echo "freqtrade could not be installed: it is not measured"
	@touch $@

# What builds a release and checks the forge's files; the program alone, for the SBOM, in an environment within.
RELEASE := .venv-release
RELEASE_PYTHON := $(RELEASE)/bin/python
PROGRAM := $(RELEASE)/program

$(RELEASE)/.installed: requirements-release.txt $(RUNTIME)
	$(UV) venv --quiet --clear --python $(BIN)/python $(@D)
	$(UV) pip install --python $(RELEASE_PYTHON) $(LOCKED) --only-binary :all: -r requirements-release.txt
	@touch $@

dist: $(RELEASE)/.installed  ## build a release into dist/: wheel, sdist and SBOM
	rm -rf dist $(PROGRAM)
	$(UV) build --quiet --no-build-isolation --python $(RELEASE_PYTHON) --out-dir dist
	$(UV) venv --quiet --python $(RELEASE_PYTHON) $(PROGRAM)
	$(UV) pip install --python $(PROGRAM) $(LOCKED) -r requirements.txt
	$(RELEASE)/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible -o dist/ballast.cdx.json $(PROGRAM)

SCHEMA := $(RELEASE)/bin/check-jsonschema --builtin-schema

workflows: $(RELEASE)/.installed  ## check the forge's files against their schemas and zizmor's rules
	$(SCHEMA) vendor.github-workflows .github/workflows/*.yml
	$(SCHEMA) vendor.dependabot .github/dependabot.yml
	$(SCHEMA) vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(SCHEMA) vendor.github-issue-forms $(filter-out %/config.yml,$(wildcard .github/ISSUE_TEMPLATE/*.yml))
	$(RELEASE)/bin/zizmor --offline --strict-collection --no-progress .github

clean:                ## forget the environments, the caches and what was built
	rm -rf $(VENV) .venv-bench $(RELEASE) $(DOCS) dist site .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
