"""`key=value` folders: which of them lead to a file, what they say, and what lies in them.

It may not open a file.
"""

from __future__ import annotations

import glob
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from urllib.parse import unquote

_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


def leading(given: str | Path, path: Path) -> tuple[str, ...]:
    """Those that lead to a file from the folder given, or from where the pattern begins."""
    if path == Path(given):
        return ()
    root = Path(given) if Path(given).is_dir() else Path(*takewhile(lambda part: not glob.has_magic(part), Path(given).parts))
    return tuple(part for part in path.relative_to(root).parent.parts if "=" in part)


def key(folder: str) -> tuple[str, str | None]:
    """The key and its value, percent signs undone; null as Hive writes it."""
    name, _, value = folder.encode("utf-8", "surrogateescape").decode("utf-8", "replace").partition("=")
    return name, None if value == _NO_VALUE else unquote(value)


def inside(folder: Path) -> Iterator[Path]:
    """What lies in a folder and in its `key=value` folders, save hidden ones."""
    for one in sorted(folder.iterdir()):
        if "=" in one.name and one.is_dir() and not one.name.startswith("."):
            yield from inside(one)
        else:
            yield one
