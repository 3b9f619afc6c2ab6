"""`clm clean` against bare copies with the types given: CSV by DuckDB, Parquet by Polars; for `make bench`, not `make test`.

They run as processes of their own, in turn, so that a busy machine slows both. ROWS, ROUNDS, LIMIT and CLM_BENCH_FOLDER
(where logs are kept for the next time) come from the environment.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from pathlib import Path

import pytest

from clm.storage import publish
from tests.bench.measure import Run, measured
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


def duckdb(log: Path, target: Path) -> Run:
    return measured(
        sys.executable,
        "-c",
        _COPY,
        f"COPY (SELECT * FROM read_csv('{log}', header=true, delim=',', columns={_TYPES})) TO '{target}'",
    )


def polars(log: Path, target: Path) -> Run:
    return measured(sys.executable, "-c", _STREAM, str(log), str(target))


def clm(log: Path, target: Path, *options: str) -> Run:
    return measured(sys.executable, "-m", "clm", "clean", str(log), "-o", str(target), "-q", *options)


@pytest.fixture(scope="module")
def logs() -> Path:
    folder = Path(os.environ.get("CLM_BENCH_FOLDER", Path(tempfile.gettempdir()) / "clm-bench"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def compared(name: str, ours: list[Run], theirs: list[Run], peer: str) -> tuple[float, float, str]:
    """How many times the peer's time and work, in the median, and a line that says it."""
    seconds, work = (
        [statistics.median(getattr(run, what) for run in runs) for runs in (ours, theirs)] for what in ("seconds", "work")
    )
    memory = [max(run.memory for run in runs) / 2**20 for runs in (ours, theirs)]
    times, effort = seconds[0] / seconds[1], work[0] / work[1]
    return (
        times,
        effort,
        (
            f"{name}, {ROWS:,} rows, {ROUNDS} rounds: clm {seconds[0]:.2f} s {memory[0]:,.0f} MB, "
            f"{peer} {seconds[1]:.2f} s {memory[1]:,.0f} MB: {times:.2f} times the time, "
            f"{effort:.2f} times the work of the processors"
        ),
    )


def test_clean_against_duckdb(logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Detection, typing, checks, accounting and output (flags off) take at most 2.5 times a typed copy."""
    log = clean_log(logs, ROWS)
    theirs, ours = [], []
    for _ in range(ROUNDS):
        theirs.append(duckdb(log, tmp_path / "duckdb.parquet"))
        ours.append(clm(log, tmp_path / "clean.parquet", *OFF))
    times, _, line = compared("clean", ours, theirs, "DuckDB")
    with capsys.disabled():
        print(f"\n{line}")
    assert times <= LARGEST_RATIO


@pytest.mark.parametrize("flags", ["off", "on"])
def test_parquet_against_polars(flags: str, logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From Parquet to Parquet takes at most twice the work of a bare copy with the same casts, with every flag six times."""
    log = parquet_log(logs, ROWS)
    theirs, ours = [], []
    for _ in range(ROUNDS):
        theirs.append(polars(log, tmp_path / "polars.parquet"))
        ours.append(clm(log, tmp_path / "clean.parquet", *(OFF if flags == "off" else ())))
    _, effort, line = compared(f"Parquet, flags {flags}", ours, theirs, "Polars")
    with capsys.disabled():
        print(f"\n{line}")
    assert effort <= LARGEST_OF_PARQUET[flags]


def test_web_shop_with_every_flag(logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Returns to match and habits to know are more work than lines at random: told beside, no bound is promised."""
    log = web_shop_log(logs, ROWS)
    theirs, ours = [], []
    for _ in range(ROUNDS):
        theirs.append(polars(log, tmp_path / "polars.parquet"))
        ours.append(clm(log, tmp_path / "clean.parquet"))
    with capsys.disabled():
        print(f"\n{compared('a web shop, flags on', ours, theirs, 'Polars')[2]}")


@pytest.mark.parametrize("duplicates", ["keep", "flag"])
def test_memory_of_clean(duplicates: str, logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The largest resident set stays within --memory-limit, whatever is done about repeats."""
    log, limit = clean_log(logs, ROWS, 50), int(os.environ.get("LIMIT", "1000"))
    run = clm(log, tmp_path / "clean.parquet", "--duplicates", duplicates, "--memory-limit", f"{limit}MB")
    with capsys.disabled():
        print(
            f"\nclean --duplicates {duplicates}, {ROWS:,} rows, {log.stat().st_size / 2**20:,.0f} MB: "
            f"{run.seconds:.1f} s, {run.memory / 2**20:,.0f} MB of {limit:,} MB"
        )
    assert run.memory <= limit * 2**20
