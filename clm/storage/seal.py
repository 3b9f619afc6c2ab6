"""The seal: the SHA-256 of a table's whole file, in the file's own footer, so that a single changed bit shows.

Parquet pages carry no checksum of their own here, and statistics, offsets and facts have none at all. The seal is the last entry
of the clm footer; it is worked out over the file with 64 zeros in its place. It finds damage and mix-ups, not forgery: who can
write the file can write its seal. It may not know what the facts mean.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

_BLANK = "0" * 64
_SEALED = re.compile(r',"seal":"([0-9a-f]{64})"\}$')
_CHUNK = 1 << 20
_END = 8  # the length of the footer and the last PAR1


def blank(text: str) -> str:
    """The footer's text with room for a seal."""
    return f'{text.removesuffix("}")},"seal":"{_BLANK}"}}'


def put(path: Path, text: str) -> None:
    """Seal a finished file whose footer holds `text`, which `blank` made."""
    at = _position(path, text)
    assert at is not None
    digest = _digest(path, at)
    with path.open("r+b") as file:
        file.seek(at)
        file.write(digest.encode())


def kept(path: Path, text: str) -> bool | None:
    """Whether the file is, to the byte, the one that was sealed; None when its footer's `text` bears no seal."""
    found = _SEALED.search(text)
    if found is None:
        return None
    at = _position(path, text)
    return at is not None and _digest(path, at) == found[1]


def _position(path: Path, text: str) -> int | None:
    """Where in the file the 64 characters of the seal stand; None when the footer does not hold the text as it is."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - _END))
        length = int.from_bytes(file.read(4), "little")
        start = max(0, size - _END - length)
        file.seek(start)
        found = file.read(length).rfind(text.encode())
    return None if found < 0 else start + found + len(text.encode()) - len(_BLANK) - len('"}')


def _digest(path: Path, at: int) -> str:
    """SHA-256 of the file with zeros where the seal stands."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        left = at
        while left and (chunk := file.read(min(_CHUNK, left))):
            digest.update(chunk)
            left -= len(chunk)
        digest.update(_BLANK.encode())
        file.seek(len(_BLANK), os.SEEK_CUR)
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
