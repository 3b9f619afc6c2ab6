"""How `clm rfm --columns core` grows with the log, within a memory limit, against the query by hand; for `make bench`.

GROWTH lists how many lines the logs have (20 a customer; a thousand million lines take 10 GB, and 20 GB more while they run),
GROWTH_LIMIT the memory in bytes, GROWTH_PATIENCE the seconds after which the query by hand is stopped: on the longest log it
never comes to its end. It gets from Polars' own settings what clm hands to Polars: limit less what the process itself needs.
Spilled is the most that lay in the temporary folder at once.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import polars as pl
import pytest

from clm import resources
from tests.bench.measure import Run, keep, middle, patiently
from tests.bench.order_logs import transactions
from tests.bench.test_rfm import LARGEST_RATIO, ROUNDS, by_hand, clm

pytestmark = [pytest.mark.skipif("ROWS" not in os.environ, reason="a benchmark: make bench"), pytest.mark.timeout(6 * 3600)]

SIZES = [int(size) for size in os.environ.get("GROWTH", "1000000,10000000").split(",")]
LIMIT = int(os.environ.get("GROWTH_LIMIT", "7000000000"))
PATIENCE = float(os.environ.get("GROWTH_PATIENCE", "3600"))
# below, starting up is most of the time; from here on one round is enough
_JUDGED_FROM, _LONG = 20_000_000, 100_000_000


@pytest.fixture(scope="module")
def folder() -> Path:
    found = Path(os.environ.get("CLM_BENCH_FOLDER", Path(tempfile.gettempdir()) / "clm-bench"))
    found.mkdir(parents=True, exist_ok=True)
    return found


@pytest.mark.parametrize("lines", SIZES)
def test_growth(lines: int, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same customers in at most 1.3 times the time, and within the limit."""
    log, spill = transactions(folder, lines), tmp_path / "spill"
    spill.mkdir()
    ours, theirs = (tmp_path / f"{who}.parquet" for who in ("clm", "Polars"))
    budget = f"POLARS_OOC_MEMORY_BUDGET_MB={(LIMIT - resources.own(None)) // 2**20}"
    sides = {
        "clm": ["env", f"TMPDIR={spill}", *clm("core", log, ours, "--memory-limit", str(LIMIT))],
        "Polars": ["env", f"POLARS_OOC_SPILL_DIR={spill}", budget, *by_hand("core", "Polars", log, theirs)],
    }
    runs: dict[str, list[Run]] = {name: [] for name in sides}
    spilled, hung = dict.fromkeys(sides, 0), False
    for _ in range(1 if lines >= _LONG else ROUNDS):
        for name, argv in sides.items():
            with _watched(spill) as most:
                run, stopped = patiently(PATIENCE, *argv)
            assert not (stopped and name == "clm")
            hung |= stopped
            runs[name].append(run)
            spilled[name] = max(spilled[name], *most)
    found = {name: middle(several) for name, several in runs.items()}
    ratio = found["clm"].seconds / found["Polars"].seconds
    within = f"--memory-limit {LIMIT / 1e9:g}GB"
    with capsys.disabled():
        print(f"\nrfm, core columns, {within}, {lines:,} lines")
        for name, run in found.items():
            print(f"{name}: {run}, {spilled[name] / 2**20:,.0f} MB spilled")
        print(f"{ratio:.2f} times the query by hand{', which was stopped' if hung else ''}")
    figures = {name: _figures(run, spilled[name]) for name, run in found.items()}
    if hung:
        figures["Polars, stopped after"] = {"seconds": figures.pop("Polars")["seconds"]}
    keep(
        f"growth: rfm, core columns, {within}",
        f"{lines:,} lines",
        figures,
        None if hung else ratio,
        f"≤ {LARGEST_RATIO}; ≤ {LIMIT / 2**20:,.0f} MB",
    )
    assert hung or _sums(ours) == _sums(theirs)
    assert found["clm"].memory <= LIMIT
    assert ratio <= LARGEST_RATIO or lines < _JUDGED_FROM


def _figures(run: Run, spilled: int) -> dict[str, float]:
    memory = {"memory_mb": run.memory / 2**20, "spilled_mb": spilled / 2**20, "rounds": run.rounds}
    return {"seconds": run.seconds, "processor_seconds": run.work, **memory}


def _sums(table: Path) -> tuple[object, ...]:
    """Customers, and what they have in all."""
    summed = ("orders", "returns", "order_days", "recency_days", "age_days", "spend", "repeat_spend", "returned_amount")
    sums = [pl.col(name).fill_null(0).cast(pl.Decimal(38, 4)).sum() for name in summed]
    return pl.scan_parquet(table).select(pl.len(), *sums).collect(engine="streaming").row(0)


@contextmanager
def _watched(folder: Path) -> Iterator[Sequence[int]]:
    """The bytes on disk under a folder, looked at once a second: they lie in thousands of files."""
    seen, done = [0], threading.Event()

    def watch() -> None:
        while not done.wait(1):
            seen.append(_bytes(folder))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        done.set()
        watcher.join()


def _bytes(folder: Path) -> int:
    total = 0
    for inside, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):  # gone meanwhile
                total += os.stat(os.path.join(inside, name)).st_blocks * 512  # noqa: PTH116 PTH118 of thousands of files
    return total
