"""A log in parts: which Parquet files a folder or a pattern means, the keys in the names of its folders, and their facts as one.

It may not open a part (`files` does), nor decide what a row means: a key is a column of text, the same in every row of its file.
"""

from __future__ import annotations

import glob
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import takewhile
from pathlib import Path
from typing import Any

import polars as pl

from clm.errors import DataError, InputError
from clm.outcome import counted, money_text
from clm.storage import facts
from clm.storage.facts import Facts
from clm.storage.faults import reading

_SUFFIXES = (".parquet", ".pq")
_FEW = 5


@dataclass(frozen=True)
class Parts:
    """The files in the order of their names, the keys of all folders on the way, and which of them are columns.

    `left_out` are names in the folder that are not read: no Parquet files, and subfolders that are no `key=value`.
    """

    root: Path
    files: tuple[Path, ...]
    keys: tuple[str, ...]
    columns: tuple[str, ...]
    left_out: tuple[str, ...]

    def name(self, file: Path) -> str:
        """A file as it is called below the folder, or below where the pattern begins."""
        return file.relative_to(self.root).as_posix()


def find(path: Path) -> Parts | None:
    """What a folder or a pattern means; None for anything else. `_SUCCESS`, `_delta_log`, `.crc` are not for readers: skipped.

    Raises InputError when nothing is there, DataError when the files lie under different keys.
    """
    with reading(path):
        if path.is_dir():
            found = sorted(_inside(path))
            files = [file for file in found if file.suffix.lower() in _SUFFIXES and file.is_file()]
            left_out = [file.relative_to(path).as_posix() + "/" * file.is_dir() for file in found if file not in set(files)]
            root, what = path, "the folder holds no Parquet files"
        elif not path.exists() and glob.has_magic(str(path)):
            files = [Path(one) for one in sorted(glob.glob(str(path), recursive=True)) if Path(one).is_file()]  # noqa: PTH207 may be absolute
            files, left_out = [file for file in files if not _hidden(file.name)], []
            root, what = _before_pattern(path), "no file matches"
        else:
            return None
    if not files:
        raise InputError(
            what, where=str(path), fix="check the path: a log in parts is `*.parquet` in a folder or in key=value folders"
        )
    keys, columns = _keys(files[0]), _keys(files[0].relative_to(root))
    other = next((file for file in files if _keys(file) != keys), None)
    if other is not None:
        raise DataError(
            f"the parts lie under different keys: {', '.join(keys) or 'none'}, and {', '.join(_keys(other)) or 'none'}",
            where=str(other),
            fix="name one folder whose parts all lie at the same depth, or a pattern",
            code="parts",
        )
    return Parts(root, tuple(files), keys, columns, tuple(left_out))


def _inside(folder: Path) -> Iterator[Path]:
    for entry in folder.iterdir():
        if _hidden(entry.name):
            continue
        if "=" in entry.name and entry.is_dir():
            yield from _inside(entry)
        else:
            yield entry


def _hidden(name: str) -> bool:
    return name.startswith((".", "_"))


def _before_pattern(path: Path) -> Path:
    """The part of a path before its first component with a sign of patterns."""
    return Path(*takewhile(lambda part: not glob.has_magic(part), path.parts))


def _keys(file: Path) -> tuple[str, ...]:
    return tuple(part.partition("=")[0] for part in file.parent.parts if "=" in part)


def lineage(known: Sequence[Facts | None], entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The parts as one ancestor, after their own: known by the hash of all, with the parts it is made of (or their number).

    Where every part has facts, it has the settings all share, and the sum of their books.
    """
    whole = facts.together(entries)
    itself = {"bytes": whole["bytes"], "sha256": whole["sha256"], "parts": facts.sources(entries)}
    every = [one for one in known if one is not None]
    if len(every) < len(known):
        return [{"table": None} | itself]
    older = facts.merge(one.ancestors for one in every)
    sources, tables = [one for one in older if "source" in one], [one for one in older if "source" not in one]
    return [*facts.sources(sources), *tables, _summed(every) | itself]


def _summed(known: Sequence[Facts]) -> dict[str, Any]:
    """Several tables of one kind as one record: shared settings, summed rows and money."""
    first = known[0].to_json()
    settings = {name: value for name, value in known[0].settings.items() if all(one.settings.get(name) == value for one in known)}
    money = [one.amount for one in known if one.amount is not None]
    kept = ("schema", "table", "table_version", "clm_version", "stage", "currency", "zone")
    return {name: first.get(name) for name in kept} | {
        "settings": settings,
        "as_of": None,
        "rows": _added([one.rows for one in known], int),
        "amount": _added(money, Decimal) if len(money) == len(known) else None,
        "metrics": {},
        "warnings": [],
    }


def _added(books: Sequence[Mapping[str, Any]], kind: type[int] | type[Decimal]) -> dict[str, Any]:
    """Books added up, by code where they are told by code."""
    found: dict[str, Any] = {}
    for name in dict.fromkeys(name for one in books for name in one):
        values = [one[name] for one in books if one.get(name) is not None]
        if values and isinstance(values[0], Mapping):
            found[name] = _added(values, kind)
        else:
            total = sum((kind(value) for value in values), kind(0))
            found[name] = money_text(total) if isinstance(total, Decimal) else total
    return found


def united(schemas: Mapping[str, pl.Schema], found: Parts) -> tuple[dict[str, pl.DataType], list[str]]:
    """Every column of the parts, by name, with its type; and those that only some have.

    Raises DataError for a column that is of two types, or that is a key of the folders too.
    """
    types: dict[str, pl.DataType] = {}
    first: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for name, schema in schemas.items():
        for column, dtype in schema.items():
            if types.setdefault(column, dtype) != dtype:
                raise DataError(
                    f"column {column[:40]} is {types[column]} in {first[column]} and {dtype} in {name}",
                    where=f"{name}, column {column[:40]}",
                    fix="write the parts with one schema, or read them apart",
                    code="parts",
                )
            first.setdefault(column, name)
            counts[column] += 1
    twice = next((key for key in found.keys if key in types), None)
    if twice is not None:
        raise DataError(
            f"{twice[:40]} is a key of the folders and a column of the files",
            where=first[twice],
            fix="rename the folders, or name the files by a pattern from a folder without it",
            code="parts",
        )
    return types, [column for column, count in counts.items() if count < len(schemas)]


def check_apart(hashes: Mapping[str, str]) -> None:
    """Raises DataError when two parts, by name, are byte for byte the same: their lines would count twice."""
    seen: dict[str, str] = {}
    for name, sha256 in hashes.items():
        if sha256 in seen:
            raise DataError(
                f"{name} and {seen[sha256]} are the same file, byte for byte: its lines would count twice",
                where=name,
                fix="take one of them away",
                code="parts",
            )
        seen[sha256] = name


def told(what: str, names: Sequence[str]) -> str:
    """`3 names in the folder not read: a, b, c`."""
    return f"{counted(len(names), 'name')} in the folder {what}: {', '.join(names[:_FEW])}{', …' if len(names) > _FEW else ''}"


def check_alike(known: Mapping[str, Facts | None]) -> None:
    """Raises DataError when two parts, by name, are of different money or time."""
    for what in ("currency", "zone"):
        said = Counter(getattr(one, what) for one in known.values() if one is not None)
        if len(said) > 1:
            names = [
                next(name for name, one in known.items() if one is not None and getattr(one, what) == value) for value in said
            ]
            raise DataError(
                f"the parts differ in their {what}: {', '.join(str(one) for one in said)}",
                where=", ".join(names[:2]),
                fix=f"clean them again with one {what}, or read them apart",
                code="parts",
            )
