"""Publishing: an output is the old file or the complete new one, whatever kills the run.

Temporary beside the target, re-opened and checked, fsync, rename, fsync of the folder. It may not know what a stage is.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import IO, Any

import polars as pl

from clm.errors import OutputError
from clm.storage import contract, seal, temporary
from clm.storage.facts import KEY, Facts
from clm.storage.faults import footer, writing
from clm.storage.files import sha256_of
from clm.tables import TRANSACTIONS, Table

# without a fixed size the bytes of a sink differ from run to run
ROW_GROUP = 250_000
# the quickest: a tenth more bytes, a quarter less work
_ZSTD_LEVEL = 1
_RISKY = ("=", "+", "-", "@", "\t", "\r", "'", "＝", "＋", "－", "＠")


@dataclass(frozen=True)
class Output:
    """One published file: `path` as the user gave it (`-` for stdout)."""

    path: str
    rows: int | None
    sha256: str

    def to_json(self) -> dict[str, Any]:
        return {"path": self.path.encode("utf-8", "replace").decode(), "rows": self.rows, "sha256": self.sha256}


def sink(frame: pl.DataFrame | pl.LazyFrame, path: Path, metadata: dict[str, str] | None = None) -> None:
    """Write Parquet with repeatable bytes; streaming for lazy frames."""
    with footer(path):
        frame.lazy().sink_parquet(
            path,
            row_group_size=ROW_GROUP,
            metadata=metadata,
            compression="zstd",
            compression_level=_ZSTD_LEVEL,
            engine="streaming",
        )


def set_aside(frame: pl.LazyFrame, path: Path, most: int) -> tuple[pl.LazyFrame, int]:
    """The frame worked out once, to be read several times and thrown away: held in memory up to `most` bytes, else at `path`.

    And the bytes it takes in memory.
    """
    batches = frame.collect_batches(maintain_order=True, engine="streaming")
    held = deque([pl.DataFrame(schema=frame.collect_schema())])
    size = 0
    for batch in batches:
        held.append(batch)
        size += int(batch.estimated_size())
        if size > most:
            _spool(chain(_taken(held), batches), path)
            return pl.scan_parquet(path, glob=False), 0
    return pl.concat(held).lazy(), size


def _taken(held: deque[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Each in turn, held no longer."""
    while held:
        yield held.popleft()


def _spool(batches: Iterator[pl.DataFrame], path: Path) -> None:
    """Parquet packed for speed, by pyarrow, which can leave out the dictionaries that Polars always tries: half the work."""
    from pyarrow import parquet

    oldest = pl.CompatLevel.oldest()
    first = next(batches).to_arrow(compat_level=oldest)
    with (
        writing(path),
        parquet.ParquetWriter(path, first.schema, compression="lz4", use_dictionary=False, write_statistics=False) as spool,
    ):
        spool.write_table(first)
        for batch in batches:
            spool.write_table(batch.to_arrow(compat_level=oldest))


def write_table(frame: pl.DataFrame | pl.LazyFrame, table: Table, facts: Facts, path: Path) -> int:
    """Write one of our tables to `path` (a temporary), re-open it, hold it against the contract, seal it; returns its rows.

    Order lines are held against the books too: the file has the rows and the money its footer tells of.
    """
    text = seal.blank(facts.to_text())
    sink(frame, path, {KEY: text})
    written = pl.scan_parquet(path, glob=False)
    schema = written.collect_schema()
    contract.check_schema(schema, table, [c.name for c in table.columns if c.name in schema], path.name)
    contract.check_data(written, table, table.name)
    if table is TRANSACTIONS:
        money = Decimal(facts.amount["out"]) if facts.amount is not None else None
        contract.check_account(written, facts.rows["out"], money)
    rows = row_count(path)
    seal.put(path, text)
    return rows


def row_count(path: Path) -> int:
    rows = pl.scan_parquet(path, glob=False).select(pl.len()).collect().item()
    assert isinstance(rows, int)
    return rows


def write_csv(frame: pl.DataFrame | pl.LazyFrame, path: Path) -> None:
    """UTF-8, comma, LF, ISO dates, 4 decimals, null empty; text a spreadsheet would run is defused by one apostrophe."""
    names = {name: f"'{name}" for name in frame.lazy().collect_schema().names() if name.startswith(_RISKY)}
    frame.lazy().with_columns(defused(pl.col(pl.String))).rename(names).sink_csv(
        path, line_terminator="\n", date_format="%Y-%m-%d", datetime_format="%Y-%m-%dT%H:%M:%S%.f", null_value=""
    )


def defused(text: pl.Expr) -> pl.Expr:
    """Text starting like a formula gets one apostrophe in front; `clean` takes it off again."""
    risky = text.str.starts_with(_RISKY[0])
    for mark in _RISKY[1:]:
        risky = risky | text.str.starts_with(mark)
    return pl.when(risky).then(pl.lit("'") + text).otherwise(text).name.keep()


def publish(target: Path, write: Callable[[Path], int | None], *, shown: str | None = None) -> Output:
    """Let `write` fill a temporary beside `target`, then put it in its place in one step.

    Raises OutputError (73) when it cannot be created, StorageError (74) when writing fails; the earlier file is then whole.
    """
    place = Path(os.path.realpath(target))
    try:
        str(place.parent).encode()
    except UnicodeEncodeError:
        raise OutputError(
            "the name of the output's folder is not UTF-8", where=str(place.parent), fix="rename the folder"
        ) from None
    with writing(target):
        if place.is_dir():
            raise OutputError(f"{target} is a folder", where=str(target), fix="name a file inside it with -o")
        if target.exists() and not target.is_file():
            return _to_device(target, write, shown or str(target))
        if place.is_symlink():  # what is left of a circle of links
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        with temporary.beside(place) as path:
            rows = write(path)
            _keep_mode(place, path)
            temporary.sync(path)
            digest = sha256_of(path)
            path.replace(place)
            temporary.sync(place.parent)
    return Output(shown or str(target), rows, digest)


def move(made: Path, target: Path) -> None:
    """Put a published file of a folder on the same disk in the place of `target`, in one step; where that is a link, behind it.

    Raises StorageError (74) when that fails; the earlier file is then whole.
    """
    if target.is_symlink():  # perhaps to another disk

        def copy(path: Path) -> None:
            shutil.copyfile(made, path)

        publish(target, copy)
        return
    with writing(target):
        _keep_mode(target, made)
        made.replace(target)
        temporary.sync(target.parent)


def publish_bytes(target: Path, content: bytes) -> Output:
    """Publish a finished document."""

    def write(path: Path) -> None:
        path.write_bytes(content)

    return publish(target, write)


def to_stream(stream: IO[bytes], write: Callable[[Path], int | None], folder: Path) -> Output:
    """Write to a scratch file, then to a stream: nobody downstream reads half a table of a failed run."""
    path = folder / "stdout"
    with writing(path):
        rows = write(path)
        digest = sha256_of(path)
    with path.open("rb") as finished:
        shutil.copyfileobj(finished, stream, 1 << 20)
        stream.flush()
    return Output("-", rows, digest)


def _to_device(device: Path, write: Callable[[Path], int | None], shown: str) -> Output:
    """A FIFO or a device cannot be renamed onto: it gets the finished bytes."""
    with temporary.scratch() as folder, device.open("wb") as stream:
        output = to_stream(stream, write, folder)
    return Output(shown, output.rows, output.sha256)


def _keep_mode(place: Path, path: Path) -> None:
    """An output that is replaced keeps the permissions somebody gave it."""
    if place.exists():
        path.chmod(stat.S_IMODE(place.stat().st_mode))
