"""`saved`: how a log was read, as a profile that reads the next one in the same way; and the options that say the same.

It may not hold a value of a cell: names of columns, formats and words only.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import replace

from clm.errors import UsageError
from clm.ingest import dates, profiles
from clm.ingest.evidence import Evidence
from clm.ingest.profiles import Profile
from clm.ingest.reading import Reading
from clm.ingest.text import TextLog

_DELIMITERS = {"\t": "tab"}


def saved(log: TextLog, reading: Reading) -> str:
    """The TOML that `--save-profile` writes: everything that was decided, and what a profile in use says beside it.

    Raises `UsageError` for a table of clm's own, which is read by its columns alone.
    """
    if reading.ours:
        raise UsageError(
            "--save-profile: the input is a table clm wrote, which needs no profile.", fix="leave out --save-profile."
        )
    return profiles.text(_profile(log, reading))


def pinned(log: TextLog, reading: Reading) -> Evidence:
    """The options that say what was decided, for a reader who wants no detection next time."""
    found = _profile(log, reading)
    given = [f"--profile {log.profile.name}"] if log.profile is not None and log.profile.identity == log.profile.name else []
    if not given:
        given = [f"--map {shlex.quote(f'{role}={columns[0]}')}" for role, columns in found.roles.items()]
        given += [f"--keep {shlex.quote(','.join(found.keep))}"] if found.keep else []
        given += ["--one-row-per-order yes"] if found.one_row_per_order else []
    for option in ("date_format", "decimal", "encoding", "delimiter", "tz", "currency"):
        value = getattr(found, option)
        if value is not None:
            given.append(f"--{option.replace('_', '-')} {shlex.quote(value)}")
    return Evidence("to pin it", " ".join(given), "these options say the same; --save-profile FILE keeps them")


def _profile(log: TextLog, reading: Reading) -> Profile:
    base = log.profile or Profile()
    texts = [part for part in log.files if part.encoding is not None and part.dialect is not None]
    # what only one of several files is like would misread the others
    encoding = _only(part.encoding.name for part in texts if part.encoding is not None)
    delimiter = _only(part.dialect.delimiter for part in texts if part.dialect is not None)
    return replace(
        base,
        about=base.about or "how clm read " + ", ".join(sorted({part.source.name for part in log.files})[:3]),
        shape=(),
        optional=(),
        keep=reading.keep,
        date_format=reading.dates.only or _format(reading.dates.family),
        decimal=_only(reading.marks.values()),
        encoding=encoding if len(texts) == len(log.files) else None,
        delimiter=None if delimiter is None else _DELIMITERS.get(delimiter, delimiter),
        tz=log.settings.tz,
        currency=log.settings.currency,
        one_row_per_order=log.settings.one_row_per_order,
        roles={role: ("+".join(columns),) for role, columns in reading.roles.items()},
        map=dict(log.settings.map),
        test=reading.test,
        only=reading.only,
    )


def _format(family: str) -> str:
    """The format that means the whole family and not itself alone, or the family's name where there is none."""
    option = dates.option(family)
    return option if dates.given(option).only is None else family


def _only(values: Iterable[str]) -> str | None:
    found = set(values)
    return found.pop() if len(found) == 1 else None
