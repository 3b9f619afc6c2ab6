"""Extents: what the archive of a workbook holds, found by reading through it once, before anything is laid out in memory.

It may not read a value. calamine lays a sheet out as a full rectangle: two cells in far corners would take all memory there is.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from clm.errors import DataError
from clm.ingest import compound, sources
from clm.ingest.sources import Source

# Reading takes about 75 bytes a cell at its peak: a sheet of a million rows and 47 columns takes 3.7 GB.
MOST_CELLS = 50_000_000
_FEW_CELLS, _MOST_PER_BYTE = 5_000_000, 200
_MOST_ROWS, _MOST_COLUMNS, _MOST_OLD_COLUMNS = 1_048_576, 16_384, 256
_ROW_BYTES = 64 * 2**20
_NAME = rb"(?:[A-Za-z_][\w.-]*:)?"
_ROW = re.compile(rb"<" + _NAME + rb"row(?=[\s/>])[^>]*>")
_CELL = re.compile(rb"<" + _NAME + rb"c(?=[\s/>])")
_AT_ROW = re.compile(rb"\sr\s*=\s*[\"'][A-Z]*(\d+)")
_AT_COLUMN = re.compile(rb"\sr\s*=\s*[\"']([A-Z]{2,})\d")
_HIDDEN = re.compile(rb"\shidden\s*=\s*[\"'](?:1|true)[\"']")
_VALUE = re.compile(rb"<" + _NAME + rb"(?:v|is)[\s>]")
# A formula whose cell ends with no value at all. An empty `<v></v>` is a formula that gave an empty text.
_NOT_WORKED_OUT = re.compile(rb"(?:</" + _NAME + rb"f>|<" + _NAME + rb"f(?:\s[^>]*)?/>)\s*</" + _NAME + rb"c>")
_SHEET = re.compile(rb"<" + _NAME + rb"sheet\s[^>]*>")
_LINK = re.compile(rb"<" + _NAME + rb"Relationship\s[^>]*>")
_STYLED = re.compile(rb"<" + _NAME + rb"c\s+r\s*=\s*[\"']([A-Z]+)\d+[\"']\s+s\s*=\s*[\"'](\d{1,6})[\"']")
_FORMAT = re.compile(rb"<" + _NAME + rb"numFmt\s[^>]*>")
_STYLES = re.compile(rb"<" + _NAME + rb"cellXfs[\s>].*?</" + _NAME + rb"cellXfs>", re.DOTALL)
_STYLE = re.compile(rb"<" + _NAME + rb"xf\s[^>]*>")
_MERGED = re.compile(rb"<" + _NAME + rb"mergeCell\s")
_ODS_TAG = re.compile(rb"<(/?)table:(table|table-row|table-cell|covered-table-cell)(?=[\s/>])([^>]*)>")
_ODS_REPEATED = re.compile(rb"table:number-(?:rows|columns)-repeated\s*=\s*[\"'](\d+)")


@dataclass(frozen=True)
class Extent:
    """One sheet: its last row and column, whether anything is on it, and what a reader cannot see on it.

    `styled`: each column's letters with the styles of its cells; `padded`: columns whose numbers are shown with zeros in front.
    """

    rows: int = 0
    columns: int = 1
    filled: bool = False
    hidden_rows: int = 0
    merged: int = 0
    not_worked_out: int = 0
    styled: frozenset[tuple[bytes, bytes]] = frozenset()
    padded: tuple[str, ...] = ()


@dataclass
class _Count:
    rows: int = 0
    last: int = 0
    columns: int = 1
    filled: bool = False
    hidden: int = 0
    merged: int = 0
    lost: int = 0
    letters: set[bytes] = field(default_factory=set)
    styled: set[tuple[bytes, bytes]] = field(default_factory=set)


def of(source: Source) -> list[Extent] | None:
    """The sheets' extents in the order of the workbook; None where the container tells nothing before it is read (xlsb).

    Raises `DataError` for archives that are damaged, swell beyond reason, are protected, or spread over too many cells.
    """
    if source.kind == "xls":
        return _xls(source)
    try:
        with source.path.open("rb") as raw, zipfile.ZipFile(raw) as archive:
            found = _ods(source, archive) if source.kind == "ods" else _xlsx(source, archive)
    except sources.BROKEN as error:
        raise sources.damaged(source, error) from None
    except OSError as error:
        raise sources.unreadable(source.path, error) from None
    return found


def check(source: Source, rows: int, columns: int) -> None:
    """Raises `DataError` for a sheet of more cells than can be laid out, or than a file of this size can mean."""
    cells = rows * columns
    # more columns than the format has can only be damage, and fastexcel takes minutes to name them
    most = _MOST_OLD_COLUMNS if source.kind == "xls" else _MOST_COLUMNS
    if columns > most or cells > MOST_CELLS or (cells > _FEW_CELLS and cells > source.size * _MOST_PER_BYTE):
        raise DataError(
            f"a sheet of {source.name} spreads over {rows:,} rows and {columns:,} columns.",
            where=source.name,
            fix="delete what lies far out, or save the sheet as CSV (UTF-8) and give that file.",
            code="sheet_size",
        )


def _xls(source: Source) -> list[Extent]:
    try:
        found = [Extent(rows, columns, filled=rows > 0) for rows, columns in compound.sheets(source)]
    except OSError as error:
        raise sources.unreadable(source.path, error) from None
    for one in found:
        check(source, one.rows, one.columns)
    # calamine lays out all of them when it opens the file
    check(source, sum(one.rows * one.columns for one in found), 1)
    return found


def _members(source: Source, archive: zipfile.ZipFile) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Every member's name and bytes; all of them must be read, for only then is their sum known."""
    total = 0

    def inflated(member: zipfile.ZipInfo) -> Iterator[bytes]:
        nonlocal total
        member.file_size = 2**62  # what the directory says need not be true: read until the member really ends
        with archive.open(member) as stream:
            while block := stream.read(sources.BLOCK):
                total += len(block)
                if sources.swollen(total, source.size):
                    raise sources.bomb(source, "workbook")
                yield block

    for member in archive.infolist():
        if member.flag_bits & 1:
            raise sources.protected(source)
        rest = inflated(member)
        yield member.filename, rest
        for _ in rest:
            pass


def _xlsx(source: Source, archive: zipfile.ZipFile) -> list[Extent] | None:
    counted: dict[str, Extent] = {}
    book, links, styles = b"", b"", b""
    for name, stream in _members(source, archive):
        if name.startswith("xl/") and name.endswith(".xml") and "sheets/" in name:
            counted[name] = _counted(source, stream)
        elif name == "xl/workbook.xml":
            book = b"".join(stream)
        elif name == "xl/styles.xml":
            styles = b"".join(stream)
        elif name == "xl/_rels/workbook.xml.rels":
            links = b"".join(stream)
    if not book:
        return None  # xlsb keeps its sheets in another form
    targets = {_attribute(b"Id", tag): _attribute(b"Target", tag) for tag in _LINK.findall(links)}
    paths = [targets.get(_attribute(rb"\w+:id", tag), "") for tag in _SHEET.findall(book)]
    named = [path.removeprefix("/") if path.startswith("/") else f"xl/{path}" for path in paths]
    for one in counted.values():  # also those the workbook does not name
        check(source, one.rows, one.columns)
    return [_padded(counted.get(path, Extent()), styles) for path in named]


def _padded(extent: Extent, styles: bytes) -> Extent:
    """The extent with the columns that have cells of a format of zeros alone, such as 00000."""
    formats = ((_attribute(b"numFmtId", tag), _attribute(b"formatCode", tag)) for tag in _FORMAT.findall(styles))
    zeros = {number for number, code in formats if re.fullmatch("0{2,}", code)}
    block = _STYLES.search(styles)
    used = [_attribute(b"numFmtId", tag) in zeros for tag in _STYLE.findall(block[0])] if block else []
    found = {letters.decode() for letters, style in extent.styled if int(style) < len(used) and used[int(style)]}
    return replace(extent, padded=tuple(sorted(found, key=lambda one: (len(one), one))))


def _attribute(name: bytes, tag: bytes) -> str:
    found = re.search(rb"\s" + name + rb"\s*=\s*[\"']([^\"']*)", tag)
    return found[1].decode("utf-8", "replace") if found else ""


def _counted(source: Source, stream: Iterator[bytes]) -> Extent:
    count, held = _Count(), b""
    for block in stream:
        held += block
        cut = held.rfind(b"row>") + 4
        if cut < 4:
            if len(held) > _ROW_BYTES:
                raise sources.damaged(source, "a row without end")
            continue
        _add(count, held[:cut])
        held = held[cut:]
    _add(count, held)
    columns = max([count.columns, *(_column(letters) for letters in count.letters)])
    rows = max(count.last, count.rows)
    return Extent(rows, columns, count.filled, count.hidden, count.merged, count.lost, frozenset(count.styled))


def _add(count: _Count, text: bytes) -> None:
    rows = _ROW.findall(text)
    count.rows += len(rows)
    count.hidden += sum(_HIDDEN.search(row) is not None for row in rows)
    at = _AT_ROW.findall(text)
    # numbers beyond the sheet are left out by calamine as by Excel
    count.last = max([count.last, *(place for place in map(int, set(at)) if place <= _MOST_ROWS)])
    count.styled.update(_STYLED.findall(text))
    count.letters.update(_AT_COLUMN.findall(text))
    count.columns = max(count.columns, 26 if at else 1)
    placed = len(at) - sum(_AT_ROW.search(row) is not None for row in rows)
    if len(_CELL.findall(text)) > placed:  # cells that do not say where they are follow each other
        widest = max(len(_CELL.findall(row)) for row in _ROW.split(text))
        count.columns = max(count.columns, min(widest, _MOST_COLUMNS))
    count.filled = count.filled or _VALUE.search(text) is not None
    count.lost += len(_NOT_WORKED_OUT.findall(text))
    count.merged += len(_MERGED.findall(text))


def _column(letters: bytes) -> int:
    if len(letters) > 3:
        return 0
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number if number <= _MOST_COLUMNS else 0


def _ods(source: Source, archive: zipfile.ZipFile) -> list[Extent]:
    found: list[Extent] = []
    for name, stream in _members(source, archive):
        if name == "META-INF/manifest.xml" and b"encryption-data" in b"".join(stream):
            raise sources.protected(source)
        if name == "content.xml":
            found = list(_tables(source, stream))
    return found


def _tables(source: Source, stream: Iterator[bytes]) -> Iterator[Extent]:
    """Rows and cells are written once with how often they are repeated: a few bytes can mean the whole sheet."""
    now, held = Extent(), b""
    row = repeat = column = width = 0
    for block in stream:
        held += block
        cut = held.rfind(b">") + 1
        for end, tag, rest in _ODS_TAG.findall(held[:cut]):
            times = int(found[1][:9]) if (found := _ODS_REPEATED.search(rest)) else 1
            if tag == b"table":
                if end:
                    yield now
                now, row = Extent(), 0
            elif tag == b"table-row":
                if not end:
                    repeat, column, width = times, 0, 0
                if end or rest.endswith(b"/"):
                    row += repeat
                    if width:
                        now = replace(now, rows=row, columns=max(now.columns, width), filled=True)
                        check(source, now.rows, now.columns)
            elif not end:
                column += times
                if not rest.endswith(b"/") or b"office:value" in rest:
                    width = column
                lost = b"table:formula" in rest and b"office:value-type" not in rest
                now = replace(now, not_worked_out=now.not_worked_out + lost)
        held = held[cut:]
        if len(held) > _ROW_BYTES:
            raise sources.damaged(source, "a tag without end")
