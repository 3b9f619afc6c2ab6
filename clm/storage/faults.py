"""What the operating system says, as clm's errors: one translation for reading, one for writing.

It may not swallow anything: what is not an I/O failure passes through untouched.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clm.errors import ClmError, InputError, OutputError, StorageError

_OS_ERROR = re.compile(r"\(os error (\d+)\)")
_FOOTER_LOST, _MORE_THAN_A_FOOTER = "Invalid thrift: transport error", 2**20
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ENAMETOOLONG, errno.ELOOP)
_CANNOT_CREATE = (
    errno.EACCES,
    errno.EPERM,
    errno.ENOENT,
    errno.EISDIR,
    errno.ENOTDIR,
    errno.EROFS,
    errno.ENAMETOOLONG,
    errno.ELOOP,
    errno.EEXIST,
)


def os_error_of(error: BaseException) -> OSError | None:
    """The operating system's error inside an exception, also when Polars or a Rust panic only quotes it in its text."""
    if isinstance(error, OSError):
        return error
    if type(error).__module__.startswith(("polars", "pyo3_runtime")):
        number = _OS_ERROR.search(str(error))
        if number:
            return OSError(int(number[1]), os.strerror(int(number[1])))
    return None


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Failures inside are failures to read `path`: 66."""
    try:
        yield
    except BaseException as error:
        cause = os_error_of(error)
        if cause is None or isinstance(error, ClmError):
            raise
        if cause.errno == errno.EPIPE:
            raise
        if cause.errno in _NO_ROOM:  # what was read went somewhere, and that is full
            raise StorageError(f"no room left while reading {path.name}", where=str(path), fix=ROOM_FIX) from error
        raise InputError(
            f"cannot read {path.name}: {_reason(cause)}", where=str(path), fix="check the path and its permissions"
        ) from error


ROOM_FIX = "free some space (or set TMPDIR to a folder that has it) and run again: earlier files are untouched"


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Failures inside are failures to write `path`: 73 when it cannot be created, else 74; the old file is whole."""
    try:
        yield
    except BaseException as error:
        cause = os_error_of(error)
        if cause is None or isinstance(error, ClmError) or cause.errno == errno.EPIPE:
            raise
        if cause.errno in _CANNOT_CREATE:
            raise OutputError(
                f"cannot create {path.name}: {_reason(cause)}", where=str(path), fix="choose another place with -o"
            ) from error
        fix = ROOM_FIX if cause.errno in _NO_ROOM else "run again; the previous file, if there was one, is untouched"
        raise StorageError(f"writing {path.name} failed: {_reason(cause)}", where=str(path), fix=fix) from error


def elsewhere(cause: OSError) -> ClmError:
    """The answer to a failure outside of `reading` and `writing`: of a file only the system knows, or of the folder one is in."""
    where = os.fsdecode(cause.filename) if isinstance(cause.filename, str | bytes) else None
    if cause.errno in _NOT_THERE:
        fix = "check the path, and that the folder clm is called in is still there"
        return InputError(f"a file or folder cannot be reached: {_reason(cause)}", where=where, fix=fix)
    fix = ROOM_FIX if cause.errno in _NO_ROOM else "run again: earlier files are untouched"
    return StorageError(f"input or output failed: {_reason(cause)}", where=where, fix=fix)


@contextmanager
def footer(path: Path) -> Iterator[None]:
    """Where Polars writes Parquet to `path`: why the footer could not be written it forgets, so the file is asked once more.

    Raises the OSError of that; the file is lost in any case.
    """
    try:
        yield
    except Exception as error:
        if os_error_of(error) is None and _FOOTER_LOST in str(error):
            with path.open("ab") as file:
                file.write(bytes(_MORE_THAN_A_FOOTER))
                os.fsync(file.fileno())
        raise


def _reason(cause: OSError) -> str:
    return (cause.strerror or str(cause)).lower()
