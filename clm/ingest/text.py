"""`read_text`: foreign files as one lazy frame of text, with exact lines, structural problems and the evidence for it all.

It may not know what a column means. One row is one record of a source, in the order of the sources. Columns: every column of
the files (text, by name; a file without it gives nulls) and clm's own, whose names no file can have:
`clm:source` (position of the file), `clm:file` (its base name), `clm:line` (first physical line; row number for Parquet),
`clm:problem` and `clm:detail` (a reject code and its shape, null when the record could be cut up), `clm:raw` (its text, when
asked for), `clm:again` (the file repeats an earlier one), `clm:print` (hash of all cells, computed only when used).
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from clm.errors import DataError
from clm.ingest import dialect, encoding, parquet, sources, structure
from clm.ingest.dialect import Dialect
from clm.ingest.encoding import Encoding
from clm.ingest.sources import Source
from clm.settings import CleanSettings

SOURCE, FILE, AGAIN, PRINT = "clm:source", "clm:file", "clm:again", "clm:print"
OWN: dict[str, pl.DataType] = {
    SOURCE: pl.Int64(),
    FILE: pl.String(),
    structure.LINE: pl.Int64(),
    structure.PROBLEM: pl.String(),
    structure.DETAIL: pl.String(),
    structure.RAW: pl.String(),
    AGAIN: pl.Boolean(),
    PRINT: pl.UInt64(),
}
_HEAD, _PIECE = 4 * 2**20, 2**19
_SAMPLE_FILES = 40


@dataclass(frozen=True)
class Evidence:
    """One decision about one thing, and what speaks for it: shown by `--dry-run`, kept in the metrics."""

    about: str
    decision: str
    because: str

    def to_json(self) -> dict[str, str]:
        return {"about": self.about, "decision": self.decision, "because": self.because}


@dataclass(frozen=True)
class Part:
    """One source and how to cut it up (nothing to decide for Parquet); `empty` has a header and no records."""

    source: Source
    columns: tuple[str, ...]
    encoding: Encoding | None = None
    dialect: Dialect | None = None
    empty: bool = False


@dataclass(frozen=True)
class TextLog:
    """The inputs as text. `sample` holds whole records from start, middle and end; `whole` says it holds all of them."""

    frame: pl.LazyFrame
    columns: tuple[str, ...]
    parts: tuple[Part, ...]
    sample: pl.DataFrame
    whole: bool
    evidence: tuple[Evidence, ...]

    @property
    def sources(self) -> list[dict[str, Any]]:
        """Facts of the input files for footers: base name, bytes, SHA-256."""
        return [part.source.to_json() for part in self.parts]


def read_text(
    inputs: Sequence[str | Path], settings: CleanSettings, names: Mapping[Path, str] | None = None, spool: Path | None = None
) -> TextLog:
    """Find, weigh and look at the inputs; the records themselves are read when the frame is collected, in flat memory.

    `names` are shown for files that have none of their own; `spool` is a folder for copies of what can be read only once.
    Raises `InputError` for what is not there, `DataError` for what cannot be read as text, with the option that helps.
    """
    parts = tuple(_look(source, settings) for source in sources.find(inputs, names, spool))
    columns: dict[str, None] = {}
    for part in parts:
        columns.update(dict.fromkeys(part.columns))
    schema = dict.fromkeys(columns, pl.String()) | OWN
    sample, whole = _sample(parts, schema)
    return TextLog(
        frame=_scan(parts, schema, settings.rejects_raw),
        columns=tuple(columns),
        parts=parts,
        sample=sample,
        whole=whole,
        evidence=tuple(fact for part in parts[:_SAMPLE_FILES] for fact in _evidence(part)),
    )


def _look(source: Source, settings: CleanSettings) -> Part:
    if source.kind == "parquet":
        return Part(source, parquet.columns(source), empty=parquet.rows(source) == 0)
    head, whole = _head(source)
    found = encoding.detect(head, source.name, settings.encoding, whole)
    text = b"".join(encoding.to_utf8([head], found, source.name) if whole else _lenient(head, found)).decode()
    cut = dialect.detect(text, source.name, settings.delimiter, whole)
    empty = whole and not any(block.strip() for block in structure.after_header([text.encode()], cut))
    if dialect.exported(cut.columns):
        cut = dialect.restored(cut)
    return Part(source, cut.columns, found, cut, empty)


def _head(source: Source) -> tuple[bytes, bool]:
    stream = sources.blocks(source)
    head = b""
    for block in stream:
        head += block
        if len(head) >= _HEAD:
            return head, next(stream, b"") == b""
    return head, True


def _lenient(head: bytes, found: Encoding) -> Iterator[bytes]:
    """The head of a longer file: a character cut at its end is no error."""
    import codecs

    decoder = codecs.getincrementaldecoder(found.name)("strict")
    try:
        yield decoder.decode(head[len(found.mark) :]).encode()
    except UnicodeDecodeError:
        yield from encoding.to_utf8([head], found, "the input")  # says which line


def _stream(part: Part) -> Iterator[bytes]:
    assert part.encoding is not None
    return encoding.to_utf8(sources.blocks(part.source), part.encoding, part.source.name)


def _records(part: Part, raw: bool) -> Iterator[pl.DataFrame]:
    if part.dialect is None:
        return parquet.batches(part.source)
    stream = structure.after_header(_stream(part), part.dialect)
    return structure.batches(stream, part.dialect, part.dialect.first_line, raw)


def _evidence(part: Part) -> Iterator[Evidence]:
    name = part.source.name
    if part.encoding is None or part.dialect is None:
        yield Evidence(f"{name}: container", "Parquet", "magic bytes")
        return
    yield Evidence(f"{name}: encoding", part.encoding.name, part.encoding.why)
    yield Evidence(f"{name}: delimiter", part.dialect.shown, part.dialect.why)
    line = part.dialect.header_line
    yield Evidence(
        f"{name}: header",
        "none; columns are #1, #2, …" if line is None else f"line {line}",
        "the first full line already holds numbers or dates" if line is None else "names, no numbers or dates",
    )


def _scan(parts: tuple[Part, ...], schema: dict[str, pl.DataType], raw: bool) -> pl.LazyFrame:
    from polars.io.plugins import register_io_source

    def read(
        with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, _batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        left = n_rows
        wanted = with_columns if with_columns is not None else list(schema)
        read_ahead = _ahead(_frames(parts, schema, wanted, raw))
        try:
            for frame in read_ahead:
                if left is not None:
                    frame = frame.head(left)
                    left -= frame.height
                yield frame.filter(predicate) if predicate is not None else frame
                if left == 0:
                    return
        finally:
            read_ahead.close()

    return register_io_source(read, schema=schema, is_pure=True)


def _frames(parts: tuple[Part, ...], schema: dict[str, pl.DataType], wanted: list[str], raw: bool) -> Iterator[pl.DataFrame]:
    for position, part in enumerate(parts):
        for frame in _records(part, raw):
            yield _shaped(frame, position, part, schema, wanted)


def _shaped(frame: pl.DataFrame, position: int, part: Part, schema: dict[str, pl.DataType], wanted: list[str]) -> pl.DataFrame:
    """A batch with the columns of the whole log, in their order."""
    own = {
        SOURCE: pl.lit(position, dtype=pl.Int64),
        FILE: pl.lit(part.source.name),
        AGAIN: pl.lit(part.source.repeats),
    }
    cells = [name for name in schema if name not in OWN]
    if PRINT in wanted:
        here = set(frame.columns)
        text = frame.select(pl.col(name) if name in here else pl.lit("").alias(name) for name in cells)
        frame = frame.with_columns(text.hash_rows(0).alias(PRINT))
    present = set(frame.columns) | own.keys()
    absent = [pl.lit(None, dtype=pl.String).alias(name) for name in wanted if name not in present]
    return frame.with_columns(*(value.alias(name) for name, value in own.items()), *absent).select(wanted)


def _ahead(frames: Iterator[pl.DataFrame]) -> Generator[pl.DataFrame, None, None]:
    """The same frames, made by a thread of its own up to four ahead; the thread ends when the reader does."""
    ready: queue.Queue[pl.DataFrame | BaseException | None] = queue.Queue(maxsize=4)
    stop = threading.Event()

    def put(item: pl.DataFrame | BaseException | None) -> None:
        while not stop.is_set():
            try:
                ready.put(item, timeout=0.1)
            except queue.Full:
                continue
            return

    def work() -> None:
        try:
            for frame in frames:
                put(frame)
                if stop.is_set():
                    return
            put(None)
        except BaseException as error:  # noqa: BLE001 raised again by the reader below
            put(error)

    thread = threading.Thread(target=work, name="clm-reader", daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
        thread.join()


def _sample(parts: tuple[Part, ...], schema: dict[str, pl.DataType]) -> tuple[pl.DataFrame, bool]:
    """Whole records from the start, and for long plain files also from the middle and the end."""
    frames: list[pl.DataFrame] = []
    whole = len(parts) <= _SAMPLE_FILES
    step = max(1, len(parts) // _SAMPLE_FILES)
    share = max(_PIECE, _HEAD // max(1, min(len(parts), _SAMPLE_FILES)))
    for position, part in list(enumerate(parts))[::step]:
        taken, full = _sample_of(part, share)
        whole = whole and full
        frames += [_shaped(frame, position, part, schema, list(schema)) for frame in taken]
    empty = pl.DataFrame(schema=schema)
    return pl.concat([empty, *frames]).filter(pl.col(structure.PROBLEM).is_null()), whole


def _sample_of(part: Part, share: int) -> tuple[list[pl.DataFrame], bool]:
    if part.dialect is None or part.encoding is None:
        frames: list[pl.DataFrame] = []
        for frame in parquet.batches(part.source):
            frames.append(frame)
            if len(frames) * frame.height > 100_000:
                break
        return frames, parquet.rows(part.source) <= sum(frame.height for frame in frames)
    raw, full = _limited(sources.blocks(part.source), share)
    text = b"".join(encoding.to_utf8([raw], part.encoding, part.source.name) if full else _lenient(raw, part.encoding))
    text = text if full else text[: text.rfind(b"\r" if part.dialect.carriage_returns else b"\n") + 1]
    stream = structure.after_header([text], part.dialect)
    frames = list(structure.batches(stream, part.dialect, part.dialect.first_line))
    # a piece can begin anywhere only where every byte of a line end is one, and nowhere in the middle of a packed file
    if not full and part.source.kind == "text" and not part.encoding.name.startswith("utf-16"):
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
