"""Which files of a folder there are, which of them hold the customers, and which stay as they are, with the reason.

It may not change anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from clm import journal, pipeline
from clm import record as record_file
from clm.errors import DataError, InputError
from clm.forget import exports, mentions, tables
from clm.forget.exports import Export
from clm.forget.tables import Held
from clm.journal import Begun
from clm.record import Record
from clm.storage import files, temporary
from clm.tables import TRANSACTIONS
from clm.verify import table as verifying

_MADE_OF_TABLES = (".html", ".md", ".json", ".xlsx", ".svg")
_NAMED = "their own records apart, and another may name one of them"
LOG = "clean.parquet"


@dataclass
class Holdings:
    """What a folder holds of the customers. `left` are files that stay as they are, with the reason; `begun` is what an
    interrupted forget found before it changed anything.
    """

    folder: Path
    record: Record | None
    begun: Begun | None
    of_run: list[Held] = field(default_factory=list)
    loose: list[Held] = field(default_factory=list)
    texts: list[Export] = field(default_factory=list)
    left: list[tuple[str, str]] = field(default_factory=list)

    @property
    def unfinished(self) -> bool:
        return self.begun is not None

    @property
    def found(self) -> frozenset[str]:
        found: list[Held | Export] = [*self.of_run, *self.loose, *self.texts]
        return frozenset(who for one in found for who in one.found)

    @property
    def in_run(self) -> bool:
        return any(one.any for one in self.of_run)

    @property
    def nothing(self) -> bool:
        return not (self.in_run or self.unfinished or any(one.any for one in self.loose) or any(one.rows for one in self.texts))

    @property
    def lines(self) -> int:
        """Their order lines; without a log the rows of the table, or export, that holds most of theirs."""
        tables = (*self.of_run, *self.loose)
        logs = [one.rows for one in tables if one.facts.table == TRANSACTIONS.name]
        others = [*(one.rows for one in tables), *(one.rows for one in self.texts)]
        return max(logs or others, default=0)

    def log(self) -> Held | None:
        return next((one for one in self.of_run if one.path.name == LOG), None)


def check(folder: Path) -> None:
    """Raises InputError when a path is no folder that can be worked in."""
    if not folder.is_dir():
        raise InputError(f"{folder.name} is no folder", where=str(folder), fix="name the folder of the outputs")
    try:
        str(folder).encode()
    except UnicodeEncodeError:  # Polars would find no table in it
        raise InputError("the name of the folder is not UTF-8", where=str(folder), fix="rename the folder") from None


def look(folder: Path, ids: frozenset[str], ids_file: Path) -> Holdings:
    """Everything in a folder, but for the file of ids itself. The caller holds the folder's lock.

    Raises DataError for a table that is damaged or not the one the run wrote, and where a forget of other ids is unfinished.
    """
    record = record_file.read(folder) if (folder / record_file.NAME).is_file() else None
    found = Holdings(folder, record, journal.begun(folder, ids))
    if found.record is None and (folder / record_file.NAME).is_file():
        raise DataError(
            "run.json is damaged", where=str(folder), fix="make the folder anew with `clm run --force`", code="run_json"
        )
    of_run = _of_run(found.record) if found.record is not None else set()
    behind = {(folder / name).resolve() for name in of_run if (folder / name).is_symlink()}
    others = []
    for path in sorted(folder.iterdir()):
        if path.name in (record_file.NAME, journal.NAME) or temporary.is_one(path):
            continue
        if path.resolve() in behind and path.name not in of_run:
            continue  # a link of the run leads here: it is looked into and made again by that name
        if not path.is_file() or (path.is_symlink() and path.name not in of_run):
            found.left.append((path.name, "a link or a folder: not looked into"))
        elif path.samefile(ids_file):
            found.left.append((path.name, "the list of ids itself: delete it when all is done"))
        elif path.suffix.lower() == ".parquet":
            _add_table(path, path.name in of_run, ids, found)
        elif path.name not in of_run:
            others.append(path)
    for path in others:
        _add_other(path, ids, found)
    ours: list[Held | Export] = [*found.of_run, *found.loose, *found.texts]
    found.left += [(one.path.name, _NAMED) for one in ours if one.named]
    found.left.sort()
    return found


def _of_run(record: Record) -> set[str]:
    """Names of the run's files: those it says it wrote; where it did not end, those of earlier ones that it had not reached."""
    unended = record.status != "done"
    return set(record.hashes()) | {name for names in pipeline.WRITES.values() for name in names if unended}


def _add_table(path: Path, of_run: bool, ids: frozenset[str], found: Holdings) -> None:
    facts = verifying.facts_of(path)
    held = tables.held(path, facts, ids) if facts is not None else None
    written = {} if found.record is None or found.unfinished else found.record.hashes()
    if of_run and (held is None or written.get(path.name, held.sha256) != held.sha256):
        raise DataError(
            f"{path.name} was changed since the run wrote it, or is damaged",
            where=str(path),
            fix="make it again with `clm run`, then forget; `clm verify` tells more",
            code="changed",
        )
    if held is None:
        kind = "no table of clm" if facts is None else "changed since clm wrote it, or damaged"
        found.left.append((path.name, f"{kind}{mentions.said_of(path, ids)}"))
    elif of_run:
        found.of_run.append(held)
    elif held.facts.table in tables.AGGREGATES:
        found.left.append((path.name, f"{held.facts.table} counts customers: make it again"))
    elif held.nameless:
        found.left.append((path.name, "it has no ids: whose its rows are cannot be known"))
    else:
        found.loose.append(held)


def _add_other(path: Path, ids: frozenset[str], found: Holdings) -> None:
    """An export, or what stays with the reason; the tables are known by then, and with them their sources."""
    held = exports.held(path, ids)
    if held is not None and not _is_source(path, found):
        found.texts.append(held)
        return
    kind = "made of tables: make it again" if path.suffix.lower() in _MADE_OF_TABLES else "not clm's"
    kind = "a source of the tables" if held is not None else kind
    found.left.append((path.name, f"{kind}{mentions.said_of(path, ids)}"))


def _is_source(path: Path, found: Holdings) -> bool:
    """Whether a table here was read from this file, or from one of its name: that is the user's, whatever it looks like."""
    sources = [one for held in (*found.of_run, *found.loose) for one in held.facts.ancestors if "source" in one]
    names = {one["source"] for one in sources}
    return path.name in names or (bool(sources) and files.sha256_of(path) in {one["sha256"] for one in sources})


def still_held(folder: Path, ids: frozenset[str], ids_file: Path) -> list[str]:
    """Names of tables and exports that still hold one of them, after everything was done: there should be none."""
    found = look(folder, ids, ids_file)
    return [one.path.name for one in (*found.of_run, *found.loose) if one.any] + [
        one.path.name for one in found.texts if one.rows
    ]
