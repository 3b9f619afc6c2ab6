"""The workbook: text stays text, bytes stay the same, what does not fit is refused."""

from __future__ import annotations

import io
import time
import xml.etree.ElementTree as ET
import zipfile
from datetime import date, datetime
from decimal import Decimal

import polars as pl
import pytest
import xlsxwriter

from clm.errors import DataError, Exit
from clm.report import excel, workbook
from tests.report.samples import HOSTILE

NS = {"s": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


def _parts(book: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def _cells(book: bytes) -> dict[str, tuple[str, str]]:
    """Cell -> (type, value); texts are looked up."""
    parts = _parts(book)
    shared = parts.get("xl/sharedStrings.xml")
    texts = [
        "".join(piece.text or "" for piece in item.iter(f"{{{NS['s']}}}t"))
        for item in (ET.fromstring(shared).findall("s:si", NS) if shared else [])
    ]
    found = {}
    for cell in ET.fromstring(parts["xl/worksheets/sheet1.xml"]).iter(f"{{{NS['s']}}}c"):
        value, kind = cell.findtext("s:v", "", NS), cell.attrib.get("t", "n")
        found[cell.attrib["r"]] = (kind, texts[int(value)] if kind == "s" else value)
        assert cell.find("s:f", NS) is None
    return found


def test_every_type_has_its_cell() -> None:
    """Ids stay text with their zeros, numbers are numbers, dates dates, decimals numbers, null nothing."""
    frame = pl.DataFrame(
        {
            "customer_id": ["0012", "1E5"],
            "orders": pl.Series([3, None], dtype=pl.Int64),
            "share": [0.25, -1.5],
            "spend": pl.Series([Decimal("12.3400"), Decimal("-9747747.9340")], dtype=pl.Decimal(38, 4)),
            "as_of": [date(2024, 3, 5), None],
            "ordered_at": [datetime(2024, 3, 5, 12), None],
            "flag": [True, None],
        }
    )
    cells = _cells(workbook.table_workbook(frame, "CUSTOMERS"))
    assert [cells[f"{column}1"][1] for column in "ABCDEFG"] == frame.columns
    assert cells["A2"] == ("s", "0012")
    assert cells["A3"] == ("s", "1E5")
    assert cells["B2"] == ("n", "3")
    assert "B3" not in cells or cells["B3"][1] == ""
    assert cells["C3"] == ("n", "-1.5")
    assert float(cells["D3"][1]) == -9747747.934
    assert (cells["E2"], cells["F2"]) == (("n", "45356"), ("n", "45356.5"))
    assert cells["G2"] == ("b", "1")


@pytest.mark.parametrize(
    "text",
    [*HOSTILE, "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "mailto:a@b.c", "{=1}", "00", "1E+15", "<r>&</r>", "<r><t>x</t></r>"],
)
def test_hostile_text_is_a_text_cell(text: str) -> None:
    """As id, heading and title: no formula, no link, no number; the sheet has a legal name."""
    book = workbook.table_workbook(pl.DataFrame({text: [text]}), text)
    parts = _parts(book)
    assert all(kind == "s" for kind, _ in _cells(book).values())
    assert not [name for name in parts if "rels" in name and "hyperlink" in parts[name].lower()]
    assert "<f>" not in parts["xl/worksheets/sheet1.xml"]
    assert "hyperlink" not in parts["xl/worksheets/sheet1.xml"].lower()
    [sheet] = ET.fromstring(parts["xl/workbook.xml"]).iter(f"{{{NS['s']}}}sheet")
    assert 0 < len(sheet.attrib["name"]) <= 31
    assert not set("[]:*?/\\") & set(sheet.attrib["name"])


def test_the_same_frame_gives_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """No clock in a workbook: another day, the same file."""
    frame = pl.DataFrame({"customer_id": ["a", "b"], "spend": [1.5, None]})
    first = workbook.table_workbook(frame, "CUSTOMERS")
    monkeypatch.setattr(time, "time", lambda: 2e9)
    monkeypatch.setattr(time, "localtime", lambda *_: time.gmtime(2_000_000_000))
    assert workbook.table_workbook(frame, "CUSTOMERS") == first
    assert "2000-01-01" in _parts(first)["docProps/core.xml"]


def test_what_a_sheet_cannot_hold_is_refused() -> None:
    """Too many rows, columns or signs: 65, and what to write instead."""
    tall = pl.DataFrame({"n": pl.int_range(excel.MOST_ROWS, eager=True)})
    wide = pl.DataFrame({f"c{place}": [1] for place in range(excel.MOST_COLUMNS + 1)})
    long = pl.DataFrame({"text": ["x" * (excel.LONGEST_TEXT + 1)]})
    for frame in (tall, wide, long):
        with pytest.raises(DataError) as refused:
            workbook.table_workbook(frame, "T")
        assert refused.value.exit_code == Exit.DATA
        assert "-o x.parquet" in (refused.value.fix or "")
    workbook.table_workbook(pl.DataFrame({"text": ["x" * excel.LONGEST_TEXT]}), "T")


def test_empty_tables_and_old_dates_are_written() -> None:
    """A table without rows keeps its headings; days before Excel's calendar are text, not wrong days."""
    assert _cells(workbook.table_workbook(pl.DataFrame(schema={"customer_id": pl.String}), "T"))["A1"][1] == "customer_id"
    workbook.table_workbook(pl.DataFrame(), "T")
    old = pl.DataFrame({"day": [date(1900, 2, 28), date(2024, 1, 1)]})
    cells = _cells(workbook.table_workbook(old, "T"))
    assert [cells["A2"][1], cells["A3"][1]] == ["1900-02-28", "2024-01-01"]


@pytest.mark.parametrize("title", ["History", "", "''", "a/b:c*d", "x" * 60])
def test_sheet_names_are_legal(title: str) -> None:
    """Whatever the title, Excel opens the sheet."""
    workbook.table_workbook(pl.DataFrame({"a": [1]}), title)


def test_what_no_cell_and_no_sheet_holds_is_refused_where_it_is_written() -> None:
    """A text is never cut, a row never left out: the place is told."""
    with xlsxwriter.Workbook(io.BytesIO(), {"in_memory": True}) as book:
        sheet = book.add_worksheet("People")
        with pytest.raises(DataError, match="a text of this table is longer") as caught:
            excel.put_text(sheet, 3, 1, "x" * (excel.LONGEST_TEXT + 1))
        assert caught.value.where == "sheet People, column 2, row 4"
        with pytest.raises(DataError, match="a sheet holds 1,048,576 rows"):
            excel.put_number(sheet, excel.MOST_ROWS, 0, 1.0)
