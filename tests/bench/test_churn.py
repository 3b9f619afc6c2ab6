"""`clm churn` over a long log: memory, and what its labelled snapshots cost beside as many single reduces; run by `make bench`.

Both sides run as processes of their own, in turn, so that a busy machine slows both. ORDERS (20 a customer), ROUNDS and
CLM_BENCH_FOLDER (where logs are kept for the next time) come from the environment.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest

from tests.bench.measure import in_turn, keep, measured
from tests.bench.order_logs import transactions

pytestmark = [pytest.mark.skipif("ROWS" not in os.environ, reason="a benchmark: make bench"), pytest.mark.timeout(7200)]

ORDERS, ROUNDS = int(os.environ.get("ORDERS", "20000000")), int(os.environ.get("ROUNDS", "3"))
LARGEST_RATIO, MOST_BYTES = 1.3, 6_000_000_000
_DAYS = "import sys, polars as pl; from datetime import date, timedelta; log = pl.scan_parquet(sys.argv[1]);"
_DAYS += "days = [date(2023, 12, 31) - timedelta(days=180 * n) for n in range(1, 6)];"
_SINGLE = f"{_DAYS} from clm.stages import snapshot; [snapshot.take(log, day).height for day in days]"
_TOGETHER = f"{_DAYS} from clm.stages.churn import history; read = history.read(log, date(2023, 12, 31));"
_TOGETHER += "[history.buyers(read, day, 180).height for day in days]"


@pytest.fixture(scope="module")
def log() -> Path:
    folder = Path(os.environ.get("CLM_BENCH_FOLDER", Path(tempfile.gettempdir()) / "clm-bench"))
    folder.mkdir(parents=True, exist_ok=True)
    return transactions(folder, ORDERS)


def test_five_snapshots_cost_at_most_their_reduces(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Five labelled days from one reading of the log against five single snapshots, by the processors' time."""
    sides = {"clm": _TOGETHER, "single reduces": _SINGLE}
    runs = in_turn({name: [sys.executable, "-c", program, str(log)] for name, program in sides.items()}, ROUNDS)
    ratio = runs["clm"].work / runs["single reduces"].work
    keep("churn, five snapshots", f"{ORDERS:,} lines", runs, ratio, f"≤ {LARGEST_RATIO} of processor time")
    with capsys.disabled():
        print(f"\nfive snapshots from one history: {runs['clm']}; single: {runs['single reduces']}; ratio {ratio:.2f}")
    assert ratio <= LARGEST_RATIO


def test_churn_stays_within_its_memory(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The whole command, five labelled snapshots and all candidates, from tables on disk."""
    made = log.with_name(f"{log.stem}-rfm.parquet")
    measured(sys.executable, "-m", "clm", "rfm", str(log), "--columns", "core", "-o", str(made), "-q")
    target = log.with_name(f"{log.stem}-churn.parquet")
    run = measured(
        sys.executable, "-m", "clm", "churn", str(made), "--orders", str(log), "--horizon", "180d", "-o", str(target), "-q"
    )
    with capsys.disabled():
        print(f"\nclm churn: {run}")
    keep("churn, five snapshots and all candidates", f"{ORDERS:,} lines", {"clm": run}, must=f"≤ {MOST_BYTES / 2**20:,.0f} MB")
    assert run.memory <= MOST_BYTES
