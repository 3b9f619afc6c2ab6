"""Signals that come where Python or Rust loses their exception."""

from __future__ import annotations

import subprocess
import sys

import pytest

# a process that listens, meets a signal in the middle of something, and says how it ended
_MEETING = """
import os, signal, time, weakref
import polars as pl
from clm.cli import signals
signal.signal(signal.SIGINT, signal.SIG_DFL)
signals.listen()
signals.insist()
def sent():
    os.kill(os.getpid(), {number})
    for _ in range(1000): pass
{meets}
try:
    begin()
    time.sleep(20)
    print("slept")
except SystemExit as stop:
    print(stop.code)
except KeyboardInterrupt:
    print("interrupted")
"""
_IN_A_CALLBACK = """
class Thing: pass
thing = Thing()
watch = weakref.ref(thing, lambda _: sent())
def begin():
    global thing
    del thing
"""
_IN_POLARS = """
def called_back(frame):
    sent()
    print("whole")
    return frame
def begin():
    pl.DataFrame().pipe(called_back)
"""
_AS_A_FAILURE = """
import os, signal, sys
from contextlib import suppress
from clm import steps
from clm.cli import main
from clm.errors import DataError
signal.signal(signal.SIGINT, signal.SIG_DFL)
def rfm(*args, **more):
    with suppress(SystemExit, KeyboardInterrupt):
        os.kill(os.getpid(), {number})
        for _ in range(1000): pass
    raise DataError("no Parquet file", fix="make one")
steps.rfm = rfm
sys.exit(main(["rfm", __import__("clm").__file__, "-n"]))
"""


def _python(code: str, **given: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code.format(**given)], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(("number", "said"), [("signal.SIGTERM", "143"), ("signal.SIGINT", "interrupted")])
def test_a_signal_in_a_callback_is_not_lost(number: str, said: str) -> None:
    """Python ignores what is raised there, aloud: it is raised again at once, and nothing is said."""
    done = _python(_MEETING, meets=_IN_A_CALLBACK, number=number)
    assert (done.stdout.strip(), done.stderr) == (said, "")


@pytest.mark.parametrize(("number", "said"), [("signal.SIGTERM", "143"), ("signal.SIGINT", "interrupted")])
def test_a_signal_waits_while_polars_calls_back(number: str, said: str) -> None:
    """What Polars calls comes to its end, and right after it the command does."""
    done = _python(_MEETING, meets=_IN_POLARS, number=number)
    assert (done.stdout.split(), done.stderr) == (["whole", said], "")


@pytest.mark.parametrize(("number", "code"), [("signal.SIGTERM", 143), ("signal.SIGINT", 130)])
def test_what_fails_after_a_signal_fails_because_of_it(number: str, code: int) -> None:
    """A reader that panics about the signal's exception does not make the file a damaged one."""
    done = _python(_AS_A_FAILURE, number=number)
    assert done.returncode == code
    assert "earlier files are untouched" in done.stderr
    assert "Parquet" not in done.stderr
