"""The folder of a run: run.json by itself and against its files, each table with its ancestors, and the model.

It may not take a step: what a run would make is not made again to compare.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from clm import journal, model_file, record, steps
from clm.errors import ConfigError, InputError
from clm.outcome import counted
from clm.record import Entry, Record
from clm.settings import STAGES
from clm.storage.facts import Facts
from clm.storage.faults import reading
from clm.verify import chain, table
from clm.verify.checks import Check, Checked
from clm.verify.there import There

_ENDS = ("made", "fresh", "skipped")


def checks(folder: Path, there: There) -> Iterator[Check]:
    """The record, then each file of the folder. Raises InputError when no run was there."""
    path = folder / record.NAME
    if not path.is_file():
        with reading(folder):
            called = folder.resolve()
        raise InputError(
            f"there is no {record.NAME} in {called.name or called}",
            where=str(folder),
            fix="name the files, or the folder of a run",
        )
    yield from unended(folder)
    checked, found = Checked(str(path)), record.read(folder)
    if found is None:
        yield checked.wrong("record", "not what a run writes")
    else:
        yield from _record(folder, found, there, checked)
    for one in sorted(folder.iterdir()):
        if one.name in (record.NAME, journal.NAME) or one.name.startswith(".") or not one.is_file():
            continue
        own = Checked(str(one))
        yield from recorded(one, there, own, found)
        if one.suffix == ".parquet":
            yield from table.checks(one, own)
            known = table.facts_of(one)
            if known is not None:
                yield from chain.checks(known, there, own)
        elif one.name == "model.json":
            yield _model(one, folder / "customers.parquet", own)


def unended(folder: Path) -> Iterator[Check]:
    """Whether a forget was interrupted here: then no file is known to be what it should."""
    if (folder / journal.NAME).is_file():
        yield Checked(str(folder / journal.NAME)).wrong("status", f"{journal.SAYS}; run it again")


def recorded(path: Path, there: There, checked: Checked, found: Record | None = None) -> Iterator[Check]:
    """A file against the run.json beside it, when there is one."""
    if found is None and (path.parent / record.NAME).is_file():
        found = record.read(path.parent)
    if found is None:
        return
    outputs = [(entry, one) for entry in found.stages for one in entry.outputs if one["path"] == path.name]
    if not outputs:
        yield checked.unknown("record", f"{record.NAME} does not name it: it is not of the run")
    for entry, one in outputs:
        if there.sha256(path) != one["sha256"]:
            yield checked.wrong("record", f"another file than {entry.stage} wrote")
        else:
            yield checked.ok("record", f"the file {entry.stage} wrote, byte for byte")


def _record(folder: Path, found: Record, there: There, checked: Checked) -> Iterator[Check]:
    named = [entry.stage for entry in found.stages]
    faults = [f"no stage {stage}" for stage in named if stage not in STAGES]
    faults += [f"{stage} is named twice" for stage in sorted(set(named)) if named.count(stage) > 1]
    faults += [f"{stage} is missing" for stage in STAGES if stage not in named and found.status == "done"]
    faults += [
        f"{one.stage} has the status {one.status}" for one in found.stages if found.status == "done" and one.status not in _ENDS
    ]
    yield checked.judged("record", faults, f"{counted(len(found.stages), 'stage')}, the run is {found.status}")
    if found.status != "done":
        yield checked.wrong("status", f"the run is {found.status}: files of two days may lie side by side until it ends")
    missing = [one["path"] for entry in found.stages for one in entry.outputs if not (folder / one["path"]).is_file()]
    yield checked.judged("outputs", [f"{name[:80]} is missing" for name in missing], "every file it names is there")
    yield checked.judged("made from", list(_other_inputs(folder, found, there)), "each stage read the files that are there")
    yield checked.judged("facts", list(_other_facts(folder, found)), "rows, money and settings as the files' footers have them")


def _other_inputs(folder: Path, found: Record, there: There) -> Iterator[str]:
    for entry in found.stages:
        inputs = (entry.made_from or {}).get("inputs", {})
        for name, sha256 in inputs.items() if entry.stage != "clean" else ():
            if not (folder / name).is_file():
                yield f"{entry.stage} read {name[:80]}, which is missing"
            elif there.sha256(folder / name) != sha256:
                yield f"{entry.stage} read another {name[:80]} than the one that is there"


def _other_facts(folder: Path, found: Record) -> Iterator[str]:
    for entry in found.stages:
        for one in entry.outputs:
            path = folder / one["path"]
            known = table.facts_of(path) if path.suffix == ".parquet" and path.is_file() else None
            if known is None:
                continue
            if known.stage != entry.stage:
                yield f"{path.name} was made by {known.stage[:40]}, not by {entry.stage}"
            elif known.rows != entry.rows or known.amount != entry.amount:
                yield f"{path.name} has other books"
            elif (name := _other_setting(entry, known)) is not None:
                yield f"{path.name} was made with another setting {name[:40]}"


def _other_setting(entry: Entry, known: Facts) -> str | None:
    """A setting of which the record and the footer say two things."""
    told = (entry.made_from or {}).get("settings", {})
    shared = [name for name in known.settings if name in told]
    return next((name for name in shared if told[name] != known.settings[name]), None)


def _model(path: Path, customers: Path, checked: Checked) -> Check:
    """What was learned, as the footers of the last table hold it too."""
    try:
        steps.check_taught(model_file.read(path))
    except ConfigError as error:
        return checked.wrong("model", error.what)
    known = table.facts_of(customers) if customers.is_file() else None
    if known is None:
        return checked.unknown("model", f"there is no {customers.name} to hold it against")
    faults = [] if path.read_bytes() == steps.model_document(known) else ["other numbers than its tables tell of"]
    return checked.judged("model", faults, "the numbers its tables tell of")
