"""`clm churn` over a long log: memory, and what its labelled snapshots cost beside as many single reduces; run by `make bench`.

Both sides run as processes of their own, in turn, so that a busy machine slows both. ORDERS (20 a customer), ROUNDS and
CLM_BENCH_FOLDER (where logs are kept for the next time) come from the environment.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from pathlib import Path

import pytest

from tests.bench.measure import Run, measured
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


def _told(what: str, run: Run) -> None:
    print(f"{what}: {run.seconds:.1f} s, processors {run.work:.1f} s, {run.memory / 1e9:.2f} GB")


def test_five_snapshots_cost_at_most_their_reduces(log: Path) -> None:
    """Five labelled days from one reading of the log against five single snapshots, by the processors' time."""
    single, together = [], []
    for _ in range(ROUNDS):
        single.append(measured(sys.executable, "-c", _SINGLE, str(log)))
        together.append(measured(sys.executable, "-c", _TOGETHER, str(log)))
        _told("five single snapshots", single[-1])
        _told("five from one history", together[-1])
    ratio = statistics.median(one.work for one in together) / statistics.median(one.work for one in single)
    print(f"ratio {ratio:.2f}")
    assert ratio <= LARGEST_RATIO


def test_churn_stays_within_its_memory(log: Path) -> None:
    """The whole command, five labelled snapshots and all candidates, from tables on disk."""
    made = log.with_name(f"{log.stem}-rfm.parquet")
    measured(sys.executable, "-m", "clm", "rfm", str(log), "--columns", "core", "-o", str(made), "-q")
    target = log.with_name(f"{log.stem}-churn.parquet")
    run = measured(
        sys.executable, "-m", "clm", "churn", str(made), "--orders", str(log), "--horizon", "180d", "-o", str(target), "-q"
    )
    _told("clm churn", run)
    assert run.memory <= MOST_BYTES
