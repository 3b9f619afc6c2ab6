"""Where the real log that ships with clm lies: CDNOW, inside the lifetimes package.

It may not import lifetimes: its dataset module needs more than clm installs, and the package alone costs a second.
"""

from __future__ import annotations

from importlib import util
from pathlib import Path

from clm.errors import InputError


def cdnow_master() -> Path:
    """The full CDNOW log: 69,659 orders of 23,570 customers, January 1997 to June 1998. Raises InputError when it is gone."""
    found = util.find_spec("lifetimes")
    path = Path(found.origin).parent / "datasets" / "CDNOW_master.txt" if found and found.origin else None
    if path is None or not path.is_file():
        raise InputError("the demo log is missing from the lifetimes package", fix="install lifetimes again")
    return path
