"""`clm forget`: who is meant and what the run was given, then the folder under its lock, then what was done, in counts.

It may not show an id, nor write a file itself.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from clm import model_file
from clm.cli import running
from clm.errors import UsageError
from clm.outcome import Notice, counted
from clm.settings import STAGES, RunSettings

if TYPE_CHECKING:
    from clm.cli.job import Job
    from clm.forget.folder import Holdings
    from clm.forget.taking import Done
    from clm.pipeline import Plan


def forget(job: Job) -> int:
    """Counts on stderr, or an object with --json; 0 also when there was nothing to do."""
    from clm.forget import coded, taking
    from clm.forget import folder as folders
    from clm.forget import ids as named
    from clm.storage import keys
    from clm.storage.locks import folder_lock

    job.only_tells()
    if len(job.inputs) != 1 or job.settings.ids_file is None:
        raise UsageError("forget wants a file of ids and a folder", fix="clm forget --ids-file gone.txt DIR", code="no_input")
    (folder,), ids_file = job.paths(), Path(job.settings.ids_file)
    given = named.read(ids_file)
    key = keys.read(Path(job.settings.key_file)) if job.settings.key_file is not None else None
    ids = named.with_codes(given, key)
    folders.check(folder)  # before the lock, so that a folder that is none is 66
    with folder_lock(folder, wait_seconds=job.common.wait):
        held = folders.look(folder, ids, ids_file)
        coded.check(held, key.id if key is not None else None)
        done = None
        if not (held.nothing or job.common.dry_run):
            done = taking.forget(held, ids, ids_file, _plan(job, folder), job.console.detail)
    return _told(job, folder, held, done, len(given))


def _plan(job: Job, folder: Path) -> Plan:
    """The run's plan without its inputs: settings of the stages as `clm run` would take them here."""
    from clm import pipeline

    settings = {stage: job.configuration.resolve(stage, {}).settings for stage in STAGES}
    model = model_file.read(job.settings.model) if job.settings.model else None
    plan = pipeline.Plan([], {}, folder, settings, job.common, RunSettings(), job.scratch, model)
    before = running.earlier(job)
    return plan if before is None else replace(plan, settings=settings | pipeline.remembering(settings, before))


def _told(job: Job, folder: Path, held: Holdings, done: Done | None, named: int) -> int:
    files = done.files if done is not None else ()
    lines = held.lines
    record = {
        "schema": 1,
        "stage": "forget",
        "metrics": {
            "ids": named,
            "customers": len(held.found),
            "rows": lines,
            "raw": sum(one.raw for one in (*held.of_run, *held.loose)),
            "files": len(files),
            "left": len(held.left),
        },
        "outputs": [{"path": name, "rows_taken_out": rows} for name, rows in files],
        "left": [{"path": name, "why": why} for name, why in held.left],
        "warnings": [notice.to_json() for notice in done.notices] if done is not None else [],
    }
    for notice in done.notices if done is not None else ():
        job.console.warning(notice)
    for name, rows in files:
        job.console.detail(f"{name}: {counted(rows, 'row') + ' taken out' if rows is not None else 'made again'}")
    for name, why in held.left:
        job.console.warning(Notice("left", f"{name} stays as it is: {why}"))
    of = f"{counted(len(held.found), 'customer')} of {counted(named, 'id')}"
    if not named:
        job.console.closing(f"{job.settings.ids_file} holds no id: nothing to do")
    elif held.nothing:
        job.console.closing(f"none of {counted(named, 'id')} is in a table or export of clm in {folder}: nothing to do")
    elif done is None:
        job.console.closing(f"{of}, {counted(lines, 'line')} of theirs (dry run: nothing written)")
    else:
        said = f"{of}, {counted(lines, 'line')} of theirs taken out"
        if held.unfinished:
            said = f"what an earlier forget began is finished: {of} and {counted(lines, 'line')} of theirs were still there"
        job.console.closing(f"{said}; {counted(len(files), 'file')} without them → {folder}")
        told = "the sources still hold them: take them out there too, or a changed source brings them back at the next `clm run`"
        job.console.warning(Notice("sources", told))
    return job.conclude(record, stdout_carries_data=False)
