"""Workbooks no library here can write, by hand: OpenDocument and the Excel format of before 2007, as small as they can be."""

from __future__ import annotations

import struct
import zipfile
from datetime import date, datetime
from pathlib import Path

_SPACES = " ".join(
    f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{short}:1.0"' for short in ("office", "table", "text")
)  # fmt: skip
_ODS = "application/vnd.oasis.opendocument.spreadsheet"
Cell = str | float | bool | date | None


def ods_cell(value: Cell, extra: str = "") -> str:
    """One cell as LibreOffice writes it: the value in an attribute, what is shown as text."""
    if value is None:
        return f"<table:table-cell {extra}/>"
    if isinstance(value, bool):
        kind, said = "boolean", f'office:boolean-value="{str(value).lower()}"'
    elif isinstance(value, str):
        kind, said = "string", ""
    elif isinstance(value, date):
        kind, said = "date", f'office:date-value="{value.isoformat()}"'
    else:
        kind, said = "float", f'office:value="{value}"'
    return f'<table:table-cell office:value-type="{kind}" {said} {extra}><text:p>{value}</text:p></table:table-cell>'


def ods_row(cells: list[Cell], times: int = 1) -> str:
    inside = "".join(map(ods_cell, cells))
    return f'<table:table-row table:number-rows-repeated="{times}">{inside}</table:table-row>'


def ods(path: Path, sheets: dict[str, str], manifest: str = "") -> Path:
    """A workbook of these sheets, each the XML of its rows."""
    tables = "".join(f'<table:table table:name="{name}">{rows}</table:table>' for name, rows in sheets.items())
    body = f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body>"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", _ODS)
        archive.writestr("META-INF/manifest.xml", f"<manifest>{manifest}</manifest>")
        archive.writestr("content.xml", f"<office:document-content {_SPACES}>{body}</office:document-content>")
    return path


def _record(kind: int, data: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def _xf(number_format: int) -> bytes:
    return _record(0x00E0, struct.pack("<HHH", 0, number_format, 0) + b"\0" * 14)


def _xls_cell(row: int, column: int, value: Cell) -> bytes:
    if value is None:
        return b""
    if isinstance(value, bool):
        return _record(0x0205, struct.pack("<HHHBB", row, column, 0, value, 0))
    if isinstance(value, str):
        return _record(0x0204, struct.pack("<HHHHB", row, column, 0, len(value), 1) + value.encode("utf-16-le"))
    if isinstance(value, date):
        moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)
        return _record(0x0203, struct.pack("<HHHd", row, column, 1, (moment - datetime(1899, 12, 30)).total_seconds() / 86400))
    return _record(0x0203, struct.pack("<HHHd", row, column, 0, value))


def xls(path: Path, rows: list[list[Cell]], stream: str = "Workbook") -> Path:
    """One sheet in BIFF8, in a compound file of one stream."""
    start = _record(0x0809, struct.pack("<HHHHII", 0x0600, 5, 0, 0, 0, 0)) + _xf(0) + _xf(22)
    name = b"\x06\0Orders"
    length = len(start) + 4 + 6 + len(name) + 4
    book = start + _record(0x0085, struct.pack("<IH", length, 0) + name) + _record(0x000A)
    book += _record(0x0809, struct.pack("<HHHHII", 0x0600, 16, 0, 0, 0, 0))
    book += b"".join(_xls_cell(row, column, value) for row, cells in enumerate(rows) for column, value in enumerate(cells))
    return compound(path, stream, book + _record(0x000A))


def compound(path: Path, stream: str, content: bytes) -> Path:
    """A compound file (OLE2) with one stream: header, one sector of sector links, one of names, then the content."""
    content = content.ljust(4096, b"\0")  # shorter ones live in a stream of their own
    sectors = -(-len(content) // 512)
    content = content.ljust(sectors * 512, b"\0")
    end, free, links = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
    assert sectors + 2 <= 128
    chain = [links, end, *range(3, sectors + 2), end]
    table = struct.pack("<128I", *chain, *[free] * (128 - len(chain)))
    head = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + b"\0" * 16
        + struct.pack("<HHHHH6xIIIIIIIII", 62, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, end, 0, end, 0)
    )
    head += struct.pack("<109I", 0, *[free] * 108)

    def entry(name: str, kind: int, child: int, at: int, size: int) -> bytes:
        text = (name.encode("utf-16-le") + b"\0\0").ljust(64, b"\0")
        return (
            text
            + struct.pack("<HBBIII", 2 * len(name) + 2, kind, 1, free, free, child)
            + b"\0" * 36
            + struct.pack("<IQ", at, size)
        )

    names = entry("Root Entry", 5, 1, end, 0) + entry(stream, 2, free, 2, len(content))
    path.write_bytes(head + table + names.ljust(512, b"\0") + content)
    return path
