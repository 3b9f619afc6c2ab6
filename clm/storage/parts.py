"""A log in parts: which Parquet files a folder or a pattern means, the keys in the names of its folders, and their facts as one.

It may not open a part (`files` does), nor decide what a row means: a key is a column of text, the same in every row of its file.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from clm import strict_json
from clm.errors import DataError, InputError
from clm.outcome import money_text
from clm.storage import facts, keyed
from clm.storage.facts import Facts
from clm.storage.faults import reading

_SUFFIXES = (".parquet", ".pq")
_FEW = 5
# clm's own: only a log of several files has it
_TOLD_APART = ("source_file",)


@dataclass(frozen=True)
class Parts:
    """The files in the order of their names, what each is called, and the keys of their folders: columns of text.

    `left_out` are names that are not read: in a folder what is no Parquet file and no `key=value` folder, and folders a pattern
    matches.
    """

    root: Path
    files: tuple[Path, ...]
    names: tuple[str, ...]
    keys: tuple[str, ...]
    left_out: tuple[str, ...]

    def values(self, file: Path) -> dict[str, str | None]:
        """The keys of a file and what its folders say of them."""
        return dict(keyed.keys(self.root, file))


def find(path: Path) -> Parts | None:
    """What a folder or a pattern means; None for anything else.

    Raises InputError when nothing is there or a name is not UTF-8, DataError when the files lie under different keys.
    """
    listed = _listed(path)
    if listed is None:
        return None
    files, left_out = listed
    root = keyed.root(path)
    names = [keyed.shown(one.relative_to(root).as_posix()) + "/" * one.is_dir() for one in left_out]
    if not files:
        what = "the folder holds no Parquet files" if path.is_dir() else "no file matches"
        beside = f", but folders do: {', '.join(names[:_FEW])}" if names and not path.is_dir() else ""
        raise InputError(
            f"{what}{beside}",
            where=keyed.shown(path),
            fix="check the path: a log in parts is `*.parquet` in a folder or in key=value folders",
        )
    for file in files:
        _check_name(file)
    known = [tuple(dict(keyed.keys(root, file))) for file in files]
    other = next((one for one in known if one != known[0]), None)
    if other is not None:
        raise DataError(
            f"the parts lie under different keys: {', '.join(known[0]) or 'none'}, and {', '.join(other) or 'none'}",
            where=str(files[known.index(other)]),
            fix="name one folder whose parts all lie at the same depth, or a pattern",
            code="parts",
        )
    return Parts(root, tuple(files), tuple(keyed.names([(root, file) for file in files])), known[0], tuple(names))


def _listed(path: Path) -> tuple[list[Path], list[Path]] | None:
    """The files of a folder or a pattern, and what is there and not read; None for anything else."""
    with reading(path):
        if path.is_dir():
            found = list(keyed.inside(path))
            files = [one for one in found if _is_part(one.name) and one.is_file()]
            return files, [one for one in found if one not in set(files) and not keyed.for_machines(one.name)]
        return keyed.matches(path) if keyed.is_pattern(path) else None


def _is_part(name: str) -> bool:
    """Whether a file of a folder is read."""
    return not name.startswith(".") and name.lower().endswith(_SUFFIXES)


def _check_name(file: Path) -> None:
    try:
        str(file).encode()
    except UnicodeEncodeError:
        fix = "rename the file or its folder"
        raise InputError("the name of a part is not UTF-8", where=keyed.shown(file), fix=fix) from None


def listed(path: Path) -> list[Path]:
    """The files a name of an input stands for, itself among them."""
    files, _ = _listed(path) or ([], [])
    return [path, *files]


def takes_in(path: Path, target: Path) -> bool:
    """Whether a folder or a pattern would have a file of this name as a part."""
    root = keyed.root(path).resolve()
    target = target.parent.resolve() / target.name
    if root not in target.parents:
        return False
    *folders, name = target.relative_to(root).parts
    if path.is_dir():
        return _is_part(name) and all(map(keyed.is_key, folders))
    return keyed.is_pattern(path) and keyed.would_match([*folders, name], path.relative_to(keyed.root(path)).parts)


def sha256_of(entries: Sequence[Mapping[str, Any]]) -> str:
    """What a log in parts is known by, whatever they are called and however they were named; one part is the file it is."""
    if len(entries) == 1:
        return str(entries[0]["sha256"])
    return hashlib.sha256("\n".join(sorted(entry["sha256"] for entry in entries)).encode()).hexdigest()


def lineage(known: Sequence[Facts | None], entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The parts as one ancestor, after their own: known by the hash of all, with the parts it is made of (or their number).

    Where every part has facts, it has the settings all share, and the sum of their books. One part is a file like any other.
    """
    if len(entries) == 1:
        return facts.lineage_of(known[0], entries[0]["bytes"], entries[0]["sha256"])
    itself = {
        "bytes": sum(entry["bytes"] for entry in entries),
        "sha256": sha256_of(entries),
        "parts": facts.sources(entries),
    }
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
    """Every column of the parts, by name, with its type; and those of the log's own that only some have.

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
    return types, [column for column, count in counts.items() if count < len(schemas) and column not in _TOLD_APART]


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


def check_sources(known: Mapping[str, Facts | None]) -> None:
    """Raises DataError when two parts, by name, with rows were made of the same of one source: its orders would count twice."""
    seen: dict[str, list[tuple[str, Facts]]] = {}
    for name, one in known.items():
        if one is None or one.rows.get("out") == 0:
            continue
        for source in {ancestor["sha256"]: ancestor for ancestor in one.ancestors if "source" in ancestor}.values():
            others = seen.setdefault(source["sha256"], [])
            other = next((before for before, its in others if not _disjoint(its.settings, one.settings)), None)
            if other is not None:
                raise DataError(
                    f"{other} and {name} were both made of {source['source'][:80]}: its orders would count twice",
                    where=name,
                    fix="take one of them away, or clean the sources again, each into one part",
                    code="parts",
                )
            others.append((name, one))


def _disjoint(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether `clean` took different rows of a source: another sheet, or days that do not meet."""
    sheets = one.get("sheet"), other.get("sheet")
    return (None not in sheets and sheets[0] != sheets[1]) or _before(one, other) or _before(other, one)


def _before(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    until, since = str(one.get("until")), str(other.get("since"))
    return strict_json.day_or_none(until) and strict_json.day_or_none(since) and until < since


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
