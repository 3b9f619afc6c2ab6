"""One child process, measured: seconds on the clock, seconds of the processors, largest resident set.

It may not know what is measured.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Run:
    """Seconds on the clock, seconds of the processors, and the largest resident set in bytes."""

    seconds: float
    work: float
    memory: int


def measured(*argv: str) -> Run:
    """Run a child to its end. Raises when it fails."""
    began = time.perf_counter()
    child = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0, argv
    memory = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Run(time.perf_counter() - began, usage.ru_utime + usage.ru_stime, memory)
