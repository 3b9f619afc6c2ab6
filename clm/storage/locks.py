"""The run lock: `flock` on the output folder's own descriptor, so nothing is left beside the output.

A run holds it alone; single commands share it, so two of them may write to one folder but none writes into a running `run`.
It may not remove anything, or create more than the folder a run asked for.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clm.errors import LockedError
from clm.storage.faults import writing


@contextmanager
def folder_lock(folder: Path, *, shared: bool = False, create: bool = False, wait_seconds: int = 0) -> Iterator[None]:
    """Hold the folder's lock inside the block. Raises LockedError (75) when another run keeps it past `wait_seconds`."""
    with writing(folder):
        if create:
            folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _acquire(handle, folder, fcntl.LOCK_SH if shared else fcntl.LOCK_EX, time.monotonic() + wait_seconds)
        yield
    finally:
        os.close(handle)


def _acquire(handle: int, folder: Path, mode: int, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(handle, mode | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise LockedError(
                    "another run of clm is at work on this folder",
                    where=str(folder),
                    fix="wait for it to end, or give it time with --wait SECONDS",
                ) from None
            time.sleep(0.1)
