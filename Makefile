# `make demo` and `make test` do all the set-up themselves, in .venv.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
ENGINES ?= .engines
SPLIT ?= train2017
BEAM = $(shell sed -n 's/^apache-beam==//p' constraints.txt)
IMAGES ?= 200
DEMO ?= data/demo
SAMPLE ?= data/sample
SAMPLE_IMAGES ?= 1250
DATA ?= $(SAMPLE)/shards/train2017
VAL ?= $(if $(filter $(SAMPLE)/%,$(DATA)),$(SAMPLE)/shards/val2017)
RUN ?= $(if $(filter $(SAMPLE)/%,$(DATA)),runs/sample$(if $(filter jax,$(BACKEND)),-jax),$(error RUN= names the folder of the run))
# Of the sample, whatever TRAIN= says besides: by the usual settings it would be mirrored, and not be learned.
SAMPLE_SETTINGS = $(if $(filter $(SAMPLE)/%,$(DATA)),--config model/configs/sample.toml)

# Where it is set, each of a build's processes, and of the hundreds that tests start, compiles all that it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo train sample-shards dataflow engines prism test test-slow test-flink test-all lint format constraints bench-build bench-scale bench-evaluate bench-compare bench-stats bench-packing bench-read bench-train bench-jax tpu-check bench-ablations bench-latency bench-leaks bench-check clean

help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "cocoprep needs Python 3.11 to 3.13; name one with make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)

INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

$(VENV)/.data: setup.cfg constraints.txt | $(BIN)/python
	$(INSTALL) --editable .
	touch $@

$(VENV)/.train: setup.cfg constraints.txt | $(BIN)/python
	$(INSTALL) --editable '.[train]'
	touch $@ $(VENV)/.data

$(VENV)/.jax: setup.cfg constraints.txt | $(BIN)/python
	$(INSTALL) --editable '.[jax]'
	touch $@ $(VENV)/.data

$(VENV)/.dev: setup.cfg constraints.txt | $(BIN)/python
	$(INSTALL) --editable '.[dev,train,onnx]'
	touch $@ $(VENV)/.data $(VENV)/.train $(VENV)/.jax

train: $(VENV)/.$(if $(filter jax,$(BACKEND)),jax,train) $(if $(filter $(SAMPLE)/%,$(DATA)),sample-shards)  ## train, or go on: DATA=, VAL=, RUN= name folders, TRAIN= options; BACKEND=jax
	$(BIN)/cocoprep train --data $(DATA) $(if $(VAL),--val $(VAL)) --run-dir $(RUN) --resume $(SAMPLE_SETTINGS) $(if $(BACKEND),--backend $(BACKEND)) $(TRAIN)

sample-shards: $(VENV)/.data  ## draw a larger sample and build it small, to train on without a GPU
	$(BIN)/cocoprep sample $(SAMPLE)/coco --images $(SAMPLE_IMAGES)
	$(BIN)/cocoprep build --data-dir $(SAMPLE)/coco --split train2017 --input-size 128 --out $(SAMPLE)/shards/train2017
	$(BIN)/cocoprep build --data-dir $(SAMPLE)/coco --split val2017 --input-size 128 --out $(SAMPLE)/shards/val2017

demo: $(VENV)/.data  ## draw a sample, build train and val, verify, draw a contact sheet
	$(BIN)/cocoprep sample $(DEMO)/coco --images $(IMAGES)
	$(BIN)/cocoprep build --data-dir $(DEMO)/coco --split train2017 --out $(DEMO)/shards/train2017
	$(BIN)/cocoprep build --data-dir $(DEMO)/coco --split val2017 --out $(DEMO)/shards/val2017
	$(BIN)/cocoprep verify $(DEMO)/shards/train2017
	$(BIN)/cocoprep verify $(DEMO)/shards/val2017
	$(BIN)/cocoprep contact-sheet $(DEMO)/shards/train2017 --out $(DEMO)/contact-sheet.png

# A file's tests stay together: they share what they build, and TensorFlow takes seconds to load. One process more than
# there are processors: tests wait for other processes now and then.
PROCESSES = $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
PYTEST = $(BIN)/python -m pytest --numprocesses $(PROCESSES) --maxprocesses 5 --dist loadfile

test: $(VENV)/.dev  ## run the tests, but for the slow ones and those on other engines
	$(PYTEST) -m 'not slow and not long and not flink and not prism'

# What Beam has outside PyPI. Where one cannot be had, its tests skip and say so.
engines:
	@mkdir -p $(ENGINES)
	@test -e $(ENGINES)/flink/flink-job-server.jar || \
	  mvn -q -B -f tests/pipelines/remote/flink/pom.xml -Dfolder=$(CURDIR)/$(ENGINES)/flink package >$(ENGINES)/maven.log 2>&1 || \
	  echo 'no Flink: its parts cannot be had from Maven ($(ENGINES)/maven.log)'
	@test -e $(ENGINES)/container || \
	  GOBIN=$(CURDIR)/$(ENGINES) go install github.com/apache/beam/sdks/v2/python/container@v$(BEAM) || \
	  echo 'no entry point of Beam containers: Go cannot build it'

prism: engines
	@test -e $(ENGINES)/prism || \
	  GOBIN=$(CURDIR)/$(ENGINES) go install github.com/apache/beam/sdks/v2/go/cmd/prism@v$(BEAM) || \
	  echo 'no Prism: Go cannot build it'

$(VENV)/.gcp: setup.cfg constraints.txt | $(BIN)/python
	$(INSTALL) --editable '.[gcp]'
	touch $@ $(VENV)/.data

DATAFLOW = $(BIN)/cocoprep build --split $(SPLIT) --data-dir gs://$(or $(BUCKET),BUCKET)/coco \
  --out gs://$(or $(BUCKET),BUCKET)/shards/$(SPLIT) --runner DataflowRunner -- --project $(or $(PROJECT),PROJECT) \
  --region $(or $(REGION),REGION) --temp_location gs://$(or $(BUCKET),BUCKET)/tmp \
  $(if $(IMAGE),--sdk_container_image $(IMAGE)) $(if $(SERVICE_ACCOUNT),--service_account_email $(SERVICE_ACCOUNT)) $(OPTIONS)

dataflow: $(VENV)/.gcp  ## build on Dataflow: PROJECT=, REGION=, BUCKET=, SPLIT=; IMAGE=, SERVICE_ACCOUNT=, OPTIONS= if wanted
	@echo '$(strip $(DATAFLOW))'
	@if [ -z '$(and $(PROJECT),$(REGION),$(BUCKET))' ]; then \
	  echo 'Reads gs://BUCKET/coco (official layout: annotations/, $(SPLIT).zip) and writes gs://BUCKET/shards/$(SPLIT), on 4 to 8'; \
	  echo 'workers. Nothing was started: set PROJECT=, REGION= and BUCKET= to start it. See docs/cloud.md.'; \
	elif ! $(BIN)/python -c 'import google.auth; google.auth.default()' 2>/dev/null; then \
	  echo 'Nothing was started: no Google credentials. Run: gcloud auth application-default login'; exit 1; \
	else $(strip $(DATAFLOW)); fi

test-slow: $(VENV)/.dev  ## run the slow tests: kills, interrupted training, the notebook, the package installed
	$(PYTEST) -m 'slow and not long and not flink and not prism'

test-flink: $(VENV)/.dev engines  ## run the tests on Flink: a cluster, and workers that start as in a container
	$(BIN)/python -m pytest -m 'flink and not long' tests/pipelines

# Of the long ones a few files have nearly all, so that each test goes to whichever process is free.
test-all: test test-slow test-flink prism  ## run every test: with random kills, whole learning runs, and Prism too
	$(PYTEST) --dist worksteal -m 'long and not flink and not prism'
	$(BIN)/python -m pytest -m 'prism or (flink and long)' tests/pipelines

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

bench-scale: $(VENV)/.dev  ## build 1,000, 10,000 and 30,000 drawn images: rate and memory
	$(BIN)/python -m benchmarks.bench_scale

bench-evaluate: $(VENV)/.dev  ## compare an evaluation with pycocotools'; PEERS=python for faster-coco-eval and hotcoco too
	$(BIN)/python -m benchmarks.bench_evaluate $(if $(PEERS),--peers-python $(PEERS))

bench-compare: $(VENV)/.dev  ## count how often the intervals of compare hold the truth; PEERS= for hotcoco beside
	$(BIN)/python -m benchmarks.bench_compare $(if $(PEERS),--peers-python $(PEERS))

bench-stats: $(VENV)/.dev  ## compare the statistics of a file as large as COCO's with reading it
	$(BIN)/python -m benchmarks.bench_stats

bench-packing: $(VENV)/.dev  ## measure ways to pack heatmaps
	$(BIN)/python -m benchmarks.heatmap_packing

bench-read: $(VENV)/.dev  ## compare reading with bare JPEG decoding; TORCH=python for a torch loader too
	$(BIN)/python -m benchmarks.bench_read $(if $(TORCH),--torch-python $(TORCH))

bench-train: $(VENV)/.dev  ## compare a training step with PyTorch's: TORCH= names a Python that has torch
	$(BIN)/python -m benchmarks.bench_train $(if $(TORCH),--torch-python $(TORCH))

bench-jax: $(VENV)/.dev  ## measure a training step on JAX: time, memory, share of the peak; OPTIONS= such as --batches 8 32
	$(BIN)/python -m benchmarks.bench_jax $(OPTIONS)

# libtpu is large, and nothing else wants it: an environment of its own.
$(VENV)-tpu/.tpu: setup.cfg constraints.txt
	$(PYTHON) -m venv $(VENV)-tpu
	$(VENV)-tpu/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[jax]' 'jax[tpu]'
	touch $@

tpu-check: $(VENV)-tpu/.tpu  ## compile the training step for TPU chips that need not be there: memory, operations, least time
	$(VENV)-tpu/bin/python -m benchmarks.tpu_check $(OPTIONS)

bench-ablations: $(VENV)/.dev  ## train variants of the plain settings for as long each, on a GPU: OPTIONS='TRAIN SCORE'; TORCH=python
	$(or $(TORCH),$(BIN)/python) -m benchmarks.ablations $(OPTIONS)

bench-latency: $(VENV)/.dev  ## compare the time of a prediction with PyTorch's: TORCH= names a Python that has torch
	$(BIN)/python -m benchmarks.bench_latency $(if $(TORCH),--torch-python $(TORCH))

bench-leaks: $(VENV)/.dev  ## compare fingerprints with imagehash's, where there is one, and count what is found: PHOTOGRAPHS=
	$(BIN)/python -m benchmarks.bench_leaks $(PHOTOGRAPHS)

bench-check: $(VENV)/.dev  ## plant faults into labels, and count what `check` finds of each kind: OPTIONS= such as --annotations FILE
	$(BIN)/python -m benchmarks.bench_check $(OPTIONS)

clean:  ## remove what the targets above made, but for runs
	rm -rf $(VENV) $(VENV)-tpu $(ENGINES) $(DEMO) $(SAMPLE) .mypy_cache .ruff_cache .pytest_cache
