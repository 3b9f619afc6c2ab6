"""Text that cannot steer whoever shows it: what clm says to a terminal, and JSON that somebody may look at there.

It may not know where the text goes.
"""

from __future__ import annotations

import json
import unicodedata
from typing import Any

# control, format, surrogate and private characters, and the two line ends only Unicode knows
_STEERS = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")


def printable(text: str, *, lines: bool = False) -> str:
    """Text that cannot steer a terminal: control, format and surrogate characters become a visible stand-in.

    Line ends too, unless `lines`: a file name may not forge a line of its own.
    """
    return "".join("�" if _steers(mark) and not (lines and mark == "\n") else mark for mark in text)


def json_text(value: Any, indent: int | None = None) -> str:
    """JSON in which other scripts stay readable and what steers a terminal is spelled \\uXXXX: the same values.

    Raises ValueError for NaN and infinity, which JSON has not.
    """
    written = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    if written.isascii() and "\x7f" not in written:
        return written
    return "".join(json.dumps(mark)[1:-1] if mark != "\n" and _steers(mark) else mark for mark in written)


def _steers(mark: str) -> bool:
    return unicodedata.category(mark) in _STEERS
