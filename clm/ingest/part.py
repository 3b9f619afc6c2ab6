"""A part: one source, what was found out about its form, and its records as frames of text.

It may not know what a column means, nor of the other sources.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass, replace

import polars as pl

from clm.ingest import dialect, encoding, lines, parquet, recognise, sources, structure
from clm.ingest.dialect import Dialect
from clm.ingest.encoding import Encoding
from clm.ingest.evidence import Evidence
from clm.ingest.profiles import NONE, Profile
from clm.ingest.sources import Source
from clm.settings import CleanSettings

HEAD = 4 * 2**20
_LOOK_AT = 2**16


@dataclass(frozen=True)
class Part:
    """One source and how to cut it up (nothing to decide for Parquet); `empty` has a header and no records."""

    source: Source
    columns: tuple[str, ...]
    encoding: Encoding | None = None
    dialect: Dialect | None = None
    empty: bool = False


def look(source: Source, settings: CleanSettings, profile: Profile | None = None) -> Part:
    if source.kind == "parquet":
        return Part(source, parquet.columns(source), empty=parquet.rows(source) == 0)
    head, whole = _head(source)
    found = encoding.detect(head, source.name, settings.encoding, whole)
    text = b"".join(encoding.to_utf8([head], found, source.name) if whole else lenient(head, found)).decode()
    cut = _detect(text, source, settings, whole, profile)
    empty = whole and not any(block.strip() for block in structure.after_header([text.encode()], cut))
    if dialect.exported(cut.columns):
        cut = dialect.restored(cut)
    return Part(source, cut.columns, found, cut, empty)


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


def _stream(part: Part) -> Iterator[bytes]:
    assert part.encoding is not None
    return encoding.to_utf8(sources.blocks(part.source), part.encoding, part.source.name)


def records(part: Part, raw: bool) -> Iterator[pl.DataFrame]:
    if part.dialect is None:
        return parquet.batches(part.source)
    stream = structure.after_header(_stream(part), part.dialect)
    return structure.batches(stream, part.dialect, part.dialect.first_line, raw)


def evidence(part: Part) -> Iterator[Evidence]:
    name = part.source.name
    if part.encoding is None or part.dialect is None:
        yield Evidence(f"{name}: container", "Parquet", "magic bytes")
        return
    yield Evidence(f"{name}: encoding", part.encoding.name, part.encoding.why)
    yield Evidence(f"{name}: delimiter", part.dialect.shown, part.dialect.why)
    line = part.dialect.header_line
    yield Evidence(
        f"{name}: header",
        part.dialect.header_shown,
        "the first full line already holds numbers or dates" if line is None else "names, no numbers or dates",
    )
