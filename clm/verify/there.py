"""Which files are there to hold ancestors against: by their names, and tables by their hashes, each hashed once.

It may not follow links to folders, or read a file before somebody asks for its hash.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clm.errors import InputError
from clm.storage import facts, files, keyed

_MOST = 20_000


@dataclass
class There:
    """Files in folders: those beside what is verified, and everything under `--inputs`."""

    _names: dict[str, list[Path]] = field(default_factory=dict)
    _hashes: dict[Path, str] = field(default_factory=dict)
    _known: set[Path] = field(default_factory=set)

    def add(self, folder: Path, *, deep: bool = False) -> None:
        """Note the files of a folder, with `deep` of its folders too. Raises InputError when they are too many."""
        if folder in self._known:
            return
        self._known.add(folder)
        for path in sorted(folder.rglob("*") if deep else folder.iterdir()):
            if path.is_file() and not path.name.startswith("."):
                self._names.setdefault(path.name, []).append(path)
        if sum(map(len, self._names.values())) > _MOST:
            raise InputError(
                f"more than {_MOST:,} files to look through",
                where=str(folder),
                fix="name the folder of the sources with --inputs",
            )

    def named(self, name: str) -> list[Path]:
        """Files of that name; of one that was read from `key=value` folders, those that still lie in such."""
        return [path for path in self._names.get(name.rpartition("/")[2], []) if f"/{path.as_posix()}".endswith(f"/{name}")]

    def tables(self) -> Iterable[Path]:
        return [path for paths in self._names.values() for path in paths if path.suffix == ".parquet"]

    def sha256(self, path: Path) -> str:
        if path not in self._hashes:
            self._hashes[path] = files.sha256_of(path)
        return self._hashes[path]

    def has_table(self, sha256: str) -> bool:
        return any(self.sha256(path) == sha256 for path in self.tables())

    def has_all(self, record: Mapping[str, Any]) -> bool:
        """Whether the many files of one record are those of a folder and its subfolders, or those of one suffix there."""
        groups: dict[tuple[Path, str | None], list[Path]] = {}
        for path in (one for paths in self._names.values() for one in paths if not keyed.for_machines(one.name)):
            for folder in path.parents:
                for suffix in (None, path.suffix):
                    groups.setdefault((folder, suffix), []).append(path)
        return any(self._are(record, folder, paths) for (folder, _), paths in groups.items())

    def _are(self, record: Mapping[str, Any], folder: Path, paths: list[Path]) -> bool:
        """Number and size first: hashes cost reading."""
        sizes = [path.stat().st_size for path in paths] if record["source"] == f"{len(paths)} files" else []
        if sum(sizes) != record["bytes"] or not sizes:
            return False
        names = keyed.names([(folder, path) for path in paths])
        listed = [facts.source(name, size, self.sha256(path)) for name, size, path in zip(names, sizes, paths, strict=True)]
        return bool(facts.together(listed)["sha256"] == record["sha256"])
