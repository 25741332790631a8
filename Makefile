# `make demo` and `make test` do all the set-up themselves, in .venv.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
IMAGES ?= 200
DEMO ?= data/demo

.PHONY: help demo test test-slow lint format constraints bench-build bench-packing clean

help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "cocoprep needs Python 3.11 or newer; name one with make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.data: setup.cfg constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	touch $@

$(VENV)/.dev: setup.cfg constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,train]'
	touch $@ $(VENV)/.data

demo: $(VENV)/.data  ## draw a sample, build train and val, verify, draw a contact sheet
	$(BIN)/cocoprep sample $(DEMO)/coco --images $(IMAGES)
	$(BIN)/cocoprep build --data-dir $(DEMO)/coco --split train2017 --out $(DEMO)/shards/train2017
	$(BIN)/cocoprep build --data-dir $(DEMO)/coco --split val2017 --out $(DEMO)/shards/val2017
	$(BIN)/cocoprep verify $(DEMO)/shards/train2017
	$(BIN)/cocoprep verify $(DEMO)/shards/val2017
	$(BIN)/cocoprep contact-sheet $(DEMO)/shards/train2017 --out $(DEMO)/contact-sheet.png

test: $(VENV)/.dev  ## run the tests, but for the slow ones
	$(BIN)/python -m pytest -m 'not slow'

test-slow: $(VENV)/.dev  ## run the slow tests: kills at random moments
	$(BIN)/python -m pytest -m slow

lint: $(VENV)/.dev  ## check style and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/.dev  ## mend what can be mended of style
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

constraints: $(VENV)/.dev  ## pin what is installed now, after the tests have passed
	$(BIN)/python -m pip freeze --exclude-editable --exclude cocoprep > constraints.txt

bench-build: $(VENV)/.dev  ## compare a build with a bare multiprocessing loop
	$(BIN)/python -m benchmarks.bench_build

bench-packing: $(VENV)/.dev  ## measure ways to pack heatmaps
	$(BIN)/python -m benchmarks.heatmap_packing

clean:  ## remove what the targets above made
	rm -rf $(VENV) $(DEMO) .mypy_cache .ruff_cache .pytest_cache
