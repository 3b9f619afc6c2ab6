"""forgetting.json: the tables a `clm forget` found, from before its first change until after its last.

Where it lies, a forget did not come to its end: some files may still hold the customers, or name earlier tables as they were.
It holds names and hashes of files; it may not hold anything about anybody.
"""

from __future__ import annotations

import json
from pathlib import Path

from clm.errors import DataError
from clm.inert import json_text
from clm.storage import publish, temporary

NAME = "forgetting.json"
SAYS = "a clm forget in this folder did not come to its end: some files may still hold the customers"


def begun(folder: Path) -> dict[str, str] | None:
    """SHA-256 of each table, by name, as an unfinished forget found it first; None when none is unfinished."""
    path = folder / NAME
    if not path.is_file():
        return None
    try:
        tables = json.loads(path.read_text("utf-8"))["tables"]
        return {str(name): str(sha256) for name, sha256 in tables.items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise DataError(
            f"{NAME} is damaged", where=str(path), fix="delete it, then run the same clm forget again", code="journal"
        ) from None


def begin(folder: Path, tables: dict[str, str]) -> None:
    """Write down what is there, before anything is changed."""
    publish.publish_bytes(folder / NAME, json_text({"schema": 1, "tables": tables}, indent=1).encode() + b"\n")


def end(folder: Path) -> None:
    """All is done, and on the disk."""
    (folder / NAME).unlink(missing_ok=True)
    temporary.sync(folder)
