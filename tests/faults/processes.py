"""Commands as processes that can be stopped, starved and listened to."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Ended:
    """How a process ended; the code is negative for a signal nobody caught, also the one that ended its waiting."""

    code: int
    said: str
    hung: bool = False


def start(argv: list[str], prepare: Callable[[], None] | None = None, **variables: str) -> subprocess.Popen[str]:
    """`clm` with these arguments; `prepare` runs in the child before it."""
    return subprocess.Popen(
        [sys.executable, "-m", "clm", *argv],
        env=os.environ | variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        preexec_fn=prepare,
    )


def ended(argv: list[str], prepare: Callable[[], None] | None = None, **variables: str) -> Ended:
    """The command, left alone; killed when it has not ended in a hundred seconds."""
    with start(argv, prepare, **variables) as process:
        hung = False
        try:
            said = process.communicate(timeout=100)[1]
        except subprocess.TimeoutExpired:
            hung = True
            process.kill()
            said = process.communicate()[1]
    return Ended(process.returncode, said, hung)


def stopped(argv: list[str], seconds: float, number: int, prepare: Callable[[], None] | None = None) -> Ended:
    """The command, sent a signal after so many seconds unless it has ended."""
    with start(argv, prepare) as process:
        time.sleep(seconds)
        process.send_signal(number)
        said = process.communicate(timeout=100)[1]
    return Ended(process.returncode, said)


def seconds(argv: list[str]) -> float:
    """How long it takes undisturbed."""
    started = time.monotonic()
    done = ended(argv)
    assert done.code == 0, done.said
    return time.monotonic() - started
