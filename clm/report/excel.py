"""What every workbook of clm keeps to: text stays text, numbers keep every digit, nothing is cut, no clock.

It may not know what a sheet is about.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

from clm.errors import DataError
from clm.report.words import exact, plain

MOST_ROWS = 1_048_576
MOST_COLUMNS = 16_384
LONGEST_TEXT = 32_767  # in UTF-16 units, as Excel counts
LONGEST_NAME = 31

_FORBIDDEN = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))
_RESERVED = ("history",)  # a sheet of this name is Excel's own


def workbook(title: str, fill: Callable[[Any], None]) -> bytes:
    """The bytes of a workbook that `fill` has filled: no formulas, no links, no text taken for a number, no time of day."""
    import xlsxwriter

    written = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": False,
    }
    book = xlsxwriter.Workbook(written, options)
    book.set_properties({"title": plain(title), "created": datetime(2000, 1, 1)})
    fill(book)
    book.close()
    return written.getvalue()


def sheet_name(title: str, taken: Collection[str] = ()) -> str:
    """At most 31 signs, none of those Excel forbids, and none of the names `taken`, which Excel compares without case."""
    used = {name.casefold() for name in (*taken, *_RESERVED)}
    wanted = " ".join(plain(title.translate(_FORBIDDEN), longest=200).split()) or "table"
    name, number = _cut(wanted, LONGEST_NAME), 1
    while name.casefold() in used:
        number += 1
        name = f"{_cut(wanted, LONGEST_NAME - len(f' ({number})'))} ({number})"
    return name


def _cut(text: str, longest: int) -> str:
    if units(text) <= longest:
        return text
    while units(text) > longest - 1:
        text = text[:-1]
    return f"{text.rstrip()}…"


def units(text: str) -> int:
    """The length Excel counts: a sign beyond U+FFFF is two."""
    return len(text) + sum(sign > "\uffff" for sign in text)


def put_text(sheet: Any, row: int, place: int, text: str, shape: Any = None) -> None:
    """One cell of text, to the last sign. Raises DataError (65) where a cell cannot hold it."""
    if len(text) > LONGEST_TEXT // 2 and units(text) > LONGEST_TEXT:
        raise DataError(
            f"a cell holds {LONGEST_TEXT:,} characters, a text of this table is longer",
            where=f"sheet {sheet.get_name()}, column {place + 1}, row {row + 1}",
            fix="write -o x.parquet or -o x.csv instead",
            code="too_long_text",
        )
    if text.startswith("<r>") and text.endswith("</r>"):
        # xlsxwriter takes this for markup of its own; in two runs of letters it is escaped like any other text
        from xlsxwriter.format import Format

        _held(sheet.write_rich_string(row, place, text[:1], Format(), text[1:], *([shape] if shape else [])), row)
    else:
        _held(sheet.write_string(row, place, text, shape), row)


def put_number(sheet: Any, row: int, place: int, value: float, shape: Any = None) -> None:
    """One cell of a number, to the last bit: xlsxwriter alone would keep 16 digits of the 17 a double has."""
    _held(sheet.write_number(row, place, _Exact(value), shape), row)


def put(write: Callable[..., int], row: int, place: int, value: Any, shape: Any = None) -> None:
    """One cell of another type with its own writer."""
    _held(write(row, place, value, shape), row)


class _Exact(float):
    """A float that is written with all its digits, whatever number of them is asked for."""

    def __format__(self, _: str) -> str:
        return exact(float(self))


def _held(answer: int, row: int) -> None:
    if answer:
        raise DataError(
            f"a sheet holds {MOST_ROWS:,} rows and {MOST_COLUMNS:,} columns",
            where=f"row {row + 1:,}",
            fix="write -o x.parquet or -o x.csv instead",
            code="too_many_rows",
        )
