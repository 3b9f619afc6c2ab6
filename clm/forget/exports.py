"""CSV files and workbooks of clm without some customers: what lies beside tables because somebody wrote it with -o or `clm list`.

Only what clm itself would write so may be written again: a CSV with the headings of one table and whole records, a workbook that
comes out the same, part for part. It may not touch a file that could be somebody's own, or change the rows that stay.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from clm.forget.mentions import ZIP_FAULTS, naming
from clm.forget.tables import KEY, own, theirs
from clm.ingest import own_workbook
from clm.stages.clean.ids import tidy
from clm.storage import publish
from clm.storage.faults import reading
from clm.tables import CUSTOMERS, LIST, MEMBERS, MIGRATION, TRANSACTIONS, Table

# what an export has of its table in any case; of a list what every one of customers with segments has
_LISTED = ("segment", "last_order_on", "orders", "spend", "action")
_HEADINGS = [({KEY, *table.needed(table.columns[0].stage)}, table) for table in (TRANSACTIONS, CUSTOMERS, MEMBERS, MIGRATION)]
_HEADINGS.append(({KEY, *_LISTED}, LIST))
_LONGEST_RECORD = 1 << 24


@dataclass(frozen=True)
class Export:
    """A CSV or workbook of ours, and its records about the customers; `named`: whether one that stays names one of them."""

    path: Path
    rows: int
    found: frozenset[str]
    named: bool = False


def held(path: Path, ids: frozenset[str]) -> Export | None:
    """What an export holds of them; None when clm did not write it, or cannot write it again exactly."""
    look = {".csv": csv_held, ".xlsx": workbook_held}.get(path.suffix.lower())
    return look(path, ids) if look is not None else None


def without(one: Export, ids: frozenset[str]) -> publish.Output:
    """The export again without their records."""
    return (csv_without if one.path.suffix.lower() == ".csv" else workbook_without)(one, ids)


def workbook_held(path: Path, ids: frozenset[str]) -> Export | None:
    """What a workbook holds of them, once it is sure that clm wrote all of it, and can write the rows that stay as they were."""
    found = own_workbook.text(path)
    if found is None or KEY not in found[1].columns:
        return None
    rows, stay = (found[1].filter(which) for which in (theirs(KEY, ids), ~theirs(KEY, ids)))
    told = [cell for name in own(stay.columns, _table(stay.columns) or LIST) for cell in stay[name].drop_nulls()]
    named = _named(stay[KEY], pl.Series(told, dtype=pl.String), ids)
    if (rows.height or named) and _workbook(path, ids) is None:
        return None
    return Export(path, rows.height, frozenset(rows[KEY].to_list()), named)


def workbook_without(one: Export, ids: frozenset[str]) -> publish.Output:
    """The workbook again without their rows."""
    content = _workbook(one.path, ids)
    assert content is not None
    return publish.publish_bytes(one.path, content)


def _workbook(path: Path, ids: frozenset[str]) -> bytes | None:
    """The workbook without their rows; None when clm would not write it as it is, or any other cell would read differently."""
    from clm.report import workbook

    found = own_workbook.text(path)
    rows = own_workbook.typed(path, found[1].columns) if found is not None else None
    if found is None or rows is None:
        return None
    there = _parts(path)
    if there is None or _parts(io.BytesIO(workbook.table_workbook(rows, found[0]))) != there:
        return None
    stay = ~theirs(KEY, ids)
    content = workbook.table_workbook(rows.filter(stay), found[0])
    again = own_workbook.text(content)
    return content if again is not None and again[1].equals(found[1].filter(stay)) else None


def _parts(book: Path | io.BytesIO) -> dict[str, bytes] | None:
    try:
        with zipfile.ZipFile(book) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    except ZIP_FAULTS:
        return None


def csv_held(path: Path, ids: frozenset[str]) -> Export | None:
    """What a CSV holds of them; None when it is not one clm wrote."""
    with reading(path), path.open("rb") as stream:
        head = stream.readline(1 << 20)
    if not head.endswith(b"\n") or head.endswith(b"\r\n"):
        return None
    rows = 0
    found, keys, told = set[str](), set[str](), set[str]()
    try:
        names = _cells(head)
        table = _table(names)
        if table is None:
            return None
        place, free = names.index(KEY), {names.index(name) for name in own(names, table)}
        for record in _records(path):
            cells = _cells(record)
            if len(cells) != len(names):
                return None
            who = cells[place].removeprefix("'")
            if who in ids:
                rows += 1
                found.add(who)
                continue
            keys.add(who)
            told.update(cell for number, cell in enumerate(cells) if number in free or "\n" in cell)
    except (UnicodeDecodeError, csv.Error):
        return None
    named = _named(pl.Series(list(keys), dtype=pl.String), pl.Series(list(told), dtype=pl.String), ids)
    return Export(path, rows, frozenset(found), named)


def _table(names: Sequence[str]) -> Table | None:
    """The table that has these headings."""
    return next((table for headings, table in _HEADINGS if headings <= set(names)), None)


def csv_without(one: Export, ids: frozenset[str]) -> publish.Output:
    """The CSV again without their records; the bytes of the others stay."""
    with one.path.open("rb") as stream:
        head = stream.readline()
    place = _cells(head).index(KEY)

    def write(temporary: Path) -> None:
        with temporary.open("wb") as target:
            target.write(head)
            target.writelines(record for record in _records(one.path) if _cells(record)[place].removeprefix("'") not in ids)

    return publish.publish(one.path, write)


def _named(keys: pl.Series, told: pl.Series, ids: frozenset[str]) -> bool:
    """Whether somebody's own cells name one of them, or an id is one of theirs but for the way it is written."""
    same = keys.to_frame("id").select(tidy(pl.col("id"))).filter(theirs("id", ids))
    return bool(same.height) or bool(naming(told, ids).any())


def _records(path: Path) -> Iterator[bytes]:
    """The records after the heading as they stand: a line, or several when a quoted cell holds line ends.

    Raises csv.Error for one that never ends: clm writes none.
    """
    with reading(path), path.open("rb") as stream:
        stream.readline()
        held: list[bytes] = []
        quotes = size = 0
        for line in stream:
            held.append(line)
            quotes += line.count(b'"')
            size += len(line)
            if size > _LONGEST_RECORD:
                raise csv.Error
            if quotes % 2 == 0:
                yield b"".join(held)
                held, quotes, size = [], 0, 0
        if held:
            raise csv.Error


def _cells(record: bytes) -> list[str]:
    """The cells of one record. Raises csv.Error or UnicodeDecodeError when it is none of clm's."""
    return next(csv.reader([record.decode("utf-8")], strict=True), [])
