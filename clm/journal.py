"""forgetting.json: the tables a `clm forget` found, from before its first change until after its last.

Where it lies, a forget did not come to its end: some files may still hold the customers, or name earlier tables as they were.
It holds names and hashes of files, and one slow, salted digest of the whole list of ids, by which the same list is known again;
it may not hold anything about one customer.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from clm import shapes, strict_json
from clm.errors import DataError
from clm.inert import json_text
from clm.storage import publish, temporary

NAME = "forgetting.json"
SAYS = "a clm forget in this folder did not come to its end: some files may still hold the customers"
END = f"run clm forget again with the list it was begun with; to give it up, delete {NAME}: the files then go on holding them"

_ENTRIES = {"tables": shapes.by_name(shapes.text), "salt": shapes.text, "ids": shapes.text}
_RECORD = shapes.record_of(_ENTRIES | {"run": lambda value: isinstance(value, bool)}, *_ENTRIES)


@dataclass(frozen=True)
class Begun:
    """What an unfinished forget found first: SHA-256 of each table by name, and whether the run's files were to be made again."""

    tables: dict[str, str]
    run: bool


def begun(folder: Path, ids: Collection[str]) -> Begun | None:
    """What an unfinished forget of these ids found; None when none is unfinished.

    Raises DataError when it is damaged, and when the unfinished one has another list: this one would not end it.
    """
    path = folder / NAME
    if not path.is_file():
        return None
    try:
        record = strict_json.loads(path.read_bytes())
        if not _RECORD(record):
            raise ValueError
        same = hmac.compare_digest(_digest(ids, bytes.fromhex(record["salt"])).encode(), record["ids"].encode())
    except ValueError:
        raise DataError(
            f"{NAME} is damaged", where=str(path), fix="delete it, then run the same clm forget again", code="journal"
        ) from None
    if not same:
        raise DataError(f"{SAYS}, and it had another list of ids", where=str(folder), fix=END, code="forgetting")
    return Begun(record["tables"], record.get("run", True))


def begin(folder: Path, begun: Begun, ids: Collection[str]) -> None:
    """Write down what is there, before anything is changed."""
    salt = os.urandom(16)
    record = {"schema": 1, "tables": begun.tables, "run": begun.run, "salt": salt.hex(), "ids": _digest(ids, salt)}
    publish.publish_bytes(folder / NAME, json_text(record, indent=1).encode() + b"\n")


def end(folder: Path) -> None:
    """All is done, and on the disk."""
    (folder / NAME).unlink(missing_ok=True)
    temporary.sync(folder)


def _digest(ids: Collection[str], salt: bytes) -> str:
    """A digest of all ids together that costs whoever would try lists out memory and time."""
    return hashlib.scrypt("\0".join(sorted(ids)).encode(), salt=salt, n=1 << 14, r=8, p=1).hex()
