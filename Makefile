# Every target sets up what it is missing, so none needs another one first. `make` alone lists them.

PORT ?= 8501
VENV ?= .venv
# An interpreter to build the virtual environment from; empty: the first Python 3.11 or newer on the PATH.
PYTHON ?=
# Test processes: one more than there are cores, for browser tests wait a lot, and not more than there is memory for (each may hold an
# app and a Chromium).
WORKERS ?= $(shell n=`getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2`; n=$$((n + 1)); [ $$n -lt 3 ] && n=3; [ $$n -gt 8 ] && n=8; echo $$n)
# More for pytest: make test ARGS="-k sse"
ARGS ?=
# One benchmark: make bench ONLY=decoding
ONLY ?=

PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --no-input
RUN_STAMP := $(VENV)/.requirements-installed
DEV_STAMP := $(VENV)/.requirements-dev-installed

.PHONY: help setup run test check bench screenshots browser
.DELETE_ON_ERROR:

help:
	@echo "make run          start the playground on http://127.0.0.1:$(PORT) (PORT=)"
	@echo "make test         run every test (ARGS= goes to pytest, WORKERS= test processes)"
	@echo "make check        formatting, lint, types, tests: what .ci/run calls"
	@echo "make bench        the benchmarks (ONLY=name runs one)"
	@echo "make screenshots  write docs/images/ from the running app"
	@echo "make setup        make $(VENV) with everything the targets above need"

setup: $(DEV_STAMP) browser

run: $(RUN_STAMP)
	@$(PY) -I -S .ci/port_free.py $(PORT)
	@exec $(PY) -m streamlit run app.py --server.address 127.0.0.1 --server.port $(PORT)

# Bytecode is kept (git ignores it): an app that a test starts takes a quarter less CPU time, and there are dozens of them.
unexport PYTHONDONTWRITEBYTECODE

# What failed is tried once more, by itself, and said: a browser on a busy machine misses a click now and then. Failing twice fails.
test: $(DEV_STAMP) browser
	@$(PY) -m pytest -n $(WORKERS) --dist worksteal $(ARGS) || \
		{ [ $$? -eq 1 ] && echo "Trying what failed once more, by itself" && $(PY) -m pytest --last-failed --last-failed-no-failures none $(ARGS); }

check: $(DEV_STAMP)
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	@$(MAKE) --no-print-directory test

bench: $(DEV_STAMP) browser
	$(PY) -m tests.benchmarks $(ONLY)

screenshots: $(DEV_STAMP) browser
	$(PY) -m docs.screenshots

# Not stamped: looking for the browser costs less than finding out in the middle of the tests that it has gone.
browser: $(DEV_STAMP)
	@$(PY) -m tests.support.browser

# $(PY) is a link to the interpreter; when that is gone, make sees no file and builds the environment anew.
$(PY):
	@sh .ci/make_venv $(VENV) $(PYTHON)

$(RUN_STAMP): requirements.txt | $(PY)
	@sh .ci/make_venv $(VENV) $(PYTHON)
	@echo "Installing requirements.txt into $(VENV) (once)"
	@$(PIP) install -qq -r requirements.txt
	@touch $@

$(DEV_STAMP): requirements-dev.txt requirements.txt | $(PY)
	@sh .ci/make_venv $(VENV) $(PYTHON)
	@echo "Installing requirements-dev.txt into $(VENV) (once)"
	@$(PIP) install -qq -r requirements-dev.txt
	@touch $(RUN_STAMP) $@
