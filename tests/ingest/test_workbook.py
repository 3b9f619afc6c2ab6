"""Workbooks as text: every kind of cell, where the table begins, which sheet, and what is refused before it is read."""

from __future__ import annotations

import csv
import io
import logging
import random
import zipfile
from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import xlsxwriter

from clm import ingest
from clm.errors import DataError
from clm.ingest import TextLog, extents, sources
from clm.settings import CleanSettings
from tests.cleaning import clean_files
from tests.ingest import books

HEAD = ["customer", "date", "amount"]
SHEET = "xl/worksheets/sheet1.xml"


def book(path: Path, **sheets: Sequence[Sequence[Any]]) -> Path:
    """An Excel workbook of these sheets; days and times are numbers that are formatted so, as Excel keeps them."""
    with xlsxwriter.Workbook(str(path), {"strings_to_numbers": False, "strings_to_formulas": False}) as target:
        forms = {
            kind: target.add_format({"num_format": form})
            for kind, form in ((date, "d/m/yy"), (datetime, "d/m/yy h:mm"), (time, "h:mm"))
        }
        for name, rows in sheets.items():
            sheet = target.add_worksheet(name)
            for place, row in enumerate(rows):
                for column, value in enumerate(row):
                    if type(value) in forms:
                        sheet.write_datetime(place, column, value, forms[type(value)])
                    elif isinstance(value, str) and value.startswith("="):
                        formula, _, stored = value.partition("→")
                        sheet.write_formula(place, column, formula, None, stored)
                    elif value is not None:
                        sheet.write(place, column, value)
    return path


def rezipped(path: Path, changes: dict[str, bytes]) -> Path:
    """The same archive with some members replaced or added."""
    held = io.BytesIO(path.read_bytes())
    with zipfile.ZipFile(held) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in dict.fromkeys([*old.namelist(), *changes]):
            new.writestr(name, changes[name] if name in changes else old.read(name))
    return path


def with_rows(path: Path, rows: str, after: str = "") -> Path:
    """A workbook whose only sheet has this XML."""
    book(path, Orders=[["x"]])
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return rezipped(path, {SHEET: f'<worksheet xmlns="{space}"><sheetData>{rows}</sheetData>{after}</worksheet>'.encode()})


def inline(at: str, text: str) -> str:
    return f'<c r="{at}" t="inlineStr"><is><t>{text}</t></is></c>'


def read(path: Path, **options: Any) -> TextLog:
    return ingest.read_text([path], CleanSettings(**options))


def column(log: TextLog, name: str) -> list[str]:
    return log.frame.select(name).collect()[name].to_list()


def said(log: TextLog, about: str) -> list[str]:
    return [fact.decision for fact in log.evidence if about in fact.about]


KINDS = [
    ("text", "text"), ("  blanks ", "  blanks "), ("two\nlines", "two\nlines"), ("00123", "00123"), ("true", "true"),
    (1001, "1001"), (-5, "-5"), (0, "0"), (0.1, "0.1"), (1.1, "1.1"), (19.99, "19.99"), (-2.5, "-2.5"), (1e-7, "0.0000001"),
    (1.23456789012345, "1.23456789012345"), (1e-10, "0.0000000001"), (123456.7890123, "123456.7890123"),
    (999_999_999_999_999, "999999999999999"), (1234567890123456, "1.234567890123456E+15"), (1e15, "1E+15"),
    (True, "TRUE"), (False, "FALSE"), (None, ""),
    (date(2024, 3, 5), "2024-03-05"), (datetime(2024, 3, 5, 22, 15, 30), "2024-03-05 22:15:30"),
    (datetime(2024, 3, 5, 22, 15, 30, 123000), "2024-03-05 22:15:30.123"), (time(22, 15, 30), "22:15:30"), (time(), "00:00:00"),
    ("=1+1→2", "2"), ('="a"&"b"→ab', "ab"), ("=1/0→#DIV/0!", "#DIV/0!"), ("=NA()→#N/A", "#N/A"), ('=""→', ""),
    ("123", "123"), ("12345678901234567890", "12345678901234567890"), ("2024-03-05 00:00:00", "2024-03-05 00:00:00"),
]  # fmt: skip


def test_every_cell_becomes_what_a_person_would_write(tmp_path: Path) -> None:
    """In one column of all kinds nothing is lost, rounded or guessed; text that looks like a number stays as it is."""
    rows = [["key", "value"], *([f"k{place}", cell] for place, (cell, _) in enumerate(KINDS))]
    log = read(book(tmp_path / "a.xlsx", Orders=rows))
    assert column(log, "value") == [text for _, text in KINDS]
    assert column(log, "clm:line") == list(range(2, len(rows) + 1))


def test_columns_of_one_kind_read_as_mixed_ones(tmp_path: Path) -> None:
    """What a cell becomes does not hang on its neighbours."""
    for place, (cell, text) in enumerate(KINDS):
        log = read(book(tmp_path / f"{place}.xlsx", Orders=[["key", "value"], ["k", cell]]))
        assert column(log, "value") == [text] if "value" in log.columns else text == ""


def test_days_count_from_1904_where_the_workbook_says_so(tmp_path: Path) -> None:
    """Old Excel for the Mac counts days from 1904."""
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx"), {"date_1904": True}) as target:
        sheet = target.add_worksheet()
        sheet.write_row(0, 0, HEAD)
        sheet.write_row(1, 0, ["A"])
        sheet.write_datetime(1, 1, datetime(2024, 3, 5), target.add_format({"num_format": "d/m/yy"}))
        sheet.write(1, 2, 3)
    assert column(read(tmp_path / "a.xlsx"), "date") == ["2024-03-05"]


def test_numbers_beyond_fifteen_digits_are_destroyed_ids(tmp_path: Path) -> None:
    """Excel has rounded them: refused as ids; the same digits as text are an id, and short numbers lose their `.0`."""
    rows = [[6_217_000_012_345_678], ["6217000012345678"], [1001]]
    path = book(tmp_path / "a.xlsx", Orders=[HEAD, *([*row, date(2024, 1, 2), 5] for row in rows)])
    done = clean_files([path], tmp_path, max_rejects=1.0)
    assert done.reasons == {2: "id_destroyed"}
    assert done.column("customer_id") == ["6217000012345678", "1001"]


@pytest.mark.parametrize("ids", ["text", "number"])
@pytest.mark.parametrize(
    ("name", "encoding"), [("coffee/index_1.csv", "utf-8-sig"), ("sales-sample/sales_data_sample.csv", "cp1252")]
)
def test_a_log_saved_as_a_workbook_is_the_same_log(name: str, encoding: str, ids: str, shared_data: Path, tmp_path: Path) -> None:
    """Numbers as numbers, days as days, ids as either: the transactions of the CSV to the cent."""
    with (shared_data / name).open(encoding=encoding, newline="") as stream:
        header, *rows = csv.reader(stream)
    numbers = {"money", "QUANTITYORDERED", "PRICEEACH", "SALES", "MSRP"} | ({"ORDERNUMBER"} if ids == "number" else set())

    def cell(heading: str, text: str) -> Any:
        if heading in numbers:
            return float(text)
        if heading in ("date", "datetime", "ORDERDATE") and text[:4].count("/"):
            return datetime.strptime(text, "%m/%d/%Y %H:%M" if " " in text else "%m/%d/%Y")
        return text

    typed = [[cell(heading, text) for heading, text in zip(header, row, strict=True)] for row in rows]
    path = book(tmp_path / "a.xlsx", Orders=[header, *typed], Empty=[])
    made, expected = clean_files([path], tmp_path), clean_files([shared_data / name], tmp_path)
    assert made.rows.equals(expected.rows)
    assert made.reasons == expected.reasons


def test_what_stands_above_and_between_is_no_record(tmp_path: Path) -> None:
    """Titles above the header are left out, blank rows and a header that comes again are rejects with the row of the sheet."""
    rows: list[list[Any]] = [
        [], ["Orders of March"], ["Shop", "Harbour"], [], HEAD, ["A", date(2024, 3, 1), 5], [], HEAD,
        ["B", date(2024, 3, 2), 7.5], ["Total", None, 12.5],
    ]  # fmt: skip
    path = book(tmp_path / "a.xlsx", Orders=rows)
    done = clean_files([path], tmp_path, max_rejects=1.0)
    assert done.column("source_line") == [6, 9]
    assert done.reasons == {7: "blank_row", 8: "header_repeat", 10: "totals_row"}
    assert "line 5" in said(done.log, "header")[0]


def test_a_table_may_stand_anywhere_on_its_sheet(tmp_path: Path) -> None:
    """Empty columns before it have no names; columns in which nothing stands are not there."""
    rows: list[list[Any]] = [
        [],
        [],
        *([None, None, *row] for row in (HEAD, ["A", date(2024, 3, 1), 5], ["B", date(2024, 3, 2), 6])),
    ]
    done = clean_files([book(tmp_path / "a.xlsx", Orders=rows)], tmp_path)
    assert done.log.columns == tuple(HEAD)
    assert done.column("source_line") == [4, 5]


def test_a_sheet_without_names_has_numbered_columns(tmp_path: Path) -> None:
    """A first row of data is data."""
    log = read(book(tmp_path / "a.xlsx", Orders=[["A", date(2024, 3, 1), 5], ["B", date(2024, 3, 2), 6]]))
    assert log.columns == ("#1", "#2", "#3")
    assert log.parts[0].headless
    assert column(log, "#1") == ["A", "B"]


def test_several_sheets_are_a_question(tmp_path: Path) -> None:
    """Empty ones do not count; else the question names them and the option, and the option answers it."""
    one, two = [HEAD, ["A", date(2024, 3, 1), 5]], [HEAD, ["B", date(2024, 3, 1), 5]]
    assert column(read(book(tmp_path / "a.xlsx", Notes=[], March=one)), "customer") == ["A"]
    path = book(tmp_path / "b.xlsx", March=one, April=two)
    with pytest.raises(DataError, match="2 sheets that hold something") as caught:
        read(path)
    assert "March, April" in str(caught.value)
    assert "--sheet March" in str(caught.value)
    assert column(read(path, sheet="April"), "customer") == ["B"]
    with pytest.raises(DataError, match="no sheet May"):
        read(path, sheet="May")


def test_nothing_to_read_is_said(tmp_path: Path) -> None:
    """A workbook without a filled cell, a sheet of blanks, a header alone."""
    for rows in ([], [[" "], ["", "  "]]):
        with pytest.raises(DataError, match="is empty"):
            read(book(tmp_path / "a.xlsx", Orders=rows))
    assert read(book(tmp_path / "b.xlsx", Orders=[HEAD])).parts[0].empty


def test_formulas_never_worked_out_are_refused(tmp_path: Path) -> None:
    """A program that writes formulas without their values leaves nothing to read; formulas on another sheet do no harm."""
    cells = '<row r="1">{}</row><row r="2">{}</row>'.format(
        "".join(inline(f"{letter}1", name) for letter, name in zip("ABC", HEAD, strict=True)),
        inline("A2", "A") + inline("B2", "2024-03-01") + "<c r='C2'><f>1+4</f></c>",
    )
    with pytest.raises(DataError, match="1 formulas of a"):
        read(with_rows(tmp_path / "a.xlsx", cells))
    log = read(with_rows(tmp_path / "b.xlsx", cells.replace("</f>", "</f><v>5</v>")))
    assert column(log, "amount") == ["5"]


def test_what_cannot_be_seen_is_told(tmp_path: Path) -> None:
    """Hidden rows are read, merged cells hold their value once; both are evidence."""
    rows = f'<row r="1">{inline("A1", "customer")}{inline("B1", "date")}</row>'
    rows += f'<row r="2" hidden="1">{inline("A2", "A")}{inline("B2", "2024-03-01")}</row>'
    rows += f'<row r="3">{inline("B3", "2024-03-02")}</row>'
    log = read(with_rows(tmp_path / "a.xlsx", rows, '<mergeCells count="1"><mergeCell ref="A2:A3"/></mergeCells>'))
    assert column(log, "customer") == ["A", ""]
    assert said(log, "hidden rows")[0].startswith("1,")
    assert said(log, "merged cells")[0].startswith("1,")
    assert said(log, "container") == ["Excel workbook, sheet Orders, 3 rows"]


def test_cells_without_a_place_follow_each_other(tmp_path: Path) -> None:
    """Some programs leave the references out."""
    plain = "".join(
        f"<row>{''.join(inline('', text) for text in row)}</row>".replace(' r=""', "") for row in (HEAD, ["A", "2024-03-01", "5"])
    )
    assert column(read(with_rows(tmp_path / "a.xlsx", plain)), "amount") == ["5"]


def test_a_sheet_is_measured_before_it_is_laid_out(tmp_path: Path) -> None:
    """What a sheet says of itself counts for nothing, cells far out count for all between."""
    near = inline("A1", "customer")
    for far in ("XFD1048576", "AZZ99999", "B1048576"):
        path = with_rows(tmp_path / "a.xlsx", f'<row r="1">{near}</row><row>{inline(far, "x")}</row>')
        if far != "B1048576":
            with pytest.raises(DataError, match="spreads over"):
                read(path)
    space = '<dimension ref="A1:XFD1048576"/>'
    path = book(tmp_path / "b.xlsx", Orders=[HEAD, ["A", date(2024, 3, 1), 5]])
    with zipfile.ZipFile(path) as archive:
        sheet = archive.read(SHEET).decode()
    log = read(rezipped(path, {SHEET: sheet.replace('<dimension ref="A1:C2"/>', space).encode()}))
    assert column(log, "amount") == ["5"]


def test_a_few_bytes_cannot_mean_millions_of_cells(tmp_path: Path) -> None:
    """OpenDocument writes how often a row is repeated; LibreOffice fills the sheet so with empty ones, which is no harm."""
    row = books.ods_row(["A"] * 100, times=100_000)
    with pytest.raises(DataError, match="spreads over 100,000 rows and 100 columns"):
        read(books.ods(tmp_path / "a.ods", {"Orders": row}))
    empty = '<table:table-cell table:number-columns-repeated="16384"/>'
    tail = f'<table:table-row table:number-rows-repeated="1048573">{empty}</table:table-row>'
    log = read(books.ods(tmp_path / "b.ods", {"Orders": books.ods_row(HEAD) + books.ods_row(["A", date(2024, 3, 1), 5]) + tail}))
    assert column(log, "amount") == ["5"]


def test_a_workbook_that_swells_is_a_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All members together, whatever the archive says about their sizes."""
    monkeypatch.setattr(sources, "_RATIO_FROM", 2**20)
    path = rezipped(book(tmp_path / "a.xlsx", Orders=[HEAD]), {"xl/media/a.bin": b"\0" * 2**24})
    data = path.read_bytes()
    for size in (2**24, 10):  # what the directory says of the size, twice in the file
        path.write_bytes(data.replace((2**24).to_bytes(4, "little"), size.to_bytes(4, "little")))
        with pytest.raises(DataError, match="times its size"):
            read(path)


def test_protected_workbooks_and_other_compound_files_are_said(tmp_path: Path) -> None:
    """A password turns a workbook into an old container around bytes nobody can read; a Word file is none either."""
    with pytest.raises(DataError, match="protected by a password"):
        read(books.compound(tmp_path / "a.xlsx", "EncryptedPackage", b"secret"))
    with pytest.raises(DataError, match="protected by a password"):
        read(books.ods(tmp_path / "a.ods", {"Orders": books.ods_row(HEAD)}, "<manifest:encryption-data/>"))
    data = bytearray(book(tmp_path / "b.xlsx", Orders=[HEAD]).read_bytes())
    data[data.index(b"PK\1\2") + 8] |= 1  # what a program for zip files does to a member
    (tmp_path / "b.xlsx").write_bytes(data)
    with pytest.raises(DataError, match="protected by a password"):
        read(tmp_path / "b.xlsx")
    with pytest.raises(DataError, match="is no workbook"):
        read(books.compound(tmp_path / "a.doc", "WordDocument", b"text"))


def test_opendocument_reads_alike(tmp_path: Path) -> None:
    """Days, numbers, truth values, empty cells and formulas of LibreOffice's own format."""
    cells: list[books.Cell] = ["text", 1001, 0.1, 1e15, True, None, date(2024, 3, 5), datetime(2024, 3, 5, 22, 15, 30)]
    rows = books.ods_row(["key", "value"]) + "".join(books.ods_row([f"k{place}", cell]) for place, cell in enumerate(cells))
    log = read(books.ods(tmp_path / "a.ods", {"Notes": "", "Orders": rows}))
    texts = ["text", "1001", "0.1", "1E+15", "TRUE", "", "2024-03-05", "2024-03-05T22:15:30"]
    assert column(log, "value") == texts
    span = '<table:table-cell office:value-type="time" office:time-value="PT22H15M30S"/>'
    rows = books.ods_row(["key", "value"]) + f"<table:table-row>{books.ods_cell('k')}{span}</table:table-row>"
    assert column(read(books.ods(tmp_path / "b.ods", {"Orders": rows})), "value") == ["22:15:30"]
    lost = rows.replace(span, '<table:table-cell table:formula="of:=1+1"/>')
    with pytest.raises(DataError, match="no stored value"):
        read(books.ods(tmp_path / "c.ods", {"Orders": lost}))


def test_workbooks_of_before_2007_read_alike(tmp_path: Path) -> None:
    """BIFF8: text, whole and other numbers, days by their format, truth values, empty cells."""
    rows: list[list[books.Cell]] = [
        ["customer", "date", "amount"],
        ["0012", datetime(2024, 3, 5, 22, 15, 30), 1.5],
        [1001, date(2024, 3, 6), True],
    ]
    log = read(books.xls(tmp_path / "a.xls", rows))
    assert log.frame.select(HEAD).collect().rows() == [("0012", "2024-03-05 22:15:30", "1.5"), ("1001", "2024-03-06", "TRUE")]
    assert said(log, "container")[0].startswith("Excel workbook of before 2007, sheet Orders")


def test_an_old_workbook_is_measured_too(tmp_path: Path) -> None:
    """One changed byte puts a cell 65,536 columns out; a book with a password tells nothing of its cells."""
    rows: list[list[books.Cell]] = [["customer", "date"], *([f"C{place}", "2024-03-01"] for place in range(200))]
    path = books.xls(tmp_path / "a.xls", rows)
    data = path.read_bytes()
    last = data.rindex((0x0204).to_bytes(2, "little") + (2 * 10 + 9).to_bytes(2, "little"))  # the last label of ten characters
    path.write_bytes(data[: last + 6] + b"\xff\xff" + data[last + 8 :])
    with pytest.raises(DataError, match="spreads over 201 rows and 65,536 columns"):
        read(path)
    path.write_bytes(data.replace(b"\x85\0\x0e\0", b"\x2f\0\x0e\0", 1))
    with pytest.raises(DataError, match="protected by a password"):
        read(path)
    good = random.Random(5)
    for _ in range(100):
        mutant = bytearray(data)
        for _ in range(good.choice([1, 3, 30])):
            mutant[good.randrange(len(mutant))] = good.randrange(256)
        path.write_bytes(mutant)
        try:
            assert read(path, sheet="Orders").frame.collect().height > 100
        except DataError:
            continue


def test_a_sheet_is_converted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a folder for it the text is kept there, and every later reading takes it from there."""
    path = book(tmp_path / "a.xlsx", Orders=[HEAD, *([f"C{place}", date(2024, 3, 1), place] for place in range(50))])
    spool = tmp_path / "spool"
    spool.mkdir()
    log = ingest.read_text([path], CleanSettings(), spool=spool)
    path.unlink()
    first, second = log.frame.collect(), log.frame.collect()
    assert first.equals(second)
    assert first.height == 50
    assert first.equals(read_again(tmp_path, monkeypatch))


def read_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> pl.DataFrame:
    """The same rows kept in memory, in slices of seven."""
    monkeypatch.setattr("clm.ingest.workbook._BATCH", 7)
    path = book(folder / "a.xlsx", Orders=[HEAD, *([f"C{place}", date(2024, 3, 1), place] for place in range(50))])
    return read(path).frame.collect()


def damaged(good: dict[str, bytes], whole: bytes, chance: random.Random) -> bytes:
    """Bytes changed anywhere, or in one member whose archive is then whole again."""
    if chance.random() < 0.3:
        data = bytearray(whole)
        for _ in range(chance.choice([1, 3, 30])):
            data[chance.randrange(len(data))] = chance.randrange(256)
        return bytes(data[: chance.randrange(len(data))] if chance.random() < 0.2 else data)
    name = chance.choice(["[Content_Types].xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml", *[SHEET] * 4])
    data = bytearray(good[name])
    for _ in range(chance.choice([1, 3, 10])):
        at = chance.randrange(len(data))
        match chance.randrange(3):
            case 0:
                data[at] = chance.randrange(256)
            case 1:
                del data[at : at + chance.randrange(20)]
            case _:
                data[at:at] = bytes(chance.choice(b'0123456789<>"/ABXr=') for _ in range(chance.randrange(1, 4)))
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for member, content in good.items():
            archive.writestr(member, bytes(data) if member == name else content)
    return held.getvalue()


def test_damaged_workbooks_get_an_answer(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Whatever bytes change, every row that is read is accounted for or the file is refused, and nothing else is printed."""
    path = book(
        tmp_path / "a.xlsx", Orders=[HEAD, *([f"C{place % 7}", date(2024, 1, 1 + place % 28), place / 4] for place in range(40))]
    )
    whole, chance, refused = path.read_bytes(), random.Random(20240303), 0
    with zipfile.ZipFile(path) as archive:
        good = {name: archive.read(name) for name in archive.namelist()}
    for _ in range(150):
        path.write_bytes(damaged(good, whole, chance))
        try:
            done = clean_files([path], tmp_path, max_rejects=1.0, until="none")
        except DataError:
            refused += 1
        else:
            rows = done.settled.outcome.rows
            assert rows.rows_in == rows.rows_out + sum(rows.rejected.values()) + sum(rows.collapsed.values())
    assert 20 < refused < 150
    assert capfd.readouterr().err == ""
    assert logging.getLogger("calamine").propagate is False


def test_the_limit_is_what_excel_itself_allows_and_memory_bears() -> None:
    """A full sheet of thirty columns fits."""
    assert extents.MOST_CELLS > 1_048_576 * 30


def test_a_sheet_with_a_quote_in_its_name_is_named_as_a_shell_takes_it(tmp_path: Path) -> None:
    """`Jan's` in the question is what a shell hands over as `Jan's`."""
    import shlex

    from clm.settings import typed

    assert shlex.split(typed("sheet", "Jan's")) == ["--sheet", "Jan's"]
    with xlsxwriter.Workbook(tmp_path / "two.xlsx") as book:
        for name in ("Jan's", "Feb"):
            sheet = book.add_worksheet(name)
            for row, cells in enumerate([["customer", "date", "total"], ["A", "2024-01-02", "5"], ["B", "2024-01-03", "6"]]):
                sheet.write_row(row, 0, cells)
    with pytest.raises(DataError) as caught:
        clean_files([tmp_path / "two.xlsx"], tmp_path)
    assert shlex.split(str(caught.value.fix).rsplit(": ", 1)[1]) == ["--sheet", "Jan's"]


def test_zeros_that_only_a_format_shows_are_said_to_be_lost(tmp_path: Path) -> None:
    """123 shown as 00123: the column is named, the value is read as it is stored; a format of money says nothing."""
    path = tmp_path / "zeros.xlsx"
    with xlsxwriter.Workbook(path) as made:
        sheet, zeros = made.add_worksheet(), made.add_format({"num_format": "00000"})
        sheet.write_row(0, 0, ["order", "customer", "date", "amount"])
        for place in range(1, 7):
            sheet.write(place, 0, place)
            sheet.write(place, 1, 122 + place, zeros)
            sheet.write(place, 2, f"2024-01-0{place}")
            sheet.write(place, 3, 5.5, made.add_format({"num_format": "0.00"}))
    done = clean_files([path], tmp_path)
    said = {notice.code: notice.text for notice in done.settled.outcome.warnings}
    assert said["id_format"].startswith("column B of zeros.xlsx")
    assert done.column("customer_id")[0] == "123"


def test_a_sheet_without_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row or a tag that never closes is held only so long."""
    monkeypatch.setattr(extents, "_ROW_BYTES", 2**12)
    monkeypatch.setattr(sources, "BLOCK", 2**10)
    cells = "".join(inline("", f"{number:x}") for number in range(1000))
    with pytest.raises(DataError, match="a row without end"):
        read(rezipped(book(tmp_path / "a.xlsx", Orders=[HEAD]), {SHEET: f"<sheetData><row>{cells}".encode()}))
    with pytest.raises(DataError, match="a tag without end"):
        read(books.ods(tmp_path / "a.ods", {"Orders": "<table:table-row " + "x" * 2**14}))


def test_values_outside_any_cell_are_damage(tmp_path: Path) -> None:
    """A sheet that holds something, of which nothing can be read, is not called empty."""
    with pytest.raises(DataError, match="nothing of the sheet Orders can be read"):
        read(with_rows(tmp_path / "a.xlsx", "<row><x><v>5</v></x></row>"))
