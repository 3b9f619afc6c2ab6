"""A table as an Excel workbook, in which text stays text.

It may not compute or rename: one sheet, the frame's columns and rows as they are. The same frame gives the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import polars as pl

from clm.errors import DataError
from clm.report.words import plain

MOST_ROWS = 1_048_575  # Excel's 1,048,576 less the heading
MOST_COLUMNS = 16_384
LONGEST_TEXT = 32_767
_FORBIDDEN = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))
_FIRST_DAY = date(1900, 3, 1)  # before it Excel counts a day that never was


def table_workbook(frame: pl.DataFrame, title: str) -> bytes:
    """One sheet named `title`: headings, then the rows. Ids and other text are text cells, never formulas, links or numbers.

    Raises DataError (65) when the table is larger than a sheet, or a text longer than a cell.
    """
    import xlsxwriter

    _check(frame)
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
    sheet = book.add_worksheet(_sheet_name(title))
    head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    for place, (name, kind) in enumerate(frame.schema.items()):
        sheet.write_string(0, place, name, head)
        look = _look(kind)
        shape = book.add_format({"num_format": look}) if look else None
        sheet.set_column(place, place, _width(name, kind), shape)
        _fill(sheet, place, frame[name], shape)
    sheet.freeze_panes(1, 1)
    if frame.width and frame.height:
        sheet.autofilter(0, 0, frame.height, frame.width - 1)
    book.close()
    return written.getvalue()


def _check(frame: pl.DataFrame) -> None:
    if frame.height > MOST_ROWS:
        raise DataError(
            f"a sheet holds {MOST_ROWS:,} rows, this table has {frame.height:,}",
            fix="write -o x.parquet or -o x.csv instead, or filter the table first",
            code="too_many_rows",
        )
    if frame.width > MOST_COLUMNS:
        raise DataError(
            f"a sheet holds {MOST_COLUMNS:,} columns, this table has {frame.width:,}",
            fix="write -o x.parquet or -o x.csv instead",
            code="too_many_columns",
        )
    for name, kind in frame.schema.items():
        if kind == pl.String and (frame[name].str.len_chars() > LONGEST_TEXT).any():
            raise DataError(
                f"a cell holds {LONGEST_TEXT:,} characters, a text of this table is longer",
                where=f"column {plain(name)}",
                fix="write -o x.parquet or -o x.csv instead",
                code="too_long_text",
            )


def _sheet_name(title: str) -> str:
    """At most 31 signs, none of those Excel forbids; `History` is Excel's own."""
    name = plain(title.translate(_FORBIDDEN), longest=31).strip()
    return name if name and name.lower() != "history" else "table"


def _look(kind: pl.DataType) -> str:
    if kind == pl.Date:
        return "yyyy-mm-dd"
    if isinstance(kind, pl.Datetime):
        return "yyyy-mm-dd hh:mm:ss"
    if isinstance(kind, pl.Decimal):
        return "#,##0.00##"
    return "@" if kind == pl.String else ""


def _width(name: str, kind: pl.DataType) -> int:
    return min(max(len(name) + 2, 18 if isinstance(kind, pl.Datetime) else 10), 40)


def _fill(sheet: Any, place: int, column: pl.Series, shape: Any) -> None:
    """Every value with the writer of its type; null stays an empty cell. Decimals keep the 15 digits Excel has."""
    kind = column.dtype
    write: Callable[..., Any]
    if kind == pl.Boolean:
        write = sheet.write_boolean
    elif kind.is_numeric():
        write = sheet.write_number
        column = column.cast(pl.Float64) if isinstance(kind, pl.Decimal) else column
    elif kind == pl.Date or isinstance(kind, pl.Datetime):
        early = column.dt.date() < _FIRST_DAY
        if early.any():  # dates Excel cannot count are written as they read
            column, write = column.dt.strftime("%Y-%m-%d"), sheet.write_string
        else:
            write = sheet.write_datetime
    else:
        column, write = column.cast(pl.String), sheet.write_string
    for row, value in enumerate(column.to_list(), start=1):
        if value is not None:
            write(row, place, value, shape)
