# make demo   install into .venv and watch word vectors being learned
# make test   install what the tests need and run them
# make lint   style        make types   mypy --strict on the sources        make clean   remove what make made

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test lint types clean

demo: .venv/installed
	$(BIN)/daneo demo

test: .venv/installed-dev
	$(BIN)/python -m pytest $(ARGS)

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/installed-dev
	$(BIN)/mypy

clean:
	find src -name '*.nb[ci]' -delete
	rm -rf .venv build dist daneo-demo .mypy_cache .pytest_cache .ruff_cache .hypothesis

.venv/installed: pyproject.toml constraints.txt
	@echo "Installing daneo into .venv ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "daneo needs Python 3.11 or newer: make PYTHON=python3.12")'
	@$(PYTHON) -m venv .venv
	@$(PIP) --editable .
	@touch $@

.venv/installed-dev: .venv/installed
	@echo "Installing what the tests need into .venv ..."
	@$(PIP) --editable '.[dev]'
	@touch $@
