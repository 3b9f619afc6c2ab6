"""One command in a process of its own, with what it took: its memory is not that of the tests it was started from.

A child begins with the largest size of its parent, which for a worker of the suite is more than most limits: so a small process
stands between, and it is that one's child which is measured.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_BETWEEN = """
import json, os, subprocess, sys
child = subprocess.Popen(sys.argv[2:], stdout=subprocess.DEVNULL)
_, status, used = os.wait4(child.pid, 0)
child.returncode = os.waitstatus_to_exitcode(status)
with open(sys.argv[1], "w") as told:
    json.dump([child.returncode, used.ru_utime + used.ru_stime, used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)], told)
"""


@dataclass(frozen=True)
class Alone:
    """Exit code, what it said, seconds of the processors, and the largest resident set in bytes."""

    code: int
    said: str
    work: float
    memory: int


def run(scratch: Path, *argv: str, seconds: float = 60) -> Alone:
    """`python -m clm` with these arguments; `scratch` is a folder for the record. Raises TimeoutExpired."""
    record = scratch / "alone.json"
    command = [sys.executable, "-S", "-c", _BETWEEN, str(record), sys.executable, "-m", "clm", *argv]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=seconds, check=True)
    code, work, memory = json.loads(record.read_text())
    record.unlink()
    return Alone(code, done.stderr, work, memory)
