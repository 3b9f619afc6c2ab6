"""Folders, `key=value` folders and patterns: what lies in them, where they begin, and what the folders on the way to a file say.

`clean` and the readers of clm's own tables share these rules. It may not open a file.
"""

from __future__ import annotations

import glob
from collections import Counter
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from itertools import takewhile
from pathlib import Path
from urllib.parse import unquote

from clm.errors import DataError
from clm.outcome import counted

_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
_FEW = 5


def shown(name: str | Path) -> str:
    """A file name as text that can be written anywhere: bytes that are no UTF-8 become U+FFFD."""
    return str(name).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def is_pattern(given: str | Path) -> bool:
    """A file may have a sign of patterns in its name."""
    return glob.has_magic(str(given)) and not Path(given).exists()


def root(given: str | Path) -> Path:
    """The folder given, or the one in which a pattern begins."""
    whole = Path(given)
    return Path(*takewhile(lambda part: not glob.has_magic(part), whole.parts)) if is_pattern(given) else whole


def matches(pattern: str | Path) -> tuple[list[Path], list[Path]]:
    """The files a pattern matches, by name, and the folders it matches without a file of theirs."""
    found = [Path(one) for one in sorted(glob.glob(str(pattern), recursive=True))]  # noqa: PTH207 the pattern may be absolute
    files = list(dict.fromkeys(one for one in found if one.is_file()))
    entered = {folder for one in files for folder in one.parents}
    return files, [one for one in found if one.is_dir() and one not in entered]


def would_match(names: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether the components of a path are what a pattern's components stand for."""
    if not pattern:
        return not names
    if pattern[0] == "**":
        return any(would_match(names[start:], pattern[1:]) for start in range(len(names) + 1))
    return bool(names) and fnmatchcase(names[0], pattern[0]) and would_match(names[1:], pattern[1:])


def inside(folder: Path) -> Iterator[Path]:
    """What lies in a folder and in its `key=value` folders."""
    for one in sorted(folder.iterdir()):
        if is_key(one.name) and one.is_dir():
            yield from inside(one)
        else:
            yield one


def for_machines(name: str) -> bool:
    """What is hidden, and what Spark leaves beside the parts it writes (`_SUCCESS`): nobody's orders."""
    return name.startswith((".", "_"))


def is_key(folder: str) -> bool:
    return folder.find("=") > 0 and not folder.startswith(".")


def keys(given: str | Path, path: Path) -> tuple[tuple[str, str | None], ...]:
    """Those of the folders from the one given, or from where the pattern begins, to a file.

    Raises DataError when a key is said twice on the way: nobody can tell which of the two is meant.
    """
    found = tuple(key(folder) for folder in path.relative_to(root(given)).parent.parts if is_key(folder))
    twice = next((name for name, count in Counter(name for name, _ in found).items() if count > 1), None)
    if twice is not None:
        raise DataError(
            f"{twice[:40]} is the key of two folders, one in the other",
            where=shown(path),
            fix="rename one of them, or name the files by a pattern that begins below the first",
            code="parts",
        )
    return found


def names(files: Sequence[tuple[str | Path, Path]]) -> list[str]:
    """What to call each file, given as what: its base name, with its folders where another has the same."""
    counts = Counter(path.name for _, path in files)
    below = [path.relative_to(root(given)) if counts[path.name] > 1 else Path() for given, path in files]
    return [shown(longer.as_posix() if longer.name else path.name) for longer, (_, path) in zip(below, files, strict=True)]


def key(folder: str) -> tuple[str, str | None]:
    """The key and its value, percent signs undone; null as Hive writes it."""
    name, _, value = shown(folder).partition("=")
    return name, None if value == _NO_VALUE else unquote(value)


def not_read(left_out: Sequence[str]) -> str:
    """What is said of names that are passed over."""
    names = ", ".join(left_out[:_FEW]) + ", …" * (len(left_out) > _FEW)
    return f"{counted(len(left_out), 'name')} not read: {names}; name what holds orders."
