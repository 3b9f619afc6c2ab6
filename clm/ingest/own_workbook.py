"""Our own workbooks read back as the tables they were: one sheet, headings in its first line, types by the contract.

It may not read a foreign workbook (`workbook` does): what does not come back exactly is not ours, and None.
"""

from __future__ import annotations

import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl

from clm.dtypes import polars_type
from clm.tables import ALL

_MOST_BYTES = 1 << 30
_MOST_PACKED = 200
_KINDS = {pl.String(): "string", pl.Date(): "date", pl.Datetime("us"): "datetime", pl.Boolean(): "boolean"}
_TYPES = {column.name: polars_type(column) for table in ALL.values() for column in table.columns}


def text(content: bytes | Path) -> tuple[str, pl.DataFrame] | None:
    """The name of the only sheet and its cells as text; None when there are several, or it cannot be opened."""
    return _read(content, "string")


def typed(content: bytes | Path, names: list[str]) -> pl.DataFrame | None:
    """The rows with the types of the contract; columns it does not know as the workbook has them."""
    found = _read(content, {name: _KINDS.get(_TYPES[name], "float") for name in names if name in _TYPES})
    if found is None:
        return None
    known = {name: _TYPES[name] for name in found[1].columns if name in _TYPES}
    with suppress(pl.exceptions.PolarsError):
        return found[1].cast(known)  # type: ignore[arg-type]
    return None


def _read(content: bytes | Path, kinds: Any) -> tuple[str, pl.DataFrame] | None:
    import fastexcel

    try:
        packed = content.read_bytes() if isinstance(content, Path) else content
        if not _sound(content):
            return None
        book = fastexcel.read_excel(packed)
        if len(book.sheet_names) != 1:
            return None
        return book.sheet_names[0], book.load_sheet(0, dtypes=kinds).to_polars()
    except (fastexcel.FastExcelError, ValueError, OSError):
        return None
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # a panic of Rust is no Exception
            raise
        return None


def _sound(content: bytes | Path) -> bool:
    """Whether it is a zip that stays within bounds when it is unpacked."""
    import io

    with suppress(zipfile.BadZipFile, OSError):
        with zipfile.ZipFile(content if isinstance(content, Path) else io.BytesIO(content)) as archive:
            inside = archive.infolist()
            full, packed = sum(one.file_size for one in inside), sum(one.compress_size for one in inside)
        return full <= min(_MOST_BYTES, _MOST_PACKED * max(packed, 1))
    return False
