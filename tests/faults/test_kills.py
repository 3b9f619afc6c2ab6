"""Killed at random moments: the old file or the complete new one, the next run completes, nothing is left over."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path
from random import Random

import pytest

from clm import journal
from tests import battery
from tests.faults import processes
from tests.faults.world import CASES, World, content, litter

# the shares of the battery's 350: what writes most is killed most
_KILLS = dict.fromkeys(CASES, 17) | {"clean": 50, "rfm": 30, "run": 66}
_SLICE = {"clean": 4, "run": 2}


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("case", "kills"), (_KILLS if battery.WHOLE else _SLICE).items())
def test_killed_at_random_moments(
    shops: World, tmp_path: Path, scratch: Path, count: battery.Count, case: str, kills: int
) -> None:
    """SIGKILL: every output is what the old log or the new one gives, and the next run makes the new ones without litter."""
    out = tmp_path / "out"
    shops.lay(case, out)
    argv = shops.argv(case, out)
    duration = processes.seconds(argv)
    moments = Random(f"kill {case}")
    corrupt, missing, unfinished = 0, 0, 0
    for number in range(kills):
        shops.lay(case, out)
        # a run also has to go on with what an earlier one left: only every third starts from the old folder
        for _ in range(1 + 2 * (case == "run" and number % 3 == 0)):
            processes.stopped(argv, moments.uniform(0.1, 1.05) * duration, signal.SIGKILL)
        torn = shops.torn(case, out)
        missing += sum(not (out / name).exists() for name in torn)
        corrupt += sum((out / name).exists() for name in torn)
        if number % 5 == 0 or number == kills - 1:
            unfinished += processes.ended(argv).code != 0 or content(out) != shops.outputs(case, "new")
            unfinished += len(litter(out, scratch))
    count("killed at random moments", kills=kills, corrupt=corrupt, missing=missing, not_completed_by_the_next_run=unfinished)
    assert (corrupt, missing, unfinished) == (0, 0, 0)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("of", ["run", "single tables"])
def test_forget_killed_at_random_moments(shops: World, tmp_path: Path, scratch: Path, count: battery.Count, of: str) -> None:
    """Each file still has the customers or no longer has them; forgetting again ends where one undisturbed time does."""
    out, ids = tmp_path / "out", tmp_path / "ids.txt"
    ids.write_text("C003\nC007\n")
    argv = ["forget", "--ids-file", str(ids), str(out), "-q"]
    assert shops.outputs("run", "old")
    made = shops.folder / "made" / "run-old"  # with run.json
    if of == "single tables":
        made = Path(shutil.copytree(made, tmp_path / "loose", ignore=lambda _, names: {n for n in names if n[-8:] != ".parquet"}))
    shutil.copytree(made, out)
    before = content(out)
    duration = processes.seconds(argv)
    after = content(out)
    assert before.keys() == after.keys()
    assert before != after
    kills = battery.many(15, of_them=1)
    moments = Random(f"kill forget {of}")
    torn = unfinished = 0
    for _ in range(kills):
        shutil.rmtree(out)
        shutil.copytree(made, out)
        processes.stopped(argv, moments.uniform(0.4, 1.0) * duration, signal.SIGKILL)
        torn += sum(
            found not in (before.get(name), after.get(name)) for name, found in content(out).items() if name != journal.NAME
        )
        torn += len(before.keys() - content(out).keys())
        unfinished += processes.ended(argv).code != 0 or content(out) != after or len(litter(out, scratch)) > 0
    count("forget killed at random moments", kills=kills, torn=torn, not_completed_by_the_next=unfinished)
    assert (torn, unfinished) == (0, 0)


def test_the_battery_kills_as_often_as_it_says() -> None:
    """350 kills over every command that writes."""
    assert sum(_KILLS.values()) >= 350
    assert _KILLS.keys() == CASES.keys()
