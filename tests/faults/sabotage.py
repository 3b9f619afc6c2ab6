"""A system call that fails: the n-th one of a kind that clm itself makes, once.

It may not touch calls of anybody else: Python's own imports, Polars and the tests go on undisturbed.
"""

from __future__ import annotations

import fcntl
import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

CALLS = ("open", "write", "fsync", "replace", "close", "flock", "mkdir", "chmod", "unlink")
# what carries a call of clm's to the system
_CARRIERS = ("pathlib", "shutil", "os", "contextlib", "tempfile", __name__.partition(".")[0])


@dataclass
class Fault:
    """Which call fails and how; `struck` once it has, in the function of clm's named `where`."""

    call: str
    nth: int
    number: int
    seen: int = 0
    struck: bool = False
    where: str = ""

    def strikes(self, frame: FrameType) -> bool:
        """Whether this call is the one."""
        caller = _ours(frame)
        if self.struck or caller is None:
            return False
        self.seen += 1
        self.struck, self.where = self.seen == self.nth, caller
        return self.struck

    def error(self) -> OSError:
        return OSError(self.number, os.strerror(self.number))


def _ours(frame: FrameType | None) -> str | None:
    """The function of clm's behind a call; None for everybody else's."""
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _CARRIERS:
        frame = frame.f_back
    own = frame is not None and frame.f_globals.get("__name__", "").startswith("clm.")
    return frame.f_code.co_name if frame is not None and own else None


@contextmanager
def arranged(fault: Fault) -> Iterator[None]:
    """The fault in force."""
    owners: dict[str, Any] = {"flock": fcntl, "write": io}
    owner, name = owners.get(fault.call, os), "open" if fault.call == "write" else fault.call
    real = getattr(owner, name)
    opens = io.open
    setattr(owner, name, _opening(fault, real) if fault.call == "write" else _failing(fault, real))
    if fault.call == "open":  # the same call by its other name
        io.open = _failing(fault, opens)  # type: ignore[assignment]
    try:
        yield
    finally:
        setattr(owner, name, real)
        io.open = opens


def _failing(fault: Fault, real: Callable[..., Any]) -> Callable[..., Any]:
    def call(*given: Any, **named: Any) -> Any:
        strikes = fault.strikes(sys._getframe(1))
        if strikes and fault.call == "close":
            real(*given, **named)  # the descriptor is gone even when closing fails
        if strikes:
            raise fault.error()
        return real(*given, **named)

    return call


def _opening(fault: Fault, real: Callable[..., Any]) -> Callable[..., Any]:
    def call(file: Any, mode: str = "r", *given: Any, **named: Any) -> Any:
        stream = real(file, mode, *given, **named)
        return _Stream(stream, fault) if set(mode) & set("wxa+") and _ours(sys._getframe(1)) else stream

    return call


class _Stream:
    """A file whose n-th write stops half-way."""

    def __init__(self, stream: Any, fault: Fault) -> None:
        self._stream, self._fault = stream, fault

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __enter__(self) -> _Stream:
        return self

    def __exit__(self, *problem: object) -> None:
        self._stream.close()

    def write(self, data: Any) -> int:
        if self._fault.strikes(sys._getframe(1)):
            self._stream.write(data[: len(data) // 2])
            raise self._fault.error()
        return int(self._stream.write(data))
