"""What clm says while tests run: the places of the source that made each error, and what is wrong with its words.

It may not change an error, or know which test raises it. What child processes say is not heard.
"""

from __future__ import annotations

import functools
import itertools
import os
import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

from clm.errors import ClmError
from clm.expressions.tree import ExpressionError
from tests.catalogue import audit
from tests.catalogue.sites import ROOT, Place

_CLM, _FAMILY = f"{ROOT / 'clm'}{os.sep}", str(ROOT / "clm" / "errors.py")
# a message is made by a class, or by a function that asks a function that does
_DEEPEST = 4


class Heard:
    """What was said since it was `taken` last: the places heard for the first time in this process, and every fault."""

    def __init__(self) -> None:
        self._known: set[Place] = set()
        self._places: list[Place] = []
        self._faults: list[str] = []

    def add(self, places: list[Place], error: Exception) -> None:
        new = dict.fromkeys(one for one in places if one not in self._known)
        self._known.update(new)
        self._places += new
        faults = audit.faults(error) if isinstance(error, ClmError) else ()
        self._faults += [f"{fault}: {error}\n  made in {places[0][0]}, line {places[0][1]}" for fault in faults]

    def taken(self) -> tuple[list[Place], list[str]]:
        """What was said, once."""
        found = self._places, self._faults
        self._places, self._faults = [], []
        return found


def listen() -> Heard:
    """From here on, in this process, every error is heard that clm's own source makes, and what is wrong with a rule."""
    heard = Heard()
    for family in (ClmError, ExpressionError):  # the second is always quoted by the first, and tried by itself
        family.__init__ = _listening(family.__init__, heard)  # type: ignore[method-assign]
    return heard


def _listening(make: Callable[..., None], heard: Heard) -> Callable[..., None]:
    @functools.wraps(make)
    def init(self: Exception, *args: Any, **more: Any) -> None:
        make(self, *args, **more)
        if places := _callers(sys._getframe(1)):
            heard.add([*places, *_quoted(str(self))], self)

    return init


def _callers(frame: FrameType | None) -> list[Place]:
    """Where the error is made, and where its maker is called: the innermost calls outside the family's own file."""
    while frame is not None and frame.f_code.co_filename == _FAMILY:
        frame = frame.f_back
    places: list[Place] = []
    while frame is not None and len(places) < _DEEPEST and frame.f_code.co_filename.startswith(_CLM):
        places.append(_place(frame.f_code, frame.f_lasti))
        frame = frame.f_back
    return places


def _quoted(message: str) -> list[Place]:
    """Where the exceptions were raised that are being handled and whose text the message quotes."""
    places, error = [], sys.exc_info()[1]
    while error is not None:
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        if trace is not None and str(error) and str(error) in message and trace.tb_frame.f_code.co_filename.startswith(_CLM):
            places.append(_place(trace.tb_frame.f_code, trace.tb_lasti))
        error = error.__context__
    return places


def _place(code: CodeType, instruction: int) -> Place:
    """Where the call ends which an instruction belongs to."""
    _, line, _, column = next(itertools.islice(code.co_positions(), instruction // 2, None))
    return code.co_filename.removeprefix(f"{ROOT}{os.sep}"), line or 0, column or 0
