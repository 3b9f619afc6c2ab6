"""The customers taken out of everything in a folder, in an order in which an interruption is seen and mended.

Of a run's folder the log is written without them, and every later file made again from it, all before the first is put in its
place. Loose tables and exports lose their rows. forgetting.json lies there from before the first change until after the last. It
may not touch what it does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from clm import journal, pipeline
from clm import record as record_file
from clm.errors import ClmError, DataError
from clm.forget import exports, folder, rest, tables
from clm.forget.folder import LOG, Holdings
from clm.forget.tables import Held
from clm.journal import Begun
from clm.outcome import Notice
from clm.pipeline import Plan
from clm.record import Entry, Record
from clm.storage import facts as footers
from clm.storage import files, publish, temporary
from clm.storage.facts import Facts
from clm.tables import REJECTS, TRANSACTIONS
from clm.verify import table as verifying

_REJECTS = "rejects.parquet"


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
    record = held.record if held.in_run or (held.begun is not None and held.begun.run) else None
    notices = [
        Notice("setting_names", f"the setting {name} may name one of them: take it out and make the folder anew with `clm run`")
        for name in tables.settings_naming([*held.of_run, *held.loose], ids)
    ]
    if record is not None:
        _check_run(held, record)
        plan = pipeline.prepared(rest.as_recorded(plan, record))
        notices += rest.differences(plan, record)
        _check_previous(held, plan)
    first = {one.path.name: one.sha256 for one in (*held.of_run, *held.loose)} | (held.begun.tables if held.begun else {})
    with temporary.scratch(held.folder) as aside:
        made = _run_anew(held, record, ids, first, replace(plan, folder=aside), say) if record is not None else {}
        journal.begin(held.folder, Begun(first, record is not None), ids)
        for name in made:
            publish.move(aside / name, held.folder / name)
    if record is not None:
        no_longer = sorted(set(record.hashes()) - set(made) - {LOG, _REJECTS})
        held.left += [(name, "the run no longer makes it: delete it") for name in no_longer if (held.folder / name).is_file()]
    written = [(name, rows) for name, rows in made.items() if name != record_file.NAME]
    loose = [one for one in held.loose if one.path.name not in made]
    written += _tables(loose, ids, first, _replaced(held, first), held.folder)
    for text in held.texts:
        if text.rows:
            exports.without(text, ids)
            written.append((text.path.name, text.rows))
    still = folder.still_held(held.folder, ids, ids_file)
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
    if record.status != "done" and not held.unfinished:
        raise DataError(
            "the last run here did not come to its end: what it would have made is not known",
            where=str(held.folder),
            fix="end it with `clm run`, then forget; or delete the folder",
            code="run_unended",
        )
    cleaned, log = record.entry("clean"), held.log()
    names = [str(one["path"]) for one in cleaned.outputs] if cleaned is not None else []
    gone = next((name for name in names if not (held.folder / name).is_file()), None)
    if log is None or gone is not None:
        raise DataError(
            f"the run has no {gone or LOG} to go on from",
            where=str(held.folder),
            fix=f"{f'delete {journal.NAME}, then ' if held.unfinished else ''}make the folder anew with `clm run`",
            code="no_log",
        )
    if log.rows and log.rows >= int(log.facts.rows["out"]):
        raise DataError(
            "nobody would remain: there would be nothing left to tell",
            where=str(held.folder),
            fix="delete the folder instead",
        )


def _check_previous(held: Holdings, plan: Plan) -> None:
    """Raises DataError when the run would be held against a table here that has the customers still."""
    here = {one.path.resolve(): one.path.name for one in held.loose if one.any}
    for stage in plan.stages:
        earlier = getattr(plan.settings[stage], "previous", None)
        if earlier is not None and (name := here.get(Path(earlier).resolve())):
            raise DataError(
                f"{stage} is held against {name}, which lies here and holds them too",
                where=str(held.folder),
                fix="move it to a folder of its own, forget them there first, and name it there",
                code="previous_here",
            )


def _run_anew(
    held: Holdings, record: Record, ids: frozenset[str], first: dict[str, str], plan: Plan, say: Callable[[str], None]
) -> dict[str, int | None]:
    """The run's files as they will be, made in the plan's folder: the rows taken out, None for what was made from the log."""
    read = [one for one in held.of_run if one.path.name in (LOG, _REJECTS)]
    try:
        written: dict[str, int | None] = dict(_tables(read, ids, first, {}, plan.folder))
        for one in read:
            if one.path.name not in written:
                (plan.folder / one.path.name).symlink_to(one.path.resolve())
        made = rest.made(plan, record, _entry(plan.folder, record), say)
    except ClmError as error:
        error.where = error.where and error.where.replace(str(plan.folder), str(held.folder))
        if held.unfinished:
            error.fix = f"{error.fix}; to give this forget up, delete {journal.NAME}"
        raise
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
    target: Path,
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
            output = tables.without(one, ids, facts, target)
            lineage = footers.lineage_of(facts, 0, output.sha256)
            replaced |= dict.fromkeys({one.sha256, first[one.path.name]}, lineage)
            yield one.path.name, (one.rows or one.raw) or None


def _read_with(rejects: Facts, logs: Sequence[Facts]) -> Facts | None:
    """The log that was read together with these rejects: both have its books."""
    alike = (log for log in logs if (log.settings, log.ancestors) == (rejects.settings, rejects.ancestors))
    return next(alike, None)


def _entry(place: Path, record: Record) -> Entry:
    """The entry of `clean` for the files as they are now: also after an interruption between them and run.json."""
    old = record.entry("clean")
    facts = verifying.facts_of(place / LOG)
    assert old is not None
    assert facts is not None
    outputs = []
    for one in old.outputs:
        path = place / str(one["path"])
        known = verifying.facts_of(path)
        rows = one["rows"] if known is None or known.table == REJECTS.name else known.rows["out"]
        outputs.append(one | {"rows": rows, "sha256": files.sha256_of(path)})
    return replace(
        old, status="fresh", reason="customers were taken out", rows=facts.rows, amount=facts.amount,
        warnings=facts.warnings, outputs=outputs,
    )  # fmt: skip
