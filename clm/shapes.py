"""The types of values in JSON somebody else may have written: a `Shape` tells of one value, and shapes are made of shapes.

It may not know what a document is about, nor say what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Shape = Callable[[Any], bool]

_LARGEST = 2**53  # every reader of JSON holds whole numbers up to this exactly


def text(value: Any) -> bool:
    return isinstance(value, str)


def count(value: Any) -> bool:
    """A whole number from 0, of a size every reader holds."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST


def number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def record(value: Any) -> bool:
    return isinstance(value, dict)


def or_none(shape: Shape) -> Shape:
    return lambda value: value is None or shape(value)


def list_of(shape: Shape) -> Shape:
    return lambda value: isinstance(value, list) and all(map(shape, value))


def by_name(shape: Shape) -> Shape:
    """A record of any entries, all of one shape."""
    return lambda value: isinstance(value, dict) and all(map(shape, value.values()))


def record_of(entries: Mapping[str, Shape], *needed: str) -> Shape:
    """A record that has the entries `needed`; those of `entries` that are there have their shapes."""
    return lambda value: (
        isinstance(value, dict)
        and set(needed) <= set(value)
        and all(shape(value[key]) for key, shape in entries.items() if key in value)
    )


notices = list_of(record_of({"code": text, "text": text}, "code", "text"))
