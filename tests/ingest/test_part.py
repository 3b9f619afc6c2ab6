"""Parts: every container has one face, and options that nothing obeys are refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl
import pytest

from clm import ingest
from clm.errors import DataError, UsageError
from clm.settings import CleanSettings
from tests.cleaning import clean_files
from tests.ingest import books

ROWS = [["customer", "date", "amount"], ["A", "2024-03-01", "5"], ["B", "2024-03-02", "7.5"]]


@pytest.fixture
def shop(tmp_path: Path) -> dict[str, Path]:
    """The same two orders in every container."""
    frame = pl.DataFrame(ROWS[1:], schema=ROWS[0], orient="row")
    found = {name: tmp_path / f"a.{name}" for name in ("csv", "parquet", "jsonl", "ods", "xls")}
    frame.write_csv(found["csv"])
    frame.write_parquet(found["parquet"])
    frame.write_ndjson(found["jsonl"])
    rows: list[list[books.Cell]] = [list(row) for row in ROWS]
    books.xls(found["xls"], rows)
    books.ods(found["ods"], {"Orders": "".join(map(books.ods_row, rows))})
    return found


def test_every_container_gives_the_same_orders(shop: dict[str, Path], tmp_path: Path) -> None:
    """Text, Parquet, JSON lines and workbooks: equal transactions, each with its container as evidence; also together."""
    expected = clean_files([shop["csv"]], tmp_path).rows.drop("source_line")
    for name, path in shop.items():
        done = clean_files([path], tmp_path)
        assert done.rows.drop("source_line").equals(expected)
        about = [fact.about for fact in done.log.evidence]
        assert (f"a.{name}: container" in about) == (name != "csv")
    done = clean_files(list(shop.values()), tmp_path, duplicates="keep")
    assert done.rows.height == 10


def test_an_option_nothing_obeys_is_refused(shop: dict[str, Path]) -> None:
    """A delimiter for a workbook, a sheet of a text file; one input that obeys is enough."""
    for name, options in (
        ("ods", {"delimiter": ";"}), ("parquet", {"encoding": "gbk"}), ("csv", {"sheet": "x"}), ("jsonl", {"sheet": "x"}),
    ):  # fmt: skip
        (option,) = options
        with pytest.raises(UsageError, match=f"--{option} is given"):
            ingest.read_text([shop[name]], CleanSettings(**options))
    ingest.read_text([shop["jsonl"]], CleanSettings(encoding="utf-8"))
    ingest.read_text([shop["xls"], shop["csv"]], CleanSettings(delimiter=",", sheet="Orders"))


@pytest.mark.parametrize("name", ["parquet", "ods", "xls"])
def test_what_is_packed_twice_is_said(name: str, shop: dict[str, Path], tmp_path: Path) -> None:
    """A workbook inside gzip would look like text in no encoding: the answer is to unpack it."""
    path = tmp_path / "packed"
    path.write_bytes(gzip.compress(shop[name].read_bytes()))
    with pytest.raises(DataError, match="packed itself"):
        ingest.read_text([path], CleanSettings())


@pytest.mark.parametrize(
    "text", ["<html><table><tr><th>Order</th></tr>\n</table>", " \n<!DOCTYPE html>\n", '<?xml version="1.0"?>\n<Workbook/>\n']
)
def test_a_page_called_xls_is_said_to_be_one(text: str, tmp_path: Path) -> None:
    """Many shops export HTML or XML as .xls: what it is and how to get a table of it, not one giant column name."""
    (tmp_path / "orders.xls").write_text(text)
    with pytest.raises(DataError) as refused:
        ingest.read_text([tmp_path / "orders.xls"], CleanSettings())
    assert refused.value.code == "markup"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "a PNG picture"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "a PDF document"),
        (b"SQLite format 3\0" + bytes(84), "a SQLite database"),
        (bytes(byte * byte % 251 for byte in range(4000)), "binary data"),
    ],
)
def test_what_is_no_table_is_said(content: bytes, what: str, tmp_path: Path) -> None:
    """A picture called .csv is called a picture, with --encoding or without; no encoding is advised."""
    (tmp_path / "orders.csv").write_bytes(content)
    with pytest.raises(DataError, match=f"orders.csv is {what}, not a table") as refused:
        ingest.read_text([tmp_path / "orders.csv"], CleanSettings())
    assert "--encoding" not in str(refused.value)


@pytest.mark.parametrize("mark", [",", ";"])
def test_lines_quoted_as_a_whole_are_said_to_be(mark: str, tmp_path: Path) -> None:
    """Each line one quoted cell that holds the delimiters: what happened and how to undo it; one column of text is one column."""
    lines = [mark.join(row) for row in ROWS]
    (tmp_path / "a.csv").write_text("".join(f'"{line}"\n' for line in lines))
    with pytest.raises(DataError) as refused:
        ingest.read_text([tmp_path / "a.csv"], CleanSettings())
    assert refused.value.code == "quoted_lines"
    (tmp_path / "b.csv").write_text('note\n"red, green"\n"blue"\n')
    assert ingest.read_text([tmp_path / "b.csv"], CleanSettings()).columns == ("note",)
