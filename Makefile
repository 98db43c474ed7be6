# The workflow. `make help` lists it; every target sets up what it needs by itself.

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV := .venv
TOOLS := .tools
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

.DEFAULT_GOAL := help

.PHONY: help
help: ## list these targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.PHONY: install
install: $(VENV)/.installed ## make .venv with the morgue command in it, at locked versions

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "newsmorgue needs Python 3.11 or newer; found $$($(PYTHON) --version). Name one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null \
	  || { echo "$(PYTHON) has no venv module; on Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@# pip before 25.1, as distributions ship it, knows no dependency groups
	@$(PIP) install --upgrade pip
	@echo "installing locked versions into $(VENV)"
	@$(PIP) install -r requirements.lock
	@$(PIP) install --no-deps --editable .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed requirements-test.lock
	@echo "installing what the tests need into $(VENV)"
	@$(PIP) install -r requirements-test.lock
	@touch $@

.PHONY: demo
demo: install ## crawl the demo newsroom twice, before and after it edits, and show what came of it
	@$(BIN)/python -m tests.sites.demo

.PHONY: test
test: $(VENV)/.installed-test ## lint, types, all tests on both stores and both catalogues
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@# Two at a time, as most wait for processes and servers; then, alone, those that want nothing beside them.
	folder=$$(mktemp -d) \
	  && $(BIN)/pytest -q -m "not nightly and not alone" -n 2 --dist loadfile --basetemp $$folder/tests \
	  && SEALED=$$folder/tests $(BIN)/pytest -q -m "not nightly and alone" \
	  && rm -rf $$folder

.PHONY: test-nightly
test-nightly: $(VENV)/.installed-test $(TOOLS)/.installed ## all tests with the long suites, and what pywb, warcprox and wacz say
	PYWB=$(CURDIR)/$(TOOLS)/pywb/bin WARCPROX=$(CURDIR)/$(TOOLS)/warcprox/bin/warcprox \
	  WACZ=$(CURDIR)/$(TOOLS)/wacz/bin/wacz $(BIN)/pytest -q --hypothesis-profile search

# Programs that only test-nightly asks, each in an environment of its own: pywb and warcprox are under the GPL, wacz has
# fifty dependencies. They want the pkg_resources of an older setuptools.
$(TOOLS)/.installed: Makefile
	@echo "installing pywb, warcprox and wacz into $(TOOLS)"
	@for tool in pywb==2.10.0 warcprox==2.13.1 wacz==0.6.0; do \
	  $(PYTHON) -m venv $(TOOLS)/$${tool%==*} \
	  && $(TOOLS)/$${tool%==*}/bin/pip install --quiet --disable-pip-version-check 'setuptools<81' $$tool || exit 1; \
	done
	@touch $@

.PHONY: format
format: $(VENV)/.installed-test ## put the code into its form
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format --quiet .

.PHONY: bench
bench: $(VENV)/.installed-test ## pages per CPU-second beside bare Scrapy and the usual way; what the wire tap costs
	$(BIN)/python -m bench.crawl
	$(BIN)/python -m bench.tap --check

# Folders of saved pages with what they should yield, and the program that scores extractors on them.
CORPORA ?= ../shared/corpus
EVALUATE ?= ../shared/bench/evaluate.py

.PHONY: bench-cleaning
bench-cleaning: $(VENV)/.installed-test $(TOOLS)/.peers ## quality and speed of cleaning beside other extractors, on the pages in CORPORA
	@$(PIP) install --group train
	$(BIN)/python -m bench.cleaning --folder $(CORPORA) --evaluate $(EVALUATE) --peers $(TOOLS)/peers/bin/python
	$(BIN)/python -m bench.footprint $(addprefix $(CORPORA)/,aeb naeb fundus wcxb)
	$(BIN)/python -m bench.memory $(CORPORA)/cleanportal

# The extractors that cleaning is measured beside, in an environment of their own.
$(TOOLS)/.peers: Makefile
	@echo "installing the other extractors into $(TOOLS)"
	@$(PYTHON) -m venv $(TOOLS)/peers
	@$(TOOLS)/peers/bin/pip install --quiet --disable-pip-version-check --upgrade pip
	@$(TOOLS)/peers/bin/pip install --quiet trafilatura==2.3.1 lxml_html_clean newspaper4k==0.9.6 readability-lxml==0.9 \
	  resiliparse==2.0.1 htmldate==1.11.0
	@touch $@

.PHONY: train-cleaner
train-cleaner: $(VENV)/.installed-test ## train the cleaner's model anew on the pages in CORPORA
	@$(PIP) install --group train
	$(BIN)/python -m bench.train_cleaner --folder $(CORPORA) --model src/newsmorgue/cleaning/model.json.gz --name lines-1

.PHONY: lock
lock: ## lock the newest versions that pyproject.toml allows
	folder=$$(mktemp -d) \
	  && $(PYTHON) -m venv $$folder && $$folder/bin/pip install --quiet --upgrade pip \
	  && $$folder/bin/pip install --quiet . \
	  && (echo "# Exact versions for 'make install': 'make lock' writes this anew."; \
	    $$folder/bin/pip freeze --exclude newsmorgue) > requirements.lock \
	  && $$folder/bin/pip install --quiet --group test \
	  && (echo "# Exact versions for 'make test', beside requirements.lock: 'make lock' writes this anew."; \
	    echo "-r requirements.lock"; $$folder/bin/pip freeze --exclude newsmorgue | grep -vxFf requirements.lock) > requirements-test.lock \
	  && rm -rf $$folder build

.PHONY: clean
clean: ## remove what the other targets made
	rm -rf $(VENV) $(TOOLS) build dist demo src/*.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
