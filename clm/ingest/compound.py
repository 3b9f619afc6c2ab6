"""Compound files (OLE2), the form of workbooks before 2007: how far out their sheets' cells lie, before they are laid out.

It may not read a value. A single changed byte can put a cell in row 65,536 and column 65,536 of a sheet that is laid out in full.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from clm.errors import DataError
from clm.ingest import sources
from clm.ingest.sources import Source

_FREE = 0xFFFFFFFA  # from here on sector numbers are marks
_CUTOFF = 4096
_SHEET, _END, _PASSWORD = 0x0085, 0x000A, 0x002F
# the name of the stream in which Office keeps any document that has a password, of the new forms too
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
# records of one cell with a value: row and column are their first four bytes. The last is one of several numbers in a row.
_CELLS = frozenset(
    (0x0002, 0x0003, 0x0004, 0x0005, 0x0006, 0x00D6, 0x00FD, 0x0203, 0x0204, 0x0205, 0x0206, 0x0207, 0x027E, 0x0406)
)
_NUMBERS = 0x00BD


def sheets(source: Source) -> list[tuple[int, int]]:
    """Last row and column with a value (0, 0 when there is none) of each sheet. Raises `DataError` for what is no workbook."""
    data = source.path.read_bytes()
    if _ENCRYPTED in data:
        raise sources.protected(source)
    try:
        book = _workbook(data)
        if book is None:
            raise DataError(
                f"{source.name} is no workbook.",
                where=source.name,
                fix="give the workbook, or the orders as CSV.",
                code="workbook",
            )
        if any(kind == _PASSWORD for kind, _, _ in _records(book, 0)):
            raise sources.protected(source)
        starts = [struct.unpack_from("<I", book, at)[0] for kind, at, _ in _records(book, 0) if kind == _SHEET]
        return [_extent(book, start) for start in starts]
    except struct.error as error:
        raise sources.damaged(source, error) from None


def _extent(book: bytes, start: int) -> tuple[int, int]:
    rows = columns = 0
    for kind, at, length in _records(book, start):
        if kind in _CELLS or kind == _NUMBERS:
            row, column = struct.unpack_from("<HH", book, at)
            if kind == _NUMBERS:
                column = struct.unpack_from("<H", book, at + length - 2)[0]
            rows, columns = max(rows, row + 1), max(columns, column + 1)
    return rows, columns


def _records(book: bytes, at: int) -> Iterator[tuple[int, int, int]]:
    """Kind, place and length of what stands in each record, until the end of the sheet or of the part before the sheets."""
    while at + 4 <= len(book):
        kind, length = struct.unpack_from("<HH", book, at)
        if kind == _END:
            return
        yield kind, at + 4, length
        at += 4 + length


def _workbook(data: bytes) -> bytes | None:
    """The bytes of the stream Workbook (Book before Excel 97); None when there is none."""
    shifts = struct.unpack_from("<HH", data, 30)
    _, first, _, cutoff, small_first, _, more, _ = struct.unpack_from("<8I", data, 44)
    if shifts not in ((9, 6), (12, 6)) or cutoff != _CUTOFF:  # the only ones there are; calamine does not look
        raise struct.error("sizes that cannot be")
    size, small = 1 << shifts[0], 1 << shifts[1]
    lists = list(struct.unpack_from("<109I", data, 76))
    seen: set[int] = set()
    while more < _FREE and more not in seen:
        seen.add(more)
        *found, more = struct.unpack_from(f"<{size // 4}I", data, (more + 1) * size)
        lists += found
    links = b"".join(data[(one + 1) * size : (one + 2) * size] for one in lists if one < _FREE)
    names = _joined(data[size:], links, first, size)
    entries = {_name(names, at): at for at in range(0, len(names) - 127, 128)}
    place = entries.get("Workbook", entries.get("Book"))
    if place is None:
        return None
    start, length = struct.unpack_from("<II", names, place + 116)
    root = _joined(data[size:], links, struct.unpack_from("<I", names, 116)[0], size)
    small_links = _joined(data[size:], links, small_first, size)
    if length >= cutoff:
        book = _joined(data[size:], links, start, size)[:length]
    else:
        book = _joined(root, small_links, start, small)[:length]
    if len(book) < length:
        raise struct.error("the workbook is shorter than it says")
    return book


def _name(names: bytes, at: int) -> str:
    length = min(64, struct.unpack_from("<H", names, at + 64)[0])
    return names[at : at + max(0, length - 2)].decode("utf-16-le", "replace")


def _joined(sectors: bytes, links: bytes, first: int, size: int) -> bytes:
    """The sectors of one chain. A chain that comes back to itself would be followed for ever."""
    one, chain = first, dict[int, None]()
    while one < _FREE and 4 * one + 4 <= len(links):
        if one in chain:
            raise struct.error("a chain without end")
        chain[one] = None
        one = struct.unpack_from("<I", links, 4 * one)[0]
    return b"".join(sectors[place * size : (place + 1) * size] for place in chain)
