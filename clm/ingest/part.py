"""A part: one source, what was found out about its form, and its records as frames of text.

It may not know what a column means, nor of the other sources.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from clm.errors import DataError, UsageError
from clm.ingest import dialect, encoding, jsonlines, lines, parquet, recognise, sources, structure, workbook
from clm.ingest.dialect import Dialect
from clm.ingest.encoding import Encoding
from clm.ingest.evidence import Evidence
from clm.ingest.profiles import NONE, Profile
from clm.ingest.sources import Source
from clm.ingest.table import Table
from clm.settings import CleanSettings

HEAD = 4 * 2**20
_LOOK_AT = 2**16
_MARKUP = re.compile(r"\s*<(?:[?!]|(?:html|head|body|table|meta|div|style)[\s>])", re.IGNORECASE)


@dataclass(frozen=True)
class Part:
    """One source and how to cut it up: text by its encoding and dialect, every other container by the `table` it holds.

    `empty` has a header and no records; `keys` are columns from the names of its folders, each with the value of all records.
    """

    source: Source
    columns: tuple[str, ...]
    encoding: Encoding | None = None
    dialect: Dialect | None = None
    empty: bool = False
    table: Table | None = None
    keys: tuple[tuple[str, str | None], ...] = ()

    @property
    def headless(self) -> bool:
        """Whether its columns have no names of their own."""
        return not self.table.headed if self.table else self.dialect is not None and self.dialect.header_line is None

    @property
    def left_out(self) -> str:
        """The lines above the records that a notice must name."""
        return self.table.left_out if self.table else self.dialect.left_out if self.dialect else ""


def look(source: Source, settings: CleanSettings, profile: Profile | None = None, spool: Path | None = None) -> Part:
    """What the source is and how it is cut up; `spool` is a folder for what is unpacked once and read again.

    Keys of its folders are columns after its own; a key the file has as a column is the file's.
    """
    found = _look(source, settings, profile, spool)
    keys = tuple((name, value) for name, value in dict(source.keys).items() if name not in found.columns)
    return replace(found, columns=(*found.columns, *(name for name, _ in keys)), keys=keys)


def _look(source: Source, settings: CleanSettings, profile: Profile | None, spool: Path | None) -> Part:
    if source.kind == "parquet":
        return _holding(source, parquet.read(source))
    if source.kind in sources.WORKBOOKS:
        return _holding(source, workbook.read(source, settings.sheet, spool))
    head, whole = _head(source)
    inner = sources.kind_of(head)
    if inner != "text":
        raise DataError(
            f"{source.name} holds a packed file that is packed itself, or is no text ({inner}).",
            where=source.name,
            fix="unpack it and give what is inside.",
            code="packed_twice",
        )
    if picture := _no_table(head):
        raise _no_text(source, picture)
    try:
        found = encoding.detect(head, source.name, settings.encoding, whole)
    except DataError as question:
        raise _no_text(source, "binary data") if sources.is_binary(head) else question from None
    text = b"".join(encoding.to_utf8([head], found, source.name) if whole else lenient(head, found)).decode()
    if settings.delimiter is None and jsonlines.is_json(text):
        return replace(_holding(source, jsonlines.read(source, text, _utf8(source, found))), encoding=found)
    if _MARKUP.match(text):
        raise DataError(
            f"{source.name} is a page of HTML or XML, whatever it is called.",
            where=source.name,
            fix="open it in a spreadsheet program and save it as CSV (UTF-8) or xlsx.",
            code="markup",
        )
    cut = _detect(text, source, settings, whole, profile)
    empty = whole and not any(block.strip() for block in structure.after_header([text.encode()], cut))
    if dialect.exported(cut.columns):
        cut = dialect.restored(cut)
    return Part(source, cut.columns, found, cut, empty)


def _no_table(head: bytes) -> str | None:
    """What a file is that holds no table and is often called one, by its first bytes."""
    for magic, kind in (
        (b"\x89PNG", "a PNG picture"), (b"\xff\xd8\xff", "a JPEG picture"), (b"GIF8", "a GIF picture"),
        (b"%PDF-", "a PDF document"), (b"{\\rtf", "an RTF document"), (b"SQLite format 3\0", "a SQLite database"),
        (b"Rar!", "a RAR archive"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive"), (b"\x7fELF", "a program"), (b"MZ\x90", "a program"),
    ):  # fmt: skip
        if head.startswith(magic):
            return kind
    return None


def _no_text(source: Source, what: str) -> DataError:
    return DataError(
        f"{source.name} is {what}, not a table, whatever it is called.",
        where=source.name,
        fix="give the export itself: CSV, a workbook, JSON or Parquet.",
        code="no_table",
    )


def _holding(source: Source, table: Table) -> Part:
    return Part(source, table.columns, empty=table.rows == 0, table=table)


def _detect(text: str, source: Source, settings: CleanSettings, whole: bool, profile: Profile | None) -> Dialect:
    """The dialect; of a source that writes lines above its header, that of what stands below them."""
    physical = lines.physical(text[:_LOOK_AT])
    above = 0 if settings.profile == NONE else recognise.header_below(physical, profile)
    if not above:
        return dialect.detect(text, source.name, settings.delimiter, whole)
    below = dialect.detect(text[sum(map(len, physical[:above])) :], source.name, settings.delimiter, whole)
    return replace(
        below,
        header_line=None if below.header_line is None else below.header_line + above,
        first_line=below.first_line + above,
        below=tuple(line + above for line in below.below),
        above=f"{above} lines above it, as the profile knows them",
    )


def _head(source: Source) -> tuple[bytes, bool]:
    stream = sources.blocks(source)
    head = b""
    for block in stream:
        head += block
        if len(head) >= HEAD:
            return head, next(stream, b"") == b""
    return head, True


def lenient(head: bytes, found: Encoding) -> Iterator[bytes]:
    """The head of a longer file: a character cut at its end is no error."""
    decoder = codecs.getincrementaldecoder(found.name)("strict")
    try:
        yield decoder.decode(head[len(found.mark) :]).encode()
    except UnicodeDecodeError:
        yield from encoding.to_utf8([head], found, "the input")  # says which line


def _utf8(source: Source, found: Encoding) -> Callable[[], Iterable[bytes]]:
    return lambda: encoding.to_utf8(sources.blocks(source), found, source.name)


def records(part: Part, raw: bool) -> Iterator[pl.DataFrame]:
    if part.table is not None:
        return part.table.batches(raw)
    assert part.encoding is not None
    assert part.dialect is not None
    stream = structure.after_header(_utf8(part.source, part.encoding)(), part.dialect)
    return structure.batches(stream, part.dialect, part.dialect.first_line, raw)


def check_options(parts: Iterable[Part], settings: CleanSettings) -> None:
    """Raises `UsageError` for an option that none of the files can obey: unsaid it would look as if it had been."""
    kinds = {part.source.kind if part.table else "text" for part in parts} | {"text" for part in parts if part.encoding}
    for name, given, obeying in (
        ("encoding", settings.encoding, {"text"}),
        ("delimiter", settings.delimiter, {"text"}),
        ("sheet", settings.sheet, set(sources.WORKBOOKS)),
    ):
        if given is not None and not kinds & obeying:
            what = "workbook" if name == "sheet" else "text file"
            raise UsageError(f"--{name} is given, and no input is a {what}.", fix=f"leave --{name} out.", code="unused_option")


def evidence(part: Part) -> Iterator[Evidence]:
    name = part.source.name
    if part.keys:
        yield Evidence(f"{name}: keys", ", ".join(key for key, _ in part.keys), "the names of its folders, text in every row")
    if part.table is not None:
        yield from part.table.evidence
    if part.encoding is None or part.dialect is None:
        return
    yield Evidence(f"{name}: encoding", part.encoding.name, part.encoding.why)
    yield Evidence(f"{name}: delimiter", part.dialect.shown, part.dialect.why)
    line = part.dialect.header_line
    yield Evidence(
        f"{name}: header",
        part.dialect.header_shown,
        "the first full line already holds numbers or dates" if line is None else "names, no numbers or dates",
    )
