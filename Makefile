# Every target is a thin call; what it calls says what it does.
# Needs Python 3.11 or newer with venv, make and git. Another Python: make report PYTHON=python3.12
VENV   ?= .venv
# The first of these that starts, is new enough and has venv complete. Asked only when the environment is made.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do $$p $(SUITS) 2>/dev/null && echo $$p && break; done)
SUITS   = -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))'
NEEDS   = Grocery Spheres needs Python 3.11 or newer with venv (on Debian: apt-get install python3-venv). \
          If it lies elsewhere, name it: make PYTHON=python3.12
RUN     = $(VENV)/bin/python -m
PIP     = $(RUN) pip --quiet --disable-pip-version-check install --no-deps
LOCK    = UV_CUSTOM_COMPILE_COMMAND='make lock' uv pip compile --quiet --universal --python-version 3.11 \
          --generate-hashes --no-annotate --no-emit-index-url $(UPGRADE)

.DEFAULT_GOAL := help
.PHONY: help report test test-browser lab bench validate data lock clean

help: ## List what make can do
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'

report: $(VENV)/run.stamp ## Run the notebooks, write reports/ and name the page to open
	@$(RUN) grocery_spheres report

test: $(VENV)/test.stamp ## Lint, check types and run the tests, without the long browser part
	$(RUN) ruff check --quiet && $(RUN) ruff format --check --quiet
	$(RUN) mypy --no-error-summary
	$(RUN) pytest -q -n 2 --dist worksteal -m 'not slow'

test-browser: $(VENV)/test.stamp ## Open every page and notebook in headless Chromium, the long part too
	$(RUN) pytest -q -m browser

lab: $(VENV)/run.stamp ## Open JupyterLab on the notebooks; it works with no network
	JUPYTER_CONFIG_PATH='$(CURDIR)/.jupyter' $(RUN) jupyterlab --notebook-dir=notebooks --LabApp.extension_manager=readonly

bench: $(VENV)/test.stamp ## Measure speed and memory against peers (benchmarks/)
	@for script in benchmarks/*.py; do $(VENV)/bin/python $$script || exit; done

validate: $(VENV)/run.stamp ## Run the long proofs into reports/validation/; SUBJECT=entry runs one
	@$(RUN) grocery_spheres validate $(SUBJECT)

data: $(VENV)/run.stamp ## Build the data that the notebooks read
	@$(RUN) grocery_spheres data

clean: ## Remove what was built: pages, data, caches (the environment stays)
	rm -rf reports/*.html reports/executed reports/numbers data/public data/synthetic data/validation
	rm -rf .mypy_cache .pytest_cache .ruff_cache

# The environment, in steps: the locked packages, the package itself, the checks. Each is redone when its file changed.
$(VENV)/lock.stamp: requirements.txt
	@test -n '$(PYTHON)' && '$(PYTHON)' $(SUITS) 2>/dev/null || { echo '$(NEEDS)' >&2; exit 1; }
	@echo 'Making $(VENV) from requirements.txt: about a minute, about 1 GB.'
	@'$(PYTHON)' -m venv --clear $(VENV)
	@$(PIP) --require-hashes -r requirements.txt && touch $@

$(VENV)/run.stamp: $(VENV)/lock.stamp pyproject.toml
	@$(PIP) --no-build-isolation -e . && touch $@

$(VENV)/test.stamp: $(VENV)/run.stamp requirements-test.txt
	@$(PIP) --require-hashes -r requirements-test.txt && touch $@

# For maintainers, needs uv. Versions that still fit stay; `make lock UPGRADE=--upgrade` takes the newest.
lock: ## Write requirements.txt and requirements-test.txt anew (for maintainers: needs uv)
	@python3 -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' \
	  | $(LOCK) pyproject.toml - -o requirements.txt
	@$(LOCK) --extra test pyproject.toml -c requirements.txt -o requirements-test.txt \
	  $$(sed -n 's/^\([A-Za-z0-9._-]*\)==.*/--no-emit-package \1/p' requirements.txt)
