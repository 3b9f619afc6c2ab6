"""Temporaries that cannot be mistaken: each holds its own lock, so one whose lock can be taken is an orphan and is swept.

It may not publish anything (`publish` does) and deletes nothing it could not lock.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from clm.storage.faults import writing

SUFFIX = ".clm-tmp"
_ATTEMPTS = 100


@contextmanager
def beside(target: Path) -> Iterator[Path]:
    """A fresh locked file in the target's folder, made with the umask; removed at the end unless it was moved away."""
    sweep(target.parent)
    path, handle = _locked(target.parent, _new_file)
    try:
        yield path
    finally:
        _discard(path, handle)


@contextmanager
def scratch(root: Path | None = None) -> Iterator[Path]:
    """A fresh locked folder, removed with all it holds: in the system's temporary folder for spools and Polars' spill, or in
    `root`, for files that are to be moved from there.
    """
    root = root or Path(tempfile.gettempdir())
    with writing(root):
        sweep(root)
        path, handle = _locked(root, _new_folder)
    try:
        yield path
    finally:
        _discard(path, handle)


def _new_file(path: Path) -> int:
    return os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o666)


def _new_folder(path: Path) -> int:
    path.mkdir(mode=0o700)
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _locked(folder: Path, create: Callable[[Path], int]) -> tuple[Path, int]:
    """A new entry with its lock held; tried again when a sweeper took it between its creation and its lock."""
    for _ in range(_ATTEMPTS):
        path = folder / f".{os.urandom(8).hex()}{SUFFIX}"
        handle = None
        try:
            handle = create(path)
            fcntl.flock(handle, fcntl.LOCK_EX)
            if path.stat().st_ino == os.fstat(handle).st_ino:
                return path, handle
            os.close(handle)
        except BaseException as error:
            _discard(path, handle)
            # a folder where nothing can be made may say so too: /proc/self/fd
            if not isinstance(error, FileNotFoundError) or not folder.is_dir():
                raise
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder))


def _discard(path: Path, handle: int | None) -> None:
    """Remove an entry, then let go of its lock: nobody may sweep what is still in use."""
    try:
        with suppress(OSError):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
    finally:
        if handle is not None:
            os.close(handle)


def is_one(path: Path) -> bool:
    """Whether a file has the name of a temporary."""
    return path.name.startswith(".") and path.name.endswith(SUFFIX)


def sync(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk itself."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep(folder: Path) -> int:
    """Remove the orphans of killed runs in a folder; returns how many. Another user's orphans are left to them."""
    swept = 0
    with suppress(OSError):
        for path in folder.iterdir():
            if is_one(path) and _remove_if_orphan(path):
                swept += 1
    return swept


def _remove_if_orphan(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # the name may have been reused between opening and locking: only what we hold may go
        if path.stat(follow_symlinks=False).st_ino != os.fstat(handle).st_ino:
            return False
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
        return True
    except OSError:
        return False
    finally:
        os.close(handle)
