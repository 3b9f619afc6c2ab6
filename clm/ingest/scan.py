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
    cells = [name for name in schema if name not in OWN]
    if PRINT in wanted:
        here = set(frame.columns)
        text = native.texted(frame.lazy(), frame.schema).select(
            pl.col(name) if name in here else pl.lit("").alias(name) for name in cells
        )
        frame = frame.with_columns(text.collect().hash_rows(0).alias(PRINT))
    present = set(frame.columns) | own.keys()
    absent = [pl.lit(None, dtype=pl.String).alias(name) for name in wanted if name not in present]
    said = [
        native.as_text(pl.col(name), frame.schema[name]).alias(name)
        for name in wanted
        if schema[name] == pl.String and frame.schema.get(name, pl.String) != pl.String and name not in OWN
    ]
    return frame.with_columns(*(value.alias(name) for name, value in own.items()), *absent, *said).select(wanted)


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
