"""CSV files and workbooks of clm without some customers: what lies beside tables because somebody wrote it with -o or `clm list`.

They are known by their headings. It may not touch a file that could be somebody's own, or change the rows that stay.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from clm.forget.tables import KEY, naming, theirs
from clm.ingest import own_workbook
from clm.storage import publish
from clm.storage.faults import reading
from clm.tables import ALL

# how many other headings must be clm's own
_ENOUGH = 2
_MOST_BYTES = 64 << 20
_OURS = {column.name for table in ALL.values() for column in table.columns} - {KEY}


@dataclass(frozen=True)
class Export:
    """A CSV or workbook of ours, and its records about the customers."""

    path: Path
    rows: int
    found: frozenset[str]


def held(path: Path, ids: frozenset[str]) -> Export | None:
    """What an export holds of them; None when clm did not write it, or cannot write it again exactly."""
    look = {".csv": csv_held, ".xlsx": workbook_held}.get(path.suffix.lower())
    return look(path, ids) if look is not None else None


def without(one: Export, ids: frozenset[str]) -> publish.Output:
    """The export again without their records."""
    return (csv_without if one.path.suffix.lower() == ".csv" else workbook_without)(one, ids)


def workbook_held(path: Path, ids: frozenset[str]) -> Export | None:
    """What a workbook holds of them, once it is sure that the rows that stay can be written as they were."""
    found = own_workbook.text(path)
    if found is None or KEY not in found[1].columns or len(_OURS & set(found[1].columns)) < _ENOUGH:
        return None
    rows = found[1].filter(theirs(KEY, ids))
    if rows.height and _workbook(path, ids) is None:
        return None
    return Export(path, rows.height, frozenset(rows[KEY].to_list()))


def workbook_without(one: Export, ids: frozenset[str]) -> publish.Output:
    """The workbook again without their rows."""
    content = _workbook(one.path, ids)
    assert content is not None
    return publish.publish_bytes(one.path, content)


def _workbook(path: Path, ids: frozenset[str]) -> bytes | None:
    """The workbook without their rows; None when any other cell would read differently."""
    from clm.report import workbook

    found = own_workbook.text(path)
    rows = own_workbook.typed(path, found[1].columns) if found is not None else None
    if found is None or rows is None:
        return None
    stay = ~theirs(KEY, ids)
    content = workbook.table_workbook(rows.filter(stay), found[0])
    again = own_workbook.text(content)
    return content if again is not None and again[1].equals(found[1].filter(stay)) else None


def csv_held(path: Path, ids: frozenset[str]) -> Export | None:
    """What a CSV holds of them; None when it is not one clm wrote."""
    with reading(path), path.open("rb") as stream:
        head = stream.readline(1 << 20)
    try:
        names = next(csv.reader([head.decode("utf-8")]), [])
    except (UnicodeDecodeError, csv.Error):
        return None
    if KEY not in names or len(_OURS & set(names)) < _ENOUGH or not head.endswith(b"\n") or head.endswith(b"\r\n"):
        return None
    place, rows, found = names.index(KEY), 0, set()
    for record in _records(path):
        who = _who(record, place)
        if who in ids:
            rows += 1
            found.add(who)
    return Export(path, rows, frozenset(found))


def names(path: Path, ids: frozenset[str]) -> bool:
    """Whether a text of any kind names one of them, as a word of its own; what is packed or very large is not looked into."""
    with reading(path), path.open("rb") as stream:
        content = stream.read(_MOST_BYTES)
    return b"\0" not in content and bool(naming(pl.Series([content.decode("utf-8", "replace")]), ids).item())


def csv_without(one: Export, ids: frozenset[str]) -> publish.Output:
    """The CSV again without their records; the bytes of the others stay."""
    with one.path.open("rb") as stream:
        head = stream.readline()
    place = next(csv.reader([head.decode("utf-8")])).index(KEY)

    def write(temporary: Path) -> None:
        with temporary.open("wb") as target:
            target.write(head)
            target.writelines(record for record in _records(one.path) if _who(record, place) not in ids)

    return publish.publish(one.path, write)


def _records(path: Path) -> Iterator[bytes]:
    """The records after the heading as they stand: a line, or several when a quoted cell holds line ends."""
    with reading(path), path.open("rb") as stream:
        stream.readline()
        held = b""
        for line in stream:
            held += line
            if held.count(b'"') % 2 == 0:
                yield held
                held = b""
        if held:
            yield held


def _who(record: bytes, place: int) -> str:
    """The customer of a record, without the apostrophe that keeps spreadsheets from running a cell."""
    cells = next(csv.reader([record.decode("utf-8", "replace")]), [])
    text = cells[place] if len(cells) > place else ""
    return text.removeprefix("'") if text.startswith("'") else text
