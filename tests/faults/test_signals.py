"""Stopped in words: every signal a shell, cron or a closing terminal sends ends a command with its code and without traces."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from tests import battery
from tests.faults import processes
from tests.faults.world import CASES, World, content, litter

_CODES = {signal.SIGTERM: 143, signal.SIGINT: 130, signal.SIGHUP: 143}
_TIMES = battery.many(6, of_them=1)


def _default_signals() -> None:
    """As a shell starts a command: a test run in the background ignores SIGINT, and its children would inherit that."""
    for number in _CODES:
        signal.signal(number, signal.SIG_DFL)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("number", _CODES, ids=lambda number: number.name)
@pytest.mark.parametrize("case", CASES if battery.WHOLE else ["clean"])
def test_stopped_at_random_moments(
    shops: World, tmp_path: Path, scratch: Path, count: battery.Count, case: str, number: signal.Signals
) -> None:
    """The code is the signal's (or 0, when it came too late), each file is old or new, and nothing is left lying about."""
    out = tmp_path / "out"
    shops.lay(case, out)
    duration = processes.seconds(shops.argv(case, out))
    moments = Random(f"stop {case} {number}")
    wrong: list[str] = []
    for _ in range(_TIMES):
        shops.lay(case, out)
        done = processes.stopped(shops.argv(case, out), moments.uniform(0.1, 1.05) * duration, number, _default_signals)
        # the interpreter itself dies of a signal that comes before clm's first line
        if done.code not in (0, _CODES[number], -number) or "Traceback" in done.said:
            wrong.append(f"exit {done.code}: {done.said}")
        if done.code == 0 and content(out) != shops.outputs(case, "new"):
            wrong.append("exit 0, but not everything was written")
        wrong += [f"torn: {name}" for name in shops.torn(case, out)] + [f"left: {name}" for name in litter(out, scratch)]
    count("stopped by SIGTERM, SIGINT, SIGHUP", signals=_TIMES, wrong=len(wrong))
    assert not wrong, "\n".join(wrong)


def test_a_hangup_somebody_asked_to_ignore_is_ignored(shops: World, tmp_path: Path) -> None:
    """nohup clm … goes on when the terminal is gone."""
    argv = [*shops.argv("rfm", tmp_path), "-q"]

    def nohup() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    with processes.start(argv, nohup) as process:
        while process.poll() is None:
            process.send_signal(signal.SIGHUP)
            try:
                process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
    assert process.returncode == 0
    assert content(tmp_path) == shops.outputs("rfm", "new")


@pytest.mark.parametrize("case", ["rfm", "report"])
def test_a_reader_that_goes_away_is_no_failure(shops: World, scratch: Path, case: str) -> None:
    """clm … | head -c 1 ends with 0, in silence, and leaves nothing behind."""
    argv = shops.argv(case, Path("nowhere"))
    line = f"{sys.executable} -m clm {' '.join(argv[: argv.index('-o')])} -q; echo $? >&2"
    done = subprocess.run(["sh", "-c", f"({line}) | head -c 1"], capture_output=True, text=True, timeout=100, check=True)
    assert done.stderr == "0\n"
    assert litter(scratch) == []
