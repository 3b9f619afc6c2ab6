"""Inputs: which files a path, a folder or a pattern means, what each weighs, and its bytes with the packing taken off.

It may not look at what the bytes say.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import os
import shutil
import threading
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from clm.errors import DataError, InputError, UsageError
from clm.storage import keyed
from clm.storage.keyed import shown

BLOCK = 4 * 2**20
# A folder is read by suffix; a file named by the user is read whatever it is called.
_SUFFIXES = (
    ".csv", ".tsv", ".txt", ".tab", ".dat", ".psv", ".parquet", ".pq",
    ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".json", ".jsonl", ".ndjson",
)  # fmt: skip
_LOCK = "~$"
_CONTROLS = bytes(byte for byte in range(32) if byte not in b"\t\n\v\f\r\x1b")
_PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")
_ODS = b"application/vnd.oasis.opendocument.spreadsheet"
# what the standard library raises for packed bytes that are damaged, or packed in ways it does not know
BROKEN = (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, lzma.LZMAError, NotImplementedError)
WORKBOOKS = ("xlsx", "xls", "ods")
# Text of order logs packs to about a tenth; hundreds of times more is a bomb, not a log.
_LARGEST_RATIO, _RATIO_FROM = 200, 64 * 2**20


@dataclass(frozen=True)
class Source:
    """One input file. `repeats` marks one whose bytes are those of an earlier input; `digest` is its SHA-256, once worked out.

    `keys` are those of the `key=value` folders it lies in, below the folder or pattern that was given; null as Hive writes it.
    """

    path: Path
    name: str
    size: int
    kind: str
    written_ns: int
    digest: Future[str] = field(compare=False, repr=False)
    repeats: bool = False
    keys: tuple[tuple[str, str | None], ...] = ()

    @property
    def sha256(self) -> str:
        """Waits for it. Raises `InputError` when the file cannot be read, `DataError` when it has changed since it was found."""
        try:
            return self.digest.result()
        except OSError as error:
            raise unreadable(self.path, error) from None

    def check_unchanged(self) -> None:
        """Once all is read: raises `DataError` when the file has changed since it was found, `InputError` when it is gone."""
        size, _, written_ns = _weigh(self.path)
        if (size, written_ns) != (self.size, self.written_ns):
            raise changed(self.name, self.size, size)

    def to_json(self) -> dict[str, Any]:
        """What travels in footers: no path."""
        return {"source": self.name, "bytes": self.size, "sha256": self.sha256}


def find(inputs: Sequence[str | Path], names: Mapping[Path, str] | None = None, spool: Path | None = None) -> tuple[Source, ...]:
    """The files meant by paths, folders (with their `key=value` subfolders) and patterns, in that order, sorted within each.

    `names` gives the name to show for a file that has none of its own, such as spooled standard input. A FIFO or device can be
    read once only: its bytes are copied into the folder `spool`, where a second `find` with the same folder finds them again.
    Raises `InputError` for what is not there or cannot be read, `UsageError` for an empty name.
    """
    if any(str(given) == "" for given in inputs):
        empty = "an empty input name: is a shell variable unset?"
        raise UsageError(empty, fix="name a file, a folder or a pattern.", code="no_input")
    found: list[Source] = []
    several = [(given, path) for given in inputs for path in _expand(given)]
    # a shell's pattern matches them too
    several = [(given, path) for given, path in several if not path.name.startswith(_LOCK)] or several
    for (given, path), named in zip(several, keyed.names(several), strict=True):
        whole = path if path.is_file() else _spooled(path, spool)
        found.append(Source(whole, (names or {}).get(path, named), *_weigh(whole), Future(), keys=keyed.keys(given, path)))
    if not found:
        raise InputError("no input was given.", fix="name a file, a folder or a pattern: clm clean orders.csv")
    threading.Thread(target=_digest, args=(tuple(found),), name="clm-digest", daemon=True).start()
    return _repeats_marked(found)


def _repeats_marked(found: list[Source]) -> tuple[Source, ...]:
    """Only files of one size can have the same bytes: only those are waited for. Under other keys they are other rows."""
    sizes = Counter(source.size for source in found)
    seen: set[object] = set()
    marked: list[Source] = []
    for source in found:
        several = sizes[source.size] > 1
        marked.append(replace(source, repeats=several and (source.sha256, source.keys) in seen))
        seen |= {(source.sha256, source.keys)} if several else set()
    return tuple(marked)


def _digest(found: tuple[Source, ...]) -> None:
    """Work out the SHA-256 of each file in turn, beside whatever else is done."""
    for source in found:
        digest, size = hashlib.sha256(), 0
        try:
            with source.path.open("rb") as stream:
                while block := stream.read(BLOCK):
                    size += len(block)
                    digest.update(block)
            if size != source.size:
                raise changed(source.name, source.size, size)
        except BaseException as error:  # noqa: BLE001 raised again for who asks
            source.digest.set_exception(error)
        else:
            source.digest.set_result(digest.hexdigest())


def changed(name: str, before: int, after: int) -> DataError:
    how = f"{before:,} bytes have become {after:,}" if before != after else "somebody writes to it"
    fix = "wait until it is complete, or give a copy of it."
    return DataError(f"{name} changes while it is read: {how}.", where=name, fix=fix, code="changed")


def _spooled(path: Path, spool: Path | None) -> Path:
    """The bytes of a FIFO or device as a file."""
    if spool is None:
        raise InputError(f"{shown(path.name)} is no regular file.", where=shown(path), fix="write it to a file first.")
    from clm.storage.faults import reading, writing

    copy = spool / f"input-{hashlib.sha256(os.fsencode(path)).hexdigest()[:16]}"
    if not copy.exists():
        part = copy.with_suffix(".part")
        with writing(part), part.open("wb") as target, reading(path), path.open("rb") as stream:
            shutil.copyfileobj(stream, target, BLOCK)
        part.replace(copy)
    return copy


def _expand(given: str | Path) -> list[Path]:
    path = Path(given)
    try:
        if path.is_dir():
            inside = [one for one in keyed.inside(path) if _is_log(one)]
            if not inside:
                raise InputError(f"the folder {shown(path.name)} holds no order files.", where=shown(given), fix=_suffix_hint())
            return inside
        if path.exists():
            return [path]
        matches, _ = keyed.matches(given)
    except OSError as error:
        raise unreadable(path, error) from None
    if not matches:
        raise InputError(f"there is no file {shown(path.name)}.", where=shown(given), fix="check the path or the pattern.")
    return matches


def left_out(inputs: Sequence[str | Path]) -> list[str]:
    """Names of what is not read: files and subfolders in the folders among the inputs, and folders a pattern matches."""
    folders = [Path(given) for given in inputs if Path(given).is_dir()]
    inside = sorted(one for folder in folders for one in keyed.inside(folder) if not _for_machines(one.name) and not _is_log(one))
    matched = [one for given in inputs if keyed.is_pattern(given) for one in keyed.matches(given)[1]]
    return [shown(one.name) + "/" * one.is_dir() for one in (*inside, *matched)]


def _is_log(path: Path) -> bool:
    name = path.name.lower()
    for packed in _PACKED:
        name = name.removesuffix(packed)
    return path.is_file() and not _hidden(name) and name.endswith(_SUFFIXES)


def _hidden(name: str) -> bool:
    """What macOS and Excel put beside files: hidden ones, forks in `__MACOSX`, locks of open workbooks."""
    return name.startswith("__MACOSX/") or name.rpartition("/")[2].startswith((".", _LOCK))


def _for_machines(name: str) -> bool:
    return _hidden(name) or keyed.for_machines(name)


def _suffix_hint() -> str:
    return f"in a folder, files ending in {' '.join(_SUFFIXES)} (packed as {' '.join(_PACKED)} too) are read."


def _weigh(path: Path) -> tuple[int, str, int]:
    """Bytes, kind, and when it was written last."""
    try:
        with path.open("rb") as stream:
            known, kind = os.fstat(stream.fileno()), kind_of(stream.read(8))
    except OSError as error:
        raise unreadable(path, error) from None
    return known.st_size, _archived(path) if kind == "zip" else kind, known.st_mtime_ns


def _archived(path: Path) -> str:
    """What a zip file is by its members: a workbook, or files packed."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            if "[Content_Types].xml" in names and any(name.startswith("xl/") for name in names):
                return "xlsx"
            if {"mimetype", "content.xml"} <= names:
                with archive.open("mimetype") as stream:
                    return "ods" if stream.read(100).startswith(_ODS) else "zip"
    except BROKEN:
        pass  # said when it is unpacked
    return "zip"


def kind_of(head: bytes) -> str:
    """What the first bytes say the file is; names lie, and standard input has none."""
    for magic, kind in (
        (b"PAR1", "parquet"), (b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"), (b"PK\x03\x04", "zip"),
        (b"\x28\xb5\x2f\xfd", "zstd"), (b"\xfd7zXZ\0", "xz"), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xls"),
    ):  # fmt: skip
        if head.startswith(magic):
            return kind
    return "text"


def is_binary(head: bytes) -> bool:
    """Whether more than every twentieth byte is a control byte that no text of any encoding is full of."""
    return len(head) - len(head.translate(None, _CONTROLS)) > len(head) / 20


def unreadable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"{shown(path.name)} cannot be read: {error.strerror or error}.", where=shown(path), fix="check its permissions."
    )


def blocks(source: Source, start: int = 0) -> Iterator[bytes]:
    """The file's bytes, unpacked, in blocks; `start` (plain files only) is where to begin.

    Raises `DataError` for packed files that are cut off, damaged, hold several files or swell beyond reason.
    """
    unpacked = 0
    try:
        with source.path.open("rb") as raw, _unpacked(source, raw) as stream:
            if start:
                stream.seek(start)
            while block := stream.read(BLOCK):
                unpacked += len(block)
                if swollen(unpacked, source.size):
                    raise bomb(source, "packed")
                yield block
    except BROKEN as error:
        raise damaged(source, error) from None
    except OSError as error:
        if error.errno is None:  # bz2 says so for damaged data
            raise damaged(source, error) from None
        raise unreadable(source.path, error) from None


def swollen(unpacked: int, size: int) -> bool:
    """Whether a file of this size holds more than an order log can."""
    return unpacked > _RATIO_FROM and unpacked > size * _LARGEST_RATIO


def bomb(source: Source, what: str) -> DataError:
    fix = "unpack it yourself if you trust it, and give the unpacked file." if what == "packed" else "check where it comes from."
    return DataError(f"{source.name} unpacks to more than {_LARGEST_RATIO} times its size.", fix=fix, code="bomb")


def damaged(source: Source, error: object) -> DataError:
    return DataError(f"{source.name} is cut off or damaged ({error}).", fix="get the file again.", code="damaged")


def protected(source: Source) -> DataError:
    return DataError(f"{source.name} is protected by a password.", fix="save it without one.", code="protected")


def _unpacked(source: Source, raw: IO[bytes]) -> IO[bytes]:
    if source.kind == "gzip":
        return gzip.GzipFile(fileobj=raw)  # type: ignore[return-value]
    if source.kind == "bzip2":
        return bz2.BZ2File(raw)
    if source.kind == "xz":
        return lzma.LZMAFile(raw)
    if source.kind == "zstd":
        import pyarrow as pa

        return pa.CompressedInputStream(raw, "zstd")  # type: ignore[no-any-return]
    if source.kind == "zip":
        archive = zipfile.ZipFile(raw)
        members = [one for one in archive.infolist() if not one.is_dir() and not _hidden(one.filename)]
        if len(members) != 1:
            raise DataError(
                f"{source.name} holds {len(members)} files, not one.", fix="unpack it and name the order file.", code="zip"
            )
        if members[0].flag_bits & 1:
            raise protected(source)
        return archive.open(members[0])
    return raw
