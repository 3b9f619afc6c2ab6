"""How a signal ends a command in order: an exception where the main thread is, remembered, and raised again where it is lost.

It may not say anything or clean up: whoever catches the exception does.
"""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING

from clm.errors import Exit

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_SOON = 0.01
_received: Exit | None = None


def listen() -> None:
    """From here on a signal ends the command in order. One that is ignored stays ignored: `nohup clm …` is meant."""
    global _received
    _received = None
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _terminate)
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, _interrupt)


def received() -> Exit | None:
    """The exit code of the signal that came since `listen`, if any. What fails after it fails because of it: Rust, called at that
    moment, panics about the exception, and a panic while reading is otherwise the file's fault."""
    return _received


def insist() -> None:
    """Where Python has to ignore an exception, as in the callback of a weak reference, a signal's is raised once more."""
    signal.signal(signal.SIGALRM, _raise)
    sys.unraisablehook = _not_raised


def ignore() -> None:
    """For the last steps of a process: a second signal may not interrupt them."""
    signal.setitimer(signal.ITIMER_REAL, 0)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


def _terminate(number: int, frame: FrameType | None) -> None:
    global _received
    _received = Exit.TERMINATED
    ignore()
    _raise(number, frame)


def _interrupt(number: int, frame: FrameType | None) -> None:
    global _received
    _received = Exit.INTERRUPTED
    _raise(number, frame)


def _raise(number: int, frame: FrameType | None) -> None:
    if _received is Exit.TERMINATED:
        raise SystemExit(int(Exit.TERMINATED))
    raise KeyboardInterrupt


def _not_raised(lost: UnraisableHookArgs) -> None:
    if _received is not None and issubclass(lost.exc_type, SystemExit | KeyboardInterrupt):
        signal.setitimer(signal.ITIMER_REAL, _SOON)
    else:
        sys.__unraisablehook__(lost)
