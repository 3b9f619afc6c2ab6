"""The commands that look after clm and what it made: `doctor`, `verify`, and what they say on stdout.

It may not check or change a file itself.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from clm.errors import ConfigError, DataError, UsageError
from clm.inert import printable
from clm.outcome import counted
from clm.report.wrap import cells, wrapped

if TYPE_CHECKING:
    from clm.cli.job import Job
    from clm.doctor import Finding
    from clm.verify import Check

_MARKS = {"ok": "ok", "wrong": "WRONG", "unknown": "unknown"}


def doctor(job: Job) -> int:
    """What this machine has, a line each on stdout, or an object with --json; 78 when clm cannot work here."""
    from clm import doctor as looking

    # beyond a name, -o says only which folder is meant
    notices = [notice.text for notice in job.configuration.unknown_variables()]
    found = looking.examine(job.common, job.configuration.env, job.colour, notices)
    record = looking.record(found)
    if not job.common.json:
        width = shutil.get_terminal_size().columns
        sys.stdout.writelines(f"{line}\n" for line in _findings(found, width))
        sys.stdout.flush()
    broken = [one for one in found if one.status == "broken"]
    counts = record["metrics"]
    job.console.closing(
        f"{counts['ok']} of {len(found)} as they should be, {counts['look']} to look at, {counts['broken']} broken"
    )
    code = job.conclude(record, stdout_carries_data=False)
    if broken:
        raise ConfigError(
            "clm cannot work like this", where=", ".join(one.about for one in broken), fix=broken[0].fix, code="environment"
        )
    return code


def _findings(found: Sequence[Finding], width: int) -> list[str]:
    """A line for each finding, and what to do under those that need it."""
    lines: list[str] = []
    wide = max(cells(one.about) for one in found)
    marks = {"ok": "ok", "look": "look here", "broken": "BROKEN"}
    for one in found:
        head = f"{marks[one.status]:<9}  {one.about:<{wide}}  "
        told = [*wrapped(printable(one.says), max(20, width - len(head)))]
        told += wrapped(printable(f"to do: {one.fix}"), max(20, width - len(head))) if one.status != "ok" else []
        lines += [(head if number == 0 else " " * len(head)) + text for number, text in enumerate(told)]
    return lines


def verify(job: Job) -> int:
    """Every check as a line on stdout, or an object with --json; 65 when something is wrong."""
    from clm import journal
    from clm import verify as checking

    job.only_tells()
    if not job.inputs:
        raise UsageError("verify wants a file", fix="clm verify clean.parquet, or the folder of a run", code="no_input")
    given = Path(job.settings.inputs) if job.settings.inputs is not None else None
    found = checking.verify(job.paths(), given)
    record = checking.record(found)
    if not job.common.json:
        width = shutil.get_terminal_size().columns
        sys.stdout.writelines(f"{line}\n" for line in _lines(found, width))
        sys.stdout.flush()
    counts = record["metrics"]
    told = f"{counted(counts['files'], 'file')}, {counted(counts['checks'], 'check')}: {counts['ok']:,} ok, "
    job.console.closing(f"{told}{counts['wrong']:,} wrong, {counts['unknown']:,} unknown")
    code = job.conclude(record, stdout_carries_data=False)
    wrong = list(dict.fromkeys(one.file for one in found if one.status == "wrong"))
    if wrong:
        again = "take the files from a backup, or make them again: `clm run` makes again what was changed"
        raise DataError(
            f"{counted(counts['wrong'], 'check')} of {counts['checks']:,} found something wrong",
            where=", ".join(wrong),
            fix=journal.END if journal.NAME in wrong else again,
            code="verify",
        )
    return code


def _lines(found: Sequence[Check], width: int) -> list[str]:
    """A heading for each file, a line for each check; what is longer goes on under itself."""
    lines: list[str] = []
    wide = max(cells(one.check) for one in found) if found else 0
    for number, one in enumerate(found):
        if number == 0 or found[number - 1].file != one.file:
            lines.append(printable(one.file))
        head = f"  {_MARKS[one.status]:<7}  {one.check:<{wide}}  "
        first, *more = wrapped(printable(one.says), max(20, width - len(head)))
        lines += [head + first, *(" " * len(head) + line for line in more)]
    return lines
