"""The error family: every way clm can say no, and the exit code each carries.

It may not print, log or import anything of ours: the shell turns these into messages at one boundary.
"""

from __future__ import annotations

import re
from enum import IntEnum

# user and password of an address (a secret key may hold a slash), and its query: a `?` alone is part of a pattern; an address
# taken for a path has lost one of its slashes
_ADDRESS = re.compile(r"\w:/\S+")
_CREDENTIALS = re.compile(r"(?<=\w:/)(/?)(?:[^/]*@|[^/:]*:(?!\d+/).*@)|\?[^?/=]+=.*")


class Exit(IntEnum):
    """Exit codes of the command line; the member docstrings are the README's table."""

    DONE = 0
    CONDITION = 1
    USAGE = 2
    DATA = 65
    NO_INPUT = 66
    BUG = 70
    CANNOT_CREATE = 73
    IO = 74
    LOCKED = 75
    CONFIG = 78
    INTERRUPTED = 130
    TERMINATED = 143


EXIT_MEANING: dict[Exit, str] = {
    Exit.DONE: "done (also on a closed pipe)",
    Exit.CONDITION: "done and written, but a `--fail-if` holds",
    Exit.USAGE: "usage (suggests: `clm cleen` → clean)",
    Exit.DATA: "the data cannot be used, or needs an answer first; no output is written, "
    "`clean` still writes the file named by `--rejects`",
    Exit.NO_INPUT: "input not found or unreadable",
    Exit.BUG: "a bug in clm: traceback and a note",
    Exit.CANNOT_CREATE: "cannot create output",
    Exit.IO: "I/O error, disk full",
    Exit.LOCKED: "another run holds the lock",
    Exit.CONFIG: "configuration wrong",
    Exit.INTERRUPTED: "interrupted",
    Exit.TERMINATED: "terminated",
}


class ClmError(Exception):
    """What happened, where, and what to do about it.

    `what` is one sentence; `where` a file, line or column; `fix` the next thing to type. `code` names the error for scripts.
    None of them may hold a value of a personal field; of addresses, user, password and query are left out.
    """

    exit_code = Exit.BUG

    def __init__(self, what: str, *, where: str | None = None, fix: str | None = None, code: str | None = None) -> None:
        self.what = _without_credentials(what)
        super().__init__(self.what)
        self.where = where and _without_credentials(where)
        self.fix = fix and _without_credentials(fix)
        self.code = code

    def __str__(self) -> str:
        parts = [self.what]
        if self.where:
            parts.append(f"  where: {self.where}")
        if self.fix:
            parts.append(f"  to do: {self.fix}")
        return "\n".join(parts)


def _without_credentials(text: str) -> str:
    return _ADDRESS.sub(lambda address: _CREDENTIALS.sub(r"\1", address[0]), text)


class UsageError(ClmError):
    """The command line cannot be understood. `setting` is the setting at fault where it may
    stand in clm.toml as well, such as `clean.rule`."""

    exit_code = Exit.USAGE

    def __init__(
        self, what: str, *, where: str | None = None, fix: str | None = None, code: str | None = None, setting: str | None = None
    ) -> None:
        super().__init__(what, where=where, fix=fix, code=code)
        self.setting = setting


class DataError(ClmError):
    """The data cannot be used, or needs an answer from its owner first."""

    exit_code = Exit.DATA


class InputError(ClmError):
    """An input is not there or cannot be read."""

    exit_code = Exit.NO_INPUT


class OutputError(ClmError):
    """An output cannot be created where it was asked for."""

    exit_code = Exit.CANNOT_CREATE


class StorageError(ClmError):
    """Reading or writing failed half-way: disk full, device error."""

    exit_code = Exit.IO


class LockedError(ClmError):
    """Another run is at work on the same folder."""

    exit_code = Exit.LOCKED


class ConfigError(ClmError):
    """clm.toml, a profile, a rule file or a model file is wrong."""

    exit_code = Exit.CONFIG
