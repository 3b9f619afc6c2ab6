"""Opening what clm wrote: a path or standard input becomes a lazy table with its facts, checked before any data is touched.

It may not write anything but the spool of a pipe.
"""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import IO, Any

import polars as pl

from clm.errors import DataError, InputError, UsageError
from clm.outcome import Notice
from clm.storage import contract, facts, keyed, parts
from clm.storage.facts import Facts
from clm.storage.faults import reading, writing
from clm.storage.parts import Parts
from clm.tables import ALL, TRANSACTIONS, Table

_NO_PROVENANCE = Notice("no_provenance", "the input has no clm footer: where its numbers come from is not known")
_CHUNK = 1 << 20

Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class Opened:
    """One of our tables, open for reading. `notices` say what the reader must know about it (no provenance).

    `stamp` tells the file from another one that takes its name; a log in `parts` is known by those.
    """

    path: Path
    name: str
    frame: pl.LazyFrame
    facts: Facts | None
    size: int
    sha256: str
    stamp: Stamp
    notices: tuple[Notice, ...] = ()
    parts: tuple[Opened, ...] = ()

    @property
    def files(self) -> tuple[Opened, ...]:
        """The files it is made of."""
        return self.parts or (self,)

    @property
    def lineage(self) -> list[dict[str, Any]]:
        if self.parts:
            return parts.lineage([one.facts for one in self.parts], [_entry(one) for one in self.parts])
        return facts.lineage_of(self.facts, self.size, self.sha256)


def spool(stream: IO[bytes], folder: Path, name: str = "stdin") -> Path:
    """A stream as a file: Parquet is read from its end, and a pipe has none."""
    path = folder / name
    with writing(path), path.open("wb") as target:
        shutil.copyfileobj(stream, target, _CHUNK)
    return path


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with reading(path), path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def stamp_of(path: Path) -> Stamp:
    """Which file this is, and when it was written last."""
    known = path.stat()
    return known.st_ino, known.st_size, known.st_mtime_ns


def check_unchanged(opened: Iterable[Opened]) -> None:
    """Once all is read: raises DataError when a file was replaced meanwhile, for its facts are then of other data."""
    for one in (file for table in opened for file in table.files):
        with reading(one.path):
            if stamp_of(one.path) != one.stamp:
                raise DataError(
                    f"{one.name} was replaced while it was read",
                    where=str(one.path),
                    fix="run again when nobody writes there; a folder of `clm run` is written to by the next run",
                    code="changed",
                )


def open_table(path: Path, table: Table, needed: list[str], *, name: str | None = None) -> Opened:
    """Open a Parquet file as one of our tables.

    `needed` columns and the key must be there with the contract's types. Raises InputError (66) when it cannot be read,
    DataError (65) when it is no Parquet file, another table, a newer clm's, or lacks columns: it names the right command.
    TRANSACTIONS may come in parts: a folder or a pattern, as `parts` finds them.
    """
    shown = name or path.name or str(path)
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise InputError("the name of the input is not UTF-8", where=str(path), fix="rename the file") from None
    with reading(path):
        if path.is_dir():
            of_run = path / ("clean.parquet" if table.made_by == "clean" else "customers.parquet")
            inside = f"name the Parquet file inside it{f': {of_run}' if of_run.is_file() else ''}"
            if table is not TRANSACTIONS or of_run.is_file():
                raise InputError(f"{shown} is a folder, not a file", where=str(path), fix=inside)
    several = parts.find(path) if table is TRANSACTIONS else None
    if several is not None:
        return _together(several, table, needed, shown)
    opened, _ = _described(path, table, needed, shown)
    if opened.facts is None:
        # a foreign file may lie in its statistics
        with blaming_damage([opened]):
            contract.check_data(pl.scan_parquet(path, glob=False, use_statistics=False), table, shown)
        opened = replace(opened, notices=(_NO_PROVENANCE,))
    return replace(opened, sha256=sha256_of(path))


def _described(path: Path, table: Table, needed: list[str], shown: str) -> tuple[Opened, pl.Schema]:
    """A file and its columns, as its footer has them: no row is read, no hash worked out."""
    with reading(path):
        size, stamp = path.stat().st_size, stamp_of(path)
    schema, found = _footer(path, shown, table)
    if found is not None:
        _check_facts(found, table, shown)
    contract.check_schema(schema, table, [*table.key, *(one for one in needed if one not in table.key)], shown)
    return Opened(path, shown, pl.scan_parquet(path, glob=False), found, size, "", stamp), schema


def _together(found: Parts, table: Table, needed: list[str], shown: str) -> Opened:
    """A log in parts as one table: every column any part has, the keys of the folders as columns of text."""
    inside = [one for one in needed if one not in found.keys]
    described = [_described(file, table, inside, name) for file, name in zip(found.files, found.names, strict=True)]
    opened, notices = [one for one, _ in described], []
    schema, lacking = parts.united({one.name: columns for one, columns in described}, found)
    parts.check_alike({one.name: one.facts for one in opened})
    if found.left_out:
        notices.append(Notice("files_left_out", keyed.not_read(found.left_out)))
    if lacking:
        notices.append(Notice("columns_of_some_parts", f"{', '.join(lacking)}: columns of some parts only, null in the others"))
    if found.keys:
        notices.append(Notice("folder_keys", f"{', '.join(found.keys)}: columns of text from the names of folders"))

    def scan(files: list[Path], *, use_statistics: bool = True) -> pl.LazyFrame:
        def under(keys: dict[str, str | None], files: list[Path]) -> pl.LazyFrame:
            frame = pl.scan_parquet(
                files,
                glob=False,
                schema=schema,
                hive_partitioning=False,  # Polars has rules of its own for the names of folders
                missing_columns="insert",
                use_statistics=use_statistics,
            )
            return frame.with_columns(pl.lit(value, dtype=pl.String).alias(key) for key, value in keys.items())

        return pl.concat([under(keys, list(together)) for keys, together in groupby(files, found.values)])

    contract.check_schema(pl.Schema(schema | dict.fromkeys(found.keys, pl.String())), table, needed, shown)
    foreign = [one.path for one in opened if one.facts is None]
    if foreign:
        with blaming_damage(opened):
            contract.check_data(scan(foreign, use_statistics=False), table, shown)
        which = "" if len(foreign) == len(opened) else f" ({len(foreign):,} of {len(opened):,} parts)"
        notices.append(replace(_NO_PROVENANCE, text=f"{_NO_PROVENANCE.text}{which}"))
    opened = [replace(one, sha256=sha256_of(one.path)) for one in opened]
    hashes = Counter(one.sha256 for one in opened)
    again = [one for one in opened if hashes[one.sha256] > 1 and one.frame.select(pl.len()).collect().item()]
    parts.check_apart({one.name: one.sha256 for one in again})
    parts.check_sources({one.name: one.facts for one in opened})
    return Opened(
        path=found.root,
        name=shown,
        frame=scan([one.path for one in opened]),
        facts=None if foreign else opened[0].facts,
        size=sum(one.size for one in opened),
        sha256=parts.sha256_of([_entry(one) for one in opened]),
        stamp=(0, 0, 0),
        notices=tuple(notices),
        parts=tuple(opened),
    )


def _entry(part: Opened) -> dict[str, Any]:
    return facts.source(part.name, part.size, part.sha256)


def facts_in(path: Path, name: str) -> Facts | None:
    """What a Parquet file's footer says of clm's work; None in any other file."""
    with reading(path), path.open("rb") as stream:
        if stream.read(4) != b"PAR1":
            return None
    text = pl.read_parquet_metadata(path).get(facts.KEY)
    return facts.parse(text, name) if text is not None else None


def _footer(path: Path, shown: str, table: Table) -> tuple[pl.Schema, Facts | None]:
    try:
        with reading(path):
            metadata = pl.read_parquet_metadata(path)
            schema = pl.scan_parquet(path, glob=False).collect_schema()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, UnicodeDecodeError) as error:
        maker = table.made_by.split(",")[0]
        raise DataError(
            f"{shown} is not a Parquet file (or a damaged one)",
            where=str(path),
            fix=f"make one with `clm {maker}`" + (": it reads CSV" if maker == "clean" else ""),
            code="not_parquet",
        ) from error
    text = metadata.get(facts.KEY)
    return schema, facts.parse(text, shown) if text is not None else None


def _check_facts(found: Facts, table: Table, shown: str) -> None:
    if found.table != table.name:
        known = found.table if found.table in ALL else "unknown"
        raise DataError(
            f"{shown} is a {known} table, not {table.name}",
            where=shown,
            fix=contract.wrong_table_fix(known, table),
            code="wrong_table",
        )
    if found.table_version > table.version or found.schema > facts.SCHEMA:
        raise DataError(f"{shown} was written by a newer clm", where=shown, fix="update clm", code="newer")


def keep_inputs(inputs: Iterable[Path], targets: Iterable[Path]) -> None:
    """Raises UsageError when an output would replace an input, or another output: nobody means that."""
    seen: list[Path] = []
    for target in targets:
        for other in inputs:
            if target.exists() and any(one.exists() and target.samefile(one) for one in parts.listed(other)):
                raise UsageError(f"{target.name} is an input: writing there would destroy it", fix="write to another file")
            if parts.takes_in(other, target):
                what = f"{target.name} would be a part of {other.name or 'this folder'}, an input: the next run would read it"
                raise UsageError(what, fix="write to another folder")
        if any(target.resolve() == one.resolve() for one in seen):
            raise UsageError(f"two outputs would go to {target.name}", fix="give each a file of its own")
        seen.append(target)


@contextmanager
def blaming_damage(opened: Sequence[Opened]) -> Iterator[None]:
    """When Polars fails inside, the answer is a file that was replaced or is damaged (65), else it is a bug."""
    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, UnicodeDecodeError) as error:
        check_unchanged(opened)
        for one in (file for table in opened for file in table.files):
            if damaged(one.path):
                raise DataError(
                    f"{one.name} is damaged: its pages cannot be read",
                    where=str(one.path),
                    fix="make the file again",
                    code="damaged",
                ) from error
        raise


def damaged(path: Path) -> bool:
    """Whether an independent reader fails on a Parquet file; costs a whole read, and failures pay it, or who wants to know."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        for batch in pq.ParquetFile(path).iter_batches():
            batch.validate(full=True)
    except (pa.ArrowException, OSError, UnicodeDecodeError, ValueError):
        return True
    return False
