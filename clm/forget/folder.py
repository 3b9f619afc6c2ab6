"""Which files of a folder there are, what becomes of each, and in which order, so that an interruption is seen and mended.

Of a run's folder the log is written without the customers, and every later file made again from it. Loose tables and exports lose
their rows. forgetting.json lies there from before the first change until after the last. It may not touch what it does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from clm import journal, pipeline
from clm import record as record_file
from clm.errors import DataError, InputError
from clm.forget import exports, mentions, rest, tables
from clm.forget.exports import Export
from clm.forget.tables import Held
from clm.outcome import Notice
from clm.pipeline import Plan
from clm.record import Entry, Record
from clm.storage import facts as footers
from clm.storage import files, publish, temporary
from clm.storage.facts import Facts
from clm.tables import REJECTS, TRANSACTIONS
from clm.verify import table as verifying

_MADE_OF_TABLES = (".html", ".md", ".json", ".xlsx", ".svg")
_NAMED = "their own records apart, and another may name one of them"
_LOG, _REJECTS = "clean.parquet", "rejects.parquet"


@dataclass
class Holdings:
    """What a folder holds of the customers. `left` are files that stay as they are, with the reason.

    `begun` are the tables' hashes before an interrupted forget changed them, by name.
    """

    folder: Path
    record: Record | None
    begun: dict[str, str] | None
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
        return next((one for one in self.of_run if one.path.name == _LOG), None)


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
    of_run = set(found.record.hashes()) if found.record else set()
    others = []
    for path in sorted(folder.iterdir()):
        if path.name in (record_file.NAME, journal.NAME) or temporary.is_one(path):
            continue
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


@dataclass(frozen=True)
class Done:
    """What was done: files written again (name, rows taken out or None for made from the log), and what must be known."""

    files: tuple[tuple[str, int | None], ...]
    notices: tuple[Notice, ...] = ()


def forget(held: Holdings, ids: frozenset[str], ids_file: Path, plan: Plan, say: Callable[[str], None]) -> Done:
    """Take them out of everything. The caller holds the folder's lock.

    Raises DataError when nobody would remain, ConfigError when the run cannot be made again as it was, the error of the stage
    that can make nothing of who remains; nothing is changed then. DataError when a file still holds one of them at the end:
    the forget is then unfinished.
    """
    record = held.record if held.in_run or held.unfinished else None
    notices = [
        Notice("setting_names", f"the setting {name} may name one of them: take it out and make the folder anew with `clm run`")
        for name in tables.settings_naming([*held.of_run, *held.loose], ids)
    ]
    if record is not None:
        _check_run(held, record)
        plan = pipeline.prepared(rest.as_recorded(plan, record))
        notices += rest.differences(plan, record)
    first = {one.path.name: one.sha256 for one in (*held.of_run, *held.loose)} | (held.begun or {})
    with temporary.scratch(held.folder) as aside:
        made = _run_anew(held, record, ids, first, replace(plan, folder=aside), say) if record is not None else {}
        journal.begin(held.folder, first, ids)
        for name in made:
            publish.move(aside / name, held.folder / name)
    if record is not None:
        no_longer = sorted(set(record.hashes()) - set(made) - {_LOG, _REJECTS})
        held.left += [(name, "the run no longer makes it: delete it") for name in no_longer if (held.folder / name).is_file()]
    written = [(name, rows) for name, rows in made.items() if name != record_file.NAME]
    written += _tables(held.loose, ids, first, _replaced(held, first), held.folder)
    for text in held.texts:
        if text.rows:
            exports.without(text, ids)
            written.append((text.path.name, text.rows))
    still = still_held(held.folder, ids, ids_file)
    if still:
        raise DataError(
            "some files still hold one of them",
            where=", ".join(still),
            fix="make them again, or delete them; then run the same clm forget again",
            code="still_held",
        )
    journal.end(held.folder)
    return Done(tuple(written), tuple(notices))


def _check_run(held: Holdings, record: Record) -> None:
    """Raises DataError when the run's later stages have nothing to go on from, or would leave nothing to tell."""
    cleaned, log = record.entry("clean"), held.log()
    names = [str(one["path"]) for one in cleaned.outputs] if cleaned is not None else []
    gone = next((name for name in names if not (held.folder / name).is_file()), None)
    if log is None or gone is not None:
        raise DataError(
            f"the run has no {gone or _LOG} to go on from",
            where=str(held.folder),
            fix=f"{f'delete {journal.NAME}, then ' if held.unfinished else ''}make the folder anew with `clm run`",
            code="no_log",
        )
    if record.status != "done" and not held.unfinished:
        raise DataError(
            "the last run here did not come to its end: what it would have made is not known",
            where=str(held.folder),
            fix="end it with `clm run`, then forget; or delete the folder",
            code="run_unended",
        )
    if log.rows and log.rows >= int(log.facts.rows["out"]):
        raise DataError(
            "nobody would remain: there would be nothing left to tell",
            where=str(held.folder),
            fix="delete the folder instead",
        )


def _run_anew(
    held: Holdings, record: Record, ids: frozenset[str], first: dict[str, str], plan: Plan, say: Callable[[str], None]
) -> dict[str, int | None]:
    """The run's files as they will be, made in the plan's folder: the rows taken out, None for what was made from the log."""
    read = [one for one in held.of_run if one.path.name in (_LOG, _REJECTS)]
    written: dict[str, int | None] = dict(_tables(read, ids, first, {}, plan.folder))
    for one in read:
        if one.path.name not in written:
            (plan.folder / one.path.name).symlink_to(one.path.resolve())
    made = rest.made(plan, record, _entry(plan.folder, record), held.folder, say)
    written |= {str(one["path"]): None for entry in made for one in entry.outputs}
    return written | {record_file.NAME: None}


def _replaced(held: Holdings, first: dict[str, str]) -> dict[str, list[dict[str, Any]]]:
    """Lineages of the tables that are no longer what they were, by the hashes they had: before, and before an interruption."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in (*held.of_run, *held.loose):
        facts, sha256 = verifying.facts_of(one.path), files.sha256_of(one.path)
        for old in {one.sha256, first[one.path.name]} - {sha256}:
            found[old] = footers.lineage_of(facts, 0, sha256)
    return found


def _tables(
    some: Sequence[Held],
    ids: frozenset[str],
    first: dict[str, str],
    replaced: dict[str, list[dict[str, Any]]],
    folder: Path,
) -> Iterator[tuple[str, int | None]]:
    """Write tables without the customers into a folder, from parents to children; `replaced` grows with them."""
    logs: list[Facts] = []
    for one in sorted(some, key=lambda each: (len(each.facts.ancestors), each.facts.table == REJECTS.name)):
        facts = one.facts
        if one.any:
            told = facts.table == TRANSACTIONS.name and facts.metrics
            facts = tables.log_facts(one, ids) if told else tables.loose_facts(one, ids)
        if facts.table == TRANSACTIONS.name:
            logs.append(facts)
        if facts.table == REJECTS.name and (log := _read_with(facts, logs)) is not None:
            facts = replace(one.facts, rows=log.rows, amount=log.amount, metrics=log.metrics, warnings=log.warnings)
        facts = tables.descended(one, facts, replaced)
        if one.any or facts != one.facts:
            output = tables.without(one, ids, facts, folder)
            lineage = footers.lineage_of(facts, 0, output.sha256)
            replaced |= dict.fromkeys({one.sha256, first[one.path.name]}, lineage)
            yield one.path.name, (one.rows or one.raw) or None


def _read_with(rejects: Facts, logs: Sequence[Facts]) -> Facts | None:
    """The log that was read together with these rejects: both have its books."""
    alike = (log for log in logs if (log.settings, log.ancestors) == (rejects.settings, rejects.ancestors))
    return next(alike, None)


def _entry(folder: Path, record: Record) -> Entry:
    """The entry of `clean` for the files as they are now: also after an interruption between them and run.json."""
    old = record.entry("clean")
    facts = verifying.facts_of(folder / _LOG)
    assert old is not None
    assert facts is not None
    outputs = []
    for one in old.outputs:
        path = folder / str(one["path"])
        known = verifying.facts_of(path)
        rows = one["rows"] if known is None or known.table == REJECTS.name else known.rows["out"]
        outputs.append(one | {"rows": rows, "sha256": files.sha256_of(path)})
    return replace(
        old, status="fresh", reason="customers were taken out", rows=facts.rows, amount=facts.amount,
        warnings=facts.warnings, outputs=outputs,
    )  # fmt: skip


def still_held(folder: Path, ids: frozenset[str], ids_file: Path) -> list[str]:
    """Names of tables and exports that still hold one of them, after everything was done: there should be none."""
    found = look(folder, ids, ids_file)
    return [one.path.name for one in (*found.of_run, *found.loose) if one.any] + [
        one.path.name for one in found.texts if one.rows
    ]
