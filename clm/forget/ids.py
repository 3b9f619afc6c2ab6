"""Who is meant: a file of ids, read by the rule for ids everywhere, and their codes where tables hold codes.

It may not put an id, or a part of one, into a message.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import polars as pl

from clm.errors import DataError, InputError
from clm.outcome import counted
from clm.stages.clean import ids, pseudonyms
from clm.storage.faults import reading
from clm.storage.keys import Key

COLUMN = "customer_id"


def read(path: Path) -> frozenset[str]:
    """The ids: one a line, or the column customer_id of a CSV.

    Raises InputError (66) when it cannot be read, DataError (65) when it is no UTF-8 text or a spreadsheet destroyed an id.
    """
    with reading(path):
        if not (path.is_file() or path.is_fifo()):
            raise InputError(f"there is no file {path.name}", where=str(path), fix="check --ids-file")
        content = path.read_bytes()
    try:
        lines = list(io.StringIO(content.decode("utf-8-sig"), newline=""))  # other marks of Unicode end no line
    except UnicodeDecodeError:
        raise DataError(f"{path.name} is not UTF-8", where=str(path), fix="save it as UTF-8 text", code="ids_file") from None
    if "\0" in "".join(lines):
        raise DataError(
            f"{path.name} is no text", where=str(path), fix="one id a line, or a CSV with customer_id", code="ids_file"
        )
    try:
        given = _cells(lines, path)
    except csv.Error:
        raise DataError(
            f"a record of {path.name} cannot be read",
            where=str(path),
            fix="close its quotes, or write one id a line: nobody must be left out unseen",
            code="ids_file",
        ) from None
    cells = pl.Series(COLUMN, given, dtype=pl.String).to_frame()
    destroyed = cells.with_row_index("line", 1).filter(pl.col(COLUMN).str.contains(ids.DESTROYED))
    if destroyed.height:
        raise DataError(
            f"{counted(destroyed.height, 'id')} of {path.name} written as 1.2E+15: the digits are gone",
            where=f"{path.name}, entry {destroyed['line'][0]}",
            fix="export the ids as text",
            code="id_destroyed",
        )
    found = cells.select(ids.tidy(pl.col(COLUMN)))[COLUMN].drop_nulls()
    if len(found) and found.str.contains(ids.WHOLE_WITH_POINT).all():
        found = found.str.strip_suffix(".0")
    return frozenset(found.to_list())


def _cells(lines: list[str], path: Path) -> list[str]:
    """The ids as they are written: without a heading customer_id every line is one."""
    head = lines[0].rstrip("\r\n") if lines else ""
    for mark in (",", ";", "\t"):
        names = [name.strip().casefold() for name in next(csv.reader([head], delimiter=mark), [])]
        if COLUMN in names:
            place = names.index(COLUMN)
            rows = list(csv.reader(lines[1:], delimiter=mark, strict=True))
            other = next((number for number, row in enumerate(rows, 2) if row and len(row) != len(names)), None)
            if other is not None:
                raise DataError(
                    f"a record of {path.name} has more or fewer fields than its heading",
                    where=f"{path.name}, record {other}",
                    fix="quote what holds the separator: nobody must be left out, or forgotten for another, unseen",
                    code="ids_file",
                )
            return [row[place] for row in rows if row]
    return [line.rstrip("\r\n") for line in lines]


def with_codes(given: frozenset[str], key: Key | None) -> frozenset[str]:
    """The ids, and under a key the codes that stand for them."""
    codes = {pseudonyms.pseudonym(key.secret, COLUMN, one) for one in given} if key is not None else set()
    return given | codes
