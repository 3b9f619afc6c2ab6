"""One log in many clothes: whatever it is written as, the same TRANSACTIONS come out, without a flag."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from tests.cleaning import clean_files
from tests.ingest.hazard_log import LOG, Order, Table, cells, changed, text
from tests.ingest.verdicts import orders

NAMES = ("王大明", "李小文", "林中天", "Ann Smith", "O'Neill")
HEADER = ("會員編號", "order_id", "ordered_at", "amount")
# names, a header and a product that Big5, GBK and ASCII-only tools all know how to write down
TRUTH = tuple(
    one if place % 11 else replace(one, amount=-one.amount, kind="return")
    for place, one in enumerate(changed(customer=lambda one: NAMES[int(one.customer) % 5]))
)


def usual(one: Order) -> str:
    return "茶, 大" if int(one.order) % 3 else 'the "best"'


def table(note: Callable[[Order], str] = usual) -> Table:
    return cells(TRUTH, header=HEADER, note=note)


def _spaceless(one: Order) -> str:
    return one.customer.replace(" ", "_")


def blanks() -> bytes:
    """Fields set apart by runs of blanks, so that none may hold one."""
    spaceless = changed(TRUTH, customer=_spaceless)
    rows = cells(spaceless, at=lambda one: f"{one.at:%Y-%m-%dT%H:%M}", header=HEADER)
    return "".join("   ".join(cell.ljust(9) for cell in row).rstrip() + "\n" for row in rows).encode()


def rare(one: Order) -> str:
    """Characters that GB18030 writes with four bytes."""
    return "㐀𠮷" + one.order


def frame(typed: bool) -> pl.DataFrame:
    header, *rows = table()
    made = pl.DataFrame(rows, schema=dict.fromkeys(header, pl.String), orient="row")
    if not typed:
        return made
    return made.with_columns(
        pl.col("ordered_at").str.to_datetime("%Y-%m-%d %H:%M"),
        pl.col("amount").cast(pl.Decimal(18, 2)),
        pl.col("order_id").cast(pl.Int64),
    )


def parquet(typed: bool) -> bytes:
    made = io.BytesIO()
    frame(typed).write_parquet(made)
    return made.getvalue()


def parquet_floats() -> bytes:
    made = io.BytesIO()
    frame(typed=True).with_columns(pl.col("amount", "order_id").cast(pl.Float64)).write_parquet(made)
    return made.getvalue()


def workbook(typed: bool) -> bytes:
    import xlsxwriter

    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True, "strings_to_formulas": False}) as book:
        sheet, moment = book.add_worksheet("orders"), book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        for row, line in enumerate(table()):
            for column, cell in enumerate(line):
                if typed and row and column == 2:
                    sheet.write_datetime(row, column, datetime.strptime(cell, "%Y-%m-%d %H:%M"), moment)
                elif typed and row and column in (1, 3):
                    sheet.write_number(row, column, float(cell))
                else:
                    sheet.write_string(row, column, cell)
    return made.getvalue()


def json_lines(typed: bool) -> bytes:
    header, *rows = table()
    records = [dict(zip(header, row, strict=True)) for row in rows]
    if typed:
        records = [row | {"order_id": int(row["order_id"]), "amount": float(row["amount"])} for row in records]
    return "".join(json.dumps(row, ensure_ascii=typed) + "\n" for row in records).encode()


def zipped(data: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as folder:
        folder.writestr("orders.csv", data)
    return made.getvalue()


def zstd(data: bytes) -> bytes:
    import pyarrow as pa

    packed = pa.compress(data, codec="zstd", asbytes=True)
    assert isinstance(packed, bytes)
    return packed


PLAIN = text(table())
CLOTHES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "UTF-8": ("orders.csv", lambda: PLAIN.encode()),
    "UTF-8 with mark": ("orders.csv", lambda: PLAIN.encode("utf-8-sig")),
    "UTF-16 LE with mark": ("orders.csv", lambda: b"\xff\xfe" + PLAIN.encode("utf-16-le")),
    "UTF-16 BE with mark": ("orders.csv", lambda: b"\xfe\xff" + PLAIN.encode("utf-16-be")),
    "GBK": ("orders.csv", lambda: PLAIN.encode("gbk")),
    "GB18030 with four-byte characters": ("orders.csv", lambda: text(table(rare)).encode("gb18030")),
    "Big5": ("orders.csv", lambda: PLAIN.encode("big5")),
    "CRLF": ("orders.csv", lambda: text(table(), end="\r\n").encode()),
    "CR alone": ("orders.csv", lambda: text(table(), end="\r").encode()),
    "semicolons": ("orders.csv", lambda: text(table(), ";").encode()),
    "tabs": ("orders.tsv", lambda: text(table(), "\t").encode()),
    "pipes": ("orders.txt", lambda: text(table(), "|").encode()),
    "all quoted": ("orders.csv", lambda: text(table(), quote="always").encode()),
    "workbook": ("orders.xlsx", lambda: workbook(typed=True)),
    "workbook of text": ("orders.xlsx", lambda: workbook(typed=False)),
    "gz": ("orders.csv.gz", lambda: gzip.compress(PLAIN.encode())),
    "bz2": ("orders.csv.bz2", lambda: bz2.compress(PLAIN.encode())),
    "zst": ("orders.csv.zst", lambda: zstd(PLAIN.encode())),
    "zip": ("orders.zip", lambda: zipped(PLAIN.encode())),
    "GBK in gz": ("orders.csv.gz", lambda: gzip.compress(PLAIN.encode("gbk"))),
    "UTF-16 in zip": ("orders.zip", lambda: zipped(PLAIN.encode("utf-16"))),
    "Parquet of text": ("orders.parquet", lambda: parquet(typed=False)),
    "Parquet with types": ("orders.parquet", lambda: parquet(typed=True)),
    "Parquet of floats": ("orders.parquet", parquet_floats),
    "JSON lines of text": ("orders.jsonl", lambda: json_lines(typed=False)),
    "JSON lines with types": ("orders.jsonl", lambda: json_lines(typed=True)),
}


@pytest.mark.parametrize("clothes", CLOTHES)
def test_the_same_log_in_other_clothes(clothes: str, tmp_path: Path) -> None:
    """Equal rows in the same order, every one of them counted, nothing rejected, nothing asked."""
    name, made = CLOTHES[clothes]
    path = tmp_path / name
    path.write_bytes(made())
    done = clean_files([path], tmp_path)
    assert done.settled.refusal is None
    assert tuple(orders(done)) == TRUTH
    assert done.settled.outcome.rows.to_json() == {"in": len(LOG), "out": len(LOG), "rejected": {}, "collapsed": {}}
    assert done.rows.drop("source_line").columns == ["customer_id", "order_id", "ordered_at", "amount", "kind", "flags"]


TEXT = [name for name in CLOTHES if not any(other in name for other in ("workbook", "Parquet", "JSON"))]


@pytest.mark.parametrize("clothes", TEXT)
def test_text_in_other_clothes_has_the_same_lines(clothes: str, tmp_path: Path) -> None:
    """Where a record stands does not depend on encoding, delimiter, line ends or packing: the header is line 1."""
    name, made = CLOTHES[clothes]
    path = tmp_path / name
    path.write_bytes(made())
    assert clean_files([path], tmp_path).column("source_line") == list(range(2, len(LOG) + 2))


def test_runs_of_blanks(tmp_path: Path) -> None:
    """Fields set apart by blanks: the same log, its names written without one."""
    path = tmp_path / "orders.txt"
    path.write_bytes(blanks())
    done = clean_files([path], tmp_path)
    assert tuple(orders(done)) == changed(TRUTH, customer=_spaceless)


def test_two_encodings_of_one_log_given_together(tmp_path: Path) -> None:
    """The same orders in two encodings are asked about, and --duplicates drop makes them one log."""
    for clothes in ("UTF-8", "GBK"):
        name, made = CLOTHES[clothes]
        (tmp_path / f"{clothes} {name}").write_bytes(made())
    inputs = sorted(tmp_path.iterdir())
    asked = clean_files(inputs, tmp_path).settled.refusal
    assert asked is not None
    assert "--duplicates" in str(asked)
    assert tuple(orders(clean_files(inputs, tmp_path, duplicates="drop"))) == TRUTH
