# make demo   install into .venv and run clm on a real log       make test   the whole suite
# make lint   ruff and mypy                                     make docs   renew the generated blocks of the README
# make battery   what robustness promises, in full and counted: kills, failing disks, hostile files (over an hour)
# make bench  clean against DuckDB and its memory: ROWS=5000000 ROUNDS=5 LIMIT=1000 (MB) CLM_BENCH_FOLDER=… keeps the logs;
#             rfm against queries by hand: LINES=20000000;
#             the models against lifetimes (a quarter of an hour, most of it theirs): CUSTOMERS=1000000; the report against its charts;
#             GROWTH=1000000,10000000 lines within GROWTH_LIMIT=7000000000 bytes: how rfm grows (a thousand million lines: 25 GB of disk);
#             clm run against a pandas script: SALES=20000000 (lines; minutes and 10 GB); start-up;
#             KEEP=1 keeps the figures for the README (then make docs)

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
WORKERS ?= auto
ROWS    ?= 5000000
BATTERY := $(wildcard tests/faults tests/hostile tests/fuzz tests/privacy) tests/laws/test_same_bytes.py

.PHONY: demo test battery lint docs bench clean

demo: $(VENV)/installed
	@$(BIN)/clm demo -o out/demo
	@echo "The report: out/demo/report.html"

test: $(VENV)/installed-dev
	@$(BIN)/ruff format --check clm tests examples data
	@$(BIN)/ruff check clm tests examples data
	@$(BIN)/mypy
	@$(BIN)/pytest -n $(WORKERS)

battery: $(VENV)/installed-dev
	@CLM_BATTERY=1 $(BIN)/pytest -n $(WORKERS) --dist worksteal $(BATTERY)

lint: $(VENV)/installed-dev
	$(BIN)/ruff format --check clm tests examples data
	$(BIN)/ruff check clm tests examples data
	$(BIN)/mypy

docs: $(VENV)/installed-dev
	$(BIN)/python -m tests.docs.generate

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "clm needs Python 3.11 or later: make PYTHON=python3.12 ...")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(VENV)/bin/python pyproject.toml
	@echo "installing clm into $(VENV) (about a minute, once)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed pyproject.toml
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[dev]'
	@touch $@

bench: $(VENV)/installed-dev
	@ROWS=$(ROWS) CLM_BENCH_KEEP=$(KEEP) $(BIN)/pytest -q tests/bench

clean:
	rm -rf $(VENV) out build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
