# Ballast: the doors a person uses. `make run` and `make test` need nothing but Python 3.11 and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: run setup test soak check format lock bench clean

run: setup            ## start the bot; without TELEGRAM_TOKEN it is the demo
	@exec $(BIN)/python -m bot

setup: $(STAMP)       ## build the environment in .venv/

# From the root folder: .python-version is for hosts, and a version manager must not look for it here.
$(STAMP): requirements-dev.txt
	@cd / && $(PYTHON) -c 'import sys; sys.exit("Ballast needs Python 3.11 or newer (set PYTHON=...)" if sys.version_info < (3, 11) else 0)'
	cd / && $(PYTHON) -m venv "$(CURDIR)/$(VENV)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

test: setup           ## run all tests
	$(BIN)/python -m pytest -n auto

soak: setup           ## the fault bench in its long form: all crash points, 100,000 random steps
	SOAK=1 $(BIN)/python -m pytest -n auto tests/faults

check: setup          ## format, lint, types, import contracts, tests, coverage
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	rm -f .coverage .coverage.*
	$(BIN)/python -m pytest -n auto --cov --cov-report=
	$(BIN)/coverage report
	$(BIN)/coverage report --fail-under=100 --include="engine/domain/*,engine/trade.py,engine/fills.py,engine/recover.py,engine/vault.py"

format: setup         ## format and mend what can be mended by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: setup           ## renew the pinned versions and hashes (no index is named in them)
	$(BIN)/uv pip compile --upgrade --universal --generate-hashes --no-emit-index-url --no-header --quiet pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile --upgrade --universal --generate-hashes --no-emit-index-url --no-header --quiet pyproject.toml --group dev -o requirements-dev.txt

# What the benchmarks measure us beside, in an environment of its own; PEERS= leaves it out.
PEERS ?= .venv-bench
PEERS_STAMP := $(if $(PEERS),$(PEERS)/.installed)

bench: setup $(PEERS_STAMP)  ## what it costs, beside others; BENCH="client start" runs only these
	$(BIN)/python -m benchmarks --peers "$(if $(PEERS),$(PEERS)/bin/python)" $(BENCH)

.venv-bench/.installed: benchmarks/requirements.txt benchmarks/requirements-freqtrade.txt
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r benchmarks/requirements.txt
	@timeout 300 $(@D)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r benchmarks/requirements-freqtrade.txt \
		|| echo "freqtrade could not be installed: it is not measured"
	@touch $@

clean:                ## forget the environment and the caches
	rm -rf $(VENV) .venv-bench .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
