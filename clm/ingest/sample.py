"""The sample: whole records from the start of each part, and of long plain files also from the middle and the end.

It may not decide anything on what it holds.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from clm.errors import DataError
from clm.ingest import encoding, sources, structure
from clm.ingest.encoding import Encoding
from clm.ingest.part import HEAD, Part, lenient
from clm.ingest.scan import shaped

SAMPLE_FILES = 40
_PIECE = 2**19
_ROWS = 100_000


def take(parts: tuple[Part, ...], schema: dict[str, pl.DataType]) -> tuple[pl.DataFrame, bool]:
    """Whole records from the start, and for long plain files also from the middle and the end."""
    frames: list[pl.DataFrame] = []
    whole = len(parts) <= SAMPLE_FILES
    step = max(1, len(parts) // SAMPLE_FILES)
    share = max(_PIECE, HEAD // max(1, min(len(parts), SAMPLE_FILES)))
    for position, part in list(enumerate(parts))[::step]:
        taken, full = _sample_of(part, share)
        whole = whole and full
        frames += [shaped(frame, position, part, schema, list(schema)) for frame in taken]
    empty = pl.DataFrame(schema=schema)
    return pl.concat([empty, *frames]).filter(pl.col(structure.PROBLEM).is_null()), whole


def _sample_of(part: Part, share: int) -> tuple[list[pl.DataFrame], bool]:
    if part.table is not None:
        frames: list[pl.DataFrame] = []
        taken = 0
        for frame in part.table.batches(False):
            frames.append(frame)
            taken += frame.height
            if taken > _ROWS:
                break
        return frames, taken >= part.table.rows
    assert part.dialect is not None
    assert part.encoding is not None
    raw, full = _limited(sources.blocks(part.source), share)
    text = b"".join(encoding.to_utf8([raw], part.encoding, part.source.name) if full else lenient(raw, part.encoding))
    text = text if full else text[: text.rfind(b"\r" if part.dialect.carriage_returns else b"\n") + 1]
    stream = structure.after_header([text], part.dialect)
    frames = list(structure.batches(stream, part.dialect, part.dialect.first_line))
    # a piece can begin anywhere only where every byte of a line end is one, and nowhere in the middle of a packed file
    if not full and part.source.kind == "text" and not part.encoding.name.startswith(("utf-16", "utf-32")):
        for start in (part.source.size // 2, part.source.size - _PIECE):
            if start > share:
                frames += _piece(part, start)
    return frames, full


def _limited(stream: Iterator[bytes], size: int) -> tuple[bytes, bool]:
    data = b""
    for block in stream:
        data += block
        if len(data) > size:
            return data[:size], False
    return data, True


def _piece(part: Part, start: int) -> list[pl.DataFrame]:
    """Records from the middle of a long plain file; lines that do not cut up cleanly are left to the full reading."""
    assert part.dialect is not None
    assert part.encoding is not None
    data, _ = _limited(sources.blocks(part.source, start), _PIECE)
    end = b"\r" if part.dialect.carriage_returns else b"\n"
    data = data[data.find(end) + 1 : data.rfind(end) + 1]
    try:
        text = b"".join(encoding.to_utf8([data], Encoding(part.encoding.name, b"", ""), part.source.name))
    except DataError:
        return []
    if part.dialect.carriage_returns:
        text = text.replace(b"\r", b"\n")
    return list(structure.batches([text], part.dialect, 1))
