"""The scan: all parts as one lazy frame of text, read ahead by a thread of its own, in flat memory.

It may not look into a cell. Its names for clm's own columns are such as no file can have.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator

import polars as pl

from clm.ingest import native, structure
from clm.ingest.part import Part, records

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


def scan(parts: tuple[Part, ...], schema: dict[str, pl.DataType], raw: bool) -> pl.LazyFrame:
    """The records in the types of the schema: text, or what every part that has the column holds it as."""
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
        for frame in records(part, raw):
            yield shaped(frame, position, part, schema, wanted)


def shaped(frame: pl.DataFrame, position: int, part: Part, schema: dict[str, pl.DataType], wanted: list[str]) -> pl.DataFrame:
    """A batch with the columns of the whole log, in their order."""
    own = {
        SOURCE: pl.lit(position, dtype=pl.Int64),
        FILE: pl.lit(part.source.name),
        AGAIN: pl.lit(part.source.repeats),
    }
    frame = frame.with_columns(pl.lit(value, dtype=pl.String).alias(name) for name, value in part.keys)
    types = frame.schema  # made anew each time it is asked for, which counts with thousands of columns
    if PRINT in wanted:
        cells = [_compared(name, types, dtype).alias(name) for name, dtype in schema.items() if name not in OWN]
        frame = frame.with_columns(frame.lazy().select(cells).collect().hash_rows(0).alias(PRINT))
    present = {*types, PRINT, *own} if PRINT in wanted else {*types, *own}
    absent = [pl.lit(None, dtype=pl.String).alias(name) for name in wanted if name not in present]
    said = [
        native.as_text(pl.col(name), types[name]).alias(name)
        for name in wanted
        if schema[name] == pl.String and types.get(name, pl.String) != pl.String and name not in OWN
    ]
    return frame.with_columns(*(value.alias(name) for name, value in own.items()), *absent, *said).select(wanted)


def _compared(name: str, types: pl.Schema, dtype: pl.DataType) -> pl.Expr:
    """What a repeat has in this column too: its text, or what all parts hold it as."""
    if name not in types:
        return pl.lit("")
    cell = pl.col(name)
    return native.compared(cell, dtype) if types[name] == dtype else native.as_text(cell, types[name])


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
