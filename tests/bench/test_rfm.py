"""`clm rfm` against the same columns written by hand for Polars and for DuckDB (`by_hand`), and within 3 GB; for `make bench`.

They run as processes of their own, in turn, so that a busy machine slows all. LINES (20 a customer: of a small log most of the
time is starting up), ROUNDS and CLM_BENCH_FOLDER (where logs are kept for the next time) come from the environment.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_series_equal

from tests.bench.measure import in_turn, keep
from tests.bench.order_logs import transactions

pytestmark = [pytest.mark.skipif("ROWS" not in os.environ, reason="a benchmark: make bench"), pytest.mark.timeout(7200)]

LINES, ROUNDS = int(os.environ.get("LINES", "20000000")), int(os.environ.get("ROUNDS", "5"))
LARGEST_RATIO = 1.3
LIMIT, MOST_BYTES = "3GB", 3_600_000_000
SLOWER_WITHIN = {"core": 2.0, "all": 3.0}
AS_OF = "2023-12-31"


@pytest.fixture(scope="module")
def log() -> Path:
    folder = Path(os.environ.get("CLM_BENCH_FOLDER", Path(tempfile.gettempdir()) / "clm-bench"))
    folder.mkdir(parents=True, exist_ok=True)
    return transactions(folder, LINES, wide=True)


def clm(columns: str, log: Path, output: Path, *options: str) -> list[str]:
    made = ["--columns", columns, "--as-of", AS_OF, "-q", "-o", str(output), *options]
    return [sys.executable, "-m", "clm", "rfm", str(log), *made]


def by_hand(columns: str, engine: str, log: Path, output: Path) -> list[str]:
    script = Path(__file__).parent / "by_hand" / f"{columns}_{engine.lower()}.py"
    return [sys.executable, str(script), str(log), str(output), AS_OF]


@pytest.mark.parametrize("columns", ["core", "all"])
def test_columns_against_both_engines_by_hand(
    columns: str, log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same columns, each equal, in at most 1.3 times the time of the faster one."""
    outputs = {name: tmp_path / f"{name}.parquet" for name in ("clm", "Polars", "DuckDB")}
    peers = {name: by_hand(columns, name, log, outputs[name]) for name in ("Polars", "DuckDB")}
    runs = in_turn({"clm": clm(columns, log, outputs["clm"]), **peers}, ROUNDS)
    ratio = runs["clm"].seconds / min(runs[name].seconds for name in peers)
    keep(f"rfm, {columns} columns", f"{LINES:,} lines", runs, ratio, f"≤ {LARGEST_RATIO}")
    with capsys.disabled():
        print(f"\nrfm --columns {columns}, {LINES:,} lines, {runs['clm'].rounds} rounds")
        for name, run in runs.items():
            print(f"{name}: {run}")
        work = runs["clm"].work / min(runs[name].work for name in peers)
        print(f"{ratio:.2f} times the faster by hand, {work:.2f} times the work of the processors")
    ours = pl.read_parquet(outputs["clm"])
    made = set(ours.columns) - {"as_of", "r_score", "f_score", "m_score", "rfm"}
    for name in peers:
        theirs = pl.read_parquet(outputs[name])
        assert set(theirs.columns) == made, name
        for column in sorted(made):
            assert_series_equal(comparable(ours[column]), comparable(theirs[column]), rel_tol=1e-9)
    assert ratio <= LARGEST_RATIO


@pytest.mark.parametrize("columns", ["core", "all"])
def test_columns_within_a_limit(columns: str, log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same bytes within 3 GB, in at most twice the time without a limit, all columns three times."""
    free, held = (tmp_path / f"{name}.parquet" for name in ("free", "held"))
    sides = {f"clm within {LIMIT}": clm(columns, log, held, "--memory-limit", LIMIT), "clm": clm(columns, log, free)}
    runs = in_turn(sides, ROUNDS)
    within, without = runs.values()
    ratio = within.seconds / without.seconds
    must = f"≤ {SLOWER_WITHIN[columns]:g}; ≤ {MOST_BYTES / 2**20:,.0f} MB"
    keep(f"rfm, {columns} columns, within {LIMIT}", f"{LINES:,} lines", runs, ratio, must)
    with capsys.disabled():
        print(f"\nrfm --columns {columns}, {LINES:,} lines, within {LIMIT}: {within}; without: {without}; {ratio:.2f} times")
    assert held.read_bytes() == free.read_bytes()
    assert within.memory <= MOST_BYTES
    assert ratio <= SLOWER_WITHIN[columns]


def comparable(column: pl.Series) -> pl.Series:
    """Whole numbers of one width, and money with sums of nothing as 0: by hand nobody tells what is not known from none."""
    if column.dtype.is_integer():
        return column.cast(pl.Int64)
    return column.cast(pl.Decimal(38, 4)).fill_null(0) if column.dtype.is_decimal() else column
