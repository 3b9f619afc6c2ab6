"""One child process, measured; and what the benchmarks found, kept in `results.json` for the README.

It may not know what is measured. `make bench KEEP=1` keeps, otherwise nothing is written.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from clm import resources
from tests import alone

RESULTS = Path(__file__).with_name("results.json")
_PACKAGES = ("clm", "polars", "duckdb", "pandas", "lifetimes", "scikit-learn", "numpy", "scipy", "pyarrow")
_LONG = 60.0


@dataclass(frozen=True)
class Run:
    """Seconds on the clock, seconds of the processors, and the largest resident set in bytes; of so many rounds."""

    seconds: float
    work: float
    memory: int
    rounds: int = 1

    def __str__(self) -> str:
        return f"{self.seconds:.2f} s, processors {self.work:.2f} s, {self.memory / 2**20:,.0f} MB"


def measured(*argv: str) -> Run:
    """Run a child to its end. Raises when it fails."""
    done = alone.run(*argv, limit=None)
    assert done.code == 0, (argv, done.said)
    return Run(done.seconds, done.work, done.memory)


def patiently(seconds: float, *argv: str) -> tuple[Run, bool]:
    """The same of a child that may never come to its end; and whether it was stopped after so many seconds, which are then all
    that is known of it.
    """
    done = alone.run("timeout", "--signal=KILL", str(seconds), *argv, limit=None)
    stopped = done.code in (-9, 137) and done.seconds >= seconds
    assert done.code == 0 or stopped, (argv, done.said)
    return Run(done.seconds, done.work, done.memory), stopped


def middle(runs: Sequence[Run]) -> Run:
    """The median seconds and the largest resident set."""
    return Run(
        statistics.median(run.seconds for run in runs),
        statistics.median(run.work for run in runs),
        max(run.memory for run in runs),
        len(runs),
    )


def in_turn(sides: Mapping[str, Sequence[str]], rounds: int) -> dict[str, Run]:
    """The middle of alternating rounds, so that a busy machine slows all sides; one round where a side needs over a minute."""
    runs: dict[str, list[Run]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, argv in sides.items():
            runs[name].append(measured(*argv))
        if any(found[-1].seconds > _LONG for found in runs.values()):
            break
    return {name: middle(found) for name, found in runs.items()}


def keep(
    case: str, size: str, sides: Mapping[str, Run | Mapping[str, float]], ratio: float | None = None, must: str = ""
) -> None:
    """One row of the README's table, in the place of an earlier one of the same case and size.

    `sides`: clm first, then its peers: a Run, or figures by name (seconds, processor_seconds, memory_mb, spilled_mb, rounds).
    `ratio`: clm against the peer that counts, `must` what is promised of it, as text (`≤ 1.3`, `≥ 10 times as fast`).
    """
    if not os.environ.get("CLM_BENCH_KEEP"):
        return
    row = {
        "case": case,
        "size": size,
        "sides": {name: _figures(side) for name, side in sides.items()},
        "ratio": None if ratio is None else float(f"{ratio:.3g}"),
        "must": must,
        "measured": {"date": date.today().isoformat(), "versions": _versions(), "machine": _machine()},
    }
    rows = [row, *(one for one in kept() if (one["case"], one["size"]) != (case, size))]
    rows.sort(key=lambda one: (one["case"], [int(part) for part in _numbers(one["size"])], one["size"]))
    RESULTS.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", "utf-8")


def kept() -> list[dict[str, Any]]:
    """The rows there are: case, size, sides, ratio, must, measured (date, versions, machine)."""
    found: list[dict[str, Any]] = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else []
    return found


def _figures(side: Run | Mapping[str, float]) -> dict[str, float]:
    if isinstance(side, Run):
        memory = {"memory_mb": side.memory / 2**20, "rounds": side.rounds}
        side = {"seconds": side.seconds, "processor_seconds": side.work, **memory}
    return {name: float(f"{value:.4g}") for name, value in side.items()}


def _numbers(size: str) -> list[str]:
    return [word for word in size.replace(",", "").split() if word.isdigit()]


def _versions() -> dict[str, str]:
    return {"python": platform.python_version()} | {name: version(name) for name in _PACKAGES}


def _machine() -> str:
    models = [platform.processor() or platform.machine()]
    if (cpus := Path("/proc/cpuinfo")).exists():
        models = [line.split(":", 1)[1].strip() for line in cpus.read_text("utf-8").splitlines() if line.startswith("model name")]
    memory = round(resources.allowed_memory() / 2**30)
    return ", ".join([f"{os.cpu_count()} cores", f"{memory} GB", platform.system(), *models[:1]])
