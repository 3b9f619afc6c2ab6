"""Which checks a given path gets: a folder those of a run, a file those of what it turns out to be, whatever it is called.

It may not check anything itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from clm import model_file, record, steps
from clm.errors import ConfigError, InputError
from clm.storage.faults import reading
from clm.verify import chain, folder, table
from clm.verify.checks import Check, Checked
from clm.verify.there import There

_MAGIC = b"PAR1"


def verify(paths: Sequence[Path], inputs: Path | None = None) -> list[Check]:
    """Every check of every file. Raises InputError (66) when one is not there or cannot be read."""
    there = There()
    for path in paths:
        with reading(path):
            _add(path, there)
    if inputs is not None:
        with reading(inputs):
            if not inputs.is_dir():
                raise InputError("--inputs names no folder", where=str(inputs), fix="name the folder that holds the sources")
            there.add(inputs, deep=True)
    return _by_name([check for path in paths for check in (folder.checks if path.is_dir() else _file)(path, there)])


def _add(path: Path, there: There) -> None:
    if not path.exists():
        raise InputError(f"there is no file {path.name}", where=str(path), fix="check the path")
    if not path.is_dir() and not path.is_file():
        raise InputError(
            f"{path.name} is no file", where=str(path), fix="save what comes from a pipe or device, and name that file"
        )
    there.add(path if path.is_dir() else path.absolute().parent)


def _by_name(found: Sequence[Check]) -> list[Check]:
    """The checks with the names of their files, where two have one name with the paths as they were given."""
    paths = {one.file: Path(one.file).name for one in found}
    times = Counter(paths.values())
    return [one if times[paths[one.file]] > 1 else replace(one, file=paths[one.file]) for one in found]


def _file(path: Path, there: There) -> Iterator[Check]:
    checked = Checked(str(path))
    with reading(path), path.open("rb") as stream:
        head = stream.read(4)
    if head == _MAGIC or path.suffix == ".parquet":
        yield from folder.unended(path.parent)
        yield from table.checks(path, checked)
        yield from folder.recorded(path, there, checked)
        known = table.facts_of(path)
        if known is not None:
            yield from chain.checks(known, there, checked)
    elif path.name == record.NAME:
        yield from folder.checks(path.parent, there)
    elif path.suffix == ".json" and (model := _model(path)) is not None:
        yield model
    else:
        told = list(folder.recorded(path, there, checked))
        if not told or told[0].status == "unknown":
            yield checked.unknown("file", "no table, model or run.json: exports and pages carry nothing to hold them against")
        yield from told


def _model(path: Path) -> Check | None:
    """A saved model by itself; None for another document."""
    checked = Checked(str(path))
    try:
        found = model_file.read(path)
        steps.check_taught(found)
    except ConfigError as error:
        return None if error.code == model_file.NO_MODEL else checked.wrong("model", error.what)
    return checked.ok("model", f"numbers of {', '.join(found.learned) or 'no stage'}, within their bounds")
