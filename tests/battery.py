"""The battery: how many cases a promise is tried with, and what came of them, as one table at the end.

`make battery` runs all of it (CLM_BATTERY=1); the ordinary tests run a slice with the same seeds. It may not decide what passes:
a test counts first and asserts afterwards, so that a failure is in the table too.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, Protocol

WHOLE = bool(os.environ.get("CLM_BATTERY"))
_PROPERTY = "battery"

Counts = dict[str, int | float]


class Count(Protocol):
    """`count("killed at random moments", kills=20, corrupt=0, longest_seconds=3.2)`.

    Whole numbers are added up over the tests of a promise, of others the largest is told.
    """

    def __call__(self, promise: str, **counts: int | float) -> None: ...


def many(whole: int, of_them: int) -> int:
    """How many cases: all of them in the battery, a slice in the ordinary tests."""
    return whole if WHOLE else of_them


def counter(record_property: Any) -> Count:
    """What the fixture `count` hands to a test: the counts travel with its report, also out of a worker process."""

    def count(promise: str, **counts: int | float) -> None:
        record_property(_PROPERTY, [promise, counts])

    return count


def gathered(properties: Iterable[tuple[str, Any]]) -> dict[str, Counts]:
    """The counts of all tests by promise."""
    found: dict[str, Counts] = {}
    for name, value in properties:
        if name != _PROPERTY:
            continue
        promise, counts = value
        sums = found.setdefault(promise, {})
        for what, number in counts.items():
            before = sums.get(what, 0)
            sums[what] = max(before, number) if isinstance(number, float) else before + number
    return found


def lines(found: dict[str, Counts]) -> list[str]:
    """One line a promise: "killed at random moments    350 kills, 0 corrupt, 0 missing"."""
    width = max(map(len, found), default=0)
    return [f"{promise:<{width}}  {', '.join(map(_said, counts, counts.values()))}" for promise, counts in sorted(found.items())]


def _said(what: str, number: int | float) -> str:
    words = what.replace("_", " ")
    return f"{words} {number:,.1f}" if isinstance(number, float) else f"{number:,} {words}"
