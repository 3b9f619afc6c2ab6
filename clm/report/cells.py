"""A number of METRICS as a view shows it: in words, as not known, or as hidden.

It may not look anything up or decide what is hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from clm.report.blocks import Cell
from clm.report.numbers import Number
from clm.report.words import HIDDEN, Words

Show = Callable[[float | None], str]


def shown(numbers: Iterable[Number]) -> list[Number]:
    """The numbers that are known, and those that are hidden, which a table has a row for as well."""
    return [number for number in numbers if number.hidden or number.value is not None]


def text(number: Number | None, show: Show) -> str:
    """The number in words; the sign of what is hidden, which a notice of the report explains."""
    if number is not None and number.hidden:
        return HIDDEN
    return show(number.value if number is not None else None)


def cell(number: Number | None, show: Show, *, bar: bool = False) -> Cell:
    """The number as a cell of a table; with `bar` its length from 0 to 1 too."""
    value = number.value if number is not None else None
    return Cell(text(number, show), value, value if bar else None)


def people_of(number: Number | None, words: Words) -> Cell:
    """How many customers the number is about."""
    return cell(None if number is None else replace(number, value=number.n), words.whole)
