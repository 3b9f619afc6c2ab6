"""One command in a process of its own, with what it took: its memory is not that of the tests it was started from.

A child begins with the largest size of its parent, which for a worker of the suite is more than most limits: so a small process
stands between, and it is that one's child which is measured.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

_BETWEEN = """
import json, os, subprocess, sys, time
began = time.perf_counter()
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, used = os.wait4(child.pid, 0)
taken = time.perf_counter() - began
child.returncode = os.waitstatus_to_exitcode(status)
memory = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(json.dumps([child.returncode, taken, used.ru_utime + used.ru_stime, memory]))
"""


@dataclass(frozen=True)
class Alone:
    """Exit code, what it said, seconds on the clock and of the processors, and the largest resident set in bytes."""

    code: int
    said: str
    seconds: float
    work: float
    memory: int


def run(*argv: str, limit: float | None = 60) -> Alone:
    """A command line to its end, within `limit` seconds; what it prints is dropped. Raises TimeoutExpired."""
    command = [sys.executable, "-S", "-c", _BETWEEN, *argv]
    done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=True)
    code, seconds, work, memory = json.loads(done.stdout)
    return Alone(code, done.stderr, seconds, work, memory)


def clm(*argv: str, limit: float | None = 60) -> Alone:
    """`python -m clm` with these arguments."""
    return run(sys.executable, "-m", "clm", *argv, limit=limit)
