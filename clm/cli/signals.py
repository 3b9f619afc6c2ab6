"""How a signal ends a command in order: an exception where the main thread is, remembered, and raised where it is not lost.

It may not say anything or clean up: whoever catches the exception does.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from clm.errors import Exit

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_ENDING = (signal.SIGTERM, signal.SIGHUP)
_SOON = 0.01
_MOST_WAITS = 100  # a second outside of blocking calls
_waits = 0
_received: Exit | None = None


def listen() -> None:
    """From here on a signal ends the command in order. One that is ignored stays ignored: `nohup clm …` is meant."""
    global _received, _waits
    _received, _waits = None, 0
    for number in _ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _terminate)
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, _interrupt)


def insist() -> None:
    """From here on no signal waits for the end of a query, none breaks into what Polars calls back, and one whose exception
    Python has to ignore, as in the callback of a weak reference, is raised once more.

    For a process of clm's own: it takes SIGALRM and a thread.
    """
    signal.signal(signal.SIGALRM, _raise)
    sys.unraisablehook = _not_raised
    told, telling = os.pipe()
    os.set_blocking(telling, False)
    signal.set_wakeup_fd(telling, warn_on_full_buffer=False)
    threading.Thread(target=_pass_on, args=(told,), daemon=True).start()


def received() -> Exit | None:
    """The exit code of the signal that came since `listen`, if any: what fails after it fails because of it."""
    return _received


def ignore() -> None:
    """For the last steps of a process: a second signal may not interrupt them."""
    _from_now_on(signal.SIG_IGN)


def _from_now_on(handler: signal.Handlers | Callable[[int, FrameType | None], None]) -> None:
    signal.setitimer(signal.ITIMER_REAL, 0)
    for number in (*_ENDING, signal.SIGINT):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def _nothing(number: int, frame: FrameType | None) -> None:
    """After the first signal SIG_IGN would make Python say aloud that another, on its way already, was ignored."""


def _terminate(number: int, frame: FrameType | None) -> None:
    global _received
    _received = Exit.TERMINATED
    _from_now_on(_nothing)
    _raise(number, frame)


def _interrupt(number: int, frame: FrameType | None) -> None:
    global _received
    _received = _received or Exit.INTERRUPTED
    _raise(number, frame)


def _raise(number: int, frame: FrameType | None) -> None:
    global _waits
    if isinstance(sys.exc_info()[1], SystemExit | KeyboardInterrupt):
        return  # on its way already: what cleans up behind it comes to its end
    if signal.getsignal(signal.SIGALRM) is _raise and _waits < _MOST_WAITS and _in_polars(frame):
        _waits += 1
        signal.setitimer(signal.ITIMER_REAL, _SOON)
        return
    if _received is Exit.TERMINATED:
        raise SystemExit(int(Exit.TERMINATED))
    raise KeyboardInterrupt


def _in_polars(frame: FrameType | None) -> bool:
    """Whether Polars is being called: its Rust panics, aloud, about an exception in the Python it calls back."""
    polars = sys.modules.get("polars")
    home = None if polars is None or polars.__file__ is None else str(Path(polars.__file__).parent)
    while home is not None and frame is not None:
        if frame.f_code.co_filename.startswith(home):
            return True
        frame = frame.f_back
    return False


def _pass_on(told: int) -> None:
    """Python handles a signal only when a query is over; Polars ends one by itself, but for SIGINT alone."""
    global _received
    while numbers := os.read(told, 64):
        if not {*numbers}.isdisjoint(_ENDING):
            _received = Exit.TERMINATED
            os.kill(os.getpid(), signal.SIGINT)


def _not_raised(lost: UnraisableHookArgs) -> None:
    if _received is not None and issubclass(lost.exc_type, SystemExit | KeyboardInterrupt):
        signal.setitimer(signal.ITIMER_REAL, _SOON)
    else:
        sys.__unraisablehook__(lost)
