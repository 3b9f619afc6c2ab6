"""A cron job for months: data is appended, some runs are killed, and in the end nothing tells it from one clean run."""

from __future__ import annotations

import signal
import time
from datetime import date, timedelta
from pathlib import Path
from random import Random

import pytest

from clm.cli import main
from tests import battery
from tests.faults import processes
from tests.faults.world import content, litter

_DAYS = battery.many(200, of_them=5)
_FIRST = date(2024, 1, 1)


def _sold(day: date, random: Random) -> str:
    """The orders of one day: customers who come again and some new ones; now and then a return or a row without a customer."""
    lines = []
    for number in range(random.randint(1, 6)):
        customer = "" if random.random() < 0.03 else f"C{int(random.expovariate(1 / 30)):03}"
        amount = random.randint(-2000, 9000) / 100
        lines.append(f"{day:%y%m%d}{number},{customer},{day} {random.randint(8, 20):02}:15:00,{amount:.2f}\n")
    return "".join(lines)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_months_of_runs_with_kills_equal_one_clean_run(tmp_path: Path, scratch: Path, count: battery.Count) -> None:
    """Every tenth day, and at the end, the folder holds to the byte what one run over the whole log makes, and nothing else."""
    logs, out = tmp_path / "logs", tmp_path / "out"
    logs.mkdir()
    random = Random("days")
    kills = different = 0
    argv = ["run", str(logs), "-o", str(out), "-q"]
    duration = 2.0
    for number in range(_DAYS):
        day = _FIRST + timedelta(number)
        with (log := logs / f"orders-{day:%Y-%m}.csv").open("a") as month:
            if log.stat().st_size == 0:
                month.write("order_id,customer_id,order_date,amount\n")
            month.write(_sold(day, random))
        if random.random() < 0.3:
            processes.stopped(argv, random.uniform(0.1, 1.0) * duration, signal.SIGKILL)
            kills += 1
        if random.random() < 0.1:
            continue  # nobody ran it that day
        started = time.monotonic()
        assert main(argv) == 0
        duration = max(duration, time.monotonic() - started)
        if number % 10 == 9 or number == _DAYS - 1:
            clean = tmp_path / f"clean-{number}"
            assert main(["run", str(logs), "-o", str(clean), "-q"]) == 0
            different += content(clean) != content(out)
            different += len(litter(out, scratch))
    assert main(argv) == 0
    clean = tmp_path / "clean"
    assert main(["run", str(logs), "-o", str(clean), "-q"]) == 0
    different += content(clean) != content(out)
    count("months of runs", days=_DAYS, kills=kills, differences=different)
    assert kills
    assert different == 0
