"""Repaired rejects and the rest are the repaired file: on real logs, with what clean rejects in them and damage of every kind."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.cleaning import clean_files

# every so many lines one is damaged
_STEP = 41


@dataclass(frozen=True)
class Log:
    """A supplied log: where its customer, day and money stand, which cell is `mended` where clean rejects it as it is."""

    path: str
    customer: int
    day: int
    money: int | None
    encoding: str = "utf-8"
    lines: int = 3_000
    mended: tuple[int, Callable[[str], bool], str] | None = None
    options: dict[str, Any] = field(default_factory=dict)


LOGS = {
    "online retail": Log(
        "online-retail/online_retail.csv.gz", 6, 4, 5, mended=(6, lambda cell: not cell, "99999.0")
    ),
    "coffee": Log("coffee/index_1.csv", 3, 1, 4, mended=(3, lambda cell: not cell, "ANON-0000-0000-9999")),
    "sales sample": Log(
        "sales-sample/sales_data_sample.csv",
        11,
        5,
        4,
        encoding="latin-1",
        mended=(6, lambda cell: cell == "Cancelled", "Shipped"),
    ),
    "cdnow": Log("cdnow/cdnowElog.csv", 0, 2, 4),
    "rfm orders": Log("rfm-orders/rfm_data_orders.csv", 0, 1, 2),
    "example transactions": Log("example-transactions/example_transactions.csv", 1, 0, None),
    "till": Log(
        "supermarket-gbk/order-14.3.csv", 2, 5, 3, encoding="gbk", options={"map": (("customer_id", "门店编号"),)}
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LOGS)
def test_repaired_rejects_and_the_rest_are_the_repaired_log(name: str, shared_data: Path, tmp_path: Path) -> None:
    """The rejects' raw lines, mended under the header, cleaned together with the broken log, give the rows of the mended log."""
    log = LOGS[name]
    head, real = lines_of(log, shared_data)
    whole = [mended(line, log) for line in real]
    broken = list(real)
    for turn, place in enumerate(range(7, len(real), _STEP)):
        broken[place] = damaged(whole[place], turn, log)
    files = {"a.csv": broken, "whole.csv": whole}
    for file, lines in files.items():
        (tmp_path / file).write_bytes("\n".join([head, *lines, ""]).encode(log.encoding))
    options = log.options | {"max_rejects": 1.0}
    first = clean_files([tmp_path / "a.csv"], tmp_path, rejects_raw=True, **options)
    places = [line - 2 for line in first.rejects["source_line"]]
    assert first.rejects["raw"].to_list() == [broken[place] for place in places]
    assert set(places) == {place for place, line in enumerate(broken) if line != whole[place]}
    assert len(places) >= len(real) // _STEP

    repaired = [head, *(whole[place] for place in places), ""]
    (tmp_path / "repaired.csv").write_bytes("\n".join(repaired).encode(log.encoding))
    both = clean_files([tmp_path / "a.csv", tmp_path / "repaired.csv"], tmp_path, **options)
    alone = clean_files([tmp_path / "whole.csv"], tmp_path, **options)
    assert rows(both.rows).equals(rows(alone.rows))
    assert both.settled.refusal is None


def lines_of(log: Log, folder: Path) -> tuple[str, list[str]]:
    """The header and the first lines of a log, as text. One line is one record in all of these."""
    data = (folder / log.path).read_bytes()
    text = (gzip.decompress(data) if log.path.endswith(".gz") else data).decode(log.encoding)
    head, *lines = text.splitlines()
    return head, lines[: log.lines]


def mended(line: str, log: Log) -> str:
    """What the line should have said, had nobody to ask why clean rejects it."""
    if log.mended is None:
        return line
    place, wrong, right = log.mended
    cells = next(csv.reader([line]))
    return with_cell(cells, place, right) if wrong(cells[place]) else line


def damaged(line: str, turn: int, log: Log) -> str:
    """The line with an unreadable day, unreadable money, without a customer, or cut short."""
    cells = next(csv.reader([line]))
    kinds = [(log.day, "soon"), (log.customer, ""), (log.money, "n/a")]
    place, said = kinds[turn % (len(kinds) if log.money is not None else 2)]
    if turn % 5 == 4 and len(cells) > 2:
        return with_cell(cells[:-1], 0, cells[0])
    assert place is not None
    return with_cell(cells, place, said)


def with_cell(cells: list[str], place: int, said: str) -> str:
    line = StringIO()
    csv.writer(line, lineterminator="").writerow([*cells[:place], said, *cells[place + 1 :]])
    return line.getvalue()


def rows(transactions: pl.DataFrame) -> pl.DataFrame:
    """What the rows say, in an order of their own; where they came from does not count."""
    told = transactions.drop("source_file", "source_line", strict=False)
    return told.sort(told.columns, nulls_last=True)
