"""JSON from files somebody else may have written: no key twice, no NaN or infinity, no half of a character, not too deep.

It may not know what the document is about.
"""

from __future__ import annotations

import json
import re
from datetime import date
from math import isfinite
from typing import Any

_LARGEST = 2**64  # whole numbers beyond are no count, and need not fit into a float
_ESCAPED_HALF = re.compile(r"\\u[dD][89a-fA-F]")


def loads(text: str | bytes) -> Any:
    """The document. Raises ValueError when it is not JSON, names a key twice, holds NaN, or no parser can descend that far."""
    written = text.decode("utf-8") if isinstance(text, bytes) else text
    try:
        found = json.loads(written, parse_constant=_refuse, object_pairs_hook=_once)
        if _ESCAPED_HALF.search(written):
            json.dumps(found, ensure_ascii=False).encode()  # what cannot be encoded cannot be written again
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return found


def fault(value: Any, deepest: int) -> str | None:
    """What makes a document unusable although it is JSON, as the end of a sentence; None when nothing does."""
    level = [value]  # by levels and not by recursion: footers hold tens of thousands of numbers
    for _ in range(deepest):
        inner: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                inner += one.values()
            elif isinstance(one, list):
                inner += one
            elif isinstance(one, float) and not isfinite(one):
                return "holds a number that is not finite"
            elif isinstance(one, int) and abs(one) > _LARGEST:
                return "holds a whole number that is too large"
        level = inner
    return "is nested too deeply" if level else None


def day_or_none(value: Any) -> bool:
    """Whether a value is null or a day as JSON writes it, 2024-06-30."""
    try:
        return value is None or (isinstance(value, str) and date.fromisoformat(value).isoformat() == value)
    except ValueError:
        return False


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key twice")
    return found


def _refuse(constant: str) -> Any:
    raise ValueError(constant)
