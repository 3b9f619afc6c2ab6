"""SIGKILL at random moments: the old file or the complete new one, the next run completes, nothing is left over."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from clm.storage import facts, temporary
from tests import battery
from tests.logs import csv_of, invented

KILLS = battery.many(60, of_them=10)


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A TMPDIR of our own, so that what a killed command leaves there can be seen."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def start(argv: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "clm", *argv], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def timed(argv: list[str]) -> float:
    started = time.monotonic()
    with start(argv) as process:
        assert process.wait(timeout=100) == 0
    return time.monotonic() - started


def kill_at(argv: list[str], seconds: float) -> None:
    with start(argv) as process:
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)


def litter(*folders: Path) -> list[str]:
    return [path.name for folder in folders for path in folder.iterdir() if path.name.endswith(temporary.SUFFIX)]


def whole(path: Path) -> bool:
    """A Parquet file that reads to its end and carries its facts."""
    pl.read_parquet(path)
    return facts.KEY in pl.read_parquet_metadata(path)


@pytest.mark.slow
@pytest.mark.timeout(120 + 20 * KILLS)
def test_clean_killed_at_random_moments(tmp_path: Path, scratch: Path) -> None:
    """Whenever it is killed, clean.parquet is the file of the old log or the file of the new one."""
    old, new = (csv_of(invented(customers=n, orders=9), tmp_path / f"{n}.csv") for n in (200, 400))
    output = tmp_path / "out" / "clean.parquet"
    output.parent.mkdir()
    duration = timed(["clean", str(new), "-o", str(output)])
    complete_new = output.read_bytes()
    timed(["clean", str(old), "-o", str(output)])
    complete_old = output.read_bytes()
    moments = random.Random(1)
    for _ in range(KILLS):
        output.write_bytes(complete_old)
        kill_at(["clean", str(new), "-o", str(output)], moments.uniform(0, duration * 1.1))
        assert output.read_bytes() in (complete_old, complete_new)
    timed(["clean", str(new), "-o", str(output)])
    assert output.read_bytes() == complete_new
    assert litter(output.parent, scratch) == []


@pytest.mark.slow
@pytest.mark.timeout(120 + 20 * KILLS)
def test_run_killed_at_random_moments(tmp_path: Path, scratch: Path) -> None:
    """Whenever it is killed, every file in the folder is whole, and the next run ends with what one clean run gives."""
    source = csv_of(invented(customers=120, orders=6), tmp_path / "orders.csv")
    reference, output = tmp_path / "reference", tmp_path / "out"
    duration = timed(["run", str(source), "-o", str(reference)])
    moments = random.Random(2)
    for number in range(KILLS):
        kill_at(["run", str(source), "-o", str(output), *(["--force"] if number % 2 else [])], moments.uniform(0, duration * 1.1))
        assert all(whole(path) for path in output.glob("*.parquet"))
    timed(["run", str(source), "-o", str(output)])
    for path in reference.iterdir():
        if path.name != "run.json":
            assert (output / path.name).read_bytes() == path.read_bytes(), path.name
    assert {path.name for path in output.iterdir()} == {path.name for path in reference.iterdir()}
    assert litter(output, scratch) == []
