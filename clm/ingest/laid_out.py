"""Arrow columns that hold more than one value a cell, or bytes, as columns of one value each.

It may not lose a value unsaid: a column that cannot be laid out so is told by name. A struct is laid out one level deep
(`customer.id`), as in JSON; lists and what is deeper cannot be. Bytes are text where they are UTF-8, else 0x and their digits;
16 bytes that are no short text are a UUID.
"""

from __future__ import annotations

import re
from typing import Any

import polars as pl

_NESTED = re.compile("(?:large_|fixed_size_)?list|map|struct|dense_union|sparse_union")
_UUIDS = ("fixed_size_binary[16]", "extension<arrow.uuid>")
_PRINTABLE = "^(?:[2-6][0-9a-f]|7[0-9a-e])*$"


def flat(table: Any) -> Any:
    """The Arrow table with the fields of its structs as columns of their own."""
    return table.flatten() if any(str(kind).startswith("struct<") for kind in table.schema.types) else table


def unreadable(table: Any) -> tuple[str, ...]:
    """The columns of a flat Arrow table whose cells are no single value."""
    schema = table.schema
    return tuple(name for name, kind in zip(schema.names, schema.types, strict=True) if _NESTED.match(str(kind)))


def framed(table: Any) -> pl.DataFrame:
    """A flat Arrow table as a frame, its bytes as text."""
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    kinds = dict(zip(table.schema.names, map(str, table.schema.types), strict=True))
    return frame.with_columns(_text(cells, kinds[cells.name] in _UUIDS) for cells in frame if cells.dtype == pl.Binary)


def _text(cells: pl.Series, sixteen: bool) -> pl.Series:
    """Each cell by itself, so that one value is the same text wherever it stands."""
    if not sixteen:
        try:
            return cells.cast(pl.String)
        except pl.exceptions.ComputeError:  # a cell that is no UTF-8
            return pl.Series(cells.name, [None if one is None else _shown(one) for one in cells], dtype=pl.String)
    digits = cells.bin.encode("hex")
    short = digits.str.contains(_PRINTABLE).fill_null(True)
    texts = cells.zip_with(short, cells.clear(cells.len())).cast(pl.String)
    return texts.zip_with(short, digits.str.replace("^(.{8})(.{4})(.{4})(.{4})(.{12})$", "$1-$2-$3-$4-$5"))


def _shown(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return f"0x{value.hex()}"
