# Every target works from a fresh clone; the first one makes the virtual environment (about 3 minutes, 6 GB).
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Tests and the demo never reach for the network.
export HF_HUB_OFFLINE := 1

.PHONY: help setup demo test test-all check bench bench-mining format clean

help:
	@echo "make setup     virtual environment in .venv, once"
	@echo "make demo      the whole way in a miniature world, offline; writes demo/study/report.html"
	@echo "make test      the tests of a newcomer, under ten minutes on two cores"
	@echo "make test-all  all of them: slow ones, and those in headless Chromium"
	@echo "make check     ruff and mypy"
	@echo "make bench     speed, as ratios measured in one run"
	@echo "make bench-mining  the miner against FAISS, then on 1.28 million rows: about 35 minutes; DATA=folder keeps the rows"

setup: $(READY)

$(READY): pyproject.toml constraints.txt setup.py $(wildcard src/snellen/mining/kernels/*.[ch])
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Snellen needs Python 3.11 or newer: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --disable-pip-version-check --quiet --constraint constraints.txt --editable '.[api,onnx,peers,dev]'
	@touch $@

demo: $(READY)
	$(BIN)/snellen demo

test: $(READY)
	$(BIN)/pytest -n 2 -m "not slow and not browser"

test-all: $(READY)
	$(BIN)/pytest -n 2

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY)
	$(BIN)/python -m benchmarks.embed
	$(BIN)/python -m benchmarks.ask

bench-mining: $(READY)
	$(BIN)/pip install --disable-pip-version-check --quiet --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python -m benchmarks.mining $(if $(DATA),--data '$(DATA)')
	$(BIN)/python -m benchmarks.mining --large $(if $(DATA),--data '$(DATA)')

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) build demo .mypy_cache .ruff_cache .pytest_cache .hypothesis
