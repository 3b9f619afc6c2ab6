"""A table as a sheet of an Excel workbook, in which text stays text.

It may not compute or rename: the frame's columns and rows as they are. The same frame gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

import polars as pl

from clm.errors import DataError
from clm.report import excel
from clm.report.words import plain
from clm.report.wrap import cells

_WIDEST = 40
_FIRST_DAY = date(1900, 3, 1)  # before it Excel counts a day that never was


def table_workbook(frame: pl.DataFrame, title: str) -> bytes:
    """One sheet named `title`: headings, then the rows. Ids and other text are text cells, never formulas, links or numbers.

    Raises DataError (65) when the table is larger than a sheet, or a text longer than a cell.
    """
    check(frame)
    return excel.workbook(title, lambda book: table_sheet(book, excel.sheet_name(title), frame))


def check(frame: pl.DataFrame) -> None:
    """Raises DataError (65) for a table no sheet can hold, before any of it is written."""
    most_rows = excel.MOST_ROWS - 1  # less the heading
    if frame.height > most_rows:
        raise DataError(
            f"a sheet holds {most_rows:,} rows, this table has {frame.height:,}",
            fix="write -o x.parquet or -o x.csv instead, or filter the table first",
            code="too_many_rows",
        )
    if frame.width > excel.MOST_COLUMNS:
        raise DataError(
            f"a sheet holds {excel.MOST_COLUMNS:,} columns, this table has {frame.width:,}",
            fix="write -o x.parquet or -o x.csv instead",
            code="too_many_columns",
        )
    for name, kind in frame.schema.items():
        if kind == pl.String and (frame[name].str.len_chars() > excel.LONGEST_TEXT).any():
            raise DataError(
                f"a cell holds {excel.LONGEST_TEXT:,} characters, a text of this table is longer",
                where=f"column {plain(name)}",
                fix="write -o x.parquet or -o x.csv instead",
                code="too_long_text",
            )


def table_sheet(book: Any, name: str, frame: pl.DataFrame) -> None:
    """A sheet with the frame: headings that stay in sight and filter, every value with the writer of its type."""
    sheet = book.add_worksheet(name)
    head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    for place, (heading, kind) in enumerate(frame.schema.items()):
        excel.put_text(sheet, 0, place, heading, head)
        look = _look(kind)
        shape = book.add_format({"num_format": look}) if look else None
        sheet.set_column(place, place, _width(heading, frame[heading]), shape)
        _fill(sheet, place, frame[heading], shape)
    sheet.freeze_panes(1, 1)
    if frame.width and frame.height:
        sheet.autofilter(0, 0, frame.height, frame.width - 1)


def _look(kind: pl.DataType) -> str:
    if kind == pl.Date:
        return "yyyy-mm-dd"
    if isinstance(kind, pl.Datetime):
        return "yyyy-mm-dd hh:mm:ss"
    if isinstance(kind, pl.Decimal):
        return "#,##0.00##"
    return "@" if kind == pl.String else ""


def _width(heading: str, column: pl.Series) -> int:
    """Room for the heading and for what stands below it, within reason; a Chinese sign takes two places and three bytes."""
    widest = 18 if isinstance(column.dtype, pl.Datetime) else 10
    if column.dtype == pl.String:
        extra = (column.str.len_bytes().cast(pl.Int64) - column.str.len_chars()) // 2
        widest = max(widest, int((column.str.len_chars() + extra).max() or 0) + 2)  # type: ignore[arg-type]
    return min(max(cells(heading) + 2, widest), _WIDEST)


def _fill(sheet: Any, place: int, column: pl.Series, shape: Any) -> None:
    """Every value with the writer of its type; null stays an empty cell. Decimals keep the 15 digits Excel has."""
    kind = column.dtype
    write: Callable[..., None] = partial(excel.put_text, sheet)
    if kind == pl.Boolean:
        write = partial(excel.put, sheet.write_boolean)
    elif kind.is_numeric():
        write = partial(excel.put_number, sheet)
        column = column.cast(pl.Float64) if isinstance(kind, pl.Decimal) else column
    elif kind == pl.Date or isinstance(kind, pl.Datetime):
        early = column.dt.date() < _FIRST_DAY
        if early.any():  # dates Excel cannot count are written as they read
            column = column.dt.strftime("%Y-%m-%d")
        else:
            write = partial(excel.put, sheet.write_datetime)
    else:
        column = column.cast(pl.String)
    for row, value in enumerate(column.to_list(), start=1):
        if value is not None:
            write(row, place, value, shape)
