"""`clm clean` against bare copies with the types given: CSV by DuckDB, Parquet by Polars; for `make bench`, not `make test`.

They run as processes of their own, in turn, so that a busy machine slows both. ROWS, ROUNDS, LIMIT and CLM_BENCH_FOLDER
(where logs are kept for the next time) come from the environment.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest

from clm.storage import publish
from tests.bench.measure import Run, in_turn, keep, measured
from tests.bench.order_logs import clean_log, parquet_log, web_shop_log

pytestmark = [pytest.mark.skipif("ROWS" not in os.environ, reason="a benchmark: make bench"), pytest.mark.timeout(3600)]

ROWS, ROUNDS = int(os.environ.get("ROWS", "5000000")), int(os.environ.get("ROUNDS", "5"))
LARGEST_RATIO, LARGEST_OF_PARQUET = 2.5, {"off": 2.0, "on": 6.0}
OFF = ("--review", "none", "--duplicates", "keep")
_TYPES = (
    "{'order_id': 'VARCHAR', 'customer_id': 'VARCHAR', 'order_date': 'TIMESTAMP', 'sku': 'VARCHAR', "
    "'quantity': 'DECIMAL(18,4)', 'amount': 'DECIMAL(18,4)'}"
)
_COPY = "import duckdb, sys; duckdb.sql(sys.argv[1])"
# written as clm writes: the same packing and row groups
_STREAM = f"""
import sys, polars as pl
money = pl.Decimal(18, 4)
pl.scan_parquet(sys.argv[1]).with_columns(
    pl.col("customer_id").cast(pl.String), pl.col("order_date").cast(pl.Datetime("us")), pl.col("quantity", "amount").cast(money)
).sink_parquet(sys.argv[2], compression="zstd", compression_level=1, row_group_size={publish.ROW_GROUP}, engine="streaming")
"""


def duckdb(log: Path, target: Path) -> list[str]:
    copy = f"COPY (SELECT * FROM read_csv('{log}', header=true, delim=',', columns={_TYPES})) TO '{target}'"
    return [sys.executable, "-c", _COPY, copy]


def polars(log: Path, target: Path) -> list[str]:
    return [sys.executable, "-c", _STREAM, str(log), str(target)]


def clm(log: Path, target: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "clm", "clean", str(log), "-o", str(target), "-q", *options]


@pytest.fixture(scope="module")
def logs() -> Path:
    folder = Path(os.environ.get("CLM_BENCH_FOLDER", Path(tempfile.gettempdir()) / "clm-bench"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def compared(name: str, runs: dict[str, Run], most: float | None, by_work: bool, capsys: pytest.CaptureFixture[str]) -> float:
    """How many times the peer's time, or the work of its processors; told with what is promised of it."""
    ours, theirs = runs.values()
    times, effort = ours.seconds / theirs.seconds, ours.work / theirs.work
    with capsys.disabled():
        print(f"\n{name}, {ROWS:,} rows, {ours.rounds} rounds")
        for who, run in runs.items():
            print(f"{who}: {run}")
        print(f"{times:.2f} times the time, {effort:.2f} times the work of the processors")
    ratio = effort if by_work else times
    keep(name, f"{ROWS:,} rows", runs, ratio, f"≤ {most}{' of processor time' if by_work else ''}" if most else "")
    return ratio


def test_clean_against_duckdb(logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Detection, typing, checks, accounting and output (flags off) take at most 2.5 times a typed copy."""
    log = clean_log(logs, ROWS)
    sides = {"clm": clm(log, tmp_path / "clean.parquet", *OFF), "DuckDB": duckdb(log, tmp_path / "duckdb.parquet")}
    assert compared("clean, CSV, flags off", in_turn(sides, ROUNDS), LARGEST_RATIO, False, capsys) <= LARGEST_RATIO


@pytest.mark.parametrize("flags", ["off", "on"])
def test_parquet_against_polars(flags: str, logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From Parquet to Parquet takes at most twice the work of a bare copy with the same casts, with every flag six times."""
    log, most = parquet_log(logs, ROWS), LARGEST_OF_PARQUET[flags]
    options = OFF if flags == "off" else ()
    sides = {"clm": clm(log, tmp_path / "clean.parquet", *options), "Polars": polars(log, tmp_path / "polars.parquet")}
    assert compared(f"clean, Parquet, flags {flags}", in_turn(sides, ROUNDS), most, True, capsys) <= most


def test_web_shop_with_every_flag(logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Returns to match and habits to know are more work than lines at random: told beside, no bound is promised."""
    log = web_shop_log(logs, ROWS)
    sides = {"clm": clm(log, tmp_path / "clean.parquet"), "Polars": polars(log, tmp_path / "polars.parquet")}
    compared("clean, Parquet of a web shop, flags on", in_turn(sides, ROUNDS), None, True, capsys)


@pytest.mark.parametrize("duplicates", ["keep", "flag"])
def test_memory_of_clean(duplicates: str, logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The largest resident set stays within --memory-limit, whatever is done about repeats."""
    log, limit = clean_log(logs, ROWS, 50), int(os.environ.get("LIMIT", "1000"))
    run = measured(*clm(log, tmp_path / "clean.parquet", "--duplicates", duplicates, "--memory-limit", f"{limit}MB"))
    with capsys.disabled():
        print(f"\nclean --duplicates {duplicates}, {ROWS:,} rows, {log.stat().st_size / 2**20:,.0f} MB: {run} of {limit:,} MB")
    keep(f"clean, CSV, --duplicates {duplicates}, --memory-limit", f"{ROWS:,} rows", {"clm": run}, must=f"≤ {limit:,} MB")
    assert run.memory <= limit * 2**20
